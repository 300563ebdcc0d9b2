/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What ends a wait for logged packets: a packet, time, a wake, a signal, the cancellation of the thread;
 * and what a child of fork() may do. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include "logged.h"
#include "packet_log.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Whether the thread sleeps in poll(2), on the log among others. */
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

enum what { PACKET, WAKE, SIGNAL };

/* A thread that does something once another waits. */
struct later {
	pthread_t thread, target;
	pid_t waits;
	struct ctrs_nflog *log;
	enum what what;
};

static void *do_later(void *data)
{
	struct later *later = data;

	for (int i = 0; i < 1000 && !sleeps(later->waits); i++)
		usleep(1000);
	if (later->what == PACKET)
		log_packets(5, 1, 10);
	else if (later->what == WAKE)
		CHECK_ERR(ctrs_nflog_wake(later->log), 0, UNTOUCHED);
	else
		CHECK_INT(pthread_kill(later->target, SIGUSR1), 0);
	return NULL;
}

static void begin_later(struct later *later, struct ctrs_nflog *log, enum what what)
{
	*later = (struct later){ .target = pthread_self(), .waits = getpid(), .log = log, .what = what };
	CHECK_INT(pthread_create(&later->thread, NULL, do_later, later), 0);
}

static struct ctrs_nflog *to_wake;
static volatile int handled, wakes;

static void on_signal(int number)
{
	(void)number;
	handled++;
	if (wakes && ctrs_nflog_wake(to_wake) != 0)
		abort();
}

static void test_ends(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct ctrs_nflog *log = open_bound(5);
	struct later later;
	double start = now();

	CHECK_ERR(next(log, 30), 0, UNTOUCHED);
	CHECK(now() - start >= 0.03);
	begin_later(&later, log, PACKET);
	CHECK_ERR(next(log, -1), 1, UNTOUCHED);
	pthread_join(later.thread, NULL);
	begin_later(&later, log, WAKE);
	CHECK_ERR(next(log, -1), -1, ECANCELED);
	CHECK_INT(ctrs_nflog_last_error(log)->kind, CTRS_ERROR_WOKEN);
	pthread_join(later.thread, NULL);
	CHECK_ERR(next(log, 0), 0, UNTOUCHED); /* it ended one wait */
	/* Before the wait, and with packets there: several count as one, and no packet is lost. */
	log_packets(5, 1, 10);
	CHECK_INT(ctrs_nflog_wake(log), 0);
	CHECK_INT(ctrs_nflog_wake(log), 0);
	CHECK_ERR(next(log, 1000), -1, ECANCELED);
	CHECK_INT(next(log, 1000), 1);
	to_wake = log;
	sigaction(SIGUSR1, &action, NULL);
	for (wakes = 0; wakes < 2; wakes++) {
		begin_later(&later, log, SIGNAL);
		CHECK_ERR(next(log, 10000), -1, EINTR);
		pthread_join(later.thread, NULL);
		CHECK_ERR(next(log, 0), wakes ? -1 : 0, wakes ? ECANCELED : UNTOUCHED);
	}
	CHECK_INT(handled, 2);
	CHECK_INT(ctrs_nflog_close(log), 0);
}

static void test_descriptor(void)
{
	struct ctrs_nflog *log = open_log((struct ctrs_open_options){ .flags = CTRS_OPEN_NONBLOCK });
	struct ctrs_nflog_settings settings = at_once();
	struct pollfd ready = { .fd = ctrs_nflog_fd(log), .events = POLLIN };

	CHECK_INT(ctrs_nflog_bind(log, 5, &settings), 0);
	CHECK_INT(fcntl(ready.fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	CHECK_INT(poll(&ready, 1, 0), 0);
	log_packets(5, 2, 10);
	CHECK_INT(poll(&ready, 1, 1000), 1);
	CHECK_INT(next(log, 0), 1);
	CHECK_INT(next(log, 0), 1);
	CHECK_ERR(next(log, 0), 0, UNTOUCHED);
	CHECK_INT(poll(&ready, 1, 0), 0);
	CHECK_INT(ctrs_nflog_close(log), 0);
}

struct victim {
	struct ctrs_nflog *log;
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
	next(victim->log, -1);
	pthread_cleanup_pop(0);
	return NULL;
}

/* A thread that waits can be cancelled; the log goes on in another. */
static void test_cancellation(void)
{
	struct victim victim = { .log = open_bound(5) };
	void *result = NULL;
	pthread_t thread;

	CHECK_INT(pthread_create(&thread, NULL, suffer, &victim), 0);
	for (int i = 0; i < 1000 && (victim.thread == 0 || !sleeps(victim.thread)); i++)
		usleep(1000);
	CHECK_INT(pthread_cancel(thread), 0);
	CHECK_INT(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK_INT(victim.cleaned, 1);
	log_packets(5, 1, 10);
	CHECK_INT(next(victim.log, 1000), 1);
	CHECK_INT(ctrs_nflog_close(victim.log), 0);
}

/* A child closes what it got, and its parent goes on. */
static void test_fork(void)
{
	struct ctrs_nflog *log = open_bound(5);
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(ctrs_nflog_close(log));
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	log_packets(5, 1, 10);
	CHECK_INT(next(log, 1000), 1);
	CHECK_INT(ctrs_nflog_close(log), 0);
}

int main(void)
{
	int before;

	if (!log_by_port())
		return finish();
	before = descriptors();
	test_ends();
	test_descriptor();
	test_cancellation();
	test_fork();
	CHECK_INT(descriptors(), before);
	return finish();
}
#endif
