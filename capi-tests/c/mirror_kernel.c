/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Mirrors: what they hand out, what is looked up beside, and what ends a wait for changes. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include "elsewhere.h"
#include "waits.h"
#include <ctrs.h>
#include <poll.h>

static struct ctrs_change change;
static struct ctrs_flow before, after;
static struct nfct_handle *asks;

static struct ctrs_mirror *opened(const struct ctrs_open_options *options, const char *filter)
{
	struct ctrs_filter *compiled = filter == NULL ? NULL : ctrs_filter_compile(filter, NULL, NULL);
	struct ctrs_mirror *mirror = ctrs_mirror_open(options, compiled, NULL);

	CHECK(mirror != NULL);
	ctrs_filter_free(compiled);
	return mirror;
}

static int next(struct ctrs_mirror *mirror, int timeout_ms)
{
	return ctrs_mirror_next(mirror, &change, sizeof(change), &before, &after, sizeof(after),
				timeout_ms);
}

/* Reads changes up to one of this kind, and tells how many that were. */
static int read_until(struct ctrs_mirror *mirror, uint32_t kind)
{
	int count = 1;

	for (; next(mirror, 10000) == 1; count++)
		if (change.change == kind)
			return count;
	CHECK(!"it comes");
	return 0;
}

static struct ctrs_mirror_info info_of(struct ctrs_mirror *mirror)
{
	struct ctrs_mirror_info info;

	CHECK_ERR(ctrs_mirror_get_info(mirror, &info, sizeof(info)), 0, UNTOUCHED);
	return info;
}

/* Looks a flow up by its original tuple. */
static int find_flow(struct ctrs_mirror *mirror, unsigned int n, int dir, size_t size)
{
	struct nf_conntrack *key = new_flow(n);
	int found = ctrs_mirror_find(mirror, key, dir, size == 0 ? NULL : &after, size);

	nfct_destroy(key);
	return found;
}

static int mark_flow(unsigned int n, uint32_t mark)
{
	struct nf_conntrack *ct = new_flow(n);

	nfct_set_attr_u32(ct, ATTR_MARK, mark);
	return query_flow(asks, NFCT_Q_UPDATE, ct);
}

static void test_changes(void)
{
	struct ctrs_mirror *mirror;
	struct pollfd ready = { .events = POLLIN };

	create_flows(asks, 0, 3);
	mirror = opened(NULL, NULL);
	ready.fd = ctrs_mirror_fd(mirror);
	CHECK_INT(poll(&ready, 1, 1000), 1); /* from the first moment on */
	CHECK_INT(next(mirror, 1000), 1);
	CHECK_INT(change.change, CTRS_CHANGE_RESYNCING);
	CHECK_INT(poll(&ready, 1, 0), 1); /* more is waiting */
	CHECK_INT(next(mirror, 1000), 1);
	CHECK_INT(change.change, CTRS_CHANGE_NEW);
	CHECK_INT(change.flags, CTRS_CHANGE_SYNTHESISED);
	CHECK(before.present[0] == 0 && after.present[0] != 0);
	CHECK_INT(read_until(mirror, CTRS_CHANGE_SETTLED), 3);
	CHECK_ERR(next(mirror, 0), 0, UNTOUCHED);
	CHECK_INT(poll(&ready, 1, 0), 0);
	CHECK_INT(find_flow(mirror, 1, CTRS_ORIGINAL, sizeof(after)), 0);
	CHECK_INT(after.flags, CTRS_FLOW_UNHEARD);
	CHECK_INT(mark_flow(1, 3), 0);
	CHECK_INT(read_until(mirror, CTRS_CHANGE_UPDATED), 1);
	CHECK_INT(find_flow(mirror, 1, CTRS_ORIGINAL, sizeof(after)), 0);
	CHECK_INT(after.flags, 0);

	create_flows(asks, 3, 1);
	CHECK_INT(poll(&ready, 1, 0), 1);
	CHECK_INT(read_until(mirror, CTRS_CHANGE_NEW), 1);
	CHECK_INT(change.flags & CTRS_CHANGE_SYNTHESISED, 0);
	CHECK_INT(after.orig.src[3], 4);
	CHECK_INT(mark_flow(3, 7), 0);
	CHECK_INT(read_until(mirror, CTRS_CHANGE_UPDATED), 1);
	CHECK_INT(before.mark, 0);
	CHECK_INT(after.mark, 7);
	CHECK_INT(query_flow(asks, NFCT_Q_DESTROY, new_flow(3)), 0);
	CHECK_INT(read_until(mirror, CTRS_CHANGE_DESTROYED), 1);
	CHECK(before.mark == 7 && after.present[0] == 0);
	CHECK_INT(info_of(mirror).flows, 3);
	CHECK_INT(info_of(mirror).flags, CTRS_MIRROR_SETTLED);
	CHECK_INT(info_of(mirror).receive_buffer, 4 << 20);
	CHECK_ERR(next(mirror, 0), 0, UNTOUCHED);
	CHECK_INT(poll(&ready, 1, 0), 0);
	CHECK_INT(ctrs_mirror_verify(mirror), 0);
	CHECK_INT(poll(&ready, 1, 1000), 1);
	CHECK_ERR(next(mirror, 0), 0, UNTOUCHED);
	CHECK_INT(poll(&ready, 1, 0), 0);
	CHECK_INT(ctrs_mirror_verify_every(mirror, 1), 0);
	CHECK_INT(poll(&ready, 1, 1000), 1);
	CHECK_INT(ctrs_mirror_close(mirror), 0);
	CHECK_INT(flush(asks), 0);
}

