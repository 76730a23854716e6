/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_output.h"

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "l4stack/tcp/tcp_half.h"
#include "l4stack/tcp/tcp_input.h"
#include "l4stack/tcp/tcp_proto.h"
#include "l4stack/tcp/tcp_recovery.h"
#include "l4stack/tcp/tcp_reply.h"
#include "l4stack/tcp/tcp_segment.h"
#include "l4stack/tcp/tcp_sendq.h"
#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_timer.h"
#include "l4stack/tcp/tcp_timewait.h"

#define NO_MBUF_RETRY_US 10000u

/* ---- how much ---- */

static uint32_t unsent(const struct tcp_conn *conn)
{
	uint32_t end = tcp_snd_data_end(conn);

	return seq_lt(conn->snd_nxt, end) ? end - conn->snd_nxt : 0;
}

static bool fin_waits(const struct tcp_conn *conn)
{
	return tcp_state_is(conn, TCP_SENT_FIN) && tcp_state_is(conn, TCP_CAN_SEND) &&
	       seq_le(conn->snd_nxt, tcp_snd_data_end(conn));
}

bool tcp_output_waits(const struct tcp_conn *conn)
{
	return unsent(conn) || fin_waits(conn);
}

/* What of the peer's window is not used. */
static uint32_t usable(const struct tcp_conn *conn)
{
	uint32_t end = conn->snd_una + conn->snd_wnd;

	return seq_gt(end, conn->snd_nxt) ? end - conn->snd_nxt : 0;
}

/* RFC 9293 §3.8.6.2.1; Nagle's part is in may_end_short. */
static uint32_t avoid_silly_window(const struct tcp_conn *conn, uint32_t len, uint32_t all)
{
	if (len == all)
		return len;
	if (len >= conn->mss)
		return len - len % conn->mss;
	return len && len >= conn->snd_wnd_max / 2 ? len : 0;
}

/* RFC 9293 §3.7.4, in Minshall's form: one segment that is not full may be in flight, so that the
 * end of a large write does not wait for a delayed ACK. Or a last part that the owner wants to
 * fill. What was sent before is sent again as it is. */
static bool may_end_short(const struct tcp_conn *conn)
{
	if (tcp_state_is(conn, TCP_SENT_FIN) || seq_lt(conn->snd_nxt, conn->snd_max))
		return true;
	return conn->gather == TCP_GATHER_FLUSH ||
	       (conn->gather == TCP_GATHER_NAGLE && seq_le(conn->short_end, conn->snd_una));
}

bool tcp_output_window_is_open(const struct tcp_conn *conn)
{
	uint32_t all = unsent(conn), window = usable(conn);

	if (all == 0)
		return window > 0;
	return avoid_silly_window(conn, RTE_MIN(all, window), all) > 0;
}

static uint32_t cwnd_room(const struct tcp_conn *conn)
{
	uint32_t pipe = tcp_recovery_pipe(conn);

	return conn->cc.cwnd > pipe ? conn->cc.cwnd - pipe : 0;
}

/* How much may go out at snd_nxt now. */
static uint32_t sendable(struct tcp_conn *conn)
{
	uint32_t all = unsent(conn), room = cwnd_room(conn);
	uint32_t len = RTE_MIN(RTE_MIN(all, usable(conn)), tcp_segment_most(conn));

	if (room < len) {
		conn->flags |= TCP_CWND_LIMITED;
		len = room;
	}
	len = avoid_silly_window(conn, len, all);
	return len < all || may_end_short(conn) ? len : len - len % conn->mss;
}

/* ---- after sending ---- */

static void time_rtt(struct tcp_conn *conn)
{
	if (tcp_has(conn, TCP_RTT_TIMED | TCP_RESENT))
		return;
	conn->flags |= TCP_RTT_TIMED;
	conn->rtt_seq = conn->snd_max;
	conn->rtt_start_us = (uint32_t)conn->tcp->stack->now_us;
}

static void note_resent(struct tcp_conn *conn)
{
	conn->flags |= TCP_RESENT;
	conn->resent_ms = tcp_now_ms(conn->tcp);
	conn->flags &= ~(uint32_t)TCP_RTT_TIMED; /* Karn: RFC 6298 §3 */
	conn->retransmits++;
	stack_count(conn->tcp->stack, tcp_retransmits);
}

