/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/filter/filter.h"

#include <errno.h>
#include <string.h>

#include "nf/common/answer.h"
#include "nf/common/read.h"

#define STATUS_DEFAULT     403
#define BODY_BYTES_DEFAULT 8192
#define BODIES_DEFAULT     1024
#define NAME_BYTES_MAX     48 /* of a rule: its counter's name is short */

#define ACTION_GIVEN 255 /* by the rule's own key */

/* The three lists, in the order in which they are tried. */
static const struct list {
	const char *key;
	const char *prefix; /* of names for rules that have none */
	uint8_t action;
} lists[] = {
	{"rules", "rule", ACTION_GIVEN},
	{"allow", "allow", FILTER_ALLOW},
	{"deny", "deny", FILTER_DENY},
};
#define LISTS (sizeof(lists) / sizeof(lists[0]))

static int read_action(const struct sluice_conf *group, const struct list *list,
		       struct filter_rule *rule)
{
	static const char *const names[] = {"allow", "deny", "tag", "log", "score", NULL};
	unsigned action = list->action;
	int err = 0;

	if (list->action == ACTION_GIVEN) {
		if (!sluice_conf_has(group, "action"))
			return sluice_conf_error(
				group,
				"a rule needs action = \"allow\", \"deny\", \"tag\", \"log\" or "
				"\"score\"");
		err = read_choice(group, "action", names, FILTER_DENY, &action);
	}
	rule->action = (uint8_t)action;
	return err;
}

static int read_answer(const struct sluice_conf *group, struct filter_rule *rule)
{
	uint32_t status;
	const char *body;
	int err;

	err = read_number(group, "status", STATUS_DEFAULT, 400, 599, &status);
	rule->status = (uint16_t)status;
	if (sluice_conf_string(group, "body", answer_reason(rule->status), &body) || err)
		return -EINVAL;
	rule->body = sluice_str(body);
	return 0;
}

static int read_tag(const struct sluice_conf *group, struct filter_rule *rule)
{
	int err = sluice_conf_string(group, "tag", NULL, &rule->tag);

	if (!err && rule->tag && !read_is_token(rule->tag))
		return sluice_conf_error_key(group, "tag", "\"%s\" is not a tag", rule->tag);
	return err;
}

/* The keys that go with the action. */
static int read_effect(const struct sluice_conf *group, struct filter_rule *rule)
{
	switch (rule->action) {
	case FILTER_DENY:
		return read_answer(group, rule);
	case FILTER_TAG:
		return read_tag(group, rule);
	case FILTER_SCORE:
		return read_number(group, "score", 1, 1, 1000000, &rule->score);
	default:
		return 0;
	}
}

static bool name_is_good(const char *name)
{
	size_t len = strlen(name);

	return len <= NAME_BYTES_MAX && read_is_token(name);
}

static int check_name(const struct filter *filter, const struct sluice_conf *where,
		      const char *place, const struct filter_rule *rule)
{
	if (!name_is_good(rule->name))
		return sluice_conf_error(where, "%s\"%s\" is not a name for a rule", place,
					 rule->name);
	for (const struct filter_rule *other = filter->rules; other < rule; ++other)
		if (other->name && strcmp(other->name, rule->name) == 0)
			return sluice_conf_error(where, "%sanother rule has the name \"%s\"", place,
						 rule->name);
	return 0;
}

static bool looks_at_body(const struct filter_rule *rule)
{
	for (unsigned i = 0; i < rule->checks; ++i)
		if (rule->check[i].where == FILTER_BODY)
			return true;
	return false;
}

int filter_rule_check(struct filter *filter, const struct sluice_conf *where, const char *place,
		      struct filter_rule *rule)
{
	int err = check_name(filter, where, place, rule);

	filter->tags |= rule->action == FILTER_TAG;
	rule->in_body = looks_at_body(rule);
	if (err || !rule->in_body)
		return err;
	if (rule->action != FILTER_DENY && rule->action != FILTER_SCORE)
		return sluice_conf_error(where, "%sof a body a rule can only deny or score", place);
	if (filter->body_rules == FILTER_BODY_RULES_MAX)
		return sluice_conf_error(where, "%smore than %d rules look at bodies", place,
					 FILTER_BODY_RULES_MAX);
	rule->body_bit = (uint8_t)filter->body_rules;
	filter->body_rule[filter->body_rules++] = rule;
	return 0;
}

