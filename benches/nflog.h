/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The figures of logged packets. The library is one of NFLOG, loaded by load_log_library(). */
#ifndef NFLOG_H
#define NFLOG_H

/* Runs a figure that needs no kernel `times` times, on one after the other of the packets in a file. */
void nflog_codec_figure(const char *name, unsigned long times, const char *path);

/* How packets are logged; of what is 0 as a group that was just bound has it. */
struct logging {
	unsigned int payload; /* bytes behind the header of UDP */
	unsigned int threshold, buffer;
};

/* Receives `count` packets that another process sends as fast as it can. The way is "floor", a bare
 * loop; "calls", those of libnetfilter_log with a callback that reads a packet; or "records", which
 * ctrs has. */
void nflog_rate_figure(const char *way, unsigned int count, struct logging logging);

/* Receives `count` packets that wait already: seconds for one. */
void nflog_waiting_figure(const char *way, unsigned int count, struct logging logging);

#endif
