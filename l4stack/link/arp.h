/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Address Resolution Protocol (RFC 826), for neighbour.h. Holds no state of its own
 * but a rate limit. Called by the stack's thread. Internal to l4stack.
 */
#ifndef L4STACK_LINK_ARP_H
#define L4STACK_LINK_ARP_H

#include "l4stack/stack.h"

/* A packet that starts at its ARP header; takes ownership. `to_us` is false when the frame
 * went to a group. */
void arp_input(struct stack *stack, uint16_t port, struct rte_mbuf *pkt, bool to_us);

/* Asks for `target`: everyone, or with `mac` that station only. */
void arp_request(struct stack *stack, uint16_t port, const struct addr *target, const uint8_t *mac);

/* RFC 5227 §1.1: asks whether anybody has `addr`, which is to be ours; tells all that it is. */
void arp_probe(struct stack *stack, uint16_t port, const struct addr *addr);
void arp_announce(struct stack *stack, uint16_t port, const struct addr *addr);

#endif
