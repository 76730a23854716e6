/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "chain/http/body.h"
#include "fixture.h"

#define TRAILER_BYTES 64

/* A body decoded in pieces: its payload, and how it ended. */
struct decoded {
	struct http_body body;
	uint8_t trailers[TRAILER_BYTES];
	char payload[256];
	uint32_t payload_len;
	uint32_t taken;
	uint8_t last; /* enum http_body_step_kind */
};

static const struct http_limits limits = {.max_extension_bytes = 40};

static void begin(struct decoded *decoded, enum http_body_kind kind, uint64_t length)
{
	struct http_framing framing = {.kind = kind, .length = length};

	memset(decoded, 0, sizeof *decoded);
	http_body_init(&decoded->body, &framing, &limits, decoded->trailers, TRAILER_BYTES);
	decoded->last = HTTP_BODY_MORE;
}

static bool goes_on(uint8_t kind)
{
	return kind == HTTP_BODY_SKIP || kind == HTTP_BODY_DATA;
}

/* In a block of its own, so that reading beyond it shows. */
static void feed(struct decoded *decoded, const char *data, uint32_t len)
{
	uint8_t *block = malloc(len > 0 ? len : 1);
	struct http_body_step step;
	uint32_t at = 0;

	assert_non_null(block);
	memcpy(block, data, len);
	do {
		http_body_next(&decoded->body, block + at, len - at, &step);
		assert_true(step.bytes <= len - at);
		assert_true(goes_on(step.kind) == (step.bytes > 0));
		if (step.kind == HTTP_BODY_DATA) {
			memcpy(decoded->payload + decoded->payload_len, block + at, step.bytes);
			decoded->payload_len += step.bytes;
		}
		at += step.bytes;
	} while (goes_on(step.kind));
	decoded->last = step.kind;
	decoded->taken += at;
	free(block);
}

struct row {
	struct bytes text;
	const char *payload;
	uint32_t left; /* bytes of text that belong to the next message */
	const char *trailers;
};

static const struct row good[] = {
	{BYTES("0\r\n\r\n"), "", 0, ""},
	{BYTES("5\r\nhello\r\n0\r\n\r\n"), "hello", 0, ""},
	{BYTES("5\r\nhello\r\n0\r\n\r\nGET /"), "hello", 5, ""},
	{BYTES("5\r\nhello\r\n1\r\n \r\n6\r\nworld!\r\n0\r\n\r\n"), "hello world!", 0, ""},
	{BYTES("a\r\n0123456789\r\n0\r\n\r\n"), "0123456789", 0, ""},
	{BYTES("B\r\n\r\n0\r\n\r\nabcd\r\n0\r\n\r\n"), "\r\n0\r\n\r\nabcd", 0, ""},
	{BYTES("0000000000000005\r\nhello\r\n0000\r\n\r\n"), "hello", 0, ""},
	/* extensions: RFC 9112 §7.1.1 */
	{BYTES("5;a\r\nhello\r\n0;b;c\r\n\r\n"), "hello", 0, ""},
	{BYTES("5;  abc  =  def  ;gh=ij\r\nhello\r\n0\r\n\r\n"), "hello", 0, ""},
	{BYTES("5;a=b\r\nhello\r\n0\r\n\r\n"), "hello", 0, ""},
	{BYTES("5; a = b ;c= \"d;\xe4\" ; e\r\nhello\r\n0\r\n\r\n"), "hello", 0, ""},
	{BYTES("5;a=\"\\\"\\\\;\"\r\nhello\r\n0\r\n\r\n"), "hello", 0, ""},
	{BYTES("5;a;b;c;d;e;f;g;h;i;j;k;l;m;n;o;p;q;r;s;t\r\nhello\r\n0\r\n\r\n"), "hello", 0, ""},
	/* trailers: RFC 9112 §7.1.2 */
	{BYTES("0\r\nA: b\r\n\r\n"), "", 0, "A: b\r\n"},
	{BYTES("1\r\nx\r\n0\r\nA: b\r\nC:\td \r\nETag: \"x\"\r\n\r\nHTTP"), "x", 4,
	 "A: b\r\nC:\td \r\nETag: \"x\"\r\n"},
	{BYTES("0\r\nA: 34567890123456789012345678901234567890123456789012345678901\r\n\r\n"), "",
	 0, "A: 34567890123456789012345678901234567890123456789012345678901\r\n"},
};

