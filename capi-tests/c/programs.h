/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The distribution's programs as a second opinion: they run on the distribution's library, whatever
 * the test itself runs on. Include it after kernel.h. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#define CHECK_RUN(...) \
	do { \
		if (!check_true(run(__VA_ARGS__) == 0, __FILE__, __LINE__, "run " #__VA_ARGS__)) \
			printf("    %s", output); \
	} while (0)
#define CHECK_IN(text, part) check_in((text), (part), true, __FILE__, __LINE__)
#define CHECK_NOT_IN(text, part) check_in((text), (part), false, __FILE__, __LINE__)

static char output[16384]; /* what the last program said, errors included */

/* Runs a shell command and gives its exit status; -1 if it could not be run. */
__attribute__((format(printf, 1, 2)))
static inline int run(const char *format, ...)
{
	char command[2048] = "exec 2>&1; unset LD_LIBRARY_PATH; PATH=$PATH:/usr/sbin:/sbin; ";
	size_t used = strlen(command);
	va_list arguments;
	FILE *pipe;
	int status;

	va_start(arguments, format);
	vsnprintf(command + used, sizeof(command) - used, format, arguments);
	va_end(arguments);
	fflush(stdout);
	pipe = popen(command, "r");
	if (pipe == NULL)
		return -1;
	used = fread(output, 1, sizeof(output) - 1, pipe);
	output[used] = '\0';
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline bool have(const char *program)
{
	return run("command -v %s", program) == 0;
}

static inline void check_in(const char *text, const char *part, bool wanted, const char *file,
			    int line)
{
	if (!check_true((strstr(text, part) != NULL) == wanted, file, line,
			wanted ? "text in output" : "text not in output"))
		printf("    text   \"%s\"\n    output \"%s\"\n", part, text);
}

#endif
