/* SPDX-License-Identifier: BSD-3-Clause */
#include "group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

#define LOAD(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)

/* What the manager may be writing is read between two looks at the group's version. */
#define READ_ATTEMPTS 4

struct placement {
	uint32_t changes, version, first, servers, balance;
};

struct group *group_new(int forced, unsigned load_percent, const struct sticky *sticky)
{
	struct group *group = calloc(1, sizeof(*group));

	if (!group)
		return NULL;
	group->forced = forced;
	group->load_percent = load_percent;
	group->sticky = sticky;
	return group;
}

void group_free(struct group *group)
{
	if (!group)
		return;
	ring_clear(&group->ring);
	maglev_clear(&group->maglev);
	free(group->usable.member);
	free(group->member_of);
	free(group->id);
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

/* What slow start leaves of the weight. */
static uint32_t share_of(const struct sluice_server *server)
{
	uint32_t warm = LOAD(server->warm);

	return weight_of(server) * (warm < 1 || warm > SLUICE_WARM ? SLUICE_WARM : warm);
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
		.weight = (uint16_t)share_of(server),
		.credit = credit_before(&group->usable, number),
		.seen = server,
	};
}

static int take_usable(struct group *group, const struct sluice_upstreams *table,
		       const struct placement *at)
{
	struct choose_member *members = calloc(at->servers + 1, sizeof(*members));
	uint16_t *member_of = calloc(at->servers + 1, sizeof(*member_of));
	unsigned n = 0;

	if (!members || !member_of) {
		free(members);
		free(member_of);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < at->servers; i++) {
		const struct sluice_server *server = &table->server[at->first + i];

		member_of[i] = GROUP_NO_MEMBER;
		if (LOAD(server->state) != SLUICE_SERVER_UP)
			continue;
		member_of[i] = (uint16_t)n;
		take_member(group, &members[n++], server, (uint16_t)i);
	}
	free(group->usable.member);
	free(group->member_of);
	group->member_of = member_of;
	group->places = at->servers;
	group->usable = (struct choose_set){.member = members, .count = n};
	choose_prepare(&group->usable);
	return 0;
}

static int take_ids(struct group *group, const struct sluice_upstreams *table,
		    const struct placement *at)
{
	uint64_t *id = group->sticky ? calloc(at->servers + 1, sizeof(*id)) : NULL;

	if (group->sticky && !id)
		return -ENOMEM;
	for (uint32_t i = 0; id && i < at->servers; i++)
		id[i] = sticky_id(group->sticky, &table->server[at->first + i].addr);
	free(group->id);
	group->id = id;
	return 0;
}

