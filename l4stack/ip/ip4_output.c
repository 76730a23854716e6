/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4's header, as we send it: RFC 791. */
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/base/csum.h"
#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip4.h"
#include "l4stack/link/link.h"
#include "l4stack/link/neighbour.h"

#define TTL 64

/* The first of `count` ids. Counters by destination, so that nobody can watch our traffic to
 * others in the ids of his. */
static inline uint16_t ids_take(struct ip_layer *ip, const struct addr *dst, uint16_t count)
{
	uint64_t mixed = (addr_ip4(dst) ^ ip->id_key >> 32) * ip->id_key;
	uint16_t *next = &ip->ids[(mixed >> 32) % IP_ID_BUCKETS];
	uint16_t first = *next;

	*next = (uint16_t)(first + count);
	return first;
}

uint32_t ip4_cut_id(struct stack *stack, const struct ip_path *path)
{
	return rte_cpu_to_be_16(ids_take(stack->ip, &path->dst, 1));
}

/* Only what is cut already may be cut again on its way. */
static uint16_t cut_field(const struct ip_cut *cut)
{
	uint16_t more = cut && cut->more ? RTE_IPV4_HDR_MF_FLAG : 0;

	if (!cut)
		return RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
	return rte_cpu_to_be_16((uint16_t)(more | cut->offset / RTE_IPV4_HDR_OFFSET_UNITS));
}

static uint16_t id_of(const struct ip_output *out)
{
	if (out->cut)
		return (uint16_t)out->cut->id;
	return rte_cpu_to_be_16(ids_take(out->stack->ip, &out->path->dst, out->cuts));
}

void ip4_header_put(const struct ip_output *out, struct rte_mbuf *pkt)
{
	const struct ip_path *path = out->path;
	struct rte_ipv4_hdr *ip = pkt_push(pkt, IP4_HEADER);

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.type_of_service = path->ecn,
		.total_length = rte_cpu_to_be_16((uint16_t)pkt->pkt_len),
		.packet_id = id_of(out),
		.fragment_offset = cut_field(out->cut),
		.time_to_live = TTL,
		.next_proto_id = out->protocol,
		.src_addr = addr_ip4(&path->src),
		.dst_addr = addr_ip4(&path->dst),
	};
	if (path->offloads & STACK_TX_IP_CSUM || out->tso_segsz)
		pkt->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	else
		ip->hdr_checksum = csum_finish(csum_bytes(ip, sizeof(*ip)));
	stack_count(out->stack, ip4_packets_out);
}

/* ---- TCP that the device sums ---- */

/* The header in words, and summed as such. */
static inline void words_put(const struct ip_path *path, uint16_t len, uint16_t id,
			     bool device_sums, uint32_t *word)
{
	uint32_t first = rte_cpu_to_be_32((uint32_t)RTE_IPV4_VHL_DEF << 24 |
					  (uint32_t)path->ecn << 16 | len);
	uint32_t second = rte_cpu_to_be_32((uint32_t)id << 16 | RTE_IPV4_HDR_DF_FLAG);
	uint32_t third = rte_cpu_to_be_32(TTL << 24 | IP_PROTOCOL_TCP << 16);
	uint32_t src = addr_ip4(&path->src), dst = addr_ip4(&path->dst);
	uint64_t sum = (uint64_t)first + second + third + src + dst;

	if (!device_sums)
		third |= rte_cpu_to_be_32(rte_be_to_cpu_16(csum_finish(csum_fold64(sum))));
	word[0] = first;
	word[1] = second;
	word[2] = third;
	word[3] = src;
	word[4] = dst;
}

/* The link's and IP's. */
static __rte_always_inline void headers_put(struct stack *stack, const struct ip_path *path,
					    struct rte_mbuf *pkt, uint16_t packets,
					    bool device_sums)
{
	const struct neighbour_way *way = neighbour_way(path->neighbour);
	uint16_t len = (uint16_t)(pkt->pkt_len + IP4_HEADER), link_bytes = way->header_bytes;
	uint8_t *frame = pkt_push(pkt, (uint16_t)(link_bytes + IP4_HEADER));

	memcpy(frame, way->header, sizeof(way->header)); /* what is too much IP's covers */
	words_put(path, len, ids_take(stack->ip, &path->dst, packets), device_sums,
		  (uint32_t *)(void *)(frame + link_bytes));
}

/* Inlined twice, so that without cuts nothing is asked about them. */
static __rte_always_inline void output_tcp(struct stack *stack, const struct ip_path *path,
					   struct rte_mbuf *pkt, uint16_t tso_segsz)
{
	bool device_sums = path->offloads & STACK_TX_IP_CSUM || tso_segsz;
	uint16_t tcp_bytes = ip_tcp_header_bytes(pkt), packets = 1;
	uint32_t tcp_len = tso_segsz ? 0 : pkt->pkt_len;
	uint64_t flags = ip_tcp_csum.flag | RTE_MBUF_F_TX_IPV4;

	if (tso_segsz)
		packets = (uint16_t)((pkt->pkt_len - tcp_bytes + tso_segsz - 1) / tso_segsz);
	*rte_pktmbuf_mtod_offset(pkt, uint16_t *, ip_tcp_csum.offset) =
		csum_pseudo4(&path->src, &path->dst, IP_PROTOCOL_TCP, tcp_len);
	flags |= tso_segsz ? RTE_MBUF_F_TX_TCP_SEG : 0;
	flags |= device_sums ? RTE_MBUF_F_TX_IP_CKSUM : 0;
	pkt->ol_flags |= flags;
	pkt->tx_offload = rte_mbuf_tx_offload(neighbour_way(path->neighbour)->header_bytes,
					      IP4_HEADER, tcp_bytes, tso_segsz, 0, 0, 0);
	headers_put(stack, path, pkt, packets, device_sums);
	stack_count(stack, ip4_packets_out);
	link_give(stack, path->port, pkt);
}

void ip4_output_tcp(struct stack *stack, const struct ip_path *path, struct rte_mbuf *pkt)
{
	output_tcp(stack, path, pkt, 0);
}

void ip4_output_tcp_cut(struct stack *stack, const struct ip_path *path, struct rte_mbuf *pkt,
			uint16_t tso_segsz)
{
	output_tcp(stack, path, pkt, tso_segsz);
}
