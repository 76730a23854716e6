/* SPDX-License-Identifier: BSD-3-Clause */
/* How bodies come in and go out: pieces, lengths, back-pressure, and ends that come too early. */
#include "cache_test.h"

#define AGE                                    \
	{                                      \
		"Cache-Control", "max-age=100" \
	}
#define LARGE 3000000

static uint8_t large[LARGE];

static int fill_large(void **state)
{
	(void)state;
	for (size_t i = 0; i < LARGE; i++)
		large[i] = (uint8_t)(i * 7 + i / 251);
	return 0;
}

/* Sends `len` bytes in pieces of two spans; `end`: with the last one. */
static void send_pieces(exchange *x, const uint8_t *bytes, size_t len, size_t piece, bool end)
{
	for (size_t at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;
		struct sluice_span spans[2] = {{bytes + at, (uint32_t)(n / 3)},
					       {bytes + at + n / 3, (uint32_t)(n - n / 3)}};

		assert_int_equal(harness_response_spans(x, spans, 2, end && at + n == len),
				 SLUICE_PASS);
	}
}

static exchange *answer_with_length(struct harness *h, const char *target, const char *length)
{
	exchange *x = assert_miss(h, target);

	assert_int_equal(harness_response(x, 200, F(DATE, AGE, {"Content-Length", length})),
			 SLUICE_PASS);
	return x;
}

static exchange *answer_chunked(struct harness *h, const char *target)
{
	exchange *x = assert_miss(h, target);

	assert_int_equal(harness_response(x, 200, F(DATE, AGE, {"Transfer-Encoding", "chunked"})),
			 SLUICE_PASS);
	return x;
}

static void assert_large(struct harness *h, const char *target)
{
	exchange *x = get(h, target);
	size_t len;
	const uint8_t *body = harness_body(x, &len);

	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_int_equal(len, LARGE);
	assert_memory_equal(body, large, LARGE);
	assert_true(harness_body_ended(x));
	harness_done(x, false);
}

static void large_with_length(void **state)
{
	struct harness *h = begin("memory_mb = 16; max_object_kb = 8000;");
	exchange *x = answer_with_length(h, "/x", "3000000");

	(void)state;
	send_pieces(x, large, LARGE, 14601, true);
	harness_done(x, false);
	assert_large(h, "/x");
	assert_int_equal(counter(h, "bytes_copied"), LARGE);
	harness_destroy(h);
}

static void large_without_length(void **state)
{
	struct harness *h = begin("memory_mb = 16; max_object_kb = 8000;");
	exchange *x = answer_chunked(h, "/x");

	(void)state;
	send_pieces(x, large, LARGE, 14601, false);
	assert_int_equal(harness_response_body(x, "", 0, true), SLUICE_PASS);
	harness_done(x, false);
	assert_large(h, "/x");
	harness_destroy(h);
}

static void little_is_wasted(void **state)
{
	struct harness *h = begin("");
	uint64_t before = counter(h, "bytes_used");
	exchange *x = answer_chunked(h, "/x");

	(void)state;
	harness_response_body(x, "hello", 5, true);
	harness_done(x, false);
	assert_in_range(counter(h, "bytes_used") - before, 1, 2000);
	assert_hit(h, "/x", "hello");
	harness_destroy(h);
}

static void empty_bodies(void **state)
{
	struct harness *h = begin("");
	exchange *x = assert_miss(h, "/none");

	(void)state;
	assert_int_equal(harness_response(x, 200, F(DATE, AGE, {"Content-Length", "0"})),
			 SLUICE_LEAVE);
	assert_hit(h, "/none", "");
	x = answer_chunked(h, "/chunked");
	harness_response_body(x, "", 0, true);
	harness_done(x, false);
	assert_hit(h, "/chunked", "");
	harness_destroy(h);
}

static void slow_readers_get_it_all(void **state)
{
	struct harness *h = begin("memory_mb = 16; max_object_kb = 8000;");
	exchange *x = answer_with_length(h, "/x", "3000000");
	size_t len = 0;

	(void)state;
	send_pieces(x, large, LARGE, 100000, true);
	harness_done(x, false);
	harness_hold_sent(h, true);
	x = get(h, "/x");
	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	harness_body(x, &len);
	assert_in_range(len, 1, 2000000);
	assert_false(harness_body_ended(x));
	assert_int_equal(counter(h, "sending"), 1);
	for (int i = 0; i < 20 && !harness_body_ended(x); i++)
		harness_acknowledge(h);
	assert_int_equal(counter(h, "sending"), 0);
	assert_memory_equal(harness_body(x, &len), large, LARGE);
	assert_int_equal(len, LARGE);
	assert_true(harness_body_ended(x));
	harness_acknowledge(h);
	harness_done(x, false);
	harness_destroy(h);
}

static void a_full_ring_is_waited_for(void **state)
{
	struct harness *h = begin("memory_mb = 16; max_object_kb = 8000;");
	exchange *x = answer_with_length(h, "/x", "3000000");
	size_t len;

	(void)state;
	send_pieces(x, large, LARGE, 100000, true);
	harness_done(x, false);
	harness_set_room(h, 0);
	x = get(h, "/x");
	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_false(harness_body_ended(x));
	harness_tick(h);
	assert_false(harness_body_ended(x));
	for (int i = 0; i < 200 && !harness_body_ended(x); i++) {
		harness_set_room(h, 1);
		harness_tick(h);
	}
	assert_memory_equal(harness_body(x, &len), large, LARGE);
	assert_int_equal(len, LARGE);
	harness_done(x, false);
	harness_destroy(h);
}

