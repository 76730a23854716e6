/* SPDX-License-Identifier: BSD-3-Clause */
/* What the configuration may say. */
#include "tests/unit/nf/common/plugin.h"

static void test_good(void **state)
{
	(void)state;
	harness_destroy(plugin_start("rules = ( );"));
	harness_destroy(
		plugin_start("exempt = [ \"10.0.0.0/8\" ]; fields = \"always\";"
			     "rules = ( { name = \"a\"; rate = 1; per_s = 86400; burst = 9;"
			     "            key = [ \"address\", \"host\", \"path\", \"method\","
			     "                    \"header:X-Key\", \"cookie:s\" ];"
			     "            missing = \"share\"; v4_prefix = 24; v6_prefix = 0;"
			     "            keys = 100; dry_run = true; status = 503; body = \"\";"
			     "            path = \"^/a\"; method = [ \"GET\" ]; } );"));
}

static void test_rules_must_be_there(void **state)
{
	(void)state;
	plugin_refuses("", "test.conf:0: rules is missing");
	plugin_refuses("rules = ( { } );", "test.conf:1: a rule needs rate = N");
}

static void test_keys_that_are_none(void **state)
{
	(void)state;
	plugin_refuses("rules = ( { rate = 1; key = [ \"adress\" ]; } );",
		       "test.conf:1: \"adress\" is not one of address, host, path, method, "
		       "header:NAME and cookie:NAME");
	plugin_refuses("rules = ( { rate = 1; key = [ \"header:\" ]; } );",
		       "test.conf:1: \"header:\" is not one of address, host, path, method, "
		       "header:NAME and cookie:NAME");
	plugin_refuses("rules = ( { rate = 1; key = [ \"path\", \"path\", \"path\", \"path\","
		       "\"path\", \"path\", \"path\", \"path\", \"path\" ]; } );",
		       "test.conf:1: key has 9 parts; it may have 8");
}

static void test_names(void **state)
{
	(void)state;
	plugin_refuses("rules = ( { rate = 1; name = \"a\"; },\n{ rate = 1; name = \"a\"; } );",
		       "test.conf:2: another rule has the name \"a\"");
	plugin_refuses("rules = ( { rate = 1; name = \"a \\\" b\"; } );",
		       "test.conf:1: \"a \" b\" is not a name for a rule");
}

static void test_unknown_keys(void **state)
{
	(void)state;
	plugin_refuses("rules = ( { rate = 1;\nburts = 2; } );",
		       "test.conf:2: unknown key \"burts\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_rules_must_be_there),
		cmocka_unit_test(test_keys_that_are_none),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_unknown_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