/* What was lost is found out, and what changes silently is verified. */
static void test_resync(void)
{
	const struct ctrs_open_options options = { .size = sizeof(options), .receive_buffer = 20000 };
	struct ctrs_mirror *mirror = opened(&options, NULL);
	int flows;

	read_until(mirror, CTRS_CHANGE_SETTLED);
	create_flows(asks, 0, 500);
	for (flows = 0; next(mirror, 10000) == 1 && change.change != CTRS_CHANGE_SETTLED;) {
		flows += change.change == CTRS_CHANGE_NEW;
		if (change.change == CTRS_CHANGE_OVERRUN)
			CHECK_INT(change.lost + (uint64_t)flows, 500);
	}
	CHECK_INT(flows, 500);
	CHECK_INT(info_of(mirror).overruns, 1);
	CHECK_INT(info_of(mirror).dumps, 2);
	CHECK_ERR(ctrs_mirror_verify(mirror), 0, UNTOUCHED);
	CHECK_INT(info_of(mirror).flags, CTRS_MIRROR_SETTLED | CTRS_MIRROR_VERIFYING);
	CHECK_INT(next(mirror, 50), 0);
	CHECK_INT(info_of(mirror).dumps, 3);
	CHECK_ERR(ctrs_mirror_verify_every(mirror, 5), 0, UNTOUCHED);
	while (info_of(mirror).dumps < 5)
		CHECK_INT(next(mirror, 50), 0);
	CHECK_ERR(ctrs_mirror_verify_every(mirror, 0), 0, UNTOUCHED);
	CHECK_INT(ctrs_mirror_close(mirror), 0);
	CHECK_INT(flush(asks), 0);
}

/* Who reads only while the descriptor is readable misses nothing, wherever among the messages that are read
 * at once a loss comes: 64 of them are. */
static void test_descriptor(void)
{
	struct ctrs_open_options options = { .size = sizeof(options) };
	struct ctrs_mirror *mirror;
	struct pollfd ready = { .events = POLLIN };

	for (options.receive_buffer = 38000; options.receive_buffer < 46000; options.receive_buffer += 600) {
		mirror = opened(&options, NULL);
		ready.fd = ctrs_mirror_fd(mirror);
		read_until(mirror, CTRS_CHANGE_SETTLED);
		create_flows(asks, 0, 100);
		about("%u bytes", options.receive_buffer);
		while (poll(&ready, 1, 0) == 1)
			if (next(mirror, 0) == -1)
				abort();
		CHECK_INT(info_of(mirror).flows, 100);
		CHECK_INT(info_of(mirror).overruns, 1);
		CHECK_INT(info_of(mirror).flags, CTRS_MIRROR_SETTLED);
		CHECK_INT(ctrs_mirror_close(mirror), 0);
		CHECK_INT(flush(asks), 0);
	}
	about("%s", "");
}

