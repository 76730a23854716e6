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

static uint8_t *chunk_new(const struct sluice_nf *nf)
{
	size_t bytes = (size_t)nf->stride * NF_CHUNK;
	uint8_t *chunk = aligned_alloc(SLUICE_CACHE_LINE, bytes);

	if (chunk)
		memset(chunk, 0, bytes);
	return chunk;
}

struct sluice_exchange *nf_exchange_at(struct sluice_nf *nf, unsigned worker, uint32_t slot)
{
	struct nf_worker *w = &nf->worker[worker];
	uint32_t chunk = slot / NF_CHUNK;
	struct sluice_exchange *x;

	if (slot >= SLOTS_MAX || (chunk >= w->chunks_count && !chunks_grow(w, chunk)))
		return NULL;
	if (!w->chunks[chunk])
		w->chunks[chunk] = chunk_new(nf);
	if (!w->chunks[chunk])
		return NULL;
	x = (struct sluice_exchange *)(w->chunks[chunk] + (size_t)(slot % NF_CHUNK) * nf->stride);
	x->nf = nf;
	x->slot = slot;
	x->worker = (uint16_t)worker;
	return x;
}

void nf_exchange_begin(struct sluice_exchange *x, uint32_t generation)
{
	struct sluice_nf *nf = x->nf;
	uint32_t slot = x->slot;
	uint16_t worker = x->worker;

	nf_exchange_end(x);
	memset(x, 0, nf->stride);
	x->nf = nf;
	x->slot = slot;
	x->worker = worker;
	x->generation = generation;
	x->live = true;
	x->group = x->server = SLUICE_NONE16;
}

void nf_exchange_end(struct sluice_exchange *x)
{
	nf_asks_drop(x);
	answer_drop(x);
	edits_drop(x);
	x->live = x->held = x->respond = x->answering = false;
	x->phase = NF_IDLE;
	x->head = NULL;
}

void *sluice_ctx(struct sluice_exchange *x)
{
	return x->ctx;
}

struct sluice_nf *sluice_of(struct sluice_exchange *x)
{
	return x->nf;
}

void sluice_route(struct sluice_exchange *x, uint16_t group)
{
	if (!nf_chooses(x))
		return;
	x->group = group;
	x->server = SLUICE_NONE16;
}

void sluice_pick(struct sluice_exchange *x, uint16_t server)
{
	if (nf_chooses(x))
		x->server = server;
}

void sluice_how(struct sluice_exchange *x, const struct sluice_how *how)
{
	if (!x->live || x->phase != NF_REQUEST_HEAD)
		return;
	x->how = *how;
	x->has_how = true;
}
