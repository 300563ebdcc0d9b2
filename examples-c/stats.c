/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Says how full the flow table is, what each CPU has counted that is not zero, and what is in the
 * way of events and counters: ./stats */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctrs.h>

#define MOST 4096

static const struct counter {
	const char *name;
	size_t offset;
} flows[] = {
	{ "lookups that found a flow", offsetof(struct ctrs_cpu_stats, found) },
	{ "invalid packets", offsetof(struct ctrs_cpu_stats, invalid) },
	{ "flows created by requests", offsetof(struct ctrs_cpu_stats, insert) },
	{ "flows not inserted", offsetof(struct ctrs_cpu_stats, insert_failed) },
	{ "packets dropped", offsetof(struct ctrs_cpu_stats, drop) },
	{ "flows ended early for room", offsetof(struct ctrs_cpu_stats, early_drop) },
	{ "packets with an error", offsetof(struct ctrs_cpu_stats, error) },
	{ "lookups begun again", offsetof(struct ctrs_cpu_stats, search_restart) },
	{ "clashes resolved", offsetof(struct ctrs_cpu_stats, clash_resolve) },
	{ "hash chains too long", offsetof(struct ctrs_cpu_stats, chain_toolong) },
	{ NULL, 0 }
}, expectations[] = {
	{ "flows that were expected", offsetof(struct ctrs_expect_stats, expected) },
	{ "expectations created", offsetof(struct ctrs_expect_stats, created) },
	{ "expectations deleted", offsetof(struct ctrs_expect_stats, deleted) },
	{ NULL, 0 }
};

static void print(unsigned int cpu, const void *stats, const struct counter *counter)
{
	uint64_t value;

	for (; counter->name != NULL; counter++) {
		memcpy(&value, (const char *)stats + counter->offset, sizeof(value));
		if (value != 0)
			printf("CPU %u: %.0f %s\n", cpu, (double)value, counter->name);
	}
}

static int print_all(struct nfct_handle *h)
{
	static struct ctrs_cpu_stats cpu[MOST];
	static struct ctrs_expect_stats expect[MOST];
	struct ctrs_stats table;
	char advice[4096];
	uint32_t other;
	int n, i;

	if (ctrs_stats_table(h, &table, sizeof(table)) == -1)
		return -1;
	printf("%.0f flows here, %.0f at most everywhere\n", (double)table.entries,
	       (double)table.maximum);
	if ((n = ctrs_stats_cpu(h, cpu, MOST, sizeof(cpu[0]))) == -1)
		return -1;
	for (i = 0; i < n && i < MOST; i++) {
		print(cpu[i].cpu, &cpu[i], flows);
		for (other = 0; other < cpu[i].others; other++) /* of an older or newer kernel */
			printf("CPU %u: %.0f of counter %u\n", (unsigned int)cpu[i].cpu,
			       (double)cpu[i].other[other].value,
			       (unsigned int)cpu[i].other[other].number);
	}
	if ((n = ctrs_stats_expect(h, expect, MOST, sizeof(expect[0]))) == -1)
		return -1;
	for (i = 0; i < n && i < MOST; i++)
		print(expect[i].cpu, &expect[i], expectations);
	if (ctrs_diagnose(h, advice, sizeof(advice)) == -1)
		return -1;
	fputs(advice, stdout);
	return 0;
}

int main(void)
{
	struct nfct_handle *h;
	struct ctrs_error error;
	int status;

	memset(&error, 0, sizeof(error));
	error.size = sizeof(error);
	h = ctrs_open(NULL, &error);
	if (h == NULL) {
		fprintf(stderr, "%s\n", error.text);
		return EXIT_FAILURE;
	}
	status = print_all(h);
	if (status == -1)
		fprintf(stderr, "%s\n", ctrs_last_error(h)->text);
	nfct_close(h);
	return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
