/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is refused is explained: in fields, and in one sentence. Each request has one fault. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include <ctrs.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <linux/capability.h>

#define NONE CTRS_ERROR_NOWHERE
#define POLICY "Attribute failed policy validation"

/* The flow of row n, which is there and has no helper, no room for labels, a timeout that is fixed
 * where n is FIXED; flows from ABSENT on are not there. */
enum { HERE = 1, FIXED = 2, ABSENT = 10 };

static struct nf_conntrack *no_timeout(void)
{
	struct nf_conntrack *ct = new_flow(ABSENT);

	nfct_attr_unset(ct, ATTR_TIMEOUT);
	return ct;
}

static struct nf_conntrack *no_reply(void)
{
	struct nf_conntrack *ct = flow(ABSENT);

	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 5);
	return ct;
}

static struct nf_conntrack *other_protocol(void)
{
	struct nf_conntrack *ct = new_flow(ABSENT);

	nfct_set_attr_u8(ct, ATTR_REPL_L4PROTO, IPPROTO_UDP);
	return ct;
}

static struct nf_conntrack *other_family(void)
{
	struct nf_conntrack *ct = new_flow(ABSENT);

	nfct_set_attr_u8(ct, ATTR_REPL_L3PROTO, AF_INET6);
	return ct;
}

static struct nf_conntrack *no_query(void)
{
	struct nf_conntrack *ct = flow(ABSENT);

	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_ICMP);
	nfct_set_attr_u8(ct, ATTR_ICMP_TYPE, 3);
	nfct_set_attr_u8(ct, ATTR_ICMP_CODE, 0);
	nfct_set_attr_u16(ct, ATTR_ICMP_ID, 7);
	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 5);
	return ct;
}

static struct nf_conntrack *zone_twice(void)
{
	struct nf_conntrack *ct = new_flow(ABSENT);

	nfct_set_attr_u16(ct, ATTR_ZONE, 3);
	nfct_set_attr_u16(ct, ATTR_ORIG_ZONE, 3);
	return ct;
}

static struct nf_conntrack *part_of_sctp(void)
{
	struct nf_conntrack *ct = flow(ABSENT);

	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_SCTP);
	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 5);
	nfct_set_attr_u8(ct, ATTR_SCTP_STATE, 3);
	return ct;
}

static struct nf_conntrack *helped(struct nf_conntrack *ct, const char *name)
{
	nfct_set_attr(ct, ATTR_HELPER_NAME, name);
	return ct;
}

static struct nf_conntrack *unknown_helper(void)
{
	return helped(new_flow(ABSENT), "no-such");
}

/* Of a helper that the kernel has, for UDP. */
static struct nf_conntrack *foreign_helper(void)
{
	return helped(new_flow(ABSENT), "tftp");
}

static struct nf_conntrack *of_master(struct nf_conntrack *ct)
{
	nfct_set_attr_u8(ct, ATTR_MASTER_L3PROTO, AF_INET);
	nfct_set_attr_u8(ct, ATTR_MASTER_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u32(ct, ATTR_MASTER_IPV4_SRC, 1);
	nfct_set_attr_u32(ct, ATTR_MASTER_IPV4_DST, 2);
	nfct_set_attr_u16(ct, ATTR_MASTER_PORT_SRC, 3);
	nfct_set_attr_u16(ct, ATTR_MASTER_PORT_DST, 4);
	return ct;
}

static struct nf_conntrack *unknown_master(void)
{
	return of_master(new_flow(ABSENT));
}

static struct nf_conntrack *dying(void)
{
	struct nf_conntrack *ct = new_flow(ABSENT);

