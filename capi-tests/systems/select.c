/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Says which ctrs it has, and how that writes an expression. */
#include <ctrs.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	struct ctrs_filter *filter = ctrs_filter_compile("tcp and dport = 443", NULL, NULL);
	char text[80];

	if (filter == NULL || ctrs_filter_print(filter, text, sizeof(text)) < 0)
		return 1;
	ctrs_filter_free(filter);
	printf("ctrs %s: %s\n", ctrs_version(), text);
	return strcmp(ctrs_version(), CTRS_VERSION) != 0;
}
