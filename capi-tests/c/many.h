/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Tables of many flows, signals without end, the time things take. Include it after kernel.h. */
#ifndef MANY_H
#define MANY_H

#include <signal.h>
#include <sys/time.h>
#include <time.h>

/* Creates `number` flows with marks 0 to 9 in turn: many to a datagram, not acknowledged. */
static inline void create_many(struct nfct_handle *h, unsigned int from, unsigned int number)
{
	static uint8_t batch[128 * 1024];
	static struct message m;
	size_t used = 0;

	for (unsigned int n = from; n < from + number; n++) {
		struct nf_conntrack *ct = marked(new_flow(n), n % 10);

		if (nfct_build_query((struct nfnl_subsys_handle *)&m, NFCT_Q_CREATE, ct, &m, 4096) != 1)
			CHECK(!"a request was built");
		m.u.header.nlmsg_flags &= (uint16_t)~NLM_F_ACK;
		memcpy(batch + used, &m, m.u.header.nlmsg_len);
		used += (m.u.header.nlmsg_len + 3) & ~3u;
		if (used > sizeof(batch) - 4096 || n == from + number - 1) {
			CHECK_INT(send(nfct_fd(h), batch, used, 0), used);
			used = 0;
		}
		nfct_destroy(ct);
	}
}

/* The number of flows in this network namespace. */
static inline long table_size(void)
{
	return read_number("/proc/sys/net/netfilter/nf_conntrack_count");
}

static inline double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static inline bool under_valgrind(void)
{
	const char *value = getenv("VALGRIND"); /* as run.sh has it */

	return value != NULL && *value != '\0';
}

/* Everything is slower under valgrind: a tenth will do. */
static inline unsigned int sized(unsigned int number)
{
	return under_valgrind() ? number / 10 : number;
}

static volatile sig_atomic_t ticks;

static inline void tick(int number)
{
	(void)number;
	ticks++;
}

/* A signal every 100 microseconds, without SA_RESTART, or none any more. Valgrind would get to
 * nothing else: 5 milliseconds there. */
static inline void storm(bool on)
{
	struct sigaction action = { .sa_handler = tick };
	int interval = !on ? 0 : under_valgrind() ? 5000 : 100;
	struct itimerval often = { { 0, interval }, { 0, interval } };

	CHECK_INT(sigaction(SIGALRM, &action, NULL), 0);
	CHECK_INT(setitimer(ITIMER_REAL, &often, NULL), 0);
}

#endif
