/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Messages parsed: whole, cut and wrong ones. */
#include "wire.h"

static void put_many(struct message *m)
{
	size_t at, in;

	message_start(m, 0x100, AF_INET);
	put_tuple(m, 1, 1, 2, IPPROTO_TCP, 1000, 80);
	put_tuple(m, 2, 2, 1, IPPROTO_TCP, 80, 1000);
	put_be32(m, 3, 0xe);
	at = nest(m, 4), in = nest(m, 1);
	put_u8(m, 1, 3);
	put(m, 4, "\x0a\x0b", 2);
	nest_end(m, in);
	nest_end(m, at);
	put_be32(m, 7, 100);
	put_be32(m, 8, 0x12345678);
	at = nest(m, 9);
	put_be64(m, 1, 0x123456789a);
	put_be64(m, 2, 7);
	nest_end(m, at);
	put_be32(m, 12, 0xcafe);
	put_be16(m, 18, 9);
	at = nest(m, 19);
	put(m, 1, "system_u:x", 11);
	nest_end(m, at);
	put(m, 22, ORDERED("\x02\0\0\0\x01", "\0\0\0\x02\0\0\0\x01"), ORDERED(5, 8));
	put_be32(m, 200, 1); /* newer than us: skipped */
	put_be32(m, 17, 0x5ec);
}

static void test_parse(void)
{
	struct nf_conntrack *ct = nfct_new();
	struct message m;

	put_many(&m);
	CHECK_INT(nfct_nlmsg_parse(&m.u.header, ct), 0);
	CHECK_STR(bits(ct), "0 1 2 3 8 9 10 11 15 16 17 18 19 24 25 26 28 31 32 33 35 45 61 62 66");
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_REPL_IPV4_DST), htonl(0x0a000001));
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_PORT_SRC), htons(1000));
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_TCP_MASK_ORIG), 0x0b);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_TIMEOUT), 100);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), 0x12345678);
	CHECK_INT(nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_PACKETS), 0x123456789a);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_ORIG_COUNTER_PACKETS), first_bytes(0x123456789a, 8, 4));
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_ID), 0xcafe);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_ZONE), 9);
	CHECK_STR(nfct_get_attr(ct, ATTR_SECCTX), "system_u:x");
	CHECK_INT(nfct_bitmask_maxbit(nfct_get_attr(ct, ATTR_CONNLABELS)), 63);
	CHECK_INT(nfct_bitmask_test_bit(nfct_get_attr(ct, ATTR_CONNLABELS), 32), 1);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_SECMARK), 0x5ec);
	/* A setter that stores nothing lets what was parsed show again. */
	nfct_attr_unset(ct, ATTR_ORIG_COUNTER_BYTES);
	nfct_set_attr_u64(ct, ATTR_ORIG_COUNTER_BYTES, 1);
	CHECK_INT(nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_BYTES), 7);
	nfct_destroy(ct);

	ct = nfct_new();
	CHECK_INT(nfct_parse_conntrack(NFCT_T_NEW, &m.u.header, ct), 0); /* it is an update */
	CHECK_STR(bits(ct), "");
	CHECK_INT(nfct_parse_conntrack(NFCT_T_ALL, &m.u.header, ct), NFCT_T_UPDATE);
	m.u.header.nlmsg_flags = NLM_F_CREATE;
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), 0x12345678);
	nfct_destroy(ct);
	ct = nfct_new();
	CHECK_INT(nfct_parse_conntrack(NFCT_T_ALL, &m.u.header, ct), NFCT_T_NEW);
	nfct_destroy(ct);
	ct = nfct_new();
	m.u.header.nlmsg_type = 0x102;
	CHECK_INT(nfct_parse_conntrack(NFCT_T_ALL, &m.u.header, ct), NFCT_T_DESTROY);
	m.u.header.nlmsg_type = 0x101;
	CHECK_INT(nfct_parse_conntrack(NFCT_T_ALL, &m.u.header, ct), 0);
	nfct_destroy(ct);
	ct = nfct_new();
	CHECK_INT(nfct_payload_parse(m.u.bytes + 20, m.u.header.nlmsg_len - 20, AF_INET, ct), 0);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_SECMARK), 0x5ec);
	CHECK_ERR(nfct_payload_parse(m.u.bytes + 20, 1, AF_INET, ct), 0, UNTOUCHED);
	nfct_destroy(ct);
}