static void check_good(const struct row *row, struct decoded *decoded)
{
	assert_int_equal(decoded->last, HTTP_BODY_END);
	assert_true(http_body_ended(&decoded->body));
	assert_int_equal(decoded->payload_len, strlen(row->payload));
	assert_memory_equal(decoded->payload, row->payload, decoded->payload_len);
	assert_int_equal(decoded->body.payload, decoded->payload_len);
	assert_int_equal(decoded->taken, row->text.len - row->left);
	assert_int_equal(decoded->body.trailers_len, strlen(row->trailers));
	assert_memory_equal(decoded->trailers, row->trailers, decoded->body.trailers_len);
	assert_true(http_body_close(&decoded->body));
}

static void feed_pieces(struct decoded *decoded, struct bytes text, uint32_t size)
{
	begin(decoded, HTTP_BODY_CHUNKED, 0);
	for (uint32_t i = 0; i < text.len && decoded->last == HTTP_BODY_MORE; i += size)
		feed(decoded, text.data + i, text.len - i < size ? text.len - i : size);
}

static void feed_cut(struct decoded *decoded, struct bytes text, uint32_t where)
{
	begin(decoded, HTTP_BODY_CHUNKED, 0);
	feed(decoded, text.data, where);
	if (decoded->last == HTTP_BODY_MORE)
		feed(decoded, text.data + where, text.len - where);
}

static void chunks_are_decoded(void **state)
{
	struct decoded decoded;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		for (uint32_t where = 0; where <= good[i].text.len; where++) {
			feed_cut(&decoded, good[i].text, where);
			check_good(&good[i], &decoded);
		}
		for (uint32_t size = 1; size < 8; size++) {
			feed_pieces(&decoded, good[i].text, size);
			check_good(&good[i], &decoded);
		}
	}
}

struct bad {
	struct bytes text;
	enum http_error error;
};

#define R(text, error)                          \
	{                                       \
		BYTES(text), HTTP_ERROR_##error \
	}

