/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/sluice-bench/content.h"

#include <stdio.h>
#include <string.h>

#include <rte_malloc.h>

#define COPY_MOST 1400
#define REFS      8191
#define REF_BYTES 256
#define BODY_ROOM (CONTENT_PIECE_MOST + CONTENT_PERIOD)

static void body_kept(void *addr, void *opaque)
{
	(void)addr;
	(void)opaque;
}

int content_create(struct content *c, const char *name)
{
	*c = (struct content){.shared = {.free_cb = body_kept}};
	c->body = rte_malloc("body", BODY_ROOM, RTE_CACHE_LINE_SIZE);
	c->refs = rte_pktmbuf_pool_create(name, REFS, REF_BYTES, 0, 0, SOCKET_ID_ANY);
	if (!c->body || !c->refs)
		return -1;
	for (uint32_t i = 0; i < BODY_ROOM; i++)
		c->body[i] = (uint8_t)('a' + i % CONTENT_PERIOD);
	rte_mbuf_ext_refcnt_set(&c->shared, 1);
	content_size(c, 0);
	return 0;
}

uint32_t content_asked(const char *request, uint32_t len, uint32_t most)
{
	uint64_t size = 0;

	for (uint32_t i = 5; i < len && request[i] >= '0' && request[i] <= '9' && size <= most; i++)
		size = size * 10 + (uint64_t)(request[i] - '0');
	return size < most ? (uint32_t)size : most;
}

static void head_write(struct content *c, const char *space)
{
	c->head_len =
		(uint32_t)snprintf(c->head, sizeof(c->head),
				   "HTTP/1.1 200 OK\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\n"
				   "Content-Type: application/octet-stream\r\n"
				   "Content-Length: %s%u\r\n\r\n",
				   space, c->size);
}

/* Of an even length: rte_raw_cksum_mbuf() of DPDK 22.11 loses carries of a piece that begins at an
 * odd offset, and net_vhost sums with it for a peer that does not. */
void content_size(struct content *c, uint32_t size)
{
	if (c->size == size && c->head_len)
		return;
	c->size = size;
	head_write(c, "");
	if (c->head_len & 1)
		head_write(c, " ");
}

static void copy(struct rte_mbuf *m, const void *from, uint32_t len)
{
	memcpy(rte_pktmbuf_mtod_offset(m, char *, m->data_len), from, len);
	m->data_len += (uint16_t)len;
	m->pkt_len += len;
}

static bool refer(struct content *c, struct rte_mbuf *m, uint32_t phase, uint32_t len)
{
	struct rte_mbuf *ref = rte_pktmbuf_alloc(c->refs);

	if (!ref)
		return false;
	rte_mbuf_ext_refcnt_update(&c->shared, 1);
	rte_pktmbuf_attach_extbuf(ref, c->body, rte_malloc_virt2iova(c->body), BODY_ROOM,
				  &c->shared);
	ref->data_off = (uint16_t)phase;
	ref->data_len = (uint16_t)len;
	m->next = ref;
	m->nb_segs = 2;
	m->pkt_len += len;
	return true;
}

bool content_append(struct content *c, struct rte_mbuf *m, uint32_t at, uint32_t len)
{
	uint32_t whole = len, phase = 0;

	if (at < c->head_len) {
		uint32_t n = RTE_MIN(len, c->head_len - at);

		copy(m, c->head + at, n);
		len -= n;
	} else {
		phase = (at - c->head_len) % CONTENT_PERIOD;
	}
	if (whole > COPY_MOST && len)
		return refer(c, m, phase, len);
	copy(m, c->body + phase, len);
	return true;
}