/* Parses exactly `size` bytes of a heap block, so that a memory checker sees any overrun. */
static int parse_copy(const struct message *m, size_t size, struct nf_conntrack *ct)
{
	struct nlmsghdr *nlh = malloc(size);
	int result;

	memcpy(nlh, m, size);
	nlh->nlmsg_len = (uint32_t)size;
	result = nfct_nlmsg_parse(nlh, ct);
	free(nlh);
	return result;
}

static void test_truncated(void)
{
	struct message m;

	put_many(&m);
	/* Cut between attributes: what came before is kept. Cut inside one: that one is lost. */
	for (size_t at = 20, end = m.u.header.nlmsg_len; at < end;) {
		struct nf_conntrack *ct = nfct_new();
		uint16_t length, type;

		memcpy(&length, m.u.bytes + at, 2);
		memcpy(&type, m.u.bytes + at + 2, 2);
		about("cut in attribute %d", type & 0x3fff);
		CHECK_INT(parse_copy(&m, at + 1, ct), 0);
		CHECK_INT(parse_copy(&m, at + length - 1, ct), 0);
		CHECK_INT(nfct_attr_is_set(ct, ATTR_SECMARK), 0);
		CHECK_INT(nfct_attr_is_set(ct, ATTR_IPV4_SRC), at > 20);
		nfct_destroy(ct);
		at += (size_t)(length + 3) & ~(size_t)3;
	}
	about("");
	m.u.header.nlmsg_len = 10;
	{
		struct nf_conntrack *ct = nfct_new();

		CHECK_INT(nfct_nlmsg_parse(&m.u.header, ct), 0);
		CHECK_STR(bits(ct), "");
		nfct_destroy(ct);
	}
}

#ifndef REFERENCE /* exits on a length it does not expect */
static void test_every_cut_and_every_byte(void)
{
	struct message m, broken;

	put_many(&m);
	for (size_t size = 20; size <= m.u.header.nlmsg_len; size++) {
		struct nf_conntrack *ct = nfct_new();

		parse_copy(&m, size, ct);
		nfct_destroy(ct);
	}
	for (size_t at = 20; at < m.u.header.nlmsg_len; at++)
		for (int change = 0; change < 256; change += change < 16 ? 1 : 13) {
			struct nf_conntrack *ct = nfct_new();

			broken = m;
			broken.u.bytes[at] = (uint8_t)change;
			parse_copy(&broken, m.u.header.nlmsg_len, ct);
			nfct_destroy(ct);
		}
	CHECK(1); /* got here */
}

/* An attribute of an unexpected length is skipped; what follows it is not lost. */
static void test_bad_lengths(void)
{
	static const int types[] = { 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20,
				     24, 27 };
	static const char junk[] = { 3, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 };

	for (size_t i = 0; i < COUNT(types); i++)
		for (size_t length = 0; length <= sizeof(junk); length++) {
			struct nf_conntrack *ct = nfct_new();
			struct message m;

			about("attribute %d of %zu bytes", types[i], length);
			message_start(&m, 0x100, AF_INET);
			put(&m, (uint16_t)types[i], junk, length);
			if (types[i] != 8)
				put_be32(&m, 8, 5);
			CHECK_INT(parse_copy(&m, m.u.header.nlmsg_len, ct), 0);
			if (types[i] != 8)
				CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), 5);
			else
				CHECK_INT(nfct_attr_is_set(ct, ATTR_MARK), length == 4);
			nfct_destroy(ct);
		}
	about("");
}
#endif

int main(void)
{
	test_parse();
	test_truncated();
#ifndef REFERENCE
	test_every_cut_and_every_byte();
	test_bad_lengths();
#endif
	return finish();
}
