/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proportional rate reduction: the arithmetic of RFC 6937 §3 and its examples in §4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "l4stack/tcp/tcp_prr.h"

#define MSS 1000

/* One ACK; what it allows is sent. */
static uint32_t ack(struct tcp_prr *prr, uint32_t delivered, uint32_t pipe, uint32_t ssthresh,
		    bool progress)
{
	const struct tcp_prr_ack news = {
		.delivered_bytes = delivered,
		.pipe_bytes = pipe,
		.ssthresh = ssthresh,
		.mss = MSS,
		.progress = progress,
	};
	uint32_t sent = (tcp_prr_window(prr, &news) - pipe) / MSS * MSS;

	tcp_prr_sent(prr, sent);
	return sent;
}

/* §4, first example: 20 segments, one lost, CUBIC-like reduction by a half: for every two ACKs one
 * segment goes out, and in the end ten are in flight. */
static void test_proportional(void **state)
{
	struct tcp_prr prr;
	uint32_t pipe = 19 * MSS, sent = 0;

	(void)state;
	tcp_prr_begin(&prr, 20 * MSS);
	for (unsigned i = 1; i <= 19; i++) {
		uint32_t now = ack(&prr, MSS, pipe - MSS, 10 * MSS, false);

		pipe = pipe - MSS + now;
		sent += now;
		if (i < 16)
			assert_int_equal(sent, i / 2 * MSS);
	}
	assert_int_equal(pipe, 10 * MSS);
}

/* §4, second example: most of the flight is lost. Without progress as much goes out as was
 * delivered: packet conservation. */
static void test_conservative_bound(void **state)
{
	struct tcp_prr prr;

	(void)state;
	tcp_prr_begin(&prr, 20 * MSS);
	assert_int_equal(ack(&prr, MSS, 4 * MSS, 10 * MSS, false), MSS);
	assert_int_equal(ack(&prr, MSS, 4 * MSS, 10 * MSS, false), MSS);
	assert_int_equal(ack(&prr, 3 * MSS, 2 * MSS, 10 * MSS, false), 3 * MSS);
}

/* With it one segment more for each ACK, up to the threshold. */
static void test_slow_start_bound(void **state)
{
	struct tcp_prr prr;

	(void)state;
	tcp_prr_begin(&prr, 20 * MSS);
	assert_int_equal(ack(&prr, MSS, 4 * MSS, 10 * MSS, true), 2 * MSS);
	assert_int_equal(ack(&prr, MSS, 5 * MSS, 10 * MSS, true), 2 * MSS);
	assert_int_equal(ack(&prr, 3 * MSS, 9 * MSS, 10 * MSS, true), MSS);
}

/* §3: what was not sent when it could have been may be sent later. */
static void test_banking(void **state)
{
	struct tcp_prr prr;
	const struct tcp_prr_ack news = {
		.delivered_bytes = MSS, .pipe_bytes = 4 * MSS, .ssthresh = 10 * MSS, .mss = MSS};

	(void)state;
	tcp_prr_begin(&prr, 20 * MSS);
	for (unsigned i = 0; i < 3; i++)
		tcp_prr_window(&prr, &news); /* the owner had nothing */
	assert_int_equal(tcp_prr_window(&prr, &news), 8 * MSS);
}

/* The first retransmission goes out whatever the proportion says. */
static void test_forced(void **state)
{
	struct tcp_prr prr;
	const struct tcp_prr_ack news = {.delivered_bytes = MSS,
					 .pipe_bytes = 19 * MSS,
					 .ssthresh = 10 * MSS,
					 .mss = MSS,
					 .forced = true};

	(void)state;
	tcp_prr_begin(&prr, 20 * MSS);
	assert_int_equal(tcp_prr_window(&prr, &news), 20 * MSS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proportional),     cmocka_unit_test(test_conservative_bound),
		cmocka_unit_test(test_slow_start_bound), cmocka_unit_test(test_banking),
		cmocka_unit_test(test_forced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
