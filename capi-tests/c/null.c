/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Every function with each of its pointers NULL and each of its numbers out of range: an error
 * return with errno, or nothing at all from a function that returns nothing; never an abort.
 * The reference aborts on nearly all of it. */
#include "kernel.h"

#define BAD 100000 /* no attribute, group, query or option has this number */

#ifndef REFERENCE
static const enum nf_conntrack_attr_grp bad_group = (enum nf_conntrack_attr_grp)BAD;

static void test_handle(void)
{
	struct nfct_handle *h;

	CHECK_NULL(nfct_open_nfnl(NULL, 0, 0), EINVAL);
	CHECK_NULL(nfct_open_nfnl(NULL, CONNTRACK, 0), EINVAL);
	CHECK_NULL(nfct_open_nfnl(NULL, EXPECT, 0), EINVAL);
	CHECK_ERR(nfct_close(NULL), -1, EINVAL);
	CHECK_ERR(nfct_fd(NULL), -1, EINVAL);
	CHECK_NULL(nfct_nfnlh(NULL), EINVAL);
	CHECK_ERR(nfct_callback_register(NULL, NFCT_T_ALL, NULL, NULL), -1, EINVAL);
	CHECK_ERR(nfct_callback_register2(NULL, NFCT_T_ALL, NULL, NULL), -1, EINVAL);
	CHECK_ERR(nfexp_callback_register(NULL, NFCT_T_ALL, NULL, NULL), -1, EINVAL);
	CHECK_ERR(nfexp_callback_register2(NULL, NFCT_T_ALL, NULL, NULL), -1, EINVAL);
	CHECK_NOOP(nfct_callback_unregister(NULL));
	CHECK_NOOP(nfct_callback_unregister2(NULL));
	CHECK_NOOP(nfexp_callback_unregister(NULL));
	CHECK_NOOP(nfexp_callback_unregister2(NULL));
	h = nfct_open(EXPECT, 0);
	CHECK_ERR(nfct_callback_register(h, NFCT_T_ALL, NULL, NULL), -1, EINVAL);
	CHECK_ERR(nfct_callback_register2(h, NFCT_T_ALL, NULL, NULL), -1, EINVAL);
	CHECK_NOOP(nfct_callback_unregister(h));
	CHECK_NOOP(nfct_callback_unregister2(h));
	CHECK_INT(nfexp_callback_register(h, (enum nf_conntrack_msg_type)0x7fffffff, NULL, NULL), 0);
	CHECK_INT(nfct_close(h), 0);
	h = nfct_open(200, 0); /* neither side is open */
	CHECK(h != NULL);
	CHECK_ERR(nfexp_callback_register(h, NFCT_T_ALL, NULL, NULL), -1, EINVAL);
	CHECK_ERR(nfexp_callback_register2(h, NFCT_T_ALL, NULL, NULL), -1, EINVAL);
	CHECK_NOOP(nfexp_callback_unregister(h));
	CHECK_NOOP(nfexp_callback_unregister2(h));
	CHECK_INT(nfct_close(h), 0);
}

static void test_queries(void)
{
	struct nfct_handle *h = nfct_open(0, 0);
	struct nf_conntrack *ct = nfct_new();
	uint32_t family = 0;

	for (int number = 0; number <= 10; number++) {
		enum nf_conntrack_query query = (enum nf_conntrack_query)number;

		about("query %d", number);
		CHECK_ERR(nfct_query(NULL, query, &family), -1, EINVAL);
		CHECK_ERR(nfct_send(NULL, query, &family), -1, EINVAL);
		CHECK_ERR(nfexp_query(NULL, query, &family), -1, EINVAL);
		CHECK_ERR(nfexp_send(NULL, query, &family), -1, EINVAL);
		CHECK_ERR(nfct_query(h, query, NULL), -1, EINVAL);
		CHECK_ERR(nfct_send(h, query, NULL), -1, EINVAL);
		CHECK_INT(nfexp_query(h, query, NULL), -1);
		CHECK_INT(nfexp_send(h, query, NULL), -1);
	}
	about("");
	for (int number = 11; number < 1 << 30; number *= 3) {
		enum nf_conntrack_query query = (enum nf_conntrack_query)number;

		CHECK_ERR(nfct_query(h, query, ct), -1, ENOTSUP);
		CHECK_ERR(nfct_send(h, query, ct), -1, ENOTSUP);
		CHECK_ERR(nfexp_query(h, query, ct), -1, ENOTSUP);
		CHECK_ERR(nfexp_send(h, query, ct), -1, ENOTSUP);
	}
	CHECK_ERR(nfct_query(h, (enum nf_conntrack_query)-1, ct), -1, ENOTSUP);
	CHECK_ERR(nfct_catch(NULL), -1, EINVAL);
	CHECK_ERR(nfexp_catch(NULL), -1, EINVAL);
	nfct_destroy(ct);
	CHECK_INT(nfct_close(h), 0);
}

