/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef KERNEL_H
#define KERNEL_H

/* Runs on a CPU and, where allowed, before all else there; on a machine of one CPU or without the
 * right to it as before. */
void run_on(unsigned int cpu);

/* Each prints its figure as a JSON object. The callback is "empty", "getters" (five of them),
 * "print" or "xml"; "floor" stands for a bare receive loop without a library. */

/* Dumps the table `times` times: seconds for one dump, peak memory in KiB. */
void dump_figure(const char *callback, unsigned int times);

/* Lists the table `times` times through an array of records; "searched": with the search for entries
 * that come twice. Seconds for one list. */
void pull_figure(const char *search, unsigned int times);

/* Hears with `number` handles of `count` entries created at `rate` a second, 0 for as fast as the
 * kernel can. */
void events_figure(const char *callback, unsigned int count, unsigned int rate,
		   unsigned int number);

/* Receives events that wait already, 40,000 at a time: seconds for one. */
void waiting_figure(const char *callback, unsigned int rounds);

/* Creates, then deletes `count` entries of UDP: seconds for each. The way is "each", one by one, or
 * "batch". */
void batch_figure(const char *way, unsigned int count);

/* Deletes `count` entries, which a filter selects: seconds for each. */
void matching_figure(unsigned int count);

/* Creates, then deletes `count` entries one by one: seconds for each. */
void query_figure(const char *callback, unsigned int count);

/* Looks flows up at random in a mirror of `count`, and in a bare hash table of the same: seconds for each,
 * of flows that are there and of such that are not, by either tuple. */
void lookup_figure(unsigned int count);

#endif
