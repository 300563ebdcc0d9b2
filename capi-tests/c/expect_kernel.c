/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Expectations from end to end: made by hand, and by a real FTP connection that the kernel's
 * helper reads. Every one is compared with what the conntrack program lists. */
#include "kernel.h"
#include <poll.h>
#include "cable.h"

/* What the callbacks saw. */
static struct {
	int calls, types;
	struct nf_expect *last;
	int flows;		   /* that are expected ones */
	struct nf_conntrack *flow; /* the last of them */
} seen;

static int see_expectation(enum nf_conntrack_msg_type type, struct nf_expect *exp, void *data)
{
	CHECK(data == &seen);
	seen.calls++;
	seen.types |= (int)type;
	if (seen.last != NULL)
		nfexp_destroy(seen.last);
	seen.last = exp;
	return NFCT_CB_STOLEN;
}

static int see_flow(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)data;
	CHECK(type == NFCT_T_NEW || type == NFCT_T_UPDATE);
	if (!(nfct_get_attr_u32(ct, ATTR_STATUS) & IPS_EXPECTED))
		return NFCT_CB_CONTINUE;
	seen.flows++;
	if (seen.flow != NULL)
		nfct_destroy(seen.flow);
	seen.flow = ct;
	return NFCT_CB_STOLEN;
}

static void forget(void)
{
	if (seen.last != NULL)
		nfexp_destroy(seen.last);
	if (seen.flow != NULL)
		nfct_destroy(seen.flow);
	memset(&seen, 0, sizeof(seen));
}

/* A handle for flows and expectations that does not block. */
static struct nfct_handle *open_both(unsigned int groups)
{
	struct nfct_handle *h = nfct_open(0, groups);

	CHECK(h != NULL);
	CHECK_INT(nfexp_callback_register(h, NFCT_T_ALL, see_expectation, &seen), 0);
	CHECK_INT(nfct_callback_register(h, groups != 0 ? NFCT_T_NEW : NFCT_T_ALL, see_flow, NULL),
		  0);
	if (groups != 0)
		CHECK_INT(fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK), 0);
	return h;
}

/* Exactly these expectation events came since the last time. */
static void check_events(struct nfct_handle *events, int number, int types)
{
	seen.calls = seen.types = 0;
	CHECK_ERR(nfexp_catch(events), -1, EAGAIN);
	CHECK_INT(seen.calls, number);
	CHECK_INT(seen.types, types);
}

static int query_family(struct nfct_handle *h, enum nf_conntrack_query query)
{
	uint32_t family = AF_INET;

	seen.calls = seen.types = 0;
	return nfexp_query(h, query, &family);
}

static void check_tuple(const struct nf_expect *exp, int attr, uint32_t src, uint32_t dst,
			uint16_t sport, uint16_t dport)
{
	const struct nf_conntrack *ct = nfexp_get_attr(exp, EXP_ATTR(attr));

	about("tuple %d", attr);
	CHECK_INT(nfexp_attr_is_set(exp, EXP_ATTR(attr)), 1);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_L3PROTO), AF_INET);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_L4PROTO), IPPROTO_TCP);
	CHECK_INT(ntohl(nfct_get_attr_u32(ct, ATTR_IPV4_SRC)), src);
	CHECK_INT(ntohl(nfct_get_attr_u32(ct, ATTR_IPV4_DST)), dst);
	CHECK_INT(ntohs(nfct_get_attr_u16(ct, ATTR_PORT_SRC)), sport);
	CHECK_INT(ntohs(nfct_get_attr_u16(ct, ATTR_PORT_DST)), dport);
	about("");
}

static void print_last(char text[2048], unsigned int format)
{
	int size = nfexp_snprintf(text, 2047, seen.last, NFCT_T_UNKNOWN, format, 0);

	CHECK_INT(size, strlen(text));
}

/* The only expectation, which was dumped last: the conntrack program prints the same text. The
 * seconds left are part of it, so this may take a second try. */
