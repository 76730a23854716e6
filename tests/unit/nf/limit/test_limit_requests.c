/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is let through, when, and what the others are told. */
#include "tests/unit/nf/common/plugin.h"

#define SECOND 1000000

/* 0: let through. */
static uint16_t ask(struct harness *h, const char *method, const char *target,
		    const struct harness_field *fields)
{
	struct harness_exchange *x = harness_request(h, method, target, fields);
	uint16_t status = 0;

	if (harness_verdict(x) == SLUICE_RESPOND)
		status = harness_status(x);
	else
		assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	harness_done(x, false);
	return status;
}

static uint16_t get(struct harness *h, const char *target)
{
	return ask(h, "GET", target, HARNESS_FIELDS({"Host", "a.example"}));
}

static uint16_t get_from(struct harness *h, const char *address)
{
	harness_client(h, address, 1234);
	return get(h, "/");
}

static void test_burst_and_rate(void **state)
{
	struct harness *h = plugin_start("rules = ( { rate = 2; burst = 3; } );");

	(void)state;
	for (unsigned i = 0; i < 3; ++i)
		assert_int_equal(get(h, "/"), 0);
	assert_int_equal(get(h, "/"), 429);
	harness_advance(h, SECOND / 2);
	assert_int_equal(get(h, "/"), 0);
	assert_int_equal(get(h, "/"), 429);
	assert_int_equal(harness_counter(h, "requests"), 6);
	assert_int_equal(harness_counter(h, "allowed"), 4);
	assert_int_equal(harness_counter(h, "refused"), 2);
	assert_int_equal(harness_counter(h, "over_rule_1"), 2);
	harness_destroy(h);
}

static void test_what_a_refusal_tells(void **state)
{
	struct harness *h =
		plugin_start("rules = ( { name = \"slow\"; rate = 1; per_s = 10; burst = 2; },"
			     "          { name = \"fast\"; rate = 100; } );");
	struct harness_exchange *x;

	(void)state;
	assert_int_equal(get(h, "/"), 0);
	assert_int_equal(get(h, "/"), 0);
	x = harness_request(h, "GET", "/", HARNESS_NO_FIELDS);
	assert_int_equal(harness_status(x), 429);
	assert_body(x, "429 Too Many Requests\n");
	assert_field(x, "Retry-After", "10");
	assert_field(x, "RateLimit-Policy", "\"slow\";q=2;w=20, \"fast\";q=100;w=1");
	assert_field(x, "RateLimit", "\"slow\";r=0;t=20, \"fast\";r=97;t=1");
	/* The fast rule was not charged for it. */
	x = harness_request(h, "GET", "/", HARNESS_NO_FIELDS);
	assert_field(x, "RateLimit", "\"slow\";r=0;t=20, \"fast\";r=97;t=1");
	harness_advance(h, 9 * SECOND + 1);
	x = harness_request(h, "HEAD", "/", HARNESS_NO_FIELDS);
	assert_field(x, "Retry-After", "1");
	harness_destroy(h);
}

static void test_fields_always_and_never(void **state)
{
	struct harness *h = plugin_start("fields = \"always\"; rules = ( { rate = 5; } );");
	struct harness_exchange *x = harness_request(h, "GET", "/", HARNESS_NO_FIELDS);

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_int_equal(harness_response(x, 200, HARNESS_NO_FIELDS), SLUICE_LEAVE);
	assert_field(x, "RateLimit-Policy", "\"rule_1\";q=5;w=1");
	assert_field(x, "RateLimit", "\"rule_1\";r=4;t=1");
	harness_destroy(h);
	h = plugin_start("fields = \"never\"; rules = ( { rate = 1; } );");
	assert_int_equal(get(h, "/"), 0);
	x = harness_request(h, "GET", "/", HARNESS_NO_FIELDS);
	assert_field(x, "Retry-After", "1");
	assert_no_field(x, "RateLimit");
	assert_no_field(x, "RateLimit-Policy");
	harness_destroy(h);
}

static void test_addresses(void **state)
{
	struct harness *h = plugin_start("rules = ( { rate = 1; v4_prefix = 23; } );");

	(void)state;
	assert_int_equal(get_from(h, "192.0.2.1"), 0);
	assert_int_equal(get_from(h, "192.0.3.255"), 429);
	assert_int_equal(get_from(h, "192.0.4.1"), 0);
	/* One client has 2^64 addresses of IPv6. */
	assert_int_equal(get_from(h, "2001:db8::1"), 0);
	assert_int_equal(get_from(h, "2001:db8::ffff:1"), 429);
	assert_int_equal(get_from(h, "2001:db8:0:1::1"), 0);
	harness_destroy(h);
}

static void test_exempt(void **state)
{
	struct harness *h =
		plugin_start("exempt = [ \"192.0.2.0/24\" ]; rules = ( { rate = 1; } );");

	(void)state;
	for (unsigned i = 0; i < 9; ++i)
		assert_int_equal(get(h, "/"), 0);
	assert_int_equal(harness_counter(h, "exempt"), 9);
	harness_destroy(h);
}

static uint16_t with(struct harness *h, const char *name, const char *value)
{
	return ask(h, "GET", "/", HARNESS_FIELDS({name, value}));
}

