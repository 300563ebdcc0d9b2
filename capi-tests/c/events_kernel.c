/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Events from a real kernel: what arrives, filters on the socket, lost events, both subsystems. */
#include "kernel.h"

/* Everything that has come in so far; catch ends with EAGAIN, as it should. */
static void drain(struct nfct_handle *h)
{
	CHECK_ERR(nfct_catch(h), -1, EAGAIN);
}

static struct nfct_handle *listen_all(struct seen *seen)
{
	struct nfct_handle *h = open_seeing(seen, NFCT_ALL_CT_GROUPS);

	CHECK_INT(fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK), 0);
	return h;
}

static void test_each_kind(struct nfct_handle *writer)
{
	struct seen seen;
	struct nfct_handle *h = listen_all(&seen);

	CHECK_INT(nfct_callback_register2(h, NFCT_T_ALL, callback2, &seen), 0);
	nfct_callback_unregister(h);
	CHECK_INT(nfct_callback_register2(h, NFCT_T_ALL, callback2, &seen), 0);
	drain(h);
	CHECK_INT(seen.calls, 0);
	CHECK_INT(query_flow(writer, NFCT_Q_CREATE, new_flow(0)), 0);
	drain(h);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(seen.types, NFCT_T_NEW);
	CHECK_INT(seen.version, 2);
	CHECK_INT(seen.last_src, htonl(0x0a000001));
	/* conntrackd recognises its own changes by the port in the header. */
	{
		uint32_t port;

		memcpy(&port, (const char *)nfct_nfnlh(writer) + 8, 4);
		CHECK_INT(seen.header.nlmsg_pid, port);
		CHECK_INT(seen.header.nlmsg_seq, 0);
	}
	seen.types = 0;
	CHECK_INT(query_flow(writer, NFCT_Q_UPDATE, marked(flow(0), 4)), 0);
	drain(h);
	CHECK_INT(seen.types, NFCT_T_UPDATE);
	CHECK_INT(seen.last_mark, 4);
	seen.types = 0;
	CHECK_INT(query_flow(writer, NFCT_Q_DESTROY, flow(0)), 0);
	drain(h);
	CHECK_INT(seen.types, NFCT_T_DESTROY);
	CHECK_INT(seen.calls, 3);
	CHECK_INT(nfct_close(h), 0);
}

static void make_three_events(struct nfct_handle *writer)
{
	CHECK_INT(query_flow(writer, NFCT_Q_CREATE, new_flow(1)), 0);
	CHECK_INT(query_flow(writer, NFCT_Q_UPDATE, marked(flow(1), 9)), 0);
	CHECK_INT(query_flow(writer, NFCT_Q_DESTROY, flow(1)), 0);
}

static void test_masks_and_groups(struct nfct_handle *writer)
{
	static const int kinds[] = { NFCT_T_NEW, NFCT_T_UPDATE, NFCT_T_DESTROY };

	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct seen seen;
		struct nfct_handle *h = listen_all(&seen);
		struct nfct_handle *one = nfct_open(CONNTRACK, (unsigned int)kinds[i]);

		about("type %d", kinds[i]);
		/* Asked for one kind of three that arrive, then for all of one that arrives. */
		CHECK_INT(nfct_callback_register(h, (enum nf_conntrack_msg_type)kinds[i], callback,
						 &seen), 0);
		make_three_events(writer);
		drain(h);
		CHECK_INT(seen.calls, 1);
		CHECK_INT(seen.types, kinds[i]);
		CHECK_INT(nfct_close(h), 0);
		seen.calls = seen.types = 0;
		CHECK_INT(nfct_callback_register(one, NFCT_T_ALL, callback, &seen), 0);
		CHECK_INT(fcntl(nfct_fd(one), F_SETFL, O_NONBLOCK), 0);
		drain(one);
		CHECK_INT(seen.calls, 1);
		CHECK_INT(seen.types, kinds[i]);
		CHECK_INT(nfct_close(one), 0);
	}
	about("");
}

