/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Expectation objects: attributes, the tuples in them, plain copies, messages. */
#include "attributes.h"
#include "wire.h"

static const int tuples[] = { ATTR_EXP_MASTER, ATTR_EXP_EXPECTED, ATTR_EXP_MASK,
			      ATTR_EXP_NAT_TUPLE };

/* The attributes an expectation has, as "0 3". */
static const char *exp_bits(const struct nf_expect *exp)
{
	static char text[64];
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < ATTR_EXP_MAX; i++)
		if (nfexp_attr_is_set(exp, EXP_ATTR(i)) == 1)
			used += (size_t)sprintf(text + used, used ? " %d" : "%d", i);
	return text;
}

static struct nf_conntrack *tuple(uint8_t host, uint16_t port)
{
	struct nf_conntrack *ct = nfct_new();

	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, htonl(0x0a000000u | host));
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, htonl(0x0a000100u | host));
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(port));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons((uint16_t)(port + 1)));
	return ct;
}

static void set_tuple(struct nf_expect *exp, int attr, uint8_t host, uint16_t port)
{
	struct nf_conntrack *ct = tuple(host, port);

	nfexp_set_attr(exp, EXP_ATTR(attr), ct);
	nfct_destroy(ct); /* it was copied */
}

static struct nf_expect *full(void)
{
	struct nf_expect *exp = nfexp_new();

	for (size_t i = 0; i < COUNT(tuples); i++)
		set_tuple(exp, tuples[i], (uint8_t)(i + 1), (uint16_t)(1000 * (i + 1)));
	nfexp_set_attr_u32(exp, ATTR_EXP_TIMEOUT, 300);
	nfexp_set_attr_u16(exp, ATTR_EXP_ZONE, 7);
	nfexp_set_attr_u32(exp, ATTR_EXP_FLAGS, NF_CT_EXPECT_PERMANENT);
	nfexp_set_attr(exp, ATTR_EXP_HELPER_NAME, "ftp");
	nfexp_set_attr_u32(exp, ATTR_EXP_CLASS, 1);
	nfexp_set_attr_u32(exp, ATTR_EXP_NAT_DIR, 1);
	nfexp_set_attr(exp, ATTR_EXP_FN, "nat-follow-master");
	return exp;
}

static void test_absent_and_out_of_range(void)
{
	static const int numbers[] = { ATTR_EXP_MAX, 12, 32, 255, 1 << 20, -1 };
	struct nf_expect *exp = nfexp_new();
	char value[16] = "";

	for (int i = 0; i < ATTR_EXP_MAX; i++) {
		about("attribute %d", i);
		CHECK_ERR(nfexp_attr_is_set(exp, EXP_ATTR(i)), 0, UNTOUCHED);
		CHECK_NULL(nfexp_get_attr(exp, EXP_ATTR(i)), ENODATA);
		CHECK_ERR(nfexp_get_attr_u8(exp, EXP_ATTR(i)), 0, ENODATA);
		CHECK_ERR(nfexp_get_attr_u16(exp, EXP_ATTR(i)), 0, ENODATA);
		CHECK_ERR(nfexp_get_attr_u32(exp, EXP_ATTR(i)), 0, ENODATA);
		CHECK_ERR(nfexp_attr_unset(exp, EXP_ATTR(i)), 0, UNTOUCHED);
	}
	for (size_t i = 0; i < COUNT(numbers); i++) {
		enum nf_expect_attr attr = EXP_ATTR(numbers[i]);

		about("attribute %d", numbers[i]);
		CHECK_NULL(nfexp_get_attr(exp, attr), EINVAL);
		CHECK_ERR(nfexp_get_attr_u8(exp, attr), 0, EINVAL);
		CHECK_ERR(nfexp_get_attr_u16(exp, attr), 0, EINVAL);
		CHECK_ERR(nfexp_get_attr_u32(exp, attr), 0, EINVAL);
		CHECK_ERR(nfexp_attr_is_set(exp, attr), -1, EINVAL);
		CHECK_ERR(nfexp_attr_unset(exp, attr), -1, EINVAL);
		errno = UNTOUCHED;
		nfexp_set_attr(exp, attr, value);
		nfexp_set_attr_u8(exp, attr, 1);
		nfexp_set_attr_u16(exp, attr, 1);
		nfexp_set_attr_u32(exp, attr, 1);
		CHECK_INT(errno, UNTOUCHED);
		CHECK_STR(exp_bits(exp), "");
	}
	about("");
	nfexp_destroy(exp);
}

