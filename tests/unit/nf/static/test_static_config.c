/* SPDX-License-Identifier: BSD-3-Clause */
/* What the static function says of a config that is wrong: word for word, with the line. */
#include "tests/unit/nf/static/static_test.h"

/* The group around all settings stands on line 0 here: in a file it is where `config = {` is. */
static void test_responses(void **state)
{
	(void)state;
	plugin_refuses("", "test.conf:0: responses is missing");
	plugin_refuses("responses = ( \"x\" );", "test.conf:1: must be a group, not a string");
	plugin_refuses("responses = ( );\notherwise = \"200\";",
		       "test.conf:2: otherwise: \"200\" is none of 404, pass");
}

static void test_bodies(void **state)
{
	(void)state;
	plugin_refuses(
		"responses = (\n { body = \"a\"; size_bytes = 1; } );",
		"test.conf:2: only one of body, file, size_bytes, root and echo can be given");
	plugin_refuses("responses = ( { body = \"a\"; status = 204; } );",
		       "test.conf:1: status 204 never has a body");
	plugin_refuses("responses = ( { status = 304; } );",
		       "test.conf:1: status: 304 is given by itself when it is due");
	plugin_refuses("responses = ( { status = 100; } );",
		       "test.conf:1: status is 100; it may be 200 to 599");
	plugin_refuses("responses = ( { size_bytes = 1; type = \"a\\nb\"; } );",
		       "test.conf:1: type: control characters");
}

static void test_files(void **state)
{
	(void)state;
	plugin_refuses("responses = (\n { file = \"/nonexistent/x\"; } );",
		       "test.conf:2: /nonexistent/x: No such file or directory");
	plugin_refuses("responses = ( { file = \"/tmp\"; } );",
		       "test.conf:1: /tmp: not a regular file");
	plugin_refuses("responses = ( { file = \"/dev/null\"; } );",
		       "test.conf:1: /dev/null: not a regular file");
}

static void test_arena_too_small(void **state)
{
	struct harness *h = plugin_new();

	(void)state;
	harness_set_arena(h, 65536);
	assert_int_not_equal(harness_start(h, "responses = ( { size_bytes = 100; },\n"
					      "              { size_bytes = 100000; } );"),
			     0);
	assert_string_equal(
		harness_error(h, 0),
		"test.conf:2: a body of 100000 bytes finds no room in the arena (65536 bytes)");
	assert_null(harness_error(h, 1));
	harness_destroy(h);
}

static void test_matching(void **state)
{
	(void)state;
	plugin_refuses("responses = ( { path = \"^/x\"; } );",
		       "test.conf:1: path: \"^/x\" does not begin with /");
	plugin_refuses("responses = ( { path = \"/x\"; path_pattern = \"x\"; } );",
		       "test.conf:1: only one of path_pattern, path and path_prefix can be given");
	plugin_refuses("responses = ( { path_pattern = \"(\"; } );",
		       "test.conf:1: bad pattern at offset 1: missing closing parenthesis");
	plugin_refuses("responses = ( { method = [ 1 ]; } );",
		       "test.conf:1: must be a string, not an integer");
}

static void test_headers(void **state)
{
	(void)state;
	plugin_refuses(
		"responses = (\n { headers = (\n { name = \"Transfer-Encoding\"; value = \"x\"; } "
		"); } );",
		"test.conf:3: Transfer-Encoding belongs to the connection: no rule can change it");
	plugin_refuses("responses = ( { heaers = ( ); } );", "test.conf:1: unknown key \"heaers\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_responses), cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_files),     cmocka_unit_test(test_arena_too_small),
		cmocka_unit_test(test_matching),  cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
