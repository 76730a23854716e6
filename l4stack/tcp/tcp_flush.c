/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection's turn: what it says by its state, in which order, and which timer is on then. Data
 * is tcp_output.c.
 */
#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "l4stack/tcp/tcp_half.h"
#include "l4stack/tcp/tcp_input.h"
#include "l4stack/tcp/tcp_output.h"
#include "l4stack/tcp/tcp_probe.h"
#include "l4stack/tcp/tcp_proto.h"
#include "l4stack/tcp/tcp_reorder.h"
#include "l4stack/tcp/tcp_reply.h"
#include "l4stack/tcp/tcp_segment.h"
#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_timer.h"
#include "l4stack/tcp/tcp_timewait.h"

#define NO_MBUF_RETRY_US 10000u

/* ---- the timer ---- */

/* One timer is on while anything is in flight or waits: that is what guarantees progress. */
static void arm(struct tcp_conn *conn, bool had_mbufs)
{
	uint64_t delay_us = (uint64_t)conn->rto.rto_us << RTE_MIN(conn->retries, (uint8_t)8);

	if (conn->snd_nxt != conn->snd_una) {
		tcp_timer_clear(conn, TCP_TIMER_PERSIST);
		if (!tcp_timer_is_set(conn, TCP_TIMER_RETRANSMIT))
			tcp_probe_sent(conn);
	} else if (!tcp_output_waits(conn)) {
		tcp_timer_clear(conn, TCP_TIMER_PERSIST);
	} else if (!had_mbufs) {
		tcp_timer_set(conn, TCP_TIMER_PERSIST, NO_MBUF_RETRY_US);
	} else if (!tcp_timer_is_set(conn, TCP_TIMER_PERSIST)) {
		delay_us = tcp_timer_patient_us(conn, RTE_MIN(delay_us, TCP_RTO_MAX_US));
		tcp_timer_set(conn, TCP_TIMER_PERSIST, delay_us);
	}
}

/* ---- by state ---- */

/* snd_nxt stays before it: it is sent again if the SYN-ACK leaves it out. */
static void note_text_of_syn(struct tcp_conn *conn, uint32_t end)
{
	if (seq_le(end, conn->snd_max))
		return;
	conn->bytes_out += end - conn->snd_max;
	conn->snd_max = end;
	stack_count(conn->tcp->stack, tcp_fast_opens_out);
}

static void output_syn(struct tcp_conn *conn)
{
	bool again = tcp_has(conn, TCP_SYN_RESENT);
	struct tcp_span text = {.seq = conn->iss + 1};

	if (!tcp_segment_send_syn(conn, &text)) {
		tcp_timer_set(conn, TCP_TIMER_RETRANSMIT, NO_MBUF_RETRY_US);
		return;
	}
	conn->flags &= ~(uint32_t)TCP_SYN_NOW;
	conn->snd_nxt = seq_max(conn->snd_nxt, conn->iss + 1);
	conn->snd_max = seq_max(conn->snd_max, conn->snd_nxt);
	if (!again)
		tcp_output_time_rtt(conn);
	note_text_of_syn(conn, text.seq);
	tcp_probe_syn_sent(conn);
}

/* Duplicate ACKs, each one by itself (RFC 5681 §4.2), and those that carry SACK: before data. */
static void output_duplicate_acks(struct tcp_conn *conn)
{
	unsigned n = RTE_MIN(conn->acks_owed, (uint8_t)TCP_ACKS_MOST);

	if (n < 2 && !(n && tcp_reorder_has_news(conn)))
		return;
	while (n-- && tcp_segment_send_ack(conn))
		;
}

static void output_ack(struct tcp_conn *conn)
{
	if (conn->acks_owed && !tcp_segment_send_ack(conn))
		tcp_timer_set(conn, TCP_TIMER_ACK, NO_MBUF_RETRY_US);
}

static void output_keepalive(struct tcp_conn *conn)
{
	if (!tcp_has(conn, TCP_KEEP_NOW))
		return;
	conn->flags &= ~(uint32_t)TCP_KEEP_NOW;
	stack_count(conn->tcp->stack, tcp_keepalives);
	tcp_segment_send_keepalive(conn);
}

static void output_synchronized(struct tcp_conn *conn)
{
	bool had_mbufs = true;

	output_duplicate_acks(conn);
	output_keepalive(conn);
	if (tcp_may_send(conn))
		had_mbufs = tcp_output_data(conn);
	output_ack(conn);
	arm(conn, had_mbufs);
}

static void output_reset(struct tcp_conn *conn)
{
	conn->flags &= ~(uint32_t)TCP_RESET_NOW;
	tcp_segment_send_rst(conn);
}

/* Opened fast, it may send behind its SYN-ACK. */
static void output_syn_received(struct tcp_conn *conn)
{
	if (tcp_has(conn, TCP_SYN_NOW))
		output_syn(conn);
	if (tcp_has(conn, TCP_SYN_NOW))
		return;
	if (tcp_may_send(conn))
		output_synchronized(conn);
	else
		output_ack(conn);
}

static void output(struct tcp_conn *conn)
{
	if (likely(tcp_output_short(conn)))
		return;
	if (unlikely(tcp_has(conn, TCP_RESET_NOW)))
		output_reset(conn);
	else if (likely(tcp_state_is(conn, TCP_SYNCHRONIZED)))
		output_synchronized(conn);
	else if (conn->state == TCP_SYN_RECEIVED)
		output_syn_received(conn);
	else if (tcp_has(conn, TCP_SYN_NOW))
		output_syn(conn);
	if (unlikely(conn->state == TCP_TIME_WAIT && tcp_has(conn, TCP_IN_TABLE)))
		tcp_timewait_enter(conn);
}

/* ---- all of them ---- */

static bool wants_more(const struct tcp_conn *conn)
{
	return tcp_may_send(conn) && (tcp_output_waits(conn) || conn->sent.lost.first);
}

/* Who is stopped by the room of its port keeps its place, but for the one that used the room up:
 * that is `served`. */
static void take_turn(struct tcp_conn *conn, struct tcp_conn_list *served)
{
	bool had_room = tcp_output_has_room(conn), full = tcp_output_port_is_full(conn);

	if (likely(!full))
		output(conn);
	if (unlikely(!tcp_output_has_room(conn)) && (full || wants_more(conn)))
		tcp_conn_list_add(had_room ? served : &conn->tcp->stopped, conn);
	tcp_conn_done(conn);
}

static void take_turns(struct tcp_conn_list *batch, struct tcp_conn_list *served)
{
	struct tcp_conn *conn;

	while ((conn = tcp_conn_take_flush(batch)))
		take_turn(conn, served);
}

void tcp_proto_flush(struct tcp_proto *tcp)
{
	struct tcp_conn_list stopped, batch, served;

	tcp_input_staged(tcp);
	/* A SYN-ACK that is said again goes before what its connection has to say by now. */
	tcp_reply_flush(tcp);
	tcp->resumed = false;
	tcp_conn_list_init(&served);
	stopped = tcp_conn_list_steal(&tcp->stopped);
	batch = tcp_conn_list_steal(&tcp->flush);
	take_turns(&stopped, &served);
	take_turns(&batch, &served);
	tcp_conn_list_append(&tcp->stopped, &served);
	tcp_half_flush(tcp);
}
