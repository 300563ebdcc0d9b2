/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Callbacks of logged packets that never return: they jump out of the call, or their thread is
 * cancelled. Outcome: what waits comes in the next call, handle and groups go on, and nothing is left. */
#include "logged.h"
#include "acting.h"
#include <pthread.h>

static int jump(struct acting *acting)
{
	acting->depth--;
	longjmp(acting->back, 1);
}

static int unbind_and_jump(struct acting *acting)
{
	unbind_own(acting);
	return jump(acting);
}

static int close_and_jump(struct acting *acting)
{
	close_it(acting);
	return jump(acting);
}

/* Gets back to where it began, from wherever a callback jumps. */
#define JUMPS(acting, call) \
	do { \
		if (setjmp((acting)->back) == 0) { \
			(call); \
			CHECK(!"it jumped"); \
		} \
	} while (0)

static void test_jumps(void)
{
	struct acting acting;

	begin(&acting, jump);
	CHECK_INT(nflog_set_qthresh(acting.gh, 3), 0);
	log_packets(1, 3, 10);
	JUMPS(&acting, receive_one(acting.h));
	CHECK_INT(acting.calls, 1);
	CHECK_INT(nflog_set_qthresh(acting.gh, 1), 0);
	log_packets(1, 1, 10);
	JUMPS(&acting, nflog_bind_pf(acting.h, 11));
	CHECK_INT(acting.calls, 2);
	end(&acting);

	/* A group is bound, or unbound, though nobody has heard of it. */
	begin(&acting, jump);
	log_packets(1, 1, 10);
	JUMPS(&acting, nflog_bind_group(acting.h, 3));
	CHECK_ERR(nflog_bind_group(acting.h, 3) != NULL, 1, UNTOUCHED);
	CHECK_NULL(nflog_bind_group(acting.h, 3), EBUSY);
	log_packets(1, 1, 10);
	JUMPS(&acting, nflog_unbind_group(acting.other));
	CHECK_ERR(nflog_unbind_group(acting.other), 0, UNTOUCHED);
	CHECK_ERR((acting.other = nflog_bind_group(acting.h, 2)) != NULL, 1, UNTOUCHED);
	end(&acting);

	begin(&acting, unbind_and_jump);
	log_packets(1, 1, 10);
	JUMPS(&acting, receive_one(acting.h));
	acting.gh = bind_at_once(acting.h, 1);
	CHECK_INT(nflog_callback_register(acting.gh, act, &acting), 0);
	end(&acting);

	/* What is closed then is freed with the next that is opened. */
	begin(&acting, close_and_jump);
	log_packets(1, 1, 10);
	JUMPS(&acting, receive_one(acting.h));
	begin(&acting, close_and_jump);
	log_packets(1, 1, 10);
	JUMPS(&acting, nflog_set_timeout(acting.gh, 1));
	CHECK_INT(nflog_close(nflog_open()), 0);
}

/* Asks, so that packets are kept for later, and jumps away before. */
static int ask_and_jump(struct acting *acting)
{
	ask(acting);
	return jump(acting);
}

static void test_jump_over_what_is_kept(void)
{
	struct acting acting;

	begin(&acting, ask_and_jump);
	acting.at = 1;
	log_packets(1, 3, 10);
	JUMPS(&acting, receive_one(acting.h));
	CHECK_INT(acting.calls, 1);
	CHECK(nothing_waits(acting.h));
	CHECK_INT(nflog_handle_packet(acting.h, NULL, 0), 0);
	CHECK_INT(acting.calls, 3);
	end(&acting);
}

/* A thread that is cancelled: in a callback, and where it asks the kernel for something. */
struct cancelled {
	struct acting *acting;
	int (*call)(struct acting *acting);
	bool pending;
	int returned;
};

static int test_cancel(struct acting *acting)
{
	(void)acting;
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return 0;
}

static void *run_cancelled(void *data)
{
	struct cancelled *cancelled = data;

	if (cancelled->pending)
		pthread_cancel(pthread_self());
	cancelled->call(cancelled->acting);
	cancelled->returned = 1;
	return NULL;
}

static int call_receive(struct acting *acting)
{
	return receive_one(acting->h);
}

static int call_set(struct acting *acting)
{
	return nflog_set_timeout(acting->gh, 1);
}

static int call_bind(struct acting *acting)
{
	return nflog_bind_group(acting->h, 3) != NULL;
}

static int call_family(struct acting *acting)
{
	return nflog_bind_pf(acting->h, AF_INET);
}

static void test_cancellation(void)
{
	static int (*const calls[])(struct acting *) = { call_receive, call_set, call_bind, call_family };

	for (size_t i = 0; i < COUNT(calls); i++)
		for (int pending = i == 0 ? 0 : 1; pending >= 0; pending--) {
			struct acting acting;
			struct cancelled cancelled = { &acting, calls[i], pending, 0 };
			pthread_t thread;
			void *result = NULL;

			about("call %zu, cancelled before: %d", i, pending);
			begin(&acting, pending ? NULL : test_cancel);
			log_packets(1, 1, 10);
			CHECK_INT(pthread_create(&thread, NULL, run_cancelled, &cancelled), 0);
			CHECK_INT(pthread_join(thread, &result), 0);
			CHECK(result == PTHREAD_CANCELED);
			CHECK_INT(cancelled.returned, 0);
			CHECK_INT(acting.calls, pending ? 0 : 1);
			acting.act = NULL;
			acting.depth = 0;
			CHECK_ERR(nflog_set_timeout(acting.gh, 1), 0, UNTOUCHED);
			CHECK_INT(acting.calls, 1);
			end(&acting);
		}
	about("");
}

int main(void)
{
	if (log_by_port()) {
		test_jumps();
		test_jump_over_what_is_kept();
		test_cancellation();
	}
	return finish();
}
