// SPDX-License-Identifier: MIT OR Apache-2.0
/* The figures of flows that are looked up in a mirror, beside a hash table of the same records that does
 * nothing else: no locks, no ids, no flow of it changes. */
#include "kernel.h"
#include "library.h"
#include "netlink.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 65536u
#define GROUP 512u /* keys that are in the cache when their turn comes */
#define TABLES 2 /* by original and by reply tuple */

/* What is looked up, as an object for a mirror and as a record for a table. */
struct key {
	struct nf_conntrack *object;
	struct ctrs_flow record;
};

/* Open addressing, half full at most: a hash, and the number of a record plus 1. */
struct table {
	uint64_t *places;
	uint64_t mask;
};

static struct ctrs_flow *records;
static struct table tables[TABLES];
static struct key keys[KEYS];

static const struct ctrs_tuple *tuple_of(const struct ctrs_flow *flow, int dir)
{
	return dir == 0 ? &flow->orig : &flow->reply;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash(const struct ctrs_tuple *tuple)
{
	uint64_t words[5];

	memcpy(words, tuple, sizeof(words));
	return fold(fold(words[0] ^ 0x9e3779b97f4a7c15, words[1] ^ 0xbf58476d1ce4e5b9) ^
			    fold(words[2] ^ 0x94d049bb133111eb, words[3] ^ 0x5851f42d4c957f2d) ^
			    words[4], 0xd6e8feb86659fd93);
}

static void fill_table(struct table *table, unsigned int count, int dir)
{
	uint64_t size = 1;

	while (size < 2 * (uint64_t)count)
		size *= 2;
	table->mask = size - 1;
	table->places = calloc(size, sizeof(*table->places));
	for (unsigned int n = 0; n < count; n++) {
		uint64_t of = hash(tuple_of(&records[n], dir)), at = of & table->mask;

		while (table->places[at] != 0)
			at = (at + 1) & table->mask;
		table->places[at] = (of & 0xffffffff00000000) | (n + 1);
	}
}

/* The same as ctrs_mirror_find(). */
__attribute__((noinline)) static int bare_find(const struct key *key, int dir, struct ctrs_flow *flow)
{
	const struct table *table = &tables[dir];
	const struct ctrs_tuple *tuple = tuple_of(&key->record, dir);
	uint64_t of = hash(tuple), at = of & table->mask, place;

	for (; (place = table->places[at]) != 0; at = (at + 1) & table->mask) {
		const struct ctrs_flow *found = &records[(uint32_t)place - 1];

		if (place >> 32 == of >> 32 &&
		    memcmp(tuple_of(found, dir), tuple, sizeof(*tuple)) == 0) {
			*flow = *found;
			return 0;
		}
	}
	return -1;
}

/* Of flows at random; those that miss have a port that none has. */
static void choose(unsigned int count, int miss)
{
	for (unsigned int n = 0; n < KEYS; n++) {
		struct key *key = &keys[n];

		key->record = records[(unsigned int)(fold(n + 1, 0x9e3779b97f4a7c15) % count)];
		if (miss)
			key->record.orig.sport = key->record.reply.dport = 7;
		if (key->object == NULL)
			key->object = lib.nfct_new();
		if (lib.ctrs_flow_to(key->object, &key->record, sizeof(key->record)) != 0)
			fail("ctrs_flow_to");
	}
}

/* Has the processor end what it has begun, so that no lookup is on its way while another is. */
static void barrier(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__asm__ volatile("lfence" ::: "memory");
#elif defined(__aarch64__) || defined(__arm__)
	__asm__ volatile("dsb sy\n\tisb" ::: "memory");
#else
	__sync_synchronize();
#endif
}

/* As a key is that was just made. */
static void fetch_keys(unsigned int first)
{
	for (unsigned int n = first; n < first + GROUP; n++)
		keep((unsigned long)lib.nfct_cmp(keys[n].object, keys[n].object, NFCT_CMP_ALL) +
		     (unsigned long)hash(&keys[n].record.orig) + (unsigned long)hash(&keys[n].record.reply));
}

/* Seconds for each lookup, in the mirror or, without one, in the table: each alone, or as they come. */
static double look_up(const struct ctrs_mirror *mirror, int dir, int wanted, int alone)
{
	struct ctrs_flow flow = { 0 };
	double taken = 0;

	for (unsigned int n = 0; n < KEYS; n++) {
		int found;

		if (n % GROUP == 0) {
			fetch_keys(n);
			taken -= cpu_time();
		}
		found = mirror == NULL ? bare_find(&keys[n], dir, &flow) :
					 lib.ctrs_mirror_find(mirror, keys[n].object, dir, &flow,
							      sizeof(flow));
		if (found != wanted)
			fail("a lookup");
		keep(flow.id);
		if (alone)
			barrier();
		if ((n + 1) % GROUP == 0)
			taken += cpu_time();
	}
	return taken / KEYS;
}

/* The same in the mirror, as many at a time. */
static double look_up_all(const struct ctrs_mirror *mirror, int dir, int wanted)
{
	static struct ctrs_flow flows[GROUP];
	const struct nf_conntrack *objects[GROUP];
	double taken = 0;

	for (unsigned int n = 0; n < KEYS; n += GROUP) {
		fetch_keys(n);
		for (unsigned int i = 0; i < GROUP; i++)
			objects[i] = keys[n + i].object;
		taken -= cpu_time();
		if (lib.ctrs_mirror_find_all(mirror, objects, GROUP, dir, flows, sizeof(flows[0])) !=
		    (wanted == 0 ? (ssize_t)GROUP : 0))
			fail("lookups");
		taken += cpu_time();
		keep(flows[0].id);
	}
	return taken / KEYS;
}

/* A mirror of the table, and its flows as records; returns how many. */
static unsigned int open_mirror(struct ctrs_mirror **mirror, unsigned int most)
{
	struct ctrs_change change = { 0 };
	uint64_t cursor = 0;
	unsigned int count = 0;
	ssize_t read;

	*mirror = lib.ctrs_mirror_open(NULL, NULL, NULL);
	if (*mirror == NULL)
		fail("ctrs_mirror_open");
	while (change.change != CTRS_CHANGE_SETTLED)
		if (lib.ctrs_mirror_next(*mirror, &change, sizeof(change), NULL, NULL,
					 sizeof(struct ctrs_flow), 10000) != 1)
			fail("ctrs_mirror_next");
	records = calloc(most, sizeof(*records));
	while ((read = lib.ctrs_mirror_read(*mirror, NULL, records + count, most - count,
					    sizeof(*records), &cursor)) > 0)
		count += (unsigned int)read;
	return count;
}

void lookup_figure(unsigned int count)
{
	static const char *const what[2][TABLES] = { { "found-original", "found-reply" },
						     { "missed-original", "missed-reply" } };
	const char *comma = "{";
	struct ctrs_mirror *mirror;

	create_entries(0, count);
	if (open_mirror(&mirror, count + 1) != count)
		fail("a mirror of all");
	for (int dir = 0; dir < TABLES; dir++)
		fill_table(&tables[dir], count, dir);
	for (int miss = 0; miss < 2; miss++) {
		choose(count, miss);
		for (int dir = 0; dir < TABLES; dir++) {
			double alone = look_up(mirror, dir, -miss, 1), floor = look_up(NULL, dir, -miss, 1);
			double ours = look_up(mirror, dir, -miss, 0), bare = look_up(NULL, dir, -miss, 0);
			double all = look_up_all(mirror, dir, -miss);

			printf("%s\"%s-alone\": [%.12f, %.12f]", comma, what[miss][dir], alone, floor);
			printf(", \"%s-loop\": [%.12f, %.12f]", what[miss][dir], ours, bare);
			printf(", \"%s-all\": [%.12f, %.12f]", what[miss][dir], all, bare);
			comma = ", ";
		}
	}
	printf("}\n");
	lib.ctrs_mirror_close(mirror);
	flush_entries();
}
