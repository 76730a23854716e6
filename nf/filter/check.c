/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rule looks at beside the conditions that all functions have. */
#include "nf/filter/filter.h"

#include <errno.h>
#include <string.h>

#include "nf/common/cookie.h"
#include "nf/common/read.h"

/* --- reading -------------------------------------------------------------------------- */

static int read_named(struct filter *filter, const struct sluice_conf *list, unsigned i,
		      enum filter_where where, struct filter_check *out)
{
	const struct sluice_conf *group = sluice_conf_at(list, i);
	int err = group ? sluice_conf_string(group, "name", NULL, &out->name) : -EINVAL;

	if (!group || pattern_read(filter->patterns, group, "match", 0, &out->match) || err)
		return -EINVAL;
	out->where = where;
	if (!out->name && !out->match)
		return sluice_conf_error(group, "name or match must be given");
	return 0;
}

static int read_list(struct filter *filter, const struct sluice_conf *list, enum filter_where where,
		     struct filter_rule *rule)
{
	unsigned n = list ? sluice_conf_length(list) : 0;
	int err = 0;

	for (unsigned i = 0; i < n; ++i)
		if (read_named(filter, list, i, where, &rule->check[rule->checks++]))
			err = -EINVAL;
	return err;
}

static int read_pattern(struct filter *filter, const struct sluice_conf *group, const char *key,
			enum filter_where where, struct filter_rule *rule)
{
	struct filter_check *check = &rule->check[rule->checks];
	int err = pattern_read(filter->patterns, group, key, 0, &check->match);

	if (err || !check->match)
		return err;
	check->where = where;
	++rule->checks;
	return 0;
}

int filter_checks_read(struct filter *filter, const struct sluice_conf *group,
		       struct filter_rule *rule)
{
	const struct sluice_conf *args = sluice_conf_list(group, "args");
	const struct sluice_conf *cookies = sluice_conf_list(group, "cookies");
	unsigned most = 2 + (args ? sluice_conf_length(args) : 0) +
			(cookies ? sluice_conf_length(cookies) : 0);
	int errors = 0;

	rule->check = pool_alloc(&filter->pool, most, sizeof(*rule->check));
	if (!rule->check)
		return -ENOMEM;
	errors |= read_pattern(filter, group, "decoded", FILTER_TARGET, rule);
	errors |= read_list(filter, args, FILTER_ARG, rule);
	errors |= read_list(filter, cookies, FILTER_COOKIE, rule);
	errors |= read_pattern(filter, group, "content", FILTER_BODY, rule);
	return errors ? -EINVAL : 0;
}

/* --- matching --------------------------------------------------------------------------- */

typedef enum pattern_result look(const struct filter_check *check, struct filter_view *view);

static enum pattern_result match_value(const struct filter_check *check, struct sluice_str value)
{
	return check->match ? pattern_match(check->match, value) : PATTERN_YES;
}

static enum pattern_result in_path(const struct filter_check *check, struct filter_view *view)
{
	return match_value(check, view->path);
}

static enum pattern_result in_target(const struct filter_check *check, struct filter_view *view)
{
	return match_value(check, filter_view_target(view));
}

static enum pattern_result in_raw(const struct filter_check *check, struct filter_view *view)
{
	return match_value(check, sluice_target(view->x));
}

static enum pattern_result in_arg(const struct filter_check *check, const struct filter_arg *arg)
{
	enum pattern_result result;

	if (check->name && !sluice_str_equal(arg->name, sluice_str(check->name)))
		return PATTERN_NO;
	result = match_value(check, arg->value);
	/* An attack may stand in a name as well. */
	return result == PATTERN_NO && !check->name ? match_value(check, arg->name) : result;
}

static enum pattern_result in_args(const struct filter_check *check, struct filter_view *view)
{
	bool whole = filter_view_args(view);

	for (unsigned i = 0; i < view->args; ++i) {
		enum pattern_result result = in_arg(check, &view->filter->arg[i]);

		if (result != PATTERN_NO)
			return result;
	}
	return whole ? PATTERN_NO : PATTERN_LIMIT;
}

static unsigned fields_after(const struct filter_check *check, const struct sluice_exchange *x,
			     unsigned i)
{
	if (check->name)
		return i == SLUICE_NONE16 ? field_first(x, &check->field)
					  : field_after(x, &check->field, i);
	i = i == SLUICE_NONE16 ? 0 : i + 1;
	return i < sluice_head(x)->fields ? i : SLUICE_NONE16;
}

static enum pattern_result in_headers(const struct filter_check *check, struct filter_view *view)
{
	unsigned i = SLUICE_NONE16;

	while ((i = fields_after(check, view->x, i)) != SLUICE_NONE16) {
		enum pattern_result result = match_value(check, sluice_field_value(view->x, i));

		if (result != PATTERN_NO)
			return result;
	}
	return PATTERN_NO;
}

/* Every cookie of that name: which of two an origin takes is its own affair. */
static enum pattern_result in_field(const struct filter_check *check, struct sluice_str field)
{
	enum pattern_result result = PATTERN_NO;
	struct sluice_str value;

	if (!check->name)
		return match_value(check, field);
	while (result == PATTERN_NO && !cookie_in(field, sluice_str(check->name), &value)) {
		const char *end = field.ptr + field.len;

		result = match_value(check, value);
		field.ptr = value.ptr + value.len;
		field.len = (uint32_t)(end - field.ptr);
	}
	return result;
}

static enum pattern_result in_cookies(const struct filter_check *check, struct filter_view *view)
{
	unsigned i = sluice_field_first(view->x, SLUICE_FIELD_COOKIE);
	enum pattern_result result = PATTERN_NO;

	for (; i != SLUICE_NONE16 && result == PATTERN_NO; i = sluice_field_next(view->x, i))
		result = in_field(check, sluice_field_value(view->x, i));
	return result;
}

enum pattern_result filter_checks_match(const struct filter_rule *rule, struct filter_view *view)
{
	static look *const looks[] = {in_path, in_target, in_raw, in_args, in_headers, in_cookies};

	for (unsigned i = 0; i < rule->checks; ++i) {
		const struct filter_check *check = &rule->check[i];
		enum pattern_result result = check->where == FILTER_BODY
						     ? PATTERN_YES
						     : looks[check->where](check, view);

		if (result != PATTERN_YES)
			return result;
	}
	return PATTERN_YES;
}

enum pattern_result filter_checks_body(const struct filter_rule *rule, struct sluice_str body)
{
	for (unsigned i = 0; i < rule->checks; ++i) {
		enum pattern_result result = PATTERN_YES;

		if (rule->check[i].where == FILTER_BODY)
			result = match_value(&rule->check[i], body);
		if (result != PATTERN_YES)
			return result;
	}
	return PATTERN_YES;
}
