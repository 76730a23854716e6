/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What does not fit a connection: RFC 5961's rules for RST, SYN and ACK, the window, PAWS.
 */
#include <rte_mbuf.h>

#include "tests/unit/l4stack/tcp/peer.h"

#define WINDOW (128u << 10) /* what the receive buffer begins with */

static void wscale_open(void)
{
	peer.options = (struct tcp_options){
		.present = TCP_OPT_MSS | TCP_OPT_WSCALE, .mss = 1460, .wscale = 0};
	open_passive(NULL);
	say(ACK, 1, 1, 100); /* its ACK tells the whole window */
	hear(ACK, 1, 101, 0);
	expect_received(1, 100);
}

/* ---- RFC 5961 §3 ---- */

static void test_exact_reset(void **state)
{
	(void)state;
	wscale_open();
	say(RST, 101, 0, 0);
	hear_nothing();
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, TCP_CLOSED_RESET);
	assert_int_equal(tcp_count(peer.stack), 0);
	assert_int_equal(peer.counters->tcp_estab_resets, 1);
}

static void test_reset_in_the_window_is_challenged(void **state)
{
	(void)state;
	wscale_open();
	say(RST, 102, 0, 0);
	hear(ACK, 1, 101, 0);
	say(RST, 101 + WINDOW / 2, 0, 0);
	hear(ACK, 1, 101, 0);
	assert_int_equal(peer.closed, 0);
	assert_int_equal(peer.counters->tcp_challenge_acks, 2);
}

static void test_reset_outside_is_ignored(void **state)
{
	(void)state;
	wscale_open();
	say(RST, 100, 0, 0);
	say(RST, 101 + WINDOW + 5000, 0, 0);
	hear_nothing();
	assert_int_equal(peer.closed, 0);
	assert_int_equal(peer.counters->tcp_out_of_window, 2);
}

/* What was received before the RST can be taken inside `closed`. */
static void take_rest(struct tcp_conn *conn)
{
	assert_int_equal(tcp_recv_ready(conn), 50);
	expect_received(101, 50);
}

static void test_data_before_reset(void **state)
{
	(void)state;
	wscale_open();
	peer.on_closed = take_rest;
	say_quietly(ACK, 101, 1, 50);
	say_quietly(RST, 151, 0, 0);
	turn();
	assert_int_equal(peer.readable, 2);
	assert_int_equal(peer.closed, 1);
}

/* ---- RFC 5961 §4 ---- */

static void test_syn_is_challenged(void **state)
{
	(void)state;
	wscale_open();
	say(SYN, 101, 0, 0);
	hear(ACK, 1, 101, 0);
	say(SYN, 5000, 0, 0);
	hear(ACK, 1, 101, 0);
	say(SYN, 101 + 2 * WINDOW, 0, 0); /* outside the window as well */
	hear(ACK, 1, 101, 0);
	assert_int_equal(peer.closed, 0);
	/* The peer has lost its memory: it answers the challenge, and that is exact. */
	say(RST, 101, 0, 0);
	assert_int_equal(peer.closed, 1);
}

static void test_challenges_are_limited(void **state)
{
	(void)state;
	wscale_open();
	for (unsigned i = 0; i < 100; i++)
		say(SYN, 101, 0, 0);
	assert_int_equal(peer.out_count, 10);
	assert_int_equal(peer.counters->tcp_challenge_limited, 90);
	ignore_all();
	wait_ms(1000);
	say(SYN, 101, 0, 0);
	hear(ACK, 1, 101, 0);
}

/* ---- RFC 5961 §5 ---- */

static void test_ack_of_what_was_not_sent(void **state)
{
	(void)state;
	wscale_open();
	say(ACK, 101, 2, 10);
	hear(ACK, 1, 101, 0);
	assert_int_equal(tcp_recv_ready(peer.conn), 0); /* its text is not taken */
	say(ACK, 101, 1, 10);
	assert_int_equal(tcp_recv_ready(peer.conn), 10);
}

static void test_ack_too_old(void **state)
{
	(void)state;
	wscale_open();
	say(ACK, 101, (uint32_t)-100000, 10); /* more than the largest window ago */
	hear(ACK, 1, 101, 0);
	assert_int_equal(tcp_recv_ready(peer.conn), 0);
	say(ACK, 101, (uint32_t)-1000, 10); /* old, but possible: text counts */
	assert_int_equal(tcp_recv_ready(peer.conn), 10);
}

static void test_no_ack_no_effect(void **state)
{
	(void)state;
	wscale_open();
	say(0, 101, 0, 10);
	say(FIN, 101, 0, 0);
	say(PSH | URG, 101, 0, 10);
	hear_nothing();
	assert_int_equal(tcp_recv_ready(peer.conn), 0);
	assert_string_equal(conn_state(), "ESTABLISHED");
}

/* ---- the window: RFC 9293 §3.10.7.4, first step ---- */

