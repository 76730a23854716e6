/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rule on the request's host: "www.example.com" (that one), "*.example.com" (all below it),
 * "*" (every one), "~PATTERN" (PCRE2). Without regard to case; a dot at the end of the
 * request's host does not count. Never changed after host_rule_read.
 */
#ifndef NF_COMMON_HOST_RULE_H
#define NF_COMMON_HOST_RULE_H

#include <sluice/nf.h>

#include "nf/common/pattern.h"

enum host_rule_kind { HOST_ANY = 0, HOST_EXACT, HOST_BELOW, HOST_PATTERN };

struct host_rule {
	enum host_rule_kind kind;
	struct sluice_str text; /* BELOW: with its first dot */
	const struct pattern *pattern;
};

/* The string `key` of `group`; absent: every host. */
int host_rule_read(struct patterns *set, const struct sluice_conf *group, const char *key,
		   struct host_rule *out) __attribute__((warn_unused_result));

enum pattern_result host_rule_match(const struct host_rule *rule, struct sluice_str host);

#endif
