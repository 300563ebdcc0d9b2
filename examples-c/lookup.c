/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Keeps a copy of the flow table, and tells the flow of packets without asking the kernel: of lines as
 * "6 10.0.0.1 1000 10.0.0.2 80", which are protocol, source and destination: ./lookup */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <ctrs.h>

/* Takes in what has happened; at first until the copy is what the table is. */
static int catch_up(struct ctrs_mirror *mirror, int *settled)
{
	struct ctrs_change change;
	int found;

	do {
		found = ctrs_mirror_next(mirror, &change, sizeof(change), NULL, NULL, sizeof(struct ctrs_flow),
					 *settled ? 0 : -1);
		*settled = *settled || (found == 1 && change.change == CTRS_CHANGE_SETTLED);
	} while (found == 1 || (found == 0 && !*settled));
	return found;
}

static void find(const struct ctrs_mirror *mirror, const char *src, unsigned int sport, const char *dst,
		 unsigned int dport, unsigned int protocol)
{
	static const enum nf_conntrack_attr attrs[2][6] = {
		{ ATTR_ORIG_L3PROTO, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV4_DST, ATTR_ORIG_L4PROTO,
		  ATTR_ORIG_PORT_SRC, ATTR_ORIG_PORT_DST },
		{ ATTR_REPL_L3PROTO, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV4_DST, ATTR_REPL_L4PROTO,
		  ATTR_REPL_PORT_SRC, ATTR_REPL_PORT_DST } };
	static const char *const names[] = { "original", "reply" };
	struct nf_conntrack *ct = nfct_new();
	struct ctrs_flow flow;
	int dir, found = -1;

	for (dir = CTRS_ORIGINAL; dir <= CTRS_REPLY && found == -1; dir++) {
		nfct_set_attr_u8(ct, attrs[dir][0], AF_INET);
		nfct_set_attr_u32(ct, attrs[dir][1], inet_addr(src));
		nfct_set_attr_u32(ct, attrs[dir][2], inet_addr(dst));
		nfct_set_attr_u8(ct, attrs[dir][3], (uint8_t)protocol);
		nfct_set_attr_u16(ct, attrs[dir][4], htons((uint16_t)sport));
		nfct_set_attr_u16(ct, attrs[dir][5], htons((uint16_t)dport));
		found = ctrs_mirror_find(mirror, ct, dir, &flow, sizeof(flow));
	}
	if (found == 0)
		printf("%s mark %u\n", names[dir - 1], flow.mark);
	else
		printf("no flow\n");
	nfct_destroy(ct);
}

int main(void)
{
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct ctrs_mirror *mirror = ctrs_mirror_open(NULL, NULL, &error);
	char line[256], src[64], dst[64];
	unsigned int protocol, sport, dport;
	int settled = 0, status = -1;

	while (mirror != NULL && (status = catch_up(mirror, &settled)) == 0 && fgets(line, sizeof(line), stdin) != NULL)
		if (catch_up(mirror, &settled) == 0 &&
		    sscanf(line, "%u %63s %u %63s %u", &protocol, src, &sport, dst, &dport) == 5)
			find(mirror, src, sport, dst, dport, protocol);
	if (status != 0)
		fprintf(stderr, "%s\n", mirror != NULL ? ctrs_mirror_last_error(mirror)->text : error.text);
	ctrs_mirror_close(mirror);
	return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
