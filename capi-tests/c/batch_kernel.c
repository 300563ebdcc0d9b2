/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Batches of ctrs.h on a real kernel: each request has its own result, explanation and flow, in
 * order, whatever the others come to and however small the receive buffer is; and what is known
 * when answers are lost. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include <ctrs.h>
#include <pthread.h>
#include <sys/syscall.h>

#define EVENTS "/proc/sys/net/netfilter/nf_conntrack_events"
#define MANY 10000u

/* What the library believes of the receive buffer: with a number here, that. */
static int believed;

int getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	if (believed != 0 && level == SOL_SOCKET && name == SO_RCVBUF) {
		*(int *)value = believed;
		return 0;
	}
	return (int)syscall(SYS_getsockopt, fd, level, name, value, size);
}

/* Bytes of the receive buffer of sockets that are opened; 0: what they get. */
static int small;

int socket(int family, int type, int protocol)
{
	int fd = (int)syscall(SYS_socket, family, type, protocol);

	if (small != 0)
		CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	return fd;
}

/* A handle whose socket for requests has such a buffer. */
static struct nfct_handle *with_buffer(int bytes)
{
	struct nfct_handle *h = ctrs_open(NULL, NULL);
	struct nf_conntrack *ct = flow(0);

	small = bytes;
	CHECK_ERR(ctrs_get(h, ct, CTRS_ORIGINAL, NULL), -1, ENOENT);
	small = 0;
	nfct_destroy(ct);
	return h;
}

/* Sending fails once this many have succeeded, with this errno. */
static int sends_left = -1, send_error;

/* Sending cancels its thread. */
static int cancels;

ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to,
	       socklen_t size)
{
	if (sends_left == 0) {
		errno = send_error;
		return -1;
	}
	sends_left -= sends_left > 0;
	if (cancels) {
		cancels = 0;
		pthread_cancel(pthread_self());
	}
	return syscall(SYS_sendto, fd, data, length, flags, to, size);
}

static int add(struct ctrs_batch *batch, enum nf_conntrack_query query, struct nf_conntrack *ct,
	       uint32_t flags)
{
	int index = ctrs_batch_add(batch, query, ct, NULL, flags, NULL);

	nfct_destroy(ct);
	return index;
}

static struct ctrs_batch *new_batch(void)
{
	struct ctrs_error error = { .size = sizeof(error) };
	struct ctrs_batch *batch = ctrs_batch_new(&error);

	CHECK(batch != NULL);
	CHECK_INT(error.err, 0);
	return batch;
}

