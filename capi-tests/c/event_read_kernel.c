/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Events that are pulled, from a real kernel: their records, and what was lost in its place. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include "open_with.h"
#include <poll.h>
#include <time.h>

static struct ctrs_event event;
static struct nfct_handle *asks;

static int next(struct nfct_handle *h, struct nf_conntrack *ct)
{
	return ctrs_event_next(h, &event, sizeof(event), ct, 0);
}

/* The number of the flow, which is as flow() made it; from 1 on. */
static unsigned int number_of(const struct ctrs_event *of)
{
	return of->flow.orig.src[2] * 250u + of->flow.orig.src[3];
}

static void test_one_by_one(struct nfct_handle *h)
{
	struct nf_conntrack *ct = nfct_new(), *key = flow(0);
	uint64_t start = (uint64_t)time(NULL) * 1000000000u;

	CHECK_ERR(next(h, ct), 0, UNTOUCHED);
	create_flows(asks, 0, 2);
	CHECK_INT(query_flow(asks, NFCT_Q_UPDATE, marked(new_flow(0), 7)), 0);
	CHECK_ERR(next(h, ct), 1, UNTOUCHED);
	CHECK_INT(event.change, NFCT_T_NEW);
	CHECK_INT(event.flags & ~(unsigned int)CTRS_EVENT_KERNEL_TIME, 0);
	CHECK_INT(event.lost, 0);
	CHECK(event.port != 0 && event.when >= start);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_IPV4_SRC), htonl(0x0a000001));
	CHECK_INT(number_of(&event), 1);
	/* What the handle asks meanwhile leaves events as they are. */
	CHECK_INT(ctrs_get(h, key, CTRS_ORIGINAL, ct), 0);
	CHECK_INT(ctrs_mark(h, key, CTRS_ORIGINAL, 9, 0xff, NULL), 0);
	CHECK_INT(ctrs_delete(h, key, CTRS_ORIGINAL, NULL, NULL), 0);
	CHECK_INT(next(h, NULL), 1);
	CHECK_INT(number_of(&event), 2);
	for (uint32_t mark = 7; mark <= 9; mark += 2) {
		CHECK_INT(next(h, NULL), 1);
		CHECK_INT(event.change, NFCT_T_UPDATE);
		CHECK_INT(event.flow.mark, mark);
	}
	CHECK_INT(next(h, ct), 1);
	CHECK_INT(event.change, NFCT_T_DESTROY);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), 9);
	CHECK_ERR(next(h, ct), 0, UNTOUCHED);
	CHECK_INT(ctrs_last_error(h)->err, 0);
	CHECK_INT(flush(asks), 0);
	CHECK_INT(next(h, NULL), 1);
	nfct_destroy(ct);
	nfct_destroy(key);
}

/* Nothing is received that is not returned: the descriptor says what there is. */
static void test_many(struct nfct_handle *h)
{
	struct pollfd ready = { .fd = nfct_fd(h), .events = POLLIN };
	struct ctrs_event events[40];
	struct seen seen;

	memset(&seen, 0, sizeof(seen));
	CHECK_INT(poll(&ready, 1, 0), 0);
	create_flows(asks, 0, 50);
	CHECK_INT(poll(&ready, 1, 1000), 1);
	CHECK_INT(ctrs_event_read(h, events, 40, sizeof(event), 1000), 40);
	for (unsigned int i = 0; i < 40; i++)
		CHECK_INT(number_of(&events[i]), i + 1);
	CHECK_INT(poll(&ready, 1, 0), 1);
	CHECK_INT(ctrs_event_read(h, events, 3, sizeof(event), 0), 3);
	/* A program of an older library, that knows only what is present. */
	CHECK_INT(ctrs_event_read(h, events, 2, 96, 0), 2);
	CHECK_INT(((struct ctrs_event *)(void *)((char *)events + 96))->change, NFCT_T_NEW);
	CHECK_INT(events[0].flow.present[0], 0);
	/* The original's way to receive sees what comes next. */
	seen.answer = NFCT_CB_STOP;
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, callback, &seen), 0);
	CHECK_INT(nfct_catch(h), 0);
	CHECK_INT(ntohl(seen.last_src) & 0xff, 46);
	CHECK_INT(ctrs_event_read(h, events, 40, sizeof(event), 0), 4);
	CHECK_INT(number_of(&events[3]), 50);
	CHECK_INT(poll(&ready, 1, 0), 0);
	CHECK_ERR(ctrs_event_read(h, events, 40, sizeof(event), 0), 0, UNTOUCHED);
	CHECK_INT(flush(asks), 0);
	while (ctrs_event_read(h, events, 40, sizeof(event), 0) > 0)
		;
}

