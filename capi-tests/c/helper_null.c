/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Every function of libnetfilter_cthelper with NULL and numbers out of range, and what the reference
 * answers with broken memory. */
#include "check.h"
#include <libnetfilter_cthelper/libnetfilter_cthelper.h>
#include <linux/netlink.h>

#ifdef REFERENCE
int main(void)
{
	nfct_helper_free(nfct_helper_alloc()); /* the reference crashes on most of it */
	return finish();
}
#else
#define HELPER(number) ((enum nfct_helper_attr_type)(number))
#define POLICY(number) ((enum nfct_helper_policy_attr_type)(number))

static void test_null(void)
{
	struct nfct_helper *h = nfct_helper_alloc();
	struct nfct_helper_policy *p = nfct_helper_policy_alloc();
	struct nlmsghdr *none = NULL;
	char room[512] = {0};
	struct nlmsghdr *nlh = nfct_helper_nlmsg_build_hdr(room, 0, 0, 1);

	CHECK(h != NULL && p != NULL && (char *)nlh == room);
	CHECK_ERR((nfct_helper_free(NULL), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_policy_free(NULL), 0), 0, UNTOUCHED);
	CHECK_ERR((nfct_helper_policy_attr_set(NULL, POLICY(0), "x"), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_policy_attr_set(p, POLICY(0), NULL), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_policy_attr_set(p, POLICY(1), NULL), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_policy_attr_set_str(NULL, POLICY(0), "x"), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_policy_attr_set_str(p, POLICY(0), NULL), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_policy_attr_set_u32(NULL, POLICY(1), 1), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_attr_set(NULL, HELPER(0), "x"), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_attr_set_str(NULL, HELPER(0), "x"), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_attr_set_str(h, HELPER(0), NULL), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_attr_set_u8(NULL, HELPER(3), 1), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_attr_set_u16(NULL, HELPER(2), 1), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_attr_set_u32(NULL, HELPER(1), 1), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_attr_unset(NULL, HELPER(0)), 0), 0, EINVAL);
	CHECK_NULL(nfct_helper_nlmsg_build_hdr(NULL, 0, 0, 1), EINVAL);
	CHECK_ERR((nfct_helper_nlmsg_build_payload(none, h), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_nlmsg_build_payload(nlh, NULL), 0), 0, EINVAL);
	CHECK_ERR(nfct_helper_nlmsg_parse_payload(none, h), -1, EINVAL);
	CHECK_ERR(nfct_helper_nlmsg_parse_payload(nlh, NULL), -1, EINVAL);
	CHECK_ERR(nfct_helper_nlmsg_parse_payload(nlh, h), -1, UNTOUCHED); /* incomplete */
	CHECK_ERR(nfct_helper_snprintf(room, sizeof(room), NULL, 0, 0), -1, EINVAL);
	CHECK_ERR(nfct_helper_snprintf(NULL, 1, h, 0, 0), -1, EINVAL);
	nfct_helper_policy_free(p);
	nfct_helper_free(h);
}

