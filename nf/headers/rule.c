/* SPDX-License-Identifier: BSD-3-Clause */
#include "headers.h"

#include <errno.h>

#include "nf/common/str.h"

/* --- conditions ----------------------------------------------------------------------- */

/* A text that does not fit matches nothing. */
static bool matches(struct headers *headers, const struct headers_match *match,
		    const struct template_source *source)
{
	struct text text = {.room = headers->match_room, .size = sizeof(headers->match_room)};
	enum pattern_result result;

	template_expand(&match->text, source, &text);
	if (text.full)
		return false;
	result = pattern_match(match->pattern, text_str(&text));
	*headers->counters.match_limits += result == PATTERN_LIMIT;
	return result == PATTERN_YES;
}

static void capture(const struct pattern *pattern, struct template_source *source)
{
	for (unsigned i = 0; i < PATTERN_CAPTURES; ++i)
		source->capture[i] = pattern_capture(pattern, i);
}

bool headers_rule_holds(struct headers *headers, const struct headers_rule *rule,
			struct template_source *source)
{
	if (rule->unless.pattern && matches(headers, &rule->unless, source))
		return false;
	if (!rule->match.pattern)
		return true;
	if (!matches(headers, &rule->match, source))
		return false;
	capture(rule->match.pattern, source);
	return true;
}

/* --- actions ---------------------------------------------------------------------------- */

static int value_of(struct headers *headers, const struct headers_rule *rule,
		    const struct template_source *source, struct sluice_str *out)
{
	struct text text = {.room = headers->room, .size = sizeof(headers->room)};

	template_expand(&rule->value, source, &text);
	*out = text_str(&text);
	return text.full ? -ENOSPC : 0;
}

/* An empty value is no field. */
static int set(struct headers *headers, const struct headers_rule *rule,
	       const struct template_source *source)
{
	struct sluice_str value;
	int err = value_of(headers, rule, source, &value);

	if (err)
		return err;
	if (value.len > 0)
		return sluice_field_set(source->from.x, rule->name.name, value);
	return rule->action == HEADERS_SET ? sluice_field_remove(source->from.x, rule->name.name)
					   : 0;
}

static int add(struct headers *headers, const struct headers_rule *rule,
	       const struct template_source *source)
{
	struct sluice_str value;
	int err = value_of(headers, rule, source, &value);

	if (err || value.len == 0)
		return err;
	return sluice_field_add(source->from.x, rule->name.name, value);
}

static int replace_one(struct headers *headers, const struct headers_rule *rule,
		       struct template_source *source, struct sluice_str value)
{
	enum pattern_result result = pattern_match(rule->values, value);

	*headers->counters.match_limits += result == PATTERN_LIMIT;
	if (result != PATTERN_YES)
		return sluice_field_add(source->from.x, rule->name.name, value);
	capture(rule->values, source);
	return add(headers, rule, source);
}

/* All of them are written anew, in their order. */
static int replace(struct headers *headers, const struct headers_rule *rule,
		   struct template_source *source)
{
	const struct sluice_exchange *x = source->from.x;
	unsigned i = field_first(x, &rule->name);
	int err = 0;

	if (i != SLUICE_NONE16)
		err = sluice_field_remove(source->from.x, rule->name.name);
	for (; !err && i != SLUICE_NONE16; i = field_after(x, &rule->name, i))
		err = replace_one(headers, rule, source, sluice_field_value(x, i));
	return err;
}

static bool begins(struct sluice_str text, struct sluice_str prefix)
{
	return text.len >= prefix.len &&
	       str_equal_nocase((struct sluice_str){text.ptr, prefix.len}, prefix);
}

/* Fields of the connection stay: nobody may touch them. */
static int remove_prefix(struct headers *headers, const struct headers_rule *rule,
			 const struct template_source *source)
{
	struct sluice_exchange *x = source->from.x;
	unsigned fields = sluice_head(x)->fields;
	int err = 0;

	for (unsigned i = 0; !err && i < fields; ++i) {
		struct sluice_str name = sluice_field_name(x, i);
		struct text text = {.room = headers->room, .size = sizeof(headers->room)};

		if (!begins(name, sluice_str(rule->name.name)))
			continue;
		text_put(&text, name);
		text_put(&text, (struct sluice_str){"", 1});
		if (text.full)
			return -ENOSPC;
		err = sluice_field_remove(x, headers->room);
		err = err == -EINVAL ? 0 : err;
	}
	return err;
}

int headers_rule_do(struct headers *headers, const struct headers_rule *rule,
		    struct template_source *source)
{
	switch (rule->action) {
	case HEADERS_DEFAULT:
		if (field_first(source->from.x, &rule->name) != SLUICE_NONE16)
			return 0;
		break;
	case HEADERS_SET:
		break;
	case HEADERS_ADD:
		return add(headers, rule, source);
	case HEADERS_REPLACE:
		return replace(headers, rule, source);
	case HEADERS_REMOVE:
		if (rule->prefix)
			return remove_prefix(headers, rule, source);
		return sluice_field_remove(source->from.x, rule->name.name);
	}
	return set(headers, rule, source);
}
