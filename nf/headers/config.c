/* SPDX-License-Identifier: BSD-3-Clause */
#include "headers.h"

#include <errno.h>
#include <string.h>

#include "nf/common/read.h"

/* A list of rules that is being read. */
struct reading {
	struct headers *headers;
	enum field_use use;
	enum variable_stage stage;
};

static unsigned captures(const struct pattern *pattern)
{
	unsigned groups = pattern_groups(pattern);

	return groups < PATTERN_CAPTURES ? groups : PATTERN_CAPTURES - 1;
}

/* What texts may name; `pattern`: what $N are of, or NULL. */
static struct template_scope scope_of(const struct reading *reading, const struct pattern *pattern)
{
	return (struct template_scope){
		.matched_by = pattern ? "pattern" : NULL,
		.captures = pattern ? captures(pattern) : 0,
		.stage = reading->stage,
		.keep = reading->stage == STAGE_RESPONSE ? &reading->headers->keep : NULL,
		.has_id = true,
	};
}

/* --- what it does ----------------------------------------------------------------------- */

static int read_action(const struct sluice_conf *group, struct headers_rule *rule,
		       const char **name)
{
	static const char *const keys[] = {"set", "add", "default", "replace", "remove"};
	unsigned found = 0;

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); ++i) {
		if (!sluice_conf_has(group, keys[i]))
			continue;
		++found;
		rule->action = (enum headers_action)i;
		if (sluice_conf_string(group, keys[i], NULL, name))
			return -EINVAL;
	}
	if (found == 1)
		return 0;
	return sluice_conf_error(group,
				 "a rule needs one of set, add, default, replace and remove");
}

static int read_name(const struct reading *reading, const struct sluice_conf *group,
		     struct headers_rule *rule, const char *name)
{
	enum field_use use = rule->action == HEADERS_REMOVE ? FIELD_REMOVE : reading->use;
	size_t len = strlen(name);

	if (rule->action == HEADERS_REMOVE && len > 1 && name[len - 1] == '*') {
		name = pool_text(&reading->headers->pool, "%.*s", (int)len - 1, name);
		rule->prefix = true;
	}
	if (!name)
		return -ENOMEM;
	rule->name = field_name_of(name);
	if (rule->name.id == SLUICE_FIELD_HOST && rule->action != HEADERS_SET && !rule->prefix)
		return sluice_conf_error(group, "%s can only be set, and only in a request", name);
	if (!rule->prefix || !read_is_token(name))
		return field_check(group, name, use);
	return 0;
}

static int read_value(const struct reading *reading, const struct sluice_conf *group,
		      struct headers_rule *rule)
{
	const struct pattern *pattern = rule->values ? rule->values : rule->match.pattern;
	struct template_scope scope = scope_of(reading, pattern);
	const char *value;
	int err = sluice_conf_string(group, "value", NULL, &value);

	if (err)
		return err;
	if (rule->action == HEADERS_REMOVE)
		return value ? sluice_conf_error(group, "what is removed has no value") : 0;
	if (!value)
		return sluice_conf_error(group, "value is missing");
	if (!read_is_value(value))
		return sluice_conf_error(group, "the value of %s has control characters",
					 rule->name.name);
	return template_compile(&reading->headers->pool, group, value, &scope, &rule->value);
}

static int read_values(const struct reading *reading, const struct sluice_conf *group,
		       struct headers_rule *rule)
{
	if (rule->action != HEADERS_REPLACE)
		return 0;
	if (!sluice_conf_has(group, "values"))
		return sluice_conf_error(group, "replace needs values = \"PATTERN\"");
	return pattern_read(reading->headers->patterns, group, "values", 0, &rule->values);
}

/* --- when ------------------------------------------------------------------------------- */

static int read_match(const struct reading *reading, const struct sluice_conf *group,
		      const char *key, struct headers_match *out)
{
	const struct sluice_conf *match = sluice_conf_group(group, key);
	struct template_scope scope = scope_of(reading, NULL);
	const char *text;
	int err;

	if (!match)
		return sluice_conf_has(group, key) ? -EINVAL : 0;
	err = sluice_conf_string(match, "text", NULL, &text);
	if (pattern_read(reading->headers->patterns, match, "pattern", 0, &out->pattern) || err)
		return -EINVAL;
	if (!text || !out->pattern)
		return sluice_conf_error(match, "%s needs text and pattern", key);
	return template_compile(&reading->headers->pool, match, text, &scope, &out->text);
}

