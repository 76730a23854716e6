/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/proxy/proxy.h"

#include <errno.h>
#include <string.h>

#include "nf/common/read.h"

#define MAX_LOOPS_DEFAULT       3
#define REDIRECT_STATUS_DEFAULT 302

/* The highest $N that the route's path gives. */
static unsigned captures(const struct path_rule *path)
{
	if (path->kind == PATH_PREFIX)
		return 1;
	if (path->kind != PATH_PATTERN)
		return 0;
	return pattern_groups(path->pattern) < PATTERN_CAPTURES ? pattern_groups(path->pattern)
								: PATTERN_CAPTURES - 1;
}

/* What texts made of a request may name. */
static struct template_scope scope_of(unsigned groups)
{
	return (struct template_scope){
		.matched_by = "path", .captures = groups, .stage = STAGE_REQUEST};
}

/* The value of a response field is plain text: what the request matched is no longer known. */
static int compile_value(struct proxy *proxy, const struct field_pair *pair, enum field_use use,
			 unsigned groups, struct template *out)
{
	struct template_scope scope = scope_of(groups);

	if (use == FIELD_SET_IN_REQUEST)
		return template_compile(&proxy->pool, pair->where, pair->value, &scope, out);
	return template_plain(&proxy->pool, pair->value, out);
}

static int read_sets(struct proxy *proxy, const struct sluice_conf *group, enum field_use use,
		     unsigned groups, struct proxy_edits *out)
{
	struct field_pairs pairs;
	int err = field_pairs_read(&proxy->pool, group, "set_headers", use, &pairs);

	if (err)
		return err;
	out->set = pool_alloc(&proxy->pool, pairs.count, sizeof(*out->set));
	if (!out->set)
		return -ENOMEM;
	out->set_count = pairs.count;
	for (unsigned i = 0; i < pairs.count; ++i) {
		out->set[i].name = pairs.pair[i].name;
		if (compile_value(proxy, &pairs.pair[i], use, groups, &out->set[i].value))
			err = -EINVAL;
	}
	return err;
}

static int read_edits(struct proxy *proxy, const struct sluice_conf *route, const char *key,
		      enum field_use use, unsigned groups, struct proxy_edits *out)
{
	const struct sluice_conf *group = sluice_conf_group(route, key);
	int err;

	if (!group)
		return 0;
	err = read_sets(proxy, group, use, groups, out);
	if (field_names_read(&proxy->pool, group, "remove_headers", FIELD_REMOVE, &out->remove))
		err = -EINVAL;
	return err;
}

static int read_upstream(struct sluice_nf *nf, const struct sluice_conf *group, uint16_t *out)
{
	const char *name;
	int err = sluice_conf_string(group, "upstream", NULL, &name), found;

	if (err)
		return err;
	found = sluice_group_find(nf, name);
	if (found < 0)
		return sluice_conf_error(group, "upstream \"%s\" is not defined", name);
	*out = (uint16_t)found;
	return 0;
}

static int read_redirect_status(const struct sluice_conf *redirect, uint16_t *out)
{
	uint32_t status;
	int err = read_number(redirect, "status", REDIRECT_STATUS_DEFAULT, 301, 308, &status);

	*out = (uint16_t)status;
	if (!err && status >= 304 && status <= 306)
		err = sluice_conf_error(redirect, "status: %u is not a redirection", status);
	return err;
}

static int read_redirect(struct proxy *proxy, const struct sluice_conf *group,
			 struct proxy_route *route)
{
	const struct sluice_conf *redirect = sluice_conf_group(group, "redirect");
	struct template_scope scope = scope_of(captures(&route->rule.path));
	const char *to;
	int err;

	if (!redirect)
		return -EINVAL;
	route->redirects = true;
	err = read_redirect_status(redirect, &route->redirect_status);
	if (sluice_conf_string(redirect, "to", NULL, &to))
		return -EINVAL;
	if (!to || !read_is_value(to) || *to == '\0')
		return sluice_conf_error(redirect, "a redirect needs to = \"…\"");
	if (template_compile(&proxy->pool, redirect, to, &scope, &route->redirect_to))
		return -EINVAL;
	return err;
}

static int read_rewrite(struct proxy *proxy, const struct sluice_conf *group,
			struct proxy_route *route)
{
	struct template_scope scope = scope_of(captures(&route->rule.path));
	const char *text;
	int err = sluice_conf_string(group, "rewrite", NULL, &text);

