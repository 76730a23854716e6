/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The counts of one rule, by key: a table of fixed size that forgets the smallest debts first.
 *
 * A key has eight places where it may lie, chosen by a keyed hash: nobody can aim at another's.
 * A key that is not there owes nothing. When all eight owe something, the one that will have
 * regained all soonest is forgotten: whoever wants their own count forgotten has to fill eight
 * places with greater debts, and cannot know which keys lie there.
 *
 * Keys are known by 64 bits of their hash. Belongs to one instance and its thread.
 */
#ifndef NF_LIMIT_TABLE_H
#define NF_LIMIT_TABLE_H

#include <stdint.h>

#define TABLE_WAYS 8

struct table_entry {
	uint64_t key;         /* 0: nobody's */
	uint64_t regained_us; /* passed: as good as nobody's */
};

struct table {
	struct table_entry *entry; /* TABLE_WAYS in a row */
	uint64_t mask;             /* of rows */
};

/* How many rows hold `keys` of them. */
uint64_t table_rows(uint32_t keys);
/* Over `rows` * TABLE_WAYS zeroed entries. */
void table_init(struct table *table, struct table_entry *entry, uint64_t rows);

/* When `key` will have regained all; 0: it owes nothing. */
uint64_t table_get(const struct table *table, uint64_t key);

/* 1: a key that still owed something was forgotten for it. */
unsigned table_set(struct table *table, uint64_t key, uint64_t regained_us, uint64_t now_us);

#endif
