/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_byteorder.h>

#include "l4stack/base/pkt.h"
#include "l4stack/tcp/tcp_chain.h"
#include "l4stack/tcp/tcp_segment.h"

static bool header_read(struct rte_mbuf *pkt, uint8_t room[TCP_HEADER_BYTES + TCP_OPTIONS_MAX],
			const uint8_t **header, uint32_t *len)
{
	uint32_t need = TCP_HEADER_BYTES;

	if (pkt->data_len >= TCP_HEADER_BYTES) {
		*header = rte_pktmbuf_mtod(pkt, const uint8_t *);
	} else {
		if (!pkt_read(pkt, 0, need, room))
			return false;
		*header = room;
	}
	need = (uint32_t)((*header)[12] >> 4) * 4;
	if (need < TCP_HEADER_BYTES || need > pkt->pkt_len)
		return false;
	if (need > pkt->data_len) {
		if (!pkt_read(pkt, 0, need, room))
			return false;
		*header = room;
	}
	*len = need;
	return true;
}

static void header_take(const struct ip_rx *rx, const struct tcp_header *header,
			struct tcp_seg *out)
{
	out->local = (struct endpoint){rx->dst, rte_be_to_cpu_16(header->dst)};
	out->remote = (struct endpoint){rx->src, rte_be_to_cpu_16(header->src)};
	out->seq = rte_be_to_cpu_32(header->seq);
	out->ack = rte_be_to_cpu_32(header->ack);
	out->flags = rte_be_to_cpu_16(header->offset_flags) & TCP_FLAGS_MASK;
	out->window = rte_be_to_cpu_16(header->window);
	out->ecn = rx->ecn;
}

/* No stack sends SYN with FIN or RST, and no connection is without ports. */
static bool header_sound(const struct tcp_seg *seg)
{
	return seg->local.port && seg->remote.port &&
	       !(seg->flags & TCP_SYN && seg->flags & (TCP_FIN | TCP_RST));
}

bool tcp_seg_parse(const struct ip_rx *rx, struct rte_mbuf *pkt, struct tcp_seg *out)
{
	uint8_t room[TCP_HEADER_BYTES + TCP_OPTIONS_MAX];
	const uint8_t *header;
	uint32_t header_len;

	out->pkt = pkt;
	if (!header_read(pkt, room, &header, &header_len))
		return false;
	header_take(rx, (const struct tcp_header *)header, out);
	if (!header_sound(out))
		return false;
	/* RFC 9293 MUST-7: bad options do not hurt; what was read before them is used. */
	tcp_options_parse(header + TCP_HEADER_BYTES, header_len - TCP_HEADER_BYTES, &out->options);
	out->len = pkt->pkt_len - header_len;
	out->pkt = tcp_chain_skip(pkt, header_len);
	return true;
}
