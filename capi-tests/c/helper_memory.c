/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Helpers and timeout policies without memory: failing_allocations.h says how. */
#include "kernel.h"
#include <libnetfilter_cthelper/libnetfilter_cthelper.h>
#ifndef REFERENCE
#include <ctrs.h>
#include <libnetfilter_cttimeout/libnetfilter_cttimeout.h>
#endif
#include <linux/netlink.h>

#ifdef REFERENCE
int main(void)
{
	nfct_helper_free(nfct_helper_alloc()); /* the reference uses what it did not get */
	return finish();
}
#else
#include "failing_allocations.h"

static char room[512];
static struct nlmsghdr *two_policies;

static void make_message(void)
{
	struct nfct_helper *h = nfct_helper_alloc();

	two_policies = nfct_helper_nlmsg_build_hdr(room, 0, 0, 1);
	nfct_helper_attr_set_str(h, NFCTH_ATTR_NAME, "new");
	nfct_helper_attr_set_u32(h, NFCTH_ATTR_QUEUE_NUM, 3);
	nfct_helper_attr_set_u16(h, NFCTH_ATTR_PROTO_L3NUM, AF_INET);
	nfct_helper_attr_set(h, NFCTH_ATTR_POLICY1, nfct_helper_policy_alloc());
	nfct_helper_attr_set(h, NFCTH_ATTR_POLICY2, nfct_helper_policy_alloc());
	nfct_helper_attr_set_u32(h, NFCTH_ATTR_STATUS, 1);
	nfct_helper_nlmsg_build_payload(two_policies, h);
	nfct_helper_free(h);
}

static int call_helper_alloc(void)
{
	struct nfct_helper *h = nfct_helper_alloc();
	int result = made(h);

	if (h != NULL)
		nfct_helper_free(h);
	return result;
}

static int call_policy_alloc(void)
{
	struct nfct_helper_policy *p = nfct_helper_policy_alloc();
	int result = made(p);

	nfct_helper_policy_free(p);
	return result;
}

static int call_timeout_alloc(void)
{
	struct nfct_timeout *t = nfct_timeout_alloc();
	int result = made(t);

	if (t != NULL)
		nfct_timeout_free(t);
	return result;
}

/* What the helper had stays where the message could not be read whole. */
static int call_parse(void)
{
	long at = left;
	struct nfct_helper *h;
	const void *policy;
	int result;

	left = -1;
	h = nfct_helper_alloc();
	nfct_helper_attr_set_str(h, NFCTH_ATTR_NAME, "old");
	nfct_helper_attr_set(h, NFCTH_ATTR_POLICY3, nfct_helper_policy_alloc());
	policy = nfct_helper_attr_get(h, NFCTH_ATTR_POLICY3);
	left = at;
	errno = UNTOUCHED;
	result = done(nfct_helper_nlmsg_parse_payload(two_policies, h), 0);
	left = -1;
	if (result == 0 && (strcmp(nfct_helper_attr_get_str(h, NFCTH_ATTR_NAME), "old") != 0 ||
			    nfct_helper_attr_get(h, NFCTH_ATTR_POLICY3) != policy))
		result = -1;
	if (result == 1 && (nfct_helper_attr_get(h, NFCTH_ATTR_POLICY3) != NULL ||
			    nfct_helper_attr_get(h, NFCTH_ATTR_POLICY2) == NULL))
		result = -1;
	nfct_helper_free(h);
	return result;
}

static struct nfct_handle *h;

static int call_set_and_get(void)
{
	struct ctrs_timeout policy = { .given = 1, .timeouts = { 5 }, .l3proto = AF_INET,
				       .l4proto = IPPROTO_UDP, .name = "memory" };
	struct nfct_handle *handle = nfct_open(CONNTRACK, 0);
	int result = made(handle);

	if (handle == NULL)
		return result;
	result = done(ctrs_timeout_set(handle, &policy, sizeof(policy), CTRS_TIMEOUT_REPLACE), 0);
	if (result == 1)
		result = done(ctrs_timeout_get(handle, "memory", &policy, sizeof(policy)), 0);
	nfct_close(handle);
	return result;
}

/* What is asked on a handle of its own, whose parts are made for it: 1 done, 0 failed with ENOMEM. */
static int (*request)(struct nfct_handle *handle);

static int call_request(void)
{
	struct nfct_handle *handle = nfct_open(CONNTRACK, 0);
	int result = made(handle);

	if (handle == NULL)
		return result;
	result = request(handle);
	nfct_close(handle);
	return result;
}

static void try_request(const char *name, int (*ask)(struct nfct_handle *))
{
	request = ask;
	try_call(name, call_request);
	CHECK_INT(call_request(), 1);
}

