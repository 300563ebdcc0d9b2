/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Records: what an entry or an expectation has is in them and comes back, whatever size a program says
 * they have; and what can be asked about attributes at run time. */
#include "attributes.h"

#ifdef REFERENCE
int main(void)
{
	/* The reference has no records. */
	nfct_destroy(nfct_new());
	return finish();
}
#else
#include <ctrs.h>
#include <stddef.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_dccp.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_sctp.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>

static const char *const names[] = {
	[ATTR_ORIG_IPV4_SRC] = "orig_ipv4_src",
	[ATTR_REPL_PORT_DST] = "repl_port_dst",
	[ATTR_ORIG_L3PROTO] = "orig_l3proto",
	[ATTR_TCP_WSCALE_REPL] = "tcp_wscale_repl",
	[ATTR_CONNLABELS_MASK] = "connlabels_mask",
	[ATTR_TIMESTAMP_EVENT] = "timestamp_event",
};

/* What the table of the interface says of an attribute fits its kind. */
static bool kind_fits(const struct attribute *attribute, int kind, int size)
{
	static const int sizes[] = { 0, 1, 2, 4, 8, 2, 4, 16, 0, 0, 0 };

	switch (attribute->kind) {
	case TEXT:
		return kind == CTRS_ATTR_STRING && size == (int)attribute->bytes;
	case CONTEXT:
		return kind == CTRS_ATTR_STRING && size == 0;
	case DATA:
		return kind == CTRS_ATTR_BYTES && size == 0;
	case LABELS:
		return kind == CTRS_ATTR_LABELS && size == 0;
	default:
		return kind >= CTRS_ATTR_U8 && kind <= CTRS_ATTR_IPV6 && size == sizes[kind] &&
		       size == (int)attribute->bytes;
	}
}

static void test_attributes(void)
{
	char longer[4096];

	CHECK_INT(ctrs_attr_count(), COUNT(entry_attributes));
	for (size_t i = 0; i < COUNT(entry_attributes); i++) {
		const struct attribute *attribute = &entry_attributes[i];
		const char *name = ctrs_attr_name((int)i);

		about("attribute %zu", i);
		CHECK_INT(ctrs_attr_by_name(name), attribute->number);
		CHECK(kind_fits(attribute, ctrs_attr_type((int)i), ctrs_attr_size((int)i)));
		if (i < COUNT(names) && names[i] != NULL)
			CHECK_STR(name, names[i]);
	}
	about("");
	for (int number = -1; number <= 76; number += 77) {
		CHECK_NULL(ctrs_attr_name(number), EINVAL);
		CHECK_ERR(ctrs_attr_type(number), -1, EINVAL);
		CHECK_ERR(ctrs_attr_size(number), -1, EINVAL);
	}
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	CHECK_ERR(ctrs_attr_by_name(NULL), -1, EINVAL);
	CHECK_ERR(ctrs_attr_by_name(""), -1, ENOENT);
	CHECK_ERR(ctrs_attr_by_name("orig_ipv4"), -1, ENOENT);
	CHECK_ERR(ctrs_attr_by_name("orig_ipv4_src2"), -1, ENOENT);
	CHECK_ERR(ctrs_attr_by_name("\xff"), -1, ENOENT);
	CHECK_ERR(ctrs_attr_by_name(longer), -1, ENOENT);
}

