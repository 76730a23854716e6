/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYN-RECEIVED and all later states: RFC 9293 §3.10.7.4, one function for each step.
 * Seventh and eighth, text and FIN, are in tcp_input_text.c.
 */
#include "l4stack/tcp/tcp_ack.h"
#include "l4stack/tcp/tcp_ecn.h"
#include "l4stack/tcp/tcp_input.h"
#include "l4stack/tcp/tcp_listener.h"
#include "l4stack/tcp/tcp_recvq.h"
#include "l4stack/tcp/tcp_reorder.h"
#include "l4stack/tcp/tcp_reply.h"
#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_timer.h"

#define PAWS_IDLE_S (24u * 24 * 3600) /* RFC 7323 §5.5: older time stamps mean nothing */

/* ---- first: the sequence number ---- */

static bool ts_recent_is_valid(const struct tcp_conn *conn)
{
	return tcp_now_s(conn->tcp) - conn->ts_recent_s < PAWS_IDLE_S;
}

/* RFC 7323 §5.3, R1. */
static bool is_old_duplicate(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (!tcp_has(conn, TCP_USE_TS) || !(seg->options.present & TCP_OPT_TS) ||
	    seg->flags & TCP_RST)
		return false;
	return seq_lt(seg->options.tsval, conn->ts_recent) && ts_recent_is_valid(conn);
}

/* RFC 7323 §3.2: once agreed, time stamps are in every segment but RST. */
static bool lacks_timestamp(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	return tcp_has(conn, TCP_USE_TS) && !(seg->options.present & TCP_OPT_TS) &&
	       !(seg->flags & TCP_RST);
}

/* The four cases of RFC 9293 §3.10.7.4. A segment at the edge of a closed window is let through
 * for its ACK; its text is cut off later. */
static bool is_in_window(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	uint32_t window = tcp_recv_window(conn), span = tcp_seg_span(seg);
	uint32_t first = seg->seq - conn->rcv_nxt, last = seg->seq + span - 1 - conn->rcv_nxt;

	if (seg->seq == conn->rcv_nxt)
		return true;
	if (span == 0)
		return first < window;
	return first < window || last < window;
}

