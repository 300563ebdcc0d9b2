/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Messages about logged packets. Include it where there is ctrs.h. */
#ifndef PACKET_MESSAGE_H
#define PACKET_MESSAGE_H

#include "wire.h"
#include <linux/netfilter/nfnetlink_log.h>

/* A packet as a record, and its message. */
struct logged {
	struct message message;
	struct ctrs_packet packet;
};

static inline void log_begin(struct logged *l, uint8_t hook)
{
	const uint8_t header[] = { 8, 0, hook, 0 };

	message_start(&l->message, 0x400, AF_INET);
	put(&l->message, NFULA_PACKET_HDR, header, sizeof(header));
}

/* With a TCP packet of `length` bytes as payload, of which the header tells. */
static inline void log_tcp(struct logged *l, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport,
			   size_t length)
{
	uint8_t packet[40] = { 0x45, 0, 5, 220, 0, 0, 0, 0, 64, IPPROTO_TCP };
	const uint32_t addresses[] = { htonl(src), htonl(dst) };
	const uint16_t ports[] = { htons(sport), htons(dport) };

	memcpy(packet + 12, addresses, sizeof(addresses));
	memcpy(packet + 20, ports, sizeof(ports));
	put(&l->message, NFULA_PAYLOAD, packet, length);
}

/* The message is whole; makes the record. */
static inline void log_end(struct logged *l)
{
	CHECK_INT(ctrs_packet_from(&l->packet, sizeof(l->packet), &l->message, sizeof(l->message)), 0);
}

/* With mark 77 and a zone of the flow, as the kernel attaches it. */
static inline void log_conntrack(struct logged *l)
{
	size_t at = nest(&l->message, 18);

	put_tuple(&l->message, 1, 1, 2, IPPROTO_TCP, 3, 4);
	put_be32(&l->message, 8, 77);
	put(&l->message, 22, ORDERED("\x02\0\0\0\x01\0\0\0", "\0\0\0\x02\0\0\0\x01"), 8);
	nest_end(&l->message, at);
}

#define LOGGED(l) &(l)->packet, sizeof((l)->packet), &(l)->message, sizeof((l)->message)

#endif
