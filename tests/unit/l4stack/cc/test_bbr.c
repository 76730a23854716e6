/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BBR: a path with a rate, a round trip and a queue, in steps of a millisecond; what is sent
 * follows the pacing rate and the window.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "l4stack/cc/cc.h"

#define MSS   1000u
#define STEPS 60000u

/* One direction; ACKs take the other half of the round trip. */
static struct {
	struct cc cc;
	uint64_t now_us;
	uint32_t rate;         /* bytes in a millisecond */
	uint32_t rtt_us;       /* without a queue */
	double served, credit; /* bytes that have passed the bottleneck; what pacing allows */
	uint64_t sent, arrived, acked, round_end;
	uint64_t acked_then[STEPS], sent_then[STEPS], arrived_then[STEPS]; /* by milliseconds */
	uint32_t ms;
	uint32_t flight_most; /* since it was last set to zero */
} path;

static int begin(void **state)
{
	(void)state;
	memset(&path, 0, sizeof(path));
	path.now_us = 1000000;
	path.rate = 1250; /* 10 Mbit/s */
	path.rtt_us = 40000;
	cc_init(&path.cc, &cc_bbr, MSS, false, path.now_us);
	return 0;
}

static uint32_t flight(void)
{
	return (uint32_t)(path.sent - path.acked);
}

static void send(void)
{
	uint64_t pacing = path.cc.pacing_bytes_per_s;

	path.credit = pacing ? path.credit + (double)pacing / 1000 : 1e9;
	while (flight() + MSS <= path.cc.cwnd && path.credit >= MSS) {
		path.sent += MSS;
		path.credit -= MSS;
	}
	if (path.credit > 2 * MSS)
		path.credit = 2 * MSS;
	if (flight() > path.flight_most)
		path.flight_most = flight();
}

static void serve(void)
{
	double most = (double)path.sent;

	path.served += path.rate;
	if (path.served > most)
		path.served = most;
	path.arrived = (uint64_t)(path.served / MSS) * MSS;
}

/* When `byte` was sent, and how much had been acknowledged then. */
static uint32_t sent_at(uint64_t byte)
{
	uint32_t ms = path.ms;

	while (ms && path.sent_then[ms - 1] >= byte)
		ms--;
	return ms;
}

static void receive(void)
{
	uint32_t back = path.rtt_us / 1000, then;
	uint64_t upto = path.ms >= back ? path.arrived_then[path.ms - back] : 0;
	struct cc_ack ack = {.now_us = path.now_us, .cwnd_limited = true};

	if (upto <= path.acked)
		return;
	then = sent_at(upto);
	ack.flight_bytes = flight();
	ack.acked_bytes = ack.delivered_bytes = (uint32_t)(upto - path.acked);
	path.acked = upto;
	ack.pipe_bytes = flight();
	ack.sample_us = ack.rtt_us = (path.ms - then) * 1000;
	ack.round_start = path.acked_then[then] >= path.round_end;
	if (ack.round_start)
		path.round_end = path.acked;
	ack.rate_bytes = (uint32_t)(path.acked - path.acked_then[then]);
	ack.rate_us = ack.sample_us;
	path.cc.ops->on_ack(&path.cc, &ack);
}

static void run_ms(uint32_t ms)
{
	while (ms--) {
		path.acked_then[path.ms] = path.acked;
		send();
		path.sent_then[path.ms] = path.sent;
		serve();
		path.arrived_then[path.ms] = path.arrived;
		path.ms++;
		path.now_us += 1000;
		receive();
	}
}

static uint32_t product(void)
{
	return path.rate * path.rtt_us / 1000;
}

/* §4.3.2: startup, and the queue that it makes drained; then the path is full. */
static void test_finds_the_rate(void **state)
{
	uint64_t before;

	(void)state;
	run_ms(2000);
	before = path.arrived;
	path.flight_most = 0;
	run_ms(3000);
	assert_in_range(path.arrived - before, 3000 * path.rate * 97 / 100, 3000 * path.rate);
	/* §4.2.3: cwnd_gain, and some more for bursts */
	assert_true(path.flight_most <= 2 * product() + 8 * MSS);
	assert_in_range(path.cc.pacing_bytes_per_s, 700 * path.rate, 1300 * path.rate);
}

/* Most of the time there is next to no queue. */
static void test_keeps_no_queue(void **state)
{
	uint64_t sum = 0;

	(void)state;
	run_ms(2000);
	for (unsigned i = 0; i < 3000; i++) {
		run_ms(1);
		sum += flight();
	}
	assert_in_range(sum / 3000, product() * 9 / 10, product() * 14 / 10);
}

/* §4.3.4: more bandwidth is found within some cycles, less within ten round trips,
 * which are long ones while the queue is. */
static void test_follows_the_rate(void **state)
{
	uint64_t before;

	(void)state;
	run_ms(3000);
	path.rate *= 3;
	run_ms(4000);
	before = path.arrived;
	run_ms(1000);
	assert_in_range(path.arrived - before, 1000 * path.rate * 9 / 10, 1000 * path.rate);
	path.rate /= 6;
	run_ms(9000);
	path.flight_most = 0;
	before = path.arrived;
	run_ms(1000);
	assert_in_range(path.arrived - before, 1000 * path.rate * 9 / 10, 1000 * path.rate);
	assert_true(path.flight_most <= 3 * product() + 8 * MSS);
}

