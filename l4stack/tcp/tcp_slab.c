/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_slab.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BYTES    64
#define CHUNK_OBJECTS 64

struct tcp_slab_chunk {
	struct tcp_slab_chunk *next;
	uint32_t made; /* objects of this chunk that were handed out at least once */
	_Alignas(LINE_BYTES) uint8_t objects[];
};

void tcp_slab_init(struct tcp_slab *slab, size_t object_bytes, uint32_t most)
{
	*slab = (struct tcp_slab){.object_bytes = object_bytes, .most = most};
}

void tcp_slab_fini(struct tcp_slab *slab)
{
	struct tcp_slab_chunk *chunk = slab->chunks, *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	slab->chunks = NULL;
	slab->free_list = NULL;
}

static struct tcp_slab_chunk *chunk_add(struct tcp_slab *slab)
{
	size_t bytes = sizeof(struct tcp_slab_chunk) + CHUNK_OBJECTS * slab->object_bytes;
	struct tcp_slab_chunk *chunk = aligned_alloc(LINE_BYTES, bytes);

	if (!chunk)
		return NULL;
	chunk->made = 0;
	chunk->next = slab->chunks;
	slab->chunks = chunk;
	return chunk;
}

/* Objects of a new chunk are cut off one by one, so that its pages are touched as they are used. */
static void *chunk_cut(struct tcp_slab *slab)
{
	struct tcp_slab_chunk *chunk = slab->chunks;

	if (!chunk || chunk->made == CHUNK_OBJECTS)
		chunk = chunk_add(slab);
	if (!chunk)
		return NULL;
	slab->made++;
	return chunk->objects + slab->object_bytes * chunk->made++;
}

void *tcp_slab_take_new(struct tcp_slab *slab)
{
	void *object = slab->used == slab->most ? NULL : chunk_cut(slab);

	slab->used += object != NULL;
	return object;
}

void *tcp_slab_alloc(struct tcp_slab *slab)
{
	void *object = tcp_slab_take(slab);

	return object ? memset(object, 0, slab->object_bytes) : NULL;
}

void tcp_slab_each(const struct tcp_slab *slab, void (*fn)(void *ctx, void *object), void *ctx)
{
	struct tcp_slab_chunk *chunk;

	for (chunk = slab->chunks; chunk; chunk = chunk->next)
		for (uint32_t i = 0; i < chunk->made; i++)
			fn(ctx, chunk->objects + slab->object_bytes * i);
}
