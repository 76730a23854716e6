/* SPDX-License-Identifier: BSD-3-Clause */
/* How much may go on at a time in a group and at a server, counted over all workers. */
#include "chain/upstream/upstream_internal.h"

#define RETRIES_LEAST 3 /* that a retry_percent leaves */

static uint32_t add(uint32_t *counter)
{
	return __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static void take_away(uint32_t *counter)
{
	__atomic_fetch_sub(counter, 1, __ATOMIC_RELAXED);
}

/* --- connections ----------------------------------------------------------------- */

static bool above(uint32_t used, uint32_t most)
{
	return most && used > most;
}

/* Whether it is too much when so many use the server, and so many its group. */
static bool beyond(const struct upstreams *upstreams, uint32_t server, uint16_t group,
		   uint32_t at_server, uint32_t in_group)
{
	return above(at_server, load(&upstreams->server[server].max_connections)) ||
	       above(in_group, load(&upstreams->group[group].max_connections));
}

void upstreams_begin(struct upstreams *upstreams, uint32_t server)
{
	add(&upstreams->load[upstreams->server[server].group].active);
	add(&upstreams->view->server[server].active);
	__atomic_fetch_add(&upstreams->server[server].exchanges, 1, __ATOMIC_RELAXED);
}

void upstreams_end(struct upstreams *upstreams, uint32_t server)
{
	take_away(&upstreams->view->server[server].active);
	take_away(&upstreams->load[upstreams->server[server].group].active);
}

bool upstreams_admit(struct upstreams *upstreams, uint32_t server)
{
	uint16_t group = upstreams->server[server].group;
	uint32_t in_group = add(&upstreams->load[group].active);
	uint32_t at_server = add(&upstreams->view->server[server].active);

	if (beyond(upstreams, server, group, at_server, in_group)) {
		upstreams_end(upstreams, server);
		return false;
	}
	__atomic_fetch_add(&upstreams->server[server].exchanges, 1, __ATOMIC_RELAXED);
	return true;
}

bool upstreams_full(const struct upstreams *upstreams, uint32_t server)
{
	uint16_t group = upstreams->server[server].group;

	return beyond(upstreams, server, group, load(&upstreams->view->server[server].active) + 1,
		      load(&upstreams->load[group].active) + 1);
}

bool upstreams_has_room(const struct upstreams *upstreams, uint32_t server)
{
	return upstreams_state(upstreams, server) == SLUICE_SERVER_UP &&
	       !upstreams_full(upstreams, server);
}

bool upstreams_busy(const struct upstreams *upstreams, uint16_t group)
{
	uint32_t server;

	for (uint16_t i = 0; (server = upstreams_server(upstreams, group, i)) != UPSTREAM_NONE; i++)
		if (upstreams_state(upstreams, server) == SLUICE_SERVER_UP)
			return true;
	return false;
}

/* --- those in line --------------------------------------------------------------- */

bool upstreams_pend(struct upstreams *upstreams, uint16_t group)
{
	struct group_load *l = &upstreams->load[group];

	if (!above(add(&l->pending), load(&upstreams->group[group].max_pending)))
		return true;
	take_away(&l->pending);
	__atomic_fetch_add(&l->pending_refused, 1, __ATOMIC_RELAXED);
	return false;
}

void upstreams_unpend(struct upstreams *upstreams, uint16_t group)
{
	take_away(&upstreams->load[group].pending);
}

/* --- retries --------------------------------------------------------------------- */

static uint32_t retries_most(const struct upstreams *upstreams, uint16_t group)
{
	const struct upstream_group *g = &upstreams->group[group];
	uint32_t most = load(&g->max_retries), percent = load(&g->retry_percent), share;

	if (!percent)
		return most;
	share = (uint32_t)((uint64_t)load(&upstreams->load[group].active) * percent / 100);
	if (share < RETRIES_LEAST)
		share = RETRIES_LEAST;
	return most && most < share ? most : share;
}

bool upstreams_retry(struct upstreams *upstreams, uint16_t group)
{
	struct group_load *l = &upstreams->load[group];

	if (!above(add(&l->retrying), retries_most(upstreams, group)))
		return true;
	take_away(&l->retrying);
	__atomic_fetch_add(&l->retries_refused, 1, __ATOMIC_RELAXED);
	return false;
}

void upstreams_unretry(struct upstreams *upstreams, uint16_t group)
{
	take_away(&upstreams->load[group].retrying);
}

void upstreams_group_totals(const struct upstreams *upstreams, uint16_t group,
			    struct upstream_group_totals *out)
{
	const struct group_load *l = &upstreams->load[group];

	*out = (struct upstream_group_totals){
		.active = load(&l->active),
		.pending = load(&l->pending),
		.retrying = load(&l->retrying),
		.pending_refused = load(&l->pending_refused),
		.retries_refused = load(&l->retries_refused),
	};
}
