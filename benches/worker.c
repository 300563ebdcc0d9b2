// SPDX-License-Identifier: MIT OR Apache-2.0
/* One figure of one library in a process of its own: `worker LIBRARY FIGURE ARGUMENT...`. */
#include "codec.h"
#include "library.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	load_library(argv[1]);
	if (argc == 5 && codec_figure(argv[2], strtoul(argv[3], NULL, 10), argv[4]))
		return 0;
	fprintf(stderr, "no figure %s\n", argv[2]);
	return 2;
}
