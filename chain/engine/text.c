/* SPDX-License-Identifier: BSD-3-Clause */
/* Text that is written here (heads, chunk lines, answers) as mbufs. */
#include <errno.h>
#include <string.h>

#include "chain/engine/core.h"

static struct rte_mbuf *text_mbuf(struct engine *engine, const uint8_t *bytes, uint32_t len,
				  uint32_t *taken)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(engine->env.data);

	if (!m) {
		engine_count(engine, text_no_memory);
		return NULL;
	}
	*taken = len < rte_pktmbuf_tailroom(m) ? len : rte_pktmbuf_tailroom(m);
	memcpy(rte_pktmbuf_mtod(m, void *), bytes, *taken);
	m->data_len = (uint16_t)*taken;
	m->pkt_len = *taken;
	return m;
}

struct rte_mbuf *text_chain(struct engine *engine, const void *bytes, uint32_t len)
{
	struct rte_mbuf *first = NULL, **end = &first;

	for (uint32_t done = 0, taken; done < len; done += taken) {
		*end = text_mbuf(engine, (const uint8_t *)bytes + done, len - done, &taken);
		if (!*end) {
			rte_pktmbuf_free(first);
			return NULL;
		}
		end = &(*end)->next;
	}
	return first;
}

/* Written straight into an mbuf when it fits there, which is nearly always. */
int text_head(struct engine *engine, const struct sluice_head *head, const struct http_write *how,
	      struct rte_mbuf **out)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(engine->env.data);
	int len;

	if (!m) {
		engine_count(engine, text_no_memory);
		return -EAGAIN;
	}
	len = http_writtens_head(&engine->writtens, head, &engine->memory, how,
				 rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_tailroom(m));
	if (len >= 0) {
		m->data_len = (uint16_t)len;
		m->pkt_len = (uint32_t)len;
		*out = m;
		return 0;
	}
	rte_pktmbuf_free(m);
	len = http_writtens_head(&engine->writtens, head, &engine->memory, how, engine->scratch,
				 sizeof(engine->scratch));
	if (len < 0)
		return len;
	*out = text_chain(engine, engine->scratch, (uint32_t)len);
	return *out ? 0 : -EAGAIN;
}