static void test_stop_and_go_on(struct nfct_handle *writer)
{
	struct seen seen;
	struct nfct_handle *h = listen_all(&seen);

	seen.answer = NFCT_CB_STOP;
	make_three_events(writer);
	for (int i = 1; i <= 3; i++) {
		CHECK_ERR(nfct_catch(h), 0, UNTOUCHED);
		CHECK_INT(seen.calls, i); /* one event per datagram: none is lost */
	}
	drain(h);
	CHECK_INT(nfct_close(h), 0);
}

static struct nf_conntrack *udp(struct nf_conntrack *ct)
{
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_UDP);
	if (nfct_attr_is_set(ct, ATTR_REPL_L3PROTO) == 1)
		nfct_set_attr_u8(ct, ATTR_REPL_L4PROTO, IPPROTO_UDP);
	return ct;
}

#ifndef REFERENCE
static void attach_and_destroy(struct nfct_handle *h, struct nfct_filter *f)
{
	CHECK_INT(nfct_filter_attach(nfct_fd(h), f), 0);
	nfct_filter_destroy(f);
}

/* Adds the sources of the flows from one number on, as many as given. */
static void add_sources(struct nfct_filter *f, unsigned int from, unsigned int number)
{
	for (unsigned int n = from; n < from + number; n++) {
		struct nfct_filter_ipv4 source = { 0x0a000000u + (n / 250 << 8) + n % 250 + 1,
						   0xffffffff };

		nfct_filter_add_attr(f, NFCT_FILTER_SRC_IPV4, &source);
	}
}

/* Every address of a long list counts, up to what the kernel takes. */
static void test_long_filter(struct nfct_handle *writer)
{
	const unsigned int number = 4000, events[] = { 10, 137, 138, 2000, 4008, 4009 };
	struct nfct_filter *f = nfct_filter_create();
	struct seen seen;
	struct nfct_handle *h = listen_all(&seen);

	add_sources(f, 10, number);
	attach_and_destroy(h, f);
	for (size_t i = 0; i < COUNT(events); i++) {
		about("flow %u", events[i]);
		CHECK_INT(query_flow(writer, NFCT_Q_CREATE, new_flow(events[i])), 0);
		drain(h);
		CHECK_INT(seen.calls, i + 1);
	}
	about("");
	create_flows(writer, 8, 2);
	create_flows(writer, 4010, 2);
	drain(h);
	CHECK_INT(seen.calls, COUNT(events));

	f = nfct_filter_create(); /* does not fit: the one before stays */
	add_sources(f, 0, 4100);
	CHECK_ERR(nfct_filter_attach(nfct_fd(h), f), -1, E2BIG);
	nfct_filter_destroy(f);
	CHECK_INT(flush(writer), 0);
	drain(h);
	CHECK_INT(seen.calls, 2 * COUNT(events));
	CHECK_INT(nfct_close(h), 0);
	h = listen_all(&seen); /* nor is anything attached */
	f = nfct_filter_create();
	add_sources(f, 0, 4100);
	CHECK_ERR(nfct_filter_attach(nfct_fd(h), f), -1, E2BIG);
	nfct_filter_destroy(f);
	CHECK_ERR(nfct_filter_detach(nfct_fd(h)), -1, ENOENT);
	CHECK_INT(nfct_close(h), 0);
}

static struct nf_conntrack *zoned(unsigned int n, enum nf_conntrack_attr attr, uint16_t zone)
{
	struct nf_conntrack *ct = new_flow(n);

	nfct_set_attr_u16(ct, attr, zone);
	return ct;
}

/* A zone is found whether it is for both directions or for one. */
static void test_zone_filter(struct nfct_handle *writer)
{
	for (unsigned int wanted = 0; wanted <= 5; wanted += 5) {
		for (int negative = 0; negative <= 1; negative++) {
			struct nfct_filter *f = nfct_filter_create();
			struct seen seen;
			struct nfct_handle *h = listen_all(&seen);

			about("zone %u, negative %d", wanted, negative);
			nfct_filter_add_attr_u32(f, NFCT_FILTER_ZONE, wanted);
			nfct_filter_add_attr_u32(f, NFCT_FILTER_ZONE, 77);
			if (negative)
				nfct_filter_set_logic(f, NFCT_FILTER_ZONE, NFCT_FILTER_LOGIC_NEGATIVE);
			attach_and_destroy(h, f);
			create_flows(writer, 0, 1);
			query_flow(writer, NFCT_Q_CREATE, zoned(1, ATTR_ZONE, 5));
			query_flow(writer, NFCT_Q_CREATE, zoned(2, ATTR_ORIG_ZONE, 5));
			query_flow(writer, NFCT_Q_CREATE, zoned(3, ATTR_REPL_ZONE, 5));
			query_flow(writer, NFCT_Q_CREATE, zoned(4, ATTR_ORIG_ZONE, 6));
			drain(h);
			CHECK_INT(seen.calls, negative ? (wanted ? 2 : 4) : (wanted ? 3 : 1));
			CHECK_INT(flush(writer), 0);
			CHECK_INT(nfct_close(h), 0);
		}
	}
	about("");
}
#endif

