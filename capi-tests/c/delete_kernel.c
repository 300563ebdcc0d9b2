/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Flows deleted by filter on a real kernel: those that match, counted, and no other. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include <ctrs.h>
#include <pthread.h>

static struct ctrs_filter *compiled(const char *text)
{
	struct ctrs_error error = { .size = sizeof(error) };
	struct ctrs_filter *filter = ctrs_filter_compile(text, NULL, &error);

	about("%s: %s", text, error.text);
	CHECK(filter != NULL);
	return filter;
}

/* Flows with the marks 0, 1, 2, 0... */
static void create_marked(struct nfct_handle *h, unsigned int number)
{
	struct ctrs_batch *batch = ctrs_batch_new(NULL);

	for (unsigned int n = 0; n < number; n++) {
		struct nf_conntrack *ct = marked(new_flow(n), n % 3);

		CHECK_INT(ctrs_batch_add(batch, NFCT_Q_CREATE, ct, NULL, 0, NULL), n);
		nfct_destroy(ct);
	}
	CHECK_INT(ctrs_batch_run(h, batch), 0);
	ctrs_batch_free(batch);
}

static void test_matching(struct nfct_handle *h)
{
	static const struct { const char *text; unsigned int matched, left; } rows[] = {
		{ "udp or dport != 80", 0, 3000 },
		{ "not bytes > 1M", 0, 3000 }, /* unknown: nothing counts bytes */
		{ "mark 1 and src 10.0.0.0/24", 83, 2917 },
		{ "mark 1", 917, 2000 },
		{ "mark {1, 2}", 1000, 1000 },
		{ "all", 1000, 0 },
		{ "all", 0, 0 },
	};
	struct ctrs_deleted deleted;

	create_marked(h, 3000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ctrs_filter *filter = compiled(rows[i].text);

		memset(&deleted, 0xa5, sizeof(deleted));
		CHECK_INT(ctrs_delete_matching(h, filter, CTRS_DELETE_DRY_RUN, &deleted, sizeof(deleted)), 0);
		CHECK_INT(deleted.matched, rows[i].matched);
		CHECK_INT(deleted.deleted, 0);
		CHECK_INT(flows_with(""), rows[i].left + rows[i].matched);
		memset(&deleted, 0xa5, sizeof(deleted));
		CHECK_INT(ctrs_delete_matching(h, filter, 0, &deleted, sizeof(deleted)), 0);
		CHECK_INT(deleted.matched, rows[i].matched);
		CHECK_INT(deleted.deleted, rows[i].matched);
		CHECK_INT(deleted.gone, 0);
		CHECK_INT(deleted.verdict, CTRS_CONSISTENT);
		CHECK_INT(deleted.reserved, 0);
		CHECK_INT(flows_with(""), rows[i].left);
		ctrs_filter_free(filter);
	}
	about("");
}

/* Linux since 6.17 does not know DCCP, and tells no ports of its flows. */
static void test_protocol_unknown_to_the_kernel(struct nfct_handle *h)
{
	struct ctrs_filter *filter = compiled("dccp or mark 1");
	struct nf_conntrack *ct = marked(new_flow(9), 7), *listed = nfct_new();
	struct ctrs_dump *dump;
	struct ctrs_deleted deleted;

	create_marked(h, 3);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_DCCP);
	nfct_attr_unset(ct, ATTR_TCP_STATE);
	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	CHECK_INT(ctrs_create(h, ct, NULL), 0);
	dump = ctrs_dump_begin(h, filter, 0);
	while (ctrs_dump_next(dump, listed) == 1)
		for (int dir = CTRS_ORIGINAL; dir <= CTRS_REPLY; dir++)
			CHECK_INT(ctrs_get(h, listed, dir, NULL), 0);
	CHECK_INT(ctrs_dump_end(dump), CTRS_CONSISTENT);
	CHECK_INT(ctrs_delete_matching(h, filter, 0, &deleted, sizeof(deleted)), 0);
	CHECK_INT(deleted.matched, 2);
	CHECK_INT(deleted.deleted, 2);
	CHECK_INT(flows_with(""), 2);
	CHECK_INT(flush(h), 0);
	nfct_destroy(listed);
	nfct_destroy(ct);
	ctrs_filter_free(filter);
}

/* Two threads, each with a handle, delete the same: each flow is deleted once, and the other one says
 * that it was gone. */
static struct ctrs_deleted theirs;

static void *delete_too(void *filter)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);

	CHECK_INT(ctrs_delete_matching(h, filter, 0, &theirs, sizeof(theirs)), 0);
	nfct_close(h);
	return NULL;
}

