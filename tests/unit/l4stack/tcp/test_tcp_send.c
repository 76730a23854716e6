/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending: segments, references and copies, windows, probes, loss without SACK.
 */
#include <errno.h>
#include <rte_mbuf.h>

#include "tests/unit/l4stack/tcp/peer.h"

#define MSS 1460

static struct tcp_info info_now(void)
{
	struct tcp_info info;

	tcp_info(peer.conn, &info);
	return info;
}

/* ---- segments ---- */

static void test_segments(void **state)
{
	(void)state;
	open_passive(NULL);
	send_pieces(1, 4000, 1000);
	assert_int_equal(tcp_send_pending(peer.conn), 4000);
	hear_nothing(); /* before the flush nothing is sent */
	turn();
	hear(ACK, 1, 1, MSS);
	assert_false(peer.last.flags & PSH);
	hear(ACK, 1 + MSS, 1, MSS);
	hear(ACK, 1 + 2 * MSS, 1, 4000 - 2 * MSS); /* no Nagle: the owner's turn is what gathers */
	hear_nothing();
	say(ACK, 1, 4001, 0);
	assert_int_equal(peer.writable, 1);
	assert_int_equal(tcp_send_pending(peer.conn), 0);
}

static void test_push_at_the_end(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 100);
	turn();
	hear_any();
	assert_true(peer.last.flags & PSH);
}

/* The last of several that the window lets go has it, too: nothing follows at once. */
static void test_push_at_the_end_of_a_burst(void **state)
{
	(void)state;
	peer.window = 3 * MSS;
	open_passive(NULL);
	send_pieces(1, 6 * MSS, 1000);
	turn();
	hear(ACK, 1, 1, MSS);
	assert_false(peer.last.flags & PSH);
	hear(ACK, 1 + MSS, 1, MSS);
	assert_false(peer.last.flags & PSH);
	hear(ACK, 1 + 2 * MSS, 1, MSS);
	assert_true(peer.last.flags & PSH);
	say(ACK, 1, 1 + MSS, 0);
	hear(ACK, 1 + 3 * MSS, 1, MSS);
	assert_false(peer.last.flags & PSH); /* one is no burst */
}

/* Each payload byte is counted once, and freed exactly when it is acknowledged. */
static void test_references_and_copies(void **state)
{
	(void)state;
	open_passive(NULL);
	send_pieces(1, 1000, 1000);
	send_pieces(1001, 60, 20);
	turn();
	hear(ACK, 1, 1, 1060);
	assert_int_equal(peer.last.pieces, 3); /* header, reference, the small ones together */
	assert_int_equal(peer.counters->payload_referenced_bytes, 1000);
	assert_int_equal(peer.counters->payload_copied_bytes, 60);
	assert_int_equal(rte_mempool_in_use_count(peer.payload), 4);
	say(ACK, 1, 1000, 0);
	assert_int_equal(rte_mempool_in_use_count(peer.payload), 4); /* one byte is missing */
	say(ACK, 1, 1021, 0);
	assert_int_equal(rte_mempool_in_use_count(peer.payload), 2);
	wait_ms(3000); /* sent again: not counted again */
	ignore_all();
	assert_true(peer.counters->tcp_bytes_resent > 0);
	assert_int_equal(peer.counters->payload_copied_bytes, 60);
	say(ACK, 1, 1061, 0);
	assert_int_equal(rte_mempool_in_use_count(peer.payload), 0);
}

static void test_copy_threshold(void **state)
{
	const struct stack_conf conf = {
		.max_conns = 8, .memory_bytes = 1 << 20, .copy_below_bytes = 1};

	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &conf);
	open_passive(NULL);
	send_pieces(1, 60, 20);
	turn();
	hear(ACK, 1, 1, 60);
	assert_int_equal(peer.last.pieces, 4);
	assert_int_equal(peer.counters->payload_copied_bytes, 0);
}

/* Buffers that lie across the ends of packets are referred to on both sides. */
static void test_ends_of_packets_are_not_copied(void **state)
{
	uint32_t all = 33 + 8 * MSS;

	(void)state;
	open_passive(NULL);
	send_pieces(1, 33, 33);
	send_pieces(34, 8 * MSS, MSS);
	turn();
	for (uint32_t acked = MSS; acked < all; acked += MSS) {
		ignore_all();
		say(ACK, 1, 1 + acked, 0);
	}
	say(ACK, 1, 1 + all, 0);
	assert_int_equal(peer.counters->payload_copied_bytes, 33);
	assert_int_equal(peer.counters->payload_referenced_bytes, 8 * MSS);
	assert_int_equal(rte_mempool_in_use_count(peer.payload), 0);
}

