/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers made from what is stored. Each gives the verdict for the exchange, which is at its
 * request head, or at the head of a response that it is answered instead of. */
#ifndef NF_CACHE_ANSWER_H
#define NF_CACHE_ANSWER_H

#include "ask.h"
#include "cache.h"

/* What of a request counts when an object answers it. */
struct answer_to {
	bool head, conditional, range;
	bool plain; /* it has no directives for caches */
	struct vary_request fields;
};

/* The object, or as much of it as the request's conditions and range leave: 200, 206, 304, 416. */
enum sluice_verdict answer_object(struct cache *cache, struct sluice_exchange *x,
				  const struct answer_to *to, struct object *object,
				  struct note *note);

/* Does the object have what the request's Range asks for? One that holds a part only answers
 * requests for what is in it. */
bool answer_is_covered(struct cache *cache, const struct answer_to *to,
		       const struct object *object);

/* An answer without a body. `note` may be NULL. */
enum sluice_verdict answer_status(struct cache *cache, struct sluice_exchange *x, uint16_t status,
				  const struct note *note);

/* Answers that were called steady were given so often besides: the hook `repeated`. */
void answer_repeated(struct sluice_nf *nf, uint32_t tag, uint64_t times);

/* Adds the Cache-Status to the head of this exchange. */
void answer_note(struct cache *cache, struct sluice_exchange *x, const struct note *note);

#endif
