/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * filter: ordered rules that let a request through or deny it. README.md is its manual.
 *
 * config.c reads the rules once; filter.c takes the decision. Everything belongs to one instance
 * and its thread; rules never change.
 */
#ifndef NF_FILTER_FILTER_H
#define NF_FILTER_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "nf/common/path.h"
#include "nf/common/pattern.h"
#include "nf/common/pool.h"
#include "nf/common/request_rule.h"

struct filter_rule {
	const char *name;
	bool deny;
	uint16_t status;
	struct sluice_str body;
	struct request_rule when;
	uint64_t *hits;
};

struct filter_counters {
	uint64_t *requests, *allowed, *denied, *match_limits;
};

struct filter {
	struct pool pool;
	struct patterns *patterns;
	struct filter_rule *rules; /* in the order they are tried */
	unsigned rules_count;
	bool deny_by_default;
	bool deny_on_limit;
	uint16_t status; /* of a denial that no rule asked for */
	struct filter_counters counters;
	uint64_t uncounted; /* hits of rules that have no counter of their own */
	struct path_room room;
};

/* Fills a zeroed `filter`. Errors are recorded; what was read so far is freed by the caller. */
int filter_read(struct filter *filter, struct sluice_nf *nf, const struct sluice_conf *config)
	__attribute__((warn_unused_result));

#endif
