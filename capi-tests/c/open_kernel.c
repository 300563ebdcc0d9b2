/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Handles of ctrs_open() on a real kernel: options, namespaces, and what is told of a failure. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include "elsewhere.h"
#include "open_with.h"
#include <linux/netlink.h>
#include <sys/stat.h>

#define NO_FLAG 0x80000000u /* no flag of ctrs_open() has this bit */

/* Opening fails with this errno and kind, and these words are told. */
static void refused(struct ctrs_open_options options, int want, unsigned int kind, const char *words)
{
	if (options.size == 0)
		options.size = sizeof(options);
	memset(&error, 0xa5, sizeof(error));
	error.size = sizeof(error);
	CHECK_NULL(ctrs_open(&options, &error), want);
	CHECK_INT(error.size, sizeof(error));
	CHECK_INT(error.err, want);
	CHECK_INT(error.kind, kind);
	CHECK_INT(error.attribute, CTRS_ERROR_NOWHERE);
	CHECK_INT(error.offset, CTRS_ERROR_NOWHERE);
	CHECK_INT(error.reserved, 0);
	CHECK_STR(error.kernel, "");
	if (!CHECK(strstr(error.text, words) != NULL))
		printf("    %s\n", error.text);
	CHECK_NULL(ctrs_open(&options, NULL), want);
}

static int option_of(struct nfct_handle *h, int option)
{
	int value = -1;
	socklen_t size = sizeof(value);

	CHECK_INT(getsockopt(nfct_fd(h), SOL_NETLINK, option, &value, &size), 0);
	return value;
}

static void test_last_error(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	const struct ctrs_error *last = ctrs_last_error(NULL);

	CHECK_INT(last->err, EINVAL);
	CHECK_INT(last->kind, CTRS_ERROR_INVALID);
	CHECK(strstr(last->text, "no handle") != NULL);
	CHECK_ERR(ctrs_receive_buffer(NULL), -1, EINVAL);
	CHECK_ERR(ctrs_wake(NULL), -1, EINVAL);
	last = ctrs_last_error(h);
	CHECK_INT(last->size, sizeof(*last));
	CHECK_INT(last->err, 0);
	CHECK_STR(last->text, "");
	CHECK(ctrs_receive_buffer(h) > 0);
	last = ctrs_last_error(h);
	close(nfct_fd(h));
	CHECK_ERR(ctrs_receive_buffer(h), -1, EBADF);
	CHECK(ctrs_last_error(h) == last);
	CHECK_INT(last->err, EBADF);
	CHECK_INT(last->kind, CTRS_ERROR_SYSTEM);
	CHECK_INT(last->attribute, CTRS_ERROR_NOWHERE);
	CHECK_STR(last->text, "getsockopt failed: Bad file descriptor (os error 9)");
	CHECK_ERR(nfct_close(h), -1, EBADF);
	/* A call that succeeds forgets. */
	h = nfct_open(CONNTRACK, 0);
	CHECK_INT(dup2(nfct_fd(h), 200), 200);
	close(nfct_fd(h));
	CHECK_ERR(ctrs_receive_buffer(h), -1, EBADF);
	CHECK_INT(ctrs_last_error(h)->err, EBADF);
	CHECK_INT(dup2(200, nfct_fd(h)), nfct_fd(h));
	close(200);
	CHECK(ctrs_receive_buffer(h) > 0);
	last = ctrs_last_error(h);
	CHECK_INT(last->err, 0);
	CHECK_STR(last->text, "");
	CHECK_INT(nfct_close(h), 0);
}

