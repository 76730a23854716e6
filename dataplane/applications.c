/* SPDX-License-Identifier: BSD-3-Clause */
/* Applications: what the door needs of the daemon, and what is shown of them. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "chain/app/app.h"
#include "chain/app/door.h"
#include "dataplane/clock.h"
#include "dataplane/daemon.h"
#include "dataplane/log.h"
#include "dataplane/rows.h"
#include "dataplane/show.h"
#include "mgmt/ctl/views.h"

/* --- what the door needs ----------------------------------------------------------------- */

struct apps_call {
	void (*fn)(struct apps *apps, void *arg);
	void *arg;
};

static void run_here(struct worker *w, void *ctx)
{
	const struct apps_call *call = ctx;

	call->fn(worker_apps(w), call->arg);
}

static void run(void *ctx, unsigned worker, void (*fn)(struct apps *apps, void *arg), void *arg)
{
	struct daemon *d = ctx;
	struct apps_call call = {.fn = fn, .arg = arg};

	worker_call(d->set.worker[worker], run_here, &call);
}

/* It comes before the first byte of an arena. */
static int watch(void *ctx, unsigned worker, int fd)
{
	struct daemon *d = ctx;

	atomic_store(&d->set.foreign, true);
	return worker_watch(d->set.worker[worker], fd);
}

static void unwatch(void *ctx, unsigned worker, int fd)
{
	struct daemon *d = ctx;

	if (d->set.worker[worker])
		worker_forget(d->set.worker[worker], fd);
}

static void application_log(void *ctx, int level, const char *application, const char *text)
{
	(void)ctx;
	log_line((enum log_level)level, "[%s] %s", application, text);
}

static const struct door_owner owner = {
	.run = run,
	.watch = watch,
	.unwatch = unwatch,
	.log = application_log,
};

int applications_begin(struct daemon *d, const struct conf *conf)
{
	const struct door_conf dc = {
		.run_dir = conf->daemon.run_dir,
		.workers = conf->daemon.workers_count,
		.regions = &d->regions,
		.owner = &owner,
		.ctx = d,
	};
	int rc = door_create(&dc, &d->door);

	if (!rc)
		d->set.alarm_fd = door_alarm_fd(d->door);
	return rc;
}

static void drain_here(struct apps *apps, void *arg)
{
	(void)arg;
	apps_drain(apps);
}

void applications_drain(struct daemon *d)
{
	door_close(d->door);
	for (unsigned i = 0; i < d->set.count; i++)
		run(d, i, drain_here, NULL);
}

/* --- applications ------------------------------------------------------------------------ */

struct look {
	const struct app *app;
	struct app_info sum;
};

static void look_here(struct apps *apps, void *arg)
{
	struct look *look = arg;
	struct app_info info;

	(void)apps;
	app_info(look->app, &info);
	look->sum.conns += info.conns;
	look->sum.listeners += info.listeners;
	look->sum.blocks += info.blocks;
	look->sum.blocks_total += info.blocks_total;
	look->sum.leases += info.leases;
	look->sum.leases_total += info.leases_total;
	look->sum.depth += info.depth;
	look->sum.conns_total += info.conns_total;
	look->sum.bytes_in += info.bytes_in;
	look->sum.bytes_out += info.bytes_out;
}

struct gather {
	struct daemon *d;
	struct rows *rows;
};

static void sum_up(struct daemon *d, const struct door_info *info, struct look *look)
{
	for (unsigned i = 0; i < info->workers; i++) {
		look->app = info->app[i];
		if (look->app)
			run(d, i, look_here, look);
	}
}

