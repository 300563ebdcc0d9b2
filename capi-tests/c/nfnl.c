/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The real libnfnetlink on our handles, and our handles on its. */
/* Built with -lnfnetlink. */
#include "kernel.h"
#include <linux/netfilter/nf_tables.h>
#include <libnfnetlink/libnfnetlink.h>

#define NFTABLES 10 /* a subsystem that answers a question at once */

static struct nfnl_handle *nfnl_of(struct nfct_handle *h)
{
	return (struct nfnl_handle *)nfct_nfnlh(h);
}

static struct sockaddr_nl address_of(int fd)
{
	struct sockaddr_nl address = { 0 };
	socklen_t size = sizeof(address);

	CHECK_INT(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return address;
}

static void test_accessors(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 1);
	struct nfnl_handle *nfnl = nfnl_of(h);
	unsigned int size;

	CHECK_INT(nfnl_fd(nfnl), nfct_fd(h));
	CHECK_INT(nfnl_portid(nfnl), address_of(nfct_fd(h)).nl_pid);
	size = nfnl_rcvbufsiz(nfnl, 100000); /* conntrackd and ulogd grow it so */
	CHECK(size >= 100000);
	CHECK_INT(nfnl_rcvbufsiz(nfnl, 50000) < size, 1);
	CHECK_INT(nfnl_join(nfnl, NFNLGRP_CONNTRACK_DESTROY), 0);
	CHECK_INT(nfct_close(h), 0);
}

/* Receiving with libnfnetlink calls the conntrack callback, as nfct_catch does. */
static void test_catch_and_process(void)
{
	uint32_t family = AF_UNSPEC;
	unsigned char buffer[65536];
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);
	struct nf_conntrack *ct = flow(2);
	ssize_t size;

	CHECK_INT(nfct_send(h, NFCT_Q_DUMP, &family), 20);
	CHECK_INT(nfnl_catch(nfnl_of(h)), 0);
	CHECK_INT(seen.calls, 300);
	CHECK_INT(nfct_send(h, NFCT_Q_GET, ct), 72);
	size = nfnl_recv(nfnl_of(h), buffer, sizeof(buffer));
	CHECK(size > 72);
	CHECK(nfnl_process(nfnl_of(h), buffer, (size_t)size) > 0);
	CHECK_INT(seen.calls, 301);
	CHECK_INT(seen.last_src, htonl(0x0a000003));
	size = nfnl_recv(nfnl_of(h), buffer, sizeof(buffer));
	CHECK_INT(nfnl_process(nfnl_of(h), buffer, (size_t)size), 0); /* the acknowledgement */
	seen.answer = NFCT_CB_STOP;
	CHECK_INT(nfct_send(h, NFCT_Q_DUMP, &family), 20);
	CHECK_INT(nfnl_catch(nfnl_of(h)), 0);
	CHECK_INT(seen.calls, 302);
	nfct_destroy(ct);
	CHECK_INT(nfct_close(h), 0);

	h = open_seeing(&seen, 0);
	nfct_callback_unregister(h);
	CHECK_INT(nfct_callback_register2(h, NFCT_T_ALL, callback2, &seen), 0);
	CHECK_INT(nfct_send(h, NFCT_Q_DUMP, &family), 20);
	CHECK_INT(nfnl_catch(nfnl_of(h)), 0);
	CHECK_INT(seen.calls, 300);
	CHECK_INT(seen.version, 2);
	nfct_callback_unregister2(h);
	CHECK_INT(nfct_send(h, NFCT_Q_DUMP, &family), 20);
	CHECK_INT(nfnl_catch(nfnl_of(h)), 0);
	CHECK_INT(seen.calls, 300);
	CHECK_INT(nfct_close(h), 0);
}

