/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The link layer: the ports of a stack, and Ethernet frames in and out of them.
 *
 * Owns the port table and, through neighbour.h, the neighbours. Called by the stack's
 * thread. Internal to l4stack.
 */
#ifndef L4STACK_LINK_LINK_H
#define L4STACK_LINK_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "l4stack/base/bucket.h"
#include "l4stack/stack.h"

#define LINK_PORTS_MAX 64
#define LINK_HEADER    14 /* bytes of an Ethernet header */

struct neighbours;

struct link_port {
	bool used;
	uint8_t mac[6];
	uint16_t mtu;
	uint32_t offloads; /* enum stack_offload */
	char name[32];
};

struct link_layer {
	struct link_port ports[LINK_PORTS_MAX];
	struct neighbours *neighbours;
	struct bucket arp_limit; /* of ARP replies */
};

int link_layer_create(struct stack *stack, struct link_layer **out)
	__attribute__((warn_unused_result));
void link_layer_destroy(struct link_layer *link);

/* -EEXIST; -EINVAL for a number, MTU or MAC no port can have, or when the port cannot send
 * chained mbufs and the header pool's have no room for a whole frame. */
int link_port_add(struct stack *stack, uint16_t port, const struct stack_port_conf *conf)
	__attribute__((warn_unused_result));

/* NULL when there is no such port. */
const struct link_port *link_port(const struct stack *stack, uint16_t port);

/* A frame from a port; takes ownership. */
void link_input(struct stack *stack, uint16_t port, struct rte_mbuf *pkt);

/*
 * Sends a packet that starts at its network header and has room for LINK_HEADER bytes
 * before it: `header` is put there. Takes ownership.
 */
void link_output(struct stack *stack, uint16_t port, const uint8_t header[LINK_HEADER],
		 struct rte_mbuf *pkt);

/* Writes destination, the port's own address and the type (host order). */
void link_header_make(const struct stack *stack, uint16_t port, const uint8_t dst[6], uint16_t type,
		      uint8_t header[LINK_HEADER]);

#endif