static void test_outside_the_window_is_answered(void **state)
{
	(void)state;
	wscale_open();
	say(ACK, 1, 1, 100); /* old text: an ACK was lost */
	hear(ACK, 1, 101, 0);
	say(ACK, 101 + 2 * WINDOW, 1, 100);
	hear(ACK, 1, 101, 0);
	say(ACK, 100, 1, 0); /* keepalive */
	hear(ACK, 1, 101, 0);
	assert_int_equal(tcp_recv_ready(peer.conn), 0);
}

/* ---- urgent data ---- */

static void test_urgent_is_in_line(void **state)
{
	(void)state;
	wscale_open();
	say(ACK | URG, 101, 1, 10);
	hear(ACK, 1, 111, 0);
	expect_received(101, 10);
}

/* ---- RFC 7323 §5: PAWS ---- */

static void ts_open(void)
{
	peer.options = (struct tcp_options){.present = TCP_OPT_MSS | TCP_OPT_TS, .mss = 1460};
	peer.timestamps = true;
	open_passive(NULL);
}

static void test_paws(void **state)
{
	(void)state;
	ts_open();
	say(ACK, 1, 1, 10);
	hear(ACK, 1, 11, 0);
	assert_int_equal(peer.last.options.tsecr, peer.tsval);
	peer.tsval -= 1;
	say(ACK, 11, 1, 10);
	hear(ACK, 1, 11, 0);
	assert_int_equal(peer.counters->tcp_paws, 1);
	assert_int_equal(tcp_recv_ready(peer.conn), 10);
	say(RST, 11, 0, 0); /* RST is not measured by its time stamp */
	assert_int_equal(peer.closed, 1);
}

static void test_paws_wraps(void **state)
{
	(void)state;
	peer.tsval = UINT32_MAX - 5;
	ts_open();
	peer.tsval = 3;
	say(ACK, 1, 1, 10);
	assert_int_equal(tcp_recv_ready(peer.conn), 10);
}

/* §5.5: after 24 days of silence an old time stamp means nothing. */
static void test_paws_after_long_silence(void **state)
{
	(void)state;
	ts_open();
	say(ACK, 1, 1, 10);
	peer.now_us += 25ull * 24 * 3600 * 1000000;
	peer.tsval -= 1000;
	say(ACK, 11, 1, 10);
	assert_int_equal(tcp_recv_ready(peer.conn), 20);
}

/* Longer than a clock of milliseconds in 32 bits can tell; and the old stamp is what is echoed. */
static void test_paws_after_very_long_silence(void **state)
{
	(void)state;
	ts_open();
	say(ACK, 1, 1, 10);
	ignore_all();
	peer.now_us += 60ull * 24 * 3600 * 1000000;
	peer.tsval -= 1000;
	say(ACK, 11, 1, 10);
	assert_int_equal(tcp_recv_ready(peer.conn), 20);
	hear(ACK, 1, 21, 0);
	assert_int_equal(peer.last.options.tsecr, peer.tsval);
	peer.tsval -= 1; /* from here on PAWS is back */
	say(ACK, 21, 1, 10);
	assert_int_equal(tcp_recv_ready(peer.conn), 20);
	ignore_all();
}

/* §3.2: agreed once, it is in every segment but RST. */
static void test_without_timestamp(void **state)
{
	(void)state;
	ts_open();
	peer.timestamps = false;
	say(ACK, 1, 1, 10);
	hear_nothing();
	assert_int_equal(tcp_recv_ready(peer.conn), 0);
	assert_int_equal(peer.counters->tcp_no_timestamp, 1);
	say(RST, 1, 0, 0);
	assert_int_equal(peer.closed, 1);
}

/* §4.3: a segment out of order does not move what is echoed. */
static void test_echo_is_of_the_left_edge(void **state)
{
	uint32_t first;

	(void)state;
	ts_open();
	say(ACK, 1, 1, 10);
	hear(ACK, 1, 11, 0);
	first = peer.tsval;
	peer.tsval += 50;
	say(ACK, 21, 1, 10);
	hear(ACK, 1, 11, 0);
	assert_int_equal(peer.last.options.tsecr, first);
	peer.tsval += 50;
	say(ACK, 11, 1, 10);
	hear(ACK, 1, 31, 0);
	assert_int_equal(peer.last.options.tsecr, first + 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_exact_reset),
		PEER_TEST(test_reset_in_the_window_is_challenged),
		PEER_TEST(test_reset_outside_is_ignored),
		PEER_TEST(test_data_before_reset),
		PEER_TEST(test_syn_is_challenged),
		PEER_TEST(test_challenges_are_limited),
		PEER_TEST(test_ack_of_what_was_not_sent),
		PEER_TEST(test_ack_too_old),
		PEER_TEST(test_no_ack_no_effect),
		PEER_TEST(test_outside_the_window_is_answered),
		PEER_TEST(test_urgent_is_in_line),
		PEER_TEST(test_paws),
		PEER_TEST(test_paws_wraps),
		PEER_TEST(test_paws_after_long_silence),
		PEER_TEST(test_paws_after_very_long_silence),
		PEER_TEST(test_without_timestamp),
		PEER_TEST(test_echo_is_of_the_left_edge),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
