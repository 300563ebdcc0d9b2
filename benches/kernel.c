// SPDX-License-Identifier: MIT OR Apache-2.0
/* The figures that need a flow table: dumps, events, creating and deleting. */
#define _GNU_SOURCE
#include "kernel.h"
#include "library.h"
#include "netlink.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUIET 300 /* milliseconds without an event after which the last has come */
#define MOST_LISTENERS 16
#define WAITING 40000 /* events that are in a buffer before they are read */

static unsigned long seen, stop_at;

static int count_only(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)type, (void)ct, (void)data;
	return ++seen == stop_at ? NFCT_CB_STOP : NFCT_CB_CONTINUE;
}

static int read_flow(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	read_five(ct);
	return count_only(type, ct, data);
}

static int print_as(unsigned int format, enum nf_conntrack_msg_type type, struct nf_conntrack *ct)
{
	static char line[2048];

	keep((unsigned long)lib.nfct_snprintf(line, sizeof(line), ct, (unsigned int)type, format,
					      NFCT_OF_SHOW_LAYER3));
	return count_only(type, ct, NULL);
}

static int print_plain(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)data;
	return print_as(NFCT_O_PLAIN, type, ct);
}

static int print_xml(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)data;
	return print_as(NFCT_O_XML, type, ct);
}

static const struct callback {
	const char *name;
	int (*function)(enum nf_conntrack_msg_type, struct nf_conntrack *, void *);
} callbacks[] = {
	{ "empty", count_only },
	{ "getters", read_flow },
	{ "print", print_plain },
	{ "xml", print_xml },
	{ "records", count_only },
	{ "floor", NULL },
};

static const struct callback *callback(const char *name)
{
	for (size_t i = 0; i < sizeof(callbacks) / sizeof(callbacks[0]); i++)
		if (strcmp(callbacks[i].name, name) == 0)
			return &callbacks[i];
	fail(name);
}

static struct nfct_handle *open_handle(unsigned int groups, const struct callback *cb)
{
	struct nfct_handle *h = lib.nfct_open(CONNTRACK, groups);

	if (h == NULL || lib.nfct_callback_register(h, NFCT_T_ALL, cb->function, NULL) != 0)
		fail("nfct_open");
	return h;
}

static void dump_once(const struct callback *cb)
{
	uint32_t family = AF_UNSPEC;

	if (cb->function == NULL) {
		int fd = netlink_open(0);

		seen += netlink_dump(fd);
		close(fd);
	} else {
		struct nfct_handle *h = open_handle(0, cb);

		if (lib.nfct_query(h, NFCT_Q_DUMP, &family) != 0)
			fail("dump");
		lib.nfct_close(h);
	}
}

/* The most memory this program has had, in KiB; getrusage() would tell its parent's too. */
static long peak_memory(void)
{
	char line[256];
	long peak = -1;
	FILE *status = fopen("/proc/self/status", "re");

	if (status == NULL)
		fail("/proc/self/status");
	while (peak == -1 && fgets(line, sizeof(line), status) != NULL)
		sscanf(line, "VmHWM: %ld", &peak);
	fclose(status);
	return peak;
}

void dump_figure(const char *name, unsigned int times)
{
	const struct callback *cb = callback(name);
	double start = cpu_time();

	for (unsigned int i = 0; i < times; i++)
		dump_once(cb);
	start = cpu_time() - start;
	printf("{\"seconds\": %.9f, \"entries\": %lu, \"rss\": %ld}\n", start / times, seen / times,
	       peak_memory());
}

/* Lists the table through an array of records. */
static void pull_once(uint32_t flags)
{
	static struct ctrs_flow flows[1000];
	struct nfct_handle *h = lib.nfct_open(CONNTRACK, 0);
	struct ctrs_dump *dump = h == NULL ? NULL : lib.ctrs_dump_begin(h, NULL, flags);
	ssize_t number;

	if (dump == NULL)
		fail("ctrs_dump_begin");
	while ((number = lib.ctrs_dump_read(dump, flows, 1000, sizeof(*flows))) > 0)
		seen += (unsigned long)number;
	if (number != 0 || lib.ctrs_dump_end(dump) != CTRS_CONSISTENT)
		fail("ctrs_dump_read");
	lib.nfct_close(h);
}

