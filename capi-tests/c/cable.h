/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A client and a server, each in a network namespace, and TCP between them. The client's is the
 * one the test is in: connections are tracked there. Include it after kernel.h. */
#ifndef CABLE_H
#define CABLE_H

#include "programs.h"

#define CLIENT 0x0a090001u /* 10.9.0.1 */
#define SERVER 0x0a090002u
#define OUTSIDE 0x0a090005u /* another of the client, to translate to */

static int here, there; /* the network namespaces of client and server */

static inline int open_namespace(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static inline void enter(int namespace)
{
	CHECK_INT(setns(namespace, CLONE_NEWNET), 0);
}

/* A namespace for the server and a cable to it. */
static inline void lay_cable(void)
{
	here = open_namespace();
	CHECK_INT(unshare(CLONE_NEWNET), 0);
	there = open_namespace();
	enter(here);
	CHECK_RUN("ip link add name c type veth peer name s netns /proc/%d/fd/%d", getpid(), there);
	CHECK_RUN("ip addr add 10.9.0.1/24 dev c && ip addr add 10.9.0.5/24 dev c &&"
		  "ip link set c up");
	enter(there);
	CHECK_RUN("ip addr add 10.9.0.2/24 dev s && ip link set s up");
	enter(here);
}

static inline struct sockaddr_in address_of(uint32_t host, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	address.sin_addr.s_addr = htonl(host);
	return address;
}

static inline uint16_t port_of(int fd)
{
	struct sockaddr_in address = { .sin_port = 0 };
	socklen_t size = sizeof(address);

	CHECK_INT(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

static inline int socket_in(int namespace)
{
	int fd, yes = 1;

	enter(namespace);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	enter(here);
	CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	return fd;
}

/* Port 0: any. */
static inline int listen_in(int namespace, uint32_t host, uint16_t port)
{
	struct sockaddr_in address = address_of(host, port);
	int fd = socket_in(namespace);

	CHECK_INT(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_INT(listen(fd, 1), 0);
	return fd;
}

static inline int connect_from(int namespace, uint32_t host, uint16_t port)
{
	struct sockaddr_in address = address_of(host, port);
	int fd = socket_in(namespace);

	CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* One side says a line, the other reads it, as it arrives. */
static inline const char *say(int from, int to, const char *line)
{
	static char heard[256];
	ssize_t size = 0;

	CHECK_INT(send(from, line, strlen(line), 0), strlen(line));
	heard[0] = '\0';
	while (strchr(heard, '\n') == NULL) {
		ssize_t more = recv(to, heard + size, sizeof(heard) - 1 - (size_t)size, 0);

		if (!CHECK(more > 0))
			break;
		heard[size += more] = '\0';
	}
	return heard;
}

#endif
