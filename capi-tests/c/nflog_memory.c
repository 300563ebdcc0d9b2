/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The functions of libnetfilter_log without memory: failing_allocations.h says how. */
/* Built with -lnfnetlink. */
#include "logged.h"
#include <libnfnetlink/libnfnetlink.h>
#include <time.h>

#if defined(REFERENCE) && !defined(DROPIN)
int main(void)
{
	/* The reference loses handles and the step of its requests when memory runs out. */
	nflog_close(nflog_open());
	return finish();
}
#else
#include "failing_allocations.h"

#define GROUP 1
#define OTHER 2

static struct nflog_handle *h;
static struct nflog_g_handle *gh;
static struct heard heard;

/* A batch of three packets, as it was received. */
static char batch[4096];
static int batch_size;

/* How many groups the kernel has bound here. */
static int bound(void)
{
	return proc_lines("/proc/net/netfilter/nfnetlink_log", "", NULL);
}

static int call_open(void)
{
	struct nflog_handle *opened = nflog_open();
	int result = made(opened);

	return opened == NULL || nflog_close(opened) == 0 ? result : -1;
}

/* On a handle of libnfnetlink, which stays open when that fails. */
static int call_open_nfnl(void)
{
	long at = left;
	struct nfnl_handle *nfnlh;
	struct nflog_handle *opened;
	int result;

	left = -1;
	nfnlh = nfnl_open();
	left = at;
	errno = UNTOUCHED;
	opened = nflog_open_nfnl(nfnlh);
	result = made(opened);
	left = -1;
	if (opened != NULL)
		return nflog_close(opened) == 0 ? result : -1;
	return nfnl_close(nfnlh) == 0 ? result : -1;
}

/* A group that is not handed out is not bound. */
static int call_bind_group(void)
{
	struct nflog_g_handle *other = nflog_bind_group(h, OTHER);
	int result = made(other);

	left = -1;
	CHECK_INT(bound(), other == NULL ? 1 : 2);
	if (other != NULL)
		CHECK_INT(nflog_unbind_group(other), 0);
	return result;
}

/* A group stays, or it goes. */
static int call_unbind_group(void)
{
	long at = left;
	struct nflog_g_handle *other;
	int result;

	left = -1;
	other = nflog_bind_group(h, OTHER);
	left = at;
	errno = UNTOUCHED;
	result = done(nflog_unbind_group(other), 0);
	left = -1;
	CHECK_INT(bound(), result == 1 ? 1 : 2);
	if (result != 1)
		CHECK_INT(nflog_unbind_group(other), 0);
	return result;
}

static int call_bind_pf(void)
{
	return done(nflog_bind_pf(h, AF_INET), 0);
}

static int call_unbind_pf(void)
{
	return done(nflog_unbind_pf(h, AF_INET), 0);
}

static int call_set_mode(void)
{
	return done(nflog_set_mode(gh, NFULNL_COPY_PACKET, 0xffff), 0);
}

static int call_set_timeout(void)
{
	return done(nflog_set_timeout(gh, 100), 0);
}

static int call_set_qthresh(void)
{
	return done(nflog_set_qthresh(gh, 1), 0);
}

static int call_set_nlbufsiz(void)
{
	return done(nflog_set_nlbufsiz(gh, 8192), 0);
}

static int call_set_flags(void)
{
	return done(nflog_set_flags(gh, NFULNL_CFG_F_SEQ), 0);
}

static int call_register(void)
{
	return done(nflog_callback_register(gh, hear, &heard), 0);
}

/* Packets that come before the answer are handed out, each once, or the request fails for memory. */
static int call_while_packets_wait(void)
{
	long at = left;
	int before = heard.calls, result;

	left = -1;
	log_packets(GROUP, 2, 10);
	left = at;
	errno = UNTOUCHED;
	result = done(nflog_set_timeout(gh, 100), 0);
	left = -1;
	while (receive_one(h) != -2)
		;
	CHECK_INT(heard.calls, before + 2);
	return result;
}

/* What was received is handed out whole, or not at all. */
static int call_handle_packet(void)
{
	int before = heard.calls, result = done(nflog_handle_packet(h, batch, batch_size), 0);

	CHECK_INT(heard.calls, before + (result == 1 ? 3 : 0));
	return result;
}

/* Getters, text and messages need no memory. */
static int hear_all(struct nflog_g_handle *group, struct nfgenmsg *nfmsg, struct nflog_data *nfd,
		    void *data)
{
	struct nlattr *attributes[NFULA_MAX + 1] = { NULL };
	const struct nlmsghdr *message = (struct nlmsghdr *)(void *)nfmsg - 1;
	char text[512], *payload;
	int refused_before = refused;

	(void)group, (void)data;
	CHECK(nflog_get_payload(nfd, &payload) > 0);
	CHECK(nflog_snprintf_xml(text, sizeof(text), nfd, (int)NFLOG_XML_ALL) > 0);
	CHECK_INT(nflog_nlmsg_parse(message, attributes), 1);
	CHECK(nflog_nlmsg_snprintf(text, sizeof(text), message, attributes, NFLOG_OUTPUT_XML,
				   NFLOG_XML_ALL) > 0);
	CHECK_INT(refused, refused_before);
	return 1;
}

/* Fills `batch` from the kernel. */
static void receive_batch(void)
{
	CHECK_INT(nflog_set_qthresh(gh, 3), 0);
	log_packets(GROUP, 3, 10);
	batch_size = (int)recv(nflog_fd(h), batch, sizeof(batch), 0);
	CHECK(batch_size > 0);
	CHECK_INT(nflog_set_qthresh(gh, 1), 0);
}

/* Callbacks run as ever when no memory is left. */
static void test_getters(void)
{
	CHECK_INT(nflog_callback_register(gh, hear_all, NULL), 0);
	tzset();
	for_good = 1;
	left = 0;
	CHECK_INT(nflog_handle_packet(h, batch, batch_size), 0);
	left = -1;
	CHECK_INT(nflog_callback_register(gh, hear, &heard), 0);
}

int main(void)
{
	begin_output();
	if (!log_by_port())
		return finish();
	h = nflog_open();
	gh = bind_heard(h, GROUP, &heard);
	receive_batch();
	try_call("nflog_open", call_open);
	try_call("nflog_open_nfnl", call_open_nfnl);
	try_call("nflog_bind_group", call_bind_group);
	try_call("nflog_unbind_group", call_unbind_group);
	try_call("nflog_bind_pf", call_bind_pf);
	try_call("nflog_unbind_pf", call_unbind_pf);
	try_call("nflog_set_mode", call_set_mode);
	try_call("nflog_set_timeout", call_set_timeout);
	try_call("nflog_set_qthresh", call_set_qthresh);
	try_call("nflog_set_nlbufsiz", call_set_nlbufsiz);
	try_call("nflog_set_flags", call_set_flags);
	try_call("nflog_callback_register", call_register);
	try_call("a request while packets wait", call_while_packets_wait);
	try_call("nflog_handle_packet", call_handle_packet);
	test_getters();
	CHECK_INT(heard.wrong, 0);
	CHECK_INT(nflog_close(h), 0);
	return finish();
}
#endif
