/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine's life, and one turn of its loop. */
#include "chain/engine/engine.h"
#include "chain/engine/ask.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chain/engine/answer.h"
#include "chain/engine/client.h"
#include "chain/engine/core.h"
#include "chain/engine/exchange.h"
#include "chain/engine/instance.h"
#include "chain/engine/origin.h"

#define ROUNDS_MAX 8 /* of ready tasks in one turn; what is left waits for the next */

/* --- tasks ----------------------------------------------------------------------- */

void engine_ready(struct engine *engine, struct task *task)
{
	if (task->queued)
		return;
	task->queued = true;
	STAILQ_INSERT_TAIL(&engine->ready, task, link);
}

void engine_starve(struct engine *engine, struct task *task)
{
	engine_count(engine, starved);
	if (task->queued)
		return;
	if (STAILQ_EMPTY(&engine->starved))
		engine->starved_until_us = engine->timers.now_us + ENGINE_RETRY_US;
	task->queued = true;
	STAILQ_INSERT_TAIL(&engine->starved, task, link);
}

static void starved_wake(struct engine *engine)
{
	if (engine->timers.now_us >= engine->starved_until_us)
		STAILQ_CONCAT(&engine->ready, &engine->starved);
}

void engine_forget(struct engine *engine, struct task *task)
{
	struct task_queue *queues[] = {&engine->ready, &engine->starved};
	struct task *at;

	for (unsigned i = 0; i < 2 && task->queued; i++)
		STAILQ_FOREACH (at, queues[i], link) {
			if (at != task)
				continue;
			STAILQ_REMOVE(queues[i], task, task, link);
			task->queued = false;
			break;
		}
}

/* Those that are ready now; what they make ready is for the next round. */
static void tasks_round(struct engine *engine)
{
	struct task_queue round = STAILQ_HEAD_INITIALIZER(round);
	struct task *task;

	STAILQ_CONCAT(&round, &engine->ready);
	while ((task = STAILQ_FIRST(&round))) {
		STAILQ_REMOVE_HEAD(&round, link);
		__builtin_prefetch(STAILQ_FIRST(&round));
		task->queued = false;
		task->run(task);
	}
}

static void tasks_run(struct engine *engine)
{
	for (unsigned i = 0; i < ROUNDS_MAX && !STAILQ_EMPTY(&engine->ready); i++)
		tasks_round(engine);
}

/* --- what all files use ---------------------------------------------------------- */

static const uint8_t *memory_at(void *ctx, uint64_t ref)
{
	const struct engine *engine = ctx;
	const struct region *region = engine->env.regions->region[sluice_ref_region(ref)];

	return region->base + sluice_ref_offset(ref);
}

/* The wall clock is asked through the vDSO, at most once in a second. */
const char *engine_date(struct engine *engine)
{
	struct timespec now;

	if (engine->timers.now_us - engine->date_at_us >= 1000000 || !engine->date.second) {
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
		engine->date_at_us = engine->timers.now_us;
		return http_date_text(&engine->date, (uint64_t)now.tv_sec);
	}
	return engine->date.text;
}

static uint64_t ref_in(const struct region *region, const void *ptr)
{
	return sluice_ref(region->id, (uint64_t)((const uint8_t *)ptr - region->base));
}

/* Packets may have been received by another worker: then they lie in that one's region. */
uint64_t engine_payload_ref(const struct engine *engine, const void *ptr)
{
	const struct region *region;

	if (region_holds(engine->env.rx, ptr))
		return ref_in(engine->env.rx, ptr);
	for (unsigned i = 0; i < REGIONS_MAX; i++) {
		region = engine->env.regions->region[i];
		if (region && region->kind == REGION_RX && region_holds(region, ptr))
			return ref_in(region, ptr);
	}
	return SLUICE_REF_NONE;
}

#define HTTP_COUNTERS                                           \
	((offsetof(struct engine_counters, http_edit_room) -    \
	  offsetof(struct engine_counters, http_empty_lines)) / \
		 sizeof(uint64_t) +                             \
	 1)
_Static_assert(HTTP_COUNTERS == HTTP_ERROR_COUNT - 1,
	       "counters.def has the rows of errors.def, in order");

