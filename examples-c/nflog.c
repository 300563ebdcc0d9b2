/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prints the packets that rules log to a group, until Ctrl-C or NUMBER of them: ./nflog GROUP [NUMBER]
 * A rule that does: nft add rule inet filter input log group 5 prefix '"in "' */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ctrs.h>

static struct ctrs_nflog *packets;

static void on_signal(int number)
{
	(void)number;
	ctrs_nflog_wake(packets); /* before the wait or in it: it ends */
}

static int has(const struct ctrs_packet *packet, enum ctrs_packet_field field)
{
	return (int)(packet->present >> field & 1);
}

static void print_payload(const unsigned char *ip, uint32_t length)
{
	char src[INET6_ADDRSTRLEN] = "?", dst[INET6_ADDRSTRLEN] = "?";

	if (length >= 20 && ip[0] >> 4 == 4) {
		inet_ntop(AF_INET, ip + 12, src, sizeof(src));
		inet_ntop(AF_INET, ip + 16, dst, sizeof(dst));
	} else if (length >= 40 && ip[0] >> 4 == 6) {
		inet_ntop(AF_INET6, ip + 8, src, sizeof(src));
		inet_ntop(AF_INET6, ip + 24, dst, sizeof(dst));
	}
	printf(" %s > %s %u bytes", src, dst, length);
}

static void print(const struct ctrs_packet *packet, const char *buffer)
{
	uint64_t at = has(packet, CTRS_PACKET_TIMESTAMP) ? packet->timestamp : packet->received;
	time_t seconds = (time_t)(at / 1000000000);
	char when[32] = "", device[IF_NAMESIZE];

	if (!has(packet, CTRS_PACKET_MESSAGE)) { /* of a group with numbers it is known how many */
		if (has(packet, CTRS_PACKET_LOST))
			printf("%lu packets were lost\n", (unsigned long)packet->lost);
		else
			printf("packets were lost: the receive buffer was full\n");
		return;
	}
	strftime(when, sizeof(when), "%H:%M:%S", localtime(&seconds));
	printf("%s %.*s", when, (int)packet->prefix.length, buffer + packet->prefix.offset);
	if (has(packet, CTRS_PACKET_INDEV) && if_indextoname(packet->indev, device) != NULL)
		printf(" in %s", device);
	if (has(packet, CTRS_PACKET_OUTDEV) && if_indextoname(packet->outdev, device) != NULL)
		printf(" out %s", device);
	if (has(packet, CTRS_PACKET_UID))
		printf(" uid %u", packet->uid);
	if (has(packet, CTRS_PACKET_PAYLOAD))
		print_payload((const unsigned char *)buffer + packet->payload.offset, packet->payload.length);
	printf("\n");
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	static char buffer[128 * 1024]; /* holds any packet */
	long left = argc > 2 ? atol(argv[2]) : -1;
	struct ctrs_nflog_settings settings;
	const struct ctrs_error *failed;
	struct ctrs_packet packet;

	if (argc < 2) {
		fprintf(stderr, "usage: %s GROUP [NUMBER]\n", argv[0]);
		return EXIT_FAILURE;
	}
	memset(&settings, 0, sizeof(settings));
	settings.size = sizeof(settings);
	settings.present = CTRS_NFLOG_FLAGS | CTRS_NFLOG_THRESHOLD;
	settings.flags = CTRS_NFLOG_SEQ; /* what is lost is counted */
	settings.threshold = 1;		 /* at once, for a person to see */
	packets = ctrs_nflog_open(NULL, NULL);
	if (packets == NULL || signal(SIGINT, on_signal) == SIG_ERR) {
		perror("prepare");
		return EXIT_FAILURE;
	}
	if (ctrs_nflog_bind(packets, (uint32_t)atol(argv[1]), &settings) == 0)
		while (left-- != 0 && ctrs_nflog_next(packets, &packet, sizeof(packet), buffer, sizeof(buffer), -1) == 1)
			print(&packet, buffer);
	failed = ctrs_nflog_last_error(packets);
	if (failed->err != 0 && failed->err != EINTR && failed->err != ECANCELED) {
		fprintf(stderr, "%s\n", failed->text);
		return EXIT_FAILURE;
	}
	return ctrs_nflog_close(packets) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
