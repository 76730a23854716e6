/* SPDX-License-Identifier: BSD-3-Clause */
/* What the proxy says of a config that is wrong: word for word, with the line. */
#include "tests/unit/nf/proxy/proxy_test.h"

static void test_upstreams(void **state)
{
	(void)state;
	plugin_refuses("routes = (\n { upstream = \"wbe\"; } );",
		       "test.conf:2: upstream \"wbe\" is not defined");
	plugin_refuses("routes = (\n { path = \"^/\"; } );",
		       "test.conf:2: a route needs either upstream or redirect");
	plugin_refuses("routes = ( { upstream = \"web\"; redirect = { to = \"/\"; }; } );",
		       "test.conf:1: a route needs either upstream or redirect");
}

/* The group around all settings stands on line 0 here: in a file it is where `config = {` is. */
static void test_routes(void **state)
{
	(void)state;
	plugin_refuses("", "test.conf:0: routes is missing");
	plugin_refuses("routes = { };", "test.conf:1: routes must be a list, not a group");
	plugin_refuses("routes = ( 1 );", "test.conf:1: must be a group, not an integer");
}

static void test_patterns(void **state)
{
	(void)state;
	plugin_refuses(
		"routes = (\n { upstream = \"wbe\";\n path = \"^/[a\"; },\n"
		" { host = \"~(\"; redirect = { to = \"/\"; }; } );",
		"test.conf:2: bad pattern at offset 4: missing terminating ] for character class\n"
		"test.conf:4: bad pattern at offset 1: missing closing parenthesis");
}

static void test_templates(void **state)
{
	(void)state;
	plugin_refuses("routes = ( { path = \"^/(a)\"; redirect = { to = \"/$2\"; }; } );",
		       "test.conf:1: $2: the path gives no more than $1");
	plugin_refuses("routes = ( { path_exact = \"/a\"; redirect = { to = \"/$1\"; }; } );",
		       "test.conf:1: $1: the path gives no more than $0");
	plugin_refuses("routes = ( { redirect = { to = \"/$hots\"; }; } );",
		       "test.conf:1: $hots is not known");
	plugin_refuses("routes = ( { redirect = { to = \"/$\"; }; } );",
		       "test.conf:1: a name must follow $ ($$ is a dollar)");
	plugin_refuses("routes = ( { redirect = { to = \"/${host\"; }; } );",
		       "test.conf:1: a name must follow $ ($$ is a dollar)");
}

static void test_redirects(void **state)
{
	(void)state;
	plugin_refuses("routes = ( { redirect = { status = 304; to = \"/\"; }; } );",
		       "test.conf:1: status: 304 is not a redirection");
	plugin_refuses("routes = ( { redirect = { status = 200; to = \"/\"; }; } );",
		       "test.conf:1: status is 200; it may be 301 to 308");
	plugin_refuses("routes = (\n { redirect = { }; } );",
		       "test.conf:2: a redirect needs to = \"…\"");
	plugin_refuses("routes = ( { redirect = { to = \"/\"; }; rewrite = \"/\"; } );",
		       "test.conf:1: unknown key \"rewrite\"");
}

static void rewrite_refused(const char *rewrite, const char *error)
{
	struct harness *h = proxy_new();
	char config[256];

	snprintf(config, sizeof(config), "routes = ( { upstream = \"web\"; rewrite = \"%s\"; } );",
		 rewrite);
	assert_int_not_equal(harness_start(h, config), 0);
	assert_string_equal(harness_error(h, 0), error);
	assert_null(harness_error(h, 1));
	harness_destroy(h);
}

static void test_rewrites(void **state)
{
	(void)state;
	rewrite_refused("new", "test.conf:1: rewrite: \"new\" does not begin with /");
	rewrite_refused("/a b", "test.conf:1: rewrite: \"/a b\" is not fit for a request");
	rewrite_refused("/a#b", "test.conf:1: rewrite: \"/a#b\" is not fit for a request");
	rewrite_refused("/$1", "test.conf:1: $1: the path gives no more than $0");
}

static void edits_refused(const char *edits, const char *error)
{
	struct harness *h = proxy_new();
	char config[512];

	snprintf(config, sizeof(config), "routes = ( { upstream = \"web\";\n %s } );", edits);
	assert_int_not_equal(harness_start(h, config), 0);
	assert_string_equal(harness_error(h, 0), error);
	assert_null(harness_error(h, 1));
	harness_destroy(h);
}

