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
#include "waits.h"
#include <poll.h>

static void log_one(void *log)
{
	(void)log;
	log_packets(5, 1, 10);
}

static void wake(void *log)
{
	CHECK_ERR(ctrs_nflog_wake(log), 0, UNTOUCHED);
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
	begin_later(&later, log_one, log);
	CHECK_ERR(next(log, -1), 1, UNTOUCHED);
	pthread_join(later.thread, NULL);
	begin_later(&later, wake, log);
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
		begin_signal(&later, SIGUSR1);
		CHECK_ERR(next(log, -1), -1, EINTR);
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

static int wait_long(void *log)
{
	return next(log, -1);
}

/* A thread that waits can be cancelled; the log goes on in another. */
static void test_cancellation(void)
{
	struct ctrs_nflog *log = open_bound(5);

	check_cancelled(wait_long, log);
	log_packets(5, 1, 10);
	CHECK_INT(next(log, 1000), 1);
	CHECK_INT(ctrs_nflog_close(log), 0);
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
