/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_recovery.h"

#include <rte_common.h>

#include "l4stack/tcp/tcp_ecn.h"
#include "l4stack/tcp/tcp_mtu.h"
#include "l4stack/tcp/tcp_probe.h"
#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_undo.h"

#define DUP_THRESH 3 /* RFC 5681 §3.2 */

static uint32_t now_us(const struct tcp_conn *conn)
{
	return (uint32_t)conn->tcp->stack->now_us;
}

uint32_t tcp_recovery_pipe(const struct tcp_conn *conn)
{
	uint32_t flying = tcp_scoreboard_flying(&conn->sent);

	return flying - RTE_MIN(flying, conn->snd_left);
}

/* ---- an ACK's SACK blocks ---- */

/* Of what was sent again after this, an ACK now cannot be the answer (RFC 8985 §6.2 step 2): it
 * would have been faster than the path; or the echoed time is older, and the number moves, which
 * makes the echo that of the segment (RFC 7323 §4.3). */
static uint32_t resent_until(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	uint32_t until_us = now_us(conn) - conn->rack.min_rtt_us, echo_us, age_ms;

	if (!tcp_has(conn, TCP_USE_TS) || !seq_gt(seg->ack, conn->snd_una))
		return until_us;
	age_ms = tcp_now_ms(conn->tcp) - (seg->options.tsecr - conn->ts_offset);
	if (age_ms > INT32_MAX / 1000)
		return until_us;
	echo_us = (uint32_t)((conn->tcp->stack->now_us / 1000 - age_ms) * 1000 + 999);
	return seq_min(until_us, echo_us);
}

/* RFC 2883 §4: the first block, of what is acknowledged or of what the second has too. */
static bool is_dsack(const struct tcp_seg *seg)
{
	const struct tcp_sack_block *b = seg->options.sack;

	if (!seq_lt(b[0].lo, b[0].hi))
		return false;
	if (seq_le(b[0].hi, seg->ack))
		return true;
	return seg->options.sack_blocks > 1 && seq_ge(b[0].lo, b[1].lo) && seq_le(b[0].hi, b[1].hi);
}

static bool is_sound(const struct tcp_conn *conn, const struct tcp_sack_block *block)
{
	return seq_lt(block->lo, block->hi) && seq_gt(block->lo, conn->snd_una) &&
	       seq_le(block->hi, conn->snd_nxt);
}

static void take_blocks(struct tcp_conn *conn, struct tcp_ack *ack)
{
	const struct tcp_options *options = &ack->seg->options;
	unsigned first = 0;

	if (is_dsack(ack->seg)) {
		ack->dsack = true;
		ack->twice = options->sack[0];
		first = 1;
	}
	for (unsigned i = first; i < options->sack_blocks; i++) {
		const struct tcp_sack_block *block = &options->sack[i];

		if (!is_sound(conn, block))
			continue;
		ack->sacked = true;
		tcp_scoreboard_sack(&conn->sent, block->lo, block->hi, &ack->news);
	}
}

struct tcp_ack tcp_recovery_begin(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	struct tcp_ack ack = {
		.seg = seg,
		.flight = tcp_recovery_pipe(conn),
		.news.fack = conn->rack.fack,
		.news.end = conn->snd_una,
		.news.recover = conn->recover,
		.news.resent_until_us = resent_until(conn, seg),
	};

	if (tcp_has(conn, TCP_USE_SACK) && seg->options.present & TCP_OPT_SACK)
		take_blocks(conn, &ack);
	return ack;
}

/* ---- without SACK ---- */

/* RFC 6582 §3.2: a duplicate says that some segment has arrived; an ACK that moves on has in it
 * those that were counted, all but the one sent again. */
static void count_left(struct tcp_conn *conn, struct tcp_ack *ack)
{
	uint32_t flying = tcp_scoreboard_flying(&conn->sent), before = conn->snd_left, counted;

	if (ack->duplicate) {
		conn->snd_left = RTE_MIN(before + conn->mss, RTE_MAX(flying, before));
		ack->news.delivered_bytes = conn->snd_left - before;
		ack->news.delivered = true;
		return;
	}
	counted = tcp_recovery_is_open(conn) ? before : ack->acked - RTE_MIN(ack->acked, conn->mss);
	counted = RTE_MIN(counted, before);
	conn->snd_left = RTE_MIN(before - counted, flying);
	ack->news.delivered_bytes -= RTE_MIN(ack->news.delivered_bytes, counted);
}

/* ---- fast retransmit and fast recovery ---- */

