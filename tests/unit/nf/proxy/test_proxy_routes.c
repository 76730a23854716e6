/* SPDX-License-Identifier: BSD-3-Clause */
/* Which route a request takes, what becomes of its target, and redirects. */
#include "tests/unit/nf/proxy/proxy_test.h"

#define FIFTY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct harness_exchange *get(struct harness *h, const char *host, const char *target)
{
	return harness_request(h, "GET", target, HARNESS_FIELDS({"Host", host}));
}

static void goes_to(struct harness *h, const char *host, const char *target, uint16_t group)
{
	struct harness_exchange *x = get(h, host, target);

	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_int_equal(harness_group(x), group);
	harness_done(x, false);
}

static void answers(struct harness *h, const char *host, const char *target, uint16_t status)
{
	struct harness_exchange *x = get(h, host, target);

	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), status);
	harness_done(x, false);
}

static void test_one_route_for_all(void **state)
{
	struct harness *h =
		proxy_start("routes = ( { host = \"*\"; path = \"^/\"; upstream = \"web\"; } );");

	(void)state;
	goes_to(h, "a.example", "/", WEB);
	goes_to(h, "b.example:8080", "/x?y", WEB);
	assert_int_equal(harness_counter(h, "requests"), 2);
	assert_int_equal(harness_counter(h, "routed"), 2);
	harness_destroy(h);
}

static void test_no_route_is_404(void **state)
{
	struct harness *h =
		proxy_start("routes = ( { path_prefix = \"/app/\"; upstream = \"web\"; } );");
	struct harness_exchange *x = get(h, "a.example", "/other");

	(void)state;
	assert_int_equal(harness_status(x), 404);
	assert_body(x, "404 Not Found\n");
	assert_int_equal(harness_counter(h, "no_route"), 1);
	harness_destroy(h);
}

static void test_hosts(void **state)
{
	struct harness *h = proxy_start(
		"routes = ("
		"{ host = \"www.example.com\"; upstream = \"web\"; },"
		"{ host = \"*.api.example.com\"; upstream = \"api\"; },"
		"{ host = \"~^v[0-9]+\\\\.example\\\\.com$\"; upstream = \"api\"; } );");

	(void)state;
	goes_to(h, "www.example.com", "/", WEB);
	goes_to(h, "WWW.Example.com:8443", "/", WEB);
	goes_to(h, "www.example.com.", "/", WEB);
	goes_to(h, "eu.api.example.com", "/", API);
	goes_to(h, "v12.example.com", "/", API);
	answers(h, "api.example.com", "/", 404);
	answers(h, "xwww.example.com", "/", 404);
	answers(h, "v.example.com", "/", 404);
	harness_destroy(h);
}

static void test_paths_and_methods(void **state)
{
	struct harness *h = proxy_start(
		"routes = ("
		"{ path_exact = \"/health\"; upstream = \"api\"; },"
		"{ path_prefix = \"/api/\"; method = [ \"POST\" ]; upstream = \"api\"; },"
		"{ path = \"\\\\.png$\"; upstream = \"web\"; } );");
	struct harness_exchange *x;

	(void)state;
	goes_to(h, "a", "/health?full", API);
	answers(h, "a", "/health/", 404);
	answers(h, "a", "/api/x", 404);
	goes_to(h, "a", "/img/x.png", WEB);
	x = harness_request(h, "POST", "/api/x", HARNESS_FIELDS({"Host", "a"}));
	assert_int_equal(harness_group(x), API);
	harness_destroy(h);
}

static void test_first_route_wins(void **state)
{
	struct harness *h = proxy_start("routes = ( { path_prefix = \"/a\"; upstream = \"api\"; },"
					"           { upstream = \"web\"; } );");

	(void)state;
	goes_to(h, "x", "/abc", API);
	goes_to(h, "x", "/b", WEB);
	harness_destroy(h);
}

/* Another spelling of a path takes the same route, and is sent on as it came. */
static void test_paths_by_other_spellings(void **state)
{
	struct harness *h =
		proxy_start("routes = ( { path_prefix = \"/admin\"; upstream = \"api\"; },"
			    "           { upstream = \"web\"; } );");
	struct harness_exchange *x = get(h, "a", "/app/../%61dmin?q");

	(void)state;
	assert_int_equal(harness_group(x), API);
	assert_string_equal(harness_target(x), "/app/../%61dmin?q");
	harness_destroy(h);
}

