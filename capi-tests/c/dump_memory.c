/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The memory that a dump of 250,000 flows takes, beside that of a program that only opens a
 * handle: dump_memory runs itself as "dump_memory open" and "dump_memory dump". */
#include "kernel.h"

#define FLOWS 250000u
#define ALLOWED 2048 /* kilobytes */

/* Creates the flows many to a datagram, without acknowledgements. */
static void create_many(void)
{
	static uint8_t batch[128 * 1024];
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct message m;
	size_t used = 0;

	for (unsigned int n = 0; n < FLOWS; n++) {
		struct nf_conntrack *ct = new_flow(n);

		if (nfct_build_query((struct nfnl_subsys_handle *)&m, NFCT_Q_CREATE, ct, &m, 4096) != 1)
			CHECK(!"a request was built");
		m.u.header.nlmsg_flags &= (uint16_t)~NLM_F_ACK;
		memcpy(batch + used, &m, m.u.header.nlmsg_len);
		used += (m.u.header.nlmsg_len + 3) & ~3u;
		if (used > sizeof(batch) - 4096 || n == FLOWS - 1) {
			CHECK_INT(send(nfct_fd(h), batch, used, 0), used);
			used = 0;
		}
		nfct_destroy(ct);
	}
	CHECK_INT(nfct_close(h), 0);
}

static long number_after(const char *path, const char *prefix)
{
	char line[256];
	long number = -1;
	FILE *file = fopen(path, "re");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, prefix, strlen(prefix)) == 0)
			number = strtol(line + strlen(prefix), NULL, 10);
	if (file != NULL)
		fclose(file);
	return number;
}

static int count(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *data)
{
	(void)type;
	*(unsigned long *)data += nfct_attr_is_set(ct, ATTR_IPV4_SRC) == 1;
	return NFCT_CB_CONTINUE;
}

/* The measured program: prints its peak resident size in kilobytes and the flows it saw. */
static int measured(int dumps)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	unsigned long flows = 0;
	int result = 0;

	if (dumps && nfct_callback_register(h, NFCT_T_ALL, count, &flows) == 0)
		result = dump(h);
	printf("%ld %lu\n", number_after("/proc/self/status", "VmHWM:"), flows);
	return nfct_close(h) != 0 || result != 0;
}

static long run(const char *program, const char *what, unsigned long *flows)
{
	char command[4200];
	long peak = -1;
	FILE *output;

	snprintf(command, sizeof(command), "'%s' %s", program, what);
	output = popen(command, "re");
	CHECK(output != NULL && fscanf(output, "%ld %lu", &peak, flows) == 2);
	CHECK_INT(pclose(output), 0);
	printf("%s: peak %ld kB, %lu flows\n", what, peak, *flows);
	return peak;
}

int main(int argc, char *argv[])
{
	unsigned long flows;
	long only_open, dumping;

	if (argc > 1)
		return measured(strcmp(argv[1], "dump") == 0);
	own_namespace();
	if (number_after("/proc/sys/net/netfilter/nf_conntrack_max", "") < (long)FLOWS) {
		skip("a dump of 250,000 flows needs net.netfilter.nf_conntrack_max of that size");
		return finish();
	}
	create_many();
	CHECK_INT(number_after("/proc/sys/net/netfilter/nf_conntrack_count", ""), FLOWS);
	only_open = run(argv[0], "open", &flows);
	dumping = run(argv[0], "dump", &flows);
	CHECK_INT(flows, FLOWS);
	CHECK(dumping - only_open <= ALLOWED);
	return finish();
}
