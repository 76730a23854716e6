/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions that change while they run: other processes, another plugin, more or fewer of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "chain/supervise/supervise.h"
#include "dataplane/clock.h"
#include "dataplane/daemon.h"
#include "dataplane/log.h"
#include "mgmt/ctl/ctl.h"

/* A function as the configuration has it, but for its plugin. */
struct upgrade {
	struct upgrade *next;
	struct conf_function conf;
	char *plugin, *path;
};

struct answer {
	struct answer *next;
	uint64_t token;
	char error[CTL_ERROR_MAX]; /* "": it went well */
};

static bool is_inline(const struct function *f)
{
	return f->conf->placement == CONF_INLINE;
}

/* --- definitions ------------------------------------------------------------------------- */

static void upgrade_free(struct upgrade *u)
{
	free(u->plugin);
	free(u->path);
	free(u);
}

static const struct conf_function *upgrade_make(struct function *f, const char *plugin,
						const char *path)
{
	struct upgrade *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	*u = (struct upgrade){.next = f->upgrades,
			      .conf = *f->conf,
			      .plugin = strdup(plugin),
			      .path = strdup(path)};
	if (!u->plugin || !u->path) {
		upgrade_free(u);
		return NULL;
	}
	u->conf.plugin = u->plugin;
	u->conf.plugin_path = u->path;
	f->upgrades = u;
	return &u->conf;
}

void change_forget(struct function *f)
{
	struct upgrade *u;

	while ((u = f->upgrades)) {
		f->upgrades = u->next;
		upgrade_free(u);
	}
	free(f->answer);
}

struct search {
	const struct upgrade *upgrade;
	bool found;
};

static void look_for_user(void *ctx, const struct instance_info *instance)
{
	struct search *search = ctx;

	search->found = search->found || instance->plugin == search->upgrade->plugin;
}

static bool upgrade_in_use(const struct daemon *d, const struct function *f,
			   const struct upgrade *u)
{
	struct search search = {.upgrade = u, .found = f->conf == &u->conf || f->next == &u->conf};

	supervisor_each(d->supervisor, look_for_user, &search);
	inline_each(d, look_for_user, &search);
	return search.found;
}

static void upgrades_sweep(const struct daemon *d, struct function *f)
{
	struct upgrade **at = &f->upgrades, *u;

	while ((u = *at)) {
		if (upgrade_in_use(d, f, u)) {
			at = &u->next;
			continue;
		}
		*at = u->next;
		upgrade_free(u);
	}
}

/* --- beginnings -------------------------------------------------------------------------- */

static int refuse(char *error, size_t size, const struct function *f, const char *why)
{
	snprintf(error, size, "function \"%s\" %s", f->conf->name, why);
	return -EINVAL;
}

/* The answer comes when the supervisor says that it is over. */
static int later(struct function *f, int rc, uint64_t token, char *error, size_t size)
{
	if (rc == -EBUSY)
		snprintf(error, size, "function \"%s\" is being changed", f->conf->name);
	if (rc)
		return rc;
	f->answer = calloc(1, sizeof(*f->answer));
	if (!f->answer)
		return -ENOMEM;
	f->answer->token = token;
	return CTL_LATER;
}

static int renew_inline(struct daemon *d, uint16_t id, const struct conf_function *to, char *error,
			size_t size)
{
	struct conf_errors errors = {0};
	int rc = inline_restart(d, id, to, &errors);

	command_join(&errors, error, size);
	conf_errors_clear(&errors);
	if (!rc)
		d->functions[id].conf = to;
	return rc;
}

/* New processes, by `to`, at all places that it has or is to have again. */
static int renew(struct daemon *d, uint16_t id, const struct conf_function *to, uint64_t token,
		 char *error, size_t size)
{
	struct function *f = &d->functions[id];
	unsigned places = f->given ? f->given : f->least;
	int rc;

	if (is_inline(f))
		return renew_inline(d, id, to, error, size);
	rc = supervisor_upgrade(d->supervisor, id, to, places, clock_monotonic_us());
	if (!rc) {
		f->next = to;
		f->given = places;
		f->places = f->places ? f->places : places;
	}
	return later(f, rc, token, error, size);
}

int change_restart(struct daemon *d, uint16_t id, uint64_t token, char *error, size_t size)
{
	return renew(d, id, d->functions[id].conf, token, error, size);
}

/* The one that it has is in memory already, by its name: a file that replaced it is not seen. */
static int check_other_file(const struct function *f, const char *path, char *error, size_t size)
{
	if (!is_inline(f) || strcmp(path, f->conf->plugin_path))
		return 0;
	return refuse(error, size, f, "runs inline: its new plugin must have another path");
}

int change_upgrade(struct daemon *d, uint16_t id, const char *plugin, uint64_t token, char *error,
		   size_t size)
{
	struct function *f = &d->functions[id];
	const struct conf_function *to;
	char path[4096];
	int rc;

	snprintf(path, sizeof(path), "%s", f->conf->plugin_path);
	rc = plugin ? conf_plugin_find(daemon_conf(d), plugin, path, sizeof(path), error, size) : 0;
	if (!rc)
		rc = check_other_file(f, path, error, size);
	if (rc)
		return rc;
	to = plugin ? upgrade_make(f, plugin, path) : f->conf;
	return to ? renew(d, id, to, token, error, size) : -ENOMEM;
}

