/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP as the transports see it: a path to a peer, and packets sent along it.
 * Internal to l4stack.
 */
#ifndef L4STACK_IP_IP_H
#define L4STACK_IP_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "l4stack/base/addr.h"

struct rte_mbuf;
struct stack;
struct neighbour;

/* Where packets to one peer go. Looked up once for each connection and kept; the stack
 * bumps a generation when routes or addresses change, and ip_path_valid tells. */
struct ip_path {
	struct addr src, dst;
	struct neighbour
		*neighbour; /* next hop; NULL before the first packet. Held until release */
	uint32_t generation;
	uint16_t port;
	uint16_t mtu;          /* the port's, or what is known to be less */
	uint32_t offloads;     /* enum stack_offload of the port */
	uint8_t ecn;           /* the two ECN bits of what is sent; the transport sets them */
	uint8_t flow_label[3]; /* of IPv6, in network order; 0: not yet chosen. RFC 6437 */
};

/* `src` may be family ADDR_NONE: then the port's own address is chosen. 0, -ENETUNREACH,
 * -EADDRNOTAVAIL. */
int ip_path_find(struct stack *stack, const struct addr *dst, const struct addr *src,
		 struct ip_path *out) __attribute__((warn_unused_result));
void ip_path_release(struct stack *stack, struct ip_path *path);

/* What its port carries, and so may come in. */
uint16_t ip_path_port_mtu(const struct stack *stack, const struct ip_path *path);

/* The transport knows for sure what the whole way carries: paths to that peer that are found in
 * the next ten minutes begin with it. As much as the port or more: what was known is forgotten. */
void ip_path_learn_mtu(struct stack *stack, const struct ip_path *path, uint16_t mtu);

/* The transport has proof that its packets arrive: new data acknowledged. Cheap; spares the
 * neighbour a probe. */
void ip_path_confirm(struct stack *stack, struct ip_path *path);

/*
 * Sends a transport packet. `pkt` starts at the transport header, all of it in the first
 * segment with at least 64 bytes of headroom before it; pkt_len and nb_segs are right. The
 * transport checksum field is left zero by the caller: this function completes it, by the
 * device (ol_flags) or in software, and cuts a packet longer than the MTU (tso_segsz is the
 * TCP payload of one cut) by the device or in software. Takes ownership; a packet that waits
 * for its neighbour is queued (bounded) and counted when it is dropped.
 */
void ip_output(struct stack *stack, struct ip_path *path, uint8_t protocol, struct rte_mbuf *pkt,
	       uint16_t tso_segsz);

/* What the IP input tells the transport about a packet it hands over. The packet's data starts
 * at the transport header and ends with the IP payload (padding trimmed); the transport checksum
 * is already verified; multi-segment packets (LRO) may come. */
struct ip_rx {
	struct addr src, dst;
	uint16_t port;
	uint8_t ecn; /* the two ECN bits */
	uint8_t ttl;
};

/* ICMP about a packet of ours, handed to the transport (quoted header at least 8 bytes). */
enum ip_error { IP_ERROR_UNREACHABLE_SOFT, IP_ERROR_UNREACHABLE_HARD, IP_ERROR_TOO_BIG };
struct ip_error_info {
	enum ip_error kind;
	uint16_t mtu;              /* TOO_BIG */
	struct addr local, remote; /* of the quoted packet: local is its source */
	uint8_t quoted[8];
	uint8_t protocol; /* which transport's packet it was */
};
#endif
