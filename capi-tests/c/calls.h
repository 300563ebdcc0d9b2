/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* System calls as seccomp and /proc see them: a C library may make all those of sockets through one,
 * socketcall, whose first argument says which it is. Include it after check.h. */
#ifndef CALLS_H
#define CALLS_H

#include <linux/filter.h>
#include <linux/net.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* What not every processor has. */
#ifndef SYS_socketcall
#define SYS_socketcall (~0u) /* no call's number */
#endif
#ifndef SYS_poll
#define SYS_poll SYS_ppoll
#endif
#ifndef SYS_ppoll_time64
#define SYS_ppoll_time64 SYS_ppoll
#endif
#define FIRST_ARGUMENT (offsetof(struct seccomp_data, args[0]) + ORDERED(0, 4))

/* Its number, and what it is through socketcall, 0: no call of sockets. */
struct call {
	unsigned int number, of_sockets;
};

static const struct call call_socket = { SYS_socket, SYS_SOCKET }, call_sendto = { SYS_sendto, SYS_SENDTO },
			 call_recvfrom = { SYS_recvfrom, SYS_RECVFROM },
			 call_recvmsg = { SYS_recvmsg, SYS_RECVMSG }, call_poll = { SYS_poll, 0 },
			 call_ppoll = { SYS_ppoll, 0 }, call_ppoll64 = { SYS_ppoll_time64, 0 },
			 call_exit = { SYS_exit_group, 0 };

static inline bool is_call(struct call call, unsigned int number, unsigned int first)
{
	return number == SYS_socketcall ? call.of_sockets != 0 && call.of_sockets == first : call.number == number;
}

/* From now on seccomp gives these calls, at most ten, one answer and all others another. */
static inline void judge_calls(const struct call *calls, size_t count, unsigned int answer, unsigned int others)
{
	struct sock_filter filter[2 * 2 * 10 + 5];
	struct sock_fprog program = { 0, filter };
#define ADD filter[program.len++] = (struct sock_filter)

	ADD BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < count; i++) {
		ADD BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1);
		ADD BPF_STMT(BPF_RET | BPF_K, answer);
	}
	ADD BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socketcall, 1, 0);
	ADD BPF_STMT(BPF_RET | BPF_K, others);
	ADD BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIRST_ARGUMENT);
	for (size_t i = 0; i < count; i++) {
		ADD BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].of_sockets, 0, 1);
		ADD BPF_STMT(BPF_RET | BPF_K, answer);
	}
	ADD BPF_STMT(BPF_RET | BPF_K, others);
#undef ADD
	CHECK_INT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	CHECK_INT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

#endif