/* One of every kind, and each result beside what was before and after it. */
static void test_mixture(struct nfct_handle *h)
{
	static const struct {
		enum nf_conntrack_query query;
		unsigned int flow;
		uint32_t mark; /* to be set, or 0 */
		int result, error;
		uint32_t returned; /* the mark of the flow that is returned */
		const char *words;
	} rows[] = {
		{ NFCT_Q_GET, 0, 0, -1, ENOENT, 0, "cannot get the flow: no such flow" },
		{ NFCT_Q_CREATE, 0, 11, 0, 0, 0, "" },
		{ NFCT_Q_CREATE, 0, 12, -1, EEXIST, 0, "cannot create the flow: the tuple" },
		{ NFCT_Q_GET, 0, 0, 1, 0, 11, "" },
		{ NFCT_Q_UPDATE, 0, 13, 0, 0, 0, "" },
		{ NFCT_Q_UPDATE, 1, 14, -1, ENOENT, 0, "cannot update the flow: no such flow" },
		{ NFCT_Q_GET, 0, 0, 1, 0, 13, "" },
		{ NFCT_Q_CREATE_UPDATE, 0, 15, 0, 0, 0, "" },
		{ NFCT_Q_CREATE_UPDATE, 1, 16, 0, 0, 0, "" },
		{ NFCT_Q_GET, 0, 0, 1, 0, 15, "" },
		{ NFCT_Q_DESTROY, 0, 0, 0, 0, 0, "" },
		{ NFCT_Q_DESTROY, 0, 0, -1, ENOENT, 0, "cannot delete the flow: no such flow" },
		{ NFCT_Q_GET, 1, 0, 1, 0, 16, "" },
		{ NFCT_Q_DESTROY, 1, 0, 0, 0, 0, "" },
	};
	struct ctrs_batch *batch = new_batch();
	struct nf_conntrack *ct = nfct_new();
	struct ctrs_error error = { .size = sizeof(error) };
	int failures = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct nf_conntrack *new = new_flow(rows[i].flow);

		if (rows[i].mark != 0)
			marked(new, rows[i].mark);
		CHECK_INT(add(batch, rows[i].query, new, 0), i);
		failures += rows[i].result == -1;
		CHECK_ERR(ctrs_batch_result(batch, i, ct, &error), -1, ECANCELED);
		CHECK_INT(error.kind, CTRS_ERROR_NOT_SENT);
	}
	CHECK_INT(ctrs_batch_run(h, batch), failures);
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			about("request %zu", i);
			nfct_set_attr_u32(ct, ATTR_MARK, 99);
			CHECK_ERR(ctrs_batch_result(batch, i, ct, &error), rows[i].result,
				  rows[i].error ? rows[i].error : UNTOUCHED);
			CHECK_INT(error.err, rows[i].error);
			CHECK(strstr(error.text, rows[i].words) == error.text);
			CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), rows[i].returned ? rows[i].returned : 99);
		}
		CHECK_INT(ctrs_batch_run(h, batch), failures); /* nothing is sent twice */
	}
	about("");
	CHECK_INT(flows_with(""), 0);
	ctrs_batch_clear(batch);
	CHECK_INT(ctrs_batch_run(h, batch), 0);
	CHECK_ERR(ctrs_batch_result(batch, 0, NULL, NULL), -1, EINVAL);
	ctrs_batch_free(batch);
	nfct_destroy(ct);
}

/* The kernel returns what reports; each flow arrives at its own request. */
static void test_returned(struct nfct_handle *h, const char *events, int reports)
{
	struct ctrs_batch *batch = new_batch();
	struct nf_conntrack *ct = nfct_new();

	about("events %s", events);
	CHECK_INT(write_file(EVENTS, events), 0);
	for (unsigned int n = 0; n < 300; n++) {
		add(batch, NFCT_Q_CREATE, marked(new_flow(n), n + 1), CTRS_BATCH_RETURN);
		add(batch, NFCT_Q_CREATE, new_flow(n), CTRS_BATCH_RETURN);
		add(batch, NFCT_Q_UPDATE, marked(flow(n), n + 1001), CTRS_BATCH_RETURN);
		add(batch, NFCT_Q_GET, flow(n), CTRS_BATCH_RETURN);
		add(batch, NFCT_Q_UPDATE, marked(flow(n), n + 2001), 0);
		add(batch, NFCT_Q_DESTROY, flow(n), CTRS_BATCH_RETURN);
	}
	CHECK_INT(ctrs_batch_run(h, batch), 300);
	for (unsigned int i = 0; i < 1800; i++) {
		const unsigned int n = i / 6, kind = i % 6;
		const int silent = kind == 4 || (kind != 3 && !reports);
		static const uint32_t marks[] = { 1, 0, 1001, 1001, 0, 2001 };

		about("events %s, request %u", events, i);
		if (kind == 1) {
			CHECK_ERR(ctrs_batch_result(batch, i, ct, NULL), -1, EEXIST);
			continue;
		}
		CHECK_INT(ctrs_batch_result(batch, i, ct, NULL), !silent);
		if (!silent)
			CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), n + marks[kind]);
	}
	about("");
	ctrs_batch_free(batch);
	nfct_destroy(ct);
}

