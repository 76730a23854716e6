/* SPDX-License-Identifier: BSD-3-Clause */
/* Files below a root: which are found, which are not, and what stays in the arena. */
#include "tests/unit/nf/static/static_test.h"

#define BIG_BYTES 300000

static char top[64], config[256];

static void put(const char *name, const void *content, size_t len)
{
	struct timespec times[2] = {{.tv_sec = FILE_MODIFIED}, {.tv_sec = FILE_MODIFIED}};
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, len), (ssize_t)len);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void make_directory(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void make_link(const char *to, const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(symlink(to, path), 0);
}

static uint8_t big_byte(size_t i)
{
	return (uint8_t)(i * 31 >> 3);
}

static int setup(void **state)
{
	static uint8_t big[BIG_BYTES];

	(void)state;
	strcpy(top, "/tmp/rootXXXXXX");
	assert_non_null(mkdtemp(top));
	make_directory("in");
	put_text("secret.txt", "outside");
	make_directory("in/dir");
	make_directory("in/empty");
	make_directory("in/.git");
	put_text("in/index.html", "<p>top");
	put_text("in/a.css", "a{}");
	put_text("in/nothing", "");
	put_text("in/dir/index.html", "<p>dir");
	put_text("in/dir/a b.txt", "spaces");
	put_text("in/.git/config", "hidden");
	put_text("in/.env", "hidden");
	make_link("../secret.txt", "in/link.txt");
	make_link("..", "in/up");
	for (size_t i = 0; i < BIG_BYTES; ++i)
		big[i] = big_byte(i);
	put("in/big.bin", big, sizeof(big));
	return 0;
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static struct harness *start(const char *keys, const char *more)
{
	snprintf(config, sizeof(config), "responses = ( { root = \"%s/in\"; %s } ); %s", top, keys,
		 more);
	return plugin_start(config);
}

static uint16_t status(struct harness *h, const char *target)
{
	return harness_status(get(h, target));
}

static void test_files(void **state)
{
	struct harness *h = start("", "");
	struct harness_exchange *x = get(h, "/a.css?v=1");

	(void)state;
	assert_int_equal(harness_status(x), 200);
	assert_field(x, "Content-Type", "text/css");
	assert_field(x, "Last-Modified", FILE_LAST_MODIFIED);
	assert_body(x, "a{}");
	assert_body(get(h, "/"), "<p>top");
	assert_body(get(h, "/dir/"), "<p>dir");
	assert_body(get(h, "/dir/a%20b.txt"), "spaces");
	assert_body(get(h, "/x/../%61.css"), "a{}");
	assert_body(get(h, "/nothing"), "");
	assert_int_equal(status(h, "/absent"), 404);
	assert_int_equal(status(h, "/a.css/"), 404);
	assert_int_equal(status(h, "/a.css/b"), 404);
	assert_int_equal(status(h, "/empty/"), 404);
	assert_int_equal(harness_counter(h, "file_loads"), 5);
	assert_int_equal(harness_counter(h, "file_hits"), 1);
	harness_destroy(h);
}

static void test_nothing_outside(void **state)
{
	static const char *const targets[] = {
		"/../secret.txt",
		"/%2e%2e/secret.txt",
		"/..%2fsecret.txt",
		"/dir/../../secret.txt",
		"/dir%2f..%2f..%2fsecret.txt",
		"/link.txt",
		"/up/secret.txt",
		"//../secret.txt",
		"/a.css%00.txt",
		"/.%2e/secret.txt",
		"/dir/%2e%2e%2f%2e%2e/secret.txt",
	};
	struct harness *h = start("", "");

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); ++i)
		if (status(h, targets[i]) != 404)
			fail_msg("%s: %u", targets[i], status(h, targets[i]));
	assert_int_equal(status(h, "/.env"), 403);
	assert_int_equal(status(h, "/.git/config"), 403);
	harness_destroy(h);
	h = start("dotfiles = true; links = true;", "");
	assert_body(get(h, "/.git/config"), "hidden");
	assert_body(get(h, "/link.txt"), "outside");
	assert_int_equal(status(h, "/../secret.txt"), 404);
	harness_destroy(h);
}

