/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Copies, attribute groups, object options and the reply side that the ICMP setters fill. */
#include "attributes.h"
#include "wire.h"

/* An object with every attribute a setter can set. */
static struct nf_conntrack *full(void)
{
	struct nf_conntrack *ct = nfct_new();
	uint8_t value[16];

	for (int attr = 0; attr < 75; attr++) {
		memset(value, attr + 1, sizeof(value));
		value[15] = '\0';
		if (attr == ATTR_CONNLABELS || attr == ATTR_CONNLABELS_MASK) {
			struct nfct_bitmask *labels = nfct_bitmask_new(127);

			nfct_bitmask_set_bit(labels, (unsigned int)attr);
			nfct_set_attr(ct, ATTR(attr), labels);
		} else {
			nfct_set_attr_l(ct, ATTR(attr), value, sizeof(value));
		}
	}
	return ct;
}

static int in_class(int attr, unsigned int flags)
{
	return (flags & entry_attributes[attr].class) != 0;
}

static void test_copy_classes(void)
{
	struct nf_conntrack *source = full();

	for (unsigned int flags = 0; flags < 64; flags++) {
		unsigned int classes = flags == 0 || (flags & NFCT_CP_OVERRIDE) ? 7 : flags;
		struct nf_conntrack *dest = nfct_new();

		nfct_set_attr_u32(dest, ATTR_MARK, 0xabcd);
		nfct_copy(dest, source, flags);
		for (int attr = 0; attr < 75; attr++) {
			about("flags %u, attribute %d", flags, attr);
			CHECK_INT(nfct_attr_is_set(dest, ATTR(attr)),
				  in_class(attr, classes) || attr == ATTR_MARK);
		}
		CHECK_INT(nfct_get_attr_u32(dest, ATTR_MARK),
			  in_class(ATTR_MARK, classes) ? 0x1a1a1a1a : 0xabcd);
		nfct_destroy(dest);
	}
	about("");
	nfct_destroy(source);
}

static void test_copy_merges(void)
{
	struct nf_conntrack *dest = nfct_new(), *source = nfct_new();

	nfct_set_attr_u32(dest, ATTR_TIMEOUT, 5);
	nfct_set_attr_u32(source, ATTR_MARK, 6);
	nfct_copy(dest, source, NFCT_CP_ALL);
	CHECK_STR(bits(dest), "24 25");
	nfct_copy_attr(dest, source, ATTR_TIMEOUT); /* absent in the source */
	CHECK_INT(nfct_get_attr_u32(dest, ATTR_TIMEOUT), 5);
	nfct_set_attr_u32(source, ATTR_SECMARK, 7);
	nfct_copy_attr(dest, source, ATTR_SECMARK);
	CHECK_STR(bits(dest), "24 25 45");
	nfct_copy_attr(dest, source, ATTR(80)); /* no such attribute */
	CHECK_STR(bits(dest), "24 25 45");
	nfct_set_attr(dest, ATTR_IPV6_SRC, "0123456789abcdef");
	nfct_set_attr_u32(source, ATTR_IPV4_SRC, 0);
	nfct_copy(dest, source, NFCT_CP_ORIG);
	CHECK_MEM(nfct_get_attr(dest, ATTR_IPV6_SRC), "\0\0\0\0" "456789abcdef", 16);
	nfct_copy(dest, source, NFCT_CP_OVERRIDE);
	CHECK_STR(bits(dest), "0 25 45");
	nfct_destroy(dest);
	nfct_destroy(source);
}

/* What varies in length is duplicated, by each kind of copy. */
static void check_independent(struct nf_conntrack *copy, struct nf_conntrack *source)
{
	const struct nfct_bitmask *mine = nfct_get_attr(copy, ATTR_CONNLABELS);
	const struct nfct_bitmask *theirs = nfct_get_attr(source, ATTR_CONNLABELS);

	CHECK(mine != NULL && mine != theirs);
	CHECK(nfct_bitmask_equal(mine, theirs));
	CHECK_STR(nfct_get_attr(copy, ATTR_HELPER_NAME), "88888888888888" "8");
	nfct_destroy(source);
	CHECK_INT(nfct_bitmask_test_bit(mine, 66), 1);
	nfct_destroy(copy);
}

