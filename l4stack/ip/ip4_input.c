/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 in: RFC 791, with the checks of RFC 1122 §3.2.1. */
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip4.h"
#include "l4stack/ip/reassembly.h"
#include "l4stack/udp/udp_proto.h"

#define OPTION_END           0
#define OPTION_NOP           1
#define OPTION_LOOSE_SOURCE  131
#define OPTION_STRICT_SOURCE 137

#define CODE_PROTOCOL_UNREACHABLE 2
#define CODE_PORT_UNREACHABLE     3

/* Lengths: what the header says of itself and of the packet against what came. */
static enum stack_counter length_check(const struct rte_mbuf *pkt, uint16_t *header_bytes,
				       uint16_t *total_bytes)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(pkt, const struct rte_ipv4_hdr *);

	if (pkt->data_len < IP4_HEADER)
		return COUNTER_ip4_truncated;
	if (ip->version != 4 || ip->ihl * 4u < IP4_HEADER)
		return COUNTER_ip4_bad_header;
	*header_bytes = (uint16_t)(ip->ihl * 4);
	*total_bytes = rte_be_to_cpu_16(ip->total_length);
	if (*total_bytes < *header_bytes)
		return COUNTER_ip4_bad_header;
	if (pkt->data_len < *header_bytes || pkt->pkt_len < *total_bytes)
		return COUNTER_ip4_truncated;
	return COUNTER_NONE;
}

/* Options are skipped, but for source routes, which RFC 7126 §4.3 and §4.4 say to drop. */
static bool options_ok(const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p != OPTION_END) {
		if (*p == OPTION_LOOSE_SOURCE || *p == OPTION_STRICT_SOURCE)
			return false;
		if (*p == OPTION_NOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return false;
		p += p[1];
	}
	return true;
}

static enum stack_counter pair_check(const struct stack *stack, const struct ip_rx *rx)
{
	if (!ip4_is_host(addr_ip4(&rx->src)) ||
	    ip_address_kind(stack, &rx->src) != IP_ADDRESS_OTHER)
		return COUNTER_ip4_bad_source;
	if (ip_address_kind(stack, &rx->dst) != IP_ADDRESS_LOCAL)
		return COUNTER_ip4_not_for_us;
	return COUNTER_NONE;
}

/* The last pair of a slot need not be looked up again, as long as our addresses stay as they are.
 */
static enum stack_counter address_check(const struct stack *stack, const struct ip_rx *rx,
					bool to_us)
{
	struct ip_layer *ip = stack->ip;
	uint32_t src = addr_ip4(&rx->src), dst = addr_ip4(&rx->dst);
	struct ip_pair *pair = ip_pair_of(ip, src, dst);

	if (!ip_pair_is(ip, pair, src, dst)) {
		enum stack_counter fault = pair_check(stack, rx);

		if (fault != COUNTER_NONE)
			return fault;
		*pair = (struct ip_pair){src, dst, ip->generation};
	}
	/* RFC 1122 §3.3.6: an address of one host does not come in a broadcast. */
	return to_us ? COUNTER_NONE : COUNTER_ip4_link_broadcast;
}

/* The whole header but its options' meaning, in the order of cost. RFC 1122 §3.2.1.7 forbids
 * to drop for a low TTL. */
static enum stack_counter packet_parse(const struct stack *stack, uint16_t port, bool to_us,
				       struct rte_mbuf *pkt, struct ip4_packet *out)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(pkt, const struct rte_ipv4_hdr *);
	uint16_t total_bytes = 0;
	enum stack_counter fault = length_check(pkt, &out->header_bytes, &total_bytes);

	if (fault != COUNTER_NONE)
		return fault;
	if (!ip4_header_csum_ok(stack, port, pkt, out->header_bytes))
		return COUNTER_ip4_bad_csum;
	out->protocol = ip->next_proto_id;
	out->rx = (struct ip_rx){
		.src = addr_from_ip4(ip->src_addr),
		.dst = addr_from_ip4(ip->dst_addr),
		.port = port,
		.ecn = ip->type_of_service & 3,
		.ttl = ip->time_to_live,
	};
	fault = address_check(stack, &out->rx, to_us);
	if (fault != COUNTER_NONE)
		return fault;
	if (out->header_bytes > IP4_HEADER &&
	    !options_ok((const uint8_t *)(ip + 1), (const uint8_t *)ip + out->header_bytes))
		return COUNTER_ip4_bad_options;
	if (pkt->pkt_len != total_bytes)
		pkt_truncate(pkt, total_bytes);
	return COUNTER_NONE;
}

