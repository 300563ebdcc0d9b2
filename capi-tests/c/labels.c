/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Label bitmasks, label files, and labels in the text of a flow. */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"
#include <limits.h>

static void test_bitmask(void)
{
	static const struct { unsigned int asked, got; } rows[] = {
		{ 0, 31 }, { 1, 31 }, { 10, 31 }, { 31, 31 }, { 32, 63 }, { 63, 63 }, { 64, 95 },
		{ 127, 127 }, { 128, 159 }, { 1023, 1023 }, { 65534, 65535 }, { 65535, 65535 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned int last = rows[i].got;
		struct nfct_bitmask *b = nfct_bitmask_new(rows[i].asked), *clone;

		about("maxbit %u", rows[i].asked);
		CHECK_INT(nfct_bitmask_maxbit(b), last);
		for (unsigned int bit = 0; bit <= last; bit += bit < 64 ? 1 : 61) {
			CHECK_INT(nfct_bitmask_test_bit(b, bit), 0);
			nfct_bitmask_set_bit(b, bit);
			CHECK_INT(nfct_bitmask_test_bit(b, bit), 1);
		}
		nfct_bitmask_set_bit(b, last);
		nfct_bitmask_set_bit(b, last + 1); /* ignored: it never grows */
		nfct_bitmask_set_bit(b, UINT32_MAX);
		CHECK_INT(nfct_bitmask_test_bit(b, last + 1), 0);
		CHECK_INT(nfct_bitmask_test_bit(b, UINT32_MAX), 0);
		nfct_bitmask_unset_bit(b, last + 1);
		clone = nfct_bitmask_clone(b);
		CHECK(clone != b && nfct_bitmask_equal(clone, b));
		nfct_bitmask_unset_bit(clone, last);
		CHECK_INT(nfct_bitmask_test_bit(b, last), 1);
		CHECK_INT(nfct_bitmask_test_bit(clone, last), 0);
		CHECK(!nfct_bitmask_equal(clone, b));
		nfct_bitmask_clear(b);
		CHECK_INT(nfct_bitmask_test_bit(b, 0), 0);
		CHECK_INT(nfct_bitmask_maxbit(b), last);
		nfct_bitmask_destroy(clone);
		nfct_bitmask_destroy(b);
	}
	about("");
	CHECK_NULL(nfct_bitmask_new(65536), UNTOUCHED);
	CHECK_NULL(nfct_bitmask_new(UINT32_MAX), UNTOUCHED);
	CHECK_NOOP(nfct_bitmask_destroy(NULL));
}

static void test_equal_needs_the_same_size(void)
{
	struct nfct_bitmask *a = nfct_bitmask_new(31), *b = nfct_bitmask_new(63);

	CHECK(!nfct_bitmask_equal(a, b)); /* though both are empty */
	CHECK(nfct_bitmask_equal(a, a));
	nfct_bitmask_destroy(a);
	nfct_bitmask_destroy(b);
}

static char path[] = "/tmp/labels-XXXXXX";

static struct nfct_labelmap *map_of(const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	if (file == NULL || fwrite(text, 1, size, file) != size)
		perror(path);
	if (file != NULL)
		fclose(file);
	return nfct_labelmap_new(path);
}

/* Read by strtoul(), which makes 1 of it. */
#if ULONG_MAX == 0xffffffff
#define MINUS_ULONG_MAX "-4294967295"
#else
#define MINUS_ULONG_MAX "-18446744073709551615"
#endif

static void test_lines(void)
{
	/* a file, and the bit and name of its one label; no name: nothing in it is usable */
	static const struct { const char *text; int bit; const char *name; } rows[] = {
		{ "1 one", 1, "one" }, { "\t3\tthree\n", 3, "three" }, { "0x1f hex\n", 31, "hex" },
		{ "010 oct\n", 8, "oct" }, { "08 x\n", 0, "8 x" }, { "0x foo\n", 0, "x foo" },
		{ "0b11 foo\n", 0, "b11 foo" }, { "42T\n", 42, "T" }, { "0x1fgo\n", 31, "go" },
		{ "0x1fade\n", 0, NULL }, { "+4 plus\n", 4, "plus" }, { "-1 neg\n", 0, NULL },
		{ "1023 top\n", 1023, "top" }, { "1024 o\n", 0, NULL }, { "5\n", 0, NULL },
		{ "5   \n", 0, NULL }, { "5 \"abc\"\n", 0, NULL }, { "5 abc # c\n", 0, NULL },
		{ "5 a_b\n", 0, NULL }, { "5 a.b\n", 0, NULL }, { "5: a\n", 0, NULL },
		{ "5 a\tb\n", 0, NULL }, { "5 a   b\n", 5, "a   b" }, { "5 abc\r\n", 5, "abc" },
		{ "6 7 8\n", 6, "7 8" }, { "7-y\n", 7, "-y" }, { "1e3 a\n", 1, "e3 a" },
		{ "1.5 a\n", 0, NULL }, { "-0 z\n", 0, "z" }, { "# 1 a\n", 0, NULL },
		{ " # 1 a\n", 0, NULL }, { MINUS_ULONG_MAX " w\n", 1, "w" },
		{ "\xef\xbb\xbf" "1 a\n", 0, NULL }, { "1 a\r2 b\r", 0, NULL },
		{ "1 a_b\n1 ok\n", 1, "ok" }, { "1 a\n1 b\n", 1, "a" }, { "", 0, NULL },
		{ "99999999999999999999 a\n", 0, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct nfct_labelmap *map;

		about("file \"%s\"", rows[i].text);
		errno = UNTOUCHED;
		map = map_of(rows[i].text, strlen(rows[i].text));
		if (rows[i].name == NULL) {
			CHECK(map == NULL);
			CHECK_INT(errno, 0); /* libxt_connlabel looks for this */
			continue;
		}
		CHECK_STR(nfct_labelmap_get_name(map, (unsigned int)rows[i].bit), rows[i].name);
		CHECK_INT(nfct_labelmap_get_bit(map, rows[i].name), rows[i].bit);
		CHECK(nfct_labelmap_get_name(map, (unsigned int)rows[i].bit + 1) == NULL);
		if (rows[i].bit > 0)
			CHECK_STR(nfct_labelmap_get_name(map, 0), "");
		nfct_labelmap_destroy(map);
	}
	about("");
}

static void test_long_lines(void)
{
	struct nfct_labelmap *map;
	char text[2200];

	/* Lines are read in pieces of 1023 bytes, each a line of its own. */
	memset(text, 'x', sizeof(text));
	text[0] = '#';
	strcpy(text + 1023, "7 spill\n");
	map = map_of(text, strlen(text));
	CHECK_STR(nfct_labelmap_get_name(map, 7), "spill");
	nfct_labelmap_destroy(map);
	memset(text, 'a', sizeof(text));
	memcpy(text, "1 ", 2);
	strcpy(text + 1023, "7 evil\n");
	map = map_of(text, strlen(text));
	text[1023] = '\0';
	CHECK_STR(nfct_labelmap_get_name(map, 1), text + 2);
	CHECK_STR(nfct_labelmap_get_name(map, 7), "evil");
	nfct_labelmap_destroy(map);
	map = map_of("5 abc\0def\n6 g\n", 14);
	CHECK_STR(nfct_labelmap_get_name(map, 5), "abc");
	CHECK_STR(nfct_labelmap_get_name(map, 6), "g");
	nfct_labelmap_destroy(map);
}

static void test_lookup(void)
{
	struct nfct_labelmap *map = map_of("1 a\n2 a\n2 b\n3 A\n5 with space\n", 29);
	const char *name;

	errno = UNTOUCHED;
	CHECK_INT(nfct_labelmap_get_bit(map, "a"), 1);
	CHECK_INT(nfct_labelmap_get_bit(map, "A"), 3);
	CHECK_INT(nfct_labelmap_get_bit(map, "b"), 2);
	CHECK_INT(nfct_labelmap_get_bit(map, "with space"), 5);
	CHECK_INT(nfct_labelmap_get_bit(map, "with"), -1);
	CHECK_INT(nfct_labelmap_get_bit(map, ""), -1);
	CHECK_INT(nfct_labelmap_get_bit(map, "absent"), -1);
	name = nfct_labelmap_get_name(map, 5);
	CHECK_STR(nfct_labelmap_get_name(map, 4), "");
	CHECK(nfct_labelmap_get_name(map, 6) == NULL);
	CHECK(nfct_labelmap_get_name(map, UINT32_MAX) == NULL);
	CHECK_STR(name, "with space");
	CHECK_INT(errno, UNTOUCHED);
	nfct_labelmap_destroy(map);
	CHECK_INT(nfct_labelmap_get_bit(NULL, "a"), -1);
}

static void test_files(void)
{
	CHECK_NULL(nfct_labelmap_new("/nonexistent/labels"), ENOENT);
	CHECK_NULL(nfct_labelmap_new(""), ENOENT);
	CHECK_NULL(nfct_labelmap_new("/dev/null/labels"), ENOTDIR);
	CHECK_NULL(nfct_labelmap_new("/"), 0);
	CHECK_NULL(nfct_labelmap_new("/dev/null"), 0);
	CHECK_ERR(strcmp(nfct_labels_get_path(), "/etc/xtables/connlabel.conf"), 0, UNTOUCHED);
}

static void test_print(void)
{
	struct nfct_labelmap *map = map_of("1 one\n40 forty\n", 15);
	struct nf_conntrack *ct = nfct_new();
	struct nfct_bitmask *labels = nfct_bitmask_new(127);
	char with[512], without[512];
	int size;

	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_bitmask_set_bit(labels, 1);
	nfct_bitmask_set_bit(labels, 2);
	nfct_bitmask_set_bit(labels, 40);
	nfct_set_attr(ct, ATTR_CONNLABELS, labels);
	size = nfct_snprintf_labels(with, sizeof(with), ct, 0, NFCT_O_DEFAULT, 0, map);
	CHECK_INT(size, strlen(with));
	CHECK(strstr(with, "labels=one,forty") != NULL);
	CHECK(nfct_snprintf(without, sizeof(without), ct, 0, NFCT_O_DEFAULT, 0) > 0);
	CHECK(strstr(without, "labels") == NULL);
	CHECK_INT(nfct_snprintf_labels(with, sizeof(with), ct, 0, NFCT_O_DEFAULT, 0, NULL),
		  strlen(without));
	CHECK_STR(with, without);
	nfct_destroy(ct);
	nfct_labelmap_destroy(map);
}

/* What is set is not looked at. The object is in memory of the program: nothing is freed. */
static void test_a_setter_only_stores(void)
{
	static const int orders[][2] = {
		{ ATTR_CONNLABELS, ATTR_CONNLABELS_MASK }, { ATTR_CONNLABELS_MASK, ATTR_CONNLABELS },
	};
	static unsigned char no_bitmask[256];

	memset(no_bitmask, 1, sizeof(no_bitmask));
	for (size_t i = 0; i < COUNT(orders); i++) {
		uint64_t memory[512] = { 0 };
		struct nf_conntrack *ct = (struct nf_conntrack *)memory;

		for (int times = 0; times < 2; times++) {
			for (int k = 0; k < 2; k++) {
				nfct_set_attr(ct, ATTR(orders[i][k]), no_bitmask);
				CHECK(nfct_get_attr(ct, ATTR(orders[i][k])) == no_bitmask);
			}
		}
	}
}

#ifndef REFERENCE /* frees it twice */
static struct nf_conntrack *with_one_as_both(struct nfct_bitmask **both)
{
	struct nf_conntrack *ct = nfct_new();
	struct nfct_bitmask *b = nfct_bitmask_new(127);

	nfct_bitmask_set_bit(b, 5);
	nfct_set_attr(ct, ATTR_CONNLABELS, b);
	nfct_set_attr(ct, ATTR_CONNLABELS_MASK, b);
	CHECK(nfct_get_attr(ct, ATTR_CONNLABELS) == b && nfct_get_attr(ct, ATTR_CONNLABELS_MASK) == b);
	if (both != NULL)
		*both = b;
	return ct;
}

static void check_two(const struct nf_conntrack *ct, int labels, int mask)
{
	const struct nfct_bitmask *a = nfct_get_attr(ct, ATTR_CONNLABELS);
	const struct nfct_bitmask *b = nfct_get_attr(ct, ATTR_CONNLABELS_MASK);

	CHECK(a != b);
	CHECK_INT(nfct_bitmask_test_bit(a, 5), labels);
	CHECK_INT(nfct_bitmask_test_bit(b, 5), mask);
}

static void test_one_bitmask_as_both(void)
{
	static const int attrs[] = { ATTR_CONNLABELS, ATTR_CONNLABELS_MASK };
	static const unsigned int flags[] = { NFCT_CP_ALL, NFCT_CP_META, NFCT_CP_OVERRIDE };
	struct nf_conntrack *ct, *other;
	struct nfct_bitmask *both;

	nfct_destroy(with_one_as_both(NULL));
	ct = with_one_as_both(NULL);
	other = nfct_clone(ct);
	nfct_destroy(ct);
	check_two(other, 1, 1); /* the copies are two */
	nfct_destroy(other);
	for (size_t i = 0; i < COUNT(flags); i++) {
		about("copy with flags %u", flags[i]);
		ct = with_one_as_both(NULL);
		other = with_one_as_both(NULL);
		nfct_copy(other, ct, flags[i]);
		nfct_destroy(ct);
		check_two(other, 1, 1);
		nfct_destroy(other);
	}
	for (size_t i = 0; i < COUNT(attrs); i++) {
		about("attribute %d", attrs[i]);
		ct = with_one_as_both(&both);
		nfct_set_attr(ct, ATTR(attrs[i]), nfct_bitmask_new(31));
		CHECK(nfct_get_attr(ct, ATTR(attrs[!i])) == both); /* is not freed yet */
		check_two(ct, i, !i);
		nfct_set_attr(ct, ATTR(attrs[!i]), nfct_bitmask_new(31)); /* now it is */
		check_two(ct, 0, 0);
		nfct_destroy(ct);
		ct = with_one_as_both(NULL);
		other = with_one_as_both(NULL);
		nfct_copy_attr(other, ct, ATTR(attrs[i]));
		nfct_destroy(ct);
		check_two(other, 1, 1);
		nfct_destroy(other);
		ct = nfct_new();
		both = nfct_bitmask_new(127);
		nfct_set_attr(ct, ATTR(attrs[i]), both);
		nfct_attr_unset(ct, ATTR(attrs[i])); /* hidden, and still the object's */
		nfct_set_attr(ct, ATTR(attrs[!i]), both);
		nfct_destroy(ct);
	}
	about("");
}
#endif

int main(void)
{
	int fd = mkstemp(path);

	if (fd == -1) {
		perror(path);
		return 1;
	}
	close(fd);
	test_bitmask();
	test_equal_needs_the_same_size();
	test_lines();
	test_long_lines();
	test_lookup();
	test_files();
	test_print();
	test_a_setter_only_stores();
#ifndef REFERENCE
	test_one_bitmask_as_both();
#endif
	unlink(path);
	return finish();
}
