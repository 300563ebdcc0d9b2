/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Counts the flows in the network namespace that a process is in, as one of a container: ./netns PID */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctrs.h>

int main(int argc, char *argv[])
{
	static struct ctrs_flow flows[1000];
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct ctrs_open_options options;
	struct nfct_handle *h;
	struct ctrs_dump *dump;
	ssize_t got = -1;
	long sum = 0;
	int verdict;

	if (argc != 2) {
		fprintf(stderr, "usage: %s PID\n", argv[0]);
		return EXIT_FAILURE;
	}
	memset(&options, 0, sizeof(options));
	options.size = sizeof(options);
	options.flags = CTRS_OPEN_NETNS_PID; /* or the path of a namespace in options.netns */
	options.netns_pid = atoi(argv[1]);
	options.timeout_ms = 5000;
	h = ctrs_open(&options, &error); /* this thread stays where it is */
	if (h == NULL) {
		fprintf(stderr, "%s\n", error.text);
		return EXIT_FAILURE;
	}
	dump = ctrs_dump_begin(h, NULL, 0);
	while (dump != NULL && (got = ctrs_dump_read(dump, flows, 1000, sizeof(flows[0]))) > 0)
		sum += got;
	if (got == -1)
		fprintf(stderr, "%s\n", (dump ? ctrs_dump_last_error(dump) : ctrs_last_error(h))->text);
	else
		printf("%ld flows\n", sum);
	verdict = ctrs_dump_end(dump);
	if (verdict == CTRS_INCONSISTENT)
		fprintf(stderr, "flows may be missing, or be there twice: list them again\n");
	return nfct_close(h) == 0 && verdict == CTRS_CONSISTENT ? EXIT_SUCCESS : EXIT_FAILURE;
}
