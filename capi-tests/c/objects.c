/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Attributes of a conntrack object: set, get, presence, widths, and what shares storage. */
#include "attributes.h"
#include "wire.h"

/* Bytes of an attribute that is an integer or an address, else 0. */
static size_t width(int attr)
{
	return entry_attributes[attr].kind <= FIXED ? entry_attributes[attr].bytes : 0;
}

static int is_inert(int attr)
{
	return entry_attributes[attr].kind != PLAIN;
}

static int is_fixed(int attr)
{
	return entry_attributes[attr].kind == FIXED;
}

static uint64_t get_integer(const struct nf_conntrack *ct, int attr)
{
	switch (width(attr)) {
	case 1: return nfct_get_attr_u8(ct, ATTR(attr));
	case 2: return nfct_get_attr_u16(ct, ATTR(attr));
	case 4: return nfct_get_attr_u32(ct, ATTR(attr));
	default: return nfct_get_attr_u64(ct, ATTR(attr));
	}
}

static void set_integer(struct nf_conntrack *ct, int attr, uint64_t value)
{
	switch (width(attr)) {
	case 1: nfct_set_attr_u8(ct, ATTR(attr), (uint8_t)value); break;
	case 2: nfct_set_attr_u16(ct, ATTR(attr), (uint16_t)value); break;
	case 4: nfct_set_attr_u32(ct, ATTR(attr), (uint32_t)value); break;
	default: nfct_set_attr_u64(ct, ATTR(attr), value); break;
	}
}

static void test_absent(void)
{
	struct nf_conntrack *ct = nfct_new();

	for (int attr = 0; attr < ATTR_MAX; attr++) {
		about("attribute %d", attr);
		CHECK_ERR(nfct_attr_is_set(ct, ATTR(attr)), 0, UNTOUCHED);
		CHECK_NULL(nfct_get_attr(ct, ATTR(attr)), ENODATA);
		CHECK_ERR(nfct_get_attr_u8(ct, ATTR(attr)), 0, ENODATA);
		CHECK_ERR(nfct_get_attr_u16(ct, ATTR(attr)), 0, ENODATA);
		CHECK_ERR(nfct_get_attr_u32(ct, ATTR(attr)), 0, ENODATA);
		CHECK_ERR(nfct_get_attr_u64(ct, ATTR(attr)), 0, ENODATA);
		CHECK_ERR(nfct_attr_unset(ct, ATTR(attr)), 0, UNTOUCHED);
	}
	about("");
	nfct_destroy(ct);
}

static void test_out_of_range(void)
{
	static const int numbers[] = { 76, 77, 95, 96, 255, 1 << 16, -1 };
	struct nf_conntrack *ct = nfct_new();
	uint8_t value[16] = { 1 };

	for (size_t i = 0; i < COUNT(numbers); i++) {
		enum nf_conntrack_attr attr = ATTR(numbers[i]);

		about("attribute %d", numbers[i]);
		CHECK_NULL(nfct_get_attr(ct, attr), EINVAL);
		CHECK_ERR(nfct_get_attr_u8(ct, attr), 0, EINVAL);
		CHECK_ERR(nfct_get_attr_u16(ct, attr), 0, EINVAL);
		CHECK_ERR(nfct_get_attr_u32(ct, attr), 0, EINVAL);
		CHECK_ERR(nfct_get_attr_u64(ct, attr), 0, EINVAL);
		CHECK_ERR(nfct_attr_is_set(ct, attr), -1, EINVAL);
		CHECK_ERR(nfct_attr_unset(ct, attr), -1, EINVAL);
		errno = UNTOUCHED;
		nfct_set_attr(ct, attr, value);
		nfct_set_attr_l(ct, attr, value, sizeof(value));
		nfct_set_attr_u8(ct, attr, 1);
		nfct_set_attr_u16(ct, attr, 1);
		nfct_set_attr_u32(ct, attr, 1);
		nfct_set_attr_u64(ct, attr, 1);
		CHECK_INT(errno, UNTOUCHED);
		CHECK_STR(bits(ct), "");
	}
	about("");
#ifndef REFERENCE
	CHECK_INT(ATTR_MAX, 76);
#endif
	nfct_destroy(ct);
}

