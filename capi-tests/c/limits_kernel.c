/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The ends of what there is: a thousand handles, the highest zone, timeout, label, counters and
 * numbers, the longest helper name, times that run backwards. */
#include "kernel.h"
#include <sys/resource.h>

#define HANDLES 1000

static const char helper[] = "amanda-and-irc-"; /* 15 characters: the kernel has 16 with the NUL */

/* Outcome: all work, each on its own port, and nothing is left when they are closed. */
static void test_thousand_handles(void)
{
	static struct nfct_handle *handles[HANDLES];
	struct rlimit limit;

	CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < HANDLES + 50) {
		skip("a thousand handles need as many descriptors (ulimit -Hn)");
		return;
	}
	limit.rlim_cur = limit.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < HANDLES; i++) {
		handles[i] = nfct_open(0, i % 2 == 0 ? 0 : NFCT_ALL_CT_GROUPS);
		CHECK(handles[i] != NULL);
	}
	CHECK_INT(query_flow(handles[0], NFCT_Q_CREATE, new_flow(0)), 0);
	for (int i = 0; i < HANDLES; i++) {
		struct seen seen = { .answer = NFCT_CB_CONTINUE };

		about("handle %d", i);
		CHECK_INT(nfct_callback_register(handles[i], NFCT_T_ALL, callback, &seen), 0);
		CHECK_INT(query_flow(handles[i], NFCT_Q_GET, flow(0)), 0);
		CHECK_INT(seen.calls, 1 + i % 2); /* the event before the answer */
	}
	for (int i = 0; i < HANDLES; i++)
		CHECK_INT(nfct_close(handles[i]), 0);
	about("");
}

static char text[4096];

static const char *printed(const struct nf_conntrack *ct, unsigned int format, unsigned int flags)
{
	int size = nfct_snprintf(text, sizeof(text), ct, NFCT_T_UNKNOWN, format, flags);

	CHECK_INT(size, strlen(text));
	return text;
}

static int print_it(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)type;
	*(int *)data += 1;
	printed(ct, NFCT_O_DEFAULT, 0);
	return NFCT_CB_CONTINUE;
}

/* Outcome: the same flow in zone 65535 and outside of it are two. */
static void test_zone(struct nfct_handle *h)
{
	struct nf_conntrack *ct = new_flow(1);
	int calls = 0;

	nfct_set_attr_u16(ct, ATTR_ZONE, 65535);
	if (query_flow(h, NFCT_Q_CREATE, ct) == -1 && errno == EOPNOTSUPP) {
		skip("zones need a kernel with CONFIG_NF_CONNTRACK_ZONES");
		return;
	}
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, print_it, &calls), 0);
	CHECK_ERR(query_flow(h, NFCT_Q_GET, flow(1)), -1, ENOENT);
	ct = flow(1);
	nfct_set_attr_u16(ct, ATTR_ZONE, 65535);
	CHECK_INT(nfct_query(h, NFCT_Q_GET, ct), 0);
	CHECK_INT(calls, 1);
	CHECK(strstr(text, " zone=65535 ") != NULL);
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, new_flow(1)), 0);
	CHECK_INT(flows_with("src=10.0.0.2 "), 2);
	CHECK_INT(nfct_query(h, NFCT_Q_DESTROY, ct), 0);
	CHECK_INT(flows_with("src=10.0.0.2 "), 1);
	nfct_destroy(ct);
}

/* Outcome: sent as it is; the kernel makes of it the longest time it can measure. */
static void test_timeout(struct nfct_handle *h)
{
	struct nf_conntrack *ct = new_flow(2);
	int calls = 0;

	nfct_set_attr_u32(ct, ATTR_TIMEOUT, UINT32_MAX);
	CHECK(strstr(printed(ct, NFCT_O_DEFAULT, 0), " 4294967295 ESTABLISHED ") != NULL);
	CHECK(strstr(printed(ct, NFCT_O_XML, 0), "<timeout>4294967295</timeout>") != NULL);
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, ct), 0);
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, print_it, &calls), 0);
	CHECK_INT(query_flow(h, NFCT_Q_GET, flow(2)), 0);
	CHECK_INT(calls, 1);
	CHECK(strtoul(text + strlen("tcp      6 "), NULL, 10) > 2000000); /* 2^31 ticks of 1 ms */
}

/* Outcome: 128 labels pass through a message unchanged, and so does the longest name. */
static void test_message(void)
{
	struct nf_conntrack *ct = new_flow(3), *copy = nfct_new();
	struct nfct_bitmask *labels = nfct_bitmask_new(127);
	const struct nfct_bitmask *got;
	struct message m;
	const uint8_t *data = NULL;

	for (unsigned int bit = 0; bit < 128; bit++)
		nfct_bitmask_set_bit(labels, bit);
	nfct_set_attr(ct, ATTR_CONNLABELS, labels);
	nfct_set_attr(ct, ATTR_HELPER_NAME, helper);
	message_start(&m, 0x100, AF_INET);
	CHECK_INT(nfct_nlmsg_build(&m.u.header, ct), 0);
	CHECK_INT(find(&m.u.header, CTA_LABELS, &data), 16);
	for (int i = 0; i < 16 && data != NULL; i++)
		CHECK_INT(data[i], 0xff);
	CHECK_INT(nfct_nlmsg_parse(&m.u.header, copy), 0);
	got = nfct_get_attr(copy, ATTR_CONNLABELS);
	CHECK_INT(nfct_bitmask_maxbit(got), 127);
	CHECK_INT(nfct_bitmask_equal(got, nfct_get_attr(ct, ATTR_CONNLABELS)), 1);
	CHECK_STR(nfct_get_attr(copy, ATTR_HELPER_NAME), helper);
	CHECK(strstr(printed(copy, NFCT_O_DEFAULT, 0), " helper=amanda-and-irc-") != NULL);
	nfct_destroy(copy);
	nfct_destroy(ct);
}