static void test_object(void)
{
	enum nf_conntrack_attr array[1] = { ATTR_MARK };
	struct nf_conntrack *ct = nfct_new();
	char data[32] = "";

	CHECK_NOOP(nfct_destroy(NULL));
	CHECK_NULL(nfct_clone(NULL), EINVAL);
	CHECK_ERR(nfct_sizeof(NULL), 0, EINVAL);
	CHECK(nfct_maxsize() > 0);
	for (unsigned int option = 0; option <= 6; option++) {
		CHECK_ERR(nfct_setobjopt(NULL, option), -1, EINVAL);
		CHECK_ERR(nfct_getobjopt(NULL, option), -1, EINVAL);
	}
	for (int i = 0; i <= ATTR_MAX; i++) {
		about("attribute %d", i);
		CHECK_NOOP(nfct_set_attr(NULL, ATTR(i), data));
		CHECK_NOOP(nfct_set_attr(ct, ATTR(i), NULL));
		CHECK_NOOP(nfct_set_attr_l(NULL, ATTR(i), data, 1));
		CHECK_NOOP(nfct_set_attr_l(ct, ATTR(i), NULL, 1));
		CHECK_NOOP(nfct_set_attr_u8(NULL, ATTR(i), 1));
		CHECK_NOOP(nfct_set_attr_u16(NULL, ATTR(i), 1));
		CHECK_NOOP(nfct_set_attr_u32(NULL, ATTR(i), 1));
		CHECK_NOOP(nfct_set_attr_u64(NULL, ATTR(i), 1));
		CHECK_NULL(nfct_get_attr(NULL, ATTR(i)), EINVAL);
		CHECK_ERR(nfct_get_attr_u8(NULL, ATTR(i)), 0, EINVAL);
		CHECK_ERR(nfct_get_attr_u16(NULL, ATTR(i)), 0, EINVAL);
		CHECK_ERR(nfct_get_attr_u32(NULL, ATTR(i)), 0, EINVAL);
		CHECK_ERR(nfct_get_attr_u64(NULL, ATTR(i)), 0, EINVAL);
		CHECK_ERR(nfct_attr_is_set(NULL, ATTR(i)), -1, EINVAL);
		CHECK_ERR(nfct_attr_unset(NULL, ATTR(i)), -1, EINVAL);
		CHECK_NOOP(nfct_copy_attr(NULL, ct, ATTR(i)));
		CHECK_NOOP(nfct_copy_attr(ct, NULL, ATTR(i)));
		CHECK_STR(bits(ct), "");
	}
	about("");
	CHECK_ERR(nfct_attr_is_set_array(NULL, array, 1), -1, EINVAL);
	CHECK_ERR(nfct_attr_is_set_array(ct, NULL, 1), -1, EINVAL);
	CHECK_NOOP(nfct_copy_attr(ct, ct, ATTR(BAD)));
	for (unsigned int flags = 0; flags <= 16; flags++) {
		CHECK_NOOP(nfct_copy(NULL, ct, flags));
		CHECK_NOOP(nfct_copy(ct, NULL, flags));
		CHECK_ERR(nfct_cmp(NULL, ct, flags), 0, EINVAL);
		CHECK_ERR(nfct_cmp(ct, NULL, flags), 0, EINVAL);
	}
	CHECK_ERR(nfct_compare(NULL, ct), 0, EINVAL);
	CHECK_ERR(nfct_compare(ct, NULL), 0, EINVAL);
	nfct_destroy(ct);
}

