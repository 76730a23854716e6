/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments that arrive: RFC 9293 §3.10.7. tcp_input.c finds whose it is; the others each
 * process a group of states. Each function frees nothing: what is left in seg->pkt is
 * freed by tcp_proto_input. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_INPUT_H
#define L4STACK_TCP_TCP_INPUT_H

#include "l4stack/tcp/tcp_ack.h"
#include "l4stack/tcp/tcp_recvq.h"
#include "l4stack/tcp/tcp_segment.h"
#include "l4stack/tcp/tcp_seq.h"

#define TCP_STAGE_MOST 16

/* A segment that was read, and waits for its connection to come into the cache. */
struct tcp_staged {
	uint64_t tag; /* of tcp_recent.h */
	struct tcp_seg seg;
};

struct tcp_input_stage {
	uint32_t n;
	uint64_t tags; /* a bit for each tag that may be among them */
	struct tcp_staged segments[TCP_STAGE_MOST];
};

static inline uint64_t tcp_input_tag_bit(uint64_t tag)
{
	return 1ull << (tag & 63);
}

int tcp_input_create(struct tcp_proto *tcp) __attribute__((warn_unused_result));
void tcp_input_destroy(struct tcp_proto *tcp);

/* Has a segment wait, whose header is sound and whose addresses are good: takes its payload. */
void tcp_input_stage(struct tcp_proto *tcp, uint64_t tag, const struct tcp_seg *seg);

/* Processes the segments that wait: before anything that depends on them. */
void tcp_input_staged(struct tcp_proto *tcp);

/* A segment of a connection, usual or not. */
void tcp_input_conn(struct tcp_conn *conn, struct tcp_seg *seg);

/* §3.10.7.3 */
void tcp_input_syn_sent(struct tcp_conn *conn, struct tcp_seg *seg);

/* §3.10.7.4, all other states. */
void tcp_input_synchronized(struct tcp_conn *conn, struct tcp_seg *seg);

/* §3.10.7.4, seventh and eighth step: text and FIN. */
void tcp_input_text(struct tcp_conn *conn, struct tcp_seg *seg);

/* In order and entirely new, with nothing out of order: the fast path's text. False: no room. */
bool tcp_input_text_in_order(struct tcp_conn *conn, struct tcp_seg *seg);

/* RFC 5961 §7: an ACK that makes the peer prove itself, as often as the limit allows. */
void tcp_input_challenge(struct tcp_conn *conn);

/* The answer to a probe, of the peer's by its number: limited for its connection alone, for what
 * strangers do to others must not leave it without. */
void tcp_input_probed(struct tcp_conn *conn);

/* ---- header prediction ---- */

/* No option but the time stamps that were agreed, and those not old. */
static inline bool tcp_input_options_are_usual(const struct tcp_conn *conn,
					       const struct tcp_seg *seg)
{
	if (!tcp_has(conn, TCP_USE_TS))
		return seg->options.present == 0;
	return seg->options.present == TCP_OPT_TS && seq_ge(seg->options.tsval, conn->ts_recent);
}

/* What the next segment of an established connection is nearly always: the next in order, and
 * inside the window. */
static inline bool tcp_input_is_usual(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	const uint16_t watched = TCP_SYN | TCP_FIN | TCP_RST | TCP_URG | TCP_ACK;

	return conn->state == TCP_ESTABLISHED && (seg->flags & watched) == TCP_ACK &&
	       seg->seq == conn->rcv_nxt && seg->len <= tcp_recv_window(conn) && !conn->reorder &&
	       seg->ack - conn->snd_una <= conn->snd_max - conn->snd_una && !conn->dup_acks &&
	       !tcp_has(conn, TCP_RECOVERY | TCP_FIN_HEARD) && !tcp_conn_is_orphan(conn) &&
	       tcp_input_options_are_usual(conn, seg);
}

/* The peer is there: keepalive. */
static inline void tcp_input_note_heard(struct tcp_conn *conn)
{
	if (!tcp_has(conn, TCP_KEEPALIVE))
		return;
	conn->heard_ms = tcp_now_ms(conn->tcp);
	conn->keep_probes = 0;
}

/* Such a one, and what it means. */
static inline void tcp_input_take_usual(struct tcp_conn *conn, struct tcp_seg *seg)
{
	/* RFC 7323 §4.3: only a segment that the last ACK waited for moves TS.Recent. */
	if (tcp_has(conn, TCP_USE_TS) && seq_le(seg->seq, conn->rcv_acked)) {
		conn->ts_recent = seg->options.tsval;
		conn->ts_recent_s = tcp_now_s(conn->tcp);
	}
	tcp_input_note_heard(conn);
	tcp_ack_take(conn, seg);
	if (seg->len == 0)
		stack_count(conn->tcp->stack, tcp_pure_acks_in);
	else
		tcp_input_text_in_order(conn, seg);
}

#endif
