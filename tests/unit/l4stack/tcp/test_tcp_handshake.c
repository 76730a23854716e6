/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <rte_mbuf.h>
#include <string.h>

#include "tests/unit/l4stack/tcp/peer.h"

#define ALL_OPTIONS (TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_TS | TCP_OPT_SACK_OK)

/* ---- passive ---- */

static void test_passive(void **state)
{
	(void)state;
	open_passive(NULL);
	assert_string_equal(conn_state(), "ESTABLISHED");
	assert_int_equal(peer.opened, 0);
	assert_int_equal(peer.counters->tcp_passive_opens, 1);
	say(ACK, 1, 1, 100);
	expect_received(1, 100);
}

static void test_options_answer_the_offer(void **state)
{
	(void)state;
	peer_listen(NULL);
	peer.options = (struct tcp_options){.present = ALL_OPTIONS, .mss = 1000, .wscale = 3};
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	assert_int_equal(peer.last.options.present, ALL_OPTIONS);
	assert_int_equal(peer.last.options.mss, 1460);
	assert_int_equal(peer.last.options.wscale, 5); /* for a buffer of 1 MiB */
	assert_int_equal(peer.last.options.tsecr, peer.tsval);
	assert_int_equal(peer.last.window, 65535); /* not scaled */
}

static void test_nothing_offered_nothing_answered(void **state)
{
	(void)state;
	peer_listen(NULL);
	peer.options.present = 0;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	assert_int_equal(peer.last.options.present, TCP_OPT_MSS);
	say(ACK, 1, 1, 0);
	send_bytes(1, 2000);
	turn();
	hear(ACK, 1, 1, 536); /* RFC 9293 §3.7.1: without the option */
}

/* The backlog holds one connection, however often its SYN comes. */
static void test_syn_again(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	assert_int_equal(tcp_count(peer.stack), 1);
	say(ACK, 1, 1, 0);
	assert_int_equal(peer.accepted, 1);
}

static void test_syn_ack_is_sent_again_and_given_up(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	wait_ms(999);
	hear_nothing();
	wait_ms(2);
	hear(SYN | ACK, 0, 1, 0);
	wait_ms(2000);
	hear(SYN | ACK, 0, 1, 0);
	wait_ms(60000);
	ignore_all();
	assert_int_equal(tcp_count(peer.stack), 0);
	assert_int_equal(peer.accepted, 0);
	assert_int_equal(peer.counters->tcp_attempt_fails, 1);
}

static void test_data_with_the_ack(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK | FIN, 1, 1, 10);
	assert_int_equal(peer.accepted, 1);
	assert_int_equal(peer.readable, 1);
	expect_received(1, 10);
	assert_true(tcp_recv_ended(peer.conn));
	hear(ACK, 1, 12, 0);
}

static void test_bad_ack_of_the_syn(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 5, 0);
	hear(RST, 5, 0, 0);
	assert_int_equal(peer.accepted, 0);
	say(ACK, 1, 1, 0); /* the right one still counts */
	assert_int_equal(peer.accepted, 1);
}

/* RFC 9293 §3.10.7.4: back to LISTEN, without a word. */
static void test_reset_in_syn_received(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(RST, 1, 0, 0);
	hear_nothing();
	assert_int_equal(tcp_count(peer.stack), 0);
}

/* Accepted and reset in one burst: the owner never hears of it. */
static void test_reset_before_accept(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say_quietly(ACK, 1, 1, 0);
	say_quietly(RST, 1, 0, 0);
	turn();
	assert_int_equal(peer.accepted, 0);
	assert_int_equal(tcp_count(peer.stack), 0);
}

static void test_no_listener(void **state)
{
	(void)state;
	say(SYN, 0, 0, 0); /* §3.10.7.1 */
	hear_any();
	assert_int_equal(peer.last.flags, RST | ACK);
	assert_int_equal(peer.last.ack, 1);
	say(ACK, 5, 77, 3);
	hear(RST, 77, 0, 0);
	say(RST, 5, 0, 0);
	hear_nothing();
}

