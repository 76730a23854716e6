/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/link/arp.h"

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip_layer.h"
#include "l4stack/link/link.h"
#include "l4stack/link/neighbour.h"

#define REPLIES_PER_SECOND 1000
#define REPLIES_BURST      200

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static bool arp_is_sane(const struct rte_arp_hdr *arp)
{
	uint16_t op = rte_be_to_cpu_16(arp->arp_opcode);

	return arp->arp_hardware == RTE_BE16(RTE_ARP_HRD_ETHER) &&
	       arp->arp_protocol == RTE_BE16(RTE_ETHER_TYPE_IPV4) && arp->arp_hlen == 6 &&
	       arp->arp_plen == 4 && (op == RTE_ARP_OP_REQUEST || op == RTE_ARP_OP_REPLY);
}

/* RFC 5227 §1.1: a probe has no sender address, and is answered but not learned from. */
static bool arp_is_probe(const struct rte_arp_hdr *arp)
{
	return arp->arp_data.arp_sip == 0 && arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST);
}

static enum stack_counter sender_check(const struct stack *stack, uint16_t port,
				       const struct rte_arp_hdr *arp)
{
	struct addr sender = addr_from_ip4(arp->arp_data.arp_sip);
	enum ip_address_kind kind = ip_address_kind(stack, &sender);

	if (!rte_is_valid_assigned_ether_addr(&arp->arp_data.arp_sha))
		return COUNTER_arp_bad_sender;
	if (arp_is_probe(arp))
		return COUNTER_NONE;
	if (kind == IP_ADDRESS_LOCAL || kind == IP_ADDRESS_TENTATIVE)
		return COUNTER_arp_conflict;
	if (kind == IP_ADDRESS_BROADCAST || !ip_on_link(stack, port, &sender))
		return COUNTER_arp_bad_sender;
	return COUNTER_NONE;
}

/* An ARP packet in an mbuf of its own, with room for the frame's header; sender filled in. */
static struct rte_mbuf *arp_make(struct stack *stack, uint16_t port, uint16_t op, uint32_t sender,
				 struct rte_arp_hdr **out)
{
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(stack->pools.control);
	struct rte_arp_hdr *arp;

	if (!pkt) {
		stack_count(stack, link_no_mbuf);
		return NULL;
	}
	arp = (struct rte_arp_hdr *)rte_pktmbuf_append(pkt, sizeof(*arp));
	*arp = (struct rte_arp_hdr){
		.arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER),
		.arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4),
		.arp_hlen = 6,
		.arp_plen = 4,
		.arp_opcode = rte_cpu_to_be_16(op),
		.arp_data = {.arp_sip = sender},
	};
	memcpy(&arp->arp_data.arp_sha, link_port(stack, port)->mac, 6);
	*out = arp;
	return pkt;
}

static void arp_send(struct stack *stack, uint16_t port, const uint8_t dst[6], struct rte_mbuf *pkt)
{
	uint8_t header[LINK_HEADER_MAX];

	link_header_make(stack, port, dst, RTE_ETHER_TYPE_ARP, header);
	link_output(stack, port, header, pkt);
}

void arp_request(struct stack *stack, uint16_t port, const struct addr *target, const uint8_t *mac)
{
	const struct addr *source = ip_source_for(stack, port, target);
	struct rte_arp_hdr *arp;
	struct rte_mbuf *pkt;

	/* The port has an address, or there would be no route over it. */
	if (!source)
		return;
	pkt = arp_make(stack, port, RTE_ARP_OP_REQUEST, addr_ip4(source), &arp);
	if (!pkt)
		return;
	arp->arp_data.arp_tip = addr_ip4(target);
	stack_count(stack, arp_requests_out);
	arp_send(stack, port, mac ? mac : broadcast, pkt);
}

static void arp_tell(struct stack *stack, uint16_t port, uint32_t sender, uint32_t target)
{
	struct rte_arp_hdr *arp;
	struct rte_mbuf *pkt = arp_make(stack, port, RTE_ARP_OP_REQUEST, sender, &arp);

	if (!pkt)
		return;
	arp->arp_data.arp_tip = target;
	arp_send(stack, port, broadcast, pkt);
}

