/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may hold how much of the memory for payload, which is charged at its true size.
 *
 * Nobody's part is fixed: a connection may hold as much as is free at the moment of 5/8 of a
 * share, and never more than its own limit. So a few may use much while others need little, and the
 * more there are that hold on to it (peers that never read, owners that never take), the less each
 * of them gets; and they leave 3/8 to those that need little, so that new connections are served.
 * A connection that holds nothing has always room for a little: it gets no event that would tell it
 * that there is room again.
 *
 * When the share of what was received runs low, this happens in turn, and is counted:
 *
 *	3/4   SYNs are refused, receive buffers grow no more
 *	7/8   what waits out of order is given up, oldest connection first; windows close
 *	all   segments are dropped
 *
 * Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_BUDGET_H
#define L4STACK_TCP_TCP_BUDGET_H

#include "l4stack/tcp/tcp_conn.h"

#define TCP_BUDGET_LITTLE 16384u

/* What a SYN or SYN-ACK offers at most: a promise that cannot be taken back, made before anything
 * is known of the peer. 64 KiB when there is that much for everyone, else what a peer sends at once
 * (RFC 6928). */
uint16_t tcp_budget_syn_window(uint64_t share_bytes, uint32_t max_conns);

/* True when more than so many eighths of the receive share are held. */
static inline bool tcp_budget_recv_above(const struct tcp_proto *tcp, uint64_t eighths)
{
	return tcp->recv_held_bytes > tcp->share_bytes / 8 * eighths;
}

/* What a connection may hold altogether, by the state of its share. */
uint32_t tcp_budget_recv_most(const struct tcp_conn *conn);
uint32_t tcp_budget_send_most(const struct tcp_conn *conn);

/* Payload bytes that may still be given to a connection. */
uint32_t tcp_budget_send_room(const struct tcp_conn *conn);

/* The owner has taken `bytes`: the receive buffer grows with what it takes in a round trip
 * (dynamic right-sizing), up to what was configured. */
void tcp_budget_taken(struct tcp_conn *conn, uint32_t bytes);

#endif
