/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What callbacks do that receive loops do not expect: fork, call the library nine deep, close the
 * handle of the loops around them, jump out of the query. And tables that change during a dump. */
#include "kernel.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include "many.h"

#define FLOWS 1000 /* some ten datagrams */

static void set_timeout(struct nfct_handle *h, int milliseconds)
{
	struct timeval time = { 0, milliseconds * 1000 };

	CHECK_INT(setsockopt(nfct_fd(h), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)), 0);
}

/* Every kind of query gets its own answer. */
static void check_in_step(struct nfct_handle *h, int flows)
{
	struct seen seen = { .answer = NFCT_CB_CONTINUE };

	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, callback, &seen), 0);
	CHECK_ERR(query_flow(h, NFCT_Q_GET, flow(90000)), -1, ENOENT);
	CHECK_ERR(query_flow(h, NFCT_Q_CREATE, new_flow(0)), -1, EEXIST);
	CHECK_INT(seen.calls, 0);
	CHECK_INT(query_flow(h, NFCT_Q_GET, flow(1)), 0);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(dump(h), 0);
	CHECK_INT(seen.calls, 1 + flows);
}

struct forking {
	struct nfct_handle *h;
	int calls, fork_at, in_child;
	pid_t child;
	int (*then)(struct forking *forking); /* what the child does, and its verdict */
};

static int fork_within(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct forking *forking = data;

	(void)type;
	(void)ct;
	if (++forking->calls != forking->fork_at)
		return NFCT_CB_CONTINUE;
	fflush(stdout);
	forking->child = fork();
	if (forking->child == 0) {
		forking->in_child = 1;
		return forking->then(forking);
	}
	CHECK_INT(waitpid(forking->child, &forking->in_child, 0), forking->child);
	CHECK_INT(forking->in_child, 0);
	forking->in_child = 0;
	return NFCT_CB_CONTINUE;
}

/* The child leaves the parent's handle and works with its own. */
static int leave(struct forking *forking)
{
	struct nfct_handle *own = nfct_open(CONNTRACK, 0);

	CHECK_INT(nfct_close(forking->h), 0);
	check_in_step(own, FLOWS);
	CHECK_INT(nfct_close(own), 0);
	_exit(failed != 0);
}

/* The child goes on with the dump, in the parent's place. */
static int go_on(struct forking *forking)
{
	(void)forking;
	return NFCT_CB_CONTINUE;
}

/* Outcome: both tables are whole, the parent's handle is in step. */
static void test_fork_and_leave(void)
{
	struct forking forking = { .h = nfct_open(CONNTRACK, 0), .fork_at = 400, .then = leave };

	CHECK_INT(nfct_callback_register(forking.h, NFCT_T_ALL, fork_within, &forking), 0);
	CHECK_INT(dump(forking.h), 0);
	CHECK_INT(forking.calls, FLOWS);
	check_in_step(forking.h, FLOWS);
	CHECK_INT(nfct_close(forking.h), 0);
}

/* Outcome: the child, which reads the same socket, gets the rest and the end of the dump. The
 * parent waits for that end: with a timeout set it is told EAGAIN, and goes on as before. */
static void test_fork_and_go_on(void)
{
	struct forking forking = { .h = nfct_open(CONNTRACK, 0), .fork_at = 400, .then = go_on };
	int result;

	set_timeout(forking.h, 100);
	CHECK_INT(nfct_callback_register(forking.h, NFCT_T_ALL, fork_within, &forking), 0);
	errno = UNTOUCHED;
	result = dump(forking.h);
	if (forking.in_child) {
		nfct_close(forking.h);
		_exit(result != 0 || forking.calls != FLOWS);
	}
	CHECK_INT(result, -1);
	CHECK_INT(errno, EAGAIN);
	CHECK(forking.calls >= 400 && forking.calls < FLOWS);
	check_in_step(forking.h, FLOWS);
	CHECK_INT(nfct_close(forking.h), 0);
}

#ifndef REFERENCE
/* Outcome: of a dump that was stopped, whose rest the program reads from the descriptor itself,
 * nobody waits for the end. */
