/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prints flows as they come, change and go, until COUNT events, SECONDS or Ctrl-C:
 * ./events [COUNT [SECONDS]] */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

static volatile sig_atomic_t interrupted;
static unsigned long left = ULONG_MAX;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, errno != EPERM ? strerror(errno) :
		"needs CAP_NET_ADMIN: run as root or in a namespace of your own: unshare -Urn");
	return EXIT_FAILURE;
}

static int print_event(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	char line[4096];

	(void)data;
	if (nfct_snprintf(line, sizeof(line), ct, type, NFCT_O_DEFAULT, NFCT_OF_ID) < 0 ||
	    puts(line) == EOF || fflush(stdout) == EOF)
		return NFCT_CB_FAILURE;
	return --left == 0 ? NFCT_CB_STOP : NFCT_CB_CONTINUE;
}

static int watch(struct nfct_handle *h, time_t end)
{
	struct pollfd fd;

	fd.fd = nfct_fd(h);
	fd.events = POLLIN;
	/* A signal does not end nfct_catch, so poll waits and nfct_catch only drains. */
	while (!interrupted && left != 0 && (end == 0 || time(NULL) < end)) {
		int ready = poll(&fd, 1, 200);

		if (ready == -1 && errno != EINTR)
			return fail("poll");
		if (ready <= 0 || nfct_catch(h) != -1 || errno == EAGAIN)
			continue;
		if (errno != ENOBUFS)
			return fail("receive");
		fputs("events were lost: raise SO_RCVBUF on nfct_fd() or filter\n", stderr);
	}
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	struct nfct_handle *h = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
	int status;

	if (h == NULL)
		return fail("open");
	if (argc > 1 && (left = strtoul(argv[1], NULL, 10)) == 0)
		left = ULONG_MAX; /* 0: no limit */
	if (signal(SIGINT, on_signal) == SIG_ERR || signal(SIGTERM, on_signal) == SIG_ERR ||
	    fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK) == -1 ||
	    nfct_callback_register(h, NFCT_T_ALL, print_event, NULL) == -1)
		status = fail("prepare");
	else
		status = watch(h, argc > 2 ? time(NULL) + atoi(argv[2]) : 0);
	return nfct_close(h) == -1 ? fail("close") : status;
}
