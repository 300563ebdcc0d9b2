/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* For tests that need the kernel: a network namespace of their own, flows to try things on, and
 * the kernel's own view of them. Include it first. */
#ifndef KERNEL_H
#define KERNEL_H

#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "wire.h"
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>

static inline int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t size = fd == -1 ? -1 : write(fd, text, strlen(text));

	if (fd != -1)
		close(fd);
	return size == -1 ? -1 : 0;
}

/* The first number in a file, -1 without it. */
static inline long read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long number = -1;

	if (file != NULL && fscanf(file, "%ld", &number) != 1)
		number = -1;
	if (file != NULL)
		fclose(file);
	return number;
}

/* The number of this process's descriptors. */
static inline int descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int number = 0;

	while (directory != NULL && readdir(directory) != NULL)
		number++;
	if (directory != NULL)
		closedir(directory);
	return number;
}

/* Moves this process into an empty network namespace, with a user namespace when that is what it
 * takes, so that nothing here touches the machine's flows. Ends the program where that fails. */
static inline void own_namespace(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	unsigned int uid = getuid(), gid = getgid();
	char map[32];
	int fd;

	if (unshare(CLONE_NEWNET) == -1) {
		/* The user first: who owns a network namespace's files is settled when it is made. */
		if (unshare(CLONE_NEWUSER) == -1) {
			skip("no network namespace of its own: run as root or allow user namespaces");
			exit(finish());
		}
		write_file("/proc/self/setgroups", "deny");
		sprintf(map, "0 %u 1", uid);
		write_file("/proc/self/uid_map", map);
		sprintf(map, "0 %u 1", gid);
		write_file("/proc/self/gid_map", map);
		if (unshare(CLONE_NEWNET) == -1) {
			skip("no network namespace of its own");
			exit(finish());
		}
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(fd, SIOCSIFFLAGS, &lo) == -1)
		perror("lo");
	close(fd);
}

/* fork() that ends the program where it fails: to kill the child -1 is to kill all there are. */
static inline pid_t fork_or_exit(void)
{
	pid_t child = fork();

	if (child == -1) {
		perror("fork");
		exit(1);
	}
	return child;
}

/* Runs a test in a child process and adds up its counts. */
static inline void in_child(void (*test)(void))
{
	int counts[2] = { 0, 0 }, ends[2], status = -1;

	fflush(stdout);
	if (pipe(ends) == -1) {
		perror("pipe");
		exit(1);
	}
	if (fork() == 0) {
		passed = failed = 0;
		test();
		counts[0] = passed, counts[1] = failed;
		fflush(stdout);
		_exit(write(ends[1], counts, sizeof(counts)) != sizeof(counts));
	}
	close(ends[1]);
	CHECK_INT(read(ends[0], counts, sizeof(counts)), sizeof(counts));
	close(ends[0]);
	CHECK_INT(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0, 1);
	passed += counts[0];
	failed += counts[1];
}

/* An established TCP flow from 10.0.`n / 250`.`n % 250 + 1` port 1000 to 10.1.0.1 port 80. */
static inline struct nf_conntrack *flow(unsigned int n)
{
	struct nf_conntrack *ct = nfct_new();

	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, htonl(0x0a000000u + (n / 250 << 8) + n % 250 + 1));
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, htonl(0x0a010001u));
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(1000));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(80));
	return ct;
}

/* The same with what it takes to create it. */
static inline struct nf_conntrack *new_flow(unsigned int n)
{
	struct nf_conntrack *ct = flow(n);

	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 600);
	nfct_set_attr_u8(ct, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
	return ct;
}

static inline struct nf_conntrack *marked(struct nf_conntrack *ct, uint32_t mark)
{
	nfct_set_attr_u32(ct, ATTR_MARK, mark);
	return ct;
}

/* Creates `master`, made by new_flow(), as a connection to an FTP server, on whose behalf others are
 * expected; tells where the kernel has no helper for that. */
static inline bool create_master(struct nfct_handle *h, struct nf_conntrack *master)
{
	nfct_set_attr(master, ATTR_HELPER_NAME, "ftp");
	nfct_set_attr_u16(master, ATTR_PORT_DST, htons(21));
	nfct_setobjopt(master, NFCT_SOPT_SETUP_REPLY);
	if (nfct_query(h, NFCT_Q_CREATE, master) == 0)
		return true;
	skip("expectations need nf_conntrack_ftp");
	return false;
}

