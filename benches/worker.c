// SPDX-License-Identifier: MIT OR Apache-2.0
/* One figure of one library in a process of its own, printed as a JSON object:
 *
 *	worker LIBRARY|none FIGURE ARGUMENT...
 */
#include "codec.h"
#include "kernel.h"
#include "library.h"
#include "netlink.h"
#include "nflog.h"
#include "nflog_library.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned int number(const char *text)
{
	return (unsigned int)strtoul(text, NULL, 10);
}

static void log_figure(int argc, char **argv)
{
	const char *figure = argv[2];
	struct logging logging = { 0 };

	if (argc == 8)
		logging = (struct logging){ number(argv[5]), number(argv[6]), number(argv[7]) };
	if (strcmp(figure, "nflog_rate") == 0)
		nflog_rate_figure(argv[3], number(argv[4]), logging);
	else if (strcmp(figure, "nflog_waiting") == 0)
		nflog_waiting_figure(argv[3], number(argv[4]), logging);
	else
		nflog_codec_figure(figure, number(argv[3]), argv[4]);
}

int main(int argc, char **argv)
{
	double loading = 0;
	const char *figure;
	int of_log;

	if (argc < 5) {
		fprintf(stderr, "usage: %s LIBRARY|none FIGURE ARGUMENT ARGUMENT...\n", argv[0]);
		return 2;
	}
	figure = argv[2];
	of_log = strncmp(figure, "nflog_", 6) == 0;
	if (strcmp(argv[1], "none") != 0)
		loading = of_log ? load_log_library(argv[1]) : load_library(argv[1]);
	if (of_log)
		log_figure(argc, argv);
	else if (strcmp(figure, "load") == 0)
		printf("{\"seconds\": %.9f}\n", loading);
	else if (strcmp(figure, "dump") == 0)
		dump_figure(argv[3], number(argv[4]));
	else if (strcmp(figure, "pull") == 0)
		pull_figure(argv[3], number(argv[4]));
	else if (strcmp(figure, "events") == 0 && argc == 7)
		events_figure(argv[3], number(argv[4]), number(argv[5]), number(argv[6]));
	else if (strcmp(figure, "waiting") == 0)
		waiting_figure(argv[3], number(argv[4]));
	else if (strcmp(figure, "query") == 0)
		query_figure(argv[3], number(argv[4]));
	else if (strcmp(figure, "batch") == 0)
		batch_figure(argv[3], number(argv[4]));
	else if (strcmp(figure, "matching") == 0)
		matching_figure(number(argv[4]));
	else if (strcmp(figure, "lookup") == 0)
		lookup_figure(number(argv[4]));
	else if (strcmp(figure, "create") == 0)
		create_entries(number(argv[3]), number(argv[4]));
	else if (strcmp(figure, "flush") == 0)
		flush_entries();
	else
		codec_figure(figure, number(argv[3]), argv[4]);
	return 0;
}
