/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "chain/http/field.h"
#include "fixture.h"

/* --- what is taken, and what the index says ------------------------------------------- */

struct request {
	const char *message; /* everything is the head's, but what follows the last '|' */
	uint8_t version, method;
	const char *method_text, *target, *path, *query, *host, *fields;
};

#define H       "Host: a\r\n"
#define M(name) SLUICE_METHOD_##name, #name

static const struct request good_requests[] = {
	{"GET / HTTP/1.1\r\n" H "\r\n|GET /2", 11, M(GET), "/", "/", "", "a", "Host: a\n"},
	{"\r\nGET / HTTP/1.1\r\n" H "\r\n|\r\n", 11, M(GET), "/", "/", "", "a", "Host: a\n"},
	{"GET / HTTP/1.0\r\n\r\n|", 10, M(GET), "/", "/", "", "", ""},
	{"GET / HTTP/1.0\r\n" H "\r\n|", 10, M(GET), "/", "/", "", "a", "Host: a\n"},
	/* a later minor version: RFC 9110 §2.5 */
	{"GET / HTTP/1.2\r\n" H "\r\n|", 11, M(GET), "/", "/", "", "a", "Host: a\n"},
	{"GET / HTTP/1.9\r\n" H "\r\n|", 11, M(GET), "/", "/", "", "a", "Host: a\n"},
	{"HEAD /a HTTP/1.1\r\n" H "\r\n|x", 11, M(HEAD), "/a", "/a", "", "a", "Host: a\n"},
	{"POST /a HTTP/1.1\r\n" H "\r\n|x", 11, M(POST), "/a", "/a", "", "a", "Host: a\n"},
	{"PUT /a HTTP/1.1\r\n" H "\r\n|x", 11, M(PUT), "/a", "/a", "", "a", "Host: a\n"},
	{"DELETE /a HTTP/1.1\r\n" H "\r\n|x", 11, M(DELETE), "/a", "/a", "", "a", "Host: a\n"},
	{"TRACE /a HTTP/1.1\r\n" H "\r\n|x", 11, M(TRACE), "/a", "/a", "", "a", "Host: a\n"},
	{"PATCH /a HTTP/1.1\r\n" H "\r\n|x", 11, M(PATCH), "/a", "/a", "", "a", "Host: a\n"},
	{"PURGE /a HTTP/1.1\r\n" H "\r\n|x", 11, M(PURGE), "/a", "/a", "", "a", "Host: a\n"},
	/* methods have case, and may be unknown: RFC 9110 §9.1 */
	{"get / HTTP/1.1\r\n" H "\r\n|", 11, SLUICE_METHOD_OTHER, "get", "/", "/", "", "a",
	 "Host: a\n"},
	{"M-SEARCH / HTTP/1.1\r\n" H "\r\n|", 11, SLUICE_METHOD_OTHER, "M-SEARCH", "/", "/", "",
	 "a", "Host: a\n"},
	{"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\n" H "\r\n|", 11, SLUICE_METHOD_OTHER,
	 "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF", "/", "/", "", "a", "Host: a\n"},
	/* origin-form: RFC 9112 §3.2.1 */
	{"GET /a?b=c HTTP/1.1\r\n" H "\r\n|", 11, M(GET), "/a?b=c", "/a", "b=c", "a", "Host: a\n"},
	{"GET /a? HTTP/1.1\r\n" H "\r\n|", 11, M(GET), "/a?", "/a", "", "a", "Host: a\n"},
	{"GET /?a?b HTTP/1.1\r\n" H "\r\n|", 11, M(GET), "/?a?b", "/", "a?b", "a", "Host: a\n"},
	{"GET /a?b\\c HTTP/1.1\r\n" H "\r\n|", 11, M(GET), "/a?b\\c", "/a", "b\\c", "a",
	 "Host: a\n"},
	{"GET //b/c HTTP/1.1\r\n" H "\r\n|", 11, M(GET), "//b/c", "//b/c", "", "a", "Host: a\n"},
	{"GET /%2e/{|}~0123456789abcdef^0123456789 HTTP/1.1\r\n" H "\r\n|", 11, M(GET),
	 "/%2e/{|}~0123456789abcdef^0123456789", "/%2e/{|}~0123456789abcdef^0123456789", "", "a",
	 "Host: a\n"},
	/* absolute-form: the host counts, the Host field does not: RFC 9112 §3.2.2 */
	{"GET http://b/c?d HTTP/1.1\r\nA: 1\r\n" H "B: 2\r\n\r\n|", 11, M(GET), "/c?d", "/c", "d",
	 "b", "A: 1\nHost: b\nB: 2\n"},
	{"GET hTTp://b:80/ HTTP/1.1\r\n" H "\r\n|", 11, M(GET), "/", "/", "", "b:80",
	 "Host: b:80\n"},
	{"GET http://b HTTP/1.1\r\n" H "\r\n|", 11, M(GET), "/", "/", "", "b", "Host: b\n"},
	{"GET http://b?c HTTP/1.1\r\n" H "\r\n|", 11, M(GET), "/?c", "/", "c", "b", "Host: b\n"},
	{"GET http://b? HTTP/1.1\r\n" H "\r\n|", 11, M(GET), "/?", "/", "", "b", "Host: b\n"},
	{"GET http://b/ HTTP/1.0\r\n\r\n|", 10, M(GET), "/", "/", "", "b", ""},
	{"GET http://[::1]:8080/ HTTP/1.1\r\n" H "\r\n|", 11, M(GET), "/", "/", "", "[::1]:8080",
	 "Host: [::1]:8080\n"},
	/* asterisk-form: RFC 9112 §3.2.4 */
	{"OPTIONS * HTTP/1.1\r\n" H "\r\n|", 11, M(OPTIONS), "*", "*", "", "a", "Host: a\n"},
	{"OPTIONS http://b HTTP/1.1\r\n" H "\r\n|", 11, M(OPTIONS), "*", "*", "", "b", "Host: b\n"},
	{"OPTIONS http://b/ HTTP/1.1\r\n" H "\r\n|", 11, M(OPTIONS), "/", "/", "", "b",
	 "Host: b\n"},
	{"OPTIONS http://b?c HTTP/1.1\r\n" H "\r\n|", 11, M(OPTIONS), "/?c", "/", "c", "b",
	 "Host: b\n"},
	/* authority-form: RFC 9112 §3.2.3 */
	{"CONNECT b:443 HTTP/1.1\r\n" H "\r\n|", 11, M(CONNECT), "b:443", "", "", "b:443",
	 "Host: b:443\n"},
	{"CONNECT [2001:db8::1]:443 HTTP/1.1\r\n" H "\r\n|", 11, M(CONNECT), "[2001:db8::1]:443",
	 "", "", "[2001:db8::1]:443", "Host: [2001:db8::1]:443\n"},
	/* hosts */
	{"GET / HTTP/1.1\r\nHost: a.example.:080\r\n\r\n|", 11, M(GET), "/", "/", "",
	 "a.example.:080", "Host: a.example.:080\n"},
	{"GET / HTTP/1.1\r\nhOsT: [::ffff:1.2.3.4]:\r\n\r\n|", 11, M(GET), "/", "/", "",
	 "[::ffff:1.2.3.4]:", "hOsT: [::ffff:1.2.3.4]:\n"},
	{"GET / HTTP/1.1\r\nHost:a_b%2D~!$&'()*+;=\r\n\r\n|", 11, M(GET), "/", "/", "",
	 "a_b%2D~!$&'()*+;=", "Host: a_b%2D~!$&'()*+;=\n"},
	/* fields: RFC 9112 §5 */
	{"GET / HTTP/1.1\r\n" H "a:b\r\nC:\t d e \t\r\nf: \r\ng:\r\n!#$%&'*+-.^_`|~9Z: x\r\n\r\n|",
	 11, M(GET), "/", "/", "", "a", "Host: a\na: b\nC: d e\nf: \ng: \n!#$%&'*+-.^_`|~9Z: x\n"},
	{"GET / HTTP/1.1\r\n" H "a: \x80\xff\t\"b\" (c), d:e\r\n\r\n|", 11, M(GET), "/", "/", "",
	 "a", "Host: a\na: \x80\xff\t\"b\" (c), d:e\n"},
	{"GET / HTTP/1.1\r\n" H "Cookie: a\r\nx: y\r\nCOOKIE: b\r\naccept: *\r\ncookie: c\r\n\r\n|",
	 11, M(GET), "/", "/", "", "a",
	 "Host: a\nCookie: a\nx: y\nCOOKIE: b\naccept: *\ncookie: c\n"},
};