static void a_reader_that_goes_away(void **state)
{
	struct harness *h = begin("memory_mb = 16; max_object_kb = 8000;");
	exchange *x = answer_with_length(h, "/x", "3000000");

	(void)state;
	send_pieces(x, large, LARGE, 100000, true);
	harness_done(x, false);
	harness_hold_sent(h, true);
	x = get(h, "/x");
	assert_int_equal(counter(h, "sending"), 1);
	harness_done(x, true);
	assert_int_equal(counter(h, "sending"), 0);
	harness_hold_sent(h, false);
	harness_acknowledge(h);
	assert_large(h, "/x");
	harness_destroy(h);
}

/* An object that is replaced, purged or evicted while it is being sent stays as it was for its
 * reader. */
static void an_object_in_use_outlives_the_store(void **state)
{
	struct harness *h = begin("memory_mb = 16; max_object_kb = 8000;");
	exchange *x = answer_with_length(h, "/x", "3000000"), *reader;
	uint64_t empty = counter(h, "bytes_used"), held;
	size_t len;

	(void)state;
	send_pieces(x, large, LARGE, 100000, true);
	harness_done(x, false);
	harness_hold_sent(h, true);
	reader = get(h, "/x");
	origin(ask(h, "DELETE", "/x"), 200, F(DATE), "");
	assert_missed(h, "/x");
	assert_int_equal(counter(h, "objects"), 0);
	held = counter(h, "bytes_used");
	assert_in_range(held, LARGE, LARGE + empty + 100000);
	for (int i = 0; i < 20 && !harness_body_ended(reader); i++)
		harness_acknowledge(h);
	assert_memory_equal(harness_body(reader, &len), large, LARGE);
	assert_int_equal(len, LARGE);
	harness_done(reader, false);
	harness_acknowledge(h);
	assert_in_range(counter(h, "bytes_used"), 0, empty);
	harness_destroy(h);
}

static void a_part_of_a_large_one(void **state)
{
	struct harness *h = begin("memory_mb = 16; max_object_kb = 8000;");
	exchange *x = answer_with_length(h, "/x", "3000000");
	size_t len;

	(void)state;
	send_pieces(x, large, LARGE, 100000, true);
	harness_done(x, false);
	x = harness_request(h, "GET", "/x", F(HOST, {"Range", "bytes=65530-2000000"}));
	assert_int_equal(harness_status(x), 206);
	assert_memory_equal(harness_body(x, &len), large + 65530, 2000000 - 65530 + 1);
	assert_int_equal(len, 2000000 - 65530 + 1);
	x = harness_request(h, "GET", "/x", F(HOST, {"Range", "bytes=65536-65536"}));
	assert_memory_equal(harness_body(x, &len), large + 65536, 1);
	assert_int_equal(len, 1);
	harness_destroy(h);
}

static void too_large_by_its_length(void **state)
{
	struct harness *h = begin("max_object_kb = 4;");
	exchange *x = assert_miss(h, "/x");

	(void)state;
	assert_int_equal(harness_response(x, 200, F(DATE, AGE, {"Content-Length", "4097"})),
			 SLUICE_LEAVE);
	assert_missed(h, "/x");
	assert_int_equal(counter(h, "too_large"), 1);
	x = answer_with_length(h, "/y", "4096");
	send_pieces(x, large, 4096, 1000, true);
	harness_done(x, false);
	assert_true(is_answered(get(h, "/y")));
	harness_destroy(h);
}

static void too_large_on_its_way(void **state)
{
	struct harness *h = begin("max_object_kb = 4;");
	exchange *x = answer_chunked(h, "/x");

	(void)state;
	send_pieces(x, large, 9000, 1000, true);
	harness_done(x, false);
	assert_missed(h, "/x");
	assert_int_equal(counter(h, "too_large"), 1);
	assert_int_equal(counter(h, "stores"), 0);
	assert_int_equal(counter(h, "cut_short"), 0);
	harness_destroy(h);
}

static void cut_short(void **state)
{
	struct harness *h = begin("");
	exchange *x = answer_with_length(h, "/reset", "10");

	(void)state;
	harness_response_body(x, "01234", 5, false);
	harness_done(x, true);
	assert_missed(h, "/reset");
	x = answer_with_length(h, "/short", "10");
	harness_response_body(x, "01234", 5, true);
	harness_done(x, false);
	assert_missed(h, "/short");
	x = answer_chunked(h, "/chunked");
	harness_response_body(x, "01234", 5, false);
	harness_done(x, true);
	assert_missed(h, "/chunked");
	x = answer_with_length(h, "/long", "3");
	harness_response_body(x, "01234", 5, true);
	harness_done(x, false);
	assert_missed(h, "/long");
	assert_int_equal(counter(h, "cut_short"), 3);
	assert_int_equal(counter(h, "stores"), 0);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_with_length),
		cmocka_unit_test(large_without_length),
		cmocka_unit_test(little_is_wasted),
		cmocka_unit_test(empty_bodies),
		cmocka_unit_test(slow_readers_get_it_all),
		cmocka_unit_test(a_full_ring_is_waited_for),
		cmocka_unit_test(a_reader_that_goes_away),
		cmocka_unit_test(an_object_in_use_outlives_the_store),
		cmocka_unit_test(a_part_of_a_large_one),
		cmocka_unit_test(too_large_by_its_length),
		cmocka_unit_test(too_large_on_its_way),
		cmocka_unit_test(cut_short),
	};

	return cmocka_run_group_tests(tests, fill_large, NULL);
}
