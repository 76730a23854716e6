/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "chain/supervise/supervise.h"
#include "dataplane/clock.h"
#include "dataplane/daemon.h"

/* --- is it the same function? How many processes it has is no part of that.
 * ------------------------------------------------------------ */

/* The configuration as JSON says where each value stands; that is no part of what it is. */
static void forget_places(json_t *node)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_del(node, "l");
	json_object_del(node, "f");
	value = json_object_get(node, "v");
	if (json_is_object(value)) {
		json_t *child;

		json_object_foreach(value, key, child) forget_places(child);
	} else if (json_is_array(value)) {
		json_t *child;

		json_array_foreach(value, i, child) forget_places(child);
	}
}

static json_t *config_value(const struct conf_function *f)
{
	json_t *root = json_loads(f->config_json, 0, NULL);

	forget_places(root);
	return root;
}

static bool same_config(const struct conf_function *a, const struct conf_function *b)
{
	json_t *x = config_value(a), *y = config_value(b);
	bool same = x && y && json_equal(x, y);

	json_decref(x);
	json_decref(y);
	return same;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_allow(const struct conf_allow *a, const struct conf_allow *b)
{
	if (a->read_count != b->read_count || a->connect_count != b->connect_count ||
	    a->write_count != b->write_count)
		return false;
	for (unsigned i = 0; i < a->read_count; i++)
		if (strcmp(a->read[i], b->read[i]) != 0)
			return false;
	for (unsigned i = 0; i < a->connect_count; i++)
		if (strcmp(a->connect[i].name, b->connect[i].name) != 0)
			return false;
	for (unsigned i = 0; i < a->write_count; i++)
		if (strcmp(a->write[i].name, b->write[i].name) != 0)
			return false;
	return true;
}

static bool same_function(const struct conf_function *a, const struct conf_function *b)
{
	return same_text(a->name, b->name) && same_text(a->plugin_path, b->plugin_path) &&
	       same_text(a->user, b->user) && a->on_failure == b->on_failure &&
	       a->placement == b->placement && a->hang_ms == b->hang_ms &&
	       a->hold_ms == b->hold_ms && a->arena_mb == b->arena_mb && a->cpu == b->cpu &&
	       same_allow(&a->allow, &b->allow) && same_config(a, b);
}

bool functions_in_use(const struct function *f)
{
	return f->release && !f->retired;
}

int functions_find_same(const struct daemon *d, const struct conf_function *function)
{
	int id = functions_find(d, function->name);

	return id >= 0 && same_function(d->functions[id].conf, function) ? id : -1;
}

int functions_find(const struct daemon *d, const char *name)
{
	for (int id = 0; id < ENGINE_FUNCTIONS_MAX; id++)
		if (functions_in_use(&d->functions[id]) &&
		    !strcmp(d->functions[id].conf->name, name))
			return id;
	return -1;
}

/* --- on every worker --------------------------------------------------------------------- */

struct function_call {
	uint16_t id;
	const struct conf_function *conf;
	int rc;
};

static void add_here(struct worker *w, void *ctx)
{
	struct function_call *call = ctx;

	if (!call->rc)
		call->rc = engine_function_add(worker_engine(w), call->id, call->conf);
}

static void remove_here(struct worker *w, void *ctx)
{
	struct function_call *call = ctx;

	engine_function_remove(worker_engine(w), call->id);
}

static int free_number(const struct daemon *d)
{
	for (int id = 0; id < ENGINE_FUNCTIONS_MAX; id++)
		if (!d->functions[id].release)
			return id;
	return -ENOSPC;
}

int functions_add(struct daemon *d, struct release *release, const struct conf_function *function)
{
	struct function_call call = {.conf = function};
	int id = free_number(d);

	if (id < 0)
		return id;
	call.id = (uint16_t)id;
	workers_call(&d->set, add_here, &call);
	if (call.rc) {
		workers_call(&d->set, remove_here, &call);
		return call.rc;
	}
	d->functions[id] = (struct function){.release = release,
					     .conf = function,
					     .least = function->instances,
					     .most = function->instances_max,
					     .places = function->instances,
					     .given = function->instances};
	release->functions++;
	return id;
}

/* --- the end ----------------------------------------------------------------------------- */

/* The last function of a release that is not in effect takes it along. */
static void release_put(struct daemon *d, struct release *release)
{
	struct release **link = &d->release;

	if (--release->functions || release == d->release)
		return;
	while (*link != release)
		link = &(*link)->next;
	*link = release->next;
	conf_free(release->conf);
	free(release);
}

void functions_remove(struct daemon *d, uint16_t id)
{
	struct function_call call = {.id = id};

	if (d->functions[id].conf->placement == CONF_INLINE)
		inline_stop(d, id);
	else
		supervisor_stop(d->supervisor, id, clock_monotonic_us());
	workers_call(&d->set, remove_here, &call);
	d->functions[id].retired = FUNCTION_ENDING;
}

struct living {
	bool function[ENGINE_FUNCTIONS_MAX];
};

static void note_living(void *ctx, const struct instance_info *instance)
{
	struct living *living = ctx;

	living->function[instance->function] = true;
}

static void free_ended(struct daemon *d)
{
	struct living living = {0};

	supervisor_each(d->supervisor, note_living, &living);
	for (unsigned id = 0; id < ENGINE_FUNCTIONS_MAX; id++) {
		struct release *release = d->functions[id].release;

		if (d->functions[id].retired != FUNCTION_ENDING || living.function[id] ||
		    supervisor_changing(d->supervisor, (uint16_t)id))
			continue;
		change_forget(&d->functions[id]);
		d->functions[id] = (struct function){0};
		release_put(d, release);
	}
}

/* --- rings that were spoiled ------------------------------------------------------------- */

struct broken {
	uint32_t process[ENGINE_FUNCTIONS_MAX];
	unsigned count;
};

static void note_broken(void *ctx, const struct engine_instance_info *instance)
{
	struct broken *broken = ctx;

	if (instance->broken && broken->count < ENGINE_FUNCTIONS_MAX)
		broken->process[broken->count++] = instance->instance;
}

static void look_for_broken(struct worker *w, void *ctx)
{
	engine_instances_each(worker_engine(w), note_broken, ctx);
}

void functions_end_broken(struct daemon *d)
{
	uint64_t rings =
		workers_engine_sum(&d->set, offsetof(struct engine_counters, offences_ring));
	struct broken broken = {.count = 0};

	if (rings == d->broken_rings)
		return; /* no worker is disturbed for nothing */
	d->broken_rings = rings;
	workers_call(&d->set, look_for_broken, &broken);
	for (unsigned i = 0; i < broken.count; i++)
		if (supervisor_kill(d->supervisor, broken.process[i], "its ring is spoiled"))
			inline_end(d, broken.process[i]); /* or it ended meanwhile */
}

/* --- what nothing needs any more --------------------------------------------------------- */

static void oldest_version(void *ctx, const struct engine_chain_info *chain)
{
	uint32_t *oldest = ctx;

	if (chain->version < *oldest)
		*oldest = chain->version;
}

static void look_for_oldest(struct worker *w, void *ctx)
{
	engine_chains_each(worker_engine(w), oldest_version, ctx);
}

static bool any_retired(const struct daemon *d)
{
	for (unsigned id = 0; id < ENGINE_FUNCTIONS_MAX; id++)
		if (d->functions[id].retired)
			return true;
	return false;
}

void functions_sweep(struct daemon *d)
{
	uint32_t oldest = d->release->version;

	if (!any_retired(d))
		return;
	workers_call(&d->set, look_for_oldest, &oldest);
	for (unsigned id = 0; id < ENGINE_FUNCTIONS_MAX; id++)
		if (d->functions[id].retired && d->functions[id].retired <= oldest)
			functions_remove(d, (uint16_t)id);
	free_ended(d);
}
