/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/host_rule.h"

#include <string.h>

static int set_text(const struct sluice_conf *group, const char *key, enum host_rule_kind kind,
		    const char *text, struct host_rule *out)
{
	if (strchr(text, '*') || strchr(text, '/') || *text == '\0')
		return sluice_conf_error(
			group, "%s: \"%s\" is neither a host, nor *.host, nor *, nor ~PATTERN", key,
			text);
	out->kind = kind;
	out->text = sluice_str(text);
	return 0;
}

int host_rule_read(struct patterns *set, const struct sluice_conf *group, const char *key,
		   struct host_rule *out)
{
	const char *text;
	int err = sluice_conf_string(group, key, "*", &text);

	out->kind = HOST_ANY;
	if (err || strcmp(text, "*") == 0)
		return err;
	if (text[0] == '~') {
		out->kind = HOST_PATTERN;
		return pattern_compile(set, group, text + 1, PATTERN_NOCASE, &out->pattern);
	}
	if (strncmp(text, "*.", 2) == 0)
		return set_text(group, key, HOST_BELOW, text + 1, out);
	return set_text(group, key, HOST_EXACT, text, out);
}

static bool is_below(struct sluice_str host, struct sluice_str suffix)
{
	struct sluice_str tail;

	if (host.len <= suffix.len)
		return false;
	tail = (struct sluice_str){host.ptr + host.len - suffix.len, suffix.len};
	return sluice_str_equal_nocase(tail, suffix);
}

enum pattern_result host_rule_match(const struct host_rule *rule, struct sluice_str host)
{
	bool yes = true;

	if (host.len > 0 && host.ptr[host.len - 1] == '.')
		--host.len;
	switch (rule->kind) {
	case HOST_ANY:
		break;
	case HOST_EXACT:
		yes = sluice_str_equal_nocase(host, rule->text);
		break;
	case HOST_BELOW:
		yes = is_below(host, rule->text);
		break;
	case HOST_PATTERN:
		return pattern_match(rule->pattern, host);
	}
	return yes ? PATTERN_YES : PATTERN_NO;
}
