/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* When a packet was received, in a struct timeval as this program has it: on machines of 32 bits it may have
 * times of 32 bits or of 64. What includes this says which, before anything else. */
#include "check.h"
#include <libnetfilter_log/libnetfilter_log.h>
#include <sys/time.h>

#define FILL 0x55

/* An attribute as the kernel sends it. */
struct received {
	uint16_t length, type;
	uint8_t seconds[8], microseconds[8];
};

static void put(uint8_t bytes[8], uint64_t number)
{
	for (int at = 7; at >= 0; at--, number >>= 8)
		bytes[at] = number & 0xff;
}

/* A packet is a pointer to pointers to its attributes. */
static int ask(uint64_t seconds, uint64_t microseconds, struct timeval *tv)
{
	static struct received attribute = { sizeof(attribute), NFULA_TIMESTAMP, { 0 }, { 0 } };
	void *attributes[NFULA_MAX] = { NULL };
	void **packet = attributes;

	put(attribute.seconds, seconds);
	put(attribute.microseconds, microseconds);
	attributes[NFULA_TIMESTAMP - 1] = &attribute;
	return nflog_get_timestamp((struct nflog_data *)&packet, tv);
}

static void check_time(uint64_t seconds, uint64_t microseconds)
{
	struct {
		struct timeval tv;
		unsigned char behind[32];
	} got;

	memset(&got, FILL, sizeof(got));
	about("%llu", (unsigned long long)seconds);
	CHECK_INT(ask(seconds, microseconds, &got.tv), 0);
	CHECK(got.tv.tv_sec == (time_t)seconds);
	CHECK_INT(got.tv.tv_usec, microseconds);
	for (size_t at = 0; at < sizeof(got.behind); at++)
		CHECK_INT(got.behind[at], FILL);
	about("");
}

int main(void)
{
	check_time(1700000000, 999999);
	check_time(0x7fffffff, 1);
	/* After 2038: with times of 32 bits the low ones, as of the original. */
	check_time(0x80000000, 0);
	check_time(4102444800, 123456);
	return finish();
}
