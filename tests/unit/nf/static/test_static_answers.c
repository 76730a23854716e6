/* SPDX-License-Identifier: BSD-3-Clause */
/* Which response a request gets, and what stands in it. */
#include "tests/unit/nf/static/static_test.h"

static void test_text(void **state)
{
	struct harness *h =
		plugin_start("responses = ( { path = \"/x\"; body = \"hello\\n\"; } );");
	struct harness_exchange *x = get(h, "/x?y");

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), 200);
	assert_int_equal(harness_body_bytes(x), 6);
	assert_field(x, "Content-Type", "text/plain");
	assert_field(x, "ETag", "\"a9bc80cca21f28b3-6\"");
	assert_no_field(x, "Last-Modified");
	assert_body(x, "hello\n");
	assert_int_equal(harness_counter(h, "requests"), 1);
	assert_int_equal(harness_counter(h, "answered"), 1);
	harness_destroy(h);
}

static void test_head(void **state)
{
	struct harness *h = plugin_start("responses = ( { body = \"hello\"; } );");
	struct harness_exchange *x = harness_request(h, "HEAD", "/", HARNESS_NO_FIELDS);
	size_t len;

	(void)state;
	assert_int_equal(harness_status(x), 200);
	assert_int_equal(harness_body_bytes(x), 5);
	assert_field(x, "Content-Type", "text/plain");
	(void)harness_body(x, &len);
	assert_int_equal(len, 0);
	harness_destroy(h);
}

static void test_which_response(void **state)
{
	struct harness *h =
		plugin_start("responses = ("
			     "{ path = \"/a\"; host = \"b.example\"; body = \"b\"; },"
			     "{ path = \"/a\"; body = \"exact\"; },"
			     "{ path_prefix = \"/p/\"; body = \"prefix\"; },"
			     "{ path_pattern = \"\\\\.txt$\"; body = \"pattern\"; } );");

	(void)state;
	assert_body(get(h, "/a"), "exact");
	assert_body(harness_request(h, "GET", "/a", HARNESS_FIELDS({"Host", "B.example"})), "b");
	assert_body(get(h, "/p/"), "prefix");
	assert_body(get(h, "/x/y.txt"), "pattern");
	assert_body(get(h, "/p/../%61"), "exact");
	assert_int_equal(harness_status(get(h, "/a/")), 404);
	assert_int_equal(harness_counter(h, "not_found"), 1);
	harness_destroy(h);
}

static void test_otherwise(void **state)
{
	struct harness *h = plugin_start("responses = ( { path = \"/x\"; } );");
	struct harness_exchange *x = get(h, "/y");

	(void)state;
	assert_int_equal(harness_status(x), 404);
	assert_body(x, "404 Not Found\n");
	harness_destroy(h);
	h = plugin_start("otherwise = \"pass\"; responses = ( { path = \"/x\"; } );");
	assert_int_equal(harness_verdict(get(h, "/y")), SLUICE_LEAVE);
	assert_int_equal(harness_verdict(get(h, "/x")), SLUICE_RESPOND);
	assert_int_equal(harness_counter(h, "passed"), 1);
	harness_destroy(h);
}

static void test_methods(void **state)
{
	struct harness *h = plugin_start(
		"responses = ("
		"{ path = \"/form\"; method = [ \"POST\", \"PUT\" ]; body = \"done\"; },"
		"{ path = \"/form\"; body = \"form\"; },"
		"{ path = \"/page\"; body = \"page\"; } );");
	struct harness_exchange *x = harness_request(h, "POST", "/form", HARNESS_NO_FIELDS);

	(void)state;
	assert_body(x, "done");
	assert_body(get(h, "/form"), "form");
	x = harness_request(h, "DELETE", "/form", HARNESS_NO_FIELDS);
	assert_int_equal(harness_status(x), 405);
	assert_field(x, "Allow", "POST, PUT");
	x = harness_request(h, "POST", "/page", HARNESS_NO_FIELDS);
	assert_int_equal(harness_status(x), 405);
	assert_field(x, "Allow", "GET, HEAD");
	assert_int_equal(harness_counter(h, "refused"), 2);
	harness_destroy(h);
}

