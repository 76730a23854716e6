/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listeners: found by local address and port, a listener on every address last.
 *
 * A SYN makes a half-open record (tcp_half.h); when a listener has as many as it may, the others
 * get cookies (tcp_cookie.h). The backlog holds connections from the end of the handshake until
 * they are handed over.
 * Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_LISTENER_H
#define L4STACK_TCP_TCP_LISTENER_H

#include "l4stack/tcp/tcp_conn.h"

struct tcp_seg;

struct tcp_listener *tcp_listener_find(const struct tcp_proto *tcp, const struct endpoint *local);
bool tcp_listener_on_port(const struct tcp_proto *tcp, uint16_t port);

/* A SYN. `iss_floor` is 0, or what our ISN has to be after. */
void tcp_listener_syn(struct tcp_listener *listener, struct tcp_seg *syn, uint32_t iss_floor);

/* A connection in SYN-RECEIVED and in the backlog, for the tuple of a SYN; `ref` is what it takes
 * the place of in the table, or 0. NULL: no room. */
struct tcp_conn *tcp_listener_conn(struct tcp_listener *listener, const struct tcp_seg *syn,
				   uint64_t hash, uintptr_t ref);

/* The window field and the shift of its SYN-ACKs. */
uint16_t tcp_listener_window(const struct tcp_listener *listener);
uint8_t tcp_listener_wscale(const struct tcp_listener *listener);

void tcp_listener_destroy_all(struct tcp_proto *tcp);

#endif
