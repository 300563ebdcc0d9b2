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
static const uint32_t address = 0x0100000a;

/* A loop around a statement, as a program would write it. `make bench-instructions` counts what
 * happens in functions of these names. */
#define FIGURE(name, ...) \
	static void repeat_##name(unsigned long times) \
	{ \
		while (times-- != 0) { \
			__VA_ARGS__; \
		} \
	}
#define PRINT(format) \
	keep((unsigned long)lib.nfct_snprintf(text, sizeof(text), object, NFCT_T_UPDATE, format, \
					      NFCT_OF_SHOW_LAYER3))

FIGURE(decode_fresh, struct nf_conntrack *ct = lib.nfct_new();
       lib.nfct_nlmsg_parse(&message.header, ct); lib.nfct_destroy(ct))
FIGURE(decode_reused, lib.nfct_nlmsg_parse(&message.header, target))
FIGURE(print_plain, PRINT(NFCT_O_PLAIN))
FIGURE(print_xml, PRINT(NFCT_O_XML))
FIGURE(build, built.header = (struct nlmsghdr){ .nlmsg_len = 20, .nlmsg_type = 1 << 8 };
       keep((unsigned long)lib.nfct_nlmsg_build(&built.header, object)))
FIGURE(clone, lib.nfct_destroy(lib.nfct_clone(object)))
FIGURE(copy, lib.nfct_copy(target, object, NFCT_CP_ALL))
FIGURE(copy_override, lib.nfct_copy(target, object, NFCT_CP_OVERRIDE))
FIGURE(compare, keep((unsigned long)lib.nfct_cmp(object, equal, NFCT_CMP_ALL)))
FIGURE(get_u8, keep(lib.nfct_get_attr_u8(object, ATTR_L4PROTO)))
FIGURE(get_u16, keep(lib.nfct_get_attr_u16(object, ATTR_PORT_DST)))
FIGURE(get_u32, keep(lib.nfct_get_attr_u32(object, ATTR_IPV4_SRC)))
FIGURE(get_u64, keep(lib.nfct_get_attr_u64(object, ATTR_ORIG_COUNTER_BYTES)))
FIGURE(get, keep((unsigned long)lib.nfct_get_attr(object, ATTR_IPV4_DST)))
FIGURE(is_set, keep((unsigned long)lib.nfct_attr_is_set(object, ATTR_STATUS)))
FIGURE(set_u8, lib.nfct_set_attr_u8(target, ATTR_L4PROTO, 6))
FIGURE(set_u16, lib.nfct_set_attr_u16(target, ATTR_PORT_DST, 80))
FIGURE(set_u32, lib.nfct_set_attr_u32(target, ATTR_MARK, 7))
FIGURE(set_u64, lib.nfct_set_attr_u64(target, ATTR_DCCP_HANDSHAKE_SEQ, 7))
FIGURE(set, lib.nfct_set_attr(target, ATTR_IPV4_SRC, &address))

#define ROW(name) { #name, repeat_##name }
static const struct {
	const char *name;
	void (*repeat)(unsigned long times);
} figures[] = {
	ROW(decode_fresh), ROW(decode_reused), ROW(print_plain), ROW(print_xml), ROW(build),
	ROW(clone), ROW(copy), ROW(copy_override), ROW(compare), ROW(get_u8), ROW(get_u16),
	ROW(get_u32), ROW(get_u64), ROW(get), ROW(is_set), ROW(set_u8), ROW(set_u16), ROW(set_u32),
	ROW(set_u64), ROW(set),
};

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
		figures[i].repeat(times / 10 + 1);
		start = cpu_time();
		figures[i].repeat(times);
		printf("{\"seconds\": %.12f}\n", (cpu_time() - start) / (double)times);
		return;
	}
	fprintf(stderr, "no figure %s\n", name);
	exit(2);
}
