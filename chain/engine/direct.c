/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Functions in the worker itself, called in place: a head is shown and its verdict taken at once,
 * with the checks that every verdict gets, and without a ring between. What such a function says
 * besides, or later, comes by its ring.
 *
 * Only while nothing is on its way in either ring: so everything is heard in the order in which
 * it was said, in both directions.
 */
#include "chain/engine/internal.h"

/* As before a batch from the ring: an answer may bring slices, and each needs a lease. */
static bool may_call(const struct instance *instance)
{
	return instance->event && !instance->dirty && TAILQ_EMPTY(&instance->waiting) &&
	       ledger_lease_room(&instance->holder) >= SLUICE_UP_SLICES;
}

bool direct_show(struct instance *instance, const struct sluice_down *down,
		 struct engine_answer *answer)
{
	struct engine *engine = instance->engine;

	if (!may_call(instance) ||
	    !instance->event(instance->event_ctx, engine->timers.now_us, down, answer))
		return false;
	engine_count(engine, descriptors_down);
	return true;
}

enum offer direct_answered(struct hop *hop, const struct engine_answer *answer)
{
	struct exchange *x = hop->exchange;
	struct engine *engine = x->engine;
	uint32_t generation = x->generation;

	engine->in_place = x;
	verdict_take(hop->instance, &answer->up);
	engine->in_place = NULL;
	if (!exchange_alive(x) || x->generation != generation)
		return OFFER_FAIL;
	if (hop->awaits) { /* it spoke of another one */
		hop_holds(hop);
		return OFFER_WAIT;
	}
	if (x->phase != PHASE_REQUEST && x->phase != PHASE_RESPONSE)
		return OFFER_WAIT;
	return OFFER_MOVED;
}
