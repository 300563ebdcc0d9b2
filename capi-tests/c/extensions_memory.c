/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The functions of ctrs.h without memory: failing_allocations.h says how. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there are no such functions */
	return finish();
}
#else
#include <ctrs.h>
#include "full_entry.h"

static struct nfct_handle *pulled; /* lists are pulled from */

/* In a network namespace, which is this one, and with all that a handle can have. */
static int call_ctrs_open(void)
{
	struct ctrs_open_options options = { .size = sizeof(options), .groups = NFCT_ALL_CT_GROUPS,
					     .timeout_ms = 5, .netns = "/proc/thread-self/ns/net" };
	struct ctrs_error error = { .size = sizeof(error) };
	struct nfct_handle *h = ctrs_open(&options, &error);
	int result = made(h);

	if (result == 0 && (error.err != ENOMEM || error.kind != CTRS_ERROR_OUT_OF_MEMORY))
		result = -1;
	if (h != NULL) {
		if (ctrs_receive_buffer(h) <= 0 || ctrs_wake(h) != 0)
			result = -1;
		nfct_close(h);
	}
	return result;
}

/* An entry that a record could not be made into is as it was. */
static int call_record(void)
{
	struct ctrs_flow flow;
	struct nf_conntrack *ct = nfct_new();
	int result;

	if (ct == NULL)
		return made(ct);
	nfct_set_attr_u32(ct, ATTR_MARK, 5);
	result = done(ctrs_flow_from(&flow, sizeof(flow), full), 0);
	if (result == 1)
		result = done(ctrs_flow_to(ct, &flow, sizeof(flow)), 0);
	if (result == 1 && nfct_bitmask_test_bit(nfct_get_attr(ct, ATTR_CONNLABELS), 32) != 1)
		result = -1;
	if (result == 0 && (nfct_get_attr_u32(ct, ATTR_MARK) != 5 ||
			    nfct_attr_is_set(ct, ATTR_CONNLABELS) != 0))
		result = -1;
	nfct_destroy(ct);
	return result;
}

/* A filter is whole or none; a handle keeps the one it had. */
static int call_expression(void)
{
	static const char text[] =
		"tcp and (dport {80, 443, 8080} or host != fc00::/7) and label != {1, 32}";
	struct nfct_handle *h;
	struct ctrs_filter *filter;
	struct ctrs_flow flow;
	char printed[512];
	long at = left;
	int result;

	left = -1;
	h = nfct_open(CONNTRACK, NF_NETLINK_CONNTRACK_NEW);
	ctrs_flow_from(&flow, sizeof(flow), full);
	left = at;
	filter = ctrs_filter_compile(text, NULL, NULL);
	result = made(filter);
	if (result == 1)
		result = done(ctrs_filter_match_flow(filter, &flow, sizeof(flow), 0), CTRS_FALSE);
	if (result == 1)
		result = done(ctrs_filter_match(filter, full, NFCT_T_UNKNOWN), CTRS_FALSE);
	if (result == 1)
		result = ctrs_filter_explain(filter, printed, sizeof(printed)) > 0 || errno == ENOMEM ? 1 : -1;
	if (result == 1)
		result = done(ctrs_filter_attach(h, filter), 0);
	if (filter != NULL && ctrs_filter_print(filter, printed, sizeof(printed)) != (int)strlen(text))
		result = -1;
	ctrs_filter_free(filter);
	left = -1;
	CHECK_INT(nfct_close(h), 0);
	return result;
}

/* A list whose memory runs out is over, and says so again at its end; the handle goes on. */
static int pull(int records, const struct ctrs_filter *filter, uint32_t flags)
{
	static struct ctrs_flow flows[64];
	struct nf_conntrack *ct = records ? NULL : nfct_new();
	struct ctrs_dump *dump = records || ct != NULL ? ctrs_dump_begin(pulled, filter, flags) : NULL;
	int result = made(dump), number = 0;
	ssize_t got = 1;

	while (result == 1 && got > 0) {
		got = records ? ctrs_dump_read(dump, flows, 64, sizeof(*flows)) : ctrs_dump_next(dump, ct);
		number += got > 0 ? (int)got : 0;
	}
	if (result == 1)
		result = done((int)got, 0);
	if (result == 1 && number != 200)
		result = -1;
	if (dump != NULL && done(ctrs_dump_end(dump), 0) != result)
		result = -1;
	if (ct != NULL)
		nfct_destroy(ct);
	return result;
}

static int call_pull(void)
{
	return pull(0, NULL, 0);
}

static int call_pull_records(void)
{
	return pull(1, NULL, 0);
}

/* Each flow by two more requests. */
static int call_pull_filtered(void)
{
	static struct ctrs_filter *filter;

	if (filter == NULL)
		filter = ctrs_filter_compile("tcp and not sport 1", NULL, NULL);
	return filter == NULL ? 0 : pull(1, filter, CTRS_DUMP_RESET);
}

