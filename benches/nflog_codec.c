// SPDX-License-Identifier: MIT OR Apache-2.0
/* The figures of logged packets that need no kernel, over packets of a real kernel. */
#include "library.h"
#include "nflog.h"
#include "nflog_library.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1024
#define BATCH 27 /* what the kernel hands out at once by itself */
#define GROUP 1 /* of all messages in the file */

/* What the interface says that a struct nflog_data is: attributes by their number less 1. */
struct data {
	struct nlattr **attributes;
};

static struct packet {
	struct nlmsghdr *message;
	struct data data;
	struct nlattr *attributes[NFULA_MAX + 1];
} packets[MOST];
static size_t count;
static struct nflog_handle *handle;
static struct nlattr *parsed[NFULA_MAX + 1];
static struct ctrs_packet record;
static char text[16 * 1024];

/* All packets, so many to a datagram. */
static struct datagram {
	int length;
	char bytes[BATCH * 512];
} datagrams[MOST / BATCH + 1];
static size_t batches;

/* A loop as a program would write it, over one packet `p` after the other, as in codec.c. */
#define FIGURE(name, ...) \
	static void repeat_##name(unsigned long times) \
	{ \
		struct packet *p = packets, *end = packets + count; \
\
		for (; times != 0; times--, p = p + 1 == end ? packets : p + 1) { \
			__VA_ARGS__; \
		} \
	}
#define DATA(p) ((struct nflog_data *)(void *)&(p)->data)
#define XML(flags) \
	keep((unsigned long)nflog.nflog_snprintf_xml(text, sizeof(text), DATA(p), (int)(flags)))

/* What no decoder can do without: a look at each attribute, and a place to remember it. */
static void walk(const struct nlmsghdr *message, struct nlattr **attributes)
{
	char *at = (char *)message + 20, *end = (char *)message + message->nlmsg_len;

	memset(attributes, 0, sizeof(parsed));
	while (end - at >= 4) {
		struct nlattr *attribute = (struct nlattr *)(void *)at;

		if (attribute->nla_len < 4 || attribute->nla_len > end - at)
			return;
		if ((attribute->nla_type & 0x7fff) <= NFULA_MAX)
			attributes[attribute->nla_type & 0x7fff] = attribute;
		at += (attribute->nla_len + 3u) & ~3u;
	}
}

FIGURE(nflog_walk, walk(p->message, parsed); keep((unsigned long)parsed))
FIGURE(nflog_decode, keep((unsigned long)nflog.nflog_handle_packet(handle, (char *)p->message,
								   (int)p->message->nlmsg_len)))
FIGURE(nflog_batch, struct datagram *d = &datagrams[times % batches];
       keep((unsigned long)nflog.nflog_handle_packet(handle, d->bytes, d->length)))
FIGURE(nflog_parse, memset(parsed, 0, sizeof(parsed));
       keep((unsigned long)nflog.nflog_nlmsg_parse(p->message, parsed)))
FIGURE(nflog_getters, read_packet(DATA(p)))
FIGURE(nflog_xml, XML(NFLOG_XML_ALL & ~NFLOG_XML_TIME))
FIGURE(nflog_xml_time, XML(NFLOG_XML_ALL))
FIGURE(nflog_record, keep((unsigned long)nflog.ctrs_packet_from(&record, sizeof(record), p->message,
								p->message->nlmsg_len)))

#define ROW(name) { #name, repeat_##name }
static const struct {
	const char *name;
	void (*repeat)(unsigned long times);
} figures[] = {
	ROW(nflog_walk), ROW(nflog_decode), ROW(nflog_batch), ROW(nflog_parse), ROW(nflog_getters), ROW(nflog_xml),
	ROW(nflog_xml_time), ROW(nflog_record),
};

static int ignore(struct nflog_g_handle *group, struct nfgenmsg *message, struct nflog_data *data,
		  void *context)
{
	(void)group, (void)message, (void)data, (void)context;
	return 0;
}

/* A handle whose packets go to a callback. */
static void open_handle(void)
{
	struct nflog_g_handle *group;

	if ((handle = nflog.nflog_open()) == NULL)
		fail("nflog_open");
	if ((group = nflog.nflog_bind_group(handle, GROUP)) == NULL)
		fail("nflog_bind_group");
	nflog.nflog_callback_register(group, ignore, NULL);
}

static void read_packets(const char *path)
{
	FILE *file = fopen(path, "re");
	struct nlmsghdr header;

	if (file == NULL)
		fail(path);
	while (count < MOST && fread(&header, sizeof(header), 1, file) == 1) {
		struct packet *p = &packets[count++];

		p->message = malloc(header.nlmsg_len);
		if (p->message == NULL)
			fail(path);
		*p->message = header;
		if (fread(p->message + 1, header.nlmsg_len - sizeof(header), 1, file) != 1)
			fail(path);
		walk(p->message, p->attributes);
		p->data.attributes = p->attributes + 1;
	}
	fclose(file);
}

static void put_in_batches(void)
{
	for (size_t i = 0; i < count; i++) {
		const struct nlmsghdr *message = packets[i].message;
		struct datagram *d;

		if (i % BATCH == 0)
			batches++;
		d = &datagrams[batches - 1];
		if (message->nlmsg_len + (size_t)d->length <= sizeof(d->bytes)) {
			memcpy(d->bytes + d->length, message, message->nlmsg_len);
			d->length += (int)message->nlmsg_len;
		}
	}
}

void nflog_codec_figure(const char *name, unsigned long times, const char *path)
{
	read_packets(path);
	put_in_batches();
	if (strcmp(name, "nflog_decode") == 0 || strcmp(name, "nflog_batch") == 0)
		open_handle();
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		double start;

		if (strcmp(figures[i].name, name) != 0)
			continue;
		figures[i].repeat(times / 10 + 1);
		start = cpu_time();
		figures[i].repeat(times);
		printf("{\"seconds\": %.12f}\n", (cpu_time() - start) / (double)times);
		return;
	}
	fprintf(stderr, "no figure %s\n", name);
	exit(2);
}
