/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Lists of expectations that are pulled, from a real kernel. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include <ctrs.h>

static struct nfct_handle *h;

static void test_expectations(void)
{
	struct ctrs_expect_dump *dump;
	struct ctrs_expectation records[3];
	struct nf_expect *exp = nfexp_new();
	struct nf_conntrack *master = new_flow(0);

	dump = ctrs_expect_dump_begin(h, 0);
	CHECK_INT(ctrs_expect_dump_next(dump, exp), 0);
	CHECK_INT(ctrs_expect_dump_end(dump), CTRS_CONSISTENT);
	if (create_master(h, master)) {
		struct nfct_handle *both = nfct_open(0, 0);
		struct nf_expect *new = expectation(master);

		CHECK_INT(nfexp_query(both, NFCT_Q_CREATE, new), 0);
		dump = ctrs_expect_dump_begin(h, CTRS_DUMP_NO_DUPLICATE_SEARCH);
		CHECK_INT(ctrs_expect_dump_next(dump, exp), 1);
		CHECK_INT(nfct_get_attr_u16(nfexp_get_attr(exp, ATTR_EXP_EXPECTED), ATTR_PORT_DST),
			  htons(2021));
		CHECK_INT(ctrs_expect_dump_next(dump, exp), 0);
		CHECK_INT(ctrs_expect_dump_end(dump), CTRS_CONSISTENT);
		dump = ctrs_expect_dump_begin(h, 0);
		memset(records, 0xa5, sizeof(records));
		CHECK_INT(ctrs_expect_dump_read(dump, records, 3, sizeof(*records)), 1);
		CHECK_INT(records[0].expected.dport, 2021);
		CHECK_INT(records[0].master.dport, 21);
		CHECK_INT(records[0].present >> 63, 1);
		CHECK(records[0].id != 0);
		CHECK_STR(records[0].helper_name, "ftp");
		CHECK_INT(records[1].id, 0xa5a5a5a5);
		CHECK_INT(ctrs_expect_dump_read(dump, records, 3, sizeof(*records)), 0);
		CHECK_INT(ctrs_expect_dump_end(dump), CTRS_CONSISTENT);
		nfexp_destroy(new);
		CHECK_INT(nfct_close(both), 0);
	}
	nfct_destroy(master);
	nfexp_destroy(exp);
	CHECK_INT(flush(h), 0);
}

int main(void)
{
	int before;

	own_namespace();
	before = descriptors();
	h = nfct_open(CONNTRACK, 0);
	test_expectations();
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(descriptors(), before);
	return finish();
}
#endif