/* Very many pieces make more packets, never longer chains than a device takes. */
static void test_many_pieces(void **state)
{
	const struct stack_conf conf = {
		.max_conns = 8, .memory_bytes = 1 << 20, .copy_below_bytes = 1};
	uint32_t seq = 1;

	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &conf);
	open_passive(NULL);
	send_pieces(1, 1000, 10);
	turn();
	while (peer.out_count) {
		hear_any();
		assert_int_equal(peer.last.seq, seq);
		assert_true(peer.last.pieces <= 24);
		seq += peer.last.len;
	}
	assert_int_equal(seq, 1001);
}

static void test_tso(void **state)
{
	(void)state;
	peer_restart(STACK_TX_MULTI_SEG | STACK_TX_IP_CSUM | STACK_TX_TCP_CSUM | STACK_TX_TSO,
		     NULL);
	open_passive(NULL);
	send_pieces(1, 20000, 2000);
	turn();
	hear(ACK, 1, 1, 10 * MSS); /* all that the initial window allows, in one */
	assert_int_equal(peer.last.tso_segsz, MSS);
	say(ACK, 1, 1 + 10 * MSS, 0);
	hear(ACK, 1 + 10 * MSS, 1, 20000 - 10 * MSS);
}

static void test_small_mss(void **state)
{
	(void)state;
	peer.options.mss = 1; /* an attack: many tiny segments */
	open_passive(NULL);
	send_bytes(1, 1000);
	turn();
	hear(ACK, 1, 1, 88);
}

static void test_room(void **state)
{
	const struct tcp_conf conf = {.send_buffer_bytes = 5000};

	(void)state;
	open_passive(&conf);
	assert_int_equal(tcp_send_room(peer.conn), 5000);
	send_bytes(1, 3000);
	assert_int_equal(tcp_send_room(peer.conn), 2000);
	send_bytes(3001, 3000); /* more than asked for is taken */
	assert_int_equal(tcp_send_room(peer.conn), 0);
	tcp_shutdown(peer.conn);
	assert_int_equal(tcp_send_room(peer.conn), 0);
	turn();
	ignore_all();
}

static void test_send_after_shutdown(void **state)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(peer.payload);

	(void)state;
	open_passive(NULL);
	rte_pktmbuf_append(m, 10);
	tcp_shutdown(peer.conn);
	assert_int_equal(tcp_send(peer.conn, m), -EPIPE);
	rte_pktmbuf_free(m);
}

/* ---- the peer's window ---- */

static void test_window_is_respected(void **state)
{
	(void)state;
	peer.window = 3000;
	open_passive(NULL);
	send_bytes(1, 10000);
	turn();
	hear(ACK, 1, 1, MSS);
	hear(ACK, 1 + MSS, 1, MSS);
	hear_nothing(); /* 80 bytes would be silly: RFC 9293 §3.8.6.2.1 */
	say(ACK, 1, 1 + MSS, 0);
	hear(ACK, 1 + 2 * MSS, 1, MSS);
	hear_nothing();
}

static void test_old_window_is_not_taken(void **state)
{
	(void)state;
	open_passive(NULL);
	peer.window = 2000;
	say(ACK, 1, 1, 100);
	hear(ACK, 1, 101, 0);
	peer.window = 50000;
	say(ACK, 1, 1, 0); /* older by its number */
	assert_int_equal(info_now().send_window_bytes, 2000);
	ignore_all();
}

/* RFC 9293 §3.8.6.1: probes back off, and never end while they are answered. */
static void test_persist(void **state)
{
	uint32_t gaps = 0;

	(void)state;
	peer.window = 0;
	open_passive(NULL);
	send_bytes(1, 100);
	turn();
	hear_nothing();
	for (uint32_t ms = 0; ms < 400000; ms++) {
		wait_ms(1);
		if (!peer.out_count)
			continue;
		hear(ACK, 0, 1, 0); /* the peer has to answer */
		say(ACK, 1, 1, 0);
		gaps++;
	}
	assert_in_range(gaps, 10, 16);
	assert_int_equal(peer.closed, 0);
	assert_int_equal(peer.counters->tcp_window_probes, gaps);
	assert_int_equal(peer.counters->tcp_fast_retransmits, 0);
	peer.window = 1000;
	say(ACK, 1, 1, 0);
	hear(ACK, 1, 1, 100);
	say(ACK, 1, 101, 0);
	assert_int_equal(tcp_send_pending(peer.conn), 0);
}

