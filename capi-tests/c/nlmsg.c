/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Messages built: every query byte for byte, and the builders that append. */
#include "wire.h"
#include <libnetfilter_conntrack/linux_nfnetlink_conntrack.h>

/* Recorded from the reference 1.1.1 on a little-endian machine. */
static const char DUMP_V4[] = "1400000001010103000000000000000002000000";
static const char FLUSH_V4[] = "1400000002010500000000000000000002000000";
static const char GET_TCP[] =
	"48000000010105000000000000000000020000003400018014000180080001000101010108000200020202021c00"
	"02800500010006000000060002000014000006000300000a0000";
static const char CREATE_ALL[] =
	"fc0000000001050600000000000000000200000034000180140001800800010001010101080002000202020"
	"21c0002800500010006000000060002000014000006000300000a0000340002801400018008000100020202"
	"0208000200010101011c000280050001000600000006000200000a000006000300001400000800030000000"
	"00c08000700000000640800080011223344200004801c000180050001000300000006000400a1a200000500"
	"03000700000020000680080001000908070614000380060001001111000006000200111100000c000580080"
	"00100667470000600120000050000140016000200000000000000"
	"0000000010000000";
static const char DUMP_MARK[] =
	"340000000101010300000000000000000a000000080008001122334408001500ff00ff0008000300000000550800"
	"1a0000000066";
#ifndef REFERENCE
static const char DUMP_FILTER[] =
	"3c0000000101010300000000000000000a000000080008001122334408001500ff00ff0008000300000000550800"
	"1a00000000660600120012340000";
static const char DUMP_FILTER_RESET[] =
	"3c0000000301010300000000000000000a000000080008001122334408001500ff00ff0008000300000000550800"
	"1a00000000660600120012340000";
static const char FLUSH_FILTER[] =
	"3c0000000201050000000000000000000a010000080008001122334408001500ff00ff0008000300000000550800"
	"1a00000000660600120012340000";
static const char DUMP_TUPLE4[] =
	"5c000000010101030000000000000000020000003400018014000180080001000000000008000200000000001c00"
	"02800500010006000000060002000066000006000300000000001400198008000100180000000800020000000000";
static const char DUMP_TUPLE6[] =
	"7c0000000101010300000000000000000a000000540001802c000180140003000000000000000000000000000000"
	"00001400040020010db800000000000000000000000124000280050001003a000000050009000000000005000800"
	"80000000060007000000000014001980080001000a0200000800020000000000";
#endif

static void expect_bytes(const struct message *m, const char *hex)
{
	uint8_t want[1024];
	size_t size = unhex_message(hex, want);

	CHECK_INT(m->u.header.nlmsg_len, size);
	CHECK_MEM(m->u.bytes, want, size);
}

static void expect_query(enum nf_conntrack_query query, const void *data, const char *hex)
{
	struct message m;

	about("query %d", (int)query);
	memset(&m, 0xff, sizeof(m));
	/* The handle is not used; 1.0.9 only insists that there is one. */
	CHECK_INT(nfct_build_query((struct nfnl_subsys_handle *)&m, query, data, &m, 4096), 1);
	expect_bytes(&m, hex);
	about("");
}

static struct nf_conntrack *tcp(void)
{
	struct nf_conntrack *ct = nfct_new();

	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, htonl(0x01010101));
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, htonl(0x02020202));
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(20));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(10));
	return ct;
}

static struct nf_conntrack *tcp_with_everything(void)
{
	struct nf_conntrack *ct = tcp();
	struct nfct_bitmask *labels = nfct_bitmask_new(127);

	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	nfct_set_attr_u32(ct, ATTR_STATUS, 4);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 100);
	nfct_set_attr_u32(ct, ATTR_MARK, 0x11223344);
	nfct_set_attr_u8(ct, ATTR_TCP_STATE, 3);
	nfct_set_attr_u8(ct, ATTR_TCP_FLAGS_ORIG, 0xa1);
	nfct_set_attr_u8(ct, ATTR_TCP_MASK_ORIG, 0xa2);
	nfct_set_attr_u8(ct, ATTR_TCP_WSCALE_REPL, 7);
	nfct_set_attr_u32(ct, ATTR_SNAT_IPV4, htonl(0x09080706));
	nfct_set_attr_u16(ct, ATTR_SNAT_PORT, htons(0x1111));
	nfct_set_attr(ct, ATTR_HELPER_NAME, "ftp");
	nfct_set_attr_u16(ct, ATTR_ZONE, 5);
	nfct_bitmask_set_bit(labels, 1);
	nfct_bitmask_set_bit(labels, 100);
	nfct_set_attr(ct, ATTR_CONNLABELS, labels);
	return ct;
}

