/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Requests about logged packets while packets wait in the same socket. Outcome: each request has its
 * own answer, a refusal is a refusal and a success a success; what waits is handed out and not lost,
 * and no answer is left for the next one. */
#include "logged.h"
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#define REFUSED nflog_bind_pf(h, 11) /* no family that the kernel knows */

/* Every request is answered as it should be, and none answers for another. */
static void check_in_step(struct nflog_handle *h, struct nflog_g_handle *gh)
{
	CHECK_ERR(nflog_set_mode(gh, NFULNL_COPY_PACKET, 0xffff), 0, UNTOUCHED);
	CHECK_ERR(REFUSED, -1, EINVAL);
	CHECK_ERR(nflog_bind_pf(h, AF_INET), 0, UNTOUCHED);
	CHECK_NULL(nflog_bind_group(h, 1), EBUSY);
	CHECK_ERR(nflog_set_timeout(gh, 10), 0, UNTOUCHED);
	CHECK(nothing_waits(h));
}

/* Programs register their callback last: what came before is dropped. */
static void test_no_callback(void)
{
	struct nflog_handle *h = nflog_open();
	struct nflog_g_handle *gh = bind_at_once(h, 1);

	log_packets(1, 3, 10);
	CHECK_ERR(nflog_set_mode(gh, NFULNL_COPY_META, 0), 0, UNTOUCHED);
	CHECK(nothing_waits(h));
	log_packets(1, 1, 10);
	CHECK_ERR(REFUSED, -1, EINVAL);
	check_in_step(h, gh);
	CHECK_INT(nflog_close(h), 0);
}

/* Whatever callbacks return, and however many packets wait, one or a batch to a datagram. */
static void test_verdicts(void)
{
	static const int answers[] = { 0, 1, 7, -1, -5 };

	for (size_t i = 0; i < COUNT(answers); i++)
		for (int batch = 1; batch <= 4; batch += 3) {
			struct heard heard;
			struct nflog_handle *h = nflog_open();
			struct nflog_g_handle *gh = bind_heard(h, 1, &heard);
			int each = answers[i] < 0 ? 1 : batch; /* it wants no more of the datagram */

			about("answer %d, batches of %d", answers[i], batch);
			CHECK_INT(nflog_set_qthresh(gh, (uint32_t)batch), 0);
			heard.answer = answers[i];
			log_packets(1, 3 * batch, 10);
			CHECK_ERR(nflog_set_mode(gh, NFULNL_COPY_PACKET, 64), 0, UNTOUCHED);
			CHECK_INT(heard.calls, 3 * each);
			log_packets(1, batch, 10);
			CHECK_ERR(REFUSED, -1, EINVAL);
			CHECK_INT(heard.calls, 4 * each);
			CHECK_INT(heard.wrong, 0);
			check_in_step(h, gh);
			CHECK_INT(nflog_close(h), 0);
		}
	about("");
}

/* Datagrams larger than what libnfnetlink receives into, up to the largest. */
static void test_large_packets(void)
{
	static const size_t sizes[] = { 9000, 30000, 65000 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct heard heard;
		struct nflog_handle *h = nflog_open();
		struct nflog_g_handle *gh = bind_heard(h, 1, &heard);

		about("%zu bytes", sizes[i]);
		heard.size = sizes[i];
		log_packets(1, 1, sizes[i]);
		CHECK_ERR(REFUSED, -1, EINVAL);
		CHECK_INT(heard.calls, 1);
		CHECK_INT(heard.wrong, 0);
		heard.size = 0;
		check_in_step(h, gh);
		CHECK_INT(nflog_close(h), 0);
	}
	about("");
}

/* A batch of more than 200,000 bytes is one datagram. */
static void test_large_batch(void)
{
	struct heard heard;
	struct nflog_handle *h = nflog_open();
	struct nflog_g_handle *gh = bind_heard(h, 1, &heard);

	CHECK_INT(nflog_set_nlbufsiz(gh, 131072), 0);
	CHECK_INT(nflog_set_qthresh(gh, 1000), 0);
	log_packets(1, 20, 20000);
	CHECK_INT(nflog_set_timeout(gh, 10), 0);
	CHECK(heard.calls > 0 && heard.calls < 20);
	CHECK_INT(nflog_close(h), 0);
}

