/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The running kernel, as one of its ancestors: system calls and options that it lacks fail as there, and of
 * messages it neither reads nor tells the attributes that it does not know. The library calls the functions
 * below in place of the C library's. Include kernel.h first. */
#ifndef AS_BEFORE_H
#define AS_BEFORE_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define ANY (~0u)

/* A system call that fails; where arguments count, its second and third. */
struct missing_call {
	unsigned int number, second, third, error;
};

/* What the kernel is without. */
static struct {
	const struct missing_call *calls; /* two, or NULL; without an error: none */
	uint64_t unread; /* attributes of requests for flows, a bit each, that are passed over */
	uint64_t untold; /* attributes of what is told of flows */
	int message; /* the number of a message about flows that is not known, 0: none */
	bool counts; /* untold is of statistics */
	bool route; /* of rtnetlink nothing about ids of namespaces is known */
} without;

/* Whether a call is missing, and errno then. */
static inline bool is_missing(unsigned int number, unsigned int second, unsigned int third)
{
	for (const struct missing_call *call = without.calls; call != NULL && call < without.calls + 2; call++)
		if (call->error != 0 && call->number == number && (call->second == ANY || call->second == second) &&
		    (call->third == ANY || call->third == third)) {
			errno = (int)call->error;
			return true;
		}
	return false;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	return is_missing(SYS_setsockopt, (unsigned int)level, (unsigned int)option) ?
		       -1 : (int)syscall(SYS_setsockopt, fd, level, option, value, size);
}

int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict size)
{
	return is_missing(SYS_getsockopt, (unsigned int)level, (unsigned int)option) ?
		       -1 : (int)syscall(SYS_getsockopt, fd, level, option, value, size);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return is_missing(SYS_ioctl, (unsigned int)request, ANY) ? -1 : (int)syscall(SYS_ioctl, fd, request, argument);
}

/* Copies a message without some of its attributes; its length. */
static inline size_t copy_without(uint8_t *to, const struct nlmsghdr *from, uint64_t attributes)
{
	const uint8_t *bytes = (const uint8_t *)from;
	size_t head = NLMSG_HDRLEN + 4, length = head;
	struct nlattr attribute;

	memcpy(to, bytes, head);
	for (size_t at = head; at + 4 <= from->nlmsg_len; at += NLA_ALIGN(attribute.nla_len)) {
		memcpy(&attribute, bytes + at, sizeof(attribute));
		if (attributes >> (attribute.nla_type & NLA_TYPE_MASK) & 1)
			continue;
		memcpy(to + length, bytes + at, NLA_ALIGN(attribute.nla_len));
		length += NLA_ALIGN(attribute.nla_len);
	}
	memcpy(to, &(uint32_t){ (uint32_t)length }, 4);
	return length;
}

static inline bool is_of_flows(const struct nlmsghdr *message)
{
	return message->nlmsg_type >> 8 == NFNL_SUBSYS_CTNETLINK && message->nlmsg_len >= NLMSG_HDRLEN + 4;
}

ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const struct sockaddr *to, socklen_t to_size)
{
	static uint8_t out[1 << 18];
	size_t length = 0;
	ssize_t sent;

	for (size_t at = 0; at + NLMSG_HDRLEN <= size;) {
		const struct nlmsghdr *message = (const void *)((const char *)buffer + at);
		struct nlmsghdr *copy = (void *)(out + length);

		at += NLMSG_ALIGN(message->nlmsg_len);
		memcpy(out + length, message, message->nlmsg_len);
		if (without.route && message->nlmsg_type == RTM_GETNSID)
			copy->nlmsg_type = RTM_GETNSID + 120; /* the kernel knows as little of this */
		if (is_of_flows(message)) { /* flows themselves are made as ever */
			if ((message->nlmsg_type & 0xff) != IPCTNL_MSG_CT_NEW)
				copy_without(out + length, message, without.unread);
			if (without.message != 0 && (message->nlmsg_type & 0xff) == without.message)
				copy->nlmsg_type |= 0x70;
		}
		length += NLMSG_ALIGN(copy->nlmsg_len);
	}
	sent = syscall(SYS_sendto, fd, out, length, flags, to, to_size);
	return sent == (ssize_t)length ? (ssize_t)size : sent;
}

/* Takes out of what was received what the kernel would not tell; what is left. */
static inline size_t as_told(uint8_t *bytes, size_t size)
{
	static uint8_t out[1 << 18];
	size_t length = 0;

	for (size_t at = 0; at + NLMSG_HDRLEN <= size;) {
		const struct nlmsghdr *message = (const void *)(bytes + at);
		bool of_counts = (message->nlmsg_type & 0xff) == IPCTNL_MSG_CT_GET_STATS ||
				 (message->nlmsg_type & 0xff) == IPCTNL_MSG_CT_GET_STATS_CPU;

		if (is_of_flows(message) && of_counts == without.counts)
			length += copy_without(out + length, message, without.untold);
		else {
			memcpy(out + length, message, message->nlmsg_len);
			length += NLMSG_ALIGN(message->nlmsg_len);
		}
		at += NLMSG_ALIGN(message->nlmsg_len);
	}
	memcpy(bytes, out, length);
	return length;
}

ssize_t recvfrom(int fd, void *restrict buffer, size_t size, int flags, struct sockaddr *restrict from,
		 socklen_t *restrict from_size)
{
	ssize_t received = syscall(SYS_recvfrom, fd, buffer, size, flags, from, from_size);

	return received > 0 && (size_t)received <= size && without.untold != 0 ?
		       (ssize_t)as_told(buffer, (size_t)received) : received;
}

#ifdef __GLIBC__
typedef int receive_flags;
#else
typedef unsigned int receive_flags; /* of musl */
#endif

int recvmmsg(int fd, struct mmsghdr *headers, unsigned int number, receive_flags flags, struct timespec *timeout)
{
	int received = is_missing(SYS_recvmmsg, ANY, ANY) ?
			       -1 : (int)syscall(SYS_recvmmsg, fd, headers, number, flags, timeout);

	for (int i = 0; i < received && without.untold != 0; i++)
		headers[i].msg_len =
			(unsigned int)as_told(headers[i].msg_hdr.msg_iov->iov_base, headers[i].msg_len);
	return received;
}

#endif
