/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers to segments of no connection. They wait for the flush in a ring that is
 * bounded: what does not fit is not answered. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_REPLY_H
#define L4STACK_TCP_TCP_REPLY_H

#include "l4stack/tcp/tcp_conn.h"

struct tcp_seg;

/* RFC 9293 §3.10.7.1: the RST that fits the segment; none in answer to a RST. */
void tcp_reply_reset(struct tcp_proto *tcp, const struct tcp_seg *seg);

void tcp_reply_push(struct tcp_proto *tcp, const struct tcp_reply *reply);
void tcp_reply_flush(struct tcp_proto *tcp);

#endif
