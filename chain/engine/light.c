/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Light functions: of one instance, with hooks for heads and nothing else. One that passes a head
 * and says nothing besides has no part in the exchange but that it was asked: its hop is not bound,
 * not closed, not even looked at, only a bit of the exchange says that it was so. Those in the
 * worker that follow each other are asked in one go; those in processes: light_ring.c.
 *
 * Who was asked about the request is asked about the response as long as it is there: when another
 * instance comes, or this one retires or goes, the exchanges that it has passed are bound to it
 * after all, and from then on nothing tells them from others.
 */
#include "chain/engine/path.h"

/* Who has one of these is to hear more of an exchange than its heads. */
#define HOOKS_BESIDES \
	(ENGINE_HOOK_REQUEST_BODY | ENGINE_HOOK_RESPONSE_BODY | ENGINE_HOOK_DONE | ENGINE_HOOK_SEEN)

/* --- which it is ----------------------------------------------------------------- */

/* Who has left has nothing more to do with it. */
static uint32_t stages_passed(const struct exchange *x)
{
	return x->light & ~x->out;
}

static void bind_passed(struct exchange *x, const struct function *function)
{
	if (x->with && x->with->function == function)
		light_settle(x);
	for (uint32_t left = stages_passed(x); left; left &= left - 1) {
		struct hop *hop = &x->hop[__builtin_ctz(left)];

		if (hop_function(hop) == function)
			hop_join(hop, function->light);
	}
}

static struct instance *light_one(const struct function *function)
{
	struct instance *only = LIST_FIRST(&function->instances);

	if (!only || LIST_NEXT(only, of_function) || only->hooks & HOOKS_BESIDES)
		return NULL;
	return hop_choose(function, 0);
}

void light_choose(struct function *function)
{
	struct instance *light = light_one(function);
	struct exchange *x;

	if (function->light == light)
		return;
	if (function->light)
		LIST_FOREACH (x, &function->engine->exchanges, link)
			bind_passed(x, function);
	function->light = light;
}

uint32_t light_passed(const struct instance *instance)
{
	const struct function *function = instance->function;
	const struct exchange *x;
	uint32_t n = 0;

	if (function->light != instance)
		return 0;
	LIST_FOREACH (x, &instance->engine->exchanges, link)
		for (uint32_t left = stages_passed(x); left; left &= left - 1)
			n += x->chain->path[__builtin_ctz(left)] == function;
	return n;
}

/* --- heads ----------------------------------------------------------------------- */

static inline uint32_t lowest(uint32_t stages)
{
	return (uint32_t)__builtin_ctz(stages);
}

static inline uint32_t highest(uint32_t stages)
{
	return 31u - (uint32_t)__builtin_clz(stages);
}

/* From x->stage on down to the next branch: what that leaves out is not known yet. */
static inline uint32_t stages_down(const struct exchange *x)
{
	const struct chain *chain = x->chain;
	uint32_t stages = UINT32_MAX << x->stage;

	if (x->branch < chain->branches)
		stages &= (1u << chain->branch[x->branch].begin) - 1;
	return stages;
}

/* Light ones from x->stage on, with nobody between who might want the head, too. */
static inline uint32_t row_of(const struct exchange *x, enum direction d)
{
	uint32_t stages = d == REQUEST ? stages_down(x) : (2u << x->stage) - 1;
	uint32_t row = stages & lights(x, d), others = stages & x->chain->heads[d] & ~row;

	if (!others)
		return row;
	return row & (d == REQUEST ? (1u << lowest(others)) - 1 : UINT32_MAX << highest(others));
}

/* What each of a row is asked, and what the last one said. */
struct asking {
	struct sluice_shown head;
	struct engine_answer answer;
	uint64_t now_us;
	uint32_t leases; /* who has fewer has room for those that an answer may bring */
	uint32_t left;   /* stages that took their leave */
};

/* As engine_show. */
static inline int show(struct asking *asking, struct instance *instance)
{
	int verdict;

	if (direct_is_behind(instance) || instance->holder.leases >= asking->leases)
		return ENGINE_NOT_SHOWN;
	verdict =
		instance->show(instance->event_ctx, asking->now_us, &asking->head, &asking->answer);
	instance->exchanges += verdict != ENGINE_NOT_SHOWN;
	return verdict;
}

/* Of these some have `left`. */
static inline void passed(struct exchange *x, uint32_t stages, uint32_t left)
{
	unsigned n = (unsigned)__builtin_popcount(stages);

	x->light |= stages;
	x->out |= left;
	x->left |= left;
	x->unsteady = true;
	engine_count_add(x->engine, descriptors_down, n);
	engine_count_add(x->engine, descriptors_up, n);
	exchange_progress(x);
}

/* It says more, or nothing yet: from here on it is a function like any other. */
static inline enum offer told(struct exchange *x, enum direction d,
			      const struct engine_answer *answer)
{
	struct hop *hop = &x->hop[x->stage];

	if (d == REQUEST)
		x->reached = (uint8_t)x->stage;
	engine_count(x->engine, descriptors_down);
	hop_join(hop, x->chain->light[x->stage]);
	return direct_told(hop, d, answer);
}

static inline __attribute__((always_inline)) enum offer walk(struct exchange *x, enum direction d)
{
	struct instance *const *light = x->chain->light;
	const uint32_t all = row_of(x, d);
	uint32_t row = all, stage;
	struct asking asking;
	int verdict;

	asking.head = direct_shown(x, d);
	asking.answer.text = x->engine->edits;
	asking.answer.given = false;
	asking.now_us = x->engine->timers.now_us;
	asking.leases = ledger_leases_below(x->engine->ledger, SLUICE_UP_SLICES);
	asking.left = 0;
	do {
		stage = d == REQUEST ? lowest(row) : highest(row);
		verdict = show(&asking, light[stage]);
		if (verdict < 0)
			break;
		if (verdict == SLUICE_LEAVE)
			asking.left |= 1u << stage;
		row ^= 1u << stage;
	} while (row);
	if (row != all)
		passed(x, all ^ row, asking.left);
	if (!row)
		stage = d == REQUEST ? stage + 1 : stage - 1;
	x->stage = (int8_t)stage;
	if (verdict == ENGINE_TOLD)
		return told(x, d, &asking.answer);
	return row == all ? OFFER_SKIP : OFFER_MOVED;
}

enum offer light_walk_down(struct exchange *x)
{
	return walk(x, REQUEST);
}

enum offer light_walk_up(struct exchange *x)
{
	return walk(x, RESPONSE);
}
