/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Marks the flows that match, those bits that are in MASK: ./mark EXPRESSION MARK [MASK] */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <ctrs.h>

static int mark_all(struct nfct_handle *h, struct ctrs_dump *dump, uint32_t mark, uint32_t mask)
{
	struct nf_conntrack *ct = nfct_new();
	int more = ct == NULL ? -1 : 1, marked = 0;

	while (more == 1 && (more = ctrs_dump_next(dump, ct)) == 1)
		if (ctrs_mark(h, ct, CTRS_ORIGINAL, mark, mask, NULL) == 0)
			marked++;
		else if (errno != ENOENT) /* one that has ended meanwhile needs no mark */
			more = -1;
	if (ct != NULL)
		nfct_destroy(ct);
	return more == 0 ? marked : -1;
}

int main(int argc, char *argv[])
{
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct ctrs_filter *which;
	struct nfct_handle *h;
	struct ctrs_dump *dump;
	int marked = -1, verdict;

	if (argc < 3) {
		fprintf(stderr, "usage: %s EXPRESSION MARK [MASK]\n", argv[0]);
		return EXIT_FAILURE;
	}
	which = ctrs_filter_compile(argv[1], NULL, &error);
	h = which != NULL ? ctrs_open(NULL, &error) : NULL;
	if (h == NULL) {
		fprintf(stderr, "%s\n", error.text);
		return EXIT_FAILURE;
	}
	dump = ctrs_dump_begin(h, which, 0); /* has a socket of its own: h is free for requests */
	if (dump != NULL)
		marked = mark_all(h, dump, (uint32_t)strtoul(argv[2], NULL, 0),
				  argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : 0xffffffff);
	if (marked == -1)
		fprintf(stderr, "%s\n", dump != NULL && ctrs_last_error(h)->err == 0 ?
			ctrs_dump_last_error(dump)->text : ctrs_last_error(h)->text);
	else
		printf("%d marked\n", marked);
	ctrs_filter_free(which);
	verdict = ctrs_dump_end(dump);
	if (verdict == CTRS_INCONSISTENT)
		fprintf(stderr, "flows may have been missed: do it again\n");
	return nfct_close(h) == 0 && verdict == CTRS_CONSISTENT ? EXIT_SUCCESS : EXIT_FAILURE;
}
