/* SPDX-License-Identifier: BSD-3-Clause */
/* What the proxy does to heads, and what it answers itself. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/nf/proxy/proxy_test.h"

#define ALL "routes = ( { upstream = \"web\"; } );"

static void test_request_fields(void **state)
{
	struct harness *h = proxy_start(ALL);
	struct harness_exchange *x =
		harness_request(h, "GET", "/", HARNESS_FIELDS({"Host", "a.example:8080"}));

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_string_equal(harness_edits(x), "set X-Forwarded-For: 192.0.2.1\n"
					      "set X-Forwarded-Proto: http\n"
					      "set X-Forwarded-Host: a.example:8080\n"
					      "add Via: 1.1 sluice\n");
	harness_destroy(h);
}

/* A client that was told of before, among others: the edits are the same as the first time. */
static void test_again(void **state)
{
	static const char *const clients[] = {"192.0.2.1", "192.0.2.2", "2001:db8::7", "10.9.8.7"};
	static const char *const hosts[] = {"a.example", "b.example", ""};
	struct harness *h = proxy_start("forwarded = true; " ALL);
	char first[24][512];

	(void)state;
	for (unsigned i = 0; i < 72; i++) {
		const char *host = hosts[i / 4 % 3];
		struct harness_exchange *x;

		harness_client(h, clients[i % 4], (uint16_t)(1000 + i));
		x = harness_request_version(h, i / 12 % 2 ? 10 : 11, "GET", "/",
					    HARNESS_FIELDS({"Host", host}));
		assert_field(x, "X-Forwarded-For", clients[i % 4]);
		assert_field(x, "Via", i / 12 % 2 ? "1.0 sluice" : "1.1 sluice");
		if (*host)
			assert_field(x, "X-Forwarded-Host", host);
		if (i < 24)
			snprintf(first[i], sizeof(first[i]), "%s", harness_edits(x));
		assert_string_equal(harness_edits(x), first[i % 24]);
		harness_done(x, false);
	}
	harness_destroy(h);
}

/* Nothing that was kept hides what a request brings itself. */
static void test_again_with_fields_of_its_own(void **state)
{
	struct harness *h = proxy_start("trusted = [ \"192.0.2.0/24\" ];" ALL);
	struct harness_exchange *x;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		x = harness_request(h, "GET", "/", HARNESS_FIELDS({"Host", "a"}));
		assert_field(x, "X-Forwarded-For", "192.0.2.1");
		x = harness_request(h, "GET", "/",
				    HARNESS_FIELDS({"Host", "a"}, {"X-Forwarded-For", "1.2.3.4"}));
		assert_field(x, "X-Forwarded-For", "1.2.3.4, 192.0.2.1");
	}
	harness_destroy(h);
}

/* What a route makes of a request follows from its head and its client: each time the same. */
static void test_again_with_a_route(void **state)
{
	struct harness *h = proxy_start(
		"routes = ( { path_prefix = \"/a/\"; upstream = \"web\"; rewrite = \"/b/$1\"; "
		"request = { set_headers = ( { name = \"X-Who\"; value = \"$client $host "
		"${header:X-A}\"; } ); "
		"remove_headers = [ \"X-A\" ]; }; } );");

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		char who[64], target[64];
		const char *client = i % 2 ? "192.0.2.1" : "192.0.2.2", *host = i % 3 ? "h" : "g";
		struct harness_exchange *x;

		harness_client(h, client, (uint16_t)(1000 + i));
		snprintf(target, sizeof(target), "/a/%u", i % 4 / 2);
		x = harness_request(h, "GET", target, HARNESS_FIELDS({"Host", host}, {"X-A", "1"}));
		snprintf(who, sizeof(who), "%s %s 1", client, host);
		assert_int_equal(harness_verdict(x), SLUICE_PASS);
		assert_int_equal(harness_group(x), WEB);
		assert_field(x, "X-Who", who);
		assert_field(x, "X-Forwarded-For", client);
		assert_no_field(x, "X-A");
		target[1] = 'b';
		assert_string_equal(harness_target(x), target);
		harness_done(x, false);
	}
	assert_int_equal(harness_counter(h, "requests"), 12);
	assert_int_equal(harness_counter(h, "routed"), 12);
	harness_destroy(h);
}

