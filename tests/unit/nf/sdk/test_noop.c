/* SPDX-License-Identifier: BSD-3-Clause */
/* The template, tested as a function of one's own is: its source is part of this program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nf/sdk/harness.h"

const struct sluice_nf_hooks *sluice_function_entry(void);

static void passes_and_counts(void **state)
{
	struct harness *h = harness_create(sluice_function_entry());
	struct harness_exchange *x;

	(void)state;
	assert_int_equal(harness_start(h, NULL), 0);
	x = harness_request(h, "GET", "/a?b", HARNESS_FIELDS({"Host", "a.example"}));
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_string_equal(harness_edits(x), "");
	harness_advance(h, 1500);
	assert_int_equal(harness_response(x, 200, HARNESS_NO_FIELDS), SLUICE_LEAVE);
	assert_int_equal(harness_counter(h, "requests"), 1);
	assert_int_equal(harness_counter(h, "waited_us"), 1500);
	harness_destroy(h);
}

static void adds_its_field(void **state)
{
	struct harness *h = harness_create(sluice_function_entry());
	struct harness_exchange *x;

	(void)state;
	assert_int_equal(harness_start(h, "field = \"x-seen\";"), 0);
	x = harness_request(h, "GET", "/a?b", HARNESS_FIELDS({"Host", "a.example"}));
	assert_string_equal(harness_edits(x), "set x-seen: /a\n");
	harness_destroy(h);
}

static void watches(void **state)
{
	struct harness *h = harness_create(sluice_function_entry());
	struct harness_sight sight = {.method = "GET",
				      .target = "/a",
				      .status = 200,
				      .end = {.status = 200, .reply_us = 1500}};
	struct harness_exchange *x;

	(void)state;
	assert_int_equal(harness_start(h, "mode = \"watch\";"), 0);
	x = harness_request(h, "GET", "/a", HARNESS_NO_FIELDS);
	assert_int_equal(harness_response(x, 200, HARNESS_NO_FIELDS), SLUICE_PASS);
	assert_int_equal(harness_counter(h, "requests"), 0);
	harness_seen(h, &sight);
	sight.status = 0; /* nobody answered it */
	harness_seen(h, &sight);
	assert_int_equal(harness_counter(h, "requests"), 2);
	assert_int_equal(harness_counter(h, "waited_us"), 1500);
	harness_destroy(h);
	h = harness_create(sluice_function_entry());
	assert_int_equal(harness_start(h, NULL), 0);
	harness_seen(h, &sight);
	assert_int_equal(harness_counter(h, "requests"), 0);
	harness_destroy(h);
}

static void refused(const char *config, const char *error)
{
	struct harness *h = harness_create(sluice_function_entry());

	assert_int_not_equal(harness_start(h, config), 0);
	assert_string_equal(harness_error(h, 0), error);
	harness_destroy(h);
}

static void refuses_what_it_does_not_know(void **state)
{
	(void)state;
	refused("field = 1;", "test.conf:1: field must be a string, not an integer");
	refused("\nfeild = \"x\";", "test.conf:2: unknown key \"feild\"");
	refused("mode = \"look\";", "test.conf:1: mode is \"pass\" or \"watch\"");
	refused("mode = \"watch\";\nfield = \"x\";", "test.conf:2: who watches sets no field");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_and_counts),
		cmocka_unit_test(adds_its_field),
		cmocka_unit_test(watches),
		cmocka_unit_test(refuses_what_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
