/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Lists of flows that are pulled, from a real kernel; expect_pull_kernel.c has those of expectations. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include <ctrs.h>
#include <pthread.h>
#include <sys/mount.h>

#define FLOWS 500u /* the kernel tells them in several datagrams */

static struct nfct_handle *h;

static uint32_t source(const struct ctrs_flow *flow)
{
	uint32_t address;

	memcpy(&address, flow->orig.src, sizeof(address));
	return ntohl(address);
}

/* Ends a list in which `number` flows came, each once. */
static void check_whole(struct ctrs_dump *dump, const uint8_t seen[FLOWS], unsigned int number)
{
	unsigned int once = 0;

	for (unsigned int n = 0; n < FLOWS; n++)
		once += seen[n] == 1;
	CHECK_INT(once, number);
	CHECK_INT(ctrs_dump_end(dump), CTRS_CONSISTENT);
}

/* The number of the flow with this source, which is as flow() made it. */
static unsigned int number_of(uint32_t address)
{
	return (address >> 8 & 0xff) * 250 + (address & 0xff) - 1;
}

static void count(uint8_t seen[FLOWS], uint32_t address)
{
	if (CHECK(number_of(address) < FLOWS))
		seen[number_of(address)]++;
}

static void test_one_by_one(uint32_t flags)
{
	struct ctrs_dump *dump = ctrs_dump_begin(h, NULL, flags);
	struct nf_conntrack *ct = nfct_new();
	uint8_t seen[FLOWS] = { 0 };

	nfct_set_attr_u32(ct, ATTR_SECMARK, 7);
	while (ctrs_dump_next(dump, ct) == 1) {
		count(seen, ntohl(nfct_get_attr_u32(ct, ATTR_IPV4_SRC)));
		CHECK_INT(nfct_get_attr_u16(ct, ATTR_PORT_DST), htons(80));
		CHECK_INT(nfct_attr_is_set(ct, ATTR_SECMARK), 0);
	}
	nfct_set_attr_u32(ct, ATTR_SECMARK, 8);
	CHECK_INT(ctrs_dump_next(dump, ct), 0);
	CHECK_INT(nfct_get_attr_u32(ct, ATTR_SECMARK), 8); /* the end leaves the entry alone */
	CHECK_INT(ctrs_dump_last_error(dump)->err, 0);
	nfct_destroy(ct);
	check_whole(dump, seen, FLOWS);
}

static void test_arrays(void)
{
	static const size_t numbers[] = { 1, 2, 7, 100, FLOWS, FLOWS + 1, 5000 };
	static struct ctrs_flow flows[5000];

	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct ctrs_dump *dump = ctrs_dump_begin(h, NULL, 0);
		uint8_t seen[FLOWS] = { 0 };
		size_t total = 0;
		ssize_t got;

		about("%zu records a call", numbers[i]);
		while ((got = ctrs_dump_read(dump, flows, numbers[i], sizeof(*flows))) > 0) {
			CHECK(total + (size_t)got == FLOWS || (size_t)got == numbers[i]);
			for (ssize_t n = 0; n < got; n++) {
				count(seen, source(&flows[n]));
				CHECK_INT(flows[n].orig.dport, 80);
			}
			total += (size_t)got;
		}
		CHECK_INT(got, 0);
		CHECK_INT(ctrs_dump_read(dump, flows, 5000, sizeof(*flows)), 0);
		check_whole(dump, seen, FLOWS);
	}
	about("");
}

#define BUCKETS "/proc/sys/net/netfilter/nf_conntrack_buckets"

/* A table that is resized meanwhile: a file in place of the sysctl, as only the machine's first
 * namespace can resize it. */
static void test_resized(void)
{
	char path[] = "/tmp/buckets-XXXXXX";
	struct ctrs_flow flows[64];
	int fd = mkstemp(path);

	write_file(path, "4096\n");
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount(path, BUCKETS, "none", MS_BIND, NULL) != 0) {
		skip("a file in place of a sysctl needs a mount namespace");
	} else {
		for (int resized = 0; resized < 2; resized++) {
			struct ctrs_dump *dump = ctrs_dump_begin(h, NULL, 0);

			about("resized %d", resized);
			CHECK_INT(ctrs_dump_read(dump, flows, 10, sizeof(*flows)), 10);
			if (resized)
				CHECK_INT(write_file(path, "8192\n"), 0);
			while (ctrs_dump_read(dump, flows, COUNT(flows), sizeof(*flows)) > 0)
				;
			CHECK_INT(ctrs_dump_end(dump), resized ? CTRS_INCONSISTENT : CTRS_CONSISTENT);
		}
		about("");
	}
	unlink(path);
	close(fd);
}

