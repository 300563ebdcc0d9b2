/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The receive loop on a real kernel: non-blocking handles, queries that were stopped, queries from
 * inside callbacks, signals. */
#include "kernel.h"
#include <signal.h>
#include <sys/time.h>

static void set_nonblocking(struct nfct_handle *h)
{
	CHECK_INT(fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK), 0);
}

static void test_nonblocking(void)
{
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);

	set_nonblocking(h);
	CHECK_ERR(nfct_catch(h), -1, EAGAIN);
	CHECK_ERR(nfexp_catch(h), -1, EAGAIN);
	create_flows(h, 0, 20);
	CHECK_INT(dump(h), 0);
	CHECK_INT(seen.calls, 20);
	CHECK_ERR(query_flow(h, NFCT_Q_GET, flow(100)), -1, ENOENT);
	CHECK_ERR(nfct_catch(h), -1, EAGAIN);
	CHECK_INT(flush(h), 0);
	CHECK_INT(nfct_close(h), 0);
}

static void test_send_and_catch(void)
{
	uint32_t family = AF_UNSPEC;
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);
	struct nf_conntrack *ct = flow(3);

	create_flows(h, 0, 200);
	CHECK_INT(nfct_send(h, NFCT_Q_DUMP, &family), 20); /* how much was sent */
	CHECK_INT(nfct_catch(h), 0);
	CHECK_INT(seen.calls, 200);
	CHECK_INT(nfct_send(h, NFCT_Q_GET, ct), 72);
	CHECK_INT(nfct_catch(h), 0);
	CHECK_INT(seen.calls, 201);
	nfct_destroy(ct);
	ct = flow(1000);
	CHECK_INT(nfct_send(h, NFCT_Q_GET, ct), 72);
	CHECK_ERR(nfct_catch(h), -1, ENOENT);
	/* Two requests, two answers. */
	CHECK_INT(nfct_send(h, NFCT_Q_GET, ct), 72);
	CHECK_INT(nfct_send(h, NFCT_Q_FLUSH, &family), 20);
	CHECK_ERR(nfct_catch(h), -1, ENOENT);
	CHECK_INT(nfct_catch(h), 0);
	CHECK_INT(flows_with(""), 0);
	nfct_destroy(ct);
	CHECK_INT(nfct_close(h), 0);
}

#ifndef REFERENCE /* the next query gets the stopped one's answer there, or EBUSY */
/* The handle is as good as new: every kind of query gets its own answer. */
static void check_in_step(struct nfct_handle *h, struct seen *seen, int flows)
{
	seen->answer = NFCT_CB_CONTINUE;
	seen->stop_after = 0;
	CHECK_ERR(query_flow(h, NFCT_Q_GET, flow(90000)), -1, ENOENT);
	CHECK_ERR(query_flow(h, NFCT_Q_CREATE, new_flow(0)), -1, EEXIST);
	seen->calls = 0;
	CHECK_INT(dump(h), 0);
	CHECK_INT(seen->calls, flows);
	seen->calls = 0;
	CHECK_INT(query_flow(h, NFCT_Q_GET, flow(1)), 0);
	CHECK_INT(seen->calls, 1);
	CHECK_INT(seen->last_src, htonl(0x0a000002));
}

static void test_stopped(void)
{
	static const int answers[] = { NFCT_CB_STOP, NFCT_CB_FAILURE, -5 };
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);

	create_flows(h, 0, 1000);
	for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
		for (size_t i = 0; i < COUNT(answers); i++) {
			about("answer %d, nonblocking %d", answers[i], nonblocking);
			seen.answer = answers[i];
			CHECK_INT(query_flow(h, NFCT_Q_GET, flow(0)), answers[i]);
			check_in_step(h, &seen, 1000);
			seen.answer = answers[i];
			seen.calls = 0;
			CHECK_INT(dump(h), answers[i]);
			CHECK_INT(seen.calls, 1);
			check_in_step(h, &seen, 1000);
			seen.answer = answers[i];
			seen.calls = 0;
			seen.stop_after = 700; /* in the middle */
			CHECK_INT(dump(h), answers[i]);
			CHECK_INT(seen.calls, 700);
			CHECK_INT(dump(h), answers[i]); /* at once another */
			check_in_step(h, &seen, 1000);
		}
		set_nonblocking(h);
	}
	about("");
	seen.answer = NFCT_CB_STOP;
	CHECK_INT(dump(h), 0);
	CHECK_INT(nfct_close(h), 0);
}

