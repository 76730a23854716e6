/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CUBIC: RFC 9438. Windows are in segments here, as in the RFC.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "l4stack/cc/cc.h"

#define MSS 1000u
#define SEC 1000000ull

static struct cc cc;
static uint64_t now_us;

static int begin(void **state)
{
	(void)state;
	now_us = 5 * SEC;
	cc_init(&cc, &cc_cubic, MSS, false, now_us);
	return 0;
}

static void ack(uint32_t bytes, uint32_t rtt_us, bool limited)
{
	const struct cc_ack a = {
		.now_us = now_us,
		.acked_bytes = bytes,
		.flight_bytes = cc.cwnd,
		.rtt_us = rtt_us,
		.sample_us = rtt_us,
		.cwnd_limited = limited,
	};

	cc.ops->on_ack(&cc, &a);
}

/* So long at a window that is full, in steps of one round trip. */
static void run(uint64_t us, uint32_t rtt_us)
{
	for (uint64_t end_us = now_us + us; now_us < end_us;) {
		uint32_t window = cc.cwnd / MSS;

		for (unsigned i = 0; i < window; i++) {
			now_us += rtt_us / window;
			ack(MSS, rtt_us, true);
		}
	}
}

static void at_window(uint32_t segments)
{
	cc.cwnd = segments * MSS;
	cc.ops->on_loss(&cc, CC_LOSS_FAST, cc.cwnd, now_us);
	cc.ops->on_recovered(&cc, 0, now_us);
}

/* §4.6 */
static void test_reduction(void **state)
{
	(void)state;
	at_window(100);
	assert_in_range(cc.cwnd, 70 * MSS - 1, 70 * MSS);
	assert_int_equal(cc.ssthresh, cc.cwnd);
	cc.ops->on_loss(&cc, CC_LOSS_ECN, 100 * MSS, now_us);
	assert_in_range(cc.cwnd, 70 * MSS - 1, 70 * MSS);
	cc.ops->on_loss(&cc, CC_LOSS_FAST, 2 * MSS, now_us);
	assert_int_equal(cc.cwnd, 2 * MSS); /* never less */
}

/* Figures 1 and 2: K is the cubic root of (1000 - 700) / 0.4, 9.086 s. Before it the curve is
 * below W_max and flat near it; t later it is as far above. The round trip is long, so that
 * Reno's window is smaller. */
static void test_curve(void **state)
{
	(void)state;
	at_window(1000);
	run(45 * SEC / 10, 100000);
	assert_in_range(cc.cwnd, 955 * MSS, 967 * MSS); /* 1000 - 0.4 * 4.6^3 */
	run(45 * SEC / 10, 100000);
	assert_in_range(cc.cwnd, 997 * MSS, 1002 * MSS);
	run(45 * SEC / 10, 100000);
	assert_in_range(cc.cwnd, 1033 * MSS, 1045 * MSS);
}

/* §4.3: on a short path it is Reno with another half. 0.53 of a segment in each round trip until
 * it is where it was, one from then on. */
static void test_reno_friendly(void **state)
{
	(void)state;
	at_window(10);
	run(1000, 1000); /* one round trip */
	assert_int_equal(cc.cwnd, 7 * MSS);
	run(3000, 1000);
	assert_int_equal(cc.cwnd, 9 * MSS);
	run(20000, 1000);
	assert_in_range(cc.cwnd, 24 * MSS, 31 * MSS);
}

/* §4.7: a second loss below the first leaves room to the other. */
static void test_fast_convergence(void **state)
{
	uint32_t slow, fast;

	(void)state;
	at_window(1000);
	at_window(800);
	run(4 * SEC, 100000);
	fast = cc.cwnd;
	begin(NULL);
	at_window(800);
	run(4 * SEC, 100000);
	slow = cc.cwnd;
	assert_true(fast < slow);
	assert_in_range(fast, 560 * MSS, 680 * MSS);
}

