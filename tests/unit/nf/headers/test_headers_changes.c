/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of heads. */
#include "tests/unit/nf/common/plugin.h"

static struct harness_exchange *get(struct harness *h, const char *target,
				    const struct harness_field *fields)
{
	return harness_request(h, "GET", target, fields);
}

/* Request fields with one rule. */
static void assert_request(const char *rule, const struct harness_field *fields, const char *edits)
{
	char config[1024];
	struct harness *h;
	struct harness_exchange *x;

	snprintf(config, sizeof(config), "request = ( { %s } );", rule);
	h = plugin_start(config);
	x = get(h, "/a/b?c=d", fields);
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_string_equal(harness_edits(x), edits);
	harness_destroy(h);
}

static void assert_response(const char *rule, uint16_t status, const struct harness_field *fields,
			    const char *edits)
{
	char config[1024];
	struct harness *h;
	struct harness_exchange *x;

	snprintf(config, sizeof(config), "response = ( { %s } );", rule);
	h = plugin_start(config);
	x = get(h, "/a/b?c=d", HARNESS_FIELDS({"Host", "a.example"}, {"Cookie", "lang=de"}));
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_int_equal(harness_response(x, status, fields), SLUICE_LEAVE);
	assert_string_equal(harness_edits(x), edits);
	harness_destroy(h);
}

static void test_actions(void **state)
{
	const struct harness_field *a = HARNESS_FIELDS({"X-A", "1"}, {"x-a", "22"}, {"X-Ab", "3"});

	(void)state;
	assert_request("set = \"X-A\"; value = \"v\";", a, "set X-A: v\n");
	assert_request("set = \"X-A\"; value = \"${header:None}\";", a, "remove X-A\n");
	assert_request("add = \"X-A\"; value = \"v\";", a, "add X-A: v\n");
	assert_request("add = \"X-A\"; value = \"\";", a, "");
	assert_request("default = \"X-A\"; value = \"v\";", a, "");
	assert_request("default = \"X-B\"; value = \"v\";", a, "set X-B: v\n");
	assert_request("remove = \"X-A\";", a, "remove X-A\n");
	assert_request("remove = \"X-a*\";", a, "remove X-A\nremove x-a\nremove X-Ab\n");
	assert_request("replace = \"X-A\"; values = \"^(.)(.)$\"; value = \"$2-$1-$0\";", a,
		       "remove X-A\nadd X-A: 1\nadd X-A: 2-2-22\n");
	assert_request("replace = \"X-C\"; values = \".\"; value = \"v\";", a, "");
}

static void test_prefix_leaves_the_connection_alone(void **state)
{
	(void)state;
	assert_request(
		"remove = \"C*\";",
		HARNESS_FIELDS({"Connection", "close"}, {"Content-Length", "0"}, {"Cookie", "a=b"}),
		"remove Cookie\n");
}

static void test_variables(void **state)
{
	const struct harness_field *f = HARNESS_FIELDS({"Host", "a.example:8080"},
						       {"Cookie", "s=1; t=2"}, {"User-Agent", "u"});

	(void)state;
	assert_request("set = \"X\"; value = \"$host|$method|$path|$query|$target|$version\";", f,
		       "set X: a.example|GET|/a/b|c=d|/a/b?c=d|HTTP/1.1\n");
	assert_request("set = \"X\"; value = \"$client:$client_port $local:$local_port\";", f,
		       "set X: 192.0.2.1:12345 198.51.100.1:80\n");
	assert_request("set = \"X\"; value = \"${cookie:t}${header:user-agent}$$\";", f,
		       "set X: 2u$\n");
	assert_request("set = \"X\"; value = \"$time $iso_time $date\";", f,
		       "set X: 1704067200 2024-01-01T00:00:00Z Mon, 01 Jan 2024 00:00:00 GMT\n");
	assert_request("set = \"X\"; value = \"$function\";", f, "set X: test\n");
}

static void test_conditions_on_requests(void **state)
{
	const struct harness_field *f = HARNESS_FIELDS({"Host", "a.example"}, {"X-A", "12"});

	(void)state;
	assert_request("set = \"X\"; value = \"v\"; path_prefix = \"/a/\";", f, "set X: v\n");
	assert_request("set = \"X\"; value = \"v\"; path_prefix = \"/b/\";", f, "");
	assert_request("set = \"X\"; value = \"v\"; host = \"b.example\";", f, "");
	assert_request("set = \"X\"; value = \"v\"; method = [ \"POST\" ];", f, "");
	assert_request("set = \"X\"; value = \"v\"; from = [ \"10.0.0.0/8\" ];", f, "");
	assert_request("set = \"X\"; value = \"$1\";"
		       "match = { text = \"${header:X-A} $path\"; pattern = \"^12 /(.)/\"; };",
		       f, "set X: a\n");
	assert_request(
		"set = \"X\"; value = \"v\"; match = { text = \"$path\"; pattern = \"z\"; };", f,
		"");
	assert_request(
		"set = \"X\"; value = \"v\"; unless = { text = \"$path\"; pattern = \"a\"; };", f,
		"");
	assert_request(
		"set = \"X\"; value = \"v\"; unless = { text = \"$path\"; pattern = \"z\"; };", f,
		"set X: v\n");
}

