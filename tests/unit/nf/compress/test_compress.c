/* SPDX-License-Identifier: BSD-3-Clause */
/* Heads and bodies of responses, checked with the codings' own decoders. */
#include <stdlib.h>

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/unit/nf/common/plugin.h"

#define BODY_BYTES 100000

static char body[BODY_BYTES + 1];
static uint8_t wire[4 * BODY_BYTES], plain[2 * BODY_BYTES];
static size_t wire_len;

static struct harness_exchange *ask(struct harness *h, const char *accept)
{
	return harness_request(h, "GET", "/",
			       HARNESS_FIELDS({"Host", "a"}, {"Accept-Encoding", accept}));
}

static enum sluice_verdict answer(struct harness_exchange *x, const char *type, const char *name,
				  const char *value)
{
	return harness_response(x, 200,
				HARNESS_FIELDS({"Content-Type", type}, {"Content-Length", "100000"},
					       {name, value}));
}

/* --- decoding --------------------------------------------------------------------------- */

static size_t gunzip(void)
{
	z_stream z = {.next_in = wire,
		      .avail_in = (uInt)wire_len,
		      .next_out = plain,
		      .avail_out = sizeof(plain)};

	assert_int_equal(inflateInit2(&z, 31), Z_OK);
	(void)inflate(&z, Z_SYNC_FLUSH);
	inflateEnd(&z);
	return sizeof(plain) - z.avail_out;
}

static size_t unbrotli(void)
{
	BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	size_t in = wire_len, out = sizeof(plain);
	const uint8_t *from = wire;
	uint8_t *to = plain;

	(void)BrotliDecoderDecompressStream(state, &in, &from, &out, &to, NULL);
	BrotliDecoderDestroyInstance(state);
	return sizeof(plain) - out;
}

static size_t unzstd(void)
{
	ZSTD_DCtx *ctx = ZSTD_createDCtx();
	ZSTD_inBuffer in = {wire, wire_len, 0};
	ZSTD_outBuffer out = {plain, sizeof(plain), 0};

	while (in.pos < in.size && !ZSTD_isError(ZSTD_decompressStream(ctx, &out, &in)))
		;
	ZSTD_freeDCtx(ctx);
	return out.pos;
}

static size_t decode(const char *coding)
{
	if (strcmp(coding, "gzip") == 0)
		return gunzip();
	return strcmp(coding, "br") == 0 ? unbrotli() : unzstd();
}

static void piece(struct harness_exchange *x, size_t from, size_t len, bool end)
{
	const uint8_t *out;
	size_t out_len;

	assert_int_equal(harness_response_body(x, body + from, len, end), SLUICE_REPLACE);
	out = harness_piece(x, &out_len);
	memcpy(wire + wire_len, out, out_len);
	wire_len += out_len;
}

/* --- tests ------------------------------------------------------------------------------ */

static void test_each_coding(void **state)
{
	static const char *const codings[] = {"gzip", "br", "zstd"};
	struct harness *h = plugin_start("");

	(void)state;
	for (unsigned i = 0; i < 3; ++i) {
		struct harness_exchange *x = ask(h, codings[i]);

		assert_int_equal(answer(x, "text/html; charset=utf-8", "ETag", "\"v1\""),
				 SLUICE_PASS);
		assert_true(harness_resized(x));
		assert_field(x, "Content-Encoding", codings[i]);
		assert_field(x, "Vary", "Accept-Encoding");
		assert_field(x, "ETag", "W/\"v1\"");
		wire_len = 0;
		for (size_t at = 0; at < BODY_BYTES; at += 7000)
			piece(x, at, at + 7000 < BODY_BYTES ? 7000 : BODY_BYTES - at, false);
		piece(x, 0, 0, true);
		assert_true(wire_len < BODY_BYTES / 2);
		assert_int_equal(decode(codings[i]), BODY_BYTES);
		assert_memory_equal(plain, body, BODY_BYTES);
		harness_done(x, false);
	}
	assert_int_equal(harness_counter(h, "compressed"), 3);
	assert_int_equal(harness_counter(h, "bytes_in"), 3 * BODY_BYTES);
	harness_destroy(h);
}

