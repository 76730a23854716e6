/* SPDX-License-Identifier: BSD-3-Clause */
#include "cache_test.h"

static void errors(void **state)
{
	static const struct {
		const char *config, *error;
	} rows[] = {
		{"memory_mb = 0;", "memory_mb"},
		{"memory_mb = \"big\";", "memory_mb"},
		{"max_object_kb = 0;", "max_object_kb"},
		{"memory_mb = 1; max_object_kb = 600;", "more than half of memory_mb"},
		{"max_variants = 0;", "max_variants"},
		{"heuristic_percent = 101;", "heuristic_percent"},
		{"heuristic_max_s = -1;", "heuristic_max_s"},
		{"store_set_cookie = 1;", "store_set_cookie"},
		{"client_directives = \"no\";", "client_directives"},
		{"collapse = 2;", "collapse"},
		{"collapse_wait_ms = 0;", "collapse_wait_ms"},
		{"collapse_waiters = 0;", "collapse_waiters"},
		{"uncacheable_s = 9999;", "uncacheable_s"},
		{"name = \"a b\";", "a b"},
		{"cache_status = 3;", "cache_status"},
		{"targeted = [ \"a b\" ];", "is not a field name"},
		{"purge_from = [ \"nowhere\" ];", "nowhere"},
		{"bogus = 1;", "bogus"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct harness *h = harness_create(&cache_hooks);

		if (harness_start(h, rows[i].config) != -EINVAL)
			fail_msg("taken: %s", rows[i].config);
		if (!strstr(harness_error(h, 0), rows[i].error))
			fail_msg("%s: %s", rows[i].config, harness_error(h, 0));
		harness_destroy(h);
	}
}

static void defaults(void **state)
{
	struct harness *h = harness_create(&cache_hooks);
	const struct cache *cache;

	(void)state;
	harness_set_arena(h, 65 << 20);
	assert_int_equal(harness_start(h, NULL), 0);
	cache = sluice_data(harness_nf(h));
	assert_int_equal(cache->set.memory_bytes, 64 << 20);
	assert_int_equal(cache->set.max_object_bytes, 8 << 20);
	assert_int_equal(cache->set.collapse_wait_us, 3000000);
	assert_int_equal(counter(h, "bytes_limit"), 64 << 20);
	harness_destroy(h);
}

/* The harness has an arena of 16 MB. */
static void no_more_than_the_arena(void **state)
{
	struct harness *h = begin(NULL);
	const struct cache *cache = sluice_data(harness_nf(h));

	(void)state;
	assert_int_equal(cache->set.memory_bytes, 16 << 20);
	harness_destroy(h);
	h = harness_create(&cache_hooks);
	assert_int_equal(harness_start(h, "collapse = true;\nmemory_mb = 17;"), -EINVAL);
	assert_string_equal(harness_error(h, 0), "test.conf:2: memory_mb 17 is more than the "
						 "function's arena_mb, 16");
	harness_destroy(h);
}

static void a_small_bound_has_small_objects(void **state)
{
	struct harness *h = begin("memory_mb = 8;");
	const struct cache *cache = sluice_data(harness_nf(h));

	(void)state;
	assert_int_equal(cache->set.max_object_bytes, 1 << 20);
	assert_int_equal(harness_logs(h), 0);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors),
		cmocka_unit_test(defaults),
		cmocka_unit_test(no_more_than_the_arena),
		cmocka_unit_test(a_small_bound_has_small_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
