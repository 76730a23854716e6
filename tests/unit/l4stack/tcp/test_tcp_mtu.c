/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Black holes, and what is found out about the path's MTU without being told: RFC 4821, RFC 8899.
 */
#include <rte_byteorder.h>
#include <string.h>

#include "l4stack/stack_internal.h"
#include "l4stack/tcp/tcp_mtu.h"
#include "l4stack/tcp/tcp_proto.h"
#include "tests/unit/l4stack/tcp/peer.h"

#define MSS   1460
#define LOW   1240 /* of 1280 bytes */
#define LEAST 536  /* of 576 */

static struct tcp_info info_now(void)
{
	struct tcp_info info;

	tcp_info(peer.conn, &info);
	return info;
}

static void open_with(uint32_t options, uint32_t bytes)
{
	peer.options = (struct tcp_options){.present = TCP_OPT_MSS | options, .mss = MSS};
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	wait_ms(20);
	say(ACK, 1, 1, 0);
	send_bytes(1, bytes);
	turn();
	ignore_all();
}

/* Silence, until so many timeouts are over. What the last one sent is heard next. */
static void time_out(unsigned times)
{
	while (peer.counters->tcp_rtos < times) {
		ignore_all();
		wait_ms(1);
	}
}

static void tell(uint32_t ack, uint32_t lo, uint32_t hi)
{
	peer.sack[0] = (struct tcp_sack_block){lo, hi};
	peer.sack_blocks = lo < hi;
	say(ACK, 1, ack, 0);
	peer.sack_blocks = 0;
}

/* The first segment of 1500 bytes has got lost three times; shorter ones arrive. */
static void fall_into_hole(uint32_t options)
{
	open_with(options, 10 * MSS);
	time_out(3);
	hear(ACK, 1, 1, LOW);
	say(ACK, 1, 1 + LOW, 0);
	ignore_all();
	say(ACK, 1, 1 + 10 * MSS, 0);
	assert_int_equal(info_now().path_mtu, 1280);
	assert_int_equal(tcp_send_pending(peer.conn), 0);
}

/* Data enough for a probe and what has to follow it. */
static uint32_t send_much(uint32_t seq)
{
	send_bytes(seq, 100 * LOW);
	turn();
	return seq;
}

/* Acknowledged segment by segment, until one of `len` bytes is sent: its number. */
static uint32_t acknowledge_until(uint32_t len)
{
	for (unsigned i = 0; i < 200; i++) {
		hear_any();
		if (peer.last.len == len)
			return peer.last.seq;
		say(ACK, 1, peer.last.seq + peer.last.len, 0);
	}
	fail();
	return 0;
}

/* The probe [at, at + len) is lost, what follows it is not: where that ends. */
static uint32_t lose_probe(uint32_t at, uint32_t len)
{
	uint32_t end = at + len;

	for (; peer.out_count; end = peer.last.seq + peer.last.len)
		hear_any();
	assert_true(end > at + len);
	wait_ms(20);
	tell(at, at + len, end);
	wait_ms(6); /* it could be late */
	return end;
}

/* All of it; no segment is longer than `most`. */
static void acknowledge_all(uint32_t most)
{
	while (peer.out_count) {
		hear_any();
		assert_true(peer.last.len <= most);
		say(ACK, 1, peer.last.seq + peer.last.len, 0);
	}
	assert_int_equal(tcp_send_pending(peer.conn), 0);
}

/* ---- down ---- */

static void test_two_timeouts_are_congestion(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, 10 * MSS);
	time_out(2);
	hear(ACK, 1, 1, MSS);
	assert_int_equal(peer.counters->tcp_black_holes, 0);
	assert_int_equal(info_now().path_mtu, 1500);
}

static void test_three_are_a_hole(void **state)
{
	(void)state;
	fall_into_hole(TCP_OPT_SACK_OK);
	assert_int_equal(peer.counters->tcp_black_holes, 1);
	assert_int_equal(peer.counters->tcp_spurious_rtos, 0);
}

static void test_without_sack(void **state)
{
	(void)state;
	fall_into_hole(0);
	send_much(1 + 10 * MSS);
	acknowledge_all(LOW); /* nobody could tell which segment is lost */
}

static void test_a_deeper_one(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, 10 * MSS);
	time_out(5);
	hear(ACK, 1, 1, LOW);
	time_out(6);
	hear(ACK, 1, 1, LEAST);
	assert_int_equal(peer.counters->tcp_black_holes, 2);
	time_out(8); /* there is no less */
	hear(ACK, 1, 1, LEAST);
	assert_int_equal(peer.counters->tcp_black_holes, 2);
}

