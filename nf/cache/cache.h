/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The function cache: what its parts share. See README.md for what it does.
 *
 *	ask      reads a request        serve    decides: answer, wait, or fetch
 *	reply    reads a response       answer   makes answers from objects
 *	fresh    the rules              send     sends their bodies, as there is room
 *	store    entries, objects       fetch    an exchange with the origin
 *	renew    stored heads           take     its response, up to the store
 *	refresh  fetches of no client   again    what they ask
 *	note     Cache-Status           crowd    requests that wait for another's fetch
 *	purge    ends what is stored    tags     what purges by tag have ended
 *	command  words of sluicectl     prefixes what purges by prefix have ended
 *
 * Each exchange has a visit as its ctx: it says which of these has it. Everything runs on
 * the function's thread.
 */
#ifndef NF_CACHE_CACHE_H
#define NF_CACHE_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <sluice/nf.h>

#include "note.h"
#include "prefixes.h"
#include "settings.h"
#include "store.h"
#include "tags.h"

extern const struct sluice_nf_hooks cache_hooks;

enum visit_state {
	VISIT_NONE = 0,
	VISIT_FETCHING, /* fetch: its own */
	VISIT_WAITING,  /* fetch: the one that it waits for */
	VISIT_SENDING,  /* object: where its body comes from */
};

struct visit {
	struct sluice_exchange *x;
	enum visit_state state;
	struct fetch *fetch;
	enum note_why why;       /* it waits: what it would have gone to the origin for */
	TAILQ_ENTRY(visit) line; /* of all in the same state */
	TAILQ_ENTRY(visit) peer; /* of those that wait for the same fetch */
	uint64_t since_us;
	struct object *object;
	uint64_t next, end; /* bytes of its body: to be sent from here on, and not from there on */
	uint32_t piece, piece_off; /* where `next` is */
};
TAILQ_HEAD(visit_list, visit);

/* Targets that lately turned out to be uncacheable: nobody waits for them. What falls out is
 * learned anew. */
#define HINTS 4096
struct hint {
	uint64_t hash, until_us;
};

struct cache_counters {
#define COUNTER(name, help) uint64_t *name;
#include "counters.def"
#undef COUNTER
};

TAILQ_HEAD(fetch_list, fetch);

struct cache {
	struct sluice_nf *nf;
	struct settings set;
	struct store store;
	struct cache_counters count;
	uint64_t uncounted; /* where counters go that there was no room for */
	struct visit_list fetching;
	struct fetch_list refreshing; /* in the background */
	struct visit_list waiting;    /* oldest first */
	uint32_t waiters;
	struct visit_list sending;
	struct hint hint[HINTS];
	struct tags tags;
	struct prefixes prefixes;
};

static inline struct cache *cache_of(struct sluice_exchange *x)
{
	return (struct cache *)sluice_data(sluice_of(x));
}

static inline struct visit *visit_of(struct sluice_exchange *x)
{
	return (struct visit *)sluice_ctx(x);
}

static inline void cache_count(uint64_t *counter)
{
	(*counter)++;
}

#endif
