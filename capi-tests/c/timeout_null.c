/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Every function of libnetfilter_cttimeout with NULL and numbers out of range, and what the reference
 * answers with broken memory. */
#include "check.h"
#include <libnetfilter_cttimeout/libnetfilter_cttimeout.h>
#include <linux/netlink.h>

#ifdef REFERENCE
int main(void)
{
	nfct_timeout_free(nfct_timeout_alloc()); /* the reference crashes on all of it */
	return finish();
}
#else
static void test_null(void)
{
	struct nfct_timeout *t = nfct_timeout_alloc();
	struct nlmsghdr *none = NULL;
	char room[512] = {0};
	struct nlmsghdr *nlh = nfct_timeout_nlmsg_build_hdr(room, 0, 0, 1);

	CHECK(t != NULL && (char *)nlh == room);
	CHECK_ERR((nfct_timeout_free(NULL), 0), 0, EINVAL);
	CHECK_ERR(nfct_timeout_attr_set(NULL, NFCT_TIMEOUT_ATTR_NAME, "x"), -1, EINVAL);
	for (uint32_t attr = 0; attr < NFCT_TIMEOUT_ATTR_MAX; attr++)
		CHECK_ERR(nfct_timeout_attr_set(t, attr, NULL), -1, EINVAL);
	CHECK_ERR(nfct_timeout_attr_set_u8(NULL, NFCT_TIMEOUT_ATTR_L4PROTO, 6), -1, EINVAL);
	CHECK_ERR(nfct_timeout_attr_set_u16(NULL, NFCT_TIMEOUT_ATTR_L3PROTO, 2), -1, EINVAL);
	CHECK_ERR((nfct_timeout_attr_unset(NULL, NFCT_TIMEOUT_ATTR_NAME), 0), 0, EINVAL);
	CHECK_ERR(nfct_timeout_policy_attr_set_u32(NULL, 0, 1), -1, EINVAL);
	CHECK_NULL(nfct_timeout_nlmsg_build_hdr(NULL, 0, 0, 1), EINVAL);
	CHECK_ERR((nfct_timeout_nlmsg_build_payload(none, t), 0), 0, EINVAL);
	CHECK_ERR((nfct_timeout_nlmsg_build_payload(nlh, NULL), 0), 0, EINVAL);
	CHECK_INT(nlh->nlmsg_len, 20);
	CHECK_ERR(nfct_timeout_nlmsg_parse_payload(none, t), -1, EINVAL);
	CHECK_ERR(nfct_timeout_nlmsg_parse_payload(nlh, NULL), -1, EINVAL);
	CHECK_ERR(nfct_timeout_snprintf(room, sizeof(room), NULL, 0, 0), -1, EINVAL);
	CHECK_ERR(nfct_timeout_snprintf(NULL, 1, t, 0, 0), -1, EINVAL);
	CHECK_ERR(nfct_timeout_snprintf(NULL, 0, t, 0, 0), 2, UNTOUCHED);
	nfct_timeout_free(t);
}

static void test_numbers(void)
{
	static const uint32_t bad[] = {4, 5, 15, 16, 31, 32, 33, 34, 35, 64, 0x7fffffff, 0xffffffff};
	struct nfct_timeout *t = nfct_timeout_alloc();
	char text[64];

	for (size_t i = 0; i < COUNT(bad); i++) {
		about("attribute %u", bad[i]);
		CHECK_ERR(nfct_timeout_attr_set(t, bad[i], "x"), -1, EINVAL);
		CHECK_ERR(nfct_timeout_attr_set_u8(t, bad[i], 6), -1, EINVAL);
		CHECK_ERR(nfct_timeout_attr_set_u16(t, bad[i], 2), -1, EINVAL);
		CHECK_ERR((nfct_timeout_attr_unset(t, bad[i]), 0), 0, UNTOUCHED);
	}
	about("");
	/* The policy is set by its first timeout, never by hand. */
	CHECK_ERR(nfct_timeout_attr_set(t, NFCT_TIMEOUT_ATTR_POLICY, "x"), 0, UNTOUCHED);
	CHECK_INT(nfct_timeout_snprintf(text, sizeof(text), t, 0, 0), 2);
	CHECK_STR(text, "};");
	CHECK_ERR(nfct_timeout_policy_attr_set_u32(t, 0, 1), -1, EINVAL); /* no protocol */
	nfct_timeout_free(t);
}

/* Protocols, and how many states they have. */
static const struct {
	uint8_t protocol;
	uint32_t states;
} protocols[] = {{6, 11}, {17, 2}, {136, 2}, {47, 2}, {132, 7}, {33, 7}, {1, 1}, {58, 1}, {255, 1}};

