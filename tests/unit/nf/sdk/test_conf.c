/* SPDX-License-Identifier: BSD-3-Clause */
/* The readers of a function's config, with their errors word for word. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nf/sdk/harness.h"

static int (*reader)(const struct sluice_conf *c);

static int init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	(void)nf;
	return reader(config);
}

static const struct sluice_nf_hooks hooks = {SLUICE_HOOKS, .name = "probe", .init = init};

/* Runs `read` on that config; its errors must be these, to the NULL. */
static void expect(int (*read)(const struct sluice_conf *c), const char *config, ...)
{
	struct harness *h = harness_create(&hooks);
	const char *want;
	unsigned n = 0;
	va_list args;
	int rc;

	reader = read;
	rc = harness_start(h, config);
	va_start(args, config);
	while ((want = va_arg(args, const char *))) {
		assert_non_null(harness_error(h, n));
		assert_string_equal(harness_error(h, n), want);
		n++;
	}
	va_end(args);
	assert_int_equal(harness_errors(h), n);
	assert_int_equal(rc, n ? -EINVAL : 0);
	harness_destroy(h);
}

/* --- each type ---------------------------------------------------------------------- */

static int read_all(const struct sluice_conf *c)
{
	const char *string;
	int64_t integer;
	double number;
	bool flag;

	sluice_conf_int(c, "status", 403, 100, 599, &integer);
	sluice_conf_bool(c, "on", true, &flag);
	sluice_conf_float(c, "ratio", 0.5, 0, 1, &number);
	sluice_conf_string(c, "path", NULL, &string);
	return 0;
}

static int read_defaults(const struct sluice_conf *c)
{
	const char *string = "";
	int64_t integer = 0;
	double number = 0;
	bool flag = false;

	assert_int_equal(sluice_conf_int(c, "status", 403, 100, 599, &integer), 0);
	assert_int_equal(sluice_conf_bool(c, "on", true, &flag), 0);
	assert_int_equal(sluice_conf_float(c, "ratio", 0.5, 0, 1, &number), 0);
	assert_int_equal(sluice_conf_string(c, "path", NULL, &string), 0);
	assert_int_equal(integer, 403);
	assert_true(flag);
	assert_true(number == 0.5);
	assert_null(string);
	assert_null(sluice_conf_list(c, "deny"));
	assert_null(sluice_conf_group(c, "limits"));
	assert_false(sluice_conf_has(c, "deny"));
	assert_int_equal(sluice_conf_length(NULL), 0);
	return sluice_conf_int(NULL, "status", 403, 100, 599, &integer);
}

static void absent_gives_the_default(void **state)
{
	(void)state;
	expect(read_defaults, NULL, NULL);
	expect(read_defaults, "", NULL);
}

static int read_given(const struct sluice_conf *c)
{
	const struct sluice_conf *deny, *rule;
	const char *string;
	int64_t integer;
	double number;
	bool flag;

	assert_int_equal(sluice_conf_int(c, "status", 0, 0, 999, &integer), 0);
	assert_int_equal(integer, 404);
	assert_int_equal(sluice_conf_bool(c, "on", true, &flag), 0);
	assert_false(flag);
	assert_int_equal(sluice_conf_float(c, "ratio", 0, 0, 10, &number), 0);
	assert_true(number == 2);
	deny = sluice_conf_list(c, "deny");
	assert_int_equal(sluice_conf_length(deny), 2);
	rule = sluice_conf_at(deny, 1);
	assert_int_equal(sluice_conf_string(rule, "path", NULL, &string), 0);
	assert_string_equal(string, "^/b");
	assert_true(sluice_conf_has(sluice_conf_at(deny, 0), "path"));
	assert_null(sluice_conf_at(deny, 2));
	assert_int_equal(sluice_conf_string_at(sluice_conf_list(c, "hosts"), 1, &string), 0);
	assert_string_equal(string, "y");
	return sluice_conf_int(sluice_conf_group(c, "limits"), "rate", 1, 1, 9, &integer);
}

