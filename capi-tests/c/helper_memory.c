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
	nfct_close(h);
	return finish();
}
#endif
