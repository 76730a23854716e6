/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How connections end: FIN in every order, RST, TIME-WAIT; and what handlers may do.
 */
#include <errno.h>
#include <rte_mbuf.h>

#include "l4stack/tcp/tcp_conn.h"
#include "tests/unit/l4stack/tcp/peer.h"

static void expect_closed(enum tcp_close_reason reason)
{
	assert_int_equal(peer.closed, 1);
	assert_int_equal(peer.reason, reason);
	assert_int_equal(tcp_count(peer.stack), 0);
}

/* ---- FIN ---- */

static void test_we_close_first(void **state)
{
	(void)state;
	open_passive(NULL);
	tcp_shutdown(peer.conn);
	turn();
	hear(ACK | FIN, 1, 1, 0);
	assert_string_equal(conn_state(), "FIN-WAIT-1");
	say(ACK, 1, 2, 0);
	assert_string_equal(conn_state(), "FIN-WAIT-2");
	say(ACK, 1, 2, 100); /* half closed: receiving goes on */
	hear(ACK, 2, 101, 0);
	expect_received(1, 100);
	say(ACK | FIN, 101, 2, 0);
	hear(ACK, 2, 102, 0);
	turn();
	expect_closed(TCP_CLOSED_NORMAL);
}

static void test_peer_closes_first(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK | FIN, 1, 1, 0);
	hear(ACK, 1, 2, 0);
	assert_string_equal(conn_state(), "CLOSE-WAIT");
	assert_int_equal(peer.readable, 1);
	assert_true(tcp_recv_ended(peer.conn));
	send_bytes(1, 100); /* half closed: sending goes on */
	turn();
	hear(ACK, 1, 2, 100);
	tcp_shutdown(peer.conn);
	turn();
	hear(ACK | FIN, 101, 2, 0);
	assert_string_equal(conn_state(), "LAST-ACK");
	say(ACK, 2, 102, 0);
	expect_closed(TCP_CLOSED_NORMAL);
}

/* RFC 9293 §3.6, figure 13. */
static void test_simultaneous_close(void **state)
{
	(void)state;
	open_passive(NULL);
	tcp_shutdown(peer.conn);
	turn();
	hear(ACK | FIN, 1, 1, 0);
	say(ACK | FIN, 1, 1, 0);
	hear(ACK, 2, 2, 0);
	assert_string_equal(conn_state(), "CLOSING");
	say(ACK, 2, 2, 0);
	turn();
	expect_closed(TCP_CLOSED_NORMAL);
}

static void test_fin_and_ack_of_fin_in_one(void **state)
{
	(void)state;
	open_passive(NULL);
	tcp_shutdown(peer.conn);
	turn();
	hear(ACK | FIN, 1, 1, 0);
	say(ACK | FIN, 1, 2, 10);
	hear(ACK, 2, 12, 0);
	assert_int_equal(peer.closed, 0); /* there is something to read */
	assert_string_equal(conn_state(), "TIME-WAIT");
	expect_received(1, 10);
	turn();
	expect_closed(TCP_CLOSED_NORMAL);
}

/* The peer has forgotten: all was acknowledged but our FIN. */
static void test_reset_in_last_ack(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK | FIN, 1, 1, 0);
	tcp_shutdown(peer.conn);
	turn();
	assert_string_equal(conn_state(), "LAST-ACK");
	say(RST, 2, 0, 0);
	expect_closed(TCP_CLOSED_NORMAL);
	ignore_all();
}

static void test_reset_in_last_ack_with_data(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK | FIN, 1, 1, 0);
	send_bytes(1, 100);
	tcp_shutdown(peer.conn);
	turn();
	say(RST, 2, 0, 0);
	expect_closed(TCP_CLOSED_RESET);
	ignore_all();
}

static void test_fin_with_data(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 100);
	tcp_shutdown(peer.conn);
	turn();
	hear(ACK | FIN, 1, 1, 100);
	say(ACK, 1, 101, 0); /* the data, not the FIN */
	assert_string_equal(conn_state(), "FIN-WAIT-1");
	wait_ms(201);
	hear(ACK | FIN, 101, 1, 0);
	say(ACK, 1, 102, 0);
	assert_string_equal(conn_state(), "FIN-WAIT-2");
}

