/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/proxy/proxy.h"

/* $0 is the whole path (of a pattern: what it matched); $1 … the groups of a pattern, or what
 * follows a prefix. */
static void capture(const struct path_rule *rule, struct template_source *source)
{
	source->capture[0] = source->from.path;
	for (unsigned i = 1; i < PATTERN_CAPTURES; ++i)
		source->capture[i] = sluice_str("");
	if (rule->kind == PATH_PREFIX)
		source->capture[1] = (struct sluice_str){source->from.path.ptr + rule->text.len,
							 source->from.path.len - rule->text.len};
	for (unsigned i = 0; rule->kind == PATH_PATTERN && i < PATTERN_CAPTURES; ++i)
		source->capture[i] = pattern_capture(rule->pattern, i);
}

/* Patterns share the room for what they capture: that of the path is made last. */
static enum pattern_result match(const struct proxy_route *route,
				 const struct template_source *source)
{
	const struct request_rule *rule = &route->rule;
	enum pattern_result result = request_rule_match(rule, source->from.x, source->from.path);

	if (result == PATTERN_YES && (rule->headers_count > 0 || rule->target))
		return path_rule_match(&rule->path, source->from.path);
	return result;
}

enum pattern_result proxy_find_route(const struct proxy *proxy, struct template_source *source,
				     const struct proxy_route **out)
{
	for (unsigned i = 0; i < proxy->routes_count; ++i) {
		const struct proxy_route *route = &proxy->routes[i];
		enum pattern_result result = match(route, source);

		if (result == PATTERN_NO)
			continue;
		if (result == PATTERN_YES)
			capture(&route->rule.path, source);
		*out = route;
		return result;
	}
	return PATTERN_NO;
}