/* Records of programs that know less of them, or more. */
static void test_sizes(void)
{
	enum { MORE = sizeof(struct ctrs_flow) + 24, LESS = offsetof(struct ctrs_flow, status) };
	static uint8_t room[3 * MORE];
	struct ctrs_dump *dump = ctrs_dump_begin(h, NULL, 0);
	struct ctrs_flow flow;

	CHECK_INT(LESS % 8, 0);
	memset(room, 0xa5, sizeof(room));
	CHECK_INT(ctrs_dump_read(dump, (struct ctrs_flow *)(void *)room, 2, MORE), 2);
	for (size_t n = 0; n < 2; n++) {
		memcpy(&flow, room + n * MORE, sizeof(flow));
		CHECK_INT(flow.orig.dport, 80);
		for (size_t i = sizeof(flow); i < MORE; i++)
			CHECK_INT(room[n * MORE + i], 0);
	}
	CHECK_INT(room[2 * MORE], 0xa5);
	memset(room, 0xa5, sizeof(room));
	CHECK_INT(ctrs_dump_read(dump, (struct ctrs_flow *)(void *)room, 3, LESS), 3);
	for (size_t n = 0; n < 3; n++) {
		memcpy(&flow, room + n * LESS, LESS);
		CHECK_INT(flow.orig.dport, 80);
	}
	CHECK_INT(room[3 * LESS], 0xa5);
	CHECK_ERR(ctrs_dump_read(dump, &flow, 1, 0), -1, EINVAL);
	CHECK(strstr(ctrs_dump_last_error(dump)->text, "size") != NULL);
	CHECK_ERR(ctrs_dump_read(dump, &flow, 1, sizeof(flow) - 1), -1, EINVAL);
	CHECK_ERR(ctrs_dump_read(dump, &flow, 1, (size_t)-8), -1, EINVAL);
	CHECK_ERR(ctrs_dump_read(dump, &flow, 0, sizeof(flow)), -1, EINVAL);
	CHECK_ERR(ctrs_dump_read(dump, NULL, 1, sizeof(flow)), -1, EINVAL);
	CHECK_INT(ctrs_dump_read(dump, &flow, 1, sizeof(flow)), 1); /* it goes on after all that */
	CHECK_INT(ctrs_dump_last_error(dump)->err, 0);
	CHECK_INT(ctrs_dump_end(dump), 0);
}

/* Two lists at once, requests and events meanwhile; one ends half way, one after its handle. */
static void test_several(void)
{
	struct nfct_handle *other = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
	struct ctrs_dump *one = ctrs_dump_begin(other, NULL, 0), *two = ctrs_dump_begin(h, NULL, 0);
	struct ctrs_dump *half = ctrs_dump_begin(other, NULL, 0);
	struct nf_conntrack *ct = nfct_new();
	uint8_t seen[FLOWS] = { 0 }, seen_too[FLOWS] = { 0 };

	for (int i = 0; i < 10; i++)
		CHECK_INT(ctrs_dump_next(half, ct), 1);
	for (int i = 0; i < 200; i++) {
		CHECK_INT(ctrs_dump_next(one, ct), 1);
		count(seen, ntohl(nfct_get_attr_u32(ct, ATTR_IPV4_SRC)));
		CHECK_INT(ctrs_dump_next(two, ct), 1);
		count(seen_too, ntohl(nfct_get_attr_u32(ct, ATTR_IPV4_SRC)));
	}
	CHECK_INT(ctrs_dump_end(half), CTRS_CONSISTENT);
	CHECK_INT(query_flow(other, NFCT_Q_GET, flow(3)), 0);
	CHECK_INT(nfct_close(other), 0);
	while (ctrs_dump_next(one, ct) == 1)
		count(seen, ntohl(nfct_get_attr_u32(ct, ATTR_IPV4_SRC)));
	while (ctrs_dump_next(two, ct) == 1)
		count(seen_too, ntohl(nfct_get_attr_u32(ct, ATTR_IPV4_SRC)));
	nfct_destroy(ct);
	check_whole(one, seen, FLOWS);
	check_whole(two, seen_too, FLOWS);
}

