/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What rte_mbuf.h does not do for packets of many segments. Ownership as the names say;
 * any thread that owns the packet.
 */
#ifndef L4STACK_BASE_PKT_H
#define L4STACK_BASE_PKT_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

/* Cuts the packet to its first `len` bytes, len <= pkt_len; segments left empty are freed,
 * but for the first. */
void pkt_truncate(struct rte_mbuf *pkt, uint32_t len);

/* Drops the first `len` bytes, len <= data_len of the first segment, which stays. */
static inline void pkt_pull(struct rte_mbuf *pkt, uint16_t len)
{
	pkt->data_off = (uint16_t)(pkt->data_off + len);
	pkt->data_len = (uint16_t)(pkt->data_len - len);
	pkt->pkt_len -= len;
}

/* Drops the first `len` bytes, len <= pkt_len, and segments left empty, but for the last. Returns
 * the packet that is left. */
struct rte_mbuf *pkt_skip(struct rte_mbuf *pkt, uint32_t len);

/* Makes room for a header of `len` bytes before the data; the caller knows that it is there. */
static inline void *pkt_push(struct rte_mbuf *pkt, uint16_t len)
{
	pkt->data_off = (uint16_t)(pkt->data_off - len);
	pkt->data_len = (uint16_t)(pkt->data_len + len);
	pkt->pkt_len += len;
	return rte_pktmbuf_mtod(pkt, void *);
}

/* Puts `rest` behind the one segment of `head`; a first segment of `rest` that is empty is
 * freed. Takes ownership of `rest`. */
void pkt_chain(struct rte_mbuf *head, struct rte_mbuf *rest);

/*
 * Moves the first `len` bytes of `*rest`, which has them, to the end of `to`: whole mbufs as they
 * are, and of the last, if it is cut, a reference from the pool `refs`. `*rest` is what is left:
 * its mbufs' own lengths are right, its pkt_len is not. False when no mbuf was left.
 */
bool pkt_move(struct rte_mbuf *to, struct rte_mbuf **rest, uint32_t len, struct rte_mempool *refs);

/* Copies `len` bytes from `offset`. False, and nothing copied, when the packet is shorter. */
bool pkt_read(const struct rte_mbuf *pkt, uint32_t offset, uint32_t len, void *out);

/*
 * One segment from `pool` with the bytes, metadata and headroom of `pkt`, which is freed.
 * NULL (and `pkt` freed) when the pool is empty or its room too small.
 */
struct rte_mbuf *pkt_linearise(struct rte_mbuf *pkt, struct rte_mempool *pool);

#endif