static void test_copies_are_independent(void)
{
	struct nf_conntrack *source = full(), *dest;

	dest = nfct_clone(source);
	CHECK_INT(nfct_cmp(dest, source, NFCT_CMP_ALL | NFCT_CMP_STRICT), 1);
	check_independent(dest, source);
	source = full();
	dest = nfct_new();
	nfct_copy(dest, source, NFCT_CP_ALL);
	check_independent(dest, source);
	source = full();
	dest = nfct_new();
	nfct_copy(dest, source, NFCT_CP_OVERRIDE);
#ifndef REFERENCE /* leaks there */
	nfct_copy(dest, source, NFCT_CP_OVERRIDE);
#endif
	check_independent(dest, source);
	source = full();
	dest = nfct_new();
	for (int attr = 0; attr < 75; attr++)
		nfct_copy_attr(dest, source, ATTR(attr));
	check_independent(dest, source);
}

#ifndef REFERENCE
static void parse(struct nf_conntrack *ct)
{
	struct message m;
	size_t help, secctx;

	message_start(&m, 0x100, AF_INET);
	put_tuple(&m, 1, 1, 2, IPPROTO_TCP, 3, 4);
	help = nest(&m, 5);
	put(&m, 1, "ftp", 4);
	put(&m, 2, "secret", 6);
	nest_end(&m, help);
	secctx = nest(&m, 19);
	put(&m, 1, "system_u:x", 11);
	nest_end(&m, secctx);
	put_be64(&m, CTA_TIMESTAMP_EVENT, 0x1234567890abcdefu);
	CHECK_INT(nfct_nlmsg_parse(&m.u.header, ct), 0);
}

static int help_length(const struct nf_conntrack *ct)
{
	struct message m;
	const uint8_t *help;

	CHECK_INT(nfct_nlmsg_build(message_start(&m, 0x100, AF_INET), ct), 0);
	return find(&m.u.header, 5, &help);
}

/* What only a message brings is copied too, its lengths included. */
static void test_copy_of_parsed(void)
{
	struct nf_conntrack *source = nfct_new(), *dest;

	parse(source);
	CHECK_INT(nfct_get_attr_u64(source, ATTR_TIMESTAMP_EVENT), 0x1234567890abcdef);
	for (unsigned int flags = 0; flags <= 8; flags += 4) {
		about("flags %u", flags);
		dest = nfct_new();
		nfct_copy(dest, source, flags);
		CHECK_INT(nfct_get_attr_u64(dest, ATTR_TIMESTAMP_EVENT), 0x1234567890abcdef);
		CHECK_STR(nfct_get_attr(dest, ATTR_SECCTX), "system_u:x");
		CHECK_MEM(nfct_get_attr(dest, ATTR_HELPER_INFO), "secret", 6);
		nfct_copy(dest, source, NFCT_CP_ORIG);
		CHECK_INT(help_length(dest), 8 + 12);
		nfct_destroy(dest);
	}
	about("");
	dest = nfct_new();
	nfct_copy_attr(dest, source, ATTR_TIMESTAMP_EVENT);
	CHECK_STR(bits(dest), "75");
	nfct_destroy(dest);
	CHECK_INT(nfct_attr_unset(source, ATTR_SECCTX), 0);
	dest = nfct_clone(source);
	nfct_set_attr(dest, ATTR_SECCTX, "any");
	CHECK_STR(nfct_get_attr(dest, ATTR_SECCTX), "system_u:x");
	nfct_destroy(dest);
	parse(source); /* again, into an object in use: nothing leaks */
	nfct_destroy(source);
}

static void test_copy_onto_itself(void)
{
	struct nf_conntrack *ct = full(), *before = nfct_clone(ct);

	for (unsigned int flags = 0; flags <= 8; flags++)
		nfct_copy(ct, ct, flags);
	for (int attr = 0; attr < ATTR_MAX; attr++)
		nfct_copy_attr(ct, ct, ATTR(attr));
	CHECK_INT(nfct_cmp(ct, before, NFCT_CMP_ALL | NFCT_CMP_STRICT), 1);
	CHECK_INT(nfct_bitmask_test_bit(nfct_get_attr(ct, ATTR_CONNLABELS), 66), 1);
	CHECK_MEM(nfct_get_attr(ct, ATTR_HELPER_INFO), nfct_get_attr(before, ATTR_HELPER_INFO), 16);
	nfct_destroy(before);
	nfct_destroy(ct);
}

