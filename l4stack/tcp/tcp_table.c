/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_table.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define SLOTS_FIRST   1024
#define MOVE_EACH     8
#define REF_NONE      ((uintptr_t)0)
#define REF_MOVED     ((uintptr_t)1) /* in `old`: stood here, probing goes on */
#define GROW_PERCENT  70
#define LIMIT_PERCENT 95 /* when there is no memory to grow */

static int part_init(struct tcp_table_part *part, uint64_t slots)
{
	part->slots = calloc(slots, sizeof(*part->slots));
	part->mask = slots - 1;
	part->used = 0;
	return part->slots ? 0 : -ENOMEM;
}

static void part_fini(struct tcp_table_part *part)
{
	free(part->slots);
	part->slots = NULL;
}

static bool part_above(const struct tcp_table_part *part, uint64_t percent)
{
	return part->used * 100 >= (part->mask + 1) * percent;
}

static struct tcp_table_slot *part_find(const struct tcp_table_part *part, uint64_t hash,
					tcp_table_match_fn *match, const void *key)
{
	struct tcp_table_slot *slot;

	if (!part->slots)
		return NULL;
	for (uint64_t i = hash & part->mask;; i = (i + 1) & part->mask) {
		slot = &part->slots[i];
		if (slot->ref == REF_NONE)
			return NULL;
		if (slot->hash == hash && slot->ref != REF_MOVED && match(slot->ref, key))
			return slot;
	}
}

static void part_insert(struct tcp_table_part *part, uint64_t hash, uintptr_t ref)
{
	uint64_t i = hash & part->mask;

	while (part->slots[i].ref != REF_NONE)
		i = (i + 1) & part->mask;
	part->slots[i] = (struct tcp_table_slot){hash, ref};
	part->used++;
}

/* Closes the gap at slot `gap`: what was pushed past it by probing moves back. */
static void part_close_gap(struct tcp_table_part *part, uint64_t gap)
{
	uint64_t mask = part->mask;

	for (uint64_t i = (gap + 1) & mask; part->slots[i].ref != REF_NONE; i = (i + 1) & mask) {
		uint64_t home = part->slots[i].hash & mask;

		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		part->slots[gap] = part->slots[i];
		gap = i;
	}
	part->slots[gap].ref = REF_NONE;
	part->used--;
}

static bool match_same(uintptr_t ref, const void *key)
{
	return ref == *(const uintptr_t *)key;
}

int tcp_table_init(struct tcp_table *table)
{
	*table = (struct tcp_table){0};
	return part_init(&table->now, SLOTS_FIRST);
}

void tcp_table_fini(struct tcp_table *table)
{
	part_fini(&table->now);
	part_fini(&table->old);
}

uintptr_t tcp_table_find(const struct tcp_table *table, uint64_t hash, tcp_table_match_fn *match,
			 const void *key)
{
	const struct tcp_table_slot *slot = part_find(&table->now, hash, match, key);

	if (!slot)
		slot = part_find(&table->old, hash, match, key);
	return slot ? slot->ref : REF_NONE;
}

static bool match_any(uintptr_t ref, const void *key)
{
	(void)ref;
	(void)key;
	return true;
}

uintptr_t tcp_table_guess(const struct tcp_table *table, uint64_t hash)
{
	return tcp_table_find(table, hash, match_any, NULL);
}

static void move_some(struct tcp_table *table)
{
	for (unsigned i = 0; i < MOVE_EACH && table->old.slots; i++) {
		struct tcp_table_slot *slot = &table->old.slots[table->moved++];

		if (slot->ref > REF_MOVED) {
			part_insert(&table->now, slot->hash, slot->ref);
			slot->ref = REF_MOVED;
		}
		if (table->moved > table->old.mask)
			part_fini(&table->old);
	}
}

static void grow(struct tcp_table *table)
{
	struct tcp_table_part next;

	if (table->old.slots || part_init(&next, (table->now.mask + 1) * 2))
		return;
	table->old = table->now;
	table->now = next;
	table->moved = 0;
}

int tcp_table_insert(struct tcp_table *table, uint64_t hash, uintptr_t ref)
{
	if (part_above(&table->now, GROW_PERCENT))
		grow(table);
	move_some(table);
	if (part_above(&table->now, LIMIT_PERCENT))
		return -ENOMEM;
	part_insert(&table->now, hash, ref);
	return 0;
}

void tcp_table_remove(struct tcp_table *table, uint64_t hash, uintptr_t ref)
{
	struct tcp_table_slot *slot = part_find(&table->now, hash, match_same, &ref);

	if (slot) {
		part_close_gap(&table->now, (uint64_t)(slot - table->now.slots));
		return;
	}
	slot = part_find(&table->old, hash, match_same, &ref);
	if (slot)
		slot->ref = REF_MOVED;
}

void tcp_table_replace(struct tcp_table *table, uint64_t hash, uintptr_t ref, uintptr_t by)
{
	struct tcp_table_slot *slot = part_find(&table->now, hash, match_same, &ref);

	if (!slot)
		slot = part_find(&table->old, hash, match_same, &ref);
	if (slot)
		slot->ref = by;
}
