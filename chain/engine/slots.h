/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Slots of the message region: where heads are indexed for functions to read, and where
 * body bytes are copied that a function could not map otherwise.
 *
 * Two sizes: small ones for nearly everything, a few large ones for heads that do not fit.
 * Small slots can be set aside (slots_reserve), so that an exchange that began will also get
 * the one for its response. Threads: the worker's.
 */
#ifndef CHAIN_ENGINE_SLOTS_H
#define CHAIN_ENGINE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

struct region;

#define SLOT_SMALL_BYTES  8192
#define SLOT_LARGE_BYTES  (128 << 10)
#define SLOT_SMALL_FIELDS 128
/* From one small slot to the next: an odd number of cache lines, so that heads, of which mostly the
 * begin is looked at, do not all want the same few places of a cache. */
#define SLOT_SMALL_STRIDE (SLOT_SMALL_BYTES + SLUICE_CACHE_LINE)

struct slots {
	struct region *region;
	uint32_t *free_small, *free_large; /* stacks of numbers */
	uint32_t smalls, larges;
	uint32_t small_free, large_free;
	uint32_t reserved; /* of small_free */
	uint64_t large_offset;
};

int slots_create(struct slots *slots, struct region *region) __attribute__((warn_unused_result));
void slots_destroy(struct slots *slots);

/* A slot as the place of a head with room for `fields`; NULL: none is free. */
struct sluice_head *slots_small(struct slots *slots);
struct sluice_head *slots_large(struct slots *slots, uint32_t fields);
void slots_free(struct slots *slots, struct sluice_head *head);
bool slots_is_small(const struct slots *slots, const struct sluice_head *head);

/* Sets a small slot aside; takes one that was set aside; gives up the claim. */
bool slots_reserve(struct slots *slots);
struct sluice_head *slots_small_reserved(struct slots *slots);
/* Both without a head in it: http_head_shape. */
struct sluice_head *slots_small_bare(struct slots *slots);
struct sluice_head *slots_small_reserved_bare(struct slots *slots);
void slots_unreserve(struct slots *slots);

/* Moves a head into a large slot and frees the one it was in; NULL: none is free. */
struct sluice_head *slots_grow(struct slots *slots, struct sluice_head *head);

/* The same head in a slot of its own, if there are plenty; NULL: there are not. */
struct sluice_head *slots_copy_head(struct slots *slots, const struct sluice_head *head);

/* Its reference, and the form in which a descriptor's `arg` has it. */
uint64_t slots_ref(const struct slots *slots, const void *ptr);
uint32_t slots_arg(const struct slots *slots, const struct sluice_head *head);

/* Small slots by number, for copies of bytes. UINT32_MAX: none. A quarter of all at most. */
uint32_t slots_copy_take(struct slots *slots, uint8_t **bytes);
void slots_copy_free(struct slots *slots, uint32_t slot);

uint32_t slots_used(const struct slots *slots);
uint32_t slots_total(const struct slots *slots);

#endif
