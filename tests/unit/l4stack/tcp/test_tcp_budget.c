/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory: who may hold how much, what is given up first, and what a greedy peer can not do.
 */
#include <rte_mbuf.h>

#include "l4stack/tcp/tcp_conn.h"
#include "tests/unit/l4stack/tcp/peer.h"

#define FULL    1460
#define BUDGET  (4u << 20) /* half of it is for what is received */
#define MOST    64
#define READERS 24

static const struct stack_conf small = {.max_conns = 200, .memory_bytes = BUDGET, .secret = {7, 8}};

static struct tcp_conn *conns[MOST];
static uint32_t stack_iss[MOST];

static void open_many_with(const struct tcp_conf *conf, unsigned n)
{
	peer_listen(conf);
	for (unsigned i = 0; i < n; i++) {
		peer.port = (uint16_t)(PEER_PORT + i);
		say(SYN, 0, 0, 0);
		hear(SYN | ACK, 0, 1, 0);
		stack_iss[i] = peer.stack_iss;
		say(ACK, 1, 1, 0);
		conns[i] = peer.conn;
	}
}

static void open_many(unsigned n)
{
	open_many_with(NULL, n);
}

static void talk_to(unsigned i)
{
	peer.port = (uint16_t)(PEER_PORT + i);
	peer.stack_iss = stack_iss[i];
	peer.conn = conns[i];
}

static uint64_t held(void)
{
	return peer.stack->tcp->recv_held_bytes;
}

/* ---- holes ---- */

/* Peers that leave holes hold memory until it is wanted; then the oldest lose theirs, and a
 * connection in order is served. */
static void test_holes_are_given_up(void **state)
{
	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &small);
	open_many(20);
	for (unsigned i = 0; i < 19; i++) {
		talk_to(i);
		for (uint32_t seq = 1 + FULL; seq < 60000; seq += FULL)
			say(ACK, seq, 1, FULL);
		ignore_all();
	}
	assert_true(held() > BUDGET / 2 / 2);
	talk_to(19);
	for (uint32_t n = 0; n < 100; n++) {
		say(ACK, 1 + n * FULL, 1, FULL);
		expect_received(1 + n * FULL, FULL);
		ignore_all();
	}
	assert_int_equal(peer.counters->tcp_memory_drops, 0);
	assert_true(held() <= BUDGET / 2 / 8 * 7 + 70000);
	talk_to(0);
	assert_true(peer.counters->tcp_ooo_pruned == 0 || !conns[0]->reorder);
}

static void test_the_oldest_holes_go_first(void **state)
{
	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &small);
	open_many(MOST);
	for (unsigned i = 0; i < MOST; i++) {
		talk_to(i);
		for (uint32_t seq = 1 + FULL; seq < 60000; seq += FULL)
			say(ACK, seq, 1, FULL);
		ignore_all();
		assert_true(held() <= BUDGET / 2);
	}
	assert_true(peer.counters->tcp_ooo_pruned > 0);
	assert_null(conns[0]->reorder);
	assert_non_null(conns[MOST - 1]->reorder);
	/* What was given up is sent again, and the stream is whole. */
	talk_to(0);
	for (uint32_t seq = 1; seq < 30000; seq += FULL) {
		say(ACK, seq, 1, FULL);
		expect_received(seq, FULL);
		ignore_all();
	}
}

/* ---- peers that are never read ---- */

/* Many connections whose owner takes nothing: each is offered less the more there are, and one more
 * still gets its little. */
static void test_what_is_free_is_shared(void **state)
{
	uint32_t first = 0, last;

	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &small);
	peer.options = (struct tcp_options){
		.present = TCP_OPT_MSS | TCP_OPT_WSCALE, .mss = 1460, .wscale = 0};
	open_many(READERS);
	for (unsigned i = 0; i < READERS; i++) {
		talk_to(i);
		for (uint32_t seq = 1; seq < 120000; seq += FULL) {
			if (conns[i]->rcv_edge - conns[i]->rcv_nxt < FULL)
				break; /* an honest peer */
			say(ACK, seq, 1, FULL);
			ignore_all();
		}
		if (i == 0)
			first = tcp_recv_ready(conns[0]);
	}
	last = tcp_recv_ready(conns[READERS - 1]);
	assert_true(first > 100000);
	assert_true(last > 0 && last < first);
	assert_int_equal(peer.counters->tcp_memory_drops, 0);
	assert_true(held() <= BUDGET / 2);
}

