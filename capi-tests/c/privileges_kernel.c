/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Every operation by users of six kinds. Outcome: CAP_NET_ADMIN over the network namespace decides,
 * and nothing else: with it everything works, also inside a user namespace that owns the network
 * namespace; without it a handle without groups opens, sends, and is refused with EPERM. */
#include "kernel.h"
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/capability.h>
#include "many.h"

#define NOBODY 65534

static struct nfct_handle *before; /* opened as root, listens to events */
static struct nf_conntrack *entry;

/* Each operation gives its errno, or 0. */
static int result_of(bool good)
{
	return good ? 0 : errno;
}

static int query_new(enum nf_conntrack_query query, const void *data)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	int result = result_of(nfct_query(h, query, data) == 0);

	nfct_close(h);
	return result;
}

static int open_with(uint8_t subsystem, unsigned int groups)
{
	struct nfct_handle *h = nfct_open(subsystem, groups);
	int result = result_of(h != NULL);

	if (h != NULL)
		nfct_close(h);
	return result;
}

static int open_plain(void)
{
	return open_with(0, 0);
}

static int open_flows(void)
{
	return open_with(CONNTRACK, NFCT_ALL_CT_GROUPS);
}

static int open_expectations(void)
{
	return open_with(EXPECT, 0x38);
}

static int send_dump(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	uint32_t family = AF_UNSPEC;
	int result = result_of(nfct_send(h, NFCT_Q_DUMP, &family) == 20);

	nfct_close(h);
	return result;
}

static int attach_filter(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nfct_filter *filter = nfct_filter_create();
	int result = result_of(nfct_filter_attach(nfct_fd(h), filter) == 0);

	nfct_filter_destroy(filter);
	nfct_close(h);
	return result;
}

static int create(void)
{
	return query_new(NFCT_Q_CREATE, entry);
}

static int get(void)
{
	return query_new(NFCT_Q_GET, entry);
}

static int update(void)
{
	return query_new(NFCT_Q_UPDATE, entry);
}

static int destroy(void)
{
	return query_new(NFCT_Q_DESTROY, entry);
}

static int dump_all(void)
{
	uint32_t family = AF_UNSPEC;

	return query_new(NFCT_Q_DUMP, &family);
}

static int dump_reset(void)
{
	uint32_t family = AF_UNSPEC;

	return query_new(NFCT_Q_DUMP_RESET, &family);
}

static int flush_all(void)
{
	uint32_t family = AF_UNSPEC;

	return query_new(NFCT_Q_FLUSH, &family);
}

static int dump_expectations(void)
{
	struct nfct_handle *h = nfct_open(EXPECT, 0);
	uint32_t family = AF_INET;
	int result = result_of(nfexp_query(h, NFCT_Q_DUMP, &family) == 0);

	nfct_close(h);
	return result;
}

/* On the handle that was opened as root: the kernel asks for both, the opener's right and ours. */
static int dump_before(void)
{
	return result_of(dump(before) == 0);
}

static const struct operation {
	const char *name;
	int (*run)(void);
	bool free; /* needs no privilege */
} operations[] = {
	{ "open", open_plain, true },
	{ "open, flow events", open_flows, false },
	{ "open, expectation events", open_expectations, false },
	{ "send", send_dump, true },
	{ "attach a filter", attach_filter, true },
	{ "create", create, false },
	{ "get", get, false },
	{ "update", update, false },
	{ "dump", dump_all, false },
	{ "dump and reset", dump_reset, false },
	{ "destroy", destroy, false },
	{ "flush", flush_all, false },
	{ "dump expectations", dump_expectations, false },
	{ "dump, handle opened as root", dump_before, false },
};

/* Leaves this process `keep` of its capabilities. */
static void keep_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	CHECK_INT(syscall(SYS_capget, &header, data), 0);
	for (int half = 0; half < 2; half++) {
		uint32_t mask = (uint32_t)(keep >> 32 * half);

		data[half].permitted &= mask;
		data[half].effective = data[half].permitted;
		data[half].inheritable = 0;
	}
	CHECK_INT(syscall(SYS_capset, &header, data), 0);
}

static void try_all(const char *who, bool privileged)
{
	for (size_t i = 0; i < COUNT(operations); i++) {
		about("%s: %s", who, operations[i].name);
		CHECK_INT(operations[i].run(), privileged || operations[i].free ? 0 : EPERM);
	}
	about("");
}

static void as_root(void)
{
	try_all("root", true);
}

static void as_root_without(void)
{
	keep_capabilities(~(UINT64_C(1) << CAP_NET_ADMIN));
	try_all("root without CAP_NET_ADMIN", false);
}

static bool become_nobody(void)
{
	if (setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0)
		return true;
	skip("there is no user nobody in this user namespace");
	return false;
}

static void as_nobody(void)
{
	if (!become_nobody())
		return;
	try_all("nobody", false);
}

static void as_nobody_with(void)
{
	CHECK_INT(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
	if (!become_nobody())
		return;
	keep_capabilities(UINT64_C(1) << CAP_NET_ADMIN);
	try_all("nobody with CAP_NET_ADMIN", true);
}

/* As of unshare -Ur, then of unshare -Urn. `before` belongs to the namespace around. */
static void in_user_namespace(void)
{
	CHECK_INT(unshare(CLONE_NEWUSER), 0);
	try_all("root of a user namespace", false); /* whose network is not its own */
	CHECK_INT(unshare(CLONE_NEWNET), 0);
	CHECK_INT(nfct_close(before), 0);
	before = nfct_open(CONNTRACK, 0);
	try_all("root of a user namespace with its network", true);
	CHECK_INT(nfct_close(before), 0);
}

/* Outcome: what was opened with the right goes on to hear events without it. */
static void listen_without(void)
{
	struct seen seen = { .answer = NFCT_CB_CONTINUE };
	int status = -1;
	pid_t writer = fork();

	if (writer == 0) {
		struct nfct_handle *h = nfct_open(CONNTRACK, 0);

		_exit(query_flow(h, NFCT_Q_CREATE, new_flow(9)) != 0);
	}
	CHECK_INT(waitpid(writer, &status, 0), writer);
	CHECK_INT(status, 0);
	keep_capabilities(0);
	CHECK_INT(fcntl(nfct_fd(before), F_SETFL, O_NONBLOCK), 0);
	CHECK_INT(nfct_callback_register(before, NFCT_T_NEW, callback, &seen), 0);
	CHECK_ERR(nfct_catch(before), -1, EAGAIN);
	CHECK(seen.calls > 0);
	CHECK_INT(seen.last_src, htonl(0x0a00000a));
}

int main(void)
{
	struct nfct_handle *h;

	if (getuid() != 0) {
		skip("privileges can only be dropped by root");
		return finish();
	}
	own_namespace();
	entry = new_flow(0);
	before = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
	h = nfct_open(CONNTRACK, 0);
	in_child(as_root);
	in_child(as_nobody_with);
	CHECK_INT(table_size(), 0); /* both flushed it */
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, new_flow(0)), 0);
	in_child(as_root_without);
	in_child(as_nobody);
	in_child(in_user_namespace);
	CHECK_INT(table_size(), 1); /* nobody without the right changed it */
	in_child(listen_without);
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(nfct_close(before), 0);
	nfct_destroy(entry);
	return finish();
}
