/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP errors as tcp_proto_error gets them: RFC 5927, RFC 1191.
 */
#include <string.h>

#include "l4stack/stack_internal.h"
#include "l4stack/tcp/tcp_proto.h"
#include "tests/support/net.h"
#include "tests/unit/l4stack/tcp/peer.h"

#define MSS 1460

static void error_about(enum ip_error kind, uint16_t mtu, uint32_t seq)
{
	struct ip_error_info error = {
		.kind = kind,
		.mtu = mtu,
		.local = {.bytes = {10, 0, 0, 1}, .family = ADDR_IP4},
		.remote = {.bytes = {10, 0, 0, 2}, .family = ADDR_IP4},
	};

	net_put(error.quoted, 2, peer.stack_port);
	net_put(error.quoted + 2, 2, peer.port);
	net_put(error.quoted + 4, 4, peer.stack_iss + seq);
	tcp_proto_error(peer.stack->tcp, &error);
	turn();
}

static void connecting(void)
{
	assert_int_equal(peer_connect(NULL), 0);
	turn();
	hear(SYN, 0, 0, 0);
}

static void test_hard_error_while_connecting(void **state)
{
	(void)state;
	connecting();
	error_about(IP_ERROR_UNREACHABLE_HARD, 0, 1); /* not the number of our SYN */
	assert_int_equal(peer.closed, 0);
	error_about(IP_ERROR_UNREACHABLE_SOFT, 0, 0);
	assert_int_equal(peer.closed, 0);
	error_about(IP_ERROR_UNREACHABLE_HARD, 0, 0);
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, TCP_CLOSED_UNREACHABLE);
	assert_int_equal(tcp_count(peer.stack), 0);
}

/* RFC 5927 §5.2 */
static void test_hard_error_when_open(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 100);
	turn();
	error_about(IP_ERROR_UNREACHABLE_HARD, 0, 1);
	assert_int_equal(peer.closed, 0);
	assert_int_equal(peer.counters->tcp_unreachable_errors, 1);
	ignore_all();
}

static void test_too_big(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 2 * MSS);
	turn();
	hear(ACK, 1, 1, MSS);
	hear(ACK, 1 + MSS, 1, MSS);
	error_about(IP_ERROR_TOO_BIG, 1000, 1);
	hear(ACK, 1, 1, 960); /* again at once, in pieces that fit */
	hear(ACK, 961, 1, 960);
	hear(ACK, 1921, 1, 960);
	hear(ACK, 2881, 1, 40);
	assert_int_equal(peer.counters->tcp_mtu_lowered, 1);
	say(ACK, 1, 1 + 2 * MSS, 0);
	assert_int_equal(tcp_send_pending(peer.conn), 0);
}

static void test_too_big_is_not_believed(void **state)
{
	struct tcp_info info;

	(void)state;
	open_passive(NULL);
	send_bytes(1, 100);
	turn();
	ignore_all();
	error_about(IP_ERROR_TOO_BIG, 1000, 101); /* not in flight */
	error_about(IP_ERROR_TOO_BIG, 1000, 0);
	error_about(IP_ERROR_TOO_BIG, 1500, 1); /* no news */
	error_about(IP_ERROR_TOO_BIG, 9000, 1);
	assert_int_equal(peer.counters->tcp_mtu_lowered, 0);
	error_about(IP_ERROR_TOO_BIG, 68, 1); /* less than every host takes */
	tcp_info(peer.conn, &info);
	assert_int_equal(info.mss, 576 - 40);
	ignore_all();
}

static void test_too_big_for_a_syn(void **state)
{
	(void)state;
	connecting();
	error_about(IP_ERROR_TOO_BIG, 1200, 0);
	peer.options.mss = 9000;
	say(SYN | ACK, 0, 1, 0);
	hear(ACK, 1, 1, 0);
	send_bytes(1, 2000);
	turn();
	hear(ACK, 1, 1, 1160);
	ignore_all();
}

static void test_of_no_connection(void **state)
{
	(void)state;
	open_passive(NULL);
	peer.port++;
	error_about(IP_ERROR_TOO_BIG, 1000, 1);
	error_about(IP_ERROR_UNREACHABLE_HARD, 0, 1);
	assert_int_equal(peer.counters->tcp_unreachable_errors, 0);
	peer.port--;
}

/* Fast Open: what went out behind the SYN-ACK was too big. It is cut before the handshake is done.
 */
static void test_too_big_behind_the_syn_ack(void **state)
{
	const struct tcp_conf fast = {.fast_open = true};

	(void)state;
	peer_listen(&fast);
	peer.options.present |= TCP_OPT_FAST_OPEN;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	peer.options.fast_open_len = peer.last.options.fast_open_len;
	memcpy(peer.options.fast_open, peer.last.options.fast_open, peer.options.fast_open_len);
	say(RST, 1, 0, 0);
	peer.port++;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	send_bytes(1, 1000);
	turn();
	hear(ACK, 1, 1, 1000);
	error_about(IP_ERROR_TOO_BIG, 576, 1);
	hear(ACK, 1, 1, 536);
	hear(ACK, 537, 1, 464);
	say(ACK, 1, 1001, 0);
	assert_int_equal(tcp_send_pending(peer.conn), 0);
	ignore_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_hard_error_while_connecting),
		PEER_TEST(test_hard_error_when_open),
		PEER_TEST(test_too_big),
		PEER_TEST(test_too_big_is_not_believed),
		PEER_TEST(test_too_big_for_a_syn),
		PEER_TEST(test_of_no_connection),
		PEER_TEST(test_too_big_behind_the_syn_ack),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