static void test_groups(void)
{
	struct nf_conntrack *ct = nfct_new();
	char data[32] = "";

	for (int i = 0; i <= ATTR_GRP_MAX; i++) {
		enum nf_conntrack_attr_grp group = (enum nf_conntrack_attr_grp)i;

		about("group %d", i);
		CHECK_NOOP(nfct_set_attr_grp(NULL, group, data));
		CHECK_ERR(nfct_get_attr_grp(NULL, group, data), -1, EINVAL);
		CHECK_ERR(nfct_attr_grp_is_set(NULL, group), -1, EINVAL);
		CHECK_ERR(nfct_attr_grp_unset(NULL, group), -1, EINVAL);
		if (i < ATTR_GRP_ORIG_COUNTERS)
			CHECK_NOOP(nfct_set_attr_grp(ct, group, NULL));
		CHECK_STR(bits(ct), "");
	}
	about("");
	CHECK_NOOP(nfct_set_attr_grp(ct, bad_group, NULL));
	nfct_set_attr_grp(ct, ATTR_GRP_ORIG_IPV4, data);
	CHECK_ERR(nfct_get_attr_grp(ct, ATTR_GRP_ORIG_IPV4, NULL), -1, EINVAL);
	CHECK_ERR(nfct_get_attr_grp(ct, bad_group, NULL), -1, EINVAL);
	CHECK_ERR(nfct_attr_grp_is_set(ct, bad_group), -1, EINVAL);
	CHECK_ERR(nfct_attr_grp_unset(ct, bad_group), -1, EINVAL);
	nfct_destroy(ct);
}

static void test_printing(void)
{
	struct nf_conntrack *ct = flow(1);
	struct nf_expect *exp = nfexp_new();
	char text[1024];
	int size = nfct_snprintf(text, sizeof(text), ct, 0, 0, 0);

	CHECK(size > 20);
	CHECK_ERR(nfct_snprintf(NULL, 0, ct, 0, 0, 0), size, UNTOUCHED); /* only measures */
	CHECK_ERR(nfct_snprintf(text, 0, ct, 0, 0, 0), size, UNTOUCHED);
	CHECK_INT(strlen(text), size); /* and does not write */
	CHECK_ERR(nfct_snprintf(NULL, 9, ct, 0, 0, 0), -1, EINVAL);
	CHECK_ERR(nfct_snprintf(text, 9, NULL, 0, 0, 0), -1, EINVAL);
	CHECK_ERR(nfct_snprintf(text, 9, ct, 0, NFCT_O_MAX, 0), -1, ENOENT);
	CHECK_ERR(nfct_snprintf_labels(NULL, 0, ct, 0, 0, 0, NULL), size, UNTOUCHED);
	CHECK_ERR(nfct_snprintf_labels(NULL, 9, ct, 0, 0, 0, NULL), -1, EINVAL);
	CHECK_ERR(nfct_snprintf_labels(text, 9, NULL, 0, 0, 0, NULL), -1, EINVAL);
	CHECK_ERR(nfct_snprintf_labels(text, 9, ct, 0, BAD, 0, NULL), -1, ENOENT);
	size = nfexp_snprintf(text, sizeof(text), exp, 0, 0, 0);
	CHECK(size > 0);
	CHECK_ERR(nfexp_snprintf(NULL, 0, exp, 0, 0, 0), size, UNTOUCHED);
	CHECK_ERR(nfexp_snprintf(NULL, 9, exp, 0, 0, 0), -1, EINVAL);
	CHECK_ERR(nfexp_snprintf(text, 9, NULL, 0, 0, 0), -1, EINVAL);
	CHECK_ERR(nfexp_snprintf(text, 9, exp, 0, BAD, 0), -1, ENOENT);
	nfexp_destroy(exp);
	nfct_destroy(ct);
}