static struct ctrs_dump *dump_of(const char *expression, uint32_t flags)
{
	struct ctrs_filter *filter = ctrs_filter_compile(expression, NULL, NULL);
	struct ctrs_dump *dump = ctrs_dump_begin(h, filter, flags);

	CHECK(filter != NULL && dump != NULL);
	ctrs_filter_free(filter); /* it is not needed any more */
	return dump;
}

static void test_filters(void)
{
	static const struct {
		const char *expression;
		unsigned int flows;
	} rows[] = {
		{ "all", FLOWS },
		{ "src 10.0.0.0/24", 250 },
		{ "dport 80 and not src 10.0.1.0/24", 250 },
		{ "src 10.0.0.1 or src 10.0.1.250", 2 },
		{ "src 10.0.0.7", 1 },
		{ "udp", 0 },
		{ "tcp and udp", 0 }, /* nothing is asked of the kernel */
		{ "bytes >= 0 or src 10.0.0.3", 1 }, /* what is unknown is not selected */
		{ "not bytes > 0", 0 },
	};
	static struct ctrs_flow flows[FLOWS];

	write_file("/proc/sys/net/netfilter/nf_conntrack_acct", "0");
	CHECK_INT(flush(h), 0);
	create_flows(h, 0, FLOWS); /* without counters */
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct nf_conntrack *ct = nfct_new();
		uint8_t seen[FLOWS] = { 0 };
		struct ctrs_dump *dump;
		ssize_t got;

		about("%s", rows[i].expression);
		dump = dump_of(rows[i].expression, 0);
		while ((got = ctrs_dump_read(dump, flows, 100, sizeof(*flows))) > 0)
			for (ssize_t n = 0; n < got; n++)
				count(seen, source(&flows[n]));
		check_whole(dump, seen, rows[i].flows);
		memset(seen, 0, sizeof(seen));
		dump = dump_of(rows[i].expression, CTRS_DUMP_NO_DUPLICATE_SEARCH);
		nfct_set_attr_u32(ct, ATTR_SECMARK, 9);
		while (ctrs_dump_next(dump, ct) == 1) {
			count(seen, ntohl(nfct_get_attr_u32(ct, ATTR_IPV4_SRC)));
			nfct_set_attr_u32(ct, ATTR_SECMARK, 9);
		}
		/* What comes after the last one that is selected leaves the entry alone. */
		CHECK_INT(nfct_get_attr_u32(ct, ATTR_SECMARK), 9);
		check_whole(dump, seen, rows[i].flows);
		nfct_destroy(ct);
	}
	about("");
}