void pull_figure(const char *search, unsigned int times)
{
	uint32_t flags = strcmp(search, "searched") == 0 ? 0 : CTRS_DUMP_NO_DUPLICATE_SEARCH;
	double start = cpu_time();

	for (unsigned int i = 0; i < times; i++)
		pull_once(flags);
	start = cpu_time() - start;
	printf("{\"seconds\": %.9f, \"entries\": %lu}\n", start / times, seen / times);
}

void run_on(unsigned int cpu)
{
	struct sched_param first = { .sched_priority = 1 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	sched_setscheduler(0, SCHED_FIFO, &first);
}

/* Creates entries at a rate a second, or as fast as the kernel can. */
static void generate(unsigned int count, unsigned int rate)
{
	static struct batch batch;
	unsigned int at_once = rate == 0 ? 1000 : rate / 10000 + 1;
	int fd = netlink_open(0);
	double start = now();

	for (unsigned int n = 0; n < count;) {
		for (unsigned int i = 0; i < at_once && n < count; i++)
			add_create(&batch, n++);
		netlink_send(fd, &batch);
		while (rate != 0 && now() - start < (double)n / rate)
			;
	}
	close(fd);
}

static pid_t start_generator(unsigned int count, unsigned int rate)
{
	pid_t child = fork();

	if (child == 0) {
		run_on(1);
		generate(count, rate);
		_exit(0);
	}
	if (child == -1)
		fail("fork");
	return child;
}

/* Somewhere events come in: a handle, or of the floor a bare socket. */
struct listener {
	struct nfct_handle *handle;
	int fd;
	int records; /* read through an array of them */
};

static struct listener listen_to_new(const struct callback *cb)
{
	struct listener l = { .records = strcmp(cb->name, "records") == 0 };

	if (cb->function == NULL) {
		l.fd = netlink_open(NF_NETLINK_CONNTRACK_NEW);
	} else {
		l.handle = open_handle(NF_NETLINK_CONNTRACK_NEW, cb);
		l.fd = lib.nfct_fd(l.handle);
	}
	return l;
}

/* Reads events until an error or `stop_at`; a gap counts as none. */
static void read_events(struct nfct_handle *h)
{
	static struct ctrs_event events[64];
	ssize_t number;

	while ((number = lib.ctrs_event_read(h, events, 64, sizeof(*events), 0)) > 0) {
		for (ssize_t i = 0; i < number; i++)
			seen += events[i].change != CTRS_EVENT_LOST;
		if (seen == stop_at)
			return;
	}
	if (number == 0)
		errno = EAGAIN;
}

/* Receives events until an error or `stop_at`. */
static void catch_events(const struct listener *l)
{
	static char buffer[32 * 1024];

	if (l->records)
		read_events(l->handle);
	else if (l->handle != NULL)
		lib.nfct_catch(l->handle);
	else
		while (recv(l->fd, buffer, sizeof(buffer), 0) > 0 && ++seen != stop_at)
			;
}

/* Waits for events and receives them until the generator has ended and nothing comes any more;
 * returns how often the kernel said that some were lost. */
static unsigned int listen_until_end(const struct listener *listeners, struct pollfd *fds,
				     unsigned int number, pid_t generator)
{
	unsigned int overruns = 0;

	for (;;) {
		int ready = poll(fds, number, QUIET);

		if (ready == -1)
			fail("poll");
		if (ready == 0 && waitpid(generator, NULL, WNOHANG) == generator)
			return overruns;
		for (unsigned int i = 0; ready > 0 && i < number; i++) {
			catch_events(&listeners[i]);
			overruns += errno == ENOBUFS;
			if (errno != ENOBUFS && errno != EAGAIN)
				fail("events");
		}
	}
}

void events_figure(const char *name, unsigned int count, unsigned int rate, unsigned int number)
{
	struct listener listeners[MOST_LISTENERS];
	struct pollfd fds[MOST_LISTENERS];
	unsigned int overruns;
	double start;
	pid_t child;

	if (number > MOST_LISTENERS)
		number = MOST_LISTENERS;
	for (unsigned int i = 0; i < number; i++) {
		listeners[i] = listen_to_new(callback(name));
		fds[i] = (struct pollfd){ .fd = listeners[i].fd, .events = POLLIN };
		if (fcntl(fds[i].fd, F_SETFL, O_NONBLOCK) == -1)
			fail("O_NONBLOCK");
	}
	run_on(0);
	start = now();
	child = start_generator(count, rate);
	overruns = listen_until_end(listeners, fds, number, child);
	printf("{\"seen\": %lu, \"lost\": %ld, \"overruns\": %u, \"seconds\": %.9f}\n", seen,
	       (long)count * (long)number - (long)seen, overruns, now() - start - QUIET / 1e3);
}

/* Has a socket hold `WAITING` events. */
static void make_room(int fd)
{
	int bytes = WAITING / 2 * 1600; /* the kernel doubles it, and counts 1,280 bytes for an event */

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == -1)
		fail("SO_RCVBUFFORCE");
}

