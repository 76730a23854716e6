/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/engine/source.h"

/* The first `bytes` of an mbuf that goes on. */
static struct rte_mbuf *part_of(struct rte_mbuf *m, uint16_t bytes, struct rte_mempool *pool)
{
	struct rte_mbuf *part = rte_pktmbuf_alloc(pool);

	if (!part)
		return NULL;
	rte_pktmbuf_attach(part, m);
	part->data_off = m->data_off;
	part->data_len = bytes;
	part->next = NULL;
	m->data_off = (uint16_t)(m->data_off + bytes);
	m->data_len = (uint16_t)(m->data_len - bytes);
	return part;
}

static struct payload rest_take(const struct source *source, uint32_t bytes)
{
	struct payload *rest = source->rest, taken = {0};
	struct rte_mbuf *part;

	while (rest->first && bytes >= rest->first->data_len) {
		bytes -= rest->first->data_len;
		payload_append(&taken, payload_take(rest, 1, 1));
	}
	if (!bytes || !rest->first)
		return taken;
	part = part_of(rest->first, (uint16_t)bytes, source->ref);
	if (part)
		rest->bytes -= bytes;
	payload_append(&taken, payload_of(part));
	return taken;
}

struct payload source_take(const struct source *source, uint32_t bytes)
{
	if (source->conn)
		return payload_of(tcp_recv(source->conn, bytes));
	return source->rest ? rest_take(source, bytes) : (struct payload){0};
}
