/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Creates an established TCP flow for ten minutes, with source or destination NAT if asked:
 * ./create plain SRC SPORT DST DPORT
 * ./create snat|dnat SRC SPORT DST DPORT NAT-ADDRESS NAT-PORT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>

static int fail(const char *what)
{
	const char *advice = strerror(errno);

	if (errno == EPERM)
		advice = "needs CAP_NET_ADMIN: run as root or in a namespace of your own: unshare -Urn";
	else if (errno == EEXIST)
		advice = "there is such a flow already: ./delete it first";
	else if (errno == EOPNOTSUPP)
		advice = "the kernel cannot do NAT: modprobe nf_nat";
	fprintf(stderr, "%s: %s\n", what, advice);
	return EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	struct in_addr src, dst, nat = { 0 };
	int is_nat = argc == 8 && (!strcmp(argv[1], "snat") || !strcmp(argv[1], "dnat"));
	int is_snat = is_nat && argv[1][0] == 's', status = EXIT_SUCCESS;
	struct nf_conntrack *ct;
	struct nfct_handle *h;

	if ((!is_nat && (argc != 6 || strcmp(argv[1], "plain"))) ||
	    inet_pton(AF_INET, argv[2], &src) != 1 || inet_pton(AF_INET, argv[4], &dst) != 1 ||
	    (is_nat && inet_pton(AF_INET, argv[6], &nat) != 1)) {
		fprintf(stderr, "usage: %s plain SRC SPORT DST DPORT | "
			"snat|dnat SRC SPORT DST DPORT ADDRESS PORT\n", argv[0]);
		return EXIT_FAILURE;
	}
	ct = nfct_new();
	if (ct == NULL)
		return fail("new");
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, src.s_addr);
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, dst.s_addr);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons((uint16_t)atoi(argv[3])));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons((uint16_t)atoi(argv[5])));
	nfct_set_attr_u8(ct, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 600); /* seconds */
	if (is_nat) {
		nfct_set_attr_u32(ct, is_snat ? ATTR_SNAT_IPV4 : ATTR_DNAT_IPV4, nat.s_addr);
		nfct_set_attr_u16(ct, is_snat ? ATTR_SNAT_PORT : ATTR_DNAT_PORT,
				  htons((uint16_t)atoi(argv[7])));
	}

	h = nfct_open(CONNTRACK, 0);
	if (h == NULL)
		status = fail("open");
	/* The kernel wants the reply direction too; from NAT it works out the rest itself. */
	else if (nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY) == -1 ||
		 nfct_query(h, NFCT_Q_CREATE, ct) == -1)
		status = fail("create");
	nfct_destroy(ct);
	if (h != NULL && nfct_close(h) == -1)
		status = fail("close");
	return status;
}
