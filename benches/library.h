/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The library under test, loaded by path: the same program measures any of them. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <ctrs.h>

#define FUNCTIONS(F) \
	F(nfct_new) F(nfct_destroy) F(nfct_clone) F(nfct_copy) F(nfct_cmp) \
	F(nfct_set_attr) F(nfct_set_attr_u8) F(nfct_set_attr_u16) F(nfct_set_attr_u32) \
	F(nfct_set_attr_u64) F(nfct_get_attr) F(nfct_get_attr_u8) F(nfct_get_attr_u16) \
	F(nfct_get_attr_u32) F(nfct_get_attr_u64) F(nfct_attr_is_set) F(nfct_setobjopt) \
	F(nfct_nlmsg_build) F(nfct_nlmsg_parse) F(nfct_snprintf) \
	F(nfct_open) F(nfct_close) F(nfct_fd) F(nfct_query) F(nfct_catch) \
	F(nfct_callback_register)

/* Those that ctrs has beyond that: NULL of another library. */
#define EXTENSIONS(F) \
	F(ctrs_dump_begin) F(ctrs_dump_read) F(ctrs_dump_end) F(ctrs_snprintf_json) \
	F(ctrs_batch_new) F(ctrs_batch_add) F(ctrs_batch_run) F(ctrs_batch_free) \
	F(ctrs_filter_compile) F(ctrs_filter_free) F(ctrs_delete_matching) F(ctrs_event_read) \
	F(ctrs_flow_to) F(ctrs_mirror_open) F(ctrs_mirror_next) F(ctrs_mirror_read) F(ctrs_mirror_find) \
	F(ctrs_mirror_find_all) F(ctrs_mirror_close)

#define MEMBER(name) __typeof__(&name) name;
struct library {
	FUNCTIONS(MEMBER)
	EXTENSIONS(MEMBER)
};
#undef MEMBER

extern struct library lib;

/* Loads a library and all the functions above from it; ends the program where that fails, or
 * where the process maps another library of that kind. Returns the seconds loading took. */
double load_library(const char *path);

/* Ends the program with a message and errno. */
void fail(const char *what) __attribute__((noreturn));

/* Seconds that have gone by, and those this process has spent, in the kernel and out of it. On a
 * machine that does other things too the latter are what the work costs. */
double now(void);
double cpu_time(void);

/* Keeps the compiler from leaving out a computation whose result nobody reads. */
static inline void keep(unsigned long value)
{
	__asm__ volatile("" : : "r"(value) : "memory");
}

/* What a program wants to know of a flow: its protocol, addresses and ports. */
static inline void read_five(const struct nf_conntrack *ct)
{
	int ipv4 = lib.nfct_get_attr_u8(ct, ATTR_L3PROTO) == AF_INET;

	keep((unsigned long)lib.nfct_get_attr(ct, ipv4 ? ATTR_IPV4_SRC : ATTR_IPV6_SRC));
	keep((unsigned long)lib.nfct_get_attr(ct, ipv4 ? ATTR_IPV4_DST : ATTR_IPV6_DST));
	keep(lib.nfct_get_attr_u16(ct, ATTR_PORT_SRC));
	keep(lib.nfct_get_attr_u16(ct, ATTR_PORT_DST));
}

#endif
