/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Filters that are expressions: compiled, with errors that point at a byte; asked of entries and
 * records; printed and explained; shared by threads. */
#define _GNU_SOURCE /* mkstemp */
#include "check.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there are none */
	return finish();
}
#else
#include <ctrs.h>
#include <pthread.h>
#include <unistd.h>

static struct ctrs_filter *compiled(const char *text)
{
	struct ctrs_error error = { .size = sizeof(error) };
	struct ctrs_filter *filter = ctrs_filter_compile(text, NULL, &error);

	about("%s", text);
	if (!CHECK(filter != NULL))
		printf("    %s\n", error.text);
	CHECK_INT(error.err, 0);
	CHECK_INT(error.kind, CTRS_ERROR_NONE);
	about("");
	return filter;
}

static void test_errors(void)
{
	static const struct {
		const char *text;
		uint32_t offset;
		const char *what;
	} wrong[] = {
		{ "", 0, "expected an expression; every flow is `all`" },
		{ "tcp and dprt 22", 8, "is `dport` meant?" },
		{ "tcp and dport", 13, "expected a port" },
		{ "src 10.0.0.1/8", 11, "bits behind its prefix" },
		{ "mark 0x100/0xff", 5, "bits outside of its mask" },
		{ "state established", 0, "`tcp state`" },
		{ "label \"x\"", 6, "no names of labels were given" },
		{ "tcp \xff", 4, "UTF-8" },
	};

	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct ctrs_error error = { .size = sizeof(error) };

		about("%s", wrong[i].text);
		CHECK_NULL(ctrs_filter_compile(wrong[i].text, NULL, &error), EINVAL);
		CHECK_INT(error.err, EINVAL);
		CHECK_INT(error.kind, CTRS_ERROR_SYNTAX);
		CHECK_INT(error.offset, wrong[i].offset);
		CHECK(strstr(error.text, wrong[i].what) != NULL);
		CHECK_NULL(ctrs_filter_compile(wrong[i].text, NULL, NULL), EINVAL);
	}
	about("");
}

static void test_null(void)
{
	struct ctrs_error error = { .size = sizeof(error) };
	struct ctrs_filter *filter = compiled("tcp");
	struct nf_conntrack *ct = nfct_new();
	struct ctrs_flow flow = { 0 };
	char text[8];

	CHECK_NULL(ctrs_filter_compile(NULL, NULL, &error), EINVAL);
	CHECK_INT(error.kind, CTRS_ERROR_INVALID);
	CHECK_NULL(ctrs_filter_compile(NULL, NULL, NULL), EINVAL);
	error.size = 1;
	CHECK_NULL(ctrs_filter_compile("tcp", NULL, &error), EINVAL);
	CHECK_ERR(ctrs_filter_match(NULL, ct, 0), -1, EINVAL);
	CHECK_ERR(ctrs_filter_match(filter, NULL, 0), -1, EINVAL);
	CHECK_ERR(ctrs_filter_match(filter, ct, 3), -1, EINVAL);
	CHECK_ERR(ctrs_filter_match(filter, ct, UINT32_MAX), -1, EINVAL);
	CHECK_ERR(ctrs_filter_match_flow(NULL, &flow, sizeof(flow), 0), -1, EINVAL);
	CHECK_ERR(ctrs_filter_match_flow(filter, NULL, sizeof(flow), 0), -1, EINVAL);
	CHECK_ERR(ctrs_filter_match_flow(filter, &flow, 0, 0), -1, EINVAL);
	CHECK_ERR(ctrs_filter_match_flow(filter, &flow, 17, 0), -1, EINVAL);
	CHECK_ERR(ctrs_filter_match_flow(filter, &flow, sizeof(flow), 3), -1, EINVAL);
	CHECK_ERR(ctrs_filter_print(NULL, text, sizeof(text)), -1, EINVAL);
	CHECK_ERR(ctrs_filter_explain(NULL, text, sizeof(text)), -1, EINVAL);
	CHECK_ERR(ctrs_filter_attach(NULL, filter), -1, EINVAL);
	CHECK_ERR(ctrs_filter_attach(NULL, NULL), -1, EINVAL);
	CHECK_NOOP(ctrs_filter_free(NULL));
	ctrs_filter_free(filter);
	nfct_destroy(ct);
}

/* A flow of TCP with mark 5 and label 3; its counters are not told. */
static struct nf_conntrack *an_entry(void)
{
	struct nf_conntrack *ct = nfct_new();
	struct nfct_bitmask *labels = nfct_bitmask_new(127);

	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, htonl(0x0a000001));
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, htonl(0xc0000201));
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(1000));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(80));
	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	nfct_set_attr_u32(ct, ATTR_MARK, 5);
	nfct_bitmask_set_bit(labels, 3);
	nfct_set_attr(ct, ATTR_CONNLABELS, labels);
	return ct;
}