static void enter(struct tcp_conn *conn)
{
	uint32_t sent = conn->snd_nxt - conn->snd_una;

	stack_count(conn->tcp->stack, tcp_fast_retransmits);
	tcp_undo_begin(conn);
	/* RFC 5681 §3.2 step 2: what limited transmit has sent does not count. */
	cc_lose(&conn->cc, CC_LOSS_FAST, RTE_MIN(sent, conn->cc.cwnd), conn->tcp->stack->now_us);
	tcp_ecn_reduced(conn);
	conn->recover = conn->snd_nxt;
	conn->round_end = conn->rate.delivered; /* recovery begins with a round trip of its own */
	conn->flags |= TCP_RECOVERY;
	tcp_prr_begin(&conn->prr, sent);
}

/* RFC 6937 §3: the first retransmission is not held back; without SACK none is (RFC 6582 §3.2
 * step 3). */
static bool answer_loss(struct tcp_conn *conn)
{
	if (!tcp_recovery_is_open(conn))
		return !tcp_has(conn, TCP_USE_SACK);
	enter(conn);
	return true;
}

static void leave(struct tcp_conn *conn)
{
	bool fast = tcp_has(conn, TCP_RECOVERY);

	conn->flags &= ~(uint32_t)(TCP_RECOVERY | TCP_RESEND_NOW);
	conn->loss &= (uint16_t) ~(TCP_LOSS_TIMEOUT | TCP_LOSS_FRTO_FIRST | TCP_LOSS_FRTO_SECOND);
	conn->dup_acks = 0;
	conn->snd_left = 0;
	tcp_rack_recovered(&conn->rack);
	if (fast || conn->cc.ops->model)
		conn->cc.ops->on_recovered(&conn->cc, tcp_recovery_pipe(conn),
					   conn->tcp->stack->now_us);
}

/* ---- what is lost ---- */

/* RFC 8985 §6.2 step 4: three segments reported, before any reordering was seen. */
static bool is_urgent(const struct tcp_conn *conn)
{
	return !tcp_recovery_is_open(conn) || conn->dup_acks >= DUP_THRESH ||
	       tcp_scoreboard_sacked(&conn->sent) > (DUP_THRESH - 1) * (uint32_t)conn->mss;
}

static uint32_t rack_window(const struct tcp_conn *conn)
{
	return tcp_rack_window(&conn->rack, tcp_rto_srtt_us(&conn->rto), is_urgent(conn));
}

static void detect_by_time(struct tcp_conn *conn)
{
	uint32_t wait_us =
		tcp_rack_detect(&conn->rack, &conn->sent, rack_window(conn), now_us(conn));

	tcp_probe_wait_reorder(conn, wait_us);
}

/* RFC 6582 §3.2 step 2: not for duplicates of what was sent again after the last loss; step 3: a
 * partial acknowledgment shows the next hole. */
static void detect_by_count(struct tcp_conn *conn, const struct tcp_ack *ack)
{
	bool first = tcp_recovery_is_open(conn) && conn->dup_acks >= DUP_THRESH &&
		     seq_gt(conn->snd_una, conn->recover);

	if (first || (tcp_has(conn, TCP_RECOVERY) && ack->acked))
		tcp_scoreboard_lose_first(&conn->sent, conn->mss);
}

static void detect(struct tcp_conn *conn, const struct tcp_ack *ack)
{
	if (tcp_has(conn, TCP_USE_SACK))
		detect_by_time(conn);
	else
		detect_by_count(conn, ack);
}

/* Bytes that are lost and were not before, for which the network has to be spared. */
static uint32_t lost_since(struct tcp_conn *conn, uint32_t before)
{
	uint32_t lost = tcp_scoreboard_lost(&conn->sent);

	return lost > before && !tcp_mtu_lost(conn) ? lost - before : 0;
}

/* ---- the congestion window ---- */

/* The first ACK of what was sent since the round began: one round trip has passed. */
static bool round_starts(struct tcp_conn *conn, uint32_t prior_delivered)
{
	if (seq_lt(prior_delivered, conn->round_end))
		return false;
	conn->round_end = conn->rate.delivered;
	return true;
}

struct control {
	struct tcp_rate_sample sample;
	uint32_t rtt_us, lost_bytes;
	bool left;
	bool forced; /* one segment goes out whatever PRR says */
};

/* RFC 7661 §4.1: in slow start half a window is enough, for it doubles in a round trip. */
static bool window_is_used(const struct tcp_conn *conn)
{
	if (conn->used_most == TCP_USED_ALL)
		return true;
	return conn->cc.cwnd < conn->cc.ssthresh && conn->cc.cwnd / 2 < conn->used_most;
}

