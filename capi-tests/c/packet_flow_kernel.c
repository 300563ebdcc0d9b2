/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The flow of a logged packet, looked up by the packet. Which flow that is, of real packets, is tested
 * from Rust; here, that it is said as the header says. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include <ctrs.h>
#include "packet_message.h"

enum { PREROUTING = 0, FORWARD = 2, POSTROUTING = 4 };
#define CLIENT 0x0a000001u
#define SERVER 0x0a010001u

static struct nfct_handle *h;
static struct nf_conntrack *result;

/* Looks the flow of a TCP packet up. */
static int look(uint8_t hook, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport, uint16_t zone,
		uint32_t flags, int *dir)
{
	struct logged logged;

	log_begin(&logged, hook);
	log_tcp(&logged, src, dst, sport, dport, 24);
	log_end(&logged);
	return ctrs_packet_flow(h, LOGGED(&logged), zone, flags, result, dir);
}

static void test_directions(void)
{
	int dir = -1;

	query_flow(h, NFCT_Q_CREATE, marked(new_flow(0), 7));
	CHECK_INT(look(FORWARD, CLIENT, SERVER, 1000, 80, 0, 0, &dir), 1);
	CHECK_INT(dir, CTRS_ORIGINAL);
	CHECK_INT(nfct_get_attr_u32(result, ATTR_MARK), 7);
	CHECK_INT(look(FORWARD, SERVER, CLIENT, 80, 1000, 0, 0, &dir), 1);
	CHECK_INT(dir, CTRS_REPLY);
	nfct_set_attr_u32(result, ATTR_MARK, 9);
	CHECK_INT(look(FORWARD, CLIENT, SERVER, 1000, 81, 0, 0, &dir), 0);
	CHECK_INT(dir, CTRS_REPLY);
	CHECK_INT(nfct_get_attr_u32(result, ATTR_MARK), 9);
	CHECK_INT(look(FORWARD, CLIENT, SERVER, 1000, 80, 3, CTRS_LOOKUP_BY_TUPLE, NULL), 0);
	CHECK_INT(look(FORWARD, CLIENT, SERVER, 1000, 80, 0, CTRS_LOOKUP_BY_TUPLE, NULL), 1);
}

/* Source and destination are translated: where the destination is, and the source not yet, there is no
 * tuple to look up. */
static void test_translation(void)
{
	struct nf_conntrack *ct = marked(new_flow(1), 8);
	const uint32_t client = CLIENT + 1, seen = 0x0a030001u, real = 0x0a020001u;

	nfct_set_attr_u32(ct, ATTR_SNAT_IPV4, htonl(seen));
	nfct_set_attr_u32(ct, ATTR_DNAT_IPV4, htonl(real));
	query_flow(h, NFCT_Q_CREATE, ct);
	CHECK_INT(look(PREROUTING, client, SERVER, 1000, 80, 0, CTRS_LOOKUP_BY_TUPLE, NULL), 1);
	CHECK_INT(look(FORWARD, client, real, 1000, 80, 0, CTRS_LOOKUP_BY_TUPLE, NULL), 0);
	CHECK_INT(look(FORWARD, client, real, 1000, 80, 0, 0, NULL), 1);
	CHECK_INT(look(POSTROUTING, seen, real, 1000, 80, 0, CTRS_LOOKUP_BY_TUPLE, NULL), 1);
	CHECK_INT(look(PREROUTING, real, seen, 80, 1000, 0, CTRS_LOOKUP_BY_TUPLE, NULL), 1);
	CHECK_INT(look(FORWARD, real, client, 80, 1000, 0, 0, NULL), 1);
	CHECK_INT(look(POSTROUTING, SERVER, client, 80, 1000, 0, CTRS_LOOKUP_BY_TUPLE, NULL), 1);
	CHECK_INT(nfct_get_attr_u32(result, ATTR_MARK), 8);
	/* Nowhere do packets of the flow look like that. */
	CHECK_INT(look(FORWARD, client, SERVER, 1000, 80, 0, 0, NULL), 0);
}