static void test_integers(void)
{
	for (size_t i = 0; i < COUNT(expectation_attributes); i++) {
		const struct attribute *row = &expectation_attributes[i];
		enum nf_expect_attr attr = EXP_ATTR(row->number);
		struct nf_expect *exp = nfexp_new();
		uint32_t all = 0x11223344;
		char expected[8];

		if (row->kind != PLAIN) {
			nfexp_destroy(exp);
			continue;
		}
		about("attribute %d", row->number);
		sprintf(expected, "%d", row->number);
		nfexp_set_attr_u32(exp, attr, 0x11223344);
		CHECK_STR(exp_bits(exp), expected);
		CHECK_INT(first_bytes(nfexp_get_attr_u32(exp, attr), 4, row->bytes),
			  first_bytes(all, 4, row->bytes));
		CHECK_INT(nfexp_get_attr_u16(exp, attr), first_bytes(all, 4, 2));
		CHECK_INT(nfexp_get_attr_u8(exp, attr), first_bytes(all, 4, 1));
		CHECK_MEM(nfexp_get_attr(exp, attr), &all, row->bytes);
		nfexp_set_attr_u16(exp, attr, 0x5566);
		CHECK_INT(nfexp_get_attr_u16(exp, attr), 0x5566);
		nfexp_set_attr_u8(exp, attr, 0x77);
		CHECK_INT(nfexp_get_attr_u8(exp, attr), 0x77);
		CHECK_INT(nfexp_attr_unset(exp, attr), 0);
		CHECK_STR(exp_bits(exp), "");
		nfexp_destroy(exp);
	}
	about("");
#ifndef REFERENCE /* takes three more bytes from its stack */
	{
		struct nf_expect *exp = nfexp_new();

		nfexp_set_attr_u8(exp, ATTR_EXP_NAT_DIR, 1);
		CHECK_MEM(nfexp_get_attr(exp, ATTR_EXP_NAT_DIR), "\1\0\0\0", 4);
		nfexp_destroy(exp);
	}
#endif
}

static void test_names(void)
{
	struct nf_expect *exp = nfexp_new();

	nfexp_set_attr(exp, ATTR_EXP_HELPER_NAME, "0123456789abcdefghijklmnopqrstuvwxyz");
	nfexp_set_attr(exp, ATTR_EXP_FN, "0123456789abcdefghijklmnopqrstuvwxyz");
	CHECK_STR(nfexp_get_attr(exp, ATTR_EXP_HELPER_NAME), "0123456789abcde");
	CHECK_STR(nfexp_get_attr(exp, ATTR_EXP_FN), "0123456789abcdefghijklm");
	nfexp_set_attr(exp, ATTR_EXP_HELPER_NAME, "ftp");
	CHECK_STR(nfexp_get_attr(exp, ATTR_EXP_HELPER_NAME), "ftp");
	nfexp_set_attr(exp, ATTR_EXP_FN, "");
	CHECK_STR(nfexp_get_attr(exp, ATTR_EXP_FN), "");
	CHECK_STR(exp_bits(exp), "6 10");
	nfexp_destroy(exp);
}

