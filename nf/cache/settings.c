/* SPDX-License-Identifier: BSD-3-Clause */
#include "settings.h"

#include <errno.h>
#include <inttypes.h>

#define MB UINT64_C(1048576)

/* A number into `out`, multiplied by `unit`. */
static int read_scaled(const struct sluice_conf *config, const char *key, uint32_t fallback,
		       uint32_t min, uint32_t max, uint64_t unit, uint64_t *out)
{
	uint32_t n = fallback;
	int rc = read_number(config, key, fallback, min, max, &n);

	*out = n * unit;
	return rc;
}

/* By default as much as the arena, where that is less. */
static int read_bound(struct settings *set, const struct sluice_conf *config, uint64_t arena_bytes)
{
	uint64_t arena_mb = arena_bytes / MB;
	uint32_t fallback = arena_mb < 64 ? (uint32_t)(arena_mb ? arena_mb : 1) : 64;
	int rc = read_scaled(config, "memory_mb", fallback, 1, 1 << 20, MB, &set->memory_bytes);

	if (rc || set->memory_bytes <= arena_bytes)
		return rc;
	return sluice_conf_error_key(config, "memory_mb",
				     "memory_mb %" PRIu64 " is more than the function's arena_mb, "
				     "%" PRIu64,
				     set->memory_bytes / MB, arena_mb);
}

static int read_memory(struct settings *set, const struct sluice_conf *config, uint64_t arena_bytes)
{
	int bad = 0;

	bad |= read_bound(set, config, arena_bytes);
	bad |= read_scaled(config, "max_object_kb", (uint32_t)(set->memory_bytes / 8 / 1024), 1,
			   1 << 30, 1024, &set->max_object_bytes);
	bad |= read_number(config, "max_variants", 32, 1, 1024, &set->max_variants);
	if (!bad && set->max_object_bytes > set->memory_bytes / 2)
		return sluice_conf_error_key(config, "max_object_kb",
					     "max_object_kb: more than half of memory_mb");
	return bad;
}

static int read_rules(struct settings *set, const struct sluice_conf *config)
{
	uint64_t most;
	int bad = 0;

	bad |= read_number(config, "heuristic_percent", 10, 0, 100, &set->rules.heuristic_percent);
	bad |= read_scaled(config, "heuristic_max_s", 86400, 0, 1 << 30, 1, &most);
	set->rules.heuristic_max_s = (int64_t)most;
	bad |= read_scaled(config, "negative_s", 0, 0, 1 << 30, 1, &most);
	set->rules.negative_s = (int64_t)most;
	bad |= read_scaled(config, "stale_if_error_s", 0, 0, 1 << 30, 1, &most);
	set->rules.stale_if_error_s = (int64_t)most;
	bad |= sluice_conf_bool(config, "store_set_cookie", true, &set->rules.store_set_cookie);
	bad |= sluice_conf_bool(config, "client_directives", true, &set->client_directives);
	bad |= read_tokens(&set->pool, config, "targeted", "field name", &set->targeted);
	return bad;
}

static int read_collapse(struct settings *set, const struct sluice_conf *config)
{
	int bad = 0;

	bad |= sluice_conf_bool(config, "collapse", true, &set->collapse);
	bad |= read_scaled(config, "collapse_wait_ms", 3000, 1, 600000, 1000,
			   &set->collapse_wait_us);
	bad |= read_number(config, "collapse_waiters", 1024, 1, 1 << 20, &set->collapse_waiters);
	bad |= read_scaled(config, "uncacheable_s", 5, 0, 3600, 1000000, &set->uncacheable_us);
	bad |= read_number(config, "refresh_ms", 10000, 0, 600000, &set->refresh_ms);
	return bad;
}

static int read_status(struct settings *set, const struct sluice_conf *config)
{
	int bad = 0;

	set->name = "sluice";
	bad |= sluice_conf_bool(config, "cache_status", true, &set->cache_status);
	bad |= sluice_conf_string(config, "name", "sluice", &set->name);
	if (!bad && !read_is_token(set->name))
		return sluice_conf_error_key(config, "name", "name: \"%s\" is not a token",
					     set->name);
	return bad;
}

/* Every key is looked at, so that all errors are told at once. */
int settings_read(struct settings *set, const struct sluice_conf *config, uint64_t arena_bytes)
{
	int bad = 0;

	*set = (struct settings){0};
	bad |= read_memory(set, config, arena_bytes);
	bad |= read_rules(set, config);
	bad |= read_collapse(set, config);
	bad |= read_status(set, config);
	set->purge = sluice_conf_has(config, "purge_from");
	bad |= networks_read(&set->pool, config, "purge_from", &set->purge_from);
	return bad ? -EINVAL : 0;
}

void settings_free(struct settings *set)
{
	pool_free(&set->pool);
}
