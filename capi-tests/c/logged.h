/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* For tests of NFLOG that need the kernel: a namespace of their own in which a UDP packet to port
 * 1000 + N is logged to group N, and is in the socket's queue before it is sent if a batch is one
 * packet. */
#ifndef LOGGED_H
#define LOGGED_H

#include "kernel.h"
#include <libnetfilter_log/libnetfilter_log.h>

/* The original has it and declares it nowhere. */
int nflog_get_ctid(struct nflog_data *nfad, uint32_t *id);

#define GROUPS 9		  /* 0 to 8 are logged to */
#define DATAGRAM_SIZE (256 * 1024) /* holds whatever comes */

/* Goes into a namespace with such rules; whether that was possible. */
static inline bool log_by_port(void)
{
	char rules[1024] = "add table inet t; "
			   "add chain inet t c { type filter hook output priority 0; };";

	own_namespace();
	for (int group = 0; group < GROUPS; group++)
		sprintf(rules + strlen(rules), "add rule inet t c udp dport %d log group %d;",
			1000 + group, group);
	if (setenv("RULES", rules, 1) == 0 && system("nft \"$RULES\" 2>/dev/null") == 0)
		return true;
	skip("packets are logged by rules: the program nft is needed (package nftables)");
	return false;
}

/* Has `count` packets of so many bytes be logged to a group; how many were. */
static inline int send_logged(int group, int count, size_t size)
{
	static char payload[65000];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(1000 + group)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), sent = 0;

	while (count-- > 0)
		sent += sendto(fd, payload, size, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)size;
	close(fd);
	return sent;
}

/* The same, which must go well. */
static inline void log_packets(int group, int count, size_t size)
{
	CHECK_INT(send_logged(group, count, size), count);
}

/* What a callback has seen, and what it answers. */
struct heard {
	struct nflog_handle *h;
	struct nflog_g_handle *gh; /* the group, to be compared with what it is called for */
	int calls, answer;
	int wrong;	   /* calls for another group, or of a packet that is cut */
	size_t size;	   /* of the UDP payload, 0: any */
	int answer_until; /* if not 0, calls that are answered so; then it goes on */
};

static inline int hear(struct nflog_g_handle *gh, struct nfgenmsg *nfmsg, struct nflog_data *nfd,
		       void *data)
{
	struct heard *heard = data;

	(void)nfd;
	heard->calls++;
	heard->wrong += gh != heard->gh;
	/* The message lies around its head, as programs know. */
	heard->wrong += heard->size != 0 && ((struct nlmsghdr *)(void *)nfmsg - 1)->nlmsg_len <
					    heard->size + 28;
	if (heard->answer_until != 0 && heard->calls > heard->answer_until)
		return 1;
	return heard->answer;
}

/* Binds a group of which each packet comes at once. */
static inline struct nflog_g_handle *bind_at_once(struct nflog_handle *h, uint16_t group)
{
	struct nflog_g_handle *gh = nflog_bind_group(h, group);

	CHECK(gh != NULL);
	CHECK_INT(nflog_set_qthresh(gh, 1), 0);
	return gh;
}

/* The same, with a callback that goes on. */
static inline struct nflog_g_handle *bind_heard(struct nflog_handle *h, uint16_t group,
						struct heard *heard)
{
	memset(heard, 0, sizeof(*heard));
	heard->h = h;
	heard->gh = bind_at_once(h, group);
	CHECK_INT(nflog_callback_register(heard->gh, hear, heard), 0);
	return heard->gh;
}

/* Receives a datagram that waits and hands it out; -2 if there is none. */
static inline int receive_one(struct nflog_handle *h)
{
	static char buffer[DATAGRAM_SIZE];
	ssize_t size = recv(nflog_fd(h), buffer, sizeof(buffer), MSG_DONTWAIT);

	return size == -1 ? -2 : nflog_handle_packet(h, buffer, (int)size);
}

/* Whether no datagram waits: neither a packet nor an answer that nobody has read. */
static inline bool nothing_waits(struct nflog_handle *h)
{
	char byte;

	return recv(nflog_fd(h), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == -1 && errno == EAGAIN;
}

#endif
