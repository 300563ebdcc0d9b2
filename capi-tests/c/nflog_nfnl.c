/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The real libnfnetlink on handles of logged packets, and these on its. Outcome: what it receives
 * reaches the callbacks of groups, what others have registered with it is served, and it knows the
 * number of the last request. */
/* Built with -lnfnetlink. */
#include "logged.h"
#include <linux/netfilter/nf_tables.h>
#include <libnfnetlink/libnfnetlink.h>

#define NFTABLES 10 /* a subsystem that answers a question at once */

/* As libnfnetlink has it in memory. */
struct subsystem {
	void *nfnlh;
	uint32_t subscriptions;
	uint8_t subsys_id;
	uint8_t cb_count;
	struct nfnl_callback *cb;
};

struct block {
	int fd;
	struct sockaddr_nl local, peer;
	uint32_t subscriptions, seq, dump, rcv_buffer_size, flags;
	struct nlmsghdr *last_nlhdr;
	struct subsystem subsys[17];
};

static struct block *block_of(struct nflog_handle *h)
{
	return (struct block *)(void *)nflog_nfnlh(h);
}

/* What programs can see of a handle. */
static void test_layout(void)
{
	struct nflog_handle *h = nflog_open();
	struct block *block = block_of(h);
	struct subsystem *slot = &block->subsys[NFNL_SUBSYS_ULOG];
	struct sockaddr_nl address;
	socklen_t size = sizeof(address);

	CHECK(nflog_nfnlh(h) == nflog_nfnlh(h));
	CHECK_INT(nfnl_fd(nflog_nfnlh(h)), nflog_fd(h));
	CHECK_INT(getsockname(nflog_fd(h), (struct sockaddr *)&address, &size), 0);
	CHECK_INT(nfnl_portid(nflog_nfnlh(h)), address.nl_pid);
	CHECK(nfnl_rcvbufsiz(nflog_nfnlh(h), 300000) >= 300000);
	CHECK_INT(fcntl(nflog_fd(h), F_GETFD), FD_CLOEXEC);
	CHECK_INT(block->subscriptions, 0);
	CHECK_INT(block->rcv_buffer_size, 8192);
	CHECK_INT(block->flags, 0);
	CHECK(slot->nfnlh == block);
	CHECK_INT(slot->subscriptions, 0);
	CHECK_INT(slot->subsys_id, 4);
	CHECK_INT(slot->cb_count, 2);
	CHECK(slot->cb[0].call != NULL && slot->cb[0].data != NULL);
	CHECK_INT(slot->cb[0].attr_count, 19);
	CHECK(slot->cb[1].call == NULL && slot->cb[1].data == NULL);
	CHECK_INT(slot->cb[1].attr_count, 0);
	for (int other = 0; other < 17; other++)
		CHECK_INT(block->subsys[other].cb != NULL, other == 4);
	CHECK_INT(nflog_close(h), 0);
}

/* Each way in which libnfnetlink receives, with its result. */
static int by_handle_packet(struct nflog_handle *h)
{
	static char buffer[DATAGRAM_SIZE];
	ssize_t size = nfnl_recv(nflog_nfnlh(h), (unsigned char *)buffer, sizeof(buffer));

	return nfnl_handle_packet(nflog_nfnlh(h), buffer, (int)size);
}

static int by_process(struct nflog_handle *h)
{
	static unsigned char buffer[DATAGRAM_SIZE];
	ssize_t size = nfnl_recv(nflog_nfnlh(h), buffer, sizeof(buffer));

	return nfnl_process(nflog_nfnlh(h), buffer, (size_t)size);
}

static int by_catch(struct nflog_handle *h)
{
	return nfnl_catch(nflog_nfnlh(h));
}

static int (*const ways[])(struct nflog_handle *) = { by_handle_packet, by_process, by_catch };