static void check_request(const struct request *row)
{
	struct fixture *fixture = fixture_new();
	const struct sluice_head *head = fixture->head;
	uint32_t head_len = (uint32_t)(strrchr(row->message, '|') - row->message);
	char fields[1024], message[1024];

	memcpy(message, row->message, head_len);
	strcpy(message + head_len, row->message + head_len + 1);
	fixture_parse_all(fixture, (struct bytes){message, (uint32_t)strlen(message)}, -1);
	if (fixture->result != HTTP_HEAD_DONE)
		fail_msg("%s: %s", http_error_text(fixture->parser.error), message);
	assert_int_equal(fixture->taken, head_len);
	assert_int_equal(head->response, 0);
	assert_int_equal(head->version, row->version);
	assert_int_equal(head->method, row->method);
	assert_true(fixture_text_is(fixture, head->method_text, row->method_text));
	assert_true(fixture_text_is(fixture, head->target, row->target));
	assert_true(fixture_text_is(fixture, head->path, row->path));
	assert_true(fixture_text_is(fixture, head->query, row->query));
	assert_true(fixture_text_is(fixture, head->host, row->host));
	fixture_fields(fixture, fields, sizeof fields);
	assert_string_equal(fields, row->fields);
	fixture_free(fixture);
}

static void requests_are_indexed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good_requests / sizeof good_requests[0]; i++)
		check_request(&good_requests[i]);
}