/* The upper end of a NAT range and the reply side of ICMP go with their attribute. */
static void test_copy_of_hidden_parts(void)
{
	struct nf_conntrack *source = nfct_new(), *dest = nfct_new();
	struct message a, b;

	nfct_set_attr_u8(source, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u8(source, ATTR_REPL_L3PROTO, AF_INET);
	nfct_set_attr_u8(source, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u32(source, ATTR_SNAT_IPV4, 0x01020304);
	nfct_set_attr_u16(source, ATTR_SNAT_PORT, 0x1111);
	nfct_copy(dest, source, NFCT_CP_ALL);
	CHECK_INT(nfct_nlmsg_build(message_start(&a, 0x100, AF_INET), source), 0);
	CHECK_INT(nfct_nlmsg_build(message_start(&b, 0x100, AF_INET), dest), 0);
	CHECK_MEM(b.u.bytes, a.u.bytes, a.u.header.nlmsg_len);
	nfct_set_attr_u8(source, ATTR_L4PROTO, IPPROTO_ICMP);
	nfct_set_attr_u8(source, ATTR_REPL_L4PROTO, IPPROTO_ICMP);
	nfct_set_attr_u8(source, ATTR_ICMP_TYPE, 8);
	nfct_set_attr_u16(source, ATTR_ICMP_ID, 0x2222);
	nfct_copy(dest, source, NFCT_CP_ALL);
	CHECK_INT(nfct_nlmsg_build(message_start(&a, 0x100, AF_INET), source), 0);
	CHECK_INT(nfct_nlmsg_build(message_start(&b, 0x100, AF_INET), dest), 0);
	CHECK_MEM(b.u.bytes, a.u.bytes, a.u.header.nlmsg_len);
	nfct_destroy(source);
	nfct_destroy(dest);
}

static void check_reply_ports(const struct nf_conntrack *ct)
{
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_REPL_PORT_SRC), htons(80));
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_REPL_PORT_DST), htons(40000));
}

/* A reply tuple that was set up has ICMP attributes too: a copy of the original direction does not
 * write those over the reply's ports. */
static void test_copy_keeps_reply_ports(void)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_GRE,
					     IPPROTO_ICMP, IPPROTO_ICMPV6, 99 };

	for (size_t i = 0; i < COUNT(protocols); i++) {
		struct nf_conntrack *ct = nfct_new(), *original = nfct_new(), *dest;

		about("protocol %d", protocols[i]);
		nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
		nfct_set_attr_u8(ct, ATTR_L4PROTO, protocols[i]);
		nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(40000));
		nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(80));
		nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
		nfct_set_attr_u16(ct, ATTR_REPL_PORT_SRC, htons(80));
		nfct_set_attr_u16(ct, ATTR_REPL_PORT_DST, htons(40000));
		nfct_copy(original, ct, NFCT_CP_ORIG);
		dest = nfct_clone(ct);
		nfct_copy(dest, original, NFCT_CP_ORIG);
		check_reply_ports(dest);
		nfct_copy(dest, original, NFCT_CP_ALL);
		check_reply_ports(dest);
		nfct_copy_attr(dest, original, ATTR_ICMP_TYPE);
		nfct_copy_attr(dest, original, ATTR_ICMP_CODE);
		nfct_copy_attr(dest, original, ATTR_ICMP_ID);
		check_reply_ports(dest);
		nfct_destroy(dest);
		nfct_destroy(original);
		nfct_destroy(ct);
	}
	about("");
}
#endif

/* The reply's id and its type and code, which no attribute shows before the reply is set up. */
static void reply_l4(struct nf_conntrack *ct, uint8_t out[4])
{
	uint16_t words[2];

	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY); /* leaves the fields of ICMP alone */
	words[0] = nfct_get_attr_u16(ct, ATTR_REPL_PORT_SRC);
	words[1] = nfct_get_attr_u16(ct, ATTR_REPL_PORT_DST);
	memcpy(out, words, 4);
}

static uint8_t reply_type(uint8_t family, uint8_t type)
{
	struct nf_conntrack *ct = nfct_new();
	uint8_t bytes[4];

	nfct_set_attr_u8(ct, ATTR_L3PROTO, family);
	nfct_set_attr_u8(ct, ATTR_ICMP_TYPE, type);
	reply_l4(ct, bytes);
	nfct_destroy(ct);
	return bytes[2];
}

