/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/cpus.h"
#include "dataplane/daemon.h"
#include "dataplane/log.h"
#include "dataplane/show.h"
#include "dataplane/tell.h"
#include "dataplane/upstreams.h"
#include "mgmt/ctl/ctl.h"
#include "mgmt/systemd/sd.h"

void command_join(const struct conf_errors *errors, char *out, size_t size)
{
	size_t used = 0;

	for (unsigned i = 0; i < errors->count && i < CONF_ERRORS_MAX && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? "\n" : "",
					 errors->text[i]);
}

/* --- reload ------------------------------------------------------------------------------ */

static int load_and_deploy(struct daemon *d, struct conf_errors *errors)
{
	struct conf *conf;
	int rc = conf_load(d->conf_path, &conf, errors);

	if (rc)
		return rc;
	rc = cpus_check(conf, errors);
	if (!rc)
		return deploy(d, conf, errors);
	conf_free(conf);
	return rc;
}

int command_reload(struct daemon *d, struct conf_errors *errors)
{
	int rc;

	if (d->state != DAEMON_RUNNING)
		return -EBUSY;
	sd_tell_reloading();
	rc = load_and_deploy(d, errors);
	for (unsigned i = 0; i < errors->count && i < CONF_ERRORS_MAX; i++)
		log_error("%s", errors->text[i]);
	tell_ready(d, rc ? "; the last reload was refused" : "");
	return rc;
}

static int run_reload(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		      size_t size)
{
	struct daemon *d = ctx;
	struct conf_errors errors = {0};
	int rc = command_reload(d, &errors);

	(void)request;
	command_join(&errors, error, size);
	conf_errors_clear(&errors);
	if (rc == -EBUSY)
		snprintf(error, size, "the daemon is draining");
	if (!rc)
		*data = json_pack("{s:i}", "config_version", (int)d->release->version);
	return rc;
}

/* --- function ---------------------------------------------------------------------------- */

/* The number of the function that is named, or -ENOENT. */
static int named_function(const struct daemon *d, const struct ctl_request *request, char *error,
			  size_t size)
{
	const char *name = json_string_value(json_object_get(request->args, "name"));
	int id = name ? functions_find(d, name) : -1;

	if (id >= 0)
		return id;
	snprintf(error, size, "there is no function \"%s\"", name ? name : "");
	return -ENOENT;
}

static int run_restart(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		       size_t size)
{
	int id = named_function(ctx, request, error, size);

	(void)data;
	return id < 0 ? id : change_restart(ctx, (uint16_t)id, request->token, error, size);
}

static int run_upgrade(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		       size_t size)
{
	const char *plugin = json_string_value(json_object_get(request->args, "plugin"));
	int id = named_function(ctx, request, error, size);

	(void)data;
	return id < 0 ? id : change_upgrade(ctx, (uint16_t)id, plugin, request->token, error, size);
}

static int run_scale(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		     size_t size)
{
	json_int_t n = json_integer_value(json_object_get(request->args, "instances"));
	int id = named_function(ctx, request, error, size);

	(void)data;
	if (id < 0)
		return id;
	if (n < 1 || n > CONF_INSTANCES_MAX) {
		snprintf(error, size, "instances may be 1 to %d", CONF_INSTANCES_MAX);
		return -EINVAL;
	}
	return change_scale(ctx, (uint16_t)id, (unsigned)n, request->token, error, size);
}

static int run_drain(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		     size_t size)
{
	int id = named_function(ctx, request, error, size);

	(void)data;
	return id < 0 ? id : change_drain(ctx, (uint16_t)id, request->token, error, size);
}

static int run_tell(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		    size_t size)
{
	return function_tell(ctx, request, data, error, size);
}

/* --- show -------------------------------------------------------------------------------- */

static json_t *stats(struct daemon *d, const struct ctl_request *request)
{
	const char *prefix = json_string_value(json_object_get(request->args, "prefix"));

	return show_stats(d, prefix ? prefix : "");
}

static json_t *upstreams(struct daemon *d, const struct ctl_request *request)
{
	return show_upstreams(d, json_string_value(json_object_get(request->args, "group")));
}

#define SHOW(what)                                                               \
	static json_t *what(struct daemon *d, const struct ctl_request *request) \
	{                                                                        \
		(void)request;                                                   \
		return show_##what(d);                                           \
	}
SHOW(status)
SHOW(ports)
SHOW(chains)
SHOW(functions)
SHOW(applications)
SHOW(flows)
SHOW(buffers)
SHOW(cycles)
SHOW(errors)
#undef SHOW

static const struct {
	const char *what;
	json_t *(*show)(struct daemon *d, const struct ctl_request *request);
} shows[] = {
	{"status", status},
	{"ports", ports},
	{"chains", chains},
	{"functions", functions},
	{"applications", applications},
	{"flows", flows},
	{"upstreams", upstreams},
	{"stats", stats},
	{"buffers", buffers},
	{"cycles", cycles},
	{"errors", errors},
};

static int run_show(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		    size_t size)
{
	for (unsigned i = 0; i < sizeof(shows) / sizeof(shows[0]); i++) {
		if (strcmp(shows[i].what, request->what))
			continue;
		*data = shows[i].show(ctx, request);
		return *data ? 0 : -ENOMEM;
	}
	snprintf(error, size,
		 "show what? status, ports, chains, functions, applications, flows, upstreams, "
		 "stats, buffers, cycles or errors");
	return -EINVAL;
}

/* ----------------------------------------------------------------------------------------- */

static const struct ctl_command commands[] = {
	{"show", NULL, run_show},
	{"reload", NULL, run_reload},
	{"function", "restart", run_restart},
	{"function", "upgrade", run_upgrade},
	{"function", "scale", run_scale},
	{"function", "drain", run_drain},
	{"function", "tell", run_tell},
	{"upstream", "up", upstreams_run_up},
	{"upstream", "down", upstreams_run_down},
	{"upstream", "drain", upstreams_run_drain},
	{"upstream", "weight", upstreams_run_weight},
	{NULL, NULL, NULL},
};

int command_listen(struct daemon *d, const struct conf *conf, char *error, size_t error_size)
{
	return ctl_create(conf->daemon.run_dir, commands, d, error, error_size, &d->ctl);
}
