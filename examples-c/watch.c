/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prints the events of which an expression is true, here or in another network namespace, until
 * Ctrl-C, or until none has come for SECONDS: ./watch [EXPRESSION [SECONDS [NAMESPACE]]] */
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

static int print_event(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	char line[4096];

	(void)data;
	if (nfct_snprintf(line, sizeof(line), ct, type, NFCT_O_DEFAULT, 0) < 0 || puts(line) == EOF ||
	    fflush(stdout) == EOF)
		return NFCT_CB_FAILURE;
	return NFCT_CB_CONTINUE;
}

static int watch(void)
{
	while (nfct_catch(h) != -1 || errno == ENOBUFS || errno == EINTR)
		if (errno == ENOBUFS)
			fprintf(stderr, "events were lost: the buffer has %d bytes\n", ctrs_receive_buffer(h));
	return errno == ECANCELED || errno == ETIMEDOUT ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct ctrs_open_options options;
	struct ctrs_filter *filter = ctrs_filter_compile(argc > 1 ? argv[1] : "all", NULL, &error);
	int status = EXIT_FAILURE;

	memset(&options, 0, sizeof(options));
	options.size = sizeof(options);
	options.groups = NFCT_ALL_CT_GROUPS;
	options.receive_buffer = 1 << 20;
	options.receive_buffer_limit = 16 << 20; /* it grows when events were lost */
	options.timeout_ms = argc > 2 ? (uint32_t)atoi(argv[2]) * 1000 : 0;
	options.netns = argc > 3 ? argv[3] : NULL; /* this thread stays where it is */
	h = filter != NULL ? ctrs_open(&options, &error) : NULL;
	if (h == NULL) {
		fprintf(stderr, "%s\n", error.text);
		ctrs_filter_free(filter);
		return EXIT_FAILURE;
	}
	if (ctrs_filter_attach(h, filter) == -1)
		fprintf(stderr, "%s\n", ctrs_last_error(h)->text);
	else if (signal(SIGINT, on_signal) == SIG_ERR || signal(SIGTERM, on_signal) == SIG_ERR ||
		 nfct_callback_register(h, NFCT_T_ALL, print_event, NULL) == -1)
		perror("prepare");
	else if ((status = watch()) != EXIT_SUCCESS)
		perror("receive");
	ctrs_filter_free(filter);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	nfct_close(h);
	return status;
}