/* RFC 1122 §4.1.3.1: who writes to a port where nobody listens is told. */
static void udp_deliver(struct stack *stack, const struct ip4_packet *packet, struct rte_mbuf *pkt)
{
	pkt_pull(pkt, packet->header_bytes);
	if (packet->reassembled && !reassembled_is_ours(stack, &packet->rx, pkt)) {
		stack_drop(stack, pkt, COUNTER_ip_reassembled_elsewhere);
		return;
	}
	if (udp_proto_input(stack->udp, &packet->rx, pkt))
		return;
	pkt_push(pkt, packet->header_bytes);
	icmp4_unreachable(stack, packet, pkt, CODE_PORT_UNREACHABLE);
}

static void tcp_deliver(struct stack *stack, const struct ip4_packet *packet, struct rte_mbuf *pkt)
{
	pkt_pull(pkt, packet->header_bytes);
	if (packet->reassembled && !reassembled_is_ours(stack, &packet->rx, pkt))
		stack_drop(stack, pkt, COUNTER_ip_reassembled_elsewhere);
	else
		ip_tcp_deliver(stack, &packet->rx, pkt);
}

static bool is_fragment(const struct rte_mbuf *pkt)
{
	return rte_pktmbuf_mtod(pkt, const struct rte_ipv4_hdr *)->fragment_offset &
	       RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK);
}

/* The whole datagram, when it is complete; `packet` is what its first fragment says. */
static struct rte_mbuf *fragment_input(struct stack *stack, struct ip4_packet *packet,
				       struct rte_mbuf *pkt)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(pkt, const struct rte_ipv4_hdr *);
	uint16_t field = rte_be_to_cpu_16(ip->fragment_offset);
	struct fragment first, fragment = {
				       .rx = packet->rx,
				       .id = ip->packet_id,
				       .header_bytes = packet->header_bytes,
				       .offset = (uint16_t)((field & RTE_IPV4_HDR_OFFSET_MASK) *
							    RTE_IPV4_HDR_OFFSET_UNITS),
				       .protocol = packet->protocol,
				       .more = field & RTE_IPV4_HDR_MF_FLAG,
			       };

	stack_count(stack, ip4_fragments_in);
	if (!reassembly_length_ok(&fragment, pkt) || !reassembly_end_ok(&fragment, pkt)) {
		stack_drop(stack, pkt, COUNTER_ip_fragment_malformed);
		return NULL;
	}
	pkt = reassembly_input(stack->ip->reassembly, &fragment, pkt, &first);
	if (pkt)
		*packet = (struct ip4_packet){first.rx, first.header_bytes, first.protocol, true};
	return pkt;
}

static void datagram_deliver(struct stack *stack, const struct ip4_packet *packet,
			     struct rte_mbuf *pkt)
{
	stack_count(stack, ip4_delivered);
	switch (packet->protocol) {
	case IP_PROTOCOL_TCP:
		tcp_deliver(stack, packet, pkt);
		break;
	case IP_PROTOCOL_UDP:
		udp_deliver(stack, packet, pkt);
		break;
	case IP_PROTOCOL_ICMP4:
		pkt_pull(pkt, packet->header_bytes);
		icmp4_input(stack, &packet->rx, pkt);
		break;
	default:
		stack_count(stack, ip4_unknown_protocol);
		icmp4_unreachable(stack, packet, pkt, CODE_PROTOCOL_UNREACHABLE);
	}
}

void ip4_input(struct stack *stack, uint16_t port, struct rte_mbuf *pkt, bool to_us)
{
	struct ip4_packet packet = {0};
	enum stack_counter fault;

	stack_count(stack, ip4_packets_in);
	fault = packet_parse(stack, port, to_us, pkt, &packet);
	if (fault != COUNTER_NONE) {
		stack_drop(stack, pkt, fault);
		return;
	}
	if (is_fragment(pkt))
		pkt = fragment_input(stack, &packet, pkt);
	if (pkt)
		datagram_deliver(stack, &packet, pkt);
}