/* What follows from something else is another one each time. */
static void test_again_with_what_changes(void **state)
{
	struct harness *h = proxy_start(
		"routes = ( { path_prefix = \"/a\"; upstream = \"web\"; request = { set_headers = "
		"( { name = \"X-Port\"; value = \"$client_port\"; } ); }; }, { upstream = \"api\"; "
		"request = { set_headers = ( { name = \"X-Port\"; value = \"$local_port\"; } ); }; "
		"} );");

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		uint16_t port = (uint16_t)(1000 + i);
		char text[8];
		struct harness_exchange *x;

		snprintf(text, sizeof(text), "%u", port);
		harness_client(h, "192.0.2.1", port);
		harness_local(h, "198.51.100.1", port);
		x = harness_request(h, "GET", i % 2 ? "/a" : "/b", HARNESS_FIELDS({"Host", "h"}));
		assert_field(x, "X-Port", text);
		assert_int_equal(harness_group(x), i % 2 ? WEB : API);
		harness_done(x, false);
	}
	harness_destroy(h);
}

static void test_ipv6_client_and_http_1_0(void **state)
{
	struct harness *h = proxy_start("via = \"edge:80\";" ALL);
	struct harness_exchange *x;

	(void)state;
	harness_client(h, "2001:db8::7", 99);
	x = harness_request_version(h, 10, "GET", "/",
				    HARNESS_FIELDS({"X-Forwarded-Host", "forged"}));
	assert_field(x, "X-Forwarded-For", "2001:db8::7");
	assert_no_field(x, "X-Forwarded-Host");
	assert_field(x, "Via", "1.0 edge:80");
	harness_destroy(h);
}

/* Only a trusted peer may say who the client is. */
static void test_untrusted_peer(void **state)
{
	struct harness *h = proxy_start("trusted = [ \"10.0.0.0/8\" ];" ALL);
	struct harness_exchange *x = harness_request(
		h, "GET", "/",
		HARNESS_FIELDS({"Host", "a"}, {"X-Forwarded-For", "1.2.3.4"},
			       {"X-Forwarded-For", "5.6.7.8"}, {"X-Forwarded-Proto", "https"},
			       {"X-Forwarded-Host", "forged"}, {"Forwarded", "for=1.2.3.4"}));

	(void)state;
	assert_field(x, "X-Forwarded-For", "192.0.2.1");
	assert_null(harness_field_at(x, "X-Forwarded-For", 1));
	assert_field(x, "X-Forwarded-Proto", "http");
	assert_field(x, "X-Forwarded-Host", "a");
	assert_no_field(x, "Forwarded");
	harness_destroy(h);
}

static void test_trusted_peer(void **state)
{
	struct harness *h = proxy_start("trusted = [ \"10.0.0.0/8\", \"192.0.2.0/24\" ];" ALL);
	struct harness_exchange *x = harness_request(
		h, "GET", "/",
		HARNESS_FIELDS({"Host", "a"}, {"X-Forwarded-For", "1.2.3.4, 10.1.1.1"},
			       {"X-Forwarded-For", "10.2.2.2"}, {"X-Forwarded-Proto", "https"},
			       {"X-Forwarded-Host", "shop.example"}, {"Forwarded", "for=1.2.3.4"}));

	(void)state;
	assert_field(x, "X-Forwarded-For", "1.2.3.4, 10.1.1.1, 10.2.2.2, 192.0.2.1");
	assert_null(harness_field_at(x, "X-Forwarded-For", 1));
	assert_field(x, "X-Forwarded-Proto", "https");
	assert_field(x, "X-Forwarded-Host", "shop.example");
	assert_field(x, "Forwarded", "for=1.2.3.4");
	x = harness_request(h, "GET", "/", HARNESS_FIELDS({"Host", "a"}, {"X-Forwarded-For", ""}));
	assert_field(x, "X-Forwarded-For", "192.0.2.1");
	assert_field(x, "X-Forwarded-Proto", "http");
	harness_destroy(h);
}

