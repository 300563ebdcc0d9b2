/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What callbacks of logged packets do: ask the kernel for something, unbind their group, close their
 * handle. Outcome: no packet is lost or comes twice, each request has its own answer, nothing is used
 * after it was freed and nothing is left. */
#include "logged.h"
#include "acting.h"

/* Packets that come while a callback asks wait for their turn: they come in order, and neither the
 * stack nor memory grows with their number. */
static void test_requests_inside(bool inside_request)
{
	struct acting acting;
	int size = 200000; /* any user may */

	begin(&acting, ask);
	CHECK_INT(setsockopt(nflog_fd(acting.h), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	for (int i = 0; i < FLOOD; i++)
		log_packets(1 + i % 2, 1, (size_t)i);
	if (inside_request)
		CHECK_ERR(nflog_bind_pf(acting.h, 11), -1, EINVAL);
	else
		CHECK_INT(receive_one(acting.h), 0);
	CHECK_INT(acting.calls, FLOOD);
	CHECK_INT(acting.deepest, 1);
	for (int i = 1; i < acting.calls; i++)
		CHECK(acting.lengths[i] >= acting.lengths[i - 1]);
	end(&acting);
}

/* Of a request inside another one, whichever reads first what the other asked for. */
static int refuse(struct acting *acting)
{
	CHECK_ERR(nflog_bind_pf(acting->h, 11), -1, EINVAL);
	return 0;
}

static int succeed(struct acting *acting)
{
	CHECK_ERR(nflog_set_mode(acting->gh, NFULNL_COPY_META, 0), 0, UNTOUCHED);
	return -1;
}

static void test_answers_do_not_mix(void)
{
	struct acting acting;

	begin(&acting, refuse);
	log_packets(1, 1, 10);
	CHECK_ERR(nflog_set_timeout(acting.gh, 10), 0, UNTOUCHED);
	CHECK_INT(acting.calls, 1);
	acting.act = succeed;
	log_packets(2, 1, 10);
	CHECK_ERR(nflog_bind_pf(acting.h, 11), -1, EINVAL);
	CHECK_INT(acting.calls, 2);
	end(&acting);
}

static int rebind(struct acting *acting)
{
	unbind_own(acting);
	acting->gh = bind_at_once(acting->h, 1);
	CHECK_INT(nflog_callback_register(acting->gh, act, acting), 0);
	return 0;
}

/* A group that is unbound in its callback is called no more, in the middle of a batch too. */
static void test_unbind_inside(void)
{
	static int (*const ways[])(struct acting *) = { unbind_own, rebind };

	for (size_t i = 0; i < COUNT(ways); i++)
		for (int inside_request = 0; inside_request < 2; inside_request++) {
			struct acting acting;

			about("way %zu, inside a request: %d", i, inside_request);
			begin(&acting, ways[i]);
			acting.at = 2;
			CHECK_INT(nflog_set_qthresh(acting.gh, 5), 0);
			log_packets(1, 5, 10);
			if (inside_request)
				CHECK_ERR(nflog_set_timeout(acting.other, 10), 0, UNTOUCHED);
			else if (i == 0) /* the packets behind are of no group */
				CHECK_ERR(receive_one(acting.h), -1, ENODEV);
			else
				CHECK_INT(receive_one(acting.h), 0);
			CHECK_INT(acting.calls, i == 0 ? 2 : 5);
			if (i == 0) {
				acting.gh = bind_at_once(acting.h, 1);
				CHECK_INT(nflog_callback_register(acting.gh, act, &acting), 0);
			}
			end(&acting);
		}
	about("");
}

static int unbind_other(struct acting *acting)
{
	CHECK_ERR(nflog_unbind_group(acting->other), 0, UNTOUCHED);
	return 0;
}

/* A callback unbinds the group of a request that is under way, or unbinds what is being unbound. */
static void test_unbind_other_inside(void)
{
	struct acting acting;

	begin(&acting, unbind_other);
	log_packets(1, 1, 10);
	CHECK_ERR(nflog_set_timeout(acting.other, 10), 0, UNTOUCHED);
	CHECK_INT(acting.calls, 1);
	end(&acting);
}

static int unbind_twice(struct acting *acting)
{
	acting->result = nflog_unbind_group(acting->other);
	acting->error = errno;
	return 0;
}

static void test_unbind_while_unbinding(void)
{
	struct acting acting;

	begin(&acting, unbind_twice);
	log_packets(1, 1, 10);
	CHECK_ERR(nflog_unbind_group(acting.other), 0, UNTOUCHED);
	CHECK_INT(acting.calls, 1);
	CHECK_INT(acting.result, -1);
	CHECK_INT(acting.error, EBUSY);
	end(&acting);
}

/* A handle that is closed in a callback hands out no more, and is freed once. */
static void test_close_inside(void)
{
	struct acting acting;

	begin(&acting, close_it);
	log_packets(1, 1, 10);
	CHECK_INT(receive_one(acting.h), 0); /* nothing came behind */
	CHECK_INT(acting.calls, 1);

	begin(&acting, close_it);
	CHECK_INT(nflog_set_qthresh(acting.gh, 3), 0);
	log_packets(1, 3, 10);
	CHECK_ERR(receive_one(acting.h), -1, EBADF);
	CHECK_INT(acting.calls, 1);

	begin(&acting, close_it);
	log_packets(1, 2, 10);
	CHECK_ERR(nflog_set_timeout(acting.gh, 1), -1, EBADF);
	CHECK_INT(acting.calls, 1);

	begin(&acting, close_it);
	log_packets(1, 2, 10);
	CHECK_NULL(nflog_bind_group(acting.h, 3), EBADF);
	CHECK_INT(acting.calls, 1);

	begin(&acting, close_it);
	log_packets(1, 2, 10);
	CHECK_ERR(nflog_unbind_group(acting.other), -1, EBADF);
	CHECK_INT(acting.calls, 1);
}

/* A datagram inside another. */
static int hand_on(struct acting *acting)
{
	if (acting->depth == 1)
		CHECK_INT(receive_one(acting->h), 0);
	return 0;
}

static void test_datagram_inside(void)
{
	static char first[4096];
	struct acting acting;
	ssize_t size;

	begin(&acting, hand_on);
	log_packets(1, 2, 10);
	size = recv(nflog_fd(acting.h), first, sizeof(first), 0);
	CHECK_INT(nflog_handle_packet(acting.h, first, (int)size), 0);
	CHECK_INT(acting.calls, 2);
	CHECK_INT(acting.deepest, 2);
	end(&acting);
}

/* Attributes that nobody has, and stray bytes, are nobody's. */
static void test_odd_messages(void)
{
	static const struct {
		const char *about;
		uint8_t behind[16];
		uint32_t size;
	} rows[] = {
		{ "an attribute of type 0", { 8, 0, 0, 0, 1, 2, 3, 4 }, 8 },
		{ "a type beyond those that are known", { 8, 0, 200, 0, 1, 2, 3, 4 }, 8 },
		{ "the highest type", { 8, 0, 0xff, 0xff, 1, 2, 3, 4 }, 8 },
		{ "a list that ends a byte early", { 8, 0, 2, 0, 1, 2, 3 }, 7 },
		{ "one stray byte", { 8 }, 1 },
		{ "three stray bytes", { 8, 0, 2 }, 3 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct acting acting;
		struct nlmsghdr *header = malloc(20 + rows[i].size); /* no byte behind it */
		uint8_t *bytes = (uint8_t *)header;

		about("%s", rows[i].about);
		memset(header, 0, 20);
		header->nlmsg_len = 20 + rows[i].size;
		header->nlmsg_type = NFNL_SUBSYS_ULOG << 8;
		bytes[19] = 1;
		memcpy(bytes + 20, rows[i].behind, rows[i].size);
		begin(&acting, NULL);
		CHECK_INT(nflog_handle_packet(acting.h, (char *)bytes, (int)header->nlmsg_len), 0);
		CHECK_INT(acting.calls, 1);
		CHECK_ERR(nflog_handle_packet(acting.h, (char *)bytes, -1), -1, EINVAL);
		CHECK_INT(acting.calls, 1);
		free(header);
		end(&acting);
	}
	about("");
}

int main(void)
{
	if (log_by_port()) {
		test_requests_inside(false);
		test_requests_inside(true);
		test_answers_do_not_mix();
		test_unbind_inside();
		test_unbind_other_inside();
		test_unbind_while_unbinding();
		test_close_inside();
		test_datagram_inside();
		test_odd_messages();
	}
	return finish();
}