/* A connection from the client of flow 0 to port 2021, expected on behalf of `master`. */
static inline struct nf_expect *expectation(struct nf_conntrack *master)
{
	struct nf_expect *exp = nfexp_new();
	struct nf_conntrack *ct = flow(0);

	nfexp_set_attr(exp, ATTR_EXP_MASTER, master);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, 0);
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(2021));
	nfexp_set_attr(exp, ATTR_EXP_EXPECTED, ct);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, 0xffffffff);
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, 0xffffffff);
	nfct_set_attr_u16(ct, ATTR_PORT_DST, 0xffff);
	nfexp_set_attr(exp, ATTR_EXP_MASK, ct);
	nfct_destroy(ct);
	nfexp_set_attr_u32(exp, ATTR_EXP_TIMEOUT, 100);
	return exp;
}

/* Runs a query on a flow and frees it. */
static inline int query_flow(struct nfct_handle *h, enum nf_conntrack_query query,
			     struct nf_conntrack *ct)
{
	int result = nfct_query(h, query, ct), error = errno;

	nfct_destroy(ct);
	errno = error;
	return result;
}

static inline void create_flows(struct nfct_handle *h, unsigned int from, unsigned int number)
{
	for (unsigned int n = from; n < from + number; n++)
		CHECK_INT(query_flow(h, NFCT_Q_CREATE, new_flow(n)), 0);
}

/* How many lines of a file under /proc/net contain the text; `line` gets the last of them. */
static inline int proc_lines(const char *path, const char *text, char line[1024])
{
	char buffer[1024];
	FILE *file = fopen(path, "re");
	int number = 0;

	if (file == NULL) {
		printf("%s: %s\n", path, strerror(errno));
		return -1;
	}
	while (fgets(buffer, sizeof(buffer), file) != NULL)
		if (strstr(buffer, text) != NULL) {
			number++;
			if (line != NULL)
				strcpy(line, buffer);
		}
	fclose(file);
	return number;
}

/* The number of flows the kernel lists with this text; "" counts all. */
static inline int flows_with(const char *text)
{
	return proc_lines("/proc/net/nf_conntrack", text, NULL);
}

static inline int flush(struct nfct_handle *h)
{
	uint32_t family = AF_UNSPEC;

	return nfct_query(h, NFCT_Q_FLUSH, &family);
}

/* What the callbacks below saw, and what they answer. */
struct seen {
	int calls;
	int types;	   /* all types, or-ed */
	int answer;	   /* what to return */
	int stop_after;	   /* if not 0, answer this late and continue before */
	uint32_t last_src; /* network order */
	uint32_t last_mark;
	int version; /* of the callback that was called last */
	struct nlmsghdr header;
	struct nf_conntrack *stolen;
};

static inline int see(struct seen *seen, int type, struct nf_conntrack *ct, int version)
{
	seen->calls++;
	seen->types |= type;
	seen->version = version;
	seen->last_src = nfct_get_attr_u32(ct, ATTR_IPV4_SRC);
	seen->last_mark = nfct_get_attr_u32(ct, ATTR_MARK);
	if (seen->calls < seen->stop_after)
		return NFCT_CB_CONTINUE;
	if (seen->answer == NFCT_CB_STOLEN)
		seen->stolen = ct;
	return seen->answer;
}

static inline int callback(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	return see(data, (int)type, ct, 1);
}

static inline int callback2(const struct nlmsghdr *nlh, enum nf_conntrack_msg_type type,
			    struct nf_conntrack *ct, void *data)
{
	((struct seen *)data)->header = *nlh;
	return see(data, (int)type, ct, 2);
}

/* A handle whose callback records in `seen` and continues. */
static inline struct nfct_handle *open_seeing(struct seen *seen, unsigned int groups)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, groups);

	memset(seen, 0, sizeof(*seen));
	seen->answer = NFCT_CB_CONTINUE;
	CHECK(h != NULL);
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, callback, seen), 0);
	return h;
}

static inline int dump(struct nfct_handle *h)
{
	uint32_t family = AF_UNSPEC;

	return nfct_query(h, NFCT_Q_DUMP, &family);
}

#endif
