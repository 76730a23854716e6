/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 in: RFC 8200. */
#include <rte_mbuf.h>

#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip6.h"
#include "l4stack/ip/ip6_ext.h"
#include "l4stack/ip/reassembly.h"
#include "l4stack/udp/udp_proto.h"

#define NEXT_HEADER_AT 6
#define NO_NEXT_HEADER 59
#define LENGTH_AT      4
#define ACTION_DROP    1 /* of an unknown option; 2 and 3 want an answer: RFC 8200 §4.2 */
#define ACTION_UNICAST 3 /* that, unless the packet went to a group */

static enum stack_counter length_check(const struct rte_mbuf *pkt, uint32_t *total_bytes)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(pkt, const struct rte_ipv6_hdr *);

	if (pkt->data_len < IP6_HEADER)
		return COUNTER_ip6_truncated;
	if (rte_be_to_cpu_32(ip->vtc_flow) >> 28 != 6)
		return COUNTER_ip6_bad_header;
	/* Of 0: a jumbogram (RFC 2675), which no link here can carry, or nothing at all. */
	if (ip->payload_len == 0)
		return COUNTER_ip6_bad_header;
	*total_bytes = (uint32_t)IP6_HEADER + rte_be_to_cpu_16(ip->payload_len);
	return pkt->pkt_len < *total_bytes ? COUNTER_ip6_truncated : COUNTER_NONE;
}

/* No source, in a solicitation or listener report (RFC 4862 §5.4.2, RFC 3590). */
static bool source_ok(const struct stack *stack, const struct ip6_packet *packet)
{
	const struct addr *src = &packet->rx.src;

	if (addr_is_any(src))
		return addr_is_group(&packet->rx.dst);
	return ip6_is_host(src) && ip_address_kind(stack, src) != IP_ADDRESS_LOCAL;
}

static enum stack_counter address_check(const struct stack *stack, const struct ip6_packet *packet)
{
	const struct ip_rx *rx = &packet->rx;

	if (!source_ok(stack, packet))
		return COUNTER_ip6_bad_source;
	switch (ip_address_kind(stack, &rx->dst)) {
	case IP_ADDRESS_GROUP:
		return COUNTER_NONE;
	case IP_ADDRESS_LOCAL:
		return packet->to_us ? COUNTER_NONE : COUNTER_ip6_link_broadcast;
	default:
		return COUNTER_ip6_not_for_us;
	}
}

static enum stack_counter packet_parse(const struct stack *stack, uint16_t port,
				       struct rte_mbuf *pkt, struct ip6_packet *out)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod(pkt, const struct rte_ipv6_hdr *);
	struct addr src, dst;
	uint32_t total_bytes = 0;
	enum stack_counter fault = length_check(pkt, &total_bytes);

	if (fault != COUNTER_NONE)
		return fault;
	src = addr_from_ip6(ip->src_addr);
	dst = addr_from_ip6(ip->dst_addr);
	out->protocol = ip->proto;
	out->header_bytes = IP6_HEADER;
	out->rx = (struct ip_rx){
		.src = addr_on_port(&src, port),
		.dst = addr_on_port(&dst, port),
		.port = port,
		.ecn = rte_be_to_cpu_32(ip->vtc_flow) >> 20 & 3,
		.ttl = ip->hop_limits,
	};
	fault = address_check(stack, out);
	if (fault == COUNTER_NONE)
		pkt_truncate(pkt, total_bytes);
	return fault;
}

/* Counts and frees; says so to the sender where RFC 8200 wants it. */
static void refuse(struct stack *stack, const struct ip6_packet *packet, struct rte_mbuf *pkt,
		   enum stack_counter reason, const struct icmp6_fault *fault)
{
	stack_count_id(stack, reason);
	if (fault)
		icmp6_error(stack, packet, pkt, fault);
	else
		rte_pktmbuf_free(pkt);
}

