/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Events of several network namespaces, and the list of those that are heard and that are not. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include "elsewhere.h"
#include "open_with.h"
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define MOST 1000 /* others may make namespaces meanwhile */

static struct ctrs_namespace list[MOST];

/* Gives the namespace of a file an id in this one, as `ip netns set` does. */
static void give_id(const char *path, int32_t id)
{
	struct {
		struct nlmsghdr head;
		char family[4]; /* struct rtgenmsg, padded */
		struct nlattr of_fd;
		int32_t fd;
		struct nlattr of_id;
		int32_t id;
	} request = {
		.head = { sizeof(request), RTM_NEWNSID, NLM_F_REQUEST | NLM_F_ACK, 1, 0 },
		.of_fd = { 8, NETNSA_FD }, .fd = open(path, O_RDONLY | O_CLOEXEC),
		.of_id = { 8, NETNSA_NSID }, .id = id,
	};
	struct { struct nlmsghdr head; struct nlmsgerr error; char rest[64]; } answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	CHECK_INT(send(fd, &request, sizeof(request), 0), sizeof(request));
	CHECK(recv(fd, &answer, sizeof(answer), 0) > 0 && answer.error.error == 0);
	close(fd);
	close(request.fd);
}

static uint64_t inode(const char *path)
{
	struct stat status = { .st_ino = 0 };

	CHECK_INT(stat(path, &status), 0);
	return status.st_ino;
}

/* The row of a namespace, of which there is one. */
static struct ctrs_namespace row(struct nfct_handle *h, const char *path)
{
	int number = ctrs_namespaces(h, list, MOST, sizeof(list[0]));
	struct ctrs_namespace found = { .inode = 0 };
	uint64_t wanted = inode(path);
	int times = 0;

	CHECK(number > 0 && number < MOST);
	for (int i = 0; i < number; i++)
		if (list[i].inode == wanted) {
			found = list[i];
			times++;
		}
	CHECK_INT(times, 1);
	return found;
}

/* Creates a flow in the namespace of a file. */
static void create_there(const char *path, unsigned int n)
{
	struct nfct_handle *h = open_with((struct ctrs_open_options){ .netns = path });

	create_flows(h, n, 1);
	CHECK_INT(nfct_close(h), 0);
}

/* What is heard and what is not is what the list says. */
static void test_heard(struct nfct_handle *h, const struct elsewhere *blue, const struct elsewhere *red,
		       const struct elsewhere *deaf)
{
	struct ctrs_event event;
	struct ctrs_namespace own = row(h, "/proc/self/ns/net");

	CHECK_INT(own.flags & CTRS_NAMESPACE_OWN, CTRS_NAMESPACE_OWN);
	CHECK(own.inode == list[0].inode && own.path[0] == '/');
	CHECK_INT(row(h, blue->namespace).flags, CTRS_NAMESPACE_NSID);
	CHECK_INT(row(h, blue->namespace).nsid, 5);
	CHECK_STR(row(h, blue->namespace).path, blue->namespace);
	CHECK_INT(row(h, red->namespace).nsid, 9);
	CHECK_INT(row(h, deaf->namespace).flags, 0);
	CHECK_STR(row(h, deaf->namespace).path, deaf->namespace);
	create_there(deaf->namespace, 0);
	create_there(blue->namespace, 1);
	create_there(red->namespace, 2);
	create_there("/proc/self/ns/net", 3);
	for (int i = 1; i < 4; i++) {
		CHECK_INT(ctrs_event_next(h, &event, sizeof(event), NULL, 1000), 1);
		CHECK_INT(event.flow.orig.src[3], i + 1);
		CHECK_INT(event.flags & CTRS_EVENT_NSID, i < 3 ? CTRS_EVENT_NSID : 0);
		CHECK_INT(event.nsid, i == 1 ? 5 : i == 2 ? 9 : 0);
	}
	CHECK_INT(ctrs_event_next(h, &event, sizeof(event), NULL, 0), 0);
}

/* As the other namespace sees it: ids are its own. */
static void test_from_there(const struct elsewhere *blue, const struct elsewhere *red)
{
	struct nfct_handle *h = open_with((struct ctrs_open_options){ .netns = blue->namespace });

	CHECK_INT(row(h, blue->namespace).flags & CTRS_NAMESPACE_OWN, CTRS_NAMESPACE_OWN);
	CHECK(list[0].inode == inode(blue->namespace));
	CHECK_INT(row(h, red->namespace).flags, 0);
	CHECK_INT(nfct_close(h), 0);
}

