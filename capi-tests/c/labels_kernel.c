/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Labels from the rule that sets them to the program that lists them: names, bits, events. */
#include "kernel.h"
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include "programs.h"

#define PORT 7777
#define RULE "iptables-nft -w 5 -A "

static char etc[] = "/tmp/labels-XXXXXX"; /* takes the place of /etc */
static char conf[64];
static struct nfct_labelmap *map;

static void write_conf(void)
{
	FILE *file;

	if (mkdtemp(etc) == NULL) {
		perror(etc);
		exit(1);
	}
	sprintf(conf, "%s/xtables", etc);
	mkdir(conf, 0700);
	strcat(conf, "/connlabel.conf");
	file = fopen(conf, "we");
	fputs("# names of this test only\n0 first\n1 seen\n7 web\n40 big-flow\n127 last\n", file);
	fclose(file);
}

static void remove_conf(void)
{
	unlink(conf);
	*strrchr(conf, '/') = '\0';
	rmdir(conf);
	rmdir(etc);
}

/* Makes the file the system's, for this process and what it starts. The whole of /etc is
 * covered: its own /etc/xtables need not exist, and making it would be seen outside. */
static void own_etc(void)
{
	CHECK_INT(unshare(CLONE_NEWNS), 0);
	CHECK_INT(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL), 0);
	CHECK_INT(mount(etc, "/etc", "none", MS_BIND, NULL), 0);
}

static void test_maps(void)
{
	static const struct { int bit; const char *name; } rows[] = {
		{ 0, "first" }, { 1, "seen" }, { 7, "web" }, { 40, "big-flow" }, { 127, "last" },
	};
	struct nfct_labelmap *named = nfct_labelmap_new(conf);

	map = nfct_labelmap_new(NULL);
	CHECK(map != NULL && named != NULL && map != named);
	for (size_t i = 0; i < COUNT(rows); i++) {
		about("label %s", rows[i].name);
		CHECK_INT(nfct_labelmap_get_bit(map, rows[i].name), rows[i].bit);
		CHECK_INT(nfct_labelmap_get_bit(named, rows[i].name), rows[i].bit);
		CHECK_STR(nfct_labelmap_get_name(map, (unsigned int)rows[i].bit), rows[i].name);
		CHECK_STR(nfct_labelmap_get_name(named, (unsigned int)rows[i].bit), rows[i].name);
	}
	about("");
	CHECK_INT(nfct_labelmap_get_bit(map, "# names"), -1);
	nfct_labelmap_destroy(named);
}

/* What the callback saw last. */
struct labelled {
	int calls, types;
	char names[128]; /* "web,last" */
	char text[1024];
};

static void names_of(const struct nf_conntrack *ct, char names[128])
{
	const struct nfct_bitmask *labels = nfct_get_attr(ct, ATTR_CONNLABELS);

	names[0] = '\0';
	for (unsigned int bit = 0; labels != NULL && bit <= nfct_bitmask_maxbit(labels); bit++) {
		if (nfct_bitmask_test_bit(labels, bit) == 0)
			continue;
		if (names[0] != '\0')
			strcat(names, ",");
		strcat(names, nfct_labelmap_get_name(map, bit));
	}
}

static int see_labels(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct labelled *seen = data;

	seen->calls++;
	seen->types |= (int)type;
	names_of(ct, seen->names);
	nfct_snprintf_labels(seen->text, sizeof(seen->text), ct, NFCT_T_UNKNOWN, NFCT_O_DEFAULT, 0,
			     map);
	return NFCT_CB_CONTINUE;
}

static struct nfct_handle *open_labelled(struct labelled *seen, unsigned int groups)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, groups);

	memset(seen, 0, sizeof(*seen));
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, see_labels, seen), 0);
	return h;
}

static struct nfct_handle *listen_labelled(struct labelled *seen)
{
	struct nfct_handle *h = open_labelled(seen, NFCT_ALL_CT_GROUPS);

	CHECK_INT(fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK), 0);
	return h;
}

/* One event of this kind came, with these labels. */
static void check_event(struct nfct_handle *events, struct labelled *seen, int type,
			const char *names)
{
	seen->calls = seen->types = 0;
	CHECK_ERR(nfct_catch(events), -1, EAGAIN);
	CHECK_INT(seen->calls, 1);
	CHECK_INT(seen->types, type);
	CHECK_STR(seen->names, names);
}

