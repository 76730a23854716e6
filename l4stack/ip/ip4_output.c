/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 out. */
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/base/csum.h"
#include "l4stack/base/pkt.h"
#include "l4stack/ip/gso.h"
#include "l4stack/ip/ip4.h"
#include "l4stack/link/link.h"
#include "l4stack/link/neighbour.h"
#include "l4stack/tcp/tcp_proto.h"

#define TTL 64

/* What all segments of one call share. */
struct output {
	struct stack *stack;
	const struct ip_path *path;
	struct neighbour *neighbour;
	uint8_t protocol;
	uint16_t tso_segsz; /* not 0: the device cuts, */
	uint16_t cuts;      /* into so many, each with an id of its own */
};

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

static void header_write(const struct output *out, struct rte_mbuf *pkt)
{
	const struct ip_path *path = out->path;
	struct rte_ipv4_hdr *ip = pkt_push(pkt, IP4_HEADER);

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.type_of_service = path->ecn,
		.total_length = rte_cpu_to_be_16((uint16_t)pkt->pkt_len),
		.packet_id = rte_cpu_to_be_16(ids_take(out->stack->ip, &path->dst, out->cuts)),
		.fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = TTL,
		.next_proto_id = out->protocol,
		.src_addr = addr_ip4(&path->src),
		.dst_addr = addr_ip4(&path->dst),
	};
	if (path->offloads & STACK_TX_IP_CSUM || out->tso_segsz)
		pkt->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	else
		ip->hdr_checksum = csum_finish(csum_bytes(ip, sizeof(*ip)));
}

/* One packet, as it is; `ctx` is a struct output. */
static void packet_send(void *ctx, struct rte_mbuf *pkt)
{
	const struct output *out = ctx;
	uint16_t l4_bytes = out->protocol == IP4_PROTOCOL_TCP ? ip_tcp_header_bytes(pkt) : 0;

	ip4_transport_csum_set(out->stack, out->path, out->protocol, pkt, out->tso_segsz);
	header_write(out, pkt);
	pkt->tx_offload =
		rte_mbuf_tx_offload(LINK_HEADER, IP4_HEADER, l4_bytes, out->tso_segsz, 0, 0, 0);
	stack_count(out->stack, ip4_packets_out);
	neighbour_output(out->neighbour, pkt);
}

static void segment_send(void *ctx, struct rte_mbuf *pkt)
{
	const struct output *out = ctx;

	stack_count(out->stack, ip_segments_made);
	packet_send(ctx, pkt);
}

/* The payload of one cut: what the caller says, or less if even that is too much. */
static uint16_t cut_bytes(const struct ip_path *path, const struct rte_mbuf *pkt,
			  uint16_t tso_segsz)
{
	uint16_t most = (uint16_t)(path->mtu - IP4_HEADER - ip_tcp_header_bytes(pkt));

	return RTE_MIN(most, tso_segsz);
}

static bool device_cuts(const struct ip_path *path, const struct rte_mbuf *pkt)
{
	uint32_t offloads = path->offloads;

	if (!(offloads & STACK_TX_TSO) || pkt->pkt_len + IP4_HEADER > UINT16_MAX)
		return false;
	return pkt->nb_segs == 1 || (offloads & STACK_TX_MULTI_SEG);
}

static void tcp_send_cut(struct output *out, struct rte_mbuf *pkt, uint16_t tso_segsz)
{
	uint16_t cut = cut_bytes(out->path, pkt, tso_segsz);
	uint32_t payload = pkt->pkt_len - ip_tcp_header_bytes(pkt);

	if (payload > cut && !device_cuts(out->path, pkt)) {
		stack_count(out->stack, ip_segmented);
		if (!gso_tcp(pkt, cut, &out->stack->pools, segment_send, out))
			stack_count(out->stack, ip_no_mbuf);
		return;
	}
	if (payload > cut) {
		out->tso_segsz = cut;
		out->cuts = (uint16_t)((payload + cut - 1) / cut);
	}
	packet_send(out, pkt);
}

void ip4_output(struct stack *stack, struct ip_path *path, uint8_t protocol, struct rte_mbuf *pkt,
		uint16_t tso_segsz)
{
	enum stack_counter reason = COUNTER_NONE;
	struct output out = {.stack = stack, .path = path, .protocol = protocol, .cuts = 1};

	out.neighbour = ip_path_neighbour(stack, path, &reason);
	if (!out.neighbour)
		stack_drop(stack, pkt, reason);
	else if (tso_segsz && protocol == IP4_PROTOCOL_TCP)
		tcp_send_cut(&out, pkt, tso_segsz);
	else if (pkt->pkt_len + IP4_HEADER > path->mtu)
		stack_drop(stack, pkt, COUNTER_ip_too_big);
	else
		packet_send(&out, pkt);
}

/* Only the first bytes are looked at: they are in one segment, as we made them. */
void ip_undeliverable(struct stack *stack, struct rte_mbuf *pkt, enum ip_error kind)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(pkt, const struct rte_ipv4_hdr *);
	struct ip_error_info error = {
		.kind = kind,
		.local = addr_from_ip4(ip->src_addr),
		.remote = addr_from_ip4(ip->dst_addr),
	};
	bool tcp = ip->next_proto_id == IP4_PROTOCOL_TCP;

	memcpy(error.quoted, ip + 1, sizeof(error.quoted));
	rte_pktmbuf_free(pkt);
	if (tcp)
		tcp_proto_error(stack->tcp, &error);
}