static void test_directories_redirect(void **state)
{
	struct harness *h = start("path_prefix = \"/files/\";", "");
	struct harness_exchange *x = get(h, "/files//./dir?x=1");

	(void)state;
	assert_int_equal(harness_status(x), 301);
	assert_field(x, "Location", "/files/dir/?x=1");
	assert_int_equal(harness_counter(h, "redirected"), 1);
	assert_body(get(h, "/files/dir/"), "<p>dir");
	assert_int_equal(status(h, "/dir/"), 404);
	harness_destroy(h);
	h = start("", "");
	assert_field(get(h, "//dir"), "Location", "/dir/");
	harness_destroy(h);
}

static void test_conditions_and_ranges(void **state)
{
	struct harness *h = start("", "");
	struct harness_exchange *x = get(h, "/a.css");
	char etag[100];

	(void)state;
	snprintf(etag, sizeof(etag), "%s", harness_field(x, "ETag"));
	x = harness_request(h, "GET", "/a.css", HARNESS_FIELDS({"If-None-Match", etag}));
	assert_int_equal(harness_status(x), 304);
	x = harness_request(h, "GET", "/a.css",
			    HARNESS_FIELDS({"If-Modified-Since", FILE_LAST_MODIFIED}));
	assert_int_equal(harness_status(x), 304);
	x = harness_request(h, "GET", "/a.css", HARNESS_FIELDS({"Range", "bytes=1-1"}));
	assert_int_equal(harness_status(x), 206);
	assert_field(x, "Content-Range", "bytes 1-1/3");
	assert_body(x, "{");
	x = harness_request(h, "GET", "/a.css", HARNESS_FIELDS({"Range", "bytes=0-0,2-2"}));
	assert_int_equal(harness_status(x), 200);
	x = harness_request(h, "GET", "/a.css", HARNESS_FIELDS({"Range", "bytes=3-"}));
	assert_int_equal(harness_status(x), 416);
	x = harness_request(h, "POST", "/a.css", HARNESS_NO_FIELDS);
	assert_int_equal(harness_status(x), 405);
	harness_destroy(h);
}

/* The turns of the loop that an answer takes. */
static void turns(struct harness *h, unsigned n)
{
	while (n--)
		harness_advance(h, 1000);
}

static void assert_big(struct harness_exchange *x, size_t off, size_t want)
{
	size_t len;
	const uint8_t *body = harness_body(x, &len);

	assert_int_equal(len, want);
	for (size_t i = 0; i < len; ++i)
		if (body[i] != big_byte(off + i))
			fail_msg("byte %zu", i);
}

static void test_large_files_are_streamed(void **state)
{
	struct harness *h = start("", "");
	struct harness_exchange *x = get(h, "/big.bin");

	(void)state;
	assert_int_equal(harness_body_bytes(x), BIG_BYTES);
	turns(h, 5);
	assert_true(harness_body_ended(x));
	assert_big(x, 0, BIG_BYTES);
	harness_done(x, false);
	x = harness_request(h, "GET", "/big.bin", HARNESS_FIELDS({"Range", "bytes=100000-199999"}));
	turns(h, 5);
	assert_int_equal(harness_status(x), 206);
	assert_big(x, 100000, 100000);
	harness_done(x, false);
	x = harness_request(h, "HEAD", "/big.bin", HARNESS_NO_FIELDS);
	assert_int_equal(harness_body_bytes(x), BIG_BYTES);
	turns(h, 2);
	harness_done(x, false);
	assert_int_equal(harness_counter(h, "file_streams"), 3);
	assert_int_equal(harness_counter(h, "file_broken"), 0);
	assert_int_equal(sluice_arena_used(harness_nf(h)), 0);
	harness_destroy(h);
}