static void test_status_and_headers(void **state)
{
	struct harness *h = plugin_start(
		"responses = ( { path = \"/a\"; status = 503; body = \"{}\"; type = "
		"\"application/json\";"
		"                headers = ( { name = \"Retry-After\"; value = \"5\"; },"
		"                            { name = \"Set-Cookie\"; value = \"a=1\"; },"
		"                            { name = \"Set-Cookie\"; value = \"b=2\"; } ); },"
		"              { path = \"/none\"; status = 204; },"
		"              { path = \"/empty\"; } );");
	struct harness_exchange *x = get(h, "/a");

	(void)state;
	assert_int_equal(harness_status(x), 503);
	assert_field(x, "Content-Type", "application/json");
	assert_field(x, "Retry-After", "5");
	assert_string_equal(harness_field_at(x, "Set-Cookie", 1), "b=2");
	assert_body(x, "{}");
	x = get(h, "/none");
	assert_int_equal(harness_status(x), 204);
	assert_true(harness_body_bytes(x) == SLUICE_LENGTH_NONE);
	assert_string_equal(harness_edits(x), "");
	x = get(h, "/empty");
	assert_int_equal(harness_status(x), 200);
	assert_int_equal(harness_body_bytes(x), 0);
	assert_no_field(x, "Content-Type");
	harness_destroy(h);
}