/* The enumerators are what the macros and the other headers' constants are. */
static void test_numbers(void)
{
#define SAME(ours, theirs) CHECK_INT(ours, theirs)
	SAME(CTRS_ORIGINAL, NFCT_DIR_ORIGINAL);
	SAME(CTRS_REPLY, NFCT_DIR_REPLY);
	SAME(CTRS_GROUP_NEW, NF_NETLINK_CONNTRACK_NEW);
	SAME(CTRS_GROUP_UPDATE, NF_NETLINK_CONNTRACK_UPDATE);
	SAME(CTRS_GROUP_DESTROY, NF_NETLINK_CONNTRACK_DESTROY);
	SAME(CTRS_GROUP_ALL, NFCT_ALL_CT_GROUPS);
	SAME(CTRS_GROUP_EXP_NEW, NF_NETLINK_CONNTRACK_EXP_NEW);
	SAME(CTRS_GROUP_EXP_UPDATE, NF_NETLINK_CONNTRACK_EXP_UPDATE);
	SAME(CTRS_GROUP_EXP_DESTROY, NF_NETLINK_CONNTRACK_EXP_DESTROY);
	SAME(CTRS_GROUP_EXP_ALL, NF_NETLINK_CONNTRACK_EXP_NEW | NF_NETLINK_CONNTRACK_EXP_UPDATE |
					 NF_NETLINK_CONNTRACK_EXP_DESTROY);
	SAME(CTRS_TCP_FLAG_WINDOW_SCALE, IP_CT_TCP_FLAG_WINDOW_SCALE);
	SAME(CTRS_TCP_FLAG_SACK_PERM, IP_CT_TCP_FLAG_SACK_PERM);
	SAME(CTRS_TCP_FLAG_CLOSE_INIT, IP_CT_TCP_FLAG_CLOSE_INIT);
	SAME(CTRS_TCP_FLAG_BE_LIBERAL, IP_CT_TCP_FLAG_BE_LIBERAL);
	SAME(CTRS_EXPECT_PERMANENT, NF_CT_EXPECT_PERMANENT);
	SAME(CTRS_EXPECT_INACTIVE, NF_CT_EXPECT_INACTIVE);
	SAME(CTRS_EXPECT_USERSPACE, NF_CT_EXPECT_USERSPACE);
	SAME(CTRS_TCP_NONE, TCP_CONNTRACK_NONE);
	SAME(CTRS_TCP_SYN_SENT, TCP_CONNTRACK_SYN_SENT);
	SAME(CTRS_TCP_SYN_RECV, TCP_CONNTRACK_SYN_RECV);
	SAME(CTRS_TCP_ESTABLISHED, TCP_CONNTRACK_ESTABLISHED);
	SAME(CTRS_TCP_FIN_WAIT, TCP_CONNTRACK_FIN_WAIT);
	SAME(CTRS_TCP_CLOSE_WAIT, TCP_CONNTRACK_CLOSE_WAIT);
	SAME(CTRS_TCP_LAST_ACK, TCP_CONNTRACK_LAST_ACK);
	SAME(CTRS_TCP_TIME_WAIT, TCP_CONNTRACK_TIME_WAIT);
	SAME(CTRS_TCP_CLOSE, TCP_CONNTRACK_CLOSE);
	SAME(CTRS_TCP_SYN_SENT2, TCP_CONNTRACK_SYN_SENT2);
	SAME(CTRS_SCTP_NONE, SCTP_CONNTRACK_NONE);
	SAME(CTRS_SCTP_CLOSED, SCTP_CONNTRACK_CLOSED);
	SAME(CTRS_SCTP_COOKIE_WAIT, SCTP_CONNTRACK_COOKIE_WAIT);
	SAME(CTRS_SCTP_COOKIE_ECHOED, SCTP_CONNTRACK_COOKIE_ECHOED);
	SAME(CTRS_SCTP_ESTABLISHED, SCTP_CONNTRACK_ESTABLISHED);
	SAME(CTRS_SCTP_SHUTDOWN_SENT, SCTP_CONNTRACK_SHUTDOWN_SENT);
	SAME(CTRS_SCTP_SHUTDOWN_RECD, SCTP_CONNTRACK_SHUTDOWN_RECD);
	SAME(CTRS_SCTP_SHUTDOWN_ACK_SENT, SCTP_CONNTRACK_SHUTDOWN_ACK_SENT);
	SAME(CTRS_SCTP_HEARTBEAT_SENT, SCTP_CONNTRACK_HEARTBEAT_SENT);
	SAME(CTRS_SCTP_HEARTBEAT_ACKED, SCTP_CONNTRACK_HEARTBEAT_ACKED);
	SAME(CTRS_DCCP_NONE, DCCP_CONNTRACK_NONE);
	SAME(CTRS_DCCP_REQUEST, DCCP_CONNTRACK_REQUEST);
	SAME(CTRS_DCCP_RESPOND, DCCP_CONNTRACK_RESPOND);
	SAME(CTRS_DCCP_PARTOPEN, DCCP_CONNTRACK_PARTOPEN);
	SAME(CTRS_DCCP_OPEN, DCCP_CONNTRACK_OPEN);
	SAME(CTRS_DCCP_CLOSEREQ, DCCP_CONNTRACK_CLOSEREQ);
	SAME(CTRS_DCCP_CLOSING, DCCP_CONNTRACK_CLOSING);
	SAME(CTRS_DCCP_TIMEWAIT, DCCP_CONNTRACK_TIMEWAIT);
	SAME(CTRS_DCCP_ROLE_CLIENT, DCCP_CONNTRACK_ROLE_CLIENT);
	SAME(CTRS_DCCP_ROLE_SERVER, DCCP_CONNTRACK_ROLE_SERVER);
	CHECK_STR(ctrs_version(), CTRS_VERSION);
}

