/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_ecn.h"

#include <rte_common.h>

#include "l4stack/tcp/tcp_seq.h"

#define QUICK_ACKS 2 /* after a mark: the sender should know soon */

static void set(struct tcp_conn *conn, enum tcp_ecn_flag flag, bool on)
{
	conn->ecn = (uint8_t)(on ? conn->ecn | flag : conn->ecn & ~flag);
}

/* ---- the handshake: §6.1.1 ---- */

void tcp_ecn_init(struct tcp_conn *conn, enum tcp_ecn use)
{
	bool refused = use == TCP_ECN_NEVER || !conn->cc.ops->ecn;

	set(conn, TCP_ECN_REFUSED, refused);
	set(conn, TCP_ECN_ASKS, use == TCP_ECN_ASK && !refused);
}

uint16_t tcp_ecn_answer(enum tcp_ecn use, const struct cc_ops *ops, uint16_t syn_flags)
{
	bool asked = (~syn_flags & (TCP_ECE | TCP_CWR)) == 0;

	return asked && use != TCP_ECN_NEVER && ops->ecn ? TCP_ECE : 0;
}

/* §6.1.1.1: a SYN that was lost may have been dropped for asking. */
uint16_t tcp_ecn_syn_flags(struct tcp_conn *conn)
{
	bool asks = conn->ecn & TCP_ECN_ASKS && !tcp_has(conn, TCP_SYN_RESENT);

	if (conn->state == TCP_SYN_RECEIVED)
		return conn->ecn & TCP_ECN_ON ? TCP_ECE : 0;
	set(conn, TCP_ECN_ASKED, asks);
	return asks ? TCP_ECE | TCP_CWR : 0;
}

/* A SYN asks with both flags; a SYN-ACK agrees with ECE alone, for there are peers that send
 * back whatever they find. */
void tcp_ecn_take_syn(struct tcp_conn *conn, const struct tcp_seg *syn)
{
	uint16_t flags = syn->flags & (TCP_ECE | TCP_CWR);

	if (syn->flags & TCP_ACK)
		set(conn, TCP_ECN_ON, conn->ecn & TCP_ECN_ASKED && flags == TCP_ECE);
	else
		set(conn, TCP_ECN_ON,
		    flags == (TCP_ECE | TCP_CWR) && !(conn->ecn & TCP_ECN_REFUSED));
}

/* The peer takes back what it asked: it may not heed marks then. */
void tcp_ecn_take_syn_again(struct tcp_conn *conn, const struct tcp_seg *syn)
{
	if (~syn->flags & (TCP_ECE | TCP_CWR))
		set(conn, TCP_ECN_ON, false);
}

/* ---- receiving: §6.1.3 ---- */

static void take_mark(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (seg->flags & TCP_CWR)
		set(conn, TCP_ECN_ECHO, false);
	if (seg->ecn != TCP_ECN_CE || seg->len == 0)
		return;
	stack_count(conn->tcp->stack, tcp_ecn_marks_in);
	set(conn, TCP_ECN_ECHO, true);
	conn->quick_acks = RTE_MAX(conn->quick_acks, (uint8_t)QUICK_ACKS);
}

/* ---- sending: §6.1.2 ---- */

void tcp_ecn_reduced(struct tcp_conn *conn)
{
	if (!(conn->ecn & TCP_ECN_ON))
		return;
	set(conn, TCP_ECN_REDUCED, true);
	conn->ecn_end = conn->snd_nxt;
}

static void take_echo(struct tcp_conn *conn, const struct tcp_seg *seg, uint32_t flight_bytes)
{
	uint32_t flight = RTE_MIN(flight_bytes, conn->cc.cwnd);

	if (!(seg->flags & TCP_ECE) || seq_lt(conn->snd_una, conn->ecn_end))
		return;
	/* It must not fall behind by half the sequence space. */
	conn->ecn_end = conn->snd_una;
	if (conn->snd_nxt == conn->snd_una)
		return;
	if (!tcp_has(conn, TCP_RECOVERY) && !(conn->loss & TCP_LOSS_TIMEOUT)) {
		stack_count(conn->tcp->stack, tcp_ecn_reductions);
		conn->loss &= (uint16_t)~TCP_LOSS_UNDO;
		cc_lose(&conn->cc, CC_LOSS_ECN, flight, conn->tcp->stack->now_us);
	}
	tcp_ecn_reduced(conn);
}

void tcp_ecn_take(struct tcp_conn *conn, const struct tcp_seg *seg, uint32_t flight_bytes)
{
	take_mark(conn, seg);
	take_echo(conn, seg, flight_bytes);
	if (seq_gt(conn->snd_una, conn->ecn_end))
		conn->ecn_end = conn->snd_una;
}

uint16_t tcp_ecn_flags(struct tcp_conn *conn, bool fresh)
{
	uint16_t flags = conn->ecn & TCP_ECN_ECHO ? TCP_ECE : 0;

	if (fresh && conn->ecn & TCP_ECN_REDUCED) {
		set(conn, TCP_ECN_REDUCED, false);
		flags |= TCP_CWR;
	}
	return flags;
}
