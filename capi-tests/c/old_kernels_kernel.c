/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Older kernels: what each lacks, and what the library then does. It does without, or says from which
 * kernel on there is what was asked for. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include "as_before.h"
#include "open_with.h"
#include <time.h>

#define BIT(attribute) (UINT64_C(1) << (attribute))

static struct nfct_handle *asks;

/* The last call on a handle failed so, and these words are told. */
static void failed_so(struct nfct_handle *h, int err, unsigned int kind, const char *words)
{
	CHECK_INT(errno, err);
	CHECK_INT(ctrs_last_error(h)->kind, kind);
	if (!CHECK(strstr(ctrs_last_error(h)->text, words) != NULL))
		printf("    %s\n", ctrs_last_error(h)->text);
}

/* Refusals have no words of the kernel's, and repeat the request. */
static void refusals(void)
{
	struct nfct_handle *h = open_with((struct ctrs_open_options){ .groups = 0 });
	struct ctrs_batch *batch = ctrs_batch_new(&error);
	struct nf_conntrack *ct = new_flow(0);

	CHECK_INT(ctrs_create(h, ct, NULL), 0);
	CHECK_INT(ctrs_create(h, ct, NULL), -1);
	failed_so(h, EEXIST, CTRS_ERROR_EXISTS, "belongs to another flow");
	CHECK_STR(ctrs_last_error(h)->kernel, "");
	for (unsigned int n = 0; n < 400; n++)
		CHECK_INT(ctrs_batch_add(batch, NFCT_Q_CREATE, ct, NULL, 0, &error), n);
	CHECK_INT(ctrs_batch_run(h, batch), 400);
	for (unsigned int n = 0; n < 400; n += 57) {
		CHECK_INT(ctrs_batch_result(batch, n, NULL, &error), -1);
		CHECK_INT(errno, EEXIST);
	}
	ctrs_batch_free(batch);
	nfct_destroy(ct);
	CHECK_INT(nfct_close(h), 0);
}

static void one_namespace(void)
{
	const struct ctrs_open_options options = { .size = sizeof(options), .flags = CTRS_OPEN_ALL_NAMESPACES };

	CHECK_NULL(ctrs_open(&options, &error), ENOPROTOOPT);
	CHECK_INT(error.kind, CTRS_ERROR_UNSUPPORTED);
	if (!CHECK(strstr(error.text, "Linux 4.2") != NULL))
		printf("    %s\n", error.text);
}

static void no_ids(void)
{
	CHECK_INT(ctrs_namespaces(asks, NULL, 0, sizeof(struct ctrs_namespace)), -1);
	failed_so(asks, EOPNOTSUPP, CTRS_ERROR_UNSUPPORTED, "Linux 4.2");
}

static void small_buffer(void)
{
	struct nfct_handle *h = open_with((struct ctrs_open_options){ .receive_buffer = 100000 });

	CHECK_INT(ctrs_receive_buffer(h), 100000);
	CHECK_INT(nfct_close(h), 0);
}

/* Losses come in their place, without a number; and a mirror finds out what was lost. */
static void uncounted(void)
{
	struct ctrs_open_options options = { .size = sizeof(options), .receive_buffer = 20000,
					     .groups = NF_NETLINK_CONNTRACK_NEW };
	struct nfct_handle *h = open_with(options);
	struct ctrs_mirror *mirror;
	struct ctrs_mirror_info info;
	struct ctrs_change change;
	struct ctrs_event event;
	unsigned int seen = 0, lost = 0;

	options.groups = 0;
	mirror = ctrs_mirror_open(&options, NULL, NULL);
	while (ctrs_mirror_next(mirror, &change, sizeof(change), NULL, NULL, 0, 100) == 1)
		;
	create_flows(asks, 0, 200);
	while (ctrs_event_next(h, &event, sizeof(event), NULL, 0) == 1)
		if (event.change == CTRS_EVENT_LOST) {
			CHECK(event.lost == 0 && seen > 0);
			lost++;
		} else {
			seen++;
		}
	CHECK_INT(lost, 1);
	for (lost = 0; ctrs_mirror_next(mirror, &change, sizeof(change), NULL, NULL, 0, 200) == 1;)
		lost += change.change == CTRS_CHANGE_OVERRUN && change.lost == 0;
	CHECK_INT(lost, 1);
	CHECK_INT(ctrs_mirror_get_info(mirror, &info, sizeof(info)), 0);
	CHECK(info.flows == 200 && info.flags == CTRS_MIRROR_SETTLED);
	CHECK_INT(ctrs_mirror_close(mirror), 0);
	CHECK_INT(nfct_close(h), 0);
}