	nfct_set_attr_u32(ct, ATTR_STATUS, IPS_CONFIRMED | IPS_DYING);
	return ct;
}

static struct nf_conntrack *again(void)
{
	return new_flow(HERE);
}

static struct nf_conntrack *with_nat(struct nf_conntrack *ct)
{
	nfct_set_attr_u32(ct, ATTR_SNAT_IPV4, htonl(0x0a090909));
	return ct;
}

static struct nf_conntrack *again_with_nat(void)
{
	return with_nat(new_flow(HERE));
}

static struct nf_conntrack *new_nat(void)
{
	return with_nat(flow(HERE));
}

static struct nf_conntrack *new_helper(void)
{
	return helped(flow(HERE), "ftp");
}

static struct nf_conntrack *labels(unsigned int highest)
{
	struct nf_conntrack *ct = flow(HERE);
	struct nfct_bitmask *mask = nfct_bitmask_new(highest);

	nfct_bitmask_set_bit(mask, highest);
	nfct_set_attr(ct, ATTR_CONNLABELS, mask);
	return ct;
}

static struct nf_conntrack *first_labels(void)
{
	return labels(127);
}

static struct nf_conntrack *long_labels(void)
{
	return labels(159);
}

static struct nf_conntrack *odd_state(void)
{
	struct nf_conntrack *ct = flow(HERE);

	nfct_set_attr_u8(ct, ATTR_TCP_STATE, 20);
	return ct;
}

static struct nf_conntrack *fixed(void)
{
	struct nf_conntrack *ct = flow(FIXED);

	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 5);
	return ct;
}

static struct nf_conntrack *absent(void)
{
	return marked(flow(ABSENT), 1);
}

static struct nf_conntrack *other_zone(void)
{
	struct nf_conntrack *ct = marked(flow(HERE), 1);

	nfct_set_attr_u16(ct, ATTR_ZONE, 3);
	return ct;
}

static struct nf_conntrack *here(void)
{
	return flow(HERE);
}

static struct nf_conntrack *cleared(void)
{
	struct nf_conntrack *ct = flow(HERE);

	nfct_set_attr_u32(ct, ATTR_STATUS, IPS_CONFIRMED);
	return ct;
}

static const uint32_t some_id = 1;

static int create(struct nfct_handle *h, const struct nf_conntrack *ct)
{
	return ctrs_create(h, ct, NULL);
}

static int update(struct nfct_handle *h, const struct nf_conntrack *ct)
{
	return ctrs_update(h, ct, CTRS_ORIGINAL, NULL);
}

static int get(struct nfct_handle *h, const struct nf_conntrack *ct)
{
	return ctrs_get(h, ct, CTRS_ORIGINAL, NULL);
}

static int delete(struct nfct_handle *h, const struct nf_conntrack *ct)
{
	return ctrs_delete(h, ct, CTRS_ORIGINAL, NULL, NULL);
}

static int delete_by_id(struct nfct_handle *h, const struct nf_conntrack *ct)
{
	return ctrs_delete(h, ct, CTRS_ORIGINAL, &some_id, NULL);
}

