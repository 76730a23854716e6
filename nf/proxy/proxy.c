/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/proxy/proxy.h"

#include <errno.h>
#include <stdlib.h>

/* What the response has to know of its request. */
struct context {
	const struct proxy_route *route; /* NULL: none was taken */
};

static enum sluice_verdict edit_failed(struct proxy *proxy, struct sluice_exchange *x, int err)
{
	++*proxy->counters.edit_errors;
	return proxy_error(proxy, x, err == -ENOSPC ? 431 : 500);
}

static enum sluice_verdict send(struct proxy *proxy, struct sluice_exchange *x,
				const struct proxy_route *route)
{
	struct context *context = sluice_ctx(x);

	++*proxy->counters.routed;
	context->route = route;
	sluice_route(x, route->group);
	sluice_how(x, &route->how);
	return SLUICE_PASS;
}

static enum sluice_verdict follow(struct proxy *proxy, const struct proxy_route *route,
				  const struct template_source *source)
{
	int err;

	if (route->redirects)
		return proxy_redirect(proxy, route, source);
	err = proxy_tell(proxy, source->from.x);
	if (!err)
		err = proxy_edit(proxy, &route->request, source);
	if (!err)
		err = proxy_rewrite(proxy, route, source);
	if (err)
		return edit_failed(proxy, source->from.x, err);
	proxy_keep(proxy, source->from.x, route);
	return send(proxy, source->from.x, route);
}

static enum sluice_verdict proxy_request(struct sluice_exchange *x)
{
	struct proxy *proxy = sluice_data(sluice_of(x));
	struct template_source source = {.from = {.x = x}};
	const struct proxy_route *route = proxy_recall(proxy, x);
	enum sluice_verdict verdict;

	++*proxy->counters.requests;
	if (route)
		return send(proxy, x, route);
	if (proxy_answers(proxy, x, &verdict))
		return verdict;
	source.from.path = path_canonical(sluice_path(x), &proxy->path_room);
	switch (proxy_find_route(proxy, &source, &route)) {
	case PATTERN_YES:
		return follow(proxy, route, &source);
	case PATTERN_LIMIT:
		++*proxy->counters.match_limits;
		return proxy_error(proxy, x, 500);
	case PATTERN_NO:
		break;
	}
	++*proxy->counters.no_route;
	return proxy_error(proxy, x, 404);
}

static enum sluice_verdict proxy_response(struct sluice_exchange *x)
{
	struct proxy *proxy = sluice_data(sluice_of(x));
	const struct context *context = sluice_ctx(x);
	struct template_source source = {.from = {.x = x}};
	enum sluice_verdict verdict;
	int err;

	if (proxy_page(proxy, x, &verdict))
		return verdict;
	err = proxy_via(proxy, x);
	if (!err && context->route)
		err = proxy_edit(proxy, &context->route->response, &source);
	if (err)
		++*proxy->counters.edit_errors;
	return SLUICE_PASS;
}

static void proxy_free(struct proxy *proxy)
{
	patterns_destroy(proxy->patterns);
	pool_free(&proxy->pool);
	free(proxy);
}

static int proxy_init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	struct proxy *proxy = calloc(1, sizeof(*proxy));
	int err;

	if (!proxy)
		return -ENOMEM;
	err = proxy_read(proxy, nf, config);
	if (err) {
		proxy_free(proxy);
		return err;
	}
	patterns_report(proxy->patterns, nf);
	sluice_set_data(nf, proxy);
	return 0;
}

static void proxy_fini(struct sluice_nf *nf)
{
	proxy_free(sluice_data(nf));
}

static const struct sluice_nf_hooks proxy_hooks = {
	SLUICE_HOOKS,
	.name = "proxy",
	.summary = "routes requests and connections to upstream groups",
	.ctx_bytes = sizeof(struct context),
	.init = proxy_init,
	.fini = proxy_fini,
	.request_head = proxy_request,
	.response_head = proxy_response,
	.open = proxy_open,
};
SLUICE_FUNCTION(proxy_hooks);