static void test_listener_and_others(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(ACK, 1, 1, 0); /* §3.10.7.2 */
	hear(RST, 1, 0, 0);
	say(RST, 1, 0, 0);
	say(FIN, 1, 0, 0);
	say(0, 1, 0, 10);
	hear_nothing();
	say(SYN | FIN, 0, 0, 0);
	say(SYN | RST, 0, 0, 0);
	hear_nothing();
	assert_int_equal(peer.counters->tcp_bad_header, 2);
	assert_int_equal(tcp_count(peer.stack), 0);
}

static int listen_on(const char *text, struct tcp_listener **out)
{
	static const struct tcp_listen_handlers none;
	struct endpoint local;

	assert_int_equal(endpoint_parse(text, &local), 0);
	return tcp_listen(peer.stack, &local, NULL, &none, NULL, out);
}

static void test_listen_errors(void **state)
{
	const struct tcp_conf unknown = {.congestion = "vegas"};
	static const struct tcp_listen_handlers none;
	struct endpoint any = {.addr = {.family = ADDR_IP4}, .port = 81};
	struct tcp_listener *a, *b;

	(void)state;
	assert_int_equal(listen_on("10.0.0.1:80", &a), 0);
	assert_int_equal(listen_on("10.0.0.1:80", &b), -EADDRINUSE);
	assert_int_equal(listen_on("10.0.0.7:80", &b), -EADDRNOTAVAIL);
	assert_int_equal(listen_on("10.0.0.1:0", &b), -EINVAL);
	assert_int_equal(tcp_listen(peer.stack, &any, &unknown, &none, NULL, &b), -ENOENT);
	assert_int_equal(listen_on("0.0.0.0:80", &b), 0); /* beside the exact one */
	tcp_unlisten(a);
	tcp_unlisten(b);
	assert_int_equal(listen_on("10.0.0.1:80", &a), 0);
}

/* A listener without an `accepted`, or one that sets no handlers, does not want connections. */
static void test_unwanted_is_reset(void **state)
{
	struct tcp_listener *listener;

	(void)state;
	assert_int_equal(listen_on("0.0.0.0:80", &listener), 0);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 1, 0);
	hear(RST | ACK, 1, 1, 0);
	assert_int_equal(tcp_count(peer.stack), 0);
}

static void test_unlisten(void **state)
{
	(void)state;
	open_passive(NULL);
	peer.port++;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	tcp_unlisten(peer.listener);
	turn();
	hear(RST | ACK, 1, 1, 0); /* the half-open one */
	assert_int_equal(tcp_count(peer.stack), 1);
	peer.port++;
	say(SYN, 0, 0, 0);
	hear_any();
	assert_int_equal(peer.last.flags, RST | ACK);
}

/* Two may be established. The others' SYNs are answered as long as there is room to come, and
 * refused when there is none. */
static void test_table_is_full(void **state)
{
	const struct stack_conf conf = {.max_conns = 2, .memory_bytes = 1 << 20};
	struct tcp_conn *second;
	uint32_t iss[5];

	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &conf);
	peer_listen(NULL);
	for (peer.port = 1; peer.port <= 3; peer.port++) {
		say(SYN, 0, 0, 0);
		hear(SYN | ACK, 0, 1, 0);
		iss[peer.port] = peer.stack_iss;
	}
	for (peer.port = 1; peer.port <= 3; peer.port++) {
		peer.stack_iss = iss[peer.port];
		say(ACK, 1, 1, 0);
		hear_nothing();
	}
	assert_int_equal(peer.accepted, 2);
	assert_int_equal(peer.counters->tcp_syn_drops, 1);
	say(SYN, 0, 0, 0);
	hear_nothing();
	assert_int_equal(peer.counters->tcp_syn_drops, 2);
	second = peer.conn;
	assert_int_equal(peer_connect(NULL), -ENOMEM);
	/* One goes: the third, whose record has waited, comes in when it is asked again. */
	tcp_abort(second);
	turn();
	ignore_all();
	peer.port = 3;
	peer.stack_iss = iss[3];
	wait_ms(1001);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 1, 0);
	assert_int_equal(peer.accepted, 3);
}

