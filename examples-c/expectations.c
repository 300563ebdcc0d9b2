/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Lists the expectations, those connections that helpers have been told of: ./expectations */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <ctrs.h>

static void print(const struct ctrs_expectation *expected)
{
	char src[INET6_ADDRSTRLEN] = "?", dst[INET6_ADDRSTRLEN] = "?";
	const struct ctrs_tuple *of = &expected->expected;

	inet_ntop(of->l3proto, of->src, src, sizeof(src));
	inet_ntop(of->l3proto, of->dst, dst, sizeof(dst));
	printf("%s expects protocol %d from %s to %s port %d, for %u seconds\n",
	       expected->helper_name[0] != '\0' ? expected->helper_name : "a program", of->l4proto, src,
	       dst, of->dport, (unsigned int)expected->timeout);
}

int main(void)
{
	static struct ctrs_expectation expected[100];
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct nfct_handle *h = ctrs_open(NULL, &error);
	struct ctrs_expect_dump *dump;
	ssize_t got, i;
	int verdict;

	if (h == NULL) {
		fprintf(stderr, "%s\n", error.text);
		return EXIT_FAILURE;
	}
	dump = ctrs_expect_dump_begin(h, 0);
	while ((got = ctrs_expect_dump_read(dump, expected, 100, sizeof(expected[0]))) > 0)
		for (i = 0; i < got; i++)
			print(&expected[i]);
	if (got == -1)
		fprintf(stderr, "%s\n",
			(dump != NULL ? ctrs_expect_dump_last_error(dump) : ctrs_last_error(h))->text);
	verdict = ctrs_expect_dump_end(dump);
	if (verdict == CTRS_INCONSISTENT)
		fprintf(stderr, "the table changed meanwhile: list again\n");
	nfct_close(h);
	return verdict == CTRS_CONSISTENT ? EXIT_SUCCESS : EXIT_FAILURE;
}
