/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration's side: groups and servers get their numbers.
 *
 * A group sets aside twice the numbers that it needs, so that servers can come and go in
 * place; only one that outgrows them moves to new numbers. Everything a reader follows is
 * written before the count that leads to it.
 */
#include "chain/upstream/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chain/ring/region.h"
#include "chain/upstream/upstream_internal.h"
#include "mgmt/conf/conf.h"

_Static_assert((int)CONF_BALANCE_HASH == (int)SLUICE_BALANCE_HASH, "one numbering of balances");
_Static_assert(CONF_SERVERS_MAX == SLUICE_SERVERS_MAX, "one bound of servers");
_Static_assert(CONF_NAME_MAX <= SLUICE_NAME_MAX, "a group's name fits");

int upstreams_create(struct region *view, struct upstreams **out)
{
	struct upstreams *upstreams;

	if (view->bytes < sizeof(struct sluice_upstreams))
		return -EINVAL;
	upstreams = calloc(1, sizeof(*upstreams));
	if (!upstreams)
		return -ENOMEM;
	upstreams->view = (struct sluice_upstreams *)(void *)view->base;
	*out = upstreams;
	return 0;
}

void upstreams_destroy(struct upstreams *upstreams)
{
	struct text *text;

	if (!upstreams)
		return;
	while ((text = upstreams->texts)) {
		upstreams->texts = text->next;
		free(text);
	}
	free(upstreams);
}

static uint32_t group_find(const struct upstreams *upstreams, const char *name)
{
	const struct sluice_upstreams *view = upstreams->view;

	for (uint32_t i = 0; i < view->groups; i++)
		if (!strcmp(view->group[i].name, name))
			return i;
	return SLUICE_GROUPS_MAX;
}

static struct sluice_peer peer_of(const struct endpoint *endpoint)
{
	struct sluice_peer peer = {.family = endpoint->addr.family, .port = endpoint->port};

	memcpy(peer.bytes, endpoint->addr.bytes, sizeof(peer.bytes));
	return peer;
}

/* The place of an address in a range that no server of this configuration has taken yet. */
static uint32_t server_find(const struct upstreams *upstreams, const struct sluice_group *g,
			    const struct conf_server *conf)
{
	struct sluice_peer peer = peer_of(&conf->endpoint);

	for (uint32_t i = g->first; i < g->first + g->servers; i++)
		if (upstreams->server[i].seen != upstreams->round &&
		    !memcmp(&upstreams->view->server[i].addr, &peer, sizeof(peer)))
			return i;
	return UPSTREAM_NONE;
}

/* --- does it fit? ---------------------------------------------------------------- */

/* Servers of the configuration that have no number in the group yet. Twins count as new, which errs
 * on the side of more room. */
static unsigned servers_new(const struct upstreams *upstreams, const struct sluice_group *g,
			    const struct conf_upstream *conf)
{
	unsigned found = 0;

	for (uint32_t i = g->first; i < g->first + g->servers; i++)
		for (unsigned k = 0; k < conf->servers_count; k++) {
			struct sluice_peer peer = peer_of(&conf->servers[k].endpoint);

			if (memcmp(&upstreams->view->server[i].addr, &peer, sizeof(peer)))
				continue;
			found++;
			break;
		}
	return found < conf->servers_count ? conf->servers_count - found : 0;
}

static bool group_moves(const struct upstreams *upstreams, uint32_t group,
			const struct conf_upstream *conf)
{
	const struct sluice_group *g = &upstreams->view->group[group];

	return g->servers + servers_new(upstreams, g, conf) > upstreams->group[group].capacity;
}

static bool fits(const struct upstreams *upstreams, const struct conf *conf)
{
	uint64_t new_groups = upstreams->view->groups, servers = upstreams->view->servers;

	for (unsigned i = 0; i < conf->upstreams_count; i++) {
		const struct conf_upstream *u = &conf->upstreams[i];
		uint32_t group = group_find(upstreams, u->name);

		new_groups += group == SLUICE_GROUPS_MAX;
		if (group == SLUICE_GROUPS_MAX || group_moves(upstreams, group, u))
			servers += conf_server_numbers(u->servers_count);
	}
	return new_groups <= SLUICE_GROUPS_MAX && servers <= SLUICE_SERVERS_MAX;
}

/* --- taking it over -------------------------------------------------------------- */

static void server_write(struct upstreams *upstreams, uint32_t server, uint16_t group,
			 const struct conf_server *conf)
{
	struct sluice_server *s = &upstreams->view->server[server];

	s->addr = peer_of(&conf->endpoint);
	store(&s->weight, conf->weight);
	upstreams->server[server].group = group;
	upstreams->server[server].seen = upstreams->round;
}

/* What is known of a server goes with it to its new number; exchanges in flight stay counted at the
 * old. */
static void server_inherit(struct upstreams *upstreams, uint32_t from, uint32_t to)
{
	const struct sluice_server *old = &upstreams->view->server[from];

	store(&upstreams->view->server[to].latency_us, load(&old->latency_us));
	if (load(&upstreams->server[from].reasons) & REASON_CHECK)
		server_reason_set(upstreams, to, REASON_CHECK, true);
}

static uint32_t numbers_take(struct upstreams *upstreams, uint32_t group, unsigned servers)
{
	uint32_t first = upstreams->view->servers, capacity = conf_server_numbers(servers);

	upstreams->group[group].capacity = capacity;
	for (uint32_t i = first; i < first + capacity; i++) {
		upstreams->server[i].group = (uint16_t)group;
		server_reason_set(upstreams, i, REASON_REMOVED, true);
	}
	__atomic_store_n(&upstreams->view->servers, first + capacity, __ATOMIC_RELEASE);
	return first;
}