static void test_read_by_hand(void)
{
	static char buffer[65536];
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);

	seen.answer = NFCT_CB_STOP;
	CHECK_INT(dump(h), 0);
	while (recv(nfct_fd(h), buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
		continue;
	nfct_callback_unregister(h);
	CHECK_ERR(dump(h), 0, 0);
	check_in_step(h, FLOWS);
	CHECK_INT(nfct_close(h), 0);
}
#endif

/* A query in a callback of a query in a callback of a query ... */
struct nine {
	struct nfct_handle *h;
	int depth, deepest, calls, close_at, answer;
	int results[10];
};

static int deeper(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct nine *nine = data;
	uint32_t source = nfct_get_attr_u32(ct, ATTR_IPV4_SRC);
	int verdict = NFCT_CB_CONTINUE, depth = ++nine->depth;

	(void)type;
	nine->calls++;
	if (depth > nine->deepest)
		nine->deepest = depth;
	if (depth == nine->close_at) {
		CHECK_INT(nfct_close(nine->h), 0);
		verdict = nine->answer;
	} else if (depth < 9) {
		nine->results[depth] = query_flow(nine->h, NFCT_Q_GET, flow((unsigned int)depth));
	}
	/* What this callback was given is as it was. */
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_IPV4_SRC), source);
	nine->depth--;
	return verdict;
}

/* Outcome: every one of the nine is answered, for the outer ones of a dump too. */
static void test_nine_deep(void)
{
	struct nine nine = { .h = nfct_open(CONNTRACK, 0) };

	CHECK_INT(nfct_callback_register(nine.h, NFCT_T_ALL, deeper, &nine), 0);
	CHECK_INT(query_flow(nine.h, NFCT_Q_GET, flow(0)), 0);
	CHECK_INT(nine.deepest, 9);
	CHECK_INT(nine.calls, 9);
	for (int depth = 1; depth < 9; depth++)
		CHECK_INT(nine.results[depth], 0);
	check_in_step(nine.h, FLOWS);
	CHECK_INT(nfct_close(nine.h), 0);
}

#ifndef REFERENCE
/* Outcome: the innermost of nine loops closes the handle: its query returns what the callback
 * says, those around it EBADF, and the handle is freed once. */
