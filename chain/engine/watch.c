/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Watchers: functions that only look. Nothing is asked of them, so nothing waits for them: when an
 * exchange is over each is shown all of it at once, one in the worker by a call, a process by one
 * descriptor. Its consumption gives the exchange back (`graves`).
 *
 * A watcher sees heads as they passed its place in the path. They are changed in one place, so the
 * first change behind a watcher's back copies the head; most chains change none.
 *
 * One that is slow, stopped or gone misses exchanges, which is counted; it delays nobody: its ring
 * bounds what it holds, and all together may keep an eighth of the exchanges.
 */
#include "chain/engine/exchange.h"
#include "chain/engine/instance.h"
#include "chain/engine/path.h"

#define KEPT_PART 8

/* --- heads as they passed -------------------------------------------------------- */

/* Stages that the head passed on its way to this one. */
static uint32_t stages_passed(enum direction d, uint8_t stage)
{
	return d == REQUEST ? (1u << stage) - 1 : ~((2u << stage) - 1);
}

/* The number of a copy; 0: there is no place for one. */
static uint8_t copy_make(struct exchange *x, enum direction d)
{
	struct sluice_head *copy = NULL;

	if (x->copies < WATCH_COPIES)
		copy = slots_copy_head(&x->engine->slots, x->message[d].head);
	if (!copy) {
		engine_count(x->engine, exchanges_seen_changed);
		return 0;
	}
	x->copy[x->copies] = copy;
	return ++x->copies;
}

void watch_change(struct exchange *x, enum direction d, uint8_t stage)
{
	uint32_t stages = x->chain->watchers & stages_passed(d, stage);
	uint8_t number = 0;

	for (; stages; stages &= stages - 1) {
		unsigned i = (unsigned)__builtin_ctz(stages);

		if (x->passed[d][i] || (x->outdone >> i & 1) || i > x->reached)
			continue;
		if (!number)
			number = copy_make(x, d);
		if (!number)
			return;
		x->passed[d][i] = number;
	}
}

void watch_free(struct exchange *x)
{
	while (x->copies)
		slots_free(&x->engine->slots, x->copy[--x->copies]);
	if (!x->kept)
		return;
	x->kept = false;
	x->engine->kept--;
}

/* --- showing --------------------------------------------------------------------- */

static void unseen(struct function *function, struct instance *instance)
{
	engine_count(function->engine, exchanges_unseen);
	if (instance)
		instance->unseen++;
	else
		function->unseen++;
}

static void seen(struct instance *instance)
{
	engine_count(instance->engine, exchanges_seen);
	instance->seen++;
}

void watch_seen(struct hop *hop)
{
	if (hop->watches)
		seen(hop->instance);
	hop->watches = false;
}

void watch_lost(struct hop *hop)
{
	if (hop->watches)
		unseen(hop_function(hop), hop->instance);
	hop->watches = false;
}

/* While something is in its rings all that it is shown goes there. */
static bool show_in_place(struct instance *instance, const struct engine_sight *sight)
{
	return instance->see && !instance->dirty &&
	       instance->see(instance->event_ctx, instance->engine->timers.now_us, sight);
}

/* Watchers may keep it. */
static bool keep(struct exchange *x)
{
	struct engine *engine = x->engine;

	if (x->kept)
		return true;
	if (engine->kept > engine->env.max_exchanges / KEPT_PART)
		return false;
	engine->kept++;
	x->kept = true;
	return true;
}

static uint32_t head_arg(const struct exchange *x, const struct sluice_head *head)
{
	return head ? slots_arg(&x->engine->slots, head) : SLUICE_HEAD_NONE;
}

/* False: it did not keep up. */
static bool show_by_ring(struct hop *hop, struct instance *instance,
			 const struct engine_sight *sight)
{
	const struct exchange *x = hop->exchange;
	struct sluice_down *down = NULL;

	if (TAILQ_EMPTY(&instance->waiting) && keep(hop->exchange))
		down = link_next(instance->link);
	if (!down)
		return false;
	*down = (struct sluice_down){.response = head_arg(x, sight->response),
				     .asked = head_arg(x, sight->asked),
				     .kind = SLUICE_DOWN_SEEN,
				     .arg = head_arg(x, sight->request),
				     .end = sight->end};
	if (!hop->instance)
		hop_join(hop, instance);
	hop->mark = instance_written(instance);
	hop->watches = true;
	return true;
}

/* The request came to it, and it did not take its leave. */
static bool is_concerned(const struct hop *hop)
{
	const struct exchange *x = hop->exchange;

	return !hop_is_out(hop) && (x->refused || hop->stage <= x->reached);
}

/* The heads as they are now, unless it had seen them pass before they were changed. */
static void heads_passed(const struct hop *hop, const struct message *message,
			 const struct sluice_head *response, struct engine_sight *sight)
{
	const struct exchange *x = hop->exchange;
	uint8_t request = x->passed[REQUEST][hop->stage], other = x->passed[RESPONSE][hop->stage];

	sight->request = request ? x->copy[request - 1] : message->head;
	sight->response = other && response ? x->copy[other - 1] : response;
	if (x->outdone & hop_bit(hop))
		sight->response = NULL;
}

static void show(struct hop *hop, uint64_t key, const struct engine_sight *sight)
{
	struct function *function = hop_function(hop);
	struct instance *instance = hop->instance ? hop->instance : hop_choose(function, key);

	if (!instance || instance->broken)
		unseen(function, NULL);
	else if (show_in_place(instance, sight))
		seen(instance);
	else if (!show_by_ring(hop, instance, sight))
		unseen(function, instance);
}

/* What the client was sent by somebody else than the engine. */
static const struct sluice_head *response_of(const struct exchange *x)
{
	return x->answered && !x->own_answer ? x->message[RESPONSE].head : NULL;
}

void watch_over(struct exchange *x, uint64_t key)
{
	uint32_t stages = x->chain->watchers;
	const struct sluice_head *response;
	struct engine_sight sight;

	if (!stages)
		return;
	response = response_of(x);
	sight.asked = x->origin.sent ? x->message[REQUEST].head : NULL;
	ending_tell(x, &sight.end);
	for (; stages; stages &= stages - 1) {
		struct hop *hop = &x->hop[__builtin_ctz(stages)];

		if (!is_concerned(hop))
			continue;
		heads_passed(hop, &x->message[REQUEST], response, &sight);
		show(hop, key, &sight);
	}
}
