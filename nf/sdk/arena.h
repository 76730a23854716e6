/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The allocator of an arena (a function's, an application's), and the leases on what is being sent
 * from it.
 *
 * Two-level segregated fit: free blocks stand in lists by size class, found by two bit
 * maps; neighbours are joined when a block is freed. All in constant time. What describes
 * the blocks lies in private memory, never between the payload: the arena holds payload
 * only, in units of a cache line.
 *
 * A lease is the right of one slice to stay where it is until it was acknowledged: it
 * holds a reference on its buffer. Its number travels as the slice's tag.
 *
 * Ownership: the memory is the embedder's. One thread.
 */
#ifndef NF_SDK_ARENA_H
#define NF_SDK_ARENA_H

#include <stdint.h>

#include <sluice/buf.h>

struct arena;

struct arena_lease {
	uint32_t worker, slot, generation; /* the exchange, or connection, that it is for */
	uint32_t len;
};

int arena_create(void *base, uint64_t bytes, struct arena **out)
	__attribute__((warn_unused_result));
void arena_destroy(struct arena *arena);

struct sluice_buf *arena_alloc(struct arena *arena, uint32_t size); /* NULL: no room */
uint64_t arena_bytes(const struct arena *arena);
uint64_t arena_used(const struct arena *arena);
uint64_t arena_offset(const struct arena *arena, const struct sluice_buf *buf);

/* A lease on `buf`: its tag, from 1; 0: there is no memory for it. */
uint32_t arena_lease(struct arena *arena, struct sluice_buf *buf, const struct arena_lease *what);
/* Ends it: 0 with what it was for, or -ENOENT. */
int arena_release(struct arena *arena, uint32_t tag, struct arena_lease *was);
uint32_t arena_leases(const struct arena *arena);

/* For tests: every block is where it should be, in the list it should be in. */
int arena_check(const struct arena *arena);
#endif
