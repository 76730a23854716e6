/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The send queue: payload from snd_una on, held until it is acknowledged.
 *
 * The cursor stands at snd_nxt. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_SENDQ_H
#define L4STACK_TCP_TCP_SENDQ_H

#include "l4stack/tcp/tcp_chain.h"
#include "l4stack/tcp/tcp_conn.h"

/* Takes ownership of the chain. */
void tcp_sendq_append_any(struct tcp_conn *conn, struct rte_mbuf *chain);
static inline void tcp_sendq_append(struct tcp_conn *conn, struct rte_mbuf *chain)
{
	uint32_t charge;

	if (conn->snd_head || !chain || chain->next || !chain->data_len) {
		tcp_sendq_append_any(conn, chain);
		return;
	}
	charge = tcp_mbuf_charge(chain);
	conn->snd_head = conn->snd_tail = conn->snd_cursor = chain;
	conn->snd_cursor_off = 0;
	conn->snd_bytes = chain->data_len;
	conn->mem_charge += charge;
	conn->tcp->send_held_bytes += charge;
}

static inline void tcp_sendq_uncharge(struct tcp_conn *conn, uint32_t charge)
{
	conn->mem_charge -= charge;
	conn->tcp->send_held_bytes -= charge;
}

/* Frees the first `bytes`; the caller moves snd_una, and snd_nxt if it was left behind. */
void tcp_sendq_ack_any(struct tcp_conn *conn, uint32_t bytes);
static inline void tcp_sendq_ack(struct tcp_conn *conn, uint32_t bytes)
{
	struct rte_mbuf *m = conn->snd_head;

	if (conn->snd_head != conn->snd_tail || bytes != conn->snd_bytes || !bytes) {
		tcp_sendq_ack_any(conn, bytes);
		return;
	}
	conn->snd_head = conn->snd_tail = conn->snd_cursor = conn->resend_at = NULL;
	conn->snd_cursor_off = 0;
	conn->snd_bytes = 0;
	tcp_sendq_uncharge(conn, tcp_mbuf_charge(m));
	rte_pktmbuf_free_seg(m);
}

/* snd_nxt and the cursor to snd_una. */
void tcp_sendq_rewind(struct tcp_conn *conn);

/* Where the byte `seq` stands: *off bytes into the mbuf. NULL at the end of the queue. The search
 * goes on from where the last one ended, if it can. */
struct rte_mbuf *tcp_sendq_seek(struct tcp_conn *conn, uint32_t seq, uint32_t *off);

void tcp_sendq_free(struct tcp_conn *conn);

/* tcp_sendq_ack of all there is, which stands in one mbuf. */
static inline void tcp_sendq_free_single(struct tcp_conn *conn)
{
	struct rte_mbuf *m = conn->snd_head;

	conn->tcp->send_held_bytes -= conn->mem_charge;
	conn->mem_charge = 0;
	conn->snd_bytes = 0;
	conn->snd_head = conn->snd_tail = conn->resend_at = NULL;
	if (conn->snd_cursor) {
		conn->snd_cursor = NULL;
		conn->snd_cursor_off = 0;
	}
	rte_pktmbuf_free_seg(m);
}

#endif
