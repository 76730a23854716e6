/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "chain/app/internal.h"

#define NO_BLOCK UINT32_MAX

int app_create(const struct app_link *link, struct app **out)
{
	struct ledger_conf conf = {.leases = link->terms->leases,
				   .leases_each = link->terms->leases};
	struct app *app = calloc(1, sizeof(*app));

	if (!app)
		return -ENOMEM;
	app->env = *link;
	app->block_free = NO_BLOCK;
	STAILQ_INIT(&app->ready);
	STAILQ_INIT(&app->dry);
	SLIST_INIT(&app->conns_free);
	app->conn = calloc(link->terms->conns, sizeof(*app->conn));
	app->block = calloc(link->terms->blocks, sizeof(*app->block));
	if (!app->conn || !app->block || ledger_create(&conf, &app->ledger)) {
		app_destroy(app);
		return -ENOMEM;
	}
	ledger_holder_open(app->ledger, &app->holder);
	*out = app;
	return 0;
}

void app_destroy(struct app *app)
{
	if (!app)
		return;
	if (app->apps)
		TAILQ_REMOVE(&app->apps->list, app, of_apps);
	ledger_destroy(app->ledger);
	free(app->conn);
	free(app->block);
	free(app);
}

void apps_attach(struct apps *apps, struct app *app)
{
	app->apps = apps;
	ledger_settle(app->ledger, apps->env.home);
	TAILQ_INSERT_TAIL(&apps->list, app, of_apps);
}

/* What it said before it ended holds, unless it was a lie: what it had closed is finished. */
void apps_detach(struct app *app)
{
	if (app->detached || !app->apps)
		return;
	if (!app->verdict)
		request_poll(app, true);
	app->detached = true;
	for (uint32_t i = 0; i < SLUICE_APP_LISTENERS_MAX; i++)
		if (app->listener[i].tcp)
			listen_close(app, i);
	for (uint32_t i = 0; i < app->conns_fresh; i++)
		conn_end(&app->conn[i]);
	ledger_holder_close(&app->holder);
}

uint32_t app_leases(const struct app *app)
{
	struct ledger_counts counts;

	ledger_counts(app->ledger, &counts);
	return counts.leases;
}

const char *app_verdict(const struct app *app)
{
	return app->verdict;
}

/* --- offences ---------------------------------------------------------------------------- */

static void error_add(struct apps *apps, const char *name, const char *text)
{
	struct app_error_info *last = &apps->error[(apps->errors - 1) % APP_ERRORS_MAX];

	if (!apps->errors || strcmp(last->name, name) || strcmp(last->text, text)) {
		last = &apps->error[apps->errors++ % APP_ERRORS_MAX];
		*last = (struct app_error_info){0};
		snprintf(last->name, sizeof(last->name), "%s", name);
		snprintf(last->text, sizeof(last->text), "%s", text);
	}
	last->at_us = apps->now_us;
	last->count++;
}

void app_offence(struct app *app, uint64_t *counter, const char *text)
{
	(*counter)++;
	app_count(app, app_offences);
	error_add(app->apps, app->env.terms->name, text);
	if (app->verdict)
		return;
	app->verdict = text;
	/* The control thread ends it. Should it not be told, it looks by itself, a little later. */
	eventfd_write(app->apps->env.alarm_fd, 1);
}
