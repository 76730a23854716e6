/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Purges: by target, by tags, or by prefix; soft ones only make stale. By sluicectl (command.h),
 * or by the method PURGE, from where it is allowed:
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

/* All variants of a target. False: nothing is stored for it. */
bool purge_target(struct cache *cache, struct sluice_str key, bool soft);
/* The tags of the text; how many they are. */
unsigned purge_tags(struct cache *cache, struct sluice_str tags, bool soft);
/* All keys that begin so. False: it is too long. */
bool purge_prefix(struct cache *cache, struct sluice_str prefix, bool soft);

/* Those that there were until now. */
struct purges purge_now(const struct cache *cache);
/* What purges by tag or prefix have made of it: false when it is not to be used any more, and is
 * gone. */
bool purge_spared(struct cache *cache, struct object *object);

#endif