static void test_x_forwarded_off(void **state)
{
	struct harness *h = proxy_start("x_forwarded = false; via = \"\";" ALL);
	struct harness_exchange *x = harness_request(
		h, "GET", "/", HARNESS_FIELDS({"Host", "a"}, {"X-Forwarded-For", "1.2.3.4"}));

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_string_equal(harness_edits(x), "");
	assert_int_equal(harness_response(x, 200, HARNESS_NO_FIELDS), SLUICE_PASS);
	assert_string_equal(harness_edits(x), "");
	harness_destroy(h);
}

static void test_too_long_for_one_head(void **state)
{
	struct harness *h = proxy_start("trusted = [ \"0.0.0.0/0\" ];" ALL);
	static char list[20001];
	struct harness_exchange *x;

	(void)state;
	memset(list, '1', sizeof(list) - 1);
	x = harness_request(h, "GET", "/",
			    HARNESS_FIELDS({"Host", "a"}, {"X-Forwarded-For", list}));
	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), 431);
	assert_no_field(x, "Via");
	assert_int_equal(harness_counter(h, "edit_errors"), 1);
	harness_destroy(h);
}

/* The fields of the connection are the manager's: edits of them would be refused. */
static void test_hop_by_hop_fields_are_not_touched(void **state)
{
	struct harness *h = proxy_start("x_forwarded = false; via = \"\";" ALL);
	struct harness_exchange *x = harness_request(
		h, "GET", "/",
		HARNESS_FIELDS({"Host", "a"}, {"Connection", "keep-alive, X-One, TE"},
			       {"Keep-Alive", "timeout=5"}, {"TE", "trailers"},
			       {"Upgrade", "h2c"}));

	(void)state;
	assert_string_equal(harness_edits(x), "");
	harness_destroy(h);
}

static void test_edits_of_a_route(void **state)
{
	struct harness *h = proxy_start(
		"x_forwarded = false;"
		"routes = ( { path = \"^/u/(.*)\"; upstream = \"web\";"
		"  request = { set_headers = ( { name = \"X-User\"; value = \"$1 via $client\"; },"
		"                              { name = \"Host\"; value = \"inner.example\"; } );"
		"              remove_headers = [ \"Cookie\", \"X-Secret\" ]; };"
		"  response = { set_headers = ( { name = \"X-Frame-Options\"; value = \"DENY $1\"; "
		"} );"
		"               remove_headers = [ \"Server\" ]; }; } );");
	struct harness_exchange *x = harness_request(
		h, "GET", "/u/ann", HARNESS_FIELDS({"Host", "a"}, {"Cookie", "k=v"}));

	(void)state;
	assert_string_equal(harness_edits(x), "add Via: 1.1 sluice\n"
					      "remove Cookie\n"
					      "remove X-Secret\n"
					      "set X-User: ann via 192.0.2.1\n"
					      "set Host: inner.example\n");
	assert_int_equal(harness_response(x, 200, HARNESS_FIELDS({"Server", "x"})), SLUICE_PASS);
	assert_string_equal(harness_edits(x), "add Via: 1.1 sluice\n"
					      "remove Server\n"
					      "set X-Frame-Options: DENY $1\n");
	harness_destroy(h);
}

static void test_responses_know_their_route(void **state)
{
	struct harness *h = proxy_start("routes = ( { path_exact = \"/a\"; upstream = \"web\";"
					"             response = { set_headers = ( { name = \"R\"; "
					"value = \"a\"; } ); }; },"
					"           { upstream = \"api\";"
					"             response = { set_headers = ( { name = \"R\"; "
					"value = \"b\"; } ); }; } );");
	struct harness_exchange *a = harness_request(h, "GET", "/a", HARNESS_NO_FIELDS);
	struct harness_exchange *b = harness_request(h, "GET", "/b", HARNESS_NO_FIELDS);

	(void)state;
	harness_response(b, 200, HARNESS_FIELDS({"Via", "1.1 origin"}));
	harness_response(a, 200, HARNESS_NO_FIELDS);
	assert_field(a, "R", "a");
	assert_field(b, "R", "b");
	assert_field(b, "Via", "1.1 origin");
	assert_string_equal(harness_field_at(b, "Via", 1), "1.1 sluice");
	harness_destroy(h);
}