static void test_labels(void)
{
	struct nfct_bitmask *b = nfct_bitmask_new(31);
	struct nfct_labelmap *map;
	char path[] = "/tmp/labels-XXXXXX";
	int fd = mkstemp(path);

	CHECK_NULL(nfct_bitmask_clone(NULL), EINVAL);
	CHECK_ERR(nfct_bitmask_maxbit(NULL), 0, EINVAL);
	CHECK_NOOP(nfct_bitmask_set_bit(NULL, 0));
	CHECK_ERR(nfct_bitmask_test_bit(NULL, 0), 0, EINVAL);
	CHECK_NOOP(nfct_bitmask_unset_bit(NULL, 0));
	CHECK_NOOP(nfct_bitmask_destroy(NULL));
	CHECK_NOOP(nfct_bitmask_clear(NULL));
	CHECK_ERR(nfct_bitmask_equal(NULL, b), false, EINVAL);
	CHECK_ERR(nfct_bitmask_equal(b, NULL), false, EINVAL);
	CHECK_ERR(nfct_bitmask_equal(NULL, NULL), false, EINVAL);
	CHECK(nfct_bitmask_new(0x10000) == NULL);
	CHECK(nfct_bitmask_new(UINT32_MAX) == NULL);
	nfct_bitmask_destroy(b);

	CHECK(write(fd, "1 one\n", 6) == 6);
	close(fd);
	map = nfct_labelmap_new(path);
	unlink(path);
	CHECK(map != NULL);
	CHECK_STR(nfct_labels_get_path(), "/etc/xtables/connlabel.conf");
	if (access(nfct_labels_get_path(), F_OK) == -1)
		CHECK_NULL(nfct_labelmap_new(NULL), errno); /* NULL: the default path */
	CHECK_NOOP(nfct_labelmap_destroy(NULL));
	CHECK_NULL(nfct_labelmap_get_name(NULL, 0), EINVAL);
	CHECK(nfct_labelmap_get_name(map, BAD) == NULL);
	CHECK_INT(nfct_labelmap_get_bit(NULL, "one"), -1);
	CHECK_INT(nfct_labelmap_get_bit(NULL, NULL), -1);
	CHECK_INT(nfct_labelmap_get_bit(map, NULL), -1);
	CHECK_INT(nfct_labelmap_get_bit(map, "one"), 1);
	nfct_labelmap_destroy(map);
}

static void test_filters(void)
{
	struct nfct_filter *f = nfct_filter_create();
	struct nfct_filter_dump *d = nfct_filter_dump_create();
	uint32_t data[8] = { 0 };

	CHECK_NOOP(nfct_filter_destroy(NULL));
	for (int i = 0; i <= NFCT_FILTER_MAX; i++) {
		enum nfct_filter_attr attr = (enum nfct_filter_attr)i;

		about("filter attribute %d", i);
		CHECK_NOOP(nfct_filter_add_attr(NULL, attr, data));
		CHECK_NOOP(nfct_filter_add_attr(f, attr, NULL));
		CHECK_NOOP(nfct_filter_add_attr_u32(NULL, attr, 1));
		CHECK_ERR(nfct_filter_set_logic(NULL, attr, NFCT_FILTER_LOGIC_NEGATIVE), -1,
			  i < NFCT_FILTER_MAX ? EINVAL : ENOTSUP);
	}
	about("");
	CHECK_NOOP(nfct_filter_add_attr(f, (enum nfct_filter_attr)BAD, data));
	CHECK_NOOP(nfct_filter_add_attr_u32(f, (enum nfct_filter_attr)-1, 1));
	CHECK_NOOP(nfct_filter_add_attr_u32(f, NFCT_FILTER_L4PROTO, UINT32_MAX));
	CHECK_NOOP(nfct_filter_add_attr_u32(f, NFCT_FILTER_L4PROTO_STATE, UINT32_MAX));
	CHECK_NOOP(nfct_filter_set_logic(f, NFCT_FILTER_MARK, (enum nfct_filter_logic)BAD));
	CHECK_ERR(nfct_filter_set_logic(f, (enum nfct_filter_attr)BAD, NFCT_FILTER_LOGIC_POSITIVE),
		  -1, ENOTSUP);
	CHECK_ERR(nfct_filter_attach(0, NULL), -1, EINVAL);
	CHECK_ERR(nfct_filter_attach(-1, f), -1, EBADF);
	CHECK_ERR(nfct_filter_detach(-1), -1, EBADF);
	nfct_filter_destroy(f);

	CHECK_NOOP(nfct_filter_dump_destroy(NULL));
	for (int i = 0; i <= NFCT_FILTER_DUMP_MAX; i++) {
		enum nfct_filter_dump_attr attr = (enum nfct_filter_dump_attr)i;

		CHECK_NOOP(nfct_filter_dump_set_attr(NULL, attr, data));
		CHECK_NOOP(nfct_filter_dump_set_attr(d, attr, NULL));
		CHECK_NOOP(nfct_filter_dump_set_attr_u8(NULL, attr, 1));
		CHECK_NOOP(nfct_filter_dump_set_attr_u16(NULL, attr, 1));
	}
	CHECK_NOOP(nfct_filter_dump_set_attr(d, (enum nfct_filter_dump_attr)BAD, data));
	nfct_filter_dump_destroy(d);
}