static void test_slow_readers_hold_a_window(void **state)
{
	struct harness *h = start("", "");
	struct harness_exchange *x;

	(void)state;
	harness_set_room(h, 2);
	x = get(h, "/big.bin");
	turns(h, 5);
	assert_false(harness_body_ended(x));
	harness_set_room(h, UINT32_MAX);
	harness_writable(h);
	turns(h, 5);
	assert_big(x, 0, BIG_BYTES);
	harness_done(x, false);
	harness_set_room(h, 1);
	x = get(h, "/big.bin");
	turns(h, 2);
	harness_done(x, true);
	harness_set_room(h, UINT32_MAX);
	turns(h, 2);
	assert_int_equal(sluice_arena_used(harness_nf(h)), 0);
	harness_destroy(h);
}

static void test_a_file_that_shrinks(void **state)
{
	struct harness *h;
	struct harness_exchange *x;
	char path[100];

	(void)state;
	put("in/shrinks", config, sizeof(config));
	h = start("", "cache_file_kb = 0;");
	snprintf(path, sizeof(path), "%s/in/shrinks", top);
	x = get(h, "/shrinks");
	assert_int_equal(truncate(path, 0), 0);
	turns(h, 2);
	assert_false(harness_body_ended(x));
	assert_true(harness_body_cut(x));
	assert_int_equal(harness_counter(h, "file_broken"), 1);
	harness_done(x, true);
	unlink(path);
	harness_destroy(h);
}

/* Its first pieces are on their way: none of another content follows. */
static void test_a_file_that_is_written_into(void **state)
{
	static uint8_t other[BIG_BYTES];
	struct harness *h = start("", "");
	struct harness_exchange *x;
	char path[100];
	size_t len;

	(void)state;
	memset(other, 'x', sizeof(other));
	put("in/written", other, sizeof(other));
	harness_set_room(h, 2);
	x = get(h, "/written");
	turns(h, 2);
	harness_body(x, &len);
	assert_int_equal(len, 2 * 65536);
	memset(other, 'y', sizeof(other));
	put("in/written", other, sizeof(other) - 1);
	harness_set_room(h, UINT32_MAX);
	turns(h, 5);
	assert_true(harness_body_cut(x));
	assert_null(memchr(harness_body(x, &len), 'y', len));
	harness_done(x, true);
	snprintf(path, sizeof(path), "%s/in/written", top);
	unlink(path);
	assert_int_equal(sluice_arena_used(harness_nf(h)), 0);
	harness_destroy(h);
}

/* --- variants ----------------------------------------------------------------------- */

#define ACCEPT(value) HARNESS_FIELDS({"Host", "a.example"}, {"Accept-Encoding", value})

static void remove_file(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/in/%s", top, name);
	assert_int_equal(unlink(path), 0);
}

static void is_coded(struct harness_exchange *x, const char *coding, const char *body)
{
	assert_field(x, "Content-Type", "text/css");
	assert_field(x, "Vary", "Accept-Encoding");
	if (coding)
		assert_field(x, "Content-Encoding", coding);
	else
		assert_no_field(x, "Content-Encoding");
	assert_body(x, body);
}

