/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_ack.h"

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "l4stack/tcp/tcp_ecn.h"
#include "l4stack/tcp/tcp_output.h"
#include "l4stack/tcp/tcp_probe.h"
#include "l4stack/tcp/tcp_sendq.h"
#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_timer.h"

bool tcp_ack_is_acceptable(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	return seq_ge(seg->ack, conn->snd_una - conn->snd_wnd_max) &&
	       seq_le(seg->ack, conn->snd_max);
}

/* ---- round trips ---- */

/* RFC 7323 §4: what the peer echoes, if that is what was sent again. An older echo may mean that
 * only the ACK was lost, and would make a round trip of the time the timeout took. */
static bool rtt_by_timestamp(const struct tcp_conn *conn, const struct tcp_seg *seg, uint32_t *us)
{
	uint32_t now_ms = tcp_now_ms(conn->tcp), sent_ms = seg->options.tsecr - conn->ts_offset;

	if (!tcp_has(conn, TCP_USE_TS) || seq_lt(sent_ms, conn->resent_ms) ||
	    seq_gt(sent_ms, now_ms))
		return false;
	*us = (now_ms - sent_ms) * 1000;
	return true;
}

/* One segment of each flight is timed, to the microsecond; when something was sent twice, only
 * the time stamps tell what is acknowledged (RFC 6298 §3). */
static inline __attribute__((always_inline)) void sample_rtt(struct tcp_conn *conn,
							     const struct tcp_seg *seg)
{
	uint32_t us;

	if (tcp_has(conn, TCP_RTT_TIMED)) {
		if (seq_lt(seg->ack, conn->rtt_seq))
			return;
		conn->flags &= ~(uint32_t)TCP_RTT_TIMED;
		us = (uint32_t)conn->tcp->stack->now_us - conn->rtt_start_us;
		tcp_rto_sample(&conn->rto, us);
	} else if (tcp_has(conn, TCP_RESENT) && rtt_by_timestamp(conn, seg, &us)) {
		tcp_rto_sample(&conn->rto, us);
	}
}

/* ---- new data acknowledged ---- */

static void forget_acked(struct tcp_conn *conn, uint32_t acked)
{
	uint32_t bytes = RTE_MIN(acked, conn->snd_bytes); /* without FIN */

	tcp_sendq_ack(conn, bytes);
	conn->snd_una += acked;
	if (seq_lt(conn->snd_nxt, conn->snd_una))
		tcp_sendq_rewind(conn);
	if (bytes)
		tcp_conn_event(conn, TCP_EVENT_WRITABLE);
}

static void take_new(struct tcp_conn *conn, struct tcp_ack *ack)
{
	ack->acked = ack->seg->ack - conn->snd_una;
	sample_rtt(conn, ack->seg);
	tcp_scoreboard_ack(&conn->sent, ack->seg->ack, &ack->news);
	forget_acked(conn, ack->acked);
	conn->retries = 0;
	ip_path_confirm(conn->tcp->stack, &conn->path);
}

/* ---- nothing new acknowledged ---- */

/* RFC 5681 §2: a duplicate ACK. SACK that tells something new is one in any case (RFC 6675 §2). */
static bool is_duplicate(const struct tcp_conn *conn, const struct tcp_seg *seg, bool sacked)
{
	if (seg->ack != conn->snd_una || conn->snd_nxt == conn->snd_una)
		return false;
	if (sacked)
		return true;
	return seg->len == 0 && !(seg->flags & (TCP_SYN | TCP_FIN)) &&
	       (uint32_t)seg->window << conn->snd_wscale == conn->snd_wnd;
}

/* ---- the window: RFC 9293 §3.10.7.4 ---- */

/* Newer than what the window was taken from: by its number, or because it acknowledges more. The
 * latter comes from old text sent again, which has the window of now. */
static bool window_is_newer(const struct tcp_conn *conn, const struct tcp_seg *seg, bool advanced)
{
	if (seq_lt(seg->ack, conn->snd_una))
		return false;
	return advanced || seq_lt(conn->snd_wl1, seg->seq) ||
	       (conn->snd_wl1 == seg->seq && seq_le(conn->snd_wl2, seg->ack));
}

/* What waited for the window has not been idle: RFC 5681 §4.1. */
static void note_opened(struct tcp_conn *conn)
{
	if (tcp_timer_is_set(conn, TCP_TIMER_PERSIST))
		conn->last_sent_ms = tcp_now_ms(conn->tcp);
	tcp_timer_clear(conn, TCP_TIMER_PERSIST);
}