/* ---- active ---- */

static void test_active(void **state)
{
	struct tcp_info info;

	(void)state;
	peer.options = (struct tcp_options){.present = ALL_OPTIONS, .mss = 1400, .wscale = 2};
	peer.timestamps = true;
	assert_int_equal(peer_connect(NULL), 0);
	assert_string_equal(conn_state(), "SYN-SENT");
	hear_nothing(); /* segments go out in the flush only */
	turn();
	hear(SYN, 0, 0, 0);
	assert_int_equal(peer.last.options.present, ALL_OPTIONS);
	assert_int_equal(peer.last.dst, PEER_PORT);
	assert_in_range(peer.last.src, 16384, 65535);
	peer.now_us += 3000;
	say(SYN | ACK, 0, 1, 0);
	hear(ACK, 1, 1, 0);
	assert_int_equal(peer.opened, 1);
	tcp_info(peer.conn, &info);
	assert_string_equal(info.state, "ESTABLISHED");
	assert_string_equal(info.congestion, "newreno");
	assert_int_equal(info.mss, 1400 - 12);
	assert_int_equal(info.srtt_us, 3000);
	assert_int_equal(info.send_window_bytes, 60000); /* of a SYN: not scaled */
	assert_int_equal(info.cwnd_bytes, 10 * 1388);    /* RFC 6928 */
	peer.window = 10000;
	say(ACK, 1, 1, 0);
	tcp_info(peer.conn, &info);
	assert_int_equal(info.send_window_bytes, 40000);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(peer_connect(NULL), 0);
	turn();
	hear(SYN, 0, 0, 0);
	say(RST, 0, 0, 0); /* does not acknowledge our SYN: ignored */
	assert_int_equal(peer.closed, 0);
	say(RST | ACK, 0, 1, 0);
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, TCP_CLOSED_REFUSED);
	assert_int_equal(tcp_count(peer.stack), 0);
}

static void test_syn_ack_with_a_wrong_ack(void **state)
{
	(void)state;
	assert_int_equal(peer_connect(NULL), 0);
	turn();
	hear(SYN, 0, 0, 0);
	say(SYN | ACK, 0, 9, 0);
	hear(RST, 9, 0, 0);
	assert_string_equal(conn_state(), "SYN-SENT");
	say(ACK, 1, 0, 0); /* acknowledges nothing */
	hear(RST, 0, 0, 0);
	say(RST | ACK, 0, 9, 0); /* RST with a wrong ACK: no answer, no effect */
	hear_nothing();
	say(SYN | ACK, 0, 1, 0);
	assert_string_equal(conn_state(), "ESTABLISHED");
}

/* RFC 9293 §3.10.2: SEND in SYN-SENT. */
static void test_send_before_open(void **state)
{
	(void)state;
	assert_int_equal(peer_connect(NULL), 0);
	send_bytes(1, 100);
	assert_int_equal(tcp_send_pending(peer.conn), 100);
	turn();
	hear(SYN, 0, 0, 0);
	hear_nothing();
	say(SYN | ACK, 0, 1, 0);
	hear(ACK, 1, 1, 100); /* the ACK of the SYN rides with the data */
	hear_nothing();
}

/* RFC 9293 §3.10.7.3, fifth step: what comes with the SYN-ACK is taken. */
static void test_text_with_the_syn_ack(void **state)
{
	uint8_t text[100];

	(void)state;
	for (uint32_t i = 0; i < sizeof(text); i++)
		text[i] = peer_byte(1 + i);
	assert_int_equal(peer_connect(NULL), 0);
	turn();
	hear(SYN, 0, 0, 0);
	say_bytes(SYN | ACK | FIN, 0, 1, text, sizeof(text)); /* SYN and FIN: nobody does that */
	assert_string_equal(conn_state(), "SYN-SENT");
	say_bytes(SYN | ACK, 0, 1, text, sizeof(text));
	hear(ACK, 1, 101, 0);
	assert_int_equal(peer.opened, 1);
	expect_received(1, 100);
}

