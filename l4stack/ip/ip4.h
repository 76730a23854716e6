/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of ip/ share about IPv4: parsed packets, ICMP, checksum offload,
 * segmentation. Private to ip/. Addresses are in network order.
 */
#ifndef L4STACK_IP_IP4_H
#define L4STACK_IP_IP4_H

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "l4stack/ip/ip_layer.h"

#define IP4_HEADER        sizeof(struct rte_ipv4_hdr) /* without options, as we send it */
#define IP4_PROTOCOL_ICMP 1
#define IP4_PROTOCOL_TCP  6
#define IP4_PROTOCOL_UDP  17

/* A received packet that starts at its IPv4 header, all of it in the first segment. */
struct ip4_packet {
	struct ip_rx rx;
	uint16_t header_bytes;
	uint8_t protocol;
};

/* An address that one host can have: not 0/8, loopback, group, reserved or broadcast
 * (RFC 1122 §3.2.1.3, RFC 6890). */
static inline bool ip4_is_host(uint32_t addr)
{
	uint32_t a = rte_be_to_cpu_32(addr);

	return a >> 24 != 0 && a >> 24 != 127 && a >> 29 != 7;
}

/* Checksums of a received packet, by the device's word if the port gives one and in software
 * otherwise. `pkt` starts at the header that has the checksum. */
bool ip4_header_csum_ok(const struct stack *stack, uint16_t port, const struct rte_mbuf *pkt,
			uint16_t header_bytes);
bool ip4_transport_csum_ok(const struct stack *stack, const struct ip_rx *rx, uint8_t protocol,
			   const struct rte_mbuf *pkt);

/*
 * Completes the transport checksum of a packet to send, which starts at the transport
 * header with the field zero: leaves it to the device of the path if it can (`tso_segsz`
 * not 0: the device cuts as well), or computes it.
 */
void ip4_transport_csum_set(struct stack *stack, const struct ip_path *path, uint8_t protocol,
			    struct rte_mbuf *pkt, uint16_t tso_segsz);

/* Both take ownership. `pkt` starts at the ICMP header, or at the IPv4 header it is about. */
void icmp4_input(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt);
void icmp4_unreachable(struct stack *stack, const struct ip4_packet *about, struct rte_mbuf *pkt,
		       uint8_t code);

/* The bytes of the TCP header that `pkt` starts with; one of ours, so it is right. */
static inline uint16_t ip_tcp_header_bytes(const struct rte_mbuf *pkt)
{
	return (uint16_t)(*rte_pktmbuf_mtod_offset(pkt, const uint8_t *, 12) >> 4 << 2);
}

#endif
