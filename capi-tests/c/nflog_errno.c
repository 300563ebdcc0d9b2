/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Programs that name nflog_errno, in an executable that is not position-independent: it has a copy of
 * the object, which is the one that the library would write too. */
/* Built with -fno-pie -no-pie. */
#define _GNU_SOURCE
#include "check.h"
#include <dlfcn.h>
#include <link.h>
#include <libnetfilter_log/libnetfilter_log.h>

/* The file that an address is in. */
static const char *file_of(const void *address)
{
	Dl_info info;

	return dladdr(address, &info) != 0 ? info.dli_fname : "";
}

/* Whether this program copies the object into itself: a relocation says so. */
static int count_copies(struct dl_phdr_info *info, size_t size, void *count)
{
	const ElfW(Dyn) *entry = NULL;
	const char *table = NULL;
	size_t bytes = 0, each = 1;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			entry = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
		/* Processors have the one or the other kind, both of which begin with the place. */
		if (entry->d_tag == DT_RELA || entry->d_tag == DT_REL) {
			table = (const char *)entry->d_un.d_ptr;
			each = entry->d_tag == DT_RELA ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));
		}
		if (entry->d_tag == DT_RELASZ || entry->d_tag == DT_RELSZ)
			bytes = entry->d_un.d_val;
	}
	for (size_t at = 0; table != NULL && at < bytes; at += each)
		*(int *)count += ((const ElfW(Rel) *)(table + at))->r_offset == (ElfW(Addr))&nflog_errno;
	return 1; /* the program comes first */
}

int main(void)
{
	int copies = 0;

	CHECK_INT(nflog_errno, 0);
	dl_iterate_phdr(count_copies, &copies);
	CHECK_INT(copies, 1);
	CHECK_STR(file_of(&nflog_errno), file_of((void *)main));
	CHECK(dlsym(RTLD_DEFAULT, "nflog_errno") == (void *)&nflog_errno);
	/* It tells of nothing that fails, and a program may write it. */
	CHECK_ERR(nflog_close(NULL), -1, EINVAL);
	CHECK_INT(nflog_errno, 0);
	nflog_errno = 5;
	CHECK_ERR(nflog_fd(NULL), -1, EINVAL);
	CHECK_INT(nflog_errno, 5);
	return finish();
}
