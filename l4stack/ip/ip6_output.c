/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6's header, as we send it: RFC 8200 §3; and packets that stay on their link. */
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/base/csum.h"
#include "l4stack/base/pkt.h"
#include "l4stack/base/siphash.h"
#include "l4stack/ip/ip6.h"
#include "l4stack/ip/ip6_ext.h"
#include "l4stack/link/neighbour.h"

#define HOP_LIMIT  64
#define VERSION    6u
#define LABEL_MASK 0xfffffu
#define CSUM_AT    2 /* in an ICMPv6 message */

/* RFC 2711: hop-by-hop options with a router alert of value 0 (MLD), and padding. */
static const uint8_t router_alert[8] = {IP_PROTOCOL_ICMP6, 0, 5, 2, 0, 0, 1, 0};

static uint32_t version_word(uint8_t ecn, uint32_t label)
{
	return rte_cpu_to_be_32(VERSION << 28 | (uint32_t)ecn << 20 | label);
}

/*
 * RFC 6437 §3: one label for a flow, that looks random and is not 0: a keyed hash of its
 * addresses and ports, which are the first four bytes of TCP and UDP.
 */
static uint32_t label_choose(const struct ip_output *out, const struct rte_mbuf *pkt)
{
	uint8_t bytes[16 + 16 + 4] = {0};
	const struct ip_path *path = out->path;
	uint32_t label;

	memcpy(bytes, path->src.bytes, 16);
	memcpy(bytes + 16, path->dst.bytes, 16);
	if (out->protocol == IP_PROTOCOL_TCP || out->protocol == IP_PROTOCOL_UDP)
		memcpy(bytes + 32, rte_pktmbuf_mtod(pkt, const void *), 4);
	label = siphash24(out->stack->conf.secret, bytes, sizeof(bytes)) & LABEL_MASK;
	return label ? label : 1;
}

/* The path remembers it. */
static uint32_t label_of(const struct ip_output *out, const struct rte_mbuf *pkt)
{
	uint8_t *kept = out->path->flow_label;
	uint32_t label = (uint32_t)kept[0] << 16 | (uint32_t)kept[1] << 8 | kept[2];

	if (label)
		return label;
	label = label_choose(out, pkt);
	kept[0] = (uint8_t)(label >> 16);
	kept[1] = (uint8_t)(label >> 8);
	kept[2] = (uint8_t)label;
	return label;
}

/* RFC 7739 §5.3: a counter that starts elsewhere for each peer. */
uint32_t ip6_cut_id(struct stack *stack, const struct ip_path *path)
{
	uint8_t bytes[32];

	memcpy(bytes, path->src.bytes, 16);
	memcpy(bytes + 16, path->dst.bytes, 16);
	return rte_cpu_to_be_32((uint32_t)siphash24(stack->conf.secret, bytes, sizeof(bytes)) +
				stack->ip->id6++);
}

/* RFC 8200 §4.5 */
static void fragment_header_put(const struct ip_output *out, struct rte_mbuf *pkt)
{
	uint8_t *header = pkt_push(pkt, IP6_FRAGMENT_HEADER);

	ip6_fragment_write(header, &(struct ip6_fragment){.protocol = out->protocol,
							  .offset = out->cut->offset,
							  .more = out->cut->more,
							  .id = out->cut->id});
}

void ip6_header_put(const struct ip_output *out, struct rte_mbuf *pkt)
{
	const struct ip_path *path = out->path;
	uint32_t label = label_of(out, pkt);
	struct rte_ipv6_hdr *ip;
	uint16_t payload;

	if (out->cut)
		fragment_header_put(out, pkt);
	payload = (uint16_t)pkt->pkt_len;
	ip = pkt_push(pkt, IP6_HEADER);

	ip->vtc_flow = version_word(path->ecn, label);
	ip->payload_len = rte_cpu_to_be_16(payload);
	ip->proto = out->cut ? IPPROTO_FRAGMENT : out->protocol;
	ip->hop_limits = HOP_LIMIT;
	memcpy(ip->src_addr, path->src.bytes, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, path->dst.bytes, sizeof(ip->dst_addr));
	if (out->tso_segsz)
		pkt->ol_flags |= RTE_MBUF_F_TX_IPV6;
	stack_count(out->stack, ip6_packets_out);
}

/* ---- on the link ---- */

static void icmp_csum_put(const struct ip6_on_link *how, struct rte_mbuf *pkt)
{
	uint16_t pseudo = csum_pseudo(how->src, how->dst, IP_PROTOCOL_ICMP6, pkt->pkt_len);
	uint16_t csum = csum_finish(csum_add(pseudo, csum_mbuf(pkt, 0, pkt->pkt_len)));

	memcpy(rte_pktmbuf_mtod_offset(pkt, uint8_t *, CSUM_AT), &csum, sizeof(csum));
}

static void headers_put(const struct ip6_on_link *how, struct rte_mbuf *pkt)
{
	struct rte_ipv6_hdr *ip;

	icmp_csum_put(how, pkt);
	if (how->router_alert)
		memcpy(pkt_push(pkt, sizeof(router_alert)), router_alert, sizeof(router_alert));
	ip = pkt_push(pkt, IP6_HEADER);
	ip->vtc_flow = version_word(0, 0);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)(pkt->pkt_len - IP6_HEADER));
	ip->proto = how->router_alert ? IPPROTO_HOPOPTS : IP_PROTOCOL_ICMP6;
	ip->hop_limits = how->hop_limit;
	memcpy(ip->src_addr, how->src->bytes, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, how->dst->bytes, sizeof(ip->dst_addr));
}

static void send_to_mac(struct stack *stack, uint16_t port, const uint8_t mac[6],
			struct rte_mbuf *pkt)
{
	uint8_t header[LINK_HEADER_MAX];

	link_header_make(stack, port, mac, RTE_ETHER_TYPE_IPV6, header);
	link_output(stack, port, header, pkt);
}

static void send_to_neighbour(struct stack *stack, uint16_t port, const struct addr *dst,
			      struct rte_mbuf *pkt)
{
	struct neighbour *neighbour = neighbour_get(stack, port, dst);

	if (!neighbour) {
		stack_drop(stack, pkt, COUNTER_neighbour_table_full);
		return;
	}
	neighbour_output(neighbour, pkt);
	neighbour_put(neighbour);
}

void ip6_send_on_link(struct stack *stack, const struct ip6_on_link *how, struct rte_mbuf *pkt)
{
	uint8_t group[6];

	headers_put(how, pkt);
	stack_count(stack, ip6_packets_out);
	if (addr_is_group(how->dst)) {
		link_group_mac(how->dst, group);
		send_to_mac(stack, how->port, group, pkt);
	} else if (how->mac) {
		send_to_mac(stack, how->port, how->mac, pkt);
	} else {
		send_to_neighbour(stack, how->port, how->dst, pkt);
	}
}