static void refuse_option(struct stack *stack, const struct ip6_packet *packet,
			  struct rte_mbuf *pkt, const struct ip6_walk *walk)
{
	struct icmp6_fault fault = {ICMP6_PARAMETER, ICMP6_CODE_OPTION, walk->bad_at};
	bool silent = walk->action == ACTION_DROP ||
		      (walk->action == ACTION_UNICAST && addr_is_group(&packet->rx.dst));

	refuse(stack, packet, pkt, COUNTER_ip6_bad_option, silent ? NULL : &fault);
}

/* RFC 4443 §3.1, and §3.4 for what stands in no table of ours. */
static void deliver_unknown(struct stack *stack, const struct ip6_packet *packet,
			    struct rte_mbuf *pkt, const struct ip6_walk *walk)
{
	struct icmp6_fault fault = {ICMP6_PARAMETER, ICMP6_CODE_NEXT_HEADER, walk->named_at};

	refuse(stack, packet, pkt, COUNTER_ip6_unknown_protocol,
	       walk->protocol == NO_NEXT_HEADER ? NULL : &fault);
}

static void udp_deliver(struct stack *stack, const struct ip6_packet *packet, struct rte_mbuf *pkt)
{
	static const struct icmp6_fault fault = {ICMP6_UNREACHABLE, ICMP6_CODE_PORT, 0};

	if (udp_proto_input(stack->udp, &packet->rx, pkt))
		return;
	pkt_push(pkt, packet->header_bytes);
	icmp6_error(stack, packet, pkt, &fault);
}

static void flow_deliver(struct stack *stack, const struct ip6_packet *packet, struct rte_mbuf *pkt)
{
	pkt_pull(pkt, packet->header_bytes);
	if (packet->reassembled && !reassembled_is_ours(stack, &packet->rx, pkt))
		stack_drop(stack, pkt, COUNTER_ip_reassembled_elsewhere);
	else if (packet->protocol == IP_PROTOCOL_TCP)
		ip_tcp_deliver(stack, &packet->rx, pkt);
	else
		udp_deliver(stack, packet, pkt);
}

static void upper_deliver(struct stack *stack, const struct ip6_packet *packet,
			  struct rte_mbuf *pkt, const struct ip6_walk *walk)
{
	bool no_source = addr_is_any(&packet->rx.src), group = addr_is_group(&packet->rx.dst);

	stack_count(stack, ip6_delivered);
	switch (packet->protocol) {
	case IP_PROTOCOL_ICMP6:
		pkt_pull(pkt, packet->header_bytes);
		icmp6_input(stack, packet, pkt);
		break;
	case IP_PROTOCOL_TCP:
	case IP_PROTOCOL_UDP:
		if (no_source || group)
			stack_drop(stack, pkt, COUNTER_ip6_not_for_us);
		else
			flow_deliver(stack, packet, pkt);
		break;
	default:
		deliver_unknown(stack, packet, pkt, walk);
	}
}

static void headers_input(struct stack *stack, struct ip6_packet *packet, struct rte_mbuf *pkt,
			  uint32_t named_at);

/* RFC 7112 §5: the first fragment has every header, up to the transport's. */
static bool first_is_whole(const struct fragment *f, const struct rte_mbuf *pkt)
{
	struct ip6_walk walk;

	if (f->offset > 0)
		return true;
	ip6_walk(rte_pktmbuf_mtod(pkt, const uint8_t *), pkt->data_len, f->header_bytes,
		 f->protocol, f->header_bytes, &walk);
	return walk.end != IP6_WALK_TRUNCATED && walk.end != IP6_WALK_FRAGMENT;
}