void engine_count_http_error(struct engine *engine, enum http_error error)
{
	if (error != HTTP_OK)
		(&engine->counters.http_empty_lines)[error - 1]++;
}

/* The newest entry, if it says the same already. */
static bool error_repeats(struct engine *engine, const struct engine_error_info *error)
{
	struct engine_error_info *last = &engine->error[(engine->errors - 1) % ENGINE_ERRORS_MAX];

	if (!engine->errors || last->function != error->function ||
	    strcmp(last->text, error->text) != 0 || strcmp(last->chain, error->chain) != 0)
		return false;
	last->count++;
	last->at_us = error->at_us;
	return true;
}

void engine_log_error(struct engine *engine, const char *chain, uint16_t function,
		      const char *format, ...)
{
	struct engine_error_info error = {
		.at_us = engine->timers.now_us, .function = function, .count = 1};
	va_list args;

	snprintf(error.chain, sizeof(error.chain), "%s", chain);
	va_start(args, format);
	vsnprintf(error.text, sizeof(error.text), format, args);
	va_end(args);
	if (!error_repeats(engine, &error))
		engine->error[engine->errors++ % ENGINE_ERRORS_MAX] = error;
}

/* --- life ------------------------------------------------------------------------ */

static uint32_t clamp(uint64_t value, uint32_t least, uint32_t most)
{
	return value < least ? least : value > most ? most : (uint32_t)value;
}

static int parts_create(struct engine *engine)
{
	const struct engine_env *env = &engine->env;
	uint32_t leases = clamp((uint64_t)env->max_exchanges * 16, 4096, 65536);
	struct ledger_conf ledger = {.pieces = clamp((uint64_t)env->max_exchanges * 8, 1024, 65536),
				     .leases = leases,
				     .leases_each = leases / 2};
	int error = ledger_create(&ledger, &engine->ledger);

	if (!error)
		ledger_settle(engine->ledger, env->home);
	/* So that one answer to a slow client cannot take all that its function may have. */
	engine->emit_max = clamp(ledger.leases_each / 4, 0, ENGINE_EMIT_MAX);
	if (!error)
		error = slots_create(&engine->slots, env->messages);
	if (!error)
		error = chooser_open(&engine->chooser, env->upstreams);
	if (!error)
		error = pool_create(env->upstreams, env->stack, &engine->timers,
				    env->max_exchanges * 2, &engine->pool);
	if (!error && env->worker == 0)
		error = health_create(env->upstreams, env->stack, &engine->timers, env->data,
				      &engine->health);
	if (!error)
		error = exchanges_create(engine);
	if (!error)
		error = recalls_create(engine);
	if (!error)
		error = clients_create(engine, engine->clients_total);
	return error;
}

int engine_create(const struct engine_env *env, uint64_t now_us, struct engine **out)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	int error = -ENOMEM;

	if (!engine)
		return -ENOMEM;
	engine->magic = ENGINE_MAGIC;
	engine->env = *env;
	engine->clients_total = env->max_clients ? env->max_clients : env->max_exchanges;
	engine->memory = (struct http_memory){.at = memory_at, .ctx = engine};
	http_numbers_open(&engine->numbers, env->worker);
	LIST_INIT(&engine->instances);
	LIST_INIT(&engine->chains);
	LIST_INIT(&engine->listeners);
	TAILQ_INIT(&engine->waiting);
	STAILQ_INIT(&engine->ready);
	STAILQ_INIT(&engine->starved);
	STAILQ_INIT(&engine->free_clients);
	lines_open(engine);
	if (timers_open(&engine->timers, now_us))
		error = parts_create(engine);
	if (error) {
		engine_destroy(engine);
		return error;
	}
	*out = engine;
	return 0;
}

void engine_destroy(struct engine *engine)
{
	if (!engine)
		return;
	clients_destroy(engine);
	exchanges_destroy(engine);
	recalls_destroy(engine);
	config_close(engine);
	health_destroy(engine->health);
	pool_destroy(engine->pool);
	chooser_close(&engine->chooser);
	slots_destroy(&engine->slots);
	ledger_destroy(engine->ledger);
	if (engine->timers.wheel)
		timers_close(&engine->timers);
	free(engine);
}