/* §4.8: after a timeout slow start, up to the threshold; the curve begins there at its middle. */
static void test_timeout(void **state)
{
	(void)state;
	cc.cwnd = 100 * MSS;
	cc.ops->on_loss(&cc, CC_LOSS_TIMEOUT, 100 * MSS, now_us);
	assert_int_equal(cc.cwnd, MSS);
	assert_in_range(cc.ssthresh, 70 * MSS - 1, 70 * MSS);
	cc.ops->on_loss(&cc, CC_LOSS_AGAIN, MSS, now_us);
	assert_in_range(cc.ssthresh, 70 * MSS - 1, 70 * MSS);
	for (unsigned i = 0; i < 69; i++)
		ack(MSS, 100000, true);
	assert_in_range(cc.cwnd, 70 * MSS - 1, 70 * MSS);
	run(SEC, 100000);
	assert_in_range(cc.cwnd, 70 * MSS, 76 * MSS);
}

/* §5.8: the time in which the window was not needed does not count. */
static void test_pause(void **state)
{
	uint32_t before;

	(void)state;
	at_window(1000);
	run(2 * SEC, 100000);
	before = cc.cwnd;
	ack(MSS, 100000, false);
	now_us += 60 * SEC;
	ack(MSS, 100000, false);
	assert_int_equal(cc.cwnd, before);
	ack(MSS, 100000, true);
	run(SEC / 10, 100000);
	assert_in_range(cc.cwnd, before, before + 40 * MSS);
}

/* §4.9.2: the loss was none; the next one finds all as it was. */
static void test_undo(void **state)
{
	uint32_t before;

	(void)state;
	at_window(1000);
	run(3 * SEC, 100000);
	before = cc.cwnd;
	cc_lose(&cc, CC_LOSS_FAST, cc.cwnd, now_us);
	cc_undo(&cc, before);
	assert_int_equal(cc.cwnd, before);
	run(SEC, 100000);
	assert_in_range(cc.cwnd, before, 1000 * MSS);
}

static void test_idle_and_mss(void **state)
{
	(void)state;
	at_window(1000);
	cc.ops->on_idle(&cc, 3 * SEC, now_us);
	assert_int_equal(cc.cwnd, 10 * MSS);
	assert_in_range(cc.ssthresh, 699 * MSS, 700 * MSS);
	cc.cwnd = 500;
	cc_set_mss(&cc, 600);
	assert_int_equal(cc.cwnd, 600);
}

/* It has to hear once that its window is not used, and nothing more of that before it is. */
static void test_quiet(void **state)
{
	struct cc before;

	(void)state;
	at_window(1000);
	ack(MSS, 100000, true);
	assert_false(cc.quiet);
	now_us += SEC;
	ack(MSS, 100000, false);
	assert_true(cc.quiet);
	before = cc;
	now_us += SEC;
	ack(MSS, 100000, false);
	assert_memory_equal(&cc, &before, sizeof(cc));
	ack(MSS, 100000, true);
	assert_false(cc.quiet);
}

static void test_never_overflows(void **state)
{
	(void)state;
	cc.cwnd = UINT32_MAX - 5;
	ack(UINT32_MAX, 1, true);
	assert_int_equal(cc.cwnd, UINT32_MAX - 5);
	at_window(1000);
	ack(MSS, 100000, true);
	now_us += 1000000 * SEC; /* t cubed is large */
	run(SEC, 100000);
	assert_true(cc.cwnd > 1000 * MSS);
	assert_true(cc.cwnd <= UINT32_MAX / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reduction, begin),
		cmocka_unit_test_setup(test_curve, begin),
		cmocka_unit_test_setup(test_reno_friendly, begin),
		cmocka_unit_test_setup(test_fast_convergence, begin),
		cmocka_unit_test_setup(test_timeout, begin),
		cmocka_unit_test_setup(test_pause, begin),
		cmocka_unit_test_setup(test_undo, begin),
		cmocka_unit_test_setup(test_idle_and_mss, begin),
		cmocka_unit_test_setup(test_quiet, begin),
		cmocka_unit_test_setup(test_never_overflows, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
