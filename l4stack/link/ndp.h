/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbor Discovery for IPv6 (RFC 4861), for neighbour.h: what arp.h is for IPv4. Holds no state
 * of its own but a rate limit. Router advertisements and redirects are not followed: routes
 * are configured here. Called by the stack's thread. Internal to l4stack.
 */
#ifndef L4STACK_LINK_NDP_H
#define L4STACK_LINK_NDP_H

#include "l4stack/ip/ip.h"
#include "l4stack/stack.h"

#define NDP_TYPE_FIRST 133 /* router solicitation; then router advertisement, neighbor */
#define NDP_TYPE_LAST  137 /* solicitation, neighbor advertisement, redirect */

/* A message that starts at its ICMPv6 header, its checksum right; takes ownership. */
void ndp_input(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt);

/* Asks for `target`: all that may have it, or with `mac` that station only. */
void ndp_solicit(struct stack *stack, uint16_t port, const struct addr *target, const uint8_t *mac);

/* RFC 4862 §5.4.2: asks whether anybody has `addr`, which is to be ours. */
void ndp_probe(struct stack *stack, uint16_t port, const struct addr *addr);

/* RFC 4861 §7.2.6: tells all that `addr` is ours. */
void ndp_announce(struct stack *stack, uint16_t port, const struct addr *addr);

/* The group in which those who have `addr` listen: RFC 4291 §2.7.1. With the zone of the port. */
struct addr ndp_solicited_node(uint16_t port, const struct addr *addr);

#endif
