/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Heads from function to function: a request's down the path, a response's back up.
 *
 * A hop is a function's place in the path of one exchange. It is bound to one instance when
 * the function is first needed and stays with it. A hop that finds the ring full waits in
 * the instance's line; nothing else waits for it.
 */
#include <string.h>

#include "chain/engine/answer.h"
#include "chain/engine/body.h"
#include "chain/engine/exchange.h"
#include "chain/engine/instance.h"
#include "chain/engine/origin.h"
#include "chain/engine/path.h"
#include "mgmt/conf/conf.h"

/* --- lists ----------------------------------------------------------------------- */

void hop_enqueue(struct hop *hop, struct hop_queue *queue)
{
	if (hop->queued)
		return;
	TAILQ_INSERT_TAIL(queue, hop, queue);
	hop->queued = queue;
	hop->exchange->touched |= hop_bit(hop);
}

void hop_dequeue(struct hop *hop)
{
	if (hop->queued)
		TAILQ_REMOVE(hop->queued, hop, queue);
	hop->queued = NULL;
}

/* One that stood alone with its instance has been answered, or is gone: the next one may. */
static void suspect_over(struct hop *hop)
{
	struct instance *instance = hop->instance;
	struct hop *next;

	instance->suspect = NULL;
	next = TAILQ_FIRST(&instance->suspects);
	if (!next)
		return;
	hop_dequeue(next);
	exchange_ready(next->exchange);
}

/* Follows awaits and pieces into the count of what the instance holds. */
void hop_holds(struct hop *hop)
{
	bool holds = hop->awaits || !TAILQ_EMPTY(&hop->pieces);
	struct instance *instance = hop->instance;

	if (!instance)
		return;
	if (instance->suspect == hop && !hop->awaits)
		suspect_over(hop);
	instance->held += (uint32_t)holds - (uint32_t)hop->holds;
	hop->holds = holds;
}

/* --- instances ------------------------------------------------------------------- */

static uint64_t mix(uint64_t value)
{
	value ^= value >> 33;
	value *= UINT64_C(0xff51afd7ed558ccd);
	value ^= value >> 33;
	value *= UINT64_C(0xc4ceb9fe1a85ec53);
	return value ^ value >> 33;
}

static bool is_open(const struct instance *instance)
{
	return !instance->broken && !instance->retired;
}

/* Rendezvous hashing: a client's connections keep to their place among the instances, whoever has
 * it, and only those move whose place comes or goes. */
static struct instance *choose(const struct function *function, uint64_t key)
{
	struct instance *instance, *best = NULL;
	uint64_t most = 0;

	LIST_FOREACH (instance, &function->instances, of_function) {
		uint64_t score = mix(key ^ mix(instance->index + UINT64_C(0x9e3779b97f4a7c15)));

		if (!is_open(instance) || (best && score < most))
			continue;
		best = instance;
		most = score;
	}
	return best;
}

struct instance *hop_choose(const struct function *function, uint64_t key)
{
	struct instance *only = LIST_FIRST(&function->instances);

	if (only && LIST_NEXT(only, of_function))
		return choose(function, key);
	return only && is_open(only) ? only : NULL;
}

void hop_join(struct hop *hop, struct instance *instance)
{
	hop->instance = instance;
	hop->saw = false;
	hop->exchange->touched |= hop_bit(hop);
	hop->exchange->light &= ~hop_bit(hop);
	instance->bound++;
}

static void part(struct hop *hop)
{
	hop->instance->bound--;
	hop->instance = NULL;
}

bool hop_bind(struct hop *hop)
{
	struct instance *instance = hop_choose(hop_function(hop), hop->exchange->client->key);

	if (instance)
		hop_join(hop, instance);
	return instance;
}

void hop_unbind(struct hop *hop)
{
	hop_dequeue(hop);
	if (!hop->instance)
		return;
	hop->awaits = AWAITS_NOTHING;
	stage_pieces_free(hop);
	hop_holds(hop);
	part(hop);
}

/* The next entry of the instance's ring, to be written whole; NULL: the hop is in line for room. */
static struct sluice_down *entry_take(struct hop *hop)
{
	struct instance *instance = hop->instance;
	struct sluice_down *down = NULL;

	if (hop->turn || TAILQ_EMPTY(&instance->waiting))
		down = link_next(instance->link);
	if (!down) {
		engine_count(instance->engine, rings_full);
		hop_enqueue(hop, &instance->waiting);
		return NULL;
	}
	hop->mark = instance_written(instance);
	hop->saw = true;
	return down;
}

