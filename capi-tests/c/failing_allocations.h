/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Out of memory: every allocation a call makes fails once, alone and with all that follow it. The
 * call then says ENOMEM and leaves everything as it was, or did without; nothing leaks. Include it
 * after kernel.h, in a program whose name ends in memory.c: run.sh leaves those out where another
 * allocator takes this one's place. */
#ifndef FAILING_ALLOCATIONS_H
#define FAILING_ALLOCATIONS_H

#ifdef __GLIBC__
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t number, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);
#else
#include <dlfcn.h>
#define REAL(name, result, ...) ((result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))
#define __libc_malloc REAL(malloc, void *, size_t)
#define __libc_realloc REAL(realloc, void *, void *, size_t)
#define __libc_free REAL(free, void, void *)

/* musl's own calls malloc, as a program sees it. */
static void *__libc_calloc(size_t number, size_t size)
{
	void *block = __libc_malloc(number * size);

	return block != NULL ? memset(block, 0, number * size) : NULL;
}
#endif

static long left = -1;	/* allocations until one fails; -1: none does */
static int for_good;	/* all after it fail too */
static int refused;	/* how many failed */
static long live;	/* blocks not freed */

static inline int refuse(void)
{
	if (left < 0 || (left > 0 && left--))
		return 0;
	if (!for_good)
		left = -1;
	refused++;
	errno = ENOMEM;
	return 1;
}

/* These take the place of the C library's for the library under test as well. */
void *malloc(size_t size)
{
	return refuse() ? NULL : (live++, __libc_malloc(size));
}

void *calloc(size_t number, size_t size)
{
	return refuse() ? NULL : (live++, __libc_calloc(number, size));
}

void *realloc(void *block, size_t size)
{
	if (refuse())
		return NULL;
	live += block == NULL;
	return __libc_realloc(block, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
	(void)alignment; /* never more than malloc gives, here */
	return (*block = malloc(size)) == NULL ? ENOMEM : 0;
}

void free(void *block)
{
	live -= block != NULL;
	__libc_free(block);
}

/* What a call did: 1 done, 0 failed with ENOMEM, -1 neither. */
typedef int operation(void);

/* Tries a call with its first, second, ... allocation failing until none is left to fail. */
static inline void try_call(const char *name, operation *call)
{
	for (int persistent = 0; persistent < 2; persistent++)
		for (long n = 0;; n++) {
			long before = live;
			int result;

			about("%s, allocation %ld%s", name, n, persistent ? " and on" : "");
			for_good = persistent;
			refused = 0;
			left = n;
			errno = UNTOUCHED;
			result = call();
			left = -1;
			CHECK(result >= 0);
			CHECK(result == 1 || refused > 0);
			CHECK_INT(live, before);
			if (refused == 0 || n > 1000)
				break;
		}
	about("");
}

static inline int made(const void *object)
{
	return object != NULL ? 1 : errno == ENOMEM ? 0 : -1;
}

static inline int done(int result, int success)
{
	return result == success ? 1 : result == -1 && errno == ENOMEM ? 0 : -1;
}

/* Output takes no memory afterwards. */
static inline void begin_output(void)
{
	static char buffer[65536];

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
}

/* The same, in a namespace of its own. */
static inline void begin(void)
{
	begin_output();
	own_namespace();
}

#endif
