/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Lists the flows whose mark, under MASK, is VALUE: ./dump-by-mark VALUE [MASK] */
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

static int print_flow(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	char line[4096];

	(void)type;
	(void)data;
	if (nfct_snprintf(line, sizeof(line), ct, NFCT_T_UNKNOWN, NFCT_O_DEFAULT, 0) < 0 ||
	    puts(line) == EOF || fflush(stdout) == EOF)
		return NFCT_CB_FAILURE;
	return NFCT_CB_CONTINUE;
}

int main(int argc, char *argv[])
{
	struct nfct_filter_dump_mark mark = { 0, 0xffffffff };
	struct nfct_filter_dump *filter;
	struct nfct_handle *h;
	int status = EXIT_SUCCESS;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: %s VALUE [MASK]\n", argv[0]);
		return EXIT_FAILURE;
	}
	mark.val = (uint32_t)strtoul(argv[1], NULL, 0);
	if (argc == 3)
		mark.mask = (uint32_t)strtoul(argv[2], NULL, 0);
	filter = nfct_filter_dump_create();
	if (filter == NULL)
		return fail("filter");
	nfct_filter_dump_set_attr(filter, NFCT_FILTER_DUMP_MARK, &mark);

	h = nfct_open(CONNTRACK, 0);
	if (h == NULL)
		status = fail("open");
	/* The kernel does the choosing: flows of other marks are never sent. */
	else if (nfct_callback_register(h, NFCT_T_ALL, print_flow, NULL) == -1 ||
		 nfct_query(h, NFCT_Q_DUMP_FILTER, filter) == -1)
		status = fail("dump");
	nfct_filter_dump_destroy(filter);
	if (h != NULL && nfct_close(h) == -1)
		status = fail("close");
	return status;
}