struct sluice_down *hop_entry(struct hop *hop, uint8_t kind, uint8_t flags)
{
	struct sluice_down *down = entry_take(hop);

	if (down)
		hop_fill(down, hop->exchange, kind, flags);
	return down;
}

/* By the ring; false: in line for room there. */
static bool hop_send(struct hop *hop, const struct sluice_down *down)
{
	struct sluice_down *entry = entry_take(hop);

	if (entry)
		*entry = *down;
	return entry;
}

/* --- heads ----------------------------------------------------------------------- */

enum offer hop_unserved(struct hop *hop)
{
	struct function *function = hop_function(hop);
	struct engine *engine = function->engine;

	hop->exchange->unsteady = true;
	switch ((enum conf_on_failure)function->on_failure) {
	case CONF_FAIL_BYPASS:
		engine_count(engine, hops_bypassed);
		hop_skip(hop);
		return OFFER_SKIP;
	case CONF_FAIL_RETRY:
		engine_count(engine, hops_orphaned);
		hop_enqueue(hop, &function->orphans);
		return OFFER_WAIT;
	case CONF_FAIL_REJECT:
		break;
	}
	engine_count(engine, hops_rejected);
	ending_why(hop->exchange, SLUICE_ENDING_FUNCTION_FAILED);
	exchange_fail(hop->exchange, 503);
	return OFFER_FAIL;
}

/* An exchange under suspicion of having killed an instance is given alone. */
bool hop_must_stand_alone(struct hop *hop)
{
	struct instance *instance = hop->instance;

	if (!hop->exchange->suspected)
		return false;
	if (instance->suspect && instance->suspect != hop) {
		hop_enqueue(hop, &instance->suspects);
		return true;
	}
	instance->suspect = hop;
	return false;
}

uint64_t hop_asked_ref(const struct exchange *x, enum direction d)
{
	if (d == REQUEST || x->message[d].head->group == SLUICE_NONE16)
		return 0;
	return slots_ref(&x->engine->slots, x->message[REQUEST].head);
}

enum offer hop_head_send(struct hop *hop, enum direction d, uint8_t kind, uint8_t flags)
{
	const struct exchange *x = hop->exchange;
	struct sluice_down *down = entry_take(hop);

	if (!down)
		return OFFER_WAIT;
	hop_head_fill(down, x, d, kind, flags);
	hop->turn = false;
	hop->instance->exchanges++;
	hop_asks(hop, d);
	hop_holds_head(hop);
	return OFFER_WAIT;
}

static enum offer head_send(struct hop *hop, enum direction d)
{
	if (hop->instance->show) {
		enum offer offer = direct_head(hop, d);

		if (offer != OFFER_SKIP)
			return offer;
	}
	return hop_head_send(hop, d, hop_head_kind(d), hop_head_flags(hop->exchange, d));
}

static __attribute__((noinline)) enum offer head_offer(struct hop *hop, enum direction d)
{
	uint32_t hook = d == REQUEST ? ENGINE_HOOK_REQUEST_HEAD : ENGINE_HOOK_RESPONSE_HEAD;

	if (hop->awaits || hop->queued)
		return OFFER_WAIT;
	if (!hop_wants(hop, hook))
		return OFFER_SKIP;
	if (!hop->instance && !hop_bind(hop))
		return hop_unserved(hop);
	return hop_must_stand_alone(hop) ? OFFER_WAIT : head_send(hop, d);
}

/* The same, short where it can be (light_ring.c). */
static inline enum offer stage_offer(struct exchange *x, enum direction d)
{
	enum offer offer = light_is_by_ring(x, d) ? light_ask(x, d) : OFFER_SKIP;

	return offer == OFFER_SKIP ? head_offer(&x->hop[x->stage], d) : offer;
}

/* To the next function that may want the head, or past the last one: false. Nobody between changes
 * it, so branches that begin there are decided as they would have been on the way. */
static inline bool next_down(struct exchange *x)
{
	const struct chain *chain = x->chain;
	uint32_t left = chain->heads[REQUEST] >> x->stage;
	int stage = left ? x->stage + __builtin_ctz(left) : chain->path_length;

	x->stage = (int8_t)stage;
	x->reached = (uint8_t)stage;
	if (x->branch < chain->branches)
		branches_take(x);
	return left;
}

static enum offer walk_down(struct exchange *x)
{
	enum offer offer = OFFER_SKIP;