static void test_the_end_with_the_last_piece(void **state)
{
	struct harness *h = plugin_start("");
	struct harness_exchange *x = ask(h, "gzip");

	(void)state;
	answer(x, "text/plain", "X", "y");
	wire_len = 0;
	piece(x, 0, BODY_BYTES, true);
	assert_int_equal(decode("gzip"), BODY_BYTES);
	harness_destroy(h);
}

/* What has come can be read at once when nobody knows how long it will go on. */
static void test_flush(void **state)
{
	static const char *const codings[] = {"gzip", "br", "zstd"};
	struct harness *h = plugin_start("");

	(void)state;
	for (unsigned i = 0; i < 3; ++i) {
		struct harness_exchange *x = ask(h, codings[i]);

		harness_response(x, 200,
				 HARNESS_FIELDS({"Content-Type", "text/event-stream"},
						{"Transfer-Encoding", "chunked"}));
		wire_len = 0;
		for (size_t n = 1; n <= 5; ++n) {
			piece(x, (n - 1) * 10, 10, false);
			assert_int_equal(decode(codings[i]), n * 10);
		}
		piece(x, 50, 10, true);
		assert_int_equal(decode(codings[i]), 60);
		assert_memory_equal(plain, body, 60);
		harness_done(x, false);
	}
	harness_destroy(h);
}

static void assert_alone(struct harness_exchange *x, enum sluice_verdict verdict, bool varies)
{
	assert_int_equal(verdict, SLUICE_LEAVE);
	assert_no_field(x, "Content-Encoding");
	if (varies)
		assert_field(x, "Vary", "Accept-Encoding");
	else
		assert_no_field(x, "Vary");
}

static void test_left_alone(void **state)
{
	struct harness *h = plugin_start("");
	struct harness_exchange *x = ask(h, "gzip");

	(void)state;
	assert_alone(x, answer(x, "image/png", "X", "y"), false);
	x = ask(h, "gzip");
	assert_int_equal(answer(x, "text/html", "Content-Encoding", "br"), SLUICE_LEAVE);
	assert_field(x, "Content-Encoding", "br");
	x = ask(h, "gzip");
	assert_alone(x, answer(x, "text/html", "Cache-Control", "public, No-Transform"), false);
	x = ask(h, "gzip");
	assert_alone(x,
		     harness_response(x, 200,
				      HARNESS_FIELDS({"Content-Type", "text/html"},
						     {"Content-Length", "999"})),
		     false);
	x = ask(h, "gzip");
	assert_alone(x,
		     harness_response(x, 206,
				      HARNESS_FIELDS({"Content-Type", "text/html"},
						     {"Content-Range", "bytes 0-9999/20000"},
						     {"Content-Length", "10000"})),
		     false);
	x = ask(h, "gzip");
	assert_alone(x, harness_response(x, 204, HARNESS_FIELDS({"Content-Type", "text/html"})),
		     false);
	/* Another client would get another form. */
	x = ask(h, "identity");
	assert_alone(x, answer(x, "text/html", "X", "y"), true);
	x = harness_request(h, "HEAD", "/", HARNESS_FIELDS({"Accept-Encoding", "gzip"}));
	assert_alone(x, answer(x, "text/html", "X", "y"), true);
	harness_destroy(h);
}

static void test_vary_is_not_said_twice(void **state)
{
	struct harness *h = plugin_start("");
	struct harness_exchange *x = ask(h, "gzip");

	(void)state;
	answer(x, "text/html", "Vary", "Origin, accept-encoding");
	assert_field(x, "Vary", "Origin, accept-encoding");
	assert_null(harness_field_at(x, "Vary", 1));
	x = ask(h, "gzip");
	answer(x, "text/html", "Vary", "Origin");
	assert_non_null(harness_field_at(x, "Vary", 1));
	harness_destroy(h);
}

static void test_requests_that_forbid_it(void **state)
{
	struct harness *h = plugin_start("skip = ( { path_prefix = \"/account\"; } );");
	struct harness_exchange *x = harness_request(
		h, "GET", "/",
		HARNESS_FIELDS({"Accept-Encoding", "gzip"}, {"Cache-Control", "no-transform"}));

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	x = harness_request(h, "GET", "/account/me", HARNESS_FIELDS({"Accept-Encoding", "gzip"}));
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	harness_destroy(h);
}

