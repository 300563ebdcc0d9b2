/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A kernel without netfilter netlink, and one without ctnetlink: a seccomp filter answers in its
 * place as such kernels do, the one for the socket, the other for the request. */
#define _GNU_SOURCE
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* From now on the system call fails with this errno. */
static void break_call(unsigned int number, unsigned int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { COUNT(filter), filter };

	CHECK_INT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	CHECK_INT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void no_nfnetlink(void)
{
	break_call(SYS_socket, EPROTONOSUPPORT);
	CHECK_NULL(nfct_open(CONNTRACK, 0), EPROTONOSUPPORT);
	CHECK_NULL(nfct_open(EXPECT, 0), EPROTONOSUPPORT);
	CHECK_NULL(nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS), EPROTONOSUPPORT);
}

static void no_ctnetlink(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	uint32_t family = AF_UNSPEC;

	CHECK(h != NULL);
	break_call(SYS_sendto, EINVAL);
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
