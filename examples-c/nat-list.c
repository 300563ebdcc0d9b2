/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Lists what NAT makes of flows, of those that match: ./nat-list [EXPRESSION]
 * Who is behind a public port: ./nat-list 'snat and tcp and reply dst 203.0.113.1 and reply dport 4000' */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <ctrs.h>

static void print(const struct ctrs_flow *flow)
{
	const struct ctrs_tuple *orig = &flow->orig, *reply = &flow->reply;
	char src[INET6_ADDRSTRLEN] = "?", dst[INET6_ADDRSTRLEN] = "?";
	char new_src[INET6_ADDRSTRLEN] = "?", new_dst[INET6_ADDRSTRLEN] = "?";

	inet_ntop(orig->l3proto, orig->src, src, sizeof(src));
	inet_ntop(orig->l3proto, orig->dst, dst, sizeof(dst));
	/* What answers go to is what the source was made, and where they come from the destination. */
	inet_ntop(reply->l3proto, reply->dst, new_src, sizeof(new_src));
	inet_ntop(reply->l3proto, reply->src, new_dst, sizeof(new_dst));
	printf("protocol %u %s %u > %s %u as %s %u > %s %u\n", orig->l4proto, src, orig->sport, dst,
	       orig->dport, new_src, reply->dport, new_dst, reply->sport);
}

int main(int argc, char *argv[])
{
	static struct ctrs_flow flows[1000];
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct ctrs_filter *which = ctrs_filter_compile(argc > 1 ? argv[1] : "natted", NULL, &error);
	struct nfct_handle *h = which != NULL ? ctrs_open(NULL, &error) : NULL;
	struct ctrs_dump *dump = h != NULL ? ctrs_dump_begin(h, which, 0) : NULL;
	ssize_t got = -1, i;
	int verdict;

	while (dump != NULL && (got = ctrs_dump_read(dump, flows, 1000, sizeof(flows[0]))) > 0)
		for (i = 0; i < got; i++)
			print(&flows[i]);
	if (got == -1)
		fprintf(stderr, "%s\n", h == NULL ? error.text :
			(dump ? ctrs_dump_last_error(dump) : ctrs_last_error(h))->text);
	verdict = ctrs_dump_end(dump);
	if (verdict == CTRS_INCONSISTENT)
		fprintf(stderr, "flows may be missing, or be there twice: list them again\n");
	ctrs_filter_free(which);
	return h != NULL && nfct_close(h) == 0 && verdict == CTRS_CONSISTENT ? EXIT_SUCCESS : EXIT_FAILURE;
}
