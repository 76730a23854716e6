/* SPDX-License-Identifier: BSD-3-Clause */
/* What the filter lets through and what it denies. */
#include "tests/unit/nf/common/plugin.h"

#define TEN_A     "aaaaaaaaaa"
#define HUNDRED_A TEN_A TEN_A TEN_A TEN_A TEN_A TEN_A TEN_A TEN_A TEN_A TEN_A

/* 0: let through. */
static uint16_t status_of(struct harness *h, const char *method, const char *target,
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
	return status_of(h, "GET", target, HARNESS_FIELDS({"Host", "a.example"}));
}

static void test_no_rules_let_all_through(void **state)
{
	struct harness *h = plugin_start("");

	(void)state;
	assert_int_equal(get(h, "/"), 0);
	assert_int_equal(harness_counter(h, "requests"), 1);
	assert_int_equal(harness_counter(h, "allowed"), 1);
	assert_int_equal(harness_counter(h, "denied"), 0);
	harness_destroy(h);
}

/* What lets a request through for its head alone may be said again; all else is asked anew. */
static void test_steady(void **state)
{
	static const struct {
		const char *config, *target;
		bool steady;
	} rows[] = {
		{"", "/", true},
		{"allow = ( { path = \"^/a\"; } ); default = \"deny\";", "/a", true},
		{"deny = ( { path = \"^/a\"; } );", "/b", true},
		{"deny = ( { path = \"^/a\"; } );", "/a", false},
		{"allow = ( { path = \"^/a\"; from = [ \"10.0.0.0/8\" ]; } );", "/b", false},
		{"networks = { allow = [ \"10.0.0.0/8\" ]; };", "/", false},
		{"rules = ( { action = \"log\"; path = \"^/a\"; } );", "/a", false},
		{"rules = ( { action = \"log\"; path = \"^/a\"; } );", "/b", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct harness *h = plugin_start(rows[i].config);
		struct harness_exchange *x =
			harness_request(h, "GET", rows[i].target, HARNESS_NO_FIELDS);

		if ((harness_steady_ms(x) > 0) != rows[i].steady)
			fail_msg("%s", rows[i].config);
		harness_repeated(x, 5);
		assert_int_equal(harness_counter(h, "requests"), 6);
		harness_done(x, false);
		harness_destroy(h);
	}
}

static void test_repeated_rule(void **state)
{
	struct harness *h = plugin_start(
		"allow = ( { path = \"^/a\"; }, { path = \"^/b\"; } ); default = \"deny\";");
	struct harness_exchange *x = harness_request(h, "GET", "/b", HARNESS_NO_FIELDS);

	(void)state;
	harness_repeated(x, 5);
	assert_int_equal(harness_counter(h, "allowed"), 6);
	assert_int_equal(harness_counter(h, "hits_allow_1"), 0);
	assert_int_equal(harness_counter(h, "hits_allow_2"), 6);
	harness_destroy(h);
}

static void test_deny_answers(void **state)
{
	struct harness *h = plugin_start("deny = ( { path = \"^/admin\"; status = 403; } );");
	struct harness_exchange *x =
		harness_request(h, "GET", "/admin?x=1", HARNESS_FIELDS({"Host", "a.example"}));

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), 403);
	assert_field(x, "Content-Type", "text/plain");
	assert_body(x, "403 Forbidden\n");
	assert_int_equal(harness_counter(h, "denied"), 1);
	assert_int_equal(harness_counter(h, "hits_deny_1"), 1);
	assert_int_equal(get(h, "/index.html"), 0);
	harness_destroy(h);
}

static void test_deny_of_head_has_no_body(void **state)
{
	struct harness *h = plugin_start("deny = ( { status = 404; body = \"gone\"; } );");
	struct harness_exchange *x = harness_request(h, "HEAD", "/", HARNESS_NO_FIELDS);
	size_t len;

	(void)state;
	assert_int_equal(harness_status(x), 404);
	assert_int_equal(harness_body_bytes(x), 4);
	(void)harness_body(x, &len);
	assert_int_equal(len, 0);
	harness_destroy(h);
}

