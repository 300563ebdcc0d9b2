/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What ends a wait for events on a handle of ctrs_open(): a timeout, a wake, a signal. */
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
#include <sys/time.h>

#define LONG 60000 /* milliseconds: what ends such a wait is something else */

static struct nfct_handle *open_listening(struct seen *seen, uint32_t timeout_ms)
{
	struct nfct_handle *h =
		open_with((struct ctrs_open_options){ .groups = EVENTS, .timeout_ms = timeout_ms });

	memset(seen, 0, sizeof(*seen));
	seen->answer = NFCT_CB_CONTINUE;
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, callback, seen), 0);
	return h;
}

static void test_timeout(void)
{
	struct seen seen;
	struct nfct_handle *h = open_listening(&seen, 50);
	double start = now();

	CHECK_ERR(nfct_catch(h), -1, ETIMEDOUT);
	CHECK(now() - start >= 0.05);
	/* What has come is handed out first. */
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, new_flow(0)), 0);
	CHECK_INT(query_flow(h, NFCT_Q_DESTROY, flow(0)), 0);
	CHECK_ERR(nfct_catch(h), -1, ETIMEDOUT);
	CHECK_INT(seen.calls, 2);
	CHECK_INT(nfct_close(h), 0);
}

static void wake(void *h)
{
	CHECK_INT(ctrs_wake(h), 0);
}

static struct nfct_handle *to_wake;
static volatile int handled;

static void on_signal(int number)
{
	handled++;
	if (number == SIGUSR1) {
		errno = UNTOUCHED + 1;
		if (ctrs_wake(to_wake) != 0 || errno != UNTOUCHED + 1)
			abort();
	}
}

static void test_wake(void)
{
	struct seen seen;
	struct nfct_handle *h = open_listening(&seen, LONG);
	struct later later;

	/* Another thread, while it waits. */
	begin_later(&later, wake, h);
	CHECK_ERR(nfct_catch(h), -1, ECANCELED);
	pthread_join(later.thread, NULL);
	CHECK_INT(fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK), 0);
	CHECK_ERR(nfct_catch(h), -1, EAGAIN); /* it ended one wait */
	CHECK_INT(nfct_close(h), 0);
	h = open_listening(&seen, 30);
	/* Before the wait; several count as one. */
	for (int wakes = 1; wakes < 3; wakes++) {
		for (int i = 0; i < wakes; i++)
			CHECK_ERR(ctrs_wake(h), 0, UNTOUCHED);
		CHECK_ERR(nfct_catch(h), -1, ECANCELED);
		CHECK_ERR(nfct_catch(h), -1, ETIMEDOUT);
	}
	/* A query is no wait: its answer is there. */
	CHECK_INT(ctrs_wake(h), 0);
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, new_flow(0)), 0);
	CHECK_INT(seen.calls, 1);
	CHECK_ERR(nfct_catch(h), -1, ECANCELED);
	CHECK_INT(query_flow(h, NFCT_Q_DESTROY, flow(0)), 0);
	CHECK_INT(nfct_close(h), 0);
	/* One that does not block is woken all the same. */
	h = open_with((struct ctrs_open_options){ .flags = CTRS_OPEN_NONBLOCK, .groups = EVENTS });
	CHECK_INT(ctrs_wake(h), 0);
	CHECK_ERR(nfct_catch(h), -1, ECANCELED);
	CHECK_ERR(nfct_catch(h), -1, EAGAIN);
	CHECK_INT(nfct_close(h), 0);
}

/* Signals who waits, and ends the wait by an event once the handler has run. */
static void signal_and_create(void *target)
{
	struct nfct_handle *asks = nfct_open(CONNTRACK, 0);
	int before = handled;

	CHECK_INT(pthread_kill(*(pthread_t *)target, SIGUSR2), 0);
	while (handled == before)
		usleep(1000);
	CHECK_INT(query_flow(asks, NFCT_Q_CREATE, new_flow(0)), 0);
	CHECK_INT(query_flow(asks, NFCT_Q_DESTROY, flow(0)), 0);
	nfct_close(asks);
}

