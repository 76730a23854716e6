/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Functions in the worker itself, called in place: a head is shown and its verdict taken at once,
 * with the checks that every verdict gets, and without a ring between. What such a function says
 * besides, or later, comes by its ring.
 *
 * Only while nothing is on its way in either ring: so everything is heard in the order in which
 * it was said, in both directions.
 */
#include "chain/engine/path.h"

/* As before a batch from the ring: an answer may bring slices, and each needs a lease. */
static bool may_call(const struct instance *instance)
{
	return instance->event && !direct_is_behind(instance) &&
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

/* As engine_show. */
static int head_show(struct hop *hop, enum direction d, struct engine_answer *answer)
{
	struct engine *engine = hop->exchange->engine;
	const struct instance *instance = hop->instance;
	const struct sluice_shown head = direct_shown(hop->exchange, d);
	int verdict = ENGINE_NOT_SHOWN;

	answer->given = false;
	answer->text = engine->edits;
	if (may_call(instance))
		verdict = instance->show(instance->event_ctx, engine->timers.now_us, &head, answer);
	engine_count_add(engine, descriptors_down, verdict != ENGINE_NOT_SHOWN);
	return verdict;
}

/* It passes the head, or leaves, and says nothing else: so there is nothing to be checked. It is
 * this hop's, which was just asked: nothing has to be found. */
static enum offer passed(struct hop *hop, enum direction d, uint8_t verdict)
{
	struct exchange *x = hop->exchange;

	engine_count(x->engine, descriptors_up);
	hop->saw = true;
	x->unsteady = true;
	hop_passed(x, d, verdict);
	if (hop->instance->suspect == hop)
		hop_holds(hop);
	return OFFER_MOVED;
}

/* Takes what it said at once. FAIL: the exchange has ended. */
static inline enum offer answered(struct hop *hop, const struct engine_answer *answer)
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

enum offer direct_told(struct hop *hop, enum direction d, const struct engine_answer *answer)
{
	hop->saw = true;
	hop_asks(hop, d);
	if (answer->given)
		return answered(hop, answer);
	hop_holds(hop);
	return OFFER_WAIT;
}

enum offer direct_head(struct hop *hop, enum direction d)
{
	struct engine_answer answer;
	int verdict = head_show(hop, d, &answer);

	if (verdict == ENGINE_NOT_SHOWN)
		return OFFER_SKIP;
	hop->turn = false;
	hop->instance->exchanges++;
	if (verdict != ENGINE_TOLD)
		return passed(hop, d, (uint8_t)verdict);
	return direct_told(hop, d, &answer);
}
