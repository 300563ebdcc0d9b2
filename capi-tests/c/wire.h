/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Messages written by hand, for tests of the parser and the builder. */
#ifndef WIRE_H
#define WIRE_H

#include "check.h"
#include <linux/netlink.h>

struct message {
	union {
		struct nlmsghdr header;
		uint8_t bytes[16384];
	} u;
};

/* An empty message: `type` holds the subsystem in its high byte. */
static inline struct nlmsghdr *message_start(struct message *m, uint16_t type, uint8_t family)
{
	memset(m, 0, sizeof(*m));
	m->u.header.nlmsg_len = 20;
	m->u.header.nlmsg_type = type;
	m->u.bytes[16] = family;
	return &m->u.header;
}

/* Appends an attribute of any type and length; returns where it starts. */
static inline size_t put(struct message *m, uint16_t type, const void *data, size_t size)
{
	size_t at = m->u.header.nlmsg_len;
	uint16_t header[2] = { (uint16_t)(size + 4), type };

	memcpy(m->u.bytes + at, header, 4);
	if (size != 0)
		memcpy(m->u.bytes + at + 4, data, size);
	m->u.header.nlmsg_len = (uint32_t)(at + ((size + 7) & ~(size_t)3));
	return at;
}

static inline size_t put_be32(struct message *m, uint16_t type, uint32_t value)
{
	value = htonl(value);
	return put(m, type, &value, sizeof(value));
}

static inline size_t put_u8(struct message *m, uint16_t type, uint8_t value)
{
	return put(m, type, &value, sizeof(value));
}

static inline size_t put_be16(struct message *m, uint16_t type, uint16_t value)
{
	value = htons(value);
	return put(m, type, &value, sizeof(value));
}

static inline size_t put_be64(struct message *m, uint16_t type, uint64_t value)
{
	uint32_t halves[2] = { htonl((uint32_t)(value >> 32)), htonl((uint32_t)value) };

	return put(m, type, halves, sizeof(halves));
}

static inline size_t nest(struct message *m, uint16_t type)
{
	return put(m, type | 0x8000, NULL, 0);
}

static inline void nest_end(struct message *m, size_t at)
{
	uint16_t size = (uint16_t)(m->u.header.nlmsg_len - at);

	memcpy(m->u.bytes + at, &size, sizeof(size));
}

/* A tuple nest of IPv4 addresses 10.0.0.`src` and 10.0.0.`dst` and a protocol with ports. */
static inline void put_tuple(struct message *m, uint16_t type, uint8_t src, uint8_t dst,
			     uint8_t protocol, uint16_t sport, uint16_t dport)
{
	size_t tuple = nest(m, type), ip = nest(m, 1), proto;

	put_be32(m, 1, 0x0a000000u | src);
	put_be32(m, 2, 0x0a000000u | dst);
	nest_end(m, ip);
	proto = nest(m, 2);
	put_u8(m, 1, protocol);
	put_be16(m, 2, sport);
	put_be16(m, 3, dport);
	nest_end(m, proto);
	nest_end(m, tuple);
}

/* Finds a top-level attribute of a message; gives its length without header, or -1. */
static inline int find(const struct nlmsghdr *nlh, uint16_t type, const uint8_t **data)
{
	const uint8_t *at = (const uint8_t *)nlh + 20, *end = (const uint8_t *)nlh + nlh->nlmsg_len;

	while (end - at >= 4) {
		uint16_t header[2];

		memcpy(header, at, 4);
		if ((header[1] & 0x3fff) == type) {
			if (data != NULL)
				*data = at + 4;
			return header[0] - 4;
		}
		at += (header[0] + 3) & ~3;
	}
	return -1;
}

/* Bytes from hexadecimal text; gives their number. */
static inline size_t unhex(const char *text, uint8_t *out)
{
	size_t n = 0;
	unsigned int byte;

	for (; sscanf(text, "%2x", &byte) == 1; text += 2)
		out[n++] = (uint8_t)byte;
	return n;
}

/* Turns a number round where it is not as a little-endian machine has it. */
static inline void turn(uint8_t *bytes, size_t size)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	for (size_t i = 0; i < size / 2; i++) {
		uint8_t byte = bytes[i];

		bytes[i] = bytes[size - 1 - i];
		bytes[size - 1 - i] = byte;
	}
#endif
	(void)bytes, (void)size;
}

/* Attributes of a little-endian machine as this one has them, those of nests too; with what the kernel has
 * in host order: the words of labels, and the flags of a filter, the nest 25. */
static inline void turn_attributes(uint8_t *at, size_t size, unsigned int nest)
{
	uint16_t header[2];
	size_t length;

	for (; size >= 4; at += length, size -= length) {
		turn(at, 2);
		turn(at + 2, 2);
		memcpy(header, at, 4);
		length = (header[0] + 3u) & ~3u;
		if (header[0] < 4 || length > size)
			return;
		if (header[1] & 0x8000)
			turn_attributes(at + 4, header[0] - 4u, header[1] & 0x3fff);
		else if (header[1] == 22 || header[1] == 23 || nest == 25)
			for (size_t word = 4; word < header[0]; word += 4)
				turn(at + word, 4);
	}
}

/* unhex() of a message of a little-endian machine, as this one has it. */
static inline size_t unhex_message(const char *text, uint8_t *out)
{
	static const size_t header[] = { 4, 2, 2, 4, 4 };
	size_t size = unhex(text, out), at = 0;

	for (size_t i = 0; i < COUNT(header); at += header[i++])
		turn(out + at, header[i]);
	if (size > 20)
		turn_attributes(out + 20, size - 20, 0);
	return size;
}

/* Attributes written as in a C string, compared with those at `got`. */
#define CHECK_ATTRIBUTES(got, want) check_attributes((got), (want), sizeof(want) - 1, __FILE__, __LINE__)
static inline void check_attributes(const uint8_t *got, const char *want, size_t size,
				    const char *file, int line)
{
	uint8_t bytes[128];

	memcpy(bytes, want, size);
	turn_attributes(bytes, size, 0);
	check_mem(got, bytes, size, file, line, "attributes");
}

#endif
