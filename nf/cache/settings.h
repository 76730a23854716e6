/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration of the function cache. Read once, never changed. */
#ifndef NF_CACHE_SETTINGS_H
#define NF_CACHE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "fresh.h"
#include "nf/common/network.h"
#include "nf/common/pool.h"
#include "nf/common/read.h"

struct settings {
	uint64_t memory_bytes, max_object_bytes;
	uint32_t max_variants;
	struct fresh_rules rules;
	bool client_directives; /* Cache-Control and Pragma of requests count */
	bool cache_status;
	const char *name; /* in Cache-Status */
	bool collapse;
	uint64_t collapse_wait_us;
	uint32_t collapse_waiters;
	uint64_t uncacheable_us;
	uint32_t refresh_ms;        /* how long an origin may take for one; 0: there are none */
	struct read_names targeted; /* RFC 9213 */
	bool purge;
	struct networks purge_from;
	struct pool pool;
};

/* 0, or -EINVAL with the errors recorded. settings_free in both cases. */
int settings_read(struct settings *set, const struct sluice_conf *config, uint64_t arena_bytes)
	__attribute__((warn_unused_result));
void settings_free(struct settings *set);

#endif
