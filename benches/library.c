// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include "library.h"
#include "nflog_library.h"
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct library lib;
struct log_library nflog;

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
		} else if (strstr(file, "libctrs") || strstr(file, "libnetfilter_")) {
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

/* Opens a library, and tells the seconds it took. */
static void *open_library(const char *path, double *seconds)
{
	double start = cpu_time();
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	*seconds = cpu_time() - start;
	if (handle == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	check_maps(path);
	return handle;
}

#define LOAD(name) INTO.name = (__typeof__(INTO.name))symbol(handle, #name);
#define LOAD_IF_THERE(name) INTO.name = (__typeof__(INTO.name))dlsym(handle, #name);

double load_library(const char *path)
{
	double taken;
	void *handle = open_library(path, &taken);

#define INTO lib
	FUNCTIONS(LOAD)
	EXTENSIONS(LOAD_IF_THERE)
#undef INTO
	return taken;
}

double load_log_library(const char *path)
{
	double taken;
	void *handle = open_library(path, &taken);

#define INTO nflog
	LOG_FUNCTIONS(LOAD)
	LOG_EXTENSIONS(LOAD_IF_THERE)
#undef INTO
	return taken;
}
