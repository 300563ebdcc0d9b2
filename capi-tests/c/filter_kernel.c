/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Dumps and flushes that the kernel filters: by mark, status, family, zone and tuple. */
#include "kernel.h"

static const char v6_src[16] = { (char)0xfd, [15] = 1 }, v6_dst[16] = { (char)0xfd, [15] = 2 };

/* Four flows: marks 1, 2 and 3 over IPv4, the last of them assured; mark 0x12 over IPv6, zone 5. */
static void create_table(struct nfct_handle *h)
{
	struct nf_conntrack *ct;

	for (uint32_t i = 0; i < 3; i++) {
		ct = new_flow(i);
		nfct_set_attr_u32(ct, ATTR_MARK, i + 1);
		nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons((uint16_t)(1000 + i)));
		nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
		if (i == 2)
			nfct_set_attr_u32(ct, ATTR_STATUS, IPS_SEEN_REPLY | IPS_ASSURED);
		CHECK_INT(query_flow(h, NFCT_Q_CREATE, ct), 0);
	}
	ct = nfct_new();
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET6);
	nfct_set_attr(ct, ATTR_IPV6_SRC, v6_src);
	nfct_set_attr(ct, ATTR_IPV6_DST, v6_dst);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_UDP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(53));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(54));
	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 600);
	nfct_set_attr_u32(ct, ATTR_MARK, 0x12);
	nfct_set_attr_u16(ct, ATTR_ZONE, 5);
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, ct), 0);
	CHECK_INT(flows_with(""), 4);
}

struct marks {
	uint32_t seen; /* one bit per mark modulo 16 */
	int calls;
};

static int note_mark(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct marks *marks = data;

	(void)type;
	marks->calls++;
	marks->seen |= 1u << nfct_get_attr_u32(ct, ATTR_MARK) % 16;
	return NFCT_CB_CONTINUE;
}

/* What a filter lets through, as bits of marks; the IPv6 flow's mark is 0x12, so bit 2 as well. */
static int dumped(struct nfct_handle *h, enum nf_conntrack_query query, struct nfct_filter_dump *f,
		  uint32_t *seen)
{
	struct marks marks = { 0, 0 };

	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, note_mark, &marks), 0);
	CHECK_INT(nfct_query(h, query, f), 0);
	nfct_callback_unregister(h);
	if (seen != NULL)
		*seen = marks.seen;
	return marks.calls;
}

static void test_dump(struct nfct_handle *h)
{
	/* attribute, value, mask, how many flows, which marks */
	static const struct { int attr; uint32_t val, mask; int count; uint32_t marks; } rows[] = {
		{ NFCT_FILTER_DUMP_MARK, 2, 0xffffffff, 1, 4 },
		{ NFCT_FILTER_DUMP_MARK, 2, 0xf, 2, 4 },
		{ NFCT_FILTER_DUMP_MARK, 1, 1, 2, 2 | 8 },
		{ NFCT_FILTER_DUMP_MARK, 0, 1, 2, 4 },
		{ NFCT_FILTER_DUMP_MARK, 9, 0xffffffff, 0, 0 },
		{ NFCT_FILTER_DUMP_STATUS, IPS_ASSURED, IPS_ASSURED, 1, 8 },
		{ NFCT_FILTER_DUMP_STATUS, 0, IPS_ASSURED, 3, 2 | 4 },
		{ NFCT_FILTER_DUMP_L3NUM, AF_INET, 0, 3, 2 | 4 | 8 },
		{ NFCT_FILTER_DUMP_L3NUM, AF_INET6, 0, 1, 4 },
		{ NFCT_FILTER_DUMP_L3NUM, AF_UNSPEC, 0, 4, 2 | 4 | 8 },
	};
	struct nfct_filter_dump *f = nfct_filter_dump_create();

	CHECK_INT(dumped(h, NFCT_Q_DUMP_FILTER, f, NULL), 4); /* empty: everything */
	nfct_filter_dump_destroy(f);
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum nfct_filter_dump_attr attr = (enum nfct_filter_dump_attr)rows[i].attr;
		struct nfct_filter_dump_mark pair = { rows[i].val, rows[i].mask };
		uint32_t seen;

		about("row %zu", i);
		f = nfct_filter_dump_create();
		if (attr == NFCT_FILTER_DUMP_L3NUM)
			nfct_filter_dump_set_attr_u8(f, attr, (uint8_t)rows[i].val);
		else
			nfct_filter_dump_set_attr(f, attr, &pair);
		CHECK_INT(dumped(h, NFCT_Q_DUMP_FILTER, f, &seen), rows[i].count);
		CHECK_INT(seen, rows[i].marks);
		CHECK_INT(dumped(h, NFCT_Q_DUMP_FILTER_RESET, f, &seen), rows[i].count);
		nfct_filter_dump_destroy(f);
	}
	about("");
}