static void tell_cc(struct tcp_conn *conn, const struct tcp_ack *ack, const struct control *c)
{
	bool mending = conn->loss & TCP_LOSS_TIMEOUT;
	const struct cc_ack news = {
		.now_us = conn->tcp->stack->now_us,
		.acked_bytes = ack->news.delivered_bytes,
		.flight_bytes = ack->flight,
		.rtt_us = tcp_rto_srtt_us(&conn->rto),
		.sample_us = c->rtt_us,
		.cwnd_limited = mending || window_is_used(conn),
		.after_timeout = mending,
		.recovering = tcp_has(conn, TCP_RECOVERY),
		.round_start = c->sample.known && round_starts(conn, c->sample.prior_delivered),
		.pipe_bytes = tcp_recovery_pipe(conn),
		.delivered_bytes = ack->news.delivered_bytes,
		.lost_bytes = c->lost_bytes,
		.rate_bytes = c->sample.delivered_bytes,
		.rate_us = c->sample.interval_us,
		.app_limited = c->sample.app_limited,
	};

	conn->cc.ops->on_ack(&conn->cc, &news);
}

static void reduce(struct tcp_conn *conn, const struct tcp_ack *ack, const struct control *c)
{
	const struct tcp_prr_ack news = {
		.delivered_bytes = ack->news.delivered_bytes,
		.pipe_bytes = tcp_recovery_pipe(conn),
		.ssthresh = conn->cc.ssthresh,
		.mss = conn->mss,
		.progress = ack->acked && !c->lost_bytes,
		.forced = c->forced,
	};

	conn->cc.cwnd = tcp_prr_window(&conn->prr, &news);
}

static void control(struct tcp_conn *conn, const struct tcp_ack *ack, const struct control *c)
{
	if (conn->cc.ops->model)
		tell_cc(conn, ack, c);
	else if (tcp_has(conn, TCP_RECOVERY))
		reduce(conn, ack, c);
	else if (ack->acked && !c->left && !tcp_ecn_holds(conn, ack->seg))
		tell_cc(conn, ack, c);
}

/* ---- an ACK ---- */

static void count_duplicates(struct tcp_conn *conn, struct tcp_ack *ack)
{
	if (ack->acked && tcp_recovery_is_open(conn))
		conn->dup_acks = 0;
	if (ack->duplicate) {
		stack_count(conn->tcp->stack, tcp_dup_acks);
		conn->dup_acks += conn->dup_acks < UINT8_MAX;
	}
	if (!tcp_has(conn, TCP_USE_SACK))
		count_left(conn, ack);
}

static void take_dsack(struct tcp_conn *conn, const struct tcp_ack *ack)
{
	stack_count(conn->tcp->stack, tcp_dsacks_in);
	/* Of what a probe sent in vain nothing is to be learned: RFC 8985 §7.4.2. */
	if (ack->twice.hi != conn->probe_end || !(conn->loss & TCP_LOSS_PROBED))
		tcp_rack_dsack(&conn->rack, conn->snd_nxt);
}

/* It must not fall behind by half the sequence space. */
static void keep_recover_near(struct tcp_conn *conn)
{
	if (seq_gt(conn->snd_una, conn->recover))
		conn->recover = conn->snd_una - 1;
}

/* True when recovery, of either kind, has ended. */
static bool end_recovery(struct tcp_conn *conn, const struct tcp_ack *ack)
{
	if (ack->acked && seq_ge(conn->snd_una, conn->recover))
		conn->flags &= ~(uint32_t)TCP_RESENT;
	if (tcp_recovery_is_open(conn)) {
		keep_recover_near(conn);
		return false;
	}
	if (seq_lt(conn->snd_una, conn->recover))
		return false;
	leave(conn);
	return true;
}

void tcp_recovery_take(struct tcp_conn *conn, struct tcp_ack *ack)
{
	uint32_t lost_before;
	struct control c = {0};

	count_duplicates(conn, ack);
	c.sample = tcp_rate_take(&conn->rate, &ack->news, conn->rack.min_rtt_us, now_us(conn));
	c.rtt_us = tcp_rack_take(&conn->rack, &ack->news, now_us(conn));
	if (ack->dsack)
		take_dsack(conn, ack);
	if (ack->acked) {
		tcp_rack_round(&conn->rack, conn->snd_una);
		tcp_mtu_acked(conn);
	}
	tcp_probe_take(conn, ack);
	c.left = tcp_undo_take(conn, ack);
	c.left = end_recovery(conn, ack) || c.left;
	lost_before = tcp_scoreboard_lost(&conn->sent);
	detect(conn, ack);
	c.lost_bytes = lost_since(conn, lost_before);
	if (c.lost_bytes)
		c.forced = answer_loss(conn);
	control(conn, ack, &c);
	if (tcp_scoreboard_lost(&conn->sent) || ack->duplicate)
		tcp_conn_mark(conn);
}