/* Losses are told as they come, though not whether the kernel tells of them can be asked. */
static void losses(void)
{
	struct nfct_handle *h = open_with((struct ctrs_open_options){ .groups = EVENTS, .receive_buffer = 20000 });
	struct ctrs_event event;
	uint64_t seen = 0;
	char text[4096];

	create_flows(asks, 0, 200);
	while (ctrs_event_next(h, &event, sizeof(event), NULL, 0) == 1)
		seen += event.change == CTRS_EVENT_LOST ? event.lost : 1;
	CHECK_INT(seen, 200);
	CHECK(ctrs_diagnose(h, text, sizeof(text)) > 0);
	CHECK_INT(nfct_close(h), 0);
}

/* A handle that is subscribed asks through another socket, in the same namespace. */
static void beside(void)
{
	struct nfct_handle *h = open_with((struct ctrs_open_options){ .groups = EVENTS });
	struct ctrs_stats stats;

	CHECK_INT(ctrs_stats_table(h, &stats, sizeof(stats)), 0);
	CHECK_INT(nfct_close(h), 0);
}

static void not_beside(void)
{
	struct nfct_handle *h = open_with((struct ctrs_open_options){ .groups = EVENTS });
	struct ctrs_stats stats;

	CHECK_INT(ctrs_stats_table(h, &stats, sizeof(stats)), -1);
	failed_so(h, ENOTTY, CTRS_ERROR_UNSUPPORTED, "Linux 4.10");
	CHECK_INT(nfct_close(h), 0);
}

static void no_events(void)
{
	struct nfct_handle *h = open_with((struct ctrs_open_options){ .groups = EVENTS });
	struct ctrs_event event;

	create_flows(asks, 0, 1);
	CHECK_INT(ctrs_event_next(h, &event, sizeof(event), NULL, 0), -1);
	failed_so(h, ENOSYS, CTRS_ERROR_UNSUPPORTED, "Linux 2.6.33");
	CHECK_INT(nfct_close(h), 0);
}

/* Twelve flows, of two zones, marks and addresses. */
static void make_some(void)
{
	for (unsigned int n = 0; n < 12; n++) {
		struct nf_conntrack *ct = marked(new_flow(n), n % 2);

		nfct_set_attr_u16(ct, ATTR_ZONE, (uint16_t)(n % 3));
		if (n >= 8)
			nfct_set_attr_u32(ct, ATTR_STATUS, IPS_ASSURED | IPS_SEEN_REPLY | IPS_CONFIRMED);
		CHECK_INT(query_flow(asks, NFCT_Q_CREATE, ct), 0);
	}
}

static const struct {
	const char *expression;
	unsigned int number;
} some[] = {
	{ "zone 1", 4 },
	{ "mark 1", 6 },
	{ "assured", 4 },
	{ "ipv4 and src 10.0.0.3", 1 },
	{ "tcp and sport 1000 and src 10.0.0.6", 1 },
	{ "ipv6", 0 },
	{ "zone 2 and mark 1 and not assured", 1 },
};

/* Lists have what was asked for and no more, whatever the kernel compares. */
static void lists(void)
{
	static struct ctrs_flow flows[64];

	make_some();
	for (size_t i = 0; i < COUNT(some); i++) {
		struct ctrs_filter *filter = ctrs_filter_compile(some[i].expression, NULL, &error);
		struct ctrs_dump *list;
		ssize_t number;

		do { /* while another process resizes the table of all namespaces */
			list = ctrs_dump_begin(asks, filter, 0);
			number = ctrs_dump_read(list, flows, COUNT(flows), sizeof(flows[0]));
		} while (ctrs_dump_end(list) == CTRS_INCONSISTENT);
		about("%s", some[i].expression);
		CHECK_INT(number, some[i].number);
		ctrs_filter_free(filter);
	}
}