static void check_printed(struct nfct_handle *h)
{
	char plain[2048] = "", xml[2048] = "";

	for (int i = 0; i < 3; i++) {
		CHECK_INT(query_family(h, NFCT_Q_DUMP), 0);
		if (!CHECK(seen.last != NULL && seen.calls == 1))
			return;
		print_last(plain, NFCT_O_PLAIN);
		CHECK_RUN("conntrack -L expect");
		if (strstr(output, plain) != NULL)
			break;
	}
	CHECK_IN(output, strcat(plain, "\n"));
	CHECK_IN(output, "1 expectations have been shown");
	for (int i = 0; i < 3; i++) {
		CHECK_INT(query_family(h, NFCT_Q_DUMP), 0);
		print_last(xml, NFCT_O_XML);
		CHECK_RUN("conntrack -L expect -o xml");
		if (strstr(output, xml) != NULL)
			break;
	}
	CHECK_IN(output, strcat(xml, "\n"));
	CHECK_IN(xml, "<helper-name>ftp</helper-name>");
}

static void check_none(struct nfct_handle *h)
{
	CHECK_INT(query_family(h, NFCT_Q_DUMP), 0);
	CHECK_INT(seen.calls, 0);
	CHECK_RUN("conntrack -L expect");
	CHECK_IN(output, "0 expectations have been shown");
}

static void check_by_hand(uint32_t flags)
{
	check_tuple(seen.last, ATTR_EXP_EXPECTED, 0x0a000001, 0x0a010001, 0, 2021);
	check_tuple(seen.last, ATTR_EXP_MASK, 0xffffffff, 0xffffffff, 0, 0xffff);
	check_tuple(seen.last, ATTR_EXP_MASTER, 0x0a000001, 0x0a010001, 1000, 80);
	CHECK_STR(nfexp_get_attr(seen.last, ATTR_EXP_HELPER_NAME), "ftp");
	/* The kernel says itself which expectations are a program's. */
	CHECK_INT(nfexp_get_attr_u32(seen.last, ATTR_EXP_FLAGS), flags & ~NF_CT_EXPECT_USERSPACE);
	CHECK_INT(nfexp_get_attr_u32(seen.last, ATTR_EXP_CLASS), 0);
	CHECK(nfexp_get_attr_u32(seen.last, ATTR_EXP_TIMEOUT) - 1 < 300);
}

/* Created, got, listed, deleted, each with its event. */
static void round_trip(struct nfct_handle *h, struct nfct_handle *events, struct nf_expect *exp,
		       uint32_t flags)
{
	about("flags %u", flags);
	nfexp_set_attr_u32(exp, ATTR_EXP_FLAGS, flags);
	CHECK_ERR(nfexp_query(h, NFCT_Q_GET, exp), -1, ENOENT);
	CHECK_ERR(nfexp_query(h, NFCT_Q_DESTROY, exp), -1, ENOENT);
	CHECK_INT(nfexp_query(h, NFCT_Q_CREATE, exp), 0);
	check_events(events, 1, NFCT_T_NEW);
	check_by_hand(flags);
	CHECK_ERR(nfexp_query(h, NFCT_Q_CREATE, exp), -1, EEXIST);
	seen.calls = seen.types = 0;
	CHECK_INT(nfexp_query(h, NFCT_Q_GET, exp), 0);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(seen.types, NFCT_T_UPDATE);
	check_by_hand(flags);
	check_printed(h);
	check_by_hand(flags);
	CHECK_INT(nfexp_query(h, NFCT_Q_DESTROY, exp), 0);
	check_events(events, 1, NFCT_T_DESTROY);
	check_by_hand(flags);
	check_none(h);
}

/* One whose time is up goes with an event; here after a second. */
static void expire(struct nfct_handle *h, struct nfct_handle *events, struct nf_expect *exp)
{
	struct pollfd ready = { .fd = nfct_fd(events), .events = POLLIN };

	nfexp_set_attr_u32(exp, ATTR_EXP_TIMEOUT, 1);
	CHECK_INT(nfexp_query(h, NFCT_Q_CREATE, exp), 0);
	CHECK_INT(nfexp_query(h, NFCT_Q_CREATE_UPDATE, exp), 0);
	check_events(events, 1, NFCT_T_NEW);
	CHECK_INT(poll(&ready, 1, 10000), 1);
	check_events(events, 1, NFCT_T_DESTROY);
	check_none(h);
}

