/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients get from the store: heads, HEAD, conditions, ranges. */
#include "cache_test.h"

#define TAG                      \
	{                        \
		"ETag", "\"v1\"" \
	}
#define AGE                                    \
	{                                      \
		"Cache-Control", "max-age=100" \
	}
#define MODIFIED                                                 \
	{                                                        \
		"Last-Modified", "Sun, 31 Dec 2023 00:00:00 GMT" \
	}

static void a_miss_then_a_hit(void **state)
{
	struct harness *h = begin("");
	exchange *x = assert_miss(h, "/x");

	(void)state;
	origin(x, 200, F(DATE, AGE, {"Content-Type", "text/plain"}, {"X-A", "1"}, {"X-A", "2"}),
	       "hello");
	assert_field(x, "Cache-Status", "sluice; fwd=uri-miss; stored");
	seconds(h, 7);
	x = get(h, "/x");
	assert_answer(x, 200, "hello");
	assert_int_equal(harness_body_bytes(x), 5);
	assert_field(x, "Content-Type", "text/plain");
	assert_field(x, "Age", "7");
	assert_field(x, "Date", "Mon, 01 Jan 2024 00:00:00 GMT");
	assert_field(x, "Cache-Control", "max-age=100");
	assert_field(x, "Cache-Status", "sluice; hit; ttl=93");
	assert_string_equal(harness_field_at(x, "X-A", 0), "1");
	assert_string_equal(harness_field_at(x, "X-A", 1), "2");
	harness_done(x, false);
	assert_int_equal(counter(h, "hits"), 1);
	assert_int_equal(counter(h, "misses"), 1);
	assert_int_equal(counter(h, "stores"), 1);
	assert_int_equal(counter(h, "objects"), 1);
	assert_int_equal(counter(h, "bytes_referenced"), 5);
	assert_int_equal(counter(h, "bytes_copied"), 5);
	harness_destroy(h);
}

static void targets_are_told_apart(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE), "one");
	assert_missed(h, "/X");
	assert_missed(h, "/x?");
	assert_missed(h, "/x?a");
	assert_missed(h, "/x/");
	x = harness_request(h, "GET", "/x", F({"Host", "b.example"}));
	assert_false(is_answered(x));
	x = harness_request(h, "GET", "/x", F({"Host", "a.example:81"}));
	assert_false(is_answered(x));
	x = harness_request(h, "GET", "/x", F({"Host", "A.EXAMPLE:80"}));
	assert_answer(x, 200, "one");
	x = harness_request(h, "GET", "http://a.example/x", F({"Host", "a.example"}));
	assert_answer(x, 200, "one");
	harness_destroy(h);
}

static void head_from_get(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE), "hello");
	x = ask(h, "HEAD", "/x");
	assert_answer(x, 200, "");
	assert_int_equal(harness_body_bytes(x), 5);
	harness_done(x, false);
	harness_destroy(h);
}

static void head_is_not_stored(void **state)
{
	struct harness *h = begin("");
	exchange *x = ask(h, "HEAD", "/x");

	(void)state;
	assert_int_equal(harness_response(x, 200, F(DATE, AGE, {"Content-Length", "5"})),
			 SLUICE_LEAVE);
	assert_missed(h, "/x");
	harness_destroy(h);
}

static void hop_by_hop_fields_are_not_stored(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x",
	      F(DATE, {"Cache-Control", "max-age=9, no-cache=\"X-N\", private=\"x-p, x-q\""},
		{"Connection", "x-c, close"}, {"X-C", "1"}, {"Keep-Alive", "1"}, {"X-N", "1"},
		{"X-P", "1"}, {"X-Q", "1"}, {"Proxy-Authenticate", "1"}, {"Trailer", "x-t"},
		{"Proxy-Authentication-Info", "1"}, {"X-Keep", "1"}),
	      "hello");
	x = get(h, "/x");
	assert_answer(x, 200, "hello");
	assert_field(x, "Connection", NULL);
	assert_field(x, "X-C", NULL);
	assert_field(x, "Keep-Alive", NULL);
	assert_field(x, "X-N", NULL);
	assert_field(x, "X-P", NULL);
	assert_field(x, "X-Q", NULL);
	assert_field(x, "Proxy-Authenticate", NULL);
	assert_field(x, "Proxy-Authentication-Info", NULL);
	assert_field(x, "Trailer", NULL);
	assert_field(x, "X-Keep", "1");
	harness_destroy(h);
}