static void test_ways(void)
{
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct heard heard;
		struct nflog_handle *h = nflog_open();
		struct nflog_g_handle *gh = bind_heard(h, 1, &heard);

		about("way %zu", i);
		log_packets(1, 1, 10);
		CHECK_INT(ways[i](h), 0);
		CHECK_INT(heard.calls, 1);
		/* The verdict is what libnfnetlink is told, and what stands for no callback. */
		heard.answer = -7;
		log_packets(1, 1, 10);
		CHECK_INT(ways[i](h), i == 0 ? -1 : -7);
		CHECK_INT(heard.calls, 2);
		CHECK_INT(nflog_callback_register(gh, NULL, NULL), 0);
		log_packets(1, 1, 10);
		CHECK_INT(ways[i](h), i == 0 ? -1 : -ENODEV);
		CHECK_INT(heard.wrong, 0);
		CHECK_INT(nflog_close(h), 0);
	}
	about("");
}

struct acting {
	struct nflog_handle *h;
	struct nflog_g_handle *gh;
	int calls;
	bool unbinds;
};

/* Asks the kernel, and unbinds the group at the second call. */
static int act(struct nflog_g_handle *gh, struct nfgenmsg *nfmsg, struct nflog_data *nfd, void *data)
{
	struct acting *acting = data;

	(void)nfmsg;
	(void)nfd;
	acting->calls++;
	CHECK_ERR(nflog_set_timeout(gh, 10), 0, UNTOUCHED);
	CHECK_ERR(nflog_bind_pf(acting->h, 11), -1, EINVAL);
	if (acting->unbinds)
		CHECK_ERR(nflog_unbind_group(gh), 0, UNTOUCHED);
	return 0;
}

/* Requests from callbacks that libnfnetlink calls; packets that they meet are not lost. */
static void test_requests_inside(void)
{
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct acting acting = { .h = nflog_open() };

		about("way %zu", i);
		acting.gh = bind_at_once(acting.h, 1);
		CHECK_INT(nflog_callback_register(acting.gh, act, &acting), 0);
		log_packets(1, 3, 10);
		CHECK_INT(ways[i](acting.h), 0);
		CHECK_INT(acting.calls, 3);
		acting.unbinds = true;
		log_packets(1, 2, 10);
		CHECK_INT(ways[i](acting.h), 0);
		CHECK_INT(acting.calls, 4);
		CHECK(nothing_waits(acting.h));
		CHECK_INT(nflog_close(acting.h), 0);
	}
	about("");
}

static int generations;

static int see_generation(struct nlmsghdr *nlh, struct nfattr *attributes[], void *data)
{
	CHECK_INT(nlh->nlmsg_type, NFTABLES << 8 | NFT_MSG_NEWGEN);
	CHECK(attributes != NULL && attributes[NFTA_GEN_ID - 1] != NULL);
	CHECK(data == &generations);
	generations++;
	return 1;
}

/* Asks nf_tables for its generation, on the socket of a handle. */
static void ask_generation(struct nflog_handle *h)
{
	struct message m;

	message_start(&m, NFTABLES << 8 | NFT_MSG_GETGEN, AF_UNSPEC);
	m.u.header.nlmsg_flags = NLM_F_REQUEST;
	CHECK_INT(send(nflog_fd(h), &m, 20, 0), 20);
}