/* No byte is beyond the window: all of them go when it opens. */
static void test_probe_finds_it_open(void **state)
{
	(void)state;
	peer.window = 0;
	open_passive(NULL);
	send_bytes(1, 100);
	wait_ms(202);
	hear(ACK, 0, 1, 0);
	peer.window = 1000;
	say(ACK, 1, 1, 0);
	hear(ACK, 1, 1, 100);
	assert_int_equal(peer.counters->tcp_retransmits, 0);
}

static void test_fin_as_a_probe(void **state)
{
	(void)state;
	peer.window = 0;
	open_passive(NULL);
	tcp_shutdown(peer.conn);
	turn();
	hear_nothing();
	wait_ms(201);
	hear(ACK | FIN, 1, 1, 0);
	say(ACK, 1, 2, 0);
	assert_string_equal(conn_state(), "FIN-WAIT-2");
}

/* A window that stays small is used after a while. */
static void test_silly_window_is_overridden(void **state)
{
	(void)state;
	peer.window = 60000;
	open_passive(NULL);
	send_bytes(1, 2000);
	turn();
	ignore_all();
	peer.window = 100;
	say(ACK, 1, 2001, 0);
	send_bytes(2001, 1000);
	turn();
	hear_nothing();
	wait_ms(201);
	hear(ACK, 2001, 1, 100);
}

/* Nobody answers: given up after R2. */
static void test_unanswered_probes(void **state)
{
	(void)state;
	peer.window = 0;
	open_passive(NULL);
	send_bytes(1, 100);
	wait_ms(400000);
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, TCP_CLOSED_TIMEOUT);
	ignore_all();
}

/* ---- timeouts: RFC 6298 ---- */

static void test_retransmission_backs_off(void **state)
{
	const uint32_t at_ms[] = {1000, 3000, 7000, 15000, 31000, 63000};
	uint32_t ms = 0;

	(void)state;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	wait_ms(400);
	say(ACK, 1, 1, 0);
	send_bytes(1, 100);
	turn();
	hear(ACK, 1, 1, 100);
	/* A first sample of 400 ms: 400 + 4 * 200. */
	assert_int_equal(info_now().rto_us, 1200000);
	for (unsigned i = 0; i < 5; i++) {
		uint32_t due = at_ms[i] * 12 / 10;

		wait_ms(due - 1 - ms);
		hear_nothing();
		wait_ms(2);
		hear(ACK, 1, 1, 100);
		ms = due + 1;
	}
	wait_ms(200000);
	assert_int_equal(peer.closed, 0);
	wait_ms(200000);
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, TCP_CLOSED_TIMEOUT);
	ignore_all();
}

/* Karn: no sample from what was sent twice. */
static void test_karn(void **state)
{
	uint32_t srtt;

	(void)state;
	open_passive(NULL);
	send_bytes(1, 100);
	turn();
	hear(ACK, 1, 1, 100);
	srtt = info_now().srtt_us;
	wait_ms(1500);
	ignore_all();
	assert_true(info_now().rto_us > 300000);
	say(ACK, 1, 101, 0);
	assert_int_equal(info_now().srtt_us, srtt);
	assert_true(info_now().rto_us > 300000); /* kept until there is a sample */
	send_bytes(101, 100);
	turn();
	wait_ms(20);
	say(ACK, 1, 201, 0);
	assert_true(info_now().rto_us <= 300000);
	ignore_all();
}

/* With time stamps the echo tells which of the two is acknowledged. */
static void test_timestamp_sample(void **state)
{
	(void)state;
	peer.options = (struct tcp_options){.present = TCP_OPT_MSS | TCP_OPT_TS, .mss = 1460};
	peer.timestamps = true;
	open_passive(NULL);
	send_bytes(1, 100);
	turn();
	hear(ACK, 1, 1, 100);
	wait_ms(250);
	hear(ACK, 1, 1, 100);
	wait_ms(40);
	say(ACK, 1, 101, 0); /* echoes the second */
	assert_in_range(info_now().srtt_us, 2000, 60000);
	assert_true(info_now().rto_us < 300000);
}

