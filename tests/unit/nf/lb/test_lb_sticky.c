/* SPDX-License-Identifier: BSD-3-Clause */
/* Cookies that keep clients with their servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nf/lb/lb.h"
#include "nf/sdk/harness.h"

static struct harness *start(const char *sticky)
{
	struct harness *h = harness_create(&lb_hooks);
	char config[512];

	harness_group_add(h, "web", SLUICE_BALANCE_ROUND_ROBIN, 3);
	snprintf(config, sizeof(config), "upstream = \"web\"; sticky = { %s };", sticky);
	assert_int_equal(harness_start(h, config), 0);
	return h;
}

static struct harness_exchange *ask(struct harness *h, const char *cookie)
{
	return harness_request(h, "GET", "/",
			       cookie ? HARNESS_FIELDS({"Host", "a"}, {"Cookie", cookie})
				      : HARNESS_FIELDS({"Host", "a"}));
}

/* The pair "SRV=…" that a new client gets for a server. */
static const char *cookie_of(struct harness *h, unsigned *server)
{
	static char pair[64];
	struct harness_exchange *x = ask(h, NULL);

	*server = harness_server(x);
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_int_equal(harness_response(x, 200, HARNESS_NO_FIELDS), SLUICE_LEAVE);
	snprintf(pair, sizeof(pair), "%.20s", harness_field(x, "set-cookie"));
	harness_done(x, false);
	return pair;
}

static void new_clients_are_told(void **state)
{
	struct harness *h = start("cookie = \"SRV\"; secret = \"s\";");
	struct harness_exchange *x = ask(h, NULL);

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_int_equal(harness_response(x, 200, HARNESS_NO_FIELDS), SLUICE_LEAVE);
	assert_memory_equal(harness_field(x, "set-cookie"), "SRV=", 4);
	assert_string_equal(harness_field(x, "set-cookie") + 20,
			    "; Path=/; HttpOnly; SameSite=Lax");
	assert_string_equal(harness_field(x, "cache-control"), "private");
	assert_int_equal(harness_counter(h, "sticky_set"), 1);
	harness_destroy(h);
}

static void who_was_told_stays(void **state)
{
	struct harness *h = start("cookie = \"SRV\"; secret = \"s\";");
	unsigned server;
	char cookie[128];

	(void)state;
	snprintf(cookie, sizeof(cookie), "a=1; %s; b=2", cookie_of(h, &server));
	for (unsigned i = 0; i < 5; i++) {
		struct harness_exchange *x = ask(h, cookie);

		assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
		assert_int_equal(harness_server(x), server);
		assert_string_equal(harness_field(x, "cookie"), "a=1; b=2");
	}
	assert_int_equal(harness_counter(h, "sticky_kept"), 5);
	harness_destroy(h);
}

static void the_only_cookie_goes_whole(void **state)
{
	struct harness *h = start("cookie = \"SRV\";");
	unsigned server;
	struct harness_exchange *x = ask(h, cookie_of(h, &server));

	(void)state;
	assert_null(harness_field(x, "cookie"));
	harness_destroy(h);
}

static void servers_may_see_it(void **state)
{
	struct harness *h = start("cookie = \"SRV\"; hide = false;");
	unsigned server;
	struct harness_exchange *x = ask(h, cookie_of(h, &server));

	(void)state;
	assert_int_equal(harness_server(x), server);
	assert_string_equal(harness_edits(x), "");
	harness_destroy(h);
}

static void a_server_that_is_down_is_left(void **state)
{
	struct harness *h = start("cookie = \"SRV\";");
	unsigned server;
	const char *cookie = cookie_of(h, &server);
	struct harness_exchange *x;

	(void)state;
	harness_server_of(h, 0, server)->state = SLUICE_SERVER_DOWN;
	harness_upstreams_changed(h);
	x = ask(h, cookie);
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_int_not_equal(harness_server(x), server);
	assert_int_equal(harness_counter(h, "sticky_lost"), 1);
	assert_int_equal(harness_response(x, 200, HARNESS_NO_FIELDS), SLUICE_LEAVE);
	assert_memory_not_equal(harness_field(x, "set-cookie"), cookie, 20);
	harness_destroy(h);
}

/* Drained by hand: nobody new, but who belongs there stays. */
static void a_drained_server_keeps_its_clients(void **state)
{
	struct harness *h = start("cookie = \"SRV\";");
	unsigned server;
	const char *cookie = cookie_of(h, &server);

	(void)state;
	harness_server_of(h, 0, server)->state = SLUICE_SERVER_KEEP;
	harness_upstreams_changed(h);
	assert_int_equal(harness_server(ask(h, cookie)), server);
	for (unsigned i = 0; i < 6; i++)
		assert_int_not_equal(harness_server(ask(h, NULL)), server);
	harness_destroy(h);
}

