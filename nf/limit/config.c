/* SPDX-License-Identifier: BSD-3-Clause */
#include "limit.h"

#include <errno.h>
#include <string.h>

#include "nf/common/answer.h"
#include "nf/common/read.h"

#define NAME_BYTES_MAX    48 /* its counter's name is short */
#define RATE_MAX          1000000
#define PER_S_MAX         86400
#define KEYS_DEFAULT      65536
#define KEYS_MAX          (16 << 20)
#define STATUS_DEFAULT    429
#define V6_PREFIX_DEFAULT 64 /* what one client commonly has */

static int read_name(struct limit *limit, const struct sluice_conf *group, struct limit_rule *rule)
{
	unsigned number = (unsigned)(rule - limit->rules) + 1;
	const char *fallback = pool_text(&limit->pool, "rule_%u", number);
	int err;

	if (!fallback)
		return -ENOMEM;
	err = sluice_conf_string(group, "name", fallback, &rule->name);
	if (err)
		return err;
	if (strlen(rule->name) > NAME_BYTES_MAX || !read_is_token(rule->name))
		return sluice_conf_error(group, "\"%s\" is not a name for a rule", rule->name);
	for (const struct limit_rule *other = limit->rules; other < rule; ++other)
		if (other->name && strcmp(other->name, rule->name) == 0)
			return sluice_conf_error(group, "another rule has the name \"%s\"",
						 rule->name);
	return 0;
}

static int read_parts(const struct sluice_conf *list, struct limit_rule *rule)
{
	int err = 0;

	rule->parts = sluice_conf_length(list);
	if (rule->parts > LIMIT_PARTS_MAX)
		return sluice_conf_error(list, "key has %u parts; it may have %d", rule->parts,
					 LIMIT_PARTS_MAX);
	for (unsigned i = 0; i < rule->parts; ++i) {
		const char *text;

		if (sluice_conf_string_at(list, i, &text))
			err = -EINVAL;
		else if (limit_part_parse(text, &rule->part[i]))
			err = sluice_conf_error(list,
						"\"%s\" is not one of address, host, path, method, "
						"header:NAME and cookie:NAME",
						text);
	}
	return err;
}

static int read_prefix(const struct sluice_conf *group, const char *key, uint32_t fallback,
		       uint32_t max, uint8_t *out)
{
	uint32_t prefix;
	int err = read_number(group, key, fallback, 0, max, &prefix);

	*out = (uint8_t)prefix;
	return err;
}

static int read_key(const struct sluice_conf *group, struct limit_rule *rule)
{
	static const char *const missing[] = {"address", "share", "skip", NULL};
	const struct sluice_conf *list = sluice_conf_list(group, "key");
	unsigned choice;
	int errors = 0;

	rule->parts = 1; /* the address */
	if (list)
		errors |= read_parts(list, rule);
	else if (sluice_conf_has(group, "key"))
		errors = -EINVAL;
	errors |= read_choice(group, "missing", missing, LIMIT_MISSING_ADDRESS, &choice);
	errors |= read_prefix(group, "v4_prefix", 32, 32, &rule->v4_prefix);
	errors |= read_prefix(group, "v6_prefix", V6_PREFIX_DEFAULT, 128, &rule->v6_prefix);
	rule->missing = (enum limit_missing)choice;
	return errors ? -EINVAL : 0;
}

static int read_rate(const struct sluice_conf *group, struct limit_rule *rule)
{
	uint32_t rate, per_s;
	int errors = 0;

	if (!sluice_conf_has(group, "rate"))
		return sluice_conf_error(group, "a rule needs rate = N");
	errors |= read_number(group, "rate", 1, 1, RATE_MAX, &rate);
	errors |= read_number(group, "per_s", 1, 1, PER_S_MAX, &per_s);
	errors |= read_number(group, "burst", rate, 1, RATE_MAX, &rule->rate.burst);
	rule->rate.cost_us = UINT64_C(1000000) * per_s / rate;
	rule->window_s = (uint32_t)((rule->rate.cost_us * rule->rate.burst + 999999) / 1000000);
	return errors ? -EINVAL : 0;
}

static int read_answer(const struct sluice_conf *group, struct limit_rule *rule)
{
	uint32_t status;
	const char *body;
	int err = read_number(group, "status", STATUS_DEFAULT, 400, 599, &status);

	rule->status = (uint16_t)status;
	if (sluice_conf_string(group, "body", answer_reason(rule->status), &body) || err)
		return -EINVAL;
	rule->body = sluice_str(body);
	return sluice_conf_bool(group, "dry_run", false, &rule->dry_run);
}