struct response {
	const char *message;
	uint8_t version;
	uint16_t status;
	const char *reason, *fields;
};

static const struct response good_responses[] = {
	{"HTTP/1.1 200 OK\r\n\r\n", 11, 200, "OK", ""},
	{"HTTP/1.0 404 Not Found\r\nHost: , ,\r\nHost: x\r\n\r\n", 10, 404, "Not Found",
	 "Host: , ,\nHost: x\n"},
	{"HTTP/1.1 204 \r\na: b\r\n\r\n", 11, 204, "", "a: b\n"},
	{"HTTP/1.1 599\r\n\r\n", 11, 599, "", ""},
	{"HTTP/1.1 100 Continue\r\n\r\n", 11, 100, "Continue", ""},
	{"HTTP/1.1 200 \xe4\t caf\xe9 \r\n\r\n", 11, 200, "\xe4\t caf\xe9 ", ""},
};

static void responses_are_indexed(void **state)
{
	struct fixture *fixture = fixture_new();
	char fields[1024];

	(void)state;
	for (size_t i = 0; i < sizeof good_responses / sizeof good_responses[0]; i++) {
		const struct response *row = &good_responses[i];
		struct bytes message = {row->message, (uint32_t)strlen(row->message)};

		fixture_parse_all(fixture, message, SLUICE_METHOD_HEAD);
		assert_int_equal(fixture->result, HTTP_HEAD_DONE);
		assert_int_equal(fixture->head->response, 1);
		assert_int_equal(fixture->head->method, SLUICE_METHOD_HEAD);
		assert_int_equal(fixture->head->version, row->version);
		assert_int_equal(fixture->head->status, row->status);
		assert_true(fixture_text_is(fixture, fixture->head->reason, row->reason));
		fixture_fields(fixture, fields, sizeof fields);
		assert_string_equal(fields, row->fields);
	}
	fixture_free(fixture);
}

static void fields_of_one_number_are_linked(void **state)
{
	struct fixture *fixture = fixture_new();
	const struct sluice_head *head = fixture->head;
	uint16_t first;

	(void)state;
	fixture_request(fixture, "GET / HTTP/1.1\r\nVia: 1\r\nHost: a\r\nx: y\r\nvia: 2\r\nx: "
				 "z\r\nVIA: 3\r\n\r\n");
	first = head->first[SLUICE_FIELD_VIA];
	assert_int_equal(first, 0);
	assert_int_equal(head->field[first].next, 3);
	assert_int_equal(head->field[3].next, 5);
	assert_int_equal(head->field[5].next, SLUICE_NONE16);
	assert_int_equal(head->first[SLUICE_FIELD_HOST], 1);
	assert_int_equal(head->first[SLUICE_FIELD_OTHER], SLUICE_NONE16);
	assert_int_equal(head->field[2].next, SLUICE_NONE16);
	assert_int_equal(head->first[SLUICE_FIELD_COOKIE], SLUICE_NONE16);
	fixture_free(fixture);
}

/* --- incremental --------------------------------------------------------------------- */

static const struct bytes long_request =
	BYTES("GET /index.html?a=b HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: test/1.0\r\n"
	      "Accept: text/html,application/xhtml+xml\r\nAccept-Encoding: gzip, br\r\n"
	      "Cookie: session=0123456789abcdef\r\nX-One: 1\r\nX-Two: 2\r\n\r\n");

static void only_the_cut_line_is_copied(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture_parse(fixture, long_request, -1);
	assert_int_equal(fixture->parser.joined_bytes, 0);
	assert_int_equal(fixture->head->text_used, 0);
	assert_int_equal(fixture->head->bases, 2);
	fixture_parse_cut(fixture, long_request, -1, 35, true); /* within "Host: www.example.com" */
	assert_int_equal(fixture->parser.joined_bytes, strlen("Host: www.example.com\r\n"));
	assert_int_equal(fixture->head->bases, 3);
	fixture_parse_cut(fixture, long_request, -1, 30, true); /* between two lines */
	assert_int_equal(fixture->parser.joined_bytes, 0);
	fixture_free(fixture);
}

