/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Handles on a real kernel: open, close, privileges, callbacks and what they may answer. */
#include "kernel.h"
#include <signal.h>
#include <sys/syscall.h>
#include <linux/capability.h>

static struct sockaddr_nl address_of(int fd)
{
	struct sockaddr_nl address = { 0 };
	socklen_t size = sizeof(address);

	CHECK_INT(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return address;
}

static void test_open(void)
{
	static const uint8_t subsystems[] = { 0, CONNTRACK, EXPECT, 3, 255 };

	for (size_t i = 0; i < COUNT(subsystems); i++) {
		struct nfct_handle *h = nfct_open(subsystems[i], 7);
		const struct nfnl_handle *nfnl = nfct_nfnlh(h);
		struct sockaddr_nl address;
		uint32_t word;
		int fd = nfct_fd(h);

		about("subsystem %u", subsystems[i]);
		CHECK(h != NULL);
		CHECK(fd > 2);
		address = address_of(fd);
		CHECK_INT(address.nl_family, AF_NETLINK);
		CHECK_INT(address.nl_groups, subsystems[i] <= 2 ? 7 : 0);
		/* What libnfnetlink and programs with a struct of their own read. */
		memcpy(&word, nfnl, 4);
		CHECK_INT(word, fd);
		memcpy(&word, (const char *)nfnl + 8, 4);
		CHECK_INT(word, address.nl_pid);
		CHECK(nfct_nfnlh(h) == nfnl);
#ifndef REFERENCE
		CHECK_INT(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
#endif
		CHECK_ERR(nfct_close(h), 0, UNTOUCHED);
		CHECK_INT(fcntl(fd, F_GETFD), -1); /* the socket is gone */
	}
	about("");
}

static void test_closed_descriptor(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = flow(0);

	close(nfct_fd(h));
	CHECK_ERR(dump(h), -1, EBADF);
	CHECK_ERR(nfct_query(h, NFCT_Q_GET, ct), -1, EBADF);
	CHECK_ERR(nfct_send(h, NFCT_Q_GET, ct), -1, EBADF);
	CHECK_ERR(nfct_catch(h), -1, EBADF);
	CHECK_ERR(nfexp_catch(h), -1, EBADF);
	CHECK_ERR(nfct_close(h), -1, EBADF); /* and nothing leaks */
	nfct_destroy(ct);
}

/* Takes CAP_NET_ADMIN from this process. */
static void drop_privileges(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2];

	memset(none, 0, sizeof(none));
	/* Inside a user namespace nobody may not exist: there the capabilities alone go. */
	if (setresgid(65534, 65534, 65534) == -1 || setresuid(65534, 65534, 65534) == -1)
		CHECK_INT(syscall(SYS_capset, &header, none), 0);
}

static void unprivileged(void)
{
	struct nfct_handle *h;
	struct nf_conntrack *ct = new_flow(0);
	uint32_t family = AF_UNSPEC;

	drop_privileges();
	CHECK_NULL(nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS), EPERM);
	CHECK_NULL(nfct_open(EXPECT, 0x38), EPERM);
	h = nfct_open(0, 0);
	CHECK(h != NULL);
	for (int query = 0; query <= NFCT_Q_CREATE_UPDATE; query++) {
		about("query %d", query);
		CHECK_ERR(nfct_query(h, (enum nf_conntrack_query)query,
				     query == NFCT_Q_FLUSH || query == NFCT_Q_DUMP ||
						     query == NFCT_Q_DUMP_RESET ?
					     (const void *)&family : ct), -1, EPERM);
	}
	about("");
	CHECK_ERR(nfexp_query(h, NFCT_Q_DUMP, &family), -1, EPERM);
	CHECK_INT(nfct_close(h), 0);
	nfct_destroy(ct);
}

static void test_registration(void)
{
	struct seen first = { .answer = NFCT_CB_CONTINUE }, second = first;
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);

	CHECK_INT(dump(h), 0); /* no callback: passed over */
	CHECK_INT(nfct_callback_register2(h, NFCT_T_ALL, callback2, &first), 0);
	CHECK_INT(dump(h), 0);
	CHECK_INT(first.calls, 2);
	CHECK_INT(first.version, 2);
	CHECK_INT(first.types, NFCT_T_UPDATE); /* what a dump reports */
	CHECK_INT(first.header.nlmsg_type, 0x100);
	CHECK_INT(first.header.nlmsg_flags & NLM_F_MULTI, NLM_F_MULTI);
	/* Version 1 comes before version 2, with the mask and data registered last. */
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, callback, &second), 0);
	CHECK_INT(dump(h), 0);
	CHECK_INT(first.calls, 2);
	CHECK_INT(second.calls, 2);
	CHECK_INT(second.version, 1);
	CHECK_INT(nfct_callback_register2(h, NFCT_T_ALL, callback2, &first), 0);
	CHECK_INT(dump(h), 0);
	CHECK_INT(first.calls, 4);
	CHECK_INT(first.version, 1);
	/* Either unregister silences both. */
	nfct_callback_unregister(h);
	CHECK_INT(dump(h), 0);
	CHECK_INT(first.calls, 4);
	nfct_callback_unregister(h);
	CHECK_INT(nfct_callback_register2(h, NFCT_T_ALL, callback2, &first), 0);
	CHECK_INT(dump(h), 0);
	CHECK_INT(first.version, 2);
	nfct_callback_unregister2(h);
	CHECK_INT(dump(h), 0);
	CHECK_INT(first.calls, 6);
	/* Types outside the mask are passed over; so are all with an empty mask. */
	CHECK_INT(nfct_callback_register(h, NFCT_T_NEW, callback, &first), 0);
	CHECK_INT(dump(h), 0);
	CHECK_INT(nfct_callback_register(h, NFCT_T_UNKNOWN, callback, &first), 0);
	CHECK_INT(dump(h), 0);
	CHECK_INT(first.calls, 6);
	CHECK_INT(nfct_callback_register(h, NFCT_T_UPDATE, callback, &first), 0);
	CHECK_INT(dump(h), 0);
	CHECK_INT(first.calls, 8);
	CHECK_INT(nfct_close(h), 0);
	/* No function at all is like one that says STOP. */
	h = nfct_open(CONNTRACK, 0);
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, NULL, NULL), 0);
	CHECK_INT(dump(h), 0);
	CHECK_INT(nfct_close(h), 0);
}