static void test_shutdown_before_open(void **state)
{
	struct rte_mbuf *m;

	(void)state;
	assert_int_equal(peer_connect(NULL), 0);
	send_bytes(1, 100);
	tcp_shutdown(peer.conn);
	m = rte_pktmbuf_alloc(peer.payload);
	assert_int_equal(tcp_send(peer.conn, m), -EPIPE);
	rte_pktmbuf_free(m);
	turn();
	hear(SYN, 0, 0, 0);
	say(SYN | ACK, 0, 1, 0);
	hear(ACK | FIN, 1, 1, 100);
	assert_string_equal(conn_state(), "FIN-WAIT-1");
}

static void test_close_before_open(void **state)
{
	(void)state;
	assert_int_equal(peer_connect(NULL), 0);
	turn();
	hear(SYN, 0, 0, 0);
	tcp_close(peer.conn);
	assert_int_equal(tcp_count(peer.stack), 0);
	say(SYN | ACK, 0, 1, 0);
	hear(RST, 1, 0, 0);
	assert_int_equal(peer.closed, 0);
}

static void test_connect_timeout(void **state)
{
	const struct tcp_conf conf = {.connect_timeout_ms = 5000};

	(void)state;
	assert_int_equal(peer_connect(&conf), 0);
	turn();
	wait_ms(4990);
	assert_int_equal(peer.out_count, 3); /* at 0, 1 and 3 s */
	assert_int_equal(peer.closed, 0);
	wait_ms(20);
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, TCP_CLOSED_TIMEOUT);
	assert_int_equal(tcp_count(peer.stack), 0);
}

/* RFC 6298 §5.7 and RFC 5681 §3.1: a SYN that was lost makes a careful beginning. */
static void test_after_a_lost_syn(void **state)
{
	struct tcp_info info;

	(void)state;
	assert_int_equal(peer_connect(NULL), 0);
	turn();
	hear(SYN, 0, 0, 0);
	wait_ms(1001);
	hear(SYN, 0, 0, 0);
	say(SYN | ACK, 0, 1, 0);
	hear(ACK, 1, 1, 0);
	tcp_info(peer.conn, &info);
	assert_int_equal(info.rto_us, 3000000);
	assert_int_equal(info.cwnd_bytes, info.mss);
	assert_int_equal(info.srtt_us, 0);
}

/* RFC 9293 §3.5, figure 7. */
static void test_simultaneous_open(void **state)
{
	(void)state;
	assert_int_equal(peer_connect(NULL), 0);
	turn();
	hear(SYN, 0, 0, 0);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	assert_string_equal(conn_state(), "SYN-RECEIVED");
	say(SYN | ACK, 0, 1, 0); /* its SYN is known: only the ACK is news */
	hear(ACK, 1, 1, 0);
	assert_int_equal(peer.opened, 1);
	assert_string_equal(conn_state(), "ESTABLISHED");
	say(ACK, 1, 1, 50);
	expect_received(1, 50);
}

static void test_simultaneous_open_refused(void **state)
{
	(void)state;
	assert_int_equal(peer_connect(NULL), 0);
	turn();
	hear(SYN, 0, 0, 0);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(RST, 1, 0, 0);
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, TCP_CLOSED_REFUSED);
}

/* ---- RFC 6528, RFC 6056 ---- */

static uint32_t connect_iss(uint16_t *port)
{
	assert_int_equal(peer_connect(NULL), 0);
	turn();
	hear(SYN, 0, 0, 0);
	*port = peer.last.src;
	tcp_abort(peer.conn);
	turn();
	return peer.stack_iss;
}

