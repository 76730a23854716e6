/* SPDX-License-Identifier: BSD-3-Clause */
/* What the filter says of a config that is wrong: word for word, with the line. */
#include "tests/unit/nf/common/plugin.h"

static void test_bad_pattern(void **state)
{
	(void)state;
	plugin_refuses("deny = (\n"
		       "  { path = \"^/ok\"; },\n"
		       "  { path = \"^/(admin\"; } );",
		       "test.conf:3: bad pattern at offset 8: missing closing parenthesis");
	plugin_refuses(
		"deny = ( { host = \"~[\"; } );",
		"test.conf:1: bad pattern at offset 1: missing terminating ] for character class");
	plugin_refuses("deny = ( { headers = ( { name = \"X\";\n match = \"*\"; } ); } );",
		       "test.conf:1: bad pattern at offset 0: quantifier does not follow a "
		       "repeatable item");
	plugin_refuses(
		"deny = ( { target = \"(*UTF)x\"; } );",
		"test.conf:1: bad pattern at offset 6: using UTF is disabled by the application");
}

static void test_all_errors_are_told(void **state)
{
	(void)state;
	plugin_refuses("deny = (\n"
		       "  { path = \"(\"; status = 200; },\n"
		       "  { method = [ \"G T\" ];\n"
		       "    from = [ \"10.0.0.1/8\" ]; } );",
		       "test.conf:2: status is 200; it may be 400 to 599\n"
		       "test.conf:2: bad pattern at offset 1: missing closing parenthesis\n"
		       "test.conf:4: \"10.0.0.1/8\" is not a network (address/prefix)\n"
		       "test.conf:3: \"G T\" is not a method");
}

static void test_action(void **state)
{
	(void)state;
	plugin_refuses("rules = (\n{ path = \"^/\"; } );",
		       "test.conf:2: a rule needs action = \"allow\", \"deny\", \"tag\", \"log\" "
		       "or \"score\"");
	plugin_refuses("rules = ( { action = \"drop\"; } );",
		       "test.conf:1: action: \"drop\" is none of allow, deny, tag, log, score");
}

static void test_unknown_keys(void **state)
{
	(void)state;
	plugin_refuses("denny = ( );", "test.conf:1: unknown key \"denny\"");
	plugin_refuses("deny = (\n { pth = \"^/\"; } );", "test.conf:2: unknown key \"pth\"");
	plugin_refuses("allow = ( { status = 403; } );", "test.conf:1: unknown key \"status\"");
	plugin_refuses("deny = ( { action = \"deny\"; } );", "test.conf:1: unknown key \"action\"");
}

static void test_wrong_types(void **state)
{
	(void)state;
	plugin_refuses("deny = \"^/admin\";", "test.conf:1: deny must be a list, not a string");
	plugin_refuses("deny = ( \"^/admin\" );", "test.conf:1: must be a group, not a string");
	plugin_refuses("deny = ( { headers = ( \"X\" ); } );",
		       "test.conf:1: must be a group, not a string");
	plugin_refuses("deny = ( { status = \"403\"; } );",
		       "test.conf:1: status must be an integer, not a string");
	plugin_refuses("deny = ( { method = \"GET\"; } );",
		       "test.conf:1: method must be a list, not a string");
}

static void test_paths(void **state)
{
	(void)state;
	plugin_refuses("deny = ( { path = \"^/a\"; path_exact = \"/a\"; } );",
		       "test.conf:1: only one of path, path_exact and path_prefix can be given");
	plugin_refuses("deny = ( { path_prefix = \"^/a\"; } );",
		       "test.conf:1: path_prefix: \"^/a\" does not begin with /");
}

static void test_hosts(void **state)
{
	(void)state;
	plugin_refuses("deny = ( { host = \"a.*.example\"; } );",
		       "test.conf:1: host: \"a.*.example\" is neither a host, nor *.host, nor *, "
		       "nor ~PATTERN");
	plugin_refuses(
		"deny = ( { host = \"\"; } );",
		"test.conf:1: host: \"\" is neither a host, nor *.host, nor *, nor ~PATTERN");
}

static void test_names(void **state)
{
	(void)state;
	plugin_refuses("deny = ( { name = \"a\"; },\n { name = \"a\"; } );",
		       "test.conf:2: another rule has the name \"a\"");
	plugin_refuses("deny = ( { name = \"a b\"; } );",
		       "test.conf:1: \"a b\" is not a name for a rule");
	plugin_refuses("deny = ( { headers = ( { match = \"x\"; } ); } );",
		       "test.conf:1: headers: name is missing");
	plugin_refuses("deny = ( { headers = ( { name = \"a:\"; } ); } );",
		       "test.conf:1: \"a:\" is not a field name");
}

/* The group around all settings stands on line 0 here: in a file it is where `config = {` is. */
static void test_settings(void **state)
{
	(void)state;
	plugin_refuses("match_limit = 0;",
		       "test.conf:1: match_limit is 0; it may be 1 to 4294967295");
	plugin_refuses("default = \"drop\";",
		       "test.conf:1: default: \"drop\" is none of allow, deny");
	plugin_refuses("on_match_limit = \"allow\";",
		       "test.conf:1: on_match_limit: \"allow\" is none of skip, deny");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_pattern), cmocka_unit_test(test_all_errors_are_told),
		cmocka_unit_test(test_action),      cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_wrong_types), cmocka_unit_test(test_paths),
		cmocka_unit_test(test_hosts),       cmocka_unit_test(test_names),
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