static void test_queries(void)
{
	struct nf_conntrack *ct = tcp();
	uint32_t family = AF_INET;
	uint8_t short_family = AF_INET; /* iptstate passes one byte, where it is the low one */

	expect_query(NFCT_Q_DUMP, &family, DUMP_V4);
	family = 0xffffff02; /* only the low byte counts */
	expect_query(NFCT_Q_FLUSH, &family, FLUSH_V4);
#ifndef REFERENCE
	expect_query(NFCT_Q_DUMP, ORDERED((void *)&short_family, (void *)&family), DUMP_V4);
#endif
	(void)short_family;
	expect_query(NFCT_Q_GET, ct, GET_TCP);
	nfct_destroy(ct);
	ct = tcp_with_everything();
	expect_query(NFCT_Q_CREATE, ct, CREATE_ALL);
	nfct_destroy(ct);
}

/* The header and flags of each query on an object: type, flags. */
static void test_query_headers(void)
{
	static const struct { int query, type, flags; } rows[] = {
		{ NFCT_Q_CREATE, 0x100, 0x605 }, { NFCT_Q_UPDATE, 0x100, 0x005 },
		{ NFCT_Q_DESTROY, 0x102, 0x005 }, { NFCT_Q_GET, 0x101, 0x005 },
		{ NFCT_Q_CREATE_UPDATE, 0x100, 0x405 }, { NFCT_Q_FLUSH, 0x102, 0x005 },
		{ NFCT_Q_DUMP, 0x101, 0x301 }, { NFCT_Q_DUMP_RESET, 0x103, 0x301 },
	};
	struct nf_conntrack *ct = tcp();
	struct message m;

	for (size_t i = 0; i < COUNT(rows); i++) {
		about("query %d", rows[i].query);
		CHECK_INT(nfct_build_query((struct nfnl_subsys_handle *)&m,
					   (enum nf_conntrack_query)rows[i].query, ct, &m, 4096), 1);
		CHECK_INT(m.u.header.nlmsg_type, rows[i].type);
		CHECK_INT(m.u.header.nlmsg_flags, rows[i].flags);
		CHECK_INT(m.u.header.nlmsg_seq, 0);
		CHECK_INT(m.u.header.nlmsg_pid, 0);
	}
	about("");
	CHECK_ERR(nfct_build_query((struct nfnl_subsys_handle *)&m, (enum nf_conntrack_query)11, ct,
				   &m, 4096), -1, ENOTSUP);
	nfct_destroy(ct);
}

static void test_filter_queries(void)
{
	struct nfct_filter_dump *f = nfct_filter_dump_create();
	struct nfct_filter_dump_mark mark = { 0x11223344, 0xff00ff00 }, status = { 0x55, 0x66 };
	struct message m;

	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_MARK, &mark);
	nfct_filter_dump_set_attr_u8(f, NFCT_FILTER_DUMP_L3NUM, AF_INET6);
	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_STATUS, &status);
	expect_query(NFCT_Q_DUMP_FILTER, f, DUMP_MARK);
	/* conntrack appends a filter to a header of its own: only the family changes. */
	message_start(&m, 0x4321, 0)->nlmsg_seq = 77;
	m.u.header.nlmsg_flags = 0x777;
	put_u8(&m, 99, 1);
	CHECK_INT(nfct_nlmsg_build_filter(&m.u.header, f), 0);
	CHECK_INT(m.u.header.nlmsg_type, 0x4321);
	CHECK_INT(m.u.header.nlmsg_flags, 0x777);
	CHECK_INT(m.u.header.nlmsg_seq, 77);
	CHECK_INT(m.u.bytes[16], AF_INET6);
	CHECK_INT(find(&m.u.header, 99, NULL), 1);
	CHECK_INT(find(&m.u.header, 26, NULL), 4);