static void test_filter(void)
{
	struct ctrs_mirror *mirror = opened(NULL, "tcp and mark 9");

	read_until(mirror, CTRS_CHANGE_SETTLED);
	create_flows(asks, 0, 2);
	CHECK_INT(mark_flow(1, 9), 0);
	CHECK_INT(read_until(mirror, CTRS_CHANGE_ENTERED), 1);
	CHECK_INT(after.orig.src[3], 2);
	CHECK_INT(info_of(mirror).flows, 2);
	CHECK_ERR(find_flow(mirror, 0, CTRS_ORIGINAL, 0), -1, ENOENT);
	CHECK_ERR(find_flow(mirror, 1, CTRS_ORIGINAL, 0), 0, UNTOUCHED);
	CHECK_INT(mark_flow(1, 8), 0);
	CHECK_INT(read_until(mirror, CTRS_CHANGE_LEFT), 1);
	CHECK_INT(ctrs_mirror_close(mirror), 0);
	CHECK_INT(flush(asks), 0);
}

static void test_lookups(void)
{
	struct ctrs_mirror *mirror = opened(NULL, NULL);
	struct ctrs_filter *filter = ctrs_filter_compile("src 10.0.0.5", NULL, NULL);
	struct nf_conntrack *key = nfct_new();
	struct ctrs_flow found, flows[4];
	uint64_t cursor = 0;

	read_until(mirror, CTRS_CHANGE_SETTLED);
	create_flows(asks, 0, 6);
	for (int i = 0; i < 6; i++)
		read_until(mirror, CTRS_CHANGE_NEW);
	CHECK_ERR(find_flow(mirror, 4, CTRS_ORIGINAL, sizeof(after)), 0, UNTOUCHED);
	found = after;
	CHECK_INT(found.orig.src[3], 5);
	CHECK_INT(found.flags, 0);
	CHECK_INT(ctrs_flow_to(key, &found, sizeof(found)), 0);
	memset(&after, 0, sizeof(after));
	CHECK_ERR(ctrs_mirror_find(mirror, key, CTRS_REPLY, &after, sizeof(after)), 0, UNTOUCHED);
	CHECK_MEM(&after, &found, sizeof(found));
	memset(&after, 0, sizeof(after));
	CHECK_ERR(ctrs_mirror_find_id(mirror, found.id, &after, sizeof(after)), 0, UNTOUCHED);
	CHECK_MEM(&after, &found, sizeof(found));
	CHECK_ERR(ctrs_mirror_find_id(mirror, ~found.id, NULL, 0), -1, ENOENT);
	CHECK_ERR(find_flow(mirror, 7, CTRS_ORIGINAL, 0), -1, ENOENT);
	CHECK_ERR(ctrs_mirror_read(mirror, NULL, flows, 4, sizeof(flows[0]), &cursor), 4, UNTOUCHED);
	CHECK_ERR(ctrs_mirror_read(mirror, NULL, flows, 4, sizeof(flows[0]), &cursor), 2, UNTOUCHED);
	CHECK_ERR(ctrs_mirror_read(mirror, NULL, flows, 4, sizeof(flows[0]), &cursor), 0, UNTOUCHED);
	cursor = 0;
	CHECK_INT(ctrs_mirror_read(mirror, filter, flows, 4, sizeof(flows[0]), &cursor), 1);
	CHECK_MEM(flows, &found, sizeof(found));
	CHECK_INT(ctrs_mirror_close(mirror), 0);
	ctrs_filter_free(filter);
	nfct_destroy(key);
	CHECK_INT(flush(asks), 0);
}

