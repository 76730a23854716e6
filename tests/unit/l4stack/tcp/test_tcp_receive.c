/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving: acknowledging, out of order, the window, memory.
 */
#include <rte_mbuf.h>

#include "tests/unit/l4stack/tcp/peer.h"

#define FULL 1460

/* All the quick ACKs of the beginning, and what comes after them. */
static uint32_t past_quick_acks(void)
{
	uint32_t seq = 1;

	for (unsigned i = 0; i < 16; i++, seq += FULL) {
		say(ACK, seq, 1, FULL);
		hear(ACK, 1, seq + FULL, 0);
	}
	return seq;
}

/* ---- acknowledging: RFC 9293 §3.8.6.3, RFC 5681 §4.2 ---- */

static void test_every_second_segment(void **state)
{
	uint32_t seq;

	(void)state;
	open_passive(NULL);
	seq = past_quick_acks();
	say(ACK, seq, 1, FULL);
	hear_nothing();
	say(ACK, seq + FULL, 1, FULL);
	hear(ACK, 1, seq + 2 * FULL, 0);
}

static void test_delayed_ack(void **state)
{
	uint32_t seq;

	(void)state;
	open_passive(NULL);
	seq = past_quick_acks();
	say(ACK, seq, 1, 100);
	wait_ms(39);
	hear_nothing();
	wait_ms(2);
	hear(ACK, 1, seq + 100, 0);
	wait_ms(1000);
	hear_nothing();
	assert_int_equal(peer.counters->tcp_delayed_acks, 1);
}

static void test_ack_rides_with_data(void **state)
{
	uint32_t seq;

	(void)state;
	open_passive(NULL);
	seq = past_quick_acks();
	say(ACK, seq, 1, 100);
	send_bytes(1, 50);
	turn();
	hear(ACK, 1, seq + 100, 50);
	wait_ms(100);
	hear_nothing();
}

/* A burst is acknowledged once. */
static void test_one_ack_for_a_burst(void **state)
{
	(void)state;
	open_passive(NULL);
	for (uint32_t i = 0; i < 10; i++)
		say_quietly(ACK, 1 + i * FULL, 1, FULL);
	turn();
	hear(ACK, 1, 1 + 10 * FULL, 0);
	hear_nothing();
	assert_int_equal(peer.readable, 1);
}

/* ---- order ---- */

static void test_out_of_order(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK, 101, 1, 100);
	hear(ACK, 1, 1, 0); /* a duplicate ACK for each */
	say(ACK, 201, 1, 100);
	hear(ACK, 1, 1, 0);
	assert_int_equal(peer.readable, 0);
	say(ACK, 1, 1, 100);
	hear(ACK, 1, 301, 0);
	expect_received(1, 300);
}

static void test_each_duplicate_is_told_by_itself(void **state)
{
	(void)state;
	open_passive(NULL);
	for (uint32_t i = 1; i <= 3; i++)
		say_quietly(ACK, 1 + i * 100, 1, 100);
	turn();
	hear(ACK, 1, 1, 0);
	hear(ACK, 1, 1, 0);
	hear(ACK, 1, 1, 0);
	hear_nothing();
}

/* Rows: what comes, in this order, after which [1, 601) is complete. */
struct arrival {
	uint32_t seq, len;
};
#define ARRIVALS 8

static const struct arrival arrivals[][ARRIVALS] = {
	{{501, 100}, {301, 100}, {101, 100}, {401, 100}, {201, 100}, {1, 100}},
	{{101, 500}, {1, 100}},
	{{101, 500}, {101, 500}, {1, 600}}, /* again, and all of it */
	{{201, 100}, {401, 100}, {101, 500}, {1, 600}, {301, 300}, {501, 100}}, /* spans runs */
	{{201, 100}, {151, 100}, {251, 100}, {1, 200}, {301, 300}}, /* overlaps both ends */
	{{301, 300}, {1, 350}},                                     /* in order, overlapping */
	{{1, 100}, {51, 100}, {101, 500}},                          /* partly old */
	{{301, 100}, {300, 1}, {401, 200}, {1, 299}},               /* prepended */
};

static void test_overlaps(void **state)
{
	(void)state;
	for (size_t row = 0; row < sizeof(arrivals) / sizeof(arrivals[0]); row++) {
		peer_restart(STACK_TX_MULTI_SEG, NULL);
		open_passive(NULL);
		for (unsigned i = 0; i < ARRIVALS && arrivals[row][i].len; i++)
			say(ACK, arrivals[row][i].seq, 1, arrivals[row][i].len);
		expect_received(1, 600);
		ignore_all();
	}
}

