// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include "library.h"
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct library lib;

void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double now(void)
{
	return seconds(CLOCK_MONOTONIC);
}

double cpu_time(void)
{
	return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void *symbol(void *handle, const char *name)
{
	void *address = dlsym(handle, name);

	if (address == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return address;
}

/* The loaded files of the process must hold this library and no other of its kind. */
static void check_maps(const char *path)
{
	char line[PATH_MAX + 128], real[PATH_MAX];
	FILE *maps = fopen("/proc/self/maps", "re");
	int found = 0;

	if (maps == NULL || realpath(path, real) == NULL)
		fail(path);
	while (fgets(line, sizeof(line), maps) != NULL) {
		char *file = strchr(line, '/');

		if (file == NULL)
			continue;
		file[strcspn(file, "\n")] = '\0';
		if (strcmp(file, real) == 0) {
			found = 1;
		} else if (strstr(file, "libctrs") || strstr(file, "libnetfilter_conntrack")) {
			fprintf(stderr, "%s is loaded beside %s\n", file, real);
			exit(1);
		}
	}
	fclose(maps);
	if (!found) {
		fprintf(stderr, "%s is not loaded\n", real);
		exit(1);
	}
}

double load_library(const char *path)
{
	double start = cpu_time();
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	double taken = cpu_time() - start;

	if (handle == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
#define LOAD(name) lib.name = (__typeof__(lib.name))symbol(handle, #name);
	FUNCTIONS(LOAD)
#undef LOAD
#define LOAD(name) lib.name = (__typeof__(lib.name))dlsym(handle, #name);
	EXTENSIONS(LOAD)
#undef LOAD
	check_maps(path);
	return taken;
}