static void test_rivals(struct nfct_handle *h)
{
	struct ctrs_filter *filter = compiled("tcp");
	struct ctrs_deleted mine;
	pthread_t thread;

	create_marked(h, 30000);
	CHECK_INT(pthread_create(&thread, NULL, delete_too, filter), 0);
	CHECK_INT(ctrs_delete_matching(h, filter, 0, &mine, sizeof(mine)), 0);
	CHECK_INT(pthread_join(thread, NULL), 0);
	CHECK_INT(mine.deleted + theirs.deleted, 30000);
	CHECK_INT(mine.matched, mine.deleted + mine.gone);
	CHECK_INT(theirs.matched, theirs.deleted + theirs.gone);
	CHECK_INT(flows_with(""), 0);
	ctrs_filter_free(filter);
}

/* Events stay with who listens, and a handle may delete while it lists. */
static void test_beside_others(void)
{
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, NF_NETLINK_CONNTRACK_DESTROY);
	struct ctrs_filter *filter = compiled("mark 2");
	struct ctrs_dump *dump;
	struct nf_conntrack *ct = nfct_new();
	unsigned int listed = 1;

	create_marked(h, 300);
	dump = ctrs_dump_begin(h, NULL, 0);
	CHECK_INT(ctrs_dump_next(dump, ct), 1);
	CHECK_INT(ctrs_delete_matching(h, filter, 0, NULL, 0), 0);
	CHECK_INT(flows_with(""), 200);
	while (ctrs_dump_next(dump, ct) == 1)
		listed++;
	CHECK(listed >= 200);
	CHECK(ctrs_dump_end(dump) >= 0);
	CHECK_INT(fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK), 0);
	CHECK_ERR(nfct_catch(h), -1, EAGAIN);
	CHECK_INT(seen.calls, 100);
	CHECK_INT(seen.types, NFCT_T_DESTROY);
	CHECK_INT(seen.last_mark, 2);
	about("");
	nfct_destroy(ct);
	ctrs_filter_free(filter);
	CHECK_INT(nfct_close(h), 0);
}

static void test_refused(struct nfct_handle *h)
{
	struct ctrs_filter *filter = compiled("all");
	struct ctrs_error error = { .size = sizeof(error) };
	union {
		struct ctrs_deleted deleted;
		unsigned char bytes[64];
	} room;

	create_marked(h, 3);
	CHECK_NULL(ctrs_filter_compile("", NULL, &error), EINVAL); /* so nothing is deleted by it */
	CHECK_NULL(ctrs_filter_compile(" ", NULL, &error), EINVAL);
	CHECK_ERR(ctrs_delete_matching(NULL, filter, 0, NULL, 0), -1, EINVAL);
	CHECK_ERR(ctrs_delete_matching(h, NULL, 0, NULL, 0), -1, EINVAL);
	CHECK_ERR(ctrs_delete_matching(h, filter, 2, NULL, 0), -1, EINVAL);
	CHECK_ERR(ctrs_delete_matching(h, filter, 0, &room.deleted, 0), -1, EINVAL);
	CHECK_ERR(ctrs_delete_matching(h, filter, 0, &room.deleted, 7), -1, EINVAL);
	CHECK_ERR(ctrs_delete_matching(h, filter, 0, &room.deleted, ~(size_t)7), -1, EINVAL);
	CHECK(strstr(ctrs_last_error(h)->text, "struct ctrs_deleted") != NULL);
	CHECK_INT(flows_with(""), 3);

	/* A wake ends it, and what was counted by then is told. */
	CHECK_INT(ctrs_wake(h), 0);
	memset(&room, 0xa5, sizeof(room));
	CHECK_ERR(ctrs_delete_matching(h, filter, 0, &room.deleted, sizeof(room)), -1, ECANCELED);
	CHECK_INT(room.deleted.matched, 3);
	CHECK_INT(room.deleted.deleted, 0);
	CHECK_INT(flows_with(""), 3);

	/* Programs of an older header, and of a newer one. */
	memset(&room, 0xa5, sizeof(room));
	CHECK_INT(ctrs_delete_matching(h, filter, CTRS_DELETE_DRY_RUN, &room.deleted, 8), 0);
	CHECK_INT(room.deleted.matched, 3);
	CHECK_INT(room.bytes[8], 0xa5);
	CHECK_INT(ctrs_delete_matching(h, filter, 0, &room.deleted, sizeof(room)), 0);
	CHECK_INT(room.deleted.deleted, 3);
	CHECK_INT(room.bytes[sizeof(room.deleted)], 0);
	CHECK_INT(room.bytes[sizeof(room) - 1], 0);
	ctrs_filter_free(filter);
}

int main(void)
{
	struct nfct_handle *h;

	own_namespace();
	h = nfct_open(CONNTRACK, 0);
	test_matching(h);
	test_protocol_unknown_to_the_kernel(h);
	test_rivals(h);
	test_beside_others();
	CHECK_INT(flush(h), 0);
	test_refused(h);
	CHECK_INT(nfct_close(h), 0);
	return finish();
}
#endif