/* What was accepted stays, whatever a later segment says of the same bytes. */
static void test_first_content_wins(void **state)
{
	static const uint8_t other[300] = {0};

	(void)state;
	open_passive(NULL);
	say(ACK, 101, 1, 100);
	say_bytes(ACK, 101, 1, other, 100);
	say_bytes(ACK, 101, 1, other, 50);
	say_bytes(ACK, 151, 1, other, 50);
	assert_int_equal(tcp_recv_ready(peer.conn), 0);
	say(ACK, 1, 1, 100);
	expect_received(1, 200);
	ignore_all();
}

/* As many as the memory takes; filled in any order. */
static void test_many_runs_are_kept(void **state)
{
	const struct tcp_conf conf = {.recv_buffer_bytes = 4 << 20, .recv_begin_bytes = 4 << 20};
	uint32_t n = 1000;

	(void)state;
	open_passive(&conf);
	for (uint32_t i = 1; i <= n; i++) {
		say(ACK, 1 + i * 20, 1, 10);
		ignore_all();
	}
	assert_int_equal(peer.counters->tcp_ooo_drops, 0);
	assert_int_equal(peer.counters->tcp_ooo_segments, n);
	for (uint32_t i = 1; i < n; i++) {
		say(ACK, 1 + i * 7 % n * 20 + 10, 1, 10);
		ignore_all();
	}
	say(ACK, 1, 1, 20);
	expect_received(1, n * 20 + 10);
	ignore_all();
}

static void test_many_runs_are_bounded(void **state)
{
	(void)state;
	open_passive(NULL);
	for (uint32_t i = 1; i <= 400; i++)
		say(ACK, 1 + i * 20, 1, 10);
	assert_true(peer.counters->tcp_ooo_drops >= 200);
	assert_in_range(peer.counters->tcp_ooo_segments, 80, 192);
	say(ACK, 1, 1, 20);
	assert_int_equal(tcp_recv_ready(peer.conn), 30);
	ignore_all();
}

static void test_fin_out_of_order(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK | FIN, 101, 1, 100);
	hear(ACK, 1, 1, 0);
	assert_string_equal(conn_state(), "ESTABLISHED");
	assert_false(tcp_recv_last(peer.conn)); /* something before it is missing */
	say(ACK, 1, 1, 100);
	hear(ACK, 1, 202, 0);
	assert_string_equal(conn_state(), "CLOSE-WAIT");
	assert_true(tcp_recv_last(peer.conn));
	assert_false(tcp_recv_ended(peer.conn)); /* there is something to read yet */
	expect_received(1, 200);
	assert_true(tcp_recv_ended(peer.conn));
}

static void test_data_beyond_fin_is_not_taken(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK | FIN, 101, 1, 0);
	say(ACK, 1, 1, 150);
	expect_received(1, 100);
	assert_true(tcp_recv_ended(peer.conn));
	ignore_all();
}

/* Packets of many segments, as LRO and scattered buffers give. */
static void test_many_mbufs(void **state)
{
	(void)state;
	open_passive(NULL);
	peer.rx_cut = 60;
	say(ACK, 1001, 1, 1000);
	say(ACK, 1, 1, 1200);
	peer.rx_cut = 2000;
	say(ACK, 2001, 1, 20000);
	expect_received(1, 22000);
	ignore_all();
}

/* Aggregates from a single byte to the longest packet there is, in few buffers and in many; each
 * one comes twice, and the second time only its last byte is news. */
static void test_aggregates_of_any_size(void **state)
{
	static const uint32_t sizes[] = {1,    2,    59,   536,   1459,  1460,
					 1461, 2921, 9000, 32768, 65000, 65494};
	uint32_t seq = 1;

	(void)state;
	open_passive(NULL);
	for (unsigned i = 0; i < 3 * RTE_DIM(sizes); i++) {
		uint32_t size = sizes[i % RTE_DIM(sizes)];

		peer.rx_cut = (uint16_t)RTE_MIN(61 + size / 20 * (1 + i % 3), 2048u);
		say(ACK, seq, 1, size);
		assert_int_equal(tcp_recv_ready(peer.conn), size);
		say(ACK, seq, 1, size + 1);
		expect_received(seq, size + 1);
		ignore_all();
		seq += size + 1;
	}
	assert_int_equal(peer.counters->tcp_memory_drops, 0);
}

/* ---- the window ---- */

static void small_open(uint32_t recv_buffer)
{
	const struct tcp_conf conf = {.recv_buffer_bytes = recv_buffer};

	open_passive(&conf);
}

static void test_window_closes_and_opens(void **state)
{
	(void)state;
	small_open(4 * FULL);
	say(ACK, 1, 1, 2 * FULL);
	hear(ACK, 1, 1 + 2 * FULL, 0);
	assert_int_equal(peer.last.window, 2 * FULL);
	say(ACK, 1 + 2 * FULL, 1, 2 * FULL);
	hear(ACK, 1, 1 + 4 * FULL, 0);
	assert_int_equal(peer.last.window, 0);
	assert_int_equal(peer.counters->tcp_window_closed, 1);
	expect_received(1, 4 * FULL);
	turn();
	hear(ACK, 1, 1 + 4 * FULL, 0); /* tells that it is open again */
	assert_int_equal(peer.last.window, 4 * FULL);
}

