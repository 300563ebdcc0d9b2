// SPDX-License-Identifier: MIT OR Apache-2.0
#include "netlink.h"
#include "library.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int netlink_open(unsigned int groups)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd == -1 || bind(fd, (struct sockaddr *)&self, sizeof(self)) == -1)
		fail("netlink socket");
	return fd;
}

static void put(struct batch *b, uint16_t type, const void *value, size_t size)
{
	uint16_t header[2] = { (uint16_t)(size + 4), type };

	memcpy(b->bytes + b->length, header, 4);
	memset(b->bytes + b->length + 4, 0, (size + 3) & ~(size_t)3);
	if (size != 0)
		memcpy(b->bytes + b->length + 4, value, size);
	b->length += 4 + ((size + 3) & ~(size_t)3);
}

static size_t nest(struct batch *b, uint16_t type)
{
	put(b, type | NLA_F_NESTED, NULL, 0);
	return b->length - 4;
}

static void nest_end(struct batch *b, size_t at)
{
	uint16_t size = (uint16_t)(b->length - at);

	memcpy(b->bytes + at, &size, sizeof(size));
}

static void put_u8(struct batch *b, uint16_t type, uint8_t value)
{
	put(b, type, &value, sizeof(value));
}

static void put_be16(struct batch *b, uint16_t type, uint16_t value)
{
	value = htons(value);
	put(b, type, &value, sizeof(value));
}

static void put_be32(struct batch *b, uint16_t type, uint32_t value)
{
	value = htonl(value);
	put(b, type, &value, sizeof(value));
}

static void put_tuple(struct batch *b, uint16_t type, const uint32_t address[2],
		      const uint16_t port[2])
{
	size_t tuple = nest(b, type), inner = nest(b, CTA_TUPLE_IP);

	put_be32(b, CTA_IP_V4_SRC, address[0]);
	put_be32(b, CTA_IP_V4_DST, address[1]);
	nest_end(b, inner);
	inner = nest(b, CTA_TUPLE_PROTO);
	put_u8(b, CTA_PROTO_NUM, IPPROTO_TCP);
	put_be16(b, CTA_PROTO_SRC_PORT, port[0]);
	put_be16(b, CTA_PROTO_DST_PORT, port[1]);
	nest_end(b, inner);
	nest_end(b, tuple);
}

static struct nlmsghdr *header(char *at)
{
	return (struct nlmsghdr *)(void *)at;
}

static void begin(struct batch *b, uint16_t type, uint16_t flags)
{
	struct nfgenmsg family = { .nfgen_family = AF_INET };
	struct nlmsghdr start = {
		.nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type),
		.nlmsg_flags = NLM_F_REQUEST | flags,
	};

	b->last = b->bytes + b->length;
	memcpy(b->last, &start, sizeof(start));
	memcpy(b->last + sizeof(start), &family, sizeof(family));
	b->length += sizeof(start) + sizeof(family);
}

static void end(struct batch *b)
{
	header(b->last)->nlmsg_len = (uint32_t)(b->bytes + b->length - b->last);
}

/* Entry `n` comes from 10.0.0.1 + n. */
static void put_tuples(struct batch *b, unsigned int n, int both)
{
	uint32_t address[2] = { 0x0a000001 + n, 0xc0a80001 };
	uint16_t port[2] = { (uint16_t)(1024 + n % 60000), 80 };

	put_tuple(b, CTA_TUPLE_ORIG, address, port);
	if (both)
		put_tuple(b, CTA_TUPLE_REPLY, (uint32_t[]){ address[1], address[0] },
			  (uint16_t[]){ port[1], port[0] });
}

void add_create(struct batch *b, unsigned int n)
{
	size_t outer, inner;

	begin(b, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL);
	put_tuples(b, n, 1);
	put_be32(b, CTA_TIMEOUT, 100000);
	outer = nest(b, CTA_PROTOINFO);
	inner = nest(b, CTA_PROTOINFO_TCP);
	put_u8(b, CTA_PROTOINFO_TCP_STATE, 3); /* established */
	nest_end(b, inner);
	nest_end(b, outer);
	end(b);
}

void add_delete(struct batch *b, unsigned int n)
{
	begin(b, IPCTNL_MSG_CT_DELETE, 0);
	put_tuples(b, n, 0);
	end(b);
}

void netlink_send(int fd, struct batch *b)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (sendto(fd, b->bytes, b->length, 0, (struct sockaddr *)&kernel, sizeof(kernel)) == -1)
		fail("sendto");
	b->length = 0;
}

void netlink_confirm(int fd, struct batch *b)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[1024];
	} answer;

	header(b->last)->nlmsg_flags |= NLM_F_ACK;
	netlink_send(fd, b);
	if (recv(fd, &answer, sizeof(answer), 0) < NLMSG_HDRLEN)
		fail("recv");
	errno = -answer.error.error;
	if (answer.header.nlmsg_type != NLMSG_ERROR || errno != 0)
		fail("request");
}

void create_entries(unsigned int first, unsigned int count)
{
	static struct batch batch;
	int fd = netlink_open(0);

	for (unsigned int n = 0; n < count; n++) {
		add_create(&batch, first + n);
		if (n % 1000 == 999 || n + 1 == count)
			netlink_confirm(fd, &batch);
	}
	close(fd);
}

void flush_entries(void)
{
	static struct batch batch;
	int fd = netlink_open(0);

	begin(&batch, IPCTNL_MSG_CT_DELETE, 0);
	end(&batch);
	netlink_confirm(fd, &batch);
	close(fd);
}

unsigned long netlink_dump(int fd)
{
	static struct batch request;
	static union {
		struct nlmsghdr first;
		char bytes[32 * 1024];
	} buffer;
	unsigned long entries = 0;

	begin(&request, IPCTNL_MSG_CT_GET, NLM_F_DUMP);
	end(&request);
	netlink_send(fd, &request);
	for (;;) {
		ssize_t size = recv(fd, buffer.bytes, sizeof(buffer), 0);
		struct nlmsghdr *message = &buffer.first;

		if (size == -1)
			fail("recv");
		for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
			if (message->nlmsg_type == NLMSG_DONE)
				return entries;
			entries++;
		}
	}
}
