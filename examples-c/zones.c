/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* How many flows each zone has, as that of a VRF or a tenant: ./zones */
#include <stdio.h>
#include <stdlib.h>
#include <ctrs.h>

int main(void)
{
	static struct ctrs_flow flows[1000];
	static unsigned long count[65536];
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct nfct_handle *h = ctrs_open(NULL, &error);
	struct ctrs_dump *dump = h != NULL ? ctrs_dump_begin(h, NULL, 0) : NULL;
	ssize_t got = -1, i;
	int verdict;

	while (dump != NULL && (got = ctrs_dump_read(dump, flows, 1000, sizeof(flows[0]))) > 0)
		for (i = 0; i < got; i++)
			count[flows[i].zone]++; /* 0 where there is none; one direction's is in its tuple */
	if (got == -1) {
		fprintf(stderr, "%s\n", h == NULL ? error.text :
			(dump ? ctrs_dump_last_error(dump) : ctrs_last_error(h))->text);
		return EXIT_FAILURE;
	}
	for (i = 0; i < 65536; i++)
		if (count[i] != 0)
			printf("%7lu zone %ld\n", count[i], (long)i);
	verdict = ctrs_dump_end(dump);
	if (verdict == CTRS_INCONSISTENT)
		fprintf(stderr, "flows may be missing, or be there twice: list them again\n");
	return nfct_close(h) == 0 && verdict == CTRS_CONSISTENT ? EXIT_SUCCESS : EXIT_FAILURE;
}