	if (err || !text)
		return err;
	if (text[0] != '/' && text[0] != '$')
		return sluice_conf_error(group, "rewrite: \"%s\" does not begin with /", text);
	for (const char *p = text; *p != '\0'; ++p)
		if (*p <= ' ' || *p == 0x7f || *p == '#')
			return sluice_conf_error(group, "rewrite: \"%s\" is not fit for a request",
						 text);
	route->rewrites = true;
	return template_compile(&proxy->pool, group, text, &scope, &route->rewrite);
}

static int read_match(struct proxy *proxy, const struct sluice_conf *group,
		      struct proxy_route *route)
{
	return request_rule_read(&proxy->pool, proxy->patterns, group, &route->rule);
}

static int read_changes(struct proxy *proxy, const struct sluice_conf *group,
			struct proxy_route *route)
{
	unsigned groups = captures(&route->rule.path);
	int errors = 0;

	errors |= read_rewrite(proxy, group, route);
	errors |=
		read_edits(proxy, group, "request", FIELD_SET_IN_REQUEST, groups, &route->request);
	errors |= read_edits(proxy, group, "response", FIELD_SET_IN_RESPONSE, 0, &route->response);
	return errors ? -EINVAL : 0;
}

static bool sets_are_steady(const struct proxy_edits *edits)
{
	for (unsigned i = 0; i < edits->set_count; ++i)
		if (!template_is_steady(&edits->set[i].value))
			return false;
	return true;
}

static bool is_steady(const struct proxy_route *route)
{
	return sets_are_steady(&route->request) &&
	       (!route->rewrites || template_is_steady(&route->rewrite));
}

static int read_route(struct proxy *proxy, struct sluice_nf *nf, const struct sluice_conf *group,
		      struct proxy_route *route)
{
	bool redirects = sluice_conf_has(group, "redirect");
	int err = read_match(proxy, group, route);

	/* What follows counts the path's groups. */
	if (err)
		return err;
	if (redirects == sluice_conf_has(group, "upstream"))
		return sluice_conf_error(group, "a route needs either upstream or redirect");
	if (redirects)
		return read_redirect(proxy, group, route);
	err = read_upstream(nf, group, &route->group);
	if (proxy_read_how(group, &route->how))
		err = -EINVAL;
	if (read_changes(proxy, group, route))
		err = -EINVAL;
	route->steady = !err && is_steady(route);
	return err;
}

/* All requests go to the group that connections go to. */
static int one_route(struct proxy *proxy)
{
	proxy->routes = pool_alloc(&proxy->pool, 1, sizeof(*proxy->routes));
	if (!proxy->routes)
		return -ENOMEM;
	proxy->routes[0].group = proxy->upstream;
	proxy->routes[0].rule.from_any = true;
	proxy->routes[0].how.retries = SLUICE_RETRIES_OF_GROUP;
	proxy->routes[0].steady = true;
	proxy->routes_count = 1;
	return 0;
}

static int read_connections(struct proxy *proxy, struct sluice_nf *nf,
			    const struct sluice_conf *config)
{
	static const char *const accept[] = {"never", "trusted", "always", NULL};
	static const char *const send[] = {"none", "v1", "v2", NULL};
	unsigned on_accept = 0, on_send = 0;
	int errors = 0;

	proxy->upstream = SLUICE_NONE16;
	if (sluice_conf_has(config, "upstream"))
		errors |= read_upstream(nf, config, &proxy->upstream);
	errors |= read_choice(config, "accept_proxy", accept, PROXY_ACCEPT_NEVER, &on_accept);
	errors |= read_choice(config, "send_proxy", send, HEADER_NONE, &on_send);
	proxy->accept = (enum proxy_accept)on_accept;
	proxy->send = (enum header_version)on_send;
	return errors ? -EINVAL : 0;
}

static int read_routes(struct proxy *proxy, struct sluice_nf *nf, const struct sluice_conf *config)
{
	const struct sluice_conf *list = sluice_conf_list(config, "routes");
	int err = 0;

	if (!sluice_conf_has(config, "routes") && sluice_conf_has(config, "upstream"))
		return one_route(proxy);
	if (!sluice_conf_has(config, "routes"))
		return sluice_conf_error(config, "routes is missing");
	if (!list)
		return -EINVAL;
	proxy->routes_count = sluice_conf_length(list);
	proxy->routes = pool_alloc(&proxy->pool, proxy->routes_count, sizeof(*proxy->routes));
	if (!proxy->routes)
		return -ENOMEM;
	for (unsigned i = 0; i < proxy->routes_count; ++i) {
		const struct sluice_conf *group = sluice_conf_at(list, i);

		if (!group || read_route(proxy, nf, group, &proxy->routes[i]))
			err = -EINVAL;
	}
	return err;
}