static void test_options(void)
{
	struct nfct_handle *h = ctrs_open(NULL, NULL);

	CHECK(h != NULL);
	CHECK_INT(fcntl(nfct_fd(h), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	CHECK_INT(fcntl(nfct_fd(h), F_GETFL) & O_NONBLOCK, 0);
	CHECK_INT(option_of(h, NETLINK_CAP_ACK), 1);
	CHECK_INT(option_of(h, NETLINK_EXT_ACK), 1);
	CHECK_INT(option_of(h, NETLINK_NO_ENOBUFS), 0);
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, new_flow(0)), 0);
	CHECK_ERR(query_flow(h, NFCT_Q_CREATE, new_flow(0)), -1, EEXIST);
	CHECK_INT(query_flow(h, NFCT_Q_DESTROY, flow(0)), 0);
	CHECK_INT(nfct_close(h), 0);
	h = nfct_open(0, 0); /* programs read this one raw */
	CHECK_INT(option_of(h, NETLINK_CAP_ACK), 0);
	CHECK_INT(option_of(h, NETLINK_EXT_ACK), 0);
	CHECK_INT(nfct_close(h), 0);
	h = open_with((struct ctrs_open_options){
		.flags = CTRS_OPEN_NONBLOCK | CTRS_OPEN_RELIABLE | CTRS_OPEN_ALL_NAMESPACES,
		.subsystems = CONNTRACK, .groups = EVENTS, .receive_buffer = 100000 });
	CHECK_INT(fcntl(nfct_fd(h), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	CHECK_INT(option_of(h, NETLINK_BROADCAST_ERROR), 1);
	CHECK_INT(option_of(h, NETLINK_NO_ENOBUFS), 1);
	CHECK_INT(option_of(h, NETLINK_LISTEN_ALL_NSID), 1);
	CHECK_INT(ctrs_receive_buffer(h), 100000);
	CHECK_ERR(nfct_catch(h), -1, EAGAIN);
	CHECK_ERR(nfexp_callback_register(h, NFCT_T_ALL, NULL, NULL), -1, EINVAL); /* not open */
	CHECK_INT(nfct_close(h), 0);
	/* A program may make the descriptor non-blocking later, too. */
	h = open_with((struct ctrs_open_options){ .groups = EVENTS });
	fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK);
	CHECK_ERR(nfct_catch(h), -1, EAGAIN);
	CHECK_INT(nfct_close(h), 0);
}

static void test_wrong_options(void)
{
	char directory[] = "/tmp/fifo-XXXXXX", fifo[32];
	static const uint32_t sizes[] = { 1, 4, 7, 9, 42, 44, 4100, 0xffffffff };
	char newer[64] = { 0 };
	struct ctrs_open_options options = { .size = sizeof(newer) };
	struct nfct_handle *h;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		if (sizes[i] == sizeof(options))
			continue; /* with pointers of 4 bytes */
		about("size %u", sizes[i]);
		refused((struct ctrs_open_options){ .size = sizes[i] }, EINVAL, CTRS_ERROR_INVALID, "size");
	}
	about("");
	options.size = 0;
	CHECK_NULL(ctrs_open(&options, NULL), EINVAL);
	/* An older program, and a newer one, which asks for nothing new and for something. */
	options = (struct ctrs_open_options){ .size = 8, .groups = 0xffffffff, .reserved = 1 };
	h = ctrs_open(&options, NULL);
	CHECK(h != NULL);
	CHECK_INT(nfct_close(h), 0);
	options = (struct ctrs_open_options){ .size = sizeof(newer) };
	memcpy(newer, &options, sizeof(options));
	h = ctrs_open((void *)newer, NULL);
	CHECK(h != NULL);
	CHECK_INT(nfct_close(h), 0);
	newer[sizeof(newer) - 1] = 1;
	CHECK_NULL(ctrs_open((void *)newer, &error), EINVAL);
	CHECK(strstr(error.text, "this version") != NULL);
	refused((struct ctrs_open_options){ .flags = NO_FLAG }, EINVAL, CTRS_ERROR_INVALID, "flag");
	refused((struct ctrs_open_options){ .subsystems = 3 }, EINVAL, CTRS_ERROR_INVALID, "subsystems");
	refused((struct ctrs_open_options){ .groups = 64 }, EINVAL, CTRS_ERROR_INVALID, "group");
	refused((struct ctrs_open_options){ .reserved = 1 }, EINVAL, CTRS_ERROR_INVALID, "reserved");
	refused((struct ctrs_open_options){ .netns = "/x", .flags = CTRS_OPEN_NETNS_PID }, EINVAL,
		CTRS_ERROR_INVALID, "more than one");
	refused((struct ctrs_open_options){ .flags = CTRS_OPEN_NETNS_FD | CTRS_OPEN_NETNS_PID }, EINVAL,
		CTRS_ERROR_INVALID, "more than one");
	refused((struct ctrs_open_options){ .flags = CTRS_OPEN_NETNS_FD, .netns_fd = -1 }, EINVAL,
		CTRS_ERROR_INVALID, "descriptor");
	refused((struct ctrs_open_options){ .flags = CTRS_OPEN_NETNS_FD, .netns_fd = 500 }, EBADF,
		CTRS_ERROR_SYSTEM, "fcntl failed");
	refused((struct ctrs_open_options){ .flags = CTRS_OPEN_NETNS_FD, .netns_fd = 0 }, EINVAL,
		CTRS_ERROR_INVALID, "no network namespace");
	refused((struct ctrs_open_options){ .flags = CTRS_OPEN_NETNS_PID, .netns_pid = -1 }, EINVAL,
		CTRS_ERROR_INVALID, "process");
	refused((struct ctrs_open_options){ .flags = CTRS_OPEN_NETNS_PID, .netns_pid = 2000000000 },
		ENOENT, CTRS_ERROR_NOT_FOUND, "open failed");
	refused((struct ctrs_open_options){ .netns = "/run/netns/there is none" }, ENOENT,
		CTRS_ERROR_NOT_FOUND, "open failed");
	refused((struct ctrs_open_options){ .netns = "/proc/self/ns/uts" }, EINVAL, CTRS_ERROR_INVALID,
		"no network namespace");
	/* What waits for a writer, where it is opened in the ordinary way. */
	CHECK(mkdtemp(directory) != NULL);
	snprintf(fifo, sizeof(fifo), "%s/it", directory);
	CHECK_INT(mkfifo(fifo, 0600), 0);
	alarm(10);
	refused((struct ctrs_open_options){ .netns = fifo }, EINVAL, CTRS_ERROR_INVALID,
		"no network namespace");
	alarm(0);
	CHECK_INT(unlink(fifo), 0);
	CHECK_INT(rmdir(directory), 0);
	/* The flags say whether these are read: zeroed options mean "here". */
	h = open_with((struct ctrs_open_options){ .netns_fd = 500, .netns_pid = -1 });
	CHECK_INT(nfct_close(h), 0);
}

