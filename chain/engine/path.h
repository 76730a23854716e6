/* SPDX-License-Identifier: BSD-3-Clause */
/* A head's way through the functions of its path, and what they say of it. */
#ifndef CHAIN_ENGINE_PATH_H
#define CHAIN_ENGINE_PATH_H

#include <string.h>

#include "chain/engine/body.h"
#include "chain/engine/exchange.h"
#include "chain/engine/model.h"

/* --- branch.c -------------------------------------------------------------------- */
int branches_make(struct chain *chain, const struct conf_branch *from, unsigned count);
void branches_free(struct chain *chain);
/* Decides those that the request has come to. */
void branches_take(struct exchange *x);

/* --- hooks.c --------------------------------------------------------------------- */
/* Finds out what the functions of a chain want; of all chains, when the instances of one of them
 * are others. */
void hooks_chain(struct chain *chain);
void hooks_changed(struct function *function);

/* --- hop.c ----------------------------------------------------------------------- */
/* Moves the head as far as it can go; ends in origin_begin or respond_begin. One that is answered
 * on its way down goes up in the next round of tasks, after all others have gone down: the code of
 * one way stays in a CPU's cache of instructions, that of both does not. */
void hop_walk(struct exchange *x);
/* The same for one that has just been passed: given to the next function at once, if there is
 * nothing else to be done for its exchange. False: that has to be run. */
bool hop_step(struct exchange *x);
enum offer {
	OFFER_SKIP,
	OFFER_WAIT,
	OFFER_FAIL,
	OFFER_MOVED, /* it was answered in place: the head goes on */
};
/* It is bound to no instance, and none is up. */
enum offer hop_unserved(struct hop *hop);
/* In line: its exchange is under suspicion, and another one is with the instance. */
bool hop_must_stand_alone(struct hop *hop);
enum offer hop_head_send(struct hop *hop, enum direction d, uint8_t kind, uint8_t flags);
static inline uint32_t hop_bit(const struct hop *hop)
{
	return 1u << hop->stage;
}
static inline bool hop_is_out(const struct hop *hop)
{
	return hop->exchange->out & hop_bit(hop);
}
/* Left out: by a branch, or because its instance is gone. */
static inline void hop_skip(struct hop *hop)
{
	hop->exchange->out |= hop_bit(hop);
}
/* By its own word. */
static inline void hop_leave(struct hop *hop)
{
	hop_skip(hop);
	hop->exchange->left |= hop_bit(hop);
}
/* From now on it has to answer for that head. */
static inline void hop_asks(struct hop *hop, enum direction d)
{
	hop->awaits = d == REQUEST ? AWAITS_REQUEST_HEAD : AWAITS_RESPONSE_HEAD;
	exchange_progress(hop->exchange);
}
/* Down or up: of a head that is on its way. */
static inline enum direction head_way(const struct exchange *x)
{
	return x->phase == PHASE_REQUEST ? REQUEST : RESPONSE;
}
/* Who is at x->stage has passed the head, which goes on to the next one. */
static inline void hop_passed(struct exchange *x, enum direction d, uint8_t verdict)
{
	if (verdict == SLUICE_LEAVE)
		hop_leave(&x->hop[x->stage]);
	x->stage = (int8_t)(x->stage + (d == REQUEST ? 1 : -1));
	exchange_progress(x);
}
/* With an origin's answer comes what it was asked: where its head lies; 0: no origin answered. */
uint64_t hop_asked_ref(const struct exchange *x, enum direction d);
/* Descriptors, written where they stay. */
static inline void hop_fill(struct sluice_down *down, const struct exchange *x, uint8_t kind,
			    uint8_t flags)
{
	memset(down, 0, sizeof(*down));
	down->exchange = x->index;
	down->generation = x->generation;
	down->kind = kind;
	down->flags = flags;
}
static inline void hop_head_fill(struct sluice_down *down, const struct exchange *x,
				 enum direction d, uint8_t kind, uint8_t flags)
{
	hop_fill(down, x, kind, flags);
	down->arg = slots_arg(&x->engine->slots, x->message[d].head);
	down->slice[0].ref = hop_asked_ref(x, d);
}
static inline uint8_t hop_head_kind(enum direction d)
{
	return d == REQUEST ? SLUICE_DOWN_REQUEST_HEAD : SLUICE_DOWN_RESPONSE_HEAD;
}
static inline uint8_t hop_head_flags(const struct exchange *x, enum direction d)
{
	return body_announced(&x->message[d].framing) ? 0 : SLUICE_DOWN_END;
}
/* The next entry of the instance's ring; NULL: the hop is in line for room. */
struct sluice_down *hop_entry(struct hop *hop, uint8_t kind, uint8_t flags);
bool hop_bind(struct hop *hop);
/* The instance for a client of that key; NULL: none is up. */
struct instance *hop_choose(const struct function *function, uint64_t key);
/* It stays with this instance. */
void hop_join(struct hop *hop, struct instance *instance);
void hop_unbind(struct hop *hop);
void hop_holds(struct hop *hop);
/* The same where it is known: it was given a head, by the ring; */
static inline void hop_holds_head(struct hop *hop)
{
	hop->instance->held += !hop->holds;
	hop->holds = true;
}
/* it has answered for it. Who held nothing until now (its answer came in place) holds nothing from
 * now on. */
