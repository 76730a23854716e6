/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies of answers, sent from where they are stored, as fast as the ring and the client take them.
 */
#ifndef NF_CACHE_SEND_H
#define NF_CACHE_SEND_H

#include "cache.h"

/* Sends the bytes from `first` up to (without) `end` of the object: what goes now, the rest later.
 */
void send_start(struct cache *cache, struct visit *visit, struct object *object, uint64_t first,
		uint64_t end);
void send_stop(struct cache *cache, struct visit *visit);
/* Goes on with all that wait for room. */
void send_all(struct cache *cache);
/* At the end of the instance: lets go of what they send. */
void send_forget_all(struct cache *cache);

#endif
