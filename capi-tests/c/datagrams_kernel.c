/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Datagrams that arrive damaged: larger than the buffer, cut short, empty, from no netlink address,
 * or an error in their place. The kernel's own are damaged on their way to the library. */
#include "kernel.h"
#include <sys/syscall.h>
#include "many.h"

#define FLOWS 600 /* some six datagrams */

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* the reference aborts on an empty datagram */
	return finish();
}
#else
/* What happens to the datagram that is received when `countdown` runs out. */
static struct {
	int countdown; /* 0: nothing happens */
	enum { CUT, TOO_LONG, FAILURE, NO_ADDRESS } what;
	int value; /* bytes left, bytes too many, errno */
	size_t room; /* of the buffer it went to */
} damage;

/* Takes the place of the C library's for the library under test. */
ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *from,
		 socklen_t *from_size)
{
	ssize_t length;

	damage.room = size;
	if (damage.countdown == 0 || --damage.countdown > 0)
		return syscall(SYS_recvfrom, fd, buffer, size, flags, from, from_size);
	if (damage.what == FAILURE) {
		errno = damage.value;
		return -1;
	}
	length = syscall(SYS_recvfrom, fd, buffer, size, flags, from, from_size);
	if (length == -1)
		return -1;
	if (damage.what == NO_ADDRESS)
		*from_size = 2;
	if (damage.what == TOO_LONG)
		return (ssize_t)size + damage.value;
	return damage.what == CUT && damage.value < length ? damage.value : length;
}

/* Every kind of query gets its own answer. */
static void check_in_step(struct nfct_handle *h, struct seen *seen)
{
	damage.countdown = 0;
	CHECK_ERR(query_flow(h, NFCT_Q_GET, flow(90000)), -1, ENOENT);
	CHECK_ERR(query_flow(h, NFCT_Q_CREATE, new_flow(0)), -1, EEXIST);
	seen->calls = 0;
	CHECK_INT(query_flow(h, NFCT_Q_GET, flow(7)), 0);
	CHECK_INT(seen->calls, 1);
	CHECK_INT(seen->last_src, htonl(0x0a000008));
	CHECK_INT(dump(h), 0);
	CHECK_INT(seen->calls, 1 + FLOWS);
}

static const struct row {
	const char *name;
	int what, value, error;
} rows[] = {
	{ "larger than the buffer", TOO_LONG, 4096, ENOBUFS },
	{ "empty", CUT, 0, EBADMSG },
	{ "part of a header", CUT, 15, EBADMSG },
	{ "a header, and nothing it announces", CUT, 16, EBADMSG },
	{ "half a message", CUT, 40, EBADMSG },
	{ "no netlink address", NO_ADDRESS, 0, EINVAL },
	{ "lost", FAILURE, ENOBUFS, ENOBUFS },
	{ "no memory", FAILURE, ENOMEM, ENOMEM },
};

/* Outcome: the dump ends there and says so; the queries after it are in step. */
static void test_dumps(struct nfct_handle *h, struct seen *seen)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int at = 1; at <= 4; at++) {
			about("%s, datagram %d", rows[i].name, at);
			seen->calls = 0;
			damage.what = rows[i].what;
			damage.value = rows[i].value;
			damage.countdown = at;
			CHECK_ERR(dump(h), -1, rows[i].error);
			CHECK(seen->calls < FLOWS);
			check_in_step(h, seen);
		}
	}
	about("");
}

/* Outcome: the answer to a single query is lost, and that is said; the next has its own. */
static void test_answers(struct nfct_handle *h, struct seen *seen)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		about("%s", rows[i].name);
		damage.what = rows[i].what;
		damage.value = rows[i].value;
		damage.countdown = 1;
		CHECK_ERR(query_flow(h, NFCT_Q_GET, flow(3)), -1, rows[i].error);
		check_in_step(h, seen);
	}
	for (int length = 0; length < 36; length++) {
		about("%d bytes of an acknowledgement", length);
		damage.what = CUT;
		damage.value = length;
		damage.countdown = 1;
		CHECK_ERR(query_flow(h, NFCT_Q_UPDATE, marked(flow(3), 1)), -1, EBADMSG);
		check_in_step(h, seen);
	}
	about("");
}

/* Outcome: a datagram that was too large is lost once; the next of its size fits. */
static void test_buffer_grows(struct nfct_handle *h, struct seen *seen)
{
	size_t room;

	CHECK_INT(dump(h), 0);
	room = damage.room;
	damage.what = TOO_LONG;
	damage.value = 100000;
	damage.countdown = 1;
	CHECK_ERR(dump(h), -1, ENOBUFS);
	check_in_step(h, seen);
	CHECK(damage.room >= room + 100000);
}

/* Outcome: one event is lost, and that is said; those after it arrive. */
static void test_events(struct nfct_handle *writer)
{
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, NFCT_ALL_CT_GROUPS);

	CHECK_INT(fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		about("%s", rows[i].name);
		seen.calls = 0;
		create_flows(writer, 1000 + 3 * (unsigned int)i, 3);
		damage.what = rows[i].what;
		damage.value = rows[i].value;
		damage.countdown = 2;
		CHECK_ERR(nfct_catch(h), -1, rows[i].error);
		CHECK_INT(seen.calls, 1);
		damage.countdown = 0;
		CHECK_ERR(nfct_catch(h), -1, EAGAIN);
		CHECK_INT(seen.calls, rows[i].what == FAILURE ? 3 : 2);
	}
	about("");
	CHECK_INT(nfct_close(h), 0);
}

/* Outcome: nothing is told of a call that a signal ended, however often. */
static void test_interrupted(struct nfct_handle *h, struct seen *seen)
{
	for (int at = 1; at <= 4; at++) {
		about("call %d", at);
		seen->calls = 0;
		damage.what = FAILURE;
		damage.value = EINTR;
		damage.countdown = at;
		errno = 0;
		CHECK_INT(dump(h), 0);
		CHECK_INT(errno, 0);
		CHECK_INT(seen->calls, FLOWS);
	}
	about("");
}

int main(void)
{
	struct seen seen;
	struct nfct_handle *h;

	alarm(120);
	own_namespace();
	h = open_seeing(&seen, 0);
	create_many(h, 0, FLOWS);
	test_dumps(h, &seen);
	test_answers(h, &seen);
	test_interrupted(h, &seen);
	test_buffer_grows(h, &seen);
	CHECK_INT(nfct_close(h), 0);
	h = nfct_open(CONNTRACK, 0);
	test_events(h);
	CHECK_INT(nfct_close(h), 0);
	return finish();
}
#endif
