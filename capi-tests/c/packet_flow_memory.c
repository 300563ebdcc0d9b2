/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Logged packets and their flows without memory: failing_allocations.h says how. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there are no such functions */
	return finish();
}
#else
#include <ctrs.h>
#include "failing_allocations.h"
#include "packet_message.h"

static struct logged logged;
static struct nfct_handle *h;
static struct nf_conntrack *ct;

/* The entry stays as it was. */
static int call_conntrack(void)
{
	int result;

	nfct_set_attr_u32(ct, ATTR_MARK, 5);
	result = done(ctrs_packet_conntrack(ct, LOGGED(&logged)), 1);
	return nfct_get_attr_u32(ct, ATTR_MARK) == (result == 1 ? 77u : 5u) ? result : -1;
}

static int call_json(void)
{
	char text[1024];
	int length = ctrs_packet_snprintf_json(text, sizeof(text), LOGGED(&logged), NULL, 0, NULL);

	return length > 0 ? 1 : done(length, 1);
}

static int call_from(void)
{
	struct ctrs_packet packet;

	return done(ctrs_packet_from(&packet, sizeof(packet), &logged.message, sizeof(logged.message)), 0);
}

static int call_pcap(void)
{
	char record[1024];

	return ctrs_packet_pcap(record, sizeof(record), LOGGED(&logged), CTRS_LINK_NFLOG, 0) > 16 ? 1 : -1;
}

/* Two requests, and two lists through sockets of their own. */
static int call_flow(void)
{
	return done(ctrs_packet_flow(h, LOGGED(&logged), 0, 0, ct, NULL), 1);
}

int main(void)
{
	struct nf_conntrack *translated;

	begin();
	translated = new_flow(0);
	ct = nfct_new();
	h = nfct_open(CONNTRACK, 0);
	nfct_set_attr_u32(translated, ATTR_SNAT_IPV4, htonl(0x0a030001));
	nfct_set_attr_u32(translated, ATTR_DNAT_IPV4, htonl(0x0a020001));
	query_flow(h, NFCT_Q_CREATE, translated);
	log_begin(&logged, 2);
	log_conntrack(&logged);
	log_tcp(&logged, 0x0a020001, 0x0a000001, 80, 1000, 24); /* answers, half translated */
	log_end(&logged);
	CHECK_INT(call_conntrack(), 1); /* the entry has labels then */
	try_call("attached", call_conntrack);
	try_call("JSON", call_json);
	try_call("from", call_from);
	try_call("a record of a file", call_pcap);
	CHECK_INT(call_flow(), 1); /* the handle keeps its socket */
	try_call("looked up", call_flow);
	nfct_destroy(ct);
	CHECK_INT(nfct_close(h), 0);
	return finish();
}
#endif