/* A caller's error of another version. */
static void test_sizes_of_errors(void)
{
	static const uint32_t wrong[] = { 0, 4, 23, 65537, 0xffffffff };
	static uint8_t room[2000];
	struct ctrs_open_options options = { .size = sizeof(options), .flags = NO_FLAG };
	struct ctrs_error *of = (void *)room;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		memset(room, 0xa5, sizeof(room));
		of->size = wrong[i];
		CHECK_NULL(ctrs_open(NULL, of), EINVAL);
		CHECK_INT(room[4], 0xa5);
	}
	for (uint32_t size = 24; size < 1000; size += size < 160 ? 1 : 97) {
		about("size %u", size);
		memset(room, 0xa5, sizeof(room));
		of->size = size;
		CHECK_NULL(ctrs_open(&options, of), EINVAL);
		CHECK_INT(of->size, size);
		CHECK_INT(of->err, EINVAL);
		CHECK_INT(room[size], 0xa5);
		if (size > 24)
			CHECK(memchr(of->kernel, 0, size - 24) != NULL);
		if (size > 153)
			CHECK(memchr(of->text, 0, size - 152) != NULL);
	}
	about("");
}

static void unprivileged(void)
{
	struct nfct_handle *h;

	give_up_privileges();
	refused((struct ctrs_open_options){ .groups = EVENTS }, EPERM, CTRS_ERROR_PRIVILEGE,
		"CAP_NET_ADMIN");
	refused((struct ctrs_open_options){ .flags = CTRS_OPEN_ALL_NAMESPACES }, EPERM,
		CTRS_ERROR_PRIVILEGE, "CAP_NET_BROADCAST");
	refused((struct ctrs_open_options){ .netns = "/proc/thread-self/ns/net" }, EPERM,
		CTRS_ERROR_PRIVILEGE, "CAP_SYS_ADMIN");
	/* Beyond net.core.rmem_max it gets as much as that allows. */
	h = open_with((struct ctrs_open_options){ .receive_buffer = 0x7fffffff });
	CHECK(ctrs_receive_buffer(h) > 0);
	CHECK(ctrs_receive_buffer(h) < 0x7fffffff / 2);
	CHECK_INT(nfct_close(h), 0);
}

