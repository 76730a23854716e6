/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditional requests and ranges (RFC 9110 §13, §14), on one file of 26 letters. */
#include "tests/unit/nf/static/static_test.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define BEFORE  "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER   "Sunday, 06-Nov-94 08:49:38 GMT"

static struct harness *h;
static char etag[64];

static int start(void **state)
{
	char path[] = "/tmp/sluice-static-XXXXXX.txt", config[512];

	(void)state;
	file_make(path, ".txt", LETTERS, 26);
	snprintf(config, sizeof(config),
		 "responses = ( { path = \"/f\"; file = \"%s\";"
		 "                headers = ( { name = \"Cache-Control\"; value = \"max-age=5\"; } "
		 "); },"
		 "              { path = \"/g\"; size_bytes = 26; },"
		 "              { path = \"/e\"; status = 404; body = \"no\"; } );",
		 path);
	h = plugin_start(config);
	unlink(path);
	snprintf(etag, sizeof(etag), "%s", harness_field(get(h, "/f"), "ETag"));
	return 0;
}

static int stop(void **state)
{
	(void)state;
	harness_destroy(h);
	return 0;
}

static uint16_t status_with(const char *name, const char *value)
{
	return harness_status(harness_request(h, "GET", "/f", HARNESS_FIELDS({name, value})));
}

static void test_not_modified(void **state)
{
	struct harness_exchange *x =
		harness_request(h, "GET", "/f", HARNESS_FIELDS({"If-None-Match", etag}));

	(void)state;
	assert_int_equal(harness_status(x), 304);
	assert_true(harness_body_bytes(x) == SLUICE_LENGTH_NONE);
	assert_field(x, "ETag", etag);
	assert_field(x, "Last-Modified", FILE_LAST_MODIFIED);
	assert_field(x, "Cache-Control", "max-age=5");
	assert_no_field(x, "Content-Type");
	assert_int_equal(harness_counter(h, "not_modified"), 1);
	x = harness_request(h, "HEAD", "/f", HARNESS_FIELDS({"If-None-Match", etag}));
	assert_int_equal(harness_status(x), 304);
}

static void test_if_none_match(void **state)
{
	char weak[80], list[160];

	(void)state;
	snprintf(weak, sizeof(weak), "W/%s", etag);
	snprintf(list, sizeof(list), "\"x,y\", W/\"z\" ,%s", weak);
	assert_int_equal(status_with("If-None-Match", weak), 304);
	assert_int_equal(status_with("If-None-Match", list), 304);
	assert_int_equal(status_with("If-None-Match", "*"), 304);
	assert_int_equal(status_with("If-None-Match", "\"other\""), 200);
	assert_int_equal(status_with("If-None-Match", ""), 200);
}

static void test_dates(void **state)
{
	(void)state;
	assert_int_equal(status_with("If-Modified-Since", FILE_LAST_MODIFIED), 304);
	assert_int_equal(status_with("If-Modified-Since", AFTER), 304);
	assert_int_equal(status_with("If-Modified-Since", BEFORE), 200);
	assert_int_equal(status_with("If-Modified-Since", "yesterday"), 200);
	assert_int_equal(status_with("If-Unmodified-Since", FILE_LAST_MODIFIED), 200);
	assert_int_equal(status_with("If-Unmodified-Since", BEFORE), 412);
	assert_int_equal(status_with("If-Unmodified-Since", "yesterday"), 200);
}

static void test_if_match(void **state)
{
	char weak[80];

	(void)state;
	snprintf(weak, sizeof(weak), "W/%s", etag);
	assert_int_equal(status_with("If-Match", etag), 200);
	assert_int_equal(status_with("If-Match", "*"), 200);
	assert_int_equal(status_with("If-Match", "\"other\""), 412);
	assert_int_equal(status_with("If-Match", weak), 412);
}

/* RFC 9110 §13.2.2: tags come before dates. */
static void test_precedence(void **state)
{
	struct harness_exchange *x =
		harness_request(h, "GET", "/f",
				HARNESS_FIELDS({"If-None-Match", "\"other\""},
					       {"If-Modified-Since", FILE_LAST_MODIFIED}));

	(void)state;
	assert_int_equal(harness_status(x), 200);
	x = harness_request(h, "GET", "/f",
			    HARNESS_FIELDS({"If-Match", etag}, {"If-Unmodified-Since", BEFORE}));
	assert_int_equal(harness_status(x), 200);
	x = harness_request(h, "GET", "/f",
			    HARNESS_FIELDS({"If-Match", "\"other\""}, {"If-None-Match", etag}));
	assert_int_equal(harness_status(x), 412);
}

