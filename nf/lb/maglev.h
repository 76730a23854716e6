/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Maglev hashing (Eisenbud et al., NSDI 2016, §3.4): a table of places, each of them a server's,
 * shared out by letting each server in turn take the next place of its own permutation. A key is
 * looked up in one step; servers have their share almost exactly; a server that comes or goes
 * moves its own keys and few others.
 *
 * The table follows from the servers' addresses and weights alone, so every instance has the same
 * one. It is built of servers that are up: others have no place.
 */
#ifndef NF_LB_MAGLEV_H
#define NF_LB_MAGLEV_H

#include <stdint.h>

#include "ring.h"

#define MAGLEV_PLACES 65537 /* a prime, so that every step of a permutation meets all of them */
#define MAGLEV_NONE   UINT16_MAX

struct maglev {
	uint16_t *place; /* the index of a server for each of MAGLEV_PLACES; NULL: not built */
};

/* Servers of weight 0 get no place. 0, or -ENOMEM: as it was. */
int maglev_build(struct maglev *maglev, const struct ring_server *servers, uint32_t count);
void maglev_clear(struct maglev *maglev);

/* MAGLEV_NONE: there is no server. */
uint16_t maglev_find(const struct maglev *maglev, uint64_t hash);

#endif