/* Another subsystem on the same handle: what libnfnetlink registered is served. */
static void test_other_subsystem(void)
{
	struct nfnl_callback cb = { .call = see_generation, .data = &generations, .attr_count = 3 };
	struct heard heard;
	struct nflog_handle *h = nflog_open();
	struct nfnl_subsys_handle *ssh;

	bind_heard(h, 1, &heard);
	ask_generation(h);
	CHECK_ERR(receive_one(h), -1, ENOENT); /* nobody here knows the subsystem */
	ssh = nfnl_subsys_open(nflog_nfnlh(h), NFTABLES, 32, 0);
	CHECK(ssh != NULL);
	CHECK_NULL(nfnl_subsys_open(nflog_nfnlh(h), NFNL_SUBSYS_ULOG, 2, 0), EBUSY);
	CHECK_INT(nfnl_callback_register(ssh, NFT_MSG_NEWGEN, &cb), 0);
	ask_generation(h);
	CHECK_INT(receive_one(h), 0);
	CHECK_INT(generations, 1);
	ask_generation(h);
	log_packets(1, 1, 10);
	CHECK_ERR(nflog_bind_pf(h, 11), -1, EINVAL);
	CHECK_INT(generations, 2);
	CHECK_INT(heard.calls, 1);
	nfnl_subsys_close(ssh);
	ask_generation(h);
	CHECK_ERR(nflog_bind_pf(h, 11), -1, EINVAL); /* nobody's, and dropped */
	CHECK_INT(nflog_close(h), 0);
}

#ifndef REFERENCE /* is one library, and has no flows */
static struct nfct_handle *flows; /* its handle of libnfnetlink is closed by another's end */

/* On a handle of libnfnetlink, beside one for flows. */
static void test_open_nfnl(void)
{
	struct seen seen = { .answer = NFCT_CB_CONTINUE };
	struct nfnl_handle *nfnl = nfnl_open();
	struct block *block = (struct block *)(void *)nfnl;
	uint32_t seq = block->seq, flags = block->flags;
	struct nflog_handle *h = nflog_open_nfnl(nfnl);
	struct heard heard;
	int fd = nfnl_fd(nfnl);

	flows = nfct_open_nfnl(nfnl, CONNTRACK, 0);
	CHECK(h != NULL && flows != NULL);
	CHECK(nflog_nfnlh(h) == nfnl);
	CHECK_INT(nflog_fd(h), fd);
	CHECK_INT(block->flags, flags);
	CHECK_NULL(nflog_open_nfnl(nfnl), EBUSY);
	bind_heard(h, 1, &heard); /* two requests */
	CHECK_INT(block->seq, seq + 2);
	log_packets(1, 1, 10);
	CHECK_INT(nfct_callback_register(flows, NFCT_T_ALL, callback, &seen), 0);
	CHECK_INT(nfnl_catch(nfnl), 0);
	CHECK_INT(heard.calls, 1);
	log_packets(1, 1, 10);
	CHECK_ERR(query_flow(flows, NFCT_Q_GET, flow(9)), 0, 0); /* the callback stops it */
	CHECK_INT(heard.calls, 2);
	CHECK_ERR(nflog_set_timeout(heard.gh, 1), 0, UNTOUCHED); /* its answer is none to this */
	CHECK(nothing_waits(h));
	CHECK_ERR(nflog_close(h), 0, UNTOUCHED); /* closes nfnl too */
	CHECK_INT(fcntl(fd, F_GETFD), -1);
}
#endif

/* What is taken stays its owner's. */
static void test_taken(void)
{
	struct nfnl_handle *nfnl = nfnl_open();
	struct nfnl_subsys_handle *ssh = nfnl_subsys_open(nfnl, NFNL_SUBSYS_ULOG, 2, 0);
	struct nflog_handle *h;

	CHECK(ssh != NULL);
	CHECK_NULL(nflog_open_nfnl(nfnl), EBUSY);
	CHECK_NULL(nflog_open_nfnl(NULL), EINVAL);
	nfnl_subsys_close(ssh);
	h = nflog_open_nfnl(nfnl);
	CHECK(h != NULL);
	CHECK_INT(close(nfnl_fd(nfnl)), 0);
	CHECK_ERR(nflog_close(h), -1, EBADF); /* freed all the same */
}

int main(void)
{
	if (log_by_port()) {
		test_layout();
		test_ways();
		test_requests_inside();
		test_other_subsystem();
#ifndef REFERENCE
		test_open_nfnl();
#endif
		test_taken();
	}
	return finish();
}