/* One attribute alone: set both ways, read both ways, unset, set again. */
static void test_integer(int attr)
{
	const uint64_t pattern = 0xf1e2d3c4b5a69788u, other = 0x1020304050607080u;
	uint64_t mask = width(attr) == 8 ? ~(uint64_t)0 : ((uint64_t)1 << 8 * width(attr)) - 1;
	struct nf_conntrack *ct = nfct_new();
	char unaligned[9], expected[8];
	const void *inside;

	about("attribute %d", attr);
	sprintf(expected, "%d", attr);
	if (is_fixed(attr))
		expected[0] = '\0';
	memcpy(unaligned + 1, &pattern, 8);
	errno = UNTOUCHED;
	nfct_set_attr(ct, ATTR(attr), unaligned + 1);
	CHECK_STR(bits(ct), expected);
	if (!is_fixed(attr)) {
		CHECK_INT(get_integer(ct, attr), is_inert(attr) ? 0 : first_bytes(pattern, 8, width(attr)));
		inside = nfct_get_attr(ct, ATTR(attr));
		CHECK(inside != NULL);
		CHECK_MEM(inside, is_inert(attr) ? "\0\0\0\0\0\0\0" : unaligned + 1, width(attr));
		set_integer(ct, attr, other);
		CHECK_INT(get_integer(ct, attr), is_inert(attr) ? 0 : other & mask);
		CHECK(nfct_get_attr(ct, ATTR(attr)) == inside);
		nfct_set_attr_l(ct, ATTR(attr), unaligned + 1, 1); /* the length does not matter */
		CHECK_INT(get_integer(ct, attr), is_inert(attr) ? 0 : first_bytes(pattern, 8, width(attr)));
		CHECK_INT(nfct_attr_unset(ct, ATTR(attr)), 0);
		CHECK_MEM(inside, is_inert(attr) ? "\0\0\0\0\0\0\0" : unaligned + 1, width(attr));
		CHECK_INT(errno, UNTOUCHED);
	}
	CHECK_STR(bits(ct), "");
	CHECK_NULL(nfct_get_attr(ct, ATTR(attr)), ENODATA);
	about("");
	nfct_destroy(ct);
}

static void test_address(int attr)
{
	struct nf_conntrack *ct = nfct_new();
	char expected[8];

	about("attribute %d", attr);
	sprintf(expected, "%d", attr);
	nfct_set_attr(ct, ATTR(attr), "0123456789abcdef");
	CHECK_STR(bits(ct), expected);
	CHECK_MEM(nfct_get_attr(ct, ATTR(attr)), "0123456789abcdef", 16);
	CHECK_INT(nfct_attr_unset(ct, ATTR(attr)), 0);
	CHECK_NULL(nfct_get_attr(ct, ATTR(attr)), ENODATA);
	about("");
	nfct_destroy(ct);
}

static void test_every_attribute(void)
{
	for (int attr = 0; attr < ATTR_MAX; attr++) {
		if (width(attr) == 16)
			test_address(attr);
		else if (width(attr) != 0)
			test_integer(attr);
	}
}