static int read_name(struct filter *filter, const struct sluice_conf *group,
		     const struct list *list, unsigned i, struct filter_rule *rule)
{
	const char *fallback = pool_text(&filter->pool, "%s_%u", list->prefix, i + 1);

	if (!fallback)
		return -ENOMEM;
	return sluice_conf_string(group, "name", fallback, &rule->name);
}

static int read_rule(struct filter *filter, const struct sluice_conf *group,
		     const struct list *list, unsigned i, struct filter_rule *rule)
{
	uint32_t level;
	int errors = 0;

	errors |= read_action(group, list, rule);
	errors |= read_effect(group, rule);
	errors |= read_name(filter, group, list, i, rule);
	errors |= read_number(group, "level", 1, 1, FILTER_LEVELS, &level);
	rule->level = (uint8_t)level;
	errors |= request_rule_read(&filter->pool, filter->patterns, group, &rule->when);
	errors |= filter_checks_read(filter, group, rule);
	if (rule->name)
		errors |= filter_rule_check(filter, group, "", rule);
	return errors ? -EINVAL : 0;
}

static int read_list(struct filter *filter, const struct sluice_conf *rules,
		     const struct list *list)
{
	unsigned n = rules ? sluice_conf_length(rules) : 0;
	int err = 0;

	for (unsigned i = 0; i < n; ++i) {
		const struct sluice_conf *group = sluice_conf_at(rules, i);
		struct filter_rule *rule = &filter->rules[filter->rules_count++];

		if (!group || read_rule(filter, group, list, i, rule))
			err = -EINVAL;
	}
	return err;
}

static int read_rules(struct filter *filter, const struct sluice_conf *config)
{
	const struct sluice_conf *rules[LISTS];
	unsigned total = 0;
	char *lines;
	int err = filter_lines_load(filter, config, &lines, &total);

	for (unsigned i = 0; i < LISTS; ++i) {
		rules[i] = sluice_conf_list(config, lists[i].key);
		total += rules[i] ? sluice_conf_length(rules[i]) : 0;
	}
	filter->rules = pool_alloc(&filter->pool, total, sizeof(*filter->rules));
	if (!filter->rules)
		return -ENOMEM;
	for (unsigned i = 0; i < LISTS; ++i)
		if (read_list(filter, rules[i], &lists[i]))
			err = -EINVAL;
	if (lines && !err)
		err = filter_lines_read(filter, config, lines);
	return err;
}

static int read_counters(struct filter_counters *c, struct sluice_nf *nf)
{
	c->requests = sluice_counter(nf, "requests", "request heads looked at");
	c->allowed = sluice_counter(nf, "allowed", "requests let through");
	c->denied = sluice_counter(nf, "denied", "requests denied");
	c->match_limits = sluice_counter(nf, "match_limits", "matches given up at match_limit");
	c->tagged = sluice_counter(nf, "tagged", "tags given to requests");
	c->scored_out = sluice_counter(nf, "scored_out", "of the denied, by their score");
	c->body_denied = sluice_counter(nf, "body_denied", "of the denied, by their body");
	c->body_unseen = sluice_counter(nf, "body_unseen", "bodies that found no room to be seen");
	c->networks_denied = sluice_counter(nf, "networks_denied", "of the denied, by networks");
	c->log_dropped = sluice_counter(nf, "log_dropped", "lines not written, beyond log_per_s");
	return c->requests && c->allowed && c->denied && c->match_limits && c->tagged &&
			       c->scored_out && c->body_denied && c->body_unseen &&
			       c->networks_denied && c->log_dropped
		       ? 0
		       : -ENOSPC;
}

static void give_counter(struct filter *filter, struct sluice_nf *nf, struct filter_rule *rule)
{
	const char *name = pool_text(&filter->pool, "hits_%s", rule->name);
	const char *help = pool_text(&filter->pool, "requests that rule %s matched", rule->name);

	rule->hits = name && help ? sluice_counter(nf, name, help) : NULL;
	if (!rule->hits)
		rule->hits = &rule->own_hits;
}

