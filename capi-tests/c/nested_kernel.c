/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Queries from inside the callbacks of other queries, on the same handle. Outcome: each gets its own
 * answer, the outer one goes on where it was and is whole; neither the stack nor memory grows with
 * the table, wherever the thread is by then and whether or not a descriptor is left. */
#include "kernel.h"
#include "many.h"
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <pthread.h>
#include <sys/resource.h>

#define LEVEL_SIZE (64 * 1024) /* the most of the stack that a query inside another takes */

/* What happens at each entry of the outer dump. */
struct clean {
	struct nfct_handle *h;
	unsigned int calls, deleted, absent, failed;
	int error;		    /* errno of what failed last */
	uintptr_t lowest, highest;  /* where the stack was */
	struct nf_conntrack *other; /* a flow that is not there */
	int answer;		    /* once something failed */
	int result;
};

static void note_stack(struct clean *clean)
{
	uintptr_t here = (uintptr_t)&here;

	if (clean->lowest == 0 || here < clean->lowest)
		clean->lowest = here;
	if (here > clean->highest)
		clean->highest = here;
}

/* Deletes the flow, and asks for one that is not there. */
static int delete_it(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct clean *clean = data;

	(void)type;
	clean->calls++;
	note_stack(clean);
	if (nfct_query(clean->h, NFCT_Q_DESTROY, ct) == 0) {
		clean->deleted++;
	} else {
		clean->failed++;
		clean->error = errno;
		return clean->answer;
	}
	if (clean->other != NULL && nfct_query(clean->h, NFCT_Q_GET, clean->other) == -1 &&
	    errno == ENOENT)
		clean->absent++;
	return NFCT_CB_CONTINUE;
}

static void *dump_in_thread(void *data)
{
	struct clean *clean = data;

	clean->result = dump(clean->h);
	return NULL;
}

