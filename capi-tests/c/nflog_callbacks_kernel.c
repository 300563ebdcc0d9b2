/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What callbacks of logged packets do: ask the kernel for something, unbind their group, close their
 * handle, jump out of the call. Outcome: no packet is lost or comes twice, each request has its own
 * answer, nothing is used after it was freed and nothing is left. */
#include "logged.h"
#include <pthread.h>
#include <setjmp.h>

#define FLOOD 150 /* packets, each of which brings about a request */

/* What a callback does at each of its calls. */
struct acting {
	struct nflog_handle *h;
	struct nflog_g_handle *gh, *other;
	int (*act)(struct acting *acting);
	int calls, at; /* it acts at this call only, if not 0 */
	int depth, deepest;
	int result, error; /* of what it did last */
	uint32_t lengths[2 * FLOOD];
	jmp_buf back;
};

static int act(struct nflog_g_handle *gh, struct nfgenmsg *nfmsg, struct nflog_data *nfd, void *data)
{
	struct acting *acting = data;
	int verdict = 0;

	(void)nfd;
	CHECK(gh == acting->gh || gh == acting->other);
	acting->lengths[acting->calls++] = ((struct nlmsghdr *)(void *)nfmsg - 1)->nlmsg_len;
	if (++acting->depth > acting->deepest)
		acting->deepest = acting->depth;
	if (acting->act != NULL && (acting->at == 0 || acting->calls == acting->at))
		verdict = acting->act(acting);
	acting->depth--;
	return verdict;
}

static void note(struct acting *acting, int result)
{
	acting->error = errno;
	acting->result = result;
}

/* A handle with two groups of this callback. */
static void begin(struct acting *acting, int (*what)(struct acting *acting))
{
	memset(acting, 0, sizeof(*acting));
	acting->h = nflog_open();
	acting->act = what;
	acting->gh = bind_at_once(acting->h, 1);
	acting->other = bind_at_once(acting->h, 2);
	CHECK_INT(nflog_callback_register(acting->gh, act, acting), 0);
	CHECK_INT(nflog_callback_register(acting->other, act, acting), 0);
}

static void check_in_step(struct nflog_handle *h, struct nflog_g_handle *gh)
{
	CHECK_ERR(nflog_bind_pf(h, 11), -1, EINVAL);
	CHECK_ERR(nflog_set_timeout(gh, 10), 0, UNTOUCHED);
	CHECK_ERR(nflog_bind_pf(h, 12), -1, EINVAL);
	CHECK(nothing_waits(h));
}

/* The handle works, and is closed. */
static void end(struct acting *acting)
{
	int calls = acting->calls;

	acting->act = NULL;
	check_in_step(acting->h, acting->gh);
	log_packets(1, 1, 10);
	CHECK_INT(receive_one(acting->h), 0);
	CHECK_INT(acting->calls, calls + 1);
	CHECK_INT(nflog_close(acting->h), 0);
}

/* Asks for something that is done, and for something that is refused. */
static int ask(struct acting *acting)
{
	CHECK_ERR(nflog_set_qthresh(acting->gh, 1), 0, UNTOUCHED);
	CHECK_ERR(nflog_bind_pf(acting->h, 11), -1, EINVAL);
	return 0;
}

/* Packets that come while a callback asks wait for their turn: they come in order, and neither the
 * stack nor memory grows with their number. */
