/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/conf/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct piece {
	struct piece *next;
	alignas(max_align_t) unsigned char bytes[];
};

struct conf_arena {
	struct piece *pieces;
	bool failed;
};

struct conf_arena *conf_arena_create(void)
{
	return calloc(1, sizeof(struct conf_arena));
}

void conf_arena_free(struct conf_arena *arena)
{
	struct piece *piece = arena ? arena->pieces : NULL;

	while (piece) {
		struct piece *next = piece->next;

		free(piece);
		piece = next;
	}
	free(arena);
}

void *conf_arena_alloc(struct conf_arena *arena, size_t count, size_t size)
{
	struct piece *piece = NULL;
	size_t bytes;

	if (!__builtin_mul_overflow(count, size, &bytes) &&
	    !__builtin_add_overflow(bytes, sizeof(*piece), &bytes))
		piece = calloc(1, bytes);
	if (!piece) {
		arena->failed = true;
		return NULL;
	}
	piece->next = arena->pieces;
	arena->pieces = piece;
	return piece->bytes;
}

char *conf_arena_text(struct conf_arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = conf_arena_alloc(arena, 1, size);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

bool conf_arena_failed(const struct conf_arena *arena)
{
	return arena->failed;
}
