/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Chains of payload: mbufs linked by `next`, each with at least one byte. pkt_len and
 * nb_segs mean nothing in them.
 *
 * A chain belongs to one owner, who may cut it; the bytes are never written.
 * Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_CHAIN_H
#define L4STACK_TCP_TCP_CHAIN_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "l4stack/base/pkt.h"

/* What an mbuf costs, however little is in it. */
static inline uint32_t tcp_mbuf_charge(const struct rte_mbuf *m)
{
	return (uint32_t)m->buf_len + (uint32_t)sizeof(*m);
}

struct tcp_chain_size {
	uint32_t bytes, charge;
};

/* Takes empty mbufs out and measures the rest. *last is its end. NULL when nothing is left. */
struct rte_mbuf *tcp_chain_measure_all(struct rte_mbuf *chain, struct rte_mbuf **last,
				       struct tcp_chain_size *size);

static inline struct rte_mbuf *tcp_chain_measure(struct rte_mbuf *chain, struct rte_mbuf **last,
						 struct tcp_chain_size *size)
{
	if (!chain || chain->next || !chain->data_len)
		return tcp_chain_measure_all(chain, last, size);
	*last = chain;
	*size = (struct tcp_chain_size){chain->data_len, tcp_mbuf_charge(chain)};
	return chain;
}

/* Drops the first `bytes`, freeing what is emptied, and returns the rest: NULL if none. */
struct rte_mbuf *tcp_chain_skip_many(struct rte_mbuf *chain, uint32_t bytes);

static inline struct rte_mbuf *tcp_chain_skip(struct rte_mbuf *chain, uint32_t bytes)
{
	if (!chain || bytes >= chain->data_len)
		return tcp_chain_skip_many(chain, bytes);
	pkt_pull(chain, (uint16_t)bytes);
	return chain;
}

/* Cuts to the first `bytes` (at least 1, at most what is there) and frees the rest. */
void tcp_chain_truncate(struct rte_mbuf *chain, uint32_t bytes);

/* Cuts to the first `bytes` and returns the rest; an mbuf that straddles the cut is shared by a
 * reference from `pool`. NULL when nothing is left, or that pool is empty: then the rest is freed.
 */
struct rte_mbuf *tcp_chain_split(struct rte_mbuf *chain, uint32_t bytes, struct rte_mempool *pool);

/*
 * Appends `bytes` of `chain` to the room behind the data of `to`: only when nobody else
 * can see that buffer. False when they do not fit or `to` is shared.
 */
bool tcp_chain_merge(struct rte_mbuf *to, const struct rte_mbuf *chain, uint32_t bytes);

/* Moves the bytes of the later mbufs into the first, as far as tcp_chain_merge can. Returns how
 * many were moved. */
uint32_t tcp_chain_compact(struct rte_mbuf *chain);

/* A reference to `len` bytes at `off` of `m`, from `pool`. NULL when it is empty. */
struct rte_mbuf *tcp_chain_ref(struct rte_mbuf *m, uint32_t off, uint32_t len,
			       struct rte_mempool *pool);

/* A copy of them, in one mbuf of `pool`. NULL when it is empty or its room too small. */
struct rte_mbuf *tcp_chain_copy(const struct rte_mbuf *m, uint32_t off, uint32_t len,
				struct rte_mempool *pool);

#endif
