/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Events without memory: each allocation that a call makes fails once, and no event is lost by that. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include "failing_allocations.h"
#include "open_with.h"
#include <dirent.h>
#include <dlfcn.h>

static struct ctrs_event events[6];
static struct nfct_handle *asks;

/* A flow with labels, for which an object needs memory. */
static void make_labelled(unsigned int n)
{
	struct nf_conntrack *ct = new_flow(n);
	struct nfct_bitmask *labels = nfct_bitmask_new(127);

	nfct_bitmask_set_bit(labels, 5);
	nfct_set_attr(ct, ATTR_CONNLABELS, labels);
	CHECK_INT(query_flow(asks, NFCT_Q_CREATE, ct), 0);
}

static int read_events(void)
{
	struct nfct_handle *h;
	long then = left;
	int result, rest;

	left = -1;
	h = nfct_open(CONNTRACK, NF_NETLINK_CONNTRACK_NEW);
	make_labelled(0);
	make_labelled(1);
	left = then;
	errno = UNTOUCHED;
	result = (int)ctrs_event_read(h, events, 3, sizeof(events[0]), 0);
	left = -1;
	if (result == -1) {
		CHECK_INT(errno, ENOMEM);
		CHECK_INT(ctrs_last_error(h)->kind, CTRS_ERROR_OUT_OF_MEMORY);
		result = 0;
	}
	/* What was not read for lack of memory is read with it. */
	rest = (int)ctrs_event_read(h, events + result, 3, sizeof(events[0]), 0);
	CHECK_INT(result + rest, 2);
	for (unsigned int i = 0; i < 2; i++)
		CHECK_INT(events[i].flow.orig.src[3], i + 1);
	CHECK_INT(nfct_close(h), 0);
	CHECK_INT(flush(asks), 0);
	return result == 2;
}

/* In place of the C library's: a folder for which there was no memory is not closed, musl ends for that. */
int closedir(DIR *folder)
{
	DIR *volatile given = folder; /* which is never NULL, the compiler believes */

	CHECK(given != NULL);
	return given != NULL ? ((int (*)(DIR *))dlsym(RTLD_NEXT, "closedir"))(folder) : -1;
}

/* Lists the namespaces, of which one is this one's. */
static int list_namespaces(void)
{
	static struct ctrs_namespace namespaces[1];
	int number = ctrs_namespaces(asks, namespaces, 1, sizeof(namespaces[0]));

	if (number == -1) {
		CHECK_INT(errno, ENOMEM);
		return 0;
	}
	CHECK_INT(namespaces[0].flags & CTRS_NAMESPACE_OWN, CTRS_NAMESPACE_OWN);
	return 1;
}

int main(void)
{
	static char output_buffer[65536];

	setvbuf(stdout, output_buffer, _IOFBF, sizeof(output_buffer));
	own_namespace();
	asks = nfct_open(CONNTRACK, 0);
	CHECK_INT(read_events(), 1); /* what is kept of the first */
	try_call("read", read_events);
	CHECK_INT(list_namespaces(), 1);
	try_call("namespaces", list_namespaces);
	CHECK_INT(nfct_close(asks), 0);
	return finish();
}
#endif
