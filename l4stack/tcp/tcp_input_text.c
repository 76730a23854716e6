/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text and FIN: RFC 9293 §3.10.7.4, seventh and eighth step.
 */
#include <rte_common.h>

#include "l4stack/tcp/tcp_chain.h"
#include "l4stack/tcp/tcp_input.h"
#include "l4stack/tcp/tcp_recvq.h"
#include "l4stack/tcp/tcp_reorder.h"
#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_timer.h"

/* A segment as long as several may fill as many gaps. One that fills more than that is a trick: the
 * rest of it is dropped. */
#define PIECES_MOST 8

/* ---- acknowledging ---- */

/* Every duplicate is told by itself: the peer counts them. */
static void ack_now(struct tcp_conn *conn)
{
	if (conn->acks_owed < UINT8_MAX)
		conn->acks_owed++;
	tcp_conn_mark(conn);
}

/* RFC 9293 §3.8.6.3 and RFC 5681 §4.2: every second full segment, the others within the
 * delay; at the start each one, for the peer's slow start. */
static void ack_in_order(struct tcp_conn *conn)
{
	if (conn->quick_acks) {
		conn->quick_acks--;
		tcp_conn_owe_ack(conn);
	} else if (conn->rcv_nxt - conn->rcv_acked >= 2u * conn->rcv_mss) {
		tcp_conn_owe_ack(conn);
	} else if (!tcp_timer_is_set(conn, TCP_TIMER_ACK)) {
		tcp_timer_set(conn, TCP_TIMER_ACK, TCP_DELAYED_ACK_US);
	}
}

static void note_size(struct tcp_conn *conn, uint32_t len)
{
	if (unlikely(len > conn->rcv_mss))
		conn->rcv_mss = (uint16_t)RTE_MIN(len, tcp_recvq_mss(conn));
}

/* ---- seventh: text ---- */

bool tcp_input_text_in_order(struct tcp_conn *conn, struct tcp_seg *seg)
{
	if (!tcp_recvq_append(conn, &seg->pkt)) {
		stack_count(conn->tcp->stack, tcp_memory_drops);
		tcp_conn_owe_ack(conn);
		return false;
	}
	note_size(conn, seg->len);
	ack_in_order(conn);
	tcp_conn_event(conn, TCP_EVENT_READABLE);
	return true;
}

static void cut_front(struct tcp_seg *seg, uint32_t bytes)
{
	seg->pkt = tcp_chain_skip(seg->pkt, bytes);
	seg->seq += bytes;
	seg->len -= bytes;
}

/* What is cut off the end takes FIN with it. */
static void cut_back(struct tcp_seg *seg, uint32_t end)
{
	uint32_t len = seq_gt(end, seg->seq) ? end - seg->seq : 0;

	if (seg->len <= len)
		return;
	seg->flags &= (uint16_t)~TCP_FIN;
	if (len == 0)
		seg->pkt = tcp_chain_skip(seg->pkt, seg->len);
	else
		tcp_chain_truncate(seg->pkt, len);
	seg->len = len;
}

/* To what is new and inside the window. A FIN just behind the window costs nothing: it stays. */
static void trim(struct tcp_conn *conn, struct tcp_seg *seg)
{
	if (seq_lt(seg->seq, conn->rcv_nxt)) {
		uint32_t old = RTE_MIN(conn->rcv_nxt - seg->seq, seg->len);

		tcp_reorder_twice(conn, seg->seq, seg->seq + old);
		cut_front(seg, old);
	}
	cut_back(seg, conn->rcv_edge);
	if (tcp_has(conn, TCP_FIN_HEARD))
		cut_back(seg, conn->rcv_fin);
}

/* Up to what is known already; behind that the segment goes on. */
static bool fill_gap(struct tcp_conn *conn, struct tcp_seg *seg)
{
	uint32_t end = seg->seq + seg->len, first = tcp_reorder_first(conn, end);
	struct rte_mbuf *rest = NULL;
	bool taken;

	if (seq_lt(first, end)) {
		rest = tcp_chain_split(seg->pkt, first - seg->seq, conn->tcp->stack->pools.ref);
		seg->len = first - seg->seq;
	}
	taken = tcp_input_text_in_order(conn, seg);
	if (taken) {
		tcp_reorder_pull(conn);
		tcp_conn_owe_ack(conn); /* RFC 5681 §4.2 */
	}
	rte_pktmbuf_free(seg->pkt);
	seg->pkt = rest;
	seg->seq += seg->len;
	seg->len = end - seg->seq;
	return taken && (rest || !seg->len);
}

