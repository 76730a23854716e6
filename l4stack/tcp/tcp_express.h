/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The short way in: from the frame to its connection in one go, for segments of connections that
 * were heard of lately. Steps of tcp_proto.h: tcp_proto_burst and tcp_proto_take.
 *
 * For a packet as link_express.h and ip_express.h have it, and any segment but SYN. Anything else
 * is refused before anything has changed, and goes through the layers. The two do the same: behind
 * the headers both are tcp_input_conn, of which the usual segment's part is done here at once.
 *
 * The addresses of a packet are not looked up. A connection is among the recent ones (tcp_recent.h)
 * only when a segment of it has come through the layers since addresses or routes have changed:
 * then those of the next one are as good.
 *
 * What is of no connection of late, a SYN or the end of a handshake, is staged as the layers would:
 * tcp_input_stage. That too only if its addresses are good: over IPv4, whose are known in pairs.
 *
 * Segments of one connection keep their order: one that waits in the stage goes before.
 * Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_EXPRESS_H
#define L4STACK_TCP_TCP_EXPRESS_H

#include "l4stack/tcp/tcp_conn.h"

int tcp_express_create(struct tcp_proto *tcp) __attribute__((warn_unused_result));
void tcp_express_destroy(struct tcp_proto *tcp);

#endif