static void test_by_hand(void)
{
	static const uint32_t flags[] = { 0, NF_CT_EXPECT_PERMANENT, NF_CT_EXPECT_INACTIVE,
		NF_CT_EXPECT_USERSPACE, NF_CT_EXPECT_PERMANENT | NF_CT_EXPECT_INACTIVE };
	struct nfct_handle *h = open_both(0), *events = open_both(0x3f);
	struct nf_conntrack *master = new_flow(0);
	struct nf_expect *exp = expectation(master);

	check_none(h);
	CHECK_ERR(nfexp_query(h, NFCT_Q_CREATE, exp), -1, ENOENT); /* no master */
	nfct_set_attr(master, ATTR_HELPER_NAME, "ftp");
	CHECK_INT(nfct_query(h, NFCT_Q_CREATE, master), 0);
	for (size_t i = 0; i < COUNT(flags); i++)
		round_trip(h, events, exp, flags[i]);
	about("");
	nfexp_set_attr_u32(exp, ATTR_EXP_FLAGS, 0);
	CHECK_INT(nfexp_query(h, NFCT_Q_CREATE, exp), 0);
	check_events(events, 1, NFCT_T_NEW);
	CHECK_INT(query_family(h, NFCT_Q_FLUSH), 0);
	check_events(events, 1, NFCT_T_DESTROY);
	check_none(h);
	expire(h, events, exp);
	CHECK_INT(nfexp_query(h, NFCT_Q_CREATE, exp), 0);
	CHECK_INT(query_flow(h, NFCT_Q_DESTROY, flow(0)), 0); /* takes it along */
	check_events(events, 2, NFCT_T_NEW | NFCT_T_DESTROY);
	check_none(h);
	nfexp_destroy(exp);
	nfct_destroy(master);
	forget();
	CHECK_INT(nfct_close(events), 0);
	CHECK_INT(nfct_close(h), 0);
}

#ifndef REFERENCE /* frees twice */
struct destroying {
	int calls, answer;
	struct nf_expect *kept; /* bytes copied out of the one destroyed */
};

static int destroy_it(enum nf_conntrack_msg_type type, struct nf_expect *exp, void *data)
{
	struct destroying *destroying = data;

	(void)type;
	destroying->calls++;
	memcpy(destroying->kept, exp, nfexp_maxsize());
	nfexp_destroy(exp);
	return destroying->answer;
}

/* Whatever a callback that destroyed its expectation answers, it is freed once; one copied from it
 * as bytes is the program's own. */
static void test_destroyed_within(void)
{
	static const int answers[] = { NFCT_CB_CONTINUE, NFCT_CB_STOLEN, NFCT_CB_STOP, -7 };
	struct nfct_handle *h = nfct_open(0, 0);
	struct nf_conntrack *master = new_flow(0);
	struct nf_expect *exp = expectation(master);

	nfct_set_attr(master, ATTR_HELPER_NAME, "ftp");
	CHECK_INT(nfct_query(h, NFCT_Q_CREATE, master), 0);
	CHECK_INT(nfexp_query(h, NFCT_Q_CREATE, exp), 0);
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct destroying destroying = { .answer = answers[i] };

		about("answer %d", answers[i]);
		destroying.kept = nfexp_new();
		CHECK_INT(nfexp_callback_register(h, NFCT_T_ALL, destroy_it, &destroying), 0);
		CHECK_INT(query_family(h, NFCT_Q_DUMP), answers[i] < 0 ? answers[i] : 0);
		CHECK_INT(nfexp_query(h, NFCT_Q_GET, exp), answers[i] < 0 ? answers[i] : 0);
		CHECK_INT(destroying.calls, 2);
		CHECK_INT(nfexp_cmp(destroying.kept, exp, 0), 1);
		nfexp_destroy(destroying.kept);
	}
	about("");
	CHECK_INT(query_flow(h, NFCT_Q_DESTROY, flow(0)), 0);
	nfexp_destroy(exp);
	nfct_destroy(master);
	CHECK_INT(nfct_close(h), 0);
}
#endif