#ifndef REFERENCE
/* A filtered dump that a program sends here and receives there hands out what was asked for. */
static void test_filtered_dump(void)
{
	uint32_t family = AF_UNSPEC;
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);
	struct nfct_filter_dump *f = nfct_filter_dump_create();
	struct nf_conntrack *ct = flow(2);

	nfct_set_attr_u16(ct, ATTR_ORIG_ZONE, 0); /* the kernel would ignore it */
	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_TUPLE, ct);
	CHECK(nfct_send(h, NFCT_Q_DUMP_FILTER, f) > 0);
	CHECK_INT(nfnl_catch(nfnl_of(h)), 0);
	CHECK_INT(seen.calls, 1);
	CHECK(nfct_send(h, NFCT_Q_DUMP_FILTER_RESET, f) > 0);
	CHECK_INT(nfnl_catch(nfnl_of(h)), 0);
	CHECK_INT(seen.calls, 2);
	nfct_set_attr_u16(ct, ATTR_ORIG_ZONE, 1);
	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_TUPLE, ct);
	CHECK(nfct_send(h, NFCT_Q_DUMP_FILTER, f) > 0);
	nfct_filter_dump_destroy(f);
	CHECK_INT(nfnl_catch(nfnl_of(h)), 0);
	CHECK_INT(seen.calls, 2);
	CHECK_INT(nfct_send(h, NFCT_Q_DUMP, &family), 20);
	CHECK_INT(nfnl_catch(nfnl_of(h)), 0);
	CHECK_INT(seen.calls, 302);
	nfct_destroy(ct);
	CHECK_INT(nfct_close(h), 0);
}
#endif

static void test_settings(void)
{
	static const unsigned int sizes[] = { 8192, 32768, 65536, 262144 };
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);

	for (size_t i = 0; i < COUNT(sizes); i++) {
		about("buffer of %u", sizes[i]);
		nfnl_set_rcv_buffer_size(nfnl_of(h), sizes[i]);
		seen.calls = 0;
		CHECK_INT(dump(h), 0);
		CHECK_INT(seen.calls, 300);
	}
#ifndef REFERENCE /* takes a datagram that was cut short for the end of the dump */
	for (unsigned int size = 8192; size > 10; size /= 3) {
		about("buffer of %u", size);
		nfnl_set_rcv_buffer_size(nfnl_of(h), size);
		seen.calls = 0;
		CHECK_INT(dump(h), 0);
		CHECK_INT(seen.calls, 300);
	}
#endif
	about("");
	nfnl_unset_sequence_tracking(nfnl_of(h));
	CHECK_INT(query_flow(h, NFCT_Q_GET, flow(5)), 0);
	nfnl_set_sequence_tracking(nfnl_of(h));
	CHECK_ERR(query_flow(h, NFCT_Q_GET, flow(5000)), -1, ENOENT);
	CHECK_INT(nfct_close(h), 0);
}

static int generations;

static int see_generation(struct nlmsghdr *nlh, struct nfattr *attributes[], void *data)
{
	CHECK_INT(nlh->nlmsg_type, NFTABLES << 8 | NFT_MSG_NEWGEN);
	CHECK(attributes != NULL);
	CHECK(data == &generations);
	generations++;
	return 1;
}

/* Asks nf_tables for its generation, on the socket of a conntrack handle. */
static void ask_generation(struct nfct_handle *h)
{
	struct message m;

	message_start(&m, NFTABLES << 8 | NFT_MSG_GETGEN, AF_UNSPEC);
	m.u.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	CHECK_INT(send(nfct_fd(h), &m, 20, 0), 20);
}

/* Another subsystem on the same handle: nfct_catch serves what libnfnetlink registered. */
static void test_other_subsystem(void)
{
	struct nfnl_callback cb = { .call = see_generation, .data = &generations, .attr_count = 3 };
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);
	struct nfnl_subsys_handle *ssh;

	ask_generation(h);
	errno = UNTOUCHED;
	if (nfct_catch(h) == -1 && errno != ENOENT) {
		skip("the kernel has no nf_tables (modprobe nf_tables)");
		CHECK_INT(nfct_close(h), 0);
		return;
	}
	CHECK_INT(errno, ENOENT); /* nobody here knows the subsystem */
	CHECK_INT(nfct_catch(h), 0); /* its acknowledgement */
	ssh = nfnl_subsys_open(nfnl_of(h), NFTABLES, 32, 0);
	CHECK(ssh != NULL);
	CHECK_NULL(nfnl_subsys_open(nfnl_of(h), NFNL_SUBSYS_CTNETLINK, 8, 0), EBUSY);
	CHECK_INT(nfnl_callback_register(ssh, NFT_MSG_NEWGEN, &cb), 0);
	ask_generation(h);
	CHECK_INT(nfct_catch(h), 0);
	CHECK_INT(generations, 1);
	ask_generation(h);
	CHECK_INT(nfnl_catch(nfnl_of(h)), 0);
	CHECK_INT(generations, 2);
	CHECK_INT(dump(h), 0);
	CHECK_INT(seen.calls, 300);
	nfnl_subsys_close(ssh);
	ask_generation(h);
	CHECK_ERR(nfct_catch(h), -1, ENOENT);
	CHECK_INT(nfct_close(h), 0);
}

