/* SPDX-License-Identifier: BSD-3-Clause */
/* Arguments, cookies, scores, tags, levels, networks, files of rules. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/nf/common/plugin.h"

/* 0: let through. */
static uint16_t get(struct harness *h, const char *target, const char *name, const char *value)
{
	struct harness_exchange *x = harness_request(
		h, "GET", target, HARNESS_FIELDS({"Host", "a.example"}, {name, value}));
	uint16_t status = 0;

	if (harness_verdict(x) == SLUICE_RESPOND)
		status = harness_status(x);
	else
		assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	harness_done(x, false);
	return status;
}

static uint16_t ask(struct harness *h, const char *target)
{
	return get(h, target, "Accept", "*/*");
}

static void test_arguments_are_decoded(void **state)
{
	struct harness *h = plugin_start(
		"deny = ( { args = ( { match = \"(?i)union select\"; } ); status = 400; },"
		"         { args = ( { name = \"debug\"; } ); status = 404; },"
		"         { args = ( { name = \"id\"; match = \"[^0-9]\"; } ); status = 422; } );");

	(void)state;
	assert_int_equal(ask(h, "/?q=union+select"), 400);
	assert_int_equal(ask(h, "/?a=1&q=%55nion%20SELECT"), 400);
	assert_int_equal(ask(h, "/?union%20select=1"), 400);
	assert_int_equal(ask(h, "/?q=union-select"), 0);
	assert_int_equal(ask(h, "/?debug"), 404);
	assert_int_equal(ask(h, "/?%64ebug=0"), 404);
	assert_int_equal(ask(h, "/?debugger=1"), 0);
	assert_int_equal(ask(h, "/?id=12"), 0);
	assert_int_equal(ask(h, "/?id=12&id=1'"), 422);
	assert_int_equal(ask(h, "/?id=%3"), 422);
	harness_destroy(h);
}

static void test_too_many_arguments_are_a_limit(void **state)
{
	struct harness *h =
		plugin_start("deny = ( { args = ( { name = \"z\"; } ); status = 404; } );");
	char target[1200] = "/?a";

	(void)state;
	for (unsigned i = 0; i < 300; ++i)
		strcat(target, "&b");
	assert_int_equal(ask(h, target), 403);
	assert_int_equal(harness_counter(h, "match_limits"), 1);
	strcpy(target, "/?z");
	for (unsigned i = 0; i < 300; ++i)
		strcat(target, "&b");
	assert_int_equal(ask(h, target), 404);
	harness_destroy(h);
}

static void test_target_raw_and_decoded(void **state)
{
	struct harness *h =
		plugin_start("deny = ( { decoded = \"^/a/b\\\\?x=<y>$\"; status = 400; },"
			     "         { target = \"%00\"; status = 404; } );");

	(void)state;
	assert_int_equal(ask(h, "/a/./b?x=%3Cy%3e"), 400);
	assert_int_equal(ask(h, "/a/b?x=<y>z"), 0);
	assert_int_equal(ask(h, "/c%00"), 404);
	harness_destroy(h);
}

static void test_every_cookie_of_a_name(void **state)
{
	struct harness *h = plugin_start(
		"deny = ( { cookies = ( { name = \"sid\"; match = \"[^0-9a-f]\"; } ); },"
		"         { cookies = ( { match = \"evil\"; } ); status = 404; } );");

	(void)state;
	assert_int_equal(get(h, "/", "Cookie", "sid=0af"), 0);
	assert_int_equal(get(h, "/", "Cookie", "sid=0af; sid=x'"), 403);
	assert_int_equal(get(h, "/", "Cookie", "other=x"), 0);
	assert_int_equal(get(h, "/", "Cookie", "other=evil"), 404);
	harness_destroy(h);
}

