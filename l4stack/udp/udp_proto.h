/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UDP as the stack's coordinator and ip/ see it. Internal to l4stack.
 */
#ifndef L4STACK_UDP_UDP_PROTO_H
#define L4STACK_UDP_UDP_PROTO_H

#include "l4stack/ip/ip.h"
#include "l4stack/stack.h"

struct udp_proto;

int udp_proto_create(struct stack *stack, struct udp_proto **out)
	__attribute__((warn_unused_result));
void udp_proto_destroy(struct udp_proto *udp);

/* A packet that starts at its UDP header, its checksum not yet looked at. Takes ownership. False:
 * nobody listens there, and the packet is still the caller's. */
bool udp_proto_input(struct udp_proto *udp, const struct ip_rx *rx, struct rte_mbuf *pkt);
void udp_proto_error(struct udp_proto *udp, const struct ip_error_info *error);
void udp_proto_deliver(struct udp_proto *udp);

/* True when events wait for deliver. */
bool udp_proto_pending(const struct udp_proto *udp);

#endif