static int call_pull_expectations(void)
{
	struct ctrs_expectation record;
	struct ctrs_expect_dump *dump = ctrs_expect_dump_begin(pulled, 0);
	int result = made(dump);

	if (result == 1)
		result = done((int)ctrs_expect_dump_read(dump, &record, 1, sizeof(record)), 0);
	if (dump != NULL && done(ctrs_expect_dump_end(dump), 0) != result)
		result = -1;
	return result;
}

/* On a handle of its own, whose first request it is. */
static int call_stats(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct ctrs_expect_stats expect;
	struct ctrs_cpu_stats cpu;
	struct ctrs_stats stats;
	int result = made(h);

	if (result == 1)
		result = done(ctrs_stats_table(h, &stats, sizeof(stats)), 0);
	if (result == 1 && ctrs_stats_cpu(h, &cpu, 1, sizeof(cpu)) < 1)
		result = errno == ENOMEM ? 0 : -1;
	if (result == 1 && ctrs_stats_expect(h, &expect, 1, sizeof(expect)) < 1)
		result = errno == ENOMEM ? 0 : -1;
	if (h != NULL)
		nfct_close(h);
	return result;
}

/* An entry that JSON could not be made into is as it was. */
static int call_json(void)
{
	static const char text[] = "{\"mark\":7,\"secctx\":\"a\",\"labels\":[1],\"labels_mask\":[2],"
				   "\"helper\":{\"name\":\"ftp\",\"info\":[1,2]}}";
	static const char named[] = "{\"helper\":\"ftp\"}";
	struct nf_conntrack *ct = nfct_new();
	struct nf_expect *exp = ct != NULL ? nfexp_new() : NULL;
	struct ctrs_flow flow;
	int result = made(exp);

	if (result != 1) {
		if (ct != NULL)
			nfct_destroy(ct);
		return result;
	}
	nfct_set_attr_u32(ct, ATTR_MARK, 5);
	result = done(ctrs_parse_json(ct, text, strlen(text), NULL, NULL), 0);
	if (nfct_get_attr_u32(ct, ATTR_MARK) != (result == 1 ? 7 : 5))
		result = -1;
	if (result == 1)
		result = done(ctrs_expect_parse_json(exp, named, strlen(named), NULL), 0);
	if (nfexp_attr_is_set(exp, ATTR_EXP_HELPER_NAME) != (result == 1))
		result = -1;
	if (result == 1) {
		ctrs_flow_from(&flow, sizeof(flow), full);
		result = ctrs_flow_snprintf_json(NULL, 0, &flow, sizeof(flow), 0, 0, NULL) > 0;
		if (result == 0 && errno != ENOMEM)
			result = -1;
	}
	nfexp_destroy(exp);
	nfct_destroy(ct);
	return result;
}

/* A refusal is the same without memory, but for what it takes to say more. */
static int call_refused(void)
{
	struct nfct_handle *h;
	struct nf_conntrack *ct;
	const struct ctrs_error *error;
	long at = left;
	int result;

	left = -1;
	h = nfct_open(CONNTRACK, 0);
	ct = flow(5000);
	left = at;
	result = ctrs_get(h, ct, CTRS_ORIGINAL, NULL);
	left = -1;
	error = ctrs_last_error(h);
	if (result == -1 && errno == ENOENT)
		result = strstr(error->text, "cannot get the flow: no such flow") ? 1 : -1;
	else
		result = result == -1 && errno == ENOMEM && error->err == ENOMEM ? 0 : -1;
	nfct_destroy(ct);
	nfct_close(h);
	return result;
}

/* The handle asks for memory to keep an error in; looking around needs none. */
static int call_diagnose(void)
{
	struct nfct_handle *h;
	char text[4096];
	long at = left;
	int result;

	left = -1;
	h = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
	left = at;
	result = ctrs_diagnose(h, text, sizeof(text));
	result = result > 0 && strchr(text, '\n') != NULL ? 1 : done(result, 1);
	left = -1;
	if (result == 0 && ctrs_last_error(h)->err != ENOMEM)
		result = -1;
	nfct_close(h);
	return result;
}

/* A flow through its life. Where memory runs out in the middle it stays for the next time. */
static struct nf_conntrack *one, *told;

static int call_one_flow(void)
{
	int result = ctrs_create(pulled, one, told);

	if (result == -1 && errno != EEXIST)
		return done(result, 1);
	nfct_set_attr_u32(one, ATTR_STATUS, IPS_ASSURED);
	result = done(ctrs_update(pulled, one, CTRS_REPLY, told), 1);
	nfct_attr_unset(one, ATTR_STATUS);
	if (result == 1)
		result = done(ctrs_mark(pulled, one, CTRS_REPLY, 3, 7, NULL), 0);
	if (result == 1)
		result = done(ctrs_get(pulled, one, CTRS_ORIGINAL, told), 0);
	if (result == 1 && nfct_get_attr_u32(told, ATTR_MARK) != 3)
		result = -1;
	if (result == 1)
		result = done(ctrs_delete(pulled, one, CTRS_ORIGINAL, NULL, told), 1);
	return result;
}

