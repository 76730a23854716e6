/* SPDX-License-Identifier: BSD-3-Clause */
/* Stored responses that the origin has spoken about without sending them again. */
#ifndef NF_CACHE_RENEW_H
#define NF_CACHE_RENEW_H

#include "cache.h"

struct fetch;
struct fields_list;
struct fresh_response;

/* The 304 to our own condition: what was asked about is fresh again. */
void renew_confirm(struct cache *cache, const struct fetch *fetch, const struct fields_list *news);

/* What the 304 to the client's own condition, or the answer to its HEAD, tells about fetch->old: it
 * is fresh again, or it is not what the origin would send any more. */
void renew_learn(struct cache *cache, const struct fetch *fetch, uint16_t status,
		 const struct fields_list *news);

/* When a response that came now is fresh, and since when it is as it is. */
void renew_times(struct cache *cache, struct object *object, const struct fresh_response *facts,
		 uint64_t request_us);

#endif