void waiting_figure(const char *name, unsigned int rounds)
{
	static struct batch batch;
	struct listener listener = listen_to_new(callback(name));
	int generator = netlink_open(0);
	double taken = 0;

	make_room(listener.fd);
	for (unsigned int round = 0, n = 0; round < rounds; round++) {
		for (stop_at += WAITING; n < stop_at;) {
			add_create(&batch, n++);
			if (n % 1000 == 0)
				netlink_confirm(generator, &batch);
		}
		taken -= cpu_time();
		catch_events(&listener);
		taken += cpu_time();
		if (seen != stop_at)
			fail("events");
	}
	printf("{\"seconds\": %.9f}\n", taken / (double)seen);
}

/* Entry `n`, as netlink.c makes it. */
static struct nf_conntrack *entry(unsigned int n)
{
	struct flow flow = flow_of(n);
	struct nf_conntrack *ct = lib.nfct_new();

	lib.nfct_set_attr_u8(ct, ATTR_L3PROTO, flow.family);
	if (flow.family == AF_INET) {
		lib.nfct_set_attr_u32(ct, ATTR_IPV4_SRC, htonl(flow.address[0]));
		lib.nfct_set_attr_u32(ct, ATTR_IPV4_DST, htonl(flow.address[1]));
	} else {
		struct in6_addr src = ipv6_of(flow.address[0]), dst = ipv6_of(flow.address[1]);

		lib.nfct_set_attr(ct, ATTR_IPV6_SRC, &src);
		lib.nfct_set_attr(ct, ATTR_IPV6_DST, &dst);
	}
	lib.nfct_set_attr_u8(ct, ATTR_L4PROTO, flow.protocol);
	lib.nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(flow.port[0]));
	lib.nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(flow.port[1]));
	lib.nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	lib.nfct_set_attr_u32(ct, ATTR_TIMEOUT, 100000);
	lib.nfct_set_attr_u32(ct, ATTR_MARK, flow.mark);
	if (flow.protocol == IPPROTO_TCP)
		lib.nfct_set_attr_u8(ct, ATTR_TCP_STATE, 3);
	return ct;
}

static void query_each(struct nfct_handle *h, enum nf_conntrack_query query, unsigned int count)
{
	for (unsigned int n = 0; n < count; n++) {
		struct nf_conntrack *ct = entry(n);

		if (lib.nfct_query(h, query, ct) != 0)
			fail("query");
		lib.nfct_destroy(ct);
	}
}

static void request_each(int fd, void (*add)(struct batch *, unsigned int), unsigned int count)
{
	static struct batch batch;

	for (unsigned int n = 0; n < count; n++) {
		add(&batch, n);
		netlink_confirm(fd, &batch);
	}
}

void query_figure(const char *name, unsigned int count)
{
	const struct callback *cb = callback(name);
	struct nfct_handle *h = cb->function == NULL ? NULL : open_handle(0, cb);
	int fd = netlink_open(0);
	double start = cpu_time(), between;

	if (h != NULL)
		query_each(h, NFCT_Q_CREATE, count);
	else
		request_each(fd, add_create, count);
	between = cpu_time();
	if (h != NULL)
		query_each(h, NFCT_Q_DESTROY, count);
	else
		request_each(fd, add_delete, count);
	printf("{\"create\": %.9f, \"delete\": %.9f}\n", (between - start) / count,
	       (cpu_time() - between) / count);
}
