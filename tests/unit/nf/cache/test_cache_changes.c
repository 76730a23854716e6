/* SPDX-License-Identifier: BSD-3-Clause */
/* What ends stored responses, and what makes them fresh again. */
#include "cache_test.h"

#define AGE                                    \
	{                                      \
		"Cache-Control", "max-age=100" \
	}
#define TAG                      \
	{                        \
		"ETag", "\"v1\"" \
	}
#define LATER                                           \
	{                                               \
		"Date", "Mon, 01 Jan 2024 00:03:20 GMT" \
	} /* 200 s on */

static void unsafe_methods_invalidate(void **state)
{
	static const struct {
		const char *method;
		uint16_t status;
		bool ended;
	} rows[] = {
		{"POST", 200, true},     {"PUT", 204, true},    {"DELETE", 200, true},
		{"PATCH", 201, true},    {"POST", 303, true},   {"FROB", 200, true},
		{"POST", 400, false},    {"POST", 500, false},  {"PURGE", 200, true},
		{"OPTIONS", 200, false}, {"TRACE", 200, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct harness *h = begin("");
		exchange *x;

		fetch(h, "/x", F(DATE, AGE), "hello");
		x = ask(h, rows[i].method, "/x");
		assert_false(is_answered(x));
		origin(x, rows[i].status, F(DATE), "");
		if (is_answered(get(h, "/x")) == rows[i].ended)
			fail_msg("%s %u", rows[i].method, rows[i].status);
		assert_int_equal(counter(h, "invalidations"), rows[i].ended);
		harness_destroy(h);
	}
}

static void named_targets_of_the_same_origin_too(void **state)
{
	static const struct {
		const char *name, *value;
		bool ended;
	} rows[] = {
		{"Location", "/y", true},
		{"Location", "y", true},
		{"Location", "http://a.example/y", true},
		{"Content-Location", "/y", true},
		{"Location", "http://b.example/y", false},
		{"Location", "/z", false},
		{"Link", "/y", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct harness *h = begin("");

		fetch(h, "/y", F(DATE, AGE), "hello");
		origin(ask(h, "POST", "/x"), 201, F(DATE, {rows[i].name, rows[i].value}), "");
		if (is_answered(get(h, "/y")) == rows[i].ended)
			fail_msg("%s: %s", rows[i].name, rows[i].value);
		harness_destroy(h);
	}
}

/* It was asked for before the change: nobody knows which of the two states it shows. */
static void what_is_on_its_way_is_not_stored_then(void **state)
{
	struct harness *h = begin("");
	exchange *x = assert_miss(h, "/x");

	(void)state;
	harness_response(x, 200, F(DATE, AGE, {"Content-Length", "5"}));
	origin(ask(h, "POST", "/x"), 200, F(DATE), "");
	harness_response_body(x, "hello", 5, true);
	harness_done(x, false);
	assert_missed(h, "/x");
	assert_int_equal(counter(h, "stores"), 0);
	harness_destroy(h);
}

static void all_variants_end(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE, {"Vary", "X-V"}), "a");
	x = harness_request(h, "GET", "/x", F(HOST, {"X-V", "1"}));
	origin(x, 200, F(DATE, AGE, {"Vary", "X-V"}), "b");
	assert_int_equal(counter(h, "objects"), 2);
	origin(ask(h, "PUT", "/x"), 200, F(DATE), "");
	assert_int_equal(counter(h, "objects"), 0);
	harness_destroy(h);
}

static void a_newer_response_replaces(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE), "old");
	seconds(h, 200);
	x = assert_miss(h, "/x");
	origin(x, 200, F(LATER, AGE), "new");
	assert_field(x, "Cache-Status", "sluice; fwd=stale; stored");
	assert_hit(h, "/x", "new");
	assert_int_equal(counter(h, "objects"), 1);
	x = harness_request(h, "GET", "/x", F(HOST, {"Cache-Control", "no-cache"}));
	origin(x, 200, F(LATER, AGE), "newer");
	assert_field(x, "Cache-Status", "sluice; fwd=request; stored");
	assert_hit(h, "/x", "newer");
	assert_int_equal(counter(h, "objects"), 1);
	harness_destroy(h);
}

static void a_newer_response_that_may_not_be_stored_ends_the_old(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE), "old");
	x = harness_request(h, "GET", "/x", F(HOST, {"Cache-Control", "no-cache"}));
	origin(x, 200, F(DATE, {"Cache-Control", "no-store"}), "new");
	assert_missed(h, "/x");
	harness_destroy(h);
}

static void errors_and_parts_do_not(void **state)
{
	static const struct {
		const char *name, *value;
		uint16_t status;
	} rows[] = {
		{"Cache-Control", "no-cache", 503},
		{"Range", "bytes=0-1", 206},
		{"Authorization", "Basic YTpi", 200},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct harness *h = begin("");
		exchange *x;

		fetch(h, "/x", F(DATE, AGE), "old");
		seconds(h, 200);
		x = harness_request(h, "GET", "/x", F(HOST, {rows[i].name, rows[i].value}));
		assert_false(is_answered(x));
		origin(x, rows[i].status, F(LATER, {"Cache-Control", "no-store"}), "new");
		x = harness_request(h, "GET", "/x", F(HOST, {"Cache-Control", "max-stale"}));
		assert_answer(x, 200, "old");
		harness_destroy(h);
	}
}

