/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fetch: a request that went on to the origin, from its head to the last byte of the
 * response. What may be stored is copied on its way and enters the store when it is whole.
 *
 * One fetch of a target may lead: requests for the same target wait for it (see crowd.h).
 */
#ifndef NF_CACHE_FETCH_H
#define NF_CACHE_FETCH_H

#include "ask.h"
#include "cache.h"

struct fetch {
	struct visit *visit;
	struct entry *entry;    /* it is a user of that */
	struct fields *request; /* its fields, for Vary and for an answer; NULL: not needed */
	struct object *old; /* what is stored for this request and was not used; NULL: nothing */
	struct object *filling; /* being made from the response; NULL: nothing is */
	uint64_t expected;      /* bytes of the body, or SLUICE_LENGTH_UNKNOWN */
	uint64_t request_us;
	uint32_t invalidations; /* of the entry when it began */
	uint64_t purges;        /* by tag, when it began */
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

/* It is over, and nobody waits for it any more. */
void fetch_free(struct cache *cache, struct fetch *f);
/* Gives up what was being made of its response. */
void fetch_drop_filling(struct cache *cache, struct fetch *f);

/* In response_head and response_body of an exchange that fetches (take.c). */
enum sluice_verdict fetch_response(struct cache *cache, struct sluice_exchange *x);
void fetch_body(struct cache *cache, struct visit *visit, const struct sluice_span *spans,
		unsigned n, bool end);

/* Its exchange has ended before the response was whole. */
void fetch_abort(struct cache *cache, struct visit *visit);

/* At the end of the instance: frees them all, and says nothing to anybody. */
void fetch_forget_all(struct cache *cache);

/* A fetch's request, for Vary. */
struct vary_request fetch_vary(const struct fetch *fetch);

#endif