/* Every request fails but each hundredth, and no failure is lost. */
static void check_many(struct nfct_handle *h, const char *what)
{
	struct ctrs_batch *batch = new_batch();
	struct ctrs_error error = { .size = sizeof(error) };

	about("%s", what);
	for (unsigned int n = 0; n < MANY; n++)
		add(batch, n % 100 == 7 ? NFCT_Q_CREATE : NFCT_Q_DESTROY, new_flow(n), 0);
	CHECK_INT(ctrs_batch_run(h, batch), MANY - MANY / 100);
	for (unsigned int n = 0; n < MANY; n++) {
		int done = n % 100 == 7;

		about("%s, request %u", what, n);
		CHECK_ERR(ctrs_batch_result(batch, n, NULL, &error), done ? 0 : -1,
			  done ? UNTOUCHED : ENOENT);
		CHECK_INT(error.kind, done ? CTRS_ERROR_NONE : CTRS_ERROR_NOT_FOUND);
	}
	CHECK_INT(flows_with(""), MANY / 100);
	CHECK_INT(flush(h), 0);
	about("");
	ctrs_batch_free(batch);
}

/* A library that believed in a larger buffer than there is loses answers. It says of which requests
 * it does not know, never more than that, and what it says of the others is true. */
static void test_overrun(void)
{
	struct nfct_handle *h = with_buffer(4096);
	struct ctrs_batch *batch = new_batch();
	struct ctrs_error error = { .size = sizeof(error) };
	unsigned int unknown = 0, refused = 0;
	int failures;

	for (unsigned int n = 0; n < 2000; n += 2)
		add(batch, NFCT_Q_CREATE, new_flow(n), 0);
	believed = 1 << 24;
	CHECK_INT(ctrs_batch_run(h, batch), 0);
	ctrs_batch_clear(batch);
	for (unsigned int n = 0; n < 2000; n++)
		add(batch, NFCT_Q_CREATE, new_flow(n), 0); /* every second one is there */
	failures = ctrs_batch_run(h, batch);
	believed = 0;
	for (unsigned int n = 0; n < 2000; n++) {
		int result = ctrs_batch_result(batch, n, NULL, &error);

		about("request %u: %s", n, error.text);
		unknown += error.kind == CTRS_ERROR_LOST;
		refused += error.kind == CTRS_ERROR_EXISTS;
		if (error.kind == CTRS_ERROR_LOST)
			CHECK_INT(error.err, ENOBUFS);
		else
			CHECK_INT(result, n % 2 == 0 ? -1 : 0);
	}
	about("");
	CHECK_INT(failures, unknown + refused);
	CHECK(unknown > 0);
	CHECK(refused > 900); /* datagrams get shorter until nothing is lost */
	CHECK_INT(flows_with(""), 2000);
	CHECK_INT(flush(h), 0);
	ctrs_batch_free(batch);
	CHECK_INT(nfct_close(h), 0);
}

/* Sending that fails in the middle: what was done is known, the rest can be sent later. */
static void test_connection_fails(struct nfct_handle *h)
{
	struct ctrs_batch *batch = new_batch();

	for (unsigned int n = 0; n < 1000; n++)
		add(batch, NFCT_Q_CREATE, new_flow(n), 0);
	sends_left = 3;
	send_error = ENOBUFS;
	CHECK_ERR(ctrs_batch_run(h, batch), -1, ENOBUFS);
	CHECK(strstr(ctrs_last_error(h)->text, "sendto failed") != NULL);
	sends_left = -1;
	CHECK_INT(flows_with(""), 300);
	for (unsigned int n = 0; n < 1000; n++)
		CHECK_ERR(ctrs_batch_result(batch, n, NULL, NULL), n < 300 ? 0 : -1,
			  n < 300 ? UNTOUCHED : ECANCELED);
	/* A wake ends it before the next datagram. */
	CHECK_INT(ctrs_wake(h), 0);
	CHECK_ERR(ctrs_batch_run(h, batch), -1, ECANCELED);
	CHECK_INT(flows_with(""), 300);
	CHECK_INT(ctrs_batch_run(h, batch), 0);
	CHECK_INT(flows_with(""), 1000);
	CHECK_INT(flush(h), 0);
	ctrs_batch_free(batch);
}