static void test_variants(void **state)
{
	struct harness *h;
	struct harness_exchange *x;
	char etag[64];

	(void)state;
	put_text("in/v.css", "plain");
	put_text("in/v.css.br", "BR");
	put_text("in/v.css.gz", "GZIP");
	h = start("precompressed = [ \"br\", \"zstd\", \"gzip\" ];", "");
	is_coded(get(h, "/v.css"), NULL, "plain");
	is_coded(harness_request(h, "GET", "/v.css", ACCEPT("gzip, zstd, br")), "br", "BR");
	is_coded(harness_request(h, "GET", "/v.css", ACCEPT("gzip")), "gzip", "GZIP");
	is_coded(harness_request(h, "GET", "/v.css", ACCEPT("br;q=0.5, gzip")), "gzip", "GZIP");
	is_coded(harness_request(h, "GET", "/v.css", ACCEPT("zstd")), NULL, "plain");
	is_coded(harness_request(h, "GET", "/v.css", ACCEPT("br;q=0")), NULL, "plain");
	is_coded(harness_request(h, "GET", "/a.css", ACCEPT("br")), NULL, "a{}");
	x = harness_request(h, "GET", "/v.css", ACCEPT("br"));
	snprintf(etag, sizeof(etag), "%s", harness_field(x, "ETag"));
	assert_string_not_equal(etag, harness_field(get(h, "/v.css"), "ETag"));
	x = harness_request(h, "GET", "/v.css",
			    HARNESS_FIELDS({"Accept-Encoding", "br"}, {"If-None-Match", etag}));
	assert_int_equal(harness_status(x), 304);
	assert_field(x, "Vary", "Accept-Encoding");
	x = harness_request(h, "GET", "/v.css", HARNESS_FIELDS({"If-None-Match", etag}));
	assert_int_equal(harness_status(x), 200);
	x = harness_request(h, "GET", "/v.css",
			    HARNESS_FIELDS({"Accept-Encoding", "gzip"}, {"Range", "bytes=1-2"}));
	assert_int_equal(harness_status(x), 206);
	assert_field(x, "Content-Range", "bytes 1-2/4");
	is_coded(x, "gzip", "ZI");
	harness_destroy(h);
}

/* What was not there comes, what was there goes: within a second. */
static void test_variants_come_and_go(void **state)
{
	struct harness *h = start("precompressed = [ \"gzip\", \"br\" ];", "");

	(void)state;
	remove_file("v.css.br");
	is_coded(harness_request(h, "GET", "/v.css", ACCEPT("br, gzip")), "gzip", "GZIP");
	is_coded(harness_request(h, "GET", "/v.css", ACCEPT("br")), NULL, "plain");
	put_text("in/v.css.br", "BR2");
	is_coded(harness_request(h, "GET", "/v.css", ACCEPT("br")), NULL, "plain");
	remove_file("v.css.gz");
	harness_advance(h, 1000000);
	is_coded(harness_request(h, "GET", "/v.css", ACCEPT("br")), "br", "BR2");
	is_coded(harness_request(h, "GET", "/v.css", ACCEPT("gzip")), NULL, "plain");
	remove_file("v.css");
	harness_advance(h, 1000000);
	assert_int_equal(harness_status(harness_request(h, "GET", "/v.css", ACCEPT("br"))), 404);
	harness_destroy(h);
}

/* Also of files that are read while they are sent; not one of before a change. */
static void test_large_variants(void **state)
{
	struct timespec later[2] = {{.tv_sec = FILE_MODIFIED + 1}, {.tv_sec = FILE_MODIFIED + 1}};
	struct harness *h =
		start("precompressed = [ \"br\" ];", "cache_file_kb = 0; cache_kb = 0;");
	struct harness_exchange *x;
	char path[200];

	(void)state;
	put_text("in/v.css", "plain");
	x = harness_request(h, "GET", "/v.css", ACCEPT("br"));
	turns(h, 3);
	is_coded(x, "br", "BR2");
	harness_done(x, false);
	snprintf(path, sizeof(path), "%s/in/v.css", top);
	assert_int_equal(utimensat(AT_FDCWD, path, later, 0), 0);
	x = harness_request(h, "GET", "/v.css", ACCEPT("br"));
	turns(h, 3);
	is_coded(x, NULL, "plain");
	harness_done(x, false);
	assert_int_equal(sluice_arena_used(harness_nf(h)), 0);
	harness_destroy(h);
}

static void test_changes_are_seen_within_a_second(void **state)
{
	struct harness *h = start("", "");

	(void)state;
	put_text("in/changes", "old");
	assert_body(get(h, "/changes"), "old");
	put_text("in/changes", "newer");
	assert_body(get(h, "/changes"), "old");
	harness_advance(h, 1000000);
	assert_body(get(h, "/changes"), "newer");
	harness_advance(h, 1000000);
	assert_body(get(h, "/changes"), "newer");
	assert_int_equal(harness_counter(h, "file_loads"), 2);
	harness_advance(h, 1000000);
	snprintf(config, sizeof(config), "%s/in/changes", top);
	unlink(config);
	assert_int_equal(status(h, "/changes"), 404);
	harness_destroy(h);
}