/* [seq, end) went out. */
static void note_sent(struct tcp_conn *conn, uint32_t seq, uint32_t end)
{
	conn->last_sent_ms = tcp_now_ms(conn->tcp);
	if (seq_lt(seq, conn->snd_max))
		note_resent(conn);
	if (seq_gt(end, conn->snd_max)) {
		conn->snd_max = end;
		time_rtt(conn);
	}
	if (!tcp_timer_is_set(conn, TCP_TIMER_RETRANSMIT))
		tcp_timer_set(conn, TCP_TIMER_RETRANSMIT, conn->rto.rto_us);
}

static bool transmit(struct tcp_conn *conn, struct tcp_span *span)
{
	uint32_t seq = span->seq;

	if (!tcp_segment_send_data(conn, span))
		return false;
	if (seq_gt(span->seq, conn->snd_max))
		conn->bytes_out += span->seq - seq_max(seq, conn->snd_max);
	if (span->fin && span->len == 0) {
		conn->flags |= TCP_FIN_SENT;
		span->seq++;
	}
	note_sent(conn, seq, span->seq);
	return true;
}

/* Sends `len` bytes at snd_nxt, and FIN. */
static bool send_next(struct tcp_conn *conn, uint32_t len, bool fin)
{
	struct tcp_span span = {
		.seq = conn->snd_nxt,
		.len = len,
		.at = conn->snd_cursor,
		.off = conn->snd_cursor_off,
		.fin = fin,
		.push = len == unsent(conn),
	};

	if (!transmit(conn, &span))
		return false;
	if (len % conn->mss)
		conn->short_end = span.seq;
	conn->snd_nxt = span.seq;
	conn->snd_cursor = span.at;
	conn->snd_cursor_off = span.off;
	return true;
}

/* Sends [seq, seq + len), which was sent before, or its first part. snd_nxt moves only when
 * it was there. */
static bool send_again(struct tcp_conn *conn, uint32_t seq, uint32_t len)
{
	uint32_t end = tcp_snd_data_end(conn);
	struct tcp_span span = {.seq = seq, .len = RTE_MIN(len, end - seq)};

	span.fin = tcp_has(conn, TCP_FIN_SENT) && span.len < len;
	if (seq == conn->snd_nxt) {
		if (!send_next(conn, span.len, span.fin))
			return false;
		span.seq = conn->snd_nxt;
	} else {
		span.push = seq + span.len == end;
		if (span.len)
			span.at = tcp_sendq_seek(conn, seq, &span.off);
		if (!transmit(conn, &span))
			return false;
	}
	conn->resend_nxt = seq_max(conn->resend_nxt, span.seq);
	return true;
}

/* ---- data ---- */

/* The segment at snd_una, whatever the windows say: fast retransmit and timeouts. */
static bool output_first(struct tcp_conn *conn)
{
	uint32_t skip, len;

	if (!tcp_has(conn, TCP_RESEND_NOW))
		return true;
	if (conn->snd_una == conn->snd_max) {
		conn->flags &= ~(uint32_t)TCP_RESEND_NOW;
		return true;
	}
	len = RTE_MIN((uint32_t)conn->mss, tcp_recovery_missing(conn, conn->snd_una, &skip));
	len = RTE_MIN(len, conn->snd_max - conn->snd_una);
	if (!send_again(conn, conn->snd_una, len))
		return false;
	conn->flags &= ~(uint32_t)TCP_RESEND_NOW;
	return true;
}

/* RFC 6675 §5 step C: holes are filled before new data is sent. */
static bool output_holes(struct tcp_conn *conn)
{
	uint32_t seq, len;

	while (cwnd_room(conn) >= conn->mss && tcp_recovery_next(conn, &seq, &len)) {
		if (!send_again(conn, seq, len))
			return false;
	}
	return true;
}

/* After a timeout snd_nxt runs through what was sent before: what the peer holds is passed over. */
static uint32_t skip_held(struct tcp_conn *conn)
{
	uint32_t skip, missing = tcp_recovery_missing(conn, conn->snd_nxt, &skip);

	if (skip)
		tcp_sendq_advance(conn, skip);
	return missing;
}