#ifndef REFERENCE
	nfct_filter_dump_set_attr_u16(f, NFCT_FILTER_DUMP_ZONE, 0x1234);
	expect_query(NFCT_Q_DUMP_FILTER, f, DUMP_FILTER);
	expect_query(NFCT_Q_DUMP_FILTER_RESET, f, DUMP_FILTER_RESET);
	expect_query(NFCT_Q_FLUSH_FILTER, f, FLUSH_FILTER);
#endif
	nfct_filter_dump_destroy(f);
}

#ifndef REFERENCE
static void test_tuple_filters(void)
{
	struct nfct_filter_dump *f = nfct_filter_dump_create();
	struct nf_conntrack *ct = nfct_new();
	struct message m;
	uint8_t address[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };

	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_TUPLE, ct); /* without a family */
	CHECK_ERR(nfct_build_query(NULL, NFCT_Q_DUMP_FILTER, f, &m, 4096), -1, EINVAL);
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(102));
	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_TUPLE, ct);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, 0); /* the filter has its own copy */
	expect_query(NFCT_Q_DUMP_FILTER, f, DUMP_TUPLE4);
	CHECK_ERR(nfct_build_query(NULL, NFCT_Q_FLUSH_FILTER, f, &m, 4096), -1, ENOTSUP);
	nfct_filter_dump_set_attr_u8(f, NFCT_FILTER_DUMP_L3NUM, AF_INET6); /* contradicts it */
	CHECK_ERR(nfct_build_query(NULL, NFCT_Q_DUMP_FILTER, f, &m, 4096), -1, EINVAL);
	message_start(&m, 0x101, 0);
	CHECK_ERR(nfct_nlmsg_build_filter(&m.u.header, f), -1, EINVAL);
	CHECK_INT(m.u.header.nlmsg_len, 20); /* as it was */
	nfct_filter_dump_destroy(f);
	nfct_destroy(ct);

	f = nfct_filter_dump_create();
	ct = nfct_new();
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET6);
	nfct_set_attr(ct, ATTR_IPV6_DST, address);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_ICMPV6);
	nfct_set_attr_u8(ct, ATTR_ICMP_TYPE, 128);
	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_TUPLE, ct);
	nfct_destroy(ct);
	expect_query(NFCT_Q_DUMP_FILTER, f, DUMP_TUPLE6);
	nfct_filter_dump_destroy(f);
}

/* What the reference sends half made, or as a request to flush everything, is refused. */
static void test_refused(void)
{
	struct nf_conntrack *ct = tcp(), *empty = nfct_new();
	struct nfct_bitmask *labels = nfct_bitmask_new(65535);
	struct message m;

	for (int query = 0; query <= NFCT_Q_CREATE_UPDATE; query++) {
		enum nf_conntrack_query q = (enum nf_conntrack_query)query;

		if (q == NFCT_Q_FLUSH || q == NFCT_Q_DUMP || q == NFCT_Q_DUMP_RESET)
			continue;
		about("query %d", query);
		CHECK_ERR(nfct_build_query(NULL, q, empty, &m, 4096), -1, EINVAL);
		nfct_set_attr_u8(ct, ATTR_L3PROTO, 99);
		CHECK_ERR(nfct_build_query(NULL, q, ct, &m, 4096), -1, EINVAL);
		nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
		nfct_set_attr_u16(ct, ATTR_REPL_PORT_SRC, 1); /* a reply without a family */
		CHECK_ERR(nfct_build_query(NULL, q, ct, &m, 4096), -1, EINVAL);
		nfct_attr_unset(ct, ATTR_REPL_PORT_SRC);
		CHECK_INT(nfct_build_query(NULL, q, ct, &m, 4096), 1);
		CHECK_INT(nfct_build_query(NULL, q, ct, &m, 40), -1); /* does not fit */
	}
	about("");
	nfct_set_attr(ct, ATTR_CONNLABELS, labels); /* 8192 bytes: more than a query's buffer */
	CHECK_INT(nfct_build_query(NULL, NFCT_Q_UPDATE, ct, &m, 4096), -1);
	nfct_destroy(empty);
	nfct_destroy(ct);
}
#endif

