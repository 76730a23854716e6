/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A group of servers as this function last saw it in the shared table: the usable ones for
 * the choices by weight and load, all of them for the ring. Taken anew when the table says
 * that something has changed, which costs one comparison for each exchange.
 */
#ifndef NF_LB_GROUP_H
#define NF_LB_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "choose.h"
#include "maglev.h"
#include "ring.h"
#include "sticky.h"

#define GROUP_NO_SERVER (-1)

struct group {
	uint32_t changes, version; /* of the table and of the group when this was taken */
	int forced;                /* a balance instead of the group's own; -1: its own */
	int balance;               /* enum sluice_balance */
	unsigned load_percent;     /* of the hashes: most of its fair share; 0: any load */
	struct choose_set usable;
	uint32_t places;
	uint16_t *member_of; /* by a server's place: its index in `usable`; GROUP_NO_MEMBER */
	const struct sticky *sticky; /* NULL: no cookies */
	uint64_t *id;                /* by place: what its cookie says */
	struct ring ring;
	struct maglev maglev;
};

#define GROUP_NO_MEMBER UINT16_MAX

/* NULL: no memory. `forced`: an enum sluice_balance for it, or -1 for what the table says. */
struct group *group_new(int forced, unsigned load_percent, const struct sticky *sticky);
void group_free(struct group *group);

/* Looks whether group `number` has changed and takes it anew. 1: it was taken anew, 0: it was not,
 * -errno: it cannot be used now. */
int group_refresh(struct group *group, const struct sluice_upstreams *table, uint16_t number);

/* Its balance looks at a key. */
bool group_hashes(const struct group *group);

/* The server at that place is up. */
bool group_is_up(const struct group *group, uint16_t place);

/* The place of the server with that id, if it takes clients that belong to it; GROUP_NO_SERVER. */
int group_find(const struct group *group, const struct sluice_upstreams *table, uint16_t number,
	       uint64_t id);

/* A server's place in the group, for sluice_pick; GROUP_NO_SERVER when none is up. `hash`: the key,
 * where the group hashes. */
int group_pick(struct group *group, uint64_t hash, uint64_t now_us, uint64_t *random);

#endif