static void becomes(struct harness *h, const char *target, const char *expected)
{
	struct harness_exchange *x = get(h, "a.example:81", target);

	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_string_equal(harness_target(x), expected);
	harness_done(x, false);
}

static void test_rewrite_of_a_pattern(void **state)
{
	struct harness *h = proxy_start("routes = ( { path = \"^/u/([^/]+)/(.*)$\"; rewrite = "
					"\"/users/$2/${1}0\"; upstream = \"web\"; },"
					"           { path = \"^/q/(.*)\"; rewrite = "
					"\"/find?for=$1&all=$query\"; upstream = \"web\"; },"
					"           { path = \"^/(opt)?x\"; rewrite = \"/y$1$$\"; "
					"upstream = \"web\"; } );");

	(void)state;
	becomes(h, "/u/ann/pics/1?s=2", "/users/pics/1/ann0?s=2");
	becomes(h, "/u/a%20b/c", "/users/c/a%20b0");
	becomes(h, "/u/a%0d%0aX/c", "/users/c/a%0D%0AX0");
	becomes(h, "/u/./ann/../bob/c", "/users/c/bob0");
	becomes(h, "/q/tea?n=1", "/find?for=tea&all=n=1");
	becomes(h, "/x", "/y$");
	becomes(h, "/optx?", "/yopt$");
	harness_destroy(h);
}

static void test_rewrite_of_prefix_and_exact(void **state)
{
	struct harness *h =
		proxy_start("routes = ( { path_prefix = \"/old/\"; rewrite = \"/new/$1\"; upstream "
			    "= \"web\"; },"
			    "           { path_exact = \"/me\"; rewrite = \"$0/$host/$method\"; "
			    "upstream = \"web\"; },"
			    "           { path_prefix = \"/t/\"; rewrite = \"/all$target\"; "
			    "upstream = \"web\"; },"
			    "           { rewrite = \"/fallback$path\"; upstream = \"web\"; } );");

	(void)state;
	becomes(h, "/old/a/b?c", "/new/a/b?c");
	becomes(h, "/old/", "/new/");
	becomes(h, "/me", "/me/a.example/GET");
	becomes(h, "/t/a?b", "/all/t/a?b");
	becomes(h, "/x/../y?z", "/fallback/y?z");
	harness_destroy(h);
}

/* A value that a target cannot have is no way to say more than a target. */
static void test_rewrite_by_fields(void **state)
{
	static const struct {
		const char *tenant, *target;
	} rows[] = {{"blue", "/blue/pot/x"}, {"a/../b", "/a/../b/pot/x"}, {"a b", NULL}};
	struct harness *h =
		proxy_start("routes = ( { path_prefix = \"/\"; upstream = \"web\"; rewrite = "
			    "\"/${header:X-Tenant}/${cookie:tea}/$1\"; } );");

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct harness_exchange *x =
			harness_request(h, "GET", "/x",
					HARNESS_FIELDS({"Host", "a"}, {"X-Tenant", rows[i].tenant},
						       {"Cookie", "tea=pot"}));

		if (rows[i].target)
			assert_string_equal(harness_target(x), rows[i].target);
		else
			assert_int_equal(harness_status(x), 500);
		harness_done(x, false);
	}
	harness_destroy(h);
}

static void test_rewrite_that_gives_no_path(void **state)
{
	struct harness *h = proxy_start(
		"routes = ( { path = \"^/(.*)\"; rewrite = \"$1\"; upstream = \"web\"; } );");

	(void)state;
	answers(h, "a", "/x", 500);
	answers(h, "a", "/", 500);
	assert_int_equal(harness_counter(h, "edit_errors"), 2);
	harness_destroy(h);
}

static void redirects(struct harness *h, const char *target, uint16_t status, const char *location)
{
	struct harness_exchange *x = get(h, "a.example:81", target);

	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), status);
	assert_field(x, "Location", location);
	harness_done(x, false);
}

static void test_redirects(void **state)
{
	struct harness *h = proxy_start(
		"routes = ( { path_exact = \"/go\"; redirect = { to = \"/gone\"; }; },"
		"           { path = \"^/p/(.*)\"; redirect = { status = 308; to = \"/q/$1\"; }; },"
		"           { path_prefix = \"/at\"; redirect = { to = \"$1\"; }; },"
		"           { redirect = { status = 301; to = \"https://$host$target\"; }; } );");

	(void)state;
	redirects(h, "/go?x", 302, "/gone");
	redirects(h, "/p/a%20b", 308, "/q/a%20b");
	redirects(h, "/a/b?c=d", 301, "https://a.example/a/b?c=d");
	redirects(h, "/at/x", 302, "/x");
	assert_int_equal(harness_counter(h, "redirected"), 4);
	harness_destroy(h);
}

