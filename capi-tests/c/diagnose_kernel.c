/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* ctrs_diagnose(): each sentence comes with what is in the way, and goes with it. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include <ctrs.h>
#include <sys/syscall.h>
#include <linux/capability.h>

#define SYSCTL(name) "/proc/sys/net/netfilter/nf_conntrack_" name

static char text[4096];

static bool says(struct nfct_handle *h, const char *words)
{
	int length = ctrs_diagnose(h, text, sizeof(text));

	CHECK_INT(length, strlen(text));
	CHECK_INT(ctrs_last_error(h)->err, 0);
	return strstr(text, words) != NULL;
}

static const struct {
	const char *path, *off, *words;
} sysctls[] = {
	{ SYSCTL("events"), "0", "nf_conntrack_events is 0: no flow tells" },
	{ SYSCTL("events"), "2", "nf_conntrack_events is 2: flows that began while nobody listened" },
	{ SYSCTL("acct"), "0", "nf_conntrack_acct is 0: flows have no counters; sysctl -w "
			       "net.netfilter.nf_conntrack_acct=1; flows born before stay without." },
	{ SYSCTL("timestamp"), "0", "nf_conntrack_timestamp is 0: flows do not tell when" },
	{ SYSCTL("helper"), "0", "nf_conntrack_helper is 0: flows get a helper from rules alone" },
};

static void all_on(void)
{
	for (size_t i = 0; i < COUNT(sysctls); i++)
		write_file(sysctls[i].path, "1");
}

static void test_sysctls(struct nfct_handle *h)
{
	for (size_t i = 0; i < COUNT(sysctls); i++) {
		about("%s", sysctls[i].words);
		CHECK(!says(h, sysctls[i].words));
		if (access(sysctls[i].path, F_OK) != 0)
			continue; /* a kernel without it */
		CHECK_INT(write_file(sysctls[i].path, sysctls[i].off), 0);
		CHECK(says(h, sysctls[i].words));
		CHECK_INT(write_file(sysctls[i].path, "1"), 0);
		CHECK(!says(h, sysctls[i].words));
	}
	about("%s", "");
	CHECK(says(h, "The table holds 1 of at most "));
	CHECK(strchr(text, '\n') == text + strlen(text) - 1);
}

static void test_groups(void)
{
	struct ctrs_open_options options = { .size = sizeof(options), .receive_buffer = 1024,
					     .groups = NF_NETLINK_CONNTRACK_NEW };
	struct nfct_handle *plain = nfct_open(CONNTRACK, 0), *h = ctrs_open(&options, NULL);

	CHECK(says(plain, "The socket listens to no events"));
	CHECK(!says(h, "listens to no events"));
	CHECK(!says(h, "messages were lost"));
	create_flows(plain, 1, 20);
	CHECK(says(h, "messages were lost, as its receive buffer was full"));
	CHECK(!says(plain, "messages were lost"));
	nfct_close(h);
	nfct_close(plain);
}

/* The namespace is that of the handle, not of the thread. */
static void test_elsewhere(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);

	CHECK_INT(write_file(SYSCTL("acct"), "0"), 0);
	CHECK_INT(unshare(CLONE_NEWNET), 0);
	CHECK_INT(write_file(SYSCTL("acct"), "1"), 0);
	CHECK(says(h, "nf_conntrack_acct is 0"));
	CHECK(says(h, "The table holds 21 of at most"));
	nfct_close(h);
	h = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
	CHECK(!says(h, "nf_conntrack_acct is 0"));
	CHECK(says(h, "There is no flow: packets are tracked only where a rule"));
	nfct_close(h);
}

static void test_privileges(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
	struct nfct_handle *h = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);

	CHECK(!says(h, "lacks CAP_NET_ADMIN"));
	CHECK_INT(syscall(SYS_capset, &header, none), 0);
	CHECK(says(h, "This thread lacks CAP_NET_ADMIN"));
	nfct_close(h);
}

static void test_text(struct nfct_handle *h)
{
	char whole[4096], part[64];
	int length;

	write_file(SYSCTL("acct"), "0");
	length = ctrs_diagnose(h, whole, sizeof(whole));
	CHECK_INT(ctrs_diagnose(h, NULL, 0), length);
	memset(part, 'x', sizeof(part));
	for (size_t size = 1; size < sizeof(part); size++) {
		CHECK_INT(ctrs_diagnose(h, part, size), length);
		CHECK_MEM(part, whole, size - 1);
		CHECK_INT(part[size - 1], '\0');
		CHECK_INT(part[size], 'x');
	}
	CHECK_INT(ctrs_diagnose(h, whole, SIZE_MAX), length);
	CHECK_ERR(ctrs_diagnose(h, NULL, 10), -1, EINVAL);
	CHECK_INT(ctrs_last_error(h)->kind, CTRS_ERROR_INVALID);
	CHECK_ERR(ctrs_diagnose(NULL, whole, sizeof(whole)), -1, EINVAL);
	write_file(SYSCTL("acct"), "1");
}

int main(void)
{
	struct nfct_handle *h;

	own_namespace();
	all_on();
	h = nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS);
	create_flows(h, 0, 1);
	test_sysctls(h);
	test_text(h);
	nfct_close(h);
	test_groups();
	in_child(test_elsewhere);
	in_child(test_privileges);
	return finish();
}
#endif
