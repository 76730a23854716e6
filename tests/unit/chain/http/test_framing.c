/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/framing.h"
#include <stdio.h>

#include "chain/http/field.h"
#include "fixture.h"

#define NO_LENGTH SLUICE_LENGTH_NONE
#define UNKNOWN   SLUICE_LENGTH_UNKNOWN

enum flag { KEEP = 1, EXPECT = 2, UPGRADE = 4 };

struct row {
	const char *method_or_status;
	uint8_t version;
	const char *fields;
	enum http_error error;
	enum http_body_kind kind;
	uint64_t length;
	int flags;
};

#define BAD(error) HTTP_ERROR_##error, 0, 0, 0

static const struct row requests[] = {
	/* no framing field: RFC 9112 §6.3 rule 7 */
	{"GET", 11, "", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	{"POST", 11, "", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	/* Content-Length: RFC 9112 §6.2, RFC 9110 §8.6 */
	{"POST", 11, "Content-Length: 0\r\n", HTTP_OK, HTTP_BODY_LENGTH, 0, KEEP},
	{"GET", 11, "Content-Length: 12\r\n", HTTP_OK, HTTP_BODY_LENGTH, 12, KEEP},
	{"POST", 11, "content-length:007\r\n", HTTP_OK, HTTP_BODY_LENGTH, 7, KEEP},
	{"POST", 11, "Content-Length: 9223372036854775807\r\n", HTTP_OK, HTTP_BODY_LENGTH,
	 INT64_MAX, KEEP},
	{"POST", 11, "Content-Length: 9223372036854775808\r\n", BAD(LENGTH_RANGE)},
	{"POST", 11, "Content-Length: 18446744073709551617\r\n", BAD(LENGTH_RANGE)},
	{"POST", 11, "Content-Length: 99999999999999999999999999999\r\n", BAD(LENGTH_RANGE)},
	{"POST", 11, "Content-Length: 5\r\nContent-Length: 6\r\n", BAD(LENGTH_SEVERAL)},
	{"POST", 11, "Content-Length: 5\r\nContent-Length: 5\r\n", BAD(LENGTH_SEVERAL)},
	{"POST", 11, "Content-Length: 5, 5\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: 5, 6\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: 5,\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: 5 5\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length:\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: +5\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: -5\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: -0\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: 0x5\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: a\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: 5;\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: 5.0\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: 1e1\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: 1_0\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: \"5\"\r\n", BAD(LENGTH)},
	{"POST", 11, "Content-Length: \xb2\r\n", BAD(LENGTH)},
	/* Transfer-Encoding: RFC 9112 §6.1, §7 */
	{"POST", 11, "Transfer-Encoding: chunked\r\n", HTTP_OK, HTTP_BODY_CHUNKED, UNKNOWN, KEEP},
	{"POST", 11, "transfer-encoding:\tCHUNKED \r\n", HTTP_OK, HTTP_BODY_CHUNKED, UNKNOWN, KEEP},
	{"POST", 11, "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", BAD(LENGTH_AND_CODING)},
	{"POST", 11, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", BAD(LENGTH_AND_CODING)},
	{"POST", 11, "Content-Length: x\r\nTransfer-Encoding: x\r\n", BAD(LENGTH_AND_CODING)},
	{"POST", 10, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", BAD(LENGTH_AND_CODING)},
	{"POST", 10, "Transfer-Encoding: chunked\r\n", BAD(CODING_VERSION)},
	{"POST", 11, "Transfer-Encoding: gzip\r\n", BAD(CODING_FINAL)},
	{"POST", 11, "Transfer-Encoding: identity\r\n", BAD(CODING_FINAL)},
	{"POST", 11, "Transfer-Encoding: xchunked\r\n", BAD(CODING_FINAL)},
	{"POST", 11, "Transfer-Encoding: chunked, gzip\r\n", BAD(CODING_FINAL)},
	{"POST", 11, "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
	 BAD(CODING_FINAL)},
	{"POST", 11, "Transfer-Encoding: gzip, chunked\r\n", BAD(CODING_UNKNOWN)},
	{"POST", 11, "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
	 BAD(CODING_UNKNOWN)},
	{"POST", 11, "Transfer-Encoding: chunked, chunked\r\n", BAD(CODING_REPEATED)},
	{"POST", 11, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
	 BAD(CODING_REPEATED)},
	{"POST", 11, "Transfer-Encoding:\r\n", BAD(CODING)},
	{"POST", 11, "Transfer-Encoding: ,chunked\r\n", BAD(CODING)},
	{"POST", 11, "Transfer-Encoding: chunked,\r\n", BAD(CODING)},
	{"POST", 11, "Transfer-Encoding: chunked;a=b\r\n", BAD(CODING)},
	{"POST", 11, "Transfer-Encoding: chunked foo\r\n", BAD(CODING)},
	{"POST", 11, "Transfer-Encoding: \"chunked\"\r\n", BAD(CODING)},
	{"POST", 11, "Transfer-Encoding: chunked\x80\r\n", BAD(CODING)},
	/* methods without content: RFC 9110 §9.3.6, §9.3.8 */
	{"CONNECT", 11, "", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	{"CONNECT", 11, "Content-Length: 0\r\n", HTTP_OK, HTTP_BODY_LENGTH, 0, KEEP},
	{"CONNECT", 11, "Content-Length: 1\r\n", BAD(CONTENT)},
	{"CONNECT", 11, "Transfer-Encoding: chunked\r\n", BAD(CONTENT)},
	{"TRACE", 11, "Content-Length: 1\r\n", BAD(CONTENT)},
	/* persistence: RFC 9112 §9.3 */
	{"GET", 11, "Connection: close\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, 0},
	{"GET", 11, "Connection: x, CLOSE\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, 0},
	{"GET", 11, "Connection: x\r\nConnection: close\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH,
	 0},
	{"GET", 11, "Connection: keep-alive\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	{"GET", 11, "Connection: ,, ,\r\nConnection:\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH,
	 KEEP},
	{"GET", 11, "Connection: closed\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	{"GET", 10, "", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, 0},
	{"GET", 10, "Connection: Keep-Alive\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	{"GET", 10, "Connection: keep-alive, close\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, 0},
	{"GET", 11, "Connection: a b\r\n", BAD(CONNECTION)},
	{"GET", 11, "Connection: close;a\r\n", BAD(CONNECTION)},
	{"GET", 11, "Connection: ,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\r\n", HTTP_OK, HTTP_BODY_NONE,
	 NO_LENGTH, KEEP},
	{"GET", 11, "Connection: ,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\r\n", BAD(CONNECTION_OPTIONS)},
	/* expectations: RFC 9110 §10.1.1 */
	{"POST", 11, "Expect: 100-Continue\r\nContent-Length: 5\r\n", HTTP_OK, HTTP_BODY_LENGTH, 5,
	 KEEP | EXPECT},
	{"POST", 11, "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", HTTP_OK,
	 HTTP_BODY_CHUNKED, UNKNOWN, KEEP | EXPECT},
	{"POST", 11, "Expect: 100-continue\r\nContent-Length: 0\r\n", HTTP_OK, HTTP_BODY_LENGTH, 0,
	 KEEP},
	{"POST", 11, "Expect: 100-continue\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	{"POST", 10, "Expect: 100-continue\r\nContent-Length: 5\r\n", HTTP_OK, HTTP_BODY_LENGTH, 5,
	 0},
	{"POST", 11, "Expect: more\r\nContent-Length: 5\r\n", BAD(EXPECTATION)},
	{"POST", 11, "Expect: 100-continue\r\nExpect: x\r\nContent-Length: 5\r\n",
	 BAD(EXPECTATION)},
	{"POST", 10, "Expect: more\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, 0},
	/* upgrades: RFC 9110 §7.8 */
	{"GET", 11, "Connection: Upgrade\r\nUpgrade: websocket\r\n", HTTP_OK, HTTP_BODY_NONE,
	 NO_LENGTH, KEEP | UPGRADE},
	{"GET", 11, "Upgrade: websocket\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	{"GET", 11, "Connection: upgrade\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	{"GET", 10, "Connection: upgrade\r\nUpgrade: websocket\r\n", HTTP_OK, HTTP_BODY_NONE,
	 NO_LENGTH, 0},
};

static const struct row responses[] = {
	{"GET 200", 11, "", HTTP_OK, HTTP_BODY_UNTIL_CLOSE, UNKNOWN, 0},
	{"GET 200", 10, "Connection: keep-alive\r\n", HTTP_OK, HTTP_BODY_UNTIL_CLOSE, UNKNOWN, 0},
	{"GET 200", 11, "Content-Length: 5\r\n", HTTP_OK, HTTP_BODY_LENGTH, 5, KEEP},
	{"GET 200", 11, "Content-Length: 0\r\n", HTTP_OK, HTTP_BODY_LENGTH, 0, KEEP},
	{"GET 200", 10, "Content-Length: 5\r\n", HTTP_OK, HTTP_BODY_LENGTH, 5, 0},
	{"GET 200", 10, "Content-Length: 5\r\nConnection: keep-alive\r\n", HTTP_OK,
	 HTTP_BODY_LENGTH, 5, KEEP},
	{"GET 200", 11, "Content-Length: 5\r\nConnection: close\r\n", HTTP_OK, HTTP_BODY_LENGTH, 5,
	 0},
	{"GET 200", 11, "Transfer-Encoding: chunked\r\n", HTTP_OK, HTTP_BODY_CHUNKED, UNKNOWN,
	 KEEP},
	{"GET 500", 11, "Transfer-Encoding: chunked\r\n", HTTP_OK, HTTP_BODY_CHUNKED, UNKNOWN,
	 KEEP},
	{"GET 200", 11, "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
	 BAD(LENGTH_AND_CODING)},
	{"GET 200", 10, "Transfer-Encoding: chunked\r\n", BAD(CODING_VERSION)},
	{"GET 200", 11, "Transfer-Encoding: gzip\r\n", BAD(CODING_FINAL)},
	{"GET 200", 11, "Transfer-Encoding: gzip, chunked\r\n", BAD(CODING_UNKNOWN)},
	{"GET 200", 11, "Content-Length: 5\r\nContent-Length: 5\r\n", BAD(LENGTH_SEVERAL)},
	{"GET 200", 11, "Content-Length: 5x\r\n", BAD(LENGTH)},
	{"GET 200", 11, "Connection: \"\r\n", BAD(CONNECTION)},
	/* never a body: RFC 9112 §6.3 rule 1 */
	{"HEAD 200", 11, "Content-Length: 5\r\n", HTTP_OK, HTTP_BODY_NONE, 5, KEEP},
	{"HEAD 200", 11, "Transfer-Encoding: chunked\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH,
	 KEEP},
	{"HEAD 200", 11, "", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	{"HEAD 200", 11, "Content-Length: x\r\n", BAD(LENGTH)},
	{"HEAD 200", 11, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
	 BAD(LENGTH_AND_CODING)},
	{"GET 304", 11, "Content-Length: 5\r\n", HTTP_OK, HTTP_BODY_NONE, 5, KEEP},
	{"GET 304", 11, "", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	{"GET 204", 11, "", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	{"GET 204", 11, "Content-Length: 0\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	{"GET 204", 11, "Content-Length: 5\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, 0},
	{"GET 204", 11, "Transfer-Encoding: chunked\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, 0},
	{"GET 100", 11, "", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, KEEP},
	{"GET 103", 11, "Content-Length: 5\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, 0},
	{"HEAD 204", 11, "Content-Length: 5\r\n", HTTP_OK, HTTP_BODY_NONE, NO_LENGTH, 0},
	/* another protocol follows: RFC 9110 §7.8, RFC 9112 §6.3 rule 2 */
	{"GET 101", 11, "Connection: upgrade\r\nUpgrade: websocket\r\n", HTTP_OK, HTTP_BODY_NONE,
	 NO_LENGTH, KEEP | UPGRADE},
	{"CONNECT 200", 11, "Content-Length: x\r\nTransfer-Encoding: y\r\n", HTTP_OK,
	 HTTP_BODY_NONE, NO_LENGTH, KEEP | UPGRADE},
	{"CONNECT 407", 11, "Content-Length: 5\r\n", HTTP_OK, HTTP_BODY_LENGTH, 5, KEEP},
};

static void check(const struct row *row, enum http_error error, const struct http_framing *got,
		  const struct sluice_head *head)
{
	int flags = (got->keep_alive ? KEEP : 0) | (got->expect_continue ? EXPECT : 0) |
		    (got->upgrade ? UPGRADE : 0);

	if (error != row->error)
		fail_msg("%s instead of %s: %s %s", http_error_counter(error),
			 http_error_counter(row->error), row->method_or_status, row->fields);
	if (error != HTTP_OK)
		return;
	if (got->kind != row->kind || got->length != row->length || flags != row->flags)
		fail_msg("kind %u length %lu flags %d: %s %s", got->kind,
			 (unsigned long)got->length, flags, row->method_or_status, row->fields);
	assert_int_equal(head->body_bytes,
			 row->kind == HTTP_BODY_NONE ? SLUICE_LENGTH_NONE : row->length);
}

static void requests_are_framed(void **state)
{
	struct fixture *fixture = fixture_new();
	struct http_framing framing = {0};
	char message[1024];

	(void)state;
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		const struct row *row = &requests[i];
		bool connect = strcmp(row->method_or_status, "CONNECT") == 0;

		snprintf(message, sizeof message, "%s %s HTTP/1.%d\r\nHost: a\r\n%s\r\n",
			 row->method_or_status, connect ? "a:80" : "/", row->version - 10,
			 row->fields);
		fixture_request(fixture, message);
		check(row, http_framing_request(fixture->head, &fixture->memory, &framing),
		      &framing, fixture->head);
	}
	fixture_free(fixture);
}

static void responses_are_framed(void **state)
{
	struct fixture *fixture = fixture_new();
	struct http_framing framing = {0};
	char message[1024];

	(void)state;
	for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++) {
		const struct row *row = &responses[i];
		const char *status = strchr(row->method_or_status, ' ') + 1;
		uint32_t method_len = (uint32_t)(status - 1 - row->method_or_status);

		snprintf(message, sizeof message, "HTTP/1.%d %s X\r\n%s\r\n", row->version - 10,
			 status, row->fields);
		fixture_response(
			fixture, message,
			http_method_id((const uint8_t *)row->method_or_status, method_len));
		check(row, http_framing_response(fixture->head, &fixture->memory, &framing),
		      &framing, fixture->head);
	}
	fixture_free(fixture);
}

/* --- fields that Connection names: RFC 9110 §7.6.1 --------------------------------------- */

static void named_fields_are_removed(void **state)
{
	struct fixture *fixture = fixture_new();
	struct http_framing framing;
	char fields[1024];

	(void)state;
	fixture_request(fixture,
			"GET / HTTP/1.1\r\nX-A: 1\r\nHost: a\r\nConnection: x-a, Cookie\r\n"
			"Cookie: 2\r\nB: 3\r\nx-A: 4\r\nCookie: 5\r\nAge: 6\r\n\r\n");
	assert_int_equal(http_framing_request(fixture->head, &fixture->memory, &framing), HTTP_OK);
	fixture_fields(fixture, fields, sizeof fields);
	assert_string_equal(fields, "Host: a\nConnection: x-a, Cookie\nB: 3\nAge: 6\n");
	assert_int_equal(fixture->head->first[SLUICE_FIELD_COOKIE], SLUICE_NONE16);
	assert_int_equal(fixture->head->first[SLUICE_FIELD_AGE], 3);
	fixture_response(fixture, "HTTP/1.1 200 OK\r\nConnection: a\r\nA: 1\r\nC: 2\r\n\r\n",
			 SLUICE_METHOD_GET);
	assert_int_equal(http_framing_response(fixture->head, &fixture->memory, &framing), HTTP_OK);
	fixture_fields(fixture, fields, sizeof fields);
	assert_string_equal(fields, "Connection: a\nC: 2\n");
	fixture_free(fixture);
}

static void framing_and_host_cannot_be_named_away(void **state)
{
	struct fixture *fixture = fixture_new();
	struct http_framing framing;

	(void)state;
	fixture_request(fixture, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: "
				 "host, content-length, connection, transfer-encoding\r\n\r\n");
	assert_int_equal(http_framing_request(fixture->head, &fixture->memory, &framing), HTTP_OK);
	assert_int_equal(framing.kind, HTTP_BODY_LENGTH);
	assert_int_equal(fixture->head->fields, 3);
	assert_true(fixture_text_is(fixture, fixture->head->host, "a"));
	fixture_free(fixture);
}

static void without_body(void **state)
{
	(void)state;
	assert_true(http_response_without_body(100, SLUICE_METHOD_GET));
	assert_true(http_response_without_body(204, SLUICE_METHOD_GET));
	assert_true(http_response_without_body(304, SLUICE_METHOD_GET));
	assert_true(http_response_without_body(200, SLUICE_METHOD_HEAD));
	assert_false(http_response_without_body(200, SLUICE_METHOD_GET));
	assert_false(http_response_without_body(205, SLUICE_METHOD_GET));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_framed),
		cmocka_unit_test(responses_are_framed),
		cmocka_unit_test(named_fields_are_removed),
		cmocka_unit_test(framing_and_host_cannot_be_named_away),
		cmocka_unit_test(without_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
