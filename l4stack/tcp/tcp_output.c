/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_output.h"

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "l4stack/tcp/tcp_mtu.h"
#include "l4stack/tcp/tcp_pace.h"
#include "l4stack/tcp/tcp_probe.h"
#include "l4stack/tcp/tcp_proto.h"
#include "l4stack/tcp/tcp_segment.h"
#include "l4stack/tcp/tcp_sendq.h"
#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_timer.h"
#include "l4stack/tcp/tcp_undo.h"

#define PROBE_FOLLOWERS  3
#define TRAIN_LEAST      2ul /* segments: a receiver acknowledges every second */
#define TRAIN_MOST       64ul
#define TRAIN_SHORT_PATH 65536u

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

bool tcp_output_has_new(const struct tcp_conn *conn)
{
	return unsent(conn) && usable(conn);
}

/* What congestion control and pacing allow. */
static uint32_t network_room(struct tcp_conn *conn)
{
	uint32_t pipe = tcp_recovery_pipe(conn);
	uint32_t room = conn->cc.cwnd > pipe ? conn->cc.cwnd - pipe : 0;

	return room ? RTE_MIN(room, tcp_pace_room(conn)) : 0;
}

/* How much may go out at snd_nxt now. */
static uint32_t sendable(struct tcp_conn *conn)
{
	uint32_t all = unsent(conn), len = RTE_MIN(all, usable(conn)), room;

	if (len == 0)
		return 0;
	len = RTE_MIN(len, tcp_segment_most(conn));
	room = network_room(conn);
	if (room < len) {
		conn->flags |= TCP_CWND_LIMITED;
		len = room;
	}
	len = avoid_silly_window(conn, len, all);
	return len < all || may_end_short(conn) ? len : len - len % conn->mss;
}

/* ---- after sending ---- */

static void note_resent(struct tcp_conn *conn)
{
	conn->flags |= TCP_RESENT;
	conn->resent_ms = tcp_now_ms(conn->tcp);
	conn->flags &= ~(uint32_t)TCP_RTT_TIMED; /* Karn: RFC 6298 §3 */
	conn->retransmits++;
	stack_count(conn->tcp->stack, tcp_retransmits);
}

/* [seq, end) went out; all of it new to the scoreboard, or all of it known there. */
static void note_on_scoreboard(struct tcp_conn *conn, uint32_t seq, uint32_t end)
{
	struct tcp_stamp stamp = tcp_rate_stamp(&conn->rate, tcp_recovery_pipe(conn),
						(uint32_t)conn->tcp->stack->now_us);

	if (seq == conn->snd_nxt) {
		tcp_scoreboard_push(&conn->sent, seq, end, &stamp);
		return;
	}
	tcp_scoreboard_resend(&conn->sent, seq, end, &stamp);
	tcp_undo_resent(conn, end - seq);
}

