/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Logged packets, read as records: what is in them, in which order they come, and what is told of those
 * that were lost; settings, and what refusals say. */
#include "kernel.h"

#ifdef REFERENCE
int main(void)
{
	nfct_destroy(nfct_new()); /* there is no such function */
	return finish();
}
#else
#include "logged.h"
#include "packet_log.h"
#include <stddef.h>
#include <time.h>

static void test_fields(void)
{
	struct ctrs_nflog *log = open_log((struct ctrs_open_options){ .size = 0 });
	struct ctrs_nflog_settings settings = at_once();
	uint64_t now = (uint64_t)time(NULL);

	settings.present |= CTRS_NFLOG_MODE;
	settings.mode = CTRS_NFLOG_PACKET;
	settings.range = 64;
	settings.flags = CTRS_NFLOG_SEQ | CTRS_NFLOG_SEQ_GLOBAL;
	CHECK_ERR(ctrs_nflog_bind(log, 5, &settings), 0, UNTOUCHED);
	log_packets(5, 2, 100);
	for (unsigned int n = 0; n < 2; n++) {
		CHECK_ERR(next(log, 1000), 1, UNTOUCHED);
		CHECK(HAS(&packet, CTRS_PACKET_MESSAGE) && HAS(&packet, CTRS_PACKET_HEADER));
		CHECK_INT(packet.group, 5);
		CHECK_INT(packet.family, AF_INET);
		CHECK_INT(packet.hook, 3);
		CHECK_INT(packet.hw_protocol, 0x0800);
		CHECK(HAS(&packet, CTRS_PACKET_SEQ) && HAS(&packet, CTRS_PACKET_SEQ_GLOBAL));
		CHECK_INT(packet.seq, n);
		CHECK_INT(packet.seq_global, n + 1);
		CHECK(HAS(&packet, CTRS_PACKET_OUTDEV) && !HAS(&packet, CTRS_PACKET_INDEV));
		CHECK_INT(packet.outdev, if_nametoindex("lo"));
		CHECK(HAS(&packet, CTRS_PACKET_UID) && packet.uid == getuid());
		CHECK(HAS(&packet, CTRS_PACKET_PREFIX) && packet.prefix.length == 0);
		CHECK(!HAS(&packet, CTRS_PACKET_TIMESTAMP) && HAS(&packet, CTRS_PACKET_RECEIVED));
		CHECK(packet.received / 1000000000 - now < 10);
		CHECK_INT(packet.payload.length, 64);
		CHECK_INT(buffer[packet.payload.offset], 0x45);
		CHECK_INT(packet.message.offset, 0);
		CHECK_INT(((struct nlmsghdr *)(void *)buffer)->nlmsg_len, packet.message.length);
	}
	CHECK_ERR(next(log, 0), 0, UNTOUCHED);
	/* What is known of packets, and nothing of them. */
	settings.present = CTRS_NFLOG_MODE;
	settings.mode = CTRS_NFLOG_META;
	CHECK_ERR(ctrs_nflog_set(log, 5, &settings), 0, UNTOUCHED);
	log_packets(5, 1, 100);
	CHECK_INT(next(log, 1000), 1);
	CHECK(HAS(&packet, CTRS_PACKET_SEQ) && !HAS(&packet, CTRS_PACKET_PAYLOAD));
	CHECK_INT(ctrs_nflog_close(log), 0);
}

/* More packets than records, and more than the buffer has room for, come in their order. */
static void test_many(void)
{
	struct ctrs_nflog *log = open_log((struct ctrs_open_options){ .size = 0 });
	struct ctrs_nflog_settings settings = at_once();
	struct ctrs_packet packets[7];
	unsigned int expected = 0;
	ssize_t number;

	settings.threshold = 10;
	CHECK_INT(ctrs_nflog_bind(log, 5, &settings), 0);
	log_packets(5, 25, 10);
	CHECK_INT(ctrs_nflog_unbind(log, 5), 0); /* the last five come with this */
	while ((number = read_some(log, packets, COUNT(packets))) > 0)
		for (ssize_t i = 0; i < number; i++, expected++) {
			char *message = buffer + packets[i].message.offset;

			CHECK_INT(packets[i].seq, expected);
			CHECK_INT(((struct nlmsghdr *)(void *)message)->nlmsg_type, 0x0400);
			CHECK(i == 0 || packets[i].message.offset >=
						packets[i - 1].message.offset + packets[i - 1].message.length);
		}
	CHECK_INT(number, 0);
	CHECK_INT(expected, 25);
	CHECK_INT(ctrs_nflog_close(log), 0);
}