static void test_messages(void)
{
	struct nf_conntrack *ct = flow(1);
	struct nfct_filter_dump *d = nfct_filter_dump_create();
	struct message m, other;
	struct nlmsghdr *nlh = message_start(&m, 0x100, AF_INET);
	struct nfnl_subsys_handle *ssh = (struct nfnl_subsys_handle *)&other;
	uint32_t family = 0;

	put_be32(&m, 8, 1);
	CHECK_ERR(nfct_build_conntrack(ssh, NULL, 4096, 0, 0, ct), -1, EINVAL);
	CHECK_ERR(nfct_build_conntrack(ssh, &other, sizeof(other), 0, 0, NULL), -1, EINVAL);
	CHECK_INT(nfct_build_conntrack(ssh, &other, 30, 0, 0, ct), -1); /* does not fit */
	CHECK_ERR(nfct_parse_conntrack(NFCT_T_ALL, NULL, ct), -1, EINVAL);
	CHECK_ERR(nfct_parse_conntrack(NFCT_T_ALL, nlh, NULL), -1, EINVAL);
	CHECK_ERR(nfct_build_query(NULL, NFCT_Q_DUMP, NULL, &other, sizeof(other)), -1, EINVAL);
	CHECK_ERR(nfct_build_query(NULL, NFCT_Q_DUMP, &family, NULL, 4096), -1, EINVAL);
	CHECK_INT(nfct_build_query(NULL, NFCT_Q_DUMP, &family, &other, 8), -1);
	CHECK_ERR(nfct_build_query(NULL, (enum nf_conntrack_query)BAD, ct, &other, sizeof(other)),
		  -1, ENOTSUP);
	CHECK_ERR(nfct_nlmsg_build(NULL, ct), -1, EINVAL);
	CHECK_ERR(nfct_nlmsg_build(nlh, NULL), -1, EINVAL);
	CHECK_ERR(nfct_nlmsg_build_filter(NULL, d), -1, EINVAL);
	CHECK_ERR(nfct_nlmsg_build_filter(nlh, NULL), -1, EINVAL);
	CHECK_ERR(nfct_nlmsg_parse(NULL, ct), -1, EINVAL);
	CHECK_ERR(nfct_nlmsg_parse(nlh, NULL), -1, EINVAL);
	CHECK_ERR(nfct_payload_parse(NULL, 8, AF_INET, ct), -1, EINVAL);
	CHECK_ERR(nfct_payload_parse(nlh + 1, 8, AF_INET, NULL), -1, EINVAL);
	CHECK_ERR(nfct_payload_parse(NULL, 0, AF_INET, ct), 0, UNTOUCHED);
	nfct_filter_dump_destroy(d);
	nfct_destroy(ct);
}

static void test_expectation(void)
{
	struct nf_expect *exp = nfexp_new();
	char data[64] = "";

	CHECK_NOOP(nfexp_destroy(NULL));
	CHECK_NULL(nfexp_clone(NULL), EINVAL);
	CHECK_ERR(nfexp_sizeof(NULL), 0, EINVAL);
	CHECK(nfexp_maxsize() > 0);
	for (int i = 0; i <= ATTR_EXP_MAX; i++) {
		about("attribute %d", i);
		CHECK_NOOP(nfexp_set_attr(NULL, EXP_ATTR(i), data));
		CHECK_NOOP(nfexp_set_attr(exp, EXP_ATTR(i), NULL));
		CHECK_NOOP(nfexp_set_attr_u8(NULL, EXP_ATTR(i), 1));
		CHECK_NOOP(nfexp_set_attr_u16(NULL, EXP_ATTR(i), 1));
		CHECK_NOOP(nfexp_set_attr_u32(NULL, EXP_ATTR(i), 1));
		CHECK_NULL(nfexp_get_attr(NULL, EXP_ATTR(i)), EINVAL);
		CHECK_ERR(nfexp_get_attr_u8(NULL, EXP_ATTR(i)), 0, EINVAL);
		CHECK_ERR(nfexp_get_attr_u16(NULL, EXP_ATTR(i)), 0, EINVAL);
		CHECK_ERR(nfexp_get_attr_u32(NULL, EXP_ATTR(i)), 0, EINVAL);
		CHECK_ERR(nfexp_attr_is_set(NULL, EXP_ATTR(i)), -1, EINVAL);
		CHECK_ERR(nfexp_attr_unset(NULL, EXP_ATTR(i)), -1, EINVAL);
		CHECK_INT(nfexp_attr_is_set(exp, EXP_ATTR(i)), i < ATTR_EXP_MAX ? 0 : -1);
	}
	about("");
	CHECK_ERR(nfexp_cmp(NULL, exp, 0), 0, EINVAL);
	CHECK_ERR(nfexp_cmp(exp, NULL, 0), 0, EINVAL);
	nfexp_destroy(exp);
}

