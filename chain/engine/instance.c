/* SPDX-License-Identifier: BSD-3-Clause */
/* Instances of functions: their rings, in both directions. */
#include <errno.h>
#include <stdlib.h>

#include "chain/engine/answer.h"
#include "chain/engine/ask.h"
#include "chain/engine/core.h"
#include "chain/engine/exchange.h"
#include "chain/engine/instance.h"
#include "chain/engine/path.h"

#define BATCH   32 /* answers taken at once */
#define BATCHES 8  /* in one turn: then others come first */
#define AHEAD   4  /* what an answer needs is sent for so long before it is taken */

static struct instance *instance_find(const struct engine *engine, uint32_t id)
{
	struct instance *instance;

	LIST_FOREACH (instance, &engine->instances, of_engine)
		if (instance->id == id)
			return instance;
	return NULL;
}

/* --- coming and going ------------------------------------------------------------ */

/* Hops that wait for an instance of this function to come up. */
static void orphans_wake(struct function *function)
{
	struct hop *hop;

	while ((hop = TAILQ_FIRST(&function->orphans))) {
		hop_dequeue(hop);
		exchange_ready(hop->exchange);
	}
}

int engine_instance_up(struct engine *engine, const struct engine_instance *from)
{
	struct function *function =
		from->function < ENGINE_FUNCTIONS_MAX ? engine->function[from->function] : NULL;
	struct instance *instance;

	if (!function)
		return -ENOENT;
	if (instance_find(engine, from->id))
		return -EEXIST;
	instance = calloc(1, sizeof(*instance));
	if (!instance)
		return -ENOMEM;
	*instance = (struct instance){.engine = engine,
				      .function = function,
				      .id = from->id,
				      .index = from->index,
				      .hooks = from->hooks,
				      .link = from->link,
				      .arena = from->arena,
				      .near = from->near,
				      .event = from->event,
				      .show = from->show,
				      .see = from->seen,
				      .event_ctx = from->event_ctx};
	if (asks_create(instance)) {
		free(instance);
		return -ENOMEM;
	}
	TAILQ_INIT(&instance->waiting);
	TAILQ_INIT(&instance->graves);
	TAILQ_INIT(&instance->suspects);
	recall_forget(engine);
	ledger_holder_open(engine->ledger, &instance->holder);
	LIST_INSERT_HEAD(&engine->instances, instance, of_engine);
	LIST_INSERT_HEAD(&function->instances, instance, of_function);
	engine->near += instance->near;
	instance->unseen = function->unseen;
	function->unseen = 0;
	function->known = true;
	function->hooks = from->hooks;
	hooks_changed(function);
	orphans_wake(function);
	return 0;
}

void engine_instance_down(struct engine *engine, uint32_t id)
{
	struct instance *instance = instance_find(engine, id);

	if (!instance)
		return;
	recall_forget(engine);
	if (!instance->broken)
		instance_read_on(instance);
	engine->near -= instance->near;
	LIST_REMOVE(instance, of_engine);
	LIST_REMOVE(instance, of_function);
	hooks_changed(instance->function);
	failure_instance(instance);
	instance->function->unseen += instance->unseen;
	asks_destroy(instance);
	ledger_holder_close(&instance->holder);
	free(instance);
}

void engine_instance_retire(struct engine *engine, uint32_t id, bool retired)
{
	struct instance *instance = instance_find(engine, id);

	if (!instance)
		return;
	recall_forget(engine);
	instance->retired = retired;
	if (!retired)
		instance->function->hooks = instance->hooks;
	hooks_changed(instance->function);
	if (!retired)
		orphans_wake(instance->function);
}

uint32_t engine_instance_bound(const struct engine *engine, uint32_t id)
{
	const struct instance *instance = instance_find(engine, id);

	return instance ? instance->bound + light_passed(instance) : 0;
}

uint32_t engine_arena_leases(const struct engine *engine, uint16_t arena_region)
{
	return ledger_arena_leases(engine->ledger, arena_region);
}

void instance_offence(struct instance *instance, uint64_t *counter, const char *text)
{
	instance->offences++;
	(*counter)++;
	engine_count(instance->engine, offences);
	engine_log_error(instance->engine, "", instance->function->id, "offence: %s", text);
}

void instance_broken(struct instance *instance)
{
	if (instance->broken)
		return;
	instance->broken = true;
	recall_forget(instance->engine);
	instance_offence(instance, &instance->engine->counters.offences_ring,
			 "its ring is spoiled");
	hooks_changed(instance->function);
	failure_instance(instance);
	asks_drop(instance);
}

