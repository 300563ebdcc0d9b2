/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Writes the packets that rules log to a group into a file for tcpdump and Wireshark, until Ctrl-C or
 * NUMBER of them: ./nflog-pcap GROUP FILE [NUMBER]
 * Then: tcpdump -r FILE */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctrs.h>

enum { AT_ONCE = 256, ROOM = 256 * 1024 }; /* what the kernel hands out at most at once */

static struct ctrs_nflog *packets;

static void on_signal(int number)
{
	(void)number;
	ctrs_nflog_wake(packets); /* before the wait or in it: it ends */
}

/* Puts a packet into the file; that packets were lost it says to the user. */
static int save(FILE *file, const struct ctrs_packet *packet, const char *buffer)
{
	static char record[ROOM];
	ssize_t size;

	if (!(packet->present >> CTRS_PACKET_MESSAGE & 1)) {
		if (packet->present >> CTRS_PACKET_LOST & 1)
			fprintf(stderr, "%lu packets were lost\n", (unsigned long)packet->lost);
		else
			fprintf(stderr, "packets were lost: the receive buffer was full\n");
		return 0;
	}
	size = ctrs_packet_pcap(record, sizeof(record), packet, sizeof(*packet), buffer, ROOM,
				CTRS_LINK_NFLOG, 0);
	return size == -1 || fwrite(record, 1, (size_t)size, file) != (size_t)size ? -1 : 1;
}

/* Fewer batches, and larger ones: nobody waits for them. */
static struct ctrs_nflog_settings batched(void)
{
	struct ctrs_nflog_settings settings;

	memset(&settings, 0, sizeof(settings));
	settings.size = sizeof(settings);
	settings.present = CTRS_NFLOG_FLAGS | CTRS_NFLOG_BUFFER | CTRS_NFLOG_TIMEOUT;
	settings.flags = CTRS_NFLOG_SEQ;
	settings.buffer = 65536;
	settings.timeout_ms = 200;
	return settings;
}

static int capture(FILE *file, uint32_t group, long left)
{
	static struct ctrs_packet list[AT_ONCE];
	static char buffer[ROOM];
	struct ctrs_nflog_settings settings = batched();
	ssize_t number = 0, i;

	if (ctrs_nflog_bind(packets, group, &settings) == -1)
		return -1;
	while (left != 0 && (number = ctrs_nflog_read(packets, list, AT_ONCE, sizeof(list[0]), buffer, ROOM, -1)) > 0)
		for (i = 0; i < number && left != 0; i++) {
			int saved = save(file, &list[i], buffer);

			if (saved == -1)
				return -1;
			left -= saved;
		}
	return number == -1 && errno != ECANCELED && errno != EINTR ? -1 : 0;
}

int main(int argc, char *argv[])
{
	struct ctrs_open_options options;
	char header[CTRS_PCAP_HEADER_SIZE];
	FILE *file = argc > 2 ? fopen(argv[2], "wb") : NULL;
	int done;

	memset(&options, 0, sizeof(options));
	options.size = sizeof(options);
	options.receive_buffer = 8 << 20;
	if (file == NULL || (packets = ctrs_nflog_open(&options, NULL)) == NULL) {
		if (argc > 2)
			perror(argv[2]);
		else
			fprintf(stderr, "usage: %s GROUP FILE [NUMBER]\n", argv[0]);
		return EXIT_FAILURE;
	}
	signal(SIGINT, on_signal);
	ctrs_pcap_header(header, sizeof(header), CTRS_LINK_NFLOG, 0);
	fwrite(header, 1, sizeof(header), file);
	done = capture(file, (uint32_t)atol(argv[1]), argc > 3 ? atol(argv[3]) : -1);
	if (done == -1)
		fprintf(stderr, "%s\n", ctrs_nflog_last_error(packets)->text);
	ctrs_nflog_close(packets);
	return fclose(file) == 0 && done == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
