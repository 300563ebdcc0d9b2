/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Threads that are cancelled in this library, and jumps out of it. Outcome: the thread ends where the
 * C library ends threads, its cleanup handlers run, the handle goes on in another thread, and once it
 * is closed nothing is left, neither memory (run.sh runs this under memcheck) nor address space nor a
 * descriptor. */
#include "kernel.h"
#include "many.h"
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#ifndef REFERENCE
#include <ctrs.h>
#endif
#include <linux/filter.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/stat.h>

static int go_on(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)type;
	(void)ct;
	if (data != NULL)
		++*(int *)data;
	return NFCT_CB_CONTINUE;
}

static int go_on_exp(enum nf_conntrack_msg_type type, struct nf_expect *exp, void *data)
{
	(void)type;
	(void)exp;
	(void)data;
	return NFCT_CB_CONTINUE;
}

/* What a thread calls until it is cancelled. */
struct victim {
	void (*call)(struct victim *);
	struct nfct_handle *h;
	const char *path;
	bool closes; /* its cleanup handler closes the handle */
	bool pending; /* it is cancelled before the call */
	int cleaned, entered;
	volatile int *waits; /* set once it waits, if it says so */
};

static void clean_up(void *data)
{
	struct victim *victim = data;

	victim->cleaned++;
	if (victim->closes)
		nfct_close(victim->h);
}

static void *suffer(void *data)
{
	struct victim *victim = data;
	int state;

	pthread_cleanup_push(clean_up, victim);
	if (victim->pending) {
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
		pthread_cancel(pthread_self());
		pthread_setcancelstate(state, NULL);
	}
	victim->call(victim);
	pthread_cleanup_pop(0);
	return NULL;
}

/* Runs the victim in a thread that is cancelled; whether it ended for that. */
static bool cancelled(struct victim *victim)
{
	void *result = NULL;
	pthread_t thread;

	victim->cleaned = victim->entered = 0;
	CHECK_INT(pthread_create(&thread, NULL, suffer, victim), 0);
	if (!victim->pending) {
		for (int i = 0; victim->waits != NULL && !*victim->waits && i < 1000; i++)
			usleep(5000);
		usleep(20000);
		CHECK_INT(pthread_cancel(thread), 0);
	}
	CHECK_INT(pthread_join(thread, &result), 0);
	return result == PTHREAD_CANCELED;
}

static uint32_t family = AF_INET;

static void call_query(struct victim *victim) { nfct_query(victim->h, NFCT_Q_DUMP, &family); }
static void call_send(struct victim *victim) { nfct_send(victim->h, NFCT_Q_DUMP, &family); }
static void call_catch(struct victim *victim) { nfct_catch(victim->h); }
static void call_exp_query(struct victim *victim) { nfexp_query(victim->h, NFCT_Q_DUMP, &family); }
static void call_exp_send(struct victim *victim) { nfexp_send(victim->h, NFCT_Q_DUMP, &family); }
static void call_exp_catch(struct victim *victim) { nfexp_catch(victim->h); }
static void call_close(struct victim *victim) { nfct_close(victim->h); }
static void call_open(struct victim *victim) { nfct_close(victim->h = nfct_open(CONNTRACK, 0)); }
static void call_labels(struct victim *victim)
{
	struct nfct_labelmap *map = nfct_labelmap_new(victim->path);

	if (map != NULL)
		nfct_labelmap_destroy(map);
}

/* From now on the socket lets nothing in: every answer is waited for. */
static void be_deaf(struct nfct_handle *h)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { 1, &nothing };

	CHECK_INT(setsockopt(nfct_fd(h), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
}

static void hear_again(struct nfct_handle *h)
{
	CHECK_INT(setsockopt(nfct_fd(h), SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int)), 0);
}

static struct nfct_handle *open_both(void)
{
	struct nfct_handle *h = nfct_open(0, 0);

	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, go_on, NULL), 0);
	CHECK_INT(nfexp_callback_register(h, NFCT_T_ALL, go_on_exp, NULL), 0);
	return h;
}

