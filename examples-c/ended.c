/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Counts the flows that end, and their bytes, and misses none: for ever, or until NUMBER have ended. Flows have
 * counters if net.netfilter.nf_conntrack_acct was 1 when they began: ./ended [NUMBER] */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctrs.h>

static struct nfct_handle *h;

static void on_signal(int number)
{
	(void)number;
	ctrs_wake(h); /* before the wait or in it: it ends */
}

int main(int argc, char *argv[])
{
	static struct ctrs_event events[256];
	long left = argc > 1 ? atol(argv[1]) : -1, ended = 0;
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct ctrs_open_options options;
	double bytes = 0;
	ssize_t got = 0, i;
	int failed;

	memset(&options, 0, sizeof(options));
	options.size = sizeof(options);
	options.groups = CTRS_GROUP_DESTROY;
	options.flags = CTRS_OPEN_RELIABLE;	 /* an end that does not fit the buffer comes again */
	options.receive_buffer_limit = 32 << 20; /* and the buffer grows until all fit */
	h = ctrs_open(&options, &error);
	if (h == NULL || signal(SIGINT, on_signal) == SIG_ERR || signal(SIGTERM, on_signal) == SIG_ERR) {
		fprintf(stderr, "%s\n", h == NULL ? error.text : "cannot wait for signals");
		return EXIT_FAILURE;
	}
	while (left != 0 && (got = ctrs_event_read(h, events, 256, sizeof(events[0]), -1)) > 0)
		for (i = 0; i < got && left != 0; i++)
			if (events[i].change == CTRS_EVENT_LOST) {
				fprintf(stderr, "%.0f did not fit, and come again\n", (double)events[i].lost);
			} else {
				bytes += (double)events[i].flow.bytes[0] + (double)events[i].flow.bytes[1];
				ended++;
				left -= left > 0;
			}
	failed = got == -1 && errno != ECANCELED && errno != EINTR;
	if (failed)
		fprintf(stderr, "%s\n", ctrs_last_error(h)->text);
	printf("%ld flows ended, %.0f bytes\n", ended, bytes);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	return nfct_close(h) == 0 && !failed && left <= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