/* Without window scaling the field cannot tell of more room than it did: reading is no news. */
static void test_no_update_that_tells_nothing(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK, 1, 1, 500);
	hear(ACK, 1, 501, 0);
	assert_int_equal(peer.last.window, 65535);
	expect_received(1, 500);
	turn();
	hear_nothing();
}

/* RFC 9293 §3.8.6.2.2: small steps are not told. */
static void test_silly_window(void **state)
{
	struct rte_mbuf *chain;

	(void)state;
	small_open(4 * FULL);
	say(ACK, 1, 1, 4 * FULL);
	hear(ACK, 1, 1 + 4 * FULL, 0);
	for (unsigned i = 0; i < 14; i++) {
		chain = tcp_recv(peer.conn, 100);
		assert_non_null(chain);
		rte_pktmbuf_free(chain);
		turn();
		hear_nothing();
	}
	say(ACK, 1 + 4 * FULL, 1, 1); /* a probe: still zero */
	hear(ACK, 1, 1 + 4 * FULL, 0);
	assert_int_equal(peer.last.window, 0);
}

static void test_zero_window(void **state)
{
	(void)state;
	small_open(4 * FULL);
	send_bytes(1, 100);
	turn();
	hear(ACK, 1, 1, 100);
	say(ACK, 1, 1, 4 * FULL);
	hear(ACK, 101, 1 + 4 * FULL, 0);
	say(ACK, 1 + 4 * FULL, 101, 1); /* the byte is refused, its ACK counts */
	hear(ACK, 101, 1 + 4 * FULL, 0);
	assert_int_equal(tcp_send_pending(peer.conn), 0);
	assert_int_equal(tcp_recv_ready(peer.conn), 4 * FULL);
	say(ACK | FIN, 1 + 4 * FULL, 101, 0); /* FIN needs no memory */
	hear(ACK, 101, 2 + 4 * FULL, 0);
	expect_received(1, 4 * FULL);
	assert_true(tcp_recv_ended(peer.conn));
}

static void test_text_beyond_the_window_is_cut(void **state)
{
	(void)state;
	small_open(4 * FULL);
	say(ACK, 1, 1, 4 * FULL + 100);
	hear(ACK, 1, 1 + 4 * FULL, 0);
	expect_received(1, 4 * FULL);
}

/* The right edge never moves left, even when all that comes is expensive. */
static void test_edge_stays(void **state)
{
	uint32_t edge = 0;

	(void)state;
	small_open(60000);
	for (uint32_t seq = 1; seq < 3000; seq++) {
		say(ACK, seq, 1, 1);
		while (peer.out_count) {
			hear_any();
			assert_true(peer.last.ack + peer.last.window >= edge);
			edge = peer.last.ack + peer.last.window;
		}
	}
	expect_received(1, 2999);
}

/* ---- memory ---- */

/* Segments of one byte: the pool is not used up, nothing is lost, the copies are counted. */
static void test_one_byte_segments(void **state)
{
	enum { BYTES = 20000 };

	(void)state;
	small_open(65535);
	for (uint32_t seq = 1; seq <= BYTES; seq++) {
		say(ACK, seq, 1, 1);
		ignore_all();
		assert_true(rte_mempool_in_use_count(peer.rx) < 3 * 65535 / 2304);
	}
	assert_true(peer.counters->payload_copied_bytes > 0);
	assert_int_equal(peer.counters->tcp_memory_drops, 0);
	expect_received(1, BYTES);
}

static void test_one_byte_out_of_order(void **state)
{
	(void)state;
	small_open(65535);
	for (uint32_t seq = 2; seq <= 5000; seq++) {
		say(ACK, seq, 1, 1);
		ignore_all();
		assert_true(rte_mempool_in_use_count(peer.rx) < 3 * 65535 / 2304);
	}
	say(ACK, 1, 1, 1);
	expect_received(1, 5000);
	ignore_all();
}

/* Whatever waits out of order, there is room for the segment it waits for. */
static void test_room_for_the_missing_one(void **state)
{
	(void)state;
	small_open(30000);
	peer.rx_cut = 100;
	for (uint32_t seq = 2; seq < 30000; seq += 150) {
		say(ACK, seq, 1, 100);
		ignore_all();
	}
	say(ACK, 1, 1, 1);
	assert_true(tcp_recv_ready(peer.conn) >= 101);
	ignore_all();
}

