/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies, both ways, without functions: framing, size, pace, and what breaks off. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

#define MB (1u << 20)

static const struct options plain;

static void say_chunks(struct peer *p, uint64_t seed, size_t len, size_t chunk,
		       const char *trailers)
{
	char line[32];

	for (size_t done = 0, n; done < len; done += n) {
		n = len - done < chunk ? len - done : chunk;
		snprintf(line, sizeof(line), "%zx\r\n", n);
		say(p, line);
		say_pattern(p, seed + done, n);
		say(p, "\r\n");
	}
	say(p, "0\r\n");
	say(p, trailers);
	say(p, "\r\n");
}

static void test_download(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(8388608));
	say_pattern(o, 7, 8 * MB);
	head_has(hear_head(c), "Content-Length: 8388608\r\n");
	hear_pattern(c, 7, 8 * MB);
	bench_run_ms(5);
	assert_int_equal(counted(payload_referenced_bytes), 8 * MB);
	assert_int_equal(counted(payload_copied_bytes), 0);
	bench_check_idle();
	say(c, GET("/2"));
	hear_head(o);
	bench_close();
}

static void test_upload(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4194304\r\n\r\n");
	say_pattern(c, 3, 4 * MB);
	say(c, GET("/after"));
	o = origin_accept(0);
	head_has(hear_head(o), "Content-Length: 4194304\r\n");
	hear_pattern(o, 3, 4 * MB);
	say(o, OK(0));
	hear_head(c);
	hear(o, GET("/after"));
	bench_close();
}

static void test_chunked_both_ways(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	say_chunks(c, 11, MB, 1000, "X-Sum: abc\r\n");
	say(c, GET("/after"));
	o = origin_accept(0);
	head_has(hear_head(o), "Transfer-Encoding: chunked\r\n");
	hear_chunked(o, 11, MB, "X-Sum: abc\r\n");
	say(o, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	say_chunks(o, 5, MB, 70000, "X-Trail: 1\r\n");
	head_has(hear_head(c), "Transfer-Encoding: chunked\r\n");
	hear_chunked(c, 5, MB, "X-Trail: 1\r\n");
	hear(o, GET("/after"));
	bench_close();
}

static void test_tiny_chunks(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	say_chunks(o, 5, 20000, 1, "");
	hear_head(c);
	hear_chunked(c, 5, 20000, "");
	bench_close();
}

static void test_until_close(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 200 OK\r\n\r\n");
	say_pattern(o, 9, 300000);
	peer_shut(o);
	head_has(hear_head(c), "Transfer-Encoding: chunked\r\n");
	hear_chunked(c, 9, 300000, "");
	say(c, GET("/again")); /* the client's connection lives on */
	o = origin_accept(0);
	hear_head(o);
	bench_close();
}

static uint32_t rx_in_use_most;

static void slow_reader(struct peer *from, struct peer *to, uint64_t seed, size_t len)
{
	size_t done = 0;

	peer_pause(to, true);
	bench_run_ms(100);
	while (done < len) {
		size_t n = len - done < 100000 ? len - done : 100000;

		peer_pause(to, false);
		hear_pattern(to, seed + done, n);
		peer_pause(to, true);
		done += n;
		if (rx_in_use_most < bench_rx_in_use())
			rx_in_use_most = bench_rx_in_use();
		bench_run_ms(1);
	}
	peer_pause(to, false);
	(void)from;
}

/* However much is to come: what lies here is bounded by the windows. */
static void test_slow_reader(void **state)
{
	struct options options = {.recv_kb = 128, .send_kb = 128};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(6291456));
	say_pattern(o, 1, 6 * MB);
	hear_head(c);
	rx_in_use_most = 0;
	slow_reader(o, c, 1, 6 * MB);
	assert_true(rx_in_use_most > 0 && rx_in_use_most < 2500);
	assert_true(bench.held_most < 256 << 10);
	bench_close();
}

static void test_slow_origin(void **state)
{
	struct options options = {.recv_kb = 128, .send_kb = 128};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3145728\r\n\r\n");
	say_pattern(c, 1, 3 * MB);
	o = origin_accept(0);
	hear_head(o);
	rx_in_use_most = 0;
	slow_reader(c, o, 1, 3 * MB);
	assert_true(rx_in_use_most > 0 && rx_in_use_most < 2500);
	say(o, OK(0));
	hear_head(c);
	bench_close();
}

