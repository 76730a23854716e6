/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions on requests. */
#include "tests/unit/chain/http/fixture.h"

#include <errno.h>

#include "chain/when/when.h"

static bool holds(const struct conf_condition *conf, const char *request)
{
	struct fixture *f = fixture_new();
	struct when *when;
	bool yes;

	assert_int_equal(when_create(conf, &when), 0);
	fixture_request(f, request);
	yes = when_holds(when, &f->memory, f->head);
	when_destroy(when);
	fixture_free(f);
	return yes;
}

#define REQUEST(line, fields) line " HTTP/1.1\r\nHost: www.Example.org:8080\r\n" fields "\r\n"

static void test_path(void **state)
{
	struct conf_condition api = {.path = "^/api"}, end = {.path = "\\.png$"};

	(void)state;
	assert_true(holds(&api, REQUEST("GET /api/1", "")));
	assert_false(holds(&api, REQUEST("GET /v/api", "")));
	assert_true(holds(&end, REQUEST("GET /a.png?x=.jpg", ""))); /* without the query */
	assert_false(holds(&end, REQUEST("GET /a.jpg?x=.png", "")));
}

static void test_host(void **state)
{
	static const struct {
		const char *host;
		bool yes;
	} rows[] = {
		{"www.example.org", true},    {"example.org", false},
		{"*.example.org", true},      {"*.org", true},
		{"*.www.example.org", false}, {"~^www\\.", true},
		{"~^EXAMPLE", false},         {"~^WWW", true},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf_condition when = {.host = rows[i].host};

		assert_int_equal(holds(&when, REQUEST("GET /", "")), rows[i].yes);
	}
	assert_true(holds(&(struct conf_condition){.host = "[::1]"},
			  "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"));
	assert_true(
		holds(&(struct conf_condition){.host = "a"}, "GET / HTTP/1.1\r\nHost: a.\r\n\r\n"));
}

static void test_method(void **state)
{
	struct conf_condition post = {.method = "POST"};

	(void)state;
	assert_true(holds(&post, REQUEST("POST /", "")));
	assert_false(holds(&post, REQUEST("GET /", "")));
	assert_false(holds(&post, REQUEST("post /", ""))); /* methods have case */
}

static void test_header(void **state)
{
	struct conf_condition any = {.header = "X-Beta"},
			      some = {.header = "cookie", .value = "(^|; )beta=1(;|$)"};

	(void)state;
	assert_true(holds(&any, REQUEST("GET /", "x-beta:\r\n")));
	assert_false(holds(&any, REQUEST("GET /", "x-beta2: 1\r\n")));
	assert_true(holds(&some, REQUEST("GET /", "Cookie: a=b; beta=1\r\n")));
	assert_false(holds(&some, REQUEST("GET /", "Cookie: beta=12\r\n")));
	assert_true(holds(&some, REQUEST("GET /", "Cookie: a=b\r\nCookie: beta=1\r\n")));
}

static void test_all_must_hold(void **state)
{
	struct conf_condition both = {.path = "^/api", .method = "POST"};

	(void)state;
	assert_true(holds(&both, REQUEST("POST /api", "")));
	assert_false(holds(&both, REQUEST("GET /api", "")));
	assert_false(holds(&both, REQUEST("POST /", "")));
}

/* Too many steps: it does not hold, and it does not take long. */
static void test_patterns_are_bounded(void **state)
{
	struct conf_condition slow = {.path = "^/(a+)+$"};

	(void)state;
	assert_false(holds(&slow, REQUEST("GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "")));
}

static void test_bad_patterns(void **state)
{
	struct when *when;

	(void)state;
	assert_int_equal(when_create(&(struct conf_condition){.path = "("}, &when), -EINVAL);
	assert_int_equal(when_create(&(struct conf_condition){.host = "~["}, &when), -EINVAL);
	assert_int_equal(when_create(&(struct conf_condition){.header = "a", .value = "*"}, &when),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),          cmocka_unit_test(test_host),
		cmocka_unit_test(test_method),        cmocka_unit_test(test_header),
		cmocka_unit_test(test_all_must_hold), cmocka_unit_test(test_patterns_are_bounded),
		cmocka_unit_test(test_bad_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