void arp_probe(struct stack *stack, uint16_t port, const struct addr *addr)
{
	stack_count(stack, arp_probes_out);
	arp_tell(stack, port, 0, addr_ip4(addr));
}

void arp_announce(struct stack *stack, uint16_t port, const struct addr *addr)
{
	stack_count(stack, arp_announcements_out);
	arp_tell(stack, port, addr_ip4(addr), addr_ip4(addr));
}

static void arp_reply(struct stack *stack, uint16_t port, const struct rte_arp_hdr *request)
{
	const struct rte_arp_ipv4 *asked = &request->arp_data;
	struct rte_arp_hdr *arp;
	struct rte_mbuf *pkt;

	if (link_port(stack, port)->claim == STACK_CLAIM_FOLLOW)
		return;
	if (!bucket_take(&stack->link->arp_limit, stack->now_us, REPLIES_PER_SECOND,
			 REPLIES_BURST)) {
		stack_count(stack, arp_reply_limited);
		return;
	}
	pkt = arp_make(stack, port, RTE_ARP_OP_REPLY, asked->arp_tip, &arp);
	if (!pkt)
		return;
	arp->arp_data.arp_tha = asked->arp_sha;
	arp->arp_data.arp_tip = asked->arp_sip;
	stack_count(stack, arp_replies_out);
	arp_send(stack, port, asked->arp_sha.addr_bytes, pkt);
}

/* What the packet says to us about its sender. An answer comes to us alone. */
static enum neighbour_news arp_news(const struct rte_arp_hdr *arp, bool for_us, bool to_us)
{
	if (!for_us)
		return NEIGHBOUR_CLAIMS;
	if (arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST))
		return NEIGHBOUR_ASKS;
	return to_us ? NEIGHBOUR_ANSWER : NEIGHBOUR_CLAIMS;
}

/* RFC 5227 §2.1.1: also a station that only wants the address we are about to use. */
static void conflict_heard(struct stack *stack, uint16_t port, const struct rte_arp_hdr *arp)
{
	struct addr addr =
		addr_from_ip4(arp_is_probe(arp) ? arp->arp_data.arp_tip : arp->arp_data.arp_sip);

	ip_claim_conflict(stack, port, &addr);
}

static bool probes_our_tentative(const struct stack *stack, const struct rte_arp_hdr *arp)
{
	struct addr target = addr_from_ip4(arp->arp_data.arp_tip);

	return arp_is_probe(arp) && ip_address_kind(stack, &target) == IP_ADDRESS_TENTATIVE;
}

static void arp_take(struct stack *stack, uint16_t port, const struct rte_arp_hdr *arp, bool to_us)
{
	struct addr sender = addr_from_ip4(arp->arp_data.arp_sip);
	struct addr target = addr_from_ip4(arp->arp_data.arp_tip);
	bool for_us = ip_is_local_on(stack, port, &target);
	bool gratuitous = arp->arp_data.arp_sip == arp->arp_data.arp_tip;

	if (!for_us && !gratuitous) {
		stack_count(stack, arp_not_for_us);
		return;
	}
	if (!arp_is_probe(arp))
		neighbour_heard(stack, port, &sender, arp->arp_data.arp_sha.addr_bytes,
				arp_news(arp, for_us, to_us));
	if (for_us && arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST))
		arp_reply(stack, port, arp);
}

void arp_input(struct stack *stack, uint16_t port, struct rte_mbuf *pkt, bool to_us)
{
	enum stack_counter fault = COUNTER_arp_malformed;
	struct rte_arp_hdr arp;

	if (pkt_read(pkt, 0, sizeof(arp), &arp) && arp_is_sane(&arp))
		fault = sender_check(stack, port, &arp);
	if (fault == COUNTER_NONE && probes_our_tentative(stack, &arp))
		fault = COUNTER_arp_conflict;
	if (fault == COUNTER_arp_conflict)
		conflict_heard(stack, port, &arp);
	if (fault != COUNTER_NONE) {
		stack_drop(stack, pkt, fault);
		return;
	}
	if (arp.arp_opcode == RTE_BE16(RTE_ARP_OP_REPLY))
		stack_count(stack, arp_replies_in);
	else
		stack_count(stack, arp_requests_in);
	rte_pktmbuf_free(pkt);
	arp_take(stack, port, &arp, to_us);
}
