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

#define TCP_CSUM_OFFSET 16
#define UDP_CSUM_OFFSET 6
#define SUM_RIGHT       0xffff /* of data that includes its checksum */

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

struct csum_place {
	uint16_t offset;
	uint32_t offload;
	uint64_t flag;
};

static const struct csum_place tcp_place = {TCP_CSUM_OFFSET, STACK_TX_TCP_CSUM,
					    RTE_MBUF_F_TX_TCP_CKSUM};
static const struct csum_place udp_place = {UDP_CSUM_OFFSET, STACK_TX_UDP_CSUM,
					    RTE_MBUF_F_TX_UDP_CKSUM};

static void field_write(struct rte_mbuf *pkt, uint16_t offset, uint16_t value)
{
	memcpy(rte_pktmbuf_mtod_offset(pkt, uint8_t *, offset), &value, sizeof(value));
}

/* What the device wants: the pseudo header's sum in the field, without the length when it
 * cuts (each cut has a length of its own). */
static void csum_to_device(const struct ip_path *path, uint8_t protocol, struct rte_mbuf *pkt,
			   uint16_t tso_segsz, const struct csum_place *place)
{
	uint16_t len = tso_segsz ? 0 : (uint16_t)pkt->pkt_len;

	field_write(pkt, place->offset, csum_pseudo(&path->src, &path->dst, protocol, len));
	pkt->ol_flags |= place->flag;
	pkt->ol_flags |= path->dst.family == ADDR_IP6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	if (tso_segsz)
		pkt->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
}

static void csum_by_us(const struct ip_path *path, uint8_t protocol, struct rte_mbuf *pkt,
		       const struct csum_place *place)
{
	uint16_t pseudo = csum_pseudo(&path->src, &path->dst, protocol, pkt->pkt_len);
	uint16_t csum = csum_finish(csum_add(pseudo, csum_mbuf(pkt, 0, pkt->pkt_len)));

	/* RFC 768: a checksum of zero is sent as all ones; zero means none. */
	if (csum == 0 && protocol == IP_PROTOCOL_UDP)
		csum = UINT16_MAX;
	field_write(pkt, place->offset, csum);
}

void ip_transport_csum_set(struct stack *stack, const struct ip_path *path, uint8_t protocol,
			   struct rte_mbuf *pkt, uint16_t tso_segsz)
{
	const struct csum_place *place = protocol == IP_PROTOCOL_TCP ? &tcp_place : &udp_place;

	if (protocol != IP_PROTOCOL_TCP && protocol != IP_PROTOCOL_UDP)
		return;
	if (tso_segsz || (path->offloads & place->offload)) {
		csum_to_device(path, protocol, pkt, tso_segsz, place);
		return;
	}
	stack_count(stack, ip_csum_in_software);
	csum_by_us(path, protocol, pkt, place);
}
