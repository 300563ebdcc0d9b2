/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Records of logged packets, read from messages. */
#include "check.h"

#ifdef REFERENCE
int main(void)
{
	skip("the reference has no records");
	return finish();
}
#else
#include <ctrs.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <stddef.h>

#define HAS(packet, field) ((packet)->present >> (field) & 1)

static union {
	struct nlmsghdr header;
	unsigned char bytes[256];
} message;

static void put(unsigned int type, const void *value, unsigned int size)
{
	uint16_t header[2];

	header[0] = (uint16_t)(size + 4);
	header[1] = (uint16_t)type;
	memcpy(message.bytes + message.header.nlmsg_len, header, sizeof(header));
	memcpy(message.bytes + message.header.nlmsg_len + 4, value, size);
	message.header.nlmsg_len += (size + 7) & ~3u;
}

static void put_number(unsigned int type, uint32_t number)
{
	number = htonl(number);
	put(type, &number, sizeof(number));
}

/* A packet of group 258. */
static void build(void)
{
	static const unsigned char group[] = { AF_INET6, 0, 1, 2 }, header[] = { 0x86, 0xdd, 3, 0 };
	static const unsigned char time[] = { 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 9 };
	static const unsigned char hwaddr[12] = { 0, 6, 0, 0, 1, 2, 3, 4, 5, 6 };

	memset(&message, 0, sizeof(message));
	message.header.nlmsg_type = 0x0400;
	message.header.nlmsg_len = 20;
	memcpy(message.bytes + 16, group, sizeof(group));
	put(NFULA_PACKET_HDR, header, sizeof(header));
	put(NFULA_PREFIX, "in", 3);
	put_number(NFULA_MARK, 7);
	put(NFULA_TIMESTAMP, time, sizeof(time));
	put(NFULA_HWADDR, hwaddr, sizeof(hwaddr));
	put_number(NFULA_SEQ, 9);
	put(NFULA_PAYLOAD, "payload", 7);
}

static int from(struct ctrs_packet *packet, size_t length)
{
	return ctrs_packet_from(packet, sizeof(*packet), &message, length);
}

static int part_is(struct ctrs_part part, const char *text)
{
	return part.length == strlen(text) &&
	       memcmp(message.bytes + part.offset, text, part.length) == 0;
}

static void test_fields(void)
{
	static const unsigned int fields[] = {
		CTRS_PACKET_MESSAGE,   CTRS_PACKET_HEADER, CTRS_PACKET_PREFIX, CTRS_PACKET_MARK,
		CTRS_PACKET_TIMESTAMP, CTRS_PACKET_HWADDR, CTRS_PACKET_SEQ,    CTRS_PACKET_PAYLOAD,
	};
	struct ctrs_packet packet;
	uint64_t present = 0;

	build();
	CHECK_ERR(from(&packet, sizeof(message)), 0, UNTOUCHED);
	for (size_t i = 0; i < COUNT(fields); i++)
		present |= (uint64_t)1 << fields[i];
	CHECK_INT(packet.present, present);
	CHECK_INT(packet.family, AF_INET6);
	CHECK_INT(packet.group, 258);
	CHECK_INT(packet.hw_protocol, 0x86dd);
	CHECK_INT(packet.hook, 3);
	CHECK_INT(packet.mark, 7);
	CHECK_INT(packet.seq, 9);
	CHECK_INT(packet.timestamp, 3000009000);
	CHECK_INT(packet.hwaddr_length, 6);
	CHECK_MEM(packet.hwaddr, "\1\2\3\4\5\6\0\0", 8);
	CHECK(part_is(packet.prefix, "in"));
	CHECK(part_is(packet.payload, "payload"));
	CHECK_INT(packet.message.offset, 0);
	CHECK_INT(packet.message.length, message.header.nlmsg_len);
}

/* A program of an older library or a newer one says another size. */
static void test_sizes(void)
{
	static struct {
		struct ctrs_packet packet;
		unsigned char behind[64];
	} room;
	struct ctrs_packet whole, *packet = &room.packet;
	unsigned char zeros[64] = { 0 };

	build();
	CHECK_INT(from(&whole, sizeof(message)), 0);
	for (size_t size = 8; size <= sizeof(whole); size += 8) {
		about("%zu bytes", size);
		memset(&room, 0xee, sizeof(room));
		CHECK_INT(ctrs_packet_from(packet, size, &message, sizeof(message)), 0);
		CHECK_INT(HAS(packet, CTRS_PACKET_MARK),
			  size >= offsetof(struct ctrs_packet, mark) + sizeof(whole.mark));
		CHECK_INT(HAS(packet, CTRS_PACKET_PAYLOAD),
			  size >= offsetof(struct ctrs_packet, payload) + sizeof(whole.payload));
		CHECK_MEM((char *)packet + 8, (char *)&whole + 8, size - 8);
		CHECK_INT(((unsigned char *)packet)[size], 0xee);
	}
	about("");
	memset(&room, 0xee, sizeof(room));
	CHECK_INT(ctrs_packet_from(packet, sizeof(room), &message, sizeof(message)), 0);
	CHECK_MEM(packet, &whole, sizeof(whole));
	CHECK_MEM(room.behind, zeros, sizeof(zeros));
	CHECK_ERR(ctrs_packet_from(packet, 0, &message, sizeof(message)), -1, EINVAL);
	CHECK_ERR(ctrs_packet_from(packet, 12, &message, sizeof(message)), -1, EINVAL);
	CHECK_ERR(ctrs_packet_from(packet, 65544, &message, sizeof(message)), -1, EINVAL);
}

static void test_wrong_messages(void)
{
	struct ctrs_packet packet;

	build();
	memset(&packet, 0xee, sizeof(packet));
	for (size_t length = 0; length < message.header.nlmsg_len; length++)
		CHECK_ERR(from(&packet, length), -1, EBADMSG);
	message.header.nlmsg_type = 0x0401;
	CHECK_ERR(from(&packet, sizeof(message)), -1, EBADMSG);
	message.header.nlmsg_type = 0x0400;
	message.header.nlmsg_len = 19;
	CHECK_ERR(from(&packet, sizeof(message)), -1, EBADMSG);
	CHECK_INT(packet.present, 0xeeeeeeeeeeeeeeee);
	CHECK_ERR(ctrs_packet_from(NULL, sizeof(packet), &message, sizeof(message)), -1, EINVAL);
	CHECK_ERR(ctrs_packet_from(&packet, sizeof(packet), NULL, 20), -1, EINVAL);
}

int main(void)
{
	test_fields();
	test_sizes();
	test_wrong_messages();
	return finish();
}
#endif