static int fail_with_errno(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)type;
	(void)ct;
	(void)data;
	errno = 1234;
	return NFCT_CB_FAILURE;
}

static void test_verdicts(void)
{
	/* what the callback answers, what the dump returns, how many of two flows it saw */
	static const int rows[][3] = {
		{ NFCT_CB_CONTINUE, 0, 2 }, { 3, 0, 2 }, { 99, 0, 2 }, { NFCT_CB_STOP, 0, 1 },
		{ NFCT_CB_FAILURE, -1, 1 }, { -5, -5, 1 }, { INT32_MIN, INT32_MIN, 1 },
	};
	struct nfct_handle *h;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct seen seen;

		about("answer %d", rows[i][0]);
		h = open_seeing(&seen, 0);
		seen.answer = rows[i][0];
		CHECK_INT(dump(h), rows[i][1]);
		CHECK_INT(seen.calls, rows[i][2]);
		CHECK_INT(nfct_close(h), 0);
	}
	about("");
	h = nfct_open(CONNTRACK, 0);
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, fail_with_errno, NULL), 0);
	CHECK_ERR(dump(h), -1, 1234); /* errno is as the callback left it */
	CHECK_INT(nfct_close(h), 0);
}

static int keep_all(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct nf_conntrack ***next = data;

	(void)type;
	*(*next)++ = ct;
	return NFCT_CB_STOLEN;
}

/* Stolen objects are the callback's: distinct, and alive when the handle is gone. */
static void test_stolen(void)
{
	struct nf_conntrack *kept[2] = { NULL, NULL }, **next = kept;
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);

	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, keep_all, &next), 0);
	CHECK_INT(dump(h), 0);
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(next - kept, 2);
	CHECK(kept[0] != kept[1]);
	CHECK_INT(nfct_get_attr_u32(kept[0], ATTR_IPV4_SRC) ^ nfct_get_attr_u32(kept[1], ATTR_IPV4_SRC),
		  htonl(3)); /* 10.0.0.1 and 10.0.0.2 */
	nfct_destroy(kept[0]);
	nfct_destroy(kept[1]);
}

static int unregister_within(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	struct { struct nfct_handle *h; int calls; } *state = data;

	(void)type;
	(void)ct;
	state->calls++;
	nfct_callback_unregister(state->h);
	return NFCT_CB_CONTINUE;
}

static void test_unregister_within(void)
{
	struct { struct nfct_handle *h; int calls; } state = { nfct_open(CONNTRACK, 0), 0 };

	CHECK_INT(nfct_callback_register(state.h, NFCT_T_ALL, unregister_within, &state), 0);
	CHECK_INT(dump(state.h), 0);
	CHECK_INT(state.calls, 1);
	CHECK_INT(nfct_close(state.h), 0);
}

#ifndef REFERENCE /* 1.0.9 aborts */
static void test_foreign_side(void)
{
	struct nfct_handle *h = nfct_open(EXPECT, 0);

	CHECK_ERR(dump(h), -1, ENOENT); /* flows, and this handle has no place for them */
	CHECK_INT(query_flow(h, NFCT_Q_UPDATE, flow(0)), 0); /* an acknowledgement is welcome */
	CHECK_INT(nfct_close(h), 0);
}
#endif

static struct nfct_handle *inherited;

static void use_inherited(void)
{
	CHECK_INT(query_flow(inherited, NFCT_Q_GET, flow(0)), 0);
	CHECK_INT(nfct_close(inherited), 0);
}

static void test_fork(void)
{
	struct seen seen;

	inherited = open_seeing(&seen, 0);
	in_child(use_inherited);
	CHECK_INT(query_flow(inherited, NFCT_Q_GET, flow(1)), 0);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(nfct_close(inherited), 0);
}

static void on_alarm(int number)
{
	(void)number;
	nfct_close(inherited); /* as conntrack -E expect does */
	_exit(0);
}

/* The handler closes the handle that a blocked catch is using, and ends the process. */
static void test_close_in_signal_handler(void)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		inherited = nfct_open(EXPECT, 0);
		signal(SIGALRM, on_alarm);
		alarm(1);
		nfexp_catch(inherited);
		_exit(2);
	}
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	struct nfct_handle *h;

	own_namespace();
	h = nfct_open(CONNTRACK, 0);
	create_flows(h, 0, 2);
	test_open();
	test_closed_descriptor();
	in_child(unprivileged);
	test_registration();
	test_verdicts();
	test_stolen();
	test_unregister_within();
#ifndef REFERENCE
	test_foreign_side();
#endif
	test_fork();
	test_close_in_signal_handler();
	CHECK_INT(nfct_close(h), 0);
	return finish();
}
