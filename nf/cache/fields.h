/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Header fields kept: names and values packed into one block of memory.
 *
 * A list is on the stack while a set is being made; its texts point to where the fields
 * come from. Pure but for the counted memory; one thread.
 */
#ifndef NF_CACHE_FIELDS_H
#define NF_CACHE_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

struct mem;

#define FIELDS_MAX 128
#define FIELDS_BYTES_MAX \
	12288 /* names and values: with what is added to an answer it fits in one verdict */

struct fields_item {
	struct sluice_str name, value;
	uint16_t id; /* enum sluice_field_id */
};

struct fields_list {
	struct fields_item item[FIELDS_MAX];
	unsigned count;
	uint32_t bytes;
	bool full; /* there were more than may be */
};

struct fields_row {
	uint32_t name, value; /* offsets in text; the name is ended by a NUL */
	uint16_t name_len, value_len;
	uint16_t id;
};

struct fields {
	unsigned count;
	char *text;
	struct fields_row row[];
};

static inline void fields_list_init(struct fields_list *list)
{
	list->count = 0;
	list->bytes = 0;
	list->full = false;
}

void fields_list_add(struct fields_list *list, const struct fields_item *item);

/* NULL: no memory, or the list is full. */
struct fields *fields_make(struct mem *mem, const struct fields_list *list);

struct sluice_str fields_name(const struct fields *fields, unsigned i);
struct sluice_str fields_value(const struct fields *fields, unsigned i);

/* The n-th value (from 0) of that name or number: false when there are not so many. */
bool fields_named(const struct fields *fields, struct sluice_str name, unsigned n,
		  struct sluice_str *value);
bool fields_by_id(const struct fields *fields, uint16_t id, unsigned n, struct sluice_str *value);

#endif
