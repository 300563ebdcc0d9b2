/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Logged packets without memory: each allocation that a call makes fails once. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include "failing_allocations.h"
#include "logged.h"
#include "packet_log.h"

static struct ctrs_error error;
static struct ctrs_nflog_settings settings;

static struct ctrs_nflog *opened(void)
{
	struct ctrs_open_options options = { .size = sizeof(options), .netns = "/proc/self/ns/net" };

	error.size = sizeof(error);
	return ctrs_nflog_open(&options, &error);
}

static int try_open(void)
{
	struct ctrs_nflog *log = opened();
	int result = made(log);

	CHECK(result == (error.err == 0 ? 1 : 0));
	if (log != NULL)
		ctrs_nflog_close(log);
	return result;
}

/* Opens with memory, and a group if it is not 0, so that only what `call` asks for fails. */
static int on_a_log(int (*call)(struct ctrs_nflog *), uint32_t group)
{
	long then = left;
	struct ctrs_nflog *log;
	int result;

	left = -1;
	log = opened();
	if (group != 0)
		CHECK_INT(ctrs_nflog_bind(log, group, &settings), 0);
	left = then;
	errno = UNTOUCHED;
	result = call(log);
	left = -1;
	CHECK_INT(ctrs_nflog_close(log), 0);
	return result;
}

static int bind_group(struct ctrs_nflog *log)
{
	int result = done(ctrs_nflog_bind(log, 5, &settings), 0);

	if (result == 0)
		CHECK_INT(ctrs_nflog_last_error(log)->kind, CTRS_ERROR_OUT_OF_MEMORY);
	return result;
}

/* Requests about a group that this log has bound, and about families. */
static int change_group(struct ctrs_nflog *log)
{
	return done(ctrs_nflog_set(log, 5, &settings), 0);
}

static int unbind_group(struct ctrs_nflog *log)
{
	return done(ctrs_nflog_unbind(log, 5), 0);
}

static int bind_family(struct ctrs_nflog *log)
{
	return done(ctrs_nflog_bind_family(log, AF_INET), 0);
}

static int unbind_family(struct ctrs_nflog *log)
{
	return done(ctrs_nflog_unbind_family(log, AF_INET), 0);
}

/* A group that the log has bound already: without memory the refusal says less of the cause. */
static int refused_group(struct ctrs_nflog *log)
{
	int result = ctrs_nflog_bind(log, 5, &settings);

	if (result == -1 && errno == EBUSY)
		return strstr(ctrs_nflog_last_error(log)->text, "cannot bind NFLOG group 5: ") != NULL ? 1 : -1;
	return done(result, 0);
}

/* What was not read for lack of memory is read with it. */
static int read_packet(struct ctrs_nflog *log)
{
	long then = left;
	int result;

	left = -1;
	log_packets(5, 1, 10);
	left = then;
	errno = UNTOUCHED;
	result = done(next(log, 0), 1);
	if (result == 0) {
		left = -1;
		CHECK_INT(ctrs_nflog_last_error(log)->kind, CTRS_ERROR_OUT_OF_MEMORY);
		CHECK_INT(next(log, 0), 1);
		CHECK_INT(packet.seq, 0);
	}
	return result;
}

static int try_bind(void)
{
	return on_a_log(bind_group, 0);
}

static int try_change(void)
{
	return on_a_log(change_group, 5);
}

static int try_unbind(void)
{
	return on_a_log(unbind_group, 5);
}

static int try_bind_family(void)
{
	return on_a_log(bind_family, 0);
}

static int try_unbind_family(void)
{
	return on_a_log(unbind_family, 0);
}

static int try_refused(void)
{
	return on_a_log(refused_group, 5);
}

static int try_read(void)
{
	return on_a_log(read_packet, 5);
}

int main(void)
{
	begin_output();
	if (!log_by_port())
		return finish();
	settings = at_once();
	CHECK_INT(ctrs_nflog_close(opened()), 0); /* what the C library keeps of its first thread */
	try_call("open", try_open);
	try_call("bind", try_bind);
	try_call("change", try_change);
	try_call("unbind", try_unbind);
	try_call("bind a family", try_bind_family);
	try_call("unbind a family", try_unbind_family);
	try_call("a group that is bound already", try_refused);
	try_call("read", try_read);
	return finish();
}
#endif
