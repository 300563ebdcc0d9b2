/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Every query against the kernel, each effect read back from /proc. */
#include "kernel.h"
#include "calls.h"

static struct nf_conntrack *flow6(void)
{
	static const uint8_t src[16] = { 0xfd, [15] = 1 }, dst[16] = { 0xfd, [15] = 2 };
	struct nf_conntrack *ct = nfct_new();

	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET6);
	nfct_set_attr(ct, ATTR_IPV6_SRC, src);
	nfct_set_attr(ct, ATTR_IPV6_DST, dst);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_UDP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(53));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(54));
	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 600);
	return ct;
}

static void test_one_flow(void)
{
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);
	char line[1024] = "";

	CHECK_ERR(query_flow(h, NFCT_Q_GET, flow(0)), -1, ENOENT);
	CHECK_ERR(query_flow(h, NFCT_Q_UPDATE, flow(0)), -1, ENOENT);
	CHECK_ERR(query_flow(h, NFCT_Q_DESTROY, flow(0)), -1, ENOENT);
	CHECK_ERR(query_flow(h, NFCT_Q_CREATE, flow(0)), -1, EINVAL); /* no reply, no timeout */
	CHECK_INT(flows_with(""), 0);

	CHECK_INT(query_flow(h, NFCT_Q_CREATE, marked(new_flow(0), 7)), 0);
	CHECK_INT(proc_lines("/proc/net/nf_conntrack", "", line), 1);
	CHECK(strstr(line, "ipv4     2 tcp      6 ") != NULL);
	CHECK(strstr(line, " ESTABLISHED src=10.0.0.1 dst=10.1.0.1 sport=1000 dport=80 ") != NULL);
	CHECK(strstr(line, " src=10.1.0.1 dst=10.0.0.1 sport=80 dport=1000 ") != NULL);
	CHECK(strstr(line, " mark=7 ") != NULL);
	CHECK_ERR(query_flow(h, NFCT_Q_CREATE, new_flow(0)), -1, EEXIST);

	CHECK_INT(query_flow(h, NFCT_Q_GET, flow(0)), 0);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(seen.types, NFCT_T_UPDATE);
	CHECK_INT(seen.last_mark, 7);

	CHECK_INT(query_flow(h, NFCT_Q_UPDATE, marked(flow(0), 8)), 0);
	CHECK_INT(flows_with(" mark=8 "), 1);
	CHECK_INT(query_flow(h, NFCT_Q_CREATE_UPDATE, marked(new_flow(0), 9)), 0); /* updates */
	CHECK_INT(flows_with(" mark=9 "), 1);
	CHECK_INT(query_flow(h, NFCT_Q_CREATE_UPDATE, marked(new_flow(1), 10)), 0); /* creates */
	CHECK_INT(flows_with(" mark=10 "), 1);
	CHECK_INT(flows_with(""), 2);

	CHECK_INT(query_flow(h, NFCT_Q_DESTROY, flow(0)), 0);
	CHECK_INT(flows_with("src=10.0.0.1 "), 0);
	CHECK_INT(flows_with("src=10.0.0.2 "), 1);
	CHECK_ERR(query_flow(h, NFCT_Q_DESTROY, flow(0)), -1, ENOENT);
	CHECK_INT(seen.calls, 1);
	CHECK_INT(flush(h), 0);
	CHECK_INT(flows_with(""), 0);
	CHECK_INT(nfct_close(h), 0);
}

static int dump_family(struct nfct_handle *h, struct seen *seen, uint32_t family)
{
	seen->calls = 0;
	CHECK_INT(nfct_query(h, NFCT_Q_DUMP, &family), 0);
	return seen->calls;
}

static void test_dump(void)
{
	struct seen seen;
	struct nfct_handle *h = open_seeing(&seen, 0);

	CHECK_INT(dump_family(h, &seen, AF_UNSPEC), 0);
	create_flows(h, 0, 5);
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, flow6()), 0);
	CHECK_INT(flows_with(""), 6);
	CHECK_INT(dump_family(h, &seen, AF_UNSPEC), 6);
	CHECK_INT(dump_family(h, &seen, AF_INET), 5);
	CHECK_INT(dump_family(h, &seen, AF_INET6), 1);
	CHECK_INT(dump_family(h, &seen, 0xabcd0000u | AF_INET6), 1); /* the low byte counts */
	CHECK_INT(dump_family(h, &seen, AF_UNIX), 0);
	seen.calls = 0;
	create_flows(h, 10, 300); /* more than one datagram holds */
	CHECK_INT(dump_family(h, &seen, AF_INET), 305);
	CHECK_INT(flush(h), 0);
	CHECK_INT(nfct_close(h), 0);
}

