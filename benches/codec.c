// SPDX-License-Identifier: MIT OR Apache-2.0
/* The figures that need no kernel, over entries of which each has a message and objects. */
#include "codec.h"
#include "library.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One of the entries that a figure goes through. */
struct entry {
	struct nlmsghdr *message;
	struct nf_conntrack *object, *equal, *target;
};

static struct entry *entries;
static size_t count;
static union {
	struct nlmsghdr header;
	unsigned char bytes[4096];
} built;
static char text[4096];
static const uint32_t address = 0x0100000a;

/* A loop around a statement, as a program would write it, over one entry `e` after the other.
 * `make bench-instructions` counts what happens in functions of these names. */
#define FIGURE(name, ...) \
	static void repeat_##name(unsigned long times) \
	{ \
		struct entry *e = entries, *end = entries + count; \
\
		for (; times != 0; times--, e = e + 1 == end ? entries : e + 1) { \
			__VA_ARGS__; \
		} \
	}
#define PRINT(format, flags) \
	keep((unsigned long)lib.nfct_snprintf(text, sizeof(text), e->object, NFCT_T_UPDATE, format, \
					      NFCT_OF_SHOW_LAYER3 | (flags)))

FIGURE(decode_fresh, lib.nfct_destroy(e->target); e->target = lib.nfct_new();
       lib.nfct_nlmsg_parse(e->message, e->target))
FIGURE(decode_reused, lib.nfct_nlmsg_parse(e->message, e->target))
FIGURE(print_plain, PRINT(NFCT_O_PLAIN, 0))
FIGURE(print_times, PRINT(NFCT_O_PLAIN, NFCT_OF_TIMESTAMP))
FIGURE(print_xml, PRINT(NFCT_O_XML, 0))
FIGURE(print_json, keep((unsigned long)lib.ctrs_snprintf_json(text, sizeof(text), e->object,
							      NFCT_T_UPDATE, 0, NULL)))
FIGURE(build, built.header = (struct nlmsghdr){ .nlmsg_len = 20, .nlmsg_type = 1 << 8 };
       keep((unsigned long)lib.nfct_nlmsg_build(&built.header, e->object)))
FIGURE(clone, lib.nfct_destroy(e->target); e->target = lib.nfct_clone(e->object))
FIGURE(copy, lib.nfct_copy(e->target, e->object, NFCT_CP_ALL))
FIGURE(copy_override, lib.nfct_copy(e->target, e->object, NFCT_CP_OVERRIDE))
FIGURE(compare, keep((unsigned long)lib.nfct_cmp(e->object, e->equal, NFCT_CMP_ALL)))
FIGURE(compare_other, struct entry *other = e + 1 == end ? entries : e + 1;
       keep((unsigned long)lib.nfct_cmp(e->object, other->object, NFCT_CMP_ALL)))
FIGURE(read, read_five(e->object))
FIGURE(get_u8, keep(lib.nfct_get_attr_u8(e->object, ATTR_L4PROTO)))
FIGURE(get_u16, keep(lib.nfct_get_attr_u16(e->object, ATTR_PORT_DST)))
FIGURE(get_u32, keep(lib.nfct_get_attr_u32(e->object, ATTR_MARK)))
FIGURE(get_u64, keep(lib.nfct_get_attr_u64(e->object, ATTR_ORIG_COUNTER_BYTES)))
FIGURE(get, keep((unsigned long)lib.nfct_get_attr(e->object, ATTR_STATUS)))
FIGURE(is_set, keep((unsigned long)lib.nfct_attr_is_set(e->object, ATTR_STATUS)))
FIGURE(set_u8, lib.nfct_set_attr_u8(e->target, ATTR_L4PROTO, 6))
FIGURE(set_u16, lib.nfct_set_attr_u16(e->target, ATTR_PORT_DST, 80))
FIGURE(set_u32, lib.nfct_set_attr_u32(e->target, ATTR_MARK, 7))
FIGURE(set_u64, lib.nfct_set_attr_u64(e->target, ATTR_DCCP_HANDSHAKE_SEQ, 7))
FIGURE(set, lib.nfct_set_attr(e->target, ATTR_IPV4_SRC, &address))

#define ROW(name) { #name, repeat_##name }
static const struct {
	const char *name;
	void (*repeat)(unsigned long times);
} figures[] = {
	ROW(decode_fresh), ROW(decode_reused), ROW(print_plain), ROW(print_times), ROW(print_xml),
	ROW(print_json), ROW(build), ROW(clone), ROW(copy), ROW(copy_override), ROW(compare), ROW(compare_other),
	ROW(read), ROW(get_u8), ROW(get_u16), ROW(get_u32), ROW(get_u64), ROW(get), ROW(is_set),
	ROW(set_u8), ROW(set_u16), ROW(set_u32), ROW(set_u64), ROW(set),
};

/* The messages of a file, whose length is a multiple of theirs. */
static void read_messages(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t size, at = 0;
	char *bytes;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
		fail(path);
	size = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(size);
	if (bytes == NULL || fread(bytes, 1, size, file) != size)
		fail(path);
	fclose(file);
	while (at < size) {
		struct nlmsghdr *message = (struct nlmsghdr *)(void *)(bytes + at);

		if (count % 1024 == 0)
			entries = realloc(entries, (count + 1024) * sizeof(*entries));
		if (entries == NULL || message->nlmsg_len == 0)
			fail(path);
		entries[count++] = (struct entry){ .message = message };
		at += message->nlmsg_len;
	}
}

/* As many empty objects as there are entries. A program comes by its objects in another order than
 * they lie in memory. */
static struct nf_conntrack **objects(void)
{
	struct nf_conntrack **all = calloc(count, sizeof(*all));

	for (size_t i = 0; i < count; i++) {
		size_t at = (size_t)rand() % (i + 1);

		all[i] = all[at];
		all[at] = lib.nfct_new();
	}
	return all;
}

static void prepare(const char *path)
{
	struct nf_conntrack **object, **equal, **target;

	read_messages(path);
	object = objects();
	equal = objects();
	target = objects();
	for (size_t i = 0; i < count; i++) {
		struct entry *e = &entries[i];

		*e = (struct entry){ e->message, object[i], equal[i], target[i] };
		if (lib.nfct_nlmsg_parse(e->message, e->object) != 0)
			fail("a message");
		lib.nfct_copy(e->equal, e->object, NFCT_CP_ALL);
		lib.nfct_copy(e->target, e->object, NFCT_CP_ALL);
		if (lib.nfct_cmp(e->object, e->equal, NFCT_CMP_ALL) != 1)
			fail("a copy that differs");
	}
}

void codec_figure(const char *name, unsigned long times, const char *path)
{
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		double start;

		if (strcmp(figures[i].name, name) != 0)
			continue;
		prepare(path);
		figures[i].repeat(times / 10 + 1);
		start = cpu_time();
		figures[i].repeat(times);
		printf("{\"seconds\": %.12f}\n", (cpu_time() - start) / (double)times);
		return;
	}
	fprintf(stderr, "no figure %s\n", name);
	exit(2);
}
