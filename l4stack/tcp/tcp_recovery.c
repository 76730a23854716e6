/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_recovery.h"

#include <rte_common.h>
#include <stdlib.h>

#include "l4stack/tcp/tcp_ranges.h"
#include "l4stack/tcp/tcp_segment.h"
#include "l4stack/tcp/tcp_sendq.h"
#include "l4stack/tcp/tcp_seq.h"

#define DUP_THRESH 3 /* RFC 5681 §3.2 */

/* ---- the scoreboard: RFC 6675 §4 ---- */

/* IsLost: everything missing below this has enough reported above it. */
static uint32_t lost_edge(const struct tcp_conn *conn)
{
	uint32_t edge;

	if (conn->scoreboard && tcp_ranges_edge(conn->scoreboard, DUP_THRESH,
						(DUP_THRESH - 1) * (uint32_t)conn->mss, &edge))
		return edge;
	return conn->snd_una;
}

static uint32_t missing(const struct tcp_conn *conn, uint32_t lo, uint32_t hi)
{
	if (seq_ge(lo, hi))
		return 0;
	return hi - lo - (conn->scoreboard ? tcp_ranges_covered(conn->scoreboard, lo, hi) : 0);
}

uint32_t tcp_recovery_sacked(const struct tcp_conn *conn)
{
	if (!conn->scoreboard)
		return 0;
	return tcp_ranges_covered(conn->scoreboard, conn->snd_una, conn->snd_max);
}

uint32_t tcp_recovery_pipe(const struct tcp_conn *conn)
{
	uint32_t flight = conn->snd_nxt - conn->snd_una;

	if (!tcp_has(conn, TCP_USE_SACK))
		return flight - RTE_MIN(flight, conn->snd_left);
	if (!tcp_has(conn, TCP_RECOVERY))
		return missing(conn, conn->snd_una, conn->snd_nxt);
	return missing(conn, lost_edge(conn), conn->snd_nxt) +
	       missing(conn, conn->snd_una, conn->resend_nxt);
}

static bool block_is_sound(const struct tcp_conn *conn, const struct tcp_sack_block *block)
{
	return seq_lt(block->lo, block->hi) && seq_gt(block->lo, conn->snd_una) &&
	       seq_le(block->hi, conn->snd_max);
}

static bool scoreboard_make(struct tcp_conn *conn)
{
	if (!conn->scoreboard) {
		conn->scoreboard = malloc(sizeof(*conn->scoreboard));
		if (conn->scoreboard)
			tcp_ranges_clear(conn->scoreboard);
	}
	return conn->scoreboard;
}

static void scoreboard_drop(struct tcp_conn *conn)
{
	free(conn->scoreboard);
	conn->scoreboard = NULL;
}

bool tcp_recovery_sack(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	uint32_t added = 0;

	if (!tcp_has(conn, TCP_USE_SACK) || !(seg->options.present & TCP_OPT_SACK))
		return false;
	for (unsigned i = 0; i < seg->options.sack_blocks; i++) {
		const struct tcp_sack_block *block = &seg->options.sack[i];

		if (block_is_sound(conn, block) && scoreboard_make(conn))
			added += tcp_ranges_add(conn->scoreboard, block->lo, block->hi);
	}
	return added;
}

/* ---- fast retransmit and fast recovery ---- */

/* RFC 6582 §3.2 step 2; SACK tells old losses from new ones, so there "at" is enough. */
static bool may_enter(const struct tcp_conn *conn)
{
	if (tcp_has(conn, TCP_USE_SACK))
		return seq_ge(conn->snd_una, conn->recover);
	return seq_gt(conn->snd_una, conn->recover);
}

static void enter(struct tcp_conn *conn)
{
	/* RFC 5681 §3.2 step 2: what limited transmit has sent does not count. */
	uint32_t flight = RTE_MIN(conn->snd_max - conn->snd_una, conn->cc.cwnd);

	stack_count(conn->tcp->stack, tcp_fast_retransmits);
	conn->cc.ops->on_loss(&conn->cc, CC_LOSS_FAST, flight, conn->tcp->stack->now_us);
	conn->recover = conn->snd_max;
	conn->resend_nxt = conn->snd_una;
	conn->flags |= TCP_RECOVERY | TCP_RESEND_NOW;
}

static void leave(struct tcp_conn *conn)
{
	conn->flags &= ~(uint32_t)(TCP_RECOVERY | TCP_RESEND_NOW);
	conn->dup_acks = 0;
	conn->snd_left = 0;
	conn->cc.ops->on_recovered(&conn->cc, tcp_recovery_pipe(conn), conn->tcp->stack->now_us);
}