static uint64_t packets;

static int add_packets(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)type;
	(void)data;
	packets += nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_PACKETS);
	return NFCT_CB_CONTINUE;
}

static uint64_t count_packets(struct nfct_handle *h, enum nf_conntrack_query query)
{
	uint32_t family = AF_UNSPEC;

	packets = 0;
	CHECK_INT(nfct_query(h, query, &family), 0);
	return packets;
}

/* Real datagrams over the loopback device, counted, and the counters reset. */
static void test_dump_reset(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	write_file("/proc/sys/net/netfilter/nf_conntrack_acct", "1");
	if (system("nft 'add table ip t; add chain ip t c { type filter hook output priority 0; };"
		   " add rule ip t c ct state new accept' 2>/dev/null") != 0) {
		skip("DUMP_RESET needs the nft program (package nftables)");
		close(fd);
		CHECK_INT(nfct_close(h), 0);
		return;
	}
	CHECK_INT(nfct_callback_register(h, NFCT_T_ALL, add_packets, NULL), 0);
	for (int i = 0; i < 3; i++)
		sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	CHECK_INT(flows_with("udp "), 1);
	CHECK_INT(flows_with("packets=3 "), 1);
	CHECK_INT(count_packets(h, NFCT_Q_DUMP), 3);
	CHECK_INT(count_packets(h, NFCT_Q_DUMP_RESET), 3);
	CHECK_INT(count_packets(h, NFCT_Q_DUMP), 0);
	CHECK_INT(flows_with("packets=3 "), 0);
	CHECK_INT(flush(h), 0);
	close(fd);
	CHECK_INT(nfct_close(h), 0);
}

static void test_unknown(void)
{
	struct nfct_handle *h = nfct_open(0, 0);
	struct nf_conntrack *ct = flow(0);

	create_flows(h, 0, 1);
	for (int query = 11; query < 300; query++) {
		CHECK_ERR(nfct_query(h, (enum nf_conntrack_query)query, ct), -1, ENOTSUP);
		CHECK_ERR(nfct_send(h, (enum nf_conntrack_query)query, ct), -1, ENOTSUP);
	}
	CHECK_ERR(nfexp_query(h, NFCT_Q_UPDATE, ct), -1, ENOTSUP);
	CHECK_ERR(nfexp_query(h, NFCT_Q_DUMP_RESET, ct), -1, ENOTSUP);
	CHECK_ERR(nfexp_query(h, NFCT_Q_DUMP_FILTER, ct), -1, ENOTSUP);
	CHECK_ERR(nfexp_query(h, NFCT_Q_DUMP_FILTER_RESET, ct), -1, ENOTSUP);
	CHECK_ERR(nfexp_query(h, NFCT_Q_FLUSH_FILTER, ct), -1, ENOTSUP);
	CHECK_INT(flows_with(""), 1); /* none of it sent anything */
	CHECK_INT(query_flow(h, NFCT_Q_GET, flow(0)), 0);
	CHECK_INT(flush(h), 0);
	nfct_destroy(ct);
	CHECK_INT(nfct_close(h), 0);
}

#ifndef REFERENCE
/* Requests whose object is unusable: as they are, the kernel takes some for "delete all". */
static void test_refused(void)
{
	static const enum nf_conntrack_query queries[] = { NFCT_Q_CREATE, NFCT_Q_UPDATE,
		NFCT_Q_DESTROY, NFCT_Q_GET, NFCT_Q_CREATE_UPDATE };
	struct nfct_handle *h = nfct_open(0, 0);
	struct nf_expect *exp = nfexp_new();

	create_flows(h, 0, 3);
	for (size_t i = 0; i < COUNT(queries); i++) {
		struct nf_conntrack *ct = flow(0);

		about("query %d", (int)queries[i]);
		CHECK_ERR(query_flow(h, queries[i], nfct_new()), -1, EINVAL);
		nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_UNIX);
		CHECK_ERR(query_flow(h, queries[i], ct), -1, EINVAL);
		ct = flow(0);
		nfct_set_attr_u8(ct, ATTR_REPL_L3PROTO, AF_UNIX);
		CHECK_ERR(query_flow(h, queries[i], ct), -1, EINVAL);
		CHECK_INT(flows_with(""), 3);
	}
	about("");
	CHECK_ERR(nfexp_query(h, NFCT_Q_DESTROY, exp), -1, EINVAL);
	nfexp_destroy(exp);
	CHECK_INT(flush(h), 0);
	CHECK_INT(nfct_close(h), 0);
}
#endif