static void test_arguments(void)
{
	static const uint32_t wrong[] = { CTRS_DUMP_RESET | CTRS_DUMP_DYING, 8, 0x80000000u, ~0u };
	struct ctrs_dump *dump = ctrs_dump_begin(h, NULL, 0);
	struct ctrs_expect_dump *expects = ctrs_expect_dump_begin(h, 0);
	struct nf_conntrack *ct = nfct_new();
	struct nf_expect *exp = nfexp_new();
	struct ctrs_expectation expectation;
	struct ctrs_flow flow;

	CHECK_NULL(ctrs_dump_begin(NULL, NULL, 0), EINVAL);
	CHECK_NULL(ctrs_expect_dump_begin(NULL, 0), EINVAL);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		CHECK_NULL(ctrs_dump_begin(h, NULL, wrong[i]), EINVAL);
		CHECK(strstr(ctrs_last_error(h)->text, "flags") != NULL);
		CHECK_NULL(ctrs_expect_dump_begin(h, wrong[i]), EINVAL);
	}
	CHECK_NULL(ctrs_expect_dump_begin(h, CTRS_DUMP_RESET), EINVAL);
	CHECK_ERR(ctrs_dump_next(NULL, ct), -1, EINVAL);
	CHECK_ERR(ctrs_dump_next(dump, NULL), -1, EINVAL);
	CHECK_INT(ctrs_dump_last_error(dump)->kind, CTRS_ERROR_INVALID);
	CHECK_ERR(ctrs_dump_read(NULL, &flow, 1, sizeof(flow)), -1, EINVAL);
	CHECK_ERR(ctrs_dump_end(NULL), -1, EINVAL);
	CHECK_NULL(ctrs_dump_last_error(NULL), EINVAL);
	CHECK_ERR(ctrs_expect_dump_next(NULL, exp), -1, EINVAL);
	CHECK_ERR(ctrs_expect_dump_next(expects, NULL), -1, EINVAL);
	CHECK_INT(ctrs_expect_dump_last_error(expects)->kind, CTRS_ERROR_INVALID);
	CHECK_ERR(ctrs_expect_dump_read(NULL, &expectation, 1, sizeof(expectation)), -1, EINVAL);
	CHECK_ERR(ctrs_expect_dump_read(expects, NULL, 1, sizeof(expectation)), -1, EINVAL);
	CHECK_ERR(ctrs_expect_dump_end(NULL), -1, EINVAL);
	CHECK_NULL(ctrs_expect_dump_last_error(NULL), EINVAL);
	CHECK_INT(ctrs_dump_next(dump, ct), 1);
	CHECK_INT(ctrs_dump_end(dump), 0);
	CHECK_INT(ctrs_expect_dump_end(expects), 0);
	nfct_destroy(ct);
	nfexp_destroy(exp);
}

/* Flows that have ended while a listener that misses nothing had no room to be told. */
static void test_dying(void)
{
	struct ctrs_open_options options = { .size = sizeof(options), .flags = CTRS_OPEN_RELIABLE,
		.groups = NF_NETLINK_CONNTRACK_DESTROY, .receive_buffer = 1 };
	struct nfct_handle *listener;
	struct ctrs_flow flows[32];
	char address[INET_ADDRSTRLEN] = "", which[64];
	struct ctrs_dump *dump;
	ssize_t got;

	CHECK_INT(flush(h), 0);
	listener = ctrs_open(&options, NULL);
	CHECK(listener != NULL);
	create_flows(h, 0, 30);
	CHECK_INT(flush(h), 0);
	dump = ctrs_dump_begin(h, NULL, CTRS_DUMP_DYING);
	got = ctrs_dump_read(dump, flows, COUNT(flows), sizeof(*flows));
	CHECK(got >= 20 && got <= 30);
	for (ssize_t n = 0; n < got; n++)
		CHECK_INT(flows[n].status & IPS_DYING, IPS_DYING);
	CHECK_INT(ctrs_dump_read(dump, flows, COUNT(flows), sizeof(*flows)), 0);
	CHECK_INT(ctrs_dump_end(dump), CTRS_CONSISTENT);
	inet_ntop(AF_INET, flows[0].orig.src, address, sizeof(address));
	snprintf(which, sizeof(which), "src %s", address); /* the listener was told of some */
	dump = dump_of(which, CTRS_DUMP_DYING);
	CHECK_INT(ctrs_dump_read(dump, flows, COUNT(flows), sizeof(*flows)), 1);
	CHECK_INT(ctrs_dump_end(dump), CTRS_CONSISTENT);
	dump = ctrs_dump_begin(h, NULL, 0);
	CHECK_INT(ctrs_dump_read(dump, flows, COUNT(flows), sizeof(*flows)), 0);
	CHECK_INT(ctrs_dump_end(dump), CTRS_CONSISTENT);
	CHECK_INT(nfct_close(listener), 0);
}

static uint64_t packets(const char *expression, uint32_t flags)
{
	struct ctrs_dump *dump = dump_of(expression, flags);
	struct ctrs_flow flow = { .packets = { 0, 0 } };

	CHECK_INT(ctrs_dump_read(dump, &flow, 1, sizeof(flow)), 1);
	CHECK_INT(ctrs_dump_read(dump, &flow, 1, sizeof(flow)), 0);
	CHECK_INT(ctrs_dump_end(dump), CTRS_CONSISTENT);
	return flow.packets[0] + flow.packets[1];
}