static void group_fill(struct upstreams *upstreams, uint32_t group, uint32_t first,
		       const struct conf_upstream *conf)
{
	struct sluice_group *g = &upstreams->view->group[group], old = *g;

	for (unsigned i = 0; i < conf->servers_count; i++) {
		uint32_t from = server_find(upstreams, &old, &conf->servers[i]);

		server_write(upstreams, first + i, (uint16_t)group, &conf->servers[i]);
		if (from != UPSTREAM_NONE)
			server_inherit(upstreams, from, first + i);
		server_reason_set(upstreams, first + i, REASON_REMOVED, false);
	}
	store(&g->first, first);
	__atomic_store_n(&g->servers, conf->servers_count, __ATOMIC_RELEASE);
	for (uint32_t i = old.first; i < old.first + old.servers; i++)
		server_reason_set(upstreams, i, REASON_REMOVED, true);
}

static void group_change(struct upstreams *upstreams, uint32_t group,
			 const struct conf_upstream *conf)
{
	struct sluice_group *g = &upstreams->view->group[group];

	for (unsigned i = 0; i < conf->servers_count; i++) {
		uint32_t server = server_find(upstreams, g, &conf->servers[i]);
		bool fresh = server == UPSTREAM_NONE;

		if (fresh)
			server = g->first + g->servers;
		server_write(upstreams, server, (uint16_t)group, &conf->servers[i]);
		server_reason_set(upstreams, server, REASON_REMOVED, false);
		if (fresh)
			__atomic_store_n(&g->servers, g->servers + 1, __ATOMIC_RELEASE);
	}
	for (uint32_t i = g->first; i < g->first + g->servers; i++)
		if (upstreams->server[i].seen != upstreams->round)
			server_reason_set(upstreams, i, REASON_REMOVED, true);
}

/* A text that workers may read at any time: kept until the end, and used again when it is the same.
 */
static const char *text_keep(struct upstreams *upstreams, const char *bytes, int *error)
{
	size_t size;
	struct text *text;

	if (!bytes)
		return NULL;
	for (text = upstreams->texts; text; text = text->next)
		if (!strcmp(text->bytes, bytes))
			return text->bytes;
	size = strlen(bytes) + 1;
	text = malloc(sizeof(*text) + size);
	if (!text) {
		*error = -ENOMEM;
		return NULL;
	}
	memcpy(text->bytes, bytes, size);
	text->next = upstreams->texts;
	upstreams->texts = text;
	return text->bytes;
}

static void group_settings(struct upstream_group *g, const struct conf_upstream *conf,
			   const char *check_path)
{
	const struct conf_health *h = &conf->health;

	store(&g->connect_timeout_ms, conf->connect_timeout_ms);
	store(&g->response_timeout_ms, conf->response_timeout_ms);
	store(&g->idle_timeout_ms, conf->idle_timeout_ms);
	store(&g->keepalive, conf->keepalive);
	store(&g->retries, conf->retries);
	store(&g->max_fails, h->max_fails);
	store(&g->eject_ms, h->eject_ms);
	store(&g->check_path, check_path);
	store(&g->check_interval_ms, h->interval_ms);
	store(&g->check_timeout_ms, h->timeout_ms);
	store(&g->check_fall, h->fall);
	store(&g->check_rise, h->rise);
	store(&g->check_expect_min, h->expect_min);
	store(&g->check_expect_max, h->expect_max);
	store(&g->check, (uint32_t)h->on);
}

static void group_take(struct upstreams *upstreams, const struct conf_upstream *conf,
		       uint32_t version, const char *check_path)
{
	struct sluice_upstreams *view = upstreams->view;
	uint32_t group = group_find(upstreams, conf->name);
	bool fresh = group == SLUICE_GROUPS_MAX;

	if (fresh)
		group = view->groups;
	group_settings(&upstreams->group[group], conf, check_path);
	store(&view->group[group].balance, (uint32_t)conf->balance);
	if (fresh || group_moves(upstreams, group, conf))
		group_fill(upstreams, group, numbers_take(upstreams, group, conf->servers_count),
			   conf);
	else
		group_change(upstreams, group, conf);
	store(&view->group[group].version, version);
	upstreams->group_seen[group] = upstreams->round;
	if (!fresh)
		return;
	memcpy(view->group[group].name, conf->name, strlen(conf->name) + 1);
	__atomic_store_n(&view->groups, group + 1, __ATOMIC_RELEASE);
}

/* Groups that this configuration does not have lose their names, and their checks. */
static void groups_forget(struct upstreams *upstreams)
{
	struct sluice_upstreams *view = upstreams->view;

	for (uint32_t i = 0; i < view->groups; i++) {
		struct sluice_group *g = &view->group[i];

		if (upstreams->group_seen[i] == upstreams->round)
			continue;
		store(&g->name[0], (char)0);
		store(&upstreams->group[i].check, 0u);
	}
}

int upstreams_apply(struct upstreams *upstreams, const struct conf *conf, uint32_t version)
{
	int error = 0;

	if (!fits(upstreams, conf))
		return -ENOSPC;
	for (unsigned i = 0; i < conf->upstreams_count; i++)
		text_keep(upstreams, conf->upstreams[i].health.path, &error);
	if (error)
		return error;
	upstreams->round++;
	for (unsigned i = 0; i < conf->upstreams_count; i++) {
		const struct conf_upstream *u = &conf->upstreams[i];

		group_take(upstreams, u, version, text_keep(upstreams, u->health.path, &error));
	}
	groups_forget(upstreams);
	__atomic_fetch_add(&upstreams->view->changes, 1, __ATOMIC_RELEASE);
	__atomic_fetch_add(&upstreams->applied, 1, __ATOMIC_RELEASE);
	return 0;
}
