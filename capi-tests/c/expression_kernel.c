/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Filters that are expressions, attached to a handle: which events reach its callback, whoever drops
 * the others. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there are none */
	return finish();
}
#else
#include <ctrs.h>

static int attach(struct nfct_handle *h, const char *text)
{
	struct ctrs_filter *filter = ctrs_filter_compile(text, NULL, NULL);
	int result;

	CHECK(filter != NULL);
	result = ctrs_filter_attach(h, filter);
	ctrs_filter_free(filter);
	return result;
}

/* Creates a flow with mark n for each n below `number`, and counts the events that come. */
static int heard(struct nfct_handle *h, struct seen *seen, struct nfct_handle *asks, unsigned int number)
{
	CHECK_INT(flush(asks), 0);
	for (unsigned int n = 0; n < number; n++)
		CHECK_INT(query_flow(asks, NFCT_Q_CREATE, marked(new_flow(n), n)), 0);
	seen->calls = 0;
	CHECK_INT(nfct_catch(h), -1);
	CHECK_INT(errno, EAGAIN);
	return seen->calls;
}

static void test_events(void)
{
	static const struct {
		const char *text;
		int created, deleted;
	} attached[] = {
		{ "all", 8, 8 },
		{ "not all", 0, 0 },
		{ "tcp and dport 80", 8, 8 },
		{ "udp or dport 81", 0, 0 },
		{ "src 10.0.0.3 or src 10.0.0.5", 2, 2 },
		{ "mark 3", 1, 1 },
		{ "mark 4-100", 4, 4 },
		/* The library alone decides these: */
		{ "helper \"ftp\"", 0, 0 },
		{ "helper != \"ftp\"", 8, 0 }, /* the event of an end does not tell it */
		{ "mark {3, 5} and not label 1", 2, 0 },
		{ "bytes > 1M or mark 3", 1, 1 },
		{ "not bytes > 1M", 0, 0 },
	};
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, NF_NETLINK_CONNTRACK_NEW | NF_NETLINK_CONNTRACK_DESTROY);
	struct nfct_handle *asks = nfct_open(CONNTRACK, 0);

	CHECK_INT(fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK), 0);
	CHECK_INT(heard(h, &seen, asks, 0), 0);
	for (size_t i = 0; i < COUNT(attached); i++) {
		about("%s", attached[i].text);
		CHECK_INT(attach(h, attached[i].text), 0);
		CHECK_INT(heard(h, &seen, asks, 8), attached[i].created);
		CHECK_INT(heard(h, &seen, asks, 0), attached[i].deleted);
	}
	about("");
	CHECK_INT(ctrs_filter_attach(h, NULL), 0);
	CHECK_INT(heard(h, &seen, asks, 8), 8);
	CHECK_INT(ctrs_filter_attach(h, NULL), 0);
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(nfct_close(asks), 0);
}

/* What came before the filter is checked when it is received. */
static void test_events_on_the_way(void)
{
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, NF_NETLINK_CONNTRACK_NEW);
	struct nfct_handle *asks = nfct_open(CONNTRACK, 0);

	CHECK_INT(fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK), 0);
	CHECK_INT(flush(asks), 0);
	create_flows(asks, 0, 4);
	CHECK_INT(attach(h, "src 10.0.0.2"), 0);
	CHECK_ERR(nfct_catch(h), -1, EAGAIN);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(seen.last_src, htonl(0x0a000002));
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(nfct_close(asks), 0);
}

/* Answers are none of an event filter's business. */
static void test_answers(void)
{
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);

	CHECK_INT(flush(h), 0);
	create_flows(h, 0, 4);
	CHECK_INT(attach(h, "not all"), 0);
	CHECK_INT(dump(h), 0);
	CHECK_INT(seen.calls, 4);
	CHECK_INT(query_flow(h, NFCT_Q_GET, flow(2)), 0);
	CHECK_INT(seen.calls, 5);
	CHECK_ERR(query_flow(h, NFCT_Q_GET, flow(9)), -1, ENOENT);
	CHECK_INT(nfct_close(h), 0);
}

/* What was attached stays when something else cannot be. */
static void test_refusal(void)
{
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, NF_NETLINK_CONNTRACK_NEW);
	int fd = nfct_fd(h);

	CHECK_INT(attach(h, "tcp"), 0);
	CHECK_INT(ctrs_last_error(h)->err, 0);
	CHECK_INT(close(fd), 0);
	CHECK_ERR(attach(h, "udp"), -1, EBADF);
	CHECK_INT(ctrs_last_error(h)->err, EBADF);
	CHECK_ERR(ctrs_filter_attach(h, NULL), -1, EBADF);
	CHECK_INT(nfct_close(h), -1);
}

int main(void)
{
	own_namespace();
	test_events();
	test_events_on_the_way();
	test_answers();
	test_refusal();
	return finish();
}
#endif