static void test_expectation_messages(void)
{
	struct nf_expect *exp = nfexp_new();
	struct message m;
	struct nlmsghdr *nlh = message_start(&m, 0x200, AF_INET);
	struct nfnl_subsys_handle *ssh = (struct nfnl_subsys_handle *)&m;

	put_be32(&m, 4, 1);
	CHECK_ERR(nfexp_build_expect(ssh, NULL, 4096, 0, 0, exp), -1, EINVAL);
	CHECK_ERR(nfexp_build_expect(ssh, &m, sizeof(m), 0, 0, NULL), -1, EINVAL);
	CHECK_ERR(nfexp_parse_expect(NFCT_T_ALL, NULL, exp), -1, EINVAL);
	CHECK_ERR(nfexp_parse_expect(NFCT_T_ALL, nlh, NULL), -1, EINVAL);
	CHECK_ERR(nfexp_build_query(NULL, NFCT_Q_DUMP, NULL, &m, sizeof(m)), -1, EINVAL);
	CHECK_ERR(nfexp_build_query(NULL, NFCT_Q_DUMP, exp, NULL, 4096), -1, EINVAL);
	CHECK_ERR(nfexp_build_query(NULL, NFCT_Q_UPDATE, exp, &m, sizeof(m)), -1, ENOTSUP);
	CHECK_ERR(nfexp_nlmsg_build(NULL, exp), -1, EINVAL);
	CHECK_ERR(nfexp_nlmsg_build(nlh, NULL), -1, EINVAL);
	CHECK_ERR(nfexp_nlmsg_parse(NULL, exp), -1, EINVAL);
	CHECK_ERR(nfexp_nlmsg_parse(nlh, NULL), -1, EINVAL);
	nfexp_destroy(exp);
}
#else
/* The few cases the reference defines. */
static void test_defined(void)
{
	struct nfct_handle *h = nfct_open(200, 0);
	struct nfct_filter *f = nfct_filter_create();
	struct nf_conntrack *ct = nfct_new();

	CHECK(h != NULL);
	CHECK_INT(nfct_close(h), 0);
	CHECK_NOOP(nfct_bitmask_destroy(NULL));
	CHECK_NULL(nfct_bitmask_new(0x10000), UNTOUCHED);
	CHECK_INT(nfct_labelmap_get_bit(NULL, "one"), -1);
	CHECK_ERR(nfct_payload_parse(NULL, 0, AF_INET, ct), 0, UNTOUCHED);
	CHECK_ERR(nfct_filter_set_logic(NULL, (enum nfct_filter_attr)BAD,
					NFCT_FILTER_LOGIC_POSITIVE), -1, ENOTSUP);
	CHECK_ERR(nfct_filter_attach(-1, f), -1, EBADF);
	CHECK_ERR(nfct_filter_detach(-1), -1, EBADF);
	nfct_filter_destroy(f);
	h = nfct_open(CONNTRACK, 0);
	CHECK_ERR(nfct_query(h, (enum nf_conntrack_query)BAD, ct), -1, ENOTSUP);
	CHECK_INT(nfct_close(h), 0);
	nfct_destroy(ct);
}
#endif

int main(void)
{
	own_namespace();
#ifndef REFERENCE
	test_handle();
	test_queries();
	test_object();
	test_groups();
	test_printing();
	test_labels();
	test_filters();
	test_messages();
	test_expectation();
	test_expectation_messages();
#else
	test_defined();
#endif
	return finish();
}
