/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* ipulog GROUP PACKETS: print so many packets of a group, which libipulog reads, and what it refuses. */
#include <libnetfilter_log/libipulog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_bytes(const char *name, const unsigned char *bytes, size_t len)
{
	printf(" %s=", name);
	while (len-- > 0)
		printf("%02x", *bytes++);
}

static void print_packet(const ulog_packet_msg_t *packet)
{
	printf("hook=%u mark=%lu time=%ld.%06ld in=%s out=%s prefix=%s", packet->hook, packet->mark,
	       packet->timestamp_sec, packet->timestamp_usec, packet->indev_name, packet->outdev_name,
	       packet->prefix);
	print_bytes("mac", packet->mac, packet->mac_len);
	print_bytes("payload", packet->payload, packet->data_len);
	printf("\n");
}

static void print_refusal(const char *what, uint32_t gmask)
{
	struct ipulog_handle *handle = ipulog_create_handle(gmask, 65535);

	printf("%s: %s: %d, %s\n", what, handle == NULL ? "refused" : "opened", ipulog_errno,
	       ipulog_strerror(ipulog_errno));
	if (handle != NULL)
		ipulog_destroy_handle(handle);
}

int main(int argc, char **argv)
{
	static unsigned char buffer[150000];
	uint32_t group = argc > 1 ? atoi(argv[1]) : 0;
	int wanted = argc > 2 ? atoi(argv[2]) : 0;
	struct ipulog_handle *handle = ipulog_create_handle(ipulog_group2gmask(group), 65535);

	if (handle == NULL) {
		ipulog_perror("ipulog");
		return 1;
	}
	print_refusal("taken", ipulog_group2gmask(group));
	printf("ready\n");
	fflush(stdout);
	while (wanted > 0) {
		ssize_t got = ipulog_read(handle, buffer, sizeof(buffer), 1);
		ulog_packet_msg_t *packet;

		if (got <= 0) {
			ipulog_perror("ipulog_read");
			break;
		}
		while (wanted > 0 && (packet = ipulog_get_packet(handle, buffer, got)) != NULL) {
			print_packet(packet);
			wanted--;
		}
	}
	ipulog_destroy_handle(handle);
	return 0;
}