/* Port 21 is FTP, and so is port 2121, behind address translation. */
static void load_rules(void)
{
	CHECK_RUN("nft 'add table ip t;"
		  "add ct helper ip t ftp { type \"ftp\" protocol tcp; };"
		  "add chain ip t helpers { type filter hook output priority 0; };"
		  "add rule ip t helpers tcp dport { 21, 2121 } ct helper set \"ftp\";"
		  "add chain ip t translate { type nat hook postrouting priority 100; };"
		  "add rule ip t translate tcp dport 2121 snat to 10.9.0.5'");
}

/* Ways to agree on the data connection. */
static const struct mode {
	const char *name;
	bool passive; /* the client opens it, else the server */
	uint16_t port; /* of the server */
	uint32_t address; /* of the client, as the server sees it */
} modes[] = {
	{ "active", false, 21, CLIENT },
	{ "passive", true, 21, CLIENT },
	{ "active behind translation", false, 2121, OUTSIDE },
};

/* A session: the control connection, and where the data connection will go. */
struct session {
	int client, server, data;
	uint16_t data_port;
};

static struct session log_in(const struct mode *mode)
{
	int listener = listen_in(there, SERVER, mode->port);
	struct session s = { .client = connect_from(here, SERVER, mode->port) };

	s.server = accept(listener, NULL, NULL);
	CHECK(s.server != -1);
	close(listener);
	say(s.server, s.client, "220 ready\r\n");
	say(s.client, s.server, "USER anonymous\r\n");
	say(s.server, s.client, "230 logged in\r\n");
	s.data = mode->passive ? listen_in(there, SERVER, 0) : listen_in(here, CLIENT, 0);
	s.data_port = port_of(s.data);
	return s;
}

static void write_place(char text[100], const char *format, uint32_t host, uint16_t port)
{
	snprintf(text, 100, format, host >> 24, host >> 16 & 255, host >> 8 & 255, host & 255,
		 port >> 8, port & 255);
}

/* Says where the data connection goes; the kernel listens in. */
static void agree(const struct mode *mode, const struct session *s)
{
	static const char passive[] = "227 Entering Passive Mode (%u,%u,%u,%u,%u,%u).\r\n";
	static const char active[] = "PORT %u,%u,%u,%u,%u,%u\r\n";
	char line[100], heard[100];

	if (mode->passive) {
		say(s->client, s->server, "PASV\r\n");
		write_place(line, passive, SERVER, s->data_port);
		CHECK_STR(say(s->server, s->client, line), line);
		return;
	}
	write_place(line, active, CLIENT, s->data_port);
	write_place(heard, active, mode->address, s->data_port); /* the kernel edits it */
	CHECK_STR(say(s->client, s->server, line), heard);
}

/* Everything about the expectation seen last. */
static void check_session(const struct mode *mode, const struct session *s)
{
	const struct nf_conntrack *nat;

	if (!CHECK(seen.last != NULL))
		return;
	check_tuple(seen.last, ATTR_EXP_EXPECTED, mode->passive ? CLIENT : SERVER,
		    mode->passive ? SERVER : mode->address, 0, s->data_port);
	check_tuple(seen.last, ATTR_EXP_MASK, 0xffffffff, 0xffffffff, 0, 0xffff);
	check_tuple(seen.last, ATTR_EXP_MASTER, CLIENT, SERVER, port_of(s->client), mode->port);
	about("%s", mode->name);
	CHECK_STR(nfexp_get_attr(seen.last, ATTR_EXP_HELPER_NAME), "ftp");
	CHECK_INT(nfexp_get_attr_u32(seen.last, ATTR_EXP_FLAGS), 0);
	CHECK_INT(nfexp_get_attr_u32(seen.last, ATTR_EXP_CLASS), 0);
	CHECK_INT(nfexp_get_attr_u16(seen.last, ATTR_EXP_ZONE), 0);
	CHECK(300 - nfexp_get_attr_u32(seen.last, ATTR_EXP_TIMEOUT) < 100);
	CHECK_INT(nfexp_attr_is_set(seen.last, ATTR_EXP_NAT_TUPLE), mode->address != CLIENT);
	if (mode->address == CLIENT)
		return;
	nat = nfexp_get_attr(seen.last, ATTR_EXP_NAT_TUPLE);
	CHECK_INT(ntohs(nfct_get_attr_u16(nat, ATTR_PORT_SRC)), s->data_port);
	CHECK_INT(nfexp_get_attr_u32(seen.last, ATTR_EXP_NAT_DIR), 1);
	CHECK_STR(nfexp_get_attr(seen.last, ATTR_EXP_FN), "nat-follow-master");
}