static void test_go_back(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 5 * MSS);
	turn();
	ignore_all();
	wait_ms(201);
	hear(ACK, 1, 1, MSS); /* the window is one segment */
	hear_nothing();
	say(ACK, 1, 1 + MSS, 0);
	hear(ACK, 1 + MSS, 1, MSS); /* slow start over what was sent before */
	hear(ACK, 1 + 2 * MSS, 1, MSS);
	hear_nothing();
	say(ACK, 1, 1 + 5 * MSS, 0); /* the peer had the rest */
	hear_nothing();
	assert_int_equal(tcp_send_pending(peer.conn), 0);
	assert_int_equal(peer.counters->tcp_rtos, 1);
}

/* An ACK is told with the highest number, even while the sender goes back. */
static void test_ack_while_going_back(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 3 * MSS);
	turn();
	ignore_all();
	wait_ms(201);
	hear(ACK, 1, 1, MSS);
	say(ACK, 1, 1, 100);
	hear(ACK, 1 + 3 * MSS, 101, 0);
}

/* ---- fast retransmit: RFC 5681, RFC 6582, RFC 3042 ---- */

static void lose_the_first(void)
{
	open_passive(NULL);
	send_bytes(1, 20 * MSS);
	turn();
	for (uint32_t i = 0; i < 10; i++)
		hear(ACK, 1 + i * MSS, 1, MSS);
	hear_nothing();
}

static void test_limited_transmit_and_fast_retransmit(void **state)
{
	(void)state;
	lose_the_first();
	say(ACK, 1, 1, 0);
	hear(ACK, 1 + 10 * MSS, 1, MSS); /* RFC 3042: new data for the first two */
	say(ACK, 1, 1, 0);
	hear(ACK, 1 + 11 * MSS, 1, MSS);
	say(ACK, 1, 1, 0);
	hear(ACK, 1, 1, MSS); /* the third */
	assert_int_equal(peer.counters->tcp_fast_retransmits, 1);
	assert_int_equal(info_now().ssthresh_bytes,
			 5 * MSS); /* half of what limited transmit found */
	for (unsigned i = 0; i < 4; i++) {
		say(ACK, 1, 1, 0);
		hear_nothing(); /* the window is halved */
	}
	say(ACK, 1, 1, 0);
	hear(ACK, 1 + 12 * MSS, 1, MSS); /* from here each one lets one go */
	say(ACK, 1, 1 + 12 * MSS, 0);    /* full acknowledgment */
	assert_true(info_now().cwnd_bytes <= 5 * MSS);
	assert_int_equal(peer.counters->tcp_rtos, 0);
	ignore_all();
}

/* RFC 6582 §3.2: a partial ACK sends the next hole at once. */
static void test_partial_ack(void **state)
{
	(void)state;
	lose_the_first();
	for (unsigned i = 0; i < 3; i++)
		say(ACK, 1, 1, 0);
	ignore_all();
	say(ACK, 1, 1 + 2 * MSS, 0);
	hear(ACK, 1 + 2 * MSS, 1, MSS);
	ignore_all();
	say(ACK, 1, 1 + 5 * MSS, 0);
	hear(ACK, 1 + 5 * MSS, 1, MSS);
	ignore_all();
	assert_int_equal(peer.counters->tcp_fast_retransmits, 1); /* one recovery */
}

static void test_what_is_no_duplicate(void **state)
{
	(void)state;
	lose_the_first();
	for (uint32_t i = 0; i < 5; i++)
		say(ACK, 1 + i * 10, 1, 10); /* with text */
	for (uint32_t i = 0; i < 5; i++) {
		peer.window += 100; /* a window update */
		say(ACK, 51, 1, 0);
	}
	assert_int_equal(peer.counters->tcp_dup_acks, 0);
	assert_int_equal(peer.counters->tcp_fast_retransmits, 0);
	ignore_all();
}

/* RFC 6582 §3.2 step 1: after a timeout, duplicates of the old flight mean nothing. */
static void test_no_fast_retransmit_after_timeout(void **state)
{
	(void)state;
	lose_the_first();
	wait_ms(201);
	hear(ACK, 1, 1, MSS);
	for (unsigned i = 0; i < 5; i++)
		say(ACK, 1, 1, 0);
	assert_int_equal(peer.counters->tcp_fast_retransmits, 0);
	ignore_all();
}

