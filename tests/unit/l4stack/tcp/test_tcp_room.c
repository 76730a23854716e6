/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports that are slower than the stack: what is sent through one that has little room left, and
 * whose turn it is when there is room again.
 */
#include "tests/unit/l4stack/tcp/peer.h"

#define MSS 1460

/* New data has room for so many packets. */
static void set_room(uint32_t packets)
{
	stack_port_room(peer.stack, 0, STACK_ROOM_KEPT + packets);
}

/* Nothing but room is waited for, and there is some now. */
static void go_on(uint32_t packets)
{
	assert_true(stack_next_us(peer.stack) > peer.now_us);
	set_room(packets);
	assert_true(stack_next_us(peer.stack) == peer.now_us);
	turn();
}

static void test_new_data_waits(void **state)
{
	(void)state;
	open_passive(NULL);
	set_room(2);
	send_bytes(1, 5 * MSS);
	turn();
	hear(ACK, 1, 1, MSS);
	hear(ACK, 1 + MSS, 1, MSS);
	hear_nothing();
	go_on(1);
	hear(ACK, 1 + 2 * MSS, 1, MSS);
	hear_nothing();
	go_on(9);
	hear(ACK, 1 + 3 * MSS, 1, MSS);
	hear(ACK, 1 + 4 * MSS, 1, MSS);
	hear_nothing();
	assert_int_equal(peer.counters->link_waits, 2);
	assert_int_equal(peer.counters->tcp_retransmits, 0);
}

/* The owner's word that nothing has changed is no room. */
static void test_no_more_than_there_is(void **state)
{
	(void)state;
	open_passive(NULL);
	set_room(0);
	send_bytes(1, MSS);
	turn();
	set_room(0);
	assert_true(stack_next_us(peer.stack) > peer.now_us);
	turn();
	hear_nothing();
	go_on(1);
	hear(ACK, 1, 1, MSS);
}

/* The usual answer of one segment goes a way of its own. */
static void test_a_short_answer_waits(void **state)
{
	(void)state;
	open_passive(NULL);
	set_room(0);
	send_bytes(1, 100);
	turn();
	hear_nothing();
	go_on(1);
	hear(ACK, 1, 1, 100);
	send_bytes(101, 100);
	say(ACK, 1, 101, 0);
	hear_nothing();
	go_on(1);
	hear(ACK, 101, 1, 100);
}

static void test_acks_do_not_wait(void **state)
{
	(void)state;
	open_passive(NULL);
	set_room(0);
	send_bytes(1, MSS);
	say(ACK, 1, 1, 2 * MSS);
	hear(ACK, 1, 1 + 2 * MSS, 0);
	hear_nothing();
	say(ACK | FIN, 1 + 2 * MSS, 1, 0); /* while it waits */
	hear(ACK, 1, 2 + 2 * MSS, 0);
	hear_nothing();
	go_on(1);
	hear(ACK, 1, 2 + 2 * MSS, MSS);
}

/* Neither does what was sent before: three duplicate ACKs, then a timeout. */
static void test_what_was_lost_does_not_wait(void **state)
{
	(void)state;
	open_passive(NULL);
	send_bytes(1, 6 * MSS);
	turn();
	ignore_all();
	set_room(0);
	send_bytes(1 + 6 * MSS, MSS);
	for (unsigned i = 0; i < 3; i++)
		say(ACK, 1, 1, 0);
	hear(ACK, 1, 1, MSS);
	hear_nothing();
	wait_ms(400);
	hear(ACK, 1, 1, MSS);
	assert_true(peer.counters->tcp_rtos > 0);
	ignore_all();
	say(ACK, 1, 1 + 6 * MSS, 0);
	hear_nothing();
	set_room(1);
	turn();
	hear(ACK, 1 + 6 * MSS, 1, MSS);
}

