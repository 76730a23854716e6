/* SPDX-License-Identifier: BSD-3-Clause */
/* Multicast listener queries, for icmp6.c. What address.c asks is in ip_layer.h. Private to ip/. */
#ifndef L4STACK_IP_MLD_H
#define L4STACK_IP_MLD_H

#include "l4stack/ip/ip6.h"

#define MLD_TYPE_QUERY 130

/* A query that starts at its ICMPv6 header, its checksum right; takes ownership. */
void mld_input(struct stack *stack, const struct ip6_packet *packet, struct rte_mbuf *pkt);

#endif
