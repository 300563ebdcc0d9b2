/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One flow by ctrs.h on a real kernel: named by either tuple, returned by the kernel or by a get,
 * marks under masks, labels by name, deletes guarded by id; and what is refused, with words. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include <ctrs.h>

#define EVENTS "/proc/sys/net/netfilter/nf_conntrack_events"
#define ACCT "/proc/sys/net/netfilter/nf_conntrack_acct"

static const char *said(const struct nfct_handle *h)
{
	return ctrs_last_error(h)->text;
}

static struct nf_conntrack *by_reply(unsigned int n)
{
	struct nf_conntrack *ct = new_flow(n), *key = nfct_new();

	nfct_set_attr_u8(key, ATTR_REPL_L3PROTO, AF_INET);
	nfct_set_attr_u8(key, ATTR_REPL_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u32(key, ATTR_REPL_IPV4_SRC, nfct_get_attr_u32(ct, ATTR_REPL_IPV4_SRC));
	nfct_set_attr_u32(key, ATTR_REPL_IPV4_DST, nfct_get_attr_u32(ct, ATTR_REPL_IPV4_DST));
	nfct_set_attr_u16(key, ATTR_REPL_PORT_SRC, nfct_get_attr_u16(ct, ATTR_REPL_PORT_SRC));
	nfct_set_attr_u16(key, ATTR_REPL_PORT_DST, nfct_get_attr_u16(ct, ATTR_REPL_PORT_DST));
	nfct_destroy(ct);
	return key;
}

/* Whether so many seconds are left of its time, but for those that the machine let pass meanwhile. */
static int has_left(const struct nf_conntrack *ct, uint32_t seconds)
{
	return seconds - nfct_get_attr_u32(ct, ATTR_TIMEOUT) <= 15;
}

/* Both directions, through all that can be done; `told` is 0 where the kernel returns the flow. */
static void test_life(int dir, const char *events, int told)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = marked(new_flow(0), 0x105), *result = nfct_new();
	struct nf_conntrack *key = dir == CTRS_REPLY ? by_reply(0) : flow(0);
	uint32_t id, other;

	about("direction %d, events %s", dir, events);
	CHECK_INT(write_file(EVENTS, events), 0);
	CHECK_INT(ctrs_create(h, ct, result), told);
	CHECK_INT(nfct_get_attr_u32(result, ATTR_MARK), 0x105);
	CHECK_INT(nfct_attr_is_set(result, ATTR_ID), 1);
	id = nfct_get_attr_u32(result, ATTR_ID);
	CHECK_INT(ctrs_get(h, key, dir, result), 0);
	CHECK_INT(nfct_get_attr_u32(result, ATTR_ID), id);
	CHECK_INT(ctrs_get(h, key, dir, NULL), 0);

	/* Bits outside the mask stay, those of the mark that are outside it do nothing. */
	CHECK_INT(ctrs_mark(h, key, dir, 0x342, 0xff, result), told);
	CHECK_INT(nfct_get_attr_u32(result, ATTR_MARK), 0x142);
	CHECK_INT(ctrs_mark(h, key, dir, 0x300, 0x300, NULL), 0);
	CHECK_INT(flows_with("mark=834 "), 1);

	/* An update by the tuple of the direction, its state and status beside what there is. */
	nfct_set_attr_u32(key, ATTR_TIMEOUT, 77);
	nfct_set_attr_u8(key, ATTR_TCP_STATE, TCP_CONNTRACK_CLOSE_WAIT);
	nfct_set_attr_u32(key, ATTR_STATUS, IPS_ASSURED);
	CHECK_INT(ctrs_update(h, key, dir, result), told);
	CHECK(has_left(result, 77));
	CHECK_INT(nfct_get_attr_u8(result, ATTR_TCP_STATE), TCP_CONNTRACK_CLOSE_WAIT);
	CHECK_INT(nfct_get_attr_u32(result, ATTR_STATUS) & (IPS_ASSURED | IPS_CONFIRMED),
		  IPS_ASSURED | IPS_CONFIRMED);
	nfct_set_attr_u32(key, ATTR_STATUS, IPS_SEEN_REPLY);
	CHECK_INT(ctrs_update(h, key, dir, NULL), 0);
	CHECK_INT(flows_with("CLOSE_WAIT"), 1);
	CHECK_INT(flows_with("[ASSURED]"), 1);
	CHECK_INT(flows_with("[UNREPLIED]"), 0);