/* --- from the instance ----------------------------------------------------------- */

/* Each answer may bring slices, and each of those needs a lease: what there are none for stays in
 * the ring. */
static unsigned answers_max(const struct instance *instance)
{
	uint32_t room = ledger_lease_room(&instance->holder) / SLUICE_UP_SLICES;

	return room < BATCH ? room : BATCH;
}

/* Sends for the exchange that an answer speaks of, which was last looked at many others ago; NULL:
 * there is none of that number. */
static inline struct exchange *exchange_fetch(const struct engine *engine, uint32_t index)
{
	struct exchange *x;

	if (index >= engine->env.max_exchanges)
		return NULL;
	x = &engine->exchange[index];
	__builtin_prefetch(&x->task, 1);
	__builtin_prefetch(&x->touched, 1);
	__builtin_prefetch(&x->message);
	return x;
}

/* The hop that its head is with, and the next; a slot that was never used has none. gcc 12 leaves
 * out calls of functions that do nothing but this, before it looks at what they do. */
static inline __attribute__((always_inline)) void hop_prefetch(const struct exchange *x)
{
	unsigned stage;

	if (!x || !x->hop || x->with)
		return;
	stage = (uint8_t)x->stage % ENGINE_PATH_MAX;
	__builtin_prefetch(&x->hop[stage], 1);
	stage += x->phase == PHASE_REQUEST ? 1 : ENGINE_PATH_MAX - 1;
	__builtin_prefetch(&x->hop[stage % ENGINE_PATH_MAX], 1);
}

static void answers_take(struct instance *instance, const struct sluice_up *up, int n)
{
	struct exchange *named[BATCH];

	for (int i = 0; i < n; i++)
		named[i] = exchange_fetch(instance->engine, up[i].exchange);
	for (int i = 0; i < n && !instance->broken; i++) {
		if (i + AHEAD < n)
			hop_prefetch(named[i + AHEAD]);
		if (!named[i] || !light_passes(named[i], instance, &up[i]))
			verdict_take(instance, &up[i]);
	}
}

/* False: nothing more to take, or nothing more to be had from it. */
static bool poll_batch(struct instance *instance)
{
	struct sluice_up up[BATCH];
	unsigned most = answers_max(instance);
	int n;

	if (!most) {
		engine_count(instance->engine, leases_full);
		return false;
	}
	n = link_poll(instance->link, up, most);
	if (n < 0) {
		instance_broken(instance);
		return false;
	}
	answers_take(instance, up, n);
	if (instance->broken)
		return false;
	link_consume(instance->link, (unsigned)n);
	return n == (int)most;
}

void instance_poll(struct instance *instance)
{
	for (unsigned i = 0; i < BATCHES; i++)
		if (!poll_batch(instance))
			return;
}

/* --- to the instance ------------------------------------------------------------- */

/* Descriptors that it has read, ever. It says so itself: who lies here looks at memory that is in
 * use for something else, and that is all. */
uint64_t instance_consumed(const struct instance *instance)
{
	uint64_t consumed = instance->published - link_depth(instance->link);

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return consumed;
}

void instance_read_on(struct instance *instance)
{
	struct hop *hop = TAILQ_FIRST(&instance->graves);
	uint64_t consumed;

	asks_read_on(instance);
	if (!hop)
		return;
	consumed = instance_consumed(instance);
	for (; hop && hop->mark <= consumed; hop = TAILQ_FIRST(&instance->graves)) {
		watch_seen(hop);
		hop_closed(hop);
	}
}

void instance_room(struct instance *instance)
{
	struct hop *hop = TAILQ_FIRST(&instance->waiting);

	for (uint32_t n = hop ? link_room(instance->link) : 0; n && hop; n--) {
		hop_dequeue(hop);
		hop->turn = true;
		if (hop->closing)
			hop_close_next(hop);
		else
			exchange_ready(hop->exchange);
		hop = TAILQ_FIRST(&instance->waiting);
	}
}

struct sluice_down *instance_entry(struct instance *instance, uint8_t kind)
{
	struct sluice_down *down = link_next(instance->link);

	if (!down)
		return NULL;
	*down = (struct sluice_down){.kind = kind};
	instance->produced++;
	instance->dirty = true;
	return down;
}

void instance_release(struct instance *instance)
{
	struct holder *holder = &instance->holder;
	struct sluice_down *down;

	while (ledger_release_due(holder) && (down = instance_entry(instance, SLUICE_DOWN_RELEASE)))
		while (down->slices < SLUICE_DOWN_SLICES &&
		       ledger_release_next(holder, &down->slice[down->slices].tag))
			down->slices++;
}
