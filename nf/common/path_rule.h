/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rule on the path: exactly this one, all that begin with it, or a PCRE2 pattern.
 * Which form the path is in (nf/common/path.h) is for the function to say. Never changed
 * after path_rule_read.
 */
#ifndef NF_COMMON_PATH_RULE_H
#define NF_COMMON_PATH_RULE_H

#include <sluice/nf.h>

#include "nf/common/pattern.h"

enum path_rule_kind { PATH_ANY = 0, PATH_EXACT, PATH_PREFIX, PATH_PATTERN };

struct path_rule {
	enum path_rule_kind kind;
	struct sluice_str text;
	const struct pattern *pattern;
};

/* The names of the three keys; a rule has one of them or none (every path). */
struct path_rule_keys {
	const char *exact, *prefix, *pattern;
};

int path_rule_read(struct patterns *set, const struct sluice_conf *group,
		   const struct path_rule_keys *keys, struct path_rule *out)
	__attribute__((warn_unused_result));

enum pattern_result path_rule_match(const struct path_rule *rule, struct sluice_str path);

#endif
