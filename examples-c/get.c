/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prints one TCP flow: ./get SRC SPORT DST DPORT */
#include <arpa/inet.h>
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
	else if (errno == ENOENT)
		advice = "no such flow: see what there is with ./list";
	fprintf(stderr, "%s: %s\n", what, advice);
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
	return NFCT_CB_CONTINUE; /* the kernel's acknowledgement ends the query */
}

int main(int argc, char *argv[])
{
	struct in_addr src, dst;
	struct nf_conntrack *ct;
	struct nfct_handle *h;
	int status = EXIT_SUCCESS;

	if (argc != 5 || inet_pton(AF_INET, argv[1], &src) != 1 ||
	    inet_pton(AF_INET, argv[3], &dst) != 1) {
		fprintf(stderr, "usage: %s SRC SPORT DST DPORT, IPv4 addresses\n", argv[0]);
		return EXIT_FAILURE;
	}
	ct = nfct_new();
	if (ct == NULL)
		return fail("new");
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, src.s_addr);
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, dst.s_addr);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons((uint16_t)atoi(argv[2])));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons((uint16_t)atoi(argv[4])));

	h = nfct_open(CONNTRACK, 0);
	if (h == NULL)
		status = fail("open");
	else if (nfct_callback_register(h, NFCT_T_ALL, print_flow, NULL) == -1 ||
		 nfct_query(h, NFCT_Q_GET, ct) == -1)
		status = fail("get");
	nfct_destroy(ct);
	if (h != NULL && nfct_close(h) == -1)
		status = fail("close");
	return status;
}
