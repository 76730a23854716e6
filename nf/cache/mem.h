/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Private memory, counted as the allocator gives it out: what a cache keeps beside the
 * bodies is part of its bound. One thread.
 */
#ifndef NF_CACHE_MEM_H
#define NF_CACHE_MEM_H

#include <stddef.h>
#include <stdint.h>

struct mem {
	uint64_t bytes;
};

/* Zeroed; NULL: there is none. */
void *mem_get(struct mem *mem, size_t bytes);
void mem_put(struct mem *mem, void *p);

/* What it takes, the allocator's own word included. */
size_t mem_size(void *p);

#endif
