/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Large tables and many events. By default 50,000 flows and a second of events at 20,000 a second;
 * with CTRS_LONG=1 a million flows, which needs net.netfilter.nf_conntrack_max of that size, and a
 * minute at 100,000 a second. */
#include "kernel.h"
#include <poll.h>
#include "many.h"

#define BATCH 100u /* flows in one datagram */

static bool is_long(void)
{
	const char *value = getenv("CTRS_LONG");

	return value != NULL && strcmp(value, "1") == 0;
}

static double since;

static void said(const char *what, unsigned long number)
{
	double seconds = now() - since;

	printf("%s: %lu in %.2f s\n", what, number, seconds);
	since = now();
}

static int marks[10]; /* how many flows of each mark a dump had */

static int count_marks(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)type;
	(void)data;
	marks[nfct_get_attr_u32(ct, ATTR_MARK) % 10]++;
	return NFCT_CB_CONTINUE;
}

static void check_marks(int without, unsigned int flows)
{
	for (int mark = 0; mark < 10; mark++) {
		about("mark %d", mark);
		CHECK_INT(marks[mark], mark == without ? 0 : flows / 10);
	}
	about("");
	memset(marks, 0, sizeof(marks));
}

#ifndef REFERENCE /* flushes everything */
static int flush_mark(struct nfct_handle *h, uint32_t value)
{
	struct nfct_filter_dump *filter = nfct_filter_dump_create();
	struct nfct_filter_dump_mark mark = { value, 0xffffffff };
	int result;

	nfct_filter_dump_set_attr(filter, NFCT_FILTER_DUMP_MARK, &mark);
	result = nfct_query(h, NFCT_Q_FLUSH_FILTER, filter);
	nfct_filter_dump_destroy(filter);
	return result;
}
#endif

/* Outcome: every flow once, under signals too; a filter deletes its tenth; flush leaves nothing. */
static void test_table(unsigned int flows)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);

	since = now();
	create_many(h, 0, flows);
	CHECK_INT(table_size(), flows);
	said("created", flows);
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, count_marks, NULL), 0);
	CHECK_INT(dump(h), 0);
	said("dumped", flows);
	check_marks(-1, flows);
	storm(true);
	since = now();
	CHECK_INT(dump(h), 0);
	storm(false);
	said("dumped with a signal every 100 us", flows);
	printf("%d signals\n", (int)ticks);
	check_marks(-1, flows);
	CHECK(ticks > 2);
#ifndef REFERENCE
	since = now();
	CHECK_INT(flush_mark(h, 3), 0);
	said("deleted by a filter", flows / 10);
	CHECK_INT(table_size(), flows - flows / 10);
	CHECK_INT(dump(h), 0);
	check_marks(3, flows);
#endif
	since = now();
	CHECK_INT(flush(h), 0);
	said("flushed", flows);
	CHECK_INT(table_size(), 0);
	CHECK_INT(nfct_close(h), 0);
}

/* A datagram of BATCH requests, not acknowledged. */
static size_t batch_of(uint8_t *batch, enum nf_conntrack_query query)
{
	static struct message m;
	size_t used = 0;

	for (unsigned int n = 0; n < BATCH; n++) {
		struct nf_conntrack *ct = query == NFCT_Q_CREATE ? new_flow(n) : flow(n);

		nfct_build_query((struct nfnl_subsys_handle *)&m, query, ct, &m, 4096);
		m.u.header.nlmsg_flags &= (uint16_t)~NLM_F_ACK;
		memcpy(batch + used, &m, m.u.header.nlmsg_len);
		used += (m.u.header.nlmsg_len + 3) & ~3u;
		nfct_destroy(ct);
	}
	return used;
}

/* Another process that makes `rate` events a second, creations and deletions in turn. */
static void make_events(unsigned int rate, unsigned int seconds)
{
	static uint8_t create[65536], delete[65536];
	size_t create_size = batch_of(create, NFCT_Q_CREATE), delete_size = batch_of(delete, NFCT_Q_DESTROY);
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	unsigned long made = 0, all = (unsigned long)rate * seconds;
	double start = now();

	for (; made < all; made += 2 * BATCH) {
		if (send(nfct_fd(h), create, create_size, 0) == -1 ||
		    send(nfct_fd(h), delete, delete_size, 0) == -1)
			_exit(1);
		while (now() < start + (double)made / rate)
			usleep(200);
	}
	_exit(nfct_close(h) != 0);
}

struct heard {
	unsigned long created, deleted;
};

static int hear(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct heard *heard = data;

	if (type == NFCT_T_NEW && nfct_attr_is_set(ct, ATTR_IPV4_SRC) == 1)
		heard->created++;
	if (type == NFCT_T_DESTROY && nfct_attr_is_set(ct, ATTR_IPV4_SRC) == 1)
		heard->deleted++;
	return NFCT_CB_CONTINUE;
}

/* Outcome: every event arrives, or ENOBUFS says that some did not. */
static void test_events(unsigned int rate, unsigned int seconds)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
	struct pollfd wait = { .fd = nfct_fd(h), .events = POLLIN };
	struct heard heard = { 0, 0 };
	int size = 64 << 20, status = -1, overruns = 0;
	pid_t child;

	if (setsockopt(wait.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1)
		setsockopt(wait.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	CHECK_INT(fcntl(wait.fd, F_SETFL, O_NONBLOCK), 0);
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, hear, &heard), 0);
	since = now();
	fflush(stdout);
	child = fork();
	if (child == 0)
		make_events(rate, seconds);
	for (bool last = false; !last;) {
		last = waitpid(child, &status, WNOHANG) == child;
		poll(&wait, 1, 10);
		while (nfct_catch(h) == -1 && errno == ENOBUFS)
			overruns++;
		CHECK(errno == EAGAIN);
	}
	CHECK_INT(status, 0);
	said("events", heard.created + heard.deleted);
	printf("%d overruns\n", overruns);
	if (overruns == 0) {
		CHECK_INT(heard.created, rate * seconds / 2);
		CHECK_INT(heard.deleted, rate * seconds / 2);
	} else {
		CHECK(heard.created + heard.deleted < (unsigned long)rate * seconds);
	}
	CHECK_INT(nfct_close(h), 0);
}

int main(void)
{
	unsigned int flows = is_long() ? 1000000 : sized(50000);

	own_namespace();
	if (read_number("/proc/sys/net/netfilter/nf_conntrack_max") < (long)flows)
		skip("a table this large needs a larger net.netfilter.nf_conntrack_max");
	else
		test_table(flows);
	if (is_long())
		test_events(100000, 60);
	else
		test_events(sized(20000), 1);
	return finish();
}
