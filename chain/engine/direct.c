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

bool direct_head(struct hop *hop, enum direction d, struct engine_answer *answer)
{
	struct exchange *x = hop->exchange;
	struct engine *engine = x->engine;
	struct instance *instance = hop->instance;
	const struct message *message = &x->message[d];
	const struct engine_head head = {.head = message->head,
					 .asked = hop_asked_ref(x, d),
					 .exchange = x->index,
					 .generation = x->generation,
					 .response = d == RESPONSE,
					 .end = !body_announced(&message->framing)};

	answer->given = answer->plain = false;
	answer->text = engine->edits;
	if (!may_call(instance) ||
	    !instance->show(instance->event_ctx, engine->timers.now_us, &head, answer))
		return false;
	engine_count(engine, descriptors_down);
	return true;
}

/* It is this hop's, which was just asked: nothing has to be found. */
static void plain_answered(struct hop *hop, uint8_t verdict)
{
	engine_count(hop->exchange->engine, descriptors_up);
	hop->exchange->unsteady = true;
	verdict_plain(hop, verdict);
}

enum offer direct_answered(struct hop *hop, const struct engine_answer *answer)
{
	struct exchange *x = hop->exchange;
	struct engine *engine = x->engine;
	uint32_t generation = x->generation;

	engine->in_place = x;
	if (answer->plain)
		plain_answered(hop, answer->up.verdict);
	else
		verdict_take(hop->instance, &answer->up);
	engine->in_place = NULL;
	if (answer->plain)
		return OFFER_MOVED;
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