static void fill_application(void *ctx, const struct door_info *info)
{
	struct gather *g = ctx;
	struct look look = {0};
	struct view_application *v = rows_add(g->rows);

	if (!v)
		return;
	sum_up(g->d, info, &look);
	*v = (struct view_application){
		.state = info->pid ? "attached" : "absent",
		.name = rows_text(g->rows, "%s", info->name),
		.pid = info->pid ? info->pid : -1,
		.uid = info->pid ? (int64_t)info->uid : -1,
		.uptime_s = info->pid ? (int64_t)((clock_monotonic_us() - info->since_us) / 1000000)
				      : -1,
		.connections = look.sum.conns,
		.connections_total = (int64_t)look.sum.conns_total,
		.in_bytes = (int64_t)look.sum.bytes_in,
		.out_bytes = (int64_t)look.sum.bytes_out,
		.queued = look.sum.depth,
		.attached = info->attached,
		.offences = info->offences,
		.listeners = look.sum.listeners,
		.arena_bytes = info->pid ? (int64_t)info->arena_bytes : -1,
		.last_end = info->last_end[0] ? rows_text(g->rows, "%s", info->last_end) : NULL,
	};
}

json_t *show_applications(struct daemon *d)
{
	struct rows rows = ROWS(struct view_application);
	struct gather g = {d, &rows};

	door_each(d->door, fill_application, &g);
	return rows_finish(&rows, &view_of_application);
}

/* --- what they hold ---------------------------------------------------------------------- */

static void add_held(struct rows *rows, const char *name, const char *what, uint32_t total,
		     uint32_t in_use, int64_t size, const char *help)
{
	struct view_buffer *v = rows_add(rows);

	if (v)
		*v = (struct view_buffer){
			.pool = rows_text(rows, "%s.%s", name, what),
			.size_bytes = size,
			.total = total,
			.in_use = in_use,
			.device = -1,
			.help = help,
		};
}

static void fill_buffers(void *ctx, const struct door_info *info)
{
	struct gather *g = ctx;
	struct look look = {0};

	sum_up(g->d, info, &look);
	if (!look.sum.blocks_total)
		return;
	add_held(g->rows, info->name, "rx", look.sum.blocks_total, look.sum.blocks,
		 SLUICE_APP_BLOCK_BYTES, "received bytes that the application holds");
	add_held(g->rows, info->name, "leases", look.sum.leases_total, look.sum.leases, -1,
		 "pieces of its arena that are not acknowledged yet");
}

void applications_buffers(struct daemon *d, struct rows *rows)
{
	struct gather g = {d, rows};

	door_each(d->door, fill_buffers, &g);
}

/* --- flows, errors ----------------------------------------------------------------------- */

static void gather_flow(void *ctx, const struct app_flow_info *info)
{
	struct rows *rows = ctx;
	struct engine_flow_info *flow = rows->count < SHOW_FLOWS_MAX ? rows_add(rows) : NULL;

	if (!flow)
		return;
	flow->client = info->remote;
	snprintf(flow->chain, sizeof(flow->chain), "%s", info->name);
}

static void flows_here(struct apps *apps, void *rows)
{
	apps_flows_each(apps, gather_flow, rows);
}

void applications_flows(struct worker *w, struct rows *rows)
{
	flows_here(worker_apps(w), rows);
}

static void add_error(void *ctx, const struct app_error_info *error)
{
	struct rows *rows = ctx;
	struct view_error *v = rows_add(rows);

	if (!v)
		return;
	v->last_s = time(NULL) - (time_t)((clock_us() - error->at_us) / 1000000);
	v->count = error->count;
	v->function = rows_text(rows, "%s", error->name);
	v->text = rows_text(rows, "%s", error->text);
}

void applications_errors(struct worker *w, struct rows *rows)
{
	apps_errors_each(worker_apps(w), add_error, rows);
}

/* --- counters ---------------------------------------------------------------------------- */

static const struct {
	const char *name, *help;
	size_t offset;
} counter_rows[] = {
#define COUNTER(name, unit, help) {#name, help, offsetof(struct apps_counters, name)},
#include "chain/app/counters.def"
#undef COUNTER
};

void applications_counters(struct daemon *d,
			   void (*fn)(void *ctx, const char *name, uint64_t value,
				      const char *help),
			   void *ctx)
{
	for (size_t i = 0; i < sizeof(counter_rows) / sizeof(counter_rows[0]); i++)
		fn(ctx, counter_rows[i].name, workers_apps_sum(&d->set, counter_rows[i].offset),
		   counter_rows[i].help);
}