static void text_stays_where_it_stands(void **state)
{
	struct fixture *fixture = fixture_new();
	const struct sluice_head *head = fixture->head;

	(void)state;
	fixture_parse_cut(fixture, long_request, -1, 53, false);
	assert_int_equal(head->base[0], sluice_ref(0, 64) + head->text_off);
	assert_int_equal(head->base[1], fixture->run[0].ref);
	assert_int_equal(head->base[2], fixture->run[1].ref);
	assert_int_equal(head->path.base, 1);
	assert_int_equal(head->path.off, 4);
	assert_int_equal(head->field[1].value_base, 2);
	assert_int_equal(head->field[1].value_off, strlen("User-Agent: "));
	fixture_free(fixture);
}

static void a_sixteenth_run_is_joined(void **state)
{
	struct fixture *fixture = fixture_new();
	char message[1024] = "GET /ab HTTP/1.1\r\n";
	const uint32_t line = (uint32_t)strlen(message);
	uint32_t n = line;

	(void)state;
	for (int i = 0; i < 40; i++)
		n += (uint32_t)sprintf(message + n, "%s: %010d\r\n", i == 0 ? "Host" : "Name", i);
	assert_int_equal(n, 41 * line); /* every run is a line */
	n += (uint32_t)sprintf(message + n, "\r\n");
	fixture_parse_pieces(fixture, (struct bytes){message, n}, -1, line, true);
	assert_int_equal(fixture->result, HTTP_HEAD_DONE);
	assert_int_equal(fixture->head->bases, SLUICE_HEAD_BASES);
	assert_int_equal(fixture->parser.joined_bytes, (41 - 15) * line + 2);
	assert_int_equal(fixture->head->fields, 40);
	assert_true(fixture_text_is(fixture, fixture->head->host, "0000000000"));
	fixture_parse_all(fixture, (struct bytes){message, n}, -1);
	fixture_free(fixture);
}

static void a_head_may_come_byte_by_byte(void **state)
{
	struct fixture *fixture = fixture_new();
	struct bytes begun = {long_request.data, long_request.len - 1};

	(void)state;
	fixture_parse_all(fixture, long_request, -1);
	assert_int_equal(fixture->result, HTTP_HEAD_DONE);
	assert_int_equal(fixture_parse_pieces(fixture, begun, -1, 1, false), HTTP_HEAD_MORE);
	assert_true(http_head_begun(&fixture->parser));
	assert_int_equal(fixture->taken, begun.len);
	fixture_free(fixture);
}

static void an_empty_run_changes_nothing(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	assert_int_equal(fixture_parse_cut(fixture, long_request, -1, 0, false), HTTP_HEAD_DONE);
	assert_int_equal(fixture_parse_cut(fixture, long_request, -1, long_request.len, true),
			 HTTP_HEAD_DONE);
	fixture_parse(fixture, (struct bytes){"", 0}, -1);
	assert_int_equal(fixture->result, HTTP_HEAD_MORE);
	assert_false(http_head_begun(&fixture->parser));
	fixture_free(fixture);
}

static void nothing_is_taken_after_the_end(void **state)
{
	struct fixture *fixture = fixture_new();
	uint64_t taken = 9;

	(void)state;
	fixture_parse(fixture, long_request, -1);
	assert_int_equal(http_head_feed(&fixture->parser, &fixture->limits, fixture->run, 1,
					fixture->head, &taken),
			 HTTP_HEAD_DONE);
	assert_int_equal(taken, 0);
	fixture_parse(fixture, (struct bytes){"?", 1}, -1);
	assert_int_equal(http_head_feed(&fixture->parser, &fixture->limits, fixture->run, 1,
					fixture->head, &taken),
			 HTTP_HEAD_BAD);
	assert_int_equal(taken, 0);
	fixture_free(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_indexed),
		cmocka_unit_test(responses_are_indexed),
		cmocka_unit_test(fields_of_one_number_are_linked),
		cmocka_unit_test(only_the_cut_line_is_copied),
		cmocka_unit_test(text_stays_where_it_stands),
		cmocka_unit_test(a_sixteenth_run_is_joined),
		cmocka_unit_test(a_head_may_come_byte_by_byte),
		cmocka_unit_test(an_empty_run_changes_nothing),
		cmocka_unit_test(nothing_is_taken_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