static void given_is_read(void **state)
{
	(void)state;
	expect(read_given,
	       "status = 404; on = false; ratio = 2;\n"
	       "deny = ( { path = \"^/a\"; }, { path = \"^/b\"; } );\n"
	       "hosts = [ \"x\", \"y\" ];\nlimits = { rate = 3; };",
	       NULL);
}

/* --- errors --------------------------------------------------------------------------- */

static void wrong_types_are_named(void **state)
{
	(void)state;
	expect(read_all, "status = \"403\";\non = 1;\nratio = true;\npath = ( \"x\" );",
	       "test.conf:1: status must be an integer, not a string",
	       "test.conf:2: on must be true or false, not an integer",
	       "test.conf:3: ratio must be a number, not true or false",
	       "test.conf:4: path must be a string, not a list", NULL);
}

static void ranges_hold(void **state)
{
	(void)state;
	expect(read_all, "status = 600;\n\nratio = 1.5;",
	       "test.conf:1: status is 600; it may be 100 to 599",
	       "test.conf:3: ratio is 1.5; it may be 0 to 1", NULL);
	expect(read_all, "status = -9223372036854775807L;",
	       "test.conf:1: status is -9223372036854775807; it may be 100 to 599", NULL);
}

static int read_rules(const struct sluice_conf *c)
{
	const struct sluice_conf *deny = sluice_conf_list(c, "deny");
	const char *path;

	sluice_conf_group(c, "limits");
	for (unsigned i = 0; i < sluice_conf_length(deny); i++)
		sluice_conf_string(sluice_conf_at(deny, i), "path", NULL, &path);
	return 0;
}

static void unknown_keys_are_errors(void **state)
{
	(void)state;
	expect(read_rules,
	       "deny = (\n{ path = \"a\"; },\n{ paht = \"b\"; },\n7 );\nlimits = 3;\ndneied = 1;",
	       "test.conf:5: limits must be a group, not an integer",
	       "test.conf:4: must be a group, not an integer", "test.conf:3: unknown key \"paht\"",
	       "test.conf:6: unknown key \"dneied\"", NULL);
}

static int read_own(const struct sluice_conf *c)
{
	const struct sluice_conf *deny = sluice_conf_list(c, "deny");

	return sluice_conf_error(sluice_conf_at(deny, 0), "%s is no pattern", "(");
}

static int read_own_at_keys(const struct sluice_conf *c)
{
	int64_t low, high;

	sluice_conf_int(c, "low", 0, 0, 9, &low);
	sluice_conf_int(c, "high", 0, 0, 9, &high);
	sluice_conf_error_key(c, "low", "low is above high, %d", (int)high);
	return sluice_conf_error_key(c, "middle", "middle is missing");
}

static int read_nothing(const struct sluice_conf *c)
{
	(void)c;
	return -ENODEV;
}

static void own_errors_have_places(void **state)
{
	(void)state;
	expect(read_own, "deny = (\n { path = \"(\"; } );", "test.conf:2: ( is no pattern", NULL);
	expect(read_own_at_keys, "high = 1;\nlow = 2;", "test.conf:2: low is above high, 1",
	       "test.conf:0: middle is missing", NULL);
	expect(read_nothing, "", "init failed: No such device", NULL);
	expect(read_all, "status = = 1;", "test.conf:1: syntax error", NULL);
}

static void errors_are_bounded(void **state)
{
	char config[4096] = "";
	struct harness *h = harness_create(&hooks);

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		sprintf(config + strlen(config), "k%u = 1;\n", i);
	reader = read_all;
	assert_int_equal(harness_start(h, config), -EINVAL);
	assert_int_equal(harness_errors(h), 100);
	assert_string_equal(harness_error(h, 19), "test.conf:20: unknown key \"k19\"");
	assert_null(harness_error(h, 20));
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_gives_the_default),
		cmocka_unit_test(given_is_read),
		cmocka_unit_test(wrong_types_are_named),
		cmocka_unit_test(ranges_hold),
		cmocka_unit_test(unknown_keys_are_errors),
		cmocka_unit_test(own_errors_have_places),
		cmocka_unit_test(errors_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
