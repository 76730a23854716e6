/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_conn.h"
#include "tests/unit/l4stack/tcp/peer.h"

static const struct tcp_conf keepalive = {.keepalive_ms = 10000};

/* RFC 9293 §3.8.4 */
static void test_keepalive_answered(void **state)
{
	(void)state;
	open_passive(&keepalive);
	for (unsigned i = 0; i < 30; i++) {
		wait_ms(9900);
		hear_nothing();
		wait_ms(200);
		hear(ACK, 0, 1, 0); /* one before what is expected */
		say(ACK, 1, 1, 0);
	}
	assert_int_equal(peer.closed, 0);
	assert_int_equal(peer.counters->tcp_keepalives, 30);
}

static void test_keepalive_unanswered(void **state)
{
	(void)state;
	open_passive(&keepalive);
	wait_ms(10000 + 9 * 10000 - 100);
	assert_int_equal(peer.out_count, 9);
	assert_int_equal(peer.closed, 0);
	wait_ms(200);
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, TCP_CLOSED_TIMEOUT);
	ignore_all();
}

static void test_keepalive_parameters(void **state)
{
	const struct tcp_conf conf = {
		.keepalive_ms = 5000, .keepalive_each_ms = 1000, .keepalive_probes = 3};

	(void)state;
	open_passive(&conf);
	wait_ms(4999);
	hear_nothing();
	wait_ms(2); /* the first after 5 s, then one each second */
	hear(ACK, 0, 1, 0);
	wait_ms(1000);
	hear(ACK, 0, 1, 0);
	wait_ms(1000);
	hear(ACK, 0, 1, 0);
	assert_int_equal(peer.closed, 0);
	wait_ms(1000);
	assert_int_equal(peer.reason, TCP_CLOSED_TIMEOUT);
	hear_any();
	assert_true(peer.last.flags & RST);
}

static void test_traffic_puts_keepalive_off(void **state)
{
	(void)state;
	open_passive(&keepalive);
	for (uint32_t i = 0; i < 10; i++) {
		wait_ms(9000);
		hear_nothing();
		say(ACK, 1 + i, 1, 1);
		hear(ACK, 1, 2 + i, 0);
	}
	assert_int_equal(peer.counters->tcp_keepalives, 0);
}

static void test_no_keepalive_unless_asked_for(void **state)
{
	(void)state;
	open_passive(NULL);
	wait_ms(400000);
	hear_nothing();
	assert_int_equal(stack_next_us(peer.stack) > peer.now_us, 1);
}

/* While data is unanswered, its own timer decides. */
static void test_no_keepalive_beside_retransmission(void **state)
{
	(void)state;
	open_passive(&keepalive);
	send_bytes(1, 10);
	wait_ms(60000);
	while (peer.out_count)
		hear(ACK, 1, 1, 10);
	assert_int_equal(peer.counters->tcp_keepalives, 0);
}

/* ---- user timeout ---- */

static void give_up_within(uint32_t least_ms, uint32_t most_ms)
{
	wait_ms(least_ms);
	ignore_all();
	assert_int_equal(peer.closed, 0);
	wait_ms(most_ms - least_ms);
	ignore_all();
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, TCP_CLOSED_TIMEOUT);
}

static void test_user_timeout(void **state)
{
	const struct tcp_conf conf = {.user_timeout_ms = 10000};

	(void)state;
	open_passive(&conf);
	send_bytes(1, 10);
	turn();
	give_up_within(10000, 20000);
}

static void test_user_timeout_by_itself(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 10);
	turn();
	give_up_within(299000, 430000);
}

/* The peer answers each probe, and never opens its window: that has an end only when the owner
 * wants one. */
static void test_window_shut_for_ever(void **state)
{
	const struct tcp_conf conf = {.user_timeout_ms = 30000};

	(void)state;
	peer.window = 0;
	open_passive(&conf);
	send_bytes(1, 10);
	for (unsigned s = 0; s < 100 && !peer.closed; s++) {
		wait_ms(1000);
		if (peer.out_count && !peer.closed)
			say(ACK, 1, 1, 0);
		ignore_all();
	}
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, TCP_CLOSED_TIMEOUT);
}

/* RFC 5482: what the peer asks for, within our limits. */
static void peer_wishes(uint16_t raw)
{
	const uint8_t option[4] = {28, 4, (uint8_t)(raw >> 8), (uint8_t)raw};
	struct tcp_options parsed;

	assert_true(tcp_options_parse(option, sizeof(option), &parsed));
	peer.user_timeout = raw;
	say(ACK, 1, 1, 0);
	peer.user_timeout = 0;
}

static void test_peers_user_timeout(void **state)
{
	const struct tcp_conf own = {.user_timeout_ms = 10000};

	(void)state;
	open_passive(NULL);
	assert_int_equal(peer.conn->user_timeout_ms, 300000);
	peer_wishes(400);
	assert_int_equal(peer.conn->user_timeout_ms, 400000);
	peer_wishes(10); /* less than ours: ours */
	assert_int_equal(peer.conn->user_timeout_ms, 300000);
	peer_wishes(0x8000 | 7); /* minutes */
	assert_int_equal(peer.conn->user_timeout_ms, 420000);
	peer_wishes(0x8000 | 60); /* an hour: no */
	assert_int_equal(peer.conn->user_timeout_ms, 600000);
	peer_wishes(0x8000); /* zero is nothing */
	assert_int_equal(peer.conn->user_timeout_ms, 600000);
	peer_restart(STACK_TX_MULTI_SEG, NULL);
	open_passive(&own);
	peer_wishes(400); /* the owner has decided */
	assert_int_equal(peer.conn->user_timeout_ms, 10000);
}

/* Everything that is due is known: an owner that sleeps until then misses nothing. */
static void test_next_is_never_late(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 10);
	assert_int_equal(stack_next_us(peer.stack), peer.now_us); /* a segment waits */
	turn();
	hear(ACK, 1, 1, 10);
	for (unsigned i = 0; i < 1000 && !peer.out_count; i++) {
		peer.now_us = stack_next_us(peer.stack);
		assert_true(peer.now_us != UINT64_MAX);
		turn();
	}
	hear(ACK, 1, 1, 10);
	assert_in_range(peer.now_us, 5200000, 5202000); /* sent at 5 s, timeout of 200 ms */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_keepalive_answered),
		PEER_TEST(test_keepalive_unanswered),
		PEER_TEST(test_keepalive_parameters),
		PEER_TEST(test_user_timeout),
		PEER_TEST(test_user_timeout_by_itself),
		PEER_TEST(test_window_shut_for_ever),
		PEER_TEST(test_peers_user_timeout),
		PEER_TEST(test_traffic_puts_keepalive_off),
		PEER_TEST(test_no_keepalive_unless_asked_for),
		PEER_TEST(test_no_keepalive_beside_retransmission),
		PEER_TEST(test_next_is_never_late),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
