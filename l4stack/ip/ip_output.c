/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets of both families out: cut to the path's MTU, summed, and given to the next hop. */
#include <rte_branch_prediction.h>
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/ip/gso.h"
#include "l4stack/ip/ip4.h"
#include "l4stack/ip/ip6.h"
#include "l4stack/link/neighbour.h"
#include "l4stack/tcp/tcp_proto.h"
#include "l4stack/udp/udp_proto.h"

static uint16_t header_bytes(const struct ip_path *path)
{
	return path->dst.family == ADDR_IP6 ? IP6_HEADER : IP4_HEADER;
}

/* One packet, as it is; `ctx` is a struct ip_output. */
static void packet_send(void *ctx, struct rte_mbuf *pkt)
{
	const struct ip_output *out = ctx;
	uint16_t l4_bytes = out->protocol == IP_PROTOCOL_TCP ? ip_tcp_header_bytes(pkt) : 0;
	uint16_t l2_bytes = link_port(out->stack, out->path->port)->header_bytes;

	ip_transport_csum_set(out->stack, out->path, out->protocol, pkt, out->tso_segsz);
	if (out->path->dst.family == ADDR_IP6)
		ip6_header_put(out, pkt);
	else
		ip4_header_put(out, pkt);
	pkt->tx_offload = rte_mbuf_tx_offload(l2_bytes, header_bytes(out->path), l4_bytes,
					      out->tso_segsz, 0, 0, 0);
	neighbour_output(out->neighbour, pkt);
}

static void segment_send(void *ctx, struct rte_mbuf *pkt)
{
	const struct ip_output *out = ctx;

	stack_count(out->stack, ip_segments_made);
	packet_send(ctx, pkt);
}

/* The payload of one cut: what the caller says, or less if even that is too much. */
static uint16_t cut_bytes(const struct ip_path *path, const struct rte_mbuf *pkt,
			  uint16_t tso_segsz)
{
	uint16_t most = (uint16_t)(path->mtu - header_bytes(path) - ip_tcp_header_bytes(pkt));

	return tso_segsz ? RTE_MIN(most, tso_segsz) : most;
}

static void tcp_send_cut(struct ip_output *out, struct rte_mbuf *pkt, uint16_t tso_segsz)
{
	uint16_t cut = cut_bytes(out->path, pkt, tso_segsz);
	uint32_t payload = pkt->pkt_len - ip_tcp_header_bytes(pkt);

	if (payload > cut && !ip_device_cuts(out->path, pkt, header_bytes(out->path))) {
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

static __rte_noinline void output_any(struct stack *stack, struct ip_path *path, uint8_t protocol,
				      struct rte_mbuf *pkt, uint16_t tso_segsz)
{
	enum stack_counter reason = COUNTER_NONE;
	struct ip_output out = {.stack = stack, .path = path, .protocol = protocol, .cuts = 1};

	out.neighbour = ip_path_neighbour(stack, path, &reason);
	if (!out.neighbour)
		stack_drop(stack, pkt, reason);
	else if (tso_segsz && protocol == IP_PROTOCOL_TCP)
		tcp_send_cut(&out, pkt, tso_segsz);
	else if (pkt->pkt_len + header_bytes(path) <= path->mtu)
		packet_send(&out, pkt);
	else if (protocol == IP_PROTOCOL_TCP || pkt->pkt_len + header_bytes(path) > UINT16_MAX)
		stack_drop(stack, pkt, COUNTER_ip_too_big);
	else
		ip_fragment_send(&out, pkt);
}

/* TCP over IPv4 to a neighbour that is known, in mbufs that the device can gather and sum. */
static inline bool is_usual(const struct ip_path *path, uint8_t protocol,
			    const struct rte_mbuf *pkt)
{
	return protocol == IP_PROTOCOL_TCP && path->src.family == ADDR_IP4 &&
	       path->offloads & STACK_TX_TCP_CSUM && path->neighbour &&
	       neighbour_way(path->neighbour)->open &&
	       (pkt->nb_segs == 1 || path->offloads & STACK_TX_MULTI_SEG);
}

/* It is longer than one cut, and each of them fits. */
static inline bool is_cut(const struct ip_path *path, const struct rte_mbuf *pkt,
			  uint16_t tso_segsz)
{
	uint16_t tcp_bytes = ip_tcp_header_bytes(pkt);

	return tso_segsz && pkt->pkt_len - tcp_bytes > tso_segsz &&
	       tso_segsz + tcp_bytes + IP4_HEADER <= path->mtu &&
	       ip_device_cuts(path, pkt, IP4_HEADER);
}

void ip_output(struct stack *stack, struct ip_path *path, uint8_t protocol, struct rte_mbuf *pkt,
	       uint16_t tso_segsz)
{
	bool usual = is_usual(path, protocol, pkt);

	if (likely(usual && !tso_segsz && pkt->pkt_len + IP4_HEADER <= path->mtu))
		ip4_output_tcp(stack, path, pkt);
	else if (usual && is_cut(path, pkt, tso_segsz))
		ip4_output_tcp_cut(stack, path, pkt, tso_segsz);
	else
		output_any(stack, path, protocol, pkt, tso_segsz);
}

void ip_error_deliver(struct stack *stack, const struct ip_error_info *error)
{
	if (error->protocol == IP_PROTOCOL_TCP)
		tcp_proto_error(stack->tcp, error);
	else if (error->protocol == IP_PROTOCOL_UDP)
		udp_proto_error(stack->udp, error);
}

static void undeliverable_ip4(const void *header, struct ip_error_info *error)
{
	const struct rte_ipv4_hdr *ip = header;

	error->local = addr_from_ip4(ip->src_addr);
	error->remote = addr_from_ip4(ip->dst_addr);
	error->protocol = ip->next_proto_id;
	memcpy(error->quoted, ip + 1, sizeof(error->quoted));
}

static void undeliverable_ip6(const void *header, uint16_t port, struct ip_error_info *error)
{
	const struct rte_ipv6_hdr *ip = header;
	struct addr src = addr_from_ip6(ip->src_addr), dst = addr_from_ip6(ip->dst_addr);

	error->local = addr_on_port(&src, port);
	error->remote = addr_on_port(&dst, port);
	error->protocol = ip->proto;
	memcpy(error->quoted, ip + 1, sizeof(error->quoted));
}

/* Only the first bytes are looked at: they are in one segment, as we made them. */
void ip_undeliverable(struct stack *stack, uint16_t port, struct rte_mbuf *pkt, enum ip_error kind)
{
	const uint8_t *header = rte_pktmbuf_mtod(pkt, const uint8_t *);
	struct ip_error_info error = {.kind = kind};

	if (*header >> 4 == 6)
		undeliverable_ip6(header, port, &error);
	else
		undeliverable_ip4(header, &error);
	rte_pktmbuf_free(pkt);
	ip_error_deliver(stack, &error);
}