/* The tuples are seen through a conntrack pointer into the expectation. */
static void test_tuples(void)
{
	struct nf_expect *exp = full();

	for (size_t i = 0; i < COUNT(tuples); i++) {
		const struct nf_conntrack *ct = nfexp_get_attr(exp, EXP_ATTR(tuples[i]));
		struct nf_conntrack *same = tuple((uint8_t)(i + 1), (uint16_t)(1000 * (i + 1)));
		struct nf_conntrack *copy = nfct_new();
		struct nfct_attr_grp_ipv4 addresses;
		char line[512];

		about("tuple %d", tuples[i]);
		CHECK(ct != NULL);
		CHECK_STR(bits(ct), "0 1 8 9 15 17");
		CHECK_INT(nfct_get_attr_u32(ct, ATTR_IPV4_SRC), htonl(0x0a000001u + (uint32_t)i));
		CHECK_INT(nfct_get_attr_u16(ct, ATTR_PORT_SRC), htons((uint16_t)(1000 * (i + 1))));
		CHECK_INT(nfct_get_attr_u8(ct, ATTR_L4PROTO), IPPROTO_TCP);
		CHECK_INT(nfct_get_attr_u8(ct, ATTR_L3PROTO), AF_INET);
		CHECK_INT(nfct_attr_grp_is_set(ct, ATTR_GRP_ORIG_IPV4), 1);
		CHECK_INT(nfct_get_attr_grp(ct, ATTR_GRP_ORIG_IPV4, &addresses), 0);
		CHECK_INT(addresses.dst, htonl(0x0a000101u + (uint32_t)i));
		CHECK_INT(nfct_cmp(ct, same, NFCT_CMP_ORIG), 1);
		CHECK_INT(nfct_attr_is_set(ct, ATTR_TCP_STATE), 0);
		nfct_copy(copy, ct, NFCT_CP_ORIG);
		CHECK_INT(nfct_cmp(copy, same, NFCT_CMP_ORIG | NFCT_CMP_STRICT), 1);
		CHECK(nfct_snprintf(line, sizeof(line), ct, 0, 0, 0) > 0);
		CHECK(strstr(line, "src=10.0.0.") != NULL);
		nfct_destroy(copy);
#ifndef REFERENCE /* reads far beyond the expectation */
		copy = nfct_clone(ct);
		CHECK_INT(nfct_cmp(copy, same, NFCT_CMP_ORIG | NFCT_CMP_STRICT), 1);
		nfct_destroy(copy);
#endif
		/* The pointer stays good while other attributes change. */
		nfexp_set_attr(exp, ATTR_EXP_FN, "another");
		CHECK(nfexp_get_attr(exp, EXP_ATTR(tuples[i])) == ct);
		nfct_set_attr_u16((struct nf_conntrack *)ct, ATTR_PORT_SRC, 0x1234);
		CHECK_INT(nfct_get_attr_u16(nfexp_get_attr(exp, EXP_ATTR(tuples[i])), ATTR_PORT_SRC),
			  0x1234);
		nfct_destroy(same);
	}
	about("");
	nfexp_set_attr(exp, ATTR_EXP_MASK, nfexp_get_attr(exp, ATTR_EXP_NAT_TUPLE));
	CHECK_INT(nfct_get_attr_u32(nfexp_get_attr(exp, ATTR_EXP_MASK), ATTR_IPV4_SRC),
		  htonl(0x0a000004));
	nfexp_destroy(exp);
}

#ifndef REFERENCE
/* A pointer into an expectation is safe however it is used: nothing it owns is shared. */
static void test_tuples_own_nothing(void)
{
	struct nf_expect *exp = nfexp_new(), *copy = nfexp_new();
	struct nf_conntrack *ct = tuple(1, 1000);
	struct nfct_bitmask *labels = nfct_bitmask_new(127);

	nfct_bitmask_set_bit(labels, 5);
	nfct_set_attr(ct, ATTR_CONNLABELS, labels);
	nfct_set_attr_l(ct, ATTR_HELPER_INFO, "secret", 6);
	nfexp_set_attr(exp, ATTR_EXP_MASTER, ct);
	nfct_destroy(ct);
	memcpy(copy, exp, nfexp_maxsize());
	ct = nfct_clone(nfexp_get_attr(copy, ATTR_EXP_MASTER));
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_IPV4_SRC), htonl(0x0a000001));
	nfct_destroy(ct);
	nfexp_destroy(exp);
	nfexp_destroy(copy);
}
#endif

static void test_copies(void)
{
	struct nf_expect *exp = full(), *copy = nfexp_new(), *clone = nfexp_clone(exp);
	struct nf_expect *heap = calloc(1, nfexp_maxsize());

	CHECK_INT(nfexp_sizeof(exp), nfexp_maxsize());
	CHECK_STR(exp_bits(clone), "0 1 2 3 4 5 6 7 8 9 10");
	CHECK_INT(nfexp_cmp(clone, exp, NFCT_CMP_STRICT), 1);
	memcpy(copy, exp, nfexp_maxsize()); /* as conntrackd does */
	CHECK_INT(nfexp_cmp(copy, exp, NFCT_CMP_STRICT), 1);
	nfexp_destroy(exp);
	CHECK_STR(nfexp_get_attr(copy, ATTR_EXP_FN), "nat-follow-master");
	CHECK_INT(nfct_get_attr_u32(nfexp_get_attr(copy, ATTR_EXP_NAT_TUPLE), ATTR_IPV4_SRC),
		  htonl(0x0a000004));
	CHECK_STR(exp_bits(heap), "");
	errno = UNTOUCHED;
	nfexp_destroy(copy);
	nfexp_destroy(clone);
	nfexp_destroy(heap);
	CHECK_INT(errno, UNTOUCHED);
}