static void test_room(void)
{
	struct ctrs_nflog *log = open_bound(5);
	struct ctrs_packet packets[3];
	size_t one;

	log_packets(5, 3, 10);
	CHECK_ERR(ctrs_nflog_next(log, &packet, sizeof(packet), buffer, 40, 0), -1, EINVAL);
	CHECK(strstr(ctrs_nflog_last_error(log)->text, "40") != NULL);
	CHECK_INT(next(log, 0), 1); /* it has not gone */
	CHECK_INT(packet.seq, 0);
	one = packet.message.length;
	CHECK_INT(ctrs_nflog_read(log, packets, 3, sizeof(packet), buffer, 2 * one - 1, 0), 1);
	CHECK_INT(packets[0].seq, 1);
	/* A program of an older library, that knows present alone. */
	CHECK_INT(ctrs_nflog_next(log, &packet, 8, buffer, sizeof(buffer), 0), 1);
	CHECK_INT(packet.present, 0);
	CHECK_ERR(next(log, 0), 0, UNTOUCHED);
	CHECK_INT(ctrs_nflog_last_error(log)->err, 0);
	CHECK_INT(ctrs_nflog_close(log), 0);
}

/* Who does not read loses packets, and is told where and how many. */
static void test_losses(void)
{
	for (int told = 0; told < 2; told++) {
		struct ctrs_nflog *log = open_log((struct ctrs_open_options){
			.flags = told ? 0 : CTRS_OPEN_NO_ENOBUFS, .receive_buffer = 20000 });
		struct ctrs_nflog_settings settings = at_once();
		unsigned int seen = 0;

		about(told ? "overruns are told" : "overruns are not told");
		CHECK_INT(ctrs_nflog_bind(log, 5, &settings), 0);
		log_packets(5, 100, 10);
		CHECK_INT(next(log, 0), 1);
		CHECK_INT(HAS(&packet, CTRS_PACKET_OVERRUN), told);
		CHECK(!told || (packet.overrun > 0 && packet.overrun < 100));
		CHECK_INT(HAS(&packet, CTRS_PACKET_MESSAGE), !told);
		for (seen = !told; next(log, 0) == 1; seen++)
			CHECK_INT(packet.seq, seen);
		CHECK(seen > 0 && seen < 100);
		log_packets(5, 1, 10);
		CHECK_INT(next(log, 1000), 1);
		CHECK_INT(packet.present, (uint64_t)1 << CTRS_PACKET_LOST);
		CHECK_INT(packet.lost, 100 - seen);
		CHECK_INT(packet.group, 5);
		CHECK_INT(next(log, 0), 1);
		CHECK_INT(packet.seq, 100);
		CHECK_ERR(next(log, 0), 0, UNTOUCHED);
		CHECK_INT(ctrs_nflog_close(log), 0);
	}
	about("");
}

static int refused(struct ctrs_nflog *log, struct ctrs_nflog_settings settings)
{
	errno = UNTOUCHED;
	return ctrs_nflog_bind(log, 6, &settings) == -1 && errno == EINVAL &&
	       ctrs_nflog_last_error(log)->text[0] != '\0';
}

