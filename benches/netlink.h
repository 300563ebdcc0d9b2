/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Netlink without a library: the floor that no library can be below, and the means to make many
 * entries fast. */
#ifndef NETLINK_H
#define NETLINK_H

#include <stddef.h>

/* Messages of one send, as many as its buffer holds. */
struct batch {
	size_t length;
	char *last; /* the last message */
	char bytes[256 * 1024];
};

/* A netfilter socket that hears the multicast groups of a mask. */
int netlink_open(unsigned int groups);

/* Appends a request to create entry number `n`, an established TCP flow, or to delete it. */
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
