/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The library of NFLOG under test, loaded by path. */
#ifndef NFLOG_LIBRARY_H
#define NFLOG_LIBRARY_H

#include <ctrs.h>
#include <libnetfilter_log/libnetfilter_log.h>

#define LOG_FUNCTIONS(F) \
	F(nflog_open) F(nflog_close) F(nflog_fd) F(nflog_bind_group) F(nflog_set_mode) \
	F(nflog_set_qthresh) F(nflog_set_nlbufsiz) F(nflog_set_timeout) F(nflog_set_flags) \
	F(nflog_callback_register) F(nflog_handle_packet) F(nflog_nlmsg_parse) \
	F(nflog_snprintf_xml) F(nflog_get_msg_packet_hdr) F(nflog_get_hwtype) \
	F(nflog_get_msg_packet_hwhdr) F(nflog_get_msg_packet_hwhdrlen) F(nflog_get_nfmark) \
	F(nflog_get_timestamp) F(nflog_get_indev) F(nflog_get_outdev) F(nflog_get_physindev) \
	F(nflog_get_physoutdev) F(nflog_get_packet_hw) F(nflog_get_payload) F(nflog_get_prefix) \
	F(nflog_get_uid) F(nflog_get_gid) F(nflog_get_seq) F(nflog_get_seq_global)

/* Those that ctrs has beyond that: NULL of another library. */
#define LOG_EXTENSIONS(F) \
	F(ctrs_packet_from) F(ctrs_nflog_open) F(ctrs_nflog_bind) F(ctrs_nflog_read) \
	F(ctrs_nflog_close)

#define MEMBER(name) __typeof__(&name) name;
struct log_library {
	LOG_FUNCTIONS(MEMBER)
	LOG_EXTENSIONS(MEMBER)
};
#undef MEMBER

extern struct log_library nflog;

/* As load_library() of a library of NFLOG. */
double load_log_library(const char *path);

/* What a program wants to know of a packet: all that the getters tell. */
static inline void read_packet(struct nflog_data *data)
{
	struct timeval time;
	uint32_t number;
	char *payload;

#define READ(what) __asm__ volatile("" : : "r"((unsigned long)(what)) : "memory")
	READ(nflog.nflog_get_msg_packet_hdr(data));
	READ(nflog.nflog_get_hwtype(data));
	READ(nflog.nflog_get_msg_packet_hwhdr(data));
	READ(nflog.nflog_get_msg_packet_hwhdrlen(data));
	READ(nflog.nflog_get_nfmark(data));
	READ(nflog.nflog_get_timestamp(data, &time));
	READ(nflog.nflog_get_indev(data));
	READ(nflog.nflog_get_outdev(data));
	READ(nflog.nflog_get_physindev(data));
	READ(nflog.nflog_get_physoutdev(data));
	READ(nflog.nflog_get_packet_hw(data));
	READ(nflog.nflog_get_payload(data, &payload));
	READ(nflog.nflog_get_prefix(data));
	READ(nflog.nflog_get_uid(data, &number));
	READ(nflog.nflog_get_gid(data, &number));
	READ(nflog.nflog_get_seq(data, &number));
	READ(nflog.nflog_get_seq_global(data, &number));
#undef READ
}

#endif
