/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loss recovery as a conversation: tail loss probes, spurious losses, F-RTO, DSACK, reordering.
 * The round trip is 20 ms; segments are numbered from 0.
 */
#include "tests/unit/l4stack/tcp/peer.h"

#define MSS  1460
#define DATA (1460 - 12) /* beside time stamps */

static uint32_t mss;

static uint32_t seg(uint32_t n)
{
	return 1 + n * mss;
}

static struct tcp_info info_now(void)
{
	struct tcp_info info;

	tcp_info(peer.conn, &info);
	return info;
}

static void open_with(uint32_t options, uint32_t segments)
{
	peer.options = (struct tcp_options){.present = TCP_OPT_MSS | options, .mss = MSS};
	peer.timestamps = options & TCP_OPT_TS;
	mss = peer.timestamps ? DATA : MSS;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	wait_ms(20);
	say(ACK, 1, 1, 0);
	send_bytes(1, segments * mss);
	turn();
}

static void tell(uint32_t ack, uint32_t lo, uint32_t hi)
{
	peer.sack[0] = (struct tcp_sack_block){lo, hi};
	peer.sack_blocks = lo < hi;
	say(ACK, 1, ack, 0);
	peer.sack_blocks = 0;
}

/* ---- tail loss probes: RFC 8985 §7 ---- */

/* §7.2: after two round trips, long before the timeout. */
static void test_probe_is_the_last_segment(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, 3);
	ignore_all();
	wait_ms(39);
	hear_nothing();
	wait_ms(2);
	hear(ACK, seg(2), 1, mss);
	assert_int_equal(peer.counters->tcp_loss_probes, 1);
	wait_ms(20);
	tell(seg(0), seg(2), seg(3)); /* the others are lost */
	wait_ms(6);                   /* and may be reordered for a quarter of a round trip */
	hear(ACK, seg(0), 1, mss);
	wait_ms(20);
	say(ACK, 1, seg(1), 0);
	hear(ACK, seg(1), 1, mss);
	say(ACK, 1, seg(3), 0);
	assert_int_equal(peer.counters->tcp_rtos, 0);
}

static void test_probe_is_new_data(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, 12);
	ignore_all();
	wait_ms(41);
	hear(ACK, seg(10), 1, mss); /* the window held it back */
	say(ACK, 1, seg(11), 0);
	assert_int_equal(info_now().ssthresh_bytes, UINT32_MAX); /* nothing was lost */
	ignore_all();
}

/* A single segment: its ACK may be delayed. */
static void test_probe_waits_for_a_delayed_ack(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, 1);
	ignore_all();
	wait_ms(219);
	hear_nothing();
	wait_ms(2); /* the timeout comes first */
	hear(ACK, seg(0), 1, mss);
	assert_int_equal(peer.counters->tcp_rtos + peer.counters->tcp_loss_probes, 1);
}

/* §7.4.2: the probe has mended a loss that nobody else has seen. */
static void test_probe_mends_a_loss(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, 3);
	ignore_all();
	wait_ms(41);
	hear(ACK, seg(2), 1, mss);
	wait_ms(20);
	say(ACK, 1, seg(3), 0);
	send_bytes(seg(3), mss);
	turn();
	hear(ACK, seg(3), 1, mss);
	wait_ms(20);
	say(ACK, 1, seg(4), 0);
	assert_int_equal(peer.counters->tcp_probe_recoveries, 1);
	assert_true(info_now().ssthresh_bytes <= 10u * mss);
}

/* The peer says that it had it already. */
static void test_probe_in_vain(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, 3);
	ignore_all();
	wait_ms(41);
	ignore_all();
	say(ACK, 1, seg(3), 0);
	tell(seg(3), seg(2), seg(3)); /* DSACK */
	send_bytes(seg(3), mss);
	turn();
	wait_ms(20);
	say(ACK, 1, seg(4), 0);
	assert_int_equal(peer.counters->tcp_dsacks_in, 1);
	assert_int_equal(peer.counters->tcp_probe_recoveries, 0);
	ignore_all();
}

static void test_no_probe_without_sack(void **state)
{
	(void)state;
	open_with(0, 3);
	ignore_all();
	wait_ms(219);
	hear_nothing();
	wait_ms(5);
	hear(ACK, seg(0), 1, mss);
	assert_int_equal(peer.counters->tcp_rtos, 1);
}

/* ---- reordering: RFC 8985 §6.2 ---- */

static void test_late_segment_is_not_sent_again(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, 10);
	ignore_all();
	wait_ms(20);
	tell(seg(0), seg(1), seg(2));
	tell(seg(0), seg(1), seg(3));
	wait_ms(4); /* of the five that a quarter of the round trip is */
	say(ACK, 1, seg(3), 0);
	assert_int_equal(peer.counters->tcp_retransmits, 0);
	/* Now it is known that this happens: three reports are not enough any more. */
	tell(seg(3), seg(4), seg(10));
	hear_nothing();
	wait_ms(4);
	say(ACK, 1, seg(10), 0);
	assert_int_equal(peer.counters->tcp_retransmits, 0);
	assert_int_equal(info_now().ssthresh_bytes, UINT32_MAX);
}

static void test_reordering_time_is_over(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, 10);
	ignore_all();
	wait_ms(20);
	tell(seg(0), seg(1), seg(2));
	hear_nothing();
	wait_ms(6);
	hear(ACK, seg(0), 1, mss);
	assert_int_equal(peer.counters->tcp_fast_retransmits, 1);
	assert_int_equal(peer.counters->tcp_rtos, 0);
}

/* ---- losses that were none ---- */