static const struct row {
	int (*request)(struct nfct_handle *, const struct nf_conntrack *);
	struct nf_conntrack *(*object)(void);
	int err;
	unsigned int kind, attribute;
	const char *kernel, *text;
} rows[] = {
	{ create, no_timeout, EINVAL, CTRS_ERROR_INVALID, ATTR_TIMEOUT, "",
	  "cannot create the flow: the flow has no timeout (errno 22)" },
	{ create, no_reply, EINVAL, CTRS_ERROR_INVALID, ATTR_REPL_L3PROTO, "", "no reply tuple" },
	{ create, other_protocol, EINVAL, CTRS_ERROR_INVALID, ATTR_REPL_L4PROTO, "",
	  "the reply tuple has another protocol than the original one" },
	{ create, other_family, EINVAL, CTRS_ERROR_INVALID, ATTR_REPL_L3PROTO, "",
	  "the reply tuple lacks addresses of the family of the original one" },
	{ create, no_query, EINVAL, CTRS_ERROR_INVALID, ATTR_L3PROTO, "",
	  "cannot create the flow: the flow has no tuple that is whole" },
	{ create, zone_twice, EINVAL, CTRS_ERROR_INVALID, ATTR_ZONE, "", "a zone is given twice" },
	{ create, part_of_sctp, EINVAL, CTRS_ERROR_INVALID, ATTR_SCTP_STATE, "",
	  "the SCTP state is incomplete" },
	{ create, unknown_helper, EOPNOTSUPP, CTRS_ERROR_UNSUPPORTED, ATTR_HELPER_NAME, "",
	  "the kernel has no helper of this name" },
	{ create, foreign_helper, EOPNOTSUPP, CTRS_ERROR_UNSUPPORTED, ATTR_HELPER_NAME, "",
	  "the kernel has this helper, but for another protocol" },
	{ create, unknown_master, ENOENT, CTRS_ERROR_NOT_FOUND, ATTR_MASTER_L3PROTO, "",
	  "the master is no flow of the table" },
	{ create, dying, EBUSY, CTRS_ERROR_BUSY, ATTR_STATUS, "",
	  "EXPECTED and DYING are status bits that only the kernel sets" },
	{ create, again, EEXIST, CTRS_ERROR_EXISTS, NONE, "",
	  "the tuple, or the reply tuple, belongs to another flow" },
	{ create, again_with_nat, EEXIST, CTRS_ERROR_EXISTS, NONE, "",
	  "the tuple, or the reply tuple that NAT makes, belongs to another flow" },
	{ update, new_nat, EOPNOTSUPP, CTRS_ERROR_UNSUPPORTED, ATTR_SNAT_IPV4, "",
	  "cannot update the flow: the NAT of a flow cannot be changed" },
	{ update, new_helper, EOPNOTSUPP, CTRS_ERROR_UNSUPPORTED, ATTR_HELPER_NAME, "",
	  "the flow was created without a helper" },
	{ update, first_labels, ENOSPC, CTRS_ERROR_UNSUPPORTED, ATTR_CONNLABELS, "",
	  "no rule of this namespace used labels when it began" },
	{ update, long_labels, ERANGE, CTRS_ERROR_INVALID, ATTR_CONNLABELS, POLICY,
	  "the kernel says \"" POLICY "\" of the labels, which has at most 16 bytes (errno 34)" },
	{ update, odd_state, ERANGE, CTRS_ERROR_INVALID, ATTR_TCP_STATE, "",
	  "the TCP state is none that the kernel has" },
	{ update, fixed, EPERM, CTRS_ERROR_PRIVILEGE, ATTR_TIMEOUT, "",
	  "the flow has a fixed timeout, which cannot be changed (errno 1)" },
	{ update, absent, ENOENT, CTRS_ERROR_NOT_FOUND, NONE, "", "cannot update the flow: no such" },
	{ update, other_zone, ENOENT, CTRS_ERROR_NOT_FOUND, ATTR_ZONE, "",
	  "none has this tuple in this zone" },
	{ get, absent, ENOENT, CTRS_ERROR_NOT_FOUND, NONE, "", "cannot get the flow: no such flow" },
	{ get, other_zone, ENOENT, CTRS_ERROR_NOT_FOUND, ATTR_ZONE, "", "none has this tuple in this" },
	{ delete, absent, ENOENT, CTRS_ERROR_NOT_FOUND, NONE, "", "cannot delete the flow: no such" },
	{ delete, other_zone, ENOENT, CTRS_ERROR_NOT_FOUND, ATTR_ZONE, "", "none has this tuple in" },
	{ delete_by_id, here, ENOENT, CTRS_ERROR_NOT_FOUND, ATTR_ID, "",
	  "another took its place: none has both this tuple and this id" },
};

static void explained(const struct row *row, const struct ctrs_error *error)
{
	CHECK_INT(error->err, row->err);
	CHECK_INT(error->kind, row->kind);
	CHECK_INT(error->attribute, row->attribute);
	CHECK_STR(error->kernel, row->kernel);
	if (!CHECK(strstr(error->text, row->text) != NULL))
		printf("    %s\n", error->text);
	/* A position comes with the kernel's words, and is that of an attribute. */
	CHECK_INT(error->offset != NONE, *row->kernel != '\0');
	CHECK(error->offset == NONE || (error->offset >= 20 && error->offset % 4 == 0));
}

