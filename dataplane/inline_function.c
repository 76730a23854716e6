/* SPDX-License-Identifier: BSD-3-Clause */
/* Inline functions as a whole: a part in each worker, all of them or none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/supervise/supervise.h"
#include "dataplane/clock.h"
#include "dataplane/daemon.h"
#include "dataplane/inline.h"
#include "dataplane/log.h"
#include "mgmt/conf/conf.h"
#include "nf/sdk/object.h"

#define FIRST_ID 0x80000000u /* processes are counted from 1 */

struct inline_function {
	struct inline_function *next;
	const struct conf_function *conf;
	struct object object;
	uint16_t id;       /* the function's number */
	uint32_t instance; /* as engines know it, the same in each */
	uint64_t since_us;
	uint32_t restarts;
	bool retired; /* has a successor: it goes when it holds nothing */
	struct inline_part *part[WORKERS_MAX];
};

/* --- in the workers ------------------------------------------------------------------ */

struct inline_call {
	struct inline_function *function;
	uint32_t bound;
	int rc;
};

static void up_here(struct worker *w, void *ctx)
{
	struct inline_call *call = ctx;
	struct inline_part *part = call->function->part[worker_index(w)];
	struct engine_instance instance = {.id = call->function->instance,
					   .function = call->function->id,
					   .hooks = inline_hooks(part),
					   .link = inline_link(part),
					   .arena = inline_arena(part),
					   .event = inline_event,
					   .show = inline_show,
					   .seen = inline_seen,
					   .event_ctx = part};

	if (call->rc)
		return;
	call->rc = engine_instance_up(worker_engine(w), &instance);
	if (!call->rc)
		inline_join(worker_inlines(w), part);
}

static void down_here(struct worker *w, void *ctx)
{
	struct inline_call *call = ctx;

	engine_instance_down(worker_engine(w), call->function->instance);
	inline_leave(worker_inlines(w), call->function->part[worker_index(w)]);
}

static void retire_here(struct worker *w, void *ctx)
{
	struct inline_call *call = ctx;

	engine_instance_retire(worker_engine(w), call->function->instance, true);
}

static void count_bound(struct worker *w, void *ctx)
{
	struct inline_call *call = ctx;

	call->bound += engine_instance_bound(worker_engine(w), call->function->instance);
}

struct inline_telling {
	struct inline_function *function;
	const char *words;
	size_t bytes;
	char *answer;
	int rc;
};

static void tell_here(struct worker *w, void *ctx)
{
	struct inline_telling *telling = ctx;

	telling->rc = inline_tell(telling->function->part[worker_index(w)], telling->words,
				  telling->bytes, &telling->answer);
}

static void regions_here(struct worker *w, void *ctx)
{
	inline_regions(worker_inlines(w), ctx);
}

static struct inline_call everywhere(struct daemon *d, struct inline_function *f,
				     void (*fn)(struct worker *, void *))
{
	struct inline_call call = {.function = f};

	workers_call(&d->set, fn, &call);
	return call;
}

/* --- making and ending ------------------------------------------------------------------- */

static int part_make(struct daemon *d, struct inline_function *f, unsigned worker,
		     struct conf_errors *errors)
{
	struct inline_part_conf pc = {
		.function = f->conf,
		.object = &f->object,
		.regions = &d->regions,
		.messages = worker_messages(d->set.worker[worker]),
		.wake_fd = worker_wake_fd(d->set.worker[worker]),
	};
	char name[64];
	int rc;

	snprintf(name, sizeof(name), "arena.%.40s.w%u", f->conf->name, worker);
	rc = memory_arena_alloc(&d->arenas, &d->regions, name,
				(uint64_t)f->conf->arena_mb * 1024 * 1024, &pc.arena);
	if (rc) {
		supervise_error(errors, f->conf, false, "there is no memory for its arena");
		return rc;
	}
	rc = inline_create(&pc, &f->part[worker], errors);
	if (rc)
		memory_arena_free(&d->arenas, &d->regions, pc.arena);
	return rc;
}

static void function_free(struct daemon *d, struct inline_function *f)
{
	struct inline_function **at = &d->inlines;

	while (*at && *at != f)
		at = &(*at)->next;
	if (*at)
		*at = f->next;
	everywhere(d, f, down_here);
	for (unsigned i = 0; i < d->set.count; i++) {
		struct region *arena = f->part[i] ? inline_arena(f->part[i]) : NULL;

		if (!arena)
			continue;
		inline_free(f->part[i]);
		daemon_arena_release(d, arena);
	}
	object_unload(&f->object);
	free(f);
}