static void test_append(void)
{
	struct nf_conntrack *ct = tcp(), *empty = nfct_new();
	struct message m;
	uint8_t want[128];
	size_t size = unhex_message(GET_TCP, want);

	memset(&m, 0, sizeof(m));
	message_start(&m, 0x305, AF_INET6)->nlmsg_seq = 5;
	m.u.header.nlmsg_pid = 6;
	put_be32(&m, 77, 0x01020304);
	CHECK_INT(nfct_nlmsg_build(&m.u.header, ct), 0);
	CHECK_INT(m.u.header.nlmsg_len, 28 + size - 20);
	CHECK_INT(m.u.header.nlmsg_type, 0x305);
	CHECK_INT(m.u.header.nlmsg_seq, 5);
	CHECK_INT(m.u.header.nlmsg_pid, 6);
	CHECK_INT(m.u.bytes[16], AF_INET6);
	CHECK_ATTRIBUTES(m.u.bytes + 20, "\x08\0\x4d\0\x01\x02\x03\x04");
	CHECK_MEM(m.u.bytes + 28, want + 20, size - 20);
	message_start(&m, 0x100, AF_INET);
	CHECK_ERR(nfct_nlmsg_build(&m.u.header, empty), -1, EINVAL);
	CHECK_INT(m.u.header.nlmsg_len, 20);

	CHECK_INT(nfct_build_conntrack((struct nfnl_subsys_handle *)want, &m, 4096, 2, 0x123, ct), 0);
	CHECK_INT(m.u.header.nlmsg_type, 0x102);
	CHECK_INT(m.u.header.nlmsg_flags, 0x123);
	CHECK_MEM(m.u.bytes + 20, want + 20, size - 20);
	nfct_destroy(empty);
	nfct_destroy(ct);
}

#ifndef REFERENCE
/* NAT ports are sent where tuples have ports, or keys. */
static void test_nat_ports(void)
{
	for (unsigned int protocol = 0; protocol < 256; protocol++) {
		struct nf_conntrack *ct = tcp();
		struct message m;
		const uint8_t *nat = NULL;
		bool ports = protocol == 6 || protocol == 17 || protocol == 33 || protocol == 47 ||
			     protocol == 132 || protocol == 136;

		about("protocol %u", protocol);
		nfct_set_attr_u8(ct, ATTR_L4PROTO, (uint8_t)protocol);
		nfct_set_attr_u16(ct, ATTR_SNAT_PORT, htons(0x1111));
		nfct_set_attr_u16(ct, ATTR_DNAT_PORT, htons(0x2222));
		CHECK_INT(nfct_nlmsg_build(message_start(&m, 0x100, AF_INET), ct), 0);
		CHECK_INT(find(&m.u.header, CTA_NAT_SRC, &nat), ports ? 20 : 4);
		if (ports)
			CHECK_ATTRIBUTES(nat, "\x14\0\3\x80\6\0\1\0\x11\x11\0\0\6\0\2\0\x11\x11\0\0");
		CHECK_INT(find(&m.u.header, CTA_NAT_DST, &nat), ports ? 20 : 4);
		if (ports)
			CHECK_ATTRIBUTES(nat, "\x14\0\3\x80\6\0\1\0\x22\x22\0\0\6\0\2\0\x22\x22\0\0");
		nfct_destroy(ct);
	}
	about("");
}

static struct nfct_bitmask *bitmask_up_to(unsigned int maxbit)
{
	struct nfct_bitmask *bits = nfct_bitmask_new(maxbit);