static void test_generated_bytes(void **state)
{
	struct harness *h = plugin_start("responses = ( { size_bytes = 64; } );");
	struct harness_exchange *x = get(h, "/");

	(void)state;
	assert_int_equal(harness_body_bytes(x), 64);
	assert_body(x, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl");
	assert_string_equal(harness_edits(x), "add Content-Type: text/plain\n");
	harness_destroy(h);
}

/* All exchanges are sent the same bytes: nothing is copied, nothing is taken from the arena. */
static void test_bodies_are_shared(void **state)
{
	struct harness *h = plugin_new();
	uint64_t used;

	(void)state;
	harness_set_arena(h, UINT64_C(2) << 20);
	plugin_start_in(h, "responses = ( { size_bytes = 1048576; } );");
	harness_hold_sent(h, true);
	used = sluice_arena_used(harness_nf(h));
	for (unsigned i = 0; i < 100; ++i)
		assert_int_equal(harness_body_bytes(get(h, "/")), 1048576);
	assert_int_equal(sluice_arena_used(harness_nf(h)), used);
	assert_int_equal(harness_counter(h, "copied_bytes"), 0);
	harness_acknowledge(h);
	assert_int_equal(sluice_arena_used(harness_nf(h)), used);
	harness_destroy(h);
}

static void test_file(void **state)
{
	char path[] = "/tmp/sluice-static-XXXXXX.html", config[256];
	struct harness_exchange *x;
	struct harness *h;

	(void)state;
	file_make(path, ".html", "<p>hello\n", 9);
	snprintf(config, sizeof(config), "responses = ( { path = \"/\"; file = \"%s\"; } );", path);
	h = plugin_start(config);
	unlink(path);
	x = get(h, "/");
	assert_int_equal(harness_status(x), 200);
	assert_field(x, "Content-Type", "text/html");
	assert_field(x, "Last-Modified", FILE_LAST_MODIFIED);
	assert_body(x, "<p>hello\n");
	harness_destroy(h);
}

static void test_big_binary_file(void **state)
{
	char path[] = "/tmp/sluice-static-XXXXXX.BIN", config[256];
	const size_t size = 3 * 1024 * 1024 + 7;
	uint8_t *content = malloc(size);
	struct harness_exchange *x;
	struct harness *h;
	size_t len;

	(void)state;
	for (size_t i = 0; i < size; ++i)
		content[i] = (uint8_t)(i * 31 >> 3);
	file_make(path, ".BIN", content, size);
	snprintf(config, sizeof(config), "responses = ( { file = \"%s\"; } );", path);
	h = plugin_start(config);
	unlink(path);
	x = get(h, "/");
	assert_field(x, "Content-Type", "application/octet-stream");
	assert_memory_equal(harness_body(x, &len), content, size);
	assert_int_equal(len, size);
	harness_destroy(h);
	free(content);
}

static void test_empty_file(void **state)
{
	char path[] = "/tmp/sluice-static-XXXXXX", config[256];
	struct harness_exchange *x;
	struct harness *h;

	(void)state;
	file_make(path, "", "", 0);
	snprintf(config, sizeof(config), "responses = ( { file = \"%s\"; } );", path);
	h = plugin_start(config);
	unlink(path);
	x = get(h, "/");
	assert_int_equal(harness_body_bytes(x), 0);
	assert_field(x, "Last-Modified", FILE_LAST_MODIFIED);
	x = harness_request(h, "GET", "/", HARNESS_FIELDS({"Range", "bytes=0-"}));
	assert_int_equal(harness_status(x), 416);
	harness_destroy(h);
}

static void test_echo(void **state)
{
	struct harness *h = plugin_start("responses = ( { path_prefix = \"/echo\"; echo = true;"
					 "  headers = ( { name = \"X\"; value = \"y\"; } ); } );");
	struct harness_exchange *x =
		harness_request(h, "POST", "/echo?a=b",
				HARNESS_FIELDS({"Host", "a"}, {"COOKIE", "k=v"}, {"X", ""}));

	(void)state;
	assert_int_equal(harness_status(x), 200);
	assert_field(x, "Content-Type", "text/plain");
	assert_field(x, "X", "y");
	assert_body(x, "POST /echo?a=b HTTP/1.1\r\nHost: a\r\nCOOKIE: k=v\r\nX: \r\n\r\n");
	x = harness_request_version(h, 10, "BREW", "/echo", HARNESS_NO_FIELDS);
	assert_body(x, "BREW /echo HTTP/1.0\r\n\r\n");
	x = harness_request(h, "HEAD", "/echo", HARNESS_NO_FIELDS);
	assert_int_equal(harness_body_bytes(x), strlen("HEAD /echo HTTP/1.1\r\n\r\n"));
	harness_destroy(h);
}

/* What follows from the head alone may be said again; the counters know of it. */
static void test_steady(void **state)
{
	struct harness *h = plugin_start("responses = ( { path = \"/x\"; body = \"hello\"; },"
					 "{ path = \"/echo\"; echo = true; } );");
	struct harness_exchange *x = get(h, "/x");

	(void)state;
	assert_int_equal(harness_steady_ms(x), SLUICE_STEADY_MS_MAX);
	harness_repeated(x, 41);
	assert_int_equal(harness_counter(h, "requests"), 42);
	assert_int_equal(harness_counter(h, "answered"), 42);
	assert_int_equal(harness_counter(h, "not_modified"), 0);
	x = harness_request(h, "GET", "/x", HARNESS_FIELDS({"If-None-Match", "*"}));
	assert_int_equal(harness_status(x), 304);
	harness_repeated(x, 2);
	assert_int_equal(harness_counter(h, "not_modified"), 3);
	x = harness_request(h, "GET", "/x", HARNESS_FIELDS({"Range", "bytes=1-2"}));
	assert_int_equal(harness_status(x), 206);
	harness_repeated(x, 3);
	assert_int_equal(harness_counter(h, "partial"), 4);
	assert_int_equal(harness_counter(h, "answered"), 42 + 3 + 4);
	assert_int_equal(harness_steady_ms(get(h, "/echo")), 0);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_steady),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_which_response),
		cmocka_unit_test(test_otherwise),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_status_and_headers),
		cmocka_unit_test(test_generated_bytes),
		cmocka_unit_test(test_bodies_are_shared),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_big_binary_file),
		cmocka_unit_test(test_empty_file),
		cmocka_unit_test(test_echo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