static int function_make(struct daemon *d, struct inline_function *f, struct conf_errors *errors)
{
	char error[256];
	int rc = object_load(f->conf->plugin_path, f->conf->plugin_path, &f->object, error,
			     sizeof(error));

	if (rc) {
		supervise_error(errors, f->conf, false, error);
		return rc;
	}
	for (unsigned i = 0; i < d->set.count && !rc; i++)
		rc = part_make(d, f, i, errors);
	if (rc)
		return rc;
	inline_regions_changed(d);
	rc = everywhere(d, f, up_here).rc;
	if (rc)
		supervise_error(errors, f->conf, false, strerror(-rc));
	return rc;
}

static int function_start(struct daemon *d, uint16_t id, const struct conf_function *conf,
			  struct inline_function **out, struct conf_errors *errors)
{
	struct inline_function *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return -ENOMEM;
	*f = (struct inline_function){.conf = conf,
				      .id = id,
				      .instance = FIRST_ID + d->inlines_made++,
				      .since_us = clock_monotonic_us(),
				      .next = d->inlines};
	d->inlines = f;
	rc = function_make(d, f, errors);
	if (rc)
		function_free(d, f);
	else
		*out = f;
	return rc;
}

static struct inline_function *find(const struct daemon *d, uint16_t id)
{
	struct inline_function *f = d->inlines;

	while (f && (f->id != id || f->retired))
		f = f->next;
	return f;
}

/* --- for the control thread -------------------------------------------------------------- */

int inline_start(struct daemon *d, uint16_t id, const struct conf_function *conf,
		 struct conf_errors *errors)
{
	struct inline_function *f;

	return function_start(d, id, conf, &f, errors);
}

int inline_restart(struct daemon *d, uint16_t id, const struct conf_function *conf,
		   struct conf_errors *errors)
{
	struct inline_function *old = find(d, id), *f;
	int rc;

	if (!old)
		return -ENOENT;
	rc = function_start(d, id, conf, &f, errors);
	if (rc)
		return rc;
	f->restarts = old->restarts + 1;
	old->retired = true;
	everywhere(d, old, retire_here);
	return 0;
}

void inline_command(struct daemon *d, uint16_t id, const char *words, size_t bytes,
		    void (*fn)(void *ctx, const struct instance_info *instance, int rc,
			       const char *text),
		    void *ctx)
{
	struct inline_function *f = find(d, id);

	for (unsigned i = 0; f && i < d->set.count; i++) {
		struct inline_telling telling = {.function = f, .words = words, .bytes = bytes};
		struct instance_info info = {
			.function = id, .function_name = f->conf->name, .index = i};

		worker_call(d->set.worker[i], tell_here, &telling);
		if (!telling.answer)
			telling.rc = -ENOMEM;
		fn(ctx, &info, telling.rc, telling.answer ? telling.answer : "no memory");
		free(telling.answer);
	}
}

void inline_end(struct daemon *d, uint32_t instance)
{
	struct conf_errors errors = {0};
	struct inline_function *f = d->inlines;

	while (f && (f->instance != instance || f->retired))
		f = f->next;
	if (f && inline_restart(d, f->id, f->conf, &errors))
		log_error("function \"%s\" cannot be replaced: %s", f->conf->name,
			  errors.count ? errors.text[0] : "no memory");
	conf_errors_clear(&errors);
}

void inline_stop(struct daemon *d, uint16_t id)
{
	struct inline_function *next;

	for (struct inline_function *f = d->inlines; f; f = next) {
		next = f->next;
		if (f->id == id)
			function_free(d, f);
	}
}

void inline_stop_all(struct daemon *d)
{
	while (d->inlines)
		function_free(d, d->inlines);
}

void inline_sweep(struct daemon *d)
{
	struct inline_function *next;

	for (struct inline_function *f = d->inlines; f; f = next) {
		next = f->next;
		for (unsigned i = 0; i < d->set.count; i++)
			inline_log(f->part[i]);
		if (f->retired && !everywhere(d, f, count_bound).bound)
			function_free(d, f);
	}
}

void inline_regions_changed(struct daemon *d)
{
	if (!d->inlines)
		return;
	workers_call(&d->set, regions_here, &d->regions);
}

static void counters_fill(struct instance_info *info, const struct inline_part *part)
{
	const char *name, *help;

	for (unsigned i = 0; (name = inline_counter(part, i, &help)); i++) {
		snprintf(info->counter_name[i], sizeof(info->counter_name[i]), "%s", name);
		snprintf(info->counter_help[i], sizeof(info->counter_help[i]), "%s", help);
	}
}

void inline_each(const struct daemon *d,
		 void (*fn)(void *ctx, const struct instance_info *instance), void *ctx)
{
	for (const struct inline_function *f = d->inlines; f; f = f->next) {
		struct instance_info info = {
			.function = f->id,
			.function_name = f->conf->name,
			.plugin = f->conf->plugin,
			.id = f->instance,
			.hooks = inline_hooks(f->part[0]),
			.state = f->retired ? INSTANCE_DRAINING : INSTANCE_UP,
			.restarts = f->restarts,
			.since_us = f->since_us,
		};

		counters_fill(&info, f->part[0]);
		fn(ctx, &info);
	}
}