static int delete_policy(struct nfct_handle *handle)
{
	int result = ctrs_timeout_delete(handle, "none");

	return result == -1 && errno == ENOENT ? 1 : done(result, 0);
}

static int flush_policies(struct nfct_handle *handle)
{
	return done(ctrs_timeout_flush(handle), 0);
}

static int set_and_get_defaults(struct nfct_handle *handle)
{
	struct ctrs_timeout defaults = { .given = 1, .timeouts = { 30 }, .l4proto = IPPROTO_UDP };
	int result = done(ctrs_timeout_set_defaults(handle, &defaults, sizeof(defaults)), 0);

	return result != 1 ? result : done(ctrs_timeout_get_defaults(handle, IPPROTO_UDP, &defaults,
								     sizeof(defaults)), 0);
}

static int call_json(void)
{
	static const char text[] = "{\"name\":\"a\",\"protocol\":\"udp\",\"timeouts\":{\"replied\":5}}";
	struct ctrs_error error = { .size = sizeof(error) };
	struct ctrs_timeout policy;
	int result = done(ctrs_timeout_parse_json(&policy, sizeof(policy), text, sizeof(text) - 1,
						  &error), 0);

	if (result != 1)
		return result;
	result = ctrs_timeout_parse_json(&policy, sizeof(policy), text, 9, &error);
	return result == -1 && errno == EINVAL && error.offset == 9 ? 1 : done(result, 0);
}

/* Most kernels have no helpers in user space, and refuse all of it with EINVAL. */
static int asked(int result, int success)
{
	return result == -1 && errno == EINVAL ? 1 : done(result, success);
}

static struct nfct_helper *helper;

static int set_helper(struct nfct_handle *handle)
{
	return asked(ctrs_helper_set(handle, helper, 0), 0);
}

/* The helper stays as it was where it could not be read. */
static int get_helper(struct nfct_handle *handle)
{
	int result = asked(ctrs_helper_get(handle, helper), 0);

	return strcmp(nfct_helper_attr_get_str(helper, NFCTH_ATTR_NAME), "new") != 0 ||
	       nfct_helper_attr_get(helper, NFCTH_ATTR_POLICY2) == NULL ? -1 : result;
}

static int delete_and_flush_helpers(struct nfct_handle *handle)
{
	int result = asked(ctrs_helper_delete(handle, helper), 0);

	return result != 1 ? result : asked(ctrs_helper_flush(handle), 0);
}

static int list_helpers(struct nfct_handle *handle)
{
	struct ctrs_helper_dump *dump = ctrs_helper_dump_begin(handle);
	int result = made(dump);

	if (dump == NULL)
		return result;
	result = asked(ctrs_helper_dump_next(dump, helper), 0);
	if (result != -1 && ctrs_helper_dump_last_error(dump) == NULL)
		result = -1;
	ctrs_helper_dump_end(dump);
	return result;
}

static void test_helpers(void)
{
	helper = nfct_helper_alloc();
	CHECK_INT(nfct_helper_nlmsg_parse_payload(two_policies, helper), 0);
	try_request("ctrs_helper_set", set_helper);
	try_request("ctrs_helper_get", get_helper);
	try_request("ctrs_helper_delete", delete_and_flush_helpers);
	try_request("ctrs_helper_dump_next", list_helpers);
	nfct_helper_free(helper);
}

static int call_list(void)
{
	struct ctrs_timeout_dump *dump = ctrs_timeout_dump_begin(h);
	struct ctrs_timeout policy;
	int result = made(dump);

	if (dump == NULL)
		return result;
	result = done((int)ctrs_timeout_dump_read(dump, &policy, 1, sizeof(policy)), 1);
	ctrs_timeout_dump_end(dump);
	return result;
}

int main(void)
{
	begin();
	make_message();
	try_call("nfct_helper_alloc", call_helper_alloc);
	try_call("nfct_helper_policy_alloc", call_policy_alloc);
	try_call("nfct_timeout_alloc", call_timeout_alloc);
	try_call("nfct_helper_nlmsg_parse_payload", call_parse);
	h = nfct_open(CONNTRACK, 0);
	CHECK_INT(call_set_and_get(), 1);
	CHECK_INT(call_list(), 1); /* what a handle keeps is there from then on */
	try_call("ctrs_timeout_set", call_set_and_get);
	try_call("ctrs_timeout_dump_begin", call_list);
	try_call("ctrs_timeout_parse_json", call_json);
	CHECK_INT(call_json(), 1);
	try_request("ctrs_timeout_delete", delete_policy);
	try_request("ctrs_timeout_set_defaults", set_and_get_defaults);
	try_request("ctrs_timeout_flush", flush_policies);
	test_helpers();
	nfct_close(h);
	return finish();
}
#endif
