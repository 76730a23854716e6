/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an owner can set on a connection, and where one is opened from.
 */
#include <errno.h>

#include "tests/unit/l4stack/tcp/peer.h"

/* ---- gathering: RFC 9293 §3.7.4 ---- */

static void test_nagle_waits_for_the_ack(void **state)
{
	const struct tcp_conf conf = {.gather = TCP_GATHER_NAGLE};

	(void)state;
	open_passive(&conf);
	send_bytes(1, 10);
	turn();
	hear(ACK, 1, 1, 10);
	send_bytes(11, 20);
	turn();
	send_bytes(31, 30);
	turn();
	hear_nothing();
	say(ACK, 1, 11, 0);
	hear(ACK, 11, 1, 50);
}

static void test_nagle_sends_full_segments(void **state)
{
	(void)state;
	open_passive(NULL);
	tcp_set_gather(peer.conn, TCP_GATHER_NAGLE);
	send_bytes(1, 10);
	turn();
	hear(ACK, 1, 1, 10);
	send_bytes(11, 1460 + 5);
	turn();
	hear(ACK, 11, 1, 1460);
	hear_nothing();
	say(ACK, 1, 1471, 0);
	hear(ACK, 1471, 1, 5);
}

static void test_nagle_does_not_hold_fin(void **state)
{
	(void)state;
	open_passive(NULL);
	tcp_set_gather(peer.conn, TCP_GATHER_NAGLE);
	send_bytes(1, 10);
	turn();
	hear(ACK, 1, 1, 10);
	send_bytes(11, 5);
	tcp_shutdown(peer.conn);
	turn();
	hear(FIN | ACK, 11, 1, 5);
}

static void test_nagle_does_not_hold_what_is_sent_again(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 1460);
	send_bytes(1461, 5);
	turn();
	hear(ACK, 1, 1, 1460);
	hear(ACK, 1461, 1, 5);
	tcp_set_gather(peer.conn, TCP_GATHER_NAGLE);
	wait_ms(250);
	hear(ACK, 1, 1, 1460);
	say(ACK, 1, 1461, 0);
	hear(ACK, 1461, 1, 5);
}

static void test_full_waits_until_it_is_changed(void **state)
{
	(void)state;
	open_passive(NULL);
	tcp_set_gather(peer.conn, TCP_GATHER_FULL);
	send_bytes(1, 1000);
	turn();
	send_bytes(1001, 1000);
	turn();
	hear(ACK, 1, 1, 1460);
	say(ACK, 1, 1461, 0);
	wait_ms(5000);
	hear_nothing();
	assert_int_equal(peer.counters->tcp_window_probes, 0);
	tcp_set_gather(peer.conn, TCP_GATHER_FLUSH);
	turn();
	hear(ACK, 1461, 1, 540);
}

/* ---- patience: RFC 9293 §3.8.3 ---- */

static void test_user_timeout(void **state)
{
	(void)state;
	open_passive(NULL);
	tcp_set_user_timeout(peer.conn, 1000);
	send_bytes(1, 10);
	wait_ms(900);
	assert_int_equal(peer.closed, 0);
	wait_ms(1100);
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, TCP_CLOSED_TIMEOUT);
	ignore_all();
}

static void test_user_timeout_does_not_count_idleness(void **state)
{
	(void)state;
	open_passive(NULL);
	tcp_set_user_timeout(peer.conn, 1000);
	wait_ms(5000);
	send_bytes(1, 10);
	turn();
	hear(ACK, 1, 1, 10);
	say(ACK, 1, 11, 0);
	wait_ms(5000);
	assert_int_equal(peer.closed, 0);
}

/* ---- keepalive: RFC 9293 §3.8.4 ---- */

static void test_keepalive_is_set_later(void **state)
{
	(void)state;
	open_passive(NULL);
	wait_ms(5000);
	tcp_set_keepalive(peer.conn, 1000, 500, 2);
	wait_ms(999);
	hear_nothing();
	wait_ms(2);
	hear(ACK, 0, 1, 0);
	wait_ms(501);
	hear(ACK, 0, 1, 0);
	wait_ms(501);
	hear(RST | ACK, 1, 1, 0);
	assert_int_equal(peer.reason, TCP_CLOSED_TIMEOUT);
}

static void test_keepalive_is_taken_back(void **state)
{
	const struct tcp_conf conf = {.keepalive_ms = 1000};

	(void)state;
	open_passive(&conf);
	tcp_set_keepalive(peer.conn, 0, 0, 0);
	wait_ms(10000);
	hear_nothing();
}

/* ---- opening ---- */

static void test_mss_most_is_offered_and_kept(void **state)
{
	const struct tcp_conf conf = {.mss_most = 600};

	(void)state;
	peer_listen(&conf);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	assert_int_equal(peer.last.options.mss, 600);
	say(ACK, 1, 1, 0);
	send_bytes(1, 700);
	turn();
	hear(ACK, 1, 1, 600);
	hear(ACK, 601, 1, 100);
}

