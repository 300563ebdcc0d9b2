/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Timeout policies: ./timeout lists them as JSON; ./timeout NAME PROTOCOL STATE SECONDS... makes one
 * for IPv4, or changes it; ./timeout -d NAME deletes it. PROTOCOL is a number, as 6; with - for NAME
 * the defaults are set. Rules use a policy by -j CT --timeout NAME. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <ctrs.h>

static struct nfct_handle *h;

static int told(int result)
{
	if (result != -1)
		return EXIT_SUCCESS;
	fprintf(stderr, "%s\n", ctrs_last_error(h)->text);
	return EXIT_FAILURE;
}

static int list(void)
{
	struct ctrs_timeout_dump *dump = ctrs_timeout_dump_begin(h);
	struct ctrs_timeout policies[16];
	char text[1024];
	int i, n = 0;

	if (dump == NULL)
		return told(-1);
	while ((n = (int)ctrs_timeout_dump_read(dump, policies, 16, sizeof(policies[0]))) > 0)
		for (i = 0; i < n; i++) {
			ctrs_timeout_snprintf_json(text, sizeof(text), &policies[i], sizeof(policies[i]));
			printf("%s used by %u rules\n", text, (unsigned int)policies[i].rules);
		}
	if (n == -1)
		fprintf(stderr, "%s\n", ctrs_timeout_dump_last_error(dump)->text);
	return ctrs_timeout_dump_end(dump) == -1 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int set(int argc, char *argv[])
{
	struct ctrs_timeout policy;
	int i, state;

	memset(&policy, 0, sizeof(policy));
	policy.l3proto = AF_INET;
	policy.l4proto = (uint8_t)atoi(argv[2]);
	for (i = 3; i + 1 < argc; i += 2) {
		state = ctrs_timeout_state_by_name(policy.l4proto, argv[i]);
		if (state == -1) {
			fprintf(stderr, "protocol %s has no state %s\n", argv[2], argv[i]);
			return EXIT_FAILURE;
		}
		policy.given |= 1u << state;
		policy.timeouts[state] = (uint32_t)strtoul(argv[i + 1], NULL, 10);
	}
	if (strcmp(argv[1], "-") == 0)
		return told(ctrs_timeout_set_defaults(h, &policy, sizeof(policy)));
	if (strlen(argv[1]) >= sizeof(policy.name)) {
		fprintf(stderr, "the name is too long\n");
		return EXIT_FAILURE;
	}
	strcpy(policy.name, argv[1]);
	return told(ctrs_timeout_set(h, &policy, sizeof(policy), CTRS_TIMEOUT_REPLACE));
}

int main(int argc, char *argv[])
{
	int status;

	h = nfct_open(CONNTRACK, 0);
	if (h == NULL) {
		perror("open");
		return EXIT_FAILURE;
	}
	if (argc == 1)
		status = list();
	else if (argc == 3 && strcmp(argv[1], "-d") == 0)
		status = told(ctrs_timeout_delete(h, argv[2]));
	else if (argc >= 3 && argc % 2 == 1)
		status = set(argc, argv);
	else {
		fprintf(stderr, "usage: %s [-d NAME | NAME PROTOCOL [STATE SECONDS]...]\n", argv[0]);
		status = EXIT_FAILURE;
	}
	nfct_close(h);
	return status;
}
