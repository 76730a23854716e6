/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <stddef.h>

/* 0 says that a place is free. */
static uint64_t name_of(uint64_t key)
{
	return key ? key : 1;
}

static struct table_entry *row_of(const struct table *table, uint64_t key)
{
	return &table->entry[(key & table->mask) * TABLE_WAYS];
}

static struct table_entry *find(struct table_entry *row, uint64_t key)
{
	for (unsigned i = 0; i < TABLE_WAYS; ++i)
		if (row[i].key == key)
			return &row[i];
	return NULL;
}

static struct table_entry *smallest(struct table_entry *row)
{
	struct table_entry *found = row;

	for (unsigned i = 1; i < TABLE_WAYS; ++i)
		if (row[i].regained_us < found->regained_us)
			found = &row[i];
	return found;
}

uint64_t table_rows(uint32_t keys)
{
	uint64_t rows = 1;

	while (rows * TABLE_WAYS < keys)
		rows *= 2;
	return rows;
}

void table_init(struct table *table, struct table_entry *entry, uint64_t rows)
{
	*table = (struct table){.entry = entry, .mask = rows - 1};
}

uint64_t table_get(const struct table *table, uint64_t key)
{
	const struct table_entry *entry = find(row_of(table, key), name_of(key));

	return entry ? entry->regained_us : 0;
}

unsigned table_set(struct table *table, uint64_t key, uint64_t regained_us, uint64_t now_us)
{
	struct table_entry *row = row_of(table, key), *entry = find(row, name_of(key));
	unsigned forgotten = 0;

	if (!entry) {
		entry = smallest(row);
		forgotten = entry->regained_us > now_us;
	}
	*entry = (struct table_entry){.key = name_of(key), .regained_us = regained_us};
	return forgotten;
}