static int expected;

static int see_expectation(enum nf_conntrack_msg_type type, struct nf_expect *exp, void *data)
{
	(void)data;
	CHECK_INT(type, NFCT_T_UPDATE);
	CHECK_STR(nfexp_get_attr(exp, ATTR_EXP_HELPER_NAME), "ftp");
	CHECK_INT(nfct_get_attr_u16(nfexp_get_attr(exp, ATTR_EXP_EXPECTED), ATTR_PORT_DST),
		  htons(2021));
	expected++;
	return NFCT_CB_CONTINUE;
}

static int expectations_with(const char *text)
{
	return proc_lines("/proc/net/nf_conntrack_expect", text, NULL);
}

/* Whether the only expectation has so many seconds left, or some less by now. */
static bool seconds_left(int seconds)
{
	char text[16];

	for (int late = 0; late < 10; late++) {
		snprintf(text, sizeof(text), "%d ", seconds - late);
		if (expectations_with(text) == 1)
			return true;
	}
	return false;
}

static void query_expectations(struct nfct_handle *h, struct nf_conntrack *master)
{
	struct nf_expect *exp = expectation(master);
	uint32_t family = AF_INET;

	CHECK_INT(nfexp_callback_register(h, NFCT_T_ALL, see_expectation, NULL), 0);
	CHECK_ERR(nfexp_query(h, NFCT_Q_GET, exp), -1, ENOENT);
	CHECK_INT(nfexp_query(h, NFCT_Q_CREATE, exp), 0);
	CHECK_INT(expectations_with("dport=2021"), 1);
	CHECK_ERR(nfexp_query(h, NFCT_Q_CREATE, exp), -1, EEXIST);
	CHECK_INT(nfexp_query(h, NFCT_Q_GET, exp), 0);
	CHECK_INT(expected, 1);
	CHECK_INT(nfexp_query(h, NFCT_Q_DUMP, &family), 0);
	CHECK_INT(expected, 2);
	CHECK_INT(nfexp_send(h, NFCT_Q_DUMP, &family), 20);
	CHECK_INT(nfexp_catch(h), 0);
	CHECK_INT(expected, 3);
	nfexp_set_attr_u32(exp, ATTR_EXP_TIMEOUT, 3000);
	CHECK_INT(nfexp_query(h, NFCT_Q_CREATE_UPDATE, exp), 0);
	CHECK(seconds_left(3000));
	CHECK_INT(nfexp_query(h, NFCT_Q_DESTROY, exp), 0);
	CHECK_INT(expectations_with(""), 0);
	CHECK_ERR(nfexp_query(h, NFCT_Q_DESTROY, exp), -1, ENOENT);
	CHECK_INT(nfexp_query(h, NFCT_Q_CREATE, exp), 0);
	CHECK_INT(nfexp_query(h, NFCT_Q_FLUSH, &family), 0);
	CHECK_INT(expectations_with(""), 0);
	nfexp_destroy(exp);
}

static void test_expectations(void)
{
	struct nfct_handle *h = nfct_open(0, 0);
	struct nf_conntrack *master = new_flow(0);

	nfct_set_attr(master, ATTR_HELPER_NAME, "ftp");
	if (nfct_query(h, NFCT_Q_CREATE, master) == 0)
		query_expectations(h, master);
	else
		skip("expectations need the kernel's FTP helper (modprobe nf_conntrack_ftp)");
	nfct_destroy(master);
	CHECK_INT(flush(h), 0);
	CHECK_INT(nfct_close(h), 0);
}

