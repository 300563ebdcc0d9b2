/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prints the events of which an expression is true as lines of JSON, here or in another network
 * namespace, until Ctrl-C, or until none has come for SECONDS. Where events were lost it says so in
 * their place, and goes on: ./watch [EXPRESSION [SECONDS [NAMESPACE]]] */
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

static int print(const struct ctrs_event *event, const struct nf_conntrack *ct)
{
	static char line[16384];

	if (event->change == CTRS_EVENT_LOST) { /* what is above is older, what is below newer */
		fprintf(stderr, "the buffer has %d bytes now\n", ctrs_receive_buffer(h));
		return printf("{\"event\":\"lost\",\"count\":%lu}\n", (unsigned long)event->lost);
	}
	if (ctrs_snprintf_json(line, sizeof(line), ct, event->change, 0, NULL) < 0)
		return -1;
	return puts(line);
}

static int watch(int timeout_ms)
{
	struct nf_conntrack *ct = nfct_new();
	struct ctrs_event event;
	int found = ct == NULL ? -1 : 1, error;

	while (found == 1) {
		do /* a handler that ran ends a wait, and its wake the next one */
			found = ctrs_event_next(h, &event, sizeof(event), ct, timeout_ms);
		while (found == -1 && errno == EINTR);
		if (found == 1 && (print(&event, ct) < 0 || fflush(stdout) == EOF))
			found = -1;
	}
	error = errno;
	if (ct != NULL)
		nfct_destroy(ct);
	return found == 0 || error == ECANCELED ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct ctrs_open_options options;
	struct ctrs_filter *filter = ctrs_filter_compile(argc > 1 ? argv[1] : "all", NULL, &error);
	int seconds = argc > 2 ? atoi(argv[2]) : 0, status = EXIT_FAILURE;

	memset(&options, 0, sizeof(options));
	options.size = sizeof(options);
	options.groups = NFCT_ALL_CT_GROUPS;
	options.receive_buffer = 1 << 20;
	options.receive_buffer_limit = 16 << 20; /* it grows when events were lost */
	options.netns = argc > 3 ? argv[3] : NULL; /* this thread stays where it is */
	h = filter != NULL ? ctrs_open(&options, &error) : NULL;
	if (h == NULL) {
		fprintf(stderr, "%s\n", error.text);
		ctrs_filter_free(filter);
		return EXIT_FAILURE;
	}
	if (ctrs_filter_attach(h, filter) == -1)
		fprintf(stderr, "%s\n", ctrs_last_error(h)->text);
	else if (signal(SIGINT, on_signal) == SIG_ERR || signal(SIGTERM, on_signal) == SIG_ERR)
		perror("prepare");
	else if ((status = watch(seconds > 0 ? seconds * 1000 : -1)) != EXIT_SUCCESS)
		fprintf(stderr, "%s\n", ctrs_last_error(h)->text);
	ctrs_filter_free(filter);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	nfct_close(h);
	return status;
}