static void test_socket_filter(struct nfct_handle *writer)
{
	struct nfct_filter_ipv4 loopback = { 0x7f000001, 0xffffffff };
	struct nfct_filter *f = nfct_filter_create();
	struct seen seen;
	struct nfct_handle *h = listen_all(&seen);

	CHECK_ERR(nfct_filter_detach(nfct_fd(h)), -1, ENOENT);
	nfct_filter_add_attr_u32(f, NFCT_FILTER_L4PROTO, IPPROTO_UDP);
	CHECK_INT(nfct_filter_attach(nfct_fd(h), f), 0);
	nfct_filter_destroy(f); /* the kernel has its copy */
	CHECK_INT(query_flow(writer, NFCT_Q_CREATE, new_flow(2)), 0);
	drain(h);
	CHECK_INT(seen.calls, 0);
	CHECK_INT(query_flow(writer, NFCT_Q_CREATE, udp(new_flow(2))), 0);
	drain(h);
	CHECK_INT(seen.calls, 1);
	/* Answers to queries of this handle pass. */
	CHECK_ERR(query_flow(h, NFCT_Q_GET, flow(900)), -1, ENOENT);

	f = nfct_filter_create(); /* another takes its place */
	nfct_filter_add_attr_u32(f, NFCT_FILTER_L4PROTO, IPPROTO_UDP);
	CHECK_ERR(nfct_filter_set_logic(f, NFCT_FILTER_L4PROTO, NFCT_FILTER_LOGIC_POSITIVE), 0, UNTOUCHED);
	CHECK_INT(nfct_filter_set_logic(f, NFCT_FILTER_L4PROTO, NFCT_FILTER_LOGIC_NEGATIVE), 0);
	CHECK_ERR(nfct_filter_set_logic(f, NFCT_FILTER_L4PROTO, NFCT_FILTER_LOGIC_NEGATIVE), -1, EBUSY);
	nfct_filter_add_attr(f, NFCT_FILTER_SRC_IPV4, &loopback);
	CHECK_INT(nfct_filter_set_logic(f, NFCT_FILTER_SRC_IPV4, NFCT_FILTER_LOGIC_NEGATIVE), 0);
	CHECK_INT(nfct_filter_attach(nfct_fd(h), f), 0);
	nfct_filter_destroy(f);
	CHECK_INT(query_flow(writer, NFCT_Q_DESTROY, udp(flow(2))), 0);
	drain(h);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(query_flow(writer, NFCT_Q_DESTROY, flow(2)), 0);
	drain(h);
	CHECK_INT(seen.calls, 2);
	CHECK_INT(nfct_filter_detach(nfct_fd(h)), 0);
	CHECK_INT(query_flow(writer, NFCT_Q_CREATE, udp(new_flow(2))), 0);
	drain(h);
	CHECK_INT(seen.calls, 3);
	CHECK_INT(flush(writer), 0);
	CHECK_INT(nfct_close(h), 0);
}

/* Queries on the handle that listens, as flowtop makes them. */
static void test_query_while_listening(struct nfct_handle *writer)
{
	struct seen seen;
	struct nfct_handle *h = listen_all(&seen);

	CHECK_INT(query_flow(writer, NFCT_Q_CREATE, new_flow(3)), 0);
	CHECK_INT(query_flow(h, NFCT_Q_GET, flow(3)), 0);
	CHECK_INT(seen.calls, 2); /* the event of before, and the answer */
	CHECK_INT(seen.types, NFCT_T_NEW | NFCT_T_UPDATE);
	CHECK_INT(query_flow(h, NFCT_Q_DESTROY, flow(3)), 0);
	drain(h);
	CHECK_INT(seen.calls, 3);
	CHECK_INT(nfct_close(h), 0);
}

