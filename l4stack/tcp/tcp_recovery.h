/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loss: what the peer's ACKs tell of it, and what is to be sent again.
 *
 * With SACK as RFC 6675 says; without it as NewReno does (RFC 6582), where each duplicate
 * ACK counts as one segment that has left the network. The congestion window is not
 * inflated: what is in the network ("pipe") is estimated instead, which comes to the
 * same and gives limited transmit (RFC 3042) for nothing. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_RECOVERY_H
#define L4STACK_TCP_TCP_RECOVERY_H

#include "l4stack/tcp/tcp_conn.h"

struct tcp_seg;

/* Bytes above snd_una that the peer reports to hold. */
uint32_t tcp_recovery_sacked(const struct tcp_conn *conn);

/* Bytes believed to be in the network. */
uint32_t tcp_recovery_pipe(const struct tcp_conn *conn);

/* Takes in the SACK blocks of a segment; true when they tell something new. */
bool tcp_recovery_sack(struct tcp_conn *conn, const struct tcp_seg *seg);

/* A duplicate ACK (RFC 5681 §2). */
void tcp_recovery_duplicate(struct tcp_conn *conn);

/* snd_una has moved by `acked`. True when congestion control may grow the window by it. */
bool tcp_recovery_acked(struct tcp_conn *conn, uint32_t acked);

/* A retransmission timeout: everything from snd_una on goes out again, as it has to. */
void tcp_recovery_timeout(struct tcp_conn *conn);

/* During fast recovery with SACK: what to send again next. False when nothing is lost. */
bool tcp_recovery_next(const struct tcp_conn *conn, uint32_t *seq, uint32_t *len);

/* How much from `seq` on the peer does not hold yet; *skip bytes before that it does. */
uint32_t tcp_recovery_missing(const struct tcp_conn *conn, uint32_t seq, uint32_t *skip);

#endif