static void test_own_body_and_empty_body(void **state)
{
	struct harness *h = plugin_start("deny = ( { path = \"^/a\"; body = \"not for you\"; },"
					 "         { path = \"^/b\"; body = \"\"; } );");
	struct harness_exchange *x = harness_request(h, "GET", "/a", HARNESS_NO_FIELDS);

	(void)state;
	assert_body(x, "not for you");
	x = harness_request(h, "GET", "/b", HARNESS_NO_FIELDS);
	assert_int_equal(harness_body_bytes(x), 0);
	assert_no_field(x, "Content-Type");
	harness_destroy(h);
}

static void test_full_arena_still_answers(void **state)
{
	struct harness *h = plugin_new();
	struct harness_exchange *x;
	struct sluice_buf *buf;

	(void)state;
	harness_set_arena(h, 4096);
	plugin_start_in(h, "deny = ( { } );");
	while ((buf = sluice_buf_alloc(harness_nf(h), 64)))
		;
	x = harness_request(h, "GET", "/", HARNESS_NO_FIELDS);
	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), 403);
	assert_int_equal(harness_body_bytes(x), 0);
	harness_destroy(h);
}

static void test_paths_by_other_spellings(void **state)
{
	static const char *const spellings[] = {
		"/admin",    "/admin/users", "/%61dmin",         "/x/../admin", "//admin",
		"/./admin",  "/%2e/admin",   "/x/%2e%2e/admin",  "/%2fadmin",   "/x/..%2fadmin",
		"/admin%00", "/admin%0a",    "/a/b/../../admin",
	};
	struct harness *h = plugin_start("deny = ( { path = \"^/admin\"; } );");

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); ++i)
		if (get(h, spellings[i]) != 403)
			fail_msg("%s came through", spellings[i]);
	assert_int_equal(get(h, "/x/admin"), 0);
	assert_int_equal(get(h, "/?/admin"), 0);
	harness_destroy(h);
}

static void test_line_feeds_hide_nothing(void **state)
{
	struct harness *h = plugin_start("deny = ( { path = \"^/a.*z$\"; } );");

	(void)state;
	assert_int_equal(get(h, "/a%0az"), 403);
	assert_int_equal(get(h, "/az%0a"), 0);
	harness_destroy(h);
}

static void test_each_condition(void **state)
{
	struct harness *h = plugin_start("deny = ("
					 "{ path_exact = \"/exact\"; status = 401; },"
					 "{ path_prefix = \"/pre/\"; status = 402; },"
					 "{ method = [ \"PUT\", \"PROPFIND\" ]; status = 405; },"
					 "{ host = \"bad.example\"; status = 410; },"
					 "{ host = \"*.wild.example\"; status = 411; },"
					 "{ host = \"~^x[0-9]+\\\\.example$\"; status = 412; },"
					 "{ target = \"union.*select\"; status = 413; } );");

	(void)state;
	assert_int_equal(get(h, "/exact"), 401);
	assert_int_equal(get(h, "/exact/"), 0);
	assert_int_equal(get(h, "/pre/x"), 402);
	assert_int_equal(get(h, "/pre"), 0);
	assert_int_equal(status_of(h, "PUT", "/", HARNESS_NO_FIELDS), 405);
	assert_int_equal(status_of(h, "PROPFIND", "/", HARNESS_NO_FIELDS), 405);
	assert_int_equal(status_of(h, "PROPPATCH", "/", HARNESS_NO_FIELDS), 0);
	assert_int_equal(status_of(h, "GET", "/", HARNESS_FIELDS({"Host", "BAD.example:8080"})),
			 410);
	assert_int_equal(status_of(h, "GET", "/", HARNESS_FIELDS({"Host", "bad.example."})), 410);
	assert_int_equal(status_of(h, "GET", "/", HARNESS_FIELDS({"Host", "a.b.Wild.example"})),
			 411);
	assert_int_equal(status_of(h, "GET", "/", HARNESS_FIELDS({"Host", "wild.example"})), 0);
	assert_int_equal(status_of(h, "GET", "/", HARNESS_FIELDS({"Host", ".wild.example"})), 0);
	assert_int_equal(status_of(h, "GET", "/", HARNESS_FIELDS({"Host", "X42.example"})), 412);
	assert_int_equal(get(h, "/?q=union%20select"), 413);
	harness_destroy(h);
}