static void test_reset(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ctrs_flow flows[3];
	struct ctrs_dump *dump;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (write_file("/proc/sys/net/netfilter/nf_conntrack_acct", "1") != 0 ||
	    system("nft 'add table ip t; add chain ip t c { type filter hook output priority 0; };"
		   " add rule ip t c ct state new accept' 2>/dev/null") != 0) {
		skip("counters need root and the nft program (package nftables)");
		close(fd);
		return;
	}
	for (int i = 0; i < 3; i++)
		sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	to.sin_port = htons(10);
	for (int i = 0; i < 5; i++)
		sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	/* Of the flows that a filter selects alone. */
	CHECK_INT(packets("dport 9", 0), 3);
	CHECK_INT(packets("dport 9", CTRS_DUMP_RESET | CTRS_DUMP_NO_DUPLICATE_SEARCH), 3);
	CHECK_INT(packets("dport 9", CTRS_DUMP_RESET), 0);
	CHECK_INT(packets("dport 10", 0), 5);
	CHECK_INT(ctrs_dump_end(ctrs_dump_begin(h, NULL, CTRS_DUMP_RESET)), CTRS_CONSISTENT);
	CHECK_INT(packets("dport 10", 0), 5); /* of none, as none was read */
	dump = ctrs_dump_begin(h, NULL, CTRS_DUMP_RESET);
	CHECK_INT(ctrs_dump_read(dump, flows, 3, sizeof(*flows)), 2);
	CHECK_INT(flows[0].packets[0] + flows[1].packets[0], 5);
	CHECK_INT(ctrs_dump_end(dump), CTRS_CONSISTENT);
	CHECK_INT(packets("dport 10", 0), 0);
	CHECK_INT(flush(h), 0);
	close(fd);
}

/* What a list without the privilege says. It is told where it is read, and once more at the end. */
static void test_privilege(void)
{
	struct ctrs_flow flow;
	struct ctrs_dump *dump;

	if (seteuid(65534) != 0) {
		skip("a list without privileges needs root");
		return;
	}
	dump = ctrs_dump_begin(h, NULL, 0);
	CHECK(dump != NULL);
	CHECK_ERR(ctrs_dump_read(dump, &flow, 1, sizeof(flow)), -1, EPERM);
	CHECK_INT(ctrs_dump_last_error(dump)->kind, CTRS_ERROR_PRIVILEGE);
	CHECK(strstr(ctrs_dump_last_error(dump)->text, "cannot list the flows: ") != NULL);
	CHECK_ERR(ctrs_dump_read(dump, &flow, 1, sizeof(flow)), -1, EPERM);
	CHECK_ERR(ctrs_dump_end(dump), -1, EPERM);
	CHECK_INT(seteuid(0), 0);
}

/* A cancelled thread ends before the call, at any other time after it. */
static void *pull_cancelled(void *data)
{
	struct nf_conntrack *ct = data;
	struct ctrs_dump *dump;
	int state;

	dump = ctrs_dump_begin(h, NULL, 0);
	ctrs_dump_next(dump, ct);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(state, NULL);
	CHECK_INT(ctrs_dump_end(dump), CTRS_CONSISTENT); /* ends no thread, so that nothing is left */
	dump = ctrs_dump_begin(h, NULL, 0);
	CHECK(!"a thread that goes on");
	return dump;
}

static void test_cancelled(void)
{
	struct nf_conntrack *ct = nfct_new();
	int before = descriptors();
	void *result = NULL;
	pthread_t thread;

	create_flows(h, 0, 1);
	CHECK_INT(pthread_create(&thread, NULL, pull_cancelled, ct), 0);
	CHECK_INT(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
	CHECK_INT(nfct_get_attr_u16(ct, ATTR_PORT_DST), htons(80));
	CHECK_INT(descriptors(), before);
	nfct_destroy(ct);
	CHECK_INT(flush(h), 0);
}

int main(void)
{
	int before;

	own_namespace();
	before = descriptors();
	h = nfct_open(CONNTRACK, 0);
	create_flows(h, 0, FLOWS);
	test_one_by_one(0);
	test_one_by_one(CTRS_DUMP_NO_DUPLICATE_SEARCH);
	test_arrays();
	in_child(test_resized);
	test_sizes();
	test_several();
	test_filters();
	test_arguments();
	test_dying();
	test_reset();
	test_privilege();
	test_cancelled();
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(descriptors(), before);
	return finish();
}
#endif
