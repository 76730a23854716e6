/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fetch: a request that went on to the origin, from its head to the last byte of the
 * response, or one that nobody waits for (refresh.h). What may be stored is copied on its way and
 * enters the store when it is whole.
 *
 * One fetch of a target may lead: requests for the same target wait for it (see crowd.h).
 */
#ifndef NF_CACHE_FETCH_H
#define NF_CACHE_FETCH_H

#include "ask.h"
#include "cache.h"
#include "fields.h"

struct fetch {
	struct cache *cache;
	struct visit *visit;    /* NULL: it is in the background */
	struct sluice_ask *ask; /* of one in the background, until it is over */
	TAILQ_ENTRY(fetch) refreshes;
	struct entry *entry;    /* it is a user of that */
	struct fields *request; /* its fields, for Vary and for an answer; NULL: not needed */
	struct object *old; /* what is stored for this request and was not used; NULL: nothing */
	struct object *filling; /* being made from the response; NULL: nothing is */
	uint64_t expected;      /* bytes of the body, or SLUICE_LENGTH_UNKNOWN */
	uint64_t request_us;
	uint32_t invalidations; /* of the entry when it began */
	struct purges purges;   /* until it began */
	enum note_why why;
	enum ask_kind kind;
	bool head, authorized, conditional, range;
	bool may_store;           /* as far as the request goes */
	bool validating;          /* the origin was asked whether `old` is still good */
	int64_t stale_if_error_s; /* what the request allows; CC_ABSENT */
	bool plain;               /* neither a part nor somebody's own was asked for */
	bool leads;
	unsigned failures; /* leaders before it that came to nothing */
	struct visit_list waiters;
};

/* The request goes on. `old`: what is stored for it, or NULL. */
enum sluice_verdict fetch_begin(struct cache *cache, struct sluice_exchange *x,
				const struct ask *ask, struct object *old, enum note_why why);

/* Begins one of that target, of no client's yet. NULL: no memory. */
struct fetch *fetch_open(struct cache *cache, struct sluice_str key);

/* It is over, and nobody waits for it any more. */
void fetch_free(struct cache *cache, struct fetch *f);
/* Gives up what was being made of its response. */
void fetch_drop_filling(struct cache *cache, struct fetch *f);

/* In response_head and response_body of an exchange that fetches (take.c). */
enum sluice_verdict fetch_response(struct cache *cache, struct sluice_exchange *x);
void fetch_body(struct cache *cache, struct visit *visit, const struct sluice_span *spans,
		unsigned n, bool end);

/* It ends before the response was whole. */
void fetch_abort(struct cache *cache, struct fetch *f);

/* The pieces that a response is taken by, for one in the background too. */

/* Is there anything to ask about it with? */
bool fetch_can_validate(const struct object *old);
/* What its head makes, to be filled; NULL: it is not to be stored, which `counter` counts. */
struct object *fetch_object(struct cache *cache, const struct sluice_exchange *x, struct fetch *f,
			    const struct fields_list *all, uint64_t **counter);
/* A piece of its body. What does not fit ends the filling. */
void fetch_fill(struct cache *cache, struct fetch *f, const struct sluice_span *spans, unsigned n);
/* Its body has ended: into the store with it, if it is whole, and the fetch is over. */
void fetch_end(struct cache *cache, struct fetch *f);

/* At the end of the instance: frees them all, and says nothing to anybody. */
void fetch_forget_all(struct cache *cache);

/* A fetch's request, for Vary. */
struct vary_request fetch_vary(const struct fetch *fetch);

#endif