static void test_getters(void)
{
	static const unsigned int none[] = {5, 6, 7, 8, 10, 55, 0x7fffffff, 0xffffffff};
	struct nfct_helper *h = nfct_helper_alloc();

	for (size_t i = 0; i < COUNT(none); i++) {
		about("attribute %u", none[i]);
		CHECK_NULL(nfct_helper_attr_get(h, HELPER(none[i])), EINVAL);
		CHECK_NULL(nfct_helper_attr_get_str(h, HELPER(none[i])), EINVAL);
		CHECK_ERR(nfct_helper_attr_get_u8(h, HELPER(none[i])), 0, EINVAL);
		CHECK_ERR(nfct_helper_attr_get_u16(h, HELPER(none[i])), 0, EINVAL);
		CHECK_ERR(nfct_helper_attr_get_u32(h, HELPER(none[i])), 0, EINVAL);
	}
	for (unsigned int attr = 0; attr < 12; attr++) {
		about("attribute %u of NULL", attr);
		CHECK_NULL(nfct_helper_attr_get(NULL, HELPER(attr)), EINVAL);
		CHECK_NULL(nfct_helper_attr_get_str(NULL, HELPER(attr)), EINVAL);
		CHECK_ERR(nfct_helper_attr_get_u8(NULL, HELPER(attr)), 0, EINVAL);
		CHECK_ERR(nfct_helper_attr_get_u16(NULL, HELPER(attr)), 0, EINVAL);
		CHECK_ERR(nfct_helper_attr_get_u32(NULL, HELPER(attr)), 0, EINVAL);
	}
	about("");
	/* Wider getters than the attribute read nothing beside it. */
	nfct_helper_attr_set_u16(h, NFCTH_ATTR_PROTO_L3NUM, AF_INET6);
	nfct_helper_attr_set_u8(h, NFCTH_ATTR_PROTO_L4NUM, IPPROTO_UDP);
	CHECK_ERR(nfct_helper_attr_get_u32(h, NFCTH_ATTR_PROTO_L3NUM), AF_INET6, UNTOUCHED);
	CHECK_ERR(nfct_helper_attr_get_u32(h, NFCTH_ATTR_PROTO_L4NUM), IPPROTO_UDP, UNTOUCHED);
	CHECK_ERR(nfct_helper_attr_get_u16(h, NFCTH_ATTR_PROTO_L4NUM), IPPROTO_UDP, UNTOUCHED);
	nfct_helper_free(h);
}

static void test_setters(void)
{
	struct nfct_helper *h = nfct_helper_alloc();
	struct nfct_helper_policy *p = nfct_helper_policy_alloc();
	char number[3] = "ab";

	nfct_helper_attr_set_u32(h, NFCTH_ATTR_QUEUE_NUM, 0xffffffff);
	nfct_helper_attr_set_u8(h, NFCTH_ATTR_QUEUE_NUM, 7);
	CHECK_INT(nfct_helper_attr_get_u32(h, NFCTH_ATTR_QUEUE_NUM), ORDERED(7, 0x7000000));
	nfct_helper_attr_set_u16(h, NFCTH_ATTR_QUEUE_NUM, 0x1234);
	CHECK_INT(nfct_helper_attr_get_u32(h, NFCTH_ATTR_QUEUE_NUM), ORDERED(0x1234, 0x12340000));
	nfct_helper_attr_set_u32(h, NFCTH_ATTR_PROTO_L4NUM, 0x111);
	CHECK_INT(nfct_helper_attr_get_u8(h, NFCTH_ATTR_PROTO_L4NUM), ORDERED(0x11, 0));
	nfct_helper_attr_set_str(h, NFCTH_ATTR_STATUS, number); /* no byte behind its NUL */
	CHECK_MEM(nfct_helper_attr_get(h, NFCTH_ATTR_STATUS), "ab\0", 4);
	nfct_helper_policy_attr_set_str(p, NFCTH_ATTR_POLICY_MAX, number);
	for (int attr = 10; attr < 100; attr += 30) {
		CHECK_ERR((nfct_helper_attr_set(h, HELPER(attr), "x"), 0), 0, UNTOUCHED);
		CHECK_ERR((nfct_helper_attr_set_u32(h, HELPER(attr), 1), 0), 0, UNTOUCHED);
		CHECK_ERR((nfct_helper_policy_attr_set(p, POLICY(attr), "x"), 0), 0, UNTOUCHED);
	}
	/* Numbers and strings are no policies. */
	CHECK_ERR((nfct_helper_attr_set_u8(h, NFCTH_ATTR_POLICY1, 1), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_attr_set_u16(h, NFCTH_ATTR_POLICY1, 1), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_attr_set_u32(h, NFCTH_ATTR_POLICY4, 1), 0), 0, EINVAL);
	CHECK_ERR((nfct_helper_attr_set_str(h, NFCTH_ATTR_POLICY1, "x"), 0), 0, EINVAL);
	CHECK_NULL(nfct_helper_attr_get(h, NFCTH_ATTR_POLICY1), EINVAL);
	nfct_helper_policy_free(p);
	nfct_helper_free(h);
}