int group_find(const struct group *group, const struct sluice_upstreams *table, uint16_t number,
	       uint64_t id)
{
	for (uint32_t i = 0; i < group->places; i++) {
		const struct sluice_server *server =
			&table->server[(LOAD(table->group[number].first) + i) % SLUICE_SERVERS_MAX];
		uint32_t state = LOAD(server->state);

		if (group->id[i] == id &&
		    (state == SLUICE_SERVER_UP || state == SLUICE_SERVER_KEEP))
			return (int)i;
	}
	return GROUP_NO_SERVER;
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

bool group_is_up(const struct group *group, uint16_t place)
{
	return place < group->places && group->member_of[place] != GROUP_NO_MEMBER;
}

bool group_hashes(const struct group *group)
{
	return group->balance == SLUICE_BALANCE_HASH || group->balance == SLUICE_BALANCE_MAGLEV ||
	       group->balance == SLUICE_BALANCE_SOURCE;
}

static int table_build(struct group *group, struct ring_server *servers, uint32_t count)
{
	if (group->balance != SLUICE_BALANCE_MAGLEV)
		return ring_build(&group->ring, servers, count);
	for (uint32_t i = 0; i < count; i++)
		if (!group_is_up(group, (uint16_t)i))
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
	return group->member_of && group->changes == LOAD(table->changes) &&
	       group->version == LOAD(table->group[number].version);
}

static bool has_table(const struct group *group)
{
	return group->balance == SLUICE_BALANCE_HASH || group->balance == SLUICE_BALANCE_MAGLEV;
}

/* A balance this version does not know is taken as the default one. */
static int balance_of(const struct group *group, uint32_t balance)
{
	if (group->forced >= 0)
		return group->forced;
	return balance < SLUICE_BALANCES ? (int)balance : SLUICE_BALANCE_P2C;
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
	if (rc == 0)
		rc = take_ids(group, table, &at);
	if (rc == 0 && has_table(group))
		rc = take_table(group, table, &at);
	if (rc)
		return rc;
	group->changes = at.changes;
	group->version = at.version;
	return 1;
}

/* --- by a key -------------------------------------------------------------------- */

/* A look for a server that is up and, if loads are bounded, has room. */
struct look {
	const struct group *group;
	uint64_t now_us, total; /* of bounded loads: all in flight, with the one to be placed */
	bool bounded;
};

static bool has_room(const void *ctx, uint32_t owner)
{
	const struct look *look = ctx;
	const struct group *group = look->group;

	if (!group_is_up(group, (uint16_t)owner))
		return false;
	return !look->bounded || !choose_is_full(&group->usable, group->member_of[owner],
						 group->load_percent, look->total, look->now_us);
}

static int pick_by_ring(const struct look *look, uint64_t hash)
{
	int64_t owner = ring_find(&look->group->ring, hash, has_room, look);

	return owner < 0 ? GROUP_NO_SERVER : (int)owner;
}

/* A key whose server is full goes to those that other hashes of it name. */
static int pick_by_maglev(const struct look *look, uint64_t hash)
{
	unsigned tries = 4 * look->group->usable.count + 16;

	for (unsigned i = 0; i < tries; i++, hash = random_mix(hash + i)) {
		uint16_t server = maglev_find(&look->group->maglev, hash);

		if (server != MAGLEV_NONE && has_room(look, server))
			return server;
	}
	return GROUP_NO_SERVER;
}

static int pick_from_table(const struct look *look, uint64_t hash)
{
	return look->group->balance == SLUICE_BALANCE_HASH ? pick_by_ring(look, hash)
							   : pick_by_maglev(look, hash);
}

static int pick_by_key(struct group *group, uint64_t hash, uint64_t now_us)
{
	struct look look = {.group = group, .now_us = now_us, .bounded = group->load_percent};
	int server;

	if (look.bounded)
		look.total = choose_in_flight(&group->usable, now_us) + 1;
	server = pick_from_table(&look, hash);
	look.bounded = false; /* loads change while we look: all of them may have seemed full */
	if (server == GROUP_NO_SERVER)
		server = pick_from_table(&look, hash);
	if (server != GROUP_NO_SERVER && group->load_percent)
		choose_note(&group->usable, group->member_of[server], now_us);
	return server;
}

/* --- all of them ----------------------------------------------------------------- */

static unsigned choose(struct group *group, uint64_t hash, uint64_t now_us, uint64_t *random)
{
	struct choose_set *set = &group->usable;

	switch (group->balance) {
	case SLUICE_BALANCE_ROUND_ROBIN:
		return choose_round_robin(set);
	case SLUICE_BALANCE_LEAST:
		return choose_least(set, now_us, random);
	case SLUICE_BALANCE_EWMA:
		return choose_ewma(set, now_us, random);
	case SLUICE_BALANCE_SOURCE:
		return choose_share(set, hash);
	default:
		return choose_p2c(set, now_us, random);
	}
}

int group_pick(struct group *group, uint64_t hash, uint64_t now_us, uint64_t *random)
{
	if (!group->usable.count)
		return GROUP_NO_SERVER;
	if (has_table(group))
		return pick_by_key(group, hash, now_us);
	return group->usable.member[choose(group, hash, now_us, random)].server;
}
