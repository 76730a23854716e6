/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a connection sends of its queue, new or again, as much as windows and pace allow. Whose turn
 * it is: tcp_flush.c. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_OUTPUT_H
#define L4STACK_TCP_TCP_OUTPUT_H

#include "l4stack/tcp/tcp_conn.h"
#include "l4stack/tcp/tcp_seq.h"

/* Its port takes new data: stack_port_room. */
static inline bool tcp_output_has_room(const struct tcp_conn *conn)
{
	return conn->tcp->stack->room[conn->path.port] > STACK_ROOM_KEPT;
}

/* Its port takes nothing. */
static inline bool tcp_output_port_is_full(const struct tcp_conn *conn)
{
	return !conn->tcp->stack->room[conn->path.port];
}

/* Data or FIN waits that was not sent yet, or has to be sent again. */
bool tcp_output_waits(const struct tcp_conn *conn);

/* Data that was never sent waits, and the peer's window takes some of it. */
bool tcp_output_has_new(const struct tcp_conn *conn);

/* The peer's window has room for a segment worth sending: RFC 9293 §3.8.6.2.1. */
bool tcp_output_window_is_open(const struct tcp_conn *conn);

/* Sends what may go. False: there were no mbufs for all of it. */
bool tcp_output_data(struct tcp_conn *conn);

/* The whole turn of a connection that is synchronized, without the questions whose answers are
 * known in the usual case. False: it was not that, or not all of it went out. */
bool tcp_output_short(struct tcp_conn *conn);

/* The segment that goes now is the one whose way is timed, unless another is on its way. */
static inline void tcp_output_time_rtt(struct tcp_conn *conn)
{
	if (tcp_has(conn, TCP_RTT_TIMED | TCP_RESENT))
		return;
	conn->flags |= TCP_RTT_TIMED;
	conn->rtt_seq = conn->snd_max;
	conn->rtt_start_us = (uint32_t)conn->tcp->stack->now_us;
}

/* How much of the congestion window the last round trip has used, by its fullest moment. */
static inline void tcp_output_note_used(struct tcp_conn *conn, uint32_t used)
{
	if (used < conn->used_most && seq_lt(conn->snd_una, conn->used_end))
		return;
	conn->used_most = used;
	conn->used_end = conn->snd_nxt;
}

#endif