/* A port that takes nothing at all is given nothing. */
static void test_a_full_port(void **state)
{
	(void)state;
	open_passive(NULL);
	stack_port_room(peer.stack, 0, 1);
	say(ACK, 1, 1, 2 * MSS);
	hear(ACK, 1, 1 + 2 * MSS, 0);
	say(ACK, 1 + 2 * MSS, 1, 2 * MSS);
	tcp_abort(peer.conn);
	turn();
	hear_nothing();
	set_room(1);
	turn();
	hear(RST | ACK, 1, 1 + 4 * MSS, 0);
}

/* It waits for the device and not for the peer: there is nothing to probe, for however long. */
static void test_waits_without_probes(void **state)
{
	(void)state;
	open_passive(NULL);
	set_room(0);
	send_bytes(1, MSS);
	tcp_shutdown(peer.conn);
	wait_ms(20000);
	hear_nothing();
	assert_int_equal(peer.counters->tcp_window_probes, 0);
	go_on(2);
	hear(ACK | FIN, 1, 1, MSS);
}

/* ---- several ---- */

#define CONNS 3

static struct tcp_conn *conns[CONNS];

/* All of them want to send as much. */
static void open_all(uint32_t bytes)
{
	peer_listen(NULL);
	for (uint16_t i = 0; i < CONNS; i++) {
		peer.port = (uint16_t)(PEER_PORT + i);
		say(SYN, 0, 0, 0);
		hear(SYN | ACK, 0, 1, 0);
		say(ACK, 1, 1, 0);
		conns[i] = peer.conn;
	}
	set_room(0);
	for (uint16_t i = 0; i < CONNS; i++) {
		peer.conn = conns[i];
		send_bytes(1, bytes);
	}
	turn();
	hear_nothing();
}

static void hear_from(unsigned conn, unsigned segments)
{
	while (segments--) {
		hear_any();
		assert_int_equal(peer.last.dst, PEER_PORT + conn);
	}
}

static void test_each_in_turn(void **state)
{
	(void)state;
	open_all(6 * MSS);
	for (unsigned i = 0; i < 2 * CONNS; i++) {
		go_on(3);
		hear_from(i % CONNS, 3);
		hear_nothing();
	}
	set_room(100);
	assert_true(stack_next_us(peer.stack) > peer.now_us); /* nobody waits */
}

/* What is left over when one has all it wanted is the next one's, who comes last then. */
static void test_a_turn_that_is_shared(void **state)
{
	(void)state;
	open_all(4 * MSS);
	go_on(6);
	hear_from(0, 4);
	hear_from(1, 2);
	go_on(5);
	hear_from(2, 4);
	hear_from(1, 1);
	go_on(5);
	hear_from(1, 1);
	hear_nothing();
}

/* Who comes later, stands behind those who wait. */
static void test_no_pushing_in(void **state)
{
	(void)state;
	open_all(4 * MSS);
	go_on(4);
	hear_from(0, 4);
	peer.conn = conns[0];
	send_bytes(1 + 4 * MSS, 2 * MSS);
	turn();
	go_on(4);
	hear_from(1, 4);
	go_on(4);
	hear_from(2, 4);
	go_on(4);
	hear_from(0, 2);
	hear_nothing();
}

/* Whoever is gone meanwhile, does not stand in the way. */
static void test_gone_while_it_waits(void **state)
{
	(void)state;
	open_all(4 * MSS);
	tcp_abort(conns[0]);
	tcp_abort(conns[2]);
	turn();
	hear_from(0, 1);
	assert_true(peer.last.flags & RST);
	hear_from(2, 1);
	assert_true(peer.last.flags & RST);
	go_on(9);
	hear_from(1, 4);
	hear_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_new_data_waits),
		PEER_TEST(test_no_more_than_there_is),
		PEER_TEST(test_a_short_answer_waits),
		PEER_TEST(test_acks_do_not_wait),
		PEER_TEST(test_what_was_lost_does_not_wait),
		PEER_TEST(test_a_full_port),
		PEER_TEST(test_waits_without_probes),
		PEER_TEST(test_each_in_turn),
		PEER_TEST(test_a_turn_that_is_shared),
		PEER_TEST(test_no_pushing_in),
		PEER_TEST(test_gone_while_it_waits),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