static void test_icmp(void)
{
	static const uint8_t four[][2] = { { 0, 8 }, { 13, 14 }, { 15, 16 }, { 17, 18 } };
	static const uint8_t six[][2] = { { 128, 129 }, { 139, 140 } };
	uint8_t want4[256], want6[256], bytes[4];
	struct nf_conntrack *ct;

	memset(want4, 255, sizeof(want4));
	memset(want6, 255, sizeof(want6));
	for (size_t i = 0; i < COUNT(four); i++)
		want4[four[i][0]] = four[i][1], want4[four[i][1]] = four[i][0];
	for (size_t i = 0; i < COUNT(six); i++)
		want6[six[i][0]] = six[i][1], want6[six[i][1]] = six[i][0];
	for (int type = 0; type < 256; type++) {
		about("type %d", type);
		CHECK_INT(reply_type(AF_INET, (uint8_t)type), want4[type]);
		CHECK_INT(reply_type(AF_INET6, (uint8_t)type), want6[type]);
		CHECK_INT(reply_type(0, (uint8_t)type), 255);
	}
	about("");
	ct = nfct_new();
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u8(ct, ATTR_ICMP_TYPE, 8);
	nfct_set_attr_u8(ct, ATTR_ICMP_CODE, 7);
	nfct_set_attr_u16(ct, ATTR_ICMP_ID, 0x1234);
	CHECK_STR(bits(ct), "12 13 14 15");
	reply_l4(ct, bytes);
	CHECK_MEM(bytes, ORDERED("\x34\x12\x00\x07", "\x12\x34\x00\x07"), 4);
	nfct_destroy(ct);
	ct = nfct_new();
	nfct_set_attr_u8(ct, ATTR_ICMP_TYPE, 8);
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET); /* too late for the reply type */
	nfct_set_attr_u16(ct, ATTR_REPL_PORT_SRC, 0);
	reply_l4(ct, bytes);
	CHECK_MEM(bytes, "\0\0\xff\0", 4);
	nfct_destroy(ct);
}

static void test_setup(void)
{
	static const uint8_t with_ports[] = { 6, 17, 33, 47, 132, 136 };
	struct nf_conntrack *ct = nfct_new();

	CHECK_ERR(nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY), 0, UNTOUCHED);
	CHECK_STR(bits(ct), "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18");
	CHECK_ERR(nfct_setobjopt(ct, 6), -1, EOPNOTSUPP);
	CHECK_ERR(nfct_setobjopt(ct, UINT32_MAX), -1, EOPNOTSUPP);
	CHECK_ERR(nfct_getobjopt(ct, 4), -1, EOPNOTSUPP);
	nfct_destroy(ct);
	for (int protocol = 0; protocol < 256; protocol++) {
		int ports = memchr(with_ports, protocol, sizeof(with_ports)) != NULL;

		about("protocol %d", protocol);
		ct = nfct_new();
		nfct_set_attr_u8(ct, ATTR_REPL_L3PROTO, AF_INET);
		nfct_set_attr_u8(ct, ATTR_REPL_L4PROTO, (uint8_t)protocol);
		nfct_set_attr(ct, ATTR_REPL_IPV6_SRC, "0123456789abcdef");
		nfct_set_attr_u16(ct, ATTR_REPL_PORT_SRC, 0x1122);
		nfct_set_attr_u16(ct, ATTR_REPL_PORT_DST, 0x3344);
		nfct_set_attr_u16(ct, ATTR_REPL_ZONE, 7);
		CHECK_INT(nfct_setobjopt(ct, NFCT_SOPT_SETUP_ORIGINAL), 0);
		CHECK_MEM(nfct_get_attr(ct, ATTR_IPV6_DST), "0123456789abcdef", 16);
		CHECK_INT(nfct_get_attr_u8(ct, ATTR_L4PROTO), protocol);
		CHECK_INT(nfct_get_attr_u16(ct, ATTR_PORT_SRC), ports ? 0x3344 : 0);
		CHECK_INT(nfct_get_attr_u16(ct, ATTR_PORT_DST), ports ? 0x1122 : 0);
		CHECK_INT(nfct_attr_is_set(ct, ATTR_ORIG_ZONE), 0);
		nfct_destroy(ct);
	}
	about("");
}

static struct nf_conntrack *translated(uint8_t family)
{
	struct nf_conntrack *ct = nfct_new();