/* A peer that ignores the window does not get past it. */
static void test_budget_of_the_stack(void **state)
{
	const struct stack_conf conf = {.max_conns = 8, .memory_bytes = 200000};
	uint32_t ready;

	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &conf);
	open_passive(NULL);
	for (uint32_t seq = 1; seq < 200000; seq += FULL)
		say(ACK, seq, 1, FULL);
	assert_true(peer.counters->tcp_out_of_window > 0);
	assert_true(rte_mempool_in_use_count(peer.rx) <= 100000 / 2304);
	ignore_all();
	ready = tcp_recv_ready(peer.conn);
	expect_received(1, ready);
	turn(); /* tells the window */
	ignore_all();
	say(ACK, 1 + ready, 1, 100);
	expect_received(1 + ready, 100);
	ignore_all();
}

/* ---- taking ---- */

static void test_take_parts(void **state)
{
	struct rte_mbuf *chain;

	(void)state;
	open_passive(NULL);
	say(ACK, 1, 1, 1000);
	say(ACK, 1001, 1, 1000);
	assert_int_equal(rte_pktmbuf_data_len(tcp_recv_peek(peer.conn)), 1000);
	chain = tcp_recv(peer.conn, 300); /* shared by reference */
	assert_int_equal(chain->data_len, 300);
	assert_int_equal(tcp_recv_ready(peer.conn), 1700);
	assert_int_equal(*rte_pktmbuf_mtod(chain, uint8_t *), peer_byte(1));
	rte_pktmbuf_free(chain);
	chain = tcp_recv(peer.conn, 800); /* across two */
	assert_int_equal(chain->data_len, 700);
	assert_int_equal(chain->next->data_len, 100);
	rte_pktmbuf_free(chain);
	assert_null(tcp_recv(peer.conn, 0));
	expect_received(1101, 900);
	assert_null(tcp_recv(peer.conn, 100));
	assert_null(tcp_recv_peek(peer.conn));
	ignore_all();
}

static void test_take_part_without_references(void **state)
{
	struct rte_mbuf *all[1024], *chain;
	unsigned n = 0;

	(void)state;
	open_passive(NULL);
	while ((all[n] = rte_pktmbuf_alloc(peer.ref)))
		n++;
	say(ACK, 1, 1, 1000);
	chain = tcp_recv(peer.conn, 300);
	assert_int_equal(chain->data_len, 300);
	assert_int_equal(peer.counters->payload_copied_bytes, 300);
	rte_pktmbuf_free(chain);
	expect_received(301, 700);
	rte_pktmbuf_free_bulk(all, n);
	ignore_all();
}

/* What was received is sent on, on the same connection, without a copy. */
static void test_by_reference(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK, 1, 1, FULL);
	assert_int_equal(tcp_send(peer.conn, tcp_recv(peer.conn, UINT32_MAX)), 0);
	turn();
	hear(ACK, 1, 1 + FULL, 0);
	hear_any();
	assert_int_equal(peer.last.len, FULL);
	for (uint32_t i = 0; i < FULL; i++)
		assert_int_equal(peer.last.payload[i], peer_byte(1 + i));
	assert_int_equal(peer.counters->payload_copied_bytes, 0);
	assert_int_equal(peer.counters->payload_referenced_bytes, FULL);
	assert_int_equal(rte_mempool_in_use_count(peer.rx), 1);
	say(ACK, 1 + FULL, 1 + FULL, 0); /* freed when it is acknowledged */
	assert_int_equal(rte_mempool_in_use_count(peer.rx), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_every_second_segment),
		PEER_TEST(test_delayed_ack),
		PEER_TEST(test_ack_rides_with_data),
		PEER_TEST(test_one_ack_for_a_burst),
		PEER_TEST(test_out_of_order),
		PEER_TEST(test_each_duplicate_is_told_by_itself),
		PEER_TEST(test_overlaps),
		PEER_TEST(test_first_content_wins),
		PEER_TEST(test_many_runs_are_kept),
		PEER_TEST(test_many_runs_are_bounded),
		PEER_TEST(test_fin_out_of_order),
		PEER_TEST(test_data_beyond_fin_is_not_taken),
		PEER_TEST(test_many_mbufs),
		PEER_TEST(test_aggregates_of_any_size),
		PEER_TEST(test_window_closes_and_opens),
		PEER_TEST(test_no_update_that_tells_nothing),
		PEER_TEST(test_silly_window),
		PEER_TEST(test_zero_window),
		PEER_TEST(test_text_beyond_the_window_is_cut),
		PEER_TEST(test_edge_stays),
		PEER_TEST(test_one_byte_segments),
		PEER_TEST(test_one_byte_out_of_order),
		PEER_TEST(test_room_for_the_missing_one),
		PEER_TEST(test_budget_of_the_stack),
		PEER_TEST(test_take_parts),
		PEER_TEST(test_take_part_without_references),
		PEER_TEST(test_by_reference),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
