/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Logged packets as JSON and as records of files, and the flow that is attached to one. */
#include "check.h"

#ifdef REFERENCE
int main(void)
{
	/* The reference has none of this. */
	nfct_destroy(nfct_new());
	return finish();
}
#else
#include <ctrs.h>
#include "packet_message.h"

static struct logged logged, bare;

static const char JSON[] =
	"{\"family\":\"ipv4\",\"hook\":\"input\",\"protocol\":\"ipv4\",\"group\":0,\"prefix\":\"in \","
	"\"tuple\":{\"family\":\"ipv4\",\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"protocol\":\"tcp\","
	"\"sport\":3,\"dport\":4},\"flow\":{\"original\":{\"family\":\"ipv4\",\"src\":\"10.0.0.1\","
	"\"dst\":\"10.0.0.2\",\"protocol\":\"tcp\",\"sport\":3,\"dport\":4},\"mark\":77,\"labels\":[";

static void build(void)
{
	log_begin(&logged, 1);
	put(&logged.message, NFULA_PREFIX, "in ", 4);
	log_conntrack(&logged);
	log_tcp(&logged, 0x0a000001, 0x0a000002, 3, 4, 24);
	log_end(&logged);
	log_begin(&bare, 1);
	log_end(&bare);
}

static void test_conntrack(void)
{
	struct nf_conntrack *ct = nfct_new();

	CHECK_INT(ctrs_packet_conntrack(ct, LOGGED(&bare)), 0);
	CHECK_INT(nfct_attr_is_set(ct, ATTR_MARK), 0);
	CHECK_INT(ctrs_packet_conntrack(ct, LOGGED(&logged)), 1);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), 77);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_PORT_DST), htons(4));
	CHECK_INT(nfct_bitmask_test_bit(nfct_get_attr(ct, ATTR_CONNLABELS), 32), 1);
	CHECK_INT(ctrs_packet_conntrack(ct, LOGGED(&bare)), 0);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), 77);
	CHECK_ERR(ctrs_packet_conntrack(NULL, LOGGED(&logged)), -1, EINVAL);
	CHECK_ERR(ctrs_packet_conntrack(ct, NULL, sizeof(logged.packet), &logged.message, 9), -1, EINVAL);
	nfct_destroy(ct);
}

