// SPDX-License-Identifier: MIT OR Apache-2.0
/* The figures of logged packets that come from the kernel: a rule logs what is sent to port 9. */
#define _GNU_SOURCE
#include "nflog.h"
#include "kernel.h"
#include "library.h"
#include "netlink.h"
#include "nflog_library.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUP 1
#define QUIET 300 /* milliseconds without a packet after which the last has come */
#define ROOM (8 * 1024 * 1024)
#define RECORDS 256

static unsigned long seen;
static char datagram[256 * 1024];

/* Somewhere packets come in. `receive` takes what has come, or waits for it; 0: nothing came. */
struct log {
	int fd;
	struct nflog_handle *handle;
	struct ctrs_nflog *records;
	int (*receive)(struct log *);
};

/* --- The floor: a bare loop, which counts messages --- */

static void put(char *message, uint16_t type, const void *value, uint16_t size)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)message;
	struct nlattr *attribute = (struct nlattr *)(void *)(message + header->nlmsg_len);

	*attribute = (struct nlattr){ .nla_len = (uint16_t)(size + 4), .nla_type = type };
	memcpy(attribute + 1, value, size);
	header->nlmsg_len += 4 + ((size + 3u) & ~3u);
}

static void put_number(char *message, uint16_t type, uint32_t value)
{
	value = htonl(value);
	put(message, type, &value, sizeof(value));
}

static void bind_bare(struct log *log, struct logging logging)
{
	char message[256] = { 0 };
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)message;
	struct nfgenmsg group = { .res_id = htons(GROUP) };
	uint16_t flags = htons(NFULNL_CFG_F_SEQ);
	uint8_t command = NFULNL_CFG_CMD_BIND;

	*header = (struct nlmsghdr){ .nlmsg_len = 20, .nlmsg_type = NFNL_SUBSYS_ULOG << 8 | 1 };
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	memcpy(message + 16, &group, sizeof(group));
	put(message, NFULA_CFG_CMD, &command, sizeof(command));
	put_number(message, NFULA_CFG_TIMEOUT, 1);
	if (logging.threshold != 0)
		put_number(message, NFULA_CFG_QTHRESH, logging.threshold);
	if (logging.buffer != 0)
		put_number(message, NFULA_CFG_NLBUFSIZ, logging.buffer);
	put(message, NFULA_CFG_FLAGS, &flags, sizeof(flags));
	if (send(log->fd, message, header->nlmsg_len, 0) == -1 ||
	    recv(log->fd, datagram, sizeof(datagram), 0) < 20 || datagram[16] != 0)
		fail("binding a group");
}

static int receive_bare(struct log *log)
{
	ssize_t size = recv(log->fd, datagram, sizeof(datagram), 0);
	size_t at = 0;

	if (size == -1)
		return 0;
	while (at + sizeof(struct nlmsghdr) <= (size_t)size) {
		struct nlmsghdr *header = (struct nlmsghdr *)(void *)(datagram + at);

		seen += header->nlmsg_type == NFNL_SUBSYS_ULOG << 8;
		at += (header->nlmsg_len + 3u) & ~3u;
	}
	return 1;
}

/* --- The calls of libnetfilter_log --- */

static int count_packet(struct nflog_g_handle *group, struct nfgenmsg *message,
			struct nflog_data *data, void *context)
{
	(void)group, (void)message, (void)context;
	read_packet(data);
	seen++;
	return 0;
}

static void bind_calls(struct log *log, struct logging logging)
{
	struct nflog_g_handle *group;

	if ((group = nflog.nflog_bind_group(log->handle, GROUP)) == NULL)
		fail("nflog_bind_group");
	nflog.nflog_callback_register(group, count_packet, NULL);
	nflog.nflog_set_timeout(group, 1);
	if (logging.threshold != 0)
		nflog.nflog_set_qthresh(group, logging.threshold);
	if (logging.buffer != 0)
		nflog.nflog_set_nlbufsiz(group, logging.buffer);
	nflog.nflog_set_flags(group, NFULNL_CFG_F_SEQ);
}

static int receive_calls(struct log *log)
{
	ssize_t size = recv(log->fd, datagram, sizeof(datagram), 0);

	if (size == -1)
		return 0;
	nflog.nflog_handle_packet(log->handle, datagram, (int)size);
	return 1;
}

/* --- Records --- */

