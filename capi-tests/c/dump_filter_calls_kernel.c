/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Filtered dumps and what programs do meanwhile: events, calls inside callbacks, dumps stopped, sent
 * and caught, counters that are set to zero. */
#include "kernel.h"

#if defined(REFERENCE) && !defined(DROPIN)
int main(void)
{
	nfct_destroy(nfct_new());
	skip("the reference hands out other entries than were asked for");
	return finish();
}
#else
#include <pthread.h>
#include <setjmp.h>
#include <sys/resource.h>
#include "programs.h"

#define FLOWS 1000 /* more than a datagram holds; each second one goes to port 81 */
#define CHOSEN (FLOWS / 2)

static void create_table(struct nfct_handle *h)
{
	for (unsigned int n = 0; n < FLOWS; n++) {
		struct nf_conntrack *ct = new_flow(n);

		nfct_set_attr_u16(ct, ATTR_PORT_DST, htons((uint16_t)(80 + n % 2)));
		nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
		nfct_set_attr_u32(ct, ATTR_MARK, n % 3);
		CHECK_INT(query_flow(h, NFCT_Q_CREATE, ct), 0);
	}
}

/* The flows to a port; the kernel does not decide that, as a zone of one direction is asked for. */
static struct nfct_filter_dump *to_port(uint16_t port)
{
	struct nfct_filter_dump *f = nfct_filter_dump_create();
	struct nf_conntrack *ct = nfct_new();

	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(port));
	nfct_set_attr_u16(ct, ATTR_ORIG_ZONE, 0);
	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_TUPLE, ct);
	nfct_destroy(ct);
	return f;
}

static struct nfct_filter_dump *with_mark(uint32_t mark)
{
	struct nfct_filter_dump_mark value = { mark, 0xffffffff };
	struct nfct_filter_dump *f = nfct_filter_dump_create();

	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_MARK, &value);
	return f;
}

/* Runs a query with a filter and frees it. */
static int query_filter(struct nfct_handle *h, enum nf_conntrack_query query,
			struct nfct_filter_dump *f)
{
	int result = nfct_query(h, query, f), error = errno;

	nfct_filter_dump_destroy(f);
	errno = error;
	return result;
}

static int send_filter(struct nfct_handle *h, struct nfct_filter_dump *f)
{
	int result = nfct_send(h, NFCT_Q_DUMP_FILTER, f);

	nfct_filter_dump_destroy(f);
	return result > 0;
}

static void test_events_pass(struct nfct_handle *writer)
{
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, NFCT_ALL_CT_GROUPS);

	create_flows(writer, FLOWS, 3);
	CHECK_INT(query_filter(h, NFCT_Q_DUMP_FILTER, with_mark(77)), 0);
	CHECK_INT(seen.calls, 3);
	CHECK_INT(seen.types, NFCT_T_NEW);
	for (unsigned int n = FLOWS; n < FLOWS + 3; n++)
		CHECK_INT(query_flow(writer, NFCT_Q_DESTROY, flow(n)), 0);
	CHECK(send_filter(h, with_mark(77)));
	CHECK_INT(nfct_catch(h), 0);
	CHECK_INT(seen.calls, 6);
	CHECK_INT(seen.types, NFCT_T_NEW | NFCT_T_DESTROY);
	CHECK_INT(nfct_close(h), 0);
}

/* A callback that asks for more on its own handle, and frees the filter that it was called for. */
static struct inner {
	struct nfct_handle *h;
	struct nfct_filter_dump *filter;
	int depth, outer, got, dumped;
} inner;

static int ask_inside(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)type, (void)data;
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_PORT_DST), htons(inner.depth == 0 ? 81 : 80));
	if (inner.depth == 1)
		inner.got++;
	if (inner.depth == 2)
		inner.dumped++;
	if (inner.depth != 0 || inner.outer++ != 0)
		return NFCT_CB_CONTINUE;
	nfct_filter_dump_destroy(inner.filter);
	inner.depth = 1;
	CHECK_INT(query_flow(inner.h, NFCT_Q_GET, flow(0)), 0); /* port 80 */
	inner.depth = 2;
	CHECK_INT(query_filter(inner.h, NFCT_Q_DUMP_FILTER, to_port(80)), 0);
	CHECK_INT(query_filter(inner.h, NFCT_Q_DUMP_FILTER_RESET, to_port(80)), 0);
	inner.depth = 0;
	return NFCT_CB_CONTINUE;
}

