/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The link layer: the ports of a stack, and Ethernet frames in and out of them.
 *
 * Owns the port table and, through neighbour.h, the neighbours. Called by the stack's
 * thread. Internal to l4stack.
 */
#ifndef L4STACK_LINK_LINK_H
#define L4STACK_LINK_LINK_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "l4stack/base/bucket.h"
#include "l4stack/stack_internal.h"

#define LINK_HEADER     14 /* bytes of an Ethernet header */
#define LINK_HEADER_MAX 18 /* and with an 802.1Q tag */

struct neighbours;

struct link_port {
	bool used;
	uint8_t mac[6];
	uint16_t mtu;
	uint16_t vlan; /* 0: frames without a tag */
	uint8_t header_bytes;
	uint8_t claim;      /* enum stack_claim */
	uint32_t offloads;  /* enum stack_offload */
	uint64_t groups[4]; /* IPv6 groups that frames are taken for: by the last byte of their MAC
			     */
	char name[32];
};

struct link_layer {
	struct link_port ports[STACK_PORTS_MAX];
	struct neighbours *neighbours;
	struct bucket arp_limit; /* of ARP replies */
	struct bucket ndp_limit; /* of neighbour advertisements */
};

int link_layer_create(struct stack *stack, struct link_layer **out)
	__attribute__((warn_unused_result));
void link_layer_destroy(struct link_layer *link);

/* -EEXIST; -EINVAL for a number, MTU or MAC no port can have, or when the port cannot send
 * chained mbufs and the header pool's have no room for a whole frame. */
int link_port_add(struct stack *stack, uint16_t port, const struct stack_port_conf *conf)
	__attribute__((warn_unused_result));

/* NULL when there is no such port. */
static inline const struct link_port *link_port(const struct stack *stack, uint16_t port)
{
	if (port >= STACK_PORTS_MAX || !stack->link->ports[port].used)
		return NULL;
	return &stack->link->ports[port];
}

/* Takes frames to the MAC of an IPv6 group from now on (RFC 2464 §7). As in a device, it is a
 * filter with holes: what comes through is looked at again by its address. */
void link_group_join(struct stack *stack, uint16_t port, const struct addr *group);

/* 33:33 and the last four bytes of the group: RFC 2464 §7. */
void link_group_mac(const struct addr *group, uint8_t mac[6]);

/* A frame from a port; takes ownership. */
void link_input(struct stack *stack, uint16_t port, struct rte_mbuf *pkt);

/* Gives a frame to its port; takes ownership. */
static inline void link_give(struct stack *stack, uint16_t port, struct rte_mbuf *pkt)
{
	stack_count(stack, link_packets_out);
	stack_count_add(stack, link_bytes_out, pkt->pkt_len);
	stack_room_use(stack, port);
	stack->ops->output(stack->ops_ctx, port, pkt);
}

/*
 * Sends a packet that starts at its network header and has room for LINK_HEADER_MAX bytes
 * before it: `header` is put there. Takes ownership.
 */
void link_output(struct stack *stack, uint16_t port, const uint8_t header[LINK_HEADER_MAX],
		 struct rte_mbuf *pkt);

/* Writes destination, the port's own address, its tag if it has one, and the type (host order). */
void link_header_make(const struct stack *stack, uint16_t port, const uint8_t dst[6], uint16_t type,
		      uint8_t header[LINK_HEADER_MAX]);

#endif