/* Outcome: whole on the wire: the kernel knows no helper of that name, and says so. */
static void test_helper_name(struct nfct_handle *h)
{
	struct nf_conntrack *ct = new_flow(4);

	nfct_set_attr(ct, ATTR_HELPER_NAME, helper);
	CHECK_ERR(query_flow(h, NFCT_Q_CREATE, ct), -1, EOPNOTSUPP);
}

/* A flow as the kernel tells it, with counters and times: those a program cannot set. */
static struct nf_conntrack *told(uint64_t counter, uint64_t start, uint64_t stop)
{
	struct nf_conntrack *ct = nfct_new();
	struct message m;
	size_t at;

	message_start(&m, 0x100, AF_INET);
	put_tuple(&m, 1, 1, 2, IPPROTO_TCP, 1000, 80);
	put_tuple(&m, 2, 2, 1, IPPROTO_TCP, 80, 1000);
	put_be32(&m, CTA_USE, UINT32_MAX);
	for (uint16_t type = CTA_COUNTERS_ORIG; type <= CTA_COUNTERS_REPLY; type++) {
		at = nest(&m, type);
		put_be64(&m, 1, counter);
		put_be64(&m, 2, counter);
		nest_end(&m, at);
	}
	at = nest(&m, CTA_TIMESTAMP);
	put_be64(&m, 1, start);
	put_be64(&m, 2, stop);
	nest_end(&m, at);
	CHECK_INT(nfct_nlmsg_parse(&m.u.header, ct), 0);
	return ct;
}

/* Outcome: every digit is printed. */
static void test_numbers(void)
{
	static const int u32[] = { ATTR_MARK, ATTR_ID, ATTR_SECMARK, ATTR_TIMEOUT };
	struct nf_conntrack *ct = told(UINT64_MAX, 1000000000, 6000000000);

	for (size_t i = 0; i < COUNT(u32); i++)
		nfct_set_attr_u32(ct, ATTR(u32[i]), UINT32_MAX);
	nfct_set_attr_u16(ct, ATTR_ZONE, 65535);
	CHECK_STR(printed(ct, NFCT_O_DEFAULT, NFCT_OF_ID),
		  "tcp      6 4294967295 src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 "
		  "packets=18446744073709551615 bytes=18446744073709551615 "
		  "src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1000 "
		  "packets=18446744073709551615 bytes=18446744073709551615 "
		  "mark=4294967295 secmark=4294967295 zone=65535 delta-time=5 use=4294967295 id=4294967295");
	printed(ct, NFCT_O_XML, NFCT_OF_ID);
	CHECK(strstr(text, "<packets>18446744073709551615</packets>") != NULL);
	CHECK(strstr(text, "<bytes>18446744073709551615</bytes>") != NULL);
	CHECK(strstr(text, "<mark>4294967295</mark>") != NULL);
	CHECK(strstr(text, "<id>4294967295</id>") != NULL);
	nfct_destroy(ct);
}

/* Outcome: a flow that ended before it began, as after the clock was set back, lasted the unsigned
 * difference: of seconds as text, of nanoseconds, shown in seconds, as XML. */
static void test_backward_times(void)
{
	static const uint64_t second = 1000000000;
	static const struct {
		uint64_t start, stop; /* in seconds */
		const char *plain, *xml;
	} rows[] = {
		{ 100, 90, " delta-time=18446744073709551606 ", "<deltatime>18446744063</deltatime>" },
		{ 18446744073, 1, " delta-time=18446744055262807544 ", "<deltatime>1</deltatime>" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct nf_conntrack *ct = told(1, rows[i].start * second, rows[i].stop * second);

		about("row %zu", i);
		if (!CHECK(strstr(printed(ct, NFCT_O_DEFAULT, NFCT_OF_TIMESTAMP), rows[i].plain) != NULL))
			printf("    %s\n", text);
		if (!CHECK(strstr(printed(ct, NFCT_O_XML, NFCT_OF_TIMESTAMP), rows[i].xml) != NULL))
			printf("    %s\n", text);
		nfct_destroy(ct);
	}
	about("");
}

int main(void)
{
	struct nfct_handle *h;

	own_namespace();
	h = nfct_open(CONNTRACK, 0);
	test_thousand_handles();
	test_zone(h);
	test_timeout(h);
	test_message();
	test_helper_name(h);
	test_numbers();
	test_backward_times();
	CHECK_INT(nfct_close(h), 0);
	return finish();
}
