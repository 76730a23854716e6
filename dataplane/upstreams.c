/* SPDX-License-Identifier: BSD-3-Clause */
/* Upstream groups as the control thread sees them: what people say by hand, what DNS says. */
#include "dataplane/upstreams.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/upstream/upstream.h"
#include "dataplane/daemon.h"
#include "dataplane/log.h"
#include "dataplane/resolve.h"
#include "mgmt/ctl/ctl.h"

/* --- by hand -------------------------------------------------------------------------- */

static const char *text_of(const struct ctl_request *request, const char *key)
{
	const char *text = json_string_value(json_object_get(request->args, key));

	return text ? text : "";
}

/* The number of the server that is named, or -ENOENT. */
static int named_server(const struct daemon *d, const struct ctl_request *request, uint32_t *out,
			char *error, size_t size)
{
	const char *name = text_of(request, "name"), *server = text_of(request, "server");
	uint16_t group = upstreams_group_named(d->set.upstreams, name);
	struct endpoint endpoint;

	if (group == SLUICE_NONE16) {
		snprintf(error, size, "there is no upstream \"%s\"", name);
		return -ENOENT;
	}
	*out = UPSTREAM_NONE;
	if (!endpoint_parse(server, &endpoint))
		*out = upstreams_server_at(d->set.upstreams, group, &endpoint);
	if (*out != UPSTREAM_NONE)
		return 0;
	snprintf(error, size, "upstream \"%s\" has no server \"%s\"", name, server);
	return -ENOENT;
}

static int order(struct daemon *d, const struct ctl_request *request, enum upstream_order what,
		 char *error, size_t size)
{
	uint32_t server;
	int rc = named_server(d, request, &server, error, size);

	if (!rc)
		upstreams_order(d->set.upstreams, server, what);
	return rc;
}

int upstreams_run_up(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		     size_t size)
{
	(void)data;
	return order(ctx, request, UPSTREAM_TAKE_UP, error, size);
}

int upstreams_run_down(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		       size_t size)
{
	(void)data;
	return order(ctx, request, UPSTREAM_TAKE_DOWN, error, size);
}

int upstreams_run_drain(void *ctx, const struct ctl_request *request, json_t **data, char *error,
			size_t size)
{
	(void)data;
	return order(ctx, request, UPSTREAM_DRAIN, error, size);
}

int upstreams_run_weight(void *ctx, const struct ctl_request *request, json_t **data, char *error,
			 size_t size)
{
	json_int_t weight = json_integer_value(json_object_get(request->args, "weight"));
	struct daemon *d = ctx;
	uint32_t server;
	int rc;

	(void)data;
	if (weight < 1 || weight > 256) {
		snprintf(error, size, "a weight may be 1 to 256");
		return -EINVAL;
	}
	rc = named_server(d, request, &server, error, size);
	if (!rc)
		upstreams_weigh(d->set.upstreams, server, (uint32_t)weight);
	return rc;
}

/* --- names ---------------------------------------------------------------------------- */

static void name_take(const char *host, const struct addr *addresses, unsigned count, void *ctx)
{
	struct daemon *d = ctx;
	struct addr reached[UPSTREAM_ADDRESSES_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < count && n < UPSTREAM_ADDRESSES_MAX; i++)
		if (conf_reaches(daemon_conf(d), &addresses[i]))
			reached[n++] = addresses[i];
	if (!n)
		log_warn("no address of %s can be reached from here", host);
	if (upstreams_resolved(d->set.upstreams, host, reached, n) > 0)
		d->names_changed = true;
}

void upstreams_handle(struct daemon *d)
{
	resolver_take(d->resolver, name_take, d);
	if (!d->names_changed)
		return;
	d->names_changed = false;
	if (upstreams_apply(d->set.upstreams, daemon_conf(d), d->release->version))
		log_error("new addresses of servers could not be taken over");
}

void upstreams_committed(struct daemon *d)
{
	upstreams_forget_orders(d->set.upstreams);
	if (resolver_set(d->resolver, daemon_conf(d)))
		log_error("the names of servers cannot be looked for");
}