/* A STOP that an event of the query's own doing caused. */
static void test_stopped_by_event(void)
{
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, NFCT_ALL_CT_GROUPS);

	seen.answer = NFCT_CB_STOP;
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, new_flow(5000)), 0);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(seen.types, NFCT_T_NEW);
	CHECK_ERR(query_flow(h, NFCT_Q_CREATE, new_flow(5000)), -1, EEXIST);
	CHECK_ERR(query_flow(h, NFCT_Q_GET, flow(90000)), -1, ENOENT);
	CHECK_INT(nfct_close(h), 0);
}
#endif

struct nesting {
	struct nfct_handle *h; /* the one the outer dump runs on */
	struct nfct_handle *inner;
	int calls, depth, deepest;
};

static int delete_each(const struct nlmsghdr *nlh, enum nf_conntrack_msg_type type,
		       struct nf_conntrack *ct, void *data)
{
	struct nesting *nesting = data;
	struct nf_conntrack *request = nfct_new(), *before = nfct_clone(ct);
	struct nlmsghdr header = *nlh;

	(void)type;
	nesting->calls++;
	if (++nesting->depth > nesting->deepest)
		nesting->deepest = nesting->depth;
	nfct_copy(request, ct, NFCT_CP_ORIG);
	CHECK_INT(query_flow(nesting->inner, NFCT_Q_DESTROY, request), 0);
	/* What this callback was given is as it was. */
	CHECK_INT(nfct_cmp(ct, before, NFCT_CMP_ALL | NFCT_CMP_STRICT), 1);
	CHECK_MEM(nlh, &header, sizeof(header));
	nfct_destroy(before);
	nesting->depth--;
	return NFCT_CB_CONTINUE;
}

static void delete_300(struct nfct_handle *h, struct nfct_handle *inner)
{
	struct nesting nesting = { h, inner, 0, 0, 0 };

	create_flows(h, 0, 300);
	CHECK_INT(flows_with(""), 300);
	CHECK_INT(nfct_callback_register2(h, NFCT_T_ALL, delete_each, &nesting), 0);
	CHECK_INT(dump(h), 0);
	CHECK_INT(nesting.calls, 300);
	CHECK_INT(flows_with(""), 0);
	nfct_callback_unregister2(h);
}

static void test_nested(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0), *other = nfct_open(CONNTRACK, 0);

	delete_300(h, other);
	delete_300(h, h);
	CHECK_ERR(query_flow(h, NFCT_Q_GET, flow(0)), -1, ENOENT);
	set_nonblocking(h);
	delete_300(h, h);
	CHECK_INT(nfct_close(other), 0);
	CHECK_INT(nfct_close(h), 0);
}

#ifndef REFERENCE
static int get_within(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct nesting *nesting = data;

	(void)type;
	(void)ct;
	nesting->calls++;
	if (nesting->depth++ == 0) {
		CHECK_ERR(query_flow(nesting->h, NFCT_Q_GET, flow(90000)), -1, ENOENT);
		CHECK_ERR(query_flow(nesting->h, NFCT_Q_CREATE, new_flow(0)), -1, EEXIST);
	}
	nesting->depth--;
	return NFCT_CB_CONTINUE;
}

