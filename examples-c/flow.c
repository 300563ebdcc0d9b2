/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Prints one TCP flow, or changes it and prints what became of it: its mark under a mask, a label by
 * its name in the file $LABELS, or connlabel.conf; or deletes it, and not another that took its place:
 * ./flow SRC SPORT DST DPORT [mark MARK MASK | set LABEL | clear LABEL | delete] */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctrs.h>

static struct nfct_labelmap *map; /* NULL if there is no such file: labels have no names then */

/* 0 with what became of the flow in `ct`, or 1 if that was asked for, or -1 with ctrs_last_error(). */
static int change(struct nfct_handle *h, struct nf_conntrack *ct, int argc, char *argv[])
{
	const char *names[2];
	uint32_t id;

	if (argc == 0)
		return ctrs_get(h, ct, CTRS_ORIGINAL, ct);
	if (strcmp(argv[0], "mark") == 0)
		return ctrs_mark(h, ct, CTRS_ORIGINAL, (uint32_t)strtoul(argv[1], NULL, 0),
				 (uint32_t)strtoul(argv[2], NULL, 0), ct);
	if (strcmp(argv[0], "delete") == 0) {
		if (ctrs_get(h, ct, CTRS_ORIGINAL, ct) == -1)
			return -1;
		id = nfct_get_attr_u32(ct, ATTR_ID); /* here a program decides by what it sees */
		return ctrs_delete(h, ct, CTRS_ORIGINAL, &id, ct);
	}
	names[0] = argv[1];
	names[1] = NULL;
	if (strcmp(argv[0], "set") == 0)
		return ctrs_labels(h, ct, CTRS_ORIGINAL, map, names, NULL, ct);
	return ctrs_labels(h, ct, CTRS_ORIGINAL, map, NULL, names, ct);
}

static int is_wanted(int argc, char *argv[])
{
	return argc == 0 || (argc == 1 && strcmp(argv[0], "delete") == 0) ||
	       (argc == 2 && (strcmp(argv[0], "set") == 0 || strcmp(argv[0], "clear") == 0)) ||
	       (argc == 3 && strcmp(argv[0], "mark") == 0);
}

int main(int argc, char *argv[])
{
	struct ctrs_error error = { sizeof(error), 0, 0, 0, 0, 0, "", "" };
	struct in_addr src, dst;
	struct nf_conntrack *ct;
	struct nfct_handle *h;
	char line[4096];
	int status;

	if (argc < 5 || inet_pton(AF_INET, argv[1], &src) != 1 ||
	    inet_pton(AF_INET, argv[3], &dst) != 1 || !is_wanted(argc - 5, argv + 5)) {
		fprintf(stderr, "usage: %s SRC SPORT DST DPORT [mark MARK MASK | set LABEL | clear LABEL | "
			"delete], IPv4 addresses\n", argv[0]);
		return EXIT_FAILURE;
	}
	h = ctrs_open(NULL, &error);
	ct = nfct_new();
	if (h == NULL || ct == NULL) {
		fprintf(stderr, "%s\n", h == NULL ? error.text : "out of memory");
		return EXIT_FAILURE;
	}
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, src.s_addr);
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, dst.s_addr);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons((uint16_t)atoi(argv[2])));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons((uint16_t)atoi(argv[4])));
	map = nfct_labelmap_new(getenv("LABELS"));
	status = change(h, ct, argc - 5, argv + 5);
	if (status == -1) {
		fprintf(stderr, "%s\n", ctrs_last_error(h)->text);
	} else {
		nfct_snprintf_labels(line, sizeof(line), ct, NFCT_T_UNKNOWN, NFCT_O_DEFAULT, NFCT_OF_ID,
				     map);
		printf("%s\n", line);
	}
	if (map != NULL)
		nfct_labelmap_destroy(map);
	nfct_destroy(ct);
	nfct_close(h);
	return status == -1 ? EXIT_FAILURE : EXIT_SUCCESS;
}
