/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments that arrive: RFC 9293 §3.10.7. tcp_input.c finds whose it is; the others each
 * process a group of states. Each function frees nothing: what is left in seg->pkt is
 * freed by tcp_proto_input. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_INPUT_H
#define L4STACK_TCP_TCP_INPUT_H

#include "l4stack/tcp/tcp_segment.h"

#define TCP_STAGE_MOST 16

/* A segment that was read, and waits for its connection to come into the cache. */
struct tcp_staged {
	uint64_t tag;  /* of tcp_recent.h */
	uint64_t hash; /* of the table; 0: the connection was one of the recent ones */
	struct tcp_seg seg;
};

struct tcp_input_stage {
	uint32_t n;
	struct tcp_staged segments[TCP_STAGE_MOST];
};

int tcp_input_create(struct tcp_proto *tcp) __attribute__((warn_unused_result));
void tcp_input_destroy(struct tcp_proto *tcp);

/* Processes the segments that wait: before anything that depends on them. */
void tcp_input_staged(struct tcp_proto *tcp);

/* §3.10.7.3 */
void tcp_input_syn_sent(struct tcp_conn *conn, struct tcp_seg *seg);

/* §3.10.7.4, all other states. */
void tcp_input_synchronized(struct tcp_conn *conn, struct tcp_seg *seg);

/* The usual segment of an established connection. False when it is not that: then nothing was done.
 */
bool tcp_input_fast(struct tcp_conn *conn, struct tcp_seg *seg);

/* §3.10.7.4, seventh and eighth step: text and FIN. */
void tcp_input_text(struct tcp_conn *conn, struct tcp_seg *seg);

/* In order and entirely new, with nothing out of order: the fast path's text. False: no room. */
bool tcp_input_text_in_order(struct tcp_conn *conn, struct tcp_seg *seg);

/* RFC 5961 §7: an ACK that makes the peer prove itself, as often as the limit allows. */
void tcp_input_challenge(struct tcp_conn *conn);

/* The answer to a probe, of the peer's by its number: limited for its connection alone, for what
 * strangers do to others must not leave it without. */
void tcp_input_probed(struct tcp_conn *conn);

#endif
