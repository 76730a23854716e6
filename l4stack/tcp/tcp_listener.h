/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listeners: found by local address and port, a listener on every address last.
 *
 * A listener's backlog holds its connections until they are handed over; it is bounded.
 * Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_LISTENER_H
#define L4STACK_TCP_TCP_LISTENER_H

#include "l4stack/tcp/tcp_conn.h"

struct tcp_seg;

struct tcp_listener *tcp_listener_find(const struct tcp_proto *tcp, const struct endpoint *local);
bool tcp_listener_on_port(const struct tcp_proto *tcp, uint16_t port);

/* A SYN: makes a connection in SYN-RECEIVED. `iss_floor` is 0, or what its ISN has to be after. */
void tcp_listener_syn(struct tcp_listener *listener, const struct tcp_seg *syn, uint32_t iss_floor);

void tcp_listener_destroy_all(struct tcp_proto *tcp);

#endif
