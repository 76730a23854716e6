/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet as it nearly always is, recognised in one go: IPv4 without options that is no
 * fragment, or IPv6 without extension headers, whole, and with the right sums. What is not that
 * goes through the layers, which can say what is wrong with it.
 *
 * Addresses are not looked at: who takes such a packet has to know that one with the same
 * addresses has passed the layers in this generation; of IPv4, ip_express_pair_ok tells. Internal
 * to l4stack.
 */
#ifndef L4STACK_IP_IP_EXPRESS_H
#define L4STACK_IP_IP_EXPRESS_H

#include "l4stack/ip/ip_layer.h"
#include "l4stack/link/link_express.h"

struct ip_express {
	uint16_t transport_at; /* where the transport's header is in the frame */
	uint16_t len;          /* from there on, without padding */
	uint8_t family;        /* enum addr_family */
	uint8_t ecn;           /* the two bits */
};

/* Addresses and routes are as they were as long as this is the same. Never 0. */
static inline uint32_t ip_express_generation(const struct stack *stack)
{
	return stack->ip->generation;
}

/* A packet of IPv4 with these addresses, in network order, has passed. */
static inline bool ip_express_pair_ok(const struct stack *stack, uint32_t src, uint32_t dst)
{
	return ip_pair_is(stack->ip, ip_pair_of(stack->ip, src, dst), src, dst);
}

/* Both sums of the packet, in software where the device has not said enough. */
bool ip_express_sums_ok(const struct stack *stack, uint16_t port, uint8_t protocol,
			const struct rte_mbuf *pkt, const struct ip_express *in);

static inline bool ip_express_device_says_ok(const struct link_port *port,
					     const struct rte_mbuf *pkt)
{
	const uint64_t good = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;

	return (pkt->ol_flags & good) == good && port->offloads & STACK_RX_CSUM;
}

/* RFC 791 §3.1: version, length of the header, and what makes a fragment, in one look. */
static inline bool ip_express_read_ip4(const uint8_t *ip, uint16_t room, uint8_t protocol,
				       struct ip_express *out)
{
	const uint64_t looked_at = RTE_BE64(0xff00000000003fffull);
	const uint64_t wanted = RTE_BE64(0x4500000000000000ull);
	uint64_t word;
	uint16_t total;

	memcpy(&word, ip, sizeof(word));
	memcpy(&total, ip + 2, sizeof(total));
	total = rte_be_to_cpu_16(total);
	if ((word & looked_at) != wanted || ip[9] != protocol || total > room)
		return false;
	out->len = (uint16_t)(total - 20);
	out->family = ADDR_IP4;
	out->ecn = ip[1] & 3;
	return total > 20;
}

/* RFC 8200 §3 */
static inline bool ip_express_read_ip6(const uint8_t *ip, uint16_t room, uint8_t protocol,
				       struct ip_express *out)
{
	uint16_t len;

	memcpy(&len, ip + 4, sizeof(len));
	len = rte_be_to_cpu_16(len);
	if (ip[0] >> 4 != 6 || ip[6] != protocol || len + 40 > room)
		return false;
	out->len = len;
	out->transport_at = (uint16_t)(out->transport_at + 20);
	out->family = ADDR_IP6;
	out->ecn = ip[1] >> 4 & 3;
	return len;
}

/* A frame from `port`, which is `number`. False: it is not usual, or not of that protocol. */
static inline bool ip_express_read(const struct stack *stack, const struct link_port *port,
				   uint16_t number, uint8_t protocol, const struct rte_mbuf *pkt,
				   struct ip_express *out)
{
	uint16_t type = link_express_read(port, pkt, 40);
	const uint8_t *ip = rte_pktmbuf_mtod_offset(pkt, const uint8_t *, port->header_bytes);
	uint16_t room = (uint16_t)(pkt->data_len - port->header_bytes);

	out->transport_at = (uint16_t)(port->header_bytes + 20);
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV4)) {
		if (!ip_express_read_ip4(ip, room, protocol, out))
			return false;
	} else if (type != RTE_BE16(RTE_ETHER_TYPE_IPV6) ||
		   !ip_express_read_ip6(ip, room, protocol, out)) {
		return false;
	}
	return ip_express_device_says_ok(port, pkt) ||
	       ip_express_sums_ok(stack, number, protocol, pkt, out);
}

#endif
