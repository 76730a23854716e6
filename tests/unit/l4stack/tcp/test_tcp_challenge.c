/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blind attacks on a connection (RFC 5961) and what the answers give away.
 */
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/tcp/tcp_conn.h"
#include "tests/unit/l4stack/tcp/peer.h"

static const struct stack_conf roomy = {
	.max_conns = 1000, .memory_bytes = 64 << 20, .secret = {5, 6}};

#define CONNS 300

/* Many connections from as many ports; their numbers of ours. */
static uint32_t stack_iss[CONNS];

static void open_many(void)
{
	peer_restart(STACK_TX_MULTI_SEG, &roomy);
	peer_listen(NULL);
	for (unsigned i = 0; i < CONNS; i++) {
		peer.port = (uint16_t)(PEER_PORT + i);
		say(SYN, 0, 0, 0);
		hear(SYN | ACK, 0, 1, 0);
		stack_iss[i] = peer.stack_iss;
		say(ACK, 1, 1, 0);
	}
	assert_int_equal(peer.accepted, CONNS);
}

/* SYNs in the windows of all of them: how many are answered. */
static unsigned attack_all(unsigned each)
{
	unsigned answers = 0;

	for (unsigned i = 0; i < CONNS; i++) {
		peer.port = (uint16_t)(PEER_PORT + i);
		peer.stack_iss = stack_iss[i];
		for (unsigned k = 0; k < each; k++) {
			say(SYN, 100, 0, 0);
			answers += peer.out_count;
			ignore_all();
		}
	}
	return answers;
}

/* The stack's limit is not the same in each second: what is left of it tells nothing
 * (CVE-2016-5696). */
static void test_the_limit_cannot_be_counted(void **state)
{
	unsigned answers[8], different = 0;

	(void)state;
	open_many();
	for (unsigned i = 0; i < 8; i++) {
		peer.now_us = (peer.now_us / 1000000 + 1) * 1000000;
		answers[i] = attack_all(6);
		assert_in_range(answers[i], 500, 1500);
		for (unsigned k = 0; k < i; k++)
			different += answers[i] != answers[k];
	}
	assert_true(different > 20);
	assert_true(peer.counters->tcp_challenge_limited > 0);
}

/* A stranger who makes one connection answer does not silence another. */
static void test_each_connection_has_its_own(void **state)
{
	(void)state;
	open_many();
	peer.port = PEER_PORT;
	for (unsigned i = 0; i < 100; i++)
		say(SYN, 100, 0, 0);
	assert_int_equal(peer.out_count, 10);
	ignore_all();
	peer.port++;
	peer.stack_iss = stack_iss[1];
	say(SYN, 100, 0, 0);
	hear(ACK, 1, 1, 0);
}

/* ---- injection: RFC 5961 §3.2, §4.2, §5.2 ---- */

/* A RST for each window in the sequence space: one has to hit, and does no harm. */
static void test_blind_resets(void **state)
{
	(void)state;
	peer.options = (struct tcp_options){
		.present = TCP_OPT_MSS | TCP_OPT_WSCALE, .mss = 1460, .wscale = 0};
	open_passive(NULL);
	for (uint32_t i = 1; i < 65536; i++) {
		say_quietly(RST, 1 + i * 65535u, 0, 0);
		say_quietly(SYN, 1 + i * 65535u, 0, 0);
	}
	turn();
	ignore_all();
	assert_string_equal(conn_state(), "ESTABLISHED");
	assert_int_equal(peer.closed, 0);
}

/* Data with an ACK that is a guess: taken only when that is within the last window. */
static void test_blind_data(void **state)
{
	(void)state;
	open_passive(NULL);
	for (uint32_t i = 1; i < 4096; i++)
		say_quietly(ACK, 1, 1 + i * (1u << 20), 10);
	turn();
	ignore_all();
	assert_int_equal(tcp_recv_ready(peer.conn), 0);
	assert_string_equal(conn_state(), "ESTABLISHED");
}

/* The peer comes back from a crash with the same port: §4.2's conversation. */
static void test_peer_has_restarted(void **state)
{
	(void)state;
	open_passive(NULL);
	peer.iss += 777777;
	say(SYN, 0, 0, 0);
	hear_any();
	assert_int_equal(peer.last.flags, ACK);
	peer.iss -= 777777;
	say(RST, 1, 0, 0); /* its answer: the number that was acknowledged */
	assert_int_equal(peer.reason, TCP_CLOSED_RESET);
	peer.iss += 777777;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 1, 0);
	assert_int_equal(peer.accepted, 2);
}

/* ---- lies ---- */

/* Acknowledged before it was sent: nothing is taken for sent. */
static void test_optimistic_ack(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 100000);
	turn();
	ignore_all();
	for (uint32_t ack = 60001; ack < 100000; ack += 1000)
		say(ACK, 1, ack, 0);
	assert_int_equal(tcp_send_pending(peer.conn), 100000);
	assert_true(peer.counters->tcp_bad_ack > 0);
	ignore_all();
}

/* The window shrinks behind what was sent: nothing new goes out, nothing breaks. */
static void test_window_shrinks(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 10000);
	turn();
	ignore_all();
	peer.window = 0;
	say(ACK, 1, 1, 0);
	peer.window = 100;
	say(ACK, 1, 1461, 0);
	ignore_all();
	wait_ms(3000);
	while (peer.out_count) {
		hear_any();
		assert_int_equal(peer.last.seq, 1461); /* only what comes next is sent again */
	}
	peer.window = 60000;
	say(ACK, 1, 1461, 0);
	wait_ms(10);
	ignore_all();
	say(ACK, 1, 10001, 0);
	assert_int_equal(tcp_send_pending(peer.conn), 0);
}

/* SACK of what was never sent, upside down, or acknowledged long ago. */
static void test_sack_of_nonsense(void **state)
{
	const struct tcp_sack_block lies[][3] = {
		{{90000, 95000}, {1, 0}, {0, 1}},
		{{5000, 1000}, {3000, 3000}, {0xfffffff0, 10}},
		{{0x80000000, 0x80000001}, {0, 0xffffffff}, {1, 1}},
	};

	(void)state;
	peer.options.present |= TCP_OPT_SACK_OK;
	open_passive(NULL);
	send_bytes(1, 10000);
	turn();
	ignore_all();
	for (unsigned i = 0; i < 3; i++) {
		memcpy(peer.sack, lies[i], sizeof(lies[i]));
		peer.sack_blocks = 3;
		say(ACK, 1, 1, 0);
	}
	peer.sack_blocks = 0;
	ignore_all();
	say(ACK, 1, 10001, 0);
	assert_int_equal(tcp_send_pending(peer.conn), 0);
	assert_int_equal(tcp_scoreboard_sacked(&peer.conn->sent), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_the_limit_cannot_be_counted),
		PEER_TEST(test_each_connection_has_its_own),
		PEER_TEST(test_blind_resets),
		PEER_TEST(test_blind_data),
		PEER_TEST(test_peer_has_restarted),
		PEER_TEST(test_optimistic_ack),
		PEER_TEST(test_window_shrinks),
		PEER_TEST(test_sack_of_nonsense),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
