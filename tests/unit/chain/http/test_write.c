/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "chain/http/body.h"
#include "chain/http/edit.h"
#include "chain/http/write.h"
#include "fixture.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static const struct http_write plain = {.framing = HTTP_BODY_NONE};

typedef int write_fn(const struct sluice_head *head, const struct http_memory *memory,
		     const struct http_write *how, uint8_t *out, uint32_t size);

/* Into a buffer of the exact size; and into every smaller one, which must fail. */
static void expect_written(struct fixture *fixture, write_fn *write, const struct http_write *how,
			   const char *expected)
{
	uint32_t len = (uint32_t)strlen(expected);

	assert_true(http_write_bound(fixture->head, how) >= len);
	for (uint32_t size = 0; size <= len; size++) {
		uint8_t *out = malloc(size > 0 ? size : 1);
		int rc;

		assert_non_null(out);
		rc = write(fixture->head, &fixture->memory, how, out, size);
		if (size == len && (rc != (int)len || memcmp(out, expected, len) != 0))
			fail_msg("%d\n%.*s\ninstead of\n%s", rc, rc, (char *)out, expected);
		if (size < len)
			assert_int_equal(rc, -ENOSPC);
		free(out);
	}
}

static void a_request_is_written(void **state)
{
	struct http_write how = {.framing = HTTP_BODY_LENGTH, .length = 12345678901234567};
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture_request(
		fixture,
		"POST /a?b HTTP/1.0\r\nX-One:  1 \r\nhost: h:80\r\ncontent-length: 7\r\n"
		"Connection: close\r\nX-Empty:\r\nTE: x\r\nUpgrade: u\r\nCookie: c\r\n\r\n");
	expect_written(fixture, http_write_request, &how,
		       "POST /a?b HTTP/1.1\r\nHost: h:80\r\nX-One: 1\r\nX-Empty: \r\nCookie: c\r\n"
		       "Content-Length: 12345678901234567\r\n\r\n");
	fixture_free(fixture);
}

/* Lines that stand as they are written are copied in one; others are written anew between them. */
static void lines_are_written_alike(void **state)
{
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture_request(
		fixture,
		"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nHost: h\r\nC: 3\r\nD:4\r\nE: 5 \r\nF: 6\r\n"
		"G:\t7\r\nH: 8\r\nI: \r\nJ:\r\nTE: x\r\nK: 9\r\nContent-Length: 0\r\n\r\n");
	expect_written(
		fixture, http_write_request, &plain,
		"GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\n"
		"G: 7\r\nH: 8\r\nI: \r\nJ: \r\nK: 9\r\n\r\n");
	assert_int_equal(http_head_remove(fixture->head, &fixture->memory, http_bytes_of("B")), 1);
	assert_int_equal(http_head_set(fixture->head, &fixture->memory, http_bytes_of("K"),
				       http_bytes_of("ten")),
			 0);
	assert_int_equal(http_head_set(fixture->head, &fixture->memory, http_bytes_of("C"),
				       http_bytes_of("")),
			 0);
	assert_int_equal(http_head_add(fixture->head, http_bytes_of("L"), http_bytes_of("11")), 0);
	expect_written(fixture, http_write_request, &plain,
		       "GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nC: \r\nD: 4\r\nE: 5\r\nF: 6\r\n"
		       "G: 7\r\nH: 8\r\nI: \r\nJ: \r\nK: ten\r\nL: 11\r\n\r\n");
	fixture_free(fixture);
}

static void every_framing_and_connection_is_written(void **state)
{
	static const char start[] = "GET / HTTP/1.1\r\nHost: h\r\n";
	struct http_write how = plain;
	struct fixture *fixture = fixture_new();
	char expected[256];

	(void)state;
	fixture_request(fixture, "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n");
	snprintf(expected, sizeof expected, "%s\r\n", start);
	expect_written(fixture, http_write_request, &how, expected);
	how.connection = HTTP_CONNECTION_CLOSE;
	snprintf(expected, sizeof expected, "%sConnection: close\r\n\r\n", start);
	expect_written(fixture, http_write_request, &how, expected);
	how.connection = HTTP_CONNECTION_KEEP_ALIVE;
	snprintf(expected, sizeof expected, "%sConnection: keep-alive\r\n\r\n", start);
	expect_written(fixture, http_write_request, &how, expected);
	how.connection = HTTP_CONNECTION_UPGRADE;
	snprintf(expected, sizeof expected, "%sUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
		 start);
	expect_written(fixture, http_write_request, &how, expected);
	how = (struct http_write){.framing = HTTP_BODY_CHUNKED};
	snprintf(expected, sizeof expected, "%sTransfer-Encoding: chunked\r\n\r\n", start);
	expect_written(fixture, http_write_request, &how, expected);
	how = (struct http_write){.framing = HTTP_BODY_LENGTH};
	snprintf(expected, sizeof expected, "%sContent-Length: 0\r\n\r\n", start);
	expect_written(fixture, http_write_request, &how, expected);
	how.framing = HTTP_BODY_UNTIL_CLOSE;
	assert_int_equal(http_write_request(fixture->head, &fixture->memory, &how,
					    (uint8_t *)expected, sizeof expected),
			 -EINVAL);
	fixture_free(fixture);
}

