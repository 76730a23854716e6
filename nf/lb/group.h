/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A group of servers as this function last saw it in the shared table: the usable ones for
 * the choices by weight and load, all of them for the ring. Taken anew when the table says
 * that something has changed, which costs one comparison for each exchange.
 */
#ifndef NF_LB_GROUP_H
#define NF_LB_GROUP_H

#include <stdint.h>

#include <sluice/abi.h>

#include "choose.h"
#include "maglev.h"
#include "ring.h"

#define GROUP_NO_SERVER (-1)

/* A balance of this function's own, beside those that groups name. */
#define GROUP_MAGLEV (SLUICE_BALANCE_HASH + 1)

struct group {
	uint32_t changes, version; /* of the table and of the group when this was taken */
	int forced;                /* a balance instead of the group's own; -1: its own */
	int balance;               /* enum sluice_balance, or GROUP_MAGLEV */
	struct choose_set usable;
	uint64_t *up; /* one bit for each server of the group */
	struct ring ring;
	struct maglev maglev;
};

/* NULL: no memory. `forced`: an enum sluice_balance for it, GROUP_MAGLEV, or -1 for what the table
 * says. */
struct group *group_new(int forced);
void group_free(struct group *group);

/* Looks whether group `number` has changed and takes it anew. 1: it was taken anew, 0: it was not,
 * -errno: it cannot be used now. */
int group_refresh(struct group *group, const struct sluice_upstreams *table, uint16_t number);

/* A server's place in the group, for sluice_pick; GROUP_NO_SERVER when none is up. `hash`: the key,
 * for the ring. */
int group_pick(struct group *group, uint64_t hash, uint64_t now_us, uint64_t *random);

#endif
