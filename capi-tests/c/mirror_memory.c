/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Mirrors without memory: each allocation of one's life fails once. The call says so, and what is kept
 * is exact all the same when there is memory again. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include <ctrs.h>
#include "failing_allocations.h"

static struct nfct_handle *asks;
static struct ctrs_filter *filter;
static struct ctrs_mirror *mirror;
static int lacked; /* whether a call had no memory, which is there again since */

/* Reads changes until none comes and all is settled. */
static void read_all(void)
{
	struct ctrs_mirror_info info = { 0, 0, 0, 0, 0, 0, 0, 0, CTRS_MIRROR_SETTLED, 0 };
	struct ctrs_change change;
	struct ctrs_flow before, after;
	int found;

	do {
		found = ctrs_mirror_next(mirror, &change, sizeof(change), &before, &after,
					 sizeof(after), info.flags == CTRS_MIRROR_SETTLED ? 0 : 50);
		if (found == -1) {
			CHECK_INT(errno, ENOMEM);
			CHECK_INT(ctrs_mirror_last_error(mirror)->kind, CTRS_ERROR_OUT_OF_MEMORY);
			lacked = 1;
			left = -1;
		}
		if (ctrs_mirror_get_info(mirror, &info, sizeof(info)) != 0)
			abort();
	} while (found != 0 || info.flags != CTRS_MIRROR_SETTLED);
}

/* What is done by others, who have memory. */
static void query(enum nf_conntrack_query query, unsigned int n, uint32_t mark)
{
	struct nf_conntrack *ct = new_flow(n);

	nfct_set_attr_u32(ct, ATTR_MARK, mark);
	CHECK_INT(query_flow(asks, query, ct), 0);
}

static void change_table(void)
{
	long then = left;

	left = -1;
	query(NFCT_Q_CREATE, 2, 3);
	query(NFCT_Q_CREATE, 3, 3);
	query(NFCT_Q_UPDATE, 1, 5);
	query(NFCT_Q_UPDATE, 2, 6);
	query(NFCT_Q_DESTROY, 0, 0);
	left = then;
}

static int live_once(void)
{
	struct ctrs_flow flows[4];
	uint64_t cursor = 0;
	long then = left;
	uint32_t marks = 0;

	left = -1;
	CHECK_INT(flush(asks), 0);
	query(NFCT_Q_CREATE, 0, 1);
	query(NFCT_Q_CREATE, 1, 2);
	left = then;
	lacked = 0;
	mirror = ctrs_mirror_open(NULL, filter, NULL);
	if (mirror == NULL)
		return errno == ENOMEM ? 0 : -1;
	read_all();
	change_table();
	read_all();
	CHECK_INT(ctrs_mirror_verify(mirror), 0);
	read_all();
	left = -1;
	CHECK_INT(ctrs_mirror_read(mirror, filter, flows, 4, sizeof(flows[0]), &cursor), 3);
	for (int i = 0; i < 3; i++)
		marks |= flows[i].mark << 8 * (flows[i].orig.src[3] - 2);
	CHECK_INT(marks, 0x030605);
	CHECK_INT(ctrs_mirror_close(mirror), 0);
	return !lacked;
}

int main(void)
{
	int before;

	begin();
	write_file("/proc/sys/net/netfilter/nf_conntrack_events", "1");
	asks = nfct_open(CONNTRACK, 0);
	filter = ctrs_filter_compile("tcp and mark < 100", NULL, NULL);
	CHECK_INT(live_once(), 1); /* what is kept of the first */
	before = descriptors();
	try_call("a mirror", live_once);
	CHECK_INT(descriptors(), before);
	ctrs_filter_free(filter);
	CHECK_INT(nfct_close(asks), 0);
	return finish();
}
#endif