static void age_of_the_origin_counts(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE, {"Age", "30"}), "hello");
	seconds(h, 5);
	x = get(h, "/x");
	assert_field(x, "Age", "35");
	seconds(h, 65);
	assert_missed(h, "/x");
	harness_destroy(h);
}

static void a_response_without_date_gets_one(void **state)
{
	struct harness *h = begin("");
	exchange *x = assert_miss(h, "/x");

	(void)state;
	seconds(h, 3);
	origin(x, 200, F(AGE), "hello");
	assert_field(x, "Date", "Mon, 01 Jan 2024 00:00:03 GMT");
	x = get(h, "/x");
	assert_field(x, "Date", "Mon, 01 Jan 2024 00:00:03 GMT");
	assert_field(x, "Age", "3");
	harness_destroy(h);
}

static void other_statuses_come_back_as_they_are(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	origin(assert_miss(h, "/gone"), 410, F(DATE, AGE), "gone");
	x = get(h, "/gone");
	assert_answer(x, 410, "gone");
	origin(assert_miss(h, "/moved"), 301, F(DATE, AGE, {"Location", "/x"}), "");
	x = get(h, "/moved");
	assert_answer(x, 301, "");
	assert_field(x, "Location", "/x");
	harness_response(assert_miss(h, "/none"), 204, F(DATE, AGE));
	x = get(h, "/none");
	assert_answer(x, 204, "");
	assert_true(harness_body_bytes(x) == SLUICE_LENGTH_NONE);
	harness_destroy(h);
}

static void conditions(void **state)
{
	static const struct {
		const char *name, *value, *name2, *value2;
		uint16_t status;
	} rows[] = {
		{"If-None-Match", "\"v1\"", "X", "", 304},
		{"If-None-Match", "W/\"v1\"", "X", "", 304},
		{"If-None-Match", "\"v0\", \"v1\"", "X", "", 304},
		{"If-None-Match", "*", "X", "", 304},
		{"If-None-Match", "\"v0\"", "If-None-Match", "\"v1\"", 304},
		{"If-None-Match", "\"v0\"", "X", "", 200},
		{"If-None-Match", "v1", "X", "", 200},
		{"If-None-Match", "\"v0\"", "If-Modified-Since", "Sun, 31 Dec 2023 00:00:00 GMT",
		 200},
		{"If-None-Match", "\"v1\"", "If-Modified-Since", "Sun, 31 Dec 2000 00:00:00 GMT",
		 304},
		{"If-Modified-Since", "Sun, 31 Dec 2023 00:00:00 GMT", "X", "", 304},
		{"If-Modified-Since", "Mon, 01 Jan 2024 00:00:00 GMT", "X", "", 304},
		{"If-Modified-Since", "Sat, 30 Dec 2023 23:59:59 GMT", "X", "", 200},
		{"If-Modified-Since", "yesterday", "X", "", 200},
	};
	struct harness *h = begin("");

	(void)state;
	fetch(h, "/x", F(DATE, AGE, TAG, MODIFIED, {"Vary", "Z"}, {"X-A", "1"}), "hello");
	for (size_t i = 0; i < ROWS(rows); i++) {
		exchange *x = harness_request(
			h, "GET", "/x",
			F(HOST, {rows[i].name, rows[i].value}, {rows[i].name2, rows[i].value2}));

		assert_answer(x, rows[i].status, rows[i].status == 200 ? "hello" : "");
		assert_field(x, "ETag", "\"v1\"");
		assert_field(x, "X-A", rows[i].status == 200 ? "1" : NULL);
		assert_field(x, "Vary", "Z");
		assert_field(x, "Age", "0");
		harness_done(x, false);
	}
	assert_int_equal(counter(h, "not_modified"), 8);
	harness_destroy(h);
}

