/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Who talks to whom, live: the flows that are there, those that begin and those that end, of which an
 * expression is true, until Ctrl-C or until nothing has happened for SECONDS. Where events were lost
 * it says so, and finds out what it has missed: ./mirror [EXPRESSION [SECONDS]] */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <ctrs.h>

static struct ctrs_mirror *mirror;

static void on_signal(int number)
{
	(void)number;
	ctrs_mirror_wake(mirror); /* before the wait or in it: it ends */
}

static void print_flow(char sign, const struct ctrs_flow *flow)
{
	const struct ctrs_tuple *tuple = &flow->orig;
	char src[INET6_ADDRSTRLEN] = "?", dst[INET6_ADDRSTRLEN] = "?";

	inet_ntop(tuple->l3proto, tuple->src, src, sizeof(src));
	inet_ntop(tuple->l3proto, tuple->dst, dst, sizeof(dst));
	printf("%c protocol %u %s port %u > %s port %u", sign, tuple->l4proto, src, tuple->sport, dst,
	       tuple->dport);
	if (flow->present[0] >> ATTR_ORIG_COUNTER_BYTES & 1) /* the kernel counts, and has told */
		printf(" %lu bytes", (unsigned long)(flow->bytes[0] + flow->bytes[1]));
	printf("\n");
}

static void print(const struct ctrs_change *change, const struct ctrs_flow *before,
		  const struct ctrs_flow *after)
{
	struct ctrs_mirror_info info;

	switch (change->change) {
	case CTRS_CHANGE_NEW:
	case CTRS_CHANGE_ENTERED: /* the expression is true of it from now on */
		print_flow('+', after);
		break;
	case CTRS_CHANGE_DESTROYED:
	case CTRS_CHANGE_LEFT:
		print_flow('-', before);
		break;
	case CTRS_CHANGE_OVERRUN:
		printf("? %lu events were lost\n", (unsigned long)change->lost);
		break;
	case CTRS_CHANGE_SETTLED:
		if (ctrs_mirror_get_info(mirror, &info, sizeof(info)) == 0)
			printf("= %lu flows, %lu of which have not reported yet\n",
			       (unsigned long)info.flows, (unsigned long)info.unheard);
		break;
	}
}

static int follow(int timeout_ms)
{
	struct ctrs_flow before, after;
	struct ctrs_change change;
	int found;

	do {
		found = ctrs_mirror_next(mirror, &change, sizeof(change), &before, &after,
					 sizeof(after), timeout_ms);
		if (found == 1)
			print(&change, &before, &after);
		if (found == 1 && fflush(stdout) == EOF)
			return EXIT_FAILURE;
	} while (found == 1 || (found == -1 && errno == EINTR));
	return found == 0 || errno == ECANCELED ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct ctrs_filter *filter = ctrs_filter_compile(argc > 1 ? argv[1] : "all", NULL, &error);
	int seconds = argc > 2 ? atoi(argv[2]) : 0, status = EXIT_FAILURE;

	mirror = filter != NULL ? ctrs_mirror_open(NULL, filter, &error) : NULL;
	ctrs_filter_free(filter);
	if (mirror == NULL)
		fprintf(stderr, "%s\n", error.text);
	else if (signal(SIGINT, on_signal) == SIG_ERR || signal(SIGTERM, on_signal) == SIG_ERR)
		perror("signal");
	else if ((status = follow(seconds > 0 ? seconds * 1000 : -1)) != EXIT_SUCCESS)
		fprintf(stderr, "%s\n", ctrs_mirror_last_error(mirror)->text);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	ctrs_mirror_close(mirror);
	return status;
}