static void test_close_nine_deep(void)
{
	static const int rows[][2] = { { NFCT_CB_STOP, 0 }, { NFCT_CB_CONTINUE, -1 }, { -7, -7 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct nine nine = { .h = nfct_open(CONNTRACK, 0), .close_at = 9,
				     .answer = rows[i][0] };

		about("answer %d", rows[i][0]);
		CHECK_INT(nfct_callback_register(nine.h, NFCT_T_ALL, deeper, &nine), 0);
		CHECK_ERR(query_flow(nine.h, NFCT_Q_GET, flow(0)), -1, EBADF);
		CHECK_INT(nine.calls, 9);
		CHECK_INT(nine.results[8], rows[i][1]);
		for (int depth = 1; depth < 8; depth++)
			CHECK_INT(nine.results[depth], -1);
	}
	about("");
}

static int dump_within(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct nine *nine = data;

	(void)type;
	(void)ct;
	nine->calls++;
	if (nine->depth++ == 0) {
		errno = UNTOUCHED;
		nine->results[0] = dump(nine->h);
		nine->results[1] = errno;
	}
	return NFCT_CB_CONTINUE;
}

/* Outcome: one dump inside another is whole, and the outer one comes to its end: every flow is seen
 * once by each. */
static void test_dump_within_dump(void)
{
	struct nine nine = { .h = nfct_open(CONNTRACK, 0) };

	CHECK_INT(nfct_callback_register(nine.h, NFCT_T_ALL, dump_within, &nine), 0);
	CHECK_INT(dump(nine.h), 0);
	CHECK_INT(nine.results[0], 0);
	CHECK_INT(nine.results[1], 0);
	CHECK_INT(nine.calls, 2 * FLOWS);
	check_in_step(nine.h, FLOWS);
	CHECK_INT(nfct_close(nine.h), 0);
}
#endif

static struct jump {
	jmp_buf back;
	struct nfct_handle *h;
	struct nf_conntrack *object;	 /* these three show valgrind that what is left behind */
	const struct nlmsghdr *message;	 /* is known */
	int calls, jump_at;
} jump;

static int jump_out(const struct nlmsghdr *nlh, enum nf_conntrack_msg_type type,
		    struct nf_conntrack *ct, void *data)
{
	(void)type;
	(void)data;
	if (++jump.calls != jump.jump_at)
		return NFCT_CB_CONTINUE;
	jump.object = ct;
	jump.message = nlh;
	longjmp(jump.back, 1);
}

/* Outcome: a longjmp() out of a query skips its end. What is unread of the answer stays to be read:
 * nfct_catch() until it returns 0, then all is as before. (cancel_kernel.c: nothing is left.) */
static void jump_out_of_a_dump(void)
{
	jump.h = nfct_open(CONNTRACK, 0);
	jump.jump_at = FLOWS / 2;
	CHECK_INT(nfct_callback_register2(jump.h, NFCT_T_ALL, jump_out, NULL), 0);
	if (setjmp(jump.back) == 0) {
		dump(jump.h);
		CHECK(!"the callback jumped");
	}
	CHECK_INT(jump.calls, FLOWS / 2);
	CHECK_INT(nfct_catch(jump.h), 0);
	CHECK(jump.calls > FLOWS / 2 && jump.calls <= FLOWS);
	nfct_callback_unregister2(jump.h);
	check_in_step(jump.h, FLOWS);
	CHECK_INT(nfct_close(jump.h), 0);
}

/* Outcome: the same out of nfct_catch(), where nothing is unread but the next events. */
static void jump_out_of_a_catch(void)
{
	struct nfct_handle *writer = nfct_open(CONNTRACK, 0);

	jump.h = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
	jump.jump_at = 1;
	CHECK_INT(fcntl(nfct_fd(jump.h), F_SETFL, O_NONBLOCK), 0);
	CHECK_INT(nfct_callback_register2(jump.h, NFCT_T_ALL, jump_out, NULL), 0);
	CHECK_INT(query_flow(writer, NFCT_Q_CREATE, new_flow(20000)), 0);
	if (setjmp(jump.back) == 0) {
		nfct_catch(jump.h);
		CHECK(!"the callback jumped");
	}
	CHECK_INT(query_flow(writer, NFCT_Q_CREATE, new_flow(20001)), 0);
	CHECK_ERR(nfct_catch(jump.h), -1, EAGAIN);
	CHECK_INT(jump.calls, 2);
	CHECK_INT(query_flow(jump.h, NFCT_Q_GET, flow(1)), 0);
	CHECK_INT(jump.calls, 3);
	CHECK_INT(nfct_close(jump.h), 0);
	CHECK_INT(nfct_close(writer), 0);
}

static volatile sig_atomic_t done;

static void be_done(int number)
{
	(void)number;
	done = 1;
}

/* Another process that creates, changes and deletes flows 10000 to 10999 until it is told to end. */
static pid_t churn(void)
{
	pid_t child;

	fflush(stdout);
	child = fork_or_exit();
	if (child == 0) {
		struct nfct_handle *h = nfct_open(CONNTRACK, 0);

		signal(SIGTERM, be_done);
		for (unsigned int n = 0; !done; n = (n + 1) % 1000) {
			if (n == 0)
				create_many(h, 10000, 1000);
			query_flow(h, NFCT_Q_UPDATE, marked(flow(10000 + n), n));
			query_flow(h, NFCT_Q_DESTROY, flow(10000 + n));
		}
		_exit(nfct_close(h) != 0);
	}
	return child;
}

struct census {
	uint8_t met[FLOWS]; /* how often each of the flows that stay was seen */
	int calls;
};

static int take_census(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct census *census = data;
	uint32_t n = ntohl(nfct_get_attr_u32(ct, ATTR_IPV4_SRC)) - 0x0a000000;

	(void)type;
	census->calls++;
	n = (n >> 8) * 250 + (n & 255) - 1; /* as flow() counts */
	if (n < FLOWS)
		census->met[n]++;
	return NFCT_CB_CONTINUE;
}

/* Outcome: a dump of a table that changes all the time ends with 0 and has every flow that was there
 * before and after it. (Twice, maybe: where the flow it stands at goes, the kernel begins that part
 * of its table again.) */
static void test_dump_under_change(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct census census;
	pid_t child = churn();
	int status = -1, changing = 0;

	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, take_census, &census), 0);
	for (int round = 0; round < 100; round++) {
		int missing = 0;

		memset(&census, 0, sizeof(census));
		CHECK_INT(dump(h), 0);
		for (int n = 0; n < FLOWS; n++)
			missing += census.met[n] == 0;
		CHECK_INT(missing, 0);
		changing += census.calls > FLOWS;
	}
	CHECK(changing > 0); /* or it was no test */
	CHECK_INT(kill(child, SIGTERM), 0);
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK_INT(status, 0);
	CHECK_INT(nfct_close(h), 0);
}

int main(void)
{
	struct nfct_handle *h;

	own_namespace();
	h = nfct_open(CONNTRACK, 0);
	create_many(h, 0, FLOWS);
	CHECK_INT(table_size(), FLOWS);
	CHECK_INT(nfct_close(h), 0);
	test_fork_and_leave();
	test_fork_and_go_on();
	test_nine_deep();
#ifndef REFERENCE
	test_read_by_hand();
	test_close_nine_deep();
	test_dump_within_dump();
#endif
	in_child(jump_out_of_a_dump);
	in_child(jump_out_of_a_catch);
	test_dump_under_change();
	return finish();
}
