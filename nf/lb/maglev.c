/* SPDX-License-Identifier: BSD-3-Clause */
#include "maglev.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

/* One server while the table is filled: it looks at `next`, then `skip` further on. */
struct taker {
	uint32_t next, skip;
	uint32_t weight;
	uint64_t credit; /* it may take a place for each `heaviest` of it */
	uint16_t server;
};

static unsigned takers_of(struct taker *takers, const struct ring_server *servers, uint32_t count)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (!servers[i].weight)
			continue;
		takers[n++] = (struct taker){
			.next = (uint32_t)(servers[i].identity % MAGLEV_PLACES),
			.skip = (uint32_t)(random_mix(servers[i].identity) % (MAGLEV_PLACES - 1)) +
				1,
			.weight = servers[i].weight,
			.server = (uint16_t)i,
		};
	}
	return n;
}

static void take_place(struct taker *taker, uint16_t *place)
{
	while (place[taker->next] != MAGLEV_NONE)
		taker->next = (taker->next + taker->skip) % MAGLEV_PLACES;
	place[taker->next] = taker->server;
}

/* Round after round; one with half the weight of the heaviest takes a place in every other. */
static void fill(struct taker *takers, unsigned n, uint16_t *place)
{
	uint32_t heaviest = 0, filled = 0;

	for (unsigned i = 0; i < n; i++)
		if (takers[i].weight > heaviest)
			heaviest = takers[i].weight;
	while (n && filled < MAGLEV_PLACES) {
		for (unsigned i = 0; i < n && filled < MAGLEV_PLACES; i++) {
			takers[i].credit += takers[i].weight;
			if (takers[i].credit < heaviest)
				continue;
			takers[i].credit -= heaviest;
			take_place(&takers[i], place);
			filled++;
		}
	}
}

int maglev_build(struct maglev *maglev, const struct ring_server *servers, uint32_t count)
{
	struct taker *takers = calloc(count + 1, sizeof(*takers));
	uint16_t *place = malloc(MAGLEV_PLACES * sizeof(*place));

	if (!takers || !place) {
		free(takers);
		free(place);
		return -ENOMEM;
	}
	memset(place, 0xff, MAGLEV_PLACES * sizeof(*place));
	fill(takers, takers_of(takers, servers, count), place);
	free(takers);
	free(maglev->place);
	maglev->place = place;
	return 0;
}

void maglev_clear(struct maglev *maglev)
{
	free(maglev->place);
	maglev->place = NULL;
}

uint16_t maglev_find(const struct maglev *maglev, uint64_t hash)
{
	return maglev->place ? maglev->place[hash % MAGLEV_PLACES] : MAGLEV_NONE;
}
