/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Timeout policies and helpers through ctrs.h, against the running kernel. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	skip("the reference has no ctrs.h");
	return finish();
}
#else
#include <ctrs.h>
#include <libnetfilter_cthelper/libnetfilter_cthelper.h>
#include <libnetfilter_cttimeout/libnetfilter_cttimeout.h>

#define SIZE sizeof(struct ctrs_timeout)

static struct nfct_handle *h;

static struct ctrs_timeout udp(const char *name, uint32_t unreplied)
{
	struct ctrs_timeout policy;

	memset(&policy, 0, sizeof(policy));
	policy.l3proto = AF_INET;
	policy.l4proto = IPPROTO_UDP;
	policy.given = 1 << NFCT_TIMEOUT_ATTR_UDP_UNREPLIED;
	policy.timeouts[NFCT_TIMEOUT_ATTR_UDP_UNREPLIED] = unreplied;
	strcpy(policy.name, name);
	return policy;
}

static int says(const char *words)
{
	const struct ctrs_error *error = ctrs_last_error(h);

	if (strstr(error->text, words) != NULL)
		return 1;
	printf("    says \"%s\"\n", error->text);
	return 0;
}

static void test_policies(void)
{
	struct ctrs_timeout policy = udp("one", 11), told;

	CHECK_ERR(ctrs_timeout_set(h, &policy, SIZE, 0), 0, UNTOUCHED);
	CHECK_ERR(ctrs_timeout_set(h, &policy, SIZE, 0), -1, EEXIST);
	CHECK(says("a policy of this name already"));
	CHECK_INT(ctrs_last_error(h)->kind, CTRS_ERROR_EXISTS);
	CHECK_INT(ctrs_last_error(h)->attribute, NFCT_TIMEOUT_ATTR_NAME);
	policy.timeouts[0] = 12;
	CHECK_ERR(ctrs_timeout_set(h, &policy, SIZE, CTRS_TIMEOUT_REPLACE), 0, UNTOUCHED);
	memset(&told, 0x5a, sizeof(told));
	CHECK_ERR(ctrs_timeout_get(h, "one", &told, SIZE), 0, UNTOUCHED);
	CHECK_STR(told.name, "one");
	CHECK_INT(told.given, 3);
	CHECK_INT(told.timeouts[0], 12);
	CHECK_INT(told.timeouts[1], 120);
	CHECK_INT(told.rules, 0);
	CHECK_INT(told.l4proto, IPPROTO_UDP);
	policy.l3proto = AF_INET6;
	CHECK_ERR(ctrs_timeout_set(h, &policy, SIZE, CTRS_TIMEOUT_REPLACE), -1, EINVAL);
	CHECK(says("another family or protocol"));
	CHECK_ERR(ctrs_timeout_get(h, "two", &told, SIZE), -1, ENOENT);
	CHECK(says("no policy of this name"));
	CHECK_ERR(ctrs_timeout_delete(h, "two"), -1, ENOENT);
	CHECK_ERR(ctrs_timeout_delete(h, "one"), 0, UNTOUCHED);
	CHECK_ERR(ctrs_timeout_get(h, "one", &told, SIZE), -1, ENOENT);
}

