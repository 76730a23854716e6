/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Explicit congestion notification: RFC 3168 §6.1.
 *
 * Agreed in the handshake: when the peer asks, and when the owner does, unless he wants none. New
 * data then says that it may be marked (ECT(0)); SYN, pure ACKs, probes and what is sent again do
 * not (§6.1.1, §6.1.4 to §6.1.6). The receiver tells of a mark in every ACK until the sender says
 * that it has reacted; the sender reacts as to a loss, once for each window. Internal to
 * l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_ECN_H
#define L4STACK_TCP_TCP_ECN_H

#include "l4stack/tcp/tcp.h"
#include "l4stack/tcp/tcp_segment.h"

enum tcp_ecn_flag {
	TCP_ECN_ASKS = 1 << 0,    /* the owner wants it */
	TCP_ECN_ASKED = 1 << 1,   /* in our SYN */
	TCP_ECN_ON = 1 << 2,      /* agreed */
	TCP_ECN_ECHO = 1 << 3,    /* a mark was seen: the peer is told until it says CWR */
	TCP_ECN_REDUCED = 1 << 4, /* the next new data says CWR */
	TCP_ECN_REFUSED = 1 << 5, /* the owner, or congestion control, does without */
};

/* The two bits in the IP header: §5. */
enum tcp_ecn_bits { TCP_ECN_NOT_ECT = 0, TCP_ECN_ECT0 = 2, TCP_ECN_CE = 3 };

/* What the owner has set; congestion control is chosen. */
void tcp_ecn_init(struct tcp_conn *conn, enum tcp_ecn use);

/* What a SYN-ACK says to a SYN with these flags, for an owner and a congestion control. */
uint16_t tcp_ecn_answer(enum tcp_ecn use, const struct cc_ops *ops, uint16_t syn_flags);

/* The flags of our SYN or SYN-ACK; what the peer's says. */
uint16_t tcp_ecn_syn_flags(struct tcp_conn *conn);
void tcp_ecn_take_syn(struct tcp_conn *conn, const struct tcp_seg *syn);

/* The peer's SYN came again. */
void tcp_ecn_take_syn_again(struct tcp_conn *conn, const struct tcp_seg *syn);

/* An acceptable segment of a connection that uses ECN, when its ACK was processed, before which
 * `flight_bytes` were in the network. */
void tcp_ecn_take(struct tcp_conn *conn, const struct tcp_seg *seg, uint32_t flight_bytes);

/* §6.1.2: an ACK that tells of a mark lets the window grow no further. */
static inline bool tcp_ecn_holds(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
	return conn->ecn & TCP_ECN_ON && seg->flags & TCP_ECE;
}

/* The window was reduced for a loss: that answers marks too, and is told (§6.1.2). */
void tcp_ecn_reduced(struct tcp_conn *conn);

/* The flags of a segment with an ACK; `fresh`: with data that was never sent. */
uint16_t tcp_ecn_flags(struct tcp_conn *conn, bool fresh);

/* The bits of its IP header. */
static inline uint8_t tcp_ecn_bits(const struct tcp_conn *conn, bool fresh)
{
	return fresh && conn->ecn & TCP_ECN_ON ? TCP_ECN_ECT0 : TCP_ECN_NOT_ECT;
}

#endif
