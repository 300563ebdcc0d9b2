/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Says why nothing is heard or counted, here or in another network namespace:
 * ./diagnose [/run/netns/NAME] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctrs.h>

int main(int argc, char *argv[])
{
	struct ctrs_open_options options;
	struct ctrs_error error;
	struct nfct_handle *h;
	char text[4096];
	int status = EXIT_SUCCESS;

	memset(&options, 0, sizeof(options));
	options.size = sizeof(options);
	options.groups = NFCT_ALL_CT_GROUPS;
	options.netns = argc > 1 ? argv[1] : NULL;
	memset(&error, 0, sizeof(error));
	error.size = sizeof(error);
	h = ctrs_open(&options, &error);
	if (h == NULL) {
		fprintf(stderr, "cannot open: %s\n", error.text);
		return EXIT_FAILURE;
	}
	if (ctrs_diagnose(h, text, sizeof(text)) == -1) {
		fprintf(stderr, "cannot look: %s\n", ctrs_last_error(h)->text);
		status = EXIT_FAILURE;
	} else {
		fputs(text, stdout);
	}
	nfct_close(h);
	return status;
}
