/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A queue of payload: a chain of mbufs linked by `next`, with its end and its size.
 *
 * `charge` is what the mbufs cost however little is in them: buffers are bounded by it, so
 * that small segments cannot exhaust the pool.
 */
#ifndef CHAIN_ENGINE_PAYLOAD_H
#define CHAIN_ENGINE_PAYLOAD_H

#include <rte_mbuf.h>
#include <stdint.h>

struct payload {
	struct rte_mbuf *first, *last;
	uint32_t bytes, charge;
};

static inline uint32_t payload_mbuf_charge(const struct rte_mbuf *m)
{
	return (uint32_t)m->buf_len + (uint32_t)sizeof(*m);
}

static inline struct payload payload_of(struct rte_mbuf *chain)
{
	struct payload p = {.first = chain};

	for (struct rte_mbuf *m = chain; m; m = m->next) {
		p.bytes += m->data_len;
		p.charge += payload_mbuf_charge(m);
		p.last = m;
	}
	return p;
}

/* Appends all of `more`. */
static inline void payload_append(struct payload *to, struct payload more)
{
	if (!more.first)
		return;
	if (to->last)
		to->last->next = more.first;
	else
		to->first = more.first;
	to->last = more.last;
	to->bytes += more.bytes;
	to->charge += more.charge;
}

/* Takes whole mbufs from the front until `bytes` are reached or `mbufs` are taken: at least one. */
static inline struct payload payload_take(struct payload *from, uint32_t bytes, unsigned mbufs)
{
	struct payload taken = {.first = from->first};

	do {
		struct rte_mbuf *m = from->first;

		taken.last = m;
		taken.bytes += m->data_len;
		taken.charge += payload_mbuf_charge(m);
		from->first = m->next;
	} while (from->first && taken.bytes < bytes && --mbufs > 0);
	taken.last->next = NULL;
	from->bytes -= taken.bytes;
	from->charge -= taken.charge;
	if (!from->first)
		from->last = NULL;
	return taken;
}

static inline void payload_free(struct payload *p)
{
	if (!p->first)
		return;
	rte_pktmbuf_free(p->first);
	*p = (struct payload){0};
}

#endif
