/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Handles of ctrs_open() on a real kernel: options, errors, and what ends a wait. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	return finish(); /* there is no such function */
}
#else
#include <ctrs.h>

static void test_last_error(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	const struct ctrs_error *error = ctrs_last_error(NULL);

	CHECK_INT(error->err, EINVAL);
	CHECK_INT(error->kind, CTRS_ERROR_INVALID);
	CHECK(strstr(error->text, "no handle") != NULL);
	CHECK_ERR(ctrs_receive_buffer(NULL), -1, EINVAL);
	error = ctrs_last_error(h);
	CHECK_INT(error->size, sizeof(*error));
	CHECK_INT(error->err, 0);
	CHECK_STR(error->text, "");
	CHECK(ctrs_receive_buffer(h) > 0);
	close(nfct_fd(h));
	CHECK_ERR(ctrs_receive_buffer(h), -1, EBADF);
	CHECK(ctrs_last_error(h) == error);
	CHECK_INT(error->err, EBADF);
	CHECK_INT(error->kind, CTRS_ERROR_SYSTEM);
	CHECK_INT(error->attribute, CTRS_ERROR_NOWHERE);
	CHECK(strstr(error->text, "getsockopt failed: ") != NULL);
	CHECK_ERR(nfct_close(h), -1, EBADF);
}

static void test_open(void)
{
	struct ctrs_open_options options = { .size = sizeof(options), .groups = 7 };
	struct ctrs_error error = { .size = sizeof(error) };
	struct nfct_handle *h = ctrs_open(NULL, NULL);

	CHECK(h != NULL);
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, new_flow(0)), 0);
	CHECK_INT(nfct_close(h), 0);
	h = ctrs_open(&options, &error);
	CHECK(h != NULL);
	CHECK_INT(error.err, 0);
	CHECK_INT(nfct_close(h), 0);
}

int main(void)
{
	own_namespace();
	test_last_error();
	test_open();
	return finish();
}
#endif
