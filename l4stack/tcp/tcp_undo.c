/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_undo.h"

#include <rte_common.h>

#include "l4stack/tcp/tcp_output.h"
#include "l4stack/tcp/tcp_seq.h"

#define FRTO_FLAGS (TCP_LOSS_FRTO_FIRST | TCP_LOSS_FRTO_SECOND)

static void clear(struct tcp_conn *conn, unsigned flags)
{
	conn->loss &= (uint16_t)~flags;
}

void tcp_undo_begin(struct tcp_conn *conn)
{
	clear(conn, TCP_LOSS_EIFEL | FRTO_FLAGS);
	conn->loss |= TCP_LOSS_UNDO;
	conn->undo_una = conn->snd_una;
	conn->undo_bytes = 0;
}

/* RFC 5682 §2.1 step 1: F-RTO only for the first timeout, and not while an older loss is mended.
 * RFC 4015 §3.1 is as modest. */
void tcp_undo_timeout(struct tcp_conn *conn, bool again)
{
	bool open = tcp_recovery_is_open(conn);

	if (again) {
		clear(conn, FRTO_FLAGS);
		return;
	}
	tcp_undo_begin(conn);
	if (open)
		conn->loss |= TCP_LOSS_FRTO_FIRST;
}

void tcp_undo_resent(struct tcp_conn *conn, uint32_t bytes)
{
	if (!(conn->loss & TCP_LOSS_UNDO))
		return;
	if (conn->undo_bytes == 0 && !tcp_recovery_is_open(conn)) {
		conn->loss |= TCP_LOSS_EIFEL;
		conn->eifel_ms = tcp_now_ms(conn->tcp);
	}
	conn->undo_bytes += bytes;
}

/* ---- the three signs ---- */

/* RFC 3522 §3.2 steps 4 and 5: the first ACK that moves on decides. */
static bool eifel_says(struct tcp_conn *conn, const struct tcp_ack *ack)
{
	uint32_t echoed_ms = ack->seg->options.tsecr - conn->ts_offset;

	if (!(conn->loss & TCP_LOSS_EIFEL) || !ack->acked)
		return false;
	clear(conn, TCP_LOSS_EIFEL);
	if (!tcp_has(conn, TCP_USE_TS) || !seq_lt(echoed_ms, conn->eifel_ms))
		return false;
	/* RFC 4015 §3.3: the long round trip counts. */
	tcp_rto_sample(&conn->rto, (tcp_now_ms(conn->tcp) - echoed_ms) * 1000);
	return true;
}

/* All that was sent again since the loss was reported as received twice. */
static bool dsack_says(struct tcp_conn *conn, const struct tcp_ack *ack)
{
	uint32_t bytes = ack->twice.hi - ack->twice.lo;

	if (!ack->dsack || !conn->undo_bytes || seq_lt(ack->twice.lo, conn->undo_una) ||
	    seq_gt(ack->twice.hi, conn->snd_max))
		return false;
	conn->undo_bytes -= RTE_MIN(bytes, conn->undo_bytes);
	return conn->undo_bytes == 0;
}

/* RFC 5682 §2.1 and §3.1 step 2: a first ACK that moves on, though not to the end, lets new data
 * out. One that does not shows a loss, unless SACK tells that it is about something else. */
static void frto_first(struct tcp_conn *conn, const struct tcp_ack *ack)
{
	if (!ack->acked) {
		if (ack->duplicate && !ack->sacked)
			clear(conn, FRTO_FLAGS);
		return;
	}
	clear(conn, FRTO_FLAGS);
	if (seq_lt(conn->snd_una, conn->recover) && tcp_output_has_new(conn))
		conn->loss |= TCP_LOSS_FRTO_SECOND;
}

/* Step 3: something arrives that was sent only once; or only the new data does. */
static bool frto_says(struct tcp_conn *conn, const struct tcp_ack *ack)
{
	if (conn->loss & TCP_LOSS_FRTO_FIRST) {
		frto_first(conn, ack);
		return false;
	}
	if (!(conn->loss & TCP_LOSS_FRTO_SECOND))
		return false;
	if (!ack->acked && !ack->duplicate)
		return false;
	clear(conn, FRTO_FLAGS);
	return ack->news.original;
}

/* ---- the answer ---- */

/* RFC 4015 §3.2. In recovery: what was lost is found again, and new data goes on. */
static void undo(struct tcp_conn *conn)
{
	if (conn->loss & TCP_LOSS_TIMEOUT) {
		stack_count(conn->tcp->stack, tcp_spurious_rtos);
		tcp_rto_restore(&conn->rto);
		conn->retries = 0;
	} else {
		stack_count(conn->tcp->stack, tcp_spurious_recoveries);
	}
	if (!tcp_recovery_is_open(conn))
		tcp_scoreboard_find_lost(&conn->sent);
	clear(conn, TCP_LOSS_TIMEOUT | TCP_LOSS_UNDO | TCP_LOSS_EIFEL | FRTO_FLAGS);
	conn->flags &= ~(uint32_t)(TCP_RECOVERY | TCP_RESEND_NOW);
	conn->dup_acks = 0;
	conn->undo_bytes = 0;
	cc_undo(&conn->cc, tcp_recovery_pipe(conn));
}

bool tcp_undo_take(struct tcp_conn *conn, const struct tcp_ack *ack)
{
	bool frto, eifel, dsack;

	if (!(conn->loss & TCP_LOSS_UNDO))
		return false;
	frto = frto_says(conn, ack);
	eifel = eifel_says(conn, ack);
	dsack = dsack_says(conn, ack);
	if (!frto && !eifel && !dsack)
		return false;
	undo(conn);
	return true;
}
