/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Attribute groups: which bits each sets and needs, and what it reads and writes. */
#include "attributes.h"

#define GROUP(number) ((enum nf_conntrack_attr_grp)(number))

static void test_group(int number)
{
	static const char data[] = "0123456789abcdefghijklmnopqrstuv";
	const struct attribute *group = &attribute_groups[number];
	const int *members = group->members;
	struct nf_conntrack *ct = nfct_new();
	char out[33] = "", expected[32];
	size_t stores = group->kind == PLAIN ? group->bytes : 0;

	about("group %d", number);
	sprintf(expected, members[2] < 0 ? "%d %d" : "%d %d %d", members[0], members[1], members[2]);
	CHECK_ERR(nfct_attr_grp_is_set(ct, GROUP(number)), 0, UNTOUCHED);
	CHECK_ERR(nfct_get_attr_grp(ct, GROUP(number), out), -1, ENODATA);
	CHECK_ERR(nfct_get_attr_grp(ct, GROUP(number), NULL), -1, ENODATA);
	errno = UNTOUCHED;
	nfct_set_attr_grp(ct, GROUP(number), stores ? data : NULL);
	CHECK_STR(bits(ct), expected);
	CHECK_INT(nfct_attr_grp_is_set(ct, GROUP(number)), 1);
	CHECK_INT(nfct_get_attr_grp(ct, GROUP(number), out), 0);
	CHECK_INT(errno, UNTOUCHED);
	CHECK_MEM(out, stores ? data : "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", stores ? stores : 16);
	CHECK_STR(out + (stores ? stores : 16), ""); /* and not a byte more */
	for (int i = 0; i < 3 && members[i] >= 0; i++) {
		CHECK_INT(nfct_attr_unset(ct, ATTR(members[i])), 0);
		CHECK_INT(nfct_attr_grp_is_set(ct, GROUP(number)), group->kind == EITHER && i == 0);
	}
	for (int i = 0; i < ATTR_MAX; i++)
		if (i != ATTR_CONNLABELS && i != ATTR_CONNLABELS_MASK && i != ATTR_TIMESTAMP_EVENT)
			nfct_set_attr(ct, ATTR(i), data);
	CHECK_INT(nfct_attr_grp_unset(ct, GROUP(number)), 0);
	for (int i = 0; i < 3 && members[i] >= 0; i++)
		CHECK_INT(nfct_attr_is_set(ct, ATTR(members[i])), 0);
	CHECK_INT(nfct_attr_is_set(ct, ATTR_MARK), 1);
	about("");
	nfct_destroy(ct);
}

static void test_families(void)
{
	static const struct { int group, attr, family; } rows[] = {
		{ ATTR_GRP_ORIG_IPV4, ATTR_ORIG_L3PROTO, AF_INET },
		{ ATTR_GRP_REPL_IPV4, ATTR_REPL_L3PROTO, AF_INET },
		{ ATTR_GRP_MASTER_IPV4, ATTR_MASTER_L3PROTO, AF_INET },
		{ ATTR_GRP_ORIG_IPV6, ATTR_ORIG_L3PROTO, AF_INET6 },
		{ ATTR_GRP_REPL_IPV6, ATTR_REPL_L3PROTO, AF_INET6 },
		{ ATTR_GRP_MASTER_IPV6, ATTR_MASTER_L3PROTO, AF_INET6 },
		{ ATTR_GRP_ORIG_PORT, ATTR_ORIG_L4PROTO, 0 },
		{ ATTR_GRP_MASTER_PORT, ATTR_MASTER_L4PROTO, 0 },
	};
	uint8_t data[32] = { 1, 2, 3, 4 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct nf_conntrack *ct = nfct_new();

		about("group %d", rows[i].group);
		nfct_set_attr_grp(ct, GROUP(rows[i].group), data);
		CHECK_INT(nfct_get_attr_u8(ct, ATTR(rows[i].attr)), rows[i].family);
		nfct_destroy(ct);
	}
	about("");
}

static void test_layouts(void)
{
	struct nf_conntrack *ct = nfct_new();
	struct nfct_attr_grp_icmp icmp = { 0x1234, 5, 8 };
	struct nfct_attr_grp_port port = { 0x1111, 0x2222 };
	union nfct_attr_grp_addr addr;

	CHECK_MEM(&icmp, ORDERED("\x34\x12\x05\x08", "\x12\x34\x05\x08"), 4);
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_grp(ct, ATTR_GRP_ICMP, &icmp);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_ICMP_TYPE), 8);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_ICMP_CODE), 5);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_ICMP_ID), 0x1234);
	nfct_set_attr_grp(ct, ATTR_GRP_ORIG_PORT, &port);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_PORT_SRC), 0x1111);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_PORT_DST), 0x2222);
	/* ct_helper_ftp compares all 16 bytes of the address of either family. */
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, htonl(0xaabbccdd));
	memset(&addr, 0xff, sizeof(addr));
	CHECK_INT(nfct_get_attr_grp(ct, ATTR_GRP_ORIG_ADDR_SRC, &addr), 0);
	CHECK_MEM(&addr, "\xaa\xbb\xcc\xdd\0\0\0\0\0\0\0\0\0\0\0", 16);
	nfct_destroy(ct);

	ct = nfct_new();
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, 1);
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, 2);
	CHECK_ERR(nfct_get_attr_grp(ct, ATTR_GRP_ORIG_IPV4, &addr), -1, ENODATA);
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET6); /* the value does not matter */
	CHECK_INT(nfct_get_attr_grp(ct, ATTR_GRP_ORIG_IPV4, &addr), 0);
	CHECK_INT(nfct_attr_grp_unset(ct, ATTR_GRP_ORIG_ADDR_SRC), 0);
	CHECK_STR(bits(ct), "1 15");
	nfct_destroy(ct);
}

static void test_out_of_range(void)
{
	static const int numbers[] = { 16, 17, 255, -1 };
	struct nf_conntrack *ct = nfct_new();
	char data[32] = "";

	for (size_t i = 0; i < COUNT(numbers); i++) {
		CHECK_ERR(nfct_attr_grp_is_set(ct, GROUP(numbers[i])), -1, EINVAL);
		CHECK_ERR(nfct_attr_grp_unset(ct, GROUP(numbers[i])), -1, EINVAL);
		CHECK_ERR(nfct_get_attr_grp(ct, GROUP(numbers[i]), data), -1, EINVAL);
		errno = UNTOUCHED;
		nfct_set_attr_grp(ct, GROUP(numbers[i]), data);
		CHECK_INT(errno, UNTOUCHED);
		CHECK_STR(bits(ct), "");
	}
	nfct_destroy(ct);
}

int main(void)
{
	CHECK_INT(COUNT(attribute_groups), ATTR_GRP_MAX);
	for (int group = 0; group < ATTR_GRP_MAX; group++)
		test_group(group);
	test_families();
	test_layouts();
	test_out_of_range();
	return finish();
}
