/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/ip/path_mtu.h"

#include <stddef.h>

#include "l4stack/base/siphash.h"

static uint64_t set_of(const struct path_mtus *table, const struct addr *dst)
{
	return siphash13(table->key, dst->bytes, sizeof(dst->bytes)) % PATH_MTU_SETS;
}

/* Its entry, old or not; or NULL. */
static const struct path_mtu *find(const struct path_mtus *table, const struct addr *dst)
{
	const struct path_mtu *set = table->known[set_of(table, dst)];

	for (unsigned i = 0; i < PATH_MTU_WAYS; i++)
		if (addr_equal(&set[i].dst, dst))
			return &set[i];
	return NULL;
}

uint16_t path_mtu_find(const struct path_mtus *table, const struct addr *dst, uint16_t most,
		       uint64_t now_us)
{
	const struct path_mtu *found = now_us < table->until_us ? find(table, dst) : NULL;

	return found && now_us < found->until_us && found->mtu < most ? found->mtu : most;
}

/* Its own place, or that of the one that would be forgotten first. */
static struct path_mtu *place_of(struct path_mtus *table, const struct addr *dst)
{
	struct path_mtu *set = table->known[set_of(table, dst)], *place = set;

	for (unsigned i = 0; i < PATH_MTU_WAYS; i++) {
		if (addr_equal(&set[i].dst, dst))
			return &set[i];
		if (set[i].until_us < place->until_us)
			place = &set[i];
	}
	return place;
}

void path_mtu_set(struct path_mtus *table, const struct addr *dst, uint16_t mtu, uint64_t now_us)
{
	table->until_us = now_us + PATH_MTU_LIFE_US;
	*place_of(table, dst) =
		(struct path_mtu){.dst = *dst, .mtu = mtu, .until_us = table->until_us};
}

void path_mtu_forget(struct path_mtus *table, const struct addr *dst)
{
	struct path_mtu *place = place_of(table, dst);

	if (addr_equal(&place->dst, dst))
		*place = (struct path_mtu){0};
}
