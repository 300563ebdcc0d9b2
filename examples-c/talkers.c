/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Who began the most flows, of those that match: ./talkers [NUMBER [EXPRESSION]] */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctrs.h>

enum { ROOM = 1 << 18 }; /* addresses, beyond which flows are not counted */

static struct talker {
	unsigned long flows;
	struct ctrs_tuple of;
} talkers[ROOM];

static void count(const struct ctrs_tuple *tuple)
{
	size_t place = 0, i;

	for (i = 0; i < 16; i++)
		place = place * 31 + tuple->src[i];
	for (i = 0; i < ROOM; i++, place++) { /* the first place that is its own, or free */
		struct talker *talker = &talkers[place % ROOM];

		if (talker->flows == 0)
			talker->of = *tuple;
		if (memcmp(talker->of.src, tuple->src, 16) == 0 && talker->of.l3proto == tuple->l3proto) {
			talker->flows++;
			return;
		}
	}
}

static int by_flows(const void *a, const void *b)
{
	unsigned long one = ((const struct talker *)a)->flows, other = ((const struct talker *)b)->flows;

	return (one < other) - (one > other);
}

int main(int argc, char *argv[])
{
	static struct ctrs_flow flows[1000];
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct ctrs_filter *which = ctrs_filter_compile(argc > 2 ? argv[2] : "all", NULL, &error);
	struct nfct_handle *h = which != NULL ? ctrs_open(NULL, &error) : NULL;
	struct ctrs_dump *dump = h != NULL ? ctrs_dump_begin(h, which, 0) : NULL;
	long left = argc > 1 ? atol(argv[1]) : 10;
	char text[INET6_ADDRSTRLEN] = "?";
	const struct talker *next = talkers;
	ssize_t got = -1, i;

	while (dump != NULL && (got = ctrs_dump_read(dump, flows, 1000, sizeof(flows[0]))) > 0)
		for (i = 0; i < got; i++)
			count(&flows[i].orig);
	if (got == -1)
		fprintf(stderr, "%s\n", h == NULL ? error.text :
			(dump ? ctrs_dump_last_error(dump) : ctrs_last_error(h))->text);
	qsort(talkers, ROOM, sizeof(talkers[0]), by_flows);
	for (; left > 0 && next->flows > 0; left--, next++)
		printf("%7lu %s\n", next->flows, inet_ntop(next->of.l3proto, next->of.src, text, sizeof(text)));
	ctrs_dump_end(dump); /* a few flows more or less do not matter here */
	ctrs_filter_free(which);
	return h == NULL || nfct_close(h) == -1 || got == -1 ? EXIT_FAILURE : EXIT_SUCCESS;
}