static void test_filter(struct nfct_handle *h)
{
	/* The kernel decides the first, the library the second. */
	static const char *const texts[] = { "src 10.0.0.2", "age < 1h or src 10.0.0.2" };

	for (int i = 0; i < 2; i++) {
		struct ctrs_filter *filter = ctrs_filter_compile(texts[i], NULL, NULL);
		struct ctrs_event events[9];

		about(texts[i]);
		CHECK_INT(ctrs_filter_attach(h, filter), 0);
		ctrs_filter_free(filter);
		create_flows(asks, 0, 5);
		CHECK_INT(flush(asks), 0);
		CHECK_INT(ctrs_event_read(h, events, 9, sizeof(event), 0), 2);
		CHECK_INT(number_of(&events[0]), 2);
		CHECK_INT(events[1].change, NFCT_T_DESTROY);
		CHECK_INT(ctrs_filter_attach(h, NULL), 0);
	}
	about("");
}

/* Who does not read loses events: what there was is read first, and then how many were lost. */
static void test_losses(void)
{
	struct nfct_handle *h = open_with((struct ctrs_open_options){
		.groups = NF_NETLINK_CONNTRACK_NEW, .receive_buffer = 20000, .receive_buffer_limit = 50000 });
	struct nf_conntrack *ct = nfct_new();
	unsigned int first = 0, seen;

	for (int round = 0; round < 3; round++) {
		create_flows(asks, first, 200);
		for (seen = 0; next(h, ct) == 1 && event.change != CTRS_EVENT_LOST; seen++)
			CHECK_INT(number_of(&event), first + seen + 1);
		CHECK(seen > 0 && seen < 200);
		CHECK_INT(event.change, CTRS_EVENT_LOST);
		CHECK_INT(event.lost, 200 - seen);
		CHECK_INT(event.flow.present[0], 0);
		CHECK_INT(event.flags, 0);
		CHECK_INT(nfct_get_attr_u32(ct, ATTR_IPV4_SRC) == htonl(0x0a000000 + first / 250 * 256 +
									 (first + seen - 1) % 250 + 1) ||
				  first + seen > 250, 1);
		CHECK_ERR(next(h, ct), 0, UNTOUCHED);
		first += 200;
	}
	CHECK_INT(ctrs_receive_buffer(h), 50000);
	nfct_destroy(ct);
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(flush(asks), 0);
}

/* Where the kernel does not tell of overruns they are counted all the same, and in reliable mode called
 * what they are. */
static void test_untold(void)
{
	static const uint32_t flags[] = { CTRS_OPEN_NO_ENOBUFS, CTRS_OPEN_RELIABLE };

	for (int i = 0; i < 2; i++) {
		struct nfct_handle *h = open_with((struct ctrs_open_options){
			.flags = flags[i], .groups = NF_NETLINK_CONNTRACK_NEW, .receive_buffer = 20000 });
		unsigned int seen = 0, lost = 0;

		about(i ? "reliable" : "without ENOBUFS");
		create_flows(asks, 0, 200);
		while (next(h, NULL) == 1)
			if (event.change == CTRS_EVENT_LOST) {
				lost += (unsigned int)event.lost;
				CHECK_INT(event.flags, i ? CTRS_EVENT_UNDELIVERED : 0);
			} else {
				seen++;
			}
		CHECK(lost > 0);
		CHECK_INT(seen + lost, 200);
		CHECK_INT(nfct_close(h), 0);
		CHECK_INT(flush(asks), 0);
	}
	about("");
}

static void test_namespaces(void)
{
	struct nfct_handle *h = open_with((struct ctrs_open_options){
		.flags = CTRS_OPEN_ALL_NAMESPACES, .groups = NF_NETLINK_CONNTRACK_NEW });

	create_flows(asks, 0, 1);
	CHECK_INT(next(h, NULL), 1);
	CHECK_INT(event.flags & CTRS_EVENT_NSID, 0);
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(flush(asks), 0);
}

