/* SPDX-License-Identifier: BSD-3-Clause */
/* What the configuration may say. */
#include "tests/unit/nf/common/plugin.h"

static void refuses(const char *rule, const char *error)
{
	char config[512], text[256];

	snprintf(config, sizeof(config), "request = ( { %s } );", rule);
	snprintf(text, sizeof(text), "test.conf:1: %s", error);
	plugin_refuses(config, text);
}

static void refuses_response(const char *rule, const char *error)
{
	char config[512], text[256];

	snprintf(config, sizeof(config), "response = ( { %s } );", rule);
	snprintf(text, sizeof(text), "test.conf:1: %s", error);
	plugin_refuses(config, text);
}

static void test_actions(void **state)
{
	(void)state;
	harness_destroy(plugin_start(""));
	refuses("", "a rule needs one of set, add, default, replace and remove");
	refuses("set = \"A\"; add = \"A\"; value = \"v\";",
		"a rule needs one of set, add, default, replace and remove");
	refuses("set = \"A\";", "value is missing");
	refuses("remove = \"A\"; value = \"v\";", "what is removed has no value");
	refuses("replace = \"A\"; value = \"v\";", "replace needs values = \"PATTERN\"");
	refuses("set = \"A\"; value = \"a\\nb\";", "the value of A has control characters");
}

static void test_names(void **state)
{
	(void)state;
	refuses("set = \"a b\"; value = \"v\";", "\"a b\" is not a field name");
	refuses("remove = \"a b*\";", "\"a b\" is not a field name");
	refuses("set = \"Content-Length\"; value = \"1\";",
		"Content-Length belongs to the connection: no rule can change it");
	refuses("add = \"Host\"; value = \"a\";", "Host can only be set, and only in a request");
	refuses_response("set = \"Host\"; value = \"a\";",
			 "Host can only be set, and only in a request");
	harness_destroy(plugin_start("request = ( { set = \"Host\"; value = \"b.example\"; } );"));
}

static void test_holes(void **state)
{
	(void)state;
	refuses("set = \"A\"; value = \"$nothing\";", "$nothing is not known");
	refuses("set = \"A\"; value = \"$\";", "a name must follow $ ($$ is a dollar)");
	refuses("set = \"A\"; value = \"$1\";", "$1: nothing is matched here");
	refuses("set = \"A\"; value = \"$2\"; match = { text = \"$path\"; pattern = \"(a)\"; };",
		"$2: the pattern gives no more than $1");
	refuses("set = \"A\"; value = \"$status\";", "$status cannot be told here");
	refuses("set = \"A\"; value = \"$header\";", "$header must be told which: ${header:NAME}");
	refuses("set = \"A\"; value = \"${host:a}\";", "$host is complete without \":\"");
	refuses("set = \"A\"; value = \"${header:a b}\";", "${header:a b}: \"a b\" is not a name");
}

static void test_conditions(void **state)
{
	(void)state;
	refuses("remove = \"A\"; match = { text = \"a\"; };", "match needs text and pattern");
	refuses("remove = \"A\"; match = { text = \"a\"; pattern = \"(\"; };",
		"bad pattern at offset 1: missing closing parenthesis");
	refuses("remove = \"A\"; status = [ \"200\" ];", "unknown key \"status\"");
	refuses_response("remove = \"A\"; status = [ \"6xx\" ];",
			 "\"6xx\" is no status (\"404\", \"5xx\")");
}

static void test_too_many_values_of_requests(void **state)
{
	char config[4096] = "response = ( { set = \"A\"; value = \"";

	(void)state;
	for (unsigned i = 0; i < 25; ++i)
		snprintf(config + strlen(config), 32, "${header:h%u}", i);
	strcat(config, "\"; } );");
	plugin_refuses(config, "test.conf:1: more than 24 values of an earlier head are named");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_too_many_values_of_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