static void test_rows(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = new_flow(FIXED);

	create_flows(h, HERE, 1);
	nfct_set_attr_u32(ct, ATTR_STATUS, IPS_CONFIRMED | IPS_FIXED_TIMEOUT);
	CHECK_INT(query_flow(h, NFCT_Q_CREATE, ct), 0);
	for (const struct row *row = rows; row < rows + COUNT(rows); row++) {
		ct = row->object();
		about("%s", row->text);
		CHECK_ERR(row->request(h, ct), -1, row->err);
		explained(row, ctrs_last_error(h));
		nfct_destroy(ct);
	}
	about("%s", "");
	/* A success forgets it all. */
	ct = flow(HERE);
	CHECK_INT(get(h, ct), 0);
	nfct_destroy(ct);
	CHECK_INT(ctrs_last_error(h)->err, 0);
	CHECK_INT(ctrs_last_error(h)->attribute, NONE);
	CHECK_STR(ctrs_last_error(h)->kernel, "");
	CHECK_STR(ctrs_last_error(h)->text, "");
	CHECK_INT(nfct_close(h), 0);
}

/* Each request of a batch has its own explanation. */
static void test_batch(void)
{
	static const struct row seen = { NULL, cleared, EBUSY, CTRS_ERROR_BUSY, ATTR_STATUS, "",
					 "the flow has SEEN_REPLY, ASSURED or EXPECTED" };
	static const struct row policy = { NULL, long_labels, ERANGE, CTRS_ERROR_INVALID,
					   ATTR_CONNLABELS, POLICY, "of the labels" };
	static const struct row icmp = { NULL, no_query, EINVAL, CTRS_ERROR_INVALID, ATTR_ICMP_TYPE, "",
					 "cannot create the flow: the ICMP type is no query" };
	const struct row *each[] = { &policy, &seen, &icmp, &policy };
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct ctrs_batch *batch = ctrs_batch_new(NULL);
	struct ctrs_error error = { .size = sizeof(error) };
	struct nf_conntrack *ct = flow(HERE);

	nfct_set_attr_u32(ct, ATTR_STATUS, IPS_SEEN_REPLY);
	CHECK_INT(update(h, ct), 0);
	nfct_destroy(ct);
	for (size_t i = 0; i < COUNT(each); i++) {
		ct = each[i]->object();
		CHECK_INT(ctrs_batch_add(batch, each[i] == &icmp ? NFCT_Q_CREATE : NFCT_Q_UPDATE, ct, NULL,
					 0, NULL), i);
		nfct_destroy(ct);
	}
	CHECK_INT(ctrs_batch_run(h, batch), COUNT(each));
	for (size_t i = 0; i < COUNT(each); i++) {
		CHECK_ERR(ctrs_batch_result(batch, i, NULL, &error), -1, each[i]->err);
		explained(each[i], &error);
	}
	ctrs_batch_free(batch);
	CHECK_INT(nfct_close(h), 0);
}

static void set_privileges(bool all)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2];

	CHECK_INT(syscall(SYS_capget, &header, sets), 0);
	for (int i = 0; i < 2; i++)
		sets[i].effective = all ? sets[i].permitted : 0;
	CHECK_INT(syscall(SYS_capset, &header, sets), 0);
}

static void not_opened(const struct ctrs_open_options *options, int err, unsigned int kind,
		       const char *text)
{
	struct ctrs_error error = { .size = sizeof(error) };

	about("%s", text);
	CHECK_NULL(ctrs_open(options, &error), err);
	CHECK_INT(error.err, err);
	CHECK_INT(error.kind, kind);
	CHECK_INT(error.attribute, NONE);
	if (!CHECK(strstr(error.text, text) != NULL))
		printf("    %s\n", error.text);
	CHECK_NULL(ctrs_open(options, NULL), err);
	about("%s", "");
}

