/* SPDX-License-Identifier: BSD-3-Clause */
/* Stale objects: validated, used when the origin fails; parts; purges by tag and soft ones. */
#include "cache_test.h"

#define AGE                                   \
	{                                     \
		"Cache-Control", "max-age=10" \
	}
#define TAG                      \
	{                        \
		"ETag", "\"v1\"" \
	}
#define LATER                                           \
	{                                               \
		"Date", "Mon, 01 Jan 2024 00:00:20 GMT" \
	} /* 20 s on */

/* It asks with what it has, and answers with what it had. */
static void a_304_brings_the_stored_body(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE, TAG, {"Last-Modified", "Sun, 31 Dec 2023 00:00:00 GMT"}),
	      "hello");
	seconds(h, 20);
	x = assert_miss(h, "/x");
	assert_field(x, "If-None-Match", "\"v1\"");
	assert_field(x, "If-Modified-Since", "Sun, 31 Dec 2023 00:00:00 GMT");
	harness_response(x, 304, F(LATER, AGE, TAG, {"X-New", "1"}));
	assert_answer(x, 200, "hello");
	assert_field(x, "X-New", "1");
	assert_hit(h, "/x", "hello");
	assert_int_equal(counter(h, "revalidations"), 1);
	harness_destroy(h);
}

static void all_who_wait_are_served_by_one_304(void **state)
{
	struct harness *h = begin("");
	exchange *x, *other;

	(void)state;
	fetch(h, "/x", F(DATE, AGE, TAG), "hello");
	seconds(h, 20);
	x = assert_miss(h, "/x");
	other = get(h, "/x");
	assert_int_equal(harness_verdict(other), SLUICE_HOLD);
	harness_response(x, 304, F(LATER, AGE, TAG));
	assert_answer(x, 200, "hello");
	assert_answer(other, 200, "hello");
	harness_destroy(h);
}

static void the_contradiction_of_a_304_ends_it(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE, TAG), "hello");
	seconds(h, 20);
	x = assert_miss(h, "/x");
	harness_response(x, 304, F(LATER, AGE, {"ETag", "\"v2\""}));
	assert_answer(x, 200, "hello");
	harness_done(x, false);
	assert_missed(h, "/x");
	harness_destroy(h);
}

static void errors(void **state)
{
	static const struct {
		const char *cc, *request;
		uint16_t status;
		unsigned after_s;
		bool helped;
	} rows[] = {
		{"max-age=10, stale-if-error=60", "x", 500, 20, true},
		{"max-age=10, stale-if-error=60", "x", 502, 20, true},
		{"max-age=10, stale-if-error=60", "x", 503, 69, true},
		{"max-age=10, stale-if-error=60", "x", 504, 71, false},
		{"max-age=10, stale-if-error=60", "x", 501, 20, false},
		{"max-age=10, stale-if-error=60", "x", 404, 20, false},
		{"max-age=10, stale-if-error=60", "no-cache", 503, 20, false},
		{"max-age=10", "stale-if-error=60", 503, 20, true},
		{"max-age=10", "stale-if-error=5", 503, 20, false},
		{"max-age=10", "x", 503, 20, false},
		{"max-age=10, must-revalidate, stale-if-error=60", "x", 503, 20, false},
		{"s-maxage=10, stale-if-error=60", "x", 503, 20, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct harness *h = begin("");
		exchange *x;

		fetch(h, "/x", F(DATE, TAG, {"Cache-Control", rows[i].cc}), "hello");
		seconds(h, rows[i].after_s);
		x = harness_request(h, "GET", "/x", F(HOST, {"Cache-Control", rows[i].request}));
		assert_false(is_answered(x));
		harness_response(x, rows[i].status, F(LATER));
		if (is_answered(x) != rows[i].helped)
			fail_msg("row %zu", i);
		assert_int_equal(counter(h, "hits_on_error"), rows[i].helped);
		harness_destroy(h);
	}
}

/* It is left alone for a second. */
static void an_origin_that_failed_is_not_asked_at_once(void **state)
{
	struct harness *h = begin("stale_if_error_s = 100;");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE, TAG), "hello");
	seconds(h, 20);
	x = assert_miss(h, "/x");
	harness_response(x, 502, F(LATER));
	assert_answer(x, 200, "hello");
	harness_done(x, false);
	assert_hit(h, "/x", "hello");
	seconds(h, 1);
	assert_missed(h, "/x");
	harness_destroy(h);
}

static exchange *part(struct harness *h, const char *range)
{
	return harness_request(h, "GET", "/x", F(HOST, {"Range", range}));
}

static void parts(void **state)
{
	static const struct {
		const char *range, *body;
	} rows[] = {
		{"bytes=5-9", "56789"}, {"bytes=6-7", "67"},   {"bytes=-3", "789"},
		{"bytes=9-", "9"},      {"bytes=4-9", NULL},   {"bytes=0-", NULL},
		{"bytes=-6", NULL},     {"bytes=5-6,8", NULL}, {"lines=5-6", NULL},
	};
	struct harness *h = begin("");
	exchange *x = part(h, "bytes=5-");

	(void)state;
	origin(x, 206, F(DATE, AGE, {"Content-Range", "bytes 5-9/10"}), "56789");
	for (size_t i = 0; i < ROWS(rows); i++) {
		x = part(h, rows[i].range);
		if (is_answered(x) != !!rows[i].body)
			fail_msg("%s", rows[i].range);
		if (rows[i].body)
			assert_answer(x, 206, rows[i].body);
		harness_done(x, true);
	}
	assert_missed(h, "/x");
	harness_destroy(h);
}

