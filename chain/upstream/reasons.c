/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why a server is not up, and what follows for the states of its group.
 *
 * When fewer servers of a group are well than its panic_percent says, it is more likely that the
 * looking is wrong than that they are, or the few would drown: then all are used, but for those
 * that were taken out by hand. One that comes back may get its share little by little.
 */
#include <string.h>

#include "chain/upstream/upstream_internal.h"

/* --- states ---------------------------------------------------------------------- */

static uint32_t state_of(uint32_t reasons, bool panics)
{
	bool well = panics || !(reasons & (REASON_CHECK | REASON_EJECTED));

	if (reasons & REASON_REMOVED)
		return SLUICE_SERVER_DRAIN;
	if (reasons & REASON_DOWN || !well)
		return SLUICE_SERVER_DOWN;
	return reasons & REASON_DRAIN ? SLUICE_SERVER_KEEP : SLUICE_SERVER_UP;
}

static bool panics(const struct upstreams *upstreams, uint16_t group)
{
	const struct sluice_group *g = &upstreams->view->group[group];
	uint32_t percent = load(&upstreams->group[group].panic_percent);
	uint64_t present = 0, well = 0;

	if (!percent)
		return false;
	for (uint32_t i = load(&g->first), n = load(&g->servers); n > 0; i++, n--) {
		uint32_t reasons = load(&upstreams->server[i].reasons);

		present += !(reasons & (REASON_REMOVED | REASON_BY_HAND));
		well += !reasons;
	}
	return well * 100 < present * percent;
}

/* True when one was otherwise. */
static bool states_write(struct upstreams *upstreams, uint16_t group)
{
	const struct sluice_group *g = &upstreams->view->group[group];
	bool panic = panics(upstreams, group), changed = false;

	for (uint32_t i = load(&g->first), n = load(&g->servers); n > 0; i++, n--) {
		uint32_t state = state_of(load(&upstreams->server[i].reasons), panic);
		uint32_t *at = &upstreams->view->server[i].state;

		changed |= load(at) != state;
		store(at, state);
	}
	return changed;
}

/* Other workers may be doing the same: the last one to look writes what is true. */
void group_look(struct upstreams *upstreams, uint16_t group)
{
	uint32_t *looks = &upstreams->load[group].looks, seen;
	bool changed = false;

	__atomic_fetch_add(looks, 1, __ATOMIC_SEQ_CST);
	do {
		seen = __atomic_load_n(looks, __ATOMIC_SEQ_CST);
		changed |= states_write(upstreams, group);
	} while (seen != __atomic_load_n(looks, __ATOMIC_SEQ_CST));
	if (changed)
		__atomic_fetch_add(&upstreams->view->changes, 1, __ATOMIC_RELEASE);
}

bool server_reason_change(struct upstreams *upstreams, uint32_t server, uint32_t reason, bool on)
{
	uint32_t *reasons = &upstreams->server[server].reasons;
	uint32_t before = on ? __atomic_fetch_or(reasons, reason, __ATOMIC_SEQ_CST)
			     : __atomic_fetch_and(reasons, ~reason, __ATOMIC_SEQ_CST);

	if (!(before & reason) == !on)
		return false;
	store(&upstreams->view->server[server].state, state_of(load(reasons), false));
	return true;
}

bool server_reason_set(struct upstreams *upstreams, uint32_t server, uint32_t reason, bool on)
{
	if (!server_reason_change(upstreams, server, reason, on))
		return false;
	__atomic_fetch_add(&upstreams->view->changes, 1, __ATOMIC_RELEASE);
	group_look(upstreams, upstreams->server[server].group);
	return true;
}

/* --- slow start ------------------------------------------------------------------ */

static void warm_begin(struct upstreams *upstreams, uint32_t server)
{
	struct server_state *s = &upstreams->server[server];

	if (!load(&upstreams->group[s->group].slow_start_ms) || load(&s->reasons))
		return;
	store(&s->warm_since_us, UINT64_C(0));
	store(&upstreams->view->server[server].warm, 1u);
	if (!__atomic_exchange_n(&s->warming, 1, __ATOMIC_RELAXED))
		__atomic_fetch_add(&upstreams->warming, 1, __ATOMIC_RELAXED);
}

/* What it has of its weight by now; 0: all of it. */
static uint32_t warm_by(const struct upstreams *upstreams, uint32_t server, uint64_t now_us)
{
	const struct server_state *s = &upstreams->server[server];
	uint64_t all_us = (uint64_t)load(&upstreams->group[s->group].slow_start_ms) * 1000;
	uint64_t since_us = load(&s->warm_since_us);
	uint64_t age_us = now_us > since_us ? now_us - since_us : 0;
	uint64_t warm;

	if (age_us >= all_us)
		return 0;
	warm = SLUICE_WARM * age_us / all_us;
	return warm ? (uint32_t)warm : 1;
}

static bool warm_on(struct upstreams *upstreams, uint32_t server, uint64_t now_us)
{
	struct server_state *s = &upstreams->server[server];
	uint32_t *at = &upstreams->view->server[server].warm, warm;

	if (!load(&s->warm_since_us))
		store(&s->warm_since_us, now_us);
	warm = warm_by(upstreams, server, now_us);
	if (!warm) {
		store(&s->warming, 0u);
		__atomic_fetch_sub(&upstreams->warming, 1, __ATOMIC_RELAXED);
	}
	if (load(at) == warm)
		return false;
	store(at, warm);
	return true;
}

