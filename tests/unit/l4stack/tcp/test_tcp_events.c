/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RFC 9293 §3.10, event by event: what each does in each state.
 */
#include <errno.h>
#include <rte_mbuf.h>

#include "tests/unit/l4stack/tcp/peer.h"

enum { SYN_SENT, SYN_RECEIVED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK };

static const struct state {
	const char *name;
	uint32_t snd_nxt, snd_una, rcv_nxt;
	/* §3.10.2: SEND; §3.10.4: CLOSE leads to, with this segment; §3.10.5: ABORT's segment. */
	int send;
	const char *after_close;
	unsigned close_says, abort_says;
	/* §3.10.7: an exact RST ends it so. */
	enum tcp_close_reason reset;
} states[] = {
	[SYN_SENT] = {"SYN-SENT", 1, 0, 0, 0, NULL, 0, 0, TCP_CLOSED_REFUSED},
	[SYN_RECEIVED] = {"SYN-RECEIVED", 1, 0, 1, 0, "SYN-RECEIVED", 0, RST | ACK,
			  TCP_CLOSED_REFUSED},
	[ESTABLISHED] = {"ESTABLISHED", 1, 1, 1, 0, "FIN-WAIT-1", FIN | ACK, RST | ACK,
			 TCP_CLOSED_RESET},
	[FIN_WAIT_1] = {"FIN-WAIT-1", 2, 1, 1, -EPIPE, "FIN-WAIT-1", 0, RST | ACK,
			TCP_CLOSED_RESET},
	[FIN_WAIT_2] = {"FIN-WAIT-2", 2, 2, 1, -EPIPE, "FIN-WAIT-2", 0, RST | ACK,
			TCP_CLOSED_RESET},
	[CLOSE_WAIT] = {"CLOSE-WAIT", 1, 1, 2, 0, "LAST-ACK", FIN | ACK, RST | ACK,
			TCP_CLOSED_RESET},
	[CLOSING] = {"CLOSING", 2, 1, 2, -EPIPE, "CLOSING", 0, 0, TCP_CLOSED_NORMAL},
	[LAST_ACK] = {"LAST-ACK", 2, 1, 2, -EPIPE, "LAST-ACK", 0, 0, TCP_CLOSED_NORMAL},
};
#define STATES (sizeof(states) / sizeof(states[0]))

static void open_to(unsigned which)
{
	if (which > SYN_RECEIVED) {
		open_passive(NULL);
		return;
	}
	assert_int_equal(peer_connect(NULL), 0);
	turn();
	hear(SYN, 0, 0, 0);
	if (which == SYN_RECEIVED) {
		say(SYN, 0, 0, 0);
		hear(SYN | ACK, 0, 1, 0);
	}
}

/* A connection in that state; all it has said was heard. */
static void reach(unsigned which)
{
	peer_teardown(NULL);
	peer_setup(NULL);
	open_to(which);
	if (which == CLOSE_WAIT || which == LAST_ACK)
		say(FIN | ACK, 1, 1, 0);
	if (which >= FIN_WAIT_1 && which != CLOSE_WAIT) {
		tcp_shutdown(peer.conn);
		turn();
	}
	if (which == FIN_WAIT_2)
		say(ACK, 1, 2, 0);
	if (which == CLOSING)
		say(FIN | ACK, 1, 1, 0);
	ignore_all();
	assert_string_equal(conn_state(), states[which].name);
}

static void hear_only(unsigned flags)
{
	if (!flags) {
		hear_nothing();
		return;
	}
	hear_any();
	assert_int_equal(peer.last.flags & ~(unsigned)PSH, flags);
	hear_nothing();
}

static void say_at(const struct state *at, unsigned flags, int32_t seq_off, int32_t ack_off,
		   uint32_t len)
{
	say(flags, at->rcv_nxt + (uint32_t)seq_off,
	    flags & ACK ? at->snd_una + (uint32_t)ack_off : 0, len);
}

/* ---- the owner's calls ---- */

static void test_send(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STATES; i++) {
		struct rte_mbuf *m;
		int err;

		reach(i);
		m = rte_pktmbuf_alloc(peer.payload);
		assert_non_null(rte_pktmbuf_append(m, 10));
		err = tcp_send(peer.conn, m);
		assert_int_equal(err, states[i].send);
		if (err)
			rte_pktmbuf_free(m);
		turn();
		/* What is not open yet keeps it for later. */
		hear_only(err || i <= SYN_RECEIVED ? 0 : ACK);
	}
}

