/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYN cookies: RFC 4987 §3.6. When a listener's records are used up, the initial sequence
 * number itself carries what has to be remembered of a SYN, under a key of ours.
 *
 *	31      27 26   24 23                     0
 *	| minute's | MSS, | what the key makes of   |
 *	| number   | index| the tuple and the rest  |
 *
 * Where the peer sends time stamps, the lowest bits of ours carry its window scale and whether it
 * knows SACK; they come back as TSecr. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_COOKIE_H
#define L4STACK_TCP_TCP_COOKIE_H

#include "l4stack/tcp/tcp_conn.h"

struct tcp_seg;

/* Answers a SYN, and keeps nothing of it. */
void tcp_cookie_answer(struct tcp_listener *listener, const struct tcp_seg *syn,
		       uint32_t ts_offset);

/* An ACK to a listener. False when it carries no cookie of ours. Else *conn is the connection, in
 * SYN-RECEIVED, whose segment it is; NULL when there is no room for it. */
bool tcp_cookie_accept(struct tcp_listener *listener, const struct tcp_seg *ack,
		       struct tcp_conn **conn);

#endif