/* Files with a name come first, whoever keeps them; and one of something else is none. */
static void test_names(struct nfct_handle *h, const struct elsewhere *blue, const struct elsewhere *red)
{
	static const char *const folders[] = { "/run/netns", "/run/docker", "/run/docker/netns" };
	static const char *const files[] = { "/run/netns/blue", "/run/docker/netns/1", "/run/netns/none" };
	const char *const of[] = { blue->namespace, red->namespace };

	CHECK_INT(unshare(CLONE_NEWNS), 0);
	CHECK_INT(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL), 0);
	CHECK_INT(mount("none", "/run", "tmpfs", 0, NULL), 0);
	for (size_t i = 0; i < COUNT(folders); i++)
		CHECK_INT(mkdir(folders[i], 0755), 0);
	for (size_t i = 0; i < COUNT(files); i++)
		CHECK_INT(close(open(files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644)), 0);
	for (size_t i = 0; i < COUNT(of); i++)
		CHECK_INT(mount(of[i], files[i], "none", MS_BIND, NULL), 0);
	CHECK_STR(row(h, blue->namespace).path, "/run/netns/blue");
	CHECK_STR(row(h, red->namespace).path, "/var/run/docker/netns/1");
	CHECK_INT(row(h, red->namespace).nsid, 9);
}

/* Who may not look at other processes is told of the ids all the same. */
static void test_unseen(struct nfct_handle *h)
{
	unsigned int ids = 0;
	int number;

	give_up_privileges();
	number = ctrs_namespaces(h, list, MOST, sizeof(list[0]));
	CHECK(number >= 3);
	for (int i = 0; i < number; i++)
		if (list[i].inode == 0) {
			CHECK_INT(list[i].flags, CTRS_NAMESPACE_NSID);
			CHECK_STR(list[i].path, "");
			ids |= 1u << list[i].nsid;
		}
	CHECK_INT(ids, 1u << 5 | 1u << 9);
}

static void test_room(struct nfct_handle *h, const struct elsewhere *blue)
{
	struct { struct ctrs_namespace whole; uint64_t more; } newer[2];
	struct { uint64_t inode; int32_t nsid; uint32_t flags; char path[8], guard[8]; } older;
	struct ctrs_namespace own = row(h, "/proc/self/ns/net");

	CHECK(ctrs_namespaces(h, NULL, 0, sizeof(own)) >= 4);
	memset(&older, 0x55, sizeof(older));
	CHECK(ctrs_namespaces(h, (void *)&older, 1, offsetof(struct ctrs_namespace, path) + 8) >= 4);
	CHECK(older.inode == own.inode && older.flags == own.flags);
	CHECK(older.path[0] == 0 && older.guard[0] == 0x55);
	memset(newer, 0x55, sizeof(newer));
	CHECK(ctrs_namespaces(h, &newer[0].whole, 2, sizeof(newer[0])) >= 4);
	CHECK(newer[0].whole.inode == own.inode && newer[0].more == 0 && newer[1].more == 0);
	CHECK_ERR(ctrs_namespaces(NULL, list, 1, sizeof(own)), -1, EINVAL);
	CHECK_ERR(ctrs_namespaces(h, NULL, 1, sizeof(own)), -1, EINVAL);
	CHECK_ERR(ctrs_namespaces(h, list, 1, 8), -1, EINVAL);
	CHECK_ERR(ctrs_namespaces(h, list, 1, sizeof(own) + 4), -1, EINVAL);
	CHECK_INT(row(h, blue->namespace).nsid, 5);
}

static struct nfct_handle *listens;
static struct elsewhere blue, red, deaf;

static void unprivileged(void)
{
	test_unseen(listens);
}

static void named(void)
{
	test_names(listens, &blue, &red);
}

int main(void)
{
	int before;

	own_namespace();
	before = descriptors();
	blue = begin_elsewhere();
	red = begin_elsewhere();
	deaf = begin_elsewhere();
	give_id(blue.namespace, 5);
	give_id(red.namespace, 9);
	listens = open_with((struct ctrs_open_options){ .flags = CTRS_OPEN_ALL_NAMESPACES,
							.groups = NF_NETLINK_CONNTRACK_NEW });
	test_heard(listens, &blue, &red, &deaf);
	test_from_there(&blue, &red);
	test_room(listens, &blue);
	in_child(named);
	in_child(unprivileged);
	CHECK_INT(nfct_close(listens), 0);
	end_elsewhere(blue);
	end_elsewhere(red);
	end_elsewhere(deaf);
	CHECK_INT(descriptors(), before);
	return finish();
}
#endif
