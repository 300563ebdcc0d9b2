/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Lists every flow of this network namespace, IPv4 and IPv6: ./list */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

static int fail(const char *what)
{
	const char *advice = strerror(errno);

	if (errno == EPERM)
		advice = "needs CAP_NET_ADMIN: run as root or in a namespace of your own: unshare -Urn";
	else if (errno == EPROTONOSUPPORT || errno == EINVAL)
		advice = "no connection tracking over netlink: modprobe nf_conntrack_netlink";
	fprintf(stderr, "%s: %s\n", what, advice);
	return EXIT_FAILURE;
}

static int print_flow(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	unsigned long *count = (unsigned long *)data;
	char line[4096];
	int len = nfct_snprintf(line, sizeof(line), ct, NFCT_T_UNKNOWN, NFCT_O_DEFAULT, 0);

	(void)type; /* a dump reports every flow as NFCT_T_UPDATE */
	if (len < 0)
		return NFCT_CB_FAILURE;
	if ((size_t)len >= sizeof(line))
		fprintf(stderr, "the next line is cut short: %d bytes\n", len);
	if (puts(line) == EOF)
		return NFCT_CB_FAILURE;
	++*count;
	return NFCT_CB_CONTINUE;
}

int main(void)
{
	unsigned long count = 0;
	uint32_t family = AF_UNSPEC; /* AF_INET or AF_INET6 for one of them */
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);

	if (h == NULL)
		return fail("open");
	if (nfct_callback_register(h, NFCT_T_ALL, print_flow, &count) == -1 ||
	    nfct_query(h, NFCT_Q_DUMP, &family) == -1) {
		int status = fail("dump");

		nfct_close(h);
		return status;
	}
	if (nfct_close(h) == -1)
		return fail("close");
	fprintf(stderr, "%lu flows\n", count);
	return fflush(stdout) == EOF ? fail("write") : EXIT_SUCCESS;
}