static int read_via(struct proxy *proxy, const struct sluice_conf *config)
{
	int err = sluice_conf_string(config, "via", "sluice", &proxy->via);

	if (err)
		return err;
	/* RFC 9110 §7.6.3: a pseudonym is a token, or a host with its port. */
	if (strpbrk(proxy->via, " \t,;()\"\\") || !read_is_value(proxy->via))
		return sluice_conf_error(config, "via: \"%s\" is not a name for a proxy",
					 proxy->via);
	proxy->via_values[0] = pool_text(&proxy->pool, "1.0 %s", proxy->via);
	proxy->via_values[1] = pool_text(&proxy->pool, "1.1 %s", proxy->via);
	return proxy->via_values[0] && proxy->via_values[1] ? 0 : -ENOMEM;
}

static int read_settings(struct proxy *proxy, const struct sluice_conf *config,
			 uint32_t *match_limit)
{
	static const char *const trace[] = {"reject", "forward", NULL};
	unsigned on_trace;
	int errors = 0;

	errors |= read_via(proxy, config);
	errors |= networks_read(&proxy->pool, config, "trusted", &proxy->trusted);
	errors |= sluice_conf_bool(config, "x_forwarded", true, &proxy->x_forwarded);
	errors |= sluice_conf_bool(config, "forwarded", false, &proxy->forwarded);
	errors |= proxy_read_pages(proxy, config);
	errors |= read_choice(config, "trace", trace, 0, &on_trace);
	errors |= read_number(config, "max_loops", MAX_LOOPS_DEFAULT, 0, 1000, &proxy->max_loops);
	errors |= read_number(config, "match_limit", PATTERN_MATCH_LIMIT_DEFAULT, 1, UINT32_MAX,
			      match_limit);
	proxy->trace = on_trace == 1;
	return errors ? -EINVAL : 0;
}

static int read_counters(struct proxy_counters *c, struct sluice_nf *nf)
{
	c->requests = sluice_counter(nf, "requests", "request heads looked at");
	c->routed = sluice_counter(nf, "routed", "requests sent to an upstream group");
	c->redirected = sluice_counter(nf, "redirected", "requests answered with a redirect");
	c->no_route = sluice_counter(nf, "no_route", "requests without a route: 404");
	c->refused = sluice_counter(nf, "refused", "CONNECT and TRACE: 405");
	c->loops = sluice_counter(nf, "loops", "requests that came round again: 508");
	c->match_limits =
		sluice_counter(nf, "match_limits", "matches given up at match_limit: 500");
	c->pages = sluice_counter(nf, "pages", "errors answered with a page");
	c->edit_errors = sluice_counter(nf, "edit_errors", "heads that could not be changed");
	c->connections =
		sluice_counter(nf, "connections", "connections sent to the upstream group");
	c->headers_in = sluice_counter(nf, "headers_in", "PROXY headers taken from clients");
	c->headers_out = sluice_counter(nf, "headers_out", "PROXY headers sent to servers");
	c->headers_bad = sluice_counter(nf, "headers_bad",
					"connections refused: no PROXY header, or a wrong one");
	c->no_memory = sluice_counter(nf, "no_memory",
				      "connections refused: no memory for their PROXY header");
	return c->connections && c->headers_in && c->headers_out && c->headers_bad &&
			       c->no_memory && c->requests && c->routed && c->redirected &&
			       c->no_route && c->refused && c->loops && c->match_limits &&
			       c->edit_errors && c->pages
		       ? 0
		       : -ENOSPC;
}

int proxy_read(struct proxy *proxy, struct sluice_nf *nf, const struct sluice_conf *config)
{
	uint32_t match_limit;
	int bad = read_settings(proxy, config, &match_limit);
	int err = patterns_create(match_limit, &proxy->patterns);

	if (err)
		return err;
	err = read_counters(&proxy->counters, nf);
	if (err)
		return err;
	if (read_connections(proxy, nf, config))
		bad = -EINVAL;
	err = read_routes(proxy, nf, config);
	return bad ? bad : err;
}