/* ---- congestion window ---- */

static void test_slow_start(void **state)
{
	(void)state;
	lose_the_first();
	say(ACK, 1, 1 + 2 * MSS, 0);
	assert_int_equal(peer.out_count, 4); /* two left, two more are allowed */
	ignore_all();
	assert_int_equal(info_now().cwnd_bytes, 12 * MSS);
}

/* RFC 5681 §4.1 */
static void test_idle_restart(void **state)
{
	(void)state;
	lose_the_first();
	say(ACK, 1, 1 + 10 * MSS, 0);
	ignore_all();
	say(ACK, 1, 1 + 20 * MSS, 0);
	assert_true(info_now().cwnd_bytes > 10 * MSS);
	wait_ms(2000);
	send_bytes(1 + 20 * MSS, 15 * MSS);
	turn();
	assert_int_equal(peer.out_count, 10);
	ignore_all();
}

/* A window that was not used does not grow. */
static void test_application_limited(void **state)
{
	(void)state;
	open_passive(NULL);
	for (uint32_t i = 0; i < 50; i++) {
		send_bytes(1 + i * 100, 100);
		turn();
		say(ACK, 1, 101 + i * 100, 0);
	}
	assert_int_equal(info_now().cwnd_bytes, 10 * MSS);
	ignore_all();
}

/* ---- no memory ---- */

static void test_header_pool_empty(void **state)
{
	struct rte_mbuf *all[1024];
	unsigned n = 0;

	(void)state;
	open_passive(NULL);
	while ((all[n] = rte_pktmbuf_alloc(peer.header)))
		n++;
	send_bytes(1, 100);
	turn();
	hear_nothing();
	say(ACK, 1, 1, 10); /* an ACK comes from the control pool */
	hear(ACK, 1, 11, 0);
	rte_pktmbuf_free_bulk(all, n);
	wait_ms(11);
	hear(ACK, 1, 11, 100);
}

/* References may be used up by payload that waits: then it is copied, and counted. */
static void test_reference_pool_empty(void **state)
{
	struct rte_mbuf *all[1024];
	unsigned n = 0;

	(void)state;
	open_passive(NULL);
	while ((all[n] = rte_pktmbuf_alloc(peer.ref)))
		n++;
	send_bytes(1, 3000);
	turn();
	hear(ACK, 1, 1, MSS);
	hear(ACK, 1 + MSS, 1, MSS);
	hear(ACK, 1 + 2 * MSS, 1, 3000 - 2 * MSS);
	assert_int_equal(peer.counters->payload_copied_bytes, 3000);
	rte_pktmbuf_free_bulk(all, n);
	assert_true(peer.counters->tcp_no_mbuf > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_segments),
		PEER_TEST(test_push_at_the_end),
		PEER_TEST(test_push_at_the_end_of_a_burst),
		PEER_TEST(test_references_and_copies),
		PEER_TEST(test_copy_threshold),
		PEER_TEST(test_ends_of_packets_are_not_copied),
		PEER_TEST(test_many_pieces),
		PEER_TEST(test_tso),
		PEER_TEST(test_small_mss),
		PEER_TEST(test_room),
		PEER_TEST(test_send_after_shutdown),
		PEER_TEST(test_window_is_respected),
		PEER_TEST(test_old_window_is_not_taken),
		PEER_TEST(test_persist),
		PEER_TEST(test_probe_finds_it_open),
		PEER_TEST(test_fin_as_a_probe),
		PEER_TEST(test_silly_window_is_overridden),
		PEER_TEST(test_unanswered_probes),
		PEER_TEST(test_retransmission_backs_off),
		PEER_TEST(test_karn),
		PEER_TEST(test_timestamp_sample),
		PEER_TEST(test_go_back),
		PEER_TEST(test_ack_while_going_back),
		PEER_TEST(test_limited_transmit_and_fast_retransmit),
		PEER_TEST(test_partial_ack),
		PEER_TEST(test_what_is_no_duplicate),
		PEER_TEST(test_no_fast_retransmit_after_timeout),
		PEER_TEST(test_slow_start),
		PEER_TEST(test_idle_restart),
		PEER_TEST(test_application_limited),
		PEER_TEST(test_header_pool_empty),
		PEER_TEST(test_reference_pool_empty),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
