/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/base/pkt.h"

#include <string.h>

void pkt_truncate(struct rte_mbuf *pkt, uint32_t len)
{
	struct rte_mbuf *last = pkt;
	uint32_t left = len;
	uint16_t segs = 1;

	while (left > last->data_len) {
		left -= last->data_len;
		last = last->next;
		segs++;
	}
	last->data_len = (uint16_t)left;
	rte_pktmbuf_free(last->next);
	last->next = NULL;
	pkt->nb_segs = segs;
	pkt->pkt_len = len;
}

struct rte_mbuf *pkt_skip(struct rte_mbuf *pkt, uint32_t len)
{
	while (pkt->next && len >= pkt->data_len) {
		struct rte_mbuf *next = pkt->next;

		len -= pkt->data_len;
		next->pkt_len = pkt->pkt_len - pkt->data_len;
		next->nb_segs = (uint16_t)(pkt->nb_segs - 1);
		rte_pktmbuf_free_seg(pkt);
		pkt = next;
	}
	pkt_pull(pkt, (uint16_t)len);
	return pkt;
}

void pkt_chain(struct rte_mbuf *head, struct rte_mbuf *rest)
{
	uint32_t len = rest->pkt_len;
	uint16_t segs = rest->nb_segs;

	if (rest->data_len == 0) {
		struct rte_mbuf *empty = rest;

		rest = rest->next;
		segs--;
		rte_pktmbuf_free_seg(empty);
	}
	head->next = rest;
	head->nb_segs = (uint16_t)(1 + segs);
	head->pkt_len += len;
}

/* At most `len` bytes off the rest, in one mbuf: its own when all of it goes, or else a reference
 * to its first part. */
static struct rte_mbuf *part_take(struct rte_mbuf **rest, uint32_t len, struct rte_mempool *refs)
{
	struct rte_mbuf *whole = *rest, *part;

	if (whole->data_len <= len) {
		*rest = whole->next;
		whole->next = NULL;
		whole->nb_segs = 1;
		return whole;
	}
	part = rte_pktmbuf_alloc(refs);
	if (!part)
		return NULL;
	rte_pktmbuf_attach(part, whole);
	part->data_len = (uint16_t)len;
	whole->data_off = (uint16_t)(whole->data_off + len);
	whole->data_len = (uint16_t)(whole->data_len - len);
	return part;
}

bool pkt_move(struct rte_mbuf *to, struct rte_mbuf **rest, uint32_t len, struct rte_mempool *refs)
{
	struct rte_mbuf *last = rte_pktmbuf_lastseg(to);

	while (len > 0) {
		struct rte_mbuf *part = part_take(rest, len, refs);

		if (!part)
			return false;
		last->next = part;
		last = part;
		len -= part->data_len;
		to->pkt_len += part->data_len;
		to->nb_segs++;
	}
	return true;
}

bool pkt_read(const struct rte_mbuf *pkt, uint32_t offset, uint32_t len, void *out)
{
	uint8_t *to = out;

	if (offset > pkt->pkt_len || len > pkt->pkt_len - offset)
		return false;
	for (; len > 0; pkt = pkt->next) {
		uint32_t n;

		if (offset >= pkt->data_len) {
			offset -= pkt->data_len;
			continue;
		}
		n = RTE_MIN(pkt->data_len - offset, len);
		memcpy(to, rte_pktmbuf_mtod_offset(pkt, uint8_t *, offset), n);
		to += n;
		len -= n;
		offset = 0;
	}
	return true;
}

struct rte_mbuf *pkt_linearise(struct rte_mbuf *pkt, struct rte_mempool *pool)
{
	struct rte_mbuf *flat = rte_pktmbuf_alloc(pool);

	if (flat && rte_pktmbuf_tailroom(flat) < pkt->pkt_len) {
		rte_pktmbuf_free(flat);
		flat = NULL;
	}
	if (flat) {
		pkt_read(pkt, 0, pkt->pkt_len, rte_pktmbuf_mtod(flat, void *));
		flat->data_len = (uint16_t)pkt->pkt_len;
		flat->pkt_len = pkt->pkt_len;
		flat->ol_flags |= pkt->ol_flags & ~(RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);
		flat->tx_offload = pkt->tx_offload;
	}
	rte_pktmbuf_free(pkt);
	return flat;
}
