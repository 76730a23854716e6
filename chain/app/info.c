/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/app/internal.h"

void app_info(const struct app *app, struct app_info *out)
{
	*out = app->totals;
	out->conns = app->conns;
	out->listeners = app->listeners;
	out->blocks = app->blocks;
	out->leases = app_leases(app);
	out->blocks_total = app->env.terms->blocks;
	out->leases_total = app->env.terms->leases;
	out->depth = app->detached ? 0 : link_depth(app->env.link);
}

static void flows_of(const struct app *app, void (*fn)(void *ctx, const struct app_flow_info *info),
		     void *ctx)
{
	for (uint32_t i = 0; i < app->conns_fresh; i++) {
		const struct app_conn *conn = &app->conn[i];
		struct app_flow_info info = {
			.local = conn->local, .remote = conn->remote, .name = app->env.terms->name};

		if (conn->state != APP_CONN_FREE && conn->tcp)
			fn(ctx, &info);
	}
}

void apps_flows_each(const struct apps *apps,
		     void (*fn)(void *ctx, const struct app_flow_info *info), void *ctx)
{
	const struct app *app;

	TAILQ_FOREACH (app, &apps->list, of_apps) {
		if (!app->detached)
			flows_of(app, fn, ctx);
	}
}

void apps_errors_each(const struct apps *apps,
		      void (*fn)(void *ctx, const struct app_error_info *info), void *ctx)
{
	uint32_t kept = apps->errors < APP_ERRORS_MAX ? apps->errors : APP_ERRORS_MAX;

	for (uint32_t i = apps->errors - kept; i != apps->errors; i++)
		fn(ctx, &apps->error[i % APP_ERRORS_MAX]);
}