static void test_refusals(void)
{
	struct ctrs_nflog *log = open_bound(5), *other = open_log((struct ctrs_open_options){ .size = 0 });
	struct ctrs_nflog_settings settings = at_once(), wrong = settings;

	CHECK_ERR(ctrs_nflog_bind(log, 5, &settings), -1, EBUSY);
	CHECK_ERR(ctrs_nflog_bind(other, 5, NULL), -1, EPERM);
	CHECK(strstr(ctrs_nflog_last_error(other)->text, "group 5") != NULL);
	CHECK_INT(ctrs_nflog_last_error(other)->kind, CTRS_ERROR_PRIVILEGE);
	CHECK_ERR(ctrs_nflog_set(other, 6, &settings), -1, ENODEV);
	CHECK_ERR(ctrs_nflog_set(log, 5, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_unbind(other, 6), -1, ENODEV);
	CHECK_ERR(ctrs_nflog_bind(other, 65536, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_unbind(other, 65536), -1, EINVAL);
	wrong.size = sizeof(wrong) - 4;
	CHECK(refused(other, wrong));
	wrong = settings, wrong.present |= 32;
	CHECK(refused(other, wrong));
	wrong = settings, wrong.flags = 8;
	CHECK(refused(other, wrong));
	wrong = settings, wrong.present |= CTRS_NFLOG_BUFFER, wrong.buffer = 3775;
	CHECK(refused(other, wrong));
	wrong = settings, wrong.present |= CTRS_NFLOG_MODE, wrong.mode = 3;
	CHECK(refused(other, wrong));
	/* Nothing of this has bound the group. */
	CHECK_ERR(ctrs_nflog_bind(other, 6, NULL), 0, UNTOUCHED);
	settings.flags = CTRS_NFLOG_CONNTRACK;
	if (ctrs_nflog_bind(other, 7, &settings) == -1) {
		CHECK_INT(errno, EOPNOTSUPP);
		CHECK_INT(ctrs_nflog_last_error(other)->kind, CTRS_ERROR_UNSUPPORTED);
		printf("not run: flows attached by the kernel, which has none to attach; see packet_text.c\n");
	}
	CHECK_ERR(ctrs_nflog_bind_family(log, AF_INET), 0, UNTOUCHED);
	CHECK_ERR(ctrs_nflog_unbind_family(log, AF_INET), 0, UNTOUCHED);
	CHECK_ERR(ctrs_nflog_bind_family(log, 11), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_bind_family(log, 258), -1, EINVAL);
	CHECK_INT(ctrs_nflog_close(other), 0);
	CHECK_INT(ctrs_nflog_close(log), 0);
}

static void test_options(void)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct ctrs_error error = { .size = sizeof(error) };
	struct ctrs_open_options options = { .size = sizeof(options), .groups = 1 };
	struct ctrs_nflog *log;

	CHECK_NULL(ctrs_nflog_open(&options, &error), EINVAL);
	CHECK_INT(error.kind, CTRS_ERROR_INVALID);
	options.groups = 0, options.timeout_ms = 1;
	CHECK_NULL(ctrs_nflog_open(&options, NULL), EINVAL);
	options.timeout_ms = 0, options.netns = "/proc/self/nowhere";
	CHECK_NULL(ctrs_nflog_open(&options, &error), ENOENT);
	/* From another namespace. */
	CHECK_INT(unshare(CLONE_NEWNET), 0);
	log = open_log((struct ctrs_open_options){ .flags = CTRS_OPEN_NETNS_FD, .netns_fd = here,
						   .receive_buffer = 100000 });
	CHECK_INT(ctrs_nflog_receive_buffer(log), 100000);
	CHECK_INT(ctrs_nflog_bind(log, 5, NULL), 0);
	CHECK_INT(setns(here, CLONE_NEWNET), 0);
	log_packets(5, 1, 10);
	CHECK_INT(ctrs_nflog_unbind(log, 5), 0);
	CHECK_INT(next(log, 0), 1);
	CHECK_INT(ctrs_nflog_close(log), 0);
	close(here);
}

static void test_null(void)
{
	struct ctrs_nflog *log = open_bound(5);
	size_t size = sizeof(packet);

	CHECK_ERR(ctrs_nflog_bind(NULL, 5, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_set(NULL, 5, NULL), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_unbind(NULL, 5), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_bind_family(NULL, AF_INET), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_unbind_family(NULL, AF_INET), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_next(NULL, &packet, size, buffer, 4096, 0), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_next(log, NULL, size, buffer, 4096, 0), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_next(log, &packet, size, NULL, 4096, 0), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_next(log, &packet, size - 1, buffer, 4096, 0), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_read(NULL, &packet, 1, size, buffer, 4096, 0), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_read(log, NULL, 1, size, buffer, 4096, 0), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_read(log, &packet, 0, size, buffer, 4096, 0), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_fd(NULL), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_receive_buffer(NULL), -1, EINVAL);
	CHECK_ERR(ctrs_nflog_wake(NULL), -1, EINVAL);
	CHECK_NULL(ctrs_nflog_last_error(NULL), EINVAL);
	CHECK_ERR(ctrs_nflog_close(NULL), -1, EINVAL);
	CHECK_INT(ctrs_nflog_close(log), 0);
	log = ctrs_nflog_open(NULL, NULL);
	CHECK(log != NULL);
	CHECK_INT(ctrs_nflog_close(log), 0);
}

int main(void)
{
	int before;

	if (!log_by_port())
		return finish();
	before = descriptors();
	test_fields();
	test_many();
	test_room();
	test_losses();
	test_refusals();
	test_options();
	test_null();
	CHECK_INT(descriptors(), before);
	return finish();
}
#endif
