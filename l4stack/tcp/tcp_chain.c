/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_chain.h"

#include <string.h>

struct rte_mbuf *tcp_chain_measure_all(struct rte_mbuf *chain, struct rte_mbuf **last,
				       struct tcp_chain_size *size)
{
	struct rte_mbuf **link = &chain;

	*last = NULL;
	*size = (struct tcp_chain_size){0};
	while (*link) {
		struct rte_mbuf *m = *link;

		if (m->data_len == 0) {
			*link = m->next;
			rte_pktmbuf_free_seg(m);
			continue;
		}
		size->bytes += m->data_len;
		size->charge += tcp_mbuf_charge(m);
		*last = m;
		link = &m->next;
	}
	return chain;
}

struct rte_mbuf *tcp_chain_skip_many(struct rte_mbuf *chain, uint32_t bytes)
{
	while (chain && bytes >= chain->data_len) {
		struct rte_mbuf *next = chain->next;

		bytes -= chain->data_len;
		rte_pktmbuf_free_seg(chain);
		chain = next;
	}
	if (chain && bytes)
		pkt_pull(chain, (uint16_t)bytes);
	return chain;
}

void tcp_chain_truncate(struct rte_mbuf *chain, uint32_t bytes)
{
	while (bytes > chain->data_len) {
		bytes -= chain->data_len;
		chain = chain->next;
	}
	chain->data_len = (uint16_t)bytes;
	rte_pktmbuf_free(chain->next);
	chain->next = NULL;
}

struct rte_mbuf *tcp_chain_split(struct rte_mbuf *chain, uint32_t bytes, struct rte_mempool *pool)
{
	struct rte_mbuf *rest = NULL, *m = chain;

	while (bytes > m->data_len) {
		bytes -= m->data_len;
		m = m->next;
	}
	if (bytes == m->data_len) {
		rest = m->next;
		m->next = NULL;
		return rest;
	}
	rest = tcp_chain_ref(m, bytes, m->data_len - bytes, pool);
	if (rest)
		rest->next = m->next;
	else
		rte_pktmbuf_free(m->next);
	m->data_len = (uint16_t)bytes;
	m->next = NULL;
	return rest;
}

static bool exclusive(const struct rte_mbuf *m)
{
	if (rte_mbuf_refcnt_read(m) != 1 || RTE_MBUF_CLONED(m))
		return false;
	return !RTE_MBUF_HAS_EXTBUF(m) ||
	       (RTE_MBUF_HAS_PINNED_EXTBUF(m) && rte_mbuf_ext_refcnt_read(m->shinfo) == 1);
}

bool tcp_chain_merge(struct rte_mbuf *to, const struct rte_mbuf *chain, uint32_t bytes)
{
	uint32_t end = (uint32_t)to->data_off + to->data_len;
	uint8_t *at;

	if (end + bytes > to->buf_len || !exclusive(to))
		return false;
	at = rte_pktmbuf_mtod_offset(to, uint8_t *, to->data_len);
	to->data_len = (uint16_t)(to->data_len + bytes);
	for (; bytes; chain = chain->next) {
		uint32_t n = RTE_MIN(bytes, (uint32_t)chain->data_len);

		memcpy(at, rte_pktmbuf_mtod(chain, const void *), n);
		at += n;
		bytes -= n;
	}
	return true;
}

uint32_t tcp_chain_compact(struct rte_mbuf *chain)
{
	uint32_t moved = 0;

	while (chain->next && tcp_chain_merge(chain, chain->next, chain->next->data_len)) {
		struct rte_mbuf *next = chain->next;

		moved += next->data_len;
		chain->next = next->next;
		rte_pktmbuf_free_seg(next);
	}
	return moved;
}

struct rte_mbuf *tcp_chain_ref(struct rte_mbuf *m, uint32_t off, uint32_t len,
			       struct rte_mempool *pool)
{
	struct rte_mbuf *ref = rte_pktmbuf_alloc(pool);

	if (!ref)
		return NULL;
	rte_pktmbuf_attach(ref, m);
	ref->data_off = (uint16_t)(ref->data_off + off);
	ref->data_len = (uint16_t)len;
	ref->pkt_len = len;
	return ref;
}

struct rte_mbuf *tcp_chain_copy(const struct rte_mbuf *m, uint32_t off, uint32_t len,
				struct rte_mempool *pool)
{
	struct rte_mbuf *copy = rte_pktmbuf_alloc(pool);

	if (!copy)
		return NULL;
	if (rte_pktmbuf_tailroom(copy) < len) {
		rte_pktmbuf_free(copy);
		return NULL;
	}
	memcpy(rte_pktmbuf_mtod(copy, void *), rte_pktmbuf_mtod_offset(m, const void *, off), len);
	copy->data_len = (uint16_t)len;
	copy->pkt_len = len;
	return copy;
}
