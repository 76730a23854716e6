/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * headers: sets, adds, removes and replaces fields of requests and responses. README.md is its
 * manual.
 *
 * config.c reads the rules once; rule.c says whether a rule is for this head and does what it says;
 * headers.c runs them. Everything belongs to one instance and its thread; rules never change.
 */
#ifndef NF_HEADERS_HEADERS_H
#define NF_HEADERS_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "nf/common/path.h"
#include "nf/common/pool.h"
#include "nf/common/request_rule.h"
#include "nf/common/template.h"
#include "nf/common/unique.h"

#define HEADERS_RULES_MAX 64 /* of requests, and of responses */

enum headers_action {
	HEADERS_SET,
	HEADERS_ADD,
	HEADERS_DEFAULT, /* set, if there is none */
	HEADERS_REPLACE, /* the values that match */
	HEADERS_REMOVE,
};

/* A text made of variables, and what it must look like. */
struct headers_match {
	struct template text;
	const struct pattern *pattern; /* NULL: no such condition */
};

struct headers_rule {
	enum headers_action action;
	struct field_name name;
	bool prefix;                  /* REMOVE: every field that begins with the name */
	struct template value;        /* not of REMOVE */
	const struct pattern *values; /* REPLACE: those that this matches */
	struct request_rule when;
	struct headers_match match, unless;
	uint8_t statuses[600 / 8]; /* of a response: a bit for each status */
};

struct headers_rules {
	struct headers_rule *rule;
	unsigned count;
};

struct headers_counters {
	uint64_t *requests, *responses, *edits, *edit_errors, *match_limits;
};

struct headers {
	struct pool pool;
	struct patterns *patterns;
	struct headers_rules request, response;
	struct keep keep; /* what responses want to know of their requests */
	struct unique unique;
	struct headers_counters counters;
	struct path_room path_room;
	char room[SLUICE_EDITS_MAX_BYTES]; /* for the text of one value at a time */
	char match_room[SLUICE_EDITS_MAX_BYTES];
};

/* Of one exchange. */
struct headers_context {
	uint64_t rules; /* bit n: response rule n is for this request */
	char id[UNIQUE_BYTES];
	struct kept kept;
};

/* Fills a zeroed `headers`. Errors are recorded; what was read so far is freed by the caller. */
int headers_read(struct headers *headers, struct sluice_nf *nf, const struct sluice_conf *config)
	__attribute__((warn_unused_result));

/* Its `match` and `unless` hold for this head, and source->capture is what `match` captured. */
bool headers_rule_holds(struct headers *headers, const struct headers_rule *rule,
			struct template_source *source);

/* 0, or -errno of an edit that was refused. */
int headers_rule_do(struct headers *headers, const struct headers_rule *rule,
		    struct template_source *source);

#endif