/* An entry with every attribute that a program can set. */
static struct nf_conntrack *full(void)
{
	struct nf_conntrack *ct = nfct_new();

	for (size_t i = 0; i < COUNT(entry_attributes); i++) {
		const struct attribute *attribute = &entry_attributes[i];
		uint8_t value[16];
		struct nfct_bitmask *labels;

		memset(value, (int)(i + 1), sizeof(value));
		switch (attribute->kind) {
		case PLAIN:
			nfct_set_attr(ct, ATTR(i), value);
			break;
		case TEXT:
			nfct_set_attr(ct, ATTR(i), "helper");
			break;
		case LABELS:
			labels = nfct_bitmask_new(127);
			nfct_bitmask_set_bit(labels, (unsigned int)i);
			nfct_set_attr(ct, ATTR(i), labels);
			break;
		default:
			break;
		}
	}
	return ct;
}

static bool has(const struct ctrs_flow *flow, int attribute)
{
	return flow->present[attribute / 64] >> attribute % 64 & 1;
}

static void test_flow(void)
{
	static const uint8_t none[16];
	struct nf_conntrack *ct = full(), *back = nfct_new();
	struct ctrs_flow flow, again;

	memset(&flow, 0xee, sizeof(flow));
	CHECK_ERR(ctrs_flow_from(&flow, sizeof(flow), ct), 0, UNTOUCHED);
	for (int i = 0; i < ATTR_MAX; i++)
		CHECK_INT(has(&flow, i), nfct_attr_is_set(ct, ATTR(i)) == 1);
	CHECK_MEM(flow.orig.src, nfct_get_attr(ct, ATTR_ORIG_IPV6_SRC), 16);
	CHECK_INT(flow.reply.dport, ntohs(nfct_get_attr_u16(ct, ATTR_REPL_PORT_DST)));
	CHECK_INT(flow.mark, nfct_get_attr_u32(ct, ATTR_MARK));
	CHECK_INT(flow.zone, nfct_get_attr_u16(ct, ATTR_ZONE));
	CHECK_INT(flow.dnat.max_port, ntohs(nfct_get_attr_u16(ct, ATTR_DNAT_PORT)));
	CHECK_STR(flow.helper_name, "helper");
	CHECK_INT(flow.labels[ATTR_CONNLABELS / 8], 1 << ATTR_CONNLABELS % 8);
	CHECK_INT(flow.labels_mask[ATTR_CONNLABELS_MASK / 8], 1 << ATTR_CONNLABELS_MASK % 8);
	CHECK_ERR(ctrs_flow_to(back, &flow, sizeof(flow)), 0, UNTOUCHED);
	CHECK_INT(nfct_cmp(ct, back, NFCT_CMP_ALL | NFCT_CMP_STRICT), 1);
	CHECK_STR(bits(back), bits(ct));
	CHECK_INT(ctrs_flow_from(&again, sizeof(again), back), 0);
	CHECK_MEM(&again, &flow, sizeof(flow));
	/* What the record does not say the entry has no more. */
	memset(&flow, 0, sizeof(flow));
	flow.present[0] = 1 << ATTR_MARK;
	flow.mark = 7;
	nfct_set_attr_l(back, ATTR_HELPER_INFO, "data", 4);
	CHECK_INT(ctrs_flow_to(back, &flow, sizeof(flow)), 0);
	CHECK_STR(bits(back), "25");
	CHECK_INT(nfct_get_attr_u32(back, ATTR_MARK), 7);
	/* An IPv4 address is the first 4 of 16 bytes. */
	nfct_set_attr_u32(back, ATTR_ORIG_IPV4_SRC, inet_addr("192.0.2.1"));
	CHECK_INT(ctrs_flow_from(&flow, sizeof(flow), back), 0);
	CHECK_MEM(flow.orig.src, "\xc0\0\2\1", 4);
	CHECK_MEM(flow.orig.src + 4, none, 12);
	nfct_destroy(ct);
	nfct_destroy(back);
}

