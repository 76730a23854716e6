/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP Fast Open: RFC 7413, both sides.
 */
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/tcp/tcp_conn.h"
#include "tests/unit/l4stack/tcp/peer.h"

static const struct tcp_conf fast = {.fast_open = true};

/* ---- server ---- */

/* The peer asks for a cookie and says it with its SYNs from now on. */
static void fetch_cookie(void)
{
	peer.options.present |= TCP_OPT_FAST_OPEN;
	peer.options.fast_open_len = 0;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	assert_true(peer.last.options.present & TCP_OPT_FAST_OPEN);
	assert_int_equal(peer.last.options.fast_open_len, 8);
	memcpy(peer.options.fast_open, peer.last.options.fast_open, 8);
	peer.options.fast_open_len = 8;
	say(RST, 1, 0, 0);
	peer.port++;
}

static void answer(struct tcp_conn *conn)
{
	rte_pktmbuf_free(tcp_recv(conn, UINT32_MAX));
	send_bytes(1, 3000);
}

/* The text of the SYN is read, and the answer goes out behind the SYN-ACK. */
static void test_server(void **state)
{
	(void)state;
	peer_listen(&fast);
	fetch_cookie();
	peer.on_readable = answer;
	say(SYN, 0, 0, 100);
	assert_int_equal(peer.accepted, 1);
	hear(SYN | ACK, 0, 101, 0);
	hear(ACK, 1, 101, 1460);
	hear(ACK, 1461, 101, 1460);
	hear(ACK, 2921, 101, 80);
	hear_nothing();
	assert_string_equal(conn_state(), "SYN-RECEIVED");
	say(ACK, 101, 2921, 0);
	assert_string_equal(conn_state(), "ESTABLISHED");
	assert_int_equal(tcp_send_pending(peer.conn), 80);
	say(ACK, 101, 3001, 0);
	assert_int_equal(peer.accepted, 1);
	assert_int_equal(peer.opened, 0);
	assert_int_equal(peer.stack->tcp->fast_pending, 0);
	assert_int_equal(peer.counters->tcp_fast_opens_in, 1);
	peer.on_readable = NULL;
	say(ACK, 101, 3001, 50);
	expect_received(101, 50);
	ignore_all();
}

static void test_server_without_text(void **state)
{
	(void)state;
	peer_listen(&fast);
	fetch_cookie();
	say(SYN, 0, 0, 0);
	assert_int_equal(peer.accepted, 1);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 1, 10);
	expect_received(1, 10);
	ignore_all();
}

/* The SYN-ACK is lost: it is sent again, without what went behind it, and that follows when it is
 * due. */
static void test_server_sends_again(void **state)
{
	(void)state;
	peer_listen(&fast);
	fetch_cookie();
	peer.on_readable = answer;
	say(SYN, 0, 0, 100);
	ignore_all();
	wait_ms(1001);
	hear(SYN | ACK, 0, 101, 0);
	hear_nothing();
	say(SYN, 0, 0, 100); /* late: ours comes again as well */
	hear(SYN | ACK, 0, 101, 0);
	assert_int_equal(peer.accepted, 1);
	say(ACK, 101, 1, 0);
	wait_ms(4000);
	hear_any();
	assert_int_equal(peer.last.seq, 1);
	say(ACK, 101, 3001, 0);
	ignore_all();
	assert_int_equal(tcp_send_pending(peer.conn), 0);
}

static void test_server_gives_up(void **state)
{
	(void)state;
	peer_listen(&fast);
	fetch_cookie();
	say(SYN, 0, 0, 100);
	wait_ms(64000);
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, TCP_CLOSED_TIMEOUT);
	assert_int_equal(peer.stack->tcp->fast_pending, 0);
	ignore_all();
}

static void test_server_is_reset(void **state)
{
	(void)state;
	peer_listen(&fast);
	fetch_cookie();
	say(SYN, 0, 0, 100);
	ignore_all();
	say(RST, 101, 0, 0);
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, TCP_CLOSED_RESET);
}

/* A cookie that is wrong opens nothing, and a good one comes with the SYN-ACK. */
static void test_wrong_cookie(void **state)
{
	(void)state;
	peer_listen(&fast);
	fetch_cookie();
	peer.options.fast_open[0] ^= 1;
	say(SYN, 0, 0, 100);
	hear(SYN | ACK, 0, 1, 0);
	assert_int_equal(peer.accepted, 0);
	assert_int_equal(peer.last.options.fast_open_len, 8);
	assert_int_equal(peer.last.options.fast_open[0], peer.options.fast_open[0] ^ 1);
	say(ACK, 1, 1, 100);
	assert_int_equal(peer.accepted, 1);
	expect_received(1, 100);
	ignore_all();
}

static void test_off_by_default(void **state)
{
	(void)state;
	peer_listen(NULL);
	peer.options.present |= TCP_OPT_FAST_OPEN;
	say(SYN, 0, 0, 100);
	hear(SYN | ACK, 0, 1, 0);
	assert_false(peer.last.options.present & TCP_OPT_FAST_OPEN);
	assert_int_equal(peer.accepted, 0);
}