/* Congestion control would learn nothing from an ACK: it is not told. */
static bool is_quiet(const struct tcp_conn *conn)
{
	return conn->cc.quiet && !window_is_used(conn);
}

static __rte_noinline void control_clean(struct tcp_conn *conn, const struct tcp_seg *seg,
					 uint32_t bytes, const struct control *c)
{
	const struct tcp_ack ack = {
		.seg = seg,
		.acked = bytes,
		.flight = bytes,
		.news.delivered_bytes = bytes,
	};

	control(conn, &ack, c);
}

/* What is left of all that when there is no loss to find, to mend or to take back: the path is
 * measured, and congestion control told. */
void tcp_recovery_take_clean(struct tcp_conn *conn, const struct tcp_seg *seg,
			     const struct tcp_stamp *stamp, uint32_t bytes)
{
	uint32_t min_rtt_us = conn->rack.min_rtt_us, rtt_us;

	tcp_rate_note(&conn->rate, bytes, now_us(conn));
	conn->rate.first_sent_us = stamp->sent_us;
	rtt_us = tcp_rack_take_single(&conn->rack, stamp->sent_us, conn->snd_una, now_us(conn));
	keep_recover_near(conn);
	if (!is_quiet(conn))
		control_clean(conn, seg, bytes,
			      &(struct control){
				      .rtt_us = rtt_us,
				      .sample = tcp_rate_sample(&conn->rate, stamp, min_rtt_us),
			      });
	else if (!tcp_ecn_holds(conn, seg))
		round_starts(conn, stamp->delivered);
}

/* ---- timers ---- */

void tcp_recovery_reorder_timeout(struct tcp_conn *conn)
{
	uint32_t lost_before = tcp_scoreboard_lost(&conn->sent);
	struct control c = {0};
	struct tcp_ack ack = {.flight = tcp_recovery_pipe(conn)};

	detect_by_time(conn);
	c.lost_bytes = lost_since(conn, lost_before);
	if (tcp_scoreboard_lost(&conn->sent))
		tcp_conn_mark(conn);
	if (!c.lost_bytes)
		return;
	c.forced = answer_loss(conn);
	if (tcp_has(conn, TCP_RECOVERY) && !conn->cc.ops->model)
		reduce(conn, &ack, &c);
}

/* RFC 2018 §8: what was reported and should be the next to be acknowledged was not kept. Then no
 * report is believed any more. */
static bool peer_reneged(struct tcp_conn *conn)
{
	if (!conn->sent.first || conn->sent.first->state != TCP_RUN_SACKED)
		return false;
	stack_count(conn->tcp->stack, tcp_sack_reneged);
	tcp_scoreboard_forget_reports(&conn->sent);
	return true;
}

/* RFC 6298 §5.4, RFC 5681 §3.1, RFC 8985 §6.3; what the peer has reported it still holds, unless
 * it shows otherwise (RFC 6675 §5.1). */
void tcp_recovery_timeout(struct tcp_conn *conn)
{
	bool again = conn->retries;
	uint32_t sent = conn->snd_nxt - conn->snd_una;

	stack_count(conn->tcp->stack, tcp_rtos);
	if (peer_reneged(conn) || !tcp_has(conn, TCP_USE_SACK))
		tcp_scoreboard_lose_all(&conn->sent);
	else
		tcp_rack_timeout(&conn->rack, &conn->sent, rack_window(conn), now_us(conn));
	tcp_undo_timeout(conn, again);
	cc_lose(&conn->cc, again ? CC_LOSS_AGAIN : CC_LOSS_TIMEOUT, sent, conn->tcp->stack->now_us);
	tcp_ecn_reduced(conn);
	conn->recover = conn->snd_nxt;
	conn->dup_acks = 0;
	conn->snd_left = 0;
	conn->flags &= ~(uint32_t)(TCP_RECOVERY | TCP_RTT_TIMED);
	conn->flags |= TCP_RESEND_NOW | TCP_RESENT;
	conn->loss |= TCP_LOSS_TIMEOUT;
	conn->loss &= (uint16_t) ~(TCP_LOSS_PROBED | TCP_LOSS_PROBE_NOW);
}

void tcp_recovery_too_big(struct tcp_conn *conn)
{
	tcp_scoreboard_lose_all(&conn->sent);
	conn->flags = (conn->flags & ~(uint32_t)(TCP_RTT_TIMED | TCP_RECOVERY)) | TCP_RESENT;
	conn->loss &= TCP_LOSS_TIMEOUT;
	conn->recover = conn->snd_nxt;
	conn->dup_acks = 0;
	conn->snd_left = 0;
	tcp_conn_mark(conn);
}