/* In every function that waits, while it waits and before it is called. */
static void test_functions(void)
{
	static const struct {
		const char *name;
		void (*call)(struct victim *);
		bool waits;
	} rows[] = {
		{ "nfct_query", call_query, true },	{ "nfct_catch", call_catch, true },
		{ "nfexp_query", call_exp_query, true }, { "nfexp_catch", call_exp_catch, true },
		{ "nfct_send", call_send, false },	{ "nfexp_send", call_exp_send, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int pending = !rows[i].waits; pending < 2; pending++) {
			struct victim victim = { .call = rows[i].call, .h = open_both(),
						 .pending = pending };

			about("%s, pending %d", rows[i].name, pending);
			be_deaf(victim.h);
			for (int round = 0; round < 5; round++) {
				CHECK(cancelled(&victim));
				CHECK_INT(victim.cleaned, 1);
			}
			hear_again(victim.h);
			CHECK_ERR(query_flow(victim.h, NFCT_Q_GET, flow(70000)), -1, ENOENT);
			CHECK_INT(query_flow(victim.h, NFCT_Q_CREATE, new_flow(1)), 0);
			CHECK_INT(query_flow(victim.h, NFCT_Q_DESTROY, flow(1)), 0);
			CHECK_INT(nfct_close(victim.h), 0);
			/* The cleanup handler closes the handle: a habit of many programs. */
			victim.h = open_both();
			victim.closes = true;
			be_deaf(victim.h);
			CHECK(cancelled(&victim));
			CHECK_INT(victim.cleaned, 1);
		}
	}
	about("");
}

#ifndef REFERENCE
static void call_ctrs_open(struct victim *victim) { victim->h = ctrs_open(NULL, NULL); }
static void call_receive_buffer(struct victim *victim) { ctrs_receive_buffer(victim->h); }

/* A handle of ctrs_open(), where a wait has more than one end; and functions of ctrs.h. */
static void test_extensions(void)
{
	for (int pending = 0; pending < 2; pending++) {
		struct victim victim = { .call = call_catch, .h = ctrs_open(NULL, NULL),
					 .pending = pending };

		about("ctrs_open(), pending %d", pending);
		for (int round = 0; round < 5; round++) {
			CHECK(cancelled(&victim));
			CHECK_INT(victim.cleaned, 1);
		}
		CHECK_ERR(query_flow(victim.h, NFCT_Q_GET, flow(70000)), -1, ENOENT);
		victim.closes = true;
		CHECK(cancelled(&victim));
	}
	for (int opens = 0; opens < 2; opens++) {
		struct nfct_handle *h = nfct_open(CONNTRACK, 0);
		struct victim victim = { .call = opens ? call_ctrs_open : call_receive_buffer,
					 .h = h, .pending = true };

		about("ctrs_ function %d", opens);
		CHECK(cancelled(&victim));
		CHECK_INT(victim.cleaned, 1);
		CHECK(ctrs_receive_buffer(h) > 0);
		CHECK(victim.h == h);
		CHECK_INT(nfct_close(h), 0);
	}
	about("");
}
#endif

/* Closing is where a thread ends that was cancelled before; opening is not. */
static void test_open_and_close(void)
{
	struct victim victim = { .call = call_close, .h = open_both(), .pending = true };

	CHECK(cancelled(&victim));
	CHECK_INT(nfct_close(victim.h), 0);
	victim.call = call_open;
	CHECK(cancelled(&victim)); /* by the nfct_close() in it */
	CHECK_INT(nfct_close(victim.h), 0);
}