static int set_places(struct daemon *d, uint16_t id, unsigned places)
{
	struct function *f = &d->functions[id];
	int rc = supervisor_scale(d->supervisor, id, f->conf, places, clock_monotonic_us());

	if (!rc)
		f->places = f->given = places;
	return rc;
}

int change_scale(struct daemon *d, uint16_t id, unsigned places, uint64_t token, char *error,
		 size_t size)
{
	struct function *f = &d->functions[id];

	if (is_inline(f))
		return refuse(error, size, f, "runs inline: it is in every worker, once");
	if (f->most > f->least)
		return refuse(error, size, f,
			      "has instances = { min; max; }: their number follows the queue");
	return later(f, set_places(d, id, places), token, error, size);
}

int change_drain(struct daemon *d, uint16_t id, uint64_t token, char *error, size_t size)
{
	struct function *f = &d->functions[id];

	if (is_inline(f))
		return refuse(error, size, f, "runs inline: it has no processes to drain");
	if (f->conf->on_failure == CONF_FAIL_RETRY)
		return refuse(error, size, f,
			      "has on_failure = \"retry\": exchanges would wait for it");
	return later(f, set_places(d, id, 0), token, error, size);
}

/* --- ends -------------------------------------------------------------------------------- */

struct places {
	uint16_t function;
	unsigned count;
};

static void count_place(void *ctx, const struct instance_info *instance)
{
	struct places *places = ctx;

	if (instance->function == places->function && instance->state != INSTANCE_DRAINING &&
	    instance->state != INSTANCE_STOPPING)
		places->count++;
}

/* It has what it had before: that is what it is to have. */
static void note_places(struct daemon *d, uint16_t id)
{
	struct places places = {.function = id};

	supervisor_each(d->supervisor, count_place, &places);
	d->functions[id].places = d->functions[id].given = places.count;
}

void change_over(void *ctx, uint16_t id, const struct conf_errors *errors)
{
	struct daemon *d = ctx;
	struct function *f = &d->functions[id];
	struct answer *answer = f->answer;

	for (unsigned i = 0; i < errors->count && i < CONF_ERRORS_MAX; i++)
		log_error("%s", errors->text[i]);
	if (errors->count)
		note_places(d, id);
	else if (f->next)
		f->conf = f->next;
	f->next = NULL;
	f->answer = NULL;
	if (!answer)
		return;
	command_join(errors, answer->error, sizeof(answer->error));
	answer->next = d->answers;
	d->answers = answer;
}

void changes_answer(struct daemon *d)
{
	struct answer *answer;

	while ((answer = d->answers)) {
		d->answers = answer->next;
		if (ctl_finish(d->ctl, answer->token, NULL,
			       answer->error[0] ? answer->error : NULL))
			log_info("who asked for a change has gone before its end");
		free(answer);
	}
}

/* --- numbers ----------------------------------------------------------------------------- */

void change_numbers(struct daemon *d, uint16_t id, const struct conf_function *conf)
{
	struct function *f = &d->functions[id];

	if (is_inline(f))
		return;
	f->least = conf->instances;
	f->most = conf->instances_max;
	f->places = RTE_MAX(f->places, f->least);
	f->places = RTE_MIN(f->places, f->most);
}

struct queues {
	const struct daemon *d;
	uint64_t queued[ENGINE_FUNCTIONS_MAX];
};

static void count_queued(void *ctx, const struct instance_info *instance)
{
	struct queues *q = ctx;

	if (instance->state != INSTANCE_UP)
		return;
	for (unsigned w = 0; w < q->d->set.count; w++)
		q->queued[instance->function] += link_depth(instance->link[w]);
}

static bool follows(const struct function *f)
{
	return functions_in_use(f) && f->most > f->least && f->places;
}

static void follow_queues(struct daemon *d)
{
	struct queues q = {.d = d};
	uint64_t now_us = clock_monotonic_us();

	supervisor_each(d->supervisor, count_queued, &q);
	for (unsigned id = 0; id < ENGINE_FUNCTIONS_MAX; id++) {
		struct function *f = &d->functions[id];
		unsigned places;

		if (!follows(f))
			continue;
		places =
			follow_step(&f->follow, f->places, f->least, f->most, q.queued[id], now_us);
		if (!supervisor_changing(d->supervisor, (uint16_t)id))
			f->places = places;
	}
}

static bool any_follows(const struct daemon *d)
{
	for (unsigned id = 0; id < ENGINE_FUNCTIONS_MAX; id++)
		if (follows(&d->functions[id]))
			return true;
	return false;
}

/* What was decided while another change was under way, or by the queue. */
static void catch_up(struct daemon *d, uint16_t id)
{
	struct function *f = &d->functions[id];

	if (!functions_in_use(f) || f->places == f->given || is_inline(f) ||
	    supervisor_changing(d->supervisor, id) || !set_places(d, id, f->places))
		return;
	log_warn("function \"%s\" cannot have %u processes", f->conf->name, f->places);
	f->places = f->given;
}

void changes_tick(struct daemon *d)
{
	if (any_follows(d))
		follow_queues(d);
	for (unsigned id = 0; id < ENGINE_FUNCTIONS_MAX; id++) {
		catch_up(d, (uint16_t)id);
		if (d->functions[id].upgrades)
			upgrades_sweep(d, &d->functions[id]);
	}
}