/* Any multiple of 8 from the presence bits on is a size that some library may have. */
static void test_sizes(void)
{
	struct nf_conntrack *ct = full(), *back = nfct_new();
	struct ctrs_flow whole;
	uint8_t raw[1024 + 9], *bytes = raw + 1; /* of any alignment */

	CHECK_INT(ctrs_flow_from(&whole, sizeof(whole), ct), 0);
	for (size_t size = 16; size <= 1024; size += 8) {
		size_t both = size < sizeof(whole) ? size : sizeof(whole);
		uint64_t present[2];

		about("size %zu", size);
		memset(raw, 0xee, sizeof(raw));
		CHECK_INT(ctrs_flow_from((struct ctrs_flow *)(void *)bytes, size, ct), 0);
		CHECK_MEM(bytes + 16, (uint8_t *)&whole + 16, both - 16);
		for (size_t i = both; i < size; i++)
			CHECK(bytes[i] == 0);
		CHECK(bytes[-1] == 0xee && bytes[size] == 0xee);
		memcpy(present, bytes, sizeof(present));
		CHECK_INT(present[0] >> ATTR_MARK & 1,
			  size >= offsetof(struct ctrs_flow, mark) + sizeof(whole.mark));
		CHECK((present[0] & ~whole.present[0]) == 0 && (present[1] & ~whole.present[1]) == 0);
		/* The bits of what is not there count for nothing. */
		memset(bytes, 0xff, 16);
		CHECK_INT(ctrs_flow_to(back, (struct ctrs_flow *)(void *)bytes, size), 0);
		CHECK_INT(nfct_attr_is_set(back, ATTR_MARK),
			  size >= offsetof(struct ctrs_flow, mark) + sizeof(whole.mark));
		CHECK_INT(nfct_attr_is_set(back, ATTR_SYNPROXY_TSOFF), size >= sizeof(whole));
		CHECK_INT(nfct_attr_is_set(back, ATTR_SECCTX), 0);
	}
	about("");
	nfct_destroy(ct);
	nfct_destroy(back);
}

static void test_wrong(void)
{
	static const size_t sizes[] = { 0, 1, 8, 15, 17, sizeof(struct ctrs_flow) - 1,
					sizeof(struct ctrs_flow) + 4, 65544, SIZE_MAX, SIZE_MAX - 7 };
	static const size_t expectation_sizes[] = { 0, 1, 7, 9, 65544, SIZE_MAX, SIZE_MAX - 7 };
	struct nf_conntrack *ct = nfct_new();
	struct nf_expect *exp = nfexp_new();
	struct ctrs_flow flow = { .mark = 7 };
	struct ctrs_expectation expectation = { .flags = 7 };

	nfct_set_attr_u8(ct, ATTR_ORIG_L4PROTO, 6);
	nfexp_set_attr_u32(exp, ATTR_EXP_CLASS, 3);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		about("size %zu", sizes[i]);
		CHECK_ERR(ctrs_flow_from(&flow, sizes[i], ct), -1, EINVAL);
		CHECK_ERR(ctrs_flow_to(ct, &flow, sizes[i]), -1, EINVAL);
	}
	for (size_t i = 0; i < COUNT(expectation_sizes); i++) {
		about("size %zu", expectation_sizes[i]);
		CHECK_ERR(ctrs_expectation_from(&expectation, expectation_sizes[i], exp), -1, EINVAL);
		CHECK_ERR(ctrs_expectation_to(exp, &expectation, expectation_sizes[i]), -1, EINVAL);
	}
	about("");
	CHECK_ERR(ctrs_flow_from(NULL, sizeof(flow), ct), -1, EINVAL);
	CHECK_ERR(ctrs_flow_from(&flow, sizeof(flow), NULL), -1, EINVAL);
	CHECK_ERR(ctrs_flow_to(NULL, &flow, sizeof(flow)), -1, EINVAL);
	CHECK_ERR(ctrs_flow_to(ct, NULL, sizeof(flow)), -1, EINVAL);
	CHECK_ERR(ctrs_expectation_from(NULL, sizeof(expectation), exp), -1, EINVAL);
	CHECK_ERR(ctrs_expectation_from(&expectation, sizeof(expectation), NULL), -1, EINVAL);
	CHECK_ERR(ctrs_expectation_to(NULL, &expectation, sizeof(expectation)), -1, EINVAL);
	CHECK_ERR(ctrs_expectation_to(exp, NULL, sizeof(expectation)), -1, EINVAL);
	CHECK_INT(flow.mark, 7);
	CHECK_INT(expectation.flags, 7);
	CHECK_STR(bits(ct), "17");
	CHECK_INT(nfexp_get_attr_u32(exp, ATTR_EXP_CLASS), 3);
	nfct_destroy(ct);
	nfexp_destroy(exp);
}

