/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* How many flows match an expression, and their bytes: ./sum 'tcp and dport {80, 443}' */
#include <stdio.h>
#include <stdlib.h>
#include <ctrs.h>

int main(int argc, char *argv[])
{
	static struct ctrs_flow flows[1000];
	static struct ctrs_error error;
	struct ctrs_filter *which;
	struct ctrs_dump *dump;
	struct nfct_handle *h;
	double bytes = 0;
	ssize_t got, sum = 0, i;

	error.size = sizeof(error);
	which = ctrs_filter_compile(argc > 1 ? argv[1] : "all", NULL, &error);
	h = which != NULL ? ctrs_open(NULL, &error) : NULL;
	if (h == NULL) {
		fprintf(stderr, "%s\n", error.text); /* what failed, where, and why it may have */
		return EXIT_FAILURE;
	}
	dump = ctrs_dump_begin(h, which, 0); /* no callback: plain records, many a call */
	while ((got = ctrs_dump_read(dump, flows, 1000, sizeof(flows[0]))) > 0)
		for (i = 0; i < got; i++, sum++)
			bytes += (double)flows[i].bytes[0] + (double)flows[i].bytes[1];
	if (got == -1)
		fprintf(stderr, "%s\n", (dump ? ctrs_dump_last_error(dump) : ctrs_last_error(h))->text);
	if (ctrs_dump_end(dump) != CTRS_CONSISTENT) /* if the kernel's table was resized: list again */
		got = -1;
	else
		printf("%ld flows, %.0f bytes\n", (long)sum, bytes);
	ctrs_filter_free(which);
	nfct_close(h);
	return got == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