static void test_fin_again_is_acknowledged_again(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK | FIN, 1, 1, 10);
	hear(ACK, 1, 12, 0);
	say(ACK | FIN, 1, 1, 10);
	hear(ACK, 1, 12, 0);
	expect_received(1, 10);
	assert_string_equal(conn_state(), "CLOSE-WAIT");
}

static void test_nothing_after_fin(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK | FIN, 1, 1, 10);
	hear(ACK, 1, 12, 0);
	say(ACK, 12, 1, 10);
	hear(ACK, 1, 12, 0);
	expect_received(1, 10);
}

/* ---- the owner closes ---- */

static void test_close(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 100);
	tcp_close(peer.conn);
	turn();
	hear(ACK | FIN, 1, 1, 100);
	say(ACK, 1, 102, 0);
	say(ACK | FIN, 1, 102, 0);
	hear(ACK, 102, 2, 0);
	assert_int_equal(tcp_count(peer.stack), 0);
	assert_int_equal(peer.closed, 0); /* no handler is called any more */
	assert_int_equal(peer.writable, 0);
}

/* RFC 2525 §2.17 */
static void test_close_with_unread_data(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK, 1, 1, 100);
	hear(ACK, 1, 101, 0);
	tcp_close(peer.conn);
	turn();
	hear(RST | ACK, 1, 101, 0);
	assert_int_equal(tcp_count(peer.stack), 0);
}

static void test_data_after_close(void **state)
{
	(void)state;
	open_passive(NULL);
	tcp_close(peer.conn);
	turn();
	hear(ACK | FIN, 1, 1, 0);
	say(ACK, 1, 2, 0);
	say(ACK, 1, 2, 100);
	hear(RST | ACK, 2, 1, 0);
	assert_int_equal(tcp_count(peer.stack), 0);
}

static void test_close_after_peers_fin(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK | FIN, 1, 1, 10);
	hear(ACK, 1, 12, 0);
	expect_received(1, 10);
	tcp_close(peer.conn);
	turn();
	hear(ACK | FIN, 1, 12, 0);
	say(ACK, 12, 2, 0);
	assert_int_equal(tcp_count(peer.stack), 0);
}

static void test_abort(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 100);
	tcp_abort(peer.conn);
	assert_int_equal(rte_mempool_in_use_count(peer.payload), 0);
	turn();
	hear(RST | ACK, 1, 1, 0);
	assert_int_equal(tcp_count(peer.stack), 0);
	assert_int_equal(peer.closed, 0);
}

/* FIN-WAIT-2 of a connection that nobody owns ends. One with an owner may be half closed for ever.
 */
static void test_fin_wait_2(void **state)
{
	(void)state;
	open_passive(NULL);
	tcp_shutdown(peer.conn);
	turn();
	say(ACK, 1, 2, 0);
	wait_ms(200000);
	assert_string_equal(conn_state(), "FIN-WAIT-2");
	tcp_close(peer.conn);
	wait_ms(59000);
	assert_int_equal(tcp_count(peer.stack), 1);
	wait_ms(2000);
	assert_int_equal(tcp_count(peer.stack), 0);
	ignore_all();
}

/* A window that stays closed does not keep a connection that nobody owns. */
static void test_orphan_and_zero_window(void **state)
{
	(void)state;
	peer.window = 0;
	open_passive(NULL);
	send_bytes(1, 100);
	tcp_close(peer.conn);
	for (unsigned ms = 0; ms < 200000; ms++) {
		wait_ms(1);
		if (peer.out_count && tcp_count(peer.stack))
			say(ACK, 1, 1, 0); /* it answers, but opens nothing */
		if (tcp_count(peer.stack))
			ignore_all();
	}
	assert_int_equal(tcp_count(peer.stack), 0);
}

/* ---- inside handlers ---- */

static void close_it(struct tcp_conn *conn)
{
	rte_pktmbuf_free(tcp_recv(conn, UINT32_MAX));
	tcp_close(conn);
	peer.on_readable = NULL;
}

static void abort_it(struct tcp_conn *conn)
{
	tcp_abort(conn);
}

static void test_close_in_readable(void **state)
{
	(void)state;
	open_passive(NULL);
	peer.on_readable = close_it;
	say_quietly(ACK, 1, 1, 100);
	say_quietly(RST, 101, 0, 0);
	turn(); /* `closed` was due as well */
	assert_int_equal(peer.readable, 1);
	assert_int_equal(peer.closed, 0);
	assert_int_equal(tcp_count(peer.stack), 0);
	ignore_all();
}