/* The labels of the only flow: in a dump, in its text, and in what the conntrack program lists. */
static void check_labels(const char *names)
{
	struct labelled seen;
	struct nfct_handle *h = open_labelled(&seen, 0);
	char text[160] = "";

	if (*names != '\0')
		sprintf(text, " labels=%s", names);
	CHECK_INT(dump(h), 0);
	CHECK_INT(seen.calls, 1);
	CHECK_STR(seen.names, names);
	CHECK_IN(seen.text, *names != '\0' ? text : "src=");
	if (*names == '\0')
		CHECK_NOT_IN(seen.text, "labels=");

	CHECK_RUN("conntrack -L -o labels");
	CHECK_IN(output, "1 flow entries");
	if (*names == '\0')
		CHECK_NOT_IN(output, "labels=");
	/* The whole line, but for the time left. */
	strcat(seen.text, "\n");
	if (strstr(seen.text, "src=") != NULL)
		CHECK_IN(output, strstr(seen.text, "src="));
	CHECK_INT(nfct_close(h), 0);
}

static struct nfct_bitmask *bitmask_of(const char *names, unsigned int maxbit)
{
	struct nfct_bitmask *labels = nfct_bitmask_new(maxbit);
	char copy[128], *rest = copy, *name;

	strcpy(copy, names);
	while ((name = strsep(&rest, ",")) != NULL)
		if (*name != '\0')
			nfct_bitmask_set_bit(labels,
					     (unsigned int)nfct_labelmap_get_bit(map, name));
	return labels;
}

/* A client connected to a server on the loopback device. */
struct pair {
	int client, server;
	uint16_t port; /* of the client, network order */
};

static struct pair open_pair(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(PORT) }, client;
	struct pair pair = { socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
			     socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 0 };
	struct timeval limit = { .tv_usec = 200000 };
	socklen_t size = sizeof(client);

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_INT(bind(pair.server, (struct sockaddr *)&here, sizeof(here)), 0);
	CHECK_INT(setsockopt(pair.server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	CHECK_INT(connect(pair.client, (struct sockaddr *)&here, sizeof(here)), 0);
	CHECK_INT(getsockname(pair.client, (struct sockaddr *)&client, &size), 0);
	pair.port = client.sin_port;
	return pair;
}

static void close_pair(struct pair pair)
{
	close(pair.client);
	close(pair.server);
}

/* Whether a datagram arrives. */
static bool arrives(struct pair pair)
{
	char byte;

	CHECK_INT(send(pair.client, "x", 1, 0), 1);
	return recv(pair.server, &byte, 1, 0) == 1;
}

static struct nf_conntrack *flow_of(struct pair pair)
{
	struct nf_conntrack *ct = nfct_new();

	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, htonl(INADDR_LOOPBACK));
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, htonl(INADDR_LOOPBACK));
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_UDP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, pair.port);
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(PORT));
	return ct;
}

/* Labels by query: what is sent, and what the flow has then. It starts with big-flow. */
static const struct step {
	const char *labels;
	unsigned int maxbit;
	const char *mask; /* no mask: NULL */
	unsigned int mask_maxbit;
	const char *result;
} steps[] = {
	{ "web,last", 127, "web,last", 127, "web,big-flow,last" },
	{ "", 127, "web", 127, "big-flow,last" },
	{ "first", 127, "first,last", 127, "first,big-flow" },
	{ "seen,last", 127, NULL, 0, "seen,last" },
	{ "big-flow", 40, "big-flow", 40, "seen,big-flow" }, /* a short one clears what is behind it */
	{ "web", 31, "seen,web", 31, "web" },
	{ "last", 127, "last", 127, "web,last" },
	{ "", 0, NULL, 0, "" },
	{ "seen,big-flow", 63, NULL, 0, "seen,big-flow" },
	{ "", 127, "seen,big-flow", 127, "" },
#ifndef REFERENCE /* leaves a mask of another size out, which clears all the others */
	{ "web,last", 127, NULL, 0, "web,last" },
	{ "seen", 31, "seen", 127, "seen,web,last" },
	{ "", 0, "web", 127, "seen,last" },
	{ "big-flow", 63, "big-flow,last", 127, "seen,big-flow" },
	{ "last", 127, "seen,big-flow", 63, "" }, /* only what is in the mask changes */
	{ "", 0, NULL, 0, "" },
#endif
};

static void test_steps(struct nfct_handle *events, struct labelled *seen, struct pair pair)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);

	for (size_t i = 0; i < COUNT(steps); i++) {
		const struct step *step = &steps[i];
		struct nf_conntrack *ct = flow_of(pair);

		about("labels \"%s\" mask \"%s\"", step->labels, step->mask ? step->mask : "none");
		nfct_set_attr(ct, ATTR_CONNLABELS, bitmask_of(step->labels, step->maxbit));
		if (step->mask != NULL)
			nfct_set_attr(ct, ATTR_CONNLABELS_MASK,
				      bitmask_of(step->mask, step->mask_maxbit));
		CHECK_INT(query_flow(h, NFCT_Q_UPDATE, ct), 0);
		check_event(events, seen, NFCT_T_UPDATE, step->result);
		check_labels(step->result);
	}
	about("");
	CHECK_INT(nfct_close(h), 0);
}

