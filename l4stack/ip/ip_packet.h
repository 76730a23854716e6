/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of ip/ share about packets of either family: protocols, transport checksums,
 * the way to a transport. Private to ip/.
 */
#ifndef L4STACK_IP_IP_PACKET_H
#define L4STACK_IP_IP_PACKET_H

#include <rte_mbuf.h>

#include "l4stack/base/csum.h"
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

/* Where a transport's checksum is, and the device's part in it. */
struct ip_csum_place {
	uint8_t protocol;
	uint16_t offset;
	uint32_t offload; /* enum stack_offload */
	uint64_t flag;    /* of an mbuf */
};
static const struct ip_csum_place ip_tcp_csum = {IP_PROTOCOL_TCP, 16, STACK_TX_TCP_CSUM,
						 RTE_MBUF_F_TX_TCP_CKSUM};

/* What the device wants: the pseudo header's sum in the field, without the length when it
 * cuts (each cut has a length of its own). */
static inline void ip_csum_to_device(const struct ip_path *path, const struct ip_csum_place *place,
				     struct rte_mbuf *pkt, uint16_t tso_segsz)
{
	uint16_t sum = csum_pseudo(&path->src, &path->dst, place->protocol,
				   tso_segsz ? 0 : (uint16_t)pkt->pkt_len);
	bool is_ip6 = path->dst.family == ADDR_IP6;

	__builtin_memcpy(rte_pktmbuf_mtod_offset(pkt, uint8_t *, place->offset), &sum, sizeof(sum));
	pkt->ol_flags |= place->flag | (is_ip6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
			 (tso_segsz ? RTE_MBUF_F_TX_TCP_SEG : 0);
}

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

/* The same with the link's header, for a TCP segment that fits, or that the device cuts: for a path
 * whose next hop is open, and whose device does the sums. Give the frame to its port. */
void ip4_output_tcp(struct stack *stack, const struct ip_path *path, struct rte_mbuf *pkt);
void ip4_output_tcp_cut(struct stack *stack, const struct ip_path *path, struct rte_mbuf *pkt,
			uint16_t tso_segsz);

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

/* The device of its path cuts such a packet, to which IP adds `header_bytes`. */
static inline bool ip_device_cuts(const struct ip_path *path, const struct rte_mbuf *pkt,
				  size_t header_bytes)
{
	if (!(path->offloads & STACK_TX_TSO) || pkt->pkt_len + header_bytes > UINT16_MAX)
		return false;
	return pkt->nb_segs == 1 || (path->offloads & STACK_TX_MULTI_SEG);
}

/* A packet that starts at its TCP header: the checksum is looked at first. Takes ownership. */
void ip_tcp_deliver(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt);

/* An error about a packet of ours, for the transport that sent it. */
void ip_error_deliver(struct stack *stack, const struct ip_error_info *error);

#endif
