/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Deletes every flow of this network namespace: ./flush */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, errno != EPERM ? strerror(errno) :
		"needs CAP_NET_ADMIN: run as root or in a namespace of your own: unshare -Urn");
	return EXIT_FAILURE;
}

int main(void)
{
	uint32_t family = AF_UNSPEC; /* asked for, but this request empties all families */
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	int status = EXIT_SUCCESS;

	if (h == NULL)
		return fail("open");
	if (nfct_query(h, NFCT_Q_FLUSH, &family) == -1)
		status = fail("flush");
	return nfct_close(h) == -1 ? fail("close") : status;
}
