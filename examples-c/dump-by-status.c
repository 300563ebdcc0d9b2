/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Lists the flows that have, or with ! lack, a status: ./dump-by-status [!]NAME */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

static const struct { const char *name; uint32_t bit; } statuses[] = {
	{ "expected", IPS_EXPECTED }, { "seen_reply", IPS_SEEN_REPLY }, { "assured", IPS_ASSURED },
	{ "src_nat", IPS_SRC_NAT }, { "dst_nat", IPS_DST_NAT }, { "offload", IPS_OFFLOAD },
};

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
	struct nfct_filter_dump_mark wanted = { 0, 0 }; /* value and mask, as for the mark */
	struct nfct_filter_dump *filter;
	struct nfct_handle *h;
	int status = EXIT_SUCCESS, lack = argc == 2 && argv[1][0] == '!';
	size_t i;

	for (i = 0; argc == 2 && i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (strcmp(argv[1] + lack, statuses[i].name) == 0)
			wanted.mask = statuses[i].bit;
	if (wanted.mask == 0) {
		fprintf(stderr, "usage: %s [!]expected|seen_reply|assured|src_nat|dst_nat|offload\n",
			argv[0]);
		return EXIT_FAILURE;
	}
	wanted.val = lack ? 0 : wanted.mask;
	filter = nfct_filter_dump_create();
	if (filter == NULL)
		return fail("filter");
	nfct_filter_dump_set_attr(filter, NFCT_FILTER_DUMP_STATUS, &wanted);

	h = nfct_open(CONNTRACK, 0);
	if (h == NULL)
		status = fail("open");
	else if (nfct_callback_register(h, NFCT_T_ALL, print_flow, NULL) == -1 ||
		 nfct_query(h, NFCT_Q_DUMP_FILTER, filter) == -1)
		status = fail("dump");
	nfct_filter_dump_destroy(filter);
	if (h != NULL && nfct_close(h) == -1)
		status = fail("close");
	return status;
}