static void bind_records(struct log *log, struct logging logging)
{
	struct ctrs_nflog_settings settings = { .size = sizeof(settings) };

	settings.present = CTRS_NFLOG_TIMEOUT | CTRS_NFLOG_FLAGS;
	settings.timeout_ms = 10;
	settings.flags = CTRS_NFLOG_SEQ;
	if (logging.threshold != 0)
		settings.present |= CTRS_NFLOG_THRESHOLD, settings.threshold = logging.threshold;
	if (logging.buffer != 0)
		settings.present |= CTRS_NFLOG_BUFFER, settings.buffer = logging.buffer;
	if (nflog.ctrs_nflog_bind(log->records, GROUP, &settings) != 0)
		fail("ctrs_nflog_bind");
}

static int receive_records(struct log *log)
{
	static struct ctrs_packet packets[RECORDS];
	ssize_t number = nflog.ctrs_nflog_read(log->records, packets, RECORDS, sizeof(*packets),
					       datagram, sizeof(datagram), QUIET);

	for (ssize_t i = 0; i < number; i++)
		seen += packets[i].present & 1;
	return number > 0;
}

static struct log open_log(const char *way, struct logging logging)
{
	struct timeval quiet = { .tv_usec = QUIET * 1000 };
	struct log log = { .fd = -1 };
	int room = ROOM;

	if (strcmp(way, "records") == 0) {
		struct ctrs_open_options options = { .size = sizeof(options), .receive_buffer = ROOM };

		if ((log.records = nflog.ctrs_nflog_open(&options, NULL)) == NULL)
			fail("ctrs_nflog_open");
		bind_records(&log, logging);
		log.receive = receive_records;
		return log;
	}
	if (strcmp(way, "calls") == 0) {
		if ((log.handle = nflog.nflog_open()) == NULL)
			fail("nflog_open");
		log.fd = nflog.nflog_fd(log.handle);
		bind_calls(&log, logging);
		log.receive = receive_calls;
	} else {
		log.fd = netlink_open(0);
		bind_bare(&log, logging);
		log.receive = receive_bare;
	}
	if (setsockopt(log.fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) == -1 ||
	    setsockopt(log.fd, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof(quiet)) == -1)
		fail("setsockopt");
	return log;
}

/* --- What is logged --- */

/* A socket that takes what is sent to port 9, and drops it once it is full. */
static void open_sink(void)
{
	struct sockaddr_in sink = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), least = 1;

	sink.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)) == -1 ||
	    bind(fd, (struct sockaddr *)&sink, sizeof(sink)) == -1)
		fail("port 9");
}

static void send_packets(unsigned int count, unsigned int payload)
{
	static char bytes[2048];
	struct sockaddr_in sink = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sink.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (payload > sizeof(bytes) || connect(fd, (struct sockaddr *)&sink, sizeof(sink)) == -1)
		fail("connect");
	for (unsigned int n = 0; n < count; n++)
		if (send(fd, bytes, payload, 0) == -1)
			fail("send");
	close(fd);
}

static pid_t start_sender(unsigned int count, unsigned int payload)
{
	pid_t child = fork();

	if (child == 0) {
		run_on(1);
		send_packets(count, payload);
		_exit(0);
	}
	if (child == -1)
		fail("fork");
	return child;
}

void nflog_rate_figure(const char *way, unsigned int count, struct logging logging)
{
	struct log log = open_log(way, logging);
	double start, used, quiet = 0;
	pid_t sender;

	open_sink();
	run_on(0);
	start = now();
	used = cpu_time();
	sender = start_sender(count, logging.payload);
	while (seen < count && quiet == 0)
		if (!log.receive(&log) && errno != ENOBUFS &&
		    waitpid(sender, NULL, WNOHANG) == sender)
			quiet = QUIET / 1e3;
	used = cpu_time() - used;
	printf("{\"seen\": %lu, \"lost\": %ld, \"seconds\": %.9f, \"used\": %.12f}\n", seen,
	       (long)count - (long)seen, now() - start - quiet, used / (double)seen);
}

void nflog_waiting_figure(const char *way, unsigned int count, struct logging logging)
{
	struct log log = open_log(way, logging);
	double used;

	open_sink();
	send_packets(count, logging.payload);
	usleep(20000); /* for the last batch */
	used = cpu_time();
	while (seen < count)
		if (!log.receive(&log))
			fail("packets");
	printf("{\"seconds\": %.12f}\n", (cpu_time() - used) / (double)seen);
}