/* Labels by name, of a flow without room for them: the kernel says so, where memory lasts. */
static int call_labels(void)
{
	static const char *const set[] = { "label 7", "label 100", NULL }, *const clear[] = { "label 8", NULL };
	struct nfct_labelmap *map;
	long at = left;
	int result;

	left = -1;
	map = nfct_labelmap_new(label_path);
	query_flow(pulled, NFCT_Q_CREATE, new_flow(1000));
	left = at;
	result = ctrs_labels(pulled, one, CTRS_ORIGINAL, map, set, clear, told);
	result = result == -1 && errno == ENOSPC ? 1 : done(result, 0);
	left = -1;
	nfct_labelmap_destroy(map);
	CHECK_INT(ctrs_delete(pulled, one, CTRS_ORIGINAL, NULL, NULL), 0);
	return result;
}

/* More requests than one datagram holds. Those before a failure may have been done. */
static int call_batch(void)
{
	static const enum nf_conntrack_query queries[] = { NFCT_Q_CREATE, NFCT_Q_GET, NFCT_Q_DESTROY };
	struct ctrs_error error = { .size = sizeof(error) };
	struct ctrs_batch *batch;
	int result;

	if (ctrs_delete(pulled, one, CTRS_ORIGINAL, NULL, NULL) == -1 && errno != ENOENT)
		return done(-1, 0); /* one is there still, of a batch that was not sent whole */
	batch = ctrs_batch_new(&error);
	result = made(batch);
	for (int i = 0; result == 1 && i < 300; i++)
		if (ctrs_batch_add(batch, queries[i % 3], one, NULL, i % 2, &error) != i)
			result = done(-1, 0);
	if (result == 1)
		result = done(ctrs_batch_run(pulled, batch), 0);
	for (size_t i = 0; result == 1 && i < 300; i++)
		if (ctrs_batch_result(batch, i, told, &error) != (i % 3 == 1))
			result = done(-1, 0);
	for (size_t i = 0; result == 0 && batch != NULL && i < 300; i++)
		if (ctrs_batch_result(batch, i, told, &error) == -1 && errno != ECANCELED &&
		    errno != ENOMEM && errno != EINVAL)
			result = -1;
	ctrs_batch_free(batch);
	return result;
}

/* Where memory runs out in the middle, some of the flows are deleted and the rest stays. */
static struct ctrs_filter *ours;

static int call_delete_matching(void)
{
	struct ctrs_deleted deleted;
	long at = left;
	int result;

	left = -1;
	query_flow(pulled, NFCT_Q_CREATE, marked(new_flow(1001), 77));
	left = at;
	result = done(ctrs_delete_matching(pulled, ours, 0, &deleted, sizeof(deleted)), 0);
	if (result == 1 && (deleted.matched != 1 || deleted.deleted != 1))
		result = -1;
	return deleted.matched > 1 ? -1 : result;
}

int main(void)
{
	begin_full();
	try_call("record", call_record);
	try_call("JSON", call_json);
	try_call("expression", call_expression);
	call_ctrs_open(); /* the C library keeps the memory of a thread */
	try_call("open with options", call_ctrs_open);
	pulled = nfct_open(CONNTRACK, 0);
	create_flows(pulled, 0, 200);
	CHECK_INT(call_pull(), 1); /* the handle keeps what ends its waits */
	try_call("pull", call_pull);
	try_call("pull records", call_pull_records);
	CHECK_INT(call_pull_filtered(), 1); /* compiles the filter */
	try_call("pull through a filter", call_pull_filtered);
	try_call("pull expectations", call_pull_expectations);
	/* Otherwise who listens elsewhere has the kernel return flows. */
	CHECK_INT(write_file("/proc/sys/net/netfilter/nf_conntrack_events", "0"), 0);
	one = new_flow(1000);
	told = nfct_new();
	CHECK_INT(call_one_flow(), 1);
	try_call("one flow", call_one_flow);
	CHECK_INT(call_labels(), 1); /* the handle keeps the room for what went wrong */
	try_call("labels", call_labels);
	try_call("batch", call_batch);
	ours = ctrs_filter_compile("mark 77", NULL, NULL);
	CHECK_INT(call_delete_matching(), 1);
	try_call("delete matching", call_delete_matching);
	ctrs_filter_free(ours);
	nfct_destroy(one);
	nfct_destroy(told);
	CHECK_INT(nfct_close(pulled), 0);
	try_call("statistics", call_stats);
	try_call("refused", call_refused);
	try_call("diagnose", call_diagnose);
	return end_full();
}
#endif