	/* Another flow's id. */
	other = ~id;
	CHECK_ERR(ctrs_delete(h, key, dir, &other, result), -1, ENOENT);
	CHECK(has_left(result, 77)); /* as it was */
	CHECK(strstr(said(h), "cannot delete the flow: no such flow") == said(h));
	CHECK_INT(flows_with(""), 1);
	CHECK_INT(ctrs_delete(h, key, dir, &id, result), told);
	CHECK_INT(nfct_get_attr_u32(result, ATTR_MARK), 0x342);
	CHECK_INT(nfct_get_attr_u32(result, ATTR_ID), id);
	CHECK_INT(nfct_attr_is_set(result, ATTR_ORIG_COUNTER_PACKETS), 1);
	CHECK_INT(flows_with(""), 0);
	CHECK_ERR(ctrs_delete(h, key, dir, NULL, NULL), -1, ENOENT);
	CHECK_INT(nfct_get_attr_u32(result, ATTR_ID), id);

	about("");
	nfct_destroy(ct);
	nfct_destroy(key);
	nfct_destroy(result);
	CHECK_INT(nfct_close(h), 0);
}

/* What was created, changed or deleted is returned into the object that asked. */
static void test_in_place(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = new_flow(0);

	CHECK(ctrs_create(h, ct, ct) >= 0);
	CHECK_INT(nfct_attr_is_set(ct, ATTR_ID), 1);
	CHECK_INT(ctrs_get(h, ct, CTRS_ORIGINAL, ct), 0);
	CHECK(ctrs_mark(h, ct, CTRS_REPLY, 5, ~0u, ct) >= 0);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), 5);
	CHECK(ctrs_delete(h, ct, CTRS_ORIGINAL, NULL, ct) >= 0);
	CHECK_ERR(ctrs_get(h, ct, CTRS_ORIGINAL, ct), -1, ENOENT);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), 5);
	nfct_destroy(ct);
	CHECK_INT(nfct_close(h), 0);
}

/* The events of who listens are all there, in order, whatever is asked through the same handle. */
static void test_beside_events(void)
{
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, NFCT_ALL_CT_GROUPS);
	struct nf_conntrack *ct = new_flow(0), *result = nfct_new();

	CHECK_INT(ctrs_create(h, ct, result), 0); /* events are told, so the kernel returns it */
	CHECK_INT(ctrs_mark(h, ct, CTRS_ORIGINAL, 9, ~0u, result), 0);
	CHECK_INT(ctrs_get(h, ct, CTRS_ORIGINAL, result), 0);
	CHECK_INT(ctrs_delete(h, ct, CTRS_ORIGINAL, NULL, result), 0);
	CHECK_INT(seen.calls, 0);
	for (int i = 0; i < 3; i++) {
		static const int types[] = { NFCT_T_NEW, NFCT_T_UPDATE, NFCT_T_DESTROY };

		seen.types = 0;
		seen.answer = NFCT_CB_STOP;
		CHECK_INT(nfct_catch(h), 0);
		CHECK_INT(seen.types, types[i]);
	}
	CHECK_INT(fcntl(nfct_fd(h), F_SETFL, O_NONBLOCK), 0);
	CHECK_ERR(nfct_catch(h), -1, EAGAIN);
	nfct_destroy(ct);
	nfct_destroy(result);
	CHECK_INT(nfct_close(h), 0);
}

/* A wake before a change that is to be returned ends it, once, and nothing is changed. */
static void test_wake(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = marked(new_flow(0), 3);

	CHECK_INT(ctrs_create(h, ct, NULL), 0);
	CHECK_INT(ctrs_wake(h), 0);
	CHECK_ERR(ctrs_mark(h, ct, CTRS_ORIGINAL, 5, ~0u, ct), -1, ECANCELED);
	CHECK_INT(ctrs_last_error(h)->kind, CTRS_ERROR_WOKEN);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_MARK), 3);
	CHECK_INT(flows_with("mark=3 "), 1);
	CHECK(ctrs_mark(h, ct, CTRS_ORIGINAL, 5, ~0u, ct) >= 0);
	CHECK_INT(flows_with("mark=5 "), 1);
	CHECK_INT(flush(h), 0);
	nfct_destroy(ct);
	CHECK_INT(nfct_close(h), 0);
}