/* Policies are the helper's, each is freed once: valgrind and the sanitizers look. */
static void test_policies(void)
{
	struct nfct_helper *h = nfct_helper_alloc();
	struct nfct_helper_policy *first = nfct_helper_policy_alloc();

	nfct_helper_policy_attr_set_str(first, NFCTH_ATTR_POLICY_NAME, "first");
	nfct_helper_attr_set(h, NFCTH_ATTR_POLICY1, first);
	nfct_helper_attr_set(h, NFCTH_ATTR_POLICY1, first);
	nfct_helper_attr_set(h, NFCTH_ATTR_POLICY2, first);
	nfct_helper_attr_set(h, NFCTH_ATTR_POLICY3, nfct_helper_policy_alloc());
	nfct_helper_attr_set(h, NFCTH_ATTR_POLICY3, nfct_helper_policy_alloc());
	nfct_helper_attr_set(h, NFCTH_ATTR_POLICY1, NULL);
	CHECK_NULL(nfct_helper_attr_get(h, NFCTH_ATTR_POLICY1), EINVAL);
	CHECK(nfct_helper_attr_get(h, NFCTH_ATTR_POLICY2) == first);
	CHECK_STR(nfct_helper_attr_get_str(h, NFCTH_ATTR_POLICY2), "first");
	nfct_helper_free(h);
}

/* What was parsed is sent again, however often it is parsed. */
static void test_parsed(void)
{
	struct nfct_helper *h = nfct_helper_alloc(), *copy = nfct_helper_alloc();
	char room[512] = {0}, again[512] = {0};
	struct nlmsghdr *nlh = nfct_helper_nlmsg_build_hdr(room, 0, NLM_F_ACK, 1), *built;

	nfct_helper_attr_set_str(h, NFCTH_ATTR_NAME, "ftp");
	nfct_helper_attr_set_u32(h, NFCTH_ATTR_QUEUE_NUM, 3);
	nfct_helper_attr_set_u16(h, NFCTH_ATTR_PROTO_L3NUM, AF_INET);
	nfct_helper_attr_set_u8(h, NFCTH_ATTR_PROTO_L4NUM, IPPROTO_TCP);
	nfct_helper_attr_set_u32(h, NFCTH_ATTR_PRIV_DATA_LEN, 24);
	for (int i = 0; i < 4; i++) {
		struct nfct_helper_policy *p = nfct_helper_policy_alloc();

		nfct_helper_policy_attr_set_str(p, NFCTH_ATTR_POLICY_NAME, "class");
		nfct_helper_policy_attr_set_u32(p, NFCTH_ATTR_POLICY_TIMEOUT, 300);
		nfct_helper_policy_attr_set_u32(p, NFCTH_ATTR_POLICY_MAX, (uint32_t)i);
		nfct_helper_attr_set(h, HELPER(NFCTH_ATTR_POLICY1 + i), p);
	}
	nfct_helper_attr_set_u32(h, NFCTH_ATTR_STATUS, 1);
	nfct_helper_nlmsg_build_payload(nlh, h);
	CHECK(nlh->nlmsg_len > 200 && nlh->nlmsg_len <= 20 + 256);
	for (int i = 0; i < 20; i++)
		CHECK_ERR(nfct_helper_nlmsg_parse_payload(nlh, copy), 0, UNTOUCHED);
	built = nfct_helper_nlmsg_build_hdr(again, 0, NLM_F_ACK, 1);
	nfct_helper_nlmsg_build_payload(built, copy);
	CHECK_INT(built->nlmsg_len, nlh->nlmsg_len);
	CHECK_MEM(again, room, nlh->nlmsg_len);
	nfct_helper_free(copy);
	nfct_helper_free(h);
}

int main(void)
{
	test_null();
	test_getters();
	test_setters();
	test_policies();
	test_parsed();
	return finish();
}
#endif
