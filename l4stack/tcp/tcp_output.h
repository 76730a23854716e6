/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a connection sends of its queue, new or again, as much as windows and pace allow. Whose turn
 * it is: tcp_flush.c. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_OUTPUT_H
#define L4STACK_TCP_TCP_OUTPUT_H

#include "l4stack/tcp/tcp_conn.h"

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
void tcp_output_time_rtt(struct tcp_conn *conn);

#endif