/* A number that is wider or narrower than its attribute is bytes in memory. */
static void test_widths(void)
{
	struct nf_conntrack *ct = nfct_new();

	nfct_set_attr_u64(ct, ATTR_MARK, 0x1122334455667788u);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), first_bytes(0x1122334455667788u, 8, 4));
	nfct_set_attr_u32(ct, ATTR_ZONE, 0x11223344);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_ZONE), first_bytes(0x11223344, 4, 2));
	nfct_set_attr_u32(ct, ATTR_L3PROTO, 0x11223302);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_L3PROTO), first_bytes(0x11223302, 4, 1));
	nfct_set_attr_u64(ct, ATTR_PORT_SRC, 0x112233445566u);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_PORT_SRC), first_bytes(0x112233445566u, 8, 2));
	nfct_set_attr_u8(ct, ATTR_SECMARK, 0x44);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_SECMARK), 0x44);
	nfct_destroy(ct);

	ct = nfct_new();
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 0x11223344);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_TIMEOUT), first_bytes(0x11223344, 4, 1));
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_TIMEOUT), first_bytes(0x11223344, 4, 2));
	nfct_set_attr_u32(ct, ATTR_MARK, 0x55667788);
	CHECK_INT(nfct_get_attr_u64(ct, ATTR_TIMEOUT), ORDERED(0x5566778811223344, 0x1122334455667788));
	nfct_set_attr_u8(ct, ATTR_L3PROTO, 2);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, 6);
	nfct_set_attr_u16(ct, ATTR_ORIG_ZONE, 0x1234);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, 0xaabb);
	nfct_set_attr_u16(ct, ATTR_PORT_DST, 0xccdd);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_L3PROTO), ORDERED(0x602, 0x206));
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_L4PROTO), ORDERED(0x3406, 0x612));
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_L3PROTO), ORDERED(0x12340602, 0x2061234));
	CHECK_INT(nfct_get_attr_u64(ct, ATTR_L3PROTO), ORDERED(0xccddaabb12340602u, 0x2061234aabbccddu));
	nfct_set_attr_u8(ct, ATTR_TCP_STATE, 3);
	nfct_set_attr_u8(ct, ATTR_TCP_FLAGS_ORIG, 0x10);
	nfct_set_attr_u8(ct, ATTR_TCP_MASK_ORIG, 0x20);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_TCP_STATE), ORDERED(0x201003, 0x3102000));
	nfct_set_attr(ct, ATTR_HELPER_NAME, "ABCD");
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_HELPER_NAME), ORDERED(0x44434241, 0x41424344));
	nfct_set_attr(ct, ATTR_SECCTX, "x");
	CHECK_ERR(nfct_get_attr_u32(ct, ATTR_SECCTX), 0, UNTOUCHED);
	nfct_destroy(ct);
}

static void test_shared_addresses(void)
{
	static const uint8_t six[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	static const uint8_t mixed[16] = { 0xaa, 0xbb, 0xcc, 0xdd, 5, 6, 7, 8, 9, 10, 11, 12, 13,
					   14, 15, 16 };
	static const int pairs[][2] = { { 0, 4 }, { 1, 5 }, { 2, 6 }, { 3, 7 }, { 37, 39 },
					{ 38, 40 }, { 20, 70 }, { 21, 71 } };

	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct nf_conntrack *ct = nfct_new();

		about("attributes %d and %d", pairs[i][0], pairs[i][1]);
		nfct_set_attr(ct, ATTR(pairs[i][1]), six);
		nfct_set_attr_u32(ct, ATTR(pairs[i][0]), htonl(0xaabbccdd));
		CHECK_MEM(nfct_get_attr(ct, ATTR(pairs[i][1])), mixed, 16);
		CHECK_INT(nfct_attr_is_set(ct, ATTR(pairs[i][0])), 1);
		CHECK_INT(nfct_attr_is_set(ct, ATTR(pairs[i][1])), 1);
		nfct_destroy(ct);

		/* iptstate and conntrack read 16 bytes through the IPv4 getter. */
		ct = nfct_new();
		nfct_set_attr_u32(ct, ATTR(pairs[i][0]), htonl(0xaabbccdd));
		CHECK_MEM(nfct_get_attr(ct, ATTR(pairs[i][0])),
			  "\xaa\xbb\xcc\xdd\0\0\0\0\0\0\0\0\0\0\0", 16);
		nfct_destroy(ct);
	}
	about("");
}