/* And no more is deleted than was asked for. */
static void deletions(void)
{
	for (size_t i = 0; i < COUNT(some); i++) {
		struct ctrs_filter *filter = ctrs_filter_compile(some[i].expression, NULL, &error);
		struct ctrs_deleted deleted;
		uint64_t number = 0;

		about("%s", some[i].expression);
		make_some();
		do {
			CHECK_INT(ctrs_delete_matching(asks, filter, 0, &deleted, sizeof(deleted)), 0);
			number += deleted.deleted;
		} while (deleted.verdict == CTRS_INCONSISTENT);
		CHECK_INT(number, some[i].number);
		CHECK_INT(flows_with(""), 12 - (int)some[i].number);
		CHECK_INT(flush(asks), 0);
		ctrs_filter_free(filter);
	}
}

/* The kernel's own flush is what it is: the header says so. */
static void flushes(void)
{
	struct nfct_filter_dump *filter = nfct_filter_dump_create();

	make_some();
	nfct_filter_dump_set_attr_u16(filter, NFCT_FILTER_DUMP_ZONE, 1);
	CHECK_INT(nfct_query(asks, NFCT_Q_FLUSH_FILTER, filter), 0);
	CHECK_INT(flows_with(""), 0);
	nfct_filter_dump_destroy(filter);
}

static void unstamped(void)
{
	struct nfct_handle *h = open_with((struct ctrs_open_options){ .groups = EVENTS });
	uint64_t before = (uint64_t)time(NULL) * 1000000000;
	struct ctrs_event event;

	write_file("/proc/sys/net/netfilter/nf_conntrack_timestamp", "1");
	create_flows(asks, 0, 1);
	CHECK_INT(ctrs_event_next(h, &event, sizeof(event), NULL, 0), 1);
	CHECK_INT(event.flags & CTRS_EVENT_KERNEL_TIME, 0);
	CHECK(event.when >= before && event.when < before + UINT64_C(100000000000));
	CHECK_INT(nfct_close(h), 0);
}

static void fewer_counts(void)
{
	struct ctrs_cpu_stats cpus[256];
	struct ctrs_stats stats;

	CHECK_INT(ctrs_stats_table(asks, &stats, sizeof(stats)), 0);
	CHECK(stats.present == BIT(CTA_STATS_GLOBAL_ENTRIES) && stats.maximum == 0);
	without.untold = BIT(CTA_STATS_CLASH_RESOLVE) | BIT(CTA_STATS_CHAIN_TOOLONG);
	CHECK(ctrs_stats_cpu(asks, cpus, 256, sizeof(cpus[0])) > 0);
	CHECK_INT(cpus[0].present & without.untold, 0);
	CHECK(cpus[0].present >> CTA_STATS_DROP & 1);
}

static void no_counts(void)
{
	struct ctrs_stats stats;

	CHECK_INT(ctrs_stats_table(asks, &stats, sizeof(stats)), -1);
	failed_so(asks, EINVAL, CTRS_ERROR_INVALID, "Linux 3.6");
}

static void no_counts_of_cpus(void)
{
	CHECK_INT(ctrs_stats_cpu(asks, NULL, 0, sizeof(struct ctrs_cpu_stats)), -1);
	failed_so(asks, EINVAL, CTRS_ERROR_INVALID, "Linux 3.6");
}

static void no_dying(void)
{
	struct ctrs_dump *list = ctrs_dump_begin(asks, NULL, CTRS_DUMP_DYING);
	struct ctrs_flow flow;

	CHECK_INT(ctrs_dump_read(list, &flow, 1, sizeof(flow)), -1);
	CHECK_INT(errno, EINVAL);
	if (!CHECK(strstr(ctrs_dump_last_error(list)->text, "Linux 3.8") != NULL))
		printf("    %s\n", ctrs_dump_last_error(list)->text);
	ctrs_dump_end(list);
}

#define FILTERS (BIT(CTA_FILTER) | BIT(CTA_STATUS) | BIT(CTA_STATUS_MASK) | BIT(CTA_MARK_MASK) | BIT(CTA_ZONE) | \
		 BIT(CTA_MARK))