static void note_sent(struct tcp_conn *conn, uint32_t seq, uint32_t end)
{
	conn->last_sent_ms = tcp_now_ms(conn->tcp);
	if (seq_lt(seq, conn->snd_max))
		note_resent(conn);
	if (seq_gt(end, conn->snd_max)) {
		conn->snd_max = end;
		tcp_output_time_rtt(conn);
	}
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

/* As transmit, for what counts as in flight from now on. */
static bool transmit_counted(struct tcp_conn *conn, struct tcp_span *span)
{
	uint32_t seq = span->seq;

	if (!tcp_scoreboard_ready(&conn->sent) || !transmit(conn, span))
		return false;
	note_on_scoreboard(conn, seq, span->seq);
	tcp_pace_sent(conn, span->seq - seq);
	if (tcp_has(conn, TCP_RECOVERY))
		tcp_prr_sent(&conn->prr, span->seq - seq);
	return true;
}

static struct tcp_span next_span(const struct tcp_conn *conn, uint32_t len, bool fin)
{
	return (struct tcp_span){
		.seq = conn->snd_nxt,
		.len = len,
		.at = conn->snd_cursor,
		.off = conn->snd_cursor_off,
		.fin = fin,
		.push = len == unsent(conn),
	};
}

/* The span, of which `len` bytes were asked for, is moved to where snd_nxt is now. */
static void note_cursor(struct tcp_conn *conn, const struct tcp_span *span, uint32_t len)
{
	if (len != conn->mss && len % conn->mss)
		conn->short_end = span->seq;
	conn->snd_nxt = span->seq;
	conn->snd_cursor = span->at;
	conn->snd_cursor_off = span->off;
	tcp_probe_sent(conn);
}

/* Sends `len` bytes at snd_nxt, and FIN. */
static bool send_next(struct tcp_conn *conn, uint32_t len, bool fin, bool push)
{
	struct tcp_span span = next_span(conn, len, fin);

	span.push |= push;
	if (!transmit_counted(conn, &span))
		return false;
	note_cursor(conn, &span, len);
	return true;
}

/* Sends [seq, seq + len), which was sent before, or its first part. */
static bool send_again(struct tcp_conn *conn, uint32_t seq, uint32_t len)
{
	uint32_t end = tcp_snd_data_end(conn);
	struct tcp_span span = {.seq = seq, .len = RTE_MIN(len, end - seq)};

	span.fin = span.len < len;
	span.push = seq + span.len == end;
	if (span.len)
		span.at = tcp_sendq_seek(conn, seq, &span.off);
	if (!transmit_counted(conn, &span))
		return false;
	tcp_probe_sent(conn);
	return true;
}

/* ---- data ---- */

/* The segment at snd_una, whatever the windows say, after a timeout; small ones become one. */
static bool output_first(struct tcp_conn *conn)
{
	uint32_t lo, hi;

	if (!tcp_has(conn, TCP_RESEND_NOW))
		return true;
	if (tcp_scoreboard_next_lost(&conn->sent, conn->mss, &lo, &hi) &&
	    !send_again(conn, lo, hi - lo))
		return false;
	conn->flags &= ~(uint32_t)TCP_RESEND_NOW;
	return true;
}

/* RFC 6675 §5 step C: what is lost goes before new data. F-RTO sends new data first. */
static bool output_lost(struct tcp_conn *conn)
{
	uint32_t lo, hi, room;

	if (conn->loss & TCP_LOSS_FRTO_SECOND)
		return true;
	while (conn->sent.lost.first && !tcp_output_port_is_full(conn) &&
	       (room = network_room(conn)) >= conn->mss) {
		room = RTE_MIN(room - room % conn->mss, tcp_segment_most(conn));
		if (!tcp_scoreboard_next_lost(&conn->sent, room, &lo, &hi))
			return true;
		if (!send_again(conn, lo, hi - lo))
			return false;
	}
	return true;
}

static void restart_after_idle(struct tcp_conn *conn)
{
	uint64_t idle_us = (uint64_t)(tcp_now_ms(conn->tcp) - conn->last_sent_ms) * 1000;

	if (conn->snd_una == conn->snd_max && conn->snd_nxt == conn->snd_max && usable(conn) &&
	    idle_us > conn->rto.rto_us)
		conn->cc.ops->on_idle(&conn->cc, idle_us, conn->tcp->stack->now_us);
}

/* What belongs together: a millisecond's worth, two segments at least; on short paths more, for
 * there the ACKs come in long strides. */
static uint32_t train_bytes(const struct tcp_conn *conn)
{
	uint32_t srtt_us = tcp_rto_srtt_us(&conn->rto);
	uint64_t bytes = (uint64_t)conn->cc.cwnd * 1000;

	if (!srtt_us)
		return TRAIN_LEAST * conn->mss;
	bytes = bytes * (conn->cc.cwnd < conn->cc.ssthresh / 2 ? 10 : 6) / (5ull * srtt_us);
	bytes += TRAIN_SHORT_PATH >> RTE_MIN(srtt_us / 512, 31u);
	return (uint32_t)RTE_MIN(RTE_MAX(bytes / conn->mss, TRAIN_LEAST), TRAIN_MOST) * conn->mss;
}

/* When the last train of several segments is sent nothing follows at once: a receiver that gathers
 * segments before it hands them on need not wait for another. A last one that is alone tells it of
 * no burst, and its ACK may as well be delayed. */
static bool ends_burst(struct tcp_conn *conn, uint32_t begin, uint32_t len)
{
	uint32_t end = conn->snd_nxt + len - begin;
	uint32_t room = RTE_MIN(usable(conn), network_room(conn));

	if (end <= conn->mss || room >= len + conn->mss)
		return false;
	return (end - 1) % train_bytes(conn) >= conn->mss;
}

/* RFC 4821 §7.4: only when so much follows it that its loss is found without a timeout. */
static bool output_mtu_probe(struct tcp_conn *conn)
{
	uint32_t len = tcp_mtu_probe_bytes(conn), begin = conn->snd_nxt, all, room;
	bool done;

	if (likely(!len))
		return true;
	all = len + PROBE_FOLLOWERS * conn->mss;
	room = conn->cc.cwnd - RTE_MIN(conn->cc.cwnd, tcp_recovery_pipe(conn));
	if (all > unsent(conn) || all > usable(conn) || all > conn->cc.cwnd || len > room ||
	    begin != conn->snd_max || !tcp_output_has_room(conn))
		return true;
	tcp_mtu_probe_begin(conn);
	done = send_next(conn, len, false, false);
	tcp_mtu_probe_end(conn, conn->snd_nxt - begin == len);
	return done;
}

static bool output_new(struct tcp_conn *conn)
{
	uint32_t begin = conn->snd_nxt;

	conn->flags &= ~(uint32_t)TCP_CWND_LIMITED;
	while (likely(tcp_output_has_room(conn))) {
		uint32_t all = unsent(conn), len = sendable(conn);
		bool fin = fin_waits(conn) && len == all && usable(conn) > len;

		if (!len && !fin)
			return true;
		if (!send_next(conn, len, fin, ends_burst(conn, begin, len)))
			return false;
	}
	return true;
}

/* FIN beyond the window, so not in flight: it may well be dropped. */
static void send_fin_beyond(struct tcp_conn *conn)
{
	struct tcp_span span = next_span(conn, 0, true);

	transmit(conn, &span);
}

/* RFC 9293 §3.8.6.1: as much as a small window takes. Beyond one that is shut a segment that the
 * peer has to answer, as a keepalive is: a byte of text there would be dropped, or stand alone. */
static void output_probe(struct tcp_conn *conn)
{
	uint32_t window = usable(conn), len = RTE_MIN(unsent(conn), window);

	conn->flags &= ~(uint32_t)TCP_PROBE_NOW;
	if (tcp_output_window_is_open(conn) || !tcp_output_waits(conn))
		return;
	stack_count(conn->tcp->stack, tcp_window_probes);
	if (window)
		send_next(conn, RTE_MIN(len, (uint32_t)conn->mss), len == 0, false);
	else if (unsent(conn))
		tcp_segment_send_keepalive(conn);
	else
		send_fin_beyond(conn);
}

/* RFC 8985 §7.3: the last segment again. */
static bool send_last_again(struct tcp_conn *conn)
{
	const struct tcp_run *last = conn->sent.last;
	uint32_t len = RTE_MIN(last->hi - last->lo, (uint32_t)conn->mss);

	return send_again(conn, last->hi - len, len);
}

/* New data, if the peer's window takes it; congestion control is not asked. */
static void output_tail_probe(struct tcp_conn *conn)
{
	uint32_t all = unsent(conn);
	uint32_t len = RTE_MIN(RTE_MIN(all, usable(conn)), (uint32_t)conn->mss);

	if (len == all && len < conn->mss && !may_end_short(conn))
		len = 0;
	if (!(conn->loss & TCP_LOSS_PROBE_NOW))
		return;
	conn->loss &= (uint16_t)~TCP_LOSS_PROBE_NOW;
	if (!conn->sent.last || conn->sent.last->state != TCP_RUN_FLYING)
		return;
	if (len ? send_next(conn, len, false, false) : send_last_again(conn))
		tcp_probe_note(conn, conn->snd_nxt, len == 0);
}

/* The owner has nothing more, and the network could take it: draft-cheng-iccrg-delivery-rate-
 * estimation §3.4. */
static void note_limited(struct tcp_conn *conn)
{
	if (!tcp_has(conn, TCP_CWND_LIMITED) && !unsent(conn) &&
	    !tcp_scoreboard_lost(&conn->sent) && tcp_recovery_pipe(conn) < conn->cc.cwnd)
		tcp_rate_limited(&conn->rate, tcp_recovery_pipe(conn));
}

bool tcp_output_data(struct tcp_conn *conn)
{
	bool had_mbufs;

	if (tcp_has(conn, TCP_PROBE_NOW))
		output_probe(conn);
	if (tcp_output_waits(conn) && tcp_output_has_room(conn))
		restart_after_idle(conn);
	output_tail_probe(conn);
	had_mbufs = output_first(conn) && output_lost(conn) && output_mtu_probe(conn) &&
		    output_new(conn);
	note_limited(conn);
	tcp_output_note_used(conn, tcp_has(conn, TCP_CWND_LIMITED) ? TCP_USED_ALL
								   : tcp_recovery_pipe(conn));
	return had_mbufs;
}