static void test_refusals(void)
{
	struct ctrs_timeout policy = udp("bad", 1), told;

	policy.timeouts[0] = 0xffffffff; /* the kernel would make 17,179,868 of it, at 250 ticks */
	CHECK_ERR(ctrs_timeout_set(h, &policy, SIZE, 0), -1, EINVAL);
	CHECK(says("at most"));
	policy = udp("", 1);
	CHECK_ERR(ctrs_timeout_set(h, &policy, SIZE, 0), -1, EINVAL);
	policy = udp("bad", 1);
	policy.given = 4; /* UDP has two */
	CHECK_ERR(ctrs_timeout_set(h, &policy, SIZE, 0), -1, EINVAL);
	policy = udp("bad", 1);
	policy.l3proto = 0;
	CHECK_ERR(ctrs_timeout_set(h, &policy, SIZE, 0), -1, EINVAL);
	policy = udp("bad", 1);
	policy.l4proto = IPPROTO_ESP;
	CHECK_ERR(ctrs_timeout_set(h, &policy, SIZE, 0), -1, EINVAL);
	CHECK(says("generic"));
	policy = udp("bad", 1);
	CHECK_ERR(ctrs_timeout_set(h, &policy, SIZE, 2), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_set(h, &policy, SIZE - 4, 0), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_set(h, NULL, SIZE, 0), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_set(NULL, &policy, SIZE, 0), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_get(NULL, "bad", &told, SIZE), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_get(h, NULL, &told, SIZE), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_get(h, "bad", NULL, SIZE), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_get(h, "", &told, SIZE), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_get(h, "12345678901234567890123456789012", &told, SIZE), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_delete(NULL, "bad"), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_delete(h, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_flush(NULL), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_get_defaults(NULL, 6, &told, SIZE), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_get_defaults(h, IPPROTO_ESP, &told, SIZE), -1, EOPNOTSUPP);
	CHECK(says("keeps no timeouts of the protocol"));
	CHECK_ERR(ctrs_timeout_set_defaults(NULL, &policy, SIZE), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_set_defaults(h, NULL, SIZE), -1, EINVAL);
}

static void test_defaults(void)
{
	struct ctrs_timeout defaults, changed;

	CHECK_ERR(ctrs_timeout_get_defaults(h, IPPROTO_SCTP, &defaults, SIZE), 0, UNTOUCHED);
	CHECK_INT(defaults.given, 0x1ff);
	CHECK_INT(defaults.timeouts[CTRS_TIMEOUT_SCTP_HEARTBEAT_SENT], 30);
	changed = defaults;
	changed.given = 1 << CTRS_TIMEOUT_SCTP_HEARTBEAT_SENT;
	changed.timeouts[CTRS_TIMEOUT_SCTP_HEARTBEAT_SENT] = 31;
	CHECK_ERR(ctrs_timeout_set_defaults(h, &changed, SIZE), 0, UNTOUCHED);
	CHECK_ERR(ctrs_timeout_get_defaults(h, IPPROTO_SCTP, &changed, SIZE), 0, UNTOUCHED);
	CHECK_INT(changed.timeouts[CTRS_TIMEOUT_SCTP_HEARTBEAT_SENT], 31);
	CHECK_INT(changed.timeouts[0], defaults.timeouts[0]);
	/* A smaller structure of an older program: what does not lie in it is not given. */
	memset(&changed, 0x5a, sizeof(changed));
	CHECK_ERR(ctrs_timeout_get_defaults(h, IPPROTO_SCTP, &changed, 16), 0, UNTOUCHED);
	CHECK_INT(changed.given, 3);
	CHECK_INT(changed.timeouts[2], 0x5a5a5a5a);
}

static void test_list(void)
{
	struct ctrs_timeout policies[4], policy;
	struct ctrs_timeout_dump *dump;
	char name[32];

	for (int i = 0; i < 10; i++) {
		sprintf(name, "policy %d", i);
		policy = udp(name, (uint32_t)i);
		CHECK_INT(ctrs_timeout_set(h, &policy, SIZE, 0), 0);
	}
	dump = ctrs_timeout_dump_begin(h);
	CHECK(dump != NULL);
	CHECK_ERR(ctrs_timeout_dump_read(dump, NULL, 4, SIZE), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_dump_read(dump, policies, 0, SIZE), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_dump_read(dump, policies, 4, 3), -1, EINVAL);
	CHECK(ctrs_timeout_dump_last_error(dump)->err == EINVAL);
	CHECK_ERR(ctrs_timeout_dump_read(dump, policies, 4, SIZE), 4, UNTOUCHED);
	CHECK(ctrs_timeout_dump_last_error(dump)->err == 0);
	CHECK_STR(policies[3].name, "policy 3");
	CHECK_INT(policies[3].timeouts[0], 3);
	CHECK_INT(ctrs_timeout_dump_read(dump, policies, 4, SIZE), 4);
	CHECK_INT(ctrs_timeout_dump_read(dump, policies, 4, SIZE), 2);
	CHECK_STR(policies[1].name, "policy 9");
	CHECK_INT(ctrs_timeout_dump_read(dump, policies, 4, SIZE), 0);
	CHECK_INT(ctrs_timeout_dump_end(dump), CTRS_CONSISTENT);
	dump = ctrs_timeout_dump_begin(h);
	CHECK_INT(ctrs_timeout_dump_read(dump, policies, 1, SIZE), 1);
	CHECK_INT(ctrs_timeout_flush(h), 0); /* another socket */
	CHECK_INT(ctrs_timeout_dump_end(dump), CTRS_CONSISTENT);
	CHECK_NULL(ctrs_timeout_dump_begin(NULL), EINVAL);
	CHECK_ERR(ctrs_timeout_dump_read(NULL, policies, 4, SIZE), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_dump_end(NULL), -1, EINVAL);
	CHECK_NULL(ctrs_timeout_dump_last_error(NULL), EINVAL);
}

static void test_values(void)
{
	struct ctrs_timeout policy = udp("json", 7), read;
	struct nfct_timeout *t = nfct_timeout_alloc();
	struct ctrs_error error = {.size = sizeof(error)};
	char text[512];

	CHECK_STR(ctrs_timeout_state_name(IPPROTO_SCTP, 8), "HEARTBEAT_ACKED");
	CHECK_NULL(ctrs_timeout_state_name(IPPROTO_SCTP, 9), EINVAL);
	CHECK_NULL(ctrs_timeout_state_name(IPPROTO_ESP, 0), EINVAL);
	CHECK_ERR(ctrs_timeout_state_by_name(IPPROTO_TCP, "Established"), 2, UNTOUCHED);
	CHECK_ERR(ctrs_timeout_state_by_name(IPPROTO_TCP, "replied"), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_state_by_name(IPPROTO_TCP, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_snprintf_json(text, sizeof(text), &policy, SIZE), 75, UNTOUCHED);
	CHECK_STR(text, "{\"name\":\"json\",\"family\":\"ipv4\",\"protocol\":\"udp\","
			"\"timeouts\":{\"unreplied\":7}}");
	CHECK_INT(ctrs_timeout_snprintf_json(NULL, 0, &policy, SIZE), strlen(text));
	CHECK_ERR(ctrs_timeout_snprintf_json(NULL, 1, &policy, SIZE), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_snprintf_json(text, 9, NULL, SIZE), -1, EINVAL);
	CHECK_INT(ctrs_timeout_parse_json(&read, SIZE, text, strlen(text), &error), 0);
	CHECK_MEM(&read, &policy, SIZE);
	CHECK_ERR(ctrs_timeout_parse_json(&read, SIZE, text, 12, &error), -1, EINVAL);
	CHECK_INT(error.offset, 12);
	CHECK_ERR(ctrs_timeout_parse_json(NULL, SIZE, text, 1, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_parse_json(&read, SIZE, NULL, 1, NULL), -1, EINVAL);
	CHECK_INT(ctrs_timeout_to(t, &policy, SIZE), 0);
	CHECK_INT(nfct_timeout_snprintf(text, sizeof(text), t, NFCT_TIMEOUT_O_DEFAULT, 0), 94);
	CHECK_INT(strlen(text), 94);
	CHECK_INT(ctrs_timeout_from(&read, SIZE, t), 0);
	CHECK_MEM(&read, &policy, SIZE);
	CHECK_ERR(ctrs_timeout_to(NULL, &policy, SIZE), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_to(t, NULL, SIZE), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_from(NULL, SIZE, t), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_from(&read, SIZE, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_timeout_from(&read, 4, t), -1, EINVAL);
	nfct_timeout_free(t);
}

/* Most kernels have no helpers in user space, and say EINVAL to everything: which option is missing
 * is what the error says. */
static void test_helpers(void)
{
	struct nfct_helper *helper = nfct_helper_alloc(), *told = nfct_helper_alloc();
	struct nfct_helper_policy *policy = nfct_helper_policy_alloc();
	struct ctrs_helper_dump *dump;

	CHECK_ERR(ctrs_helper_set(h, helper, 0), -1, EINVAL); /* no name */
	CHECK(says("without a name"));
	nfct_helper_attr_set_str(helper, NFCTH_ATTR_NAME, "ctrs-test");
	nfct_helper_attr_set_u16(helper, NFCTH_ATTR_PROTO_L3NUM, AF_INET);
	nfct_helper_attr_set_u8(helper, NFCTH_ATTR_PROTO_L4NUM, IPPROTO_TCP);
	nfct_helper_attr_set_u32(helper, NFCTH_ATTR_QUEUE_NUM, 5);
	nfct_helper_policy_attr_set_str(policy, NFCTH_ATTR_POLICY_NAME, "class");
	nfct_helper_policy_attr_set_u32(policy, NFCTH_ATTR_POLICY_TIMEOUT, 300);
	nfct_helper_policy_attr_set_u32(policy, NFCTH_ATTR_POLICY_MAX, 2);
	CHECK_STR(ctrs_helper_policy_name(policy), "class");
	CHECK_INT(ctrs_helper_policy_timeout(policy), 300);
	CHECK_INT(ctrs_helper_policy_max(policy), 2);
	nfct_helper_attr_set(helper, NFCTH_ATTR_POLICY1, policy);
	errno = 0;
	if (ctrs_helper_set(h, helper, 0) == 0) {
		printf("this kernel has helpers in user space\n");
		CHECK_INT(ctrs_helper_delete(h, helper), 0);
	} else {
		CHECK(errno == EINVAL && says("CONFIG_NF_CT_NETLINK_HELPER"));
		CHECK_ERR(ctrs_helper_get(h, helper), -1, EINVAL);
		CHECK(says("cannot get the helper"));
		CHECK_ERR(ctrs_helper_delete(h, helper), -1, EINVAL);
		CHECK_ERR(ctrs_helper_flush(h), -1, EINVAL);
		dump = ctrs_helper_dump_begin(h);
		CHECK_ERR(ctrs_helper_dump_next(dump, told), -1, EINVAL);
		CHECK_ERR(ctrs_helper_dump_next(dump, told), -1, EINVAL);
		CHECK(strstr(ctrs_helper_dump_last_error(dump)->text, "NETLINK_HELPER") != NULL);
		CHECK_ERR(ctrs_helper_dump_end(dump), -1, EINVAL);
	}
	CHECK_ERR(ctrs_helper_set(h, helper, 2), -1, EINVAL);
	CHECK_ERR(ctrs_helper_set(NULL, helper, 0), -1, EINVAL);
	CHECK_ERR(ctrs_helper_set(h, NULL, 0), -1, EINVAL);
	CHECK_ERR(ctrs_helper_get(NULL, helper), -1, EINVAL);
	CHECK_ERR(ctrs_helper_get(h, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_helper_delete(NULL, helper), -1, EINVAL);
	CHECK_ERR(ctrs_helper_delete(h, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_helper_flush(NULL), -1, EINVAL);
	CHECK_NULL(ctrs_helper_dump_begin(NULL), EINVAL);
	CHECK_ERR(ctrs_helper_dump_next(NULL, told), -1, EINVAL);
	CHECK_ERR(ctrs_helper_dump_end(NULL), -1, EINVAL);
	CHECK_NULL(ctrs_helper_dump_last_error(NULL), EINVAL);
	CHECK_NULL(ctrs_helper_policy_name(NULL), EINVAL);
	CHECK_ERR(ctrs_helper_policy_timeout(NULL), 0, EINVAL);
	CHECK_ERR(ctrs_helper_policy_max(NULL), 0, EINVAL);
	nfct_helper_free(helper);
	nfct_helper_free(told);
}

int main(void)
{
	own_namespace();
	h = nfct_open(CONNTRACK, 0);
	test_policies();
	test_refusals();
	test_defaults();
	test_list();
	test_values();
	test_helpers();
	nfct_close(h);
	return finish();
}
#endif
