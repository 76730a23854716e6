/* SPDX-License-Identifier: BSD-3-Clause */
/* The workers' side: reading numbers, counting loads, and why a server is down. */
#include <string.h>

#include "chain/upstream/upstream_internal.h"

#define LATENCY_SHIFT 3 /* a new sample weighs an eighth */

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

static uint32_t state_of(uint32_t reasons)
{
	if (reasons & REASON_REMOVED)
		return SLUICE_SERVER_DRAIN;
	return reasons ? SLUICE_SERVER_DOWN : SLUICE_SERVER_UP;
}

bool server_reason_set(struct upstreams *upstreams, uint32_t server, uint32_t reason, bool on)
{
	uint32_t *reasons = &upstreams->server[server].reasons;
	uint32_t before = on ? __atomic_fetch_or(reasons, reason, __ATOMIC_RELAXED)
			     : __atomic_fetch_and(reasons, ~reason, __ATOMIC_RELAXED);
	uint32_t now;

	if (!!(before & reason) == on)
		return false;
	do { /* another worker may be doing the same: the last one to look writes what is true */
		now = load(reasons);
		store(&upstreams->view->server[server].state, state_of(now));
	} while (now != load(reasons));
	__atomic_fetch_add(&upstreams->view->changes, 1, __ATOMIC_RELEASE);
	return true;
}

void upstreams_begin(struct upstreams *upstreams, uint32_t server)
{
	__atomic_fetch_add(&upstreams->view->server[server].active, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&upstreams->server[server].exchanges, 1, __ATOMIC_RELAXED);
}

void upstreams_end(struct upstreams *upstreams, uint32_t server)
{
	__atomic_fetch_sub(&upstreams->view->server[server].active, 1, __ATOMIC_RELAXED);
}

void upstreams_success(struct upstreams *upstreams, uint32_t server, uint64_t latency_us)
{
	struct sluice_server *s = &upstreams->view->server[server];
	uint32_t sample = latency_us < UINT32_MAX ? (uint32_t)latency_us : UINT32_MAX;
	uint32_t old = load(&s->latency_us);
	int64_t step = ((int64_t)sample - old) / (1 << LATENCY_SHIFT);

	store(&s->latency_us, old ? (uint32_t)(old + step) : sample);
	if (load(&s->failures))
		store(&s->failures, 0u);
}

static void eject(struct upstreams *upstreams, uint32_t server, uint64_t until_us)
{
	store(&upstreams->server[server].ejected_until_us, until_us);
	if (server_reason_set(upstreams, server, REASON_EJECTED, true))
		__atomic_fetch_add(&upstreams->ejected, 1, __ATOMIC_RELAXED);
}

void upstreams_failure(struct upstreams *upstreams, uint32_t server, uint64_t now_us)
{
	const struct upstream_group *group = &upstreams->group[upstreams->server[server].group];
	uint32_t failures = 1 + __atomic_fetch_add(&upstreams->view->server[server].failures, 1,
						   __ATOMIC_RELAXED);
	uint32_t most = load(&group->max_fails);

	__atomic_fetch_add(&upstreams->server[server].failures, 1, __ATOMIC_RELAXED);
	if (most && failures >= most)
		eject(upstreams, server, now_us + (uint64_t)load(&group->eject_ms) * 1000);
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
	};
}

void upstreams_checked(struct upstreams *upstreams, uint32_t server, bool healthy)
{
	server_reason_set(upstreams, server, REASON_CHECK, !healthy);
}

static void readmit(struct upstreams *upstreams, uint32_t server)
{
	store(&upstreams->view->server[server].failures, 0u);
	if (server_reason_set(upstreams, server, REASON_EJECTED, false))
		__atomic_fetch_sub(&upstreams->ejected, 1, __ATOMIC_RELAXED);
}

uint64_t upstreams_readmit(struct upstreams *upstreams, uint64_t now_us)
{
	uint64_t next = UINT64_MAX;

	if (!load(&upstreams->ejected))
		return UINT64_MAX;
	for (uint32_t i = 0, n = upstreams_servers(upstreams); i < n; i++) {
		uint64_t until = load(&upstreams->server[i].ejected_until_us);

		if (!(load(&upstreams->server[i].reasons) & REASON_EJECTED))
			continue;
		if (until <= now_us)
			readmit(upstreams, i);
		else if (until < next)
			next = until;
	}
	return next;
}
