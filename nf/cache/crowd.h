/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests for the same target that come while it is being fetched: they are held, and
 * answered from the store when the leading fetch has filled it. If that comes to nothing
 * they go on to the origin; if the leader's client goes away the first of them leads on.
 * They are bounded in number and in time.
 */
#ifndef NF_CACHE_CROWD_H
#define NF_CACHE_CROWD_H

#include "ask.h"
#include "cache.h"

struct fetch;

/* May a fetch for this request be one that others wait for? */
bool crowd_may_lead(const struct cache *cache, const struct ask *ask, uint64_t hash,
		    enum note_why why);

/* May one of no client? */
bool crowd_may_form(const struct cache *cache, const struct entry *entry);

/* Has it wait for the entry's leader: true, and the verdict is SLUICE_HOLD. */
bool crowd_join(struct cache *cache, struct sluice_exchange *x, const struct ask *ask,
		struct entry *entry, enum note_why why);
/* A waiting exchange has ended. */
void crowd_leave(struct cache *cache, struct visit *visit);

/* The leader leads no more; all that wait for it are served anew. */
void crowd_disband(struct cache *cache, struct fetch *leader);
/* The same, but the first that has to fetch leads the others. */
void crowd_pass_on(struct cache *cache, struct fetch *leader);
/* The response's secondary key is known: those that it does not fit are served anew. */
void crowd_part(struct cache *cache, struct fetch *leader);
/* Those that have waited too long go on by themselves. */
void crowd_expire(struct cache *cache);

/* Nobody waits for that target for a while. */
void crowd_discourage(struct cache *cache, uint64_t hash);

#endif
