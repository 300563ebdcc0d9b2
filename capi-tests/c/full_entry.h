/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the calls of libnetfilter_conntrack are tried on without memory. */
#ifndef FULL_ENTRY_H
#define FULL_ENTRY_H

#include "failing_allocations.h"

/* A message with everything that takes memory, and an object that has it all. */
static struct message rich;
static struct nf_conntrack *full;

static inline void prepare(void)
{
	size_t help, secctx;

	message_start(&rich, 0x100, AF_INET);
	put_tuple(&rich, 1, 1, 2, IPPROTO_TCP, 3, 4);
	help = nest(&rich, 5);
	put(&rich, 1, "ftp", 4);
	put(&rich, 2, "secret", 6);
	nest_end(&rich, help);
	secctx = nest(&rich, 19);
	put(&rich, 1, "system_u:x", 11);
	nest_end(&rich, secctx);
	put(&rich, 22, "\x02\0\0\0\x01\0\0\0", 8);
	put_be32(&rich, 8, 77);
	full = nfct_new();
	CHECK_INT(nfct_nlmsg_parse(&rich.u.header, full), 0);
	nfct_set_attr(full, ATTR_CONNLABELS_MASK, nfct_bitmask_new(63));
}

static char label_path[] = "/tmp/labels-XXXXXX";

static inline void write_labels(void)
{
	int fd = mkstemp(label_path);

	for (int i = 0; i < 1024; i++)
		dprintf(fd, "%d label %d\n", i, i);
	close(fd);
}

/* Makes what the calls need. */
static inline void begin_full(void)
{
	begin();
	prepare();
	write_labels();
}

static inline int end_full(void)
{
	nfct_destroy(full);
	unlink(label_path);
	return finish();
}

#endif
