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
#include "waits.h"
#include <sys/epoll.h>

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

static void make_one(void *h)
{
	(void)h;
	make_event();
}

static void wake(void *h)
{
	CHECK_ERR(ctrs_wake(h), 0, UNTOUCHED);
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
	begin_later(&later, make_one, h);
	CHECK_ERR(next(h, -1), 1, UNTOUCHED);
	pthread_join(later.thread, NULL);
	begin_later(&later, wake, h);
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
		begin_signal(&later, SIGUSR1);
		CHECK_ERR(next(h, -1), -1, EINTR);
		pthread_join(later.thread, NULL);
		CHECK_ERR(next(h, 0), 0, UNTOUCHED); /* no wait, no end of one */
		CHECK_ERR(next(h, wakes), wakes ? -1 : 0, wakes ? ECANCELED : UNTOUCHED);
	}
	CHECK_INT(handled, 2);
	CHECK_INT(nfct_close(h), 0);
}

static int wait_long(void *h)
{
	return next(h, -1);
}

/* A thread that waits can be cancelled; the handle goes on in another. */
static void test_cancellation(void)
{
	struct nfct_handle *h = opened();

	check_cancelled(wait_long, h);
	make_event();
	CHECK_INT(next(h, 1000), 1);
	CHECK_INT(nfct_close(h), 0);
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

/* Who is told of changes alone reads until there is nothing left, and is told of the next. */
static void test_edges(void)
{
	struct nfct_handle *h = opened();
	struct epoll_event told = { .events = EPOLLIN | EPOLLET };
	int poll = epoll_create1(EPOLL_CLOEXEC);

	CHECK_INT(epoll_ctl(poll, EPOLL_CTL_ADD, nfct_fd(h), &told), 0);
	CHECK_INT(epoll_wait(poll, &told, 1, 0), 0);
	for (int round = 0; round < 3; round++) {
		make_event();
		make_event();
		CHECK_INT(epoll_wait(poll, &told, 1, 1000), 1);
		CHECK_INT(told.events, EPOLLIN);
		CHECK_INT(next(h, 0), 1);
		CHECK_INT(epoll_wait(poll, &told, 1, 0), 0); /* though one is left */
		CHECK_INT(next(h, 0), 1);
		CHECK_ERR(next(h, 0), 0, UNTOUCHED);
		CHECK_INT(epoll_wait(poll, &told, 1, 0), 0);
	}
	CHECK_INT(close(poll), 0);
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
	test_edges();
	CHECK_INT(descriptors(), before);
	return finish();
}
#endif