static inline void hop_answered(struct hop *hop)
{
	hop->awaits = AWAITS_NOTHING;
	if (hop->instance->suspect == hop || !TAILQ_EMPTY(&hop->pieces)) {
		hop_holds(hop);
		return;
	}
	hop->instance->held -= hop->holds;
	hop->holds = false;
}
void hop_enqueue(struct hop *hop, struct hop_queue *queue);
void hop_dequeue(struct hop *hop);
/* The exchange is over: tells the instance, and waits for it if it must. */
void hop_close(struct hop *hop);
void hop_close_next(struct hop *hop); /* there is room in the ring */
void hop_closed(struct hop *hop);     /* the instance has read on, or is gone */
static inline struct function *hop_function(const struct hop *hop)
{
	return hop->exchange->chain->path[hop->stage];
}

/* Who was asked about it, bound or light; NULL: nobody was, or it is gone. */
static inline struct instance *hop_instance(const struct hop *hop)
{
	if (hop->exchange->light & hop_bit(hop))
		return hop_function(hop)->light;
	return hop->instance;
}

/* It has a part in this exchange, and one of these hooks (or nobody knows yet). */
static inline bool hop_wants(const struct hop *hop, uint32_t hooks)
{
	const struct instance *instance;
	const struct function *function;

	if (hop_is_out(hop))
		return false;
	instance = hop_instance(hop);
	if (instance)
		return instance->hooks & hooks;
	function = hop_function(hop);
	return !function->known || (function->hooks & hooks);
}

/* --- light.c --------------------------------------------------------------------- */
/* Finds out whether the function is light, with the instances that it has now. */
void light_choose(struct function *function);
/* Exchanges that it has passed and that are not bound to it. */
uint32_t light_passed(const struct instance *instance);
/* Those that are to be asked so, a bit for each. */
static inline uint32_t lights(const struct exchange *x, enum direction d)
{
	return x->suspected ? 0 : x->chain->lights[d] & ~(x->touched | x->out);
}
static inline bool light_is_next(const struct exchange *x, enum direction d)
{
	return lights(x, d) >> x->stage & 1;
}
/* That at x->stage is to be asked by its ring, as a light function. */
static inline bool light_is_by_ring(const struct exchange *x, enum direction d)
{
	return !x->suspected && (x->chain->by_ring[d] & ~(x->touched | x->out)) >> x->stage & 1;
}
/* Asks it, and those in a row with it, until one does not just pass the head. SKIP: that at
 * x->stage is to be asked as any other. */
enum offer light_walk_down(struct exchange *x);
enum offer light_walk_up(struct exchange *x);

/* --- light_ring.c ---------------------------------------------------------------- */
/* Asks it. SKIP: it has no room now, and is to be asked as any other. */
enum offer light_ask(struct exchange *x, enum direction d);
/* It is bound to who has its head: for all that is not as usual. */
void light_settle(struct exchange *x);
/* Takes an answer that speaks of `x`, passes its head, which the instance has so, and says nothing
 * else. False: it is none of these, and for verdict_take. */
bool light_passes(struct exchange *x, struct instance *instance, const struct sluice_up *up);

/* --- direct.c -------------------------------------------------------------------- */
/* Calls the function with it, if it is in the worker and nothing is in its rings. False: it is to
 * go by the ring. `answer`: as of engine_event. */
bool direct_show(struct instance *instance, const struct sluice_down *down,
		 struct engine_answer *answer);
/* The same with the head of a request or response, and takes what it said at once. SKIP: it is to
 * go by the ring; FAIL: the exchange has ended. */
enum offer direct_head(struct hop *hop, enum direction d);
/* Something is on its way to the function, or waits for room: a call would overtake it. */
static inline bool direct_is_behind(const struct instance *instance)
{
	return instance->dirty || !TAILQ_EMPTY(&instance->waiting);
}
/* What it is shown of it. */
static inline struct sluice_shown direct_shown(const struct exchange *x, enum direction d)
{
	const struct message *message = &x->message[d];

	return (struct sluice_shown){.head = message->head,
				     .asked = d == REQUEST ? 0 : hop_asked_ref(x, d),
				     .exchange = x->index,
				     .generation = x->generation,
				     .response = d == RESPONSE,
				     .end = !body_announced(&message->framing)};
}
/* Takes what it said at once, if it did; it has only now been bound, or asked. */
enum offer direct_told(struct hop *hop, enum direction d, const struct engine_answer *answer);

/* --- watch.c --------------------------------------------------------------------- */
/* The function of `stage` changes a head: watchers that it has passed see it as it was. */
void watch_change(struct exchange *x, enum direction d, uint8_t stage);
/* The exchange is over; its client had this key. */
void watch_over(struct exchange *x, uint64_t key);
void watch_free(struct exchange *x);
/* The watcher has read on past it; its process is gone. */
void watch_seen(struct hop *hop);
void watch_lost(struct hop *hop);

/* --- verdict.c ------------------------------------------------------------------- */
void verdict_take(struct instance *instance, const struct sluice_up *up);

#endif
