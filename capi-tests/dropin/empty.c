/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A library of empty answers, for `selftest`: every call succeeds, no query has an answer, no event
 * comes, every object is zero and every text empty. The functions that are not here return 0. */
#define _GNU_SOURCE
#include <stdlib.h>
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
VALUE(nfct_nfnlh)
VALUE(nfct_get_attr)
VALUE(nfexp_get_attr)
VALUE(nfct_labels_get_path)
TEXT(nfct_snprintf)
TEXT(nfct_snprintf_labels)
TEXT(nfexp_snprintf)

/* There is never anything to read from it. */
int nfct_fd(const void *handle)
{
	static int fd = -1;

	(void)handle;
	return fd == -1 ? fd = eventfd(0, EFD_CLOEXEC) : fd;
}