/* The other way round: the conntrack program changes, the library sees. */
static void test_changed_outside(struct nfct_handle *events, struct labelled *seen)
{
	CHECK_RUN("conntrack -U -p udp -s 127.0.0.1 --label-add web");
	check_event(events, seen, NFCT_T_UPDATE, "web");
	check_labels("web");
	CHECK_RUN("conntrack -U -p udp -s 127.0.0.1 --label-add last");
	check_event(events, seen, NFCT_T_UPDATE, "web,last");
	CHECK_RUN("conntrack -U -p udp -s 127.0.0.1 --label-del web");
	check_event(events, seen, NFCT_T_UPDATE, "last");
	CHECK_RUN("conntrack -U -p udp -s 127.0.0.1 --label-del");
	check_event(events, seen, NFCT_T_UPDATE, "");
	check_labels("");
}

/* A rule of the kernel asks for the label that a query set. */
static void test_matched(struct pair pair)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = flow_of(pair);

	CHECK_RUN(RULE "INPUT -m connlabel --label last -j DROP");
	CHECK(arrives(pair));
	nfct_set_attr(ct, ATTR_CONNLABELS, bitmask_of("last", 127));
	nfct_set_attr(ct, ATTR_CONNLABELS_MASK, bitmask_of("last", 127));
	CHECK_INT(query_flow(h, NFCT_Q_UPDATE, ct), 0);
	CHECK(!arrives(pair));
	ct = flow_of(pair);
	nfct_set_attr(ct, ATTR_CONNLABELS, bitmask_of("", 0));
	CHECK_INT(query_flow(h, NFCT_Q_UPDATE, ct), 0);
	CHECK(arrives(pair));
	CHECK_INT(nfct_close(h), 0);
}

/* Real datagrams get their label from a rule; then everything else that changes it. */
static void test_traffic(void)
{
	struct labelled seen;
	struct nfct_handle *events = listen_labelled(&seen);
	struct pair pair = open_pair();

	CHECK(arrives(pair));
	check_event(events, &seen, NFCT_T_NEW, "big-flow");
	CHECK_IN(seen.text, " labels=big-flow");
	check_labels("big-flow");
	CHECK_RUN("iptables-nft -w 5 -F OUTPUT");
	test_steps(events, &seen, pair);
	test_changed_outside(events, &seen);
	test_matched(pair);
	CHECK_INT(flush(events), 0);
	close_pair(pair);
	CHECK_INT(nfct_close(events), 0);
}

/* A flow that has its labels from the start, and goes with them. */
static void test_created(void)
{
	struct labelled seen;
	struct nfct_handle *events = listen_labelled(&seen), *h = open_labelled(&seen, 0);
	struct nf_conntrack *ct = new_flow(0);

	nfct_set_attr(ct, ATTR_CONNLABELS, bitmask_of("web,last", 127));
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, ct), 0);
	check_event(events, &seen, NFCT_T_NEW, "web,last");
	check_labels("web,last");
	seen.names[0] = '\0';
	CHECK_INT(query_flow(h, NFCT_Q_GET, flow(0)), 0);
	CHECK_STR(seen.names, "web,last");
	CHECK_INT(query_flow(h, NFCT_Q_DESTROY, flow(0)), 0);
	check_event(events, &seen, NFCT_T_DESTROY, ""); /* the kernel leaves them out */
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(nfct_close(events), 0);
}

/* Without a rule that uses labels, a flow has no room for them. */
static void test_no_room(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = flow(0);

	create_flows(h, 0, 1);
	nfct_set_attr(ct, ATTR_CONNLABELS, bitmask_of("web", 127));
	CHECK_ERR(query_flow(h, NFCT_Q_UPDATE, ct), -1, ENOSPC);
	check_labels("");
	CHECK_INT(flush(h), 0);
	CHECK_INT(nfct_close(h), 0);
}

int main(void)
{
	if (!have("conntrack") || !have("iptables-nft")) {
		skip("labels need the programs conntrack and iptables (packages of these names)");
		return finish();
	}
	own_namespace();
	write_conf();
	own_etc();
	test_maps();
	test_no_room();
	CHECK_RUN(RULE "OUTPUT -p udp --dport %d -m connlabel --label big-flow --set", PORT);
	CHECK_RUN("iptables-nft -S OUTPUT");
	CHECK_IN(output, "--label \"big-flow\" --set");
	test_traffic();
	CHECK_RUN(RULE "OUTPUT -p udp --dport 1 -m connlabel --label first --set");
	test_created();
	nfct_labelmap_destroy(map);
	remove_conf();
	return finish();
}
