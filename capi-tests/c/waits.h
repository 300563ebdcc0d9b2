/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What tests of waits have in common, whatever is waited for: something that ends a wait once a thread
 * is in it, and a thread that is cancelled there. Include it after kernel.h. */
#ifndef WAITS_H
#define WAITS_H

#include "calls.h"
#include <pthread.h>
#include <signal.h>
#include <time.h>

static inline double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Whether a thread of this process sleeps where the library waits, and not in a lock of valgrind's. */
static inline bool is_waiting(pid_t thread)
{
	const struct call waits[] = { call_poll, call_ppoll, call_ppoll64, call_recvfrom, call_recvmsg };
	unsigned int number, first;
	char path[64];
	FILE *file;
	int read;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)thread);
	file = fopen(path, "re");
	read = file != NULL ? fscanf(file, "%u %x", &number, &first) : 0;
	if (file != NULL)
		fclose(file);
	for (size_t i = 0; i < COUNT(waits) && read == 2; i++)
		if (is_call(waits[i], number, first))
			return true;
	return false; /* it runs, or sleeps elsewhere */
}

/* Returns once a thread waits; its number may be 0 before it has begun. */
static inline void until_waiting(const volatile pid_t *thread)
{
	while (*thread == 0 || !is_waiting(*thread))
		usleep(1000);
}

/* A thread that does something once the one that began it waits. */
struct later {
	pthread_t thread, target;
	pid_t waits;
	void (*act)(void *on);
	void *on;
	int signal; /* sent to the target if there is nothing to do */
};

static inline void *do_later(void *data)
{
	struct later *later = data;

	until_waiting(&later->waits);
	if (later->act != NULL)
		later->act(later->on);
	else
		CHECK_INT(pthread_kill(later->target, later->signal), 0);
	return NULL;
}

static inline void begin(struct later *later)
{
	later->target = pthread_self();
	later->waits = (pid_t)syscall(SYS_gettid);
	CHECK_INT(pthread_create(&later->thread, NULL, do_later, later), 0);
}

static inline void begin_later(struct later *later, void (*act)(void *on), void *on)
{
	*later = (struct later){ .act = act, .on = on };
	begin(later);
}

static inline void begin_signal(struct later *later, int number)
{
	*later = (struct later){ .signal = number };
	begin(later);
}

/* A thread that waits, until it is cancelled. */
struct victim {
	int (*wait)(void *on);
	void *on;
	volatile pid_t thread;
	int cleaned;
};

static inline void clean_up(void *data)
{
	((struct victim *)data)->cleaned++;
}

static inline void *suffer(void *data)
{
	struct victim *victim = data;

	pthread_cleanup_push(clean_up, victim);
	victim->thread = (pid_t)syscall(SYS_gettid);
	victim->wait(victim->on);
	pthread_cleanup_pop(0);
	return NULL;
}

/* A thread that waits like this can be cancelled, and cleans up. */
static inline void check_cancelled(int (*wait)(void *on), void *on)
{
	struct victim victim = { .wait = wait, .on = on };
	void *result = NULL;
	pthread_t thread;

	CHECK_INT(pthread_create(&thread, NULL, suffer, &victim), 0);
	until_waiting(&victim.thread);
	CHECK_INT(pthread_cancel(thread), 0);
	CHECK_INT(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK_INT(victim.cleaned, 1);
}

#endif