static void the_host_comes_from_the_target(void **state)
{
	struct http_write how = plain;
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture_request(fixture, "GET http://t HTTP/1.1\r\nA: b\r\nHost: h\r\n\r\n");
	expect_written(fixture, http_write_request, &how,
		       "GET / HTTP/1.1\r\nHost: t\r\nA: b\r\n\r\n");
	fixture_request(fixture, "GET http://t/p HTTP/1.0\r\n\r\n");
	expect_written(fixture, http_write_request, &how, "GET /p HTTP/1.1\r\nHost: t\r\n\r\n");
	fixture_request(fixture, "CONNECT t:1 HTTP/1.1\r\nHost: h\r\n\r\n");
	expect_written(fixture, http_write_request, &how,
		       "CONNECT t:1 HTTP/1.1\r\nHost: t:1\r\n\r\n");
	fixture_request(fixture, "GET / HTTP/1.0\r\n\r\n");
	expect_written(fixture, http_write_request, &how, "GET / HTTP/1.1\r\nHost:\r\n\r\n");
	how.host = http_bytes_of("origin:8080");
	expect_written(fixture, http_write_request, &how,
		       "GET / HTTP/1.1\r\nHost: origin:8080\r\n\r\n");
	fixture_free(fixture);
}

static void a_response_is_written(void **state)
{
	struct http_write how = {.framing = HTTP_BODY_CHUNKED, .date = DATE};
	struct fixture *fixture = fixture_new();

	(void)state;
	fixture_response(fixture,
			 "HTTP/1.0 200 All well\r\nServer: s\r\nKeep-Alive: x\r\nSet-Cookie: a\r\n"
			 "Set-Cookie: b\r\nTransfer-encoding: x\r\nHost: no\r\nTrailer: t\r\n\r\n",
			 SLUICE_METHOD_GET);
	expect_written(fixture, http_write_response, &how,
		       "HTTP/1.1 200 All well\r\nDate: " DATE
		       "\r\nServer: s\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nTrailer: t\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n");
	fixture_response(fixture, "HTTP/1.1 404\r\ndate: then\r\n\r\n", SLUICE_METHOD_GET);
	how = (struct http_write){HTTP_BODY_UNTIL_CLOSE, HTTP_CONNECTION_CLOSE, 0, {0}, DATE};
	expect_written(fixture, http_write_response, &how,
		       "HTTP/1.1 404 Not Found\r\ndate: then\r\nConnection: close\r\n\r\n");
	http_head_status(fixture->head, 299);
	how = plain;
	expect_written(fixture, http_write_response, &how,
		       "HTTP/1.1 299 Unknown\r\ndate: then\r\n\r\n");
	fixture_free(fixture);
}

/* What is written is parsed to the same: the strictest reader is our own. */
static void what_is_written_can_be_read(void **state)
{
	static const char *const messages[] = {
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"PUT http://b/c?d HTTP/1.0\r\nA:\t1\r\nB: \xff\r\nb:\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nA: 1\r\nCookie: 1\r\nA: 2\r\n\r\n",
	};
	struct fixture *fixture = fixture_new();
	uint8_t once[512], twice[512];

	(void)state;
	for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
		struct bytes text = {(const char *)once, 0};
		int n;

		fixture_request(fixture, messages[i]);
		n = http_write_request(fixture->head, &fixture->memory, &plain, once, sizeof once);
		assert_true(n > 0);
		text.len = (uint32_t)n;
		fixture_parse_all(fixture, text, -1);
		assert_int_equal(fixture->result, HTTP_HEAD_DONE);
		assert_int_equal(fixture->taken, n);
		assert_int_equal(http_write_request(fixture->head, &fixture->memory, &plain, twice,
						    sizeof twice),
				 n);
		assert_memory_equal(once, twice, (size_t)n);
	}
	fixture_free(fixture);
}

/* --- chunks ----------------------------------------------------------------------------- */

static void expect_chunk(bool first, uint64_t bytes, const char *expected)
{
	uint8_t out[HTTP_CHUNK_BYTES_MAX];
	uint32_t len = (uint32_t)strlen(expected);

	assert_int_equal(http_write_chunk(first, bytes, out, sizeof out), len);
	assert_memory_equal(out, expected, len);
	assert_int_equal(http_write_chunk(first, bytes, out, len - 1), -ENOSPC);
}

static void chunks_are_written(void **state)
{
	uint8_t out[64];

	(void)state;
	expect_chunk(true, 1, "1\r\n");
	expect_chunk(false, 10, "\r\na\r\n");
	expect_chunk(true, 0x1f40, "1f40\r\n");
	expect_chunk(false, UINT64_MAX, "\r\nffffffffffffffff\r\n");
	assert_int_equal(http_write_last_chunk(true, (struct http_bytes){0}, out, 5), 5);
	assert_memory_equal(out, "0\r\n\r\n", 5);
	assert_int_equal(http_write_last_chunk(true, (struct http_bytes){0}, out, 4), -ENOSPC);
	assert_int_equal(http_write_last_chunk(false, http_bytes_of("A: b\r\n"), out, sizeof out),
			 13);
	assert_memory_equal(out, "\r\n0\r\nA: b\r\n\r\n", 13);
}