static void parts_that_are_not_stored(void **state)
{
	static const char *const rows[] = {"bytes 4-9/10", "bytes 5-9/*", "bytes */10",
					   "bytes 9-5/10", "bytes 5-9/9", "x",
					   "bytes 5-9",    "lines 5-9/10"};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct harness *h = begin("");

		origin(part(h, "bytes=5-"), 206, F(DATE, AGE, {"Content-Range", rows[i]}), "56789");
		if (is_answered(part(h, "bytes=5-")))
			fail_msg("%s", rows[i]);
		harness_destroy(h);
	}
}

static exchange *purge(struct harness *h, const char *target, const struct harness_field *fields)
{
	exchange *x = harness_request(h, "PURGE", target, fields);

	harness_done(x, false);
	return x;
}

#define FROM_ALL "purge_from = [ \"0.0.0.0/0\" ];"

static void purged_by_tag(void **state)
{
	struct harness *h = begin(FROM_ALL);
	exchange *x;

	(void)state;
	fetch(h, "/a", F(DATE, AGE, {"Cache-Tag", "red"}), "a");
	fetch(h, "/b", F(DATE, AGE, {"Surrogate-Key", "blue red"}), "b");
	fetch(h, "/c", F(DATE, AGE, {"Cache-Tag", "blue"}), "c");
	x = purge(h, "/", F(HOST, {"Cache-Tag", "red"}));
	assert_int_equal(harness_status(x), 200);
	assert_missed(h, "/a");
	assert_missed(h, "/b");
	assert_hit(h, "/c", "c");
	fetch(h, "/a", F(DATE, AGE, {"Cache-Tag", "red"}), "new");
	assert_hit(h, "/a", "new");
	harness_destroy(h);
}

static void a_fetch_under_way_does_not_escape_a_tag(void **state)
{
	struct harness *h = begin(FROM_ALL);
	exchange *x = assert_miss(h, "/a");

	(void)state;
	purge(h, "/", F(HOST, {"Cache-Tag", "red"}));
	origin(x, 200, F(DATE, AGE, {"Cache-Tag", "red"}), "a");
	assert_missed(h, "/a");
	harness_destroy(h);
}

static void soft_purges(void **state)
{
	static const struct harness_field how[] = {{"Cache-Tag", "red"}, {"X", "y"}};

	(void)state;
	for (size_t i = 0; i < ROWS(how); i++) {
		struct harness *h = begin(FROM_ALL);
		exchange *x;

		fetch(h, "/a", F(DATE, TAG, AGE, {"Cache-Tag", "red"}), "a");
		seconds(h, 1);
		x = purge(h, "/a", F(HOST, how[i], {"Soft-Purge", "1"}));
		assert_int_equal(harness_status(x), 200);
		x = assert_miss(h, "/a");
		assert_field(x, "If-None-Match", "\"v1\"");
		harness_response(x, 304, F({"Date", "Mon, 01 Jan 2024 00:00:01 GMT"}, AGE, TAG));
		assert_answer(x, 200, "a");
		harness_done(x, false);
		assert_hit(h, "/a", "a");
		harness_destroy(h);
	}
}

static void what_post_brings(void **state)
{
	static const struct {
		const char *location, *cc;
		uint16_t status;
		bool stored;
	} rows[] = {
		{"/x", "max-age=10", 200, true},  {"http://a.example/x", "max-age=10", 200, true},
		{"/y", "max-age=10", 200, false}, {"/x", "public", 200, false},
		{"/x", "max-age=10", 201, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct harness *h = begin("");

		origin(ask(h, "POST", "/x"), rows[i].status,
		       F(DATE, {"Content-Location", rows[i].location},
			 {"Cache-Control", rows[i].cc}),
		       "page");
		if (is_answered(get(h, "/x")) != rows[i].stored)
			fail_msg("row %zu", i);
		harness_destroy(h);
	}
}

static void negative_answers(void **state)
{
	struct harness *h = begin("negative_s = 5;");

	(void)state;
	origin(get(h, "/x"), 404, F(DATE), "none");
	seconds(h, 4);
	assert_answer(get(h, "/x"), 404, "none");
	seconds(h, 1);
	assert_missed(h, "/x");
	origin(get(h, "/y"), 403, F(DATE), "none");
	assert_missed(h, "/y");
	fetch(h, "/z", F(DATE), "page");
	assert_missed(h, "/z");
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_304_brings_the_stored_body),
		cmocka_unit_test(all_who_wait_are_served_by_one_304),
		cmocka_unit_test(the_contradiction_of_a_304_ends_it),
		cmocka_unit_test(errors),
		cmocka_unit_test(an_origin_that_failed_is_not_asked_at_once),
		cmocka_unit_test(parts),
		cmocka_unit_test(parts_that_are_not_stored),
		cmocka_unit_test(purged_by_tag),
		cmocka_unit_test(a_fetch_under_way_does_not_escape_a_tag),
		cmocka_unit_test(soft_purges),
		cmocka_unit_test(what_post_brings),
		cmocka_unit_test(negative_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