/* Longer than the path carries, and shorter than a full segment. */
static void test_a_short_segment(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, 1000);
	time_out(5);
	hear(ACK, 1, 1, 1000);
	time_out(6);
	hear(ACK, 1, 1, LEAST);
	say(ACK, 1, 1 + LEAST, 0);
	hear(ACK, 1 + LEAST, 1, 1000 - LEAST);
	say(ACK, 1, 1001, 0);
}

static void test_too_short_to_be_dropped(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, LEAST);
	time_out(8);
	assert_int_equal(peer.counters->tcp_black_holes, 0);
	ignore_all();
}

/* An ACK in between shows that long segments pass. */
static void test_timeouts_in_a_row(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, 10 * MSS);
	time_out(2);
	ignore_all();
	say(ACK, 1, 1 + MSS, 0);
	time_out(4);
	assert_int_equal(peer.counters->tcp_black_holes, 0);
	ignore_all();
}

/* ---- up ---- */

static void test_it_was_an_outage(void **state)
{
	uint32_t at;

	(void)state;
	fall_into_hole(TCP_OPT_SACK_OK);
	send_much(1 + 10 * MSS);
	at = acknowledge_until(MSS);
	assert_int_equal(info_now().path_mtu, 1280); /* not known yet */
	hear(ACK, at + MSS, 1, LOW);
	say(ACK, 1, at + MSS, 0);
	assert_int_equal(peer.counters->tcp_mtu_raised, 1);
	assert_int_equal(info_now().path_mtu, 1500);
	acknowledge_until(MSS); /* and so are the others now */
	ignore_all();
}

static void test_a_probe_is_lost(void **state)
{
	uint32_t at, end, ssthresh, cwnd;

	(void)state;
	fall_into_hole(TCP_OPT_SACK_OK);
	send_much(1 + 10 * MSS);
	at = acknowledge_until(MSS);
	ssthresh = info_now().ssthresh_bytes;
	cwnd = info_now().cwnd_bytes;
	end = lose_probe(at, MSS);
	hear(ACK, at, 1, LOW); /* again, in pieces that fit */
	hear(ACK, at + LOW, 1, MSS - LOW);
	assert_int_equal(peer.counters->tcp_fast_retransmits, 0);
	assert_int_equal(info_now().ssthresh_bytes, ssthresh);
	assert_true(info_now().cwnd_bytes >= cwnd);
	ignore_all();
	say(ACK, 1, end, 0);
	acknowledge_until(1492 - 40); /* the next lower one */
	assert_int_equal(peer.counters->tcp_mtu_raised, 0);
	ignore_all();
}

/* All that may be is tried, and then nothing for ten minutes. */
static void test_nothing_longer_passes(void **state)
{
	static const uint16_t tried[] = {1500, 1492, 1480, 1400};
	uint32_t seq = 1 + 10 * MSS, at, len;

	(void)state;
	fall_into_hole(TCP_OPT_SACK_OK);
	send_much(seq);
	for (unsigned i = 0; i < 4; i++) {
		len = tried[i] - 40u;
		at = acknowledge_until(len);
		lose_probe(at, len);
	}
	acknowledge_all(LOW);
	assert_int_equal(peer.counters->tcp_mtu_raised, 0);
	wait_ms(TCP_MTU_RAISE_MS);
	send_much(seq + 100 * LOW);
	acknowledge_until(MSS);
	ignore_all();
}

/* Too little follows: nobody would notice that it is lost. */
static void test_no_probe_at_the_end(void **state)
{
	uint32_t seq = 1 + 10 * MSS;

	(void)state;
	fall_into_hole(TCP_OPT_SACK_OK);
	send_bytes(seq, MSS + 2 * LOW);
	turn();
	acknowledge_all(LOW);
}

/* A router says what it carries, of the segment at `seq`. */
static void router_says(uint16_t mtu, uint32_t seq)
{
	struct ip_error_info error = {
		.kind = IP_ERROR_TOO_BIG,
		.mtu = mtu,
		.local = {.bytes = {10, 0, 0, 1}, .family = ADDR_IP4},
		.remote = {.bytes = {10, 0, 0, 2}, .family = ADDR_IP4},
	};
	uint32_t quoted = rte_cpu_to_be_32(peer.stack_iss + seq);

	error.quoted[1] = PEER_SERVER_PORT;
	error.quoted[2] = (uint8_t)(peer.port >> 8);
	error.quoted[3] = (uint8_t)peer.port;
	memcpy(error.quoted + 4, &quoted, 4);
	tcp_proto_error(peer.stack->tcp, &error);
}

