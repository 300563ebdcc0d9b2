/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Entries, records and expectations as JSON, and entries of JSON. */
#define _GNU_SOURCE
#include "check.h"

#ifdef REFERENCE
int main(void)
{
	/* The reference has no JSON. */
	nfct_destroy(nfct_new());
	return finish();
}
#else
#include <ctrs.h>
#include <netinet/in.h>
#include <unistd.h>

static struct nfct_labelmap *labels(void)
{
	char path[] = "/tmp/ctrs-json-XXXXXX";
	int fd = mkstemp(path);
	struct nfct_labelmap *map;

	dprintf(fd, "3 three\n7 seven up\n");
	close(fd);
	map = nfct_labelmap_new(path);
	unlink(path);
	return map;
}

static struct nf_conntrack *entry(void)
{
	struct nf_conntrack *ct = nfct_new();
	struct nfct_bitmask *set = nfct_bitmask_new(127);

	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, inet_addr("10.0.0.1"));
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, inet_addr("10.0.0.2"));
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(1000));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(80));
	nfct_set_attr_u32(ct, ATTR_STATUS, 0x8000000c);
	nfct_set_attr_u8(ct, ATTR_TCP_STATE, 3);
	nfct_set_attr_u64(ct, ATTR_DCCP_HANDSHAKE_SEQ, 18446744073709551615ull);
	nfct_set_attr(ct, ATTR_HELPER_NAME, "f\"t\xffp");
	nfct_bitmask_set_bit(set, 7);
	nfct_bitmask_set_bit(set, 8);
	nfct_set_attr(ct, ATTR_CONNLABELS, set);
	return ct;
}

#define TUPLE "\"original\":{\"family\":\"ipv4\",\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\"," \
	      "\"protocol\":\"tcp\",\"sport\":1000,\"dport\":80}"
#define REST(label, sequence) \
	"\"status\":[\"assured\",\"confirmed\",2147483648],\"tcp\":{\"state\":\"ESTABLISHED\"}," \
	"\"labels\":[" label ",8],\"helper\":{\"name\":[102,34,116,255,112]}," \
	"\"dccp\":{\"handshake_seq\":" sequence "}}"
#define PLAIN "{" TUPLE "," REST("7", "18446744073709551615")
#define STRINGS "{\"event\":\"destroy\"," TUPLE "," REST("\"seven up\"", "\"18446744073709551615\"")

