/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A library of empty answers, for `selftest`: every call succeeds, no query has an answer, no event
 * comes, every object is zero and every text empty. The functions that are not here return 0. */
#define _GNU_SOURCE
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

/* Larger than any object or attribute. */
static const char zeros[4096];

#define OBJECT(name) void *name(void) { return calloc(1, sizeof(zeros)); }
#define FREED(name) void name(void *object) { free(object); }
#define VALUE(name) const void *name(void) { return zeros; }
#define TEXT(name) int name(char *text, unsigned int size) \
	{ if (size > 0) text[0] = '\0'; return 0; }

OBJECT(nfct_open)
OBJECT(nfct_open_nfnl)
FREED(nfct_close)
OBJECT(nfct_new)
OBJECT(nfct_clone)
FREED(nfct_destroy)
OBJECT(nfexp_new)
OBJECT(nfexp_clone)
FREED(nfexp_destroy)
OBJECT(nfct_bitmask_new)
OBJECT(nfct_bitmask_clone)
FREED(nfct_bitmask_destroy)
OBJECT(nfct_labelmap_new)
FREED(nfct_labelmap_destroy)
OBJECT(nfct_filter_create)
FREED(nfct_filter_destroy)
OBJECT(nfct_filter_dump_create)
FREED(nfct_filter_dump_destroy)
OBJECT(nflog_open)
OBJECT(nflog_open_nfnl)
FREED(nflog_close)
OBJECT(nflog_bind_group)
FREED(nflog_unbind_group)
OBJECT(nfct_timeout_alloc)
FREED(nfct_timeout_free)
OBJECT(nfct_helper_alloc)
FREED(nfct_helper_free)
OBJECT(nfct_helper_policy_alloc)
FREED(nfct_helper_policy_free)
VALUE(nfct_nfnlh)
VALUE(nflog_nfnlh)
VALUE(nfct_get_attr)
VALUE(nfexp_get_attr)
VALUE(nfct_labels_get_path)
TEXT(nfct_snprintf)
TEXT(nfct_snprintf_labels)
TEXT(nfexp_snprintf)
TEXT(nflog_snprintf_xml)
TEXT(nflog_nlmsg_snprintf)
TEXT(nfct_timeout_snprintf)
TEXT(nfct_helper_snprintf)

int nflog_errno;

/* There is never anything to read from it. */
static int silent(void)
{
	static int fd = -1;

	return fd == -1 ? fd = eventfd(0, EFD_CLOEXEC) : fd;
}

int nfct_fd(const void *handle)
{
	(void)handle;
	return silent();
}

int nflog_fd(const void *handle)
{
	(void)handle;
	return silent();
}

/* A request about nothing, which the kernel answers: nobody waits for ever. */
static struct nlmsghdr *request(char *buf, int subsystem, uint8_t command, uint16_t flags, uint32_t seq)
{
	struct nlmsghdr *header = memset(buf, 0, NLMSG_LENGTH(sizeof(struct nfgenmsg)));

	header->nlmsg_len = NLMSG_LENGTH(sizeof(struct nfgenmsg));
	header->nlmsg_type = subsystem << 8 | command;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = seq;
	return header;
}

struct nlmsghdr *nfct_timeout_nlmsg_build_hdr(char *buf, uint8_t command, uint16_t flags, uint32_t seq)
{
	return request(buf, NFNL_SUBSYS_CTNETLINK_TIMEOUT, command, flags, seq);
}

struct nlmsghdr *nfct_helper_nlmsg_build_hdr(char *buf, uint8_t command, uint16_t flags, uint32_t seq)
{
	return request(buf, NFNL_SUBSYS_CTHELPER, command, flags, seq);
}
