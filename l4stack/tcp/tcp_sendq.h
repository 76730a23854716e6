/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The send queue: payload from snd_una on, held until it is acknowledged.
 *
 * The cursor stands at snd_nxt. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_SENDQ_H
#define L4STACK_TCP_TCP_SENDQ_H

#include "l4stack/tcp/tcp_conn.h"

/* Takes ownership of the chain. */
void tcp_sendq_append(struct tcp_conn *conn, struct rte_mbuf *chain);

/* Frees the first `bytes`; the caller moves snd_una, and snd_nxt if it was left behind. */
void tcp_sendq_ack(struct tcp_conn *conn, uint32_t bytes);

/* snd_nxt and the cursor: back to snd_una, or on by `bytes`. */
void tcp_sendq_rewind(struct tcp_conn *conn);
void tcp_sendq_advance(struct tcp_conn *conn, uint32_t bytes);

/* Where the byte `seq` stands: *off bytes into the mbuf. NULL at the end of the queue. */
struct rte_mbuf *tcp_sendq_seek(const struct tcp_conn *conn, uint32_t seq, uint32_t *off);

void tcp_sendq_free(struct tcp_conn *conn);

#endif