/* Flows looked up at once, more than the library takes at a time: as one after the other. */
static void test_lookups_at_once(void)
{
	enum { FLOWS = 100, PART = offsetof(struct ctrs_flow, status) };
	static struct ctrs_flow flows[FLOWS];
	struct ctrs_mirror *mirror = opened(NULL, "not src 10.0.0.8");
	struct nf_conntrack *keys[FLOWS], *part = nfct_new();
	const struct nf_conntrack *const *names = (const struct nf_conntrack *const *)keys;

	read_until(mirror, CTRS_CHANGE_SETTLED);
	create_flows(asks, 0, FLOWS / 2);
	for (int i = 0; i < FLOWS / 2 - 1; i++)
		read_until(mirror, CTRS_CHANGE_NEW);
	/* Every other is not there; of what is no name, nothing is found either. */
	for (unsigned int i = 0; i < FLOWS; i++)
		keys[i] = new_flow(i % 2 == 0 ? i / 2 : FLOWS + i);
	nfct_destroy(keys[40]);
	nfct_destroy(keys[42]);
	keys[40] = NULL;
	keys[42] = part;
	memset(flows, 0xff, sizeof(flows));
	CHECK_ERR(ctrs_mirror_find_all(mirror, names, FLOWS, CTRS_ORIGINAL, flows, sizeof(flows[0])),
		  FLOWS / 2 - 3, UNTOUCHED);
	for (unsigned int i = 0; i < FLOWS; i++) {
		memset(&after, 0, sizeof(after));
		if (keys[i] != NULL && keys[i] != part)
			ctrs_mirror_find(mirror, keys[i], CTRS_ORIGINAL, &after, sizeof(after));
		CHECK_MEM(&flows[i], &after, sizeof(after));
		CHECK_INT(flows[i].present[0] != 0, i % 2 == 0 && i != 14 && i != 40 && i != 42);
	}
	CHECK_INT(ctrs_mirror_find_all(mirror, names, FLOWS, CTRS_REPLY, flows, PART), FLOWS / 2 - 3);
	CHECK_INT(ctrs_mirror_find_all(mirror, names, 3, CTRS_ORIGINAL, flows, PART), 2);
	memset(&after, 0, sizeof(after));
	CHECK_INT(ctrs_mirror_find(mirror, keys[2], CTRS_ORIGINAL, &after, PART), 0);
	CHECK_MEM((char *)flows + 2 * PART, &after, PART);
	CHECK_ERR(ctrs_mirror_find_all(mirror, names, 0, CTRS_ORIGINAL, flows, PART), 0, UNTOUCHED);
	CHECK_ERR(ctrs_mirror_find_all(NULL, names, 1, CTRS_ORIGINAL, flows, PART), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_find_all(mirror, NULL, 1, CTRS_ORIGINAL, flows, PART), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_find_all(mirror, names, 1, CTRS_ORIGINAL, NULL, PART), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_find_all(mirror, names, 1, CTRS_ORIGINAL, flows, 17), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_find_all(mirror, names, 1, 2, flows, PART), -1, EINVAL);
	for (unsigned int i = 0; i < FLOWS; i++)
		if (keys[i] != NULL)
			nfct_destroy(keys[i]);
	CHECK_INT(ctrs_mirror_close(mirror), 0);
	CHECK_INT(flush(asks), 0);
}

