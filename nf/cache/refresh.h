/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stale-while-revalidate (RFC 5861 §3): while a stale object is served, the origin is asked about
 * it in the background, by a fetch of no client. What it answers is stored by the same rules; if it
 * fails, the next client's request asks.
 */
#ifndef NF_CACHE_REFRESH_H
#define NF_CACHE_REFRESH_H

#include <stdbool.h>

#include "cache.h"

struct fetch;

/* Begins one for that object, or finds it under way. False: it cannot be asked for without a
 * client, or not now. */
bool refresh_begin(struct cache *cache, struct object *object);

/* Such a fetch is over, or given up. */
void refresh_leave(struct cache *cache, struct fetch *f);

#endif
