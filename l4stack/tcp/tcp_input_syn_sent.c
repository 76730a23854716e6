/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYN-SENT: RFC 9293 §3.10.7.3, one function for each step.
 */
#include "l4stack/tcp/tcp_ack.h"
#include "l4stack/tcp/tcp_fast.h"
#include "l4stack/tcp/tcp_input.h"
#include "l4stack/tcp/tcp_reply.h"
#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_timer.h"

/* First: the ACK bit. False: the segment is dropped. */
static bool step_ack(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (!(seg->flags & TCP_ACK))
		return true;
	if (seq_gt(seg->ack, conn->iss) && seq_le(seg->ack, conn->snd_max))
		return true;
	stack_count(conn->tcp->stack, tcp_bad_ack);
	tcp_reply_reset(conn->tcp, seg);
	return false;
}

/* Second: the RST bit. Only one that acknowledges our SYN counts. */
static bool step_reset(struct tcp_conn *conn, const struct tcp_seg *seg)
{
	if (!(seg->flags & TCP_RST))
		return true;
	if (seg->flags & TCP_ACK) {
		stack_count(conn->tcp->stack, tcp_resets_in);
		tcp_conn_finish(conn, TCP_CLOSED_REFUSED);
	}
	return false;
}

/* Fifth: text and FIN behind the SYN are the first of the connection's. */
static void rest(struct tcp_conn *conn, struct tcp_seg *seg)
{
	seg->seq++;
	seg->flags &= (uint16_t)~TCP_SYN;
	if (tcp_seg_span(seg))
		tcp_input_text(conn, seg);
}

static void established(struct tcp_conn *conn, struct tcp_seg *seg)
{
	tcp_ack_take_syn(conn, seg);
	tcp_fast_learn(conn, seg);
	tcp_conn_established(conn);
	if (seq_gt(seg->ack, conn->snd_una)) { /* the text of the SYN, which the server has taken */
		if (seg->ack == conn->snd_max)
			conn->flags |= TCP_FAST_TEXT;
		tcp_ack_take(conn, seg);
	}
	tcp_conn_event(conn, TCP_EVENT_OPENED);
	tcp_conn_owe_ack(conn);
	rest(conn, seg);
}

/* Both sides opened: RFC 9293 §3.5, figure 7. Text that comes with the SYN is not taken: it is sent
 * again. */
static void simultaneous(struct tcp_conn *conn)
{
	conn->state = TCP_SYN_RECEIVED;
	tcp_fast_done(conn);
	conn->flags |= TCP_SYN_NOW;
	tcp_conn_mark(conn);
}

/* Fourth: the SYN bit. */
static void step_syn(struct tcp_conn *conn, struct tcp_seg *seg)
{
	if (!(seg->flags & TCP_SYN))
		return;
	tcp_conn_take_syn(conn, seg);
	if (seg->flags & TCP_ACK)
		established(conn, seg);
	else
		simultaneous(conn);
}

/* Third, security, is not there (RFC 9293 appendix A.1). */
void tcp_input_syn_sent(struct tcp_conn *conn, struct tcp_seg *seg)
{
	if (step_ack(conn, seg) && step_reset(conn, seg))
		step_syn(conn, seg);
}
