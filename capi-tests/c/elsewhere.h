/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Other network namespaces, and a process without privileges. Include kernel.h first. */
#ifndef ELSEWHERE_H
#define ELSEWHERE_H

#include <linux/capability.h>
#include <signal.h>
#include <sys/syscall.h>

/* Takes CAP_NET_ADMIN and its like from this process. */
static inline void give_up_privileges(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2];

	memset(none, 0, sizeof(none));
	if (setresgid(65534, 65534, 65534) == -1 || setresuid(65534, 65534, 65534) == -1)
		CHECK_INT(syscall(SYS_capset, &header, none), 0);
}

/* A process in a network namespace of its own, until its input is closed. */
struct elsewhere {
	pid_t pid;
	int input;
	char namespace[64], flows[64];
};

static inline struct elsewhere begin_elsewhere(void)
{
	struct elsewhere it;
	int to[2], from[2];
	char byte = 0;

	CHECK(pipe(to) == 0 && pipe(from) == 0);
	fflush(stdout);
	it.pid = fork_or_exit();
	if (it.pid == 0) {
		close(to[1]);
		if (unshare(CLONE_NEWNET) == 0 && write(from[1], &byte, 1) == 1)
			while (read(to[0], &byte, 1) == -1)
				;
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	CHECK_INT(read(from[0], &byte, 1), 1);
	close(from[0]);
	it.input = to[1];
	snprintf(it.namespace, sizeof(it.namespace), "/proc/%d/ns/net", it.pid);
	snprintf(it.flows, sizeof(it.flows), "/proc/%d/net/nf_conntrack", it.pid);
	return it;
}

static inline void end_elsewhere(struct elsewhere it)
{
	close(it.input); /* of which others may have a copy */
	kill(it.pid, SIGKILL);
	CHECK_INT(waitpid(it.pid, NULL, 0), it.pid);
}

#endif