static void test_scores_add_up(void **state)
{
	struct harness *h = plugin_start(
		"threshold = 5; score_status = 406; rules = ("
		" { name = \"a\"; action = \"score\"; score = 3; target = \"a\"; },"
		" { name = \"b\"; action = \"score\"; score = 2; target = \"b\"; },"
		" { name = \"deep\"; action = \"score\"; score = 9; level = 2; target = \"d\"; } );"
		"watch = 2;");

	(void)state;
	assert_int_equal(ask(h, "/a"), 0);
	assert_int_equal(ask(h, "/b"), 0);
	assert_int_equal(ask(h, "/ab"), 406);
	assert_int_equal(ask(h, "/d"), 0);
	assert_int_equal(harness_counter(h, "scored_out"), 1);
	assert_int_equal(harness_counter(h, "hits_a"), 2);
	assert_int_equal(harness_counter(h, "hits_deep"), 1);
	harness_destroy(h);
}

static void test_levels(void **state)
{
	static const char rules[] = "deny = ( { path = \"^/x\"; level = 3; } );";
	char config[200];

	(void)state;
	for (unsigned level = 1; level <= 4; ++level) {
		struct harness *h;

		snprintf(config, sizeof(config), "paranoia = %u; %s", level, rules);
		h = plugin_start(config);
		assert_int_equal(ask(h, "/x"), level < 3 ? 0 : 403);
		assert_int_equal(harness_counter(h, "hits_deny_1"), level < 3 ? 0 : 1);
		harness_destroy(h);
	}
	plugin_refuses("paranoia = 3;\nwatch = 2;", "test.conf:2: watch is 2; it may be 3 to 4");
}

static void test_tags(void **state)
{
	struct harness *h =
		plugin_start("rules = ( { name = \"bot\"; action = \"tag\"; target = \"b\"; },"
			     "          { action = \"tag\"; tag = \"late\"; target = \"c\"; } );");
	struct harness_exchange *x =
		harness_request(h, "GET", "/bc", HARNESS_FIELDS({"X-Filter-Tag", "forged"}));

	(void)state;
	assert_string_equal(harness_edits(x), "remove X-Filter-Tag\n"
					      "add X-Filter-Tag: bot\nadd X-Filter-Tag: late\n");
	assert_int_equal(harness_counter(h, "tagged"), 2);
	harness_destroy(h);
}

static void test_log_is_bounded(void **state)
{
	struct harness *h = plugin_start("log_per_s = 2; rules = ( { name = \"seen\"; action = "
					 "\"log\"; target = \"x\"; } );");

	(void)state;
	for (unsigned i = 0; i < 5; ++i)
		assert_int_equal(ask(h, "/x"), 0);
	assert_int_equal(harness_logs(h), 2);
	assert_string_equal(harness_log(h, 0), "rule seen matched: /x");
	assert_int_equal(harness_counter(h, "log_dropped"), 3);
	harness_advance(h, 1000000);
	assert_int_equal(ask(h, "/x"), 0);
	assert_int_equal(harness_logs(h), 3);
	harness_destroy(h);
}

static void test_longest_network_counts(void **state)
{
	struct harness *h = plugin_start(
		"networks = { allow = [ \"10.1.0.0/16\", \"2001:db8::/48\" ];"
		"             deny = [ \"10.0.0.0/8\", \"10.1.2.0/24\", \"2001:db8::/32\" ]; };"
		"deny = ( { path = \"^/admin\"; status = 404; } );");
	static const struct {
		const char *client;
		uint16_t status;
	} cases[] = {
		{"10.2.0.1", 403},      {"10.1.0.1", 0},      {"10.1.2.3", 403},
		{"10.1.3.0", 0},        {"192.0.2.1", 404},   {"2001:db8::1", 0},
		{"2001:db8:1::1", 403}, {"2001:db9::1", 404},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
		harness_client(h, cases[i].client, 1);
		assert_int_equal(ask(h, "/admin"), cases[i].status);
	}
	assert_int_equal(harness_counter(h, "networks_denied"), 3);
	harness_destroy(h);
	plugin_refuses("networks = { allow = [ \"10.0.0.0/8\" ]; deny = [ \"10.0.0.0/8\" ]; };",
		       "test.conf:1: a network stands in two lists");
	plugin_refuses("networks = {\n deny = [ \"10.0.0.1/8\" ]; };",
		       "test.conf:2: \"10.0.0.1/8\" is not a network (address/prefix)");
}

/* --- bodies --------------------------------------------------------------------------- */