static void test_only_a_200_is_conditional(void **state)
{
	struct harness_exchange *x = harness_request(
		h, "GET", "/e", HARNESS_FIELDS({"If-None-Match", "*"}, {"Range", "bytes=0-0"}));

	(void)state;
	assert_int_equal(harness_status(x), 404);
	assert_body(x, "no");
}

static void part(const char *range, const char *content_range, const char *bytes)
{
	struct harness_exchange *x =
		harness_request(h, "GET", "/f", HARNESS_FIELDS({"Range", range}));

	assert_int_equal(harness_status(x), 206);
	assert_field(x, "Content-Range", content_range);
	assert_field(x, "Content-Type", "text/plain");
	assert_field(x, "ETag", etag);
	assert_int_equal(harness_body_bytes(x), strlen(bytes));
	assert_body(x, bytes);
}

static void test_ranges(void **state)
{
	(void)state;
	part("bytes=0-0", "bytes 0-0/26", "a");
	part("bytes=2-4", "bytes 2-4/26", "cde");
	part("BYTES=23-", "bytes 23-25/26", "xyz");
	part("bytes=23-99", "bytes 23-25/26", "xyz");
	part("bytes=23-99999999999999999999", "bytes 23-25/26", "xyz");
	part("bytes=-2", "bytes 24-25/26", "yz");
	part("bytes=-100", "bytes 0-25/26", LETTERS);
	part("bytes=25-25", "bytes 25-25/26", "z");
}

static void test_ranges_that_cannot_be(void **state)
{
	static const char *const ranges[] = {"bytes=26-", "bytes=26-27", "bytes=-0",
					     "bytes=99999999999999999999-"};

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); ++i) {
		struct harness_exchange *x =
			harness_request(h, "GET", "/f", HARNESS_FIELDS({"Range", ranges[i]}));

		assert_int_equal(harness_status(x), 416);
		assert_field(x, "Content-Range", "bytes */26");
		assert_int_equal(harness_body_bytes(x), 0);
	}
}

static void test_ranges_that_do_not_count(void **state)
{
	static const char *const ranges[] = {
		"",          "bytes",     "bytes=",     "bytes=-",    "bytes=2-1", "bytes=0-1,3-4",
		"lines=1-2", "bytes=a-b", "bytes=1-2x", "bytes= 1-2", "bytes=1"};
	struct harness_exchange *x;

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); ++i)
		assert_int_equal(status_with("Range", ranges[i]), 200);
	x = harness_request(h, "HEAD", "/f", HARNESS_FIELDS({"Range", "bytes=0-0"}));
	assert_int_equal(harness_status(x), 200);
	assert_int_equal(harness_body_bytes(x), 26);
}

static uint16_t status_if_range(const char *target, const char *value)
{
	return harness_status(harness_request(
		h, "GET", target, HARNESS_FIELDS({"Range", "bytes=0-0"}, {"If-Range", value})));
}

static void test_if_range(void **state)
{
	char weak[80];

	(void)state;
	snprintf(weak, sizeof(weak), "W/%s", etag);
	assert_int_equal(status_if_range("/f", etag), 206);
	assert_int_equal(status_if_range("/f", weak), 200);
	assert_int_equal(status_if_range("/f", "\"other\""), 200);
	assert_int_equal(status_if_range("/f", FILE_LAST_MODIFIED), 206);
	assert_int_equal(status_if_range("/f", BEFORE), 200);
	assert_int_equal(status_if_range("/f", AFTER), 200);
	assert_int_equal(status_if_range("/f", "nonsense"), 200);
	assert_int_equal(status_if_range("/g", FILE_LAST_MODIFIED), 200);
}

static void test_generated_bytes_have_ranges_but_no_validators(void **state)
{
	struct harness_exchange *x =
		harness_request(h, "GET", "/g",
				HARNESS_FIELDS({"Range", "bytes=1-2"}, {"If-None-Match", "\"x\""},
					       {"If-Modified-Since", FILE_LAST_MODIFIED}));

	(void)state;
	assert_int_equal(harness_status(x), 206);
	assert_body(x, "bc");
	assert_no_field(x, "ETag");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_modified),
		cmocka_unit_test(test_if_none_match),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_if_match),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_only_a_200_is_conditional),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_ranges_that_cannot_be),
		cmocka_unit_test(test_ranges_that_do_not_count),
		cmocka_unit_test(test_if_range),
		cmocka_unit_test(test_generated_bytes_have_ranges_but_no_validators),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
