/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_probe.h"

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_timer.h"

/* §7.2: TLP.max_ack_delay, when the peer may delay the ACK of a single segment. */
#define ACK_DELAY_US 200000u
/* On short paths: the peer needs time, and the timers' grain is a millisecond. */
#define PROBE_MIN_US 10000u

static void start(struct tcp_conn *conn, enum tcp_wait what, uint64_t delay_us)
{
	conn->waits_for = (uint8_t)what;
	tcp_timer_set(conn, TCP_TIMER_RETRANSMIT, tcp_timer_patient_us(conn, delay_us));
}

static uint64_t left_us(const struct tcp_conn *conn)
{
	uint32_t now_ms = tcp_now_ms(conn->tcp);

	if (seq_le(conn->rto_due_ms, now_ms))
		return 0;
	return (conn->rto_due_ms - now_ms) * 1000ull - conn->tcp->stack->now_us % 1000;
}

/* ---- which of them ---- */

/* §7.2: not while a loss is known or suspected, nor beside another probe. */
static bool may_probe(const struct tcp_conn *conn)
{
	return tcp_has(conn, TCP_USE_SACK) && tcp_recovery_is_open(conn) &&
	       !(conn->loss & (TCP_LOSS_PROBED | TCP_LOSS_PROBE_NOW)) &&
	       !tcp_scoreboard_sacked(&conn->sent) && !tcp_scoreboard_lost(&conn->sent) &&
	       tcp_rto_srtt_us(&conn->rto);
}

static uint64_t probe_timeout_us(const struct tcp_conn *conn)
{
	uint64_t pto_us = 2ull * tcp_rto_srtt_us(&conn->rto);

	if (tcp_scoreboard_flying(&conn->sent) <= conn->mss)
		pto_us += ACK_DELAY_US;
	return RTE_MAX(pto_us, (uint64_t)PROBE_MIN_US);
}

static void start_again(struct tcp_conn *conn)
{
	uint64_t rto_us = left_us(conn);

	/* §7.2: where the timeout is the shorter one a probe takes its place. */
	if (may_probe(conn))
		start(conn, TCP_WAIT_PROBE, RTE_MIN(probe_timeout_us(conn), rto_us));
	else
		start(conn, TCP_WAIT_RTO, rto_us);
}

static void begin_timeout(struct tcp_conn *conn)
{
	conn->rto_due_ms = (uint32_t)((conn->tcp->stack->now_us + conn->rto.rto_us + 999) / 1000);
}

void tcp_probe_syn_sent(struct tcp_conn *conn)
{
	begin_timeout(conn);
	start(conn, TCP_WAIT_RTO, conn->rto.rto_us);
}

void tcp_probe_sent(struct tcp_conn *conn)
{
	if (!tcp_timer_is_set(conn, TCP_TIMER_RETRANSMIT))
		begin_timeout(conn);
	else if (conn->waits_for == TCP_WAIT_REORDER)
		return;
	start_again(conn);
}

/* As start_again, of which only this is open: whether the peer speaks SACK, and its distance. */
void tcp_probe_sent_first(struct tcp_conn *conn)
{
	uint64_t now_us = conn->tcp->stack->now_us, delay_us;
	uint64_t rto_due_ms = (now_us + conn->rto.rto_us + 999) / 1000;
	bool probes = tcp_has(conn, TCP_USE_SACK) && tcp_rto_srtt_us(&conn->rto);

	if (unlikely(tcp_timer_is_set(conn, TCP_TIMER_RETRANSMIT) || conn->retries)) {
		tcp_probe_sent(conn);
		return;
	}
	delay_us = rto_due_ms * 1000 - now_us;
	if (probes)
		delay_us = RTE_MIN(probe_timeout_us(conn), delay_us);
	conn->rto_due_ms = (uint32_t)rto_due_ms;
	conn->waits_for = probes ? TCP_WAIT_PROBE : TCP_WAIT_RTO;
	tcp_timer_set(conn, TCP_TIMER_RETRANSMIT, delay_us);
}

void tcp_probe_acked(struct tcp_conn *conn)
{
	if (conn->snd_nxt == conn->snd_una) {
		tcp_timer_clear(conn, TCP_TIMER_RETRANSMIT);
		return;
	}
	begin_timeout(conn);
	start_again(conn);
}

void tcp_probe_wait_reorder(struct tcp_conn *conn, uint32_t wait_us)
{
	if (wait_us && wait_us < left_us(conn))
		start(conn, TCP_WAIT_REORDER, wait_us);
	else if (conn->waits_for == TCP_WAIT_REORDER &&
		 tcp_timer_is_set(conn, TCP_TIMER_RETRANSMIT))
		start_again(conn);
}

/* ---- the probe ---- */

bool tcp_probe_timer(struct tcp_conn *conn)
{
	enum tcp_wait what = (enum tcp_wait)conn->waits_for;

	conn->waits_for = TCP_WAIT_RTO;
	if (what == TCP_WAIT_RTO)
		return false;
	/* The timeout goes on meanwhile, from where it was. */
	start(conn, TCP_WAIT_RTO, left_us(conn));
	if (what == TCP_WAIT_REORDER) {
		tcp_recovery_reorder_timeout(conn);
	} else if (may_probe(conn)) {
		conn->loss |= TCP_LOSS_PROBE_NOW;
		tcp_conn_mark(conn);
	}
	return true;
}

/* §7.3: the timeout begins anew with the probe. */
void tcp_probe_note(struct tcp_conn *conn, uint32_t end, bool resent)
{
	stack_count(conn->tcp->stack, tcp_loss_probes);
	conn->probe_end = end;
	conn->loss |= TCP_LOSS_PROBED;
	if (resent)
		conn->loss |= TCP_LOSS_PROBE_RESENT;
	begin_timeout(conn);
	start(conn, TCP_WAIT_RTO, left_us(conn));
}

/* The probe has mended a loss that nothing else has shown: the network is to be spared as for any
 * other (§7.4.2). */
static void answer_loss(struct tcp_conn *conn)
{
	uint32_t flight = RTE_MIN(conn->snd_nxt - conn->snd_una, conn->cc.cwnd);
	uint64_t now_us = conn->tcp->stack->now_us;

	conn->loss &= (uint16_t)~TCP_LOSS_UNDO;
	stack_count(conn->tcp->stack, tcp_probe_recoveries);
	cc_lose(&conn->cc, CC_LOSS_FAST, RTE_MAX(flight, conn->cc.cwnd), now_us);
	conn->cc.ops->on_recovered(&conn->cc, conn->cc.ssthresh, now_us);
}

void tcp_probe_take(struct tcp_conn *conn, const struct tcp_ack *ack)
{
	bool resent = conn->loss & TCP_LOSS_PROBE_RESENT;

	if (!(conn->loss & TCP_LOSS_PROBED) || seq_lt(ack->seg->ack, conn->probe_end))
		return;
	if (resent && !(ack->dsack && ack->twice.hi == conn->probe_end)) {
		if (seq_gt(ack->seg->ack, conn->probe_end))
			answer_loss(conn);
		else if (ack->acked || ack->seg->len || ack->seg->options.present & TCP_OPT_SACK)
			return;
	}
	conn->loss &= (uint16_t) ~(TCP_LOSS_PROBED | TCP_LOSS_PROBE_RESENT);
}
