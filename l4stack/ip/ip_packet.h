/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of ip/ share about packets of either family: protocols, transport checksums,
 * the way to a transport. Private to ip/.
 */
#ifndef L4STACK_IP_IP_PACKET_H
#define L4STACK_IP_IP_PACKET_H

#include <rte_mbuf.h>

#include "l4stack/ip/ip_layer.h"

#define IP_PROTOCOL_ICMP4 1
#define IP_PROTOCOL_TCP   6
#define IP_PROTOCOL_UDP   17
#define IP_PROTOCOL_ICMP6 58

/* The transport checksum of a received packet that starts at the transport header, by the device's
 * word if the port gives one and in software otherwise. */
bool ip_transport_csum_ok(const struct stack *stack, const struct ip_rx *rx, uint8_t protocol,
			  const struct rte_mbuf *pkt);

/*
 * Completes the transport checksum of a packet to send, which starts at the transport
 * header with the field zero: leaves it to the device of the path if it can (`tso_segsz`
 * not 0: the device cuts as well), or computes it.
 */
void ip_transport_csum_set(struct stack *stack, const struct ip_path *path, uint8_t protocol,
			   struct rte_mbuf *pkt, uint16_t tso_segsz);

/* What makes a packet a fragment of one. */
struct ip_cut {
	uint32_t id; /* in network order */
	uint16_t offset;
	bool more;
};

/* A packet of ours to be sent, that starts at its transport header. */
struct ip_output {
	struct stack *stack;
	struct ip_path *path;
	struct neighbour *neighbour;
	uint8_t protocol;
	uint16_t tso_segsz;       /* not 0: the device cuts, */
	uint16_t cuts;            /* into so many, each with an id of its own */
	const struct ip_cut *cut; /* NULL: it is sent whole */
};

/* The id that all fragments of a packet have. */
uint32_t ip4_cut_id(struct stack *stack, const struct ip_path *path);
uint32_t ip6_cut_id(struct stack *stack, const struct ip_path *path);

/* Sends a packet that is longer than the path's MTU in fragments. Takes ownership. */
void ip_fragment_send(const struct ip_output *out, struct rte_mbuf *pkt);

/* Put the network header before the packet. */
void ip4_header_put(const struct ip_output *out, struct rte_mbuf *pkt);
void ip6_header_put(const struct ip_output *out, struct rte_mbuf *pkt);

/* Transports that are told of errors about their packets. */
static inline bool ip_has_errors(uint8_t protocol)
{
	return protocol == IP_PROTOCOL_TCP || protocol == IP_PROTOCOL_UDP;
}

/* The bytes of the TCP header that `pkt` starts with; one of ours, so it is right. */
static inline uint16_t ip_tcp_header_bytes(const struct rte_mbuf *pkt)
{
	return (uint16_t)(*rte_pktmbuf_mtod_offset(pkt, const uint8_t *, 12) >> 4 << 2);
}

/* A packet that starts at its TCP header: the checksum is looked at first. Takes ownership. */
void ip_tcp_deliver(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt);

/* An error about a packet of ours, for the transport that sent it. */
void ip_error_deliver(struct stack *stack, const struct ip_error_info *error);

#endif
