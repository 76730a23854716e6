/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that is taken while a function reads its configuration and given back all at once.
 *
 * Ownership: a pool belongs to one function instance and its thread. Zeroed, it is empty.
 */
#ifndef NF_COMMON_POOL_H
#define NF_COMMON_POOL_H

#include <stddef.h>

struct pool_piece;

struct pool {
	struct pool_piece *pieces;
};

/* `count` zeroed elements of `bytes` each; NULL: out of memory. Zero elements give a valid pointer.
 */
void *pool_alloc(struct pool *pool, size_t count, size_t bytes);

/* Formatted text; NULL: out of memory. */
char *pool_text(struct pool *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Gives everything back; the pool is empty again. */
void pool_free(struct pool *pool);

#endif
