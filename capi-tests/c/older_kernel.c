/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A program compiled with an older header, whose records end sooner, on the present library; and one
 * compiled with a newer header, whose records end later. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	/* The reference has no records. */
	nfct_destroy(nfct_new());
	return finish();
}
#else
#include "../abi/older/ctrs.h"

#define FLOWS 9
#define PRESENT(record, attribute) ((record).present[(attribute) / 64] >> (attribute) % 64 & 1)

/* A record as a newer header may have it. */
struct newer {
	struct ctrs_flow flow;
	uint8_t rest[1024 - sizeof(struct ctrs_flow)];
};

/* All that an older program knows of the flows of this namespace: each once, whole, and no byte more. */
static void test_older(struct nfct_handle *h)
{
	struct ctrs_flow flows[FLOWS + 2];
	struct ctrs_dump *list = ctrs_dump_begin(h, NULL, 0);
	unsigned int seen = 0;

	memset(flows, 0xee, sizeof(flows));
	CHECK_INT(sizeof(struct ctrs_flow), 192);
	CHECK_INT(ctrs_dump_read(list, flows, FLOWS + 1, sizeof(flows[0])), FLOWS);
	for (int i = 0; i < FLOWS; i++) {
		CHECK(PRESENT(flows[i], ATTR_ORIG_IPV4_SRC) && PRESENT(flows[i], ATTR_STATUS));
		CHECK(!PRESENT(flows[i], ATTR_TCP_STATE));
		CHECK_INT(flows[i].orig.l4proto, flows[i].reply.l4proto);
		CHECK_INT(flows[i].orig.sport, flows[i].reply.dport);
		seen |= 1u << flows[i].mark;
	}
	CHECK_INT(seen, ((1u << FLOWS) - 1) << 1);
	CHECK(flows[FLOWS].mark == 0xeeeeeeee && flows[FLOWS + 1].present[0] == 0xeeeeeeeeeeeeeeee);
	CHECK_INT(ctrs_dump_end(list), 0);
}

static void test_newer(struct nfct_handle *h)
{
	struct newer flows[FLOWS];
	struct ctrs_dump *list = ctrs_dump_begin(h, NULL, 0);
	unsigned int seen = 0;

	memset(flows, 0xee, sizeof(flows));
	CHECK_INT(ctrs_dump_read(list, &flows[0].flow, FLOWS, sizeof(flows[0])), FLOWS);
	for (int i = 0; i < FLOWS; i++) {
		CHECK(PRESENT(flows[i].flow, ATTR_TCP_STATE) || flows[i].flow.orig.l4proto != IPPROTO_TCP);
		CHECK_INT(flows[i].rest[sizeof(flows[i].rest) - 1], 0);
		seen |= 1u << flows[i].flow.mark;
	}
	CHECK_INT(seen, ((1u << FLOWS) - 1) << 1);
	CHECK_INT(ctrs_dump_end(list), 0);
}

/* An entry by way of an older record, which has no zone. */
static void test_objects(void)
{
	struct nf_conntrack *ct = flow(7), *back = nfct_new();
	struct nf_expect *exp, *other = nfexp_new();
	struct { struct ctrs_flow flow; uint8_t guard[8]; } record;
	struct { struct ctrs_expectation expectation; uint8_t guard[8]; } expected;

	nfct_set_attr_u16(ct, ATTR_ZONE, 5);
	exp = expectation(ct);
	nfexp_set_attr_u16(exp, ATTR_EXP_ZONE, 5);
	memset(&record, 0xee, sizeof(record));
	CHECK_INT(ctrs_flow_from(&record.flow, sizeof(record.flow), ct), 0);
	CHECK_INT(record.guard[0], 0xee);
	CHECK_INT(PRESENT(record.flow, ATTR_ZONE), 0);
	CHECK_INT(ctrs_flow_to(back, &record.flow, sizeof(record.flow)), 0);
	CHECK_INT(nfct_attr_is_set(back, ATTR_ZONE), 0);
	nfct_set_attr_u16(back, ATTR_ZONE, 5);
	CHECK_INT(nfct_cmp(back, ct, NFCT_CMP_ORIG), 1);
	memset(&expected, 0xee, sizeof(expected));
	CHECK_INT(ctrs_expectation_from(&expected.expectation, sizeof(expected.expectation), exp), 0);
	CHECK_INT(expected.guard[0], 0xee);
	CHECK_INT(expected.expectation.present >> ATTR_EXP_ZONE & 1, 0);
	CHECK_INT(ctrs_expectation_to(other, &expected.expectation, sizeof(expected.expectation)), 0);
	CHECK_INT(nfexp_attr_is_set(other, ATTR_EXP_EXPECTED), 1);
	CHECK_INT(nfexp_attr_is_set(other, ATTR_EXP_ZONE), 0);
	nfct_destroy(ct);
	nfct_destroy(back);
	nfexp_destroy(exp);
	nfexp_destroy(other);
}

int main(void)
{
	struct nfct_handle *h;

	own_namespace();
	h = nfct_open(CONNTRACK, 0);
	for (unsigned int n = 1; n <= FLOWS; n++) {
		struct nf_conntrack *ct = marked(new_flow(n), n);

		CHECK_INT(query_flow(h, NFCT_Q_CREATE, ct), 0);
	}
	test_older(h);
	test_newer(h);
	test_objects();
	CHECK_INT(nfct_close(h), 0);
	return finish();
}
#endif