static const struct bad bad[] = {
	/* sizes */
	R("\r\n", CHUNK_SIZE),
	R("x\r\n", CHUNK_SIZE),
	R("-1\r\n", CHUNK_SIZE),
	R("+1\r\n", CHUNK_SIZE),
	R("0x5\r\nhello\r\n", CHUNK_SIZE),
	R(" 5\r\nhello\r\n", CHUNK_SIZE),
	R("5,\r\nhello\r\n", CHUNK_SIZE),
	R("5_0\r\n", CHUNK_SIZE),
	R("g\r\n", CHUNK_SIZE),
	R(";a\r\n", CHUNK_SIZE),
	R("\0", NUL),
	R("5\0\r\n", NUL),
	R("5 \r\nhello\r\n", CHUNK_SPACE),
	R("5\t\r\nhello\r\n", CHUNK_SPACE),
	R("5 ;a\r\nhello\r\n", CHUNK_SPACE),
	R("8000000000000000\r\n", CHUNK_RANGE),
	R("ffffffffffffffff\r\n", CHUNK_RANGE),
	R("10000000000000005\r\nhello\r\n", CHUNK_RANGE),
	R("00000000000000005\r\nhello\r\n", CHUNK_RANGE),
	/* line ends */
	R("5\nhello\r\n", BARE_LF),
	R("\n5\r\nhello\r\n", BARE_LF),
	R("5\rhello\r\n", BARE_CR),
	R("5\r\rhello\r\n", BARE_CR),
	R("5;a\nhello\r\n", BARE_LF),
	R("5;a=b\nhello\r\n", BARE_LF),
	R("5;a=\"b\n\"\r\nhello\r\n", BARE_LF),
	R("5;a=\"b\\\n\"\r\nhello\r\n", BARE_LF),
	R("5;\nhello\r\n", BARE_LF),
	R("5;a =\nhello\r\n", BARE_LF),
	R("5;a\rb\r\nhello\r\n", BARE_CR),
	R("5\r\nhello\n0\r\n\r\n", BARE_LF),
	R("5\r\nhello\r0\r\n\r\n", BARE_CR),
	R("5\r\nhello0\r\n\r\n", CHUNK_END),
	R("5\r\nhello!\r\n0\r\n\r\n", CHUNK_END),
	R("5\r\nhello\0\r\n0\r\n\r\n", NUL),
	R("6\r\nhello\r\n0\r\n\r\n", BARE_LF),
	R("0\r\n\n", BARE_LF),
	R("0\r\n\rx", BARE_CR),
	R("0\n\n", BARE_LF),
	/* extensions */
	R("5;\r\nhello\r\n", CHUNK_EXTENSION),
	R("5;=a\r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a=\r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a= \r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a \r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a=b \r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a=\"b\" \r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a=\"b\"c\r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a=\"b\r\n\"\r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a=\"\\\r\n\"\r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a=\"\x01\"\r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a b\r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a=b c\r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a/b\r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a=b/c\r\nhello\r\n", CHUNK_EXTENSION),
	R("5;a\0\r\nhello\r\n", NUL),
	R("5;\0\r\nhello\r\n", NUL),
	R("5;a;b;c;d;e;f;g;h;i;j;k;l;m;n;o;p;q;r;s;t;\r\n", CHUNK_EXTENSION_BYTES),
	R("1;a;b;c;d;e;f;g;h;i\r\nx\r\n1;a;b;c;d;e;f;g;h;i;j;k;l\r\nx\r\n", CHUNK_EXTENSION_BYTES),
	/* trailers: the grammar of fields, and RFC 9110 §6.5.1 */
	R("0\r\nA: b\n\r\n", BARE_LF),
	R("0\r\nA: b\r\n\n", BARE_LF),
	R("0\r\nA: b\rC: d\r\n\r\n", BARE_CR),
	R("0\r\nA\r\n\r\n", COLON),
	R("0\r\nA : b\r\n\r\n", SPACE_BEFORE_COLON),
	R("0\r\n: b\r\n\r\n", FIELD_NAME),
	R("0\r\n A: b\r\n\r\n", SPACE_BEFORE_FIELD),
	R("0\r\nA: b\r\n c\r\n\r\n", FOLD),
	R("0\r\nA: b\0\r\n\r\n", NUL),
	R("0\r\nA: \x01\r\n\r\n", FIELD_VALUE),
	R("0\r\nContent-Length: 5\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nA: b\r\ntransfer-ENCODING: chunked\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nHost: a\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nConnection: close\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nAuthorization: x\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nSet-Cookie: x\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nCookie: x\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nContent-Type: x\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nContent-Encoding: x\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nContent-Range: x\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nTrailer: x\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nX-Forwarded-For: x\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nCache-Control: x\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nIf-Match: x\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nUpgrade: x\r\n\r\n", TRAILER_FORBIDDEN),
	R("0\r\nA: 34567890123456789012345678901234567890123456789012345678901x\r\n\r\n",
	  TRAILER_BYTES),
	R("0\r\nA: 3456789\r\nB: 5678901\r\nC: 7890123\r\nD: 9012345\r\nE: 1234567\r\nF: "
	  "12\r\n\r\n",
	  TRAILER_BYTES),
};

static void check_bad(const struct bad *row, struct decoded *decoded)
{
	if (decoded->last != HTTP_BODY_BAD || decoded->body.error != row->error)
		fail_msg("%s instead of %s for %.*s", http_error_counter(decoded->body.error),
			 http_error_counter(row->error), (int)row->text.len, row->text.data);
	assert_false(http_body_ended(&decoded->body));
	feed(decoded, "0\r\n\r\n", 5);
	assert_int_equal(decoded->last, HTTP_BODY_BAD);
	assert_false(http_body_close(&decoded->body));
}

