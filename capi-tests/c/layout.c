/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Where the members of the plain structures of ctrs.h lie: the same for every processor. run.sh makes
 * records.inc of abi/records.tsv, which Rust compares with the library's own. */
#include "check.h"

#ifdef REFERENCE
int main(void)
{
	skip("the reference has no records");
	return finish();
}
#else
#include <ctrs.h>
#include <stddef.h>

#define WHOLE(structure, bytes) { #structure, 0, 0, sizeof(struct structure), bytes },
#define MEMBER(structure, member, at, bytes) \
	{ #structure "." #member, offsetof(struct structure, member), at, \
	  sizeof(((struct structure *)0)->member), bytes },

static const struct {
	const char *name;
	size_t offset, wanted_offset, size, wanted_size;
} rows[] = {
#include "records.inc"
};

int main(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		about("%s", rows[i].name);
		CHECK_INT(rows[i].offset, rows[i].wanted_offset);
		CHECK_INT(rows[i].size, rows[i].wanted_size);
	}
	CHECK(COUNT(rows) > 200);
	return finish();
}
#endif