static void test_arguments(void)
{
	const struct ctrs_open_options all = { .size = sizeof(all), .flags = CTRS_OPEN_ALL_NAMESPACES };
	const struct ctrs_open_options groups = { .size = sizeof(groups), .groups = 1 };
	const struct ctrs_open_options quiet = { .size = sizeof(quiet), .flags = CTRS_OPEN_NO_ENOBUFS };
	struct ctrs_error error = { .size = sizeof(error) };
	struct ctrs_mirror *mirror = opened(NULL, NULL);
	uint64_t cursor = 0;

	CHECK_NULL(ctrs_mirror_open(&all, NULL, &error), EOPNOTSUPP);
	CHECK_INT(error.kind, CTRS_ERROR_UNSUPPORTED);
	CHECK_NULL(ctrs_mirror_open(&groups, NULL, NULL), EINVAL);
	CHECK_NULL(ctrs_mirror_open(&quiet, NULL, NULL), EINVAL);
	CHECK_ERR(ctrs_mirror_next(NULL, &change, sizeof(change), NULL, NULL, 0, 1), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_next(mirror, NULL, sizeof(change), NULL, NULL, 0, 1), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_next(mirror, &change, 7, NULL, NULL, 0, 1), -1, EINVAL);
	CHECK_INT(ctrs_mirror_last_error(mirror)->kind, CTRS_ERROR_INVALID);
	CHECK_ERR(ctrs_mirror_next(mirror, &change, sizeof(change), &before, NULL, 0, 1), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_next(mirror, &change, 24, NULL, NULL, 0, 1000), 1, UNTOUCHED);
	CHECK_INT(ctrs_mirror_last_error(mirror)->err, 0);
	CHECK_ERR(ctrs_mirror_find(NULL, NULL, CTRS_ORIGINAL, NULL, 0), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_find(mirror, NULL, CTRS_ORIGINAL, NULL, 0), -1, EINVAL);
	CHECK_ERR(find_flow(mirror, 0, 2, 0), -1, EINVAL);
	CHECK_ERR(find_flow(mirror, 0, CTRS_ORIGINAL, 1), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_find_id(NULL, 1, NULL, 0), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_find_id(mirror, 1, &after, 1), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_read(NULL, NULL, &after, 1, sizeof(after), &cursor), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_read(mirror, NULL, NULL, 1, sizeof(after), &cursor), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_read(mirror, NULL, &after, 0, sizeof(after), &cursor), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_read(mirror, NULL, &after, 1, sizeof(after), NULL), -1, EINVAL);
	cursor = UINT64_MAX;
	CHECK_ERR(ctrs_mirror_read(mirror, NULL, &after, 1, sizeof(after), &cursor), 0, UNTOUCHED);
	CHECK_ERR(ctrs_mirror_get_info(NULL, NULL, 8), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_get_info(mirror, NULL, 8), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_verify(NULL), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_verify_every(NULL, 1), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_fd(NULL), -1, EINVAL);
	CHECK_ERR(ctrs_mirror_wake(NULL), -1, EINVAL);
	CHECK_NULL(ctrs_mirror_last_error(NULL), EINVAL);
	CHECK_ERR(ctrs_mirror_close(NULL), -1, EINVAL);
	CHECK_INT(ctrs_mirror_close(mirror), 0);
}

struct waiting {
	struct ctrs_mirror *mirror;
	volatile pid_t thread;
	int result, error;
};

static void *wait_for_change(void *data)
{
	struct waiting *waiting = data;

	waiting->thread = (pid_t)syscall(SYS_gettid);
	waiting->result = ctrs_mirror_next(waiting->mirror, &change, sizeof(change), NULL, NULL, 0, -1);
	waiting->error = errno;
	return NULL;
}

static pthread_t begin_waiting(struct waiting *waiting)
{
	pthread_t thread;

	waiting->thread = 0;
	CHECK_INT(pthread_create(&thread, NULL, wait_for_change, waiting), 0);
	until_waiting(&waiting->thread);
	return thread;
}

static int wait_long(void *mirror)
{
	return next(mirror, -1);
}

static void on_signal(int number)
{
	(void)number;
}

static void test_waits(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct waiting waiting = { .mirror = opened(NULL, NULL) };
	struct ctrs_mirror *mirror = waiting.mirror;
	pthread_t thread;

	read_until(mirror, CTRS_CHANGE_SETTLED);
	CHECK_ERR(next(mirror, 5), 0, UNTOUCHED);
	thread = begin_waiting(&waiting);
	CHECK_ERR(ctrs_mirror_wake(mirror), 0, UNTOUCHED);
	pthread_join(thread, NULL);
	CHECK(waiting.result == -1 && waiting.error == ECANCELED);
	CHECK_INT(ctrs_mirror_last_error(mirror)->kind, CTRS_ERROR_WOKEN);
	/* Sticky, and used up by one wait. */
	CHECK_INT(ctrs_mirror_wake(mirror), 0);
	CHECK_ERR(next(mirror, 0), 0, UNTOUCHED);
	CHECK_ERR(next(mirror, 1000), -1, ECANCELED);
	CHECK_ERR(next(mirror, 1), 0, UNTOUCHED);
	sigaction(SIGUSR1, &action, NULL);
	thread = begin_waiting(&waiting);
	CHECK_INT(pthread_kill(thread, SIGUSR1), 0);
	pthread_join(thread, NULL);
	CHECK(waiting.result == -1 && waiting.error == EINTR);
	/* Others look, and a flow ends the wait. */
	thread = begin_waiting(&waiting);
	CHECK_INT(info_of(mirror).flows, 0);
	create_flows(asks, 0, 1);
	pthread_join(thread, NULL);
	CHECK_INT(waiting.result, 1);
	CHECK_INT(info_of(mirror).flows, 1);
	check_cancelled(wait_long, mirror);
	CHECK_INT(flush(asks), 0);
	CHECK_INT(read_until(mirror, CTRS_CHANGE_DESTROYED), 1);
	CHECK_INT(ctrs_mirror_close(mirror), 0);
}