static void test_shared_l4(void)
{
	struct nf_conntrack *ct = nfct_new();

	nfct_set_attr_u8(ct, ATTR_ICMP_TYPE, 8);
	nfct_set_attr_u8(ct, ATTR_ICMP_CODE, 3);
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(80));
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_ICMP_TYPE), 0);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_ICMP_CODE), 0x50);
	nfct_set_attr_u16(ct, ATTR_ICMP_ID, 0x1234);
	CHECK_INT(nfct_attr_is_set(ct, ATTR_PORT_SRC), 0);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, 0x4321);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_ICMP_ID), 0x4321);
	CHECK_STR(bits(ct), "8 9 12 13 14");
	nfct_set_attr_u8(ct, ATTR_TCP_STATE, 3);
	nfct_set_attr_u8(ct, ATTR_SCTP_STATE, 4);
	nfct_set_attr_u8(ct, ATTR_DCCP_STATE, 5);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_TCP_STATE), 5);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_SCTP_STATE), 5);
	nfct_set_attr_u8(ct, ATTR_DCCP_ROLE, 1);
	CHECK_INT(nfct_attr_is_set(ct, ATTR_TCP_FLAGS_ORIG), 0);
	nfct_set_attr_u8(ct, ATTR_TCP_FLAGS_ORIG, 7);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_DCCP_ROLE), 7);
	nfct_set_attr_u64(ct, ATTR_DCCP_HANDSHAKE_SEQ, 0x1122334455667788u);
	nfct_set_attr_u32(ct, ATTR_SCTP_VTAG_REPL, 0xa1b2c3d4);
	/* Where a number of 8 bytes is aligned to 4, it begins with the other tag. */
#ifdef __i386__
	CHECK_INT(nfct_get_attr_u64(ct, ATTR_DCCP_HANDSHAKE_SEQ), (long long)0xa1b2c3d455667788u);
#else
	CHECK_INT(nfct_get_attr_u64(ct, ATTR_DCCP_HANDSHAKE_SEQ), ORDERED(0x11223344a1b2c3d4, 0xa1b2c3d455667788u));
#endif
	nfct_set_attr_u32(ct, ATTR_SCTP_VTAG_ORIG, 0xd1c2b3a4);
	nfct_set_attr_u8(ct, ATTR_TCP_WSCALE_ORIG, 0);
	nfct_set_attr_u8(ct, ATTR_TCP_WSCALE_REPL, 1);
	nfct_set_attr_u8(ct, ATTR_TCP_MASK_REPL, 2);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_SCTP_VTAG_ORIG), ORDERED(0xd1010002, 0x20001a4));
	nfct_destroy(ct);
}

static void test_names_and_data(void)
{
	struct nf_conntrack *ct = nfct_new();
	const char *name;

	nfct_set_attr(ct, ATTR_HELPER_NAME, "0123456789abcdefghijkl");
	name = nfct_get_attr(ct, ATTR_HELPER_NAME);
	CHECK_STR(name, "0123456789abcde");
	nfct_set_attr_l(ct, ATTR_HELPER_NAME, "", 9);
	CHECK_STR(name, "");
	CHECK_INT(nfct_attr_is_set(ct, ATTR_HELPER_NAME), 1);

	nfct_set_attr(ct, ATTR_SECCTX, "ignored");
	CHECK_NULL(nfct_get_attr(ct, ATTR_SECCTX), UNTOUCHED);
	CHECK_INT(nfct_attr_is_set(ct, ATTR_SECCTX), 1);

	nfct_set_attr_l(ct, ATTR_HELPER_INFO, "secret", 6);
	CHECK_MEM(nfct_get_attr(ct, ATTR_HELPER_INFO), "secret", 6);
	nfct_set_attr_l(ct, ATTR_HELPER_INFO, "another one", 11);
	CHECK_MEM(nfct_get_attr(ct, ATTR_HELPER_INFO), "another one", 11);
	nfct_set_attr_u32(ct, ATTR_HELPER_INFO, ORDERED(0x44434241, 0x41424344));
	CHECK_MEM(nfct_get_attr(ct, ATTR_HELPER_INFO), "ABCD", 4);
	nfct_set_attr(ct, ATTR_HELPER_INFO, "no length, no bytes");
	CHECK(nfct_get_attr(ct, ATTR_HELPER_INFO) != NULL);
	CHECK_STR(bits(ct), "55 62 65");
	nfct_destroy(ct);
}

