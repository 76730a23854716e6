/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of exchanges: by worker and slot, in chunks that never move. */
#include <stdlib.h>
#include <string.h>

#include "nf/sdk/core.h"

#define SLOTS_MAX (1u << 24)

static bool chunks_grow(struct nf_worker *w, uint32_t chunk)
{
	uint32_t count = w->chunks_count ? w->chunks_count : 16;
	uint8_t **grown;

	while (count <= chunk)
		count *= 2;
	grown = realloc(w->chunks, count * sizeof(*grown));
	if (!grown)
		return false;
	memset(grown + w->chunks_count, 0, (count - w->chunks_count) * sizeof(*grown));
	w->chunks = grown;
	w->chunks_count = count;
	return true;
}

static struct sluice_exchange *exchange_in(const struct sluice_nf *nf, uint8_t *chunk,
					   uint32_t slot)
{
	return (struct sluice_exchange *)(chunk + (size_t)(slot % NF_CHUNK) * nf->stride);
}

static void chunk_fill(struct sluice_nf *nf, unsigned worker, uint8_t *chunk, uint32_t first)
{
	for (uint32_t slot = first; slot < first + NF_CHUNK; slot++) {
		struct sluice_exchange *x = exchange_in(nf, chunk, slot);

		x->nf = nf;
		x->slot = slot;
		x->worker = (uint16_t)worker;
	}
}

static uint8_t *chunk_new(struct sluice_nf *nf, unsigned worker, uint32_t number)
{
	size_t bytes = (size_t)nf->stride * NF_CHUNK;
	uint8_t *chunk = aligned_alloc(SLUICE_CACHE_LINE, bytes);

	if (!chunk)
		return NULL;
	memset(chunk, 0, bytes);
	chunk_fill(nf, worker, chunk, number * NF_CHUNK);
	nf->worker[worker].chunks[number] = chunk;
	return chunk;
}

/* The first of its chunk that is seen. Apart, so that those after it need no more than a look. */
static __attribute__((noinline)) struct sluice_exchange *
exchange_first(struct sluice_nf *nf, unsigned worker, uint32_t slot)
{
	struct nf_worker *w = &nf->worker[worker];
	uint32_t number = slot / NF_CHUNK;
	uint8_t *chunk;

	if (slot >= SLOTS_MAX || (number >= w->chunks_count && !chunks_grow(w, number)))
		return NULL;
	chunk = chunk_new(nf, worker, number);
	return chunk ? exchange_in(nf, chunk, slot) : NULL;
}

struct sluice_exchange *nf_exchange_at(struct sluice_nf *nf, unsigned worker, uint32_t slot)
{
	struct sluice_exchange *x = nf_exchange_known(nf, worker, slot);

	return x ? x : exchange_first(nf, worker, slot);
}

void nf_exchange_end(struct sluice_exchange *x)
{
	if (x->said) {
		nf_asks_drop(x);
		answer_drop(x);
		edits_drop(x);
	}
	x->said = 0;
	x->live = x->held = x->respond = x->answering = false;
	x->phase = NF_IDLE;
	x->head = NULL;
}

void *sluice_ctx(struct sluice_exchange *x)
{
	return x->ctx;
}

struct sluice_nf *sluice_of(const struct sluice_exchange *x)
{
	return x->nf;
}

void sluice_route(struct sluice_exchange *x, uint16_t group)
{
	if (!nf_chooses(x))
		return;
	x->group = group;
	x->server = SLUICE_NONE16;
	x->chose = true;
}

void sluice_pick(struct sluice_exchange *x, uint16_t server)
{
	if (!nf_chooses(x))
		return;
	x->server = server;
	x->chose = true;
}

void sluice_how(struct sluice_exchange *x, const struct sluice_how *how)
{
	if (!x->live || x->phase != NF_REQUEST_HEAD)
		return;
	x->how = *how;
	x->has_how = true;
}
