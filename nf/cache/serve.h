/* SPDX-License-Identifier: BSD-3-Clause */
/* A request that the cache may answer: from the store, after a wait, or not at all. */
#ifndef NF_CACHE_SERVE_H
#define NF_CACHE_SERVE_H

#include "ask.h"
#include "cache.h"

/* The verdict for its request head. `waited`: it was held until now, and is not to wait again. */
enum sluice_verdict serve_request(struct cache *cache, struct sluice_exchange *x,
				  const struct ask *ask, bool waited);

/* The same for an exchange that was held, which goes on with that verdict. */
void serve_resume(struct cache *cache, struct visit *visit);

#endif
