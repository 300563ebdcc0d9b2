/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Creates flows by batches, of JSON lines on standard input, or NUMBER of its own making, and says of
 * each that was refused why: ./batch-load [NUMBER] */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <ctrs.h>

#define MOST 1000

static unsigned long line_of[MOST], line, refused;
static struct ctrs_error error;

static void refuse(unsigned long at)
{
	fprintf(stderr, "%lu: %s\n", at, error.text);
	refused++;
}

static void make_flow(struct nf_conntrack *ct, unsigned long number)
{
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, htonl((uint32_t)(0x0a010000 + (number >> 16))));
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, htonl(0x0a020001));
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_UDP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons((uint16_t)number));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(53));
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 600);
	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
}

/* Makes ct the next flow: 1, or 0 at the end. One that cannot be read is told, and passed over. */
static int next(struct nf_conntrack *ct, unsigned long number)
{
	static char *text;
	static size_t room;
	ssize_t length;

	if (number != 0) {
		make_flow(ct, line);
		return line < number && ++line;
	}
	while ((length = getline(&text, &room, stdin)) != -1) {
		line++;
		if (ctrs_parse_json(ct, text, (size_t)length, NULL, &error) == 0)
			return 1;
		refuse(line);
	}
	free(text);
	return 0;
}

static int run(struct nfct_handle *h, struct ctrs_batch *batch, size_t n)
{
	size_t i;

	if (ctrs_batch_run(h, batch) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (ctrs_batch_result(batch, i, NULL, &error) == -1)
			refuse(line_of[i]);
	ctrs_batch_clear(batch);
	return 0;
}

int main(int argc, char *argv[])
{
	unsigned long number = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	struct nf_conntrack *ct = nfct_new();
	struct ctrs_batch *batch;
	struct nfct_handle *h;
	int more = 1, status = 0;

	error.size = sizeof(error);
	if ((h = ctrs_open(NULL, &error)) == NULL || (batch = ctrs_batch_new(&error)) == NULL) {
		fprintf(stderr, "%s\n", error.text);
		return EXIT_FAILURE;
	}
	while (more && status == 0) {
		size_t n = 0;

		while (n < MOST && (more = next(ct, number)))
			if (ctrs_batch_add(batch, NFCT_Q_CREATE, ct, NULL, 0, &error) == -1)
				refuse(line);
			else
				line_of[n++] = line;
		status = run(h, batch, n);
	}
	if (status == -1)
		fprintf(stderr, "%s\n", ctrs_last_error(h)->text);
	else
		printf("%lu created, %lu refused\n", line - refused, refused);
	ctrs_batch_free(batch);
	nfct_destroy(ct);
	nfct_close(h);
	return status == 0 && refused == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