/* Cookies can be collected: how many may be open without a handshake is limited. */
static void test_pending_are_limited(void **state)
{
	const struct stack_conf conf = {.max_conns = 1000, .memory_bytes = 64 << 20, .secret = {1}};

	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &conf);
	peer_listen(&fast);
	fetch_cookie();
	for (unsigned i = 0; i < 300; i++) {
		peer.port++;
		say(SYN, 0, 0, 10);
		ignore_all();
	}
	assert_int_equal(peer.accepted, 256);
	assert_int_equal(peer.stack->tcp->fast_pending, 256);
}

static void test_listener_goes(void **state)
{
	(void)state;
	peer_listen(&fast);
	fetch_cookie();
	say_quietly(SYN, 0, 0, 10);
	stack_flush(peer.stack);
	tcp_unlisten(peer.listener);
	turn();
	assert_int_equal(peer.accepted, 0);
	assert_int_equal(peer.stack->tcp->fast_pending, 0);
	ignore_all();
}

/* ---- client ---- */

/* Opens a connection whose server gives a cookie of `len` bytes. */
static void learn_cookie(uint8_t len)
{
	assert_int_equal(peer_connect(&fast), 0);
	turn();
	hear(SYN, 0, 0, 0);
	assert_true(peer.last.options.present & TCP_OPT_FAST_OPEN);
	assert_int_equal(peer.last.options.fast_open_len, 0);
	peer.options.present |= TCP_OPT_FAST_OPEN;
	peer.options.fast_open_len = len;
	memset(peer.options.fast_open, 0xc0, len);
	peer.port = PEER_PORT;
	say(SYN | ACK, 0, 1, 0);
	hear(ACK, 1, 1, 0);
	tcp_abort(peer.conn);
	turn();
	hear(RST | ACK, 1, 1, 0);
	peer.options.present &= ~(uint32_t)TCP_OPT_FAST_OPEN;
}

static void connect_and_send(uint32_t bytes)
{
	assert_int_equal(peer_connect(&fast), 0);
	send_bytes(1, bytes);
	turn();
}

static void test_client(void **state)
{
	(void)state;
	learn_cookie(8);
	connect_and_send(2000);
	hear(SYN, 0, 0, 1460 - 40);
	assert_int_equal(peer.last.options.fast_open_len, 8);
	assert_int_equal(peer.last.options.fast_open[7], 0xc0);
	hear_nothing();
	say(SYN | ACK, 0, 1421, 0);
	hear(ACK, 1421, 1, 580);
	say(ACK, 1, 2001, 0);
	assert_int_equal(tcp_send_pending(peer.conn), 0);
	assert_int_equal(peer.counters->tcp_retransmits, 0);
}

/* The server does not take the text: it goes out again at once. */
static void test_client_text_not_taken(void **state)
{
	(void)state;
	learn_cookie(16);
	connect_and_send(500);
	hear(SYN, 0, 0, 500);
	assert_int_equal(peer.last.options.fast_open_len, 16);
	say(SYN | ACK, 0, 1, 0);
	hear(ACK, 1, 1, 500);
	say(ACK, 1, 501, 0);
	assert_int_equal(tcp_send_pending(peer.conn), 0);
}

/* §4.1.3.1: something on the way drops such SYNs. */
static void test_client_is_blocked(void **state)
{
	(void)state;
	learn_cookie(8);
	connect_and_send(500);
	hear(SYN, 0, 0, 500);
	wait_ms(1001);
	hear(SYN, 0, 0, 0);
	assert_false(peer.last.options.present & TCP_OPT_FAST_OPEN);
	say(SYN | ACK, 0, 1, 0);
	hear(ACK, 1, 1, 500);
	say(ACK, 1, 501, 0);
	tcp_abort(peer.conn);
	turn();
	ignore_all();
	connect_and_send(500);
	hear(SYN, 0, 0, 0);
	assert_false(peer.last.options.present & TCP_OPT_FAST_OPEN);
	tcp_abort(peer.conn);
}

static void test_client_refused(void **state)
{
	(void)state;
	learn_cookie(8);
	connect_and_send(500);
	hear(SYN, 0, 0, 500);
	say(RST | ACK, 0, 501, 0);
	assert_int_equal(peer.reason, TCP_CLOSED_REFUSED);
}

static void test_client_both_open(void **state)
{
	(void)state;
	learn_cookie(8);
	connect_and_send(500);
	hear(SYN, 0, 0, 500);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 1, 0);
	hear(ACK, 1, 1, 500);
	assert_int_equal(peer.opened, 2); /* learn_cookie's is the first */
	say(ACK, 1, 501, 0);
	assert_int_equal(tcp_send_pending(peer.conn), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_server),
		PEER_TEST(test_server_without_text),
		PEER_TEST(test_server_sends_again),
		PEER_TEST(test_server_gives_up),
		PEER_TEST(test_server_is_reset),
		PEER_TEST(test_wrong_cookie),
		PEER_TEST(test_off_by_default),
		PEER_TEST(test_pending_are_limited),
		PEER_TEST(test_listener_goes),
		PEER_TEST(test_client),
		PEER_TEST(test_client_text_not_taken),
		PEER_TEST(test_client_is_blocked),
		PEER_TEST(test_client_refused),
		PEER_TEST(test_client_both_open),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
