/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Callbacks of logged packets that do something: with their group, their handle. Include it after
 * logged.h. */
#ifndef ACTING_H
#define ACTING_H

#include <setjmp.h>

#define FLOOD 150 /* packets, each of which brings about a request */

/* What a callback does at each of its calls. */
struct acting {
	struct nflog_handle *h;
	struct nflog_g_handle *gh, *other;
	int (*act)(struct acting *acting);
	int calls, at; /* it acts at this call only, if not 0 */
	int depth, deepest;
	int result, error; /* of what it did last */
	uint32_t lengths[2 * FLOOD];
	jmp_buf back;
};

static inline int act(struct nflog_g_handle *gh, struct nfgenmsg *nfmsg, struct nflog_data *nfd, void *data)
{
	struct acting *acting = data;
	int verdict = 0;

	(void)nfd;
	CHECK(gh == acting->gh || gh == acting->other);
	acting->lengths[acting->calls++] = ((struct nlmsghdr *)(void *)nfmsg - 1)->nlmsg_len;
	if (++acting->depth > acting->deepest)
		acting->deepest = acting->depth;
	if (acting->act != NULL && (acting->at == 0 || acting->calls == acting->at))
		verdict = acting->act(acting);
	acting->depth--;
	return verdict;
}

/* A handle with two groups of this callback. */
static inline void begin(struct acting *acting, int (*what)(struct acting *acting))
{
	memset(acting, 0, sizeof(*acting));
	acting->h = nflog_open();
	acting->act = what;
	acting->gh = bind_at_once(acting->h, 1);
	acting->other = bind_at_once(acting->h, 2);
	CHECK_INT(nflog_callback_register(acting->gh, act, acting), 0);
	CHECK_INT(nflog_callback_register(acting->other, act, acting), 0);
}

static inline void check_in_step(struct nflog_handle *h, struct nflog_g_handle *gh)
{
	CHECK_ERR(nflog_bind_pf(h, 11), -1, EINVAL);
	CHECK_ERR(nflog_set_timeout(gh, 10), 0, UNTOUCHED);
	CHECK_ERR(nflog_bind_pf(h, 12), -1, EINVAL);
	CHECK(nothing_waits(h));
}

/* The handle works, and is closed. */
static inline void end(struct acting *acting)
{
	int calls = acting->calls;

	acting->act = NULL;
	check_in_step(acting->h, acting->gh);
	log_packets(1, 1, 10);
	CHECK_INT(receive_one(acting->h), 0);
	CHECK_INT(acting->calls, calls + 1);
	CHECK_INT(nflog_close(acting->h), 0);
}

/* Asks for something that is done, and for something that is refused. */
static inline int ask(struct acting *acting)
{
	CHECK_ERR(nflog_set_qthresh(acting->gh, 1), 0, UNTOUCHED);
	CHECK_ERR(nflog_bind_pf(acting->h, 11), -1, EINVAL);
	return 0;
}

static inline int unbind_own(struct acting *acting)
{
	struct nflog_g_handle *gh = acting->gh;

	CHECK_ERR(nflog_unbind_group(gh), 0, UNTOUCHED);
	/* It is there until the call returns that this is called from, and bound no more. */
	CHECK_ERR(nflog_set_timeout(gh, 1), -1, ENODEV);
	CHECK_ERR(nflog_unbind_group(gh), -1, ENODEV);
	CHECK_ERR(nflog_callback_register(gh, act, acting), -1, ENODEV);
	return 0;
}

static inline int close_it(struct acting *acting)
{
	CHECK_ERR(nflog_close(acting->h), 0, UNTOUCHED);
	return 0;
}

#endif
