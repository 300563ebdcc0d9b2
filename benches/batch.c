// SPDX-License-Identifier: MIT OR Apache-2.0
/* The figures of many requests: one by one, in batches, and deletes of what a filter selects. */
#include "kernel.h"
#include "library.h"
#include "netlink.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AT_ONCE 100u /* requests of a bare send */

/* The number of the n-th flow of UDP over IPv4: three of ten are. */
static unsigned int udp(unsigned int n)
{
	return n / 3 * 10 + 5 + n % 3;
}

static struct nf_conntrack *entry(unsigned int n)
{
	struct flow flow = flow_of(udp(n));
	struct nf_conntrack *ct = lib.nfct_new();

	lib.nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	lib.nfct_set_attr_u32(ct, ATTR_IPV4_SRC, htonl(flow.address[0]));
	lib.nfct_set_attr_u32(ct, ATTR_IPV4_DST, htonl(flow.address[1]));
	lib.nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_UDP);
	lib.nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(flow.port[0]));
	lib.nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(flow.port[1]));
	lib.nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	lib.nfct_set_attr_u32(ct, ATTR_TIMEOUT, 100000);
	lib.nfct_set_attr_u32(ct, ATTR_MARK, flow.mark);
	return ct;
}

static void one_by_one(struct nfct_handle *h, enum nf_conntrack_query query, unsigned int count)
{
	for (unsigned int n = 0; n < count; n++) {
		struct nf_conntrack *ct = entry(n);

		if (lib.nfct_query(h, query, ct) != 0)
			fail("query");
		lib.nfct_destroy(ct);
	}
}

static void in_batch(struct nfct_handle *h, enum nf_conntrack_query query, unsigned int count)
{
	struct ctrs_batch *batch = lib.ctrs_batch_new(NULL);

	for (unsigned int n = 0; n < count; n++) {
		struct nf_conntrack *ct = entry(n);

		if (lib.ctrs_batch_add(batch, query, ct, NULL, 0, NULL) != (int)n)
			fail("ctrs_batch_add");
		lib.nfct_destroy(ct);
	}
	if (lib.ctrs_batch_run(h, batch) != 0)
		fail("ctrs_batch_run");
	lib.ctrs_batch_free(batch);
}

/* Without a library, `at_once` to a send. */
static void bare(int fd, enum nf_conntrack_query query, unsigned int count, unsigned int at_once)
{
	static struct batch batch;

	for (unsigned int n = 0; n < count; n++) {
		(query == NFCT_Q_CREATE ? add_create : add_delete)(&batch, udp(n));
		if (n % at_once == at_once - 1 || n + 1 == count)
			netlink_confirm(fd, &batch);
	}
}

/* Deletes `count` flows, all there are: with a library by a filter that it has to check itself, each
 * guarded by its id; without one the list is read, and then they are deleted. */
void matching_figure(unsigned int count)
{
	struct nfct_handle *h = lib.nfct_open == NULL ? NULL : lib.nfct_open(CONNTRACK, 0);
	int fd = netlink_open(0);
	double taken;

	bare(fd, NFCT_Q_CREATE, count, AT_ONCE);
	taken = -cpu_time();
	if (h == NULL) {
		netlink_dump(fd);
		bare(fd, NFCT_Q_DESTROY, count, AT_ONCE);
	} else {
		struct ctrs_filter *filter = lib.ctrs_filter_compile("udp and mark > 0 and sport >= 1024", NULL, NULL);
		struct ctrs_deleted deleted;

		if (lib.ctrs_delete_matching(h, filter, 0, &deleted, sizeof(deleted)) != 0 ||
		    deleted.deleted != count)
			fail("ctrs_delete_matching");
		lib.ctrs_filter_free(filter);
	}
	taken += cpu_time();
	printf("{\"seconds\": %.9f}\n", taken / count);
}

void batch_figure(const char *way, unsigned int count)
{
	struct nfct_handle *h = lib.nfct_open == NULL ? NULL : lib.nfct_open(CONNTRACK, 0);
	unsigned int at_once = strcmp(way, "each") == 0 ? 1 : AT_ONCE;
	int fd = netlink_open(0);
	double taken[2];

	for (int i = 0; i < 2; i++) {
		enum nf_conntrack_query query = i == 0 ? NFCT_Q_CREATE : NFCT_Q_DESTROY;

		taken[i] = -cpu_time();
		if (h == NULL)
			bare(fd, query, count, at_once);
		else if (at_once == 1)
			one_by_one(h, query, count);
		else
			in_batch(h, query, count);
		taken[i] += cpu_time();
	}
	printf("{\"create\": %.9f, \"delete\": %.9f}\n", taken[0] / count, taken[1] / count);
}