/* A router that speaks, after all. */
static void test_a_probe_is_told_of(void **state)
{
	uint32_t at, end;

	(void)state;
	fall_into_hole(TCP_OPT_SACK_OK);
	send_much(1 + 10 * MSS);
	at = acknowledge_until(MSS);
	router_says(1400, at);
	end = lose_probe(at, MSS);
	ignore_all();
	say(ACK, 1, end, 0);
	at = acknowledge_until(1400 - 40);
	ignore_all();
	say(ACK, 1, at + 1400 - 40, 0);
	assert_int_equal(info_now().path_mtu, 1400);
	ignore_all();
}

/* ---- what a router has told ---- */

static void told_at_the_start(uint16_t mtu)
{
	open_with(TCP_OPT_SACK_OK, 2 * MSS);
	router_says(mtu, 1);
	turn();
	acknowledge_all(mtu - 40u);
	assert_int_equal(info_now().path_mtu, mtu);
}

/* RFC 1191 §6.3: the path may have become another one. */
static void test_told_and_raised(void **state)
{
	uint32_t at, seq = 1 + 2 * MSS;

	(void)state;
	told_at_the_start(1400);
	send_much(seq);
	acknowledge_all(1360);
	wait_ms(TCP_MTU_RAISE_MS);
	send_much(seq + 100 * LOW);
	at = acknowledge_until(MSS);
	ignore_all();
	say(ACK, 1, at + MSS, 0);
	assert_int_equal(info_now().path_mtu, 1500);
	assert_int_equal(peer.counters->tcp_mtu_raised, 1);
	ignore_all();
}

/* It has not: the router says the same, and is asked again ten minutes later. */
static void test_told_again(void **state)
{
	uint32_t at, end, cwnd, seq = 1 + 2 * MSS;

	(void)state;
	told_at_the_start(1400);
	wait_ms(TCP_MTU_RAISE_MS);
	send_much(seq);
	at = acknowledge_until(MSS);
	cwnd = info_now().cwnd_bytes;
	router_says(1400, at);
	turn();
	end = lose_probe(at, MSS);
	assert_true(info_now().cwnd_bytes >= cwnd);
	ignore_all();
	say(ACK, 1, end, 0);
	acknowledge_all(1360);
	assert_int_equal(info_now().path_mtu, 1400);
	wait_ms(TCP_MTU_RAISE_MS);
	send_much(seq + 100 * LOW);
	acknowledge_until(MSS);
	ignore_all();
}

static void open_another(void)
{
	ignore_all();
	peer.port++;
	peer.conn = NULL;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	assert_int_equal(peer.last.options.mss, MSS); /* the way here is another one */
	say(ACK, 1, 1, 0);
	send_bytes(1, 2 * MSS);
	turn();
	hear_any();
}

/* RFC 8201 §5.2 */
static void test_others_begin_with_it(void **state)
{
	(void)state;
	told_at_the_start(1300);
	open_another();
	assert_int_equal(peer.last.len, 1260);
	assert_int_equal(info_now().path_mtu, 1300);
	acknowledge_all(1260);
	say(ACK, 1, 1 + 2 * MSS, 0);
	peer.now_us += TCP_MTU_RAISE_MS * 1000ull;
	open_another();
	assert_int_equal(peer.last.len, MSS);
	ignore_all();
}

/* What every host takes is the least that is believed of others, too. */
static void test_others_are_not_deceived(void **state)
{
	(void)state;
	open_with(TCP_OPT_SACK_OK, 2 * MSS);
	router_says(1300, 1 + 2 * MSS); /* not in flight */
	open_another();
	assert_int_equal(peer.last.len, MSS);
	router_says(68, 1);
	turn();
	open_another();
	assert_int_equal(peer.last.len, LEAST);
	ignore_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_two_timeouts_are_congestion),
		PEER_TEST(test_three_are_a_hole),
		PEER_TEST(test_without_sack),
		PEER_TEST(test_a_deeper_one),
		PEER_TEST(test_a_short_segment),
		PEER_TEST(test_too_short_to_be_dropped),
		PEER_TEST(test_timeouts_in_a_row),
		PEER_TEST(test_it_was_an_outage),
		PEER_TEST(test_a_probe_is_lost),
		PEER_TEST(test_nothing_longer_passes),
		PEER_TEST(test_no_probe_at_the_end),
		PEER_TEST(test_a_probe_is_told_of),
		PEER_TEST(test_told_and_raised),
		PEER_TEST(test_told_again),
		PEER_TEST(test_others_begin_with_it),
		PEER_TEST(test_others_are_not_deceived),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
