/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Statistics of a real kernel. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include <ctrs.h>

#define MOST 1024

static struct nfct_handle *h;
static struct ctrs_cpu_stats cpus[MOST];
static struct ctrs_expect_stats expects[MOST];

/* What all CPUs together have counted in a field. */
#define SUM(array, number, field) sum(&(array)[0].field, sizeof((array)[0]), (number))

static uint64_t sum(const uint64_t *first, size_t step, int number)
{
	uint64_t all = 0;

	for (int i = 0; i < number; i++)
		all += *(const uint64_t *)(const void *)((const char *)first + (size_t)i * step);
	return all;
}

static void test_table(void)
{
	struct ctrs_stats stats;
	char room[sizeof(stats) + 8];
	long maximum = 0;
	FILE *file = fopen("/proc/sys/net/netfilter/nf_conntrack_max", "re");

	CHECK(file != NULL && fscanf(file, "%ld", &maximum) == 1);
	if (file != NULL)
		fclose(file);
	memset(&stats, 0xa5, sizeof(stats));
	CHECK_INT(ctrs_stats_table(h, &stats, sizeof(stats)), 0);
	CHECK_INT(stats.present, 6);
	CHECK_INT(stats.entries, 0);
	CHECK_INT(stats.maximum, maximum);
	create_flows(h, 0, 3);
	CHECK_INT(ctrs_stats_table(h, &stats, sizeof(stats)), 0);
	CHECK_INT(stats.entries, 3);
	CHECK_INT(query_flow(h, NFCT_Q_DESTROY, flow(1)), 0);
	memset(room, 0xa5, sizeof(room));
	CHECK_INT(ctrs_stats_table(h, (struct ctrs_stats *)(void *)room, 16), 0);
	memcpy(&stats, room, sizeof(stats));
	CHECK_INT(stats.present, 2); /* what is cut is not there */
	CHECK_INT(stats.entries, 2);
	CHECK_INT(stats.maximum, 0xa5a5a5a5a5a5a5a5);
	CHECK_INT(ctrs_stats_table(h, (struct ctrs_stats *)(void *)room, sizeof(room)), 0);
	memcpy(&stats, room, sizeof(stats));
	CHECK_INT(stats.maximum, maximum);
	for (size_t i = sizeof(stats); i < sizeof(room); i++)
		CHECK_INT(room[i], 0);
	CHECK_ERR(ctrs_stats_table(NULL, &stats, sizeof(stats)), -1, EINVAL);
	CHECK_ERR(ctrs_stats_table(h, NULL, sizeof(stats)), -1, EINVAL);
	CHECK_ERR(ctrs_stats_table(h, &stats, 0), -1, EINVAL);
	CHECK_ERR(ctrs_stats_table(h, &stats, 12), -1, EINVAL);
	CHECK_ERR(ctrs_stats_table(h, &stats, (size_t)-8), -1, EINVAL);
	CHECK_INT(ctrs_last_error(h)->kind, CTRS_ERROR_INVALID);
}

static void test_cpus(void)
{
	int number = ctrs_stats_cpu(h, cpus, MOST, sizeof(*cpus));
	uint64_t inserted = SUM(cpus, number, insert);

	CHECK(number >= sysconf(_SC_NPROCESSORS_CONF));
	CHECK_INT(inserted, 3); /* by test_table() */
	for (int i = 0; i < number; i++) {
		CHECK_INT(cpus[i].cpu, i);
		CHECK_INT(cpus[i].present >> CTA_STATS_INSERT & 1, 1);
		for (uint32_t n = 0; n < COUNT(cpus[i].other); n++)
			CHECK_INT(cpus[i].other[n].number != 0, n < cpus[i].others);
	}
	CHECK_ERR(query_flow(h, NFCT_Q_CREATE, new_flow(0)), -1, EEXIST);
	create_flows(h, 10, 2);
	/* Fewer than there are: the others are left alone. */
	memset(cpus, 0xa5, sizeof(cpus));
	CHECK_INT(ctrs_stats_cpu(h, cpus, 1, sizeof(*cpus)), number);
	CHECK_INT(cpus[0].cpu, 0);
	CHECK_INT(cpus[1].cpu, 0xa5a5a5a5);
	CHECK_INT(ctrs_stats_cpu(h, NULL, 0, 0), number);
	CHECK_INT(ctrs_stats_cpu(h, cpus, MOST, sizeof(*cpus)), number);
	CHECK_INT(SUM(cpus, number, insert), inserted + 2);
	CHECK_ERR(ctrs_stats_cpu(NULL, cpus, MOST, sizeof(*cpus)), -1, EINVAL);
	CHECK_ERR(ctrs_stats_cpu(h, NULL, 1, sizeof(*cpus)), -1, EINVAL);
	CHECK_ERR(ctrs_stats_cpu(h, cpus, 1, 0), -1, EINVAL);
	CHECK_INT(flush(h), 0);
}

static void test_expectations(void)
{
	int number = ctrs_stats_expect(h, expects, MOST, sizeof(*expects));
	struct nf_conntrack *master = new_flow(0);

	CHECK_INT(number, ctrs_stats_cpu(h, NULL, 0, 0));
	CHECK_INT(expects[number - 1].cpu, number - 1);
	CHECK_INT(expects[0].present, 14);
	CHECK_INT(SUM(expects, number, created), 0);
	CHECK_INT(ctrs_stats_expect(h, NULL, 0, 0), number);
	CHECK_ERR(ctrs_stats_expect(NULL, expects, MOST, sizeof(*expects)), -1, EINVAL);
	CHECK_ERR(ctrs_stats_expect(h, NULL, 1, sizeof(*expects)), -1, EINVAL);
	CHECK_ERR(ctrs_stats_expect(h, expects, 1, 7), -1, EINVAL);
	if (create_master(h, master)) {
		struct nfct_handle *both = nfct_open(0, 0);
		struct nf_expect *exp = expectation(master);

		CHECK_INT(nfexp_query(both, NFCT_Q_CREATE, exp), 0);
		CHECK_INT(ctrs_stats_expect(both, expects, MOST, sizeof(*expects)), number);
		CHECK_INT(SUM(expects, number, created), 1);
		CHECK_INT(SUM(expects, number, deleted), 0);
		CHECK_INT(nfexp_query(both, NFCT_Q_DESTROY, exp), 0);
		CHECK_INT(ctrs_stats_expect(both, expects, MOST, sizeof(*expects)), number);
		CHECK_INT(SUM(expects, number, deleted), 1);
		CHECK_INT(SUM(expects, number, expected), 0);
		nfexp_destroy(exp);
		CHECK_INT(nfct_close(both), 0);
	}
	nfct_destroy(master);
}

static void test_privilege(void)
{
	struct ctrs_stats stats;

	if (seteuid(65534) != 0) {
		skip("statistics without privileges need root");
		return;
	}
	CHECK_ERR(ctrs_stats_table(h, &stats, sizeof(stats)), -1, EPERM);
	CHECK(strstr(ctrs_last_error(h)->text, "cannot read the statistics: ") != NULL);
	CHECK_ERR(ctrs_stats_cpu(h, cpus, MOST, sizeof(*cpus)), -1, EPERM);
	CHECK_ERR(ctrs_stats_expect(h, expects, MOST, sizeof(*expects)), -1, EPERM);
	CHECK_INT(seteuid(0), 0);
}

int main(void)
{
	own_namespace();
	h = nfct_open(CONNTRACK, 0);
	test_table();
	test_cpus();
	test_expectations();
	test_privilege();
	CHECK_INT(nfct_close(h), 0);
	return finish();
}
#endif
