// SPDX-License-Identifier: MIT OR Apache-2.0
/* The figures that need no kernel: one real message, one object decoded from it. */
#include "codec.h"
#include "library.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static union {
	struct nlmsghdr header;
	unsigned char bytes[4096];
} message, built;
static struct nf_conntrack *object, *equal, *target;
static char text[4096];

static void decode_fresh(void)
{
	struct nf_conntrack *ct = lib.nfct_new();

	lib.nfct_nlmsg_parse(&message.header, ct);
	lib.nfct_destroy(ct);
}

static void decode_reused(void)
{
	lib.nfct_nlmsg_parse(&message.header, target);
}

static void print(unsigned int format)
{
	keep((unsigned long)lib.nfct_snprintf(text, sizeof(text), object, NFCT_T_UPDATE, format,
					      NFCT_OF_SHOW_LAYER3));
}

static void print_plain(void)
{
	print(NFCT_O_PLAIN);
}

static void print_xml(void)
{
	print(NFCT_O_XML);
}

static void build(void)
{
	built.header = (struct nlmsghdr){ .nlmsg_len = 20, .nlmsg_type = 1 << 8 };
	keep((unsigned long)lib.nfct_nlmsg_build(&built.header, object));
}

static void clone(void)
{
	lib.nfct_destroy(lib.nfct_clone(object));
}

static void copy_all(void)
{
	lib.nfct_copy(target, object, NFCT_CP_ALL);
}

static void copy_override(void)
{
	lib.nfct_copy(target, object, NFCT_CP_OVERRIDE);
}

static void compare(void)
{
	keep((unsigned long)lib.nfct_cmp(object, equal, NFCT_CMP_ALL));
}

static void get_u8(void)
{
	keep(lib.nfct_get_attr_u8(object, ATTR_L4PROTO));
}

static void get_u16(void)
{
	keep(lib.nfct_get_attr_u16(object, ATTR_PORT_DST));
}

static void get_u32(void)
{
	keep(lib.nfct_get_attr_u32(object, ATTR_IPV4_SRC));
}

static void get_u64(void)
{
	keep(lib.nfct_get_attr_u64(object, ATTR_ORIG_COUNTER_BYTES));
}

static void get(void)
{
	keep((unsigned long)lib.nfct_get_attr(object, ATTR_IPV4_DST));
}

static void is_set(void)
{
	keep((unsigned long)lib.nfct_attr_is_set(object, ATTR_STATUS));
}

static void set_u8(void)
{
	lib.nfct_set_attr_u8(target, ATTR_L4PROTO, 6);
}

static void set_u16(void)
{
	lib.nfct_set_attr_u16(target, ATTR_PORT_DST, 80);
}

static void set_u32(void)
{
	lib.nfct_set_attr_u32(target, ATTR_MARK, 7);
}

static void set_u64(void)
{
	lib.nfct_set_attr_u64(target, ATTR_DCCP_HANDSHAKE_SEQ, 7);
}

static void set(void)
{
	static const uint32_t address = 0x0100000a;

	lib.nfct_set_attr(target, ATTR_IPV4_SRC, &address);
}

static const struct {
	const char *name;
	void (*run)(void);
} figures[] = {
	{ "decode-fresh", decode_fresh },
	{ "decode-reused", decode_reused },
	{ "print-plain", print_plain },
	{ "print-xml", print_xml },
	{ "build", build },
	{ "clone", clone },
	{ "copy", copy_all },
	{ "copy-override", copy_override },
	{ "compare", compare },
	{ "get-u8", get_u8 },
	{ "get-u16", get_u16 },
	{ "get-u32", get_u32 },
	{ "get-u64", get_u64 },
	{ "get", get },
	{ "is-set", is_set },
	{ "set-u8", set_u8 },
	{ "set-u16", set_u16 },
	{ "set-u32", set_u32 },
	{ "set-u64", set_u64 },
	{ "set", set },
};

/* `make bench-instructions` counts what happens in here. */
__attribute__((noinline)) static void repeat(void (*run)(void), unsigned long times)
{
	while (times-- != 0)
		run();
}

static void prepare(const char *hex)
{
	unsigned int byte;

	for (size_t n = 0; n < sizeof(message) && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		message.bytes[n++] = (unsigned char)byte;
	object = lib.nfct_new();
	if (lib.nfct_nlmsg_parse(&message.header, object) != 0)
		fail("the message");
	equal = lib.nfct_clone(object);
	target = lib.nfct_clone(object);
	if (lib.nfct_cmp(object, equal, NFCT_CMP_ALL) != 1)
		fail("a clone that differs");
}

void codec_figure(const char *name, unsigned long times, const char *hex)
{
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		double start;

		if (strcmp(figures[i].name, name) != 0)
			continue;
		prepare(hex);
		repeat(figures[i].run, times / 10 + 1);
		start = now();
		repeat(figures[i].run, times);
		printf("{\"ns\": %.3f}\n", (now() - start) / (double)times * 1e9);
		return;
	}
	fprintf(stderr, "no figure %s\n", name);
	exit(2);
}
