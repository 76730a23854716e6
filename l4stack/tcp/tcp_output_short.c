/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The usual turn of a connection: all that was sent is acknowledged, nothing is wrong, and what
 * waits is one packet for which there is room everywhere. It leaves behind what the long way does
 * (output_synchronized of tcp_flush.c), and asks nothing whose answer is known.
 */
#include <rte_branch_prediction.h>

#include "l4stack/tcp/tcp_output.h"
#include "l4stack/tcp/tcp_probe.h"
#include "l4stack/tcp/tcp_reorder.h"
#include "l4stack/tcp/tcp_segment.h"
#include "l4stack/tcp/tcp_timer.h"

/* One segment, or one packet that the device cuts, while no longer ones are to be tried. */
static inline bool is_one_packet(const struct tcp_conn *conn, uint32_t len)
{
	return len <= conn->mss || (!conn->mtu.full && len <= tcp_segment_most(conn));
}

/* Neither windows nor pace nor Nagle hold any of it back, and it leaves room for more. */
static inline bool is_free(const struct tcp_conn *conn, uint32_t len)
{
	return len <= conn->snd_wnd && len < conn->cc.cwnd && !conn->cc.pacing_bytes_per_s &&
	       conn->gather != TCP_GATHER_FULL;
}

/* Nothing else is to be said first. */
static inline bool is_quiet(const struct tcp_conn *conn)
{
	const uint32_t odd = TCP_PROBE_NOW | TCP_KEEP_NOW | TCP_RESEND_NOW;

	return conn->snd_una == conn->snd_max && !tcp_has(conn, odd) && conn->acks_owed < 2 &&
	       !tcp_reorder_has_news(conn) && tcp_recovery_is_clean(conn);
}

/* While all that was sent is acknowledged, a state that has closed our half has yet to say so. */
static inline bool ends(const struct tcp_conn *conn)
{
	return conn->state != TCP_ESTABLISHED && tcp_state_is(conn, TCP_SENT_FIN);
}

static inline bool may_speak(const struct tcp_conn *conn)
{
	return conn->state == TCP_ESTABLISHED || tcp_state_is(conn, TCP_CAN_SEND);
}

/* RFC 5681 §4.1 */
static inline bool was_idle(const struct tcp_conn *conn)
{
	uint32_t idle_ms = tcp_now_ms(conn->tcp) - conn->last_sent_ms;

	return idle_ms * 1000ull > conn->rto.rto_us;
}

/* As note_sent and note_on_scoreboard of tcp_output.c. */
static inline void note_sent(struct tcp_conn *conn, uint32_t begin, uint32_t end)
{
	const struct stack *stack = conn->tcp->stack;
	struct tcp_stamp stamp = tcp_rate_stamp(&conn->rate, 0, (uint32_t)stack->now_us);

	conn->flags &= ~(uint32_t)TCP_CWND_LIMITED;
	conn->last_sent_ms = stack->now_ms;
	conn->snd_max = end;
	tcp_output_time_rtt(conn);
	tcp_scoreboard_push_single(&conn->sent, begin, end, &stamp);
}

/* As transmit there: FIN is behind all text. */
static inline void note_fin(struct tcp_conn *conn, struct tcp_span *span)
{
	if (!span->fin || span->len)
		return;
	conn->flags |= TCP_FIN_SENT;
	span->seq++;
}

/* `len` bytes were asked for. */
static inline void note_cursor(struct tcp_conn *conn, const struct tcp_span *span, uint32_t len)
{
	if (len && (len < conn->mss || len % conn->mss))
		conn->short_end = span->seq;
	conn->snd_nxt = span->seq;
	conn->snd_cursor = span->at;
	conn->snd_cursor_off = span->off;
	tcp_probe_sent_first(conn);
}

/* The segment went out, or as much of it as has room in a packet. */
static inline void note_all(struct tcp_conn *conn, struct tcp_span *span, uint32_t len)
{
	uint32_t begin = conn->snd_nxt;

	conn->bytes_out += span->seq - begin;
	note_fin(conn, span);
	note_sent(conn, begin, span->seq);
	note_cursor(conn, span, len);
}

bool tcp_output_short(struct tcp_conn *conn)
{
	uint32_t begin = conn->snd_nxt, len = conn->snd_bytes;
	struct tcp_span span = {.seq = begin,
				.len = len,
				.at = conn->snd_cursor,
				.off = conn->snd_cursor_off,
				.fin = ends(conn),
				.push = true};

	if (!(len || span.fin) || !may_speak(conn) || !is_quiet(conn) ||
	    !is_free(conn, len + span.fin) || was_idle(conn) || !is_one_packet(conn, len) ||
	    !tcp_output_has_room(conn) || !tcp_scoreboard_ready(&conn->sent) ||
	    !tcp_segment_send_data(conn, &span))
		return false;
	stack_count(conn->tcp->stack, tcp_express_out);
	note_all(conn, &span, len);
	if (unlikely(span.len)) /* too many pieces for one packet: the rest goes the long way */
		return false;
	tcp_rate_limited(&conn->rate, span.seq - begin);
	tcp_output_note_used(conn, span.seq - begin);
	tcp_timer_clear(conn, TCP_TIMER_PERSIST);
	return true;
}
