/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The retransmission timer, which waits for one of three: the retransmission timeout; before
 * it, a tail loss probe (TLP, RFC 8985 §7), which makes the peer tell what it has; before
 * both, the end of RACK's reordering window. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_PROBE_H
#define L4STACK_TCP_TCP_PROBE_H

#include "l4stack/tcp/tcp_recovery.h"

/* A SYN, or its answer, was sent: the timeout of what may follow it counts from there (RFC 7413).
 */
void tcp_probe_syn_sent(struct tcp_conn *conn);
/* RFC 6298 §5.1 to §5.3: something was sent; or new data was acknowledged, and the timeout
 * begins anew. */
void tcp_probe_sent(struct tcp_conn *conn);
void tcp_probe_acked(struct tcp_conn *conn);

/* tcp_probe_sent when nothing was in flight before, and no loss is known or suspected. */
void tcp_probe_sent_first(struct tcp_conn *conn);

/* RACK wants to look again in so many µs; 0: it does not. */
void tcp_probe_wait_reorder(struct tcp_conn *conn, uint32_t wait_us);

/* The timer has fired, and not for the timeout: true when that was all. */
bool tcp_probe_timer(struct tcp_conn *conn);

/* [seq, end) went out as a probe. */
void tcp_probe_note(struct tcp_conn *conn, uint32_t end, bool resent);

/* §7.4: what an ACK says of the last probe. */
void tcp_probe_take(struct tcp_conn *conn, const struct tcp_ack *ack);

#endif