/* The events of a handle wait for who reads them, all of them and nothing else. */
static void test_beside_events(void)
{
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, NFCT_ALL_CT_GROUPS);
	struct ctrs_batch *batch = new_batch();

	CHECK_INT(write_file(EVENTS, "1"), 0);
	for (unsigned int n = 0; n < 60; n++) {
		add(batch, NFCT_Q_CREATE, marked(new_flow(n), n + 1), n % 2 ? CTRS_BATCH_RETURN : 0);
		add(batch, NFCT_Q_CREATE, new_flow(n), 0);
		add(batch, NFCT_Q_GET, flow(n), 0);
	}
	CHECK_INT(ctrs_batch_run(h, batch), 60);
	CHECK_INT(fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK), 0);
	CHECK_ERR(nfct_catch(h), -1, EAGAIN);
	CHECK_INT(seen.calls, 60);
	CHECK_INT(seen.types, NFCT_T_NEW);
	CHECK_INT(seen.last_mark, 60);
	CHECK_INT(flush(h), 0);
	ctrs_batch_free(batch);
	CHECK_INT(nfct_close(h), 0);
}

/* The kernel answers a datagram of who lacks the privilege once: each request is told so. */
static void test_privilege(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct ctrs_batch *batch = new_batch();
	struct ctrs_error error = { .size = sizeof(error) };

	if (seteuid(65534) != 0) {
		skip("a batch without privileges needs root");
		return;
	}
	for (unsigned int n = 0; n < 250; n++)
		add(batch, n % 2 ? NFCT_Q_GET : NFCT_Q_CREATE, new_flow(n), CTRS_BATCH_RETURN);
	CHECK_INT(ctrs_batch_run(h, batch), 250);
	for (unsigned int n = 0; n < 250; n++) {
		CHECK_ERR(ctrs_batch_result(batch, n, NULL, &error), -1, EPERM);
		CHECK_INT(error.kind, CTRS_ERROR_PRIVILEGE);
		CHECK(strstr(error.text, n % 2 ? "get the flow" : "create the flow") != NULL);
		CHECK(strstr(error.text, "CAP_NET_ADMIN") != NULL);
	}
	CHECK_INT(seteuid(0), 0);
	CHECK_INT(flows_with(""), 0);
	ctrs_batch_free(batch);
	CHECK_INT(nfct_close(h), 0);
}

/* A thread that is cancelled in the middle runs the batch to its end and ends at its next call, before
 * that does anything. */
static struct nfct_handle *shared;
static struct ctrs_batch *cancelled;
static int ran = -1;

static void *run_cancelled(void *data)
{
	cancels = 1;
	ran = ctrs_batch_run(shared, cancelled);
	add(cancelled, NFCT_Q_CREATE, new_flow(700), 0);
	ctrs_batch_run(shared, cancelled);
	CHECK(!"a thread that goes on");
	return data;
}