static void written_chunks_can_be_read(void **state)
{
	const struct http_limits limits = HTTP_LIMITS_DEFAULT;
	const struct http_framing framing = {.kind = HTTP_BODY_CHUNKED};
	struct http_body_step step;
	struct http_body body;
	uint8_t out[128], trailers[32];
	uint32_t n, at = 0, payload = 0;

	(void)state;
	n = (uint32_t)http_write_chunk(true, 5, out, sizeof out);
	memcpy(out + n, "hello", 5);
	n += 5;
	n += (uint32_t)http_write_chunk(false, 17, out + n, (uint32_t)sizeof out - n);
	memcpy(out + n, "0123456789abcdefg", 17);
	n += 17;
	n += (uint32_t)http_write_last_chunk(false, http_bytes_of("A: b\r\n"), out + n,
					     (uint32_t)sizeof out - n);
	http_body_init(&body, &framing, &limits, trailers, sizeof trailers);
	do {
		http_body_next(&body, out + at, n - at, &step);
		at += step.bytes;
		payload += step.kind == HTTP_BODY_DATA ? step.bytes : 0;
	} while (step.kind == HTTP_BODY_DATA || step.kind == HTTP_BODY_SKIP);
	assert_int_equal(step.kind, HTTP_BODY_END);
	assert_int_equal(at, n);
	assert_int_equal(payload, 22);
	assert_int_equal(body.trailers_len, 6);
}

/* --- answers ------------------------------------------------------------------------------ */

static void expect_answer(uint16_t status, bool close, bool head_only, const char *date,
			  const char *expected)
{
	uint8_t out[HTTP_ANSWER_BYTES_MAX];
	uint32_t len = (uint32_t)strlen(expected);

	assert_int_equal(http_write_answer(status, close, head_only, date, out, sizeof out), len);
	assert_memory_equal(out, expected, len);
	assert_int_equal(http_write_answer(status, close, head_only, date, out, len - 1), -ENOSPC);
}

static void answers_are_written(void **state)
{
	uint8_t out[HTTP_ANSWER_BYTES_MAX];

	(void)state;
	expect_answer(
		400, true, false, DATE,
		"HTTP/1.1 400 Bad Request\r\nDate: " DATE
		"\r\nContent-Type: text/plain\r\nContent-Length: 16\r\nConnection: close\r\n\r\n"
		"400 Bad Request\n");
	expect_answer(503, false, true, NULL,
		      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
		      "Content-Length: 24\r\n\r\n");
	expect_answer(204, false, false, NULL, "HTTP/1.1 204 No Content\r\n\r\n");
	for (uint16_t status = 100; status < 600; status++)
		assert_true(http_write_answer(status, true, false, DATE, out, sizeof out) > 0);
	assert_int_equal(http_write_continue(out, sizeof out), 25);
	assert_memory_equal(out, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	assert_int_equal(http_write_continue(out, 24), -ENOSPC);
}

static void reasons_are_known(void **state)
{
	(void)state;
	assert_string_equal(http_status_reason(200), "OK");
	assert_string_equal(http_status_reason(431), "Request Header Fields Too Large");
	assert_string_equal(http_status_reason(511), "Network Authentication Required");
	assert_string_equal(http_status_reason(299), "Unknown");
	assert_string_equal(http_status_reason(0), "Unknown");
	assert_string_equal(http_status_reason(99), "Unknown");
	assert_string_equal(http_status_reason(600), "Unknown");
	assert_string_equal(http_status_reason(65535), "Unknown");
}

static void dates_are_fixed(void **state)
{
	struct http_date date = {0};

	(void)state;
	assert_string_equal(http_date_text(&date, 0), "Thu, 01 Jan 1970 00:00:00 GMT");
	assert_string_equal(http_date_text(&date, 784111777), DATE);
	date.text[0] = 'X'; /* within the second, nothing is made anew */
	assert_string_equal(http_date_text(&date, 784111777), "Xun, 06 Nov 1994 08:49:37 GMT");
	assert_string_equal(http_date_text(&date, 951782399), "Mon, 28 Feb 2000 23:59:59 GMT");
	assert_string_equal(http_date_text(&date, 951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
	assert_string_equal(http_date_text(&date, 4102444800), "Fri, 01 Jan 2100 00:00:00 GMT");
	assert_string_equal(http_date_text(&date, UINT64_MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_written),
		cmocka_unit_test(lines_are_written_alike),
		cmocka_unit_test(every_framing_and_connection_is_written),
		cmocka_unit_test(the_host_comes_from_the_target),
		cmocka_unit_test(a_response_is_written),
		cmocka_unit_test(what_is_written_can_be_read),
		cmocka_unit_test(chunks_are_written),
		cmocka_unit_test(written_chunks_can_be_read),
		cmocka_unit_test(answers_are_written),
		cmocka_unit_test(reasons_are_known),
		cmocka_unit_test(dates_are_fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
