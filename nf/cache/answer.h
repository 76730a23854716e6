/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers made from what is stored. Each gives the verdict for the exchange, which is at its
 * request head. */
#ifndef NF_CACHE_ANSWER_H
#define NF_CACHE_ANSWER_H

#include "ask.h"
#include "cache.h"

/* The object, or as much of it as the request's conditions and range leave: 200, 206, 304, 416. */
enum sluice_verdict answer_object(struct cache *cache, struct sluice_exchange *x,
				  const struct ask *ask, struct object *object, struct note *note);

/* An answer without a body. `note` may be NULL. */
enum sluice_verdict answer_status(struct cache *cache, struct sluice_exchange *x, uint16_t status,
				  const struct note *note);

/* Adds the Cache-Status to the head of this exchange. */
void answer_note(struct cache *cache, struct sluice_exchange *x, const struct note *note);

#endif