/* RFC 2883 §4: one stretch is told of each segment that came twice: the first. */
static void skip_known(struct tcp_conn *conn, struct tcp_seg *seg, bool first)
{
	uint32_t known = RTE_MIN(conn->rcv_nxt - seg->seq, seg->len);

	if (first && known)
		tcp_reorder_twice(conn, seg->seq, seg->seq + known);
	cut_front(seg, known);
}

static void text_in_order(struct tcp_conn *conn, struct tcp_seg *seg)
{
	unsigned pieces = 0;
	bool taken = true;

	if (likely(!conn->reorder)) {
		tcp_input_text_in_order(conn, seg);
		return;
	}
	while (taken && seg->len && pieces < PIECES_MOST) {
		taken = fill_gap(conn, seg);
		if (taken)
			skip_known(conn, seg, pieces++ == 0);
	}
	if (seg->len)
		cut_back(seg, seg->seq);
}

static void text_out_of_order(struct tcp_conn *conn, struct tcp_seg *seg)
{
	uint32_t seq = seg->seq, end = seq + seg->len;

	note_size(conn, seg->len);
	for (unsigned pieces = 0; seg->pkt && pieces < PIECES_MOST; pieces++)
		seq = tcp_reorder_insert(conn, seq, end - seq, &seg->pkt);
	if (seq != end)
		seg->flags &= (uint16_t)~TCP_FIN;
	rte_pktmbuf_free(seg->pkt);
	seg->pkt = NULL;
	conn->quick_acks = TCP_QUICK_ACKS;
	ack_now(conn);
}

/* RFC 9293 §3.6.1, RFC 2525 §2.17: the owner has closed and will not read this. */
static bool refuse_unread(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (!tcp_conn_is_orphan(conn) || seq_le(seg->seq + seg->len, conn->rcv_nxt))
		return false;
	tcp_conn_reset(conn, TCP_CLOSED_RESET);
	return true;
}

static void step_text(struct tcp_conn *conn, struct tcp_seg *seg)
{
	bool had_text = seg->len;

	trim(conn, seg);
	if (seg->len == 0) {
		if (had_text) {
			stack_count(conn->tcp->stack, tcp_duplicate_segments);
			tcp_conn_owe_ack(conn);
		}
		return;
	}
	if (seg->seq == conn->rcv_nxt)
		text_in_order(conn, seg);
	else
		text_out_of_order(conn, seg);
}

/* ---- eighth: FIN ---- */

static void fin_states(struct tcp_conn *conn)
{
	switch (conn->state) {
	case TCP_ESTABLISHED:
		conn->state = TCP_CLOSE_WAIT;
		break;
	case TCP_FIN_WAIT_1: /* had our FIN been acknowledged it would be FIN-WAIT-2 by now */
		conn->state = TCP_CLOSING;
		break;
	case TCP_FIN_WAIT_2:
		tcp_timer_clear(conn, TCP_TIMER_LIFE);
		conn->state = TCP_TIME_WAIT;
		break;
	default:
		break;
	}
}

static void take_fin(struct tcp_conn *conn)
{
	conn->rcv_nxt++;
	conn->rcv_edge = seq_max(conn->rcv_edge, conn->rcv_nxt);
	conn->flags |= TCP_FIN_TAKEN;
	fin_states(conn);
	tcp_conn_event(conn, TCP_EVENT_READABLE);
	tcp_conn_owe_ack(conn);
}

static void step_fin(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (seg->flags & TCP_FIN && !tcp_has(conn, TCP_FIN_HEARD) &&
	    seq_ge(seg->seq + seg->len, conn->rcv_nxt)) {
		conn->flags |= TCP_FIN_HEARD;
		conn->rcv_fin = seg->seq + seg->len;
	}
	if (tcp_has(conn, TCP_FIN_HEARD) && !tcp_has(conn, TCP_FIN_TAKEN) &&
	    conn->rcv_nxt == conn->rcv_fin)
		take_fin(conn);
}

void tcp_input_text(struct tcp_conn *conn, struct tcp_seg *seg)
{
	if (!tcp_state_is(conn, TCP_CAN_RECEIVE)) {
		/* The FIN is taken, so this is old: the peer did not see our ACK. */
		if (tcp_seg_span(seg))
			tcp_conn_owe_ack(conn);
		return;
	}
	if (seg->len && refuse_unread(conn, seg))
		return;
	if (seg->len)
		step_text(conn, seg);
	step_fin(conn, seg);
}
