/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Says how full the flow table is, and what each CPU has counted that is not zero: ./stats */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <ctrs.h>

#define MOST 4096

static const struct {
	const char *name;
	size_t offset;
} counters[] = {
	{ "lookups that found a flow", offsetof(struct ctrs_cpu_stats, found) },
	{ "invalid packets", offsetof(struct ctrs_cpu_stats, invalid) },
	{ "flows created by requests", offsetof(struct ctrs_cpu_stats, insert) },
	{ "flows not inserted", offsetof(struct ctrs_cpu_stats, insert_failed) },
	{ "packets dropped", offsetof(struct ctrs_cpu_stats, drop) },
	{ "flows ended early for room", offsetof(struct ctrs_cpu_stats, early_drop) },
	{ "packets with an error", offsetof(struct ctrs_cpu_stats, error) },
	{ "lookups begun again", offsetof(struct ctrs_cpu_stats, search_restart) },
	{ "clashes resolved", offsetof(struct ctrs_cpu_stats, clash_resolve) },
	{ "hash chains too long", offsetof(struct ctrs_cpu_stats, chain_toolong) }
};

static void print(const struct ctrs_cpu_stats *cpu)
{
	unsigned int i;

	for (i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		const void *at = (const char *)cpu + counters[i].offset;
		uint64_t value = *(const uint64_t *)at;

		if (value != 0)
			printf("CPU %u: %.0f %s\n", (unsigned int)cpu->cpu, (double)value, counters[i].name);
	}
	for (i = 0; i < cpu->others; i++) /* of a kernel that is older or newer */
		printf("CPU %u: %.0f of counter %u\n", (unsigned int)cpu->cpu,
		       (double)cpu->other[i].value, (unsigned int)cpu->other[i].number);
}

int main(void)
{
	static struct ctrs_cpu_stats cpus[MOST];
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct ctrs_stats table;
	int status = EXIT_FAILURE, number = -1, i;

	if (h == NULL) {
		perror("open");
		return EXIT_FAILURE;
	}
	if (ctrs_stats(h, &table, sizeof(table)) == 0)
		number = ctrs_stats_cpu(h, cpus, MOST, sizeof(cpus[0]));
	if (number == -1) {
		fprintf(stderr, "%s\n", ctrs_last_error(h)->text);
	} else {
		printf("%.0f flows here, %.0f at most everywhere\n", (double)table.entries,
		       (double)table.maximum);
		for (i = 0; i < number && i < MOST; i++)
			print(&cpus[i]);
		status = EXIT_SUCCESS;
	}
	nfct_close(h);
	return status;
}