static void test_numbers_and_ports_differ(void **state)
{
	uint16_t ports[100];
	uint32_t iss[100];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		iss[i] = connect_iss(&ports[i]);
		for (unsigned j = 0; j < i; j++)
			assert_true(ports[i] != ports[j] && iss[i] != iss[j]);
	}
}

static bool only_odd_ports(void *ctx, const struct endpoint *local, const struct endpoint *remote)
{
	(void)ctx;
	assert_int_equal(remote->port, PEER_PORT);
	return local->port % 2;
}

static void drop(void *ctx, uint16_t port, struct rte_mbuf *pkt)
{
	(void)ctx;
	(void)port;
	rte_pktmbuf_free(pkt);
}

static void test_ports_are_ours(void **state)
{
	static const struct stack_ops ops = {.output = drop, .owns_flow = only_odd_ports};
	struct stack_pools pools = {peer.header, peer.control, peer.ref};
	struct stack_conf conf = {.max_conns = 8, .memory_bytes = 1 << 20};
	struct stack_port_conf port = {.mac = {2}, .mtu = 1500, .offloads = STACK_TX_MULTI_SEG};
	struct addr addr = {.bytes = {10, 0, 0, 1}, .family = ADDR_IP4};
	struct endpoint remote = {.addr = {.bytes = {10, 0, 0, 2}, .family = ADDR_IP4}};
	struct stack *stack;

	(void)state;
	remote.port = PEER_PORT;
	assert_int_equal(stack_create(&conf, &pools, &ops, NULL, 1, &stack), 0);
	assert_int_equal(stack_port_add(stack, 0, &port), 0);
	assert_int_equal(stack_address_add(stack, 0, &addr, 24), 0);
	for (unsigned i = 0; i < 8; i++) {
		struct tcp_conn *conn;
		struct tcp_info info;

		assert_int_equal(tcp_connect(stack, &remote, NULL, NULL, NULL, &conn), 0);
		tcp_info(conn, &info);
		assert_int_equal(info.local.port % 2, 1);
	}
	stack_destroy(stack);
}

static void test_no_route(void **state)
{
	struct endpoint remote = {.addr = {.bytes = {192, 0, 2, 1}, .family = ADDR_IP4}, .port = 1};
	struct tcp_conn *conn;

	(void)state;
	assert_int_equal(tcp_connect(peer.stack, &remote, NULL, NULL, NULL, &conn), -ENETUNREACH);
	assert_int_equal(tcp_count(peer.stack), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_passive),
		PEER_TEST(test_options_answer_the_offer),
		PEER_TEST(test_nothing_offered_nothing_answered),
		PEER_TEST(test_syn_again),
		PEER_TEST(test_syn_ack_is_sent_again_and_given_up),
		PEER_TEST(test_data_with_the_ack),
		PEER_TEST(test_bad_ack_of_the_syn),
		PEER_TEST(test_reset_in_syn_received),
		PEER_TEST(test_reset_before_accept),
		PEER_TEST(test_no_listener),
		PEER_TEST(test_listener_and_others),
		PEER_TEST(test_listen_errors),
		PEER_TEST(test_unwanted_is_reset),
		PEER_TEST(test_unlisten),
		PEER_TEST(test_table_is_full),
		PEER_TEST(test_active),
		PEER_TEST(test_refused),
		PEER_TEST(test_syn_ack_with_a_wrong_ack),
		PEER_TEST(test_send_before_open),
		PEER_TEST(test_text_with_the_syn_ack),
		PEER_TEST(test_shutdown_before_open),
		PEER_TEST(test_close_before_open),
		PEER_TEST(test_connect_timeout),
		PEER_TEST(test_after_a_lost_syn),
		PEER_TEST(test_simultaneous_open),
		PEER_TEST(test_simultaneous_open_refused),
		PEER_TEST(test_numbers_and_ports_differ),
		PEER_TEST(test_ports_are_ours),
		PEER_TEST(test_no_route),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
