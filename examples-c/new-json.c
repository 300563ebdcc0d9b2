/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prints new flows as JSON, one object a line, for ever or NUMBER of them: ./new-json [NUMBER] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctrs.h>

static int print(const struct nf_conntrack *ct)
{
	char line[16384];
	int length = ctrs_snprintf_json(line, sizeof(line), ct, NFCT_T_NEW, 0, NULL);

	if (length < 0 || (size_t)length >= sizeof(line) || puts(line) == EOF)
		return -1;
	return fflush(stdout);
}

int main(int argc, char *argv[])
{
	long left = argc > 1 ? atol(argv[1]) : -1;
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct ctrs_open_options options;
	struct ctrs_event event;
	struct nf_conntrack *ct = nfct_new();
	struct nfct_handle *h;
	int found = ct == NULL ? -1 : 1;

	memset(&options, 0, sizeof(options));
	options.size = sizeof(options);
	options.groups = CTRS_GROUP_NEW;
	options.receive_buffer = 4 << 20; /* what comes while the reader of the output is slow */
	h = ctrs_open(&options, &error);
	if (h == NULL) {
		fprintf(stderr, "%s\n", error.text);
		return EXIT_FAILURE;
	}
	while (left != 0 && found == 1) {
		found = ctrs_event_next(h, &event, sizeof(event), ct, -1);
		if (found == -1)
			fprintf(stderr, "%s\n", ctrs_last_error(h)->text);
		else if (event.change == CTRS_EVENT_LOST)
			fprintf(stderr, "%.0f events were lost\n", (double)event.lost);
		else if (print(ct) == 0)
			left -= left > 0;
		else
			found = -1;
	}
	nfct_destroy(ct);
	return nfct_close(h) == 0 && left == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