static void half_open(uint16_t port)
{
	peer.port = port;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
}

/* What comes after a change of the listener's settings has them, and what was answered before keeps
 * the window's shift that was told. */
static void test_relisten(void **state)
{
	const struct tcp_conf before = {.recv_buffer_bytes = 1 << 20, .mss_most = 600};
	const struct tcp_conf after = {.recv_buffer_bytes = 4096, .congestion = "no such"};
	struct tcp_info info;

	(void)state;
	peer.options.present |= TCP_OPT_WSCALE;
	peer_listen(&before);
	half_open(4000);
	assert_int_equal(peer.last.options.wscale, 5);
	tcp_relisten(peer.listener, &after);
	say(ACK, 1, 1, 0);
	tcp_info(peer.conn, &info);
	assert_int_equal(info.wscale_recv, 5);
	assert_string_equal(info.congestion, "newreno");
	half_open(4001);
	assert_int_equal(peer.last.options.wscale, 0);
	assert_int_equal(peer.last.options.mss, 1460);
	say(ACK, 1, 1, 0);
	assert_int_equal(peer.accepted, 2);
}

static void test_connect_from_a_port(void **state)
{
	const struct tcp_conf conf = {.local.port = 1234};
	struct tcp_conn *first;

	(void)state;
	assert_int_equal(peer_connect(&conf), 0);
	turn();
	hear(SYN, 0, 0, 0);
	assert_int_equal(peer.last.src, 1234);
	first = peer.conn;
	assert_int_equal(peer_connect(&conf), -EADDRINUSE);
	tcp_abort(first);
}

static void test_connect_from_an_address_that_is_not_ours(void **state)
{
	const struct tcp_conf conf = {.local.addr = {.bytes = {10, 9, 9, 9}, .family = ADDR_IP4}};

	(void)state;
	assert_int_equal(peer_connect(&conf), -EADDRNOTAVAIL);
}

static void test_info_knows_the_options(void **state)
{
	struct tcp_info info;

	(void)state;
	peer.options.present |= TCP_OPT_WSCALE | TCP_OPT_SACK_OK;
	peer.options.wscale = 3;
	open_passive(NULL);
	send_bytes(1, 10);
	turn();
	hear(ACK, 1, 1, 10);
	tcp_info(peer.conn, &info);
	assert_true(info.sack && info.wscale && !info.timestamps);
	assert_int_equal(info.wscale_send, 3);
	assert_int_equal(info.sent_bytes, 10);
	assert_int_equal(info.mss_offered, 1460);
}

/* ---- receiving ---- */

static void test_quick_acks(void **state)
{
	(void)state;
	open_passive(NULL);
	tcp_set_quick_ack(peer.conn, false);
	say(ACK, 1, 1, 100);
	hear_nothing();
	tcp_set_quick_ack(peer.conn, true); /* also for what came */
	turn();
	hear(ACK, 1, 101, 0);
	say(ACK, 101, 1, 100);
	hear(ACK, 1, 201, 0);
}

/* A window that was told stays; a smaller one follows from what comes. */
static void test_recv_buffer(void **state)
{
	const struct tcp_conf conf = {.recv_buffer_bytes = 20000};

	(void)state;
	open_passive(&conf);
	tcp_set_recv_buffer(peer.conn, 10000);
	say(ACK, 1, 1, 1000);
	hear(ACK, 1, 1001, 0);
	assert_int_equal(peer.last.window, 19000);
	say(ACK, 1001, 1, 1460);
	ignore_all();
	expect_received(1, 2460);
	for (uint32_t seq = 2461; seq < 2461 + 10 * 1460; seq += 1460) {
		say(ACK, seq, 1, 1460);
		hear_any();
		expect_received(seq, 1460);
		ignore_all();
	}
	say(ACK, 2461 + 10 * 1460, 1, 1);
	hear_any();
	assert_in_range(peer.last.window, 8500, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_nagle_waits_for_the_ack),
		PEER_TEST(test_nagle_sends_full_segments),
		PEER_TEST(test_nagle_does_not_hold_fin),
		PEER_TEST(test_nagle_does_not_hold_what_is_sent_again),
		PEER_TEST(test_full_waits_until_it_is_changed),
		PEER_TEST(test_user_timeout),
		PEER_TEST(test_user_timeout_does_not_count_idleness),
		PEER_TEST(test_keepalive_is_set_later),
		PEER_TEST(test_keepalive_is_taken_back),
		PEER_TEST(test_mss_most_is_offered_and_kept),
		PEER_TEST(test_relisten),
		PEER_TEST(test_connect_from_a_port),
		PEER_TEST(test_connect_from_an_address_that_is_not_ours),
		PEER_TEST(test_info_knows_the_options),
		PEER_TEST(test_quick_acks),
		PEER_TEST(test_recv_buffer),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
