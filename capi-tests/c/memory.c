/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The functions of libnetfilter_conntrack without memory: failing_allocations.h says how. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	/* The reference loses values, and the step of its handles, when memory runs out. */
	nfct_destroy(nfct_new());
	return finish();
}
#else
#include "full_entry.h"

/* Whether an object has all that `full` has; or, after a failure, nothing with a bit and no value. */
static int complete(const struct nf_conntrack *ct)
{
	const char *secctx = nfct_get_attr(ct, ATTR_SECCTX);

	return secctx != NULL && strcmp(secctx, "system_u:x") == 0 &&
	       nfct_get_attr(ct, ATTR_HELPER_INFO) != NULL &&
	       nfct_get_attr(ct, ATTR_CONNLABELS) != NULL &&
	       nfct_bitmask_test_bit(nfct_get_attr(ct, ATTR_CONNLABELS), 32) == 1 &&
	       nfct_get_attr_u32(ct, ATTR_MARK) == 77;
}

static int call_new(void)
{
	struct nf_conntrack *ct = nfct_new();
	int result = made(ct);

	if (ct != NULL)
		nfct_destroy(ct);
	return result;
}

static int call_clone(void)
{
	struct nf_conntrack *ct = nfct_clone(full);
	int result = made(ct);

	if (ct != NULL) {
		result = complete(ct) ? 1 : -1;
		nfct_destroy(ct);
	}
	return result;
}

static unsigned int copy_flags;

static int call_copy(void)
{
	long at = left;
	struct nf_conntrack *ct;
	int result;

	left = -1;
	ct = nfct_new();
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 5);
	nfct_set_attr_l(ct, ATTR_HELPER_INFO, "before", 6);
	left = at;
	errno = UNTOUCHED;
	nfct_copy(ct, full, copy_flags);
	left = -1;
	if (refused == 0)
		result = complete(ct) ? 1 : -1;
	else /* as it was before */
		result = strcmp(bits(ct), "24 65") == 0 && errno == ENOMEM &&
			 memcmp(nfct_get_attr(ct, ATTR_HELPER_INFO), "before", 6) == 0 ? 0 : -1;
	nfct_destroy(ct);
	return result;
}

static int call_set_helper_info(void)
{
	long at = left;
	struct nf_conntrack *ct;
	int result;

	left = -1;
	ct = nfct_new();
	nfct_set_attr_l(ct, ATTR_HELPER_INFO, "before", 6);
	left = at;
	errno = UNTOUCHED;
	nfct_set_attr_l(ct, ATTR_HELPER_INFO, "after..", 7);
	left = -1;
	if (refused == 0)
		result = memcmp(nfct_get_attr(ct, ATTR_HELPER_INFO), "after..", 7) == 0 ? 1 : -1;
	else
		result = errno == ENOMEM &&
			 memcmp(nfct_get_attr(ct, ATTR_HELPER_INFO), "before", 6) == 0 ? 0 : -1;
	nfct_destroy(ct);
	return result;
}

static int call_parse(void)
{
	long at = left;
	struct nf_conntrack *ct;
	int result;

	left = -1;
	ct = nfct_new();
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 5);
	left = at;
	errno = UNTOUCHED;
	result = done(nfct_nlmsg_parse(&rich.u.header, ct), 0);
	left = -1;
	if (result == 1 && !complete(ct))
		result = -1;
	if (result == 0 && strcmp(bits(ct), "24") != 0)
		result = -1;
	nfct_destroy(ct);
	return result;
}

static int call_bitmask(void)
{
	struct nfct_bitmask *b = nfct_bitmask_new(1023), *clone = NULL;
	int result = made(b);

	if (b != NULL) {
		clone = nfct_bitmask_clone(b);
		result = made(clone);
		nfct_bitmask_destroy(b);
		nfct_bitmask_destroy(clone);
	}
	return result;
}

static int call_labelmap(void)
{
	struct nfct_labelmap *map = nfct_labelmap_new(label_path);
	int result = made(map);

	if (map != NULL) {
		if (nfct_labelmap_get_bit(map, "label 1023") != 1023 ||
		    strcmp(nfct_labelmap_get_name(map, 7), "label 7") != 0)
			result = -1;
		nfct_labelmap_destroy(map);
	}
	return result;
}