static void test_match(void)
{
	static const struct {
		const char *text;
		int truth;
	} asked[] = {
		{ "tcp and dport 80 and src 10.0.0.0/8", CTRS_TRUE },
		{ "mark 5 and label 3 and helper != \"ftp\"", CTRS_TRUE },
		{ "mark 5/7 and not label 4", CTRS_TRUE },
		{ "udp or dport 81", CTRS_FALSE },
		{ "bytes > 1M", CTRS_UNKNOWN },
		{ "not bytes > 1M", CTRS_UNKNOWN },
		{ "tcp or bytes > 1M", CTRS_TRUE },
	};
	struct nf_conntrack *ct = an_entry();
	struct ctrs_flow flow;
	struct ctrs_filter *filter;

	CHECK_INT(ctrs_flow_from(&flow, sizeof(flow), ct), 0);
	for (size_t i = 0; i < COUNT(asked); i++) {
		filter = compiled(asked[i].text);
		about("%s", asked[i].text);
		CHECK_ERR(ctrs_filter_match(filter, ct, 0), asked[i].truth, UNTOUCHED);
		CHECK_ERR(ctrs_filter_match_flow(filter, &flow, sizeof(flow), 0), asked[i].truth,
			  UNTOUCHED);
		ctrs_filter_free(filter);
	}
	about("");
	/* Where it came from decides what is known of what is not there. */
	filter = compiled("not label 4");
	nfct_attr_unset(ct, ATTR_CONNLABELS);
	CHECK_INT(ctrs_flow_from(&flow, sizeof(flow), ct), 0);
	CHECK_INT(ctrs_filter_match(filter, ct, 0), CTRS_TRUE);
	CHECK_INT(ctrs_filter_match(filter, ct, NFCT_T_NEW), CTRS_TRUE);
	CHECK_INT(ctrs_filter_match(filter, ct, NFCT_T_UPDATE), CTRS_UNKNOWN);
	CHECK_INT(ctrs_filter_match_flow(filter, &flow, sizeof(flow), NFCT_T_DESTROY), CTRS_UNKNOWN);
	/* A program that knows less of records: what its size lacks is not there. */
	CHECK_INT(ctrs_filter_match_flow(filter, &flow, 16, 0), CTRS_TRUE);
	ctrs_filter_free(filter);
	nfct_destroy(ct);
}

static void test_print(void)
{
	struct ctrs_filter *filter = compiled("proto tcp and not (dport {80,443}) and mark 42");
	const char *printed = "tcp and dport != {80, 443} and mark 0x2a";
	char text[512];
	int length = (int)strlen(printed);

	CHECK_INT(ctrs_filter_print(filter, text, sizeof(text)), length);
	CHECK_STR(text, printed);
	CHECK_INT(ctrs_filter_print(filter, NULL, 0), length);
	memset(text, 'x', sizeof(text));
	CHECK_INT(ctrs_filter_print(filter, text, 8), length);
	CHECK_MEM(text, "tcp and\0x", 9);
	length = ctrs_filter_explain(filter, NULL, 0);
	CHECK_INT(ctrs_filter_explain(filter, text, sizeof(text)), length);
	CHECK_INT(strlen(text), length);
	CHECK(strstr(text, "\nmark 0x2a           list: kernel ") != NULL);
	ctrs_filter_free(filter);
}

static void test_labels(void)
{
	char path[] = "/tmp/ctrs-labels-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	struct nfct_labelmap *labels;
	struct ctrs_filter *filter;
	char text[32];

	fputs("3 via isp\n", file);
	fclose(file);
	labels = nfct_labelmap_new(path);
	filter = ctrs_filter_compile("label \"via isp\"", labels, NULL);
	nfct_labelmap_destroy(labels);
	unlink(path);
	CHECK_INT(ctrs_filter_print(filter, text, sizeof(text)), 7);
	CHECK_STR(text, "label 3");
	ctrs_filter_free(filter);
}

static void *ask_often(void *data)
{
	struct nf_conntrack *ct = an_entry();
	long wrong = 0;

	for (int i = 0; i < 2000; i++)
		wrong += ctrs_filter_match(data, ct, 0) != CTRS_TRUE;
	nfct_destroy(ct);
	return (void *)wrong;
}

static void test_threads(void)
{
	struct ctrs_filter *filter = compiled("tcp and (mark 5 or bytes > 1M) and not host fc00::/7");
	pthread_t threads[4];
	void *wrong;

	for (size_t i = 0; i < COUNT(threads); i++)
		CHECK_INT(pthread_create(&threads[i], NULL, ask_often, filter), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		CHECK_INT(pthread_join(threads[i], &wrong), 0);
		CHECK(wrong == NULL);
	}
	ctrs_filter_free(filter);
}

/* A text that nests too deep, and one that is merely long. */
static void test_hostile(void)
{
	enum { MUCH = 1 << 20 };
	char *text = malloc(MUCH + 1);
	struct ctrs_error error = { .size = sizeof(error) };

	memset(text, '(', MUCH);
	text[MUCH] = '\0';
	CHECK_NULL(ctrs_filter_compile(text, NULL, &error), EINVAL);
	CHECK_INT(error.offset, 64);
	for (int i = 0; i + 4 <= MUCH; i += 4)
		memcpy(text + i, "not ", 4);
	CHECK_NULL(ctrs_filter_compile(text, NULL, &error), EINVAL);
	CHECK_INT(error.offset, MUCH);
	memcpy(text + MUCH - 4, "tcp", 4);
	ctrs_filter_free(compiled(text));
	free(text);
}

int main(void)
{
	test_errors();
	test_null();
	test_match();
	test_print();
	test_labels();
	test_threads();
	test_hostile();
	return finish();
}
#endif
