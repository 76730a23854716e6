/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * limit: how many requests may come, by address, header, cookie, path. README.md is its manual.
 *
 * config.c reads the rules once; key.c finds whose count a request is on; table.c keeps the counts;
 * gcra.c is the arithmetic; limit.c decides; fields.c tells the client. Everything belongs to
 * one instance and its thread.
 */
#ifndef NF_LIMIT_LIMIT_H
#define NF_LIMIT_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "gcra.h"
#include "nf/common/hash.h"
#include "nf/common/path.h"
#include "nf/common/pool.h"
#include "nf/common/request_rule.h"
#include "table.h"

#define LIMIT_RULES_MAX 32
#define LIMIT_PARTS_MAX 8

enum limit_source {
	LIMIT_ADDRESS,
	LIMIT_HOST,
	LIMIT_PATH,
	LIMIT_METHOD,
	LIMIT_HEADER,
	LIMIT_COOKIE
};

struct limit_part {
	enum limit_source source;
	struct field_name name; /* of the header or cookie */
};

enum limit_missing { LIMIT_MISSING_ADDRESS, LIMIT_MISSING_SHARE, LIMIT_MISSING_SKIP };

struct limit_rule {
	const char *name;
	struct request_rule when;
	struct limit_part part[LIMIT_PARTS_MAX];
	unsigned parts;
	enum limit_missing missing;
	uint8_t v4_prefix, v6_prefix;
	struct gcra_rate rate;
	uint32_t window_s; /* in which all of the burst is regained */
	bool dry_run;
	uint16_t status;
	struct sluice_str body;
	struct table table;
	uint64_t *over;
};

enum limit_fields { LIMIT_FIELDS_REFUSED, LIMIT_FIELDS_ALWAYS, LIMIT_FIELDS_NEVER };

struct limit_counters {
	uint64_t *requests, *allowed, *refused, *exempt, *forgotten, *match_limits;
};

struct limit {
	struct pool pool;
	struct patterns *patterns;
	struct limit_rule *rules;
	unsigned rules_count;
	struct networks exempt;
	enum limit_fields fields;
	struct hash_key hash_key;
	struct limit_counters counters;
	struct path_room room;
};

/* What the response's fields tell: in the ctx. */
struct limit_seen {
	uint32_t rules; /* bit n: rule n */
	struct {
		uint32_t left, full_s;
	} rule[LIMIT_RULES_MAX];
};

/* Fills a zeroed `limit`. Errors are recorded; what was read so far is freed by the caller. */
int limit_read(struct limit *limit, struct sluice_nf *nf, const struct sluice_conf *config)
	__attribute__((warn_unused_result));

/* "address", "host", "path", "method", "header:NAME", "cookie:NAME". 0 or -EINVAL. */
int limit_part_parse(const char *text, struct limit_part *out) __attribute__((warn_unused_result));

/* Whose count the request is on. False: the rule does not count it. `path`: decoded. */
bool limit_key(const struct limit *limit, const struct limit_rule *rule,
	       const struct sluice_exchange *x, struct sluice_str path, uint64_t *key);

/* RateLimit-Policy and RateLimit. 0 or -errno. */
int limit_tell(const struct limit *limit, struct sluice_exchange *x, const struct limit_seen *seen);

#endif