static bool add_statuses(const char *text, uint8_t *statuses)
{
	unsigned first = 0, count = 1;

	if (strlen(text) != 3 || text[0] < '1' || text[0] > '5')
		return false;
	if (strcmp(text + 1, "xx") == 0)
		count = 100;
	else if (strspn(text, "0123456789") != 3)
		return false;
	first = (unsigned)(text[0] - '0') * 100;
	if (count == 1)
		first += (unsigned)(text[1] - '0') * 10 + (unsigned)(text[2] - '0');
	for (unsigned i = first; i < first + count; ++i)
		statuses[i / 8] |= (uint8_t)(1u << i % 8);
	return true;
}

static int read_statuses(const struct reading *reading, const struct sluice_conf *group,
			 struct headers_rule *rule)
{
	const struct sluice_conf *list;
	int err = 0;

	if (reading->stage != STAGE_RESPONSE)
		return 0;
	if (!sluice_conf_has(group, "status")) {
		memset(rule->statuses, 0xff, sizeof(rule->statuses));
		return 0;
	}
	list = sluice_conf_list(group, "status");
	if (!list)
		return -EINVAL;
	for (unsigned i = 0; i < sluice_conf_length(list); ++i) {
		const char *text;

		if (sluice_conf_string_at(list, i, &text))
			err = -EINVAL;
		else if (!add_statuses(text, rule->statuses))
			err = sluice_conf_error(list, "\"%s\" is no status (\"404\", \"5xx\")",
						text);
	}
	return err;
}

/* --- rules ------------------------------------------------------------------------------ */

static int read_rule(const struct reading *reading, const struct sluice_conf *group,
		     struct headers_rule *rule)
{
	struct headers *headers = reading->headers;
	const char *name;
	int err = read_action(group, rule, &name), errors = 0;

	if (err)
		return err;
	errors |= read_name(reading, group, rule, name);
	errors |= request_rule_read(&headers->pool, headers->patterns, group, &rule->when);
	errors |= read_match(reading, group, "match", &rule->match);
	errors |= read_match(reading, group, "unless", &rule->unless);
	errors |= read_values(reading, group, rule);
	errors |= read_statuses(reading, group, rule);
	/* What follows counts the patterns' groups. */
	return errors ? -EINVAL : read_value(reading, group, rule);
}

static int read_rules(const struct reading *reading, const struct sluice_conf *config,
		      const char *key, struct headers_rules *out)
{
	const struct sluice_conf *list = sluice_conf_list(config, key);
	unsigned n = list ? sluice_conf_length(list) : 0;
	int err = 0;

	if (!list)
		return sluice_conf_has(config, key) ? -EINVAL : 0;
	if (n > HEADERS_RULES_MAX)
		return sluice_conf_error(list, "%s has %u rules; it may have %d", key, n,
					 HEADERS_RULES_MAX);
	out->rule = pool_alloc(&reading->headers->pool, n, sizeof(*out->rule));
	if (!out->rule)
		return -ENOMEM;
	out->count = n;
	for (unsigned i = 0; i < n; ++i) {
		const struct sluice_conf *group = sluice_conf_at(list, i);

		if (!group || read_rule(reading, group, &out->rule[i]))
			err = -EINVAL;
	}
	return err;
}

static int read_counters(struct headers_counters *c, struct sluice_nf *nf)
{
	c->requests = sluice_counter(nf, "requests", "request heads looked at");
	c->responses = sluice_counter(nf, "responses", "response heads looked at");
	c->edits = sluice_counter(nf, "edits", "rules that were applied");
	c->edit_errors = sluice_counter(nf, "edit_errors", "heads that could not be changed");
	c->match_limits = sluice_counter(nf, "match_limits", "matches given up at match_limit");
	return c->requests && c->responses && c->edits && c->edit_errors && c->match_limits
		       ? 0
		       : -ENOSPC;
}

int headers_read(struct headers *headers, struct sluice_nf *nf, const struct sluice_conf *config)
{
	struct reading request = {headers, FIELD_SET_IN_REQUEST, STAGE_REQUEST};
	struct reading response = {headers, FIELD_SET_IN_RESPONSE, STAGE_RESPONSE};
	uint32_t match_limit;
	int bad = read_number(config, "match_limit", PATTERN_MATCH_LIMIT_DEFAULT, 1, UINT32_MAX,
			      &match_limit);
	int err = patterns_create(match_limit, &headers->patterns);

	if (!err)
		err = unique_init(&headers->unique);
	if (!err)
		err = read_counters(&headers->counters, nf);
	if (err)
		return err;
	bad |= read_rules(&request, config, "request", &headers->request);
	bad |= read_rules(&response, config, "response", &headers->response);
	return bad ? -EINVAL : 0;
}
