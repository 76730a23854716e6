/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HyStart++: RFC 9406 §4.2, in rounds of ten ACKs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "l4stack/cc/cc.h"
#include "l4stack/cc/hystart.h"

#define MSS 1000
#define MS  1000u

static struct cc cc;
static struct hystart hystart;

static int begin(void **state)
{
	(void)state;
	cc_init(&cc, &cc_cubic, MSS, false, 1);
	hystart_begin(&hystart);
	return 0;
}

/* Returns what is left for congestion avoidance. */
static uint32_t round_of(uint32_t rtt_us)
{
	uint32_t left = 0;

	for (unsigned i = 0; i < 10; i++) {
		const struct cc_ack ack = {
			.acked_bytes = MSS,
			.sample_us = rtt_us,
			.cwnd_limited = true,
			.round_start = i == 0,
		};

		left += hystart_on_ack(&hystart, &cc, &ack);
	}
	return left;
}

/* The path is as fast as ever: slow start. */
static void test_goes_on(void **state)
{
	(void)state;
	for (unsigned i = 1; i < 20; i++) {
		assert_int_equal(round_of(50 * MS + i % 2 * 3 * MS), 0);
		assert_int_equal(cc.cwnd, (10 + 10 * i) * MSS);
	}
	assert_int_equal(cc.ssthresh, CC_SSTHRESH_INFINITE);
}

/* An eighth longer, 6.25 ms: the eighth sample decides, and the ACKs after it count a quarter. */
static void test_conservative(void **state)
{
	(void)state;
	round_of(50 * MS);
	round_of(57 * MS);
	assert_int_equal(cc.cwnd, 27 * MSS + 3 * MSS / 4);
	assert_int_equal(cc.ssthresh, CC_SSTHRESH_INFINITE);
}

/* §4.3: the threshold is between 4 and 16 ms. */
static void test_bounds(void **state)
{
	(void)state;
	round_of(1 * MS);
	round_of(4 * MS);
	assert_int_equal(cc.cwnd, 30 * MSS);
	begin(NULL);
	round_of(1 * MS);
	round_of(5 * MS);
	assert_true(cc.cwnd < 30 * MSS);
	begin(NULL);
	round_of(400 * MS);
	round_of(415 * MS);
	assert_int_equal(cc.cwnd, 30 * MSS);
	begin(NULL);
	round_of(400 * MS);
	round_of(416 * MS);
	assert_true(cc.cwnd < 30 * MSS);
}

/* Rounds of it, that in which it began counted: then slow start is over. */
static void test_ends(void **state)
{
	uint32_t at;

	(void)state;
	round_of(50 * MS);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(cc.ssthresh, CC_SSTHRESH_INFINITE);
		round_of(60 * MS);
	}
	at = cc.cwnd;
	assert_int_equal(round_of(60 * MS), 10 * MSS);
	assert_int_equal(cc.ssthresh, at);
	assert_int_equal(cc.cwnd, at);
}

/* It was a passing matter. */
static void test_resumes(void **state)
{
	uint32_t before;

	(void)state;
	round_of(50 * MS);
	round_of(60 * MS);
	round_of(50 * MS);
	before = cc.cwnd;
	round_of(50 * MS);
	assert_int_equal(cc.cwnd, before + 10 * MSS);
	assert_int_equal(cc.ssthresh, CC_SSTHRESH_INFINITE);
}

/* Fewer than eight samples say nothing. */
static void test_few_samples(void **state)
{
	(void)state;
	round_of(50 * MS);
	for (unsigned i = 0; i < 7; i++) {
		const struct cc_ack ack = {
			.acked_bytes = MSS, .sample_us = 90 * MS, .round_start = i == 0};

		hystart_on_ack(&hystart, &cc, &ack);
	}
	assert_int_equal(cc.cwnd, 27 * MSS);
	assert_false(hystart.css);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_goes_on, begin),
		cmocka_unit_test_setup(test_conservative, begin),
		cmocka_unit_test_setup(test_bounds, begin),
		cmocka_unit_test_setup(test_ends, begin),
		cmocka_unit_test_setup(test_resumes, begin),
		cmocka_unit_test_setup(test_few_samples, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