static void test_requests_inside(bool inside_request)
{
	struct acting acting;
	int size = 200000; /* any user may */

	begin(&acting, ask);
	CHECK_INT(setsockopt(nflog_fd(acting.h), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	for (int i = 0; i < FLOOD; i++)
		log_packets(1 + i % 2, 1, (size_t)i);
	if (inside_request)
		CHECK_ERR(nflog_bind_pf(acting.h, 11), -1, EINVAL);
	else
		CHECK_INT(receive_one(acting.h), 0);
	CHECK_INT(acting.calls, FLOOD);
	CHECK_INT(acting.deepest, 1);
	for (int i = 1; i < acting.calls; i++)
		CHECK(acting.lengths[i] >= acting.lengths[i - 1]);
	end(&acting);
}

/* Of a request inside another one, whichever reads first what the other asked for. */
static int refuse(struct acting *acting)
{
	CHECK_ERR(nflog_bind_pf(acting->h, 11), -1, EINVAL);
	return 0;
}

static int succeed(struct acting *acting)
{
	CHECK_ERR(nflog_set_mode(acting->gh, NFULNL_COPY_META, 0), 0, UNTOUCHED);
	return -1;
}

static void test_answers_do_not_mix(void)
{
	struct acting acting;

	begin(&acting, refuse);
	log_packets(1, 1, 10);
	CHECK_ERR(nflog_set_timeout(acting.gh, 10), 0, UNTOUCHED);
	CHECK_INT(acting.calls, 1);
	acting.act = succeed;
	log_packets(2, 1, 10);
	CHECK_ERR(nflog_bind_pf(acting.h, 11), -1, EINVAL);
	CHECK_INT(acting.calls, 2);
	end(&acting);
}

static int unbind_own(struct acting *acting)
{
	struct nflog_g_handle *gh = acting->gh;

	CHECK_ERR(nflog_unbind_group(gh), 0, UNTOUCHED);
	/* It is there until the call returns that this is called from, and bound no more. */
	CHECK_ERR(nflog_set_timeout(gh, 1), -1, ENODEV);
	CHECK_ERR(nflog_unbind_group(gh), -1, ENODEV);
	CHECK_ERR(nflog_callback_register(gh, act, acting), -1, ENODEV);
	return 0;
}

static int rebind(struct acting *acting)
{
	unbind_own(acting);
	acting->gh = bind_at_once(acting->h, 1);
	CHECK_INT(nflog_callback_register(acting->gh, act, acting), 0);
	return 0;
}

/* A group that is unbound in its callback is called no more, in the middle of a batch too. */
static void test_unbind_inside(void)
{
	static int (*const ways[])(struct acting *) = { unbind_own, rebind };

	for (size_t i = 0; i < COUNT(ways); i++)
		for (int inside_request = 0; inside_request < 2; inside_request++) {
			struct acting acting;

			about("way %zu, inside a request: %d", i, inside_request);
			begin(&acting, ways[i]);
			acting.at = 2;
			CHECK_INT(nflog_set_qthresh(acting.gh, 5), 0);
			log_packets(1, 5, 10);
			if (inside_request)
				CHECK_ERR(nflog_set_timeout(acting.other, 10), 0, UNTOUCHED);
			else if (i == 0) /* the packets behind are of no group */
				CHECK_ERR(receive_one(acting.h), -1, ENODEV);
			else
				CHECK_INT(receive_one(acting.h), 0);
			CHECK_INT(acting.calls, i == 0 ? 2 : 5);
			if (i == 0) {
				acting.gh = bind_at_once(acting.h, 1);
				CHECK_INT(nflog_callback_register(acting.gh, act, &acting), 0);
			}
			end(&acting);
		}
	about("");
}

static int unbind_other(struct acting *acting)
{
	CHECK_ERR(nflog_unbind_group(acting->other), 0, UNTOUCHED);
	return 0;
}

/* A callback unbinds the group of a request that is under way, or unbinds what is being unbound. */
static void test_unbind_other_inside(void)
{
	struct acting acting;

	begin(&acting, unbind_other);
	log_packets(1, 1, 10);
	CHECK_ERR(nflog_set_timeout(acting.other, 10), 0, UNTOUCHED);
	CHECK_INT(acting.calls, 1);
	end(&acting);
}

static int unbind_twice(struct acting *acting)
{
	note(acting, nflog_unbind_group(acting->other));
	return 0;
}

static void test_unbind_while_unbinding(void)
{
	struct acting acting;

	begin(&acting, unbind_twice);
	log_packets(1, 1, 10);
	CHECK_ERR(nflog_unbind_group(acting.other), 0, UNTOUCHED);
	CHECK_INT(acting.calls, 1);
	CHECK_INT(acting.result, -1);
	CHECK_INT(acting.error, EBUSY);
	end(&acting);
}

static int close_it(struct acting *acting)
{
	CHECK_ERR(nflog_close(acting->h), 0, UNTOUCHED);
	return 0;
}

/* A handle that is closed in a callback hands out no more, and is freed once. */
static void test_close_inside(void)
{
	struct acting acting;

	begin(&acting, close_it);
	log_packets(1, 1, 10);
	CHECK_INT(receive_one(acting.h), 0); /* nothing came behind */
	CHECK_INT(acting.calls, 1);

	begin(&acting, close_it);
	CHECK_INT(nflog_set_qthresh(acting.gh, 3), 0);
	log_packets(1, 3, 10);
	CHECK_ERR(receive_one(acting.h), -1, EBADF);
	CHECK_INT(acting.calls, 1);

	begin(&acting, close_it);
	log_packets(1, 2, 10);
	CHECK_ERR(nflog_set_timeout(acting.gh, 1), -1, EBADF);
	CHECK_INT(acting.calls, 1);

	begin(&acting, close_it);
	log_packets(1, 2, 10);
	CHECK_NULL(nflog_bind_group(acting.h, 3), EBADF);
	CHECK_INT(acting.calls, 1);

	begin(&acting, close_it);
	log_packets(1, 2, 10);
	CHECK_ERR(nflog_unbind_group(acting.other), -1, EBADF);
	CHECK_INT(acting.calls, 1);
}

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

/* A datagram inside another. */
static int hand_on(struct acting *acting)
{
	if (acting->depth == 1)
		CHECK_INT(receive_one(acting->h), 0);
	return 0;
}

static void test_datagram_inside(void)
{
	static char first[4096];
	struct acting acting;
	ssize_t size;

	begin(&acting, hand_on);
	log_packets(1, 2, 10);
	size = recv(nflog_fd(acting.h), first, sizeof(first), 0);
	CHECK_INT(nflog_handle_packet(acting.h, first, (int)size), 0);
	CHECK_INT(acting.calls, 2);
	CHECK_INT(acting.deepest, 2);
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

/* Attributes that nobody has, and stray bytes, are nobody's. */
static void test_odd_messages(void)
{
	static const struct {
		const char *about;
		uint8_t behind[16];
		uint32_t size;
	} rows[] = {
		{ "an attribute of type 0", { 8, 0, 0, 0, 1, 2, 3, 4 }, 8 },
		{ "a type beyond those that are known", { 8, 0, 200, 0, 1, 2, 3, 4 }, 8 },
		{ "the highest type", { 8, 0, 0xff, 0xff, 1, 2, 3, 4 }, 8 },
		{ "a list that ends a byte early", { 8, 0, 2, 0, 1, 2, 3 }, 7 },
		{ "one stray byte", { 8 }, 1 },
		{ "three stray bytes", { 8, 0, 2 }, 3 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct acting acting;
		struct nlmsghdr *header = malloc(20 + rows[i].size); /* no byte behind it */
		uint8_t *bytes = (uint8_t *)header;

		about("%s", rows[i].about);
		memset(header, 0, 20);
		header->nlmsg_len = 20 + rows[i].size;
		header->nlmsg_type = NFNL_SUBSYS_ULOG << 8;
		bytes[19] = 1;
		memcpy(bytes + 20, rows[i].behind, rows[i].size);
		begin(&acting, NULL);
		CHECK_INT(nflog_handle_packet(acting.h, (char *)bytes, (int)header->nlmsg_len), 0);
		CHECK_INT(acting.calls, 1);
		CHECK_ERR(nflog_handle_packet(acting.h, (char *)bytes, -1), -1, EINVAL);
		CHECK_INT(acting.calls, 1);
		free(header);
		end(&acting);
	}
	about("");
}

int main(void)
{
	if (log_by_port()) {
		test_requests_inside(false);
		test_requests_inside(true);
		test_answers_do_not_mix();
		test_unbind_inside();
		test_unbind_other_inside();
		test_unbind_while_unbinding();
		test_close_inside();
		test_jumps();
		test_jump_over_what_is_kept();
		test_datagram_inside();
		test_cancellation();
		test_odd_messages();
	}
	return finish();
}
