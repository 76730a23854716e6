/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/path_rule.h"

#include <errno.h>
#include <string.h>

static int read_text(const struct sluice_conf *group, const char *key, enum path_rule_kind kind,
		     struct path_rule *out)
{
	const char *text;
	int err = sluice_conf_string(group, key, NULL, &text);

	if (err || !text)
		return err;
	if (text[0] != '/')
		return sluice_conf_error(group, "%s: \"%s\" does not begin with /", key, text);
	out->kind = kind;
	out->text = sluice_str(text);
	return 0;
}

static int read_pattern(struct patterns *set, const struct sluice_conf *group, const char *key,
			struct path_rule *out)
{
	int err = pattern_read(set, group, key, 0, &out->pattern);

	if (!err && out->pattern)
		out->kind = PATH_PATTERN;
	return err;
}

int path_rule_read(struct patterns *set, const struct sluice_conf *group,
		   const struct path_rule_keys *keys, struct path_rule *out)
{
	int given = sluice_conf_has(group, keys->exact) + sluice_conf_has(group, keys->prefix) +
		    sluice_conf_has(group, keys->pattern);
	int err;

	*out = (struct path_rule){.kind = PATH_ANY};
	err = read_text(group, keys->exact, PATH_EXACT, out);
	if (read_text(group, keys->prefix, PATH_PREFIX, out))
		err = -EINVAL;
	if (read_pattern(set, group, keys->pattern, out))
		err = -EINVAL;
	if (given > 1)
		err = sluice_conf_error(group, "only one of %s, %s and %s can be given",
					keys->pattern, keys->exact, keys->prefix);
	return err;
}

enum pattern_result path_rule_match(const struct path_rule *rule, struct sluice_str path)
{
	bool yes = true;

	switch (rule->kind) {
	case PATH_ANY:
		break;
	case PATH_EXACT:
		yes = sluice_str_equal(path, rule->text);
		break;
	case PATH_PREFIX:
		yes = path.len >= rule->text.len &&
		      memcmp(path.ptr, rule->text.ptr, rule->text.len) == 0;
		break;
	case PATH_PATTERN:
		return pattern_match(rule->pattern, path);
	}
	return yes ? PATTERN_YES : PATTERN_NO;
}
