/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Shows the busiest flows by bytes a second, each second anew, for ever or NUMBER times: ./top [NUMBER]
 * Flows have counters if net.netfilter.nf_conntrack_acct was 1 when they began. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ctrs.h>

enum { SHOWN = 20, MOST = 65536 }; /* flows that are looked at */

struct list {
	struct ctrs_flow flows[MOST];
	ssize_t n;
};

struct busy {
	const struct ctrs_flow *flow;
	double rate;
};

/* By what names a flow: its id, and its tuple, as ids may be used again. */
static int by_name(const void *a, const void *b)
{
	const struct ctrs_flow *one = (const struct ctrs_flow *)a, *other = (const struct ctrs_flow *)b;

	if (one->id != other->id)
		return one->id < other->id ? -1 : 1;
	return memcmp(&one->orig, &other->orig, sizeof(one->orig));
}

static int by_rate(const void *a, const void *b)
{
	const struct busy *one = (const struct busy *)a, *other = (const struct busy *)b;

	return (one->rate < other->rate) - (one->rate > other->rate);
}

static double bytes_of(const void *flow)
{
	const struct ctrs_flow *it = (const struct ctrs_flow *)flow;

	return it == NULL ? 0 : (double)it->bytes[0] + (double)it->bytes[1];
}

static void print(const struct list *before, const struct list *now)
{
	static struct busy busy[MOST];
	ssize_t n = now->n, i;

	for (i = 0; i < n; i++) { /* one that is new has had its bytes since */
		busy[i].flow = &now->flows[i];
		busy[i].rate = bytes_of(&now->flows[i]) - bytes_of(bsearch(&now->flows[i],
			before->flows, (size_t)before->n, sizeof(before->flows[0]), by_name));
	}
	qsort(busy, (size_t)n, sizeof(busy[0]), by_rate);
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	printf("%ld flows\n%12s  protocol, flow\n", (long)n, "bytes/s");
	for (i = 0; i < n && i < SHOWN && busy[i].rate > 0; i++) {
		const struct ctrs_tuple *tuple = &busy[i].flow->orig;
		char src[INET6_ADDRSTRLEN] = "", dst[INET6_ADDRSTRLEN] = "";

		inet_ntop(tuple->l3proto, tuple->src, src, sizeof(src));
		inet_ntop(tuple->l3proto, tuple->dst, dst, sizeof(dst));
		printf("%12.0f  %u %s %u > %s %u\n", busy[i].rate, tuple->l4proto, src, tuple->sport, dst, tuple->dport);
	}
	fflush(stdout);
}

static void read_flows(struct nfct_handle *h, struct list *list)
{
	struct ctrs_dump *dump = ctrs_dump_begin(h, NULL, 0);

	if ((list->n = ctrs_dump_read(dump, list->flows, MOST, sizeof(list->flows[0]))) == -1) {
		fprintf(stderr, "%s\n", (dump ? ctrs_dump_last_error(dump) : ctrs_last_error(h))->text);
		exit(EXIT_FAILURE);
	}
	ctrs_dump_end(dump); /* a flow that was missed is there in a second */
	qsort(list->flows, (size_t)list->n, sizeof(list->flows[0]), by_name);
}

int main(int argc, char *argv[])
{
	static struct list lists[2];
	long left = argc > 1 ? atol(argv[1]) : -1;
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	int now = 0;

	if (h == NULL)
		return perror("open"), EXIT_FAILURE;
	for (read_flows(h, &lists[now]); left != 0; left -= left > 0) {
		sleep(1);
		read_flows(h, &lists[now = !now]);
		print(&lists[!now], &lists[now]);
	}
	return nfct_close(h) == -1 ? EXIT_FAILURE : EXIT_SUCCESS;
}