/* What differs when one attribute differs, and what the flags make of an absent one. */
static void test_compare(void)
{
	static const struct { int attr, compared; } rows[] = {
		{ ATTR_EXP_MASTER, 1 }, { ATTR_EXP_EXPECTED, 1 }, { ATTR_EXP_MASK, 1 },
		{ ATTR_EXP_TIMEOUT, 0 }, { ATTR_EXP_ZONE, 1 }, { ATTR_EXP_FLAGS, 1 },
		{ ATTR_EXP_HELPER_NAME, 1 }, { ATTR_EXP_CLASS, 1 }, { ATTR_EXP_NAT_TUPLE, 1 },
		{ ATTR_EXP_NAT_DIR, 1 }, { ATTR_EXP_FN, 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct nf_expect *a = full(), *b = full();
		enum nf_expect_attr attr = EXP_ATTR(rows[i].attr);
		int differs = rows[i].compared;

		about("attribute %d", rows[i].attr);
		CHECK_INT(nfexp_cmp(a, b, 0), 1);
		if (memchr("\0\1\2\10", rows[i].attr, 4))
			set_tuple(b, rows[i].attr, 99, 99);
		else
			nfexp_set_attr(b, attr, "zzzz");
		CHECK_ERR(nfexp_cmp(a, b, 0), !differs, UNTOUCHED);
		nfexp_attr_unset(b, attr);
		CHECK_INT(nfexp_cmp(a, b, 0), 1);
		CHECK_INT(nfexp_cmp(a, b, NFCT_CMP_MASK), !differs);
		CHECK_INT(nfexp_cmp(b, a, NFCT_CMP_MASK), 1);
		CHECK_INT(nfexp_cmp(b, a, NFCT_CMP_STRICT), !differs);
		nfexp_destroy(a);
		nfexp_destroy(b);
	}
	about("");
}

static void test_messages(void)
{
	struct nf_expect *exp = full(), *back = nfexp_new();
	struct message m;

	CHECK_INT(nfexp_nlmsg_build(message_start(&m, 0x200, AF_INET), exp), 0);
	CHECK_INT(find(&m.u.header, 2, NULL), 48); /* expected tuple, master, mask, ... */
	CHECK_INT(find(&m.u.header, 1, NULL), 48);
	CHECK_INT(find(&m.u.header, 3, NULL), 48);
	CHECK_INT(find(&m.u.header, 6, NULL), 4);
	CHECK_INT(find(&m.u.header, 9, NULL), -1); /* class, NAT and function are never sent */
	CHECK_INT(find(&m.u.header, 10, NULL), -1);
	CHECK_INT(find(&m.u.header, 11, NULL), -1);
	CHECK_INT(m.u.bytes[ORDERED(22, 23)], 2); /* the expected tuple comes first */
	CHECK_INT(nfexp_nlmsg_parse(&m.u.header, back), 0);
	CHECK_STR(exp_bits(back), "0 1 2 3 4 5 6");
	for (int i = 0; i < 3; i++)
		CHECK_STR(bits(nfexp_get_attr(back, EXP_ATTR(i))), "0 1 8 9 15 17");
	CHECK_INT(nfexp_get_attr_u32(back, ATTR_EXP_TIMEOUT), 300);
	CHECK_INT(nfexp_get_attr_u16(back, ATTR_EXP_ZONE), 7);
	nfexp_destroy(back);

	back = nfexp_new();
	CHECK_INT(nfexp_parse_expect(NFCT_T_NEW, &m.u.header, back), 0);
	CHECK_STR(exp_bits(back), "");
	CHECK_INT(nfexp_parse_expect(NFCT_T_ALL, &m.u.header, back), NFCT_T_UPDATE);
	CHECK_STR(nfexp_get_attr(back, ATTR_EXP_HELPER_NAME), "ftp");
	nfexp_destroy(back);

	CHECK_INT(nfexp_build_query((struct nfnl_subsys_handle *)exp, NFCT_Q_CREATE, exp, &m, 4096), 1);
	CHECK_INT(m.u.header.nlmsg_type, 0x200);
	CHECK_INT(m.u.header.nlmsg_flags, 0x605);
	CHECK_INT(m.u.bytes[16], AF_INET);
	CHECK_ERR(nfexp_build_query((struct nfnl_subsys_handle *)exp, NFCT_Q_UPDATE, exp, &m, 4096),
		  -1, ENOTSUP);
	CHECK_INT(nfexp_build_expect((struct nfnl_subsys_handle *)exp, &m, 4096, 2, 0x33, exp), 0);
	CHECK_INT(m.u.header.nlmsg_type, 0x202);
	CHECK_INT(m.u.header.nlmsg_flags, 0x33);
	nfexp_destroy(exp);
}

static void test_parse_all(void)
{
	struct nf_expect *exp = nfexp_new();
	struct message m;
	size_t nat;

	message_start(&m, 0x200, AF_INET);
	put_tuple(&m, 1, 1, 2, IPPROTO_TCP, 1, 2);
	put_tuple(&m, 2, 3, 4, IPPROTO_TCP, 3, 4);
	put_tuple(&m, 3, 5, 6, IPPROTO_TCP, 5, 6);
	put_be32(&m, 9, 2);
	nat = nest(&m, 10);
	put_be32(&m, 1, 1);
	put_tuple(&m, 2, 7, 8, IPPROTO_TCP, 7, 8);
	nest_end(&m, nat);
	put(&m, 11, "nat-follow-master", 18);
	CHECK_INT(nfexp_nlmsg_parse(&m.u.header, exp), 0);
	CHECK_STR(exp_bits(exp), "0 1 2 7 8 9 10");
	CHECK_INT(nfexp_get_attr_u32(exp, ATTR_EXP_CLASS), 2);
	CHECK_INT(nfexp_get_attr_u32(exp, ATTR_EXP_NAT_DIR), 1);
	CHECK_STR(nfexp_get_attr(exp, ATTR_EXP_FN), "nat-follow-master");
	for (size_t i = 0; i < COUNT(tuples); i++)
		CHECK_STR(bits(nfexp_get_attr(exp, EXP_ATTR(tuples[i]))), "0 1 8 9 15 17");
	nfexp_destroy(exp);
#ifndef REFERENCE /* sets the family on the wrong tuple, aborts on a long name */
	for (uint16_t type = 1; type <= 3; type++) {
		static const int attr[] = { 0, ATTR_EXP_MASTER, ATTR_EXP_EXPECTED, ATTR_EXP_MASK };
		struct nf_expect *one = nfexp_new();

		message_start(&m, 0x200, AF_INET);
		put_tuple(&m, type, 1, 2, IPPROTO_TCP, 1, 2);
		put(&m, 11, "a name far longer than the room for it", 39);
		put(&m, 9, "\1", 1); /* a short class */
		put_be32(&m, 4, 9);
		CHECK_INT(nfexp_nlmsg_parse(&m.u.header, one), 0);
		CHECK_STR(bits(nfexp_get_attr(one, EXP_ATTR(attr[type]))), "0 1 8 9 15 17");
		CHECK_INT(nfexp_attr_is_set(one, ATTR_EXP_CLASS), 0);
		CHECK_INT(nfexp_get_attr_u32(one, ATTR_EXP_TIMEOUT), 9);
		nfexp_destroy(one);
	}
	exp = nfexp_new(); /* without a family a delete would empty the whole table */
	nfexp_set_attr_u32(exp, ATTR_EXP_TIMEOUT, 1);
	CHECK_ERR(nfexp_build_query(NULL, NFCT_Q_DESTROY, exp, &m, 4096), -1, EINVAL);
	nfexp_destroy(exp);
#endif
}

int main(void)
{
	test_absent_and_out_of_range();
	test_integers();
	test_names();
	test_tuples();
#ifndef REFERENCE
	test_tuples_own_nothing();
#endif
	test_copies();
	test_compare();
	test_messages();
	test_parse_all();
	return finish();
}