/* Frees a fragment that breaks RFC 8200 §4.5 or RFC 7112, and says so. */
static bool fragment_check(struct stack *stack, const struct ip6_packet *packet,
			   const struct fragment *f, struct rte_mbuf *pkt)
{
	struct icmp6_fault length = {ICMP6_PARAMETER, ICMP6_CODE_FIELD, LENGTH_AT};
	struct icmp6_fault end = {ICMP6_PARAMETER, ICMP6_CODE_FIELD, packet->header_bytes + 2u};
	struct icmp6_fault first = {ICMP6_PARAMETER, ICMP6_CODE_FIRST_FRAGMENT, 0};

	if (!reassembly_length_ok(f, pkt))
		refuse(stack, packet, pkt, COUNTER_ip_fragment_malformed, &length);
	else if (!reassembly_end_ok(f, pkt))
		refuse(stack, packet, pkt, COUNTER_ip_fragment_malformed, &end);
	else if (!first_is_whole(f, pkt))
		refuse(stack, packet, pkt, COUNTER_ip6_headers_cut, &first);
	else
		return true;
	return false;
}

/* `packet` ends at the fragment header. One that was reassembled may not hold a fragment: that
 * ends the recursion. */
static void fragment_input(struct stack *stack, struct ip6_packet *packet, struct rte_mbuf *pkt,
			   const struct ip6_walk *walk)
{
	struct ip6_fragment header;
	struct fragment first, fragment;

	stack_count(stack, ip6_fragments_in);
	if (packet->reassembled) {
		stack_drop(stack, pkt, COUNTER_ip6_bad_extension);
		return;
	}
	ip6_fragment_read(rte_pktmbuf_mtod_offset(pkt, const uint8_t *, walk->at), &header);
	fragment = (struct fragment){
		.rx = packet->rx,
		.id = header.id,
		.header_bytes = (uint16_t)(walk->at + IP6_FRAGMENT_HEADER),
		.offset = header.offset,
		.protocol = header.protocol,
		.more = header.more,
	};
	if (!fragment_check(stack, packet, &fragment, pkt))
		return;
	pkt = reassembly_input(stack->ip->reassembly, &fragment, pkt, &first);
	if (!pkt)
		return;
	*packet = (struct ip6_packet){first.rx, first.header_bytes, first.protocol, packet->to_us,
				      true};
	headers_input(stack, packet, pkt, first.header_bytes - (uint32_t)IP6_FRAGMENT_HEADER);
}

/* Goes on behind the headers that were read, `packet->header_bytes` of them. `pkt` starts at the
 * IPv6 header. */
static void headers_input(struct stack *stack, struct ip6_packet *packet, struct rte_mbuf *pkt,
			  uint32_t named_at)
{
	struct icmp6_fault fault = {ICMP6_PARAMETER, ICMP6_CODE_FIELD, 0};
	struct ip6_walk walk;

	ip6_walk(rte_pktmbuf_mtod(pkt, const uint8_t *), pkt->data_len, packet->header_bytes,
		 packet->protocol, named_at, &walk);
	packet->protocol = walk.protocol;
	packet->header_bytes = (uint16_t)walk.at;
	fault.word = walk.bad_at;
	switch (walk.end) {
	case IP6_WALK_UPPER:
		upper_deliver(stack, packet, pkt, &walk);
		break;
	case IP6_WALK_FRAGMENT:
		fragment_input(stack, packet, pkt, &walk);
		break;
	case IP6_WALK_TRUNCATED:
		stack_drop(stack, pkt, COUNTER_ip6_truncated);
		break;
	case IP6_WALK_MALFORMED:
		stack_drop(stack, pkt, COUNTER_ip6_bad_extension);
		break;
	case IP6_WALK_ROUTED:
		refuse(stack, packet, pkt, COUNTER_ip6_source_routed, &fault);
		break;
	case IP6_WALK_OPTION:
		refuse_option(stack, packet, pkt, &walk);
		break;
	}
}

void ip6_input(struct stack *stack, uint16_t port, struct rte_mbuf *pkt, bool to_us)
{
	struct ip6_packet packet = {.to_us = to_us};
	enum stack_counter fault;

	stack_count(stack, ip6_packets_in);
	fault = packet_parse(stack, port, pkt, &packet);
	if (fault != COUNTER_NONE)
		stack_drop(stack, pkt, fault);
	else
		headers_input(stack, &packet, pkt, NEXT_HEADER_AT);
}