static struct harness_exchange *post(struct harness *h, const char *type, const char *length)
{
	struct harness_exchange *x = harness_request(
		h, "POST", "/", HARNESS_FIELDS({"Content-Type", type}, {"Content-Length", length}));

	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	return x;
}

static void test_body_across_pieces(void **state)
{
	struct harness *h = plugin_start(
		"deny = ( { content = \"<script>\"; status = 406; body = \"no\"; } );");
	struct harness_exchange *x = post(h, "text/plain", "20");

	(void)state;
	assert_int_equal(harness_request_body(x, "aaaaaa<scr", 10, false), SLUICE_PASS);
	assert_int_equal(harness_request_body(x, "ipt>", 4, false), SLUICE_PASS);
	assert_int_equal(harness_request_body(x, "aaaaaa", 6, true), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), 406);
	assert_string_equal((const char *)harness_body(x, NULL), "no");
	assert_int_equal(harness_request_body(x, "<script>", 8, true), SLUICE_PASS); /* unseen */
	harness_done(x, false);
	assert_int_equal(harness_counter(h, "body_denied"), 1);
	assert_int_equal(harness_counter(h, "denied"), 1);
	assert_int_equal(harness_counter(h, "hits_deny_1"), 1);

	x = post(h, "text/plain", "4");
	assert_int_equal(harness_request_body(x, "good", 4, true), SLUICE_LEAVE);
	assert_int_equal(harness_counter(h, "allowed"), 1);
	harness_destroy(h);
}

static void test_body_beyond_its_first_bytes_is_left(void **state)
{
	struct harness *h = plugin_start("body_bytes = 64; deny = ( { content = \"bad\"; } );");
	struct harness_exchange *x = post(h, "text/plain", "1000");
	char long_text[100];

	(void)state;
	memset(long_text, 'a', sizeof(long_text));
	assert_int_equal(harness_request_body(x, long_text, sizeof(long_text), false),
			 SLUICE_LEAVE);
	x = post(h, "text/plain", "1000");
	memcpy(long_text + 61, "bad", 3);
	assert_int_equal(harness_request_body(x, long_text, sizeof(long_text), false),
			 SLUICE_RESPOND);
	harness_done(x, true);
	harness_destroy(h);
}

static void test_forms_are_decoded(void **state)
{
	struct harness *h = plugin_start("deny = ( { content = \"drop table\"; } );");
	struct harness_exchange *x =
		post(h, "application/x-www-form-urlencoded; charset=utf-8", "14");

	(void)state;
	assert_int_equal(harness_request_body(x, "a=dr%6fp+table", 14, true), SLUICE_RESPOND);
	harness_done(x, true);
	x = post(h, "text/plain", "14");
	assert_int_equal(harness_request_body(x, "a=dr%6fp+table", 14, true), SLUICE_LEAVE);
	harness_destroy(h);
}

static void test_head_and_body_score_together(void **state)
{
	struct harness *h =
		plugin_start("threshold = 4; score_status = 400; rules = ("
			     " { action = \"score\"; score = 2; method = [ \"POST\" ]; },"
			     " { action = \"score\"; score = 2; content = \"evil\"; } );");
	struct harness_exchange *x = post(h, "text/plain", "4");

	(void)state;
	assert_int_equal(harness_request_body(x, "evil", 4, true), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), 400);
	assert_int_equal(harness_counter(h, "scored_out"), 1);
	harness_done(x, false);
	harness_destroy(h);
}

static void test_bodies_are_bounded(void **state)
{
	struct harness *h = plugin_start("bodies = 1; deny = ( { content = \"bad\"; } );");
	struct harness_exchange *first = post(h, "text/plain", "9"), *second;

	(void)state;
	assert_int_equal(harness_request_body(first, "a", 1, false), SLUICE_PASS);
	second = post(h, "text/plain", "9");
	assert_int_equal(harness_request_body(second, "a", 1, false), SLUICE_RESPOND);
	assert_int_equal(harness_status(second), 403);
	harness_done(second, false);
	assert_int_equal(harness_counter(h, "body_unseen"), 1);
	harness_done(first, true);
	second = post(h, "text/plain", "9");
	assert_int_equal(harness_request_body(second, "a", 1, false), SLUICE_PASS);
	harness_destroy(h);
}

