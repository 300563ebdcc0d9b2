/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Netlink without a library: the floor that no library can be below, and the means to make many
 * entries fast. */
#ifndef NETLINK_H
#define NETLINK_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/* Messages of one send, as many as its buffer holds. */
struct batch {
	size_t length;
	char *last; /* the last message */
	char bytes[256 * 1024];
};

/* A netfilter socket that hears the multicast groups of a mask. */
int netlink_open(unsigned int groups);

/* Entry number `n` of the mixture: of ten, five are TCP and three UDP over IPv4, and one of each over
 * IPv6; TCP is established. */
struct flow {
	uint8_t family, protocol;
	uint32_t address[2], mark; /* host order; of IPv6 the end of the address */
	uint16_t port[2];
};
struct flow flow_of(unsigned int n);

/* The address of IPv6 that ends so. */
struct in6_addr ipv6_of(uint32_t low);

/* Appends a request to create entry number `n`, or to delete it. */
void add_create(struct batch *batch, unsigned int n);
void add_delete(struct batch *batch, unsigned int n);

/* Sends a batch and empties it. `netlink_confirm` asks for an acknowledgement of the last message
 * and ends the program when that or any other message failed. */
void netlink_send(int fd, struct batch *batch);
void netlink_confirm(int fd, struct batch *batch);

/* Creates entries from the `first` on, 1000 to a send. */
void create_entries(unsigned int first, unsigned int count);

/* Deletes all entries. */
void flush_entries(void);

/* Asks for all entries and receives them; returns their number. */
unsigned long netlink_dump(int fd);

#endif