static long peak_kilobytes(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* As many flows as the machine allows, deleted in a thread with little stack. */
static void test_large_table(void)
{
	long room = read_number("/proc/sys/net/netfilter/nf_conntrack_max");
	unsigned int wanted = sized(200000), number = room < (long)wanted ? (unsigned int)room : wanted;
	struct clean clean = { .h = nfct_open(CONNTRACK, 0), .answer = NFCT_CB_STOP };
	pthread_attr_t attributes;
	pthread_t thread;
	long before;

	if (getenv("NESTED_FLOWS") != NULL)
		number = (unsigned int)atoi(getenv("NESTED_FLOWS"));
	create_many(clean.h, 0, number);
	CHECK_INT(table_size(), number);
	CHECK_INT(nfct_callback_register(clean.h, NFCT_T_ALL, delete_it, &clean), 0);
	clean.other = flow(number + 1);
	before = peak_kilobytes();
	CHECK_INT(pthread_attr_init(&attributes), 0);
	CHECK_INT(pthread_attr_setstacksize(&attributes, 256 * 1024), 0);
	CHECK_INT(pthread_create(&thread, &attributes, dump_in_thread, &clean), 0);
	CHECK_INT(pthread_join(thread, NULL), 0);
	CHECK_INT(clean.result, 0);
	CHECK_INT(clean.calls, number);
	CHECK_INT(clean.deleted, number);
	CHECK_INT(clean.absent, number);
	CHECK_INT(clean.failed, 0);
	CHECK_INT(clean.highest - clean.lowest, 0);
	CHECK_INT(table_size(), 0);
	if (!under_valgrind())
		CHECK(peak_kilobytes() - before < 1024);
	nfct_destroy(clean.other);
	CHECK_INT(nfct_close(clean.h), 0);
}

/* Each level asks on its own, `depth` deep, and the innermost gives its verdict. */
struct tower {
	struct nfct_handle *h;
	int depth, top, answer_at, answer;
	int results[8];
	uintptr_t stack[8];
};

static int go_deeper(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct tower *tower = data;
	int depth = tower->depth;

	(void)type;
	tower->stack[depth] = (uintptr_t)&depth;
	if (depth < tower->top) {
		tower->depth++;
		tower->results[depth] = nfct_query(tower->h, NFCT_Q_GET, ct);
		tower->depth = depth;
	}
	return depth == tower->answer_at ? tower->answer : NFCT_CB_CONTINUE;
}

static void test_verdicts(void)
{
	static const int answers[] = { NFCT_CB_STOP, NFCT_CB_FAILURE, -5, NFCT_CB_CONTINUE };
	struct tower tower = { .h = nfct_open(CONNTRACK, 0), .top = 4 };
	struct seen seen;

	create_flows(tower.h, 0, 3);
	CHECK_INT(nfct_callback_register(tower.h, NFCT_T_ALL, go_deeper, &tower), 0);
	for (size_t i = 0; i < COUNT(answers); i++) {
		for (int level = 0; level <= tower.top; level++) {
			about("answer %d at level %d", answers[i], level);
			tower.answer_at = level;
			tower.answer = answers[i];
			memset(tower.results, 99, sizeof(tower.results));
			CHECK_INT(dump(tower.h), level == 0 && answers[i] <= 0 ? answers[i] : 0);
			for (int inner = 0; inner < tower.top; inner++)
				CHECK_INT(tower.results[inner],
					  inner + 1 == level && answers[i] <= 0 ? answers[i] : 0);
		}
	}
	about("");
	for (int level = 0; level < tower.top; level++)
		CHECK(tower.stack[level] - tower.stack[level + 1] < LEVEL_SIZE);
	nfct_callback_unregister(tower.h);
	memset(&seen, 0, sizeof(seen));
	seen.answer = NFCT_CB_CONTINUE;
	CHECK_INT(nfct_callback_register(tower.h, NFCT_T_ALL, callback, &seen), 0);
	CHECK_INT(dump(tower.h), 0);
	CHECK_INT(seen.calls, 3);
	CHECK_INT(flush(tower.h), 0);
	CHECK_INT(nfct_close(tower.h), 0);
}

/* A get of a flow that is not there fails, also in a callback that then stops. */
static void test_absent_and_stop(void)
{
	struct clean clean = { .h = nfct_open(CONNTRACK, 0), .answer = NFCT_CB_STOP };
	struct nfct_handle *other = nfct_open(CONNTRACK, 0);

	create_flows(clean.h, 0, 1);
	CHECK_INT(nfct_callback_register(clean.h, NFCT_T_ALL, delete_it, &clean), 0);
	clean.other = NULL;
	CHECK_INT(dump(clean.h), 0);
	CHECK_INT(clean.deleted, 1);
	/* An event's flow, which is gone. */
	create_flows(clean.h, 0, 1);
	CHECK_INT(nfct_send(clean.h, NFCT_Q_DUMP, &(uint32_t){ AF_INET }), 20);
	CHECK_INT(flush(other), 0);
	CHECK_INT(nfct_catch(clean.h), 0);
	CHECK_INT(clean.failed, 1);
	CHECK_INT(clean.error, ENOENT);
	CHECK_INT(nfct_close(other), 0);
	CHECK_INT(nfct_close(clean.h), 0);
}

/* The handle's namespace is asked, whatever the thread has joined since. */
static void test_other_namespace(void)
{
	struct clean clean = { .h = nfct_open(CONNTRACK, 0), .answer = NFCT_CB_STOP };
	struct nfct_handle *there;
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	create_flows(clean.h, 0, 500);
	CHECK_INT(unshare(CLONE_NEWNET), 0);
	there = nfct_open(CONNTRACK, 0);
	create_flows(there, 0, 500);
	CHECK_INT(nfct_callback_register(clean.h, NFCT_T_ALL, delete_it, &clean), 0);
	CHECK_INT(dump(clean.h), 0);
	CHECK_INT(clean.deleted, 500);
	CHECK_INT(flows_with(""), 500); /* here */
	CHECK_INT(flush(there), 0);
	CHECK_INT(nfct_close(there), 0);
	CHECK_INT(setns(home, CLONE_NEWNET), 0);
	CHECK_INT(flows_with(""), 0);
	close(home);
	CHECK_INT(nfct_close(clean.h), 0);
}

/* Without a descriptor the inner queries fail and say so; the outer one goes on. */
static void test_no_descriptor(void)
{
	struct clean clean = { .h = nfct_open(CONNTRACK, 0), .answer = NFCT_CB_CONTINUE };
	struct rlimit none, before;

	create_flows(clean.h, 0, 500);
	CHECK_INT(nfct_callback_register(clean.h, NFCT_T_ALL, delete_it, &clean), 0);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
	CHECK_INT(dump(clean.h), 0);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
	CHECK_INT(clean.calls, 500);
	CHECK_INT(clean.failed, 500);
	CHECK_INT(clean.error, EMFILE);
	clean.failed = 0;
	CHECK_INT(dump(clean.h), 0);
	CHECK_INT(clean.deleted, 500);
	CHECK_INT(clean.failed, 0);
	CHECK_INT(nfct_close(clean.h), 0);
}

/* A handle on a netlink handle does the same; no descriptor is left over. */
static void test_on_netlink_handle(void)
{
	int before = descriptors();
	static struct nfct_handle *bare; /* for valgrind: known to the end */
	struct clean clean = { .answer = NFCT_CB_STOP };

	bare = nfct_open(99, 0);
	CHECK(bare != NULL);
	clean.h = nfct_open_nfnl((struct nfnl_handle *)(uintptr_t)nfct_nfnlh(bare), CONNTRACK, 0);
	CHECK(clean.h != NULL);
	create_flows(clean.h, 0, 300);
	CHECK_INT(nfct_callback_register(clean.h, NFCT_T_ALL, delete_it, &clean), 0);
	CHECK_INT(dump(clean.h), 0);
	CHECK_INT(clean.deleted, 300);
	CHECK_INT(descriptors(), before + 1);
	/* Two handles share the descriptor and the block: the second is not closed here, but ends with
	 * the process. */
}

/* Expectations from inside a dump of flows, and flows from inside a dump of expectations. */
struct both {
	struct nfct_handle *h;
	int flows, expectations, asked, failed;
};

static int in_flow(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct both *both = data;
	uint32_t family = AF_INET;

	(void)type;
	(void)ct;
	both->flows++;
	if (both->asked++ == 0 && nfexp_query(both->h, NFCT_Q_DUMP, &family) != 0)
		both->failed++;
	return NFCT_CB_CONTINUE;
}

static int in_expectation(enum nf_conntrack_msg_type type, struct nf_expect *exp, void *data)
{
	struct both *both = data;

	(void)type;
	(void)exp;
	both->expectations++;
	if (both->asked++ == 0 && dump(both->h) != 0)
		both->failed++;
	return NFCT_CB_CONTINUE;
}

static void test_both_subsystems(void)
{
	struct nf_conntrack *master = new_flow(0);
	struct both both = { .h = nfct_open(0, 0) };
	struct nf_expect *exp = expectation(master);
	uint32_t family = AF_INET;

	nfct_set_attr(master, ATTR_HELPER_NAME, "ftp");
	CHECK_INT(nfct_query(both.h, NFCT_Q_CREATE, master), 0);
	CHECK_INT(nfexp_query(both.h, NFCT_Q_CREATE, exp), 0);
	create_flows(both.h, 1, 400);
	CHECK_INT(nfct_callback_register(both.h, NFCT_T_ALL, in_flow, &both), 0);
	CHECK_INT(nfexp_callback_register(both.h, NFCT_T_ALL, in_expectation, &both), 0);
	CHECK_INT(dump(both.h), 0);
	CHECK_INT(both.flows, 401);
	CHECK_INT(both.expectations, 1);
	both.flows = both.expectations = both.asked = 0;
	CHECK_INT(nfexp_query(both.h, NFCT_Q_DUMP, &family), 0);
	CHECK_INT(both.flows, 401);
	CHECK_INT(both.expectations, 1);
	CHECK_INT(both.failed, 0);
	nfexp_destroy(exp);
	nfct_destroy(master);
	CHECK_INT(flush(both.h), 0);
	CHECK_INT(nfct_close(both.h), 0);
}

/* A dump inside a dump, each entry of which is asked for again. */
struct dumps {
	struct nfct_handle *h;
	int depth, calls[3], failed;
};

static int dump_again(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct dumps *dumps = data;
	int depth = dumps->depth;

	(void)type;
	dumps->calls[depth]++;
	if (depth == 2)
		return NFCT_CB_CONTINUE;
	dumps->depth = depth == 0 && dumps->calls[0] == 1 ? 1 : 2;
	if (dumps->depth == 1 ? dump(dumps->h) != 0 : nfct_query(dumps->h, NFCT_Q_GET, ct) != 0)
		dumps->failed++;
	dumps->depth = depth;
	return NFCT_CB_CONTINUE;
}

static void test_dump_in_dump(void)
{
	struct dumps dumps = { .h = nfct_open(CONNTRACK, 0) };

	create_flows(dumps.h, 0, 500);
	CHECK_INT(nfct_callback_register(dumps.h, NFCT_T_ALL, dump_again, &dumps), 0);
	CHECK_INT(dump(dumps.h), 0);
	CHECK_INT(dumps.calls[0], 500);
	CHECK_INT(dumps.calls[1], 500);
	CHECK_INT(dumps.calls[2], 999);
	CHECK_INT(dumps.failed, 0);
	CHECK_INT(flush(dumps.h), 0);
	CHECK_INT(nfct_close(dumps.h), 0);
}

int main(void)
{
	own_namespace();
	test_large_table();
	test_verdicts();
	test_absent_and_stop();
	test_no_descriptor();
	in_child(test_on_netlink_handle);
	test_both_subsystems();
	test_dump_in_dump();
	in_child(test_other_namespace);
	return finish();
}
