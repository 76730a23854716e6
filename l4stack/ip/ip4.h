/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of ip/ share about IPv4: parsed packets and ICMP. Private to ip/. Addresses
 * are in network order.
 */
#ifndef L4STACK_IP_IP4_H
#define L4STACK_IP_IP4_H

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "l4stack/ip/ip_packet.h"

#define IP4_HEADER sizeof(struct rte_ipv4_hdr) /* without options, as we send it */

/* A received packet that starts at its IPv4 header, all of it in the first segment. */
struct ip4_packet {
	struct ip_rx rx;
	uint16_t header_bytes;
	uint8_t protocol;
	bool reassembled; /* the headers are those of its first fragment */
};

/* An address that one host can have: not 0/8, loopback, group, reserved or broadcast
 * (RFC 1122 §3.2.1.3, RFC 6890). */
static inline bool ip4_is_host(uint32_t addr)
{
	uint32_t a = rte_be_to_cpu_32(addr);

	return a >> 24 != 0 && a >> 24 != 127 && a >> 29 != 7;
}

/* The checksum of a received header, by the device's word if the port gives one. */
bool ip4_header_csum_ok(const struct stack *stack, uint16_t port, const struct rte_mbuf *pkt,
			uint16_t header_bytes);

/* Both take ownership. `pkt` starts at the ICMP header, or at the IPv4 header it is about. */
void icmp4_input(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt);
void icmp4_unreachable(struct stack *stack, const struct ip4_packet *about, struct rte_mbuf *pkt,
		       uint8_t code);
void icmp4_time_exceeded(struct stack *stack, const struct ip4_packet *about, struct rte_mbuf *pkt);

#endif