/* SYNs are refused before anything is dropped, and in order until nothing is left. */
static void test_what_happens_in_turn(void **state)
{
	uint64_t *held_bytes;

	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &small);
	open_many(1);
	held_bytes = &peer.stack->tcp->recv_held_bytes;
	*held_bytes += BUDGET / 2 / 8 * 6 + 1;
	peer.port++;
	say(SYN, 0, 0, 0);
	hear_nothing();
	assert_int_equal(peer.counters->tcp_syn_drops, 1);
	talk_to(0);
	say(ACK, 1, 1, FULL);
	expect_received(1, FULL);
	*held_bytes += BUDGET / 2 / 8 * 2 - FULL;
	ignore_all();
	say(ACK, 1 + FULL, 1, FULL);
	assert_int_equal(peer.counters->tcp_memory_drops, 1);
	hear(ACK, 1, 1 + FULL, 0);
	*held_bytes -= BUDGET / 2 - FULL + 1;
	say(ACK, 1 + FULL, 1, FULL);
	expect_received(1 + FULL, FULL);
	ignore_all();
}

/* ---- peers that never read ---- */

/* Their send queues fill; what one more may give to another connection never becomes nothing. */
static void test_send_queues_share(void **state)
{
	uint32_t room;

	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &small);
	peer.window = 0;
	open_many(MOST);
	room = tcp_send_room(conns[0]);
	assert_in_range(room, 100000, 1 << 20);
	for (unsigned i = 0; i < MOST - 1; i++) {
		talk_to(i);
		while (tcp_send_room(peer.conn) && rte_mempool_avail_count(peer.payload) > 8)
			send_bytes(1, 1448);
		assert_true(conns[i]->mem_charge <= room + 4096);
	}
	assert_in_range(tcp_send_room(conns[MOST - 1]), 1, room);
	turn();
	ignore_all();
}

enum { SLOW, DEAF, BRISK, CHARACTERS };

#define MINUTES   30
#define SEND_MOST 200000u
#define HELD_MOST (2 * SEND_MOST + 16384 + 2304) /* its true size, and the last buffer */

struct reading {
	uint32_t bytes; /* the slow one's, so far */
	bool hungry;    /* it takes one more */
};

/* The slow peer's window takes one byte, the deaf one's nothing, the brisk one's all there is. */
static void answer(struct reading *reading)
{
	unsigned i = peer.last.dst - PEER_PORT;
	uint32_t seq = peer.last.seq + peer.stack_iss - stack_iss[i], taken = 0;

	if (i == BRISK && peer.last.len == 0)
		return;
	talk_to(i);
	if (i == SLOW && reading->hungry && peer.last.len && seq == 1 + reading->bytes) {
		reading->hungry = false;
		reading->bytes++;
	}
	if (i == SLOW)
		taken = reading->bytes;
	if (i == BRISK)
		taken = seq + peer.last.len - 1;
	peer.window = i == BRISK ? 60000 : i == SLOW && reading->hungry;
	say(ACK, i == BRISK ? tcp_recv_ready(peer.conn) + 1 : 1, 1 + taken, 0);
}

static void minute_passes(struct reading *reading)
{
	reading->hungry = true;
	for (unsigned i = 0; i < 600; i++) {
		peer.now_us += 100000;
		turn();
		while (peer.out_count) {
			hear_any();
			answer(reading);
		}
	}
}

static void fill(unsigned i)
{
	talk_to(i);
	while (tcp_send_room(peer.conn))
		send_bytes(1, 1448);
}

/* Peers that read a byte a minute or nothing hold what is theirs, for as long as they answer; one
 * beside them is served as if they were not there. */
static void test_slow_readers_hold_their_own(void **state)
{
	const struct tcp_conf conf = {.send_buffer_bytes = SEND_MOST};
	struct reading reading = {0};

	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &small);
	peer.window = 0;
	open_many_with(&conf, CHARACTERS);
	for (uint32_t minute = 0; minute < MINUTES; minute++) {
		fill(SLOW);
		fill(DEAF);
		talk_to(BRISK);
		peer.window = 60000;
		say(ACK, 1, 1 + minute * 50000, 0);
		send_bytes(1 + minute * 50000, 50000);
		minute_passes(&reading);
		assert_int_equal(tcp_send_pending(conns[BRISK]), 0);
		assert_int_equal(tcp_send_room(conns[DEAF]), 0);
		assert_true(conns[SLOW]->mem_charge <= HELD_MOST);
		assert_true(conns[DEAF]->mem_charge <= HELD_MOST);
		assert_int_equal(peer.stack->tcp->send_held_bytes,
				 conns[SLOW]->mem_charge + conns[DEAF]->mem_charge);
	}
	assert_in_range(reading.bytes, MINUTES / 3, MINUTES);
	assert_int_equal(peer.closed, 0);
}