/* The wrong ways to say which packet are the same for all. */
static void test_wrong_packets(void)
{
	struct ctrs_packet other = logged.packet;
	char text[8];

	CHECK_ERR(ctrs_packet_snprintf_json(text, 8, &other, sizeof(other), NULL, 9, NULL, 0, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_packet_snprintf_json(text, 8, &other, sizeof(other), &logged.message, 40, NULL, 0, NULL),
		  -1, EINVAL);
	CHECK_ERR(ctrs_packet_snprintf_json(text, 8, &other, 12, &logged.message, 999, NULL, 0, NULL), -1, EINVAL);
	other.present &= ~1ull;
	CHECK_ERR(ctrs_packet_pcap(text, 8, &other, sizeof(other), &logged.message, sizeof(logged.message),
				   CTRS_LINK_RAW, 0), -1, EINVAL);
	CHECK_ERR(ctrs_packet_pcap(text, 8, NULL, sizeof(other), &logged.message, 999, CTRS_LINK_RAW, 0), -1,
		  EINVAL);
}

static void test_json(void)
{
	struct nf_conntrack *ct = nfct_new();
	char text[1024], cut[20];
	int length = ctrs_packet_snprintf_json(text, sizeof(text), LOGGED(&logged), NULL, 0, NULL);

	CHECK_INT(strncmp(text, JSON, strlen(JSON)), 0);
	CHECK_INT(length, strlen(text));
	CHECK_INT(ctrs_packet_snprintf_json(NULL, 0, LOGGED(&logged), NULL, 0, NULL), length);
	CHECK_INT(ctrs_packet_snprintf_json(cut, sizeof(cut), LOGGED(&logged), NULL, 0, NULL), length);
	CHECK_INT(strncmp(cut, JSON, 19), 0);
	CHECK_INT(cut[19], 0);
	nfct_set_attr_u64(ct, ATTR_DCCP_HANDSHAKE_SEQ, 5);
	ctrs_packet_snprintf_json(text, sizeof(text), LOGGED(&bare), ct, CTRS_JSON_STRINGS, NULL);
	CHECK_STR(text, "{\"family\":\"ipv4\",\"hook\":\"input\",\"protocol\":\"ipv4\",\"group\":0,"
			"\"flow\":{\"dccp\":{\"handshake_seq\":\"5\"}}}");
	bare.packet.present |= 1ull << CTRS_PACKET_RECEIVED;
	bare.packet.received = 1000000002;
	ctrs_packet_snprintf_json(text, sizeof(text), LOGGED(&bare), NULL, 0, NULL);
	CHECK_INT(strstr(text, "\"received\":{\"sec\":1,\"nsec\":2}") != NULL, 1);
	CHECK_ERR(ctrs_packet_snprintf_json(text, 9, LOGGED(&bare), NULL, 2, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_packet_snprintf_json(NULL, 9, LOGGED(&bare), NULL, 0, NULL), -1, EINVAL);
	nfct_destroy(ct);
}

static void test_pcap_header(void)
{
	uint32_t header[6];
	const uint16_t version[] = { 2, 4 };

	memset(header, 0xff, sizeof(header));
	CHECK_INT(ctrs_pcap_header(header, 23, CTRS_LINK_RAW, 96), CTRS_PCAP_HEADER_SIZE);
	CHECK_INT(header[0], 0xffffffffu);
	CHECK_INT(ctrs_pcap_header(header, sizeof(header), CTRS_LINK_RAW, 96), sizeof(header));
	CHECK_INT(header[0], 0xa1b2c3d4u);
	CHECK_MEM(header + 1, version, sizeof(version));
	CHECK_INT(header[4], 96);
	CHECK_INT(header[5], 101);
	CHECK_INT(ctrs_pcap_header(header, sizeof(header), CTRS_LINK_NFLOG, 0), 24);
	CHECK_INT(header[4], 262144);
	CHECK_ERR(ctrs_pcap_header(header, sizeof(header), 2, 0), -1, EINVAL);
	CHECK_ERR(ctrs_pcap_header(NULL, 0, CTRS_LINK_RAW, 0), -1, EINVAL);
}

static void test_pcap(void)
{
	union {
		uint32_t header[4];
		uint8_t bytes[1024];
	} record;
	ssize_t size = (ssize_t)logged.message.u.header.nlmsg_len;

	logged.packet.received = 5000007999ull;
	memset(&record, 0xff, sizeof(record));
	CHECK_INT(ctrs_packet_pcap(NULL, 0, LOGGED(&logged), CTRS_LINK_RAW, 0), 40);
	CHECK_INT(ctrs_packet_pcap(&record, 39, LOGGED(&logged), CTRS_LINK_RAW, 0), 40);
	CHECK_INT(record.header[0], 0xffffffffu);
	CHECK_INT(ctrs_packet_pcap(&record, 40, LOGGED(&logged), CTRS_LINK_RAW, 0), 40);
	CHECK_INT(record.header[0], 5);
	CHECK_INT(record.header[1], 7);
	CHECK_INT(record.header[2], 24);
	CHECK_INT(record.header[3], 1500);
	CHECK_MEM(record.bytes + 16, logged.message.u.bytes + logged.packet.payload.offset, 24);
	CHECK_INT(record.bytes[40], 0xff);
	CHECK_INT(ctrs_packet_pcap(&record, sizeof(record), LOGGED(&logged), CTRS_LINK_NFLOG, 0), size);
	CHECK_MEM(record.bytes + 16, logged.message.u.bytes + 16, (size_t)size - 16);
	CHECK_INT(ctrs_packet_pcap(&record, sizeof(record), LOGGED(&logged), CTRS_LINK_NFLOG, 8), 24);
	CHECK_INT(ctrs_packet_pcap(&record, sizeof(record), LOGGED(&logged), CTRS_LINK_ETHERNET, 0), 0);
	CHECK_INT(ctrs_packet_pcap(&record, sizeof(record), LOGGED(&bare), CTRS_LINK_RAW, 0), 0);
	CHECK_ERR(ctrs_packet_pcap(&record, sizeof(record), LOGGED(&logged), 0, 0), -1, EINVAL);
	CHECK_ERR(ctrs_packet_pcap(NULL, 9, LOGGED(&logged), CTRS_LINK_RAW, 0), -1, EINVAL);
}

int main(void)
{
	build();
	test_conntrack();
	test_wrong_packets();
	test_json();
	test_pcap_header();
	test_pcap();
	return finish();
}
#endif
