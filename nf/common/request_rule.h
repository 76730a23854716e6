/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which requests something is for: conditions on the client, method, host, path, target and
 * fields, of which every one that is given must hold. Read once, never changed after.
 */
#ifndef NF_COMMON_REQUEST_RULE_H
#define NF_COMMON_REQUEST_RULE_H

#include <stdbool.h>

#include <sluice/nf.h>

#include "nf/common/field.h"
#include "nf/common/host_rule.h"
#include "nf/common/methods.h"
#include "nf/common/network.h"
#include "nf/common/path_rule.h"
#include "nf/common/pattern.h"

struct pool;

/* One of the fields of that name has a value that matches; without pattern: there is one. */
struct request_field {
	struct field_name name;
	const struct pattern *match;
};

struct request_rule {
	bool from_any;
	struct networks from;
	struct methods methods;
	struct host_rule host;
	struct path_rule path;
	const struct pattern *target;
	struct request_field *headers;
	unsigned headers_count;
};

/*
 * Of `group`: `from` `method` `host` `path` `path_exact` `path_prefix` `target` `headers`; a key
 * that is absent is no condition. Reads on after an error, so that one run of the check shows them
 * all.
 */
int request_rule_read(struct pool *pool, struct patterns *set, const struct sluice_conf *group,
		      struct request_rule *out) __attribute__((warn_unused_result));

/* In request_head. `path`: the request's, in the spelling that the function matches. */
enum pattern_result request_rule_match(const struct request_rule *rule,
				       const struct sluice_exchange *x, struct sluice_str path);

/* A list of them. */
struct request_rules {
	struct request_rule *rule;
	unsigned count;
};

/* The list `key` of `group`; absent: none. */
int request_rules_read(struct pool *pool, struct patterns *set, const struct sluice_conf *group,
		       const char *key, struct request_rules *out)
	__attribute__((warn_unused_result));

/* One of them matches: PATTERN_YES. None does, but a match was given up: PATTERN_LIMIT. */
enum pattern_result request_rules_match(const struct request_rules *rules,
					const struct sluice_exchange *x, struct sluice_str path);

#endif
