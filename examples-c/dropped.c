/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prints the packets that rules log to a group, with the flow that each belongs to, for ever or NUMBER of them.
 * A rule that does: nft add rule inet filter input ip saddr 192.0.2.0/24 log group 5 prefix '"drop "' drop
 * Then: ./dropped GROUP [NUMBER] */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctrs.h>

static void print(const struct ctrs_flow *flow)
{
	char src[INET6_ADDRSTRLEN] = "?", dst[INET6_ADDRSTRLEN] = "?";

	inet_ntop(flow->orig.l3proto, flow->orig.src, src, sizeof(src));
	inet_ntop(flow->orig.l3proto, flow->orig.dst, dst, sizeof(dst));
	printf("protocol %u %s %u > %s %u mark %u\n", flow->orig.l4proto, src, flow->orig.sport, dst,
	       flow->orig.dport, flow->mark);
}

int main(int argc, char *argv[])
{
	static char buffer[128 * 1024]; /* holds any packet */
	long left = argc > 2 ? atol(argv[2]) : -1;
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct ctrs_nflog *packets = ctrs_nflog_open(NULL, &error);
	struct nfct_handle *h = ctrs_open(NULL, &error);
	struct nf_conntrack *ct = nfct_new();
	struct ctrs_packet packet;
	struct ctrs_flow flow;
	int found = 1, has = 0;

	if (argc < 2 || packets == NULL || h == NULL || ct == NULL) {
		fprintf(stderr, "usage: %s GROUP [NUMBER]. %s\n", argv[0], error.text);
		return EXIT_FAILURE;
	}
	if (ctrs_nflog_bind(packets, (uint32_t)atol(argv[1]), NULL) == -1)
		found = -1;
	while (left != 0 && found == 1 && has != -1) {
		found = ctrs_nflog_next(packets, &packet, sizeof(packet), buffer, sizeof(buffer), -1);
		if (found != 1 || !(packet.present >> CTRS_PACKET_MESSAGE & 1))
			continue; /* packets were lost here */
		printf("%.*s", (int)packet.prefix.length, buffer + packet.prefix.offset);
		has = ctrs_packet_flow(h, &packet, sizeof(packet), buffer, sizeof(buffer), 0, 0, ct, NULL);
		if (has == 1 && ctrs_flow_from(&flow, sizeof(flow), ct) == 0)
			print(&flow);
		else
			printf("no flow\n"); /* that of a first packet which is dropped never begins */
		fflush(stdout);
		left -= left > 0;
	}
	if (found == -1 || has == -1)
		fprintf(stderr, "%s\n", (found == -1 ? ctrs_nflog_last_error(packets) : ctrs_last_error(h))->text);
	nfct_destroy(ct);
	ctrs_nflog_close(packets);
	return nfct_close(h) == 0 && found == 1 && has != -1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