static void test_expectation(void)
{
	struct nf_conntrack *ct = nfct_new();
	struct nf_expect *exp = nfexp_new(), *back = nfexp_new();
	struct ctrs_expectation record, again;

	nfct_set_attr_u8(ct, ATTR_ORIG_L3PROTO, AF_INET);
	nfct_set_attr_u8(ct, ATTR_ORIG_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u32(ct, ATTR_ORIG_IPV4_SRC, inet_addr("192.0.2.1"));
	nfct_set_attr_u16(ct, ATTR_ORIG_PORT_DST, htons(21));
	nfexp_set_attr(exp, ATTR_EXP_MASTER, ct);
	nfct_set_attr_u16(ct, ATTR_ORIG_PORT_DST, htons(20));
	nfexp_set_attr(exp, ATTR_EXP_EXPECTED, ct);
	nfexp_set_attr(exp, ATTR_EXP_MASK, ct);
	nfexp_set_attr(exp, ATTR_EXP_NAT_TUPLE, ct);
	nfexp_set_attr_u32(exp, ATTR_EXP_TIMEOUT, 300);
	nfexp_set_attr_u16(exp, ATTR_EXP_ZONE, 9);
	nfexp_set_attr_u32(exp, ATTR_EXP_FLAGS, CTRS_EXPECT_PERMANENT);
	nfexp_set_attr_u32(exp, ATTR_EXP_CLASS, 2);
	nfexp_set_attr_u32(exp, ATTR_EXP_NAT_DIR, CTRS_REPLY);
	nfexp_set_attr(exp, ATTR_EXP_HELPER_NAME, "ftp");
	nfexp_set_attr(exp, ATTR_EXP_FN, "nat-follow-master");
	CHECK_ERR(ctrs_expectation_from(&record, sizeof(record), exp), 0, UNTOUCHED);
	CHECK_INT(record.present, (1 << ATTR_EXP_MAX) - 1);
	CHECK_INT(record.master_present[0], 1 << ATTR_ORIG_L3PROTO | 1 << ATTR_ORIG_L4PROTO |
						    1 << ATTR_ORIG_IPV4_SRC | 1 << ATTR_ORIG_PORT_DST);
	CHECK_INT(record.master.dport, 21);
	CHECK_INT(record.expected.dport, 20);
	CHECK_MEM(record.mask.src, "\xc0\0\2\1", 4);
	CHECK_INT(record.nat.l4proto, IPPROTO_TCP);
	CHECK_INT(record.timeout, 300);
	CHECK_INT(record.zone, 9);
	CHECK_INT(record.nat_dir, CTRS_REPLY);
	CHECK_STR(record.helper_name, "ftp");
	CHECK_STR(record.function, "nat-follow-master");
	nfexp_set_attr_u32(back, ATTR_EXP_CLASS, 77);
	CHECK_ERR(ctrs_expectation_to(back, &record, sizeof(record)), 0, UNTOUCHED);
	CHECK_INT(nfexp_cmp(exp, back, NFCT_CMP_STRICT), 1);
	CHECK_INT(ctrs_expectation_from(&again, sizeof(again), back), 0);
	CHECK_MEM(&again, &record, sizeof(record));
	memset(&record, 0, sizeof(record));
	CHECK_INT(ctrs_expectation_to(back, &record, sizeof(record)), 0);
	for (int i = 0; i < ATTR_EXP_MAX; i++)
		CHECK_INT(nfexp_attr_is_set(back, EXP_ATTR(i)), 0);
	nfct_destroy(ct);
	nfexp_destroy(exp);
	nfexp_destroy(back);
}

int main(void)
{
	test_attributes();
	test_numbers();
	test_flow();
	test_sizes();
	test_wrong();
	test_expectation();
	return finish();
}
#endif
