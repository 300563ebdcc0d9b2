/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What depends on the order of bytes and on the width of a long, as the original has it on each machine. */
#define _GNU_SOURCE
#include "check.h"
#include <unistd.h>

#ifndef REFERENCE
/* A number of 4 bytes that begins with these, and zero behind them. */
static uint32_t in_front(const void *bytes, size_t size)
{
	uint32_t number = 0;

	memcpy(&number, bytes, size);
	return number;
}
#endif

static void test_setters_of_another_width(void)
{
	const uint8_t byte = 0x77;
	const uint16_t half = 0x5566;
	const uint32_t whole = 0x11223344;
	struct nf_conntrack *ct = nfct_new();
	struct nf_expect *exp = nfexp_new();
	uint16_t zone;

	nfct_set_attr_u16(ct, ATTR_MARK, half);
	nfexp_set_attr_u16(exp, ATTR_EXP_TIMEOUT, half);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_MARK), half);
	CHECK_INT(nfexp_get_attr_u16(exp, ATTR_EXP_TIMEOUT), half);
#ifndef REFERENCE /* leaves the other bytes as they were on its stack */
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), in_front(&half, sizeof(half)));
	CHECK_INT(nfexp_get_attr_u32(exp, ATTR_EXP_TIMEOUT), in_front(&half, sizeof(half)));
#endif
	nfct_set_attr_u8(ct, ATTR_MARK, byte);
	nfexp_set_attr_u8(exp, ATTR_EXP_FLAGS, byte);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_MARK), byte);
	CHECK_INT(nfexp_get_attr_u8(exp, ATTR_EXP_FLAGS), byte);
	memcpy(&zone, &whole, sizeof(zone));
	nfct_set_attr_u32(ct, ATTR_ZONE, whole);
	nfexp_set_attr_u32(exp, ATTR_EXP_ZONE, whole);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_ZONE), zone);
	CHECK_INT(nfexp_get_attr_u16(exp, ATTR_EXP_ZONE), zone);
	nfct_destroy(ct);
	nfexp_destroy(exp);
}

/* The states of protocols share their bytes as C lays them out. */
static void test_states(void)
{
	struct dccp {
		uint8_t state, role;
		uint64_t handshake;
	};
	struct sctp {
		uint8_t state;
		uint32_t tags[2];
	};
	union {
		struct dccp dccp;
		struct sctp sctp;
	} states;
	struct nf_conntrack *ct = nfct_new();

	memset(&states, 0, sizeof(states));
	states.dccp.handshake = 0x0102030405060708;
	nfct_set_attr_u64(ct, ATTR_DCCP_HANDSHAKE_SEQ, states.dccp.handshake);
	states.sctp.tags[1] = 0xa1a2a3a4;
	nfct_set_attr_u32(ct, ATTR_SCTP_VTAG_REPL, states.sctp.tags[1]);
	CHECK(nfct_get_attr_u64(ct, ATTR_DCCP_HANDSHAKE_SEQ) == states.dccp.handshake);
	nfct_destroy(ct);
}

/* Numbers of labels are read as strtoul() reads them, which is as wide as a long. */
static void test_numbers_of_labels(void)
{
	char path[] = "/tmp/width-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	struct nfct_labelmap *map;

	fprintf(file, "-%lu one\n-18446744073709551615 last\n%lu none\n7 seven\n", -1ul, -1ul);
	fclose(file);
	map = nfct_labelmap_new(path);
	CHECK_INT(nfct_labelmap_get_bit(map, "one"), 1);
	CHECK_INT(nfct_labelmap_get_bit(map, "last"), -1); /* the label is taken, or there is none */
	CHECK_INT(nfct_labelmap_get_bit(map, "none"), -1);
	CHECK_INT(nfct_labelmap_get_bit(map, "seven"), 7);
	nfct_labelmap_destroy(map);
	unlink(path);
}

#ifndef REFERENCE /* counts seconds modulo 2^32 on machines of 32 bits */
static void test_times_after_2038(void)
{
	struct __attribute__((packed)) {
		uint16_t length, type;
		struct __attribute__((packed)) {
			uint16_t length, type;
			uint32_t high, low;
		} times[2];
	} attribute = { sizeof(attribute), CTA_TIMESTAMP | NLA_F_NESTED, { { 0, 0, 0, 0 } } };
	struct nf_conntrack *ct = nfct_new();
	char text[512];

	for (int at = 0; at < 2; at++) {
		uint64_t time = (4110696000u + at) * UINT64_C(1000000000);

		attribute.times[at].length = sizeof(attribute.times[at]);
		attribute.times[at].type = CTA_TIMESTAMP_START + at;
		attribute.times[at].high = htonl(time >> 32);
		attribute.times[at].low = htonl(time & 0xffffffff);
	}
	setenv("TZ", "UTC0", 1);
	nfct_set_attr_u8(ct, ATTR_ORIG_L3PROTO, AF_INET); /* or nothing is printed */
	nfct_set_attr_u8(ct, ATTR_ORIG_L4PROTO, IPPROTO_UDP);
	CHECK_INT(nfct_payload_parse(&attribute, sizeof(attribute), AF_INET, ct), 0);
	nfct_snprintf(text, sizeof(text), ct, NFCT_T_NEW, NFCT_O_DEFAULT, NFCT_OF_TIMESTAMP);
	CHECK(strstr(text, "[start=Tue Apr  6 12:00:00 2100]") != NULL);
	CHECK(strstr(text, "[stop=Tue Apr  6 12:00:01 2100]") != NULL);
	nfct_destroy(ct);
}
#endif

int main(void)
{
	test_setters_of_another_width();
	test_states();
	test_numbers_of_labels();
#ifndef REFERENCE
	test_times_after_2038();
#endif
	return finish();
}