/* The answer of an inner query is its own, whatever of the outer one is still under way. */
static void test_nested_answers(void)
{
	struct nesting nesting = { nfct_open(CONNTRACK, 0), NULL, 0, 0, 0 };

	create_flows(nesting.h, 0, 50);
	CHECK_INT(nfct_callback_register(nesting.h, NFCT_T_ALL, get_within, &nesting), 0);
	CHECK_INT(dump(nesting.h), 0);
	CHECK_INT(nesting.calls, 50);
	nfct_callback_unregister(nesting.h);
	CHECK_INT(flush(nesting.h), 0);
	CHECK_INT(nfct_close(nesting.h), 0);
}
#endif

#ifndef REFERENCE /* frees twice, uses what was freed */
static int destroy_it(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct seen *seen = data;

	(void)type;
	seen->calls++;
	nfct_destroy(ct);
	return seen->answer;
}

/* Whatever a callback that destroyed its object answers, the object is freed once. */
static void test_destroyed_within(void)
{
	static const int answers[] = { NFCT_CB_CONTINUE, NFCT_CB_STOLEN, NFCT_CB_STOP };
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);

	CHECK_INT(flush(h), 0);
	create_flows(h, 0, 20);
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct seen seen = { .answer = answers[i] };

		about("answer %d", answers[i]);
		CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, destroy_it, &seen), 0);
		CHECK_INT(dump(h), 0);
		CHECK_INT(seen.calls, answers[i] == NFCT_CB_STOP ? 1 : 20);
	}
	about("");
	CHECK_INT(flush(h), 0);
	CHECK_INT(nfct_close(h), 0);
}

static int close_it(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct nesting *nesting = data;

	(void)type;
	nesting->calls++;
	CHECK_INT(nfct_close(nesting->h), 0);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_L4PROTO), IPPROTO_TCP); /* still ours for now */
	return nesting->depth;
}

/* A callback that closes its own handle ends the call. */
static void test_closed_within(void)
{
	static const int rows[][2] = { { NFCT_CB_STOP, 0 }, { -5, -5 }, { NFCT_CB_CONTINUE, -1 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct nesting nesting = { nfct_open(CONNTRACK, 0), NULL, 0, rows[i][0], 0 };

		about("answer %d", rows[i][0]);
		query_flow(nesting.h, NFCT_Q_CREATE, new_flow(0));
		CHECK_INT(nfct_callback_register(nesting.h, NFCT_T_ALL, close_it, &nesting), 0);
		CHECK_INT(dump(nesting.h), rows[i][1]);
		CHECK_INT(nesting.calls, 1);
	}
	about("");
}
#endif

static volatile sig_atomic_t ticks;

static void tick(int number)
{
	(void)number;
	ticks++;
}

/* A signal, even without SA_RESTART, does not end a catch. */
static void test_signals(void)
{
	struct sigaction action = { .sa_handler = tick };
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, NFCT_ALL_CT_GROUPS);
	pid_t child;

	seen.answer = NFCT_CB_STOP;
	fflush(stdout);
	child = fork();
	if (child == 0) {
		struct nfct_handle *writer = nfct_open(CONNTRACK, 0);

		usleep(300000);
		query_flow(writer, NFCT_Q_CREATE, new_flow(6000));
		_exit(0);
	}
	CHECK_INT(sigaction(SIGALRM, &action, NULL), 0);
	CHECK_INT(setitimer(ITIMER_REAL, &often, NULL), 0);
#ifdef REFERENCE
	CHECK_INT(nfct_catch(h), 0);
#else
	CHECK_ERR(nfct_catch(h), 0, UNTOUCHED);
#endif
	CHECK_INT(setitimer(ITIMER_REAL, &never, NULL), 0);
	CHECK(ticks >= 3);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(waitpid(child, NULL, 0), child);
	CHECK_INT(nfct_close(h), 0);
}

int main(void)
{
	own_namespace();
	test_nonblocking();
	test_send_and_catch();
	test_nested();
#ifndef REFERENCE
	test_nested_answers();
	test_stopped();
	test_stopped_by_event();
	test_destroyed_within();
	test_closed_within();
#endif
	test_signals();
	return finish();
}