static void test_write(void)
{
	struct nf_conntrack *ct = entry(), *empty = nfct_new();
	struct nfct_labelmap *map = labels();
	char text[1024], whole[1024];
	int length = (int)strlen(PLAIN);

	CHECK_INT(ctrs_snprintf_json(text, sizeof(text), ct, NFCT_T_DESTROY, CTRS_JSON_STRINGS, map),
		  strlen(STRINGS));
	CHECK_STR(text, STRINGS);
	CHECK_INT(ctrs_snprintf_json(whole, sizeof(whole), ct, 0, 0, NULL), length);
	CHECK_STR(whole, PLAIN);
	CHECK_INT(ctrs_snprintf_json(NULL, 0, ct, 0, 0, NULL), length);
	for (int size = 0; size <= length + 2; size++) {
		about("size %d", size);
		memset(text, 0x55, sizeof(text));
		CHECK_INT(ctrs_snprintf_json(text, (size_t)size, ct, 0, 0, NULL), length);
		if (size > 0) {
			int fits = size - 1 < length ? size - 1 : length;

			CHECK_MEM(text, whole, (size_t)fits);
			CHECK_INT(text[fits], 0);
		}
		CHECK_INT(text[size], 0x55);
	}
	about("");
	CHECK_INT(ctrs_snprintf_json(text, sizeof(text), empty, 3, 0, NULL), 2);
	CHECK_STR(text, "{}");
	CHECK_ERR(ctrs_snprintf_json(text, sizeof(text), NULL, 0, 0, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_snprintf_json(NULL, 1, ct, 0, 0, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_snprintf_json(text, sizeof(text), ct, 0, 2, NULL), -1, EINVAL);
	nfct_labelmap_destroy(map);
	nfct_destroy(ct);
	nfct_destroy(empty);
}

static void test_record(void)
{
	struct nf_conntrack *ct = entry();
	char text[1024];
	struct ctrs_flow flow;

	CHECK_INT(ctrs_flow_from(&flow, sizeof(flow), ct), 0);
	CHECK_INT(ctrs_flow_snprintf_json(text, sizeof(text), &flow, sizeof(flow), 0, 0, NULL),
		  strlen(PLAIN));
	CHECK_STR(text, PLAIN);
	CHECK_ERR(ctrs_flow_snprintf_json(text, sizeof(text), NULL, sizeof(flow), 0, 0, NULL), -1,
		  EINVAL);
	CHECK_ERR(ctrs_flow_snprintf_json(text, sizeof(text), &flow, 3, 0, 0, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_flow_snprintf_json(NULL, 9, &flow, sizeof(flow), 0, 0, NULL), -1, EINVAL);
	nfct_destroy(ct);
}

static void test_expectation(void)
{
	struct nf_expect *exp = nfexp_new(), *back = nfexp_new();
	struct nf_conntrack *ct = entry();
	struct ctrs_error error = { .size = sizeof(error) };
	char text[1024], again[1024];

	nfexp_set_attr(exp, ATTR_EXP_EXPECTED, ct);
	nfexp_set_attr_u32(exp, ATTR_EXP_FLAGS, 0x13);
	nfexp_set_attr_u32(exp, ATTR_EXP_TIMEOUT, 100);
	nfexp_set_attr_u32(exp, ATTR_EXP_NAT_DIR, 1);
	nfexp_set_attr(exp, ATTR_EXP_HELPER_NAME, "ftp");
	CHECK(ctrs_expect_snprintf_json(text, sizeof(text), exp, NFCT_T_NEW, 0) > 0);
	CHECK_STR(text, "{\"event\":\"new\",\"expected\":{\"family\":\"ipv4\",\"src\":\"10.0.0.1\","
			"\"dst\":\"10.0.0.2\",\"protocol\":\"tcp\",\"sport\":1000,\"dport\":80},"
			"\"nat_direction\":\"reply\",\"timeout\":100,"
			"\"flags\":[\"permanent\",\"inactive\",16],\"helper\":\"ftp\"}");
	CHECK_INT(ctrs_expect_parse_json(back, text, strlen(text), NULL), 0);
	ctrs_expect_snprintf_json(again, sizeof(again), back, NFCT_T_NEW, 0);
	CHECK_STR(again, text);
	CHECK_ERR(ctrs_expect_parse_json(back, "{\"zone\":-1}", 11, &error), -1, EINVAL);
	CHECK_INT(error.kind, CTRS_ERROR_SYNTAX);
	CHECK_INT(error.offset, 8);
	CHECK_INT(nfexp_attr_is_set(back, ATTR_EXP_TIMEOUT), 1);
	CHECK_ERR(ctrs_expect_parse_json(NULL, "{}", 2, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_expect_parse_json(back, NULL, 2, NULL), -1, EINVAL);
	nfexp_destroy(back);
	CHECK_ERR(ctrs_expect_snprintf_json(text, sizeof(text), NULL, 0, 0), -1, EINVAL);
	CHECK_ERR(ctrs_expect_snprintf_json(text, sizeof(text), exp, 0, 4), -1, EINVAL);
	nfexp_destroy(exp);
	nfct_destroy(ct);
}

static int parse(struct nf_conntrack *ct, const char *text, const struct nfct_labelmap *map,
		 struct ctrs_error *error)
{
	error->size = sizeof(*error);
	return ctrs_parse_json(ct, text, strlen(text), map, error);
}

static void test_read(void)
{
	struct nf_conntrack *ct = nfct_new();
	struct nfct_labelmap *map = labels();
	struct ctrs_error error = { .size = sizeof(error) };
	char text[1024];

	nfct_set_attr_u32(ct, ATTR_MARK, 5);
	CHECK_INT(parse(ct, STRINGS, map, &error), 0);
	CHECK_INT(error.err, 0);
	CHECK_INT(nfct_attr_is_set(ct, ATTR_MARK), 0);
	ctrs_snprintf_json(text, sizeof(text), ct, NFCT_T_DESTROY, CTRS_JSON_STRINGS, map);
	CHECK_STR(text, STRINGS);
	nfct_labelmap_destroy(map);
	nfct_destroy(ct);
}

/* What is read can be created: with the translation that the tuples show. */
static void test_translation(void)
{
	static const char saved[] =
		"{\"status\":[\"expected\",\"assured\",\"confirmed\",\"src_nat\",\"dst_nat\"],"
		"\"reply\":{\"dport\":50000,\"family\":\"ipv4\",\"src\":\"10.2.0.2\",\"dst\":\"10.2.0.1\","
		"\"protocol\":\"tcp\",\"sport\":8001},"
		"\"original\":{\"family\":\"ipv4\",\"src\":\"10.1.0.2\",\"dst\":\"10.1.0.1\","
		"\"protocol\":6,\"sport\":\"40000\",\"dport\":80},"
		"\"tcp\":{\"original\":{\"flags\":35,\"flags_mask\":0,\"window_scale\":7}}}";
	struct nf_conntrack *ct = nfct_new();
	struct ctrs_error error;
	char once[1024], twice[1024];

	CHECK_INT(parse(ct, saved, NULL, &error), 0);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_STATUS), 0x3c);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_SNAT_IPV4), inet_addr("10.2.0.1"));
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_SNAT_PORT), htons(50000));
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_DNAT_IPV4), inet_addr("10.2.0.2"));
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_DNAT_PORT), htons(8001));
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_REPL_IPV4_DST), inet_addr("10.1.0.2"));
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_REPL_PORT_SRC), htons(80));
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_TCP_MASK_ORIG), 0xdf);
	CHECK_INT(nfct_get_attr_u8(ct, ATTR_TCP_WSCALE_ORIG), 7);
	/* What was read can be written and read again. */
	ctrs_snprintf_json(once, sizeof(once), ct, 0, 0, NULL);
	CHECK_INT(parse(ct, once, NULL, &error), 0);
	ctrs_snprintf_json(twice, sizeof(twice), ct, 0, 0, NULL);
	CHECK_STR(twice, once);
	nfct_destroy(ct);
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		uint32_t offset;
	} wrong[] = {
		{ "", 0 }, { "{", 1 }, { "[]", 0 }, { "{} x", 3 }, { "{\"mark\":null}", 8 },
		{ "{\"mark\":1,\"zone\":65536}", 17 }, { "{\"labels\":[\"seven\"]}", 11 },
		{ "{\"status\":[\"nope\"]}", 11 }, { "{\"original\":{\"src\":\"10.0.0\"}}", 19 },
	};
	struct nf_conntrack *ct = nfct_new();
	struct ctrs_error error = { .size = sizeof(error) };

	nfct_set_attr_u32(ct, ATTR_MARK, 5);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		about("%s", wrong[i].text);
		CHECK_ERR(parse(ct, wrong[i].text, NULL, &error), -1, EINVAL);
		CHECK_INT(error.err, EINVAL);
		CHECK_INT(error.kind, CTRS_ERROR_SYNTAX);
		CHECK_INT(error.offset, wrong[i].offset);
		CHECK_STR(bits(ct), "25");
	}
	about("");
	CHECK_ERR(ctrs_parse_json(ct, "{}x", 3, NULL, NULL), -1, EINVAL);
	CHECK_INT(ctrs_parse_json(ct, "{}x", 2, NULL, NULL), 0);
	CHECK_STR(bits(ct), "");
	error.size = sizeof(error);
	CHECK_ERR(ctrs_parse_json(NULL, "{}", 2, NULL, &error), -1, EINVAL);
	CHECK_INT(error.kind, CTRS_ERROR_INVALID);
	CHECK_ERR(ctrs_parse_json(ct, NULL, 2, NULL, &error), -1, EINVAL);
	error.size = 3;
	CHECK_ERR(ctrs_parse_json(ct, "{}", 2, NULL, &error), -1, EINVAL);
	nfct_destroy(ct);
}

int main(void)
{
	test_write();
	test_record();
	test_expectation();
	test_read();
	test_translation();
	test_refused();
	return finish();
}
#endif