/* The answer comes before the request's body is through: it goes on, the little rest is read. */
static void test_early_answer_small(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
	head_has(hear_head(c), "HTTP/1.1 403 ");
	hear(c, "no");
	bench_run_ms(5);
	assert_int_equal(engine_exchanges(bench.engine), 1);
	say_pattern(c, 0, 1000);
	say(c, GET("/next"));
	o = origin_accept(0);
	hear(o, GET("/next"));
	bench_close();
}

static void test_early_answer_large(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n");
	say_pattern(c, 0, 100000);
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
	head_has(hear_head(c), "HTTP/1.1 413 ");
	hear(c, "no");
	hear_end(c);
	bench_close();
}

static void test_duplex(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nping\r\n");
	o = origin_accept(0);
	hear_head(o);
	hear(o, "4\r\nping");
	say(o, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npong\r\n");
	hear_head(c);
	hear(c, "4\r\npong");
	say(c, "3\r\nabc\r\n0\r\n\r\n");
	hear(o, "\r\n3\r\nabc\r\n0\r\n\r\n");
	say(o, "0\r\n\r\n");
	hear(c, "\r\n0\r\n\r\n");
	say(c, GET("/next"));
	hear(o, GET("/next"));
	bench_close();
}

/* --- what breaks off ------------------------------------------------------------- */

static void test_origin_breaks_off(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	for (unsigned i = 0; i < 2; i++) {
		c = client_open();
		say(c, GET("/"));
		o = origin_accept(0);
		hear_head(o);
		say(o, i ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nabc"
			 : OK(100000) "abc");
		hear_head(c);
		peer_shut(o);
		hear_cut(c);
	}
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(100000) "abc");
	hear_head(c);
	bench_run_ms(5);
	peer_abort(o);
	hear_cut(c);
	assert_int_equal(counted(responses_cut), 3);
	bench_check_idle();
	bench_close();
}

/* What the origin had said before it went is the client's, also if both are seen at once. */
static void test_before_the_cut(void **state)
{
	static const struct options one = {.path = 1, .no_functions_up = true};
	static const uint32_t hooks = ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD;
	static const char *const said[] = {
		OK(100) "abc", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"};
	static const char *const heard[] = {"abc", "3\r\nabc"};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct peer *c, *o;

		bench_open(&one);
		fake_up(0, hooks | (i % 2 ? ENGINE_HOOK_RESPONSE_BODY : 0));
		c = client_open();
		say(c, GET("/"));
		o = origin_accept(0);
		hear_head(o);
		bench.fakes[0]->stopped = true;
		say(o, said[i / 2]);
		peer_shut(o);
		bench_run_ms(5);
		bench.fakes[0]->stopped = false;
		hear_head(c);
		hear(c, heard[i / 2]);
		hear_cut(c);
		assert_int_equal(counted(responses_cut), 1);
		bench_run_ms(20);
		bench_check_idle();
		bench_close();
	}
}

static void test_origin_bad_chunk(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	hear_head(c);
	hear(c, "3\r\nabc");
	say(o, "2\r\nabX\r\n");
	hear_cut(c);
	assert_int_equal(counted(responses_bad), 1);
	assert_int_equal(counted(http_chunk_end), 1);
	bench_close();
}

static void test_client_bad_chunk(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	o = origin_accept(0);
	hear_head(o);
	say(c, "zz\r\n");
	head_has(hear_head(c), "HTTP/1.1 400 ");
	hear_reset(o);
	until(c->ended);
	assert_int_equal(counted(http_chunk_size), 1);
	bench_close();
}

static void test_client_cut_off(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
	o = origin_accept(0);
	hear_head(o);
	peer_shut(c);
	head_has(hear_head(c), "HTTP/1.1 400 ");
	hear_reset(o);
	assert_int_equal(counted(requests_cut), 1);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_download),
		cmocka_unit_test(test_upload),
		cmocka_unit_test(test_chunked_both_ways),
		cmocka_unit_test(test_tiny_chunks),
		cmocka_unit_test(test_until_close),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_slow_origin),
		cmocka_unit_test(test_early_answer_small),
		cmocka_unit_test(test_early_answer_large),
		cmocka_unit_test(test_duplex),
		cmocka_unit_test(test_origin_breaks_off),
		cmocka_unit_test(test_before_the_cut),
		cmocka_unit_test(test_origin_bad_chunk),
		cmocka_unit_test(test_client_bad_chunk),
		cmocka_unit_test(test_client_cut_off),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
