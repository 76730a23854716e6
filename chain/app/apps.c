/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "chain/app/internal.h"

int apps_create(const struct apps_env *env, struct apps **out)
{
	struct apps *apps = calloc(1, sizeof(*apps));

	if (!apps)
		return -ENOMEM;
	apps->env = *env;
	apps->retry_us = UINT64_MAX;
	TAILQ_INIT(&apps->list);
	*out = apps;
	return 0;
}

void apps_destroy(struct apps *apps)
{
	struct app *app;

	if (!apps)
		return;
	while ((app = TAILQ_FIRST(&apps->list))) {
		apps_detach(app);
		TAILQ_REMOVE(&apps->list, app, of_apps);
		app->apps = NULL;
	}
	free(apps);
}

const struct apps_counters *apps_counters(const struct apps *apps)
{
	return &apps->counters;
}

/* --- a turn ------------------------------------------------------------------------------ */

struct sluice_app_down *app_say(struct app *app)
{
	struct sluice_app_down *down = app->room ? (void *)link_next(app->env.link) : NULL;

	if (!down)
		return NULL;
	app->room--;
	app_count(app, app_descriptors_down);
	*down = (struct sluice_app_down){0};
	return down;
}

/* A ring that stays full belongs to somebody who takes nothing. */
static void look_if_it_hangs(struct app *app, uint64_t now_us)
{
	uint64_t hang_us = (uint64_t)app->env.terms->hang_ms * 1000;

	if (app->room || !hang_us)
		app->full_since_us = 0;
	else if (!app->full_since_us)
		app->full_since_us = now_us;
	else if (now_us - app->full_since_us > hang_us)
		app_offend(app, hang, "took nothing from its ring for hang_ms");
}

/* Those that wait for memory stand in line behind those that do not. */
static void retry_dry(struct app *app)
{
	struct app_conn *conn;

	while ((conn = STAILQ_FIRST(&app->dry))) {
		STAILQ_REMOVE_HEAD(&app->dry, dry);
		conn->is_dry = false;
		conn_ready(conn);
	}
}

static void run_ready(struct app *app)
{
	struct app_conn *conn;

	while ((conn = STAILQ_FIRST(&app->ready))) {
		if (!conn_run(conn)) {
			app_count(app, app_rings_full);
			return;
		}
		/* It may have been the last to stand there, and stand there again. */
		STAILQ_REMOVE_HEAD(&app->ready, ready);
		conn->is_ready = false;
	}
}

static void turn(struct app *app, uint64_t now_us)
{
	app->room = link_room(app->env.link);
	look_if_it_hangs(app, now_us);
	request_poll(app, false);
	if (app->verdict)
		return;
	listen_tell(app);
	run_ready(app);
	send_tell_released(app);
}

void apps_poll(struct apps *apps, uint64_t now_us)
{
	bool retry = now_us >= apps->retry_us;
	struct app *app;

	apps->now_us = now_us;
	if (retry)
		apps->retry_us = UINT64_MAX;
	TAILQ_FOREACH (app, &apps->list, of_apps) {
		if (app->detached || app->verdict)
			continue;
		if (retry)
			retry_dry(app);
		turn(app, now_us);
	}
}

void apps_publish(struct apps *apps)
{
	struct app *app;

	TAILQ_FOREACH (app, &apps->list, of_apps) {
		if (app->detached)
			continue;
		link_publish(app->env.link);
		if (app->crowd)
			link_wake(app->env.link);
		app->crowd = false;
	}
}

static bool app_pending(const struct app *app)
{
	if (app->detached || app->verdict)
		return false;
	/* Without room nothing moves: it wakes us when it has taken some. */
	return app->room && (link_pending(app->env.link) || !STAILQ_EMPTY(&app->ready) ||
			     ledger_release_due(&app->holder));
}

bool apps_pending(const struct apps *apps)
{
	const struct app *app;

	TAILQ_FOREACH (app, &apps->list, of_apps) {
		if (app_pending(app))
			return true;
	}
	return false;
}

uint64_t apps_next_us(const struct apps *apps)
{
	return apps->retry_us;
}

void apps_sleep(struct apps *apps, bool sleeps)
{
	struct app *app;

	TAILQ_FOREACH (app, &apps->list, of_apps) {
		if (!app->detached)
			link_sleep(app->env.link, sleeps);
	}
}

void apps_drain(struct apps *apps)
{
	struct app *app;

	apps->draining = true;
	TAILQ_FOREACH (app, &apps->list, of_apps) {
		if (!app->detached)
			listen_drain(app);
	}
}
