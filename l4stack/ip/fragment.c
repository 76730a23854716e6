/* SPDX-License-Identifier: BSD-3-Clause */
/* A packet of ours in fragments: RFC 791 §3.2, RFC 8200 §4.5. TCP has none: it cuts by itself. */
#include <rte_mbuf.h>

#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip4.h"
#include "l4stack/ip/ip6.h"
#include "l4stack/ip/ip6_ext.h"
#include "l4stack/link/neighbour.h"

#define UNIT 8

static bool is_ip6(const struct ip_output *out)
{
	return out->path->dst.family == ADDR_IP6;
}

static uint16_t header_bytes(const struct ip_output *out)
{
	return is_ip6(out) ? IP6_HEADER + IP6_FRAGMENT_HEADER : IP4_HEADER;
}

/* The device's checksum would be that of a fragment. */
static void csum_put(const struct ip_output *out, struct rte_mbuf *pkt)
{
	struct ip_path path = *out->path;

	path.offloads = 0;
	ip_transport_csum_set(out->stack, &path, out->protocol, pkt, 0);
}

static void piece_send(const struct ip_output *out, struct rte_mbuf *piece)
{
	uint16_t l2_bytes = link_port(out->stack, out->path->port)->header_bytes;

	if (is_ip6(out))
		ip6_header_put(out, piece);
	else
		ip4_header_put(out, piece);
	piece->tx_offload = rte_mbuf_tx_offload(l2_bytes, header_bytes(out), 0, 0, 0, 0, 0);
	stack_count(out->stack, ip_fragments_out);
	neighbour_output(out->neighbour, piece);
}

/* An empty mbuf that the headers go into, and `len` bytes of the rest behind it. */
static struct rte_mbuf *piece_make(const struct ip_output *out, struct rte_mbuf **rest,
				   uint32_t len)
{
	struct rte_mbuf *piece = rte_pktmbuf_alloc(out->stack->pools.header);

	if (piece && !pkt_move(piece, rest, len, out->stack->pools.ref)) {
		rte_pktmbuf_free(piece);
		piece = NULL;
	}
	if (!piece)
		stack_count(out->stack, ip_no_mbuf);
	return piece;
}

void ip_fragment_send(const struct ip_output *whole, struct rte_mbuf *pkt)
{
	uint32_t most = (uint32_t)(whole->path->mtu - header_bytes(whole)) / UNIT * UNIT;
	struct ip_cut cut = {.more = true};
	struct ip_output out = *whole;
	uint32_t left = pkt->pkt_len;

	csum_put(whole, pkt);
	out.cut = &cut;
	cut.id = is_ip6(whole) ? ip6_cut_id(whole->stack, whole->path)
			       : ip4_cut_id(whole->stack, whole->path);
	stack_count(whole->stack, ip_fragmented);
	while (left > 0) {
		uint32_t len = RTE_MIN(left, most);
		struct rte_mbuf *piece = piece_make(&out, &pkt, len);

		if (!piece)
			break;
		left -= len;
		cut.more = left > 0;
		piece_send(&out, piece);
		cut.offset = (uint16_t)(cut.offset + len);
	}
	rte_pktmbuf_free(pkt);
}