/* Fills the receive buffer until packets, and answers, are lost. */
static void overrun(struct nflog_handle *h, int group)
{
	int size = 4096;

	CHECK_INT(setsockopt(nflog_fd(h), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	log_packets(group, 100, 10);
}

/* Answers that an overrun took away are asked for again; what was done is not refused then. */
static void test_overruns(void)
{
	struct heard heard, other;
	struct nflog_handle *h = nflog_open();
	struct nflog_g_handle *gh = bind_heard(h, 1, &heard);

	overrun(h, 1);
	CHECK_ERR((other.gh = nflog_bind_group(h, 2)) != NULL, 1, UNTOUCHED);
	CHECK(heard.calls > 0 && heard.calls < 100);
	overrun(h, 1);
	CHECK_ERR(nflog_unbind_group(other.gh), 0, UNTOUCHED);
	overrun(h, 1);
	CHECK_ERR(nflog_set_mode(gh, NFULNL_COPY_META, 0), 0, UNTOUCHED);
	overrun(h, 1);
	CHECK_ERR(REFUSED, -1, EINVAL);
	overrun(h, 1);
	CHECK_NULL(nflog_bind_group(h, 1), EBUSY);
	while (receive_one(h) != -2 || errno == ENOBUFS)
		continue;
	bind_heard(h, 2, &other);
	log_packets(2, 2, 10);
	CHECK_INT(receive_one(h), 0);
	CHECK_INT(receive_one(h), 0);
	CHECK_INT(other.calls, 2);
	check_in_step(h, gh);
	CHECK_INT(nflog_close(h), 0);
}

/* The same with a socket that does not tell of overruns. */
static void test_silent_overruns(void)
{
	struct heard heard;
	struct nflog_handle *h = nflog_open();
	struct nflog_g_handle *gh = bind_heard(h, 1, &heard);
	int on = 1;

	CHECK_INT(setsockopt(nflog_fd(h), SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on)), 0);
	overrun(h, 1);
	CHECK_ERR((gh = nflog_bind_group(h, 2)) != NULL, 1, UNTOUCHED);
	overrun(h, 1);
	CHECK_ERR(nflog_unbind_group(gh), 0, UNTOUCHED);
	check_in_step(h, heard.gh);
	CHECK_INT(nflog_close(h), 0);
}

/* What waits for a group that is unbound is dropped, in the socket and in the kernel's batch; what
 * waits for others is not. */
static void test_unbind(void)
{
	static const int thresholds[] = { 1, 2, 100 };

	for (size_t i = 0; i < COUNT(thresholds); i++) {
		struct heard heard, other;
		struct nflog_handle *h = nflog_open();
		struct nflog_g_handle *gh = bind_heard(h, 1, &heard);

		about("batches of %d", thresholds[i]);
		bind_heard(h, 2, &other);
		CHECK_INT(nflog_set_qthresh(gh, (uint32_t)thresholds[i]), 0);
		log_packets(1, 3, 10);
		log_packets(2, 2, 10);
		CHECK_ERR(nflog_unbind_group(gh), 0, UNTOUCHED);
		CHECK_INT(heard.calls, 0);
		CHECK_INT(other.calls, 2);
		CHECK(nothing_waits(h));
		check_in_step(h, bind_heard(h, 1, &heard));
		log_packets(1, 1, 10);
		CHECK_INT(receive_one(h), 0);
		CHECK_INT(heard.calls, 1);
		CHECK_INT(nflog_close(h), 0);
	}
	about("");
}

/* However the program has set up its descriptor. */
static void test_blocking_or_not(void)
{
	struct heard heard;
	struct nflog_handle *h = nflog_open();
	struct nflog_g_handle *gh = bind_heard(h, 1, &heard);
	struct timeval time = { 0, 1000 };

	CHECK_INT(setsockopt(nflog_fd(h), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)), 0);
	check_in_step(h, gh);
	CHECK_INT(fcntl(nflog_fd(h), F_SETFL, O_NONBLOCK), 0);
	log_packets(1, 2, 10);
	check_in_step(h, gh);
	CHECK_INT(heard.calls, 2);
	CHECK_INT(fcntl(nflog_fd(h), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	CHECK_INT(nflog_close(h), 0);
}

/* While packets come without end. */
static void test_under_load(void)
{
	struct heard heard;
	struct nflog_handle *h = nflog_open();
	struct nflog_g_handle *gh = bind_heard(h, 1, &heard), *other;
	pid_t child = fork_or_exit();
	struct pollfd comes = { nflog_fd(h), POLLIN, 0 };
	int wrong = 0;

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			log_packets(1, 1000, 10);
	}
	while (heard.calls < 5000 && poll(&comes, 1, -1) == 1) {
		wrong += nflog_bind_pf(h, 11) != -1 || errno != EINVAL;
		wrong += nflog_set_mode(gh, NFULNL_COPY_META, 0) != 0;
		other = nflog_bind_group(h, 2);
		wrong += other == NULL;
		wrong += nflog_bind_group(h, 1) != NULL || errno != EBUSY;
		wrong += nflog_unbind_group(other) != 0;
	}
	CHECK_INT(wrong, 0);
	CHECK_INT(heard.wrong, 0);
	CHECK(heard.calls >= 5000);
	CHECK_INT(kill(child, SIGKILL), 0);
	CHECK_INT(waitpid(child, NULL, 0), child);
	CHECK_INT(nflog_close(h), 0);
}

/* The receive buffer is made larger by the size of batches, and never smaller. */
static void test_receive_buffer(void)
{
	static const struct {
		uint32_t batch;
		bool grows;
	} rows[] = { { 3776, false }, { 3775, false }, { 131073, false }, { 0xffffffff, false },
		     { 429497000, false }, { 131072, true }, { 65536, false } };
	struct nflog_handle *h = nflog_open();
	struct nflog_g_handle *gh = nflog_bind_group(h, 1);
	int before, after, wanted;
	socklen_t size = sizeof(int);

	for (size_t i = 0; i < COUNT(rows); i++) {
		about("batches of %u bytes", rows[i].batch);
		CHECK_INT(getsockopt(nflog_fd(h), SOL_SOCKET, SO_RCVBUF, &before, &size), 0);
		CHECK_ERR(nflog_set_nlbufsiz(gh, rows[i].batch), 0, UNTOUCHED);
		CHECK_INT(getsockopt(nflog_fd(h), SOL_SOCKET, SO_RCVBUF, &after, &size), 0);
		wanted = rows[i].grows ? 20 * (int)rows[i].batch : before;
		if (rows[i].grows && after < wanted) /* what the system allows without privileges */
			wanted = 2 * (int)read_number("/proc/sys/net/core/rmem_max");
		CHECK_INT(after, wanted);
	}
	about("");
	CHECK_INT(nflog_close(h), 0);
}

int main(void)
{
	if (log_by_port()) {
		test_no_callback();
		test_verdicts();
		test_large_packets();
		test_large_batch();
		test_overruns();
		test_silent_overruns();
		test_unbind();
		test_blocking_or_not();
		test_under_load();
		test_receive_buffer();
	}
	return finish();
}
