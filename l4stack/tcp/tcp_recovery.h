/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loss: what the peer's ACKs tell of it, and what is done about it.
 *
 * With SACK losses are found by RACK (RFC 8985) on the scoreboard of RFC 6675; without it by
 * three duplicate ACKs, as NewReno does (RFC 6582), where each of them counts as one segment that
 * has left the network. The flight is then brought down by PRR. The congestion window is
 * never inflated: what is in the network ("pipe") is known instead, which comes to the same and
 * gives limited transmit (RFC 3042) for nothing.
 *
 * A connection is in one of three conditions: open; in fast recovery (TCP_RECOVERY); or after a
 * timeout (TCP_LOSS_TIMEOUT). The last two end when everything is acknowledged that had been sent
 * when they began (`recover`), or when the loss is found to have been none (tcp_undo.h).
 * Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_RECOVERY_H
#define L4STACK_TCP_TCP_RECOVERY_H

#include "l4stack/tcp/tcp_segment.h"

/* One ACK while it is processed. */
struct tcp_ack {
	const struct tcp_seg *seg;
	struct tcp_news news;
	uint32_t flight; /* "pipe" before it */
	uint32_t acked;  /* what it acknowledges by number */
	bool duplicate;  /* RFC 5681 §2, or SACK that tells something new */
	bool sacked;     /* has SACK blocks that are not DSACK */
	bool dsack;      /* RFC 2883: this was received twice, */
	struct tcp_sack_block twice;
};

/* Bytes believed to be in the network. */
uint32_t tcp_recovery_pipe(const struct tcp_conn *conn);

static inline bool tcp_recovery_is_open(const struct tcp_conn *conn)
{
	return !tcp_has(conn, TCP_RECOVERY) && !(conn->loss & TCP_LOSS_TIMEOUT);
}

/* Begins an ACK: takes in its SACK blocks. */
struct tcp_ack tcp_recovery_begin(struct tcp_conn *conn, const struct tcp_seg *seg);

/* The rest, when the scoreboard knows what it acknowledges and snd_una has moved. */
void tcp_recovery_take(struct tcp_conn *conn, struct tcp_ack *ack);

/* Nothing is lost or suspected to be, and no ACK told of trouble lately. What could still turn out
 * to have been no loss does not matter: DSACK would tell. */
static inline bool tcp_recovery_is_clean(const struct tcp_conn *conn)
{
	return !(conn->loss & ~TCP_LOSS_UNDO) && !tcp_has(conn, TCP_RECOVERY | TCP_RESENT) &&
	       !conn->dup_acks && !conn->snd_left && !conn->rack.in_dsack_round;
}

/* tcp_recovery_take of an ACK for all that was in flight, `bytes` that went out together, while
 * that is so. */
void tcp_recovery_take_clean(struct tcp_conn *conn, const struct tcp_seg *seg,
			     const struct tcp_stamp *stamp, uint32_t bytes);

/* A retransmission timeout: everything from snd_una on goes out again, as it has to. */
void tcp_recovery_timeout(struct tcp_conn *conn);

/* RFC 8985 §6.2 step 5: the time that reordering was given is over. */
void tcp_recovery_reorder_timeout(struct tcp_conn *conn);

/* What is in flight was dropped, and not by congestion: it is sent again in pieces that fit. */
void tcp_recovery_too_big(struct tcp_conn *conn);

#endif
