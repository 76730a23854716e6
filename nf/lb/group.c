/* SPDX-License-Identifier: BSD-3-Clause */
#include "group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOAD(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)

/* What the manager may be writing is read between two looks at the group's version. */
#define READ_ATTEMPTS 4

struct placement {
	uint32_t changes, version, first, servers, balance;
};

struct group *group_new(int forced)
{
	struct group *group = calloc(1, sizeof(*group));

	if (group)
		group->forced = forced;
	return group;
}

void group_free(struct group *group)
{
	if (!group)
		return;
	ring_clear(&group->ring);
	maglev_clear(&group->maglev);
	free(group->usable.member);
	free(group->up);
	free(group);
}

static bool read_placement(const struct sluice_upstreams *table, uint16_t number,
			   struct placement *out)
{
	const struct sluice_group *g = &table->group[number];

	for (unsigned i = 0; i < READ_ATTEMPTS; i++) {
		out->changes = __atomic_load_n(&table->changes, __ATOMIC_ACQUIRE);
		out->version = __atomic_load_n(&g->version, __ATOMIC_ACQUIRE);
		out->first = LOAD(g->first);
		out->servers = LOAD(g->servers);
		out->balance = LOAD(g->balance);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (LOAD(g->version) == out->version)
			return out->first <= SLUICE_SERVERS_MAX &&
			       out->servers <= SLUICE_SERVERS_MAX - out->first;
	}
	return false;
}

static uint32_t weight_of(const struct sluice_server *server)
{
	uint32_t weight = LOAD(server->weight);

	return weight < 1 ? 1 : weight > 256 ? 256 : weight;
}

/* What round robin owes a server outlives a change elsewhere in the group. */
static int64_t credit_before(const struct choose_set *set, uint16_t server)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->member[i].server == server)
			return set->member[i].credit;
	return 0;
}

static void take_member(struct group *group, struct choose_member *member,
			const struct sluice_server *server, uint16_t number)
{
	*member = (struct choose_member){
		.server = number,
		.weight = (uint16_t)weight_of(server),
		.credit = credit_before(&group->usable, number),
		.active = &server->active,
	};
}

static int take_usable(struct group *group, const struct sluice_upstreams *table,
		       const struct placement *at)
{
	struct choose_member *members = calloc(at->servers + 1, sizeof(*members));
	uint64_t *up = calloc(at->servers / 64 + 1, sizeof(*up));
	unsigned n = 0;

	if (!members || !up) {
		free(members);
		free(up);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < at->servers; i++) {
		const struct sluice_server *server = &table->server[at->first + i];

		if (LOAD(server->state) != SLUICE_SERVER_UP)
			continue;
		up[i / 64] |= UINT64_C(1) << i % 64;
		take_member(group, &members[n++], server, (uint16_t)i);
	}
	free(group->usable.member);
	free(group->up);
	group->up = up;
	group->usable = (struct choose_set){.member = members, .count = n};
	choose_prepare(&group->usable);
	return 0;
}

static uint64_t identity_of(const struct sluice_server *server)
{
	uint8_t bytes[19];

	bytes[0] = server->addr.family;
	bytes[1] = (uint8_t)(server->addr.port >> 8);
	bytes[2] = (uint8_t)server->addr.port;
	memcpy(bytes + 3, server->addr.bytes, 16);
	return ring_hash(bytes, sizeof(bytes));
}

static bool is_up(const void *ctx, uint32_t owner)
{
	const struct group *group = ctx;

	return group->up[owner / 64] >> owner % 64 & 1;
}

static int table_build(struct group *group, struct ring_server *servers, uint32_t count)
{
	if (group->balance != GROUP_MAGLEV)
		return ring_build(&group->ring, servers, count);
	for (uint32_t i = 0; i < count; i++)
		if (!is_up(group, i))
			servers[i].weight = 0;
	return maglev_build(&group->maglev, servers, count);
}

/* The ring, or the places. */
static int take_table(struct group *group, const struct sluice_upstreams *table,
		      const struct placement *at)
{
	struct ring_server *servers = calloc(at->servers + 1, sizeof(*servers));
	int rc;

	if (!servers)
		return -ENOMEM;
	for (uint32_t i = 0; i < at->servers; i++) {
		servers[i].identity = identity_of(&table->server[at->first + i]);
		servers[i].weight = weight_of(&table->server[at->first + i]);
	}
	rc = table_build(group, servers, at->servers);
	free(servers);
	return rc < 0 ? rc : 0;
}

static bool is_current(const struct group *group, const struct sluice_upstreams *table,
		       uint16_t number)
{
	return group->up && group->changes == LOAD(table->changes) &&
	       group->version == LOAD(table->group[number].version);
}

/* A balance this version does not know is taken as the default one. */
static int balance_of(const struct group *group, uint32_t balance)
{
	if (group->forced >= 0)
		return group->forced;
	return balance <= SLUICE_BALANCE_HASH ? (int)balance : SLUICE_BALANCE_P2C;
}

int group_refresh(struct group *group, const struct sluice_upstreams *table, uint16_t number)
{
	struct placement at;
	int rc;

	if (is_current(group, table, number))
		return 0;
	if (!read_placement(table, number, &at))
		return -EAGAIN;
	group->balance = balance_of(group, at.balance);
	rc = take_usable(group, table, &at);
	if (rc == 0 && group->balance >= SLUICE_BALANCE_HASH)
		rc = take_table(group, table, &at);
	if (rc)
		return rc;
	group->changes = at.changes;
	group->version = at.version;
	return 1;
}

static int pick_by_maglev(const struct group *group, uint64_t hash)
{
	uint16_t server = maglev_find(&group->maglev, hash);

	return server == MAGLEV_NONE ? GROUP_NO_SERVER : server;
}

static int pick_by_ring(const struct group *group, uint64_t hash)
{
	int64_t owner = ring_find(&group->ring, hash, is_up, group);

	return owner < 0 ? GROUP_NO_SERVER : (int)owner;
}

int group_pick(struct group *group, uint64_t hash, uint64_t now_us, uint64_t *random)
{
	struct choose_set *set = &group->usable;

	if (!set->count)
		return GROUP_NO_SERVER;
	switch (group->balance) {
	case SLUICE_BALANCE_ROUND_ROBIN:
		return set->member[choose_round_robin(set)].server;
	case SLUICE_BALANCE_LEAST:
		return set->member[choose_least(set, now_us, random)].server;
	case SLUICE_BALANCE_HASH:
		return pick_by_ring(group, hash);
	case GROUP_MAGLEV:
		return pick_by_maglev(group, hash);
	default:
		break;
	}
	return set->member[choose_p2c(set, now_us, random)].server;
}