static void test_expectations(void)
{
	struct nfct_handle *h = nfct_open(EXPECT, NF_NETLINK_CONNTRACK_EXP_NEW |
							 NF_NETLINK_CONNTRACK_EXP_DESTROY |
							 NF_NETLINK_CONNTRACK_NEW);
	struct nfct_handle *expects = nfct_open(EXPECT, 0);
	struct nf_conntrack *master = new_flow(0);
	struct ctrs_expectation_event events[4];
	uint32_t family = AF_INET;
	struct nf_expect *exp;

	if (create_master(asks, master)) {
		exp = expectation(master);
		CHECK_INT(nfexp_query(expects, NFCT_Q_CREATE, exp), 0);
		nfexp_destroy(exp);
		exp = nfexp_new();
		CHECK_ERR(ctrs_expectation_event_next(h, events, sizeof(*events), exp, 1000), 1, UNTOUCHED);
		CHECK_INT(events[0].change, NFCT_T_NEW);
		CHECK_INT(events[0].expectation.expected.dport, 2021);
		CHECK_INT(nfexp_get_attr_u32(exp, ATTR_EXP_TIMEOUT), events[0].expectation.timeout);
		CHECK_INT(nfexp_query(expects, NFCT_Q_FLUSH, &family), 0);
		CHECK_INT(ctrs_expectation_event_read(h, events, 4, sizeof(*events), 0), 1);
		CHECK_INT(events[0].change, NFCT_T_DESTROY);
		CHECK(events[0].expectation.id != 0);
		CHECK_ERR(ctrs_expectation_event_read(h, events, 4, sizeof(*events), 0), 0, UNTOUCHED);
		nfexp_destroy(exp);
	}
	nfct_destroy(master);
	CHECK_INT(nfct_close(expects), 0);
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(flush(asks), 0);
}

static void test_wrong(struct nfct_handle *h)
{
	struct ctrs_expectation_event of = { .when = 0 };

	CHECK_ERR(ctrs_event_next(NULL, &event, sizeof(event), NULL, 0), -1, EINVAL);
	CHECK_ERR(ctrs_event_next(h, NULL, sizeof(event), NULL, 0), -1, EINVAL);
	CHECK_INT(ctrs_last_error(h)->kind, CTRS_ERROR_INVALID);
	CHECK_ERR(ctrs_event_read(NULL, &event, 1, sizeof(event), 0), -1, EINVAL);
	CHECK_ERR(ctrs_event_read(h, NULL, 1, sizeof(event), -1), -1, EINVAL);
	CHECK_ERR(ctrs_event_read(h, &event, 0, sizeof(event), -1), -1, EINVAL);
	CHECK_ERR(ctrs_expectation_event_next(NULL, &of, sizeof(of), NULL, 0), -1, EINVAL);
	CHECK_ERR(ctrs_expectation_event_next(h, NULL, sizeof(of), NULL, 0), -1, EINVAL);
	CHECK_ERR(ctrs_expectation_event_read(NULL, &of, 1, sizeof(of), 0), -1, EINVAL);
	CHECK_ERR(ctrs_expectation_event_read(h, NULL, 1, sizeof(of), 0), -1, EINVAL);
	for (size_t size = 0; size < 96; size += 8)
		CHECK_ERR(ctrs_event_next(h, &event, size, NULL, 0), -1, EINVAL);
	CHECK_ERR(ctrs_event_next(h, &event, sizeof(event) - 4, NULL, 0), -1, EINVAL);
	CHECK_ERR(ctrs_event_next(h, &event, 65544, NULL, 0), -1, EINVAL);
	CHECK_ERR(ctrs_expectation_event_next(h, &of, 80, NULL, 0), -1, EINVAL);
}

int main(void)
{
	struct nfct_handle *h;
	int before;

	own_namespace();
	before = descriptors();
	asks = nfct_open(CONNTRACK, 0);
	for (int i = 0; i < 2; i++) {
		h = i ? nfct_open(CONNTRACK, EVENTS) :
			open_with((struct ctrs_open_options){ .groups = EVENTS });
		test_one_by_one(h);
		test_many(h);
		test_filter(h);
		test_wrong(h);
		CHECK_INT(nfct_close(h), 0);
	}
	test_losses();
	test_untold();
	test_namespaces();
	test_expectations();
	CHECK_INT(nfct_close(asks), 0);
	CHECK_INT(descriptors(), before);
	return finish();
}
#endif
