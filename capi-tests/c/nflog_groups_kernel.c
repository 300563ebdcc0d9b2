/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Groups of logged packets: several at once, taken by others, without privileges, in other network
 * namespaces. Outcome: each callback gets the packets of its group and no others; who may not is told
 * so; a group is free again when its handle is closed, whoever closes it. */
#include "logged.h"
#include <linux/capability.h>
#include <sys/syscall.h>

/* The groups that are bound in this namespace. */
static int groups_bound(void)
{
	return proc_lines("/proc/net/netfilter/nfnetlink_log", "", NULL);
}

static void receive_all(struct nflog_handle *h)
{
	while (receive_one(h) != -2)
		continue;
}

static void test_several(void)
{
	struct heard heard[GROUPS];
	struct nflog_handle *h = nflog_open();

	for (int group = GROUPS - 1; group >= 0; group--)
		bind_heard(h, (uint16_t)group, &heard[group]);
	for (int group = 0; group < GROUPS; group++)
		log_packets(group, group + 1, 10);
	receive_all(h);
	for (int group = 0; group < GROUPS; group++) {
		about("group %d", group);
		CHECK_INT(heard[group].calls, group + 1);
		CHECK_INT(heard[group].wrong, 0);
	}
	about("");
	CHECK_INT(nflog_unbind_group(heard[4].gh), 0);
	CHECK_INT(groups_bound(), GROUPS - 1);
	log_packets(4, 1, 10);
	log_packets(5, 1, 10);
	receive_all(h);
	CHECK_INT(heard[4].calls, 5);
	CHECK_INT(heard[5].calls, 7);
	CHECK_INT(nflog_close(h), 0);
	CHECK_INT(groups_bound(), 0);
}

/* As many as a program may want, unbound in another order, and all that is left freed by close. */
static void test_many(void)
{
	static struct nflog_g_handle *groups[500];
	struct nflog_handle *h = nflog_open();
	int bound = 0;

	for (size_t i = 0; i < COUNT(groups); i++)
		bound += (groups[i] = nflog_bind_group(h, (uint16_t)(i * 131))) != NULL;
	CHECK_INT(bound, COUNT(groups));
	CHECK_NULL(nflog_bind_group(h, 131), EBUSY);
	for (size_t i = 0; i < COUNT(groups); i += 2)
		bound -= nflog_unbind_group(groups[i]) == 0;
	CHECK_INT(bound, COUNT(groups) / 2);
	CHECK_INT(groups_bound(), bound);
	CHECK_INT(nflog_close(h), 0);
	CHECK_INT(groups_bound(), 0);
}

static void test_taken(void)
{
	struct nflog_handle *h = nflog_open(), *other = nflog_open();
	struct nflog_g_handle *gh = nflog_bind_group(h, 1);

	CHECK_NULL(nflog_bind_group(h, 1), EBUSY);
	CHECK_NULL(nflog_bind_group(other, 1), EPERM);
	CHECK_INT(nflog_unbind_group(gh), 0);
	gh = nflog_bind_group(other, 1);
	CHECK(gh != NULL);
	CHECK_NULL(nflog_bind_group(h, 1), EPERM);
	CHECK_INT(nflog_close(other), 0);
	CHECK(nflog_bind_group(h, 1) != NULL);
	CHECK_INT(nflog_close(h), 0);
}

/* Callbacks are replaced, and taken away. */
static void test_callbacks(void)
{
	struct heard first, second = { .answer = 0 };
	struct nflog_handle *h = nflog_open();
	struct nflog_g_handle *gh = bind_heard(h, 1, &first);

	second.gh = gh;
	log_packets(1, 3, 10);
	CHECK_INT(receive_one(h), 0);
	CHECK_ERR(nflog_callback_register(gh, hear, &second), 0, UNTOUCHED);
	CHECK_INT(receive_one(h), 0);
	CHECK_ERR(nflog_callback_register(gh, NULL, NULL), 0, UNTOUCHED);
	CHECK_ERR(receive_one(h), -1, ENODEV);
	CHECK_INT(first.calls, 1);
	CHECK_INT(second.calls, 1);
	CHECK_INT(nflog_close(h), 0);
}

static bool drop_privileges(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	return syscall(SYS_capset, &header, none) == 0;
}

/* Programs drop privileges once they have begun: receiving goes on, requests are refused, the group
 * stays, and close unbinds it. */
static void without_privileges(void)
{
	struct heard heard, waiting;
	struct nflog_handle *h = nflog_open(), *later;
	struct nflog_g_handle *gh = bind_heard(h, 1, &heard);

	bind_heard(h, 2, &waiting);
	CHECK(drop_privileges());
	log_packets(1, 1, 10);
	CHECK_INT(receive_one(h), 0);
	log_packets(2, 1, 10);
	CHECK_ERR(nflog_set_mode(gh, NFULNL_COPY_META, 0), -1, EPERM);
	CHECK_INT(waiting.calls, 1);
	CHECK_ERR(nflog_unbind_group(gh), -1, EPERM);
	CHECK_NULL(nflog_bind_group(h, 3), EPERM);
	CHECK_ERR(nflog_bind_pf(h, AF_INET), -1, EPERM);
	CHECK_ERR(nflog_unbind_pf(h, AF_INET), -1, EPERM);
	log_packets(1, 1, 10); /* its callback is called still */
	CHECK_INT(receive_one(h), 0);
	CHECK_INT(heard.calls, 2);
	later = nflog_open(); /* opening needs none */
	CHECK(later != NULL);
	CHECK_NULL(nflog_bind_group(later, 3), EPERM);
	CHECK_INT(nflog_close(later), 0);
	CHECK_INT(nflog_close(h), 0);
}

/* A handle stays in the namespace that it was opened in, wherever its thread goes. */
static void test_namespaces(void)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct nflog_handle *h = nflog_open(), *there;
	struct heard heard, elsewhere;

	bind_heard(h, 1, &heard);
	CHECK_INT(unshare(CLONE_NEWNET), 0);
	there = nflog_open();
	bind_heard(there, 1, &elsewhere);
	CHECK_ERR(nflog_set_timeout(heard.gh, 10), 0, UNTOUCHED);
	CHECK_INT(setns(home, CLONE_NEWNET), 0);
	close(home);
	log_packets(1, 1, 10);
	CHECK_INT(receive_one(h), 0);
	CHECK_INT(receive_one(there), -2);
	CHECK_INT(heard.calls, 1);
	CHECK_INT(elsewhere.calls, 0);
	CHECK_ERR(nflog_unbind_group(elsewhere.gh), 0, UNTOUCHED);
	CHECK_INT(groups_bound(), 1);
	CHECK_INT(nflog_close(there), 0);
	CHECK_INT(nflog_close(h), 0);
}

/* The descriptor is closed behind the handle's back: it is freed all the same. */
static void test_closed_descriptor(void)
{
	struct nflog_handle *h = nflog_open();
	struct nflog_g_handle *gh = nflog_bind_group(h, 1);

	CHECK_INT(close(nflog_fd(h)), 0);
	CHECK_ERR(nflog_bind_pf(h, AF_INET), -1, EBADF);
	CHECK_NULL(nflog_bind_group(h, 2), EBADF);
	CHECK_ERR(nflog_unbind_group(gh), -1, EBADF);
	CHECK_ERR(nflog_close(h), -1, EBADF);
}

int main(void)
{
	if (log_by_port()) {
		test_several();
		test_many();
		test_taken();
		test_callbacks();
		in_child(without_privileges);
		CHECK_INT(groups_bound(), 0);
		test_namespaces();
		test_closed_descriptor();
	}
	return finish();
}