static void modified_since_without_last_modified_goes_by_date(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE), "hello");
	x = harness_request(h, "GET", "/x",
			    F(HOST, {"If-Modified-Since", "Mon, 01 Jan 2024 00:00:00 GMT"}));
	assert_answer(x, 304, "");
	x = harness_request(h, "GET", "/x",
			    F(HOST, {"If-Modified-Since", "Sun, 31 Dec 2023 23:59:59 GMT"}));
	assert_answer(x, 200, "hello");
	harness_destroy(h);
}

static void conditions_hold_for_200_only(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	origin(assert_miss(h, "/x"), 404, F(DATE, AGE, TAG), "no");
	x = harness_request(h, "GET", "/x", F(HOST, {"If-None-Match", "\"v1\""}));
	assert_answer(x, 404, "no");
	harness_destroy(h);
}

static void conditions_for_the_origin_pass(void **state)
{
	static const char *const rows[] = {"If-Match", "If-Unmodified-Since", "Upgrade"};
	struct harness *h = begin("");

	(void)state;
	fetch(h, "/x", F(DATE, AGE, TAG), "hello");
	for (size_t i = 0; i < ROWS(rows); i++) {
		exchange *x = harness_request(h, "GET", "/x", F(HOST, {rows[i], "\"v1\""}));

		assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	}
	assert_int_equal(counter(h, "bypasses"), 3);
	harness_destroy(h);
}

static void parts(void **state)
{
	static const struct {
		const char *range, *if_range;
		uint16_t status;
		const char *body, *content_range;
	} rows[] = {
		{"bytes=0-0", NULL, 206, "0", "bytes 0-0/10"},
		{"bytes=2-4", NULL, 206, "234", "bytes 2-4/10"},
		{"bytes=7-", NULL, 206, "789", "bytes 7-9/10"},
		{"bytes=-2", NULL, 206, "89", "bytes 8-9/10"},
		{"bytes=0-99", NULL, 206, "0123456789", "bytes 0-9/10"},
		{"bytes=10-", NULL, 416, "", "bytes */10"},
		{"bytes=0-1,3-4", NULL, 200, "0123456789", NULL},
		{"rows=1-2", NULL, 200, "0123456789", NULL},
		{"bytes=2-4", "\"v1\"", 206, "234", "bytes 2-4/10"},
		{"bytes=2-4", "\"v2\"", 200, "0123456789", NULL},
		{"bytes=2-4", "W/\"v1\"", 200, "0123456789", NULL},
		{"bytes=2-4", "Sun, 31 Dec 2023 00:00:00 GMT", 206, "234", "bytes 2-4/10"},
		{"bytes=2-4", "Sun, 31 Dec 2023 00:00:01 GMT", 200, "0123456789", NULL},
	};
	struct harness *h = begin("");

	(void)state;
	fetch(h, "/x", F(DATE, AGE, TAG, MODIFIED), "0123456789");
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct harness_field *fields =
			rows[i].if_range
				? F(HOST, {"Range", rows[i].range}, {"If-Range", rows[i].if_range})
				: F(HOST, {"Range", rows[i].range});
		exchange *x = harness_request(h, "GET", "/x", fields);

		assert_answer(x, rows[i].status, rows[i].body);
		assert_field(x, "Content-Range", rows[i].content_range);
		assert_int_equal(harness_body_bytes(x), strlen(rows[i].body));
		harness_done(x, false);
	}
	harness_destroy(h);
}

static void head_has_no_range(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE), "hello");
	x = harness_request(h, "HEAD", "/x", F(HOST, {"Range", "bytes=0-1"}));
	assert_answer(x, 200, "");
	assert_int_equal(harness_body_bytes(x), 5);
	harness_destroy(h);
}

static void a_condition_goes_before_the_range(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE, TAG), "hello");
	x = harness_request(h, "GET", "/x",
			    F(HOST, {"Range", "bytes=0-1"}, {"If-None-Match", "\"v1\""}));
	assert_answer(x, 304, "");
	harness_destroy(h);
}