/* RFC 3708: all that was sent again was received twice. */
static void test_dsack_takes_it_back(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, 10);
	ignore_all();
	wait_ms(20);
	tell(seg(0), seg(1), seg(4));
	hear(ACK, seg(0), 1, mss);
	assert_true(info_now().ssthresh_bytes <= 5u * mss);
	say(ACK, 1, seg(10), 0);
	tell(seg(10), seg(0), seg(1));
	assert_int_equal(info_now().ssthresh_bytes, UINT32_MAX);
	assert_int_equal(info_now().cwnd_bytes, 10 * mss);
	assert_int_equal(peer.counters->tcp_spurious_recoveries, 1);
}

/* RFC 3522: the ACK echoes what was sent before. */
static void test_eifel(void **state)
{
	uint32_t old;

	(void)state;
	open_with(TCP_OPT_SACK_OK | TCP_OPT_TS, 10);
	hear_any();
	old = peer.last.options.tsval;
	ignore_all();
	wait_ms(20);
	peer.tsecr = old;
	tell(seg(0), seg(1), seg(4));
	hear(ACK, seg(0), 1, mss);
	wait_ms(5);
	peer.tsecr = old;
	say(ACK, 1, seg(4), 0);
	assert_int_equal(peer.counters->tcp_spurious_recoveries, 1);
	assert_int_equal(info_now().ssthresh_bytes, UINT32_MAX);
	assert_true(info_now().cwnd_bytes >= 10u * mss);
	ignore_all();
}

static void test_no_eifel_when_it_was_lost(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK | TCP_OPT_TS, 10);
	ignore_all();
	wait_ms(20);
	tell(seg(0), seg(1), seg(4));
	hear(ACK, seg(0), 1, mss); /* peer.tsecr is now what this carries */
	wait_ms(20);
	say(ACK, 1, seg(4), 0);
	assert_int_equal(peer.counters->tcp_spurious_recoveries, 0);
	ignore_all();
}

/* ---- F-RTO: RFC 5682 §2.1 ---- */

static void time_out(uint32_t options, uint32_t segments)
{
	open_with(options, segments);
	ignore_all();
	wait_ms(270);
	ignore_all(); /* the probe, if there is one, and the first segment */
	assert_int_equal(peer.counters->tcp_rtos, 1);
}

/* Steps 1, 2b, 3b: the ACKs were only late. */
static void test_frto_spurious(void **state)
{
	uint32_t cwnd;

	(void)state;
	open_with(0, 20);
	cwnd = info_now().cwnd_bytes;
	ignore_all();
	wait_ms(221);
	hear(ACK, seg(0), 1, mss);
	assert_int_equal(info_now().cwnd_bytes, mss);
	say(ACK, 1, seg(1), 0);
	hear(ACK, seg(10), 1, mss); /* new data, two segments */
	hear(ACK, seg(11), 1, mss);
	hear_nothing();
	say(ACK, 1, seg(2), 0);
	assert_int_equal(peer.counters->tcp_spurious_rtos, 1);
	assert_int_equal(info_now().cwnd_bytes, cwnd);
	assert_int_equal(peer.counters->tcp_retransmits, 1);
	ignore_all();
}

/* Step 3a: only duplicates come of it. */
static void test_frto_real(void **state)
{
	(void)state;
	time_out(0, 20);
	say(ACK, 1, seg(1), 0);
	hear(ACK, seg(10), 1, mss);
	hear(ACK, seg(11), 1, mss);
	say(ACK, 1, seg(1), 0);
	hear(ACK, seg(1), 1, mss); /* slow start over what was lost */
	assert_int_equal(peer.counters->tcp_spurious_rtos, 0);
	ignore_all();
}

/* Step 2a. */
static void test_frto_duplicate_first(void **state)
{
	(void)state;
	time_out(0, 20);
	say(ACK, 1, seg(0), 0);
	say(ACK, 1, seg(1), 0);
	hear(ACK, seg(1), 1, mss);
	ignore_all();
	assert_int_equal(peer.counters->tcp_spurious_rtos, 0);
}

/* §3.1: with SACK a report of what was sent once is enough. */
static void test_frto_sack(void **state)
{
	(void)state;
	time_out(TCP_OPT_SACK_OK, 20);
	say(ACK, 1, seg(1), 0);
	ignore_all();
	tell(seg(1), seg(2), seg(3));
	assert_int_equal(peer.counters->tcp_spurious_rtos, 1);
	ignore_all();
}

/* Nothing new to send: it cannot be known. */
static void test_frto_without_data(void **state)
{
	(void)state;
	time_out(0, 5);
	say(ACK, 1, seg(1), 0);
	hear(ACK, seg(1), 1, mss);
	say(ACK, 1, seg(3), 0);
	assert_int_equal(peer.counters->tcp_spurious_rtos, 0);
	ignore_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_probe_is_the_last_segment),
		PEER_TEST(test_probe_is_new_data),
		PEER_TEST(test_probe_waits_for_a_delayed_ack),
		PEER_TEST(test_probe_mends_a_loss),
		PEER_TEST(test_probe_in_vain),
		PEER_TEST(test_no_probe_without_sack),
		PEER_TEST(test_late_segment_is_not_sent_again),
		PEER_TEST(test_reordering_time_is_over),
		PEER_TEST(test_dsack_takes_it_back),
		PEER_TEST(test_eifel),
		PEER_TEST(test_no_eifel_when_it_was_lost),
		PEER_TEST(test_frto_spurious),
		PEER_TEST(test_frto_real),
		PEER_TEST(test_frto_duplicate_first),
		PEER_TEST(test_frto_sack),
		PEER_TEST(test_frto_without_data),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