#ifndef REFERENCE
/* A port is translated whatever the protocol that has ports. */
static void test_nat_ports(struct nfct_handle *h)
{
	static const struct { uint8_t number; const char *name; } protocols[] = {
		{ IPPROTO_UDP, "udp" },
		{ IPPROTO_SCTP, "sctp" },
		{ IPPROTO_UDPLITE, "udplite" },
	};

	for (size_t i = 0; i < COUNT(protocols); i++) {
		struct nf_conntrack *ct = flow(0);
		char line[1024] = "";

		about("%s", protocols[i].name);
		nfct_set_attr_u8(ct, ATTR_L4PROTO, protocols[i].number);
		nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
		nfct_set_attr_u32(ct, ATTR_TIMEOUT, 600);
		nfct_set_attr_u8(ct, ATTR_SCTP_STATE, 4);
		nfct_set_attr_u32(ct, ATTR_SCTP_VTAG_ORIG, 1);
		nfct_set_attr_u32(ct, ATTR_SCTP_VTAG_REPL, 2);
		nfct_set_attr_u32(ct, ATTR_SNAT_IPV4, htonl(0xc0a80909));
		nfct_set_attr_u16(ct, ATTR_SNAT_PORT, htons(4000));
		nfct_set_attr_u32(ct, ATTR_DNAT_IPV4, htonl(0xc0a80908));
		nfct_set_attr_u16(ct, ATTR_DNAT_PORT, htons(8080));
		CHECK_INT(query_flow(h, NFCT_Q_CREATE, ct), 0);
		CHECK_INT(proc_lines("/proc/net/nf_conntrack", "", line), 1);
		CHECK(strstr(line, " src=192.168.9.8 dst=192.168.9.9 ") != NULL);
		CHECK(strstr(line, " sport=8080 dport=4000 ") != NULL);
		CHECK_INT(flush(h), 0);
	}
	about("");
}
#endif

static void test_nat(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = new_flow(0);

	nfct_set_attr_u32(ct, ATTR_SNAT_IPV4, htonl(0xc0a80909));
	nfct_set_attr_u16(ct, ATTR_SNAT_PORT, htons(4000));
	if (query_flow(h, NFCT_Q_CREATE, ct) == 0) {
		CHECK_INT(flows_with(" src=10.1.0.1 dst=192.168.9.9 sport=80 dport=4000 "), 1);
		ct = new_flow(1);
		nfct_set_attr_u32(ct, ATTR_DNAT_IPV4, htonl(0xc0a80908));
		nfct_set_attr_u16(ct, ATTR_DNAT_PORT, htons(8080));
		CHECK_INT(query_flow(h, NFCT_Q_CREATE, ct), 0);
		CHECK_INT(flows_with(" src=192.168.9.8 dst=10.0.0.2 sport=8080 dport=1000 "), 1);
		CHECK_INT(flush(h), 0);
#ifndef REFERENCE
		test_nat_ports(h);
#endif
	} else {
		skip("NAT needs the kernel's nf_nat (modprobe nf_nat)");
	}
	CHECK_INT(flush(h), 0);
	CHECK_INT(nfct_close(h), 0);
}

#ifndef REFERENCE
/* Any system call but those to send and receive ends the process from now on. */
static void only_send_and_receive(void)
{
	const struct call calls[] = { call_sendto, call_recvfrom, call_exit };

	judge_calls(calls, COUNT(calls), SECCOMP_RET_ALLOW, SECCOMP_RET_KILL);
}

/* A query is one system call to send and one to receive: where it runs is known without any. */
static void test_system_calls(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = new_flow(0);
	int status = -1;
	pid_t child;

	CHECK_INT(nfct_query(h, NFCT_Q_CREATE, ct), 0);
	child = fork();
	if (child == 0) {
		only_send_and_receive();
		_exit(nfct_query(h, NFCT_Q_DESTROY, ct) == 0 && nfct_query(h, NFCT_Q_CREATE, ct) == 0 &&
		      nfct_query(h, NFCT_Q_DESTROY, ct) == 0 ? 0 : 1);
	}
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK_INT(status, 0);
	nfct_destroy(ct);
	CHECK_INT(flush(h), 0);
	CHECK_INT(nfct_close(h), 0);
}
#endif

int main(void)
{
	own_namespace();
	if (flows_with("") != 0) {
		skip("no /proc/net/nf_conntrack to read back from (CONFIG_NF_CONNTRACK_PROCFS)");
		return finish();
	}
	test_one_flow();
	test_dump();
	test_unknown();
#ifndef REFERENCE
	test_refused();
	if (getenv("VALGRIND") == NULL && getenv("SANITIZE") == NULL) /* they make calls of their own */
		test_system_calls();
#endif
	test_expectations();
	test_nat();
	test_dump_reset();
	return finish();
}