static void test_not_modified(void **state)
{
	struct harness *h = plugin_start("");
	struct harness_exchange *x = harness_request(
		h, "GET", "/",
		HARNESS_FIELDS({"Accept-Encoding", "gzip"}, {"If-None-Match", "W/\"v1\""}));

	(void)state;
	assert_int_equal(harness_response(x, 304, HARNESS_FIELDS({"ETag", "\"v1\""})),
			 SLUICE_LEAVE);
	assert_field(x, "ETag", "W/\"v1\"");
	x = harness_request(
		h, "GET", "/",
		HARNESS_FIELDS({"Accept-Encoding", "gzip"}, {"If-None-Match", "\"v1\""}));
	harness_response(x, 304, HARNESS_FIELDS({"ETag", "\"v1\""}));
	assert_field(x, "ETag", "\"v1\"");
	harness_destroy(h);
}

static void test_what_told_of_the_bytes(void **state)
{
	struct harness *h = plugin_start("");
	struct harness_exchange *x = ask(h, "gzip");

	(void)state;
	answer(x, "text/html", "Accept-Ranges", "bytes");
	assert_no_field(x, "Accept-Ranges");
	x = ask(h, "gzip");
	answer(x, "text/html", "Repr-Digest", "sha-256=:AAAA:");
	assert_no_field(x, "Repr-Digest");
	harness_destroy(h);
}

static void test_bounds(void **state)
{
	struct harness *h = plugin_start("max_streams = 1;");
	struct harness_exchange *x = ask(h, "gzip"), *y = ask(h, "gzip");

	(void)state;
	assert_int_equal(answer(x, "text/html", "X", "y"), SLUICE_PASS);
	assert_alone(y, answer(y, "text/html", "X", "y"), true);
	assert_int_equal(harness_counter(h, "busy"), 1);
	/* One that ends early makes room, too. */
	harness_done(x, true);
	x = ask(h, "gzip");
	assert_int_equal(answer(x, "text/html", "X", "y"), SLUICE_PASS);
	harness_done(x, true);
	harness_destroy(h);
}

static void test_a_full_arena(void **state)
{
	struct harness *h = plugin_new();
	struct harness_exchange *x;

	(void)state;
	harness_set_arena(h, 4096);
	plugin_start_in(h, "");
	while (sluice_buf_alloc(harness_nf(h), 64))
		;
	x = ask(h, "gzip");
	answer(x, "text/html", "X", "y");
	assert_int_equal(harness_response_body(x, body, BODY_BYTES, true), SLUICE_RESET);
	assert_int_equal(harness_counter(h, "failed"), 1);
	harness_destroy(h);
}

static void test_config(void **state)
{
	(void)state;
	harness_destroy(plugin_start("codings = [ \"gzip\" ]; types = [ \"a/b\", \"*\" ];"
				     "gzip_level = 9; window_kb = 1; flush = \"never\";"));
	plugin_refuses("codings = [ \"deflate\" ];",
		       "test.conf:1: \"deflate\" is not one of zstd, br and gzip");
	plugin_refuses("codings = [ \"br\", \"br\" ];", "test.conf:1: \"br\" is there twice");
	plugin_refuses("types = [ \"html\" ];", "test.conf:1: \"html\" is not a media type");
}

static int make_body(void **state)
{
	static const char *const words[] = {"request ", "response ", "body ",  "head ",
					    "<p>",      "</p>\n",    "cache ", "of "};
	uint32_t seed = 1;

	(void)state;
	while (strlen(body) < BODY_BYTES - 10) {
		seed = seed * 1664525 + 1013904223;
		strcat(body + strlen(body), words[seed >> 29]);
	}
	memset(body + strlen(body), '.', BODY_BYTES - strlen(body));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_coding),
		cmocka_unit_test(test_the_end_with_the_last_piece),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_left_alone),
		cmocka_unit_test(test_vary_is_not_said_twice),
		cmocka_unit_test(test_requests_that_forbid_it),
		cmocka_unit_test(test_not_modified),
		cmocka_unit_test(test_what_told_of_the_bytes),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_a_full_arena),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, make_body, NULL);
}
