/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Deletes the flows of which an expression is true; with -n it lists them and deletes nothing:
 * ./kill [-n] 'tcp and dport 22 and not replied' */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctrs.h>

static int fail(const struct ctrs_error *error)
{
	fprintf(stderr, "%s\n", error->text);
	return EXIT_FAILURE;
}

/* Prints the flows that match. */
static int list(struct nfct_handle *h, const struct ctrs_filter *filter)
{
	char line[4096];
	struct nf_conntrack *ct = nfct_new();
	struct ctrs_dump *dump = ctrs_dump_begin(h, filter, 0);
	int more = ct == NULL || dump == NULL ? -1 : 1, flows = 0;

	while (more == 1 && (more = ctrs_dump_next(dump, ct)) == 1) {
		nfct_snprintf(line, sizeof(line), ct, NFCT_T_UNKNOWN, NFCT_O_DEFAULT, 0);
		printf("%s\n", line);
		flows++;
	}
	if (more == -1)
		fail(dump == NULL ? ctrs_last_error(h) : ctrs_dump_last_error(dump));
	else
		printf("%d flows match\n", flows);
	ctrs_dump_end(dump);
	if (ct != NULL)
		nfct_destroy(ct);
	return more == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	int dry = argc == 3 && strcmp(argv[1], "-n") == 0, status = EXIT_SUCCESS;
	struct ctrs_filter *filter;
	struct ctrs_deleted deleted;
	struct nfct_handle *h;

	if (argc != 2 + dry) {
		fprintf(stderr, "usage: %s [-n] EXPRESSION\n", argv[0]);
		return EXIT_FAILURE;
	}
	filter = ctrs_filter_compile(argv[argc - 1], NULL, &error);
	if (filter == NULL) {
		if (error.kind == CTRS_ERROR_SYNTAX)
			fprintf(stderr, "%s\n%*s^ ", argv[argc - 1], (int)error.offset, "");
		return fail(&error);
	}
	h = ctrs_open(NULL, &error);
	if (h == NULL)
		status = fail(&error);
	else if (dry)
		status = list(h, filter);
	else if (ctrs_delete_matching(h, filter, 0, &deleted, sizeof(deleted)) == -1)
		status = fail(ctrs_last_error(h));
	else
		printf("%.0f deleted, %.0f gone before\n", (double)deleted.deleted, (double)deleted.gone);
	ctrs_filter_free(filter);
	if (h != NULL)
		nfct_close(h);
	return status;
}
