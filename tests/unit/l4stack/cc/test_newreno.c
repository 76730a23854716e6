/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "l4stack/cc/cc.h"

#define MSS 1000

static struct cc begin(void)
{
	struct cc cc;

	cc_init(&cc, &cc_newreno, MSS, false, 0);
	return cc;
}

static void ack(struct cc *cc, uint32_t bytes, bool limited)
{
	const struct cc_ack a = {
		.acked_bytes = bytes, .flight_bytes = cc->cwnd, .cwnd_limited = limited};

	cc->ops->on_ack(cc, &a);
}

/* RFC 5681 §3.1 */
static void test_after_a_lost_syn(void **state)
{
	struct cc cc;

	(void)state;
	cc_init(&cc, &cc_newreno, MSS, true, 0);
	assert_int_equal(cc.cwnd, MSS);
	assert_int_equal(cc.ssthresh, CC_SSTHRESH_INFINITE);
}

static void test_slow_start(void **state)
{
	struct cc cc = begin();

	(void)state;
	ack(&cc, 2 * MSS, true);
	assert_int_equal(cc.cwnd, 12 * MSS);
	ack(&cc, 100, true);
	assert_int_equal(cc.cwnd, 12 * MSS + 100);
	ack(&cc, 100 * MSS, true); /* of a receiver that merges segments before it acknowledges */
	assert_int_equal(cc.cwnd, 112 * MSS + 100);
	ack(&cc, MSS, false);
	assert_int_equal(cc.cwnd, 112 * MSS + 100);
}

/* While the window is not used ACKs are not told. */
static void test_quiet(void **state)
{
	struct cc cc = begin(), before;

	(void)state;
	assert_true(cc.quiet);
	before = cc;
	ack(&cc, 3 * MSS, false);
	assert_memory_equal(&cc, &before, sizeof(cc));
	ack(&cc, 3 * MSS, true);
	assert_int_equal(cc.cwnd, before.cwnd + 3 * MSS);
}

/* One segment for each window. */
static void test_avoidance(void **state)
{
	struct cc cc = begin();

	(void)state;
	cc.ssthresh = cc.cwnd;
	for (unsigned i = 0; i < 9; i++)
		ack(&cc, MSS, true);
	assert_int_equal(cc.cwnd, 10 * MSS);
	ack(&cc, MSS, true);
	assert_int_equal(cc.cwnd, 11 * MSS);
	ack(&cc, 11 * MSS, true);
	assert_int_equal(cc.cwnd, 12 * MSS);
}

static void test_across_the_threshold(void **state)
{
	struct cc cc = begin();

	(void)state;
	cc.ssthresh = 11 * MSS;
	ack(&cc, 4 * MSS, true);
	assert_int_equal(cc.cwnd, 11 * MSS);
	ack(&cc, 8 * MSS, true); /* three were left over */
	assert_int_equal(cc.cwnd, 12 * MSS);
}

static void test_loss(void **state)
{
	struct cc cc = begin();

	(void)state;
	cc.ops->on_loss(&cc, CC_LOSS_FAST, 10 * MSS, 0);
	assert_int_equal(cc.cwnd, 5 * MSS);
	assert_int_equal(cc.ssthresh, 5 * MSS);
	cc.ops->on_loss(&cc, CC_LOSS_FAST, 3 * MSS, 0);
	assert_int_equal(cc.ssthresh, 2 * MSS); /* never less */
}

static void test_timeout(void **state)
{
	struct cc cc = begin();

	(void)state;
	cc.ops->on_loss(&cc, CC_LOSS_TIMEOUT, 10 * MSS, 0);
	assert_int_equal(cc.cwnd, MSS);
	assert_int_equal(cc.ssthresh, 5 * MSS);
	cc.ops->on_loss(&cc, CC_LOSS_AGAIN, MSS, 0); /* the threshold is held */
	assert_int_equal(cc.cwnd, MSS);
	assert_int_equal(cc.ssthresh, 5 * MSS);
}

/* RFC 6582 §3.2: no burst after recovery. */
static void test_recovered(void **state)
{
	struct cc cc = begin();

	(void)state;
	cc.ops->on_loss(&cc, CC_LOSS_FAST, 20 * MSS, 0);
	cc.ops->on_recovered(&cc, 3 * MSS, 0);
	assert_int_equal(cc.cwnd, 4 * MSS);
	cc.ops->on_recovered(&cc, 0, 0);
	assert_int_equal(cc.cwnd, 2 * MSS);
	cc.ops->on_recovered(&cc, 50 * MSS, 0);
	assert_int_equal(cc.cwnd, 10 * MSS);
}

static void test_idle_and_mss(void **state)
{
	struct cc cc = begin();

	(void)state;
	cc.cwnd = 50 * MSS;
	cc.ops->on_idle(&cc, 1000000, 0);
	assert_int_equal(cc.cwnd, 10 * MSS);
	cc.cwnd = 500;
	cc_set_mss(&cc, 600);
	assert_int_equal(cc.cwnd, 600);
}

static void test_never_overflows(void **state)
{
	struct cc cc = begin();

	(void)state;
	cc.cwnd = UINT32_MAX - 5;
	ack(&cc, UINT32_MAX, true);
	assert_int_equal(cc.cwnd, UINT32_MAX - 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_after_a_lost_syn),
		cmocka_unit_test(test_slow_start),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_avoidance),
		cmocka_unit_test(test_across_the_threshold),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_recovered),
		cmocka_unit_test(test_idle_and_mss),
		cmocka_unit_test(test_never_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
