/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What every test program here uses: counted checks, and a last line that tells them.
 *
 * -DREFERENCE builds the same program against Debian's libnetfilter_conntrack 1.0.9, which ends
 * the process on many of the inputs ctrs answers with an error: those checks are left out then. */
#ifndef CHECK_H
#define CHECK_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

#ifdef REFERENCE /* names that came after 1.0.9 */
#define ATTR_TIMESTAMP_EVENT ((enum nf_conntrack_attr)75)
#define NFCT_FILTER_DUMP_ZONE ((enum nfct_filter_dump_attr)3)
#define NFCT_FILTER_DUMP_TUPLE ((enum nfct_filter_dump_attr)4)
#define CTA_TIMESTAMP_EVENT 27
#endif

#define ATTR(number) ((enum nf_conntrack_attr)(number))
#define EXP_ATTR(number) ((enum nf_expect_attr)(number))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNTOUCHED 4242 /* an errno no call sets */

#define CHECK(condition) check_true(!!(condition), __FILE__, __LINE__, #condition)
#define CHECK_INT(got, want) \
	check_int((long long)(got), (long long)(want), __FILE__, __LINE__, #got)
#define CHECK_STR(got, want) check_str((got), (want), __FILE__, __LINE__, #got)
#define CHECK_MEM(got, want, size) \
	check_mem((got), (want), (size), __FILE__, __LINE__, #got)
/* The call gives `want` and leaves errno at `error`; UNTOUCHED: does not change it. */
#define CHECK_ERR(call, want, error) \
	do { \
		errno = UNTOUCHED; \
		CHECK_INT((call), (want)); \
		CHECK_INT(errno, (error)); \
	} while (0)
#define CHECK_NULL(call, error) \
	do { \
		errno = UNTOUCHED; \
		CHECK((call) == NULL); \
		CHECK_INT(errno, (error)); \
	} while (0)
/* A call without a result that does nothing, and says no error either. */
#define CHECK_NOOP(call) \
	do { \
		(call); \
		check_true(1, __FILE__, __LINE__, #call); \
	} while (0)

static int passed, failed, skipped;
static char context[256]; /* which row of a table is being tried */

static inline void about(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(context, sizeof(context), format, arguments);
	va_end(arguments);
}

static inline int check_true(int holds, const char *file, int line, const char *what)
{
	if (holds) {
		passed++;
		return 1;
	}
	failed++;
	printf("%s:%d: not so: %s%s%s\n", file, line, what, *context ? "; " : "", context);
	return 0;
}

static inline void check_int(long long got, long long want, const char *file, int line,
			     const char *what)
{
	if (!check_true(got == want, file, line, what))
		printf("    got %lld (0x%llx), want %lld (0x%llx)\n", got, (unsigned long long)got,
		       want, (unsigned long long)want);
}

static inline void check_str(const char *got, const char *want, const char *file, int line,
			     const char *what)
{
	if (!check_true(got != NULL && strcmp(got, want) == 0, file, line, what))
		printf("    got  \"%s\"\n    want \"%s\"\n", got ? got : "(null)", want);
}

static inline void print_hex(const char *title, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	printf("    %s ", title);
	for (size_t i = 0; i < size && bytes != NULL; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

static inline void check_mem(const void *got, const void *want, size_t size, const char *file,
			     int line, const char *what)
{
	if (check_true(got != NULL && memcmp(got, want, size) == 0, file, line, what))
		return;
	print_hex("got ", got, size);
	print_hex("want", want, size);
}

/* A number that tells of neighbours in memory, on machines of either byte order. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define ORDERED(little, big) (big)
#else
#define ORDERED(little, big) (little)
#endif

/* What the first `bytes` bytes of a number of `of` bytes are in memory, as a number. */
static inline uint64_t first_bytes(uint64_t number, size_t of, size_t bytes)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	number >>= 8 * (of - bytes);
#endif
	(void)of;
	return bytes == 8 ? number : number & (((uint64_t)1 << 8 * bytes) - 1);
}

/* A test that does not run. What only the reference's build leaves out is no loss: it runs with ctrs'
 * own headers. */
static inline void skip(const char *why)
{
#ifdef REFERENCE
	printf("left out: %s\n", why);
#else
	skipped++;
	printf("SKIP: %s\n", why);
#endif
}

static inline int finish(void)
{
	if (skipped != 0)
		printf("%d skipped\n", skipped);
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}

/* The attributes an object has, as "0 4 15". */
static inline const char *bits(const struct nf_conntrack *ct)
{
	static char text[512];
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < ATTR_MAX; i++)
		if (nfct_attr_is_set(ct, ATTR(i)) == 1)
			used += (size_t)sprintf(text + used, used ? " %d" : "%d", i);
	return text;
}

#endif