static void test_inside(enum nf_conntrack_query query)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);

	about("query %d", (int)query);
	memset(&inner, 0, sizeof(inner));
	inner.h = h;
	inner.filter = to_port(81);
	nfct_callback_register(h, NFCT_T_ALL, ask_inside, NULL);
	CHECK_INT(nfct_query(h, query, inner.filter), 0);
	CHECK_INT(inner.outer, CHOSEN);
	CHECK_INT(inner.got, 1);
	CHECK_INT(inner.dumped, 2 * CHOSEN);
	CHECK_INT(nfct_close(h), 0);
	about("");
}

static void test_stopped(void)
{
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);

	seen.answer = NFCT_CB_STOP;
	CHECK_INT(query_filter(h, NFCT_Q_DUMP_FILTER, to_port(81)), 0);
	CHECK_INT(seen.calls, 1);
	seen.answer = NFCT_CB_CONTINUE;
	CHECK_INT(nfct_catch(h), 0); /* goes on with the next datagram, as ever */
	CHECK(seen.calls > CHOSEN - 60 && seen.calls < CHOSEN);
	seen.calls = 0;
	seen.answer = NFCT_CB_STOP;
	CHECK_INT(query_filter(h, NFCT_Q_DUMP_FILTER, to_port(81)), 0);
	seen.answer = NFCT_CB_CONTINUE;
	CHECK_INT(dump(h), 0); /* has an answer of its own */
	CHECK_INT(seen.calls, 1 + FLOWS);
	CHECK_INT(nfct_close(h), 0);
}

/* Dumps sent one after another, and while one is at work, when the kernel refuses the others. */
static void test_sent(void)
{
	uint32_t family = AF_UNSPEC;
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);
	struct nf_conntrack *absent = flow(FLOWS);

	CHECK(send_filter(h, to_port(81)));
	CHECK(send_filter(h, with_mark(77)));
	CHECK(nfct_send(h, NFCT_Q_DUMP, &family) > 0);
	CHECK(nfct_send(h, NFCT_Q_GET, absent) > 0);
	CHECK_ERR(nfct_catch(h), -1, EBUSY);
	CHECK(seen.calls < CHOSEN);
	CHECK_ERR(nfct_catch(h), -1, EBUSY);
	CHECK_ERR(nfct_catch(h), -1, ENOENT);
	CHECK_INT(nfct_catch(h), 0);
	CHECK_INT(seen.calls, CHOSEN);
	CHECK(nfct_send(h, NFCT_Q_DUMP, &family) > 0);
	CHECK_INT(nfct_catch(h), 0);
	CHECK_INT(seen.calls, CHOSEN + FLOWS);
	CHECK(send_filter(h, with_mark(77)));
	CHECK_INT(nfct_catch(h), 0);
	CHECK_INT(seen.calls, CHOSEN + FLOWS);
	nfct_destroy(absent);
	CHECK_INT(nfct_close(h), 0);
}

static jmp_buf back;
static struct nfct_filter_dump *left;

static int jump(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)type, (void)ct, (void)data;
	longjmp(back, 1);
}

/* Callbacks that end a dump whose entries are zeroed one by one; no descriptor is left. */
static void test_reset_ends(void)
{
	struct rlimit limit, none = { 0, 0 };
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);
	int before = descriptors();

	seen.answer = NFCT_CB_STOP;
	CHECK_INT(query_filter(h, NFCT_Q_DUMP_FILTER_RESET, to_port(81)), 0);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(descriptors(), before);
	seen.answer = -7;
	CHECK_INT(query_filter(h, NFCT_Q_DUMP_FILTER_RESET, to_port(81)), -7);
	CHECK_INT(seen.calls, 2);
	seen.answer = NFCT_CB_STOLEN;
	seen.stop_after = CHOSEN + 2; /* the last one */
	CHECK_INT(query_filter(h, NFCT_Q_DUMP_FILTER_RESET, to_port(81)), 0);
	CHECK_INT(seen.calls, CHOSEN + 2);
	CHECK_INT(nfct_get_attr_u16(seen.stolen, ATTR_PORT_DST), htons(81));
	nfct_destroy(seen.stolen);
	CHECK_INT(descriptors(), before);

	nfct_callback_register(h, NFCT_T_ALL, jump, NULL);
	left = to_port(81);
	if (setjmp(back) == 0)
		nfct_query(h, NFCT_Q_DUMP_FILTER_RESET, left);
	nfct_filter_dump_destroy(left);
	nfct_callback_register(h, NFCT_T_ALL, callback, &seen);
	seen.calls = 0;
	seen.answer = NFCT_CB_CONTINUE;
	CHECK_INT(query_filter(h, NFCT_Q_DUMP_FILTER_RESET, to_port(81)), 0);
	CHECK_INT(seen.calls, CHOSEN);
	CHECK_INT(descriptors(), before);

	seen.calls = 0;
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none.rlim_max = limit.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
	CHECK_ERR(query_filter(h, NFCT_Q_DUMP_FILTER_RESET, to_port(81)), -1, EMFILE);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK_INT(seen.calls, 0);
	CHECK_INT(nfct_close(h), 0);
}