/* Our SYN-ACK was lost, or is late: the peer's SYN came again. */
static bool is_same_syn(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	return conn->state == TCP_SYN_RECEIVED && seg->seq == conn->irs &&
	       (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* Both sides opened, and the peer's SYN comes again with the ACK of ours: §3.5, figure 7, line 6.
 * What is left of it is that ACK, and its window, which is not scaled in a SYN. An ACK in return
 * serves peers that look for one without SYN. */
static void trim_crossed_syn(struct tcp_conn *conn, struct tcp_seg *seg)
{
	if (conn->state != TCP_SYN_RECEIVED || seg->seq != conn->irs ||
	    (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != (TCP_SYN | TCP_ACK))
		return;
	seg->flags &= (uint16_t)~TCP_SYN;
	seg->seq++;
	seg->window = (uint16_t)(seg->window >> conn->snd_wscale);
	tcp_conn_owe_ack(conn);
}

static void answer_same_syn(struct tcp_conn *conn, const struct tcp_seg *syn)
{
	tcp_ecn_take_syn_again(conn, syn);
	conn->flags |= TCP_SYN_NOW | TCP_SYN_RESENT;
	conn->flags &= ~(uint32_t)TCP_RTT_TIMED;
	tcp_conn_mark(conn);
}

/* A keepalive, or a probe of our window that is shut: §3.8.4, §3.8.6.1. */
static bool is_probe(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	return seg->len == 0 && seg->seq + 1 == conn->rcv_nxt &&
	       !(seg->flags & (TCP_SYN | TCP_FIN));
}

/* What is not acceptable is answered with an ACK. One that carries text is no part of a loop of
 * ACKs, and its sender waits for it; the others are limited. */
static void refuse(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (seg->flags & TCP_RST)
		return;
	if (seg->len && seq_le(seg->seq + seg->len, conn->rcv_nxt))
		tcp_reorder_twice(conn, seg->seq, seg->seq + seg->len);
	if (seg->len && !(seg->flags & TCP_SYN))
		tcp_conn_owe_ack(conn);
	else if (is_probe(conn, seg))
		tcp_input_probed(conn);
	else
		tcp_input_challenge(conn);
}

/* RFC 7323 §4.3 (2): TS.Recent follows the segments that start at or before the last ACK. */
static void take_timestamp(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (!tcp_has(conn, TCP_USE_TS) || !(seg->options.present & TCP_OPT_TS))
		return;
	if (seq_gt(seg->seq, conn->rcv_acked) || is_old_duplicate(conn, seg))
		return;
	conn->ts_recent = seg->options.tsval;
	conn->ts_recent_s = tcp_now_s(conn->tcp);
}

static bool step_sequence(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	struct stack *stack = conn->tcp->stack;

	if (is_same_syn(conn, seg)) {
		answer_same_syn(conn, seg);
		return false;
	}
	if (lacks_timestamp(conn, seg)) {
		stack_count(stack, tcp_no_timestamp);
		return false;
	}
	if (is_old_duplicate(conn, seg)) {
		stack_count(stack, tcp_paws);
		refuse(conn, seg);
		return false;
	}
	if (!is_in_window(conn, seg)) {
		stack_count(stack, tcp_out_of_window);
		refuse(conn, seg);
		return false;
	}
	return true;
}

/* ---- second: RST, as RFC 5961 §3.2 has it ---- */

/* In CLOSING and LAST-ACK a RST is no failure (§3.10.7.4): only our FIN was not acknowledged, and
 * the peer, out of TIME-WAIT, does not know it any more. */
static enum tcp_close_reason reset_reason(const struct tcp_conn *conn)
{
	switch (conn->state) {
	case TCP_SYN_RECEIVED:
		return tcp_has(conn, TCP_ACTIVE) ? TCP_CLOSED_REFUSED : TCP_CLOSED_RESET;
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return conn->snd_bytes ? TCP_CLOSED_RESET : TCP_CLOSED_NORMAL;
	default:
		return TCP_CLOSED_RESET;
	}
}

static bool step_reset(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (!(seg->flags & TCP_RST))
		return true;
	if (conn->state == TCP_TIME_WAIT) /* RFC 1337 §3 */
		return false;
	if (seg->seq != conn->rcv_nxt) {
		tcp_input_challenge(conn);
		return false;
	}
	stack_count(conn->tcp->stack, tcp_resets_in);
	tcp_conn_finish(conn, reset_reason(conn));
	return false;
}

/* ---- fourth: SYN, as RFC 5961 §4.2 has it (the third, security, is not there) ---- */

static bool step_syn(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (!(seg->flags & TCP_SYN))
		return true;
	tcp_input_challenge(conn);
	return false;
}

/* ---- fifth: ACK ---- */

static bool ack_syn_received(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (seq_le(seg->ack, conn->snd_una) || seq_gt(seg->ack, conn->snd_max)) {
		stack_count(conn->tcp->stack, tcp_bad_ack);
		tcp_reply_reset(conn->tcp, seg);
		return false;
	}
	tcp_ack_take_syn(conn, seg);
	conn->snd_wnd = (uint32_t)seg->window << conn->snd_wscale;
	conn->snd_wnd_max = RTE_MAX(conn->snd_wnd_max, conn->snd_wnd);
	tcp_conn_established(conn);
	if (tcp_has(conn, TCP_PASSIVE))
		tcp_conn_event(conn, TCP_EVENT_ACCEPT);
	else if (tcp_has(conn, TCP_ACTIVE))
		tcp_conn_event(conn, TCP_EVENT_OPENED);
	return true;
}

/* Nobody is there to close it: it must not stay for ever. */
static void enter_fin_wait_2(struct tcp_conn *conn)
{
	conn->state = TCP_FIN_WAIT_2;
	if (tcp_conn_is_orphan(conn))
		tcp_timer_set(conn, TCP_TIMER_LIFE, TCP_FIN_WAIT_MS * 1000ull);
}

/* Our FIN is acknowledged. False when the connection is gone. */
static bool fin_acked(struct tcp_conn *conn)
{
	switch (conn->state) {
	case TCP_FIN_WAIT_1:
		enter_fin_wait_2(conn);
		return true;
	case TCP_CLOSING:
		conn->state = TCP_TIME_WAIT;
		tcp_conn_mark(conn);
		return true;
	case TCP_LAST_ACK:
		tcp_conn_finish(conn, TCP_CLOSED_NORMAL);
		return false;
	default:
		return true;
	}
}

/* RFC 5482 §3.1, with limits of ours: no less than what we give by ourselves. */
static void take_peers_wish(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	uint32_t wish_ms = seg->options.user_timeout_s * 1000;

	if (!(seg->options.present & TCP_OPT_USER_TIMEOUT) || tcp_has(conn, TCP_USER_TIMEOUT))
		return;
	conn->user_timeout_ms = RTE_MIN(RTE_MAX(wish_ms, TCP_GIVE_UP_MS), TCP_PEERS_WISH_MS);
}

static bool step_ack(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (!(seg->flags & TCP_ACK))
		return false;
	if (conn->state == TCP_SYN_RECEIVED && !ack_syn_received(conn, seg))
		return false;
	if (!tcp_ack_is_acceptable(conn, seg)) {
		stack_count(conn->tcp->stack, tcp_bad_ack);
		tcp_input_challenge(conn);
		return false;
	}
	take_timestamp(conn, seg);
	take_peers_wish(conn, seg);
	tcp_ack_take(conn, seg);
	return !tcp_ack_fin_is_acked(conn) || fin_acked(conn);
}

/* The sixth, URG, asks for nothing: urgent data is delivered in line, as RFC 6093 advises. */
void tcp_input_synchronized(struct tcp_conn *conn, struct tcp_seg *seg)
{
	trim_crossed_syn(conn, seg);
	if (step_sequence(conn, seg) && step_reset(conn, seg) && step_syn(conn, seg) &&
	    step_ack(conn, seg))
		tcp_input_text(conn, seg);
}
