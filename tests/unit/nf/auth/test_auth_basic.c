/* SPDX-License-Identifier: BSD-3-Clause */
/* Basic credentials: who passes, what the others are told, and that hashes wait their turn. */
#include <crypt.h>

#include "tests/unit/nf/common/plugin.h"

#define ME    "Basic bWU6c2VjcmV0"     /* me:secret */
#define WRONG "Basic bWU6d3Jvbmc="     /* me:wrong */
#define OTHER "Basic eW91OnNlY3JldA==" /* you:secret */
#define TURN  5000000

/* A cheap hash, as crypt makes it here. */
static const char *hash_of(const char *password)
{
	static struct crypt_data data;

	return crypt_r(password, "$5$rounds=1000$salt", &data);
}

static struct harness *start(const char *more)
{
	char config[1024];

	snprintf(config, sizeof(config), "basic = { users = [ \"me:%s\" ]; %s }; realm = \"r\";",
		 hash_of("secret"), more);
	return plugin_start(config);
}

static struct harness_exchange *ask(struct harness *h, const char *credentials)
{
	return harness_request(h, "GET", "/",
			       HARNESS_FIELDS({"Authorization", credentials}, {"X-User", "root"}));
}

static void test_good(void **state)
{
	struct harness *h = start("");
	struct harness_exchange *x = ask(h, ME);

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_HOLD);
	harness_advance(h, TURN);
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_string_equal(harness_edits(x), "set X-User: me\n");
	/* Known now: it does not wait. */
	x = ask(h, ME);
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_string_equal(harness_edits(x), "set X-User: me\n");
	assert_int_equal(harness_counter(h, "hashed"), 1);
	assert_int_equal(harness_counter(h, "remembered"), 1);
	/* Not for ever. */
	harness_advance(h, UINT64_C(301) * 1000000);
	assert_int_equal(harness_verdict(ask(h, ME)), SLUICE_HOLD);
	harness_destroy(h);
}

static void test_htpasswd(void **state)
{
	struct harness *h = plugin_start(
		"basic = { users = [ \"me:$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0\" ]; };");
	struct harness_exchange *x = ask(h, ME);

	(void)state;
	harness_advance(h, TURN);
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	x = ask(h, WRONG);
	harness_advance(h, TURN);
	assert_int_equal(harness_status(x), 401);
	harness_destroy(h);
}

static void assert_refused(struct harness_exchange *x)
{
	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), 401);
	assert_field(x, "WWW-Authenticate", "Basic realm=\"r\", charset=\"UTF-8\"");
	assert_body(x, "401 Unauthorized\n");
}

static void test_bad(void **state)
{
	static const char *const waiting[] = {WRONG, OTHER};
	static const char *const at_once[] = {"Basic",
					      "Basic ",
					      "Basic !",
					      "Basic bWU=",
					      "Basic OnNlY3JldA==",
					      "Basic bWU6c2VjcmV0 x",
					      "Basic bQFlOnNlY3JldA==",
					      "Bearer bWU6c2VjcmV0",
					      "x",
					      ""};
	struct harness *h = start("");
	struct harness_exchange *x;

	(void)state;
	assert_refused(harness_request(h, "GET", "/", HARNESS_NO_FIELDS));
	for (size_t i = 0; i < sizeof(at_once) / sizeof(at_once[0]); ++i)
		assert_refused(ask(h, at_once[i]));
	for (unsigned round = 0; round < 2; ++round) {
		for (size_t i = 0; i < sizeof(waiting) / sizeof(waiting[0]); ++i) {
			x = ask(h, waiting[i]);
			assert_int_equal(harness_verdict(x), SLUICE_HOLD);
			harness_advance(h, TURN);
			assert_refused(x);
		}
	}
	assert_int_equal(harness_counter(h, "hashed"), 4);
	harness_destroy(h);
}

static void test_scheme_without_case(void **state)
{
	struct harness *h = start("");
	struct harness_exchange *x = ask(h, "bAsIc   bWU6c2VjcmV0");

	(void)state;
	harness_advance(h, TURN);
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	harness_destroy(h);
}

static void test_the_line(void **state)
{
	struct harness *h = start("max_waiting = 2;");
	struct harness_exchange *a = ask(h, WRONG), *b = ask(h, ME), *c = ask(h, ME);

	(void)state;
	assert_int_equal(harness_verdict(c), SLUICE_RESPOND);
	assert_int_equal(harness_status(c), 503);
	assert_field(c, "Retry-After", "1");
	assert_int_equal(harness_counter(h, "busy"), 1);
	/* One in a turn. */
	harness_advance(h, 1000);
	assert_int_equal(harness_verdict(a), SLUICE_RESPOND);
	assert_int_equal(harness_verdict(b), SLUICE_HOLD);
	harness_advance(h, TURN);
	assert_int_equal(harness_verdict(b), SLUICE_LEAVE);
	harness_destroy(h);
}

static void test_who_leaves_the_line(void **state)
{
	struct harness *h = start("max_waiting = 1;");
	struct harness_exchange *a = ask(h, ME), *b;

	(void)state;
	harness_done(a, true);
	b = ask(h, ME);
	assert_int_equal(harness_verdict(b), SLUICE_HOLD);
	harness_advance(h, TURN);
	assert_int_equal(harness_verdict(b), SLUICE_LEAVE);
	assert_int_equal(harness_counter(h, "hashed"), 1);
	harness_destroy(h);
}

static void test_what_is_open(void **state)
{
	char config[1024];
	struct harness *h;
	struct harness_exchange *x;

	(void)state;
	snprintf(config, sizeof(config),
		 "basic = { users = [ \"me:%s\" ]; };"
		 "protect = ( { path_prefix = \"/admin\"; } );"
		 "skip = ( { path_exact = \"/admin/health\"; } );",
		 hash_of("secret"));
	h = plugin_start(config);
	x = harness_request(h, "GET", "/", HARNESS_FIELDS({"X-User", "root"}));
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_string_equal(harness_edits(x), "remove X-User\n");
	x = harness_request(h, "GET", "/admin/health", HARNESS_NO_FIELDS);
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	x = harness_request(h, "GET", "/%61dmin/x", HARNESS_NO_FIELDS);
	assert_int_equal(harness_status(x), 401);
	x = harness_request(h, "GET", "/a/../admin", HARNESS_NO_FIELDS);
	assert_int_equal(harness_status(x), 401);
	harness_destroy(h);
}

static void test_the_credential_is_removed(void **state)
{
	char config[1024];
	struct harness *h;
	struct harness_exchange *x;

	(void)state;
	snprintf(config, sizeof(config),
		 "basic = { users = [ \"me:%s\" ]; }; remove_credential = true;"
		 "user_header = \"\";",
		 hash_of("secret"));
	h = plugin_start(config);
	x = ask(h, ME);
	harness_advance(h, TURN);
	assert_string_equal(harness_edits(x), "remove Authorization\n");
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_htpasswd),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_scheme_without_case),
		cmocka_unit_test(test_the_line),
		cmocka_unit_test(test_who_leaves_the_line),
		cmocka_unit_test(test_what_is_open),
		cmocka_unit_test(test_the_credential_is_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