static void test_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct timeval limit = { LONG / 1000, 0 };
	pthread_t self = pthread_self();
	struct seen seen;
	struct later later;

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	to_wake = open_listening(&seen, LONG);
	/* Its handler wakes: the wait ends by one or the other, and the wake is not lost. */
	begin_signal(&later, SIGUSR1);
	CHECK_ERR(nfct_catch(to_wake), -1, EINTR);
	pthread_join(later.thread, NULL);
	CHECK_ERR(nfct_catch(to_wake), -1, ECANCELED);
	/* Its handler does nothing, and asked the kernel to go on where it can. */
	begin_signal(&later, SIGUSR2);
	CHECK_ERR(nfct_catch(to_wake), -1, EINTR);
	pthread_join(later.thread, NULL);
	CHECK_INT(handled, 2);
	CHECK_INT(nfct_close(to_wake), 0);
	/* A handle of nfct_open() goes on as it always did. */
	to_wake = open_seeing(&seen, EVENTS);
	seen.answer = NFCT_CB_STOP;
	setsockopt(nfct_fd(to_wake), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	begin_later(&later, signal_and_create, &self);
	CHECK_INT(nfct_catch(to_wake), 0);
	pthread_join(later.thread, NULL);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(handled, 3);
	CHECK_INT(nfct_close(to_wake), 0);
}

/* A wake ends nfct_catch() while there is always something to receive. */
static volatile int flooding;

static void *flood(void *data)
{
	struct nfct_handle *h = data;

	while (flooding) {
		query_flow(h, NFCT_Q_CREATE, new_flow(9));
		query_flow(h, NFCT_Q_DESTROY, flow(9));
	}
	return NULL;
}

static int wake_at_ten(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	int *calls = data;

	(void)type;
	(void)ct;
	if (++*calls == 10)
		CHECK_INT(ctrs_wake(to_wake), 0);
	return *calls == 100000 ? NFCT_CB_STOP : NFCT_CB_CONTINUE;
}

static void test_wake_in_a_flood(void)
{
	struct nfct_handle *writer = nfct_open(CONNTRACK, 0);
	pthread_t thread;
	int calls = 0;

	to_wake = open_with((struct ctrs_open_options){ .groups = EVENTS, .timeout_ms = 5000 });
	CHECK_INT(nfct_callback_register(to_wake, NFCT_T_ALL, wake_at_ten, &calls), 0);
	flooding = 1;
	CHECK_INT(pthread_create(&thread, NULL, flood, writer), 0);
	while (nfct_catch(to_wake) == -1 && errno == ENOBUFS)
		;
	CHECK_INT(errno, ECANCELED);
	CHECK_INT(calls, 10);
	flooding = 0;
	pthread_join(thread, NULL);
	CHECK_INT(nfct_close(to_wake), 0);
	CHECK_INT(nfct_close(writer), 0);
}

/* A child closes what it got over fork(), and the parent's goes on. */
static void test_fork(void)
{
	struct seen seen;
	struct nfct_handle *h = open_listening(&seen, 50);
	int status = -1;

	CHECK(ctrs_receive_buffer(h) > 0);
	fflush(stdout);
	if (fork() == 0)
		_exit(nfct_close(h) != 0);
	CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, new_flow(0)), 0);
	CHECK_ERR(nfct_catch(h), -1, ETIMEDOUT);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(ctrs_wake(h), 0);
	CHECK_ERR(nfct_catch(h), -1, ECANCELED);
	CHECK_INT(query_flow(h, NFCT_Q_DESTROY, flow(0)), 0);
	CHECK_INT(nfct_close(h), 0);
}

int main(void)
{
	own_namespace();
	test_timeout();
	test_wake();
	test_signals();
	test_wake_in_a_flood();
	test_fork();
	return finish();
}
#endif
