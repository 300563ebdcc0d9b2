/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Deletes all flows that an IPv4 address began: ./delete-by-address SRC
 *
 * The kernel deletes one flow, named by its whole tuple, or flushes by family, mark, status and zone.
 * For all else there is a dump that selects, and a deletion for each flow that it finds. */
#include <arpa/inet.h>
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

static unsigned long deleted;

/* `data` is the handle that deletes: this one is at work. */
static int delete_flow(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct nfct_handle *deleter = (struct nfct_handle *)data;

	(void)type;
	if (nfct_query(deleter, NFCT_Q_DESTROY, ct) == 0)
		deleted++;
	else if (errno != ENOENT) /* it ended meanwhile */
		return NFCT_CB_FAILURE;
	return NFCT_CB_CONTINUE;
}

static int delete_all(struct nfct_handle *h, struct nfct_handle *deleter, struct in_addr src)
{
	struct nf_conntrack *wanted = nfct_new();
	struct nfct_filter_dump *filter = nfct_filter_dump_create();
	int result = -1;

	if (wanted != NULL && filter != NULL) {
		nfct_set_attr_u8(wanted, ATTR_L3PROTO, AF_INET);
		nfct_set_attr_u32(wanted, ATTR_IPV4_SRC, src.s_addr);
		nfct_filter_dump_set_attr(filter, NFCT_FILTER_DUMP_TUPLE, wanted);
		if (nfct_callback_register(h, NFCT_T_ALL, delete_flow, deleter) == 0)
			result = nfct_query(h, NFCT_Q_DUMP_FILTER, filter);
	}
	if (filter != NULL)
		nfct_filter_dump_destroy(filter);
	if (wanted != NULL)
		nfct_destroy(wanted);
	return result;
}

int main(int argc, char *argv[])
{
	struct nfct_handle *h, *deleter;
	struct in_addr src;
	int status = EXIT_SUCCESS;

	if (argc != 2 || inet_pton(AF_INET, argv[1], &src) != 1) {
		fprintf(stderr, "usage: %s SRC, an IPv4 address\n", argv[0]);
		return EXIT_FAILURE;
	}
	h = nfct_open(CONNTRACK, 0);
	deleter = nfct_open(CONNTRACK, 0);
	if (h == NULL || deleter == NULL)
		status = fail("open");
	else if (delete_all(h, deleter, src) < 0)
		status = fail("delete");
	else
		printf("%lu deleted\n", deleted);
	if ((h != NULL && nfct_close(h) == -1) || (deleter != NULL && nfct_close(deleter) == -1))
		status = fail("close");
	return status;
}
