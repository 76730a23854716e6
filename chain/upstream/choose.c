/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/upstream/choose.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

int chooser_open(struct chooser *chooser, struct upstreams *upstreams)
{
	chooser->upstreams = upstreams;
	chooser->credit = calloc(SLUICE_SERVERS_MAX, sizeof(*chooser->credit));
	return chooser->credit ? 0 : -ENOMEM;
}

void chooser_close(struct chooser *chooser)
{
	free(chooser->credit);
}

static bool among(uint32_t server, const uint32_t *tried, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (tried[i] == server)
			return true;
	return false;
}

static int32_t weight_of(const struct chooser *chooser, uint32_t server)
{
	return (int32_t)__atomic_load_n(&upstreams_view(chooser->upstreams)->server[server].weight,
					__ATOMIC_RELAXED);
}

typedef bool usable_fn(const struct upstreams *upstreams, uint32_t server);

/* The only one of its group: whether that is chosen by weight or not, its credit stays. */
static uint32_t only(const struct chooser *chooser, uint32_t server, const uint32_t *tried,
		     unsigned tried_count, usable_fn *usable)
{
	return usable(chooser->upstreams, server) && !among(server, tried, tried_count)
		       ? server
		       : UPSTREAM_NONE;
}

/* Every candidate earns its weight; the richest is taken and pays what all have earned. */
static uint32_t choose(struct chooser *chooser, uint16_t group, const uint32_t *tried,
		       unsigned tried_count, usable_fn *usable)
{
	uint32_t best = UPSTREAM_NONE, server;
	int32_t total = 0;

	server = upstreams_server(chooser->upstreams, group, 0);
	if (server != UPSTREAM_NONE &&
	    upstreams_server(chooser->upstreams, group, 1) == UPSTREAM_NONE)
		return only(chooser, server, tried, tried_count, usable);
	for (uint16_t place = 0;
	     (server = upstreams_server(chooser->upstreams, group, place)) != UPSTREAM_NONE;
	     place++) {
		if (!usable(chooser->upstreams, server) || among(server, tried, tried_count))
			continue;
		total += weight_of(chooser, server);
		chooser->credit[server] += weight_of(chooser, server);
		if (best == UPSTREAM_NONE || chooser->credit[server] > chooser->credit[best])
			best = server;
	}
	if (best != UPSTREAM_NONE)
		chooser->credit[best] -= total;
	return best;
}

uint32_t chooser_next(struct chooser *chooser, uint16_t group, const uint32_t *tried,
		      unsigned tried_count)
{
	uint32_t server = choose(chooser, group, tried, tried_count, upstreams_has_room);

	if (server == UPSTREAM_NONE && !tried_count && !upstreams_busy(chooser->upstreams, group))
		server = choose(chooser, group, NULL, 0, upstreams_only_ejected);
	return server;
}