/* The flow that was expected knows the one it belongs to. */
static void check_master(const struct mode *mode, const struct session *s)
{
	CHECK_INT(seen.flows, 1);
	if (!CHECK(seen.flow != NULL))
		return;
	CHECK_INT(nfct_get_attr_u32(seen.flow, ATTR_STATUS) & IPS_EXPECTED, IPS_EXPECTED);
	CHECK_INT(ntohs(nfct_get_attr_u16(seen.flow, ATTR_PORT_DST)), s->data_port);
	CHECK_INT(nfct_get_attr_u8(seen.flow, ATTR_MASTER_L3PROTO), AF_INET);
	CHECK_INT(nfct_get_attr_u8(seen.flow, ATTR_MASTER_L4PROTO), IPPROTO_TCP);
	CHECK_INT(ntohl(nfct_get_attr_u32(seen.flow, ATTR_MASTER_IPV4_SRC)), CLIENT);
	CHECK_INT(ntohl(nfct_get_attr_u32(seen.flow, ATTR_MASTER_IPV4_DST)), SERVER);
	CHECK_INT(ntohs(nfct_get_attr_u16(seen.flow, ATTR_MASTER_PORT_SRC)), port_of(s->client));
	CHECK_INT(ntohs(nfct_get_attr_u16(seen.flow, ATTR_MASTER_PORT_DST)), mode->port);
}

/* The data connection comes, and the expectation goes. */
static void transfer(struct nfct_handle *h, struct nfct_handle *events, const struct mode *mode,
		     const struct session *s)
{
	int from = mode->passive ? here : there, opened, accepted;

	opened = connect_from(from, mode->passive ? SERVER : mode->address, s->data_port);
	accepted = accept(s->data, NULL, NULL);
	CHECK_STR(say(opened, accepted, "data\n"), "data\n");
	seen.flows = 0;
	check_events(events, 1, NFCT_T_DESTROY);
	check_session(mode, s);
	check_master(mode, s);
	check_none(h);
	seen.flows = 0;
	CHECK_INT(dump(h), 0);
	check_master(mode, s);
	close(opened);
	close(accepted);
}

static void test_session(struct nfct_handle *h, struct nfct_handle *events,
			 const struct mode *mode)
{
	struct session s = log_in(mode);

	check_events(events, 0, 0);
	check_none(h);
	agree(mode, &s);
	check_events(events, 1, NFCT_T_NEW);
	check_session(mode, &s);
	check_printed(h);
	CHECK_INT(seen.types, NFCT_T_UPDATE);
	check_session(mode, &s);
	transfer(h, events, mode, &s);
	close(s.client);
	close(s.server);
	close(s.data);
	CHECK_INT(flush(h), 0);
	check_events(events, 0, 0);
	forget();
}

static void test_ftp(void)
{
	struct nfct_handle *h, *events;

	if (!have("ip") || !have("nft")) {
		skip("FTP needs the programs ip and nft (packages iproute2 and nftables)");
		return;
	}
	lay_cable();
	load_rules();
	h = open_both(0);
	events = open_both(0x3f);
	for (size_t i = 0; i < COUNT(modes); i++) {
		about("%s", modes[i].name);
		test_session(h, events, &modes[i]);
	}
	about("");
	CHECK_INT(nfct_close(events), 0);
	CHECK_INT(nfct_close(h), 0);
	close(here);
	close(there);
}

int main(void)
{
	if (!have("conntrack")) {
		skip("expectations are compared with the program conntrack (package conntrack)");
		return finish();
	}
	alarm(120);
	own_namespace();
	test_by_hand();
#ifndef REFERENCE
	test_destroyed_within();
#endif
	test_ftp();
	return finish();
}