/* Our question takes the place of the client's, and the answer to it serves both. */
static void a_304_makes_it_fresh_again(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE, TAG, {"X-A", "1"}, {"X-B", "1"}, {"Content-Encoding", "gzip"}),
	      "hello");
	seconds(h, 200);
	x = harness_request(h, "GET", "/x", F(HOST, {"If-None-Match", "\"v1\""}));
	assert_false(is_answered(x));
	assert_field(x, "If-None-Match", "\"v1\"");
	assert_int_equal(
		harness_response(x, 304,
				 F(LATER, {"Cache-Control", "max-age=50"}, TAG, {"X-A", "2"},
				   {"X-C", "3"}, {"Content-Encoding", "br"}, {"Set-Cookie", "a=b"},
				   {"Connection", "x-d"}, {"X-D", "1"})),
		SLUICE_RESPOND);
	assert_answer(x, 304, "");
	assert_field(x, "Cache-Status", "sluice; fwd=stale; fwd-status=304; ttl=50");
	seconds(h, 49);
	x = get(h, "/x");
	assert_answer(x, 200, "hello");
	assert_field(x, "Cache-Control", "max-age=50");
	assert_field(x, "X-A", "2");
	assert_field(x, "X-B", "1");
	assert_field(x, "X-C", "3");
	assert_field(x, "X-D", NULL);
	assert_field(x, "Content-Encoding", "gzip");
	assert_field(x, "Set-Cookie", "a=b");
	assert_field(x, "Date", "Mon, 01 Jan 2024 00:03:20 GMT");
	assert_field(x, "Age", "49");
	seconds(h, 1);
	assert_missed(h, "/x");
	assert_int_equal(counter(h, "revalidations"), 1);
	harness_destroy(h);
}

static void a_304_about_something_else_does_not(void **state)
{
	static const struct harness_field rows[] = {{"ETag", "\"v2\""}, {"X", "no validator"}};
	struct harness *h = begin("");

	(void)state;
	fetch(h, "/x", F(DATE, AGE, TAG), "hello");
	seconds(h, 200);
	for (size_t i = 0; i < ROWS(rows); i++) {
		exchange *x = harness_request(h, "GET", "/x", F(HOST, {"If-None-Match", "\"v2\""}));

		harness_response(x, 304, F(LATER, AGE, rows[i]));
		assert_missed(h, "/x");
	}
	assert_int_equal(counter(h, "revalidations"), 0);
	harness_destroy(h);
}

static void a_304_may_forbid_to_keep_it(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE, TAG), "hello");
	seconds(h, 200);
	x = harness_request(h, "GET", "/x", F(HOST, {"If-None-Match", "\"v1\""}));
	harness_response(x, 304, F(LATER, {"Cache-Control", "no-store"}, TAG));
	assert_int_equal(counter(h, "objects"), 0);
	harness_destroy(h);
}

static void head_tells_about_get(void **state)
{
	static const struct {
		const char *tag, *length;
		bool fresh;
	} rows[] = {{"\"v1\"", "5", true}, {"\"v2\"", "5", false}, {"\"v1\"", "6", false}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct harness *h = begin("");
		exchange *x;

		fetch(h, "/x", F(DATE, AGE, TAG), "hello");
		seconds(h, 200);
		x = ask(h, "HEAD", "/x");
		assert_false(is_answered(x));
		harness_response(
			x, 200,
			F(LATER, AGE, {"ETag", rows[i].tag}, {"Content-Length", rows[i].length}));
		assert_int_equal(is_answered(get(h, "/x")), rows[i].fresh);
		assert_int_equal(counter(h, "objects"), rows[i].fresh);
		harness_destroy(h);
	}
}

static void purge_from_where_it_is_allowed(void **state)
{
	struct harness *h = begin("purge_from = [ \"192.0.2.0/24\" ];");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE), "hello");
	harness_client(h, "203.0.113.9", 1);
	x = ask(h, "PURGE", "/x");
	assert_answer(x, 403, "");
	assert_hit(h, "/x", "hello");
	harness_client(h, "192.0.2.9", 1);
	x = ask(h, "PURGE", "/x");
	assert_answer(x, 200, "");
	assert_missed(h, "/x");
	x = ask(h, "PURGE", "/x");
	assert_answer(x, 404, "");
	assert_int_equal(counter(h, "purges"), 1);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unsafe_methods_invalidate),
		cmocka_unit_test(named_targets_of_the_same_origin_too),
		cmocka_unit_test(what_is_on_its_way_is_not_stored_then),
		cmocka_unit_test(all_variants_end),
		cmocka_unit_test(a_newer_response_replaces),
		cmocka_unit_test(a_newer_response_that_may_not_be_stored_ends_the_old),
		cmocka_unit_test(errors_and_parts_do_not),
		cmocka_unit_test(a_304_makes_it_fresh_again),
		cmocka_unit_test(a_304_about_something_else_does_not),
		cmocka_unit_test(a_304_may_forbid_to_keep_it),
		cmocka_unit_test(head_tells_about_get),
		cmocka_unit_test(purge_from_where_it_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