/* --- the loop -------------------------------------------------------------------- */

static void instances_poll(struct engine *engine)
{
	struct instance *instance;

	LIST_FOREACH (instance, &engine->instances, of_engine) {
		if (instance->broken)
			continue;
		instance_read_on(instance);
		instance_poll(instance);
		instance_room(instance);
	}
}

static void instances_release(struct engine *engine)
{
	struct instance *instance;

	LIST_FOREACH (instance, &engine->instances, of_engine)
		if (!instance->broken)
			instance_release(instance);
}

/* Counts that others keep, where readers look for them. */
static void counters_follow(struct engine *engine)
{
	const struct pool_counters *pool = pool_counters(engine->pool);

	engine->counters.origin_opened = pool->opened;
	engine->counters.origin_reused = pool->reused;
	engine->counters.origin_idle_closed = pool->idle_closed;
	if (!engine->health)
		return;
	engine->counters.health_checks = health_counters(engine->health)->checks;
	engine->counters.health_failures = health_counters(engine->health)->failures;
}

void engine_poll(struct engine *engine, uint64_t now_us)
{
	timers_advance(&engine->timers, now_us);
	if (engine->health && !engine->draining)
		health_poll(engine->health);
	starved_wake(engine);
	tasks_run(engine);
	instances_poll(engine);
	tasks_run(engine);
	instances_release(engine);
	config_settle(engine);
	counters_follow(engine);
}

static void instance_publish(struct instance *instance)
{
	if (!instance->dirty || instance->broken)
		return;
	instance->dirty = false;
	instance->published = instance->produced;
	link_publish(instance->link);
}

void engine_publish(struct engine *engine)
{
	struct instance *instance;

	LIST_FOREACH (instance, &engine->instances, of_engine)
		instance_publish(instance);
}

void engine_publish_far(struct engine *engine)
{
	struct instance *instance;

	LIST_FOREACH (instance, &engine->instances, of_engine)
		if (!instance->near)
			instance_publish(instance);
}

static bool instance_pending(const struct instance *instance)
{
	if (instance->broken)
		return false;
	if (link_pending(instance->link) &&
	    ledger_lease_room(&instance->holder) >= SLUICE_UP_SLICES)
		return true;
	return instance->dirty;
}

bool engine_pending(const struct engine *engine)
{
	struct instance *instance;

	if (!STAILQ_EMPTY(&engine->ready))
		return true;
	LIST_FOREACH (instance, &engine->instances, of_engine)
		if (instance_pending(instance))
			return true;
	return false;
}

uint32_t engine_near(const struct engine *engine)
{
	return engine->near;
}

bool engine_near_waits(const struct engine *engine)
{
	struct instance *instance;

	if (!engine->near)
		return false;
	LIST_FOREACH (instance, &engine->instances, of_engine)
		if (instance->near && !instance->broken && link_depth(instance->link))
			return true;
	return false;
}

/* An instance reads on without a word when it has nothing to answer: its ring must be looked at. */
static bool instance_watched(const struct instance *instance)
{
	return !instance->broken &&
	       (!TAILQ_EMPTY(&instance->waiting) || !TAILQ_EMPTY(&instance->graves) ||
		ledger_release_due(&instance->holder) || asks_watched(instance));
}

uint64_t engine_next_us(const struct engine *engine)
{
	uint64_t next = wheel_next_us(engine->timers.wheel),
		 soon = engine->timers.now_us + ENGINE_RETRY_US;
	struct instance *instance;

	if (!STAILQ_EMPTY(&engine->ready))
		return engine->timers.now_us;
	if (!STAILQ_EMPTY(&engine->starved) && engine->starved_until_us < next)
		next = engine->starved_until_us;
	LIST_FOREACH (instance, &engine->instances, of_engine)
		if (soon < next && instance_watched(instance))
			next = soon;
	return next;
}

void engine_sleep(struct engine *engine, bool sleeps)
{
	struct instance *instance;

	LIST_FOREACH (instance, &engine->instances, of_engine)
		if (!instance->broken)
			link_sleep(instance->link, sleeps);
}