static int cancel(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)type, (void)ct;
	if (++*(int *)data == 3)
		pthread_cancel(pthread_self());
	return NFCT_CB_CONTINUE;
}

static void *reset(void *h)
{
	nfct_query(h, NFCT_Q_DUMP_FILTER_RESET, left);
	return NULL;
}

/* A thread is cancelled while it asks for one of the entries. */
static void test_reset_cancelled(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	int before = descriptors(), calls = 0;
	void *result = NULL;
	pthread_t thread;

	left = to_port(81);
	nfct_callback_register(h, NFCT_T_ALL, cancel, &calls);
	CHECK_INT(pthread_create(&thread, NULL, reset, h), 0);
	CHECK_INT(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK_INT(calls, 3);
	CHECK_INT(nfct_query(h, NFCT_Q_DUMP_FILTER_RESET, left), 0);
	CHECK_INT(calls, CHOSEN + 3);
	CHECK_INT(descriptors(), before);
	nfct_filter_dump_destroy(left);
	CHECK_INT(nfct_close(h), 0);
}

/* The counters that a dump tells, by the last digit of the port. */
static uint64_t packets[10];

static int note_packets(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	uint16_t port = ntohs(nfct_get_attr_u16(ct, ATTR_PORT_DST));

	(void)type, (void)data;
	if (port / 10 == 700)
		packets[port % 10] += nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_PACKETS);
	return NFCT_CB_CONTINUE;
}

/* Three datagrams to each of the ports 7001 to 7003, over IPv6. */
static void make_traffic(void)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (int i = 0; i < 9; i++) {
		to.sin6_port = htons((uint16_t)(7001 + i % 3));
		sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	}
	close(fd);
}

static void check_packets(struct nfct_handle *h, uint64_t first, uint64_t second, uint64_t third)
{
	memset(packets, 0, sizeof(packets));
	CHECK_INT(dump(h), 0);
	CHECK_INT(packets[1], first);
	CHECK_INT(packets[2], second);
	CHECK_INT(packets[3], third);
}

/* Only what is handed out is zeroed, and it is handed out as it was before. */
static void test_zeroed(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nfct_filter_dump *f = nfct_filter_dump_create();
	struct nf_conntrack *ct = nfct_new();
	struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;

	make_traffic();
	nfct_callback_register(h, NFCT_T_ALL, note_packets, NULL);
	check_packets(h, 3, 3, 3);
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET6);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_UDP);
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(7002));
	nfct_set_attr(ct, ATTR_IPV6_DST, &loopback);
	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_TUPLE, ct);
	memset(packets, 0, sizeof(packets));
	CHECK_INT(query_filter(h, NFCT_Q_DUMP_FILTER_RESET, f), 0);
	CHECK_INT(packets[1] + packets[3], 0);
	CHECK_INT(packets[2], 3);
	check_packets(h, 3, 0, 3);

	f = nfct_filter_dump_create(); /* what the kernel decides, and by nfct_send() */
	nfct_attr_unset(ct, ATTR_IPV6_DST);
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(7003));
	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_TUPLE, ct);
	CHECK(nfct_send(h, NFCT_Q_DUMP_FILTER_RESET, f) > 0);
	nfct_filter_dump_destroy(f);
	memset(packets, 0, sizeof(packets));
	CHECK_INT(nfct_catch(h), 0);
	CHECK_INT(packets[3], 3);
	check_packets(h, 3, 0, 0);
	nfct_destroy(ct);
	CHECK_INT(nfct_close(h), 0);
}

int main(void)
{
	struct nfct_handle *writer;

	if (!have("ip6tables-nft")) {
		skip("counters need the program iptables (package of that name)");
		return finish();
	}
	own_namespace();
	CHECK_INT(write_file("/proc/sys/net/netfilter/nf_conntrack_acct", "1"), 0);
	writer = nfct_open(CONNTRACK, 0);
	create_table(writer);
	test_events_pass(writer);
	test_inside(NFCT_Q_DUMP_FILTER);
	test_inside(NFCT_Q_DUMP_FILTER_RESET);
	test_stopped();
	test_sent();
	test_reset_ends();
	test_reset_cancelled();
	CHECK_INT(nfct_close(writer), 0);
	CHECK_RUN("ip6tables-nft -w 5 -A OUTPUT -m conntrack --ctstate NEW -j ACCEPT");
	test_zeroed();
	return finish();
}
#endif
