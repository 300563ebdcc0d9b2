/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A kernel without netfilter netlink, and one without ctnetlink: a seccomp filter answers in its
 * place as such kernels do, the one for the socket, the other for the request. */
#define _GNU_SOURCE
#include "check.h"
#include "calls.h"
#include <sys/wait.h>
#include <unistd.h>

/* From now on the system call fails with this errno. */
static void break_call(struct call call, unsigned int error)
{
	judge_calls(&call, 1, SECCOMP_RET_ERRNO | error, SECCOMP_RET_ALLOW);
}

static void no_nfnetlink(void)
{
	break_call(call_socket, EPROTONOSUPPORT);
	CHECK_NULL(nfct_open(CONNTRACK, 0), EPROTONOSUPPORT);
	CHECK_NULL(nfct_open(EXPECT, 0), EPROTONOSUPPORT);
	CHECK_NULL(nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS), EPROTONOSUPPORT);
}

static void no_ctnetlink(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	uint32_t family = AF_UNSPEC;

	CHECK(h != NULL);
	break_call(call_sendto, EINVAL);
	CHECK_ERR(nfct_query(h, NFCT_Q_DUMP, &family), -1, EINVAL);
	CHECK_ERR(nfct_query(h, NFCT_Q_FLUSH, &family), -1, EINVAL);
	CHECK_ERR(nfct_send(h, NFCT_Q_DUMP, &family), -1, EINVAL);
	CHECK_INT(nfct_close(h), 0);
}

/* Runs a test in a process of its own, which its filter ends with. */
static void apart(void (*test)(void))
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		test();
		fflush(stdout);
		_exit(failed != 0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
}

int main(void)
{
	apart(no_nfnetlink);
	apart(no_ctnetlink);
	return finish();
}