static void test_close(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STATES; i++) {
		reach(i);
		if (!states[i].after_close) { /* only now is nobody there to ask */
			tcp_close(peer.conn);
			turn();
			assert_int_equal(tcp_count(peer.stack), 0);
			hear_nothing();
			continue;
		}
		tcp_shutdown(peer.conn);
		turn();
		assert_string_equal(conn_state(), states[i].after_close);
		hear_only(states[i].close_says);
	}
}

static void test_abort(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STATES; i++) {
		reach(i);
		tcp_abort(peer.conn);
		turn();
		hear_only(states[i].abort_says);
		assert_int_equal(tcp_count(peer.stack), 0);
	}
}

/* The peer has ended, and does not know yet how much was to come. */
static void test_abort_with_text_unsent(void **state)
{
	(void)state;
	peer.window = 50;
	open_passive(NULL);
	say(FIN | ACK, 1, 1, 0);
	hear(ACK, 1, 2, 0);
	send_bytes(1, 100);
	tcp_shutdown(peer.conn);
	turn();
	ignore_all();
	assert_string_equal(conn_state(), "LAST-ACK");
	tcp_abort(peer.conn);
	turn();
	hear_only(RST | ACK);
}

/* ---- segments ---- */

/* §3.10.7.4, first: what is outside the window is answered, RST is not. */
static void test_outside_the_window(void **state)
{
	(void)state;
	for (unsigned i = SYN_RECEIVED; i < STATES; i++) {
		reach(i);
		say_at(&states[i], ACK, -100, 0, 10);
		hear_only(ACK);
		assert_int_equal(peer.last.ack, states[i].rcv_nxt);
		say_at(&states[i], RST, 10 << 20, 0, 0);
		hear_nothing();
		assert_string_equal(conn_state(), states[i].name);
	}
}

/* Second: RST, exact. */
static void test_reset(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STATES; i++) {
		reach(i);
		if (i == SYN_SENT)
			say(RST | ACK, 0, 1, 0);
		else
			say_at(&states[i], RST, 0, 0, 0);
		hear_nothing();
		assert_int_equal(peer.closed, 1);
		assert_int_equal(peer.reason, states[i].reset);
		assert_int_equal(tcp_count(peer.stack), 0);
	}
}

/* Fourth: SYN in the window is challenged: RFC 5961 §4.2. */
static void test_syn(void **state)
{
	(void)state;
	for (unsigned i = SYN_RECEIVED; i < STATES; i++) {
		reach(i);
		say_at(&states[i], SYN, 5, 0, 0);
		hear_only(ACK);
		assert_int_equal(peer.last.ack, states[i].rcv_nxt);
		assert_string_equal(conn_state(), states[i].name);
	}
}

/* Fifth: without ACK it is dropped. */
static void test_without_ack(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STATES; i++) {
		reach(i);
		say_at(&states[i], PSH, 0, 0, 10);
		hear_nothing();
		assert_string_equal(conn_state(), states[i].name);
		assert_int_equal(tcp_recv_ready(peer.conn), 0);
	}
}

/* An ACK of what was never sent: RST while it is opening, an ACK later. */
static void test_ack_of_what_was_not_sent(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STATES; i++) {
		uint32_t ack = states[i].snd_nxt + 10;

		reach(i);
		say(ACK, states[i].rcv_nxt, ack, 0);
		hear_only(i <= SYN_RECEIVED ? RST : ACK);
		if (i <= SYN_RECEIVED)
			assert_int_equal(peer.last.seq, ack);
		assert_string_equal(conn_state(), states[i].name);
	}
}

/* Our FIN, or SYN, is acknowledged. */
static void test_ack(void **state)
{
	static const char *const after[STATES] = {
		/* the others are over */
		[SYN_RECEIVED] = "ESTABLISHED",
		[FIN_WAIT_1] = "FIN-WAIT-2",
	};

	(void)state;
	for (unsigned i = SYN_RECEIVED; i < STATES; i++) {
		if (states[i].snd_una == states[i].snd_nxt)
			continue;
		reach(i);
		say(ACK, states[i].rcv_nxt, states[i].snd_nxt, 0);
		hear_nothing();
		turn(); /* `closed` is due */
		if (after[i])
			assert_string_equal(conn_state(), after[i]);
		else
			assert_int_equal(peer.closed, 1);
		/* TIME-WAIT is no connection any more: it answers FIN, and nothing else does. */
		say(FIN | ACK, 1, states[i].snd_nxt, 0);
		hear_only(i == LAST_ACK ? RST : ACK);
	}
}