static void test_redirects_stay_on_the_host(void **state)
{
	struct harness *h =
		proxy_start("routes = ( { path_prefix = \"/at\"; redirect = { to = \"$1\"; }; },"
			    "           { path_prefix = \"/sl\"; redirect = { to = \"/$1\"; }; },"
			    "           { path_exact = \"/cdn\"; redirect = { to = "
			    "\"//cdn.example/x\"; }; } );");

	(void)state;
	redirects(h, "/at//evil.example/x", 302, "/evil.example/x");
	redirects(h, "/at/\\evil.example", 302, "/evil.example");
	redirects(h, "/sl/evil.example", 302, "/evil.example");
	redirects(h, "/cdn", 302, "//cdn.example/x");
	harness_destroy(h);
}

static void test_match_limit(void **state)
{
	struct harness *h = proxy_start("match_limit = 500;"
					"routes = ( { path = \"^/(a+)+$\"; upstream = \"api\"; },"
					"           { upstream = \"web\"; } );");

	(void)state;
	goes_to(h, "a", "/aaa", API);
	answers(h, "a", "/" FIFTY_A FIFTY_A "!", 500);
	assert_int_equal(harness_counter(h, "match_limits"), 1);
	harness_destroy(h);
}

static void test_headers_and_captures(void **state)
{
	struct harness *h = proxy_start(
		"routes = ( { path = \"^/v/(.*)$\"; rewrite = \"/$1\"; upstream = \"api\";"
		" headers = ( { name = \"X-Version\"; match = \"^(2)$\"; }, { name = \"X-Any\"; } "
		"); },"
		" { upstream = \"web\"; } );");
	struct harness_exchange *x;

	(void)state;
	x = harness_request(h, "GET", "/v/a",
			    HARNESS_FIELDS({"Host", "a"}, {"X-Any", ""}, {"X-Version", "1"},
					   {"X-Version", "2"}));
	assert_int_equal(harness_group(x), API);
	assert_string_equal(harness_target(x), "/a"); /* the path's group, not the field's */
	x = harness_request(h, "GET", "/v/a", HARNESS_FIELDS({"Host", "a"}, {"X-Version", "2"}));
	assert_int_equal(harness_group(x), WEB);
	harness_destroy(h);
}

static void test_how_follows_the_route(void **state)
{
	struct harness *h = proxy_start(
		"routes = ( { path_exact = \"/a\"; upstream = \"web\"; hedge_ms = 5;"
		" timeouts = { connect_ms = 1; first_byte_ms = 2; idle_ms = 3; total_ms = 4; };"
		" retry = { times = 2; on = [ \"reset\", \"gateway\" ]; }; },"
		" { upstream = \"web\"; } );");
	const struct sluice_how *how;

	(void)state;
	how = harness_how(harness_request(h, "GET", "/a", HARNESS_FIELDS({"Host", "a"})));
	assert_int_equal(how->connect_ms, 1);
	assert_int_equal(how->first_byte_ms, 2);
	assert_int_equal(how->idle_ms, 3);
	assert_int_equal(how->total_ms, 4);
	assert_int_equal(how->hedge_ms, 5);
	assert_int_equal(how->retries, 2);
	assert_int_equal(how->retry, SLUICE_RETRY_RESET | SLUICE_RETRY_GATEWAY);
	how = harness_how(harness_request(h, "GET", "/b", HARNESS_FIELDS({"Host", "a"})));
	assert_int_equal(how->retries, SLUICE_RETRIES_OF_GROUP);
	assert_int_equal(how->retry, 0);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_route_for_all),
		cmocka_unit_test(test_no_route_is_404),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_paths_and_methods),
		cmocka_unit_test(test_first_route_wins),
		cmocka_unit_test(test_paths_by_other_spellings),
		cmocka_unit_test(test_rewrite_of_a_pattern),
		cmocka_unit_test(test_rewrite_of_prefix_and_exact),
		cmocka_unit_test(test_rewrite_by_fields),
		cmocka_unit_test(test_rewrite_that_gives_no_path),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_redirects_stay_on_the_host),
		cmocka_unit_test(test_match_limit),
		cmocka_unit_test(test_headers_and_captures),
		cmocka_unit_test(test_how_follows_the_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