static void test_open_nfnl(void)
{
	struct seen seen = { .answer = NFCT_CB_CONTINUE };
	struct nfnl_handle *nfnl = nfnl_open();
	struct nfct_handle *h = nfct_open_nfnl(nfnl, CONNTRACK, 5);
	int fd = nfnl_fd(nfnl);

	CHECK(h != NULL);
	CHECK(nfct_nfnlh(h) == nfnl);
	CHECK_INT(nfct_fd(h), fd);
	CHECK_INT(address_of(fd).nl_groups, 5);
	CHECK_NULL(nfct_open_nfnl(nfnl, CONNTRACK, 0), EBUSY);
	CHECK_NULL(nfct_open_nfnl(nfnl, 0, 0), EBUSY);
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, callback, &seen), 0);
	CHECK_INT(dump(h), 0);
	CHECK_INT(seen.calls, 300);
	CHECK_ERR(nfct_close(h), 0, UNTOUCHED); /* closes nfnl too */
	CHECK_INT(fcntl(fd, F_GETFD), -1);

	/* A subsystem that is taken: the handle stays its owner's. */
	nfnl = nfnl_open();
	CHECK(nfnl_subsys_open(nfnl, NFNL_SUBSYS_CTNETLINK_EXP, 4, 0) != NULL);
	CHECK_NULL(nfct_open_nfnl(nfnl, EXPECT, 0), EBUSY);
	CHECK_NULL(nfct_open_nfnl(nfnl, 0, 0), EBUSY);
	h = nfct_open_nfnl(nfnl, CONNTRACK, 0); /* the failed one took nothing */
	CHECK(h != NULL);
	CHECK_INT(nfct_close(h), 0);
	nfnl = nfnl_open();
	CHECK(nfnl_subsys_open(nfnl, NFNL_SUBSYS_CTNETLINK, 8, 0) != NULL);
	CHECK_NULL(nfct_open_nfnl(nfnl, CONNTRACK, 0), EBUSY);
	CHECK_INT(nfnl_close(nfnl), 0);
}

static struct nfct_handle *unfreed[3]; /* nothing frees a handle that libnfnetlink closed */

/* Flows and expectations in two handles on one of libnfnetlink's, closed by libnfnetlink. */
static void closed_by_nfnl(void)
{
	struct seen seen = { .answer = NFCT_CB_CONTINUE };
	struct nfnl_handle *nfnl = nfnl_open();
	struct nfct_handle *flows = nfct_open_nfnl(nfnl, CONNTRACK, 1);
	struct nfct_handle *expectations = nfct_open_nfnl(nfnl, EXPECT, 8);
	uint32_t family = AF_UNSPEC;

	unfreed[0] = flows;
	unfreed[1] = expectations;
	CHECK(flows != NULL && expectations != NULL);
	CHECK_INT(nfct_fd(flows), nfct_fd(expectations));
	CHECK_INT(address_of(nfct_fd(flows)).nl_groups, 9);
	CHECK_INT(nfct_callback_register(flows, NFCT_T_ALL, callback, &seen), 0);
	CHECK_INT(dump(flows), 0);
	CHECK_INT(seen.calls, 300);
	CHECK_INT(nfexp_query(expectations, NFCT_Q_DUMP, &family), 0);
	CHECK_INT(nfnl_close(nfnl), 0);
}

static void opened_here_closed_by_nfnl(void)
{
	struct seen seen;

	unfreed[2] = open_seeing(&seen, 0);
	CHECK_INT(nfnl_close(nfnl_of(unfreed[2])), 0);
}

int main(void)
{
	struct nfct_handle *h;

	own_namespace();
	h = nfct_open(CONNTRACK, 0);
	create_flows(h, 0, 300);
	CHECK_INT(nfct_close(h), 0);
	test_accessors();
	test_catch_and_process();
#ifndef REFERENCE
	test_filtered_dump();
#endif
	test_settings();
	test_other_subsystem();
	test_open_nfnl();
	in_child(closed_by_nfnl);
	in_child(opened_here_closed_by_nfnl);
	return finish();
}