static void bad_chunks_are_refused(void **state)
{
	struct decoded decoded;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		for (uint32_t where = 0; where <= bad[i].text.len; where++) {
			feed_cut(&decoded, bad[i].text, where);
			check_bad(&bad[i], &decoded);
		}
		feed_pieces(&decoded, bad[i].text, 1);
		check_bad(&bad[i], &decoded);
	}
}

/* --- bodies that are not chunked ----------------------------------------------------------- */

static void a_length_is_counted_down(void **state)
{
	struct decoded decoded;

	(void)state;
	begin(&decoded, HTTP_BODY_LENGTH, 5);
	feed(&decoded, "", 0);
	assert_int_equal(decoded.last, HTTP_BODY_MORE);
	feed(&decoded, "hel", 3);
	assert_int_equal(decoded.last, HTTP_BODY_MORE);
	feed(&decoded, "loGET", 5);
	assert_int_equal(decoded.last, HTTP_BODY_END);
	assert_int_equal(decoded.taken, 5);
	assert_memory_equal(decoded.payload, "hello", 5);
	begin(&decoded, HTTP_BODY_LENGTH, 0);
	assert_true(http_body_ended(&decoded.body));
	feed(&decoded, "GET", 3);
	assert_int_equal(decoded.last, HTTP_BODY_END);
	assert_int_equal(decoded.taken, 0);
}

static void no_body_ends_at_once(void **state)
{
	struct decoded decoded;

	(void)state;
	begin(&decoded, HTTP_BODY_NONE, SLUICE_LENGTH_NONE);
	assert_true(http_body_ended(&decoded.body));
	feed(&decoded, "GET", 3);
	assert_int_equal(decoded.last, HTTP_BODY_END);
	begin(&decoded, HTTP_BODY_NONE, 5); /* announced, as for HEAD */
	assert_true(http_body_ended(&decoded.body));
}

static void until_close_ends_with_the_connection(void **state)
{
	struct decoded decoded;

	(void)state;
	begin(&decoded, HTTP_BODY_UNTIL_CLOSE, SLUICE_LENGTH_UNKNOWN);
	feed(&decoded, "hello", 5);
	assert_int_equal(decoded.last, HTTP_BODY_MORE);
	assert_int_equal(decoded.payload_len, 5);
	assert_false(http_body_ended(&decoded.body));
	assert_true(http_body_close(&decoded.body));
	feed(&decoded, "", 0);
	assert_int_equal(decoded.last, HTTP_BODY_END);
}

/* RFC 9112 §8: incomplete messages. */
static void close_cuts_other_bodies_off(void **state)
{
	struct decoded decoded;

	(void)state;
	begin(&decoded, HTTP_BODY_LENGTH, 5);
	feed(&decoded, "hell", 4);
	assert_false(http_body_close(&decoded.body));
	feed_pieces(&decoded, (struct bytes)BYTES("5\r\nhello\r\n0\r\n\r"), 16);
	assert_int_equal(decoded.last, HTTP_BODY_MORE);
	assert_false(http_body_close(&decoded.body));
}

static void without_a_buffer_no_trailers(void **state)
{
	struct http_framing framing = {.kind = HTTP_BODY_CHUNKED};
	struct http_body_step step;
	struct http_body body;

	(void)state;
	http_body_init(&body, &framing, &limits, NULL, 0);
	http_body_next(&body, (const uint8_t *)"0\r\n\r\n", 5, &step);
	assert_int_equal(step.kind, HTTP_BODY_SKIP);
	assert_int_equal(step.bytes, 5);
	assert_true(http_body_ended(&body));
	http_body_init(&body, &framing, &limits, NULL, 0);
	http_body_next(&body, (const uint8_t *)"0\r\nA: b\r\n\r\n", 11, &step);
	assert_int_equal(step.kind, HTTP_BODY_BAD);
	assert_int_equal(body.error, HTTP_ERROR_TRAILER_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_are_decoded),
		cmocka_unit_test(bad_chunks_are_refused),
		cmocka_unit_test(a_length_is_counted_down),
		cmocka_unit_test(no_body_ends_at_once),
		cmocka_unit_test(until_close_ends_with_the_connection),
		cmocka_unit_test(close_cuts_other_bodies_off),
		cmocka_unit_test(without_a_buffer_no_trailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
