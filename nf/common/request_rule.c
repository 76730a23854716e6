/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/request_rule.h"

#include <errno.h>

#include "nf/common/pool.h"

/* --- reading ---------------------------------------------------------------------- */

static int read_header(struct patterns *set, const struct sluice_conf *group,
		       struct request_field *out)
{
	const char *name;
	int err = sluice_conf_string(group, "name", NULL, &name);

	if (pattern_read(set, group, "match", 0, &out->match) || err)
		return -EINVAL;
	if (!name)
		return sluice_conf_error(group, "headers: name is missing");
	if (!read_is_token(name))
		return sluice_conf_error(group, "\"%s\" is not a field name", name);
	out->name = field_name_of(name);
	return 0;
}

static int read_headers(struct pool *pool, struct patterns *set, const struct sluice_conf *group,
			struct request_rule *rule)
{
	const struct sluice_conf *list = sluice_conf_list(group, "headers");
	unsigned n = list ? sluice_conf_length(list) : 0;
	int err = 0;

	rule->headers_count = n;
	rule->headers = pool_alloc(pool, n, sizeof(*rule->headers));
	if (!rule->headers)
		return -ENOMEM;
	for (unsigned i = 0; i < n; ++i) {
		const struct sluice_conf *element = sluice_conf_at(list, i);

		if (!element || read_header(set, element, &rule->headers[i]))
			err = -EINVAL;
	}
	return err;
}

int request_rule_read(struct pool *pool, struct patterns *set, const struct sluice_conf *group,
		      struct request_rule *out)
{
	static const struct path_rule_keys keys = {"path_exact", "path_prefix", "path"};
	int errors = 0;

	out->from_any = !sluice_conf_has(group, "from");
	errors |= networks_read(pool, group, "from", &out->from);
	errors |= methods_read(pool, group, "method", &out->methods);
	errors |= host_rule_read(set, group, "host", &out->host);
	errors |= path_rule_read(set, group, &keys, &out->path);
	errors |= pattern_read(set, group, "target", 0, &out->target);
	errors |= read_headers(pool, set, group, out);
	return errors ? -EINVAL : 0;
}

int request_rules_read(struct pool *pool, struct patterns *set, const struct sluice_conf *group,
		       const char *key, struct request_rules *out)
{
	const struct sluice_conf *list = sluice_conf_list(group, key);
	unsigned n = list ? sluice_conf_length(list) : 0;
	int err = 0;

	if (!list)
		return sluice_conf_has(group, key) ? -EINVAL : 0;
	out->rule = pool_alloc(pool, n, sizeof(*out->rule));
	if (!out->rule)
		return -ENOMEM;
	out->count = n;
	for (unsigned i = 0; i < n; ++i) {
		const struct sluice_conf *element = sluice_conf_at(list, i);

		if (!element || request_rule_read(pool, set, element, &out->rule[i]))
			err = -EINVAL;
	}
	return err;
}

/* --- matching --------------------------------------------------------------------- */

struct request {
	const struct sluice_exchange *x;
	struct sluice_str path;
};

typedef enum pattern_result condition(const struct request_rule *rule,
				      const struct request *request);

static enum pattern_result yes_if(bool holds)
{
	return holds ? PATTERN_YES : PATTERN_NO;
}

static enum pattern_result match_from(const struct request_rule *rule,
				      const struct request *request)
{
	return yes_if(rule->from_any ||
		      networks_contain(&rule->from, &sluice_head(request->x)->client));
}

static enum pattern_result match_method(const struct request_rule *rule,
					const struct request *request)
{
	return yes_if(methods_contain(&rule->methods, request->x));
}

static enum pattern_result match_host(const struct request_rule *rule,
				      const struct request *request)
{
	return host_rule_match(&rule->host, sluice_host(request->x));
}

static enum pattern_result match_path(const struct request_rule *rule,
				      const struct request *request)
{
	return path_rule_match(&rule->path, request->path);
}

static enum pattern_result match_target(const struct request_rule *rule,
					const struct request *request)
{
	if (!rule->target)
		return PATTERN_YES;
	return pattern_match(rule->target, sluice_target(request->x));
}

static enum pattern_result match_header(const struct request_field *header,
					const struct sluice_exchange *x)
{
	unsigned i = field_first(x, &header->name);

	if (!header->match)
		return yes_if(i != SLUICE_NONE16);
	for (; i != SLUICE_NONE16; i = field_after(x, &header->name, i)) {
		enum pattern_result result = pattern_match(header->match, sluice_field_value(x, i));

		if (result != PATTERN_NO)
			return result;
	}
	return PATTERN_NO;
}

static enum pattern_result match_headers(const struct request_rule *rule,
					 const struct request *request)
{
	for (unsigned i = 0; i < rule->headers_count; ++i) {
		enum pattern_result result = match_header(&rule->headers[i], request->x);

		if (result != PATTERN_YES)
			return result;
	}
	return PATTERN_YES;
}

enum pattern_result request_rule_match(const struct request_rule *rule,
				       const struct sluice_exchange *x, struct sluice_str path)
{
	/* The cheap ones first: they spare the others. */
	static condition *const conditions[] = {match_from, match_method, match_host,
						match_path, match_target, match_headers};
	struct request request = {x, path};

	for (unsigned i = 0; i < sizeof(conditions) / sizeof(conditions[0]); ++i) {
		enum pattern_result result = conditions[i](rule, &request);

		if (result != PATTERN_YES)
			return result;
	}
	return PATTERN_YES;
}

enum pattern_result request_rules_match(const struct request_rules *rules,
					const struct sluice_exchange *x, struct sluice_str path)
{
	enum pattern_result found = PATTERN_NO;

	for (unsigned i = 0; i < rules->count; ++i) {
		enum pattern_result result = request_rule_match(&rules->rule[i], x, path);

		if (result == PATTERN_YES)
			return result;
		found = result == PATTERN_LIMIT ? result : found;
	}
	return found;
}