/* Sixth and seventh: text, urgent or not, is taken as long as the peer may send it. */
static void test_text(void **state)
{
	(void)state;
	for (unsigned i = SYN_RECEIVED; i < STATES; i++) {
		bool taken = states[i].rcv_nxt == 1;

		reach(i);
		say(ACK | URG, states[i].rcv_nxt, 1, 10);
		hear_only(ACK);
		assert_int_equal(peer.last.ack, states[i].rcv_nxt + (taken ? 10 : 0));
		assert_int_equal(tcp_recv_ready(peer.conn), taken ? 10 : 0);
		rte_pktmbuf_free(tcp_recv(peer.conn, 10));
	}
}

/* Eighth: FIN, and the same FIN again. */
static void test_fin(void **state)
{
	static const char *const after[] = {
		[SYN_RECEIVED] = "CLOSE-WAIT", [ESTABLISHED] = "CLOSE-WAIT",
		[FIN_WAIT_1] = "CLOSING",      [FIN_WAIT_2] = NULL,
		[CLOSE_WAIT] = "CLOSE-WAIT",   [CLOSING] = "CLOSING",
		[LAST_ACK] = "LAST-ACK",
	};

	(void)state;
	for (unsigned i = SYN_RECEIVED; i < STATES; i++) {
		uint32_t ack = states[i].snd_una ? states[i].snd_una : 1;

		reach(i);
		for (unsigned times = 0; times < 2; times++) {
			say(FIN | ACK, 1, ack, 0);
			hear_only(ACK);
			assert_int_equal(peer.last.ack, 2);
			if (after[i])
				assert_string_equal(conn_state(), after[i]);
		}
	}
}

/* ---- time: §3.10.8 ---- */

static void test_user_timeout(void **state)
{
	(void)state;
	for (unsigned i = ESTABLISHED; i < STATES; i++) {
		if (i == FIN_WAIT_2) /* waits for the peer, and nothing of ours is missing */
			continue;
		reach(i);
		tcp_set_user_timeout(peer.conn, 5000);
		if (states[i].send == 0)
			send_bytes(1, 10);
		for (unsigned s = 0; s < 6; s++) {
			wait_ms(1000);
			ignore_all();
		}
		assert_int_equal(peer.closed, 1);
		assert_int_equal(peer.reason, TCP_CLOSED_TIMEOUT);
		assert_int_equal(tcp_count(peer.stack), 0);
	}
}

/* ---- handlers ---- */

static unsigned heard, heard_by_another;

static void hear_either(struct tcp_conn *conn, void *user)
{
	(void)conn;
	(void)user;
	heard++;
}

static void hear_as_another(struct tcp_conn *conn, void *user)
{
	(void)conn;
	(void)user;
	heard_by_another++;
}

static const struct tcp_handlers either = {.readable = hear_either, .writable = hear_either};
static const struct tcp_handlers another = {.readable = hear_as_another,
					    .writable = hear_as_another};

static void hand_on(struct tcp_conn *conn, void *user)
{
	heard++;
	tcp_set_handlers(conn, &another, user);
}

static const struct tcp_handlers handing_on = {.readable = hand_on, .writable = hand_on};

/* Text that acknowledges: readable and writable at the same time. */
static void say_both(const struct tcp_handlers *handlers)
{
	peer_teardown(NULL);
	peer_setup(NULL);
	open_passive(NULL);
	tcp_set_handlers(peer.conn, handlers, &peer);
	heard = heard_by_another = 0;
	send_bytes(1, 10);
	turn();
	ignore_all();
	say(ACK, 1, 11, 10);
}

static void test_one_function_for_both(void **state)
{
	(void)state;
	say_both(&either);
	assert_int_equal(heard, 1);
	send_bytes(11, 10);
	turn();
	say(ACK, 11, 21, 0);
	assert_int_equal(heard, 2);
	say_both(&handing_on);
	assert_int_equal(heard, 1);
	assert_int_equal(heard_by_another, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_send),
		PEER_TEST(test_close),
		PEER_TEST(test_abort),
		PEER_TEST(test_abort_with_text_unsent),
		PEER_TEST(test_outside_the_window),
		PEER_TEST(test_reset),
		PEER_TEST(test_syn),
		PEER_TEST(test_without_ack),
		PEER_TEST(test_ack_of_what_was_not_sent),
		PEER_TEST(test_ack),
		PEER_TEST(test_text),
		PEER_TEST(test_fin),
		PEER_TEST(test_user_timeout),
		PEER_TEST(test_one_function_for_both),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