static void test_abort_in_accepted(void **state)
{
	(void)state;
	peer.on_accepted = abort_it;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 1, 50);
	hear(RST | ACK, 1, 51, 0);
	assert_int_equal(peer.readable, 0);
	assert_int_equal(tcp_count(peer.stack), 0);
}

static void test_close_in_closed(void **state)
{
	(void)state;
	open_passive(NULL);
	peer.on_closed = tcp_close;
	say(RST, 1, 0, 0);
	expect_closed(TCP_CLOSED_RESET);
}

static void send_it(struct tcp_conn *conn)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(peer.payload);

	rte_pktmbuf_append(m, 10);
	assert_int_equal(tcp_send(conn, m), -EPIPE);
	rte_pktmbuf_free(m);
	assert_int_equal(tcp_send_room(conn), 0);
	tcp_shutdown(conn); /* nothing is left to shut */
}

static void test_send_in_closed(void **state)
{
	(void)state;
	open_passive(NULL);
	peer.on_closed = send_it;
	say(RST, 1, 0, 0);
	expect_closed(TCP_CLOSED_RESET);
	hear_nothing();
}

/* ---- TIME-WAIT ---- */

static void into_time_wait(void)
{
	open_passive(NULL);
	tcp_close(peer.conn);
	turn();
	hear(ACK | FIN, 1, 1, 0);
	say(ACK | FIN, 1, 2, 0);
	hear(ACK, 2, 2, 0);
	assert_int_equal(tcp_count(peer.stack), 0);
	assert_int_equal(peer.stack->tcp->timewaits.used, 1);
}

static void test_time_wait_answers(void **state)
{
	(void)state;
	into_time_wait();
	wait_ms(30000);
	say(ACK | FIN, 1, 2, 0); /* our last ACK was lost */
	hear(ACK, 2, 2, 0);
	wait_ms(59000); /* and the wait begins again */
	say(ACK | FIN, 1, 2, 0);
	hear(ACK, 2, 2, 0);
	say(ACK, 2, 2, 0);
	hear_nothing();
	say(RST, 2, 0, 0); /* RFC 1337: no assassination */
	assert_int_equal(peer.stack->tcp->timewaits.used, 1);
	wait_ms(61000);
	assert_int_equal(peer.stack->tcp->timewaits.used, 0);
	say(ACK | FIN, 1, 2, 0);
	hear(RST, 2, 0, 0);
}

/* RFC 9293 §3.6.1: a SYN beyond the old numbers opens anew, with an ISN beyond ours. */
static void test_time_wait_gives_way(void **state)
{
	uint32_t old_iss;

	(void)state;
	into_time_wait();
	old_iss = peer.stack_iss;
	say(SYN, 1, 0, 0); /* an old duplicate */
	hear(ACK, 2, 2, 0);
	peer.iss += 100000;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	assert_in_range(peer.stack_iss - old_iss, 2, UINT32_MAX / 2);
	assert_int_equal(peer.counters->tcp_time_wait_reused, 1);
	assert_int_equal(peer.stack->tcp->timewaits.used, 0);
	say(ACK, 1, 1, 0);
	assert_int_equal(peer.accepted, 2);
}

/* RFC 6191: the time stamp tells a new SYN even when its number is lower. */
static void test_time_wait_by_timestamp(void **state)
{
	(void)state;
	peer.options.present |= TCP_OPT_TS;
	peer.timestamps = true;
	into_time_wait();
	peer.iss -= 500000;
	say(SYN, 0, 0, 0); /* the same time stamp */
	assert_int_equal(peer.counters->tcp_time_wait_reused, 0);
	ignore_all();
	peer.tsval++;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	assert_int_equal(peer.counters->tcp_time_wait_reused, 1);
}

/* And an older one makes it an old duplicate, even when its number is higher. */
static void test_time_wait_and_an_old_timestamp(void **state)
{
	(void)state;
	peer.options.present |= TCP_OPT_TS;
	peer.timestamps = true;
	into_time_wait();
	peer.iss += 500000;
	peer.tsval--;
	say(SYN, 0, 0, 0);
	hear_any();
	assert_int_equal(peer.last.flags, ACK);
	peer.tsval++;
	say(SYN, 0, 0, 0); /* the same, and a higher number */
	hear(SYN | ACK, 0, 1, 0);
}

