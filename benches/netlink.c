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

struct flow flow_of(unsigned int n)
{
	unsigned int kind = n % 10;

	return (struct flow){
		.family = kind < 8 ? AF_INET : AF_INET6,
		.protocol = kind < 5 || kind == 8 ? IPPROTO_TCP : IPPROTO_UDP,
		.address = { 0x0a000001 + n, 0xc0a80001 },
		.port = { (uint16_t)(1024 + n % 60000), 80 },
		.mark = 1 + n % 1000,
	};
}

struct in6_addr ipv6_of(uint32_t low)
{
	struct in6_addr address = { .s6_addr = { 0xfd } };

	low = htonl(low);
	memcpy(&address.s6_addr[12], &low, sizeof(low));
	return address;
}

static void put_address(struct batch *b, uint8_t family, int is_destination, uint32_t low)
{
	struct in6_addr address = ipv6_of(low);

	if (family == AF_INET)
		put_be32(b, is_destination ? CTA_IP_V4_DST : CTA_IP_V4_SRC, low);
	else
		put(b, is_destination ? CTA_IP_V6_DST : CTA_IP_V6_SRC, &address, sizeof(address));
}

/* A tuple of a flow; its reply from 1 to 0 in place of from 0 to 1. */
static void put_tuple(struct batch *b, const struct flow *flow, int is_reply)
{
	size_t tuple = nest(b, is_reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG);
	size_t inner = nest(b, CTA_TUPLE_IP);

	put_address(b, flow->family, 0, flow->address[is_reply]);
	put_address(b, flow->family, 1, flow->address[!is_reply]);
	nest_end(b, inner);
	inner = nest(b, CTA_TUPLE_PROTO);
	put_u8(b, CTA_PROTO_NUM, flow->protocol);
	put_be16(b, CTA_PROTO_SRC_PORT, flow->port[is_reply]);
	put_be16(b, CTA_PROTO_DST_PORT, flow->port[!is_reply]);
	nest_end(b, inner);
	nest_end(b, tuple);
}

static struct nlmsghdr *header(char *at)
{
	return (struct nlmsghdr *)(void *)at;
}

static void begin(struct batch *b, uint16_t type, uint16_t flags, uint8_t nfgen_family)
{
	struct nfgenmsg family = { .nfgen_family = nfgen_family };
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

void add_create(struct batch *b, unsigned int n)
{
	struct flow flow = flow_of(n);
	size_t outer, inner;

	begin(b, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL, flow.family);
	put_tuple(b, &flow, 0);
	put_tuple(b, &flow, 1);
	put_be32(b, CTA_TIMEOUT, 100000);
	put_be32(b, CTA_MARK, flow.mark);
	if (flow.protocol == IPPROTO_TCP) {
		outer = nest(b, CTA_PROTOINFO);
		inner = nest(b, CTA_PROTOINFO_TCP);
		put_u8(b, CTA_PROTOINFO_TCP_STATE, 3); /* established */
		nest_end(b, inner);
		nest_end(b, outer);
	}
	end(b);
}

void add_delete(struct batch *b, unsigned int n)
{
	struct flow flow = flow_of(n);

	begin(b, IPCTNL_MSG_CT_DELETE, 0, flow.family);
	put_tuple(b, &flow, 0);
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

	begin(&batch, IPCTNL_MSG_CT_DELETE, 0, AF_UNSPEC);
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

	begin(&request, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
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