static void test_labels(void)
{
	for (int attr = ATTR_CONNLABELS; attr <= ATTR_CONNLABELS_MASK; attr++) {
		struct nf_conntrack *ct = nfct_new();
		struct nfct_bitmask *first = nfct_bitmask_new(127), *second = nfct_bitmask_new(31);

		about("attribute %d", attr);
		nfct_set_attr(ct, ATTR(attr), first);
		CHECK(nfct_get_attr(ct, ATTR(attr)) == first);
		nfct_bitmask_set_bit(first, 100); /* conntrack edits the bits in place */
		CHECK_INT(nfct_bitmask_test_bit(nfct_get_attr(ct, ATTR(attr)), 100), 1);
		nfct_set_attr(ct, ATTR(attr), first);
		CHECK(nfct_get_attr(ct, ATTR(attr)) == first);
		nfct_set_attr(ct, ATTR(attr), second); /* frees the first */
		CHECK(nfct_get_attr(ct, ATTR(attr)) == second);
		CHECK_INT(nfct_attr_unset(ct, ATTR(attr)), 0);
		CHECK_NULL(nfct_get_attr(ct, ATTR(attr)), ENODATA);
		nfct_destroy(ct); /* frees the second */
	}
	about("");
}

static void test_is_set_array(void)
{
	enum nf_conntrack_attr wanted[3] = { ATTR_MARK, ATTR_TIMEOUT, ATTR(999) };
	struct nf_conntrack *ct = nfct_new();

	nfct_set_attr_u32(ct, ATTR_MARK, 1);
	CHECK_ERR(nfct_attr_is_set_array(ct, wanted, 3), 0, UNTOUCHED);
	CHECK_INT(nfct_attr_is_set_array(ct, wanted, 1), 1);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 1);
	CHECK_INT(nfct_attr_is_set_array(ct, wanted, 2), 1);
	CHECK_ERR(nfct_attr_is_set_array(ct, wanted, 3), -1, EINVAL);
	CHECK_ERR(nfct_attr_is_set_array(ct, NULL, 0), 1, UNTOUCHED);
	CHECK_INT(nfct_attr_is_set_array(ct, NULL, -1), 1);
	nfct_destroy(ct);
}

static void test_sizes_and_plain_memory(void)
{
	struct nf_conntrack *ct = nfct_new(), *heap = calloc(1, nfct_maxsize()), *clone;
	uint64_t memory[512] = { 0 };
	struct nf_conntrack *stack = (struct nf_conntrack *)memory;

	CHECK(nfct_maxsize() != 0 && nfct_maxsize() <= sizeof(memory));
	CHECK_INT(nfct_sizeof(ct), nfct_maxsize());
	CHECK_STR(bits(stack), "");
	nfct_set_attr_u32(stack, ATTR_MARK, 7);
	CHECK_INT(nfct_get_attr_u32(stack, ATTR_MARK), 7);
	nfct_copy(ct, stack, NFCT_CP_ALL);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), 7);
	clone = nfct_clone(stack);
	CHECK_INT(nfct_compare(clone, stack), 1);
	nfct_set_attr_u32(heap, ATTR_TIMEOUT, 9);
	errno = UNTOUCHED;
	nfct_destroy(heap);
	nfct_destroy(clone);
	nfct_destroy(ct);
	CHECK_INT(errno, UNTOUCHED);
}

#ifndef REFERENCE
static void test_misuse(void)
{
	struct nf_conntrack *ct = nfct_new();

	nfct_set_attr_u32(ct, ATTR_CONNLABELS, 7); /* not a bitmask */
	nfct_set_attr_u64(ct, ATTR_CONNLABELS_MASK, 7);
	nfct_set_attr_u8(ct, ATTR_IPV6_SRC, 7); /* not 16 bytes */
	nfct_set_attr_u8(ct, ATTR_HELPER_NAME, 'x');
	nfct_set_attr_l(ct, ATTR_HELPER_INFO, "secret", 6);
	nfct_set_attr_l(ct, ATTR_HELPER_INFO, nfct_get_attr(ct, ATTR_HELPER_INFO), 6);
	CHECK_MEM(nfct_get_attr(ct, ATTR_HELPER_INFO), "secret", 6);
	nfct_destroy(ct);
}
#endif

int main(void)
{
	test_absent();
	test_out_of_range();
	test_every_attribute();
	test_widths();
	test_shared_addresses();
	test_shared_l4();
	test_names_and_data();
	test_labels();
	test_is_set_array();
	test_sizes_and_plain_memory();
#ifndef REFERENCE
	test_misuse();
#endif
	return finish();
}
