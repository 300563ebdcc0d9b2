/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Handles of ctrs_open() that open without an error. Include it after kernel.h. */
#ifndef OPEN_WITH_H
#define OPEN_WITH_H

#include <ctrs.h>

#define EVENTS NFCT_ALL_CT_GROUPS

static struct ctrs_error error = { .size = sizeof(error) };

static inline struct nfct_handle *open_with(struct ctrs_open_options options)
{
	struct nfct_handle *h;

	options.size = sizeof(options);
	h = ctrs_open(&options, &error);
	CHECK(h != NULL);
	CHECK_INT(error.err, 0);
	CHECK_INT(error.kind, CTRS_ERROR_NONE);
	CHECK_STR(error.text, "");
	return h;
}

#endif