	nfct_set_attr_u8(ct, ATTR_L3PROTO, family);
	nfct_set_attr(ct, ATTR_IPV6_SRC, "original source ");
	nfct_set_attr(ct, ATTR_IPV6_DST, "orig destination");
	nfct_set_attr(ct, ATTR_REPL_IPV6_SRC, "the reply source");
	nfct_set_attr(ct, ATTR_REPL_IPV6_DST, "repl destination");
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, 1);
	nfct_set_attr_u16(ct, ATTR_PORT_DST, 2);
	nfct_set_attr_u16(ct, ATTR_REPL_PORT_SRC, 3);
	nfct_set_attr_u16(ct, ATTR_REPL_PORT_DST, 4);
	return ct;
}

static void test_undo(void)
{
	struct nf_conntrack *ct = translated(AF_INET6);

	CHECK_INT(nfct_setobjopt(ct, NFCT_SOPT_UNDO_SNAT), 0);
	CHECK_MEM(nfct_get_attr(ct, ATTR_SNAT_IPV6), "repl destination", 16);
	CHECK_MEM(nfct_get_attr(ct, ATTR_REPL_IPV6_DST), "original source ", 16);
	CHECK_INT(nfct_setobjopt(ct, NFCT_SOPT_UNDO_DNAT), 0);
	CHECK_MEM(nfct_get_attr(ct, ATTR_DNAT_IPV6), "the reply source", 16);
	CHECK_MEM(nfct_get_attr(ct, ATTR_REPL_IPV6_SRC), "orig destination", 16);
	CHECK_STR(bits(ct), "4 5 6 7 8 9 10 11 15 70 71");
	nfct_destroy(ct);
	ct = translated(AF_INET);
	for (unsigned int option = 0; option < 4; option++)
		CHECK_INT(nfct_setobjopt(ct, option), 0);
	CHECK_MEM(nfct_get_attr(ct, ATTR_SNAT_IPV4), "repl", 4);
	CHECK_MEM(nfct_get_attr(ct, ATTR_DNAT_IPV4), "the ", 4);
	CHECK_MEM(nfct_get_attr(ct, ATTR_REPL_IPV6_DST), "orig destination", 16);
	CHECK_MEM(nfct_get_attr(ct, ATTR_REPL_IPV6_SRC), "origreply source", 16);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_SNAT_PORT), 4);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_DNAT_PORT), 3);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_REPL_PORT_DST), 1);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_REPL_PORT_SRC), 2);
	CHECK_STR(bits(ct), "4 5 6 7 8 9 10 11 15 20 21 22 23");
	nfct_destroy(ct);
	ct = translated(0);
	CHECK_INT(nfct_setobjopt(ct, NFCT_SOPT_UNDO_SNAT), 0);
	CHECK_INT(nfct_setobjopt(ct, NFCT_SOPT_UNDO_DNAT), 0);
	CHECK_STR(bits(ct), "4 5 6 7 8 9 10 11 15");
	nfct_destroy(ct);
}

static void test_is_nat(void)
{
	/* family, status (-1: absent), and what IS_SNAT, IS_DNAT, IS_SPAT, IS_DPAT say */
	static const struct { int family, status; const char *want; } rows[] = {
		{ 2, -1, "1111" }, { 2, 0, "0000" }, { 2, 0x80, "1010" }, { 2, 0x100, "0101" },
		{ 2, 0x180, "1111" }, { 2, 0x30, "0000" }, { 10, -1, "1111" }, { 0, -1, "0011" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct nf_conntrack *ct = translated((uint8_t)rows[i].family);
		char got[5] = "";

		about("row %zu", i);
		nfct_set_attr(ct, ATTR_REPL_IPV6_SRC, "another source  ");
		if (rows[i].status != -1)
			nfct_set_attr_u32(ct, ATTR_STATUS, (uint32_t)rows[i].status);
		for (unsigned int option = 0; option < 4; option++)
			got[option] = (char)('0' + nfct_getobjopt(ct, option));
		CHECK_STR(got, rows[i].want);
		nfct_destroy(ct);
	}
	about("");
}

int main(void)
{
	test_copy_classes();
	test_copy_merges();
	test_copies_are_independent();
#ifndef REFERENCE
	test_copy_of_parsed();
	test_copy_onto_itself();
	test_copy_of_hidden_parts();
	test_copy_keeps_reply_ports();
#endif
	test_icmp();
	test_setup();
	test_undo();
	test_is_nat();
	return finish();
}