static void test_room_is_bounded(void **state)
{
	struct harness *h;
	char kilobyte[1024];
	char name[32];

	(void)state;
	memset(kilobyte, 'k', sizeof(kilobyte));
	for (unsigned i = 0; i < 8; ++i) {
		snprintf(name, sizeof(name), "in/k%u", i);
		put(name, kilobyte, sizeof(kilobyte));
	}
	h = start("", "cache_kb = 4;");
	for (unsigned i = 0; i < 8; ++i) {
		snprintf(name, sizeof(name), "/k%u", i);
		assert_int_equal(status(h, name), 200);
		assert_int_equal(status(h, "/k0"), 200);
	}
	assert_int_equal(harness_counter(h, "file_evictions"), 4);
	assert_int_equal(harness_counter(h, "file_loads"), 8);
	harness_destroy(h);
}

/* A megabyte in a turn; what is asked for beyond that waits for the next. */
static void test_reading_in_a_turn_is_bounded(void **state)
{
	static uint8_t large[900 << 10];
	struct harness_exchange *x;
	struct harness *h;

	(void)state;
	put("in/l1", large, sizeof(large));
	put("in/l2", large, sizeof(large));
	h = start("", "cache_file_kb = 1024;");
	assert_int_equal(status(h, "/l1"), 200);
	assert_int_equal(status(h, "/l2"), 200);
	x = get(h, "/a.css");
	assert_int_equal(harness_verdict(x), SLUICE_HOLD);
	turns(h, 1);
	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_body(x, "a{}");
	harness_destroy(h);
}

static void test_config(void **state)
{
	(void)state;
	plugin_refuses("responses = (\n{ root = \"/nonexistent\"; } );",
		       "test.conf:2: /nonexistent: No such file or directory");
	plugin_refuses(
		"responses = ( { root = \"/tmp\"; body = \"x\"; } );",
		"test.conf:1: only one of body, file, size_bytes, root and echo can be given");
	plugin_refuses("responses = ( { root = \"/tmp\"; path = \"/x\"; } );",
		       "test.conf:1: a root needs path_prefix, or no path");
	plugin_refuses("responses = ( { root = \"/tmp\"; status = 404; } );",
		       "test.conf:1: a root answers with 200");
	plugin_refuses("responses = ( { root = \"/tmp\";\n index = \"a/b\"; } );",
		       "test.conf:2: \"a/b\" is not a name");
	plugin_refuses("responses = ( { root = \"/tmp\";\n precompressed = [ \"deflate\" ]; } );",
		       "test.conf:2: \"deflate\" is none of br, zstd and gzip");
	plugin_refuses(
		"responses = ( { root = \"/tmp\";\n precompressed = [ \"br\", \"br\" ]; } );",
		"test.conf:2: \"br\" twice");
	plugin_refuses("responses = ( { body = \"x\"; precompressed = [ \"br\" ]; } );",
		       "test.conf:1: unknown key \"precompressed\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_nothing_outside),
		cmocka_unit_test(test_directories_redirect),
		cmocka_unit_test(test_conditions_and_ranges),
		cmocka_unit_test(test_large_files_are_streamed),
		cmocka_unit_test(test_slow_readers_hold_a_window),
		cmocka_unit_test(test_a_file_that_shrinks),
		cmocka_unit_test(test_a_file_that_is_written_into),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_variants_come_and_go),
		cmocka_unit_test(test_large_variants),
		cmocka_unit_test(test_changes_are_seen_within_a_second),
		cmocka_unit_test(test_room_is_bounded),
		cmocka_unit_test(test_reading_in_a_turn_is_bounded),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
