/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Logs who had which public address and port from when to when, in UTC: a line where a translated flow
 * begins (+) or was found (+~), first those that are there, and one where it ends (-, or found out: -~).
 * A line says where events were lost (?). Lines are flushed at once or every SECONDS: ./nat-log [SECONDS] */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <ctrs.h>

static struct ctrs_mirror *mirror;

static void on_signal(int number)
{
	(void)number;
	ctrs_mirror_wake(mirror); /* before the wait or in it: it ends */
}

/* A time, in nanoseconds since 1970; 0 is now. */
static const char *utc(uint64_t when)
{
	time_t seconds = when == 0 ? time(NULL) : (time_t)(when / 1000000000);
	static char text[32];

	return strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds)) != 0 ? text : "?";
}

static void print_flow(char sign, const struct ctrs_change *change, const struct ctrs_flow *flow)
{
	const struct ctrs_tuple *orig = &flow->orig, *reply = &flow->reply;
	char inside[INET6_ADDRSTRLEN] = "?", outside[INET6_ADDRSTRLEN] = "?", to[INET6_ADDRSTRLEN] = "?";

	inet_ntop(orig->l3proto, orig->src, inside, sizeof(inside));
	inet_ntop(reply->l3proto, reply->dst, outside, sizeof(outside));
	inet_ntop(reply->l3proto, reply->src, to, sizeof(to));
	printf("%s %c%s protocol %u %s %u is %s %u to %s %u zone %u id %u", utc(change->when), sign,
	       change->flags & CTRS_CHANGE_SYNTHESISED ? "~" : "", orig->l4proto, inside,
	       orig->sport | orig->icmp_id, outside, reply->dport | reply->icmp_id, to, /* one is 0 */
	       reply->sport | reply->icmp_id, flow->zone | orig->zone, flow->id);
	if (flow->present[ATTR_TIMESTAMP_START / 64] >> ATTR_TIMESTAMP_START % 64 & 1)
		printf(" since %s", utc(flow->start)); /* with nf_conntrack_timestamp=1 */
	printf("\n");
}

static void print(const struct ctrs_change *change, const struct ctrs_flow *before,
		  const struct ctrs_flow *after)
{
	if (change->change == CTRS_CHANGE_NEW || change->change == CTRS_CHANGE_ENTERED)
		print_flow('+', change, after);
	else if (change->change == CTRS_CHANGE_DESTROYED || change->change == CTRS_CHANGE_LEFT)
		print_flow('-', change, before);
	else if (change->change == CTRS_CHANGE_OVERRUN)
		printf("%s ? %lu events were lost\n", utc(0), (unsigned long)change->lost);
	else if (change->change == CTRS_CHANGE_SETTLED)
		printf("%s = what is there is above\n", utc(0));
}

static int follow(int seconds)
{
	struct ctrs_flow before, after;
	struct ctrs_change change;
	time_t flushed = time(NULL);
	int found;

	do {
		found = ctrs_mirror_next(mirror, &change, sizeof(change), &before, &after,
					 sizeof(after), seconds > 0 ? seconds * 1000 : -1);
		if (found == 1)
			print(&change, &before, &after);
		if (found >= 0 && time(NULL) - flushed >= seconds) {
			if (fflush(stdout) == EOF)
				return EXIT_FAILURE;
			flushed = time(NULL);
		}
	} while (found >= 0 || errno == EINTR);
	return errno == ECANCELED && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct ctrs_filter *filter = ctrs_filter_compile("snat", NULL, &error);
	int status = EXIT_FAILURE;

	mirror = filter != NULL ? ctrs_mirror_open(NULL, filter, &error) : NULL;
	ctrs_filter_free(filter);
	if (mirror == NULL)
		fprintf(stderr, "%s\n", error.text);
	else if (signal(SIGINT, on_signal) == SIG_ERR || signal(SIGTERM, on_signal) == SIG_ERR)
		perror("signal");
	else if ((status = follow(argc > 1 ? atoi(argv[1]) : 0)) != EXIT_SUCCESS)
		fprintf(stderr, "%s\n", ctrs_mirror_last_error(mirror)->text);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	ctrs_mirror_close(mirror);
	return status;
}