static void give_counters(struct filter *filter, struct sluice_nf *nf)
{
	unsigned uncounted = 0;

	for (unsigned i = 0; i < filter->rules_count; ++i) {
		give_counter(filter, nf, &filter->rules[i]);
		uncounted += filter->rules[i].hits == &filter->rules[i].own_hits;
	}
	if (uncounted > 0)
		sluice_log(nf, SLUICE_LOG_WARN, "%u of %u rules have no counter of their own",
			   uncounted, filter->rules_count);
}

static int read_networks(struct filter *filter, const struct sluice_conf *config)
{
	static const char *const keys[] = {"allow", "deny", NULL}; /* enum filter_network */
	const struct sluice_conf *group = sluice_conf_group(config, "networks");

	if (!group)
		return sluice_conf_has(config, "networks") ? -EINVAL : 0;
	return network_map_read(&filter->pool, group, keys, &filter->networks);
}

static int read_levels(struct filter *filter, const struct sluice_conf *config)
{
	uint32_t paranoia, watch;
	int err = read_number(config, "paranoia", 1, 1, FILTER_LEVELS, &paranoia);

	if (err)
		return err;
	err = read_number(config, "watch", paranoia, paranoia, FILTER_LEVELS, &watch);
	filter->paranoia = (uint8_t)paranoia;
	filter->watch = (uint8_t)watch;
	return err;
}

static int read_tag_header(struct filter *filter, const struct sluice_conf *config)
{
	const char *name;
	int err = sluice_conf_string(config, "tag_header", "X-Filter-Tag", &name);

	if (err)
		return err;
	filter->tag_header = field_name_of(name);
	return field_check(config, name, FIELD_SET_IN_REQUEST);
}

/* What scores, bodies and the log are held to. */
static int read_bounds(struct filter *filter, const struct sluice_conf *config)
{
	uint32_t status;
	int errors = 0;

	errors |= read_number(config, "threshold", 0, 0, UINT32_MAX / 2, &filter->threshold);
	errors |= read_number(config, "score_status", STATUS_DEFAULT, 400, 599, &status);
	errors |= read_number(config, "body_bytes", BODY_BYTES_DEFAULT, 64, FILTER_BODY_BYTES_MAX,
			      &filter->body_bytes);
	errors |= read_number(config, "bodies", BODIES_DEFAULT, 1, 65536, &filter->bodies_max);
	errors |= read_number(config, "log_per_s", 10, 0, 1000, &filter->log_per_s);
	filter->score_status = (uint16_t)status;
	return errors;
}

static int read_settings(struct filter *filter, const struct sluice_conf *config, uint32_t *limit)
{
	static const char *const defaults[] = {"allow", "deny", NULL};
	static const char *const on_limit[] = {"skip", "deny", NULL};
	unsigned by_default, at_limit;
	uint32_t status;
	int errors = 0;

	errors |= read_choice(config, "default", defaults, 0, &by_default);
	errors |= read_choice(config, "on_match_limit", on_limit, 1, &at_limit);
	errors |= read_number(config, "status", STATUS_DEFAULT, 400, 599, &status);
	errors |= read_number(config, "match_limit", PATTERN_MATCH_LIMIT_DEFAULT, 1, UINT32_MAX,
			      limit);
	errors |= read_networks(filter, config);
	errors |= read_levels(filter, config);
	errors |= read_tag_header(filter, config);
	errors |= read_bounds(filter, config);
	filter->deny_by_default = by_default == 1;
	filter->deny_on_limit = at_limit == 1;
	filter->status = (uint16_t)status;
	return errors ? -EINVAL : 0;
}

static bool is_by_head(const struct filter *filter, const struct sluice_conf *config)
{
	if (sluice_conf_has(config, "networks"))
		return false;
	for (unsigned i = 0; i < filter->rules_count; ++i)
		if (!filter->rules[i].when.from_any)
			return false;
	return true;
}

int filter_read(struct filter *filter, struct sluice_nf *nf, const struct sluice_conf *config)
{
	uint32_t match_limit;
	int bad = read_settings(filter, config, &match_limit);
	int err = patterns_create(match_limit, &filter->patterns);

	if (err)
		return err;
	err = read_counters(&filter->counters, nf);
	if (err)
		return err;
	err = read_rules(filter, config);
	if (!err && !bad)
		give_counters(filter, nf);
	filter->by_head = is_by_head(filter, config);
	return bad ? bad : err;
}
