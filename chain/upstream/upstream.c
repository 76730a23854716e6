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

_Static_assert((int)CONF_BALANCE_SOURCE == (int)SLUICE_BALANCE_SOURCE, "one numbering of balances");
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
	names_free(upstreams);
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

/* A place whose server is gone for good: nobody is there any more, and it was not the last
 * configuration that took it out. Places are used again where there are no others, as names change
 * their addresses all the time. */
static bool is_vacant(const struct upstreams *upstreams, uint32_t server)
{
	const struct server_state *s = &upstreams->server[server];

	return load(&s->reasons) & REASON_REMOVED && s->seen + 2 < upstreams->round &&
	       !load(&s->idle) && !load(&upstreams->view->server[server].active);
}

static unsigned places_vacant(const struct upstreams *upstreams, const struct sluice_group *g)
{
	unsigned n = 0;

	for (uint32_t i = g->first; i < g->first + g->servers; i++)
		n += is_vacant(upstreams, i);
	return n;
}

static bool group_moves(const struct upstreams *upstreams, uint32_t group,
			const struct conf_upstream *conf)
{
	const struct sluice_group *g = &upstreams->view->group[group];

	return g->servers + servers_new(upstreams, g, conf) >
	       upstreams->group[group].capacity + places_vacant(upstreams, g);
}

static bool fits(const struct upstreams *upstreams, const struct conf_upstream *groups,
		 unsigned count)
{
	uint64_t new_groups = upstreams->view->groups, servers = upstreams->view->servers;

	for (unsigned i = 0; i < count; i++) {
		const struct conf_upstream *u = &groups[i];
		uint32_t group = group_find(upstreams, u->name);

		new_groups += group == SLUICE_GROUPS_MAX;
		if (group == SLUICE_GROUPS_MAX || group_moves(upstreams, group, u))
			servers += conf_server_numbers(u->servers_count);
	}
	return new_groups <= SLUICE_GROUPS_MAX && servers <= SLUICE_SERVERS_MAX;
}

/* --- taking it over -------------------------------------------------------------- */

static void server_settings(struct upstreams *upstreams, uint32_t server,
			    const struct conf_server *conf)
{
	struct server_state *state = &upstreams->server[server];

	if (!state->weighed)
		store(&upstreams->view->server[server].weight, conf->weight);
	state->conf_weight = conf->weight;
	store(&state->max_connections, conf->max_connections);
	state->seen = upstreams->round;
}

/* Into a place that nobody uses. */
static void server_write(struct upstreams *upstreams, uint32_t server,
			 const struct conf_server *conf)
{
	upstreams->view->server[server].addr = peer_of(&conf->endpoint);
	server_settings(upstreams, server, conf);
}

/* What is known of a server goes with it to its new number; exchanges in flight stay counted at the
 * old. */
static void server_inherit(struct upstreams *upstreams, uint32_t from, uint32_t to)
{
	const struct sluice_server *old = &upstreams->view->server[from];

	store(&upstreams->view->server[to].latency_us, load(&old->latency_us));
	if (load(&upstreams->server[from].reasons) & REASON_CHECK)
		server_reason_change(upstreams, to, REASON_CHECK, true);
}

static uint32_t numbers_take(struct upstreams *upstreams, uint32_t group, unsigned servers)
{
	uint32_t first = upstreams->view->servers, capacity = conf_server_numbers(servers);

	upstreams->group[group].capacity = capacity;
	for (uint32_t i = first; i < first + capacity; i++) {
		upstreams->server[i].group = (uint16_t)group;
		server_reason_change(upstreams, i, REASON_REMOVED, true);
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

		server_write(upstreams, first + i, &conf->servers[i]);
		if (from != UPSTREAM_NONE)
			server_inherit(upstreams, from, first + i);
		server_reason_change(upstreams, first + i, REASON_REMOVED, false);
	}
	store(&g->first, first);
	__atomic_store_n(&g->servers, conf->servers_count, __ATOMIC_RELEASE);
	for (uint32_t i = old.first; i < old.first + old.servers; i++)
		server_reason_change(upstreams, i, REASON_REMOVED, true);
}

/* All that is known of the server that had it is forgotten. */
static void place_clear(struct upstreams *upstreams, uint32_t server)
{
	struct sluice_server *s = &upstreams->view->server[server];

	store(&s->latency_us, 0u);
	store(&s->peak_us, 0u);
	store(&s->failures, 0u);
	upstreams->server[server].weighed = false;
	if (server_reason_change(upstreams, server, REASON_EJECTED, false))
		__atomic_fetch_sub(&upstreams->ejected, 1, __ATOMIC_RELAXED);
	server_reason_change(upstreams, server, REASON_CHECK | REASON_BY_HAND, false);
}

/* The next place that was never used; then those that are vacant. */
static uint32_t place_take(struct upstreams *upstreams, uint32_t group, bool *appended)
{
	const struct sluice_group *g = &upstreams->view->group[group];
	uint32_t server = g->first;

	*appended = g->servers < upstreams->group[group].capacity;
	if (*appended)
		return g->first + g->servers;
	while (server < g->first + g->servers && !is_vacant(upstreams, server))
		server++;
	place_clear(upstreams, server);
	return server;
}

/* A server that is new here, or comes back after its place was given away. */
static void server_add(struct upstreams *upstreams, uint32_t group, const struct conf_server *conf)
{
	struct sluice_group *g = &upstreams->view->group[group];
	bool appended;
	uint32_t server = place_take(upstreams, group, &appended);

	server_write(upstreams, server, conf);
	server_reason_change(upstreams, server, REASON_REMOVED, false);
	if (appended)
		__atomic_store_n(&g->servers, g->servers + 1, __ATOMIC_RELEASE);
}