static void test_refused(void)
{
	/* The kernel would refuse the first and the third, and ignore the others. */
	static const struct { uint32_t status; int error; } rows[] = {
		{ IPS_EXPECTED, EINVAL }, { IPS_SRC_NAT, EINVAL }, { IPS_DYING, EINVAL },
		{ IPS_SEQ_ADJUST, EINVAL }, { IPS_TEMPLATE, EINVAL }, { 0x8000, EINVAL },
	};
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = new_flow(0), *key = flow(0), *none = nfct_new();
	struct nf_conntrack *part = nfct_new(), *other = new_flow(1);
	const uint32_t id = 7;

	CHECK_INT(flush(h), 0);
	CHECK_INT(ctrs_create(h, ct, NULL), 0);
	CHECK_INT(ctrs_create(h, other, NULL), 0);
	CHECK_ERR(ctrs_create(h, ct, none), -1, EEXIST);
	CHECK_STR(bits(none), "");
	CHECK_INT(ctrs_last_error(h)->kind, CTRS_ERROR_EXISTS);
	nfct_set_attr_u16(key, ATTR_PORT_SRC, htons(1));
	CHECK_ERR(ctrs_create(h, key, NULL), -1, EINVAL); /* no reply, no timeout */
	nfct_set_attr_u16(key, ATTR_PORT_SRC, htons(1000));
	CHECK(strstr(said(h), "reply tuple") != NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		about("status 0x%x", rows[i].status);
		nfct_set_attr_u32(key, ATTR_STATUS, rows[i].status);
		CHECK_ERR(ctrs_update(h, key, CTRS_ORIGINAL, NULL), -1, rows[i].error);
		CHECK(strstr(said(h), "SEEN_REPLY, ASSURED and FIXED_TIMEOUT") != NULL);
	}
	about("");
	/* What the flow has may be said again: an object that was got, with one change. */
	CHECK_INT(ctrs_get(h, ct, CTRS_ORIGINAL, ct), 0);
	CHECK_INT(ctrs_update(h, marked(ct, 4), CTRS_ORIGINAL, NULL), 0);

	/* Without a tuple an id alone would be a flush to the kernel. */
	nfct_set_attr_u32(none, ATTR_MARK, 4);
	nfct_set_attr_u8(part, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u8(part, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u32(part, ATTR_IPV4_SRC, htonl(0x0a000001u));
	for (int dir = CTRS_ORIGINAL; dir <= CTRS_REPLY; dir++)
		for (int i = 0; i < 2; i++) {
			struct nf_conntrack *bad = i == 0 ? none : part;

			about("direction %d, object %d", dir, i);
			CHECK_ERR(ctrs_get(h, bad, dir, NULL), -1, EINVAL);
			CHECK_ERR(ctrs_update(h, bad, dir, NULL), -1, EINVAL);
			CHECK_ERR(ctrs_mark(h, bad, dir, 1, 1, NULL), -1, EINVAL);
			CHECK_ERR(ctrs_delete(h, bad, dir, &id, NULL), -1, EINVAL);
			CHECK(strstr(said(h), "tuple") != NULL);
			CHECK_INT(flows_with(""), 2);
		}
	about("");
	CHECK_ERR(ctrs_get(h, ct, 2, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_get(h, ct, -1, NULL), -1, EINVAL);
	CHECK(strstr(said(h), "CTRS_ORIGINAL or CTRS_REPLY") != NULL);
	CHECK_ERR(ctrs_mark(h, ct, CTRS_REPLY, 1, 0, NULL), 0, UNTOUCHED); /* no bit changes */

	CHECK_ERR(ctrs_get(NULL, ct, 0, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_get(h, NULL, 0, NULL), -1, EINVAL);
	CHECK(strstr(said(h), "is NULL") != NULL);
	CHECK_ERR(ctrs_create(NULL, ct, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_create(h, NULL, ct), -1, EINVAL);
	CHECK_ERR(ctrs_update(NULL, ct, 0, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_update(h, NULL, 0, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_mark(NULL, ct, 0, 1, 1, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_mark(h, NULL, 0, 1, 1, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_labels(NULL, ct, 0, NULL, NULL, NULL, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_labels(h, NULL, 0, NULL, NULL, NULL, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_labels(h, ct, 0, NULL, NULL, NULL, NULL), -1, EINVAL);
	CHECK(strstr(said(h), "map of labels is NULL") != NULL);
	CHECK_ERR(ctrs_delete(NULL, ct, 0, NULL, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_delete(h, NULL, 0, &id, NULL), -1, EINVAL);
	CHECK_INT(flows_with(""), 2);

	CHECK_INT(ctrs_get(h, ct, CTRS_ORIGINAL, NULL), 0);
	CHECK_STR(said(h), "");
	nfct_destroy(ct);
	nfct_destroy(key);
	nfct_destroy(none);
	nfct_destroy(part);
	nfct_destroy(other);
	CHECK_INT(nfct_close(h), 0);
}

/* Flows have room for labels if a rule uses some when they begin. */
static void test_labels(void)
{
	static const char *const web[] = { "web", NULL }, *const both[] = { "web", "last", NULL };
	static const char *const unknown[] = { "web", "no such", NULL }, *const none[] = { NULL };
	static const char *const beyond[] = { "beyond", NULL };
	char path[] = "/tmp/labels-XXXXXX";
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = new_flow(0), *old = new_flow(1), *result = nfct_new();
	struct nfct_labelmap *map;
	int fd = mkstemp(path);

	dprintf(fd, "7 web\n127 last\n128 beyond\n");
	close(fd);
	map = nfct_labelmap_new(path);
	unlink(path);
	CHECK_INT(ctrs_create(h, old, NULL), 0);
	CHECK_ERR(ctrs_labels(h, old, 0, map, web, NULL, NULL), -1, ENOSPC);
	CHECK(strstr(said(h), "no room for labels") != NULL);
	if (system("iptables-nft -w 5 -A OUTPUT -m connlabel --label 1 >/dev/null 2>&1") != 0) {
		skip("no iptables with connlabel");
		goto end;
	}
	CHECK_INT(ctrs_create(h, ct, NULL), 0);
	for (int dir = CTRS_ORIGINAL; dir <= CTRS_REPLY; dir++) {
		about("direction %d", dir);
		CHECK(ctrs_labels(h, ct, dir, map, both, NULL, result) >= 0);
		CHECK_INT(nfct_bitmask_test_bit(nfct_get_attr(result, ATTR_CONNLABELS), 7), 1);
		CHECK_INT(nfct_bitmask_test_bit(nfct_get_attr(result, ATTR_CONNLABELS), 127), 1);
		CHECK(ctrs_labels(h, ct, dir, map, none, web, result) >= 0);
		CHECK_INT(nfct_bitmask_test_bit(nfct_get_attr(result, ATTR_CONNLABELS), 7), 0);
		CHECK_INT(nfct_bitmask_test_bit(nfct_get_attr(result, ATTR_CONNLABELS), 127), 1);
		CHECK_INT(ctrs_labels(h, ct, dir, map, NULL, both, NULL), 0);
	}
	about("");
	CHECK_ERR(ctrs_labels(h, ct, 0, map, unknown, NULL, NULL), -1, EINVAL);
	CHECK(strstr(said(h), "no label has this name") != NULL);
	CHECK_ERR(ctrs_labels(h, ct, 0, map, beyond, NULL, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_labels(h, ct, 0, map, web, both, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_labels(h, ct, 0, map, none, NULL, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_labels(h, ct, 0, map, NULL, NULL, NULL), -1, EINVAL);
end:
	nfct_labelmap_destroy(map);
	nfct_destroy(ct);
	nfct_destroy(old);
	nfct_destroy(result);
	CHECK_INT(nfct_close(h), 0);
}

int main(void)
{
	own_namespace();
	CHECK_INT(write_file(ACCT, "1"), 0);
	for (int dir = CTRS_ORIGINAL; dir <= CTRS_REPLY; dir++) {
		test_life(dir, "0", 1);
		test_life(dir, "1", 0);
	}
	write_file(EVENTS, "2");
	test_in_place();
	test_beside_events();
	test_wake();
	test_labels();
	test_refused();
	return finish();
}
#endif