void upstreams_warm(struct upstreams *upstreams, uint64_t now_us)
{
	bool changed = false;

	if (!load(&upstreams->warming))
		return;
	for (uint32_t i = 0, n = upstreams_servers(upstreams); i < n; i++)
		if (load(&upstreams->server[i].warming))
			changed |= warm_on(upstreams, i, now_us);
	if (changed)
		__atomic_fetch_add(&upstreams->view->changes, 1, __ATOMIC_RELEASE);
}

/* --- checks ---------------------------------------------------------------------- */

void upstreams_checked(struct upstreams *upstreams, uint32_t server, bool healthy)
{
	if (server_reason_set(upstreams, server, REASON_CHECK, !healthy) && healthy)
		warm_begin(upstreams, server);
}

/* --- ejections ------------------------------------------------------------------- */

static void eject(struct upstreams *upstreams, uint32_t server, uint64_t now_us)
{
	struct server_state *s = &upstreams->server[server];
	uint64_t eject_us = (uint64_t)load(&upstreams->group[s->group].eject_ms) * 1000;

	store(&s->ejected_until_us, now_us + eject_us);
	if (server_reason_set(upstreams, server, REASON_EJECTED, true))
		__atomic_fetch_add(&upstreams->ejected, 1, __ATOMIC_RELAXED);
}

static const struct upstream_group *group_of(const struct upstreams *upstreams, uint32_t server)
{
	return &upstreams->group[upstreams->server[server].group];
}

void upstreams_failure(struct upstreams *upstreams, uint32_t server, uint64_t now_us)
{
	uint32_t failures = 1 + __atomic_fetch_add(&upstreams->view->server[server].failures, 1,
						   __ATOMIC_RELAXED);
	uint32_t most = load(&group_of(upstreams, server)->max_fails);

	__atomic_fetch_add(&upstreams->server[server].failures, 1, __ATOMIC_RELAXED);
	if (most && failures >= most)
		eject(upstreams, server, now_us);
}

void upstreams_status(struct upstreams *upstreams, uint32_t server, uint16_t status,
		      uint64_t now_us)
{
	uint32_t *fives = &upstreams->server[server].fives;
	uint32_t most = load(&group_of(upstreams, server)->max_5xx);

	if (!most)
		return;
	if (status < 500)
		store(fives, 0u);
	else if (__atomic_add_fetch(fives, 1, __ATOMIC_RELAXED) >= most)
		eject(upstreams, server, now_us);
}

static void readmit(struct upstreams *upstreams, uint32_t server)
{
	store(&upstreams->view->server[server].failures, 0u);
	store(&upstreams->server[server].fives, 0u);
	if (!server_reason_set(upstreams, server, REASON_EJECTED, false))
		return;
	__atomic_fetch_sub(&upstreams->ejected, 1, __ATOMIC_RELAXED);
	warm_begin(upstreams, server);
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

/* --- by hand --------------------------------------------------------------------- */

void upstreams_order(struct upstreams *upstreams, uint32_t server, enum upstream_order order)
{
	uint32_t reason = order == UPSTREAM_TAKE_DOWN ? REASON_DOWN : REASON_DRAIN;

	if (order == UPSTREAM_TAKE_UP) {
		server_reason_set(upstreams, server, REASON_BY_HAND, false);
		readmit(upstreams, server);
		return;
	}
	server_reason_set(upstreams, server, REASON_BY_HAND & ~reason, false);
	server_reason_set(upstreams, server, reason, true);
}

void upstreams_weigh(struct upstreams *upstreams, uint32_t server, uint32_t weight)
{
	upstreams->server[server].weighed = true;
	store(&upstreams->view->server[server].weight, weight);
	__atomic_fetch_add(&upstreams->view->changes, 1, __ATOMIC_RELEASE);
}

static void order_forget(struct upstreams *upstreams, uint32_t server)
{
	struct server_state *s = &upstreams->server[server];

	server_reason_set(upstreams, server, REASON_BY_HAND, false);
	if (s->weighed)
		upstreams_weigh(upstreams, server, s->conf_weight);
	s->weighed = false;
}

void upstreams_forget_orders(struct upstreams *upstreams)
{
	for (uint32_t i = 0, n = upstreams_servers(upstreams); i < n; i++)
		order_forget(upstreams, i);
}

uint16_t upstreams_group_named(const struct upstreams *upstreams, const char *name)
{
	const struct sluice_upstreams *view = upstreams->view;

	for (uint16_t i = 0; i < view->groups; i++)
		if (view->group[i].name[0] && !strcmp(view->group[i].name, name))
			return i;
	return SLUICE_NONE16;
}

uint32_t upstreams_server_at(const struct upstreams *upstreams, uint16_t group,
			     const struct endpoint *endpoint)
{
	uint32_t server;

	for (uint16_t i = 0; (server = upstreams_server(upstreams, group, i)) != UPSTREAM_NONE;
	     i++) {
		struct endpoint at;

		upstreams_endpoint(upstreams, server, &at);
		if (at.port == endpoint->port && addr_equal(&at.addr, &endpoint->addr) &&
		    upstreams_present(upstreams, server))
			return server;
	}
	return UPSTREAM_NONE;
}
