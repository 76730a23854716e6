/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Purges: by target, or by tags; soft ones only make stale. By the method PURGE, from where
 * it is allowed:
 *
 *	PURGE /page			that target, all its variants
 *	PURGE / + Cache-Tag: a, b	all responses that have one of the tags (Surrogate-Key too)
 *	… + Soft-Purge: 1		they are stale from now on
 */
#ifndef NF_CACHE_PURGE_H
#define NF_CACHE_PURGE_H

#include "ask.h"
#include "cache.h"

enum sluice_verdict purge_request(struct cache *cache, struct sluice_exchange *x,
				  const struct ask *ask);

/* What purges by tag have made of it: false when it is not to be used any more, and is gone. */
bool purge_spared(struct cache *cache, struct object *object);

#endif