static void test_zones(void)
{
	static const struct {
		enum nf_conntrack_attr attr;
		uint32_t flag;
	} zones[] = {
		{ ATTR_ZONE, 0 },
		{ ATTR_ORIG_ZONE, CTRS_LOOKUP_ZONE_ORIGINAL },
		{ ATTR_REPL_ZONE, CTRS_LOOKUP_ZONE_REPLY },
	};

	for (unsigned int i = 0; i < 3; i++) {
		struct nf_conntrack *ct = new_flow(10 + i);
		uint32_t client = CLIENT + 10 + i;

		nfct_set_attr_u16(ct, zones[i].attr, 5);
		query_flow(h, NFCT_Q_CREATE, ct);
		about("zone %u", i);
		CHECK_INT(look(FORWARD, client, SERVER, 1000, 80, 5, zones[i].flag, NULL), 1);
		CHECK_INT(look(FORWARD, SERVER, client, 80, 1000, 5, zones[i].flag, NULL), 1);
		/* The packets of the other direction are in zone 0, whichever is asked for. */
		if (zones[i].flag == CTRS_LOOKUP_ZONE_REPLY)
			CHECK_INT(look(FORWARD, SERVER, client, 80, 1000, 6, zones[i].flag, NULL), 0);
		else
			CHECK_INT(look(FORWARD, client, SERVER, 1000, 80, 6, zones[i].flag, NULL), 0);
	}
	about("");
}

static void test_wrong_calls(void)
{
	struct logged logged, none;
	struct ctrs_packet *packet = &logged.packet;

	log_begin(&logged, FORWARD);
	log_tcp(&logged, CLIENT, SERVER, 1000, 80, 24);
	log_end(&logged);
	CHECK_INT(ctrs_packet_flow(h, LOGGED(&logged), 0, 0, NULL, NULL), 1);
	CHECK_ERR(ctrs_packet_flow(NULL, LOGGED(&logged), 0, 0, NULL, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_packet_flow(h, NULL, sizeof(*packet), &logged.message, 999, 0, 0, NULL, NULL), -1, EINVAL);
	CHECK_INT(strstr(ctrs_last_error(h)->text, "there is no packet") != NULL, 1);
	CHECK_ERR(ctrs_packet_flow(h, packet, 12, &logged.message, 999, 0, 0, NULL, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_packet_flow(h, packet, sizeof(*packet), NULL, 999, 0, 0, NULL, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_packet_flow(h, packet, sizeof(*packet), &logged.message, 30, 0, 0, NULL, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_packet_flow(h, LOGGED(&logged), 5, 8, NULL, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_packet_flow(h, LOGGED(&logged), 5, 6, NULL, NULL), -1, EINVAL);
	CHECK_INT(strstr(ctrs_last_error(h)->text, "flags") != NULL, 1);
	/* What was cut before the ports, and what has no payload. */
	log_begin(&none, FORWARD);
	log_tcp(&none, CLIENT, SERVER, 1000, 80, 23);
	log_end(&none);
	CHECK_INT(ctrs_packet_flow(h, LOGGED(&none), 0, 0, NULL, NULL), 0);
	log_begin(&none, FORWARD);
	log_end(&none);
	CHECK_INT(ctrs_packet_flow(h, LOGGED(&none), 0, 0, NULL, NULL), 0);
	CHECK_INT(ctrs_last_error(h)->kind, CTRS_ERROR_NONE);
}

int main(void)
{
	own_namespace();
	h = nfct_open(CONNTRACK, 0);
	result = nfct_new();
	test_directions();
	test_translation();
	test_zones();
	test_wrong_calls();
	nfct_destroy(result);
	CHECK_INT(nfct_close(h), 0);
	return finish();
}
#endif
