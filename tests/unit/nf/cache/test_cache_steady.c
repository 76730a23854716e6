/* SPDX-License-Identifier: BSD-3-Clause */
/* Hits that the manager may give again, and what takes that back. */
#include "cache_test.h"

#define AGE                                    \
	{                                      \
		"Cache-Control", "max-age=100" \
	}

static struct harness *stored(const char *config)
{
	struct harness *h = begin(config);

	fetch(h, "/x", F(DATE, AGE, {"ETag", "\"v1\""}), "hello");
	return h;
}

static uint32_t steady_ms(struct harness *h, const struct harness_field *fields)
{
	exchange *x = harness_request(h, "GET", "/x", fields);
	uint32_t ms = harness_steady_ms(x);

	harness_done(x, false);
	return ms;
}

/* Until the Age that it tells is another one. */
static void until_its_age_changes(void **state)
{
	struct harness *h = stored("");
	exchange *x = get(h, "/x");

	(void)state;
	assert_field(x, "Age", "0");
	assert_int_equal(harness_steady_ms(x), 1000);
	harness_advance(h, SECOND / 4);
	assert_int_equal(steady_ms(h, F(HOST)), 750);
	harness_advance(h, SECOND);
	x = get(h, "/x");
	assert_field(x, "Age", "1");
	assert_int_equal(harness_steady_ms(x), 750);
	harness_destroy(h);
}

static void only_while_it_is_fresh(void **state)
{
	struct harness *h = begin("");

	(void)state;
	fetch(h, "/x", F(DATE, {"Cache-Control", "max-age=2, stale-while-revalidate=9"}), "hello");
	assert_int_equal(steady_ms(h, F(HOST)), 1000);
	harness_advance(h, 3 * SECOND);
	assert_int_equal(steady_ms(h, F(HOST)), 0);
	harness_destroy(h);
}

static void not_for_clients_with_wishes(void **state)
{
	struct harness *h = stored("");

	(void)state;
	assert_int_equal(steady_ms(h, F(HOST, {"Cache-Control", "max-age=50"})), 0);
	assert_int_equal(steady_ms(h, F(HOST, {"Range", "bytes=0-1"})), 0);
	assert_int_equal(steady_ms(h, F(HOST, {"If-None-Match", "\"v1\""})), 1000);
	harness_destroy(h);
}

static void misses_never(void **state)
{
	struct harness *h = begin("");
	exchange *x = get(h, "/x");

	(void)state;
	assert_int_equal(harness_steady_ms(x), 0);
	origin(x, 200, F(DATE), "hello");
	assert_int_equal(harness_steady_ms(x), 0);
	harness_destroy(h);
}

static void repeated_hits_count(void **state)
{
	struct harness *h = stored("");
	exchange *x = get(h, "/x");

	(void)state;
	harness_repeated(x, 9);
	assert_int_equal(counter(h, "hits"), 10);
	assert_int_equal(counter(h, "bytes_referenced"), 50);
	x = harness_request(h, "GET", "/x", F(HOST, {"If-None-Match", "\"v1\""}));
	harness_repeated(x, 4);
	assert_int_equal(counter(h, "not_modified"), 5);
	assert_int_equal(counter(h, "hits"), 15);
	assert_int_equal(counter(h, "bytes_referenced"), 50);
	harness_destroy(h);
}

/* Once, however much is taken back at a time. */
static void what_ends_an_object_takes_it_back(void **state)
{
	static const char *const commands[] = {
		"purge url http://a.example/x",
		"soft-purge url http://a.example/x",
		"purge tag one",
		"soft-purge prefix http://a.example/",
	};

	(void)state;
	for (size_t i = 0; i < ROWS(commands); i++) {
		struct harness *h = begin("");

		fetch(h, "/x", F(DATE, AGE, {"Cache-Tag", "one"}), "hello");
		assert_int_equal(harness_unsteady(h), 0);
		assert_int_not_equal(steady_ms(h, F(HOST)), 0);
		assert_int_equal(harness_command(h, commands[i]), 0);
		assert_int_equal(harness_unsteady(h), 1);
		harness_destroy(h);
	}
}

static void so_do_unsafe_methods(void **state)
{
	struct harness *h = stored("");

	(void)state;
	assert_int_not_equal(steady_ms(h, F(HOST)), 0);
	origin(ask(h, "POST", "/x"), 204, F(DATE), "");
	assert_int_equal(harness_unsteady(h), 1);
	harness_destroy(h);
}

/* A client that wants another one fetches it for all. */
static void so_does_a_newer_one(void **state)
{
	struct harness *h = stored("");
	exchange *x;

	(void)state;
	assert_int_not_equal(steady_ms(h, F(HOST)), 0);
	x = harness_request(h, "GET", "/x", F(HOST, {"Cache-Control", "no-cache"}));
	origin(x, 200, F(DATE, AGE), "newer");
	assert_int_equal(harness_unsteady(h), 1);
	assert_hit(h, "/x", "newer");
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(until_its_age_changes),
		cmocka_unit_test(only_while_it_is_fresh),
		cmocka_unit_test(not_for_clients_with_wishes),
		cmocka_unit_test(misses_never),
		cmocka_unit_test(repeated_hits_count),
		cmocka_unit_test(what_ends_an_object_takes_it_back),
		cmocka_unit_test(so_do_unsafe_methods),
		cmocka_unit_test(so_does_a_newer_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