static void test_headers_and_cookies(void **state)
{
	struct harness *h = plugin_start("rules = ( { rate = 1; key = [ \"header:X-Key\" ]; } );");

	(void)state;
	assert_int_equal(with(h, "X-Key", "a"), 0);
	assert_int_equal(with(h, "x-key", "a"), 429);
	assert_int_equal(with(h, "X-Key", "b"), 0);
	harness_destroy(h);
	h = plugin_start("rules = ( { rate = 1; key = [ \"cookie:s\" ]; } );");
	assert_int_equal(with(h, "Cookie", "t=1; s=a"), 0);
	assert_int_equal(with(h, "Cookie", "s=a"), 429);
	assert_int_equal(with(h, "Cookie", "s=b"), 0);
	harness_destroy(h);
}

static void test_what_is_missing(void **state)
{
	struct harness *h = plugin_start("rules = ( { rate = 1; key = [ \"header:X-Key\" ]; } );");

	(void)state;
	assert_int_equal(get_from(h, "192.0.2.1"), 0);
	assert_int_equal(get_from(h, "192.0.2.1"), 429);
	assert_int_equal(with(h, "X-Key", ""), 429);
	assert_int_equal(get_from(h, "192.0.2.2"), 0);
	harness_destroy(h);
	h = plugin_start(
		"rules = ( { rate = 1; key = [ \"header:X-Key\" ]; missing = \"share\"; } );");
	assert_int_equal(get_from(h, "192.0.2.1"), 0);
	assert_int_equal(get_from(h, "192.0.2.2"), 429);
	harness_destroy(h);
	h = plugin_start(
		"rules = ( { rate = 1; key = [ \"header:X-Key\" ]; missing = \"skip\"; } );");
	for (unsigned i = 0; i < 5; ++i)
		assert_int_equal(get(h, "/"), 0);
	harness_destroy(h);
}

static void test_combinations(void **state)
{
	struct harness *h =
		plugin_start("rules = ( { rate = 1; key = [ \"address\", \"path\" ]; } );");

	(void)state;
	assert_int_equal(get(h, "/a"), 0);
	assert_int_equal(get(h, "/b"), 0);
	assert_int_equal(get(h, "/a"), 429);
	assert_int_equal(get(h, "/%61?x"), 429);
	harness_client(h, "192.0.2.77", 1);
	assert_int_equal(get(h, "/a"), 0);
	harness_destroy(h);
}

static void test_one_count_for_all(void **state)
{
	struct harness *h = plugin_start("rules = ( { rate = 2; key = [ ]; } );");

	(void)state;
	assert_int_equal(get_from(h, "192.0.2.1"), 0);
	assert_int_equal(get_from(h, "192.0.2.2"), 0);
	assert_int_equal(get_from(h, "192.0.2.3"), 429);
	harness_destroy(h);
}

static void test_conditions(void **state)
{
	struct harness *h = plugin_start("rules = ( { rate = 1; path_prefix = \"/login\";"
					 "            method = [ \"POST\" ]; } );");

	(void)state;
	for (unsigned i = 0; i < 3; ++i) {
		assert_int_equal(get(h, "/login"), 0);
		assert_int_equal(ask(h, "POST", "/", HARNESS_NO_FIELDS), 0);
	}
	assert_int_equal(ask(h, "POST", "/login", HARNESS_NO_FIELDS), 0);
	assert_int_equal(ask(h, "POST", "/login", HARNESS_NO_FIELDS), 429);
	assert_int_equal(ask(h, "POST", "/%6cogin", HARNESS_NO_FIELDS), 429);
	harness_destroy(h);
}

static void test_dry_run(void **state)
{
	struct harness *h = plugin_start("fields = \"always\";"
					 "rules = ( { rate = 1; dry_run = true; } );");
	struct harness_exchange *x;

	(void)state;
	for (unsigned i = 0; i < 4; ++i) {
		x = harness_request(h, "GET", "/", HARNESS_NO_FIELDS);
		assert_int_equal(harness_verdict(x), SLUICE_PASS);
		harness_response(x, 200, HARNESS_NO_FIELDS);
		assert_no_field(x, "RateLimit");
	}
	assert_int_equal(harness_counter(h, "over_rule_1"), 3);
	assert_int_equal(harness_counter(h, "refused"), 0);
	harness_destroy(h);
}

static void test_own_answer(void **state)
{
	struct harness *h =
		plugin_start("rules = ( { rate = 1; status = 503; body = \"later\"; } );");
	struct harness_exchange *x;

	(void)state;
	assert_int_equal(get(h, "/"), 0);
	x = harness_request(h, "GET", "/", HARNESS_NO_FIELDS);
	assert_int_equal(harness_status(x), 503);
	assert_body(x, "later");
	harness_destroy(h);
}

/* A flood of addresses does not make one who asks too often be forgotten. */
static void test_a_flood_does_not_help(void **state)
{
	struct harness *h =
		plugin_start("rules = ( { rate = 1; per_s = 10; burst = 2; keys = 64; } );");
	char address[32];

	(void)state;
	assert_int_equal(get_from(h, "192.0.2.1"), 0);
	assert_int_equal(get_from(h, "192.0.2.1"), 0);
	for (unsigned i = 0; i < 5000; ++i) {
		snprintf(address, sizeof(address), "10.0.%u.%u", i / 256, i % 256);
		assert_int_equal(get_from(h, address), 0);
	}
	assert_int_equal(get_from(h, "192.0.2.1"), 429);
	assert_true(harness_counter(h, "forgotten") > 4000);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_and_rate),
		cmocka_unit_test(test_what_a_refusal_tells),
		cmocka_unit_test(test_fields_always_and_never),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_exempt),
		cmocka_unit_test(test_headers_and_cookies),
		cmocka_unit_test(test_what_is_missing),
		cmocka_unit_test(test_combinations),
		cmocka_unit_test(test_one_count_for_all),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_own_answer),
		cmocka_unit_test(test_a_flood_does_not_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
