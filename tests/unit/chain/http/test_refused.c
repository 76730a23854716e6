/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "chain/http/field.h"
#include "fixture.h"

/* --- what is refused, and with what name ------------------------------------------- */

struct refused {
	struct bytes message;
	enum http_error error;
};

#define R(text, error)                          \
	{                                       \
		BYTES(text), HTTP_ERROR_##error \
	}
#define H "Host: a\r\n"

static const struct refused bad_requests[] = {
	/* empty lines before the request: RFC 9112 §2.2 */
	R("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", EMPTY_LINES),
	R("\nGET / HTTP/1.1\r\n" H "\r\n", BARE_LF),
	R("\r\n\nGET / HTTP/1.1\r\n" H "\r\n", BARE_LF),
	R("\rGET / HTTP/1.1\r\n" H "\r\n", BARE_CR),
	R(" \r\nGET / HTTP/1.1\r\n" H "\r\n", METHOD),
	/* the request line: RFC 9112 §3 */
	R("GET\r\n\r\n", REQUEST_LINE),
	R("GET /\r\n\r\n", REQUEST_LINE),
	R("GET  / HTTP/1.1\r\n" H "\r\n", REQUEST_LINE),
	R("GET /  HTTP/1.1\r\n" H "\r\n", VERSION_SYNTAX),
	R("GET / HTTP/1.1 \r\n" H "\r\n", VERSION_SYNTAX),
	R("GET /\tHTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET\t/ HTTP/1.1\r\n" H "\r\n", METHOD),
	R(" GET / HTTP/1.1\r\n" H "\r\n", METHOD),
	R("G@T / HTTP/1.1\r\n" H "\r\n", METHOD),
	R("G\x01T / HTTP/1.1\r\n" H "\r\n", METHOD),
	R("G\0T / HTTP/1.1\r\n" H "\r\n", NUL),
	R("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", METHOD),
	R("\0", NUL),
	R("GET / HTTP/1.1\n" H "\r\n", BARE_LF),
	R("GET / HTTP/1.1\r" H "\r\n", BARE_CR),
	R("GET /\r HTTP/1.1\r\n" H "\r\n", BARE_CR),
	R("GET / HTTP/1.1\r\r\n" H "\r\n", BARE_CR),
	R("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n" H "\r\n", METHOD_LENGTH),
	/* versions: RFC 9112 §2.3, RFC 9110 §2.5 */
	R("GET / http/1.1\r\n" H "\r\n", VERSION_SYNTAX),
	R("GET / HTTP/1.1x\r\n" H "\r\n", VERSION_SYNTAX),
	R("GET / HTTP/11.1\r\n" H "\r\n", VERSION_SYNTAX),
	R("GET / HTTP/1.\r\n" H "\r\n", VERSION_SYNTAX),
	R("GET / HTTP/1,1\r\n" H "\r\n", VERSION_SYNTAX),
	R("GET / HTTP/1\r\n" H "\r\n", VERSION_SYNTAX),
	R("GET / HTTPS/1.1\r\n" H "\r\n", VERSION_SYNTAX),
	R("GET / FTP/1.1\r\n" H "\r\n", VERSION_SYNTAX),
	R("GET / HTTP/0.9\r\n" H "\r\n", VERSION),
	R("GET / HTTP/2.0\r\n" H "\r\n", VERSION),
	R("GET / HTTP/9.9\r\n" H "\r\n", VERSION),
	R("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION),
	/* targets: RFC 9112 §3.2 */
	R("GET /a#b HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET /a\x01 HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET /a\x7f HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET /a\0b HTTP/1.1\r\n" H "\r\n", NUL),
	R("GET /a\\b HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET http://a/b\\c HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET http://a\\b/ HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET a HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET ?a HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET * HTTP/1.1\r\n" H "\r\n", TARGET),
	R("OPTIONS ** HTTP/1.1\r\n" H "\r\n", TARGET),
	R("OPTIONS *?a HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET a:80 HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET https://a/ HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET ftp://a/ HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET http:/a HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET http:// HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET http:///a HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET http://:80/a HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET http://u@a/ HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET http://u:p@a/ HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET http://a:99999/ HTTP/1.1\r\n" H "\r\n", TARGET),
	R("GET http://[::1/ HTTP/1.1\r\n" H "\r\n", TARGET),
	R("CONNECT / HTTP/1.1\r\n" H "\r\n", TARGET),
	R("CONNECT a HTTP/1.1\r\n" H "\r\n", TARGET),
	R("CONNECT a: HTTP/1.1\r\n" H "\r\n", TARGET),
	R("CONNECT :80 HTTP/1.1\r\n" H "\r\n", TARGET),
	R("CONNECT u@a:80 HTTP/1.1\r\n" H "\r\n", TARGET),
	R("CONNECT a:80/ HTTP/1.1\r\n" H "\r\n", TARGET),
	R("CONNECT http://a:80 HTTP/1.1\r\n" H "\r\n", TARGET),
	/* field lines: RFC 9112 §5 */
	R("GET / HTTP/1.1\r\n Host: a\r\n\r\n", SPACE_BEFORE_FIELD),
	R("GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", SPACE_BEFORE_FIELD),
	R("GET / HTTP/1.1\r\n \r\n" H "\r\n", SPACE_BEFORE_FIELD),
	R("GET / HTTP/1.1\r\n" H " b\r\n\r\n", FOLD),
	R("GET / HTTP/1.1\r\n" H "\tb: c\r\n\r\n", FOLD),
	R("GET / HTTP/1.1\r\n" H " \r\n\r\n", FOLD),
	R("GET / HTTP/1.1\r\n" H "X\r\n\r\n", COLON),
	R("GET / HTTP/1.1\r\nHost : a\r\n\r\n", SPACE_BEFORE_COLON),
	R("GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", SPACE_BEFORE_COLON),
	R("GET / HTTP/1.1\r\n" H "Content-Length \t : 1\r\n\r\n", SPACE_BEFORE_COLON),
	R("GET / HTTP/1.1\r\n" H ": a\r\n\r\n", FIELD_NAME),
	R("GET / HTTP/1.1\r\n" H "a b: c\r\n\r\n", FIELD_NAME),
	R("GET / HTTP/1.1\r\n" H "a(b): c\r\n\r\n", FIELD_NAME),
	R("GET / HTTP/1.1\r\n" H "a\x80: c\r\n\r\n", FIELD_NAME),
	R("GET / HTTP/1.1\r\n" H "a\x0b: c\r\n\r\n", FIELD_NAME),
	R("GET / HTTP/1.1\r\n" H "a\0: c\r\n\r\n", NUL),
	R("GET / HTTP/1.1\r\n" H "a\r: c\r\n\r\n", BARE_CR),
	R("GET / HTTP/1.1\r\n" H "\"a\": c\r\n\r\n", FIELD_NAME),
	R("GET / HTTP/1.1\r\n" H "a: \0\r\n\r\n", NUL),
	R("GET / HTTP/1.1\r\n" H "a: b\0c\r\n\r\n", NUL),
	R("GET / HTTP/1.1\r\n" H "a: b\x01\r\n\r\n", FIELD_VALUE),
	R("GET / HTTP/1.1\r\n" H "a: b\x0b\r\n\r\n", FIELD_VALUE),
	R("GET / HTTP/1.1\r\n" H "a: b\x7f\r\n\r\n", FIELD_VALUE),
	R("GET / HTTP/1.1\r\n" H "a: 0123456789abcdef0123456789abcdef\x1f\r\n\r\n", FIELD_VALUE),
	R("GET / HTTP/1.1\r\n" H "a: b\rc: d\r\n\r\n", BARE_CR),
	R("GET / HTTP/1.1\r\n" H "a: b\r\r\n\r\n", BARE_CR),
	R("GET / HTTP/1.1\r\n" H "a: b\nc: d\r\n\r\n", BARE_LF),
	R("GET / HTTP/1.1\r\n" H "a: b\r\n\n", BARE_LF),
	R("GET / HTTP/1.1\r\n" H "\n", BARE_LF),
	R("GET / HTTP/1.1\r\n" H "\r\r\n", BARE_CR),
	/* hosts: RFC 9112 §3.2 */
	R("GET / HTTP/1.1\r\n\r\n", HOST_MISSING),
	R("GET / HTTP/1.1\r\nHosts: a\r\n\r\n", HOST_MISSING),
	R("GET http://a/ HTTP/1.1\r\n\r\n", HOST_MISSING),
	R("CONNECT a:80 HTTP/1.1\r\n\r\n", HOST_MISSING),
	R("GET / HTTP/1.1\r\n" H H "\r\n", HOST_SEVERAL),
	R("GET / HTTP/1.1\r\n" H "hOST: b\r\n\r\n", HOST_SEVERAL),
	R("GET / HTTP/1.0\r\n" H H "\r\n", HOST_SEVERAL),
	R("GET http://a/ HTTP/1.1\r\n" H H "\r\n", HOST_SEVERAL),
	R("GET / HTTP/1.1\r\nHost:\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: \r\n\r\n", HOST),
	R("GET / HTTP/1.0\r\nHost: \r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: u:p@a\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a#b\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a:+80\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a:18446744073709551696\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: a%2\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: []\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: [::1%25eth0]\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: [v1.a]\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: [1.2.3.4]\r\n\r\n", HOST),
	R("GET / HTTP/1.1\r\nHost: "
	  "[00000000000000000000000000000000000000000000000000001::]\r\n\r\n",
	  HOST),
};

static const struct refused bad_responses[] = {
	R("\r\nHTTP/1.1 200 OK\r\n\r\n", STATUS_LINE),
	R("ICY 200 OK\r\n\r\n", STATUS_LINE),
	R("\0HTTP/1.1 200 OK\r\n\r\n", NUL),
	R("HTTP/1.1\r\n\r\n", STATUS_LINE),
	R("HTTP/1.1 20\r\n\r\n", STATUS_LINE),
	R("HTTP/1.1  200 OK\r\n\r\n", STATUS_LINE),
	R("HTTP/1.1\t200 OK\r\n\r\n", STATUS_LINE),
	R("HTTP/1.1 2000 OK\r\n\r\n", STATUS_LINE),
	R("HTTP/1.1 2x0 OK\r\n\r\n", STATUS_LINE),
	R("HTTP/1.1 -20 OK\r\n\r\n", STATUS_LINE),
	R("HTTP/1.1 200\tOK\r\n\r\n", STATUS_LINE),
	R("HTTP/1.1 099 OK\r\n\r\n", STATUS),
	R("HTTP/1.1 600 OK\r\n\r\n", STATUS),
	R("HTTP/1.1 000 OK\r\n\r\n", STATUS),
	R("HTTP/1.1 200 O\0K\r\n\r\n", NUL),
	R("HTTP/1.1 200 O\rK\r\n\r\n", BARE_CR),
	R("HTTP/1.1 200 O\x01K\r\n\r\n", STATUS_LINE),
	R("HTTP/1.1 200 OK\n\r\n", BARE_LF),
	R("http/1.1 200 OK\r\n\r\n", STATUS_LINE),
	R("Http/1.1 200 OK\r\n\r\n", VERSION_SYNTAX),
	R("HTTP/2.0 200 OK\r\n\r\n", VERSION),
	R("HTTP/1.1 200 OK\r\n a: b\r\n\r\n", SPACE_BEFORE_FIELD),
	R("HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n", FOLD),
	R("HTTP/1.1 200 OK\r\na : b\r\n\r\n", SPACE_BEFORE_COLON),
	R("HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n", BARE_LF),
};

static void check_refused(const struct refused *row, int request_method)
{
	struct fixture *fixture = fixture_new();

	fixture_parse_all(fixture, row->message, request_method);
	if (fixture->result != HTTP_HEAD_BAD || fixture->parser.error != row->error)
		fail_msg("%s instead of %s for\n%.*s", http_error_counter(fixture->parser.error),
			 http_error_counter(row->error), (int)row->message.len, row->message.data);
	fixture_free(fixture);
}

static void requests_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_requests / sizeof bad_requests[0]; i++)
		check_refused(&bad_requests[i], -1);
}

static void responses_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_responses / sizeof bad_responses[0]; i++)
		check_refused(&bad_responses[i], SLUICE_METHOD_GET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_refused),
		cmocka_unit_test(responses_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