/* A child closes what it got, and its parent goes on. */
static void test_fork(void)
{
	struct ctrs_mirror *mirror = opened(NULL, NULL);
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(ctrs_mirror_close(mirror));
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	read_until(mirror, CTRS_CHANGE_SETTLED);
	CHECK_INT(ctrs_mirror_close(mirror), 0);
}

/* A mirror of another namespace has its flows and none of this one, whichever way that is named. */
static void test_elsewhere(void)
{
	struct elsewhere it = begin_elsewhere();
	int fd = open(it.namespace, O_RDONLY | O_CLOEXEC);
	const struct ctrs_open_options ways[] = {
		{ .size = sizeof(ways[0]), .netns = it.namespace },
		{ .size = sizeof(ways[0]), .flags = CTRS_OPEN_NETNS_PID, .netns_pid = it.pid },
		{ .size = sizeof(ways[0]), .flags = CTRS_OPEN_NETNS_FD, .netns_fd = fd },
	};
	struct nfct_handle *there = ctrs_open(&ways[0], NULL);

	for (size_t i = 0; i < COUNT(ways); i++) {
		struct ctrs_mirror *mirror = opened(&ways[i], NULL);

		about("way %zu", i);
		read_until(mirror, CTRS_CHANGE_SETTLED);
		CHECK_INT(info_of(mirror).flows, i);
		create_flows(asks, 7, 1);
		create_flows(there, i, 1);
		CHECK_INT(read_until(mirror, CTRS_CHANGE_NEW), 1);
		CHECK_INT(after.orig.src[3], i + 1);
		CHECK_INT(info_of(mirror).flows, i + 1);
		/* Its lists are of there too, as are the flows that it asks for. */
		CHECK_INT(ctrs_mirror_verify(mirror), 0);
		CHECK_ERR(next(mirror, 20), 0, UNTOUCHED);
		CHECK(info_of(mirror).dumps == 2 && info_of(mirror).flows == i + 1);
		CHECK_INT(ctrs_mirror_close(mirror), 0);
		CHECK_INT(flush(asks), 0);
	}
	about("");
	CHECK_INT(nfct_close(there), 0);
	close(fd);
	end_elsewhere(it);
}

/* Opening fails with EPERM, and this word is told. */
static void refused(const struct ctrs_open_options *options, const char *word)
{
	struct ctrs_error error = { .size = sizeof(error) };

	CHECK_NULL(ctrs_mirror_open(options, NULL, &error), EPERM);
	CHECK_INT(error.kind, CTRS_ERROR_PRIVILEGE);
	if (!CHECK(strstr(error.text, word) != NULL))
		printf("    %s\n", error.text);
}

static void unprivileged(void)
{
	const struct ctrs_open_options there = { .size = sizeof(there), .netns = "/proc/thread-self/ns/net" };

	give_up_privileges();
	refused(NULL, "CAP_NET_ADMIN");
	refused(&there, "CAP_SYS_ADMIN");
}

int main(void)
{
	int before_all;

	own_namespace();
	write_file("/proc/sys/net/netfilter/nf_conntrack_events", "1");
	asks = nfct_open(CONNTRACK, 0);
	before_all = descriptors();
	test_changes();
	test_resync();
	test_descriptor();
	test_filter();
	test_lookups();
	test_lookups_at_once();
	test_arguments();
	test_waits();
	test_fork();
	test_elsewhere();
	in_child(unprivileged);
	CHECK_INT(descriptors(), before_all);
	CHECK_INT(nfct_close(asks), 0);
	return finish();
}
#endif
