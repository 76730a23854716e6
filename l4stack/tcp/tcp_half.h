/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Half-open connections of listeners: SYN-RECEIVED (RFC 9293 §3.10.7.4), without the connection.
 *
 * A record is two cache lines and all that the SYN said; the connection is made when the handshake
 * is done. Records stand in queues by how often their SYN-ACK was sent: all in a queue wait
 * equally long, so each is in order and one timer serves them all. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_HALF_H
#define L4STACK_TCP_TCP_HALF_H

#include "l4stack/tcp/tcp_conn.h"

struct tcp_ident;
struct tcp_seg;

#define TCP_HALVES_MOST 65536u

struct tcp_half {
	TAILQ_ENTRY(tcp_half) in_queue;
	uint64_t hash;
	struct tcp_listener *listener;
	struct addr local, remote;
	uint16_t local_port, remote_port;
	uint32_t iss, irs;
	uint32_t ts_recent; /* of the SYN */
	uint32_t ts_offset;
	uint32_t sent_us; /* when the first SYN-ACK went out */
	uint32_t due_ms;
	uint16_t window, mss; /* of the SYN */
	uint16_t flags;       /* of the SYN: enum tcp_flag */
	uint8_t options;      /* agreed: enum tcp_option_bit */
	uint8_t snd_wscale, rcv_wscale;
	uint8_t queue; /* where it stands */
	uint8_t tries; /* how often the SYN-ACK was sent */
	bool resent;   /* which of them is answered is not known */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct tcp_half) == 128, "two lines");

void tcp_half_init(struct tcp_proto *tcp);
void tcp_half_fini(struct tcp_proto *tcp);

/* A record for this SYN, whose SYN-ACK goes out with the next flush. False: no room for one. */
bool tcp_half_open(struct tcp_listener *listener, const struct tcp_seg *syn,
		   const struct tcp_ident *ident);

bool tcp_half_match(const struct tcp_half *half, const struct endpoint *local,
		    const struct endpoint *remote);

/* A segment for a record. Returns the connection when the segment has completed the handshake: the
 * record is gone then, and the segment is the connection's to process. */
struct tcp_conn *tcp_half_input(struct tcp_proto *tcp, struct tcp_half *half,
				const struct tcp_seg *seg);

/* The connection that a record stands for, in SYN-RECEIVED, its SYN-ACK sent. `ref` is what it
 * takes the place of in the table; 0: nothing. NULL: no room. */
struct tcp_conn *tcp_half_promote(struct tcp_proto *tcp, const struct tcp_half *half,
				  uintptr_t ref);

/* What a SYN says that has to be remembered: everything but the queue. */
void tcp_half_fill(struct tcp_half *half, struct tcp_listener *listener, const struct tcp_seg *syn,
		   const struct tcp_ident *ident);

/* The SYN-ACK of a record. */
struct tcp_reply tcp_half_syn_ack(const struct tcp_proto *tcp, const struct tcp_half *half);

/* Sends the SYN-ACKs that are due. */
void tcp_half_flush(struct tcp_proto *tcp);

/* The listener goes: its records are reset. */
void tcp_half_unlisten(struct tcp_listener *listener);

#endif