static inline __attribute__((always_inline)) void
take_window(struct tcp_conn *conn, const struct tcp_seg *seg, bool advanced)
{
	uint32_t before = conn->snd_wnd;

	if (!window_is_newer(conn, seg, advanced))
		return;
	conn->snd_wnd = (uint32_t)seg->window << conn->snd_wscale;
	conn->snd_wnd_max = RTE_MAX(conn->snd_wnd_max, conn->snd_wnd);
	conn->snd_wl1 = seg->seq;
	conn->snd_wl2 = seg->ack;
	/* The peer answers our probes: there is no reason to give up (§3.8.6.1), unless the owner
	 * has one. */
	if (conn->retries && conn->snd_wnd < conn->mss && !tcp_has(conn, TCP_USER_TIMEOUT))
		conn->retry_ms = tcp_now_ms(conn->tcp);
	if (conn->snd_wnd > before && conn->snd_nxt == conn->snd_una) {
		conn->retries = 0;
		note_opened(conn);
	}
}

/* It says something of what was sent: nearly every one does, while anything is in flight. */
static bool is_news(const struct tcp_conn *conn, const struct tcp_ack *ack)
{
	return ack->acked || ack->duplicate || ack->dsack || ack->news.delivered ||
	       conn->loss & TCP_LOSS_PROBED;
}

/* ---- the usual ones ---- */

/* All that was in flight has arrived, at the first attempt; a FIN that was sent beyond the window
 * is not among it. */
static bool is_clean(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	return seg->ack == conn->snd_nxt && seg->ack != conn->snd_una &&
	       tcp_scoreboard_is_single(&conn->sent) && conn->sent.last->hi == seg->ack &&
	       !(seg->options.present & TCP_OPT_SACK) && conn->waits_for != TCP_WAIT_REORDER &&
	       tcp_recovery_is_clean(conn);
}

/* Of a queue with one mbuf, as an answer is, there is nothing to be found. */
static void forget_all(struct tcp_conn *conn, uint32_t acked)
{
	struct rte_mbuf *m = conn->snd_head;

	if (unlikely(m != conn->snd_tail || acked != conn->snd_bytes)) {
		forget_acked(conn, acked);
		return;
	}
	conn->snd_una += acked;
	tcp_sendq_free_single(conn);
	tcp_conn_event(conn, TCP_EVENT_WRITABLE);
}

static void take_clean(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	uint32_t acked = seg->ack - conn->snd_una;
	struct tcp_stamp stamp;

	sample_rtt(conn, seg);
	stamp = tcp_scoreboard_ack_single(&conn->sent);
	forget_all(conn, acked);
	conn->retries = 0;
	ip_path_confirm(conn->tcp->stack, &conn->path);
	take_window(conn, seg, true);
	tcp_recovery_take_clean(conn, seg, &stamp, acked);
	tcp_timer_clear(conn, TCP_TIMER_RETRANSMIT);
	if (conn->ecn & TCP_ECN_ON)
		tcp_ecn_take(conn, seg, acked);
}

/* Nothing was in flight: it tells nothing but the window. */
static bool is_idle(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	return seg->ack == conn->snd_una && conn->snd_nxt == conn->snd_una && !conn->loss &&
	       !(seg->options.present & TCP_OPT_SACK);
}

static void take_idle(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	take_window(conn, seg, false);
	if (conn->ecn & TCP_ECN_ON)
		tcp_ecn_take(conn, seg, 0);
}

/* ---- any ---- */

static void take_any(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	struct tcp_ack ack = tcp_recovery_begin(conn, seg);

	if (seq_gt(seg->ack, conn->snd_una))
		take_new(conn, &ack);
	else
		ack.duplicate = is_duplicate(conn, seg, ack.news.delivered);
	take_window(conn, seg, ack.acked);
	if (is_news(conn, &ack))
		tcp_recovery_take(conn, &ack);
	if (ack.acked)
		tcp_probe_acked(conn);
	if (conn->ecn & TCP_ECN_ON)
		tcp_ecn_take(conn, seg, ack.flight);
}

/* Without data, and before the owner has shut it down, nothing waits. */
static bool may_wait(const struct tcp_conn *conn)
{
	return conn->snd_bytes || conn->state != TCP_ESTABLISHED;
}

void tcp_ack_take(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (likely(is_clean(conn, seg)))
		take_clean(conn, seg);
	else if (is_idle(conn, seg))
		take_idle(conn, seg);
	else
		take_any(conn, seg);
	if (may_wait(conn) && tcp_output_waits(conn))
		tcp_conn_mark(conn);
}

void tcp_ack_take_syn(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (!tcp_has(conn, TCP_SYN_RESENT))
		sample_rtt(conn, seg);
	conn->flags &= ~(uint32_t)TCP_RTT_TIMED;
	conn->snd_una = conn->iss + 1;
	conn->snd_wl1 = seg->seq;
	conn->snd_wl2 = seg->ack;
}