	for (; next_down(x); x->stage++) {
		if (light_is_next(x, REQUEST))
			offer = light_walk_down(x);
		if (offer == OFFER_SKIP)
			offer = stage_offer(x, REQUEST);
		if (offer != OFFER_SKIP)
			return offer;
	}
	origin_begin(x);
	return OFFER_WAIT;
}

static inline bool next_up(struct exchange *x)
{
	uint32_t below = x->stage < 0 ? 0 : (2u << x->stage) - 1;
	uint32_t left = x->chain->heads[RESPONSE] & below;

	x->stage = (int8_t)(left ? 31 - __builtin_clz(left) : -1);
	return left;
}

static enum offer walk_up(struct exchange *x)
{
	enum offer offer = OFFER_SKIP;

	for (; next_up(x); x->stage--) {
		if (light_is_next(x, RESPONSE))
			offer = light_walk_up(x);
		if (offer == OFFER_SKIP)
			offer = stage_offer(x, RESPONSE);
		if (offer != OFFER_SKIP)
			return offer;
	}
	if (x->failing)
		instead_end(x);
	else
		respond_begin(x);
	return OFFER_WAIT;
}

bool hop_step(struct exchange *x)
{
	enum direction d = head_way(x);
	enum offer offer;

	if (x->task.queued || bodies_go_on(x) || !(d == REQUEST ? next_down(x) : next_up(x)) ||
	    light_is_next(x, d))
		return false;
	offer = stage_offer(x, d);
	return offer == OFFER_WAIT || offer == OFFER_FAIL;
}

void hop_walk(struct exchange *x)
{
	uint8_t phase = x->phase;

	while (!x->with && x->phase == phase &&
	       (phase == PHASE_REQUEST ? walk_down(x) : walk_up(x)) == OFFER_MOVED)
		continue;
	if (phase == PHASE_REQUEST && x->phase == PHASE_RESPONSE && exchange_alive(x)) {
		x->turned = true;
		exchange_ready(x);
	}
}

/* --- the end --------------------------------------------------------------------- */

static void hop_over(struct hop *hop)
{
	hop_unbind(hop);
	if (!hop->closing)
		return;
	hop->closing = false;
	exchange_hop_over(hop->exchange);
}

/* False: in line. */
static bool end_send(struct hop *hop, uint8_t flags)
{
	const struct exchange *x = hop->exchange;
	struct sluice_down down;

	hop_fill(&down, x, x->refused ? SLUICE_DOWN_REFUSED : SLUICE_DOWN_DONE, flags);
	ending_tell(x, &down.end);
	if (x->refused)
		down.arg = slots_arg(&x->engine->slots, x->message[REQUEST].head);
	if (direct_show(hop->instance, &down, NULL)) {
		hop->saw = true;
		return true;
	}
	return hop_send(hop, &down);
}

void hop_close_next(struct hop *hop)
{
	const struct exchange *x = hop->exchange;
	uint8_t flags = x->failed || (x->outdone & hop_bit(hop)) ? SLUICE_DOWN_RESET : 0;
	bool refused = x->refused;

	if (hop->done_due && !end_send(hop, flags))
		return;
	hop->done_due = false;
	/* it looks at pieces, or at heads, until it has read on */
	if (hop->holds || refused || hop->watches)
		hop_enqueue(hop, &hop->instance->graves);
	else
		hop_over(hop);
}

static bool is_to_hear(const struct hop *hop)
{
	const struct exchange *x = hop->exchange;

	if (x->refused)
		return hop->instance->hooks & ENGINE_HOOK_REFUSED;
	return hop->saw && !(x->left & hop_bit(hop)) && (hop->instance->hooks & ENGINE_HOOK_DONE);
}

/* Neither side has anything of the exchange, and nothing is to be said of its end. */
static bool is_quiet(const struct hop *hop)
{
	return !hop->done_due && !hop->holds && !hop->watches && hop->instance->suspect != hop &&
	       !hop->exchange->refused;
}

void hop_close(struct hop *hop)
{
	struct instance *instance = hop->instance;

	hop_dequeue(hop);
	if (hop->pipe[REQUEST].in.first || hop->pipe[RESPONSE].in.first)
		stage_queues_free(hop);
	if (!instance || instance->broken) {
		hop_unbind(hop);
		return;
	}
	hop->done_due = is_to_hear(hop);
	if (is_quiet(hop)) {
		part(hop);
		return;
	}
	hop->closing = true;
	hop->exchange->open_hops++;
	hop_close_next(hop);
}

/* Its instance has read on past all that it was shown, or is gone. */
void hop_closed(struct hop *hop)
{
	hop_over(hop);
}
