/* SPDX-License-Identifier: BSD-3-Clause */
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
		PEER_TEST(test_traffic_puts_keepalive_off),
		PEER_TEST(test_no_keepalive_unless_asked_for),
		PEER_TEST(test_no_keepalive_beside_retransmission),
		PEER_TEST(test_next_is_never_late),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