static void test_edits(void **state)
{
	(void)state;
	edits_refused("request = { set_headers = ( { name = \"X\"; } ); };",
		      "test.conf:2: a field needs name and value");
	edits_refused("request = { set_headers = ( { name = \"X Y\"; value = \"\"; } ); };",
		      "test.conf:2: \"X Y\" is not a field name");
	edits_refused("request = { set_headers = ( { name = \"X\"; value = \"a\\nb\"; } ); };",
		      "test.conf:2: the value of X has control characters");
	edits_refused(
		"request = { set_headers = ( { name = \"Connection\"; value = \"close\"; } ); };",
		"test.conf:2: Connection belongs to the connection: no rule can change it");
	edits_refused(
		"response = { remove_headers = [ \"content-length\" ]; };",
		"test.conf:2: content-length belongs to the connection: no rule can change it");
	edits_refused("request = { remove_headers = [ \"Host\" ]; };",
		      "test.conf:2: Host can only be set, and only in a request");
	edits_refused("response = { set_headers = ( { name = \"Host\"; value = \"a\"; } ); };",
		      "test.conf:2: Host can only be set, and only in a request");
	edits_refused("response = { remove_headers = [ \"a b\" ]; };",
		      "test.conf:2: \"a b\" is not a field name");
	edits_refused("reply = { };", "test.conf:2: unknown key \"reply\"");
}

static void test_settings(void **state)
{
	(void)state;
	plugin_refuses("trusted = [ \"10.0.0.0/40\" ];\nroutes = ( );",
		       "test.conf:1: \"10.0.0.0/40\" is not a network (address/prefix)");
	plugin_refuses("via = \"a b\"; routes = ( );",
		       "test.conf:0: via: \"a b\" is not a name for a proxy");
	plugin_refuses("trace = \"yes\"; routes = ( );",
		       "test.conf:1: trace: \"yes\" is none of reject, forward");
	plugin_refuses("max_loops = -1; routes = ( );",
		       "test.conf:1: max_loops is -1; it may be 0 to 1000");
	plugin_refuses("x_forwarded = 1; routes = ( );",
		       "test.conf:1: x_forwarded must be true or false, not an integer");
}

/* There is no group here: that is the first error. */
#define NO_WEB "test.conf:1: upstream \"web\" is not defined\n"

static void test_how(void **state)
{
	(void)state;
	plugin_refuses("routes = ( { upstream = \"web\";\n retry = { on = [ \"always\" ]; }; } );",
		       NO_WEB
		       "test.conf:2: on: \"always\" is not one of reset, timeout, gateway, 5xx");
	plugin_refuses("routes = ( { upstream = \"web\"; retry = { times = 8; }; } );",
		       NO_WEB "test.conf:1: times is 8; it may be 0 to 7");
	plugin_refuses("routes = ( { upstream = \"web\"; timeouts = { connect_ms = -1; }; } );",
		       NO_WEB "test.conf:1: connect_ms is -1; it may be 0 to 604800000");
	plugin_refuses("routes = ( { upstream = \"web\"; timeouts = 5; } );",
		       NO_WEB "test.conf:1: timeouts must be a group, not an integer");
}

static void test_pages(void **state)
{
	(void)state;
	plugin_refuses("routes = ( { redirect = { to = \"/\"; }; } ); error_pages = (\n { file = "
		       "\"/dev/null\"; } );",
		       "test.conf:2: a page needs status = [ \"503\", … ]");
	plugin_refuses("routes = ( { redirect = { to = \"/\"; }; } ); error_pages = ( { status = [ "
		       "\"503\" ]; } );",
		       "test.conf:1: a page needs file = \"…\"");
	plugin_refuses("routes = ( { redirect = { to = \"/\"; }; } ); error_pages = ( { status = [ "
		       "\"302\" ];\n"
		       " file = \"/dev/null\"; } );",
		       "test.conf:1: status: \"302\" is not that of an error");
	plugin_refuses("routes = ( { redirect = { to = \"/\"; }; } ); error_pages = ( { status = [ "
		       "\"404\" ];\n"
		       " file = \"/no/such\"; } );",
		       "test.conf:2: file: /no/such: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upstreams), cmocka_unit_test(test_routes),
		cmocka_unit_test(test_patterns),  cmocka_unit_test(test_templates),
		cmocka_unit_test(test_redirects), cmocka_unit_test(test_rewrites),
		cmocka_unit_test(test_edits),     cmocka_unit_test(test_how),
		cmocka_unit_test(test_pages),     cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