/* A label file may be a pipe, whose other end nobody opens or writes to. */
static void test_labels(void)
{
	char path[] = "/tmp/labels-XXXXXX";
	int fd = mkstemp(path), writer;
	struct victim victim = { .call = call_labels, .path = path };

	CHECK(fd != -1);
	close(fd);
	unlink(path);
	CHECK_INT(mkfifo(path, 0600), 0);
	CHECK(cancelled(&victim));
	CHECK_INT(victim.cleaned, 1);
	writer = open(path, O_RDWR | O_CLOEXEC);
	CHECK_INT(write(writer, "1 a", 3), 3);
	CHECK(cancelled(&victim));
	CHECK_INT(victim.cleaned, 1);
	victim.pending = true;
	CHECK(cancelled(&victim));
	victim.path = "/nonexistent";
	CHECK(cancelled(&victim));
	close(writer);
	unlink(path);
}

/* Cancelled inside a callback, and inside a query that the callback makes. */
static int wait_within(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct victim *victim = data;

	(void)type;
	victim->entered++;
	if (victim->entered < 3)
		return NFCT_CB_CONTINUE;
	if (victim->entered == 3 && victim->path == NULL)
		nfct_query(victim->h, NFCT_Q_GET, ct); /* on to the next level */
	*victim->waits = 1;
	for (;;)
		pause();
}

static void test_in_callback(void)
{
	for (int nested = 0; nested < 2; nested++) {
		struct victim victim = { .call = call_query, .h = nfct_open(CONNTRACK, 0),
					 .path = nested ? NULL : "" };
		volatile int waits = 0;
		int calls = 0;

		victim.waits = &waits;
		about("nested %d", nested);
		create_flows(victim.h, 0, 300);
		CHECK_INT(nfct_callback_register(victim.h, NFCT_T_ALL, wait_within, &victim), 0);
		for (int round = 0; round < 20; round++) {
			waits = 0;
			CHECK(cancelled(&victim));
			CHECK_INT(victim.entered, 3 + nested);
			CHECK_INT(victim.cleaned, 1);
		}
		CHECK_INT(nfct_callback_register(victim.h, NFCT_T_ALL, go_on, &calls), 0);
		CHECK_INT(dump(victim.h), 0);
		CHECK_INT(calls, 300);
		CHECK_INT(flush(victim.h), 0);
		CHECK_INT(nfct_close(victim.h), 0);
	}
	about("");
}

static sigjmp_buf back;

static void jump_back(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static void strike_in(int microseconds)
{
	struct itimerval once = { { 0, 0 }, { 0, microseconds } };

	CHECK_INT(setitimer(ITIMER_REAL, &once, NULL), 0);
}

/* Kilobytes of address space. */
static long address_space(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file == NULL || fscanf(file, "%ld", &pages) != 1)
		pages = 0;
	if (file != NULL)
		fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* A signal handler jumps out of a call that waits, many times; on a stack of its own too. */
static void test_jumps_out_of_signals(void)
{
	static char other_stack[64 * 1024];
	stack_t stack = { .ss_sp = other_stack, .ss_size = sizeof(other_stack) };
	struct nfct_handle *volatile h = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
	volatile long before = 0;
	int calls = 0;

	CHECK_INT(sigaltstack(&stack, NULL), 0);
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, go_on, &calls), 0);
	for (volatile int i = 0; i < 400; i++) {
		struct sigaction action = { .sa_handler = jump_back,
					    .sa_flags = i % 2 ? SA_ONSTACK : 0 };

		CHECK_INT(sigaction(SIGALRM, &action, NULL), 0);
		if (i == 10)
			before = address_space();
		if (sigsetjmp(back, 1) == 0) {
			strike_in(1000);
			nfct_catch(h);
			CHECK(!"the handler jumped");
		}
	}
	if (!under_valgrind())
		CHECK(address_space() - before < 4096);
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, new_flow(5)), 0);
	calls = 0;
	CHECK_INT(dump(h), 0);
	CHECK(calls >= 1);
	CHECK_INT(query_flow(h, NFCT_Q_DESTROY, flow(5)), 0);
	if (sigsetjmp(back, 1) == 0) {
		strike_in(1000);
		nfct_catch(h);
		nfct_catch(h);
		nfct_catch(h);
	}
	CHECK_INT(nfct_close(h), 0);
}