static void test_dump_and(struct nfct_handle *h)
{
	struct nfct_filter_dump *f = nfct_filter_dump_create();
	struct nfct_filter_dump_mark mark = { 2, 0xf };

	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_MARK, &mark);
	nfct_filter_dump_set_attr_u8(f, NFCT_FILTER_DUMP_L3NUM, AF_INET);
	CHECK_INT(dumped(h, NFCT_Q_DUMP_FILTER, f, NULL), 1);
	nfct_filter_dump_set_attr_u8(f, NFCT_FILTER_DUMP_L3NUM, AF_INET6); /* overwrites */
	CHECK_INT(dumped(h, NFCT_Q_DUMP_FILTER, f, NULL), 1);
	nfct_filter_dump_set_attr(f, (enum nfct_filter_dump_attr)99, &mark); /* ignored */
	CHECK_INT(dumped(h, NFCT_Q_DUMP_FILTER, f, NULL), 1);
	nfct_filter_dump_destroy(f);
}

#ifndef REFERENCE /* 1.0.9 has no such filters, and a filtered flush flushes all */
static void test_zone(struct nfct_handle *h)
{
	struct nfct_filter_dump *f = nfct_filter_dump_create();
	uint32_t seen;

	nfct_filter_dump_set_attr_u16(f, NFCT_FILTER_DUMP_ZONE, 5);
	CHECK_INT(dumped(h, NFCT_Q_DUMP_FILTER, f, &seen), 1);
	CHECK_INT(seen, 4);
	nfct_filter_dump_set_attr_u16(f, NFCT_FILTER_DUMP_ZONE, 0);
	CHECK_INT(dumped(h, NFCT_Q_DUMP_FILTER, f, &seen), 3);
	nfct_filter_dump_destroy(f);
}

static int dumped_like(struct nfct_handle *h, struct nf_conntrack *pattern, uint32_t *seen)
{
	struct nfct_filter_dump *f = nfct_filter_dump_create();
	int count;

	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_TUPLE, pattern);
	nfct_destroy(pattern);
	count = dumped(h, NFCT_Q_DUMP_FILTER, f, seen);
	nfct_filter_dump_destroy(f);
	return count;
}

static void test_tuple(struct nfct_handle *h)
{
	struct nf_conntrack *pattern = nfct_new();
	uint32_t seen;

	nfct_set_attr_u8(pattern, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u8(pattern, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(pattern, ATTR_PORT_SRC, htons(1001));
	CHECK_INT(dumped_like(h, pattern, &seen), 1);
	CHECK_INT(seen, 4);
	pattern = nfct_new();
	nfct_set_attr_u8(pattern, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(pattern, ATTR_IPV4_SRC, htonl(0x0a000003));
	CHECK_INT(dumped_like(h, pattern, &seen), 1);
	CHECK_INT(seen, 8);
	pattern = nfct_new();
	nfct_set_attr_u8(pattern, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(pattern, ATTR_IPV4_DST, htonl(0x0a010001));
	CHECK_INT(dumped_like(h, pattern, &seen), 3);
	pattern = nfct_new();
	nfct_set_attr_u8(pattern, ATTR_L3PROTO, AF_INET6);
	nfct_set_attr_u8(pattern, ATTR_L4PROTO, IPPROTO_UDP);
	CHECK_INT(dumped_like(h, pattern, &seen), 1);
}

static int flush_filtered(struct nfct_handle *h, struct nfct_filter_dump *f)
{
	int result = nfct_query(h, NFCT_Q_FLUSH_FILTER, f), error = errno;

	nfct_filter_dump_destroy(f);
	errno = error;
	return result;
}

static void test_flush(struct nfct_handle *h)
{
	struct nfct_filter_dump *f = nfct_filter_dump_create();
	struct nfct_filter_dump_mark mark = { 1, 1 };
	struct nf_conntrack *pattern = flow(1);

	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_TUPLE, pattern);
	nfct_destroy(pattern);
	CHECK_ERR(flush_filtered(h, f), -1, ENOTSUP);
	CHECK_INT(flows_with(""), 4);
	f = nfct_filter_dump_create();
	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_MARK, &mark);
	CHECK_INT(flush_filtered(h, f), 0);
	CHECK_INT(flows_with(""), 2);
	CHECK_INT(flows_with(" mark=2 ") + flows_with(" mark=18 "), 2);
	f = nfct_filter_dump_create();
	nfct_filter_dump_set_attr_u8(f, NFCT_FILTER_DUMP_L3NUM, AF_INET6);
	CHECK_INT(flush_filtered(h, f), 0);
	CHECK_INT(flows_with(""), 1);
	CHECK_INT(flows_with("ipv4 "), 1);
	CHECK_INT(flush_filtered(h, nfct_filter_dump_create()), 0); /* empty: everything */
	CHECK_INT(flows_with(""), 0);
}
#endif

int main(void)
{
	struct nfct_handle *h;

	own_namespace();
	if (flows_with("") != 0) {
		skip("no /proc/net/nf_conntrack to read back from (CONFIG_NF_CONNTRACK_PROCFS)");
		return finish();
	}
	h = nfct_open(CONNTRACK, 0);
	create_table(h);
	test_dump(h);
	test_dump_and(h);
#ifndef REFERENCE
	test_zone(h);
	test_tuple(h);
	test_flush(h);
#endif
	CHECK_INT(nfct_close(h), 0);
	return finish();
}
