/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4's header, as we send it: RFC 791. */
#include <rte_mbuf.h>

#include "l4stack/base/csum.h"
#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip4.h"

#define TTL 64

/* The first of `count` ids. Counters by destination, so that nobody can watch our traffic to
 * others in the ids of his. */
static uint16_t ids_take(struct ip_layer *ip, const struct addr *dst, uint16_t count)
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