#define LACKS ", and this thread does not have it: run as root"

/* Without a handle, and without what it takes. */
static void test_privileges(void)
{
	struct ctrs_open_options options = { .size = sizeof(options), .groups = 1 };
	struct ctrs_open_options there = { .size = sizeof(there), .netns = "/no/such/file" };
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = flow(HERE);

	not_opened(&there, ENOENT, CTRS_ERROR_NOT_FOUND, "there is no network namespace of this name");
	there.netns = "/proc/self/status";
	not_opened(&there, EINVAL, CTRS_ERROR_INVALID, "this is no network namespace");
	there.netns = NULL;
	there.flags = CTRS_OPEN_NETNS_FD;
	there.netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	set_privileges(false);
	not_opened(&options, EPERM, CTRS_ERROR_PRIVILEGE, "bind failed: CAP_NET_ADMIN is needed");
	not_opened(&options, EPERM, CTRS_ERROR_PRIVILEGE, LACKS);
	not_opened(&there, EPERM, CTRS_ERROR_PRIVILEGE, "setns failed: CAP_SYS_ADMIN is needed");
	not_opened(&there, EPERM, CTRS_ERROR_PRIVILEGE, LACKS);
	CHECK_ERR(get(h, ct), -1, EPERM);
	CHECK_INT(ctrs_last_error(h)->kind, CTRS_ERROR_PRIVILEGE);
	CHECK(strstr(ctrs_last_error(h)->text, "cannot get the flow: CAP_NET_ADMIN is needed in the "
		     "user namespace that owns the network namespace" LACKS) != NULL);
	set_privileges(true);
	CHECK_INT(get(h, ct), 0);
	nfct_destroy(ct);
	close(there.netns_fd);
	CHECK_INT(nfct_close(h), 0);
}

/* In a user namespace of its own, which does not own the network namespace. */
static void test_elsewhere(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = flow(HERE);

	if (unshare(CLONE_NEWUSER) == -1) {
		printf("no user namespace here: %s\n", strerror(errno));
	} else {
		CHECK_ERR(get(h, ct), -1, EPERM);
		CHECK(strstr(ctrs_last_error(h)->text,
			     ", and this thread has it only in another user namespace") != NULL);
	}
	nfct_destroy(ct);
	nfct_close(h);
}

/* Nothing can be looked up: the likely cause is named all the same. */
static void test_without_proc(void)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct nf_conntrack *ct = fixed();
	char text[4096];

	CHECK_INT(unshare(CLONE_NEWNS), 0);
	CHECK_INT(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL), 0);
	CHECK_INT(mount("none", "/proc", "tmpfs", 0, NULL), 0);
	CHECK(ctrs_diagnose(h, text, sizeof(text)) > 0);
	CHECK(strstr(text, "The sysctls of connection tracking cannot be read") == text);
	CHECK_ERR(update(h, ct), -1, EPERM);
	CHECK(strstr(ctrs_last_error(h)->text, "the flow has a fixed timeout") != NULL);
	nfct_destroy(ct);
	ct = unknown_helper();
	CHECK_ERR(create(h, ct), -1, EOPNOTSUPP);
	CHECK(strstr(ctrs_last_error(h)->text, "no helper of this name") != NULL);
	set_privileges(false);
	CHECK_ERR(get(h, ct), -1, EPERM);
	CHECK(strstr(ctrs_last_error(h)->text, "CAP_NET_ADMIN is needed in the user namespace") != NULL);
	nfct_destroy(ct);
	nfct_close(h);
}

int main(void)
{
	own_namespace();
	test_rows();
	test_batch();
	in_child(test_privileges);
	in_child(test_elsewhere);
	in_child(test_without_proc);
	return finish();
}
#endif