static void test_overrun(struct nfct_handle *writer)
{
	struct seen seen;
	struct nfct_handle *h = listen_all(&seen);
	int size = 1, overruns = 0;

	CHECK_INT(setsockopt(nfct_fd(h), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	create_flows(writer, 0, 100);
	for (int i = 0; i < 200; i++) {
		errno = UNTOUCHED;
		CHECK_INT(nfct_catch(h), -1);
		if (errno != ENOBUFS)
			break;
		overruns++;
	}
	CHECK_INT(errno, EAGAIN);
	CHECK(overruns > 0);
	CHECK(seen.calls < 100);
	seen.calls = 0; /* and it goes on */
	CHECK_INT(query_flow(writer, NFCT_Q_DESTROY, flow(0)), 0);
	drain(h);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(flush(writer), 0);
	CHECK_INT(nfct_close(h), 0);
}

static int expectations, expectation_types;

static int see_expectation(enum nf_conntrack_msg_type type, struct nf_expect *exp, void *data)
{
	(void)data;
	CHECK_INT(nfct_get_attr_u32(nfexp_get_attr(exp, ATTR_EXP_MASTER), ATTR_IPV4_SRC),
		  htonl(0x0a000001));
	expectations++;
	expectation_types |= (int)type;
	return NFCT_CB_CONTINUE;
}

/* Flows and expectations on one handle; and expectations where there is no place for them. */
static void test_both_sides(void)
{
	struct seen seen = { .answer = NFCT_CB_CONTINUE };
	struct nfct_handle *writer = nfct_open(0, 0), *h = nfct_open(0, 0x3f);
	struct nfct_handle *flows_only = nfct_open(CONNTRACK, 0x3f);
	struct nf_conntrack *master = new_flow(0);
	struct nf_expect *exp = expectation(master);

	CHECK_INT(fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK), 0);
	CHECK_INT(fcntl(nfct_fd(flows_only), F_SETFL, O_NONBLOCK), 0);
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, callback, &seen), 0);
	CHECK_INT(nfexp_callback_register(h, NFCT_T_ALL, see_expectation, NULL), 0);
	nfct_set_attr(master, ATTR_HELPER_NAME, "ftp");
	if (nfct_query(writer, NFCT_Q_CREATE, master) == -1) {
		skip("expectations need the kernel's FTP helper (modprobe nf_conntrack_ftp)");
	} else {
		CHECK_INT(nfexp_query(writer, NFCT_Q_CREATE, exp), 0);
		CHECK_ERR(nfct_catch(h), -1, EAGAIN); /* either catch serves both */
		CHECK_INT(seen.calls, 1);
		CHECK_INT(expectations, 1);
		CHECK_INT(expectation_types, NFCT_T_NEW);
		CHECK_INT(nfexp_query(writer, NFCT_Q_DESTROY, exp), 0);
		CHECK_INT(query_flow(writer, NFCT_Q_DESTROY, flow(0)), 0);
		CHECK_ERR(nfexp_catch(h), -1, EAGAIN);
		CHECK_INT(seen.calls, 2);
		CHECK_INT(expectation_types, NFCT_T_NEW | NFCT_T_DESTROY);
		CHECK_ERR(nfct_catch(flows_only), -1, ENOENT); /* conntrackd ignores this one */
	}
	nfexp_destroy(exp);
	nfct_destroy(master);
	CHECK_INT(nfct_close(flows_only), 0);
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(nfct_close(writer), 0);
}

int main(void)
{
	struct nfct_handle *writer;

	own_namespace();
	writer = nfct_open(CONNTRACK, 0);
	test_each_kind(writer);
	test_masks_and_groups(writer);
	test_stop_and_go_on(writer);
	test_socket_filter(writer);
#ifndef REFERENCE
	test_long_filter(writer);
	test_zone_filter(writer);
#endif
	test_query_while_listening(writer);
	test_overrun(writer);
	test_both_sides();
	CHECK_INT(nfct_close(writer), 0);
	return finish();
}
