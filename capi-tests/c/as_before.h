/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The running kernel, as one of its ancestors: system calls and options that it lacks fail as there, by
 * seccomp, and of messages it neither reads nor tells the attributes that it does not know. The library
 * calls the functions below in place of the C library's. Include kernel.h first. */
#ifndef AS_BEFORE_H
#define AS_BEFORE_H

#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ANY (~0u)

/* A system call that fails; where arguments count, its second and third. */
struct missing_call {
	unsigned int number, second, third, error;
};

/* What the kernel is without. */
static struct {
	uint64_t unread; /* attributes of requests for flows, a bit each, that are passed over */
	uint64_t untold; /* attributes of what is told of flows */
	int message; /* the number of a message about flows that is not known, 0: none */
	bool counts; /* untold is of statistics */
	bool route; /* of rtnetlink nothing about ids of namespaces is known */
} without;

static inline void lose_call(struct missing_call call)
{
	const size_t second = offsetof(struct seccomp_data, args[1]), third = offsetof(struct seccomp_data, args[2]);
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call.number, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, second + (__BYTE_ORDER == __BIG_ENDIAN ? 4 : 0)),
		BPF_JUMP(BPF_JMP | (call.second == ANY ? BPF_JA : BPF_JEQ) | BPF_K,
			 call.second == ANY ? 0 : call.second, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, third + (__BYTE_ORDER == __BIG_ENDIAN ? 4 : 0)),
		BPF_JUMP(BPF_JMP | (call.third == ANY ? BPF_JA : BPF_JEQ) | BPF_K,
			 call.third == ANY ? 0 : call.third, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | call.error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { COUNT(filter), filter };

	CHECK_INT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	CHECK_INT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
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
	int received = (int)syscall(SYS_recvmmsg, fd, headers, number, flags, timeout);

	for (int i = 0; i < received && without.untold != 0; i++)
		headers[i].msg_len =
			(unsigned int)as_told(headers[i].msg_hdr.msg_iov->iov_base, headers[i].msg_len);
	return received;
}

#endif