static void test_states(void)
{
	for (size_t i = 0; i < COUNT(protocols); i++) {
		struct nfct_timeout *t = nfct_timeout_alloc();
		uint8_t protocol = protocols[i].protocol;
		uint32_t states = protocols[i].states;

		about("protocol %u", protocol);
		CHECK_INT(nfct_timeout_attr_set_u8(t, NFCT_TIMEOUT_ATTR_L4PROTO, protocol), 0);
		CHECK_ERR(nfct_timeout_policy_attr_set_u32(t, states, 9), -1, EINVAL);
		CHECK_ERR(nfct_timeout_policy_attr_set_u32(t, 0xffffffff, 9), -1, EINVAL);
		CHECK_ERR(nfct_timeout_policy_attr_set_u32(t, states - 1, 9), 0, UNTOUCHED);
		CHECK_NULL(nfct_timeout_policy_attr_to_name(protocol, states), EINVAL);
		CHECK_NULL(nfct_timeout_policy_attr_to_name(protocol, 0xffffffff), EINVAL);
		CHECK(nfct_timeout_policy_attr_to_name(protocol, states - 1) != NULL);
		nfct_timeout_free(t);
	}
	about("");
	CHECK_NULL(nfct_timeout_policy_attr_to_name(50, 0), EINVAL);
}

/* A protocol with more states than the one before: each value is kept by its number. */
static void test_another_protocol(void)
{
	struct nfct_timeout *t = nfct_timeout_alloc();
	char text[512];

	nfct_timeout_attr_set_u8(t, NFCT_TIMEOUT_ATTR_L4PROTO, IPPROTO_UDP);
	CHECK_INT(nfct_timeout_policy_attr_set_u32(t, 0, 5), 0);
	CHECK_INT(nfct_timeout_policy_attr_set_u32(t, 1, 6), 0);
	nfct_timeout_attr_set_u8(t, NFCT_TIMEOUT_ATTR_L4PROTO, IPPROTO_TCP);
	CHECK_INT(nfct_timeout_policy_attr_set_u32(t, NFCT_TIMEOUT_ATTR_TCP_UNACK, 7), 0);
	nfct_timeout_snprintf(text, sizeof(text), t, NFCT_TIMEOUT_O_DEFAULT, 0);
	CHECK(strstr(text, "SYN_SENT = 5,\n\t\t.SYN_RECV = 6,\n\t\t.ESTABLISHED = 0,") != NULL);
	CHECK(strstr(text, "RETRANS = 0,\n\t\t.UNACKNOWLEDGED = 7,") != NULL);
	nfct_timeout_free(t);
}

/* The text into every size of buffer: cut, with its NUL, and its whole length told. */
static void test_sizes(void)
{
	struct nfct_timeout *t = nfct_timeout_alloc();
	char whole[512], part[512];
	int length;

	nfct_timeout_attr_set(t, NFCT_TIMEOUT_ATTR_NAME, "short");
	nfct_timeout_attr_set_u16(t, NFCT_TIMEOUT_ATTR_L3PROTO, AF_INET);
	nfct_timeout_attr_set_u8(t, NFCT_TIMEOUT_ATTR_L4PROTO, IPPROTO_SCTP);
	nfct_timeout_policy_attr_set_u32(t, NFCT_TIMEOUT_ATTR_SCTP_CLOSED, 4294967295u);
	length = nfct_timeout_snprintf(whole, sizeof(whole), t, 0, 0);
	CHECK_INT(length, strlen(whole));
	for (int size = 0; size <= length + 2; size++) {
		int end = size == 0 ? 0 : size <= length ? size - 1 : length;

		about("size %d", size);
		memset(part, 0x5a, sizeof(part));
		CHECK_INT(nfct_timeout_snprintf(part, (size_t)size, t, 0, 0), length);
		CHECK_MEM(part, whole, (size_t)end);
		CHECK_INT(part[end], size == 0 ? 0x5a : 0);
		CHECK_INT(part[size > end ? size : end + 1], 0x5a);
	}
	about("");
	CHECK_INT(nfct_timeout_snprintf(part, 5, t, 1, 0), 0); /* no such type: untouched */
	nfct_timeout_free(t);
}

/* Only the bytes of a value are read, at any alignment. */
static void test_setters(void)
{
	struct nfct_timeout *t = nfct_timeout_alloc();
	uint16_t family = AF_INET6;
	char text[128], bytes[3];

	nfct_timeout_attr_set_u8(t, NFCT_TIMEOUT_ATTR_L3PROTO, 200);
	nfct_timeout_attr_set_u16(t, NFCT_TIMEOUT_ATTR_L4PROTO, 0x1111);
	nfct_timeout_attr_set_u8(t, NFCT_TIMEOUT_ATTR_NAME, 'a');
	nfct_timeout_snprintf(text, sizeof(text), t, 0, 0);
	CHECK_STR(text, ORDERED(".a = {\n\t.l3proto = 200,\n\t.l4proto = 17,\n};",
				".a = {\n\t.l3proto = 51200,\n\t.l4proto = 17,\n};"));
	memcpy(bytes + 1, &family, 2);
	CHECK_INT(nfct_timeout_attr_set(t, NFCT_TIMEOUT_ATTR_L3PROTO, bytes + 1), 0);
	nfct_timeout_snprintf(text, sizeof(text), t, 0, 0);
	CHECK(strstr(text, "l3proto = 10,") != NULL);
	nfct_timeout_free(t);
}

int main(void)
{
	test_null();
	test_numbers();
	test_states();
	test_another_protocol();
	test_sizes();
	test_setters();
	return finish();
}
#endif
