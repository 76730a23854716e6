/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of ip/ share about IPv6, and what link/ndp.c sends with: parsed packets, ICMPv6,
 * packets that stay on their link. Internal to ip/ and link/.
 */
#ifndef L4STACK_IP_IP6_H
#define L4STACK_IP_IP6_H

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "l4stack/ip/ip_packet.h"

#define IP6_HEADER  sizeof(struct rte_ipv6_hdr)
#define IP6_MTU_MIN 1280 /* RFC 8200 §5 */

/* A received packet that starts at its IPv6 header; all headers are in the first segment. */
struct ip6_packet {
	struct ip_rx rx;
	uint16_t header_bytes; /* and extension headers */
	uint8_t protocol;
	bool to_us;       /* the frame was for this station alone */
	bool reassembled; /* the headers are those of its first fragment */
};

/* An address that one host can have: not a group, ::, ::1, or an IPv4 address in disguise
 * (RFC 4291 §2.5, RFC 6890). */
bool ip6_is_host(const struct addr *addr);

/* ff02::1 */
struct addr ip6_all_nodes(uint16_t port);

/* RFC 4291 §2.5.1 and appendix A: fe80::/64 with the port's hardware address. */
struct addr ip6_link_local(uint16_t port, const uint8_t mac[6]);

/* An ICMPv6 message that no router forwards. */
struct ip6_on_link {
	uint16_t port;
	const struct addr *src, *dst;
	const uint8_t *mac; /* of the station it is for; NULL: of the group, or the neighbour's */
	uint8_t hop_limit;
	bool router_alert; /* RFC 2711 */
};

/* `pkt` starts at the ICMPv6 header, in one segment, its checksum zero. Takes ownership. */
void ip6_send_on_link(struct stack *stack, const struct ip6_on_link *how, struct rte_mbuf *pkt);

/* RFC 4443 §2.1 */
struct icmp6_header {
	uint8_t type, code;
	uint16_t csum;
	uint32_t word;
} __attribute__((packed));
_Static_assert(sizeof(struct icmp6_header) == 8, "RFC 4443 §2.1");

#define ICMP6_UNREACHABLE   1
#define ICMP6_TOO_BIG       2
#define ICMP6_TIME_EXCEEDED 3
#define ICMP6_PARAMETER     4

#define ICMP6_CODE_PORT           4 /* of UNREACHABLE */
#define ICMP6_CODE_REASSEMBLY     1 /* of TIME_EXCEEDED */
#define ICMP6_CODE_FIELD          0 /* of PARAMETER */
#define ICMP6_CODE_NEXT_HEADER    1
#define ICMP6_CODE_OPTION         2
#define ICMP6_CODE_FIRST_FRAGMENT 3 /* RFC 7112 §5 */

struct icmp6_fault {
	uint8_t type, code;
	uint32_t word; /* the second of the header, host order: pointer, MTU, or 0 */
};

/* Answers the sender of `rx` from the address it wrote to, or, if that is a group, from one of the
 * port's. `pkt` starts at the ICMPv6 header, its checksum zero. Takes ownership. */
void icmp6_reply(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt);

/* Both take ownership. `pkt` starts at the ICMPv6 header (of `packet`), or at the IPv6 header
 * the error is about. */
void icmp6_input(struct stack *stack, const struct ip6_packet *packet, struct rte_mbuf *pkt);
void icmp6_error(struct stack *stack, const struct ip6_packet *about, struct rte_mbuf *pkt,
		 const struct icmp6_fault *fault);

#endif
