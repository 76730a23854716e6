/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A slab: objects of one size, aligned to cache lines, in chunks that are added as they
 * are needed and kept. Pure; one thread.
 */
#ifndef L4STACK_TCP_TCP_SLAB_H
#define L4STACK_TCP_TCP_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct tcp_slab_chunk;

struct tcp_slab {
	size_t object_bytes;
	uint32_t used, made, most;
	void *free_list;
	struct tcp_slab_chunk *chunks;
};

/* At most `most` objects of `object_bytes`, which is a multiple of 64. */
void tcp_slab_init(struct tcp_slab *slab, size_t object_bytes, uint32_t most);
void tcp_slab_fini(struct tcp_slab *slab);

/* One that was never handed out. */
void *tcp_slab_take_new(struct tcp_slab *slab);

/* Zeroed, or as it comes. NULL when `most` are in use, or when there is no memory. */
void *tcp_slab_alloc(struct tcp_slab *slab);
static inline void *tcp_slab_take(struct tcp_slab *slab)
{
	void *object = slab->free_list;

	if (!object || slab->used == slab->most)
		return tcp_slab_take_new(slab);
	__builtin_memcpy(&slab->free_list, object, sizeof(slab->free_list));
	slab->used++;
	return object;
}

/* The first eight bytes of a free object are the slab's; the others stay as they are. */
static inline void tcp_slab_free(struct tcp_slab *slab, void *object)
{
	__builtin_memcpy(object, &slab->free_list, sizeof(slab->free_list));
	slab->free_list = object;
	slab->used--;
}

/* Every object that was ever handed out, free ones too: the caller can tell them apart. */
void tcp_slab_each(const struct tcp_slab *slab, void (*fn)(void *ctx, void *object), void *ctx);

#endif