static int make_table(struct limit *limit, const struct sluice_conf *group, struct limit_rule *rule)
{
	struct table_entry *entries;
	uint32_t keys;
	uint64_t rows;
	int err = read_number(group, "keys", KEYS_DEFAULT, 1, KEYS_MAX, &keys);

	if (err)
		return err;
	rows = table_rows(keys);
	entries = pool_alloc(&limit->pool, rows * TABLE_WAYS, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	table_init(&rule->table, entries, rows);
	return 0;
}

static int read_rule(struct limit *limit, const struct sluice_conf *group, struct limit_rule *rule)
{
	int errors = 0;

	errors |= read_name(limit, group, rule);
	errors |= request_rule_read(&limit->pool, limit->patterns, group, &rule->when);
	errors |= read_key(group, rule);
	errors |= read_rate(group, rule);
	errors |= read_answer(group, rule);
	errors |= make_table(limit, group, rule);
	return errors ? -EINVAL : 0;
}

static int read_rules(struct limit *limit, const struct sluice_conf *config)
{
	const struct sluice_conf *list = sluice_conf_list(config, "rules");
	int err = 0;

	if (!sluice_conf_has(config, "rules"))
		return sluice_conf_error(config, "rules is missing");
	if (!list)
		return -EINVAL;
	limit->rules_count = sluice_conf_length(list);
	if (limit->rules_count > LIMIT_RULES_MAX)
		return sluice_conf_error(list, "there are %u rules; there may be %d",
					 limit->rules_count, LIMIT_RULES_MAX);
	limit->rules = pool_alloc(&limit->pool, limit->rules_count, sizeof(*limit->rules));
	if (!limit->rules)
		return -ENOMEM;
	for (unsigned i = 0; i < limit->rules_count; ++i) {
		const struct sluice_conf *group = sluice_conf_at(list, i);

		if (!group || read_rule(limit, group, &limit->rules[i]))
			err = -EINVAL;
	}
	return err;
}

static int read_counters(struct limit_counters *c, struct sluice_nf *nf)
{
	c->requests = sluice_counter(nf, "requests", "request heads looked at");
	c->allowed = sluice_counter(nf, "allowed", "requests let through");
	c->refused = sluice_counter(nf, "refused", "requests refused");
	c->exempt = sluice_counter(nf, "exempt", "requests from exempt networks");
	c->forgotten = sluice_counter(nf, "forgotten", "keys forgotten for want of room");
	c->match_limits = sluice_counter(nf, "match_limits", "matches given up at match_limit");
	return c->requests && c->allowed && c->refused && c->exempt && c->forgotten &&
			       c->match_limits
		       ? 0
		       : -ENOSPC;
}

static int give_counters(struct limit *limit, struct sluice_nf *nf)
{
	for (unsigned i = 0; i < limit->rules_count; ++i) {
		struct limit_rule *rule = &limit->rules[i];
		const char *name = pool_text(&limit->pool, "over_%s", rule->name);
		const char *help = pool_text(&limit->pool, "requests too many for %s", rule->name);

		if (!name || !help)
			return -ENOMEM;
		rule->over = sluice_counter(nf, name, help);
		if (!rule->over)
			return -ENOSPC;
	}
	return 0;
}

static int read_settings(struct limit *limit, const struct sluice_conf *config,
			 uint32_t *match_limit)
{
	static const char *const fields[] = {"refused", "always", "never", NULL};
	unsigned choice;
	int errors = 0;

	errors |= networks_read(&limit->pool, config, "exempt", &limit->exempt);
	errors |= read_choice(config, "fields", fields, LIMIT_FIELDS_REFUSED, &choice);
	errors |= read_number(config, "match_limit", PATTERN_MATCH_LIMIT_DEFAULT, 1, UINT32_MAX,
			      match_limit);
	limit->fields = (enum limit_fields)choice;
	return errors ? -EINVAL : 0;
}

int limit_read(struct limit *limit, struct sluice_nf *nf, const struct sluice_conf *config)
{
	uint32_t match_limit;
	int bad = read_settings(limit, config, &match_limit);
	int err = patterns_create(match_limit, &limit->patterns);

	if (!err)
		err = hash_key_take(&limit->hash_key);
	if (!err)
		err = read_counters(&limit->counters, nf);
	if (!err)
		err = read_rules(limit, config);
	if (!err && !bad)
		err = give_counters(limit, nf);
	return bad ? bad : err;
}