#define NETLINK_OPTION(call, option) { SYS_##call, SOL_NETLINK, option, ENOPROTOOPT }
#define SOCKET_OPTION(call, option, error) { SYS_##call, SOL_SOCKET, option, error }

/* What the kernel is without, and what shows that the library knows. */
static const struct {
	const char *before;
	struct missing_call calls[2];
	uint64_t unread, untold;
	int message;
	bool counts, route;
	void (*then)(void);
} rows[] = {
	{ "4.12: no words for refusals", { NETLINK_OPTION(setsockopt, NETLINK_EXT_ACK) }, .then = refusals },
	{ "4.3: refusals repeat requests",
	  { NETLINK_OPTION(setsockopt, NETLINK_EXT_ACK), NETLINK_OPTION(setsockopt, NETLINK_CAP_ACK) },
	  .then = refusals },
	{ "4.2: one namespace", { NETLINK_OPTION(setsockopt, NETLINK_LISTEN_ALL_NSID) }, .then = one_namespace },
	{ "4.2: options cannot be read",
	  { NETLINK_OPTION(getsockopt, NETLINK_NO_ENOBUFS), NETLINK_OPTION(getsockopt, NETLINK_LIST_MEMBERSHIPS) },
	  .then = losses },
	{ "4.0: no ids of namespaces", .route = true, .then = no_ids },
	{ "no right to more than rmem_max", { SOCKET_OPTION(setsockopt, SO_RCVBUFFORCE, EPERM) },
	  .then = small_buffer },
	{ "4.12: losses are not counted", { SOCKET_OPTION(getsockopt, 55 /* SO_MEMINFO */, ENOPROTOOPT) },
	  .then = uncounted },
	{ "5.14: no cookies of namespaces", { SOCKET_OPTION(getsockopt, 71 /* SO_NETNS_COOKIE */, ENOPROTOOPT) },
	  .then = beside },
	{ "4.10: no files of sockets' namespaces",
	  { SOCKET_OPTION(getsockopt, 71, ENOPROTOOPT), { SYS_ioctl, 0x894c /* SIOCGSKNS */, ANY, ENOTTY } },
	  .then = not_beside },
	{ "2.6.33: one message a call", { { SYS_recvmmsg, ANY, ANY, ENOSYS } }, .then = no_events },
	{ "5.8: no filter of tuples, lists", .unread = BIT(CTA_FILTER), .then = lists },
	{ "3.4: no filters, lists", .unread = FILTERS, .then = lists },
	{ "5.8: no filter of tuples, deletions", .unread = BIT(CTA_FILTER), .then = deletions },
	{ "6.8: no filter of zones, flush", .unread = BIT(CTA_ZONE), .then = flushes },
	{ "6.14: events have no time", .untold = BIT(CTA_TIMESTAMP_EVENT), .then = unstamped },
	{ "4.18: fewer counters", .untold = BIT(CTA_STATS_GLOBAL_MAX_ENTRIES), .counts = true,
	  .then = fewer_counts },
	{ "3.6: no statistics", .message = IPCTNL_MSG_CT_GET_STATS, .then = no_counts },
	{ "3.6: no statistics of CPUs", .message = IPCTNL_MSG_CT_GET_STATS_CPU, .then = no_counts_of_cpus },
	{ "3.8: no list of the dying", .message = IPCTNL_MSG_CT_GET_DYING, .then = no_dying },
};

static size_t row;

static void as_in_row(void)
{
	about("before Linux %s", rows[row].before);
	without.calls = rows[row].calls;
	without.unread = rows[row].unread;
	without.untold = rows[row].untold;
	without.message = rows[row].message;
	without.counts = rows[row].counts;
	without.route = rows[row].route;
	rows[row].then();
}

int main(void)
{
	own_namespace();
	write_file("/proc/sys/net/netfilter/nf_conntrack_events", "1");
	asks = open_with((struct ctrs_open_options){ .groups = 0 });
	for (row = 0; row < COUNT(rows); row++) {
		in_child(as_in_row);
		CHECK_INT(flush(asks), 0);
	}
	CHECK_INT(nfct_close(asks), 0);
	return finish();
}
#endif
