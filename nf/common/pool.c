/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/pool.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct pool_piece {
	struct pool_piece *next;
	_Alignas(max_align_t) unsigned char bytes[];
};

void *pool_alloc(struct pool *pool, size_t count, size_t bytes)
{
	struct pool_piece *piece;

	if (bytes > 0 && count > (SIZE_MAX - sizeof(*piece)) / bytes)
		return NULL;
	piece = calloc(1, sizeof(*piece) + count * bytes);
	if (!piece)
		return NULL;
	piece->next = pool->pieces;
	pool->pieces = piece;
	return piece->bytes;
}

char *pool_text(struct pool *pool, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = len < 0 ? NULL : pool_alloc(pool, (size_t)len + 1, 1);
	if (!text)
		return NULL;
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}

void pool_free(struct pool *pool)
{
	while (pool->pieces) {
		struct pool_piece *piece = pool->pieces;

		pool->pieces = piece->next;
		free(piece);
	}
}
