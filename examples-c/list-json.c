/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Lists flows as JSON, one object a line, all or those that match; with "dying" those that have ended,
 * of which a listener is still to be told: ./list-json ['tcp and dport 80' [dying]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctrs.h>

static int fail(const struct ctrs_error *error)
{
	fprintf(stderr, "%s\n", error->text);
	return EXIT_FAILURE;
}

static int print_flows(struct ctrs_dump *dump, struct nf_conntrack *ct)
{
	char line[16384];
	int more;

	while ((more = ctrs_dump_next(dump, ct)) == 1) {
		int length = ctrs_snprintf_json(line, sizeof(line), ct, NFCT_T_UNKNOWN, 0, NULL);

		if (length < 0 || (size_t)length >= sizeof(line) || puts(line) == EOF) {
			fputs("cannot print\n", stderr);
			return EXIT_FAILURE;
		}
	}
	return more == 0 ? EXIT_SUCCESS : fail(ctrs_dump_last_error(dump));
}

int main(int argc, char *argv[])
{
	struct nf_conntrack *ct = nfct_new();
	struct ctrs_filter *filter = NULL;
	struct ctrs_dump *dump;
	struct nfct_handle *h;
	struct ctrs_error error;
	int status;

	memset(&error, 0, sizeof(error));
	error.size = sizeof(error);
	if (argc > 1 && (filter = ctrs_filter_compile(argv[1], NULL, &error)) == NULL)
		return fail(&error); /* it says at which character */
	h = ctrs_open(NULL, &error);
	if (h == NULL)
		return fail(&error);
	dump = ctrs_dump_begin(h, filter, argc > 2 ? (uint32_t)CTRS_DUMP_DYING : 0);
	status = dump == NULL ? fail(ctrs_last_error(h)) : print_flows(dump, ct);
	if (ctrs_dump_end(dump) == CTRS_INCONSISTENT) {
		fputs("flows may be missing, or be there twice: list them again\n", stderr);
		status = EXIT_FAILURE;
	}
	ctrs_filter_free(filter);
	nfct_destroy(ct);
	nfct_close(h);
	return status;
}
