/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Logs of ctrs_nflog_open(), and what comes out of them. Include it after logged.h. */
#ifndef PACKET_LOG_H
#define PACKET_LOG_H

#include <ctrs.h>

#define HAS(packet, field) ((int)((packet)->present >> (field) & 1))

static char buffer[DATAGRAM_SIZE];
static struct ctrs_packet packet;

/* A log of these options, to whose groups each packet comes at once. */
static inline struct ctrs_nflog *open_log(struct ctrs_open_options options)
{
	struct ctrs_error error = { .size = sizeof(error) };
	struct ctrs_nflog *log;

	options.size = sizeof(options);
	log = ctrs_nflog_open(&options, &error);
	CHECK(log != NULL);
	CHECK_STR(error.text, "");
	return log;
}

static inline struct ctrs_nflog_settings at_once(void)
{
	struct ctrs_nflog_settings settings = { .size = sizeof(settings) };

	settings.present = CTRS_NFLOG_THRESHOLD | CTRS_NFLOG_FLAGS;
	settings.threshold = 1;
	settings.flags = CTRS_NFLOG_SEQ;
	return settings;
}

static inline struct ctrs_nflog *open_bound(uint32_t group)
{
	struct ctrs_nflog *log = open_log((struct ctrs_open_options){ .size = 0 });
	struct ctrs_nflog_settings settings = at_once();

	CHECK_ERR(ctrs_nflog_bind(log, group, &settings), 0, UNTOUCHED);
	return log;
}

static inline int next(struct ctrs_nflog *log, int timeout_ms)
{
	return ctrs_nflog_next(log, &packet, sizeof(packet), buffer, sizeof(buffer), timeout_ms);
}

static inline ssize_t read_some(struct ctrs_nflog *log, struct ctrs_packet *packets, size_t n)
{
	return ctrs_nflog_read(log, packets, n, sizeof(*packets), buffer, sizeof(buffer), 0);
}

#endif
