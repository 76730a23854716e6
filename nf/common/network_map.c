/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/network_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nf/common/pool.h"

#define ADDRESS_BYTES 16

/* --- reading ------------------------------------------------------------------------ */

/* The two ends have the prefix in common, and differ from there on. */
static uint8_t bits_of(const struct network_range *range)
{
	unsigned bits = 0;

	while (bits < 128 && !((range->first[bits / 8] ^ range->last[bits / 8]) & 0x80 >> bits % 8))
		++bits;
	return (uint8_t)bits;
}

static int compare(const void *a, const void *b)
{
	const struct network_entry *left = a, *right = b;

	if (left->bits != right->bits)
		return (int)right->bits - (int)left->bits;
	return memcmp(left->range.first, right->range.first, ADDRESS_BYTES);
}

static int read_one(const struct sluice_conf *list, unsigned i, uint8_t value,
		    struct network_entry *out)
{
	const char *text;
	int err = sluice_conf_string_at(list, i, &text);

	if (err)
		return err;
	if (network_parse(text, &out->range))
		return sluice_conf_error(list, "\"%s\" is not a network (address/prefix)", text);
	out->bits = bits_of(&out->range);
	out->value = value;
	return 0;
}

static int read_list(const struct sluice_conf *list, uint8_t value, struct network_map *out)
{
	unsigned n = list ? sluice_conf_length(list) : 0;
	int err = 0;

	for (unsigned i = 0; i < n; ++i)
		if (read_one(list, i, value, &out->entry[out->count++]))
			err = -EINVAL;
	return err;
}

/* Sorts, and looks for networks that say two things. */
static int settle(const struct sluice_conf *group, struct network_map *map)
{
	qsort(map->entry, map->count, sizeof(*map->entry), compare);
	for (unsigned i = 1; i < map->count; ++i)
		if (!compare(&map->entry[i - 1], &map->entry[i]) &&
		    map->entry[i - 1].value != map->entry[i].value)
			return sluice_conf_error(group, "a network stands in two lists");
	return 0;
}

int network_map_read(struct pool *pool, const struct sluice_conf *group, const char *const *keys,
		     struct network_map *out)
{
	unsigned total = 0;
	int err = 0;

	for (unsigned i = 0; keys[i]; ++i) {
		const struct sluice_conf *list = sluice_conf_list(group, keys[i]);

		total += list ? sluice_conf_length(list) : 0;
		if (!list && sluice_conf_has(group, keys[i]))
			err = -EINVAL;
	}
	out->count = 0;
	out->entry = pool_alloc(pool, total, sizeof(*out->entry));
	if (!out->entry)
		return -ENOMEM;
	for (unsigned i = 0; keys[i] && !err; ++i)
		err = read_list(sluice_conf_list(group, keys[i]), (uint8_t)(i + 1), out);
	return err ? err : settle(group, out);
}

/* --- looking up ----------------------------------------------------------------------- */

static int against(const struct network_entry *entry, const uint8_t *address)
{
	if (memcmp(address, entry->range.first, ADDRESS_BYTES) < 0)
		return -1;
	return memcmp(address, entry->range.last, ADDRESS_BYTES) > 0;
}

/* Among entries of one length, which do not overlap. */
static const struct network_entry *find_in(const struct network_entry *entry, unsigned count,
					   const uint8_t *address)
{
	while (count > 0) {
		unsigned middle = count / 2;
		int side = against(&entry[middle], address);

		if (!side)
			return &entry[middle];
		if (side > 0) {
			entry += middle + 1;
			count -= middle + 1;
		} else {
			count = middle;
		}
	}
	return NULL;
}

/* Where the entries of the length at `from` end. */
static unsigned run_end(const struct network_map *map, unsigned from)
{
	unsigned low = from, high = map->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (map->entry[middle].bits == map->entry[from].bits)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint8_t network_map_find(const struct network_map *map, const struct sluice_peer *peer)
{
	uint8_t address[ADDRESS_BYTES];

	network_address(peer, address);
	for (unsigned from = 0; from < map->count;) {
		unsigned end = run_end(map, from);
		const struct network_entry *found = find_in(&map->entry[from], end - from, address);

		if (found)
			return found->value;
		from = end;
	}
	return 0;
}
