/* SPDX-License-Identifier: BSD-3-Clause */
/* The bound on memory holds whatever comes, and everything is given back. */
#include "cache_test.h"

#define AGE                                      \
	{                                        \
		"Cache-Control", "max-age=10000" \
	}

static char body[200000];

static int fill(void **state)
{
	(void)state;
	memset(body, 'x', sizeof(body) - 1);
	return 0;
}

static void put(struct harness *h, unsigned number, size_t len)
{
	char target[32], length[24];
	exchange *x;

	snprintf(target, sizeof(target), "/%u", number);
	snprintf(length, sizeof(length), "%zu", len);
	x = get(h, target);
	if (is_answered(x)) {
		harness_done(x, false);
		return;
	}
	harness_response(x, 200, F(DATE, AGE, {"Content-Length", length}));
	harness_response_body(x, body, len, true);
	harness_done(x, false);
}

static void assert_within(struct harness *h, uint64_t limit)
{
	assert_in_range(counter(h, "bytes_used"), 0, limit);
}

static void the_bound_holds(void **state)
{
	struct harness *h = begin("memory_mb = 2; max_object_kb = 200;");

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		put(h, i, i * 37 % 50000 + 1);
		assert_within(h, 2 << 20);
	}
	assert_in_range(counter(h, "objects"), 20, 500);
	assert_int_equal(counter(h, "objects") + counter(h, "evictions"), counter(h, "stores"));
	assert_int_equal(counter(h, "stores"), 3000);
	harness_destroy(h);
}

/* Heads and keys are most of it. */
static void small_objects_are_counted_whole(void **state)
{
	struct harness *h = begin("memory_mb = 1;");

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		put(h, i, 1);
	assert_within(h, 1 << 20);
	assert_in_range(counter(h, "objects"), 500, 2500);
	harness_destroy(h);
}

static void a_small_arena_is_the_bound(void **state)
{
	struct harness *h = harness_create(&cache_hooks);

	(void)state;
	harness_set_arena(h, 1 << 20);
	assert_int_equal(harness_start(h, "max_object_kb = 200;"), 0);
	for (unsigned i = 0; i < 500; i++)
		put(h, i, 30000);
	assert_int_equal(counter(h, "stores"), 500);
	assert_in_range(counter(h, "objects"), 20, 35);
	harness_destroy(h);
}

static void the_popular_stay(void **state)
{
	struct harness *h = begin("memory_mb = 1;");
	unsigned lost = 0;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		put(h, 100000 + i, 5000);
		put(h, i % 10, 5000);
	}
	for (unsigned i = 0; i < 10; i++) {
		char target[16];
		exchange *x;

		snprintf(target, sizeof(target), "/%u", i);
		x = get(h, target);
		lost += !is_answered(x);
		harness_done(x, true);
	}
	assert_int_equal(lost, 0);
	assert_in_range(counter(h, "hits"), 2900, 3100);
	harness_destroy(h);
}

/* Bodies that nobody acknowledges are part of the bound, though their objects have gone. */
static void slow_readers_cannot_stretch_it(void **state)
{
	struct harness *h = begin("memory_mb = 2; max_object_kb = 200;");

	(void)state;
	harness_hold_sent(h, true);
	for (unsigned i = 0; i < 200; i++) {
		char target[16];

		put(h, i, 100000);
		snprintf(target, sizeof(target), "/%u", i);
		get(h, target);
		assert_within(h, 2 << 20);
	}
	assert_true(counter(h, "no_room") > 0);
	harness_hold_sent(h, false);
	harness_acknowledge(h);
	put(h, 999, 100000);
	assert_true(is_answered(get(h, "/999")));
	harness_destroy(h);
}

static void many_fills_at_once_are_bounded(void **state)
{
	struct harness *h = begin("memory_mb = 2; max_object_kb = 200;");
	exchange *x[100];
	char target[16];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(target, sizeof(target), "/%u", i);
		x[i] = get(h, target);
		harness_response(x[i], 200, F(DATE, AGE, {"Content-Length", "200000"}));
		harness_response_body(x[i], body, 100000, false);
		assert_within(h, 2 << 20);
	}
	for (unsigned i = 0; i < 100; i++) {
		harness_response_body(x[i], body, 100000, true);
		harness_done(x[i], false);
		assert_within(h, 2 << 20);
	}
	assert_true(counter(h, "no_room") > 0);
	assert_true(counter(h, "stores") > 0);
	harness_destroy(h);
}

static void nothing_is_left_over(void **state)
{
	struct harness *h = begin("memory_mb = 4;");
	uint64_t empty = counter(h, "bytes_used");

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		char target[16];

		put(h, i, 1000);
		snprintf(target, sizeof(target), "/%u", i);
		origin(ask(h, "DELETE", target), 200, F(DATE), "");
		harness_done(get(h, "/never"), true);
	}
	assert_int_equal(counter(h, "objects"), 0);
	assert_int_equal(counter(h, "bytes_used"), empty);
	harness_destroy(h);
}

static void heads_that_are_too_large_are_not_kept(void **state)
{
	struct harness *h = begin("");
	static char value[13000];

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	fetch(h, "/x", F(DATE, AGE, {"X-Large", value}), "hello");
	assert_missed(h, "/x");
	assert_int_equal(counter(h, "uncacheable"), 1);
	harness_destroy(h);
}

static void the_largest_head_comes_back_whole(void **state)
{
	struct harness *h = begin("");
	static char value[11900];
	exchange *x;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	fetch(h, "/x", F(DATE, AGE, {"X-Large", value}), "hello");
	x = get(h, "/x");
	assert_answer(x, 200, "hello");
	assert_field(x, "X-Large", value);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bound_holds),
		cmocka_unit_test(small_objects_are_counted_whole),
		cmocka_unit_test(a_small_arena_is_the_bound),
		cmocka_unit_test(the_popular_stay),
		cmocka_unit_test(slow_readers_cannot_stretch_it),
		cmocka_unit_test(many_fills_at_once_are_bounded),
		cmocka_unit_test(nothing_is_left_over),
		cmocka_unit_test(heads_that_are_too_large_are_not_kept),
		cmocka_unit_test(the_largest_head_comes_back_whole),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
