/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RACK: the examples of RFC 8985 §3.1 and §4, and the window of §6.2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "l4stack/tcp/tcp_rack.h"
#include "l4stack/tcp/tcp_slab.h"

#define MS 1000u

static struct tcp_slab slab;
static struct tcp_scoreboard board;
static struct tcp_rack rack;

static int setup(void **state)
{
	(void)state;
	tcp_slab_init(&slab, sizeof(struct tcp_run), 1000);
	tcp_scoreboard_init(&board, &slab);
	tcp_rack_init(&rack, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tcp_scoreboard_clear(&board);
	tcp_slab_fini(&slab);
	return 0;
}

/* Segment n is the bytes [n * 10, n * 10 + 10). */
static void send(uint32_t n, uint32_t at_us)
{
	const struct tcp_stamp stamp = {.sent_us = at_us};

	assert_true(tcp_scoreboard_ready(&board));
	tcp_scoreboard_push(&board, n * 10, n * 10 + 10, &stamp);
}

static void resend(uint32_t n, uint32_t at_us)
{
	const struct tcp_stamp stamp = {.sent_us = at_us};

	assert_true(tcp_scoreboard_ready(&board));
	tcp_scoreboard_resend(&board, n * 10, n * 10 + 10, &stamp);
}

static uint32_t sack(uint32_t n, uint32_t at_us)
{
	struct tcp_news news = {.fack = rack.fack, .resent_until_us = at_us - rack.min_rtt_us};

	tcp_scoreboard_sack(&board, n * 10, n * 10 + 10, &news);
	return tcp_rack_take(&rack, &news, at_us);
}

static uint32_t detect(uint32_t window_us, uint32_t now_us)
{
	return tcp_rack_detect(&rack, &board, window_us, now_us);
}

static uint32_t lost(void)
{
	return tcp_scoreboard_lost(&board) / 10;
}

/* §4.1: P1, P2, P3 go out 1 ms apart; P1 is lost; the report of P3 shows it. */
static void test_fast_recovery(void **state)
{
	(void)state;
	send(0, 0);
	send(1, 1 * MS);
	send(2, 2 * MS);
	assert_int_equal(sack(1, 101 * MS), 100 * MS);
	assert_int_equal(detect(25 * MS, 101 * MS), 24 * MS); /* P1 has until 125 */
	sack(2, 102 * MS);
	assert_int_equal(lost(), 0);
	detect(0, 102 * MS); /* three reports: no reordering is waited for */
	assert_int_equal(lost(), 1);
}

/* §3.1: a retransmission that is lost is found by what went out after it. */
static void test_lost_retransmission(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 3; n++)
		send(n, n);
	sack(1, 100 * MS);
	sack(2, 100 * MS);
	detect(0, 100 * MS + 2);
	assert_int_equal(lost(), 1);
	resend(0, 101 * MS);
	send(3, 102 * MS);
	detect(0, 150 * MS);
	assert_int_equal(lost(), 0);
	sack(3, 202 * MS);
	detect(0, 202 * MS);
	assert_int_equal(lost(), 1); /* again */
}

/* §3.3: reordering within the window is no loss. */
static void test_reordering(void **state)
{
	struct tcp_news news;

	(void)state;
	for (uint32_t n = 0; n < 4; n++)
		send(n, n * MS);
	sack(1, 51 * MS);
	assert_true(detect(tcp_rack_window(&rack, 50 * MS, false), 51 * MS) > 0);
	assert_int_equal(lost(), 0);
	assert_false(rack.reordering_seen);
	news = (struct tcp_news){.fack = rack.fack};
	tcp_scoreboard_ack(&board, 20, &news); /* P1 was only late */
	tcp_rack_take(&rack, &news, 55 * MS);
	assert_true(rack.reordering_seen);
	/* From now on even three reports wait. */
	assert_int_equal(tcp_rack_window(&rack, 50 * MS, true), 50 * MS / 4);
}

/* §6.2 step 4, the table of the window: a quarter of the shortest round trip more for each
 * round trip with a DSACK, at most the smoothed one; after 16 recoveries from the beginning. */
static void test_window(void **state)
{
	(void)state;
	send(0, 0);
	sack(0, 40 * MS);
	assert_int_equal(tcp_rack_window(&rack, 60 * MS, true), 0);
	assert_int_equal(tcp_rack_window(&rack, 60 * MS, false), 10 * MS);
	rack.reordering_seen = true;
	assert_int_equal(tcp_rack_window(&rack, 60 * MS, true), 10 * MS);
	tcp_rack_dsack(&rack, 100);
	tcp_rack_dsack(&rack, 110); /* of the same round */
	assert_int_equal(tcp_rack_window(&rack, 60 * MS, true), 20 * MS);
	tcp_rack_round(&rack, 99);
	tcp_rack_dsack(&rack, 120);
	assert_int_equal(tcp_rack_window(&rack, 60 * MS, true), 20 * MS);
	tcp_rack_round(&rack, 100);
	tcp_rack_dsack(&rack, 130);
	assert_int_equal(tcp_rack_window(&rack, 60 * MS, true), 30 * MS);
	for (unsigned i = 0; i < 10; i++) {
		tcp_rack_round(&rack, 130 + i);
		tcp_rack_dsack(&rack, 131 + i);
	}
	assert_int_equal(tcp_rack_window(&rack, 60 * MS, true), 60 * MS);
	for (unsigned i = 0; i < 15; i++)
		tcp_rack_recovered(&rack);
	assert_int_equal(tcp_rack_window(&rack, 60 * MS, true), 60 * MS);
	tcp_rack_recovered(&rack);
	assert_int_equal(tcp_rack_window(&rack, 60 * MS, true), 10 * MS);
}

/* §6.2 step 1: an answer faster than the path is not one to the retransmission. */
static void test_round_trips(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 3; n++)
		send(n, 0);
	assert_int_equal(sack(0, 30 * MS), 30 * MS);
	resend(1, 40 * MS);
	resend(2, 40 * MS);
	assert_int_equal(sack(1, 50 * MS), 0);
	assert_int_equal(rack.sent_us, 0);
	assert_int_equal(rack.rtt_us, 30 * MS);
	assert_int_equal(sack(2, 80 * MS), 0); /* no sample for the timeout, but one for RACK */
	assert_int_equal(rack.sent_us, 40 * MS);
	assert_int_equal(rack.rtt_us, 40 * MS);
	assert_int_equal(rack.min_rtt_us, 30 * MS);
}

/* §6.3 */
static void test_timeout(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 4; n++)
		send(n, n * 100 * MS);
	sack(1, 150 * MS); /* round trip 50 ms */
	tcp_rack_timeout(&rack, &board, 10 * MS, 320 * MS);
	assert_int_equal(lost(), 2); /* P4 has just gone out */
}

static void test_timeout_without_rtt(void **state)
{
	(void)state;
	send(0, 0);
	send(1, 100 * MS);
	tcp_rack_timeout(&rack, &board, 0, 100 * MS);
	assert_int_equal(lost(), 2);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_fast_recovery),       TEST(test_lost_retransmission),
		TEST(test_reordering),          TEST(test_window),
		TEST(test_round_trips),         TEST(test_timeout),
		TEST(test_timeout_without_rtt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
