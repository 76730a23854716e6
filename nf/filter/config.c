/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/filter/filter.h"

#include <errno.h>
#include <string.h>

#include "nf/common/answer.h"
#include "nf/common/read.h"

#define STATUS_DEFAULT 403
#define NAME_BYTES_MAX 48 /* of a rule: its counter's name is short */

enum action { ACTION_ALLOW, ACTION_DENY, ACTION_GIVEN /* by the rule's own key */ };

/* The three lists, in the order in which they are tried. */
static const struct list {
	const char *key;
	const char *prefix; /* of names for rules that have none */
	enum action action;
} lists[] = {
	{"rules", "rule", ACTION_GIVEN},
	{"allow", "allow", ACTION_ALLOW},
	{"deny", "deny", ACTION_DENY},
};
#define LISTS (sizeof(lists) / sizeof(lists[0]))

static int read_action(const struct sluice_conf *group, const struct list *list, bool *deny)
{
	static const char *const names[] = {"allow", "deny", NULL};
	unsigned action = list->action;
	int err = 0;

	if (list->action == ACTION_GIVEN) {
		if (!sluice_conf_has(group, "action"))
			return sluice_conf_error(group,
						 "a rule needs action = \"allow\" or \"deny\"");
		err = read_choice(group, "action", names, ACTION_DENY, &action);
	}
	*deny = action == ACTION_DENY;
	return err;
}

static int read_answer(const struct sluice_conf *group, struct filter_rule *rule)
{
	uint32_t status;
	const char *body;
	int err;

	if (!rule->deny)
		return 0;
	err = read_number(group, "status", STATUS_DEFAULT, 400, 599, &status);
	rule->status = (uint16_t)status;
	if (sluice_conf_string(group, "body", answer_reason(rule->status), &body) || err)
		return -EINVAL;
	rule->body = sluice_str(body);
	return 0;
}

static bool name_is_good(const char *name)
{
	size_t len = strlen(name);

	return len <= NAME_BYTES_MAX && read_is_token(name);
}

static int read_name(struct filter *filter, const struct sluice_conf *group,
		     const struct list *list, unsigned i, struct filter_rule *rule)
{
	const char *fallback = pool_text(&filter->pool, "%s_%u", list->prefix, i + 1);
	int err;

	if (!fallback)
		return -ENOMEM;
	err = sluice_conf_string(group, "name", fallback, &rule->name);
	if (err)
		return err;
	if (!name_is_good(rule->name))
		return sluice_conf_error(group, "\"%s\" is not a name for a rule", rule->name);
	for (const struct filter_rule *other = filter->rules; other < rule; ++other)
		if (other->name && strcmp(other->name, rule->name) == 0)
			return sluice_conf_error(group, "another rule has the name \"%s\"",
						 rule->name);
	return 0;
}

static int read_rule(struct filter *filter, const struct sluice_conf *group,
		     const struct list *list, unsigned i, struct filter_rule *rule)
{
	int errors = 0;

	errors |= read_action(group, list, &rule->deny);
	errors |= read_answer(group, rule);
	errors |= read_name(filter, group, list, i, rule);
	errors |= request_rule_read(&filter->pool, filter->patterns, group, &rule->when);
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
	int err = 0;

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
	return err;
}

static int read_counters(struct filter_counters *c, struct sluice_nf *nf)
{
	c->requests = sluice_counter(nf, "requests", "request heads looked at");
	c->allowed = sluice_counter(nf, "allowed", "requests let through");
	c->denied = sluice_counter(nf, "denied", "requests denied");
	c->match_limits = sluice_counter(nf, "match_limits", "matches given up at match_limit");
	return c->requests && c->allowed && c->denied && c->match_limits ? 0 : -ENOSPC;
}

static void give_counter(struct filter *filter, struct sluice_nf *nf, struct filter_rule *rule)
{
	const char *name = pool_text(&filter->pool, "hits_%s", rule->name);
	const char *help = pool_text(&filter->pool, "requests that rule %s matched", rule->name);

	rule->hits = name && help ? sluice_counter(nf, name, help) : NULL;
	if (!rule->hits)
		rule->hits = &filter->uncounted;
}

static void give_counters(struct filter *filter, struct sluice_nf *nf)
{
	unsigned uncounted = 0;

	for (unsigned i = 0; i < filter->rules_count; ++i) {
		give_counter(filter, nf, &filter->rules[i]);
		uncounted += filter->rules[i].hits == &filter->uncounted;
	}
	if (uncounted > 0)
		sluice_log(nf, SLUICE_LOG_WARN, "%u of %u rules have no counter of their own",
			   uncounted, filter->rules_count);
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
	filter->deny_by_default = by_default == 1;
	filter->deny_on_limit = at_limit == 1;
	filter->status = (uint16_t)status;
	return errors ? -EINVAL : 0;
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
	return bad ? bad : err;
}
