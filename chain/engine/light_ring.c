/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Light functions in processes of their own: asked by their rings, and no hop is bound for that.
 * The exchange itself knows with whom its head is, and where; a verdict that passes the head and
 * says nothing else needs no more than that, and the head goes to the next function at once.
 *
 * Whatever else happens to the exchange meanwhile, and whatever else the function says, first binds
 * the hop, as if it had been all the time: light_settle.
 */
#include "chain/engine/exchange.h"
#include "chain/engine/instance.h"
#include "chain/engine/path.h"
#include "chain/engine/verdict.h"

enum offer light_ask(struct exchange *x, enum direction d)
{
	struct instance *instance = x->chain->light[x->stage];
	struct sluice_down *down = NULL;

	if (TAILQ_EMPTY(&instance->waiting))
		down = link_next(instance->link);
	if (!down)
		return OFFER_SKIP;
	hop_head_fill(down, x, d, hop_head_kind(d), hop_head_flags(x, d));
	instance->exchanges++;
	instance->held++;
	x->with = instance;
	x->with_mark = instance_written(instance);
	x->with_stage = (uint8_t)x->stage;
	x->light |= 1u << x->stage;
	exchange_progress(x);
	return OFFER_WAIT;
}

void light_settle(struct exchange *x)
{
	struct hop *hop = &x->hop[x->with_stage];

	hop_join(hop, x->with);
	hop->saw = true;
	hop->awaits = x->phase == PHASE_REQUEST ? AWAITS_REQUEST_HEAD : AWAITS_RESPONSE_HEAD;
	hop->mark = x->with_mark;
	hop->holds = true; /* counted already */
	x->with = NULL;
}

bool light_passes(struct exchange *x, struct instance *instance, const struct sluice_up *up)
{
	if (x->with != instance || x->generation != up->generation ||
	    up->kind != SLUICE_UP_VERDICT || up->steady_ms || !verdict_is_plain(up))
		return false;
	engine_count(x->engine, descriptors_up);
	instance->held--;
	x->with = NULL;
	x->unsteady = true;
	hop_passed(x, head_way(x), up->verdict);
	if (!hop_step(x))
		exchange_ready(x);
	return true;
}
