/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The short way in: from the frame to its connection in one go, for the usual segment of a
 * connection that was heard of lately. Steps of tcp_proto.h: tcp_proto_burst and what follows it.
 *
 * Usual is what link_express.h and ip_express.h say, a TCP header with no option or with time
 * stamps laid out as RFC 7323 appendix A has them, and what tcp_input_is_usual says. Anything else is
 * refused before anything has changed, and goes the long way. The two do the same: both end
 * in tcp_input_take_usual.
 *
 * The addresses of a packet are not looked up. A connection is among the recent ones (tcp_recent.h)
 * only when a segment of it has come through the layers since addresses or routes have changed:
 * then those of the next one are as good.
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
