/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connection table: from the keyed hash of a tuple to what stands for it. Pure; one thread.
 *
 * Open addressing with linear probing; a slot holds the whole hash, so that a stranger is
 * told apart without a look at the connection. It grows by moving a few slots with
 * each insertion: no insertion takes long.
 *
 * A reference is a pointer, possibly marked in its lowest bits; 0 and 1 are not references.
 */
#ifndef L4STACK_TCP_TCP_TABLE_H
#define L4STACK_TCP_TCP_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_table_slot {
	uint64_t hash;
	uintptr_t ref;
};

struct tcp_table_part {
	struct tcp_table_slot *slots;
	uint64_t mask;
	uint64_t used;
};

struct tcp_table {
	struct tcp_table_part now, old; /* old.slots NULL: not growing */
	uint64_t moved;                 /* slots of `old` that were moved */
};

typedef bool tcp_table_match_fn(uintptr_t ref, const void *key);

/* 0 or -ENOMEM. */
int tcp_table_init(struct tcp_table *table) __attribute__((warn_unused_result));
void tcp_table_fini(struct tcp_table *table);

/* The reference with this hash for which `match` is true, or 0. */
uintptr_t tcp_table_find(const struct tcp_table *table, uint64_t hash, tcp_table_match_fn *match,
			 const void *key);

/* 0 or -ENOMEM. `ref` must not be in the table. */
int tcp_table_insert(struct tcp_table *table, uint64_t hash, uintptr_t ref)
	__attribute__((warn_unused_result));

/* Both do nothing when `ref` is not in the table. */
void tcp_table_remove(struct tcp_table *table, uint64_t hash, uintptr_t ref);
void tcp_table_replace(struct tcp_table *table, uint64_t hash, uintptr_t ref, uintptr_t by);

/* The reference with this hash, very likely; 0 when there is none. Looks at the table only. */
uintptr_t tcp_table_guess(const struct tcp_table *table, uint64_t hash);

static inline void tcp_table_prefetch(const struct tcp_table *table, uint64_t hash)
{
	__builtin_prefetch(&table->now.slots[hash & table->now.mask]);
}

#endif
