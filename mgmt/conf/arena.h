/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of one configuration: many small pieces that live and die together.
 *
 * A failed allocation gives NULL and is remembered, so that a reader may go on and the
 * failure is reported once, at the end.
 */
#ifndef MGMT_CONF_ARENA_H
#define MGMT_CONF_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct conf_arena;

struct conf_arena *conf_arena_create(void);
void conf_arena_free(struct conf_arena *arena);

/* Zeroed room for `count` things of `size` bytes, or NULL. */
void *conf_arena_alloc(struct conf_arena *arena, size_t count, size_t size);
char *conf_arena_text(struct conf_arena *arena, const char *text);

bool conf_arena_failed(const struct conf_arena *arena);

#endif