static void test_every_condition_must_hold(void **state)
{
	struct harness *h = plugin_start(
		"deny = ( { method = [ \"POST\" ]; path = \"^/login\"; host = \"a.example\"; } );");

	(void)state;
	assert_int_equal(status_of(h, "POST", "/login", HARNESS_FIELDS({"Host", "a.example"})),
			 403);
	assert_int_equal(status_of(h, "GET", "/login", HARNESS_FIELDS({"Host", "a.example"})), 0);
	assert_int_equal(status_of(h, "POST", "/log", HARNESS_FIELDS({"Host", "a.example"})), 0);
	assert_int_equal(status_of(h, "POST", "/login", HARNESS_FIELDS({"Host", "b.example"})), 0);
	harness_destroy(h);
}

static void test_headers(void **state)
{
	struct harness *h = plugin_start(
		"deny = ("
		"{ headers = ( { name = \"user-agent\"; match = \"(?i)badbot\"; } ); },"
		"{ headers = ( { name = \"X-Debug\"; } ); status = 400; },"
		"{ headers = ( { name = \"X-A\"; match = \"^1$\"; },"
		"              { name = \"Cookie\"; match = \"k=v\"; } ); status = 409; } );");

	(void)state;
	assert_int_equal(status_of(h, "GET", "/", HARNESS_FIELDS({"User-Agent", "BadBot/1.0"})),
			 403);
	assert_int_equal(status_of(h, "GET", "/", HARNESS_FIELDS({"User-Agent", "curl"})), 0);
	assert_int_equal(status_of(h, "GET", "/", HARNESS_FIELDS({"x-debug", ""})), 400);
	assert_int_equal(status_of(h, "GET", "/",
				   HARNESS_FIELDS({"x-a", "2"}, {"X-A", "1"}, {"Cookie", "a=b"},
						  {"Cookie", "k=v"})),
			 409);
	assert_int_equal(status_of(h, "GET", "/", HARNESS_FIELDS({"X-A", "1"})), 0);
	assert_int_equal(status_of(h, "GET", "/", HARNESS_FIELDS({"X-A", "11"}, {"Cookie", "k=v"})),
			 0);
	harness_destroy(h);
}

static void test_networks(void **state)
{
	struct harness *h = plugin_start(
		"deny = ( { from = [ \"203.0.113.0/25\", \"10.0.0.0/8\", \"10.1.0.0/16\","
		"                    \"2001:db8::/32\" ]; } );");
	static const struct {
		const char *client;
		uint16_t status;
	} rows[] = {
		{"9.255.255.255", 0},   {"10.0.0.0", 403},        {"10.1.2.3", 403},
		{"10.200.0.1", 403},    {"10.255.255.255", 403},  {"11.0.0.0", 0},
		{"203.0.113.127", 403}, {"203.0.113.128", 0},     {"2001:db8::1", 403},
		{"2001:db9::1", 0},     {"::ffff:10.9.9.9", 403}, {"::1", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); ++i) {
		harness_client(h, rows[i].client, 4711);
		assert_int_equal(get(h, "/"), rows[i].status);
	}
	harness_destroy(h);
}

static void test_an_empty_network_list_is_nobody(void **state)
{
	struct harness *h = plugin_start("deny = ( { from = [ ]; } );");

	(void)state;
	assert_int_equal(get(h, "/"), 0);
	harness_destroy(h);
}

