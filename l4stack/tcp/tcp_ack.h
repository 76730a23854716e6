/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ACK field: RFC 9293 §3.10.7.4, fifth step. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_ACK_H
#define L4STACK_TCP_TCP_ACK_H

#include "l4stack/tcp/tcp_segment.h"

/* RFC 5961 §5.2: it acknowledges what was sent, and nothing too old. */
bool tcp_ack_is_acceptable(const struct tcp_conn *conn, const struct tcp_seg *seg);

/* Takes in an acceptable ACK of a synchronized connection: what it acknowledges, what it tells of
 * losses, and the window. */
void tcp_ack_take(struct tcp_conn *conn, const struct tcp_seg *seg);

/* The ACK of our SYN. */
void tcp_ack_take_syn(struct tcp_conn *conn, const struct tcp_seg *seg);

static inline bool tcp_ack_fin_is_acked(const struct tcp_conn *conn)
{
	return tcp_has(conn, TCP_FIN_SENT) && conn->snd_bytes == 0 &&
	       conn->snd_una == conn->snd_max;
}

#endif