/* 1xx come before the final response: both have the edits. */
static void test_informational_responses(void **state)
{
	struct harness *h = proxy_start(ALL);
	struct harness_exchange *x = harness_request(h, "GET", "/", HARNESS_NO_FIELDS);

	(void)state;
	assert_int_equal(harness_response(x, 103, HARNESS_NO_FIELDS), SLUICE_PASS);
	assert_int_equal(harness_response(x, 200, HARNESS_NO_FIELDS), SLUICE_PASS);
	assert_field(x, "Via", "1.1 sluice");
	harness_destroy(h);
}

static uint16_t status_via(struct harness *h, const char *first, const char *second)
{
	struct harness_exchange *x =
		harness_request(h, "GET", "/", HARNESS_FIELDS({"Via", first}, {"Via", second}));
	uint16_t status = harness_verdict(x) == SLUICE_RESPOND ? harness_status(x) : 0;

	harness_done(x, false);
	return status;
}

static void test_loops(void **state)
{
	struct harness *h = proxy_start("via = \"edge\"; max_loops = 2;" ALL);

	(void)state;
	assert_int_equal(status_via(h, "1.1 edge", "1.1 other"), 0);
	assert_int_equal(status_via(h, "1.1 edge", "1.0 other, HTTP/1.1 EDGE (x)"), 508);
	assert_int_equal(status_via(h, "1.1 edge (a, 1.1 edge, b)", ""), 0);
	assert_int_equal(status_via(h, "1.1 edge2, 1.1 xedge", "edge, 1.1"), 0);
	assert_int_equal(status_via(h, "1.1\tedge(c)", " 1.1 edge"), 508);
	assert_int_equal(harness_counter(h, "loops"), 2);
	harness_destroy(h);
}

static void test_loops_may_be_let_through(void **state)
{
	struct harness *h = proxy_start("max_loops = 0;" ALL);

	(void)state;
	assert_int_equal(status_via(h, "1.1 sluice, 1.1 sluice, 1.1 sluice", "1.1 sluice"), 0);
	harness_destroy(h);
}