static void test_responses(void **state)
{
	const struct harness_field *f =
		HARNESS_FIELDS({"Server", "s"}, {"Location", "http://in/x"}, {"Set-Cookie", "a=1"},
			       {"Set-Cookie", "b=2; Secure"});

	(void)state;
	assert_response("remove = \"Server\";", 200, f, "remove Server\n");
	assert_response("set = \"X\"; value = \"$status ${response:server}\";", 404, f,
			"set X: 404 s\n");
	assert_response("replace = \"Location\"; values = \"^http://in/(.*)\";"
			"value = \"https://$host/$1\";",
			302, f, "remove Location\nadd Location: https://a.example/x\n");
	assert_response("replace = \"Set-Cookie\"; values = \"^((?!.*Secure).*)$\";"
			"value = \"$1; Secure\";",
			200, f,
			"remove Set-Cookie\nadd Set-Cookie: a=1; Secure\n"
			"add Set-Cookie: b=2; Secure\n");
}

static void test_conditions_on_responses(void **state)
{
	const struct harness_field *f = HARNESS_FIELDS({"Content-Type", "text/html"});

	(void)state;
	assert_response("set = \"X\"; value = \"v\"; status = [ \"404\", \"5xx\" ];", 404, f,
			"set X: v\n");
	assert_response("set = \"X\"; value = \"v\"; status = [ \"404\", \"5xx\" ];", 599, f,
			"set X: v\n");
	assert_response("set = \"X\"; value = \"v\"; status = [ \"404\", \"5xx\" ];", 403, f, "");
	assert_response("set = \"X\"; value = \"$1\"; match = "
			"{ text = \"${response:Content-Type} $path ${cookie:lang}\";"
			"  pattern = \"^text/html /a/b (de|fr)$\"; };",
			200, f, "set X: de\n");
	assert_response("set = \"X\"; value = \"v\"; unless = "
			"{ text = \"${response:Content-Type}\"; pattern = \"html\"; };",
			200, f, "");
}

static void test_a_response_nobody_wants_costs_nothing(void **state)
{
	struct harness *h = plugin_start(
		"response = ( { set = \"X\"; value = \"v\"; path_exact = \"/a\"; } );");

	(void)state;
	assert_int_equal(harness_verdict(get(h, "/b", HARNESS_NO_FIELDS)), SLUICE_LEAVE);
	assert_int_equal(harness_verdict(get(h, "/a", HARNESS_NO_FIELDS)), SLUICE_PASS);
	harness_destroy(h);
}

static void test_one_id_for_an_exchange(void **state)
{
	struct harness *h =
		plugin_start("request = ( { set = \"X-Id\"; value = \"$request_id\"; } );"
			     "response = ( { set = \"X-Id\"; value = \"$request_id\"; } );");
	struct harness_exchange *x = get(h, "/", HARNESS_NO_FIELDS), *y;
	char id[64];

	(void)state;
	snprintf(id, sizeof(id), "%s", harness_field(x, "X-Id"));
	assert_int_equal(strlen(id), 32);
	harness_response(x, 200, HARNESS_NO_FIELDS);
	assert_string_equal(harness_field(x, "X-Id"), id);
	y = get(h, "/", HARNESS_NO_FIELDS);
	assert_string_not_equal(harness_field(y, "X-Id"), id);
	harness_destroy(h);
}

static void test_what_does_not_fit(void **state)
{
	static char huge[12000];
	struct harness *h =
		plugin_start("request = ( { set = \"X\"; value = \"${header:A}${header:A}\"; } );");
	struct harness_exchange *x;

	(void)state;
	memset(huge, 'a', sizeof(huge) - 1);
	x = get(h, "/", HARNESS_FIELDS({"A", huge}));
	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), 431);
	assert_int_equal(harness_counter(h, "edit_errors"), 1);
	harness_destroy(h);
	h = plugin_start("response = ( { set = \"X\"; value = \"${header:A}\"; } );");
	x = get(h, "/", HARNESS_FIELDS({"A", huge}));
	harness_response(x, 200, HARNESS_NO_FIELDS);
	assert_string_equal(harness_edits(x), "");
	assert_int_equal(harness_counter(h, "edit_errors"), 1);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_prefix_leaves_the_connection_alone),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_conditions_on_requests),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_conditions_on_responses),
		cmocka_unit_test(test_a_response_nobody_wants_costs_nothing),
		cmocka_unit_test(test_one_id_for_an_exchange),
		cmocka_unit_test(test_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