/* The handler closes the handle that the interrupted call waits on: it ends with EBADF. */
static struct nfct_handle *to_close;

static void close_it(int number)
{
	(void)number;
	nfct_close(to_close);
}

static void test_close_in_signal(void)
{
	for (int on_stack = 0; on_stack < 2; on_stack++) {
		struct sigaction action = { .sa_handler = close_it,
					    .sa_flags = on_stack ? SA_ONSTACK : 0 };

		to_close = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
		CHECK_INT(nfct_callback_register(to_close, NFCT_T_ALL, go_on, NULL), 0);
		CHECK_INT(sigaction(SIGALRM, &action, NULL), 0);
		strike_in(200000);
		CHECK_ERR(nfct_catch(to_close), -1, EBADF);
	}
}

/* A callback jumps, at any depth, a thousand times, and may have closed its handle before. */
struct jumper {
	struct nfct_handle *h;
	jmp_buf back;
	int depth, jump_at;
	bool closes, destroys;
};

static int jump_at_depth(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct jumper *jumper = data;

	(void)type;
	if (++jumper->depth < jumper->jump_at)
		nfct_query(jumper->h, NFCT_Q_GET, ct);
	if (jumper->destroys)
		nfct_destroy(ct);
	if (jumper->closes)
		nfct_close(jumper->h);
	longjmp(jumper->back, 1);
}

static void test_jumps_out_of_callbacks(void)
{
	static struct jumper jumper;
	struct nfct_handle *volatile writer = nfct_open(CONNTRACK, 0);
	volatile int before = descriptors();
	volatile long space = 0;
	int calls = 0;

	create_flows(writer, 0, 300);
	jumper.h = nfct_open(CONNTRACK, 0);
	CHECK_INT(nfct_callback_register(jumper.h, NFCT_T_ALL, jump_at_depth, &jumper), 0);
	for (volatile int i = 0; i < 1000; i++) {
		if (i == 10)
			space = address_space();
		jumper.depth = 0;
		jumper.jump_at = 1 + i % 3;
		jumper.destroys = i % 5 == 0;
		if (setjmp(jumper.back) == 0) {
			dump(jumper.h);
			CHECK(!"the callback jumped");
		}
		CHECK_INT(jumper.depth, jumper.jump_at);
	}
	if (!under_valgrind())
		CHECK(address_space() - space < 4096);
	CHECK(descriptors() <= before + 3); /* the handle's, two of queries left just now */
	CHECK_INT(nfct_callback_register(jumper.h, NFCT_T_ALL, go_on, &calls), 0);
	CHECK_INT(dump(jumper.h), 0);
	CHECK_INT(calls, 300);
	CHECK_INT(nfct_close(jumper.h), 0);
	CHECK_INT(descriptors(), before);
	for (volatile int i = 0; i < 3; i++) {
		jumper.h = nfct_open(CONNTRACK, 0);
		CHECK_INT(nfct_callback_register(jumper.h, NFCT_T_ALL, jump_at_depth, &jumper), 0);
		jumper.depth = 0;
		jumper.jump_at = 1 + i;
		jumper.closes = true;
		if (setjmp(jumper.back) == 0)
			dump(jumper.h);
	}
	CHECK_INT(flush(writer), 0);
	CHECK_INT(nfct_close(writer), 0); /* sees what the jumps left */
	CHECK_INT(descriptors(), before - 1);
}

int main(void)
{
	own_namespace();
	test_functions();
#ifndef REFERENCE
	test_extensions();
#endif
	test_open_and_close();
	test_labels();
	test_in_callback();
	test_jumps_out_of_signals();
	test_close_in_signal();
	test_jumps_out_of_callbacks();
	return finish();
}