/* §4.3.5: each ten seconds the flight is small for a moment, and all is as before then. */
static void test_probes_the_round_trip(void **state)
{
	uint32_t small_ms = 0;
	uint64_t before;

	(void)state;
	run_ms(9000);
	for (unsigned i = 0; i < 3000; i++) {
		run_ms(1);
		small_ms += flight() <= 4 * MSS;
	}
	assert_in_range(small_ms, 150, 500);
	before = path.arrived;
	run_ms(1000);
	assert_in_range(path.arrived - before, 1000 * path.rate * 9 / 10, 1000 * path.rate);
}

/* The path has become longer: that is believed after ten seconds. */
static void test_longer_path(void **state)
{
	uint64_t before;

	(void)state;
	run_ms(3000);
	path.rtt_us = 90000;
	run_ms(25000);
	before = path.arrived;
	run_ms(2000);
	assert_in_range(path.arrived - before, 2000 * path.rate * 9 / 10, 2000 * path.rate);
}

static struct cc_ack in_recovery(uint32_t pipe, uint32_t delivered, uint32_t lost, bool round)
{
	return (struct cc_ack){
		.now_us = path.now_us,
		.recovering = true,
		.pipe_bytes = pipe,
		.flight_bytes = pipe + delivered + lost,
		.delivered_bytes = delivered,
		.lost_bytes = lost,
		.round_start = round,
	};
}

/* §4.2.3.4 */
static void test_conserves_in_recovery(void **state)
{
	struct cc *cc = &path.cc;
	struct cc_ack ack;
	uint32_t before;

	(void)state;
	run_ms(3000);
	before = cc->cwnd;
	cc_lose(cc, CC_LOSS_FAST, flight(), path.now_us);
	ack = in_recovery(30 * MSS, MSS, 5 * MSS, false);
	cc->ops->on_ack(cc, &ack);
	assert_int_equal(cc->cwnd, 31 * MSS);
	ack = in_recovery(30 * MSS, 2 * MSS, 0, false);
	cc->ops->on_ack(cc, &ack);
	assert_int_equal(cc->cwnd, 32 * MSS);
	ack = in_recovery(30 * MSS, 2 * MSS, 0, true); /* one round trip is over */
	cc->ops->on_ack(cc, &ack);
	assert_int_equal(cc->cwnd, 34 * MSS);
	cc->ops->on_recovered(cc, 30 * MSS, path.now_us);
	assert_int_equal(cc->cwnd, before);
}

static void test_timeout(void **state)
{
	struct cc *cc = &path.cc;
	uint64_t pacing;
	uint32_t before;

	(void)state;
	run_ms(3000);
	before = cc->cwnd;
	pacing = cc->pacing_bytes_per_s;
	cc_lose(cc, CC_LOSS_TIMEOUT, flight(), path.now_us);
	assert_int_equal(cc->cwnd, MSS);
	cc_lose(cc, CC_LOSS_AGAIN, MSS, path.now_us);
	cc->ops->on_recovered(cc, 0, path.now_us);
	assert_int_equal(cc->cwnd, before);
	assert_int_equal(cc->pacing_bytes_per_s, pacing); /* the path is known still */
}

/* §4.3.4.4: no burst, and no slow start, after a pause. */
static void test_idle(void **state)
{
	struct cc *cc = &path.cc;
	uint32_t before;

	(void)state;
	run_ms(3000);
	before = cc->cwnd;
	cc->ops->on_idle(cc, 5000000, path.now_us + 5000000);
	assert_int_equal(cc->cwnd, before);
	assert_in_range(cc->pacing_bytes_per_s, 900 * path.rate, 1010 * path.rate);
}

/* What an owner that has little to send shows says nothing of the path. */
static void test_application_limited(void **state)
{
	struct cc *cc = &path.cc;
	struct cc_ack ack;
	uint64_t before;

	(void)state;
	run_ms(3000);
	before = cc->pacing_bytes_per_s;
	for (unsigned i = 0; i < 100; i++) {
		path.now_us += 40000;
		ack = (struct cc_ack){
			.now_us = path.now_us,
			.delivered_bytes = MSS,
			.rtt_us = 40000,
			.sample_us = 40000,
			.round_start = true,
			.rate_bytes = MSS,
			.rate_us = 40000,
			.app_limited = true,
		};
		cc->ops->on_ack(cc, &ack);
	}
	assert_true(cc->pacing_bytes_per_s * 2 > before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_finds_the_rate, begin),
		cmocka_unit_test_setup(test_keeps_no_queue, begin),
		cmocka_unit_test_setup(test_follows_the_rate, begin),
		cmocka_unit_test_setup(test_probes_the_round_trip, begin),
		cmocka_unit_test_setup(test_longer_path, begin),
		cmocka_unit_test_setup(test_conserves_in_recovery, begin),
		cmocka_unit_test_setup(test_timeout, begin),
		cmocka_unit_test_setup(test_idle, begin),
		cmocka_unit_test_setup(test_application_limited, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
