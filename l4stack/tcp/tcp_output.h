/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a connection sends when it is its turn: tcp_proto_flush. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_OUTPUT_H
#define L4STACK_TCP_TCP_OUTPUT_H

#include "l4stack/tcp/tcp_conn.h"

/* Data or FIN waits that was not sent yet, or has to be sent again. */
bool tcp_output_waits(const struct tcp_conn *conn);

/* Data that was never sent waits, and the peer's window takes some of it. */
bool tcp_output_has_new(const struct tcp_conn *conn);

/* The peer's window has room for a segment worth sending: RFC 9293 §3.8.6.2.1. */
bool tcp_output_window_is_open(const struct tcp_conn *conn);

#endif
