/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums of packets of both families, shared out between the device and us. */
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/base/csum.h"
#include "l4stack/ip/ip4.h"
#include "l4stack/ip/ip_express.h"
#include "l4stack/ip/ip_packet.h"
#include "l4stack/link/link.h"
#include "l4stack/tcp/tcp_proto.h"

#define SUM_RIGHT 0xffff /* of data that includes its checksum */

enum device_word { DEVICE_SAYS_NOTHING, DEVICE_SAYS_BAD, DEVICE_SAYS_GOOD };

/* NONE means that the field may be wrong but the data is right (rte_mbuf.h): a packet of a
 * virtual machine on this host, whose checksum was never computed. */
static enum device_word device_word(const struct stack *stack, uint16_t port, uint64_t flags,
				    uint64_t bad, uint64_t good)
{
	if (!(link_port(stack, port)->offloads & STACK_RX_CSUM) || !(flags & (bad | good)))
		return DEVICE_SAYS_NOTHING;
	return flags & good ? DEVICE_SAYS_GOOD : DEVICE_SAYS_BAD;
}

static bool header_csum_ok(const struct stack *stack, uint16_t port, uint64_t flags,
			   const void *header, uint16_t header_bytes)
{
	enum device_word word = device_word(stack, port, flags, RTE_MBUF_F_RX_IP_CKSUM_BAD,
					    RTE_MBUF_F_RX_IP_CKSUM_GOOD);

	if (word != DEVICE_SAYS_NOTHING)
		return word == DEVICE_SAYS_GOOD;
	return csum_bytes(header, header_bytes) == SUM_RIGHT;
}

bool ip4_header_csum_ok(const struct stack *stack, uint16_t port, const struct rte_mbuf *pkt,
			uint16_t header_bytes)
{
	return header_csum_ok(stack, port, pkt->ol_flags, rte_pktmbuf_mtod(pkt, const void *),
			      header_bytes);
}

bool ip_transport_csum_ok(const struct stack *stack, const struct ip_rx *rx, uint8_t protocol,
			  const struct rte_mbuf *pkt)
{
	enum device_word word =
		device_word(stack, rx->port, pkt->ol_flags, RTE_MBUF_F_RX_L4_CKSUM_BAD,
			    RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	uint16_t pseudo;

	if (word != DEVICE_SAYS_NOTHING)
		return word == DEVICE_SAYS_GOOD;
	pseudo = csum_pseudo(&rx->src, &rx->dst, protocol, pkt->pkt_len);
	return csum_add(pseudo, csum_mbuf(pkt, 0, pkt->pkt_len)) == SUM_RIGHT;
}

/* As the two above, of a packet that still has its headers. */
bool ip_express_sums_ok(const struct stack *stack, uint16_t port, uint8_t protocol,
			const struct rte_mbuf *pkt, const struct ip_express *in)
{
	const uint8_t *transport = rte_pktmbuf_mtod_offset(pkt, const uint8_t *, in->transport_at);
	bool is_ip4 = in->family == ADDR_IP4;
	enum device_word word = device_word(stack, port, pkt->ol_flags, RTE_MBUF_F_RX_L4_CKSUM_BAD,
					    RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	uint16_t sum;

	if (is_ip4 &&
	    !header_csum_ok(stack, port, pkt->ol_flags, transport - IP4_HEADER, IP4_HEADER))
		return false;
	if (word != DEVICE_SAYS_NOTHING)
		return word == DEVICE_SAYS_GOOD;
	/* In either family the two addresses are the last of the header. */
	sum = is_ip4 ? csum_bytes(transport - 8, 8) : csum_bytes(transport - 32, 32);
	sum = csum_add(sum, csum_fold64((uint64_t)__builtin_bswap16(protocol) +
					__builtin_bswap16(in->len)));
	return csum_add(sum, csum_mbuf(pkt, in->transport_at, in->len)) == SUM_RIGHT;
}

void ip_tcp_deliver(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	if (ip_transport_csum_ok(stack, rx, IP_PROTOCOL_TCP, pkt))
		tcp_proto_input(stack->tcp, rx, pkt);
	else
		stack_drop(stack, pkt, COUNTER_tcp_bad_csum);
}

static const struct ip_csum_place udp_csum = {IP_PROTOCOL_UDP, 6, STACK_TX_UDP_CSUM,
					      RTE_MBUF_F_TX_UDP_CKSUM};

static void csum_by_us(const struct ip_path *path, const struct ip_csum_place *place,
		       struct rte_mbuf *pkt)
{
	uint16_t pseudo = csum_pseudo(&path->src, &path->dst, place->protocol, pkt->pkt_len);
	uint16_t csum = csum_finish(csum_add(pseudo, csum_mbuf(pkt, 0, pkt->pkt_len)));

	/* RFC 768: a checksum of zero is sent as all ones; zero means none. */
	if (csum == 0 && place->protocol == IP_PROTOCOL_UDP)
		csum = UINT16_MAX;
	memcpy(rte_pktmbuf_mtod_offset(pkt, uint8_t *, place->offset), &csum, sizeof(csum));
}

void ip_transport_csum_set(struct stack *stack, const struct ip_path *path, uint8_t protocol,
			   struct rte_mbuf *pkt, uint16_t tso_segsz)
{
	const struct ip_csum_place *place = protocol == IP_PROTOCOL_TCP ? &ip_tcp_csum : &udp_csum;

	if (protocol != IP_PROTOCOL_TCP && protocol != IP_PROTOCOL_UDP)
		return;
	if (tso_segsz || (path->offloads & place->offload)) {
		ip_csum_to_device(path, place, pkt, tso_segsz);
		return;
	}
	stack_count(stack, ip_csum_in_software);
	csum_by_us(path, place, pkt);
}