void tcp_recovery_duplicate(struct tcp_conn *conn)
{
	stack_count(conn->tcp->stack, tcp_dup_acks);
	if (conn->dup_acks < UINT8_MAX)
		conn->dup_acks++;
	if (!tcp_has(conn, TCP_USE_SACK))
		conn->snd_left = RTE_MIN(conn->snd_left + conn->mss, conn->snd_nxt - conn->snd_una);
	if (!tcp_has(conn, TCP_RECOVERY) && may_enter(conn) &&
	    (conn->dup_acks >= DUP_THRESH || seq_gt(lost_edge(conn), conn->snd_una)))
		enter(conn);
	tcp_conn_mark(conn);
}

/* RFC 6582 §3.2 step 3, partial acknowledgment: the next segment is lost too. Of what it
 * acknowledges, all but the segment sent again was counted as gone before. */
static void partial(struct tcp_conn *conn, uint32_t acked)
{
	uint32_t counted = acked > conn->mss ? acked - conn->mss : 0;

	conn->snd_left -= RTE_MIN(conn->snd_left, counted);
	conn->resend_nxt = seq_max(conn->resend_nxt, conn->snd_una);
	if (!tcp_has(conn, TCP_USE_SACK))
		conn->flags |= TCP_RESEND_NOW;
	tcp_conn_mark(conn);
}

bool tcp_recovery_acked(struct tcp_conn *conn, uint32_t acked)
{
	if (conn->scoreboard) {
		tcp_ranges_drop_below(conn->scoreboard, conn->snd_una);
		if (conn->scoreboard->n == 0)
			scoreboard_drop(conn);
	}
	if (seq_ge(conn->snd_una, conn->recover))
		conn->flags &= ~(uint32_t)TCP_RESENT;
	if (!tcp_has(conn, TCP_RECOVERY)) {
		conn->dup_acks = 0;
		conn->snd_left = 0;
		/* It must not fall behind by half the sequence space. */
		if (seq_gt(conn->snd_una, conn->recover))
			conn->recover = conn->snd_una - 1;
		return true;
	}
	if (seq_ge(conn->snd_una, conn->recover))
		leave(conn);
	else
		partial(conn, acked);
	return false;
}

bool tcp_recovery_next(const struct tcp_conn *conn, uint32_t *seq, uint32_t *len)
{
	uint32_t lo, hi;

	/* RFC 6675 §4, NextSeg rule 1. */
	if (!tcp_has(conn, TCP_RECOVERY) || !conn->scoreboard)
		return false;
	if (!tcp_ranges_hole(conn->scoreboard, conn->resend_nxt, lost_edge(conn), &lo, &hi))
		return false;
	*seq = lo;
	*len = RTE_MIN(hi - lo, (uint32_t)conn->mss);
	return true;
}

uint32_t tcp_recovery_missing(const struct tcp_conn *conn, uint32_t seq, uint32_t *skip)
{
	uint32_t lo = seq, hi = conn->snd_max;

	*skip = 0;
	if (!conn->scoreboard || seq_ge(seq, conn->snd_max))
		return UINT32_MAX;
	if (!tcp_ranges_hole(conn->scoreboard, seq, conn->snd_max, &lo, &hi)) {
		*skip = conn->snd_max - seq;
		return UINT32_MAX;
	}
	*skip = lo - seq;
	/* Behind the last reported range there is no end: what follows was never sent. */
	return hi == conn->snd_max ? UINT32_MAX : hi - lo;
}

/* ---- timeouts ---- */

/* RFC 5681 §3.1 and RFC 6582 §4; RFC 2018 §8: after a timeout, SACK is not believed any more. */
void tcp_recovery_timeout(struct tcp_conn *conn)
{
	enum cc_loss kind = conn->retries ? CC_LOSS_AGAIN : CC_LOSS_TIMEOUT;
	uint32_t flight = conn->snd_max - conn->snd_una;

	stack_count(conn->tcp->stack, tcp_rtos);
	conn->cc.ops->on_loss(&conn->cc, kind, flight, conn->tcp->stack->now_us);
	scoreboard_drop(conn);
	conn->recover = conn->snd_max;
	conn->dup_acks = 0;
	conn->snd_left = 0;
	conn->flags &= ~(uint32_t)(TCP_RECOVERY | TCP_RTT_TIMED);
	conn->flags |= TCP_RESEND_NOW | TCP_RESENT;
	tcp_sendq_rewind(conn);
}