static int call_expect(void)
{
	struct nf_expect *exp = nfexp_new(), *clone = NULL;
	int result = made(exp);

	if (exp != NULL) {
		nfexp_set_attr(exp, ATTR_EXP_MASTER, full);
		clone = nfexp_clone(exp);
		result = made(clone);
		nfexp_destroy(exp);
	}
	if (clone != NULL)
		nfexp_destroy(clone);
	return result;
}

static int call_filter(void)
{
	struct nfct_filter *f = nfct_filter_create();
	struct nfct_filter_ipv4 address = { 0x0a000001, 0xffffffff };
	int result = made(f), fd, lost;

	if (f == NULL)
		return result;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (int i = 0; i < 100; i++)
		nfct_filter_add_attr(f, NFCT_FILTER_SRC_IPV4, &address);
	lost = refused;
	result = done(nfct_filter_attach(fd, f), 0);
	if (lost && result == 1) /* a filter that lacks an address */
		result = -1;
	close(fd);
	nfct_filter_destroy(f);
	return result;
}

static int call_dump_filter(void)
{
	struct nfct_filter_dump *f = nfct_filter_dump_create();
	struct message m;
	int result = made(f);

	if (f == NULL)
		return result;
	nfct_filter_dump_set_attr(f, NFCT_FILTER_DUMP_TUPLE, full);
	result = refused ? 0 : done(nfct_build_query(NULL, NFCT_Q_DUMP_FILTER, f, &m, 4096), 1);
	nfct_filter_dump_destroy(f);
	return result;
}

static int call_build(void)
{
	struct message m;

	return done(nfct_build_query(NULL, NFCT_Q_UPDATE, full, &m, 4096), 1);
}

static int call_print(void)
{
	char text[1024];

	return nfct_snprintf(text, sizeof(text), full, 0, NFCT_O_XML, 0) > 0 ? 1 : -1;
}

static int call_open(void)
{
	struct nfct_handle *h = nfct_open(0, 0);
	int result = made(h);

	if (h != NULL) {
		result = done(nfct_callback_register(h, NFCT_T_ALL, callback, NULL), 0);
		if (result == 1)
			result = done(nfexp_callback_register(h, NFCT_T_ALL, NULL, NULL), 0);
		nfct_close(h);
	}
	return result;
}

/* A dump whose memory runs out ends with ENOMEM; the next one on that handle is whole. */
static int call_dump(void)
{
	long at = left;
	struct seen seen;
	struct nfct_handle *h;
	int result;

	left = -1;
	h = open_seeing(&seen, 0);
	left = at;
	errno = UNTOUCHED;
	result = done(dump(h), 0);
	left = -1;
	if (result == 1 && seen.calls != 200)
		result = -1;
	seen.calls = 0;
	CHECK_ERR(query_flow(h, NFCT_Q_GET, flow(5000)), -1, ENOENT);
	CHECK_INT(dump(h), 0);
	CHECK_INT(seen.calls, 200);
	CHECK_INT(nfct_close(h), 0);
	return result;
}

int main(void)
{
	struct nfct_handle *h;

	begin_full();
	try_call("new", call_new);
	try_call("clone", call_clone);
	for (copy_flags = 0; copy_flags <= 8; copy_flags += 8)
		try_call("copy", call_copy);
	try_call("set helper info", call_set_helper_info);
	try_call("parse", call_parse);
	try_call("bitmask", call_bitmask);
	try_call("labelmap", call_labelmap);
	try_call("expectation", call_expect);
	try_call("event filter", call_filter);
	try_call("dump filter", call_dump_filter);
	try_call("build", call_build);
	try_call("print", call_print);
	try_call("open", call_open);
	h = nfct_open(CONNTRACK, 0);
	create_flows(h, 0, 200);
	CHECK_INT(nfct_close(h), 0);
	try_call("dump", call_dump);
	return end_full();
}
#endif
