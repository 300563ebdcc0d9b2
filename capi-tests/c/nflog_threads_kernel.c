/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Threads that open handles at the same time, bind a group each, and are logged to all the while.
 * Outcome: each gets the packets of its group, and none of another's. (run.sh runs this under memcheck
 * and with the address sanitizer; helgrind and -fsanitize=thread have nothing to say either.) */
#include "logged.h"
#include <pthread.h>
#include <poll.h>

#define THREADS 4
#define ROUNDS 100
#define PACKETS 2

struct worker {
	pthread_t thread;
	uint16_t group;
	unsigned int mistakes; /* check.h does not count for several threads */
};

static pthread_barrier_t together;

static int count_own(struct nflog_g_handle *gh, struct nfgenmsg *nfmsg, struct nflog_data *nfd,
		     void *data)
{
	struct heard *heard = data;

	(void)nfd;
	heard->calls++;
	heard->wrong += gh != heard->gh || ntohs(nfmsg->res_id) != heard->size;
	return 0;
}

/* Opens, is logged to, receives, closes; how much of it went wrong. */
static unsigned int one_round(const struct worker *me)
{
	struct heard heard = { .size = me->group };
	unsigned int mistakes = 0;
	char buffer[8192];

	pthread_barrier_wait(&together);
	heard.h = nflog_open();
	heard.gh = nflog_bind_group(heard.h, me->group);
	mistakes += heard.gh == NULL || nflog_set_qthresh(heard.gh, 1) != 0;
	mistakes += heard.gh == NULL || nflog_callback_register(heard.gh, count_own, &heard) != 0;
	/* Nobody closes yet: the kernel may unbind a group with those of a handle that is closed meanwhile. */
	pthread_barrier_wait(&together);
	send_logged(me->group, PACKETS, 10);
	while (heard.calls < PACKETS && mistakes == 0) {
		struct pollfd waits = { .fd = nflog_fd(heard.h), .events = POLLIN };
		ssize_t size = poll(&waits, 1, 10000) == 1 ? recv(waits.fd, buffer, sizeof(buffer), 0) : -1;

		mistakes += nflog_handle_packet(heard.h, buffer, (int)size) != 0;
	}
	mistakes += (unsigned int)heard.wrong + (heard.calls != PACKETS);
	return mistakes + (nflog_close(heard.h) != 0);
}

static void *work(void *argument)
{
	struct worker *me = argument;

	for (int round = 0; round < ROUNDS; round++)
		me->mistakes += one_round(me);
	return NULL;
}

int main(void)
{
	struct worker workers[THREADS];

	if (!log_by_port())
		return finish();
	pthread_barrier_init(&together, NULL, THREADS);
	for (uint16_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .group = (uint16_t)(i + 1) };
		CHECK_INT(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		CHECK_INT(pthread_join(workers[i].thread, NULL), 0);
		about("thread %d", i);
		CHECK_INT(workers[i].mistakes, 0);
	}
	pthread_barrier_destroy(&together);
	return finish();
}