static void what_is_no_id_is_a_new_client(void **state)
{
	static const char *const cookies[] = {"SRV=",
					      "SRV=0",
					      "SRV=0123456789abcdef",
					      "SRV=0123456789ABCDEF",
					      "SRV=0123456789abcdef0",
					      "SRV=zzzzzzzzzzzzzzzz"};
	struct harness *h = start("cookie = \"SRV\";");

	(void)state;
	for (unsigned i = 0; i < sizeof(cookies) / sizeof(cookies[0]); i++)
		assert_int_equal(harness_verdict(ask(h, cookies[i])), SLUICE_PASS);
	assert_int_equal(harness_counter(h, "sticky_kept"), 0);
	harness_destroy(h);
}

/* The same secret gives the same cookies, another one others. */
static void cookies_follow_from_the_secret(void **state)
{
	static const char *const secrets[] = {"one", "one", "two"};
	char cookies[3][64];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		char text[64];
		struct harness *h;
		unsigned server;

		snprintf(text, sizeof(text), "cookie = \"SRV\"; secret = \"%s\";", secrets[i]);
		h = start(text);
		snprintf(cookies[i], sizeof(cookies[i]), "%s", cookie_of(h, &server));
		assert_int_equal(server, 0);
		harness_destroy(h);
	}
	assert_string_equal(cookies[0], cookies[1]);
	assert_string_not_equal(cookies[0], cookies[2]);
}

static void attributes_are_configured(void **state)
{
	struct harness *h = start("cookie = \"SRV\"; path = \"/app\"; domain = \"a.example\"; "
				  "max_age_s = 60; http_only = false; secure = true; "
				  "same_site = \"none\"; shared = true;");
	struct harness_exchange *x = ask(h, NULL);

	(void)state;
	assert_int_equal(harness_response(x, 200, HARNESS_NO_FIELDS), SLUICE_LEAVE);
	assert_string_equal(harness_field(x, "set-cookie") + 20,
			    "; Path=/app; Domain=a.example; Max-Age=60; Secure; SameSite=None");
	assert_null(harness_field(x, "cache-control"));
	harness_destroy(h);
}

static void connections_have_no_cookies(void **state)
{
	struct harness *h = start("cookie = \"SRV\";");
	struct harness_exchange *x = harness_open(h);

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_int_equal(harness_server(x), 0);
	harness_destroy(h);
}

static void errors_have_lines(void **state)
{
	static const struct {
		const char *config, *error;
	} rows[] = {
		{"sticky = { };", "test.conf:1: sticky needs cookie = \"NAME\""},
		{"sticky = 1;", "test.conf:1: "},
		{"sticky = {\n cookie = \"a b\"; };", "test.conf:2: cookie: \"a b\" is not a name"},
		{"sticky = { cookie = \"a\";\n path = \"/;b\"; };",
		 "test.conf:2: path: \"/;b\" is not fit for a cookie"},
		{"sticky = { cookie = \"a\";\n same_site = \"none\"; };",
		 "test.conf:2: same_site: browsers refuse \"none\" without secure"},
		{"sticky = { cookie = \"a\"; same_site = \"some\"; };", "test.conf:1: "},
		{"sticky = { cookie = \"a\"; max_age_s = -1; };", "test.conf:1: "},
		{"sticky = { cookie = \"a\"; httponly = true; };", "test.conf:1: "},
		{"\nload_percent = 100;",
		 "test.conf:2: load_percent: 100 is no bound: 0, or more than 100"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct harness *h = harness_create(&lb_hooks);

		assert_int_not_equal(harness_start(h, rows[i].config), 0);
		assert_memory_equal(harness_error(h, 0), rows[i].error, strlen(rows[i].error));
		harness_destroy(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_clients_are_told),
		cmocka_unit_test(who_was_told_stays),
		cmocka_unit_test(the_only_cookie_goes_whole),
		cmocka_unit_test(servers_may_see_it),
		cmocka_unit_test(a_server_that_is_down_is_left),
		cmocka_unit_test(a_drained_server_keeps_its_clients),
		cmocka_unit_test(what_is_no_id_is_a_new_client),
		cmocka_unit_test(cookies_follow_from_the_secret),
		cmocka_unit_test(attributes_are_configured),
		cmocka_unit_test(connections_have_no_cookies),
		cmocka_unit_test(errors_have_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
