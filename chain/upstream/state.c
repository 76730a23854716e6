/* SPDX-License-Identifier: BSD-3-Clause */
/* The workers' side: reading numbers, counting what servers do. */
#include <string.h>

#include "chain/upstream/upstream_internal.h"

#define LATENCY_SHIFT  3    /* a new sample weighs an eighth */
#define PEAK_FORGET_US 10e6 /* half of what a peak exceeds the present by is forgotten so soon */

const struct sluice_upstreams *upstreams_view(const struct upstreams *upstreams)
{
	return upstreams->view;
}

static uint32_t groups(const struct upstreams *upstreams)
{
	return __atomic_load_n(&upstreams->view->groups, __ATOMIC_ACQUIRE);
}

const struct upstream_group *upstreams_group(const struct upstreams *upstreams, uint16_t group)
{
	return group < groups(upstreams) ? &upstreams->group[group] : NULL;
}

uint16_t upstreams_only_group(const struct upstreams *upstreams)
{
	uint16_t only = SLUICE_NONE16;

	for (uint32_t i = 0, n = groups(upstreams); i < n; i++) {
		if (!load(&upstreams->view->group[i].name[0]))
			continue;
		if (only != SLUICE_NONE16)
			return SLUICE_NONE16;
		only = (uint16_t)i;
	}
	return only;
}

uint32_t upstreams_server(const struct upstreams *upstreams, uint16_t group, uint16_t place)
{
	const struct sluice_group *g;

	if (group >= groups(upstreams))
		return UPSTREAM_NONE;
	g = &upstreams->view->group[group];
	if (place >= __atomic_load_n(&g->servers, __ATOMIC_ACQUIRE))
		return UPSTREAM_NONE;
	return load(&g->first) + place;
}

uint16_t upstreams_place(const struct upstreams *upstreams, uint32_t server)
{
	const struct sluice_group *g = &upstreams->view->group[upstreams->server[server].group];
	uint32_t first = load(&g->first);

	return server >= first && server - first < load(&g->servers) ? (uint16_t)(server - first)
								     : SLUICE_NONE16;
}

uint32_t upstreams_servers(const struct upstreams *upstreams)
{
	return __atomic_load_n(&upstreams->view->servers, __ATOMIC_ACQUIRE);
}

uint16_t upstreams_group_of(const struct upstreams *upstreams, uint32_t server)
{
	return upstreams->server[server].group;
}

void upstreams_endpoint(const struct upstreams *upstreams, uint32_t server, struct endpoint *out)
{
	const struct sluice_peer *peer = &upstreams->view->server[server].addr;

	*out = (struct endpoint){.addr.family = peer->family, .port = peer->port};
	memcpy(out->addr.bytes, peer->bytes, sizeof(out->addr.bytes));
}

enum sluice_server_state upstreams_state(const struct upstreams *upstreams, uint32_t server)
{
	return load(&upstreams->view->server[server].state);
}

bool upstreams_present(const struct upstreams *upstreams, uint32_t server)
{
	return !(load(&upstreams->server[server].reasons) & REASON_REMOVED);
}

bool upstreams_only_ejected(const struct upstreams *upstreams, uint32_t server)
{
	return load(&upstreams->server[server].reasons) == REASON_EJECTED;
}

uint32_t upstreams_applied(const struct upstreams *upstreams)
{
	return __atomic_load_n(&upstreams->applied, __ATOMIC_ACQUIRE);
}

/* What is worse is taken as it is; what is better, by how long ago the last one was. */
static void peak_note(struct sluice_server *s, uint32_t sample, uint64_t now_us)
{
	uint64_t at = load(&s->peak_at_us), age = now_us > at ? now_us - at : 0;
	double old = load(&s->peak_us), kept = PEAK_FORGET_US / (PEAK_FORGET_US + (double)age);

	store(&s->peak_us, sample >= old ? sample : (uint32_t)(old * kept + sample * (1 - kept)));
	store(&s->peak_at_us, now_us);
}

void upstreams_success(struct upstreams *upstreams, uint32_t server, uint64_t latency_us,
		       uint64_t now_us)
{
	struct sluice_server *s = &upstreams->view->server[server];
	uint32_t sample = latency_us < UINT32_MAX ? (uint32_t)latency_us : UINT32_MAX;
	uint32_t old = load(&s->latency_us);
	int64_t step = ((int64_t)sample - old) / (1 << LATENCY_SHIFT);

	store(&s->latency_us, old ? (uint32_t)(old + step) : sample);
	peak_note(s, sample ? sample : 1, now_us);
	if (load(&s->failures))
		store(&s->failures, 0u);
}

void upstreams_idle(struct upstreams *upstreams, uint32_t server, int change)
{
	__atomic_fetch_add(&upstreams->server[server].idle, change, __ATOMIC_RELAXED);
}

void upstreams_totals(const struct upstreams *upstreams, uint32_t server,
		      struct upstream_totals *out)
{
	const struct server_state *s = &upstreams->server[server];

	*out = (struct upstream_totals){
		.exchanges = load(&s->exchanges),
		.failures = load(&s->failures),
		.idle = load(&s->idle),
		.ejected = load(&s->reasons) & REASON_EJECTED,
		.failed_checks = load(&s->reasons) & REASON_CHECK,
		.by_hand = load(&s->reasons) & REASON_BY_HAND,
		.panics = load(&s->reasons) & (REASON_EJECTED | REASON_CHECK) &&
			  load(&upstreams->view->server[server].state) != SLUICE_SERVER_DOWN,
	};
}