/* One byte in each buffer: the buffers are what counts. */
static void test_small_pieces_fill_the_send_queue(void **state)
{
	const struct tcp_conf conf = {.send_buffer_bytes = 100000};
	unsigned pieces = 0;

	(void)state;
	peer.window = 0;
	open_passive(&conf);
	while (tcp_send_room(peer.conn) && pieces < 1000) {
		send_bytes(1 + pieces, 1);
		pieces++;
	}
	assert_in_range(pieces, 20, 100); /* of 2304 bytes each, about twice the limit */
	turn();
	ignore_all();
}

/* Nothing waits, so no event would come: there is always room for a little. */
static void test_room_when_nothing_waits(void **state)
{
	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &small);
	open_passive(NULL);
	peer.stack->tcp->send_held_bytes += BUDGET;
	assert_int_equal(tcp_send_room(peer.conn), 16384);
	send_bytes(1, 100);
	assert_int_equal(tcp_send_room(peer.conn), 0);
	peer.stack->tcp->send_held_bytes -= BUDGET;
	turn();
	ignore_all();
}

/* ---- dynamic right-sizing ---- */

static uint32_t window_of(const struct tcp_conn *conn)
{
	return conn->recv_limit;
}

/* A peer 10 ms away, and an owner that takes at once: the window doubles each round trip. */
static void test_the_window_grows(void **state)
{
	uint32_t seq = 1, edge = 0;

	(void)state;
	peer.options = (struct tcp_options){
		.present = TCP_OPT_MSS | TCP_OPT_WSCALE, .mss = 1460, .wscale = 0};
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	peer.now_us += 10000;
	say(ACK, 1, 1, 0);
	assert_int_equal(window_of(peer.conn), 128 << 10);
	for (unsigned round = 0; round < 12; round++) {
		uint32_t end = peer.conn->rcv_edge - peer.iss;

		for (; seq + FULL <= end; seq += FULL)
			say_quietly(ACK, seq, 1, FULL);
		turn();
		rte_pktmbuf_free(tcp_recv(peer.conn, UINT32_MAX));
		wait_ms(10);
		ignore_all();
		assert_true((int32_t)(peer.conn->rcv_edge - edge) >= 0 || !edge);
		edge = peer.conn->rcv_edge;
	}
	assert_int_equal(window_of(peer.conn), 1 << 20);
	assert_true(peer.counters->tcp_recv_grown >= 3);
}

/* A slow stream needs no more than it has. */
static void test_a_slow_stream_stays_small(void **state)
{
	(void)state;
	open_passive(NULL);
	for (uint32_t i = 0; i < 300; i++) {
		say(ACK, 1 + i * FULL, 1, FULL);
		expect_received(1 + i * FULL, FULL);
		wait_ms(10);
		ignore_all();
	}
	assert_int_equal(window_of(peer.conn), 128 << 10);
}

/* An owner that takes nothing makes nothing grow. */
static void test_unread_does_not_grow(void **state)
{
	(void)state;
	open_passive(NULL);
	for (uint32_t seq = 1; seq < 60000; seq += FULL) {
		say(ACK, seq, 1, FULL);
		wait_ms(10);
	}
	ignore_all();
	assert_int_equal(window_of(peer.conn), 128 << 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_holes_are_given_up),
		PEER_TEST(test_the_oldest_holes_go_first),
		PEER_TEST(test_what_is_free_is_shared),
		PEER_TEST(test_what_happens_in_turn),
		PEER_TEST(test_send_queues_share),
		PEER_TEST(test_slow_readers_hold_their_own),
		PEER_TEST(test_small_pieces_fill_the_send_queue),
		PEER_TEST(test_room_when_nothing_waits),
		PEER_TEST(test_the_window_grows),
		PEER_TEST(test_a_slow_stream_stays_small),
		PEER_TEST(test_unread_does_not_grow),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