static void test_connect_and_trace_are_refused(void **state)
{
	struct harness *h = proxy_start(ALL);
	struct harness_exchange *x =
		harness_request(h, "TRACE", "/", HARNESS_FIELDS({"Host", "a"}));

	(void)state;
	assert_int_equal(harness_status(x), 405);
	assert_field(x, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
	x = harness_request(h, "CONNECT", "a.example:443",
			    HARNESS_FIELDS({"Host", "a.example:443"}));
	assert_int_equal(harness_status(x), 405);
	assert_int_equal(harness_counter(h, "refused"), 2);
	harness_destroy(h);
}

static struct harness_exchange *options(struct harness *h, const char *method, const char *max)
{
	return harness_request(h, method, "/x",
			       HARNESS_FIELDS({"Host", "a"}, {"Authorization", "Basic Og=="},
					      {"Max-Forwards", max}, {"Cookie", "k=v"}));
}

static void test_max_forwards(void **state)
{
	struct harness *h = proxy_start(ALL);
	struct harness_exchange *x = options(h, "OPTIONS", "0");

	(void)state;
	assert_int_equal(harness_status(x), 200);
	assert_int_equal(harness_body_bytes(x), 0);
	assert_field(x, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
	assert_field(options(h, "OPTIONS", "1"), "Max-Forwards", "0");
	assert_field(options(h, "OPTIONS", "70"), "Max-Forwards", "69");
	assert_field(options(h, "OPTIONS", "99999999999999999999"), "Max-Forwards", "1000");
	assert_field(options(h, "OPTIONS", "-1"), "Max-Forwards", "-1");
	assert_field(options(h, "OPTIONS", "x"), "Max-Forwards", "x");
	assert_field(options(h, "OPTIONS", ""), "Max-Forwards", "");
	x = options(h, "GET", "0");
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_field(x, "Max-Forwards", "0");
	harness_destroy(h);
}

static void test_trace_where_it_is_forwarded(void **state)
{
	struct harness *h = proxy_start("trace = \"forward\";" ALL);
	struct harness_exchange *x = options(h, "TRACE", "2");

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
	assert_field(x, "Max-Forwards", "1");
	x = options(h, "TRACE", "0");
	assert_int_equal(harness_status(x), 200);
	assert_field(x, "Content-Type", "message/http");
	assert_body(x, "TRACE /x HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n");
	harness_destroy(h);
}

/* RFC 7239: untrusted words go, trusted ones come first. */
static void test_forwarded(void **state)
{
	struct harness *h = proxy_start(
		"forwarded = true; x_forwarded = false; trusted = [ \"10.0.0.0/8\" ];" ALL);
	struct harness_exchange *x;

	(void)state;
	x = harness_request(h, "GET", "/",
			    HARNESS_FIELDS({"Host", "a:80"}, {"Forwarded", "for=1.2.3.4"}));
	assert_field(x, "Forwarded", "for=192.0.2.1;host=\"a:80\";proto=http");
	assert_no_field(x, "X-Forwarded-For");
	harness_client(h, "10.1.2.3", 1);
	x = harness_request(h, "GET", "/",
			    HARNESS_FIELDS({"Host", "a"}, {"Forwarded", "for=1.2.3.4"},
					   {"Forwarded", "for=5.6.7.8"}));
	assert_field(x, "Forwarded",
		     "for=1.2.3.4, for=5.6.7.8, for=10.1.2.3;host=\"a\";proto=http");
	harness_client(h, "2001:db8::1", 1);
	x = harness_request_version(h, 10, "GET", "/", HARNESS_NO_FIELDS);
	assert_field(x, "Forwarded", "for=\"[2001:db8::1]\";proto=http");
	harness_destroy(h);
}

static void page_file(char *path, const char *text)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void test_error_pages(void **state)
{
	char path[] = "/tmp/sluice-page-XXXXXX", config[512];
	struct harness *h;
	struct harness_exchange *x;

	(void)state;
	page_file(path, "<p>sorry");
	snprintf(config, sizeof(config),
		 "routes = ( { path_exact = \"/\"; upstream = \"web\"; } );"
		 "error_pages = ( { status = [ \"404\", \"503\" ]; file = \"%s\"; type = "
		 "\"text/html\"; } );",
		 path);
	h = proxy_start(config);
	x = harness_request(h, "GET", "/none", HARNESS_FIELDS({"Host", "a"})); /* its own */
	assert_int_equal(harness_status(x), 404);
	assert_body(x, "<p>sorry");
	assert_field(x, "Content-Type", "text/html");
	x = harness_request(h, "GET", "/", HARNESS_FIELDS({"Host", "a"})); /* the manager's */
	assert_int_equal(harness_response(x, 503, HARNESS_NO_FIELDS), SLUICE_RESPOND);
	assert_body(x, "<p>sorry");
	x = harness_request(h, "GET", "/", HARNESS_FIELDS({"Host", "a"})); /* a server's */
	assert_int_equal(harness_response(x, 503, HARNESS_FIELDS({"Server", "b"})), SLUICE_PASS);
	x = harness_request(h, "GET", "/", HARNESS_FIELDS({"Host", "a"}));
	assert_int_equal(harness_response(x, 502, HARNESS_NO_FIELDS), SLUICE_PASS);
	assert_int_equal(harness_counter(h, "pages"), 2);
	harness_destroy(h);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_fields),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_again_with_fields_of_its_own),
		cmocka_unit_test(test_again_with_a_route),
		cmocka_unit_test(test_again_with_what_changes),
		cmocka_unit_test(test_ipv6_client_and_http_1_0),
		cmocka_unit_test(test_untrusted_peer),
		cmocka_unit_test(test_trusted_peer),
		cmocka_unit_test(test_x_forwarded_off),
		cmocka_unit_test(test_too_long_for_one_head),
		cmocka_unit_test(test_hop_by_hop_fields_are_not_touched),
		cmocka_unit_test(test_edits_of_a_route),
		cmocka_unit_test(test_responses_know_their_route),
		cmocka_unit_test(test_informational_responses),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_loops_may_be_let_through),
		cmocka_unit_test(test_connect_and_trace_are_refused),
		cmocka_unit_test(test_max_forwards),
		cmocka_unit_test(test_forwarded),
		cmocka_unit_test(test_error_pages),
		cmocka_unit_test(test_trace_where_it_is_forwarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