static void test_cancelled(struct nfct_handle *h)
{
	void *result = NULL;
	pthread_t thread;

	shared = h;
	cancelled = new_batch();
	for (unsigned int n = 0; n < 700; n++)
		add(cancelled, NFCT_Q_CREATE, new_flow(n), 0);
	CHECK_INT(pthread_create(&thread, NULL, run_cancelled, NULL), 0);
	CHECK_INT(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK_INT(ran, 0);
	CHECK_INT(flows_with(""), 700);
	CHECK_ERR(ctrs_batch_result(cancelled, 700, NULL, NULL), -1, ECANCELED);
	CHECK_INT(ctrs_batch_run(h, cancelled), 0);
	CHECK_INT(flows_with(""), 701);
	CHECK_INT(flush(h), 0);
	ctrs_batch_free(cancelled);
}

static void test_refused(struct nfct_handle *h)
{
	struct ctrs_batch *batch = new_batch();
	struct ctrs_error error = { .size = sizeof(error) };
	struct nf_conntrack *ct = new_flow(0), *none = nfct_new();
	const uint32_t id = 7;

	/* An id without a tuple would be a flush to the kernel. */
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, new_flow(1)), 0);
	CHECK_ERR(ctrs_batch_add(batch, NFCT_Q_DESTROY, none, &id, 0, &error), -1, EINVAL);
	CHECK(strstr(error.text, "tuple") != NULL);
	nfct_set_attr_u8(none, ATTR_L3PROTO, AF_INET);
	CHECK_ERR(ctrs_batch_add(batch, NFCT_Q_DESTROY, none, &id, 0, &error), -1, EINVAL);
	CHECK_ERR(ctrs_batch_add(batch, NFCT_Q_GET, none, NULL, 0, &error), -1, EINVAL);
	CHECK_ERR(ctrs_batch_add(batch, NFCT_Q_UPDATE, none, NULL, 0, &error), -1, EINVAL);
	for (int query = -1; query < 12; query++)
		if (query == -1 || query > NFCT_Q_CREATE_UPDATE || query == NFCT_Q_FLUSH ||
		    query == NFCT_Q_DUMP || query == NFCT_Q_DUMP_RESET)
			CHECK_ERR(ctrs_batch_add(batch, (enum nf_conntrack_query)query, ct, NULL, 0, &error), -1,
				  EINVAL);
	CHECK_ERR(ctrs_batch_add(batch, NFCT_Q_GET, ct, NULL, 2, &error), -1, EINVAL);
	CHECK_ERR(ctrs_batch_add(NULL, NFCT_Q_GET, ct, NULL, 0, &error), -1, EINVAL);
	CHECK_ERR(ctrs_batch_add(batch, NFCT_Q_GET, NULL, NULL, 0, &error), -1, EINVAL);
	CHECK_INT(ctrs_batch_run(h, batch), 0);
	CHECK_INT(flows_with(""), 1);

	/* A get and a delete of another one's id. */
	CHECK_INT(ctrs_batch_add(batch, NFCT_Q_GET, ct, &id, 0, &error), 0);
	CHECK_INT(ctrs_batch_add(batch, NFCT_Q_DESTROY, ct, &id, 0, &error), 1);
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, new_flow(0)), 0);
	CHECK_INT(ctrs_batch_run(h, batch), 2);
	CHECK_ERR(ctrs_batch_result(batch, 0, none, &error), -1, ENOENT);
	CHECK_ERR(ctrs_batch_result(batch, 1, none, &error), -1, ENOENT);
	CHECK_INT(flows_with(""), 2);

	CHECK_ERR(ctrs_batch_result(batch, 2, NULL, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_batch_result(batch, ~(size_t)0, NULL, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_batch_result(NULL, 0, NULL, NULL), -1, EINVAL);
	error.size = 1;
	CHECK_ERR(ctrs_batch_result(batch, 0, NULL, &error), -1, EINVAL);
	CHECK_NULL(ctrs_batch_new(&error), EINVAL);
	CHECK_ERR(ctrs_batch_run(NULL, batch), -1, EINVAL);
	CHECK_ERR(ctrs_batch_run(h, NULL), -1, EINVAL);
	CHECK_NOOP(ctrs_batch_clear(NULL));
	CHECK_NOOP(ctrs_batch_free(NULL));
	CHECK_INT(flush(h), 0);
	ctrs_batch_free(batch);
	nfct_destroy(ct);
	nfct_destroy(none);
}

int main(void)
{
	struct nfct_handle *h, *tiny;

	own_namespace();
	h = nfct_open(CONNTRACK, 0);
	tiny = with_buffer(1);
	test_mixture(h);
	test_mixture(tiny);
	test_returned(h, "0", 0);
	test_returned(h, "1", 1);
	test_returned(tiny, "1", 1);
	write_file(EVENTS, "0");
	check_many(h, "the usual buffer");
	check_many(tiny, "the smallest buffer");
	test_overrun();
	test_connection_fails(h);
	test_beside_events();
	test_privilege();
	test_cancelled(h);
	test_refused(h);
	CHECK_INT(nfct_close(tiny), 0);
	CHECK_INT(nfct_close(h), 0);
	return finish();
}
#endif