static void where(char text[64])
{
	ssize_t length = readlink("/proc/thread-self/ns/net", text, 63);

	text[length < 0 ? 0 : length] = 0;
}

static void test_namespaces(void)
{
	struct elsewhere it = begin_elsewhere();
	int fd = open(it.namespace, O_RDONLY | O_CLOEXEC);
	const struct ctrs_open_options ways[] = {
		{ .netns = it.namespace, .groups = EVENTS },
		{ .flags = CTRS_OPEN_NETNS_PID, .netns_pid = it.pid },
		{ .flags = CTRS_OPEN_NETNS_FD, .netns_fd = fd },
	};
	char before[64], after[64];

	where(before);
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct nfct_handle *h = open_with(ways[i]);

		about("way %zu", i);
		CHECK_INT(query_flow(h, NFCT_Q_CREATE, new_flow(i)), 0);
		CHECK_INT(proc_lines(it.flows, "", NULL), i + 1);
		CHECK_INT(flows_with(""), 0);
		where(after);
		CHECK_STR(after, before);
		CHECK_INT(nfct_close(h), 0);
		CHECK(fcntl(fd, F_GETFD) != -1); /* stays the caller's */
	}
	about("");
	close(fd);
	end_elsewhere(it);
}

/* The buffer grows each time messages were lost, up to its limit. */
static void test_growing_buffer(void)
{
	static const int sizes[] = { 8192, 16384, 20000, 20000 };
	struct nfct_handle *writer = nfct_open(CONNTRACK, 0);
	struct nfct_handle *h = open_with((struct ctrs_open_options){
		.flags = CTRS_OPEN_NONBLOCK, .groups = EVENTS, .receive_buffer = 8192,
		.receive_buffer_limit = 20000 });

	for (size_t i = 0; i < COUNT(sizes); i++) {
		CHECK_INT(ctrs_receive_buffer(h), sizes[i]);
		create_flows(writer, 0, 200);
		CHECK_INT(flush(writer), 0);
		CHECK_ERR(nfct_catch(h), -1, ENOBUFS);
		CHECK_ERR(nfct_catch(h), -1, EAGAIN);
	}
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(nfct_close(writer), 0);
}

/* A callback closes its handle: the call ends, and what the handle opened goes with it. */
static int close_handle(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)type;
	(void)ct;
	CHECK(ctrs_receive_buffer(data) > 0);
	CHECK_INT(nfct_close(data), 0);
	CHECK_ERR(ctrs_receive_buffer(data), -1, EBADF);
	return NFCT_CB_CONTINUE;
}

static void test_close_in_callback(void)
{
	struct nfct_handle *h = open_with((struct ctrs_open_options){ .groups = EVENTS });
	int fd = dup(0);

	close(fd); /* the lowest that is free */
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, close_handle, h), 0);
	CHECK_ERR(query_flow(h, NFCT_Q_CREATE, new_flow(0)), -1, EBADF);
	h = nfct_open(CONNTRACK, 0);
	CHECK(nfct_fd(h) < fd);
	CHECK_INT(flush(h), 0);
	CHECK_INT(nfct_close(h), 0);
}

int main(void)
{
	own_namespace();
	test_last_error();
	test_options();
	test_wrong_options();
	test_sizes_of_errors();
	in_child(unprivileged);
	test_namespaces();
	test_growing_buffer();
	test_close_in_callback();
	return finish();
}
#endif
