/* SPDX-License-Identifier: BSD-3-Clause */
/* What the configuration may say. */
#include "log_test.h"

static void refuses(const char *config, const char *error)
{
	struct harness *h = plugin_new();

	harness_allow_write(h, "out");
	assert_int_not_equal(harness_start(h, config), 0);
	assert_string_equal(harness_error(h, 0), error);
	harness_destroy(h);
}

static void test_where(void **state)
{
	(void)state;
	refuses("", "test.conf:0: to is missing");
	refuses("to = \"elsewhere\";", "test.conf:1: to: \"elsewhere\" is not in allow.write");
}

static void test_formats(void **state)
{
	(void)state;
	refuses("to = \"out\"; format = \"xml\";",
		"test.conf:1: format: \"xml\" is none of combined, common, json, text");
	refuses("to = \"out\"; format = \"text\";",
		"test.conf:0: format = \"text\" needs text = \"…\"");
	refuses("to = \"out\"; format = \"text\"; text = \"$nobody\";",
		"test.conf:0: $nobody is not known");
	refuses("to = \"out\"; format = \"text\"; text = \"a\\nb\";",
		"test.conf:0: text has control characters");
	refuses("to = \"out\"; format = \"json\"; fields = [ \"nobody\" ];",
		"test.conf:0: $nobody is not known");
	refuses("to = \"out\"; format = \"json\"; fields = [ \"a\\\"b\" ];",
		"test.conf:1: \"a\"b\" is not a name");
	refuses("to = \"out\"; text = \"$status\";", "test.conf:1: unknown key \"text\"");
}

static void test_numbers(void **state)
{
	(void)state;
	refuses("to = \"out\"; facility = 24;", "test.conf:1: facility is 24; it may be 0 to 23");
	refuses("to = \"out\"; app = \"a b\";", "test.conf:1: app: \"a b\" is no name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