/* --- files of rules -------------------------------------------------------------------- */

static char file_path[64];

static const char *with_file(const char *text)
{
	static char config[128];
	int fd;

	strcpy(file_path, "/tmp/rulesXXXXXX");
	fd = mkstemp(file_path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	snprintf(config, sizeof(config), "threshold = 5; rules_file = \"%s\";", file_path);
	return config;
}

static void test_rules_file(void **state)
{
	struct harness *h = plugin_start(with_file("# what we do not want\n"
						   "\n"
						   "100 deny=406 arg:cmd (?i)^rm -rf\r\n"
						   "101 score=5 header:User-Agent sqlmap\n"
						   "102 deny path ^/\\.git\n"
						   "103 tag=fetch arg ^https?://\n"
						   "104 deny level=2 raw %\n"
						   "105 deny=400 body EICAR"));

	(void)state;
	unlink(file_path);
	assert_int_equal(ask(h, "/?cmd=rm+-rf+/"), 406);
	assert_int_equal(get(h, "/", "User-Agent", "sqlmap/1"), 403);
	assert_int_equal(ask(h, "/x/../.git/config"), 403);
	assert_int_equal(ask(h, "/%20"), 0);
	assert_int_equal(ask(h, "/?u=http://a"), 0);
	assert_int_equal(harness_counter(h, "hits_103"), 1);
	assert_int_equal(harness_command(h, "rules 104"), 0);
	assert_string_equal(harness_answer(h),
			    "[{\"rule\":\"104\",\"action\":\"deny\",\"level\":2,\"hits\":0},"
			    "{\"rule\":\"105\",\"action\":\"deny\",\"level\":1,\"hits\":0}]");
	assert_int_equal(harness_command(h, "rules nothing"), -EINVAL);
	assert_int_equal(harness_command(h, "other"), -EINVAL);
	harness_destroy(h);
}

/* The last error is about the file, and goes on so after its name. */
static void refuses(const char *text, const char *wanted)
{
	const char *config = with_file(text), *error;
	struct harness *h = plugin_new();

	assert_int_not_equal(harness_start(h, config), 0);
	error = strstr(harness_error(h, harness_errors(h) - 1), file_path);
	assert_non_null(error);
	assert_string_equal(error + strlen(file_path), wanted);
	harness_destroy(h);
	unlink(file_path);
}

static void test_rules_file_errors(void **state)
{
	(void)state;
	refuses("\n1 drop path x\n", ":2: not an action: \"drop\"");
	refuses("1 deny=200 path x\n", ":1: not a number that may stand here: \"200\"");
	refuses("1 deny where x\n", ":1: not a place to look at: \"where\"");
	refuses("1 deny path:a x\n", ":1: no name may stand here: \"a\"");
	refuses("1 deny path\n", ":1: a pattern must follow \"path\"");
	refuses("1 deny path (\n", ":1: the pattern is refused: \"(\"");
	refuses("1 deny path x\n1 deny path y\n", ":2: another rule has the name \"1\"");
	refuses("1 tag body x\n", ":1: of a body a rule can only deny or score");
	plugin_refuses("\nrules_file = \"/nonexistent/rules\";",
		       "test.conf:2: /nonexistent/rules: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments_are_decoded),
		cmocka_unit_test(test_too_many_arguments_are_a_limit),
		cmocka_unit_test(test_target_raw_and_decoded),
		cmocka_unit_test(test_every_cookie_of_a_name),
		cmocka_unit_test(test_scores_add_up),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_log_is_bounded),
		cmocka_unit_test(test_longest_network_counts),
		cmocka_unit_test(test_body_across_pieces),
		cmocka_unit_test(test_body_beyond_its_first_bytes_is_left),
		cmocka_unit_test(test_forms_are_decoded),
		cmocka_unit_test(test_head_and_body_score_together),
		cmocka_unit_test(test_bodies_are_bounded),
		cmocka_unit_test(test_rules_file),
		cmocka_unit_test(test_rules_file_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