static void only_if_cached(void **state)
{
	struct harness *h = begin("");
	exchange *x = harness_request(h, "GET", "/x", F(HOST, {"Cache-Control", "only-if-cached"}));

	(void)state;
	assert_answer(x, 504, "");
	assert_field(x, "Cache-Status", "sluice; fwd=uri-miss");
	fetch(h, "/x", F(DATE, AGE), "hello");
	x = harness_request(h, "GET", "/x", F(HOST, {"Cache-Control", "only-if-cached"}));
	assert_answer(x, 200, "hello");
	assert_int_equal(counter(h, "gateway_timeouts"), 1);
	harness_destroy(h);
}

static void variants(void **state)
{
	struct harness *h = begin("");
	exchange *x;

	(void)state;
	x = harness_request(h, "GET", "/x", F(HOST, {"Accept-Encoding", "gzip, br"}));
	origin(x, 200, F(DATE, AGE, {"Vary", "Accept-Encoding"}), "zipped");
	x = get(h, "/x");
	assert_false(is_answered(x));
	origin(x, 200, F(DATE, AGE, {"Vary", "accept-encoding"}), "plain");
	assert_field(x, "Cache-Status", "sluice; fwd=vary-miss; stored");
	x = harness_request(h, "GET", "/x", F(HOST, {"accept-encoding", "BR,gzip"}));
	assert_answer(x, 200, "zipped");
	x = harness_request(h, "GET", "/x", F(HOST, {"Accept-Encoding", "gzip"}));
	assert_false(is_answered(x));
	assert_hit(h, "/x", "plain");
	assert_int_equal(counter(h, "objects"), 2);
	harness_destroy(h);
}

static void variants_are_bounded(void **state)
{
	struct harness *h = begin("max_variants = 3;");
	char value[16];

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		exchange *x;

		snprintf(value, sizeof(value), "%u", i);
		x = harness_request(h, "GET", "/x", F(HOST, {"X-V", value}));
		origin(x, 200, F(DATE, AGE, {"Vary", "X-V"}), value);
	}
	assert_int_equal(counter(h, "objects"), 3);
	assert_answer(harness_request(h, "GET", "/x", F(HOST, {"X-V", "9"})), 200, "9");
	assert_false(is_answered(harness_request(h, "GET", "/x", F(HOST, {"X-V", "6"}))));
	harness_destroy(h);
}

static void cache_status_can_be_off_or_named(void **state)
{
	struct harness *h = begin("cache_status = false;");
	exchange *x;

	(void)state;
	fetch(h, "/x", F(DATE, AGE), "hello");
	x = get(h, "/x");
	assert_field(x, "Cache-Status", NULL);
	harness_destroy(h);
	h = begin("name = \"edge-1\";");
	fetch(h, "/x", F(DATE, AGE, {"Cache-Status", "inner; hit"}), "hello");
	x = get(h, "/x");
	assert_string_equal(harness_field_at(x, "Cache-Status", 0), "inner; hit");
	assert_string_equal(harness_field_at(x, "Cache-Status", 1), "edge-1; hit; ttl=100");
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_miss_then_a_hit),
		cmocka_unit_test(targets_are_told_apart),
		cmocka_unit_test(head_from_get),
		cmocka_unit_test(head_is_not_stored),
		cmocka_unit_test(hop_by_hop_fields_are_not_stored),
		cmocka_unit_test(age_of_the_origin_counts),
		cmocka_unit_test(a_response_without_date_gets_one),
		cmocka_unit_test(other_statuses_come_back_as_they_are),
		cmocka_unit_test(conditions),
		cmocka_unit_test(modified_since_without_last_modified_goes_by_date),
		cmocka_unit_test(conditions_hold_for_200_only),
		cmocka_unit_test(conditions_for_the_origin_pass),
		cmocka_unit_test(parts),
		cmocka_unit_test(head_has_no_range),
		cmocka_unit_test(a_condition_goes_before_the_range),
		cmocka_unit_test(only_if_cached),
		cmocka_unit_test(variants),
		cmocka_unit_test(variants_are_bounded),
		cmocka_unit_test(cache_status_can_be_off_or_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