static void restart_after_idle(struct tcp_conn *conn)
{
	uint64_t idle_us = (uint64_t)(tcp_now_ms(conn->tcp) - conn->last_sent_ms) * 1000;

	if (conn->snd_una == conn->snd_max && conn->snd_nxt == conn->snd_max &&
	    idle_us > conn->rto.rto_us)
		conn->cc.ops->on_idle(&conn->cc, idle_us);
}

static bool output_new(struct tcp_conn *conn)
{
	conn->flags &= ~(uint32_t)TCP_CWND_LIMITED;
	for (;;) {
		uint32_t missing = skip_held(conn);
		uint32_t all = unsent(conn), len = RTE_MIN(sendable(conn), missing);
		bool fin = fin_waits(conn) && len == all && usable(conn) > len;

		if (!len && !fin)
			return true;
		if (!send_next(conn, len, fin))
			return false;
	}
}

/* RFC 9293 §3.8.6.1: at least one byte, or FIN; more when a small window is all there is. */
static void output_probe(struct tcp_conn *conn)
{
	uint32_t window = usable(conn), len = RTE_MIN(unsent(conn), RTE_MAX(window, 1u));
	uint32_t nxt = conn->snd_nxt, off = conn->snd_cursor_off;
	struct rte_mbuf *cursor = conn->snd_cursor;

	conn->flags &= ~(uint32_t)TCP_PROBE_NOW;
	if (tcp_output_window_is_open(conn) || !tcp_output_waits(conn))
		return;
	stack_count(conn->tcp->stack, tcp_window_probes);
	if (!send_next(conn, RTE_MIN(len, (uint32_t)conn->mss), len == 0) || window)
		return;
	/* Beyond the window: not in flight, it may well be dropped. */
	conn->snd_nxt = nxt;
	conn->snd_cursor = cursor;
	conn->snd_cursor_off = off;
	tcp_timer_clear(conn, TCP_TIMER_RETRANSMIT);
}

static bool output_data(struct tcp_conn *conn)
{
	if (tcp_has(conn, TCP_PROBE_NOW))
		output_probe(conn);
	if (tcp_output_waits(conn))
		restart_after_idle(conn);
	return output_first(conn) && output_holes(conn) && output_new(conn);
}

/* One timer is on while anything is in flight or waits: that is what guarantees progress. */
static void arm(struct tcp_conn *conn, bool had_mbufs)
{
	uint64_t delay_us = (uint64_t)conn->rto.rto_us << RTE_MIN(conn->retries, (uint8_t)8);

	if (conn->snd_nxt != conn->snd_una) {
		tcp_timer_clear(conn, TCP_TIMER_PERSIST);
		if (!tcp_timer_is_set(conn, TCP_TIMER_RETRANSMIT))
			tcp_timer_set(conn, TCP_TIMER_RETRANSMIT, conn->rto.rto_us);
	} else if (!tcp_output_waits(conn)) {
		tcp_timer_clear(conn, TCP_TIMER_PERSIST);
	} else if (!had_mbufs) {
		tcp_timer_set(conn, TCP_TIMER_PERSIST, NO_MBUF_RETRY_US);
	} else if (!tcp_timer_is_set(conn, TCP_TIMER_PERSIST)) {
		tcp_timer_set(conn, TCP_TIMER_PERSIST, RTE_MIN(delay_us, TCP_RTO_MAX_US));
	}
}

/* ---- a connection's turn ---- */

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
		time_rtt(conn);
	note_text_of_syn(conn, text.seq);
	tcp_timer_set(conn, TCP_TIMER_RETRANSMIT, conn->rto.rto_us);
}

/* Duplicate ACKs, each one by itself (RFC 5681 §4.2), and those that carry SACK: before data. */
static void output_duplicate_acks(struct tcp_conn *conn)
{
	unsigned n = RTE_MIN(conn->acks_owed, (uint8_t)TCP_ACKS_MOST);

	if (n < 2 && !(n && conn->reorder))
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
		had_mbufs = output_data(conn);
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

void tcp_proto_flush(struct tcp_proto *tcp)
{
	struct tcp_conn_list batch;
	struct tcp_conn *conn;

	tcp_input_staged(tcp);
	/* A SYN-ACK that is said again goes before what its connection has to say by now. */
	tcp_reply_flush(tcp);
	batch = tcp_conn_list_steal(&tcp->flush);
	while ((conn = tcp_conn_take_flush(&batch))) {
		output(conn);
		tcp_conn_done(conn);
	}
	tcp_half_flush(tcp);
}