static bool server_keep(struct upstreams *upstreams, uint32_t group, const struct conf_server *conf)
{
	uint32_t server = server_find(upstreams, &upstreams->view->group[group], conf);

	if (server == UPSTREAM_NONE)
		return false;
	server_settings(upstreams, server, conf);
	server_reason_change(upstreams, server, REASON_REMOVED, false);
	return true;
}

/* Those that have a place first, so that nobody takes it from them. */
static void group_change(struct upstreams *upstreams, uint32_t group,
			 const struct conf_upstream *conf)
{
	struct sluice_group *g = &upstreams->view->group[group];
	bool *kept = upstreams->kept;

	for (unsigned i = 0; i < conf->servers_count; i++)
		kept[i] = server_keep(upstreams, group, &conf->servers[i]);
	for (unsigned i = 0; i < conf->servers_count; i++)
		if (!kept[i])
			server_add(upstreams, group, &conf->servers[i]);
	for (uint32_t i = g->first; i < g->first + g->servers; i++)
		if (upstreams->server[i].seen != upstreams->round)
			server_reason_change(upstreams, i, REASON_REMOVED, true);
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

struct check_texts {
	const char *path, *host, *body;
};

static struct check_texts check_texts_keep(struct upstreams *upstreams,
					   const struct conf_health *health, int *error)
{
	return (struct check_texts){
		.path = text_keep(upstreams, health->path, error),
		.host = text_keep(upstreams, health->host, error),
		.body = text_keep(upstreams, health->expect_body, error),
	};
}

static void limits_set(struct upstream_group *g, const struct conf_upstream *conf)
{
	const struct conf_limits *l = &conf->limits;

	store(&g->max_connections, l->connections);
	store(&g->max_pending, l->pending);
	store(&g->pending_timeout_ms, l->pending_ms);
	store(&g->max_retries, l->retries);
	store(&g->retry_percent, l->retry_percent);
	store(&g->reuse, (uint32_t)conf->reuse);
}

static void group_settings(struct upstream_group *g, const struct conf_upstream *conf,
			   const struct check_texts *texts)
{
	const struct conf_health *h = &conf->health;

	limits_set(g, conf);
	store(&g->max_5xx, h->max_5xx);
	store(&g->panic_percent, h->panic_percent);
	store(&g->slow_start_ms, h->slow_start_ms);
	store(&g->check_host, texts->host);
	store(&g->check_body, texts->body);

	store(&g->connect_timeout_ms, conf->connect_timeout_ms);
	store(&g->response_timeout_ms, conf->response_timeout_ms);
	store(&g->idle_timeout_ms, conf->idle_timeout_ms);
	store(&g->keepalive, conf->keepalive);
	store(&g->retries, conf->retries);
	store(&g->max_fails, h->max_fails);
	store(&g->eject_ms, h->eject_ms);
	store(&g->check_path, texts->path);
	store(&g->check_interval_ms, h->interval_ms);
	store(&g->check_timeout_ms, h->timeout_ms);
	store(&g->check_fall, h->fall);
	store(&g->check_rise, h->rise);
	store(&g->check_expect_min, h->expect_min);
	store(&g->check_expect_max, h->expect_max);
	store(&g->check, (uint32_t)h->on);
}

static void group_take(struct upstreams *upstreams, const struct conf_upstream *conf,
		       uint32_t version, const struct check_texts *texts)
{
	struct sluice_upstreams *view = upstreams->view;
	uint32_t group = group_find(upstreams, conf->name);
	bool fresh = group == SLUICE_GROUPS_MAX;

	if (fresh)
		group = view->groups;
	group_settings(&upstreams->group[group], conf, texts);
	store(&view->group[group].balance, (uint32_t)conf->balance);
	if (fresh || group_moves(upstreams, group, conf))
		group_fill(upstreams, group, numbers_take(upstreams, group, conf->servers_count),
			   conf);
	else
		group_change(upstreams, group, conf);
	store(&view->group[group].version, version);
	upstreams->group_seen[group] = upstreams->round;
	group_look(upstreams, (uint16_t)group);
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

/* `groups`: the configuration's, with addresses. */
static int apply(struct upstreams *upstreams, const struct conf_upstream *groups, unsigned count,
		 uint32_t version)
{
	int error = 0;

	upstreams->round++;
	if (!fits(upstreams, groups, count))
		return -ENOSPC;
	for (unsigned i = 0; i < count; i++)
		check_texts_keep(upstreams, &groups[i].health, &error);
	if (error)
		return error;
	for (unsigned i = 0; i < count; i++) {
		struct check_texts texts = check_texts_keep(upstreams, &groups[i].health, &error);

		group_take(upstreams, &groups[i], version, &texts);
	}
	groups_forget(upstreams);
	__atomic_fetch_add(&upstreams->view->changes, 1, __ATOMIC_RELEASE);
	__atomic_fetch_add(&upstreams->applied, 1, __ATOMIC_RELEASE);
	return 0;
}

int upstreams_apply(struct upstreams *upstreams, const struct conf *conf, uint32_t version)
{
	struct conf_upstream *groups = names_replace(upstreams, conf);
	int rc;

	if (!groups)
		return -ENOMEM;
	rc = apply(upstreams, groups, conf->upstreams_count, version);
	names_release(groups, conf->upstreams_count);
	return rc;
}
