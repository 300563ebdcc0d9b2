/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Counts the flows in the network namespace that a process is in, as one of a container: ./netns PID */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctrs.h>

int main(int argc, char *argv[])
{
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct ctrs_open_options options;
	struct ctrs_stats stats;
	struct nfct_handle *h;
	int done;

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
	done = ctrs_stats_table(h, &stats, sizeof(stats)); /* as all calls, on that table */
	if (done == 0)
		printf("%.0f flows\n", (double)stats.entries);
	else
		fprintf(stderr, "%s\n", ctrs_last_error(h)->text);
	return nfct_close(h) == 0 && done == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
