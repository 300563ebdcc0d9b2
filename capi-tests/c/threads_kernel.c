/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Four threads: a handle each on the same table; one constant object printed, compared and cloned
 * by all; objects made by one and destroyed by another; events read while another thread asks.
 * Outcome: each thread sees what it would see alone. (run.sh runs this under memcheck and with the
 * address sanitizer; helgrind and -fsanitize=thread have nothing to say either.) */
#include "kernel.h"
#include <pthread.h>
#include "many.h"

#define THREADS 4
#define ROUNDS sized(200)

/* The counters of check.h are not for several threads: each counts its own mistakes. */
struct worker {
	pthread_t thread;
	unsigned int number, mistakes;
	const struct nf_conntrack *shared;
	const char *text; /* what `shared` prints */
	struct nf_conntrack **objects;
};

#define EXPECT_THAT(worker, condition) \
	do { \
		if (!(condition)) { \
			(worker)->mistakes++; \
			printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
		} \
	} while (0)

static void in_threads(struct worker workers[THREADS], void *(*work)(void *))
{
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i].number = i;
		workers[i].mistakes = 0;
		CHECK_INT(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		about("thread %u", i);
		CHECK_INT(pthread_join(workers[i].thread, NULL), 0);
		CHECK_INT(workers[i].mistakes, 0);
	}
	about("");
}

struct count {
	unsigned int own, foreign;
	uint32_t mark;
};

static int count_own(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct count *count = data;
	char text[512];

	(void)type;
	nfct_snprintf(text, sizeof(text), ct, NFCT_T_UNKNOWN, NFCT_O_XML, NFCT_OF_SHOW_LAYER3);
	if (nfct_get_attr_u32(ct, ATTR_MARK) == count->mark)
		count->own++;
	else
		count->foreign++;
	return NFCT_CB_CONTINUE;
}

/* Creates flows, dumps, asks for each, deletes them: on a handle of its own. */
static void *use_own_handle(void *argument)
{
	struct worker *me = argument;
	struct count count = { 0, 0, me->number + 1 };
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	unsigned int first = 1000 * me->number, flows = ROUNDS;

	nfct_callback_register(h, NFCT_T_ALL, count_own, &count);
	for (unsigned int n = first; n < first + flows; n++)
		EXPECT_THAT(me, query_flow(h, NFCT_Q_CREATE, marked(new_flow(n), count.mark)) == 0);
	for (int i = 0; i < 10; i++)
		EXPECT_THAT(me, dump(h) == 0);
	EXPECT_THAT(me, count.own == 10 * flows);
	for (unsigned int n = first; n < first + flows; n++) {
		EXPECT_THAT(me, query_flow(h, NFCT_Q_GET, flow(n)) == 0);
		errno = 0;
		EXPECT_THAT(me, query_flow(h, NFCT_Q_GET, flow(n + 90000)) == -1 && errno == ENOENT);
		EXPECT_THAT(me, query_flow(h, NFCT_Q_DESTROY, flow(n)) == 0);
	}
	EXPECT_THAT(me, count.own == 11 * flows);
	EXPECT_THAT(me, nfct_close(h) == 0);
	return NULL;
}

static void *use_shared_object(void *argument)
{
	struct worker *me = argument;
	char text[2048];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct nf_conntrack *clone = nfct_clone(me->shared);

		nfct_snprintf(text, sizeof(text), me->shared, NFCT_T_NEW, NFCT_O_DEFAULT, 0);
		EXPECT_THAT(me, strcmp(text, me->text) == 0);
		nfct_snprintf(text, sizeof(text), me->shared, NFCT_T_NEW, NFCT_O_XML, 0);
		EXPECT_THAT(me, strstr(text, "10.0.0.8") != NULL);
		EXPECT_THAT(me, nfct_cmp(me->shared, clone, NFCT_CMP_ALL | NFCT_CMP_STRICT) == 1);
		EXPECT_THAT(me, nfct_get_attr_u32(me->shared, ATTR_MARK) == 77);
		EXPECT_THAT(me, nfct_bitmask_test_bit(nfct_get_attr(clone, ATTR_CONNLABELS), 3) == 1);
		nfct_destroy(clone);
	}
	return NULL;
}

/* Fills its quarter of the objects with clones. */
static void *make_clones(void *argument)
{
	struct worker *me = argument;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct nf_conntrack *ct = nfct_clone(me->shared);

		nfct_set_attr_u32(ct, ATTR_ID, me->number);
		me->objects[me->number * ROUNDS + i] = ct;
	}
	return NULL;
}

/* Destroys the quarter of the next thread. */
static void *destroy_others(void *argument)
{
	struct worker *me = argument;
	unsigned int theirs = (me->number + 1) % THREADS;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct nf_conntrack *ct = me->objects[theirs * ROUNDS + i];

		EXPECT_THAT(me, nfct_get_attr_u32(ct, ATTR_ID) == theirs);
		nfct_destroy(ct);
	}
	return NULL;
}

static void test_objects(void)
{
	struct nf_conntrack *ct = marked(new_flow(7), 77);
	struct nfct_bitmask *labels = nfct_bitmask_new(127);
	struct worker workers[THREADS];
	char text[2048];

	nfct_bitmask_set_bit(labels, 3);
	nfct_set_attr(ct, ATTR_CONNLABELS, labels);
	nfct_set_attr(ct, ATTR_HELPER_NAME, "ftp");
	nfct_snprintf(text, sizeof(text), ct, NFCT_T_NEW, NFCT_O_DEFAULT, 0);
	memset(workers, 0, sizeof(workers));
	for (int i = 0; i < THREADS; i++) {
		workers[i].shared = ct;
		workers[i].text = text;
		workers[i].objects = i == 0 ? calloc(THREADS * ROUNDS, sizeof(*workers->objects)) :
					      workers->objects;
	}
	in_threads(workers, use_shared_object);
	in_threads(workers, make_clones);
	in_threads(workers, destroy_others);
	free(workers->objects);
	nfct_destroy(ct);
}

static void *read_events(void *argument)
{
	struct seen seen;
	struct nfct_handle *h = *(struct nfct_handle **)argument;

	memset(&seen, 0, sizeof(seen));
	seen.stop_after = 100;
	seen.answer = NFCT_CB_STOP;
	nfct_callback_register(h, NFCT_T_NEW, callback, &seen);
	return nfct_catch(h) == 0 && seen.calls == 100 ? h : NULL;
}

/* One thread blocks in nfct_catch() while another makes the events with a handle of its own. */
static void test_reader(void)
{
	struct nfct_handle *writer = nfct_open(CONNTRACK, 0);
	struct nfct_handle *h = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
	pthread_t reader;
	void *result = NULL;

	CHECK_INT(pthread_create(&reader, NULL, read_events, &h), 0);
	create_flows(writer, 5000, 100);
	CHECK_INT(pthread_join(reader, &result), 0);
	CHECK(result == h);
	CHECK_INT(flush(writer), 0);
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(nfct_close(writer), 0);
}

int main(void)
{
	struct worker workers[THREADS];

	own_namespace();
	memset(workers, 0, sizeof(workers));
	in_threads(workers, use_own_handle);
	CHECK_INT(table_size(), 0);
	test_objects();
	test_reader();
	return finish();
}
