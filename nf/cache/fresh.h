/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of RFC 9111 for a shared cache: what may be stored (§3), how long it is fresh
 * (§4.2.1, §4.2.2), how old it is (§4.2.3), and whether it may answer a request (§4).
 * Pure: it sees facts, not messages. Any thread.
 */
#ifndef NF_CACHE_FRESH_H
#define NF_CACHE_FRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "cc.h"

#define FRESH_ABSENT INT64_MIN

/* What the fields of a response say. Times are in seconds since 1970. */
struct fresh_response {
	uint16_t status;
	struct cc cc;
	bool targeted; /* cc is from a field for this kind of cache (RFC 9213): Expires says nothing
			*/
	int64_t received;      /* by the wall clock */
	int64_t date;          /* the Date field, or FRESH_ABSENT */
	int64_t expires;       /* FRESH_ABSENT; a wrong date is in the past: 0 */
	int64_t last_modified; /* or FRESH_ABSENT */
	int64_t age;           /* seconds; 0 without an Age field */
	bool has_etag;
	bool vary_never; /* Vary: "*" */
	bool sets_cookie;
	bool part; /* a 206 that says which part of what it is */
};

struct fresh_rules {
	unsigned heuristic_percent; /* of the time since Last-Modified */
	int64_t heuristic_max_s;
	int64_t negative_s;       /* for errors that say nothing of their lifetime */
	int64_t stale_if_error_s; /* for all that does not say another */
	bool store_set_cookie;    /* where its freshness is explicit */
};

enum fresh_store {
	FRESH_STORE = 0,
	FRESH_NOT_STATUS,   /* partial, or of a kind that needs explicit words */
	FRESH_NOT_ALLOWED,  /* no-store, private, a mistake in Cache-Control */
	FRESH_NOT_SHARED,   /* for a request with Authorization */
	FRESH_NOT_MATCHING, /* Vary: "*" */
	FRESH_NOT_COOKIE,
	FRESH_NOT_USEFUL, /* stale at once, and nothing to ask the origin about it with */
};

/* May the response to a GET be stored? `authorized`: the request had an Authorization field. */
enum fresh_store fresh_may_store(const struct fresh_response *r, const struct fresh_rules *rules,
				 bool authorized);

/* Does it say itself how long it is fresh? */
bool fresh_is_timed(const struct fresh_response *r);

/* Is a response of that status storable without explicit freshness (RFC 9110 §15.1)? */
bool fresh_is_heuristic_status(uint16_t status);

/* Seconds, 0 or more. */
int64_t fresh_lifetime_s(const struct fresh_response *r, const struct fresh_rules *rules);

/* What an object needs to remember. Times in µs of the monotonic clock. */
struct fresh_object {
	uint64_t response_us;
	int64_t initial_age_us;
	int64_t lifetime_s;
	int64_t stale_while_revalidate_s; /* 0: not */
	int64_t stale_if_error_s;         /* 0: not */
	bool never_stale;                 /* must-revalidate, proxy-revalidate, s-maxage */
	bool always_validate;             /* no-cache */
};

/* From the response; its request left at request_us and it came at response_us. */
void fresh_object_make(struct fresh_object *o, const struct fresh_response *r,
		       const struct fresh_rules *rules, uint64_t request_us, uint64_t response_us);

int64_t fresh_age_us(const struct fresh_object *o, uint64_t now_us);
/* Seconds that it is still fresh; negative: since when it is stale. */
int64_t fresh_ttl_s(const struct fresh_object *o, uint64_t now_us);

enum fresh_use {
	FRESH_USE,            /* as it is */
	FRESH_USE_STALE,      /* stale, but allowed */
	FRESH_ASK_FOR_CLIENT, /* the request does not want it unasked */
	FRESH_ASK_AS_STALE,
};

/* `fetching`: a newer one is being fetched right now, or will be by the next request, which is
 * what stale-while-revalidate waits for. */
enum fresh_use fresh_judge(const struct fresh_object *o, const struct cc *request, uint64_t now_us,
			   bool fetching);

/* The origin has failed: may it be used all the same (RFC 5861 §4)? `client_s`: what the request
 * allows, or CC_ABSENT. */
bool fresh_helps_on_error(const struct fresh_object *o, int64_t client_s, uint64_t now_us);

/* It is stale from now on. */
void fresh_expire(struct fresh_object *o, uint64_t now_us);

#endif