static void test_first_match_wins(void **state)
{
	struct harness *h = plugin_start(
		"rules = ( { name = \"ops\"; action = \"allow\"; from = [ \"10.0.0.0/8\" ]; },"
		"          { name = \"admin\"; action = \"deny\"; path = \"^/admin\"; status = "
		"404; },"
		"          { action = \"allow\"; path = \"^/public\"; } );"
		"default = \"deny\"; status = 451;");

	(void)state;
	assert_int_equal(get(h, "/admin"), 404);
	assert_int_equal(get(h, "/public"), 0);
	assert_int_equal(get(h, "/other"), 451);
	harness_client(h, "10.2.3.4", 1);
	assert_int_equal(get(h, "/admin"), 0);
	assert_int_equal(harness_counter(h, "hits_ops"), 1);
	assert_int_equal(harness_counter(h, "hits_admin"), 1);
	assert_int_equal(harness_counter(h, "hits_rule_3"), 1);
	assert_int_equal(harness_counter(h, "requests"), 4);
	assert_int_equal(harness_counter(h, "allowed"), 2);
	assert_int_equal(harness_counter(h, "denied"), 2);
	harness_destroy(h);
}

static void test_allow_comes_before_deny(void **state)
{
	struct harness *h = plugin_start("deny = ( { path = \"^/admin\"; } );"
					 "allow = ( { path = \"^/admin/status$\"; } );");

	(void)state;
	assert_int_equal(get(h, "/admin/status"), 0);
	assert_int_equal(get(h, "/admin"), 403);
	assert_int_equal(get(h, "/admin/status/../users"), 403);
	harness_destroy(h);
}

static void test_match_limit_denies(void **state)
{
	struct harness *h = plugin_start("match_limit = 1000; status = 400;"
					 "allow = ( { path = \"^/(a+)+$\"; } );");

	(void)state;
	assert_int_equal(get(h, "/aaa"), 0);
	assert_int_equal(get(h, "/" HUNDRED_A "!"), 400);
	assert_int_equal(harness_counter(h, "match_limits"), 1);
	assert_int_equal(harness_counter(h, "denied"), 1);
	harness_destroy(h);
}

static void test_match_limit_may_skip_the_rule(void **state)
{
	struct harness *h = plugin_start("match_limit = 1000; on_match_limit = \"skip\";"
					 "deny = ( { headers = ( { name = \"X\"; match = "
					 "\"^(a+)+$\"; } ); }, { path = \"^/b\"; } );");

	(void)state;
	assert_int_equal(status_of(h, "GET", "/", HARNESS_FIELDS({"X", HUNDRED_A "!"})), 0);
	assert_int_equal(status_of(h, "GET", "/b", HARNESS_FIELDS({"X", HUNDRED_A "!"})), 403);
	assert_int_equal(harness_counter(h, "match_limits"), 2);
	harness_destroy(h);
}

/* More rules than counters: all work, and the log says that some are not counted alone. */
static void test_many_rules(void **state)
{
	static char config[64 * 1024];
	struct harness *h;
	size_t used = 0;

	(void)state;
	used += (size_t)snprintf(config, sizeof(config), "deny = (");
	for (unsigned i = 0; i < 500; ++i)
		used += (size_t)snprintf(config + used, sizeof(config) - used,
					 "%s{ path_exact = \"/%u\"; }", i > 0 ? "," : "", i);
	snprintf(config + used, sizeof(config) - used, ");");
	h = plugin_start(config);
	assert_int_equal(harness_logs(h), 1);
	assert_non_null(strstr(harness_log(h, 0), "of 500 rules have no counter of their own"));
	assert_int_equal(get(h, "/0"), 403);
	assert_int_equal(get(h, "/499"), 403);
	assert_int_equal(get(h, "/500"), 0);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_rules_let_all_through),
		cmocka_unit_test(test_steady),
		cmocka_unit_test(test_repeated_rule),
		cmocka_unit_test(test_deny_answers),
		cmocka_unit_test(test_deny_of_head_has_no_body),
		cmocka_unit_test(test_own_body_and_empty_body),
		cmocka_unit_test(test_full_arena_still_answers),
		cmocka_unit_test(test_paths_by_other_spellings),
		cmocka_unit_test(test_line_feeds_hide_nothing),
		cmocka_unit_test(test_each_condition),
		cmocka_unit_test(test_every_condition_must_hold),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_an_empty_network_list_is_nobody),
		cmocka_unit_test(test_first_match_wins),
		cmocka_unit_test(test_allow_comes_before_deny),
		cmocka_unit_test(test_match_limit_denies),
		cmocka_unit_test(test_match_limit_may_skip_the_rule),
		cmocka_unit_test(test_many_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
