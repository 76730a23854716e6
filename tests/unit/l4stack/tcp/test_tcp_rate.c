/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery rate samples, by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "l4stack/tcp/tcp_rate.h"

#define MSS 1000

static struct tcp_rate_sample take(struct tcp_rate *rate, const struct tcp_stamp *stamp,
				   uint32_t now_us)
{
	struct tcp_news news = {
		.delivered = true, .delivered_bytes = MSS, .latest_known = true, .latest = *stamp};

	return tcp_rate_take(rate, &news, 0, now_us);
}

/* A segment each millisecond, a round trip of 10: a megabyte in a second. */
static void test_steady(void **state)
{
	struct tcp_rate rate = {0};
	struct tcp_stamp stamps[64];
	struct tcp_rate_sample sample = {0};

	(void)state;
	for (uint32_t ms = 0; ms < 60; ms++) {
		if (ms >= 10)
			sample = take(&rate, &stamps[ms - 10], ms * 1000);
		stamps[ms] = tcp_rate_stamp(&rate, (ms < 10 ? ms : 9) * MSS, ms * 1000);
	}
	assert_int_equal(sample.delivered_bytes, 10 * MSS);
	assert_int_equal(sample.interval_us, 10000);
	assert_int_equal(rate.delivered, 50 * MSS);
}

/* ACKs that come in a heap tell no more than the rate at which was sent. */
static void test_compressed_acks(void **state)
{
	struct tcp_rate rate = {0};
	struct tcp_stamp stamps[10];
	struct tcp_rate_sample sample = {0};

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		stamps[i] = tcp_rate_stamp(&rate, i * MSS, 100000 + i * 5000);
	for (uint32_t i = 0; i < 10; i++)
		sample = take(&rate, &stamps[i], 200000);
	assert_int_equal(sample.interval_us, 100000); /* since the first went out */
	assert_int_equal(sample.delivered_bytes, 10 * MSS);
}

/* Nothing in flight: the time before does not count. */
static void test_after_idle(void **state)
{
	struct tcp_rate rate = {0};
	struct tcp_stamp stamp = tcp_rate_stamp(&rate, 0, 1000);

	(void)state;
	take(&rate, &stamp, 11000);
	stamp = tcp_rate_stamp(&rate, 0, 5000000);
	assert_int_equal(take(&rate, &stamp, 5010000).interval_us, 10000);
}

static void test_limited(void **state)
{
	struct tcp_rate rate = {0};
	struct tcp_stamp first = tcp_rate_stamp(&rate, 0, 0), second;

	(void)state;
	tcp_rate_limited(&rate, MSS);
	second = tcp_rate_stamp(&rate, MSS, 10);
	assert_false(first.app_limited);
	assert_true(second.app_limited);
	take(&rate, &first, 20);
	assert_true(tcp_rate_stamp(&rate, MSS, 25).app_limited);
	assert_true(take(&rate, &second, 30).app_limited);
	assert_false(tcp_rate_stamp(&rate, MSS, 35).app_limited); /* the bubble is out */
}

/* An interval below the shortest round trip is an error of the clock. */
static void test_impossible(void **state)
{
	struct tcp_rate rate = {0};
	struct tcp_news news = {.delivered = true, .delivered_bytes = MSS, .latest_known = true};

	(void)state;
	news.latest = tcp_rate_stamp(&rate, 0, 0);
	assert_int_equal(tcp_rate_take(&rate, &news, 500, 499).interval_us, 0);
	news.latest_known = false;
	assert_false(tcp_rate_take(&rate, &news, 500, 499).known);
	assert_int_equal(rate.delivered, 2 * MSS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steady),     cmocka_unit_test(test_compressed_acks),
		cmocka_unit_test(test_after_idle), cmocka_unit_test(test_limited),
		cmocka_unit_test(test_impossible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
