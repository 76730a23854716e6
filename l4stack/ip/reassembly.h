/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams of either family from their fragments: RFC 791 §3.2, RFC 8200 §4.5.
 *
 * Fragments that overlap are never joined: the whole datagram is given up, and what still comes
 * of it is dropped (RFC 5722 §4; the same is done for IPv4). What is held is bounded in datagrams,
 * in fragments of one and in mbufs of all; the oldest gives way. Private to ip/.
 */
#ifndef L4STACK_IP_REASSEMBLY_H
#define L4STACK_IP_REASSEMBLY_H

#include "l4stack/ip/ip.h"

struct reassembly;

struct fragment {
	struct ip_rx rx;
	uint32_t id;           /* as it stands in the packet */
	uint16_t header_bytes; /* before its data, in the packet's first segment */
	uint16_t offset;       /* of its data in the datagram, in bytes */
	uint8_t protocol;      /* IPv6: the one that the first fragment says counts */
	bool more;             /* others follow */
};

struct reassembly *reassembly_create(struct stack *stack); /* NULL: no memory */
void reassembly_destroy(struct reassembly *reassembly);

/* False for data that no fragment can have: none at all, or not in units of eight bytes while
 * others follow. */
bool reassembly_length_ok(const struct fragment *fragment, const struct rte_mbuf *pkt);

/* False for data beyond the longest datagram there is. */
bool reassembly_end_ok(const struct fragment *fragment, const struct rte_mbuf *pkt);

/*
 * `pkt` starts at its network header and ends with its data, and has passed both checks. Takes
 * ownership. Returns the datagram when this was the last of it that was missing, with the
 * headers of its first fragment, which `first` then tells; and NULL otherwise.
 */
struct rte_mbuf *reassembly_input(struct reassembly *reassembly, const struct fragment *fragment,
				  struct rte_mbuf *pkt, struct fragment *first);

/* True when the flow of a reassembled packet, which starts at its ports, is this stack's: a
 * device cannot tell whose a fragment is, so that they all come to one worker. */
bool reassembled_is_ours(const struct stack *stack, const struct ip_rx *rx,
			 const struct rte_mbuf *pkt);

#endif