	nfct_bitmask_set_bit(bits, 1);
	nfct_bitmask_set_bit(bits, maxbit);
	return bits;
}

/* Labels and their mask are sent in one size, with zeros behind the shorter one. If they were of
 * different sizes, then no label outside the mask is: the kernel would invert it. */
static void test_label_masks(void)
{
	for (unsigned int words = 1; words <= 5; words++) {
		for (unsigned int of_mask = 1; of_mask <= 5; of_mask++) {
			struct nf_conntrack *ct = tcp();
			struct message m;
			const uint8_t *labels = NULL, *mask = NULL;
			unsigned int size = words > of_mask ? words : of_mask;
			uint32_t want[5] = { 2 }, want_mask[5] = { 2 };
			bool same = words == of_mask;

			about("%u words, a mask of %u", words, of_mask);
			if (same)
				want[words - 1] |= 1u << 31;
			want_mask[of_mask - 1] |= 1u << 31;
			nfct_set_attr(ct, ATTR_CONNLABELS, bitmask_up_to(32 * words - 1));
			nfct_set_attr(ct, ATTR_CONNLABELS_MASK, bitmask_up_to(32 * of_mask - 1));
			CHECK_INT(nfct_nlmsg_build(message_start(&m, 0x100, AF_INET), ct), 0);
			CHECK_INT(find(&m.u.header, CTA_LABELS, &labels), 4 * size);
			CHECK_INT(find(&m.u.header, CTA_LABELS_MASK, &mask), 4 * size);
			if (labels != NULL)
				CHECK_MEM(labels, want, 4 * size);
			if (mask != NULL)
				CHECK_MEM(mask, want_mask, 4 * size);
			nfct_destroy(ct);
		}
	}
	about("");
}

static void test_helper_info_length(void)
{
	struct nf_conntrack *ct = tcp();
	struct message m;
	const uint8_t *help;

	nfct_set_attr(ct, ATTR_HELPER_NAME, "ftp");
	nfct_set_attr_l(ct, ATTR_HELPER_INFO, "secret", 6);
	CHECK_INT(nfct_nlmsg_build(message_start(&m, 0x100, AF_INET), ct), 0);
	CHECK_INT(find(&m.u.header, 5, &help), 8 + 12);
	CHECK_ATTRIBUTES(help, "\x08\0\x01\0ftp\0\x0a\0\x02\0secret\0\0");
	nfct_destroy(ct);
}
#endif

/* Everything a build writes, a parse reads back. */
static void test_round_trip(void)
{
	struct nf_conntrack *ct = tcp_with_everything(), *back = nfct_new();
	struct message m, again;

	CHECK_INT(nfct_nlmsg_build(message_start(&m, 0x100, AF_INET), ct), 0);
	CHECK_INT(nfct_nlmsg_parse(&m.u.header, back), 0);
	CHECK_STR(bits(back), "0 1 2 3 8 9 10 11 15 16 17 18 19 24 25 32 33 35 55 60 61 66");
	CHECK_INT(nfct_get_attr_u32(back, ATTR_STATUS), 4 | IPS_CONFIRMED);
	nfct_attr_unset(ct, ATTR_SNAT_IPV4); /* no message tells these */
	nfct_attr_unset(ct, ATTR_SNAT_PORT);
	CHECK_INT(nfct_nlmsg_build(message_start(&m, 0x100, AF_INET), ct), 0);
	CHECK_INT(nfct_nlmsg_build(message_start(&again, 0x100, AF_INET), back), 0);
	CHECK_INT(again.u.header.nlmsg_len, m.u.header.nlmsg_len);
	CHECK_MEM(again.u.bytes, m.u.bytes, m.u.header.nlmsg_len);
	nfct_destroy(ct);
	nfct_destroy(back);
}

int main(void)
{
	test_queries();
	test_query_headers();
	test_filter_queries();
	test_append();
	test_round_trip();
#ifndef REFERENCE
	test_tuple_filters();
	test_refused();
	test_nat_ports();
	test_label_masks();
	test_helper_info_length();
#endif
	return finish();
}
