/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What ends a wait for events that are pulled: an event, time, a wake, a signal, the cancellation of the thread;
 * and what a child of fork() may do. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include "open_with.h"
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

static struct ctrs_event event;

static struct nfct_handle *opened(void)
{
	return open_with((struct ctrs_open_options){ .groups = NF_NETLINK_CONNTRACK_NEW });
}

static int next(struct nfct_handle *h, int timeout_ms)
{
	return ctrs_event_next(h, &event, sizeof(event), NULL, timeout_ms);
}

static void make_event(void)
{
	static unsigned int n;
	struct nfct_handle *asks = nfct_open(CONNTRACK, 0);

	create_flows(asks, n++, 1);
	nfct_close(asks);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Whether the thread sleeps in poll(2), on the handle among others. */
static bool sleeps(pid_t thread)
{
	char path[64], line[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)thread);
	file = fopen(path, "re");
	if (file == NULL || fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	if (file != NULL)
		fclose(file);
	return line[0] != 'r' && line[0] != '\0';
}

enum what { EVENT, WAKE, SIGNAL };

/* A thread that does something once another waits. */
struct later {
	pthread_t thread, target;
	pid_t waits;
	struct nfct_handle *h;
	enum what what;
};

static void *do_later(void *data)
{
	struct later *later = data;

	for (int i = 0; i < 1000 && !sleeps(later->waits); i++)
		usleep(1000);
	if (later->what == EVENT)
		make_event();
	else if (later->what == WAKE)
		CHECK_ERR(ctrs_wake(later->h), 0, UNTOUCHED);
	else
		CHECK_INT(pthread_kill(later->target, SIGUSR1), 0);
	return NULL;
}

static void begin_later(struct later *later, struct nfct_handle *h, enum what what)
{
	*later = (struct later){ .target = pthread_self(), .waits = getpid(), .h = h, .what = what };
	CHECK_INT(pthread_create(&later->thread, NULL, do_later, later), 0);
}

static struct nfct_handle *to_wake;
static volatile int handled, wakes;

static void on_signal(int number)
{
	(void)number;
	handled++;
	if (wakes && ctrs_wake(to_wake) != 0)
		abort();
}

static void test_ends(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct nfct_handle *h = opened();
	struct later later;
	double start = now();

	CHECK_ERR(next(h, 30), 0, UNTOUCHED);
	CHECK(now() - start >= 0.03);
	begin_later(&later, h, EVENT);
	CHECK_ERR(next(h, -1), 1, UNTOUCHED);
	pthread_join(later.thread, NULL);
	begin_later(&later, h, WAKE);
	CHECK_ERR(next(h, -1), -1, ECANCELED);
	CHECK_INT(ctrs_last_error(h)->kind, CTRS_ERROR_WOKEN);
	pthread_join(later.thread, NULL);
	CHECK_ERR(next(h, 0), 0, UNTOUCHED); /* it ended one wait */
	/* Before the wait, and with events there: several count as one, and no event is lost. */
	make_event();
	CHECK_INT(ctrs_wake(h), 0);
	CHECK_INT(ctrs_wake(h), 0);
	CHECK_ERR(next(h, 1000), -1, ECANCELED);
	CHECK_INT(next(h, 1000), 1);
	to_wake = h;
	sigaction(SIGUSR1, &action, NULL);
	for (wakes = 0; wakes < 2; wakes++) {
		begin_later(&later, h, SIGNAL);
		CHECK_ERR(next(h, 10000), -1, EINTR);
		pthread_join(later.thread, NULL);
		CHECK_ERR(next(h, 0), 0, UNTOUCHED); /* no wait, no end of one */
		CHECK_ERR(next(h, wakes), wakes ? -1 : 0, wakes ? ECANCELED : UNTOUCHED);
	}
	CHECK_INT(handled, 2);
	CHECK_INT(nfct_close(h), 0);
}

struct victim {
	struct nfct_handle *h;
	volatile pid_t thread;
	int cleaned;
};

static void clean_up(void *data)
{
	((struct victim *)data)->cleaned++;
}

static void *suffer(void *data)
{
	struct victim *victim = data;

	pthread_cleanup_push(clean_up, victim);
	victim->thread = (pid_t)syscall(SYS_gettid);
	next(victim->h, -1);
	pthread_cleanup_pop(0);
	return NULL;
}

/* A thread that waits can be cancelled; the handle goes on in another. */
static void test_cancellation(void)
{
	struct victim victim = { .h = opened() };
	void *result = NULL;
	pthread_t thread;

	CHECK_INT(pthread_create(&thread, NULL, suffer, &victim), 0);
	for (int i = 0; i < 1000 && (victim.thread == 0 || !sleeps(victim.thread)); i++)
		usleep(1000);
	CHECK_INT(pthread_cancel(thread), 0);
	CHECK_INT(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK_INT(victim.cleaned, 1);
	make_event();
	CHECK_INT(next(victim.h, 1000), 1);
	CHECK_INT(nfct_close(victim.h), 0);
}

/* A child closes what it got, and its parent goes on. */
static void test_fork(void)
{
	struct nfct_handle *h = opened();
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(nfct_close(h));
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	make_event();
	CHECK_INT(next(h, 1000), 1);
	CHECK_INT(nfct_close(h), 0);
}

int main(void)
{
	int before;

	own_namespace();
	before = descriptors();
	test_ends();
	test_cancellation();
	test_fork();
	CHECK_INT(descriptors(), before);
	return finish();
}
#endif