/* What is said to TIME-WAIT is answered within limits; FIN always. */
static void test_time_wait_is_no_amplifier(void **state)
{
	(void)state;
	into_time_wait();
	for (unsigned i = 0; i < 2000; i++) {
		say_quietly(ACK, 5, 2, 10);
		if (i % 100 == 99)
			turn();
	}
	assert_in_range(peer.out_count, 500, 1500);
	ignore_all();
	say(ACK | FIN, 1, 2, 0);
	hear(ACK, 2, 2, 0);
}

/* RFC 1337: nor in the turn before the connection becomes an entry. */
static void test_reset_right_behind_the_last_fin(void **state)
{
	(void)state;
	open_passive(NULL);
	tcp_shutdown(peer.conn);
	turn();
	hear(ACK | FIN, 1, 1, 0);
	say_quietly(ACK | FIN, 1, 2, 0);
	say_quietly(RST, 2, 0, 0);
	turn();
	hear(ACK, 2, 2, 0);
	turn();
	expect_closed(TCP_CLOSED_NORMAL);
	assert_int_equal(peer.stack->tcp->timewaits.used, 1);
}

/* A peer that opens and never lets us finish holds only so many. */
static void test_orphans_are_limited(void **state)
{
	const struct stack_conf conf = {.max_conns = 200, .memory_bytes = 1 << 20};

	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &conf);
	peer_listen(NULL);
	for (peer.port = 1; peer.port <= 150; peer.port++) {
		say(SYN, 0, 0, 0);
		hear(SYN | ACK, 0, 1, 0);
		say(ACK, 1, 1, 0);
		tcp_close(peer.conn);
		turn();
		hear_any();
		assert_int_equal(peer.last.flags & ~PSH, peer.port <= 100 ? ACK | FIN : RST | ACK);
	}
	assert_int_equal(tcp_count(peer.stack), 100);
	assert_int_equal(peer.counters->tcp_orphans_reset, 50);
	assert_int_equal(peer.stack->tcp->orphans, 100);
	for (unsigned i = 0; i < 600; i++) {
		wait_ms(1000);
		ignore_all();
	}
	assert_int_equal(peer.stack->tcp->orphans, 0);
}

static void test_time_wait_is_bounded(void **state)
{
	const struct stack_conf conf = {.max_conns = 3, .memory_bytes = 1 << 20};

	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &conf);
	peer_listen(NULL);
	for (peer.port = 1; peer.port <= 10; peer.port++) {
		say(SYN, 0, 0, 0);
		hear(SYN | ACK, 0, 1, 0);
		say(ACK, 1, 1, 0);
		tcp_close(peer.conn);
		turn();
		hear(ACK | FIN, 1, 1, 0);
		say(ACK | FIN, 1, 2, 0);
		hear(ACK, 2, 2, 0);
	}
	assert_int_equal(peer.stack->tcp->timewaits.used, 3);
	peer.port = 10; /* the youngest are kept */
	say(ACK | FIN, 1, 2, 0);
	hear(ACK, 2, 2, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_we_close_first),
		PEER_TEST(test_peer_closes_first),
		PEER_TEST(test_simultaneous_close),
		PEER_TEST(test_fin_and_ack_of_fin_in_one),
		PEER_TEST(test_reset_in_last_ack),
		PEER_TEST(test_reset_in_last_ack_with_data),
		PEER_TEST(test_fin_with_data),
		PEER_TEST(test_fin_again_is_acknowledged_again),
		PEER_TEST(test_nothing_after_fin),
		PEER_TEST(test_close),
		PEER_TEST(test_close_with_unread_data),
		PEER_TEST(test_data_after_close),
		PEER_TEST(test_close_after_peers_fin),
		PEER_TEST(test_abort),
		PEER_TEST(test_fin_wait_2),
		PEER_TEST(test_orphan_and_zero_window),
		PEER_TEST(test_close_in_readable),
		PEER_TEST(test_abort_in_accepted),
		PEER_TEST(test_close_in_closed),
		PEER_TEST(test_send_in_closed),
		PEER_TEST(test_time_wait_answers),
		PEER_TEST(test_time_wait_gives_way),
		PEER_TEST(test_time_wait_by_timestamp),
		PEER_TEST(test_time_wait_and_an_old_timestamp),
		PEER_TEST(test_time_wait_is_no_amplifier),
		PEER_TEST(test_reset_right_behind_the_last_fin),
		PEER_TEST(test_orphans_are_limited),
		PEER_TEST(test_time_wait_is_bounded),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
