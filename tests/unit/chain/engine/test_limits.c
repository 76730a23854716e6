/* SPDX-License-Identifier: BSD-3-Clause */
/* What one client may take: bytes of a head, fields, a target, time, a rate, requests, an age. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

#define UPLOAD(length) "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " #length "\r\n\r\n"

static void refused(const char *request, const char *status)
{
	struct peer *c = client_open();
	char line[32];

	say(c, request);
	snprintf(line, sizeof(line), "HTTP/1.1 %s ", status);
	head_has(hear_head(c), line);
	until(c->ended);
	peer_shut(c);
	assert_false(origin_has_new(0));
}

static void test_head(void **state)
{
	static const struct options small = {
		.max_head_bytes = 100, .max_fields = 3, .max_target_bytes = 10};

	(void)state;
	bench_open(&small);
	refused("GET /0123456789 HTTP/1.1\r\nHost: a\r\n\r\n", "414");
	refused("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", "431");
	refused("GET / HTTP/1.1\r\nHost: a\r\n"
		"A: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n\r\n",
		"431");
	assert_int_equal(counted(http_target_length), 1);
	assert_int_equal(counted(http_head_fields), 1);
	assert_int_equal(counted(http_head_bytes), 1);
	bench_close();
}

/* The deadline is for the whole head: bytes that trickle in do not move it. */
static void test_head_deadline(void **state)
{
	static const struct options options = {.head_ms = 1000};
	struct peer *c;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, "GET / HTTP/1.1\r\nX: ");
	for (unsigned i = 0; i < 9; i++) {
		bench_run_ms(100);
		say(c, "x");
		assert_int_equal(c->in_len, 0);
	}
	head_has(hear_head(c), "HTTP/1.1 408 ");
	until(c->ended);
	assert_int_equal(counted(timeouts_head), 1);
	bench_close();
}

static void served(struct peer *c, struct peer **o)
{
	say(c, GET("/"));
	if (!*o)
		*o = origin_accept(0);
	hear_head(*o);
	say(*o, OK(2) "ok");
}

static void test_requests(void **state)
{
	static const struct options options = {.max_requests = 3};
	struct peer *c, *o = NULL;

	(void)state;
	bench_open(&options);
	c = client_open();
	for (unsigned i = 0; i < 3; i++) {
		served(c, &o);
		if (i < 2)
			head_lacks(hear_head(c), "Connection");
		else
			head_has(hear_head(c), "Connection: close\r\n");
		hear(c, "ok");
	}
	hear_end(c);
	bench_close();
}

static void test_age(void **state)
{
	static const struct options options = {.max_age_ms = 2000, .idle_ms = 1500};
	struct peer *c, *idle, *o = NULL;

	(void)state;
	bench_open(&options);
	c = client_open();
	idle = client_open();
	served(c, &o);
	head_lacks(hear_head(c), "Connection");
	hear(c, "ok");
	bench_run_ms(1000);
	served(idle, &o);
	head_lacks(hear_head(idle), "Connection");
	hear(idle, "ok");
	say(c, GET("/"));
	hear_head(o);
	bench_run_ms(1200);
	hear_end(idle);
	say(o, OK(2) "ok");
	head_has(hear_head(c), "Connection: close\r\n");
	hear(c, "ok");
	hear_end(c);
	bench_close();
}

/* --- rates ----------------------------------------------------------------------- */

static void trickle(struct peer *c, unsigned every_ms, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		bench_run_ms(every_ms);
		say(c, "x");
	}
}

static void test_slow_upload(void **state)
{
	static const struct options options = {.min_body_bytes_per_s = 10, .body_ms = 60000};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, UPLOAD(10000));
	o = origin_accept(0);
	hear_head(o);
	trickle(c, 500, 21);
	head_has(hear_head(c), "HTTP/1.1 408 ");
	assert_int_equal(counted(timeouts_rate), 1);
	until(c->ended);
	bench_close();
}

static void test_fast_enough_upload(void **state)
{
	static const struct options options = {.min_body_bytes_per_s = 10, .body_ms = 60000};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, UPLOAD(400));
	o = origin_accept(0);
	hear_head(o);
	trickle(c, 50, 400);
	until(o->in_len == 400);
	say(o, OK(2) "ok");
	head_has(hear_head(c), "HTTP/1.1 200 ");
	assert_int_equal(counted(timeouts_rate), 0);
	bench_close();
}

/* Whoever waits for 100, or for an origin that does not read, is not slow. */
static void test_not_its_fault(void **state)
{
	static const struct options options = {
		.min_body_bytes_per_s = 1000, .body_ms = 60000, .response_ms = 60000};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
	o = origin_accept(0);
	hear_head(o);
	bench_run_ms(20000);
	say(o, "HTTP/1.1 100 Continue\r\n\r\n");
	head_has(hear_head(c), "HTTP/1.1 100 ");
	say(c, "hi");
	hear(o, "hi");
	bench_run_ms(20000);
	say(o, OK(3));
	head_has(hear_head(c), "HTTP/1.1 200 ");
	bench_run_ms(20000);
	say(o, "ok!");
	hear(c, "ok!");
	assert_int_equal(counted(timeouts_rate), 0);
	bench_close();
}

static void test_slow_reader(void **state)
{
	static const struct options options = {
		.min_body_bytes_per_s = 1000, .body_ms = 60000, .send_kb = 64};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	peer_pause(c, true);
	say(o, OK(8000000));
	say_pattern(o, 0, 8000000);
	bench_run_ms(20000);
	assert_int_equal(counted(timeouts_rate), 1);
	peer_pause(c, false);
	until(c->closed);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),          cmocka_unit_test(test_head_deadline),
		cmocka_unit_test(test_requests),      cmocka_unit_test(test_age),
		cmocka_unit_test(test_slow_upload),   cmocka_unit_test(test_fast_enough_upload),
		cmocka_unit_test(test_not_its_fault), cmocka_unit_test(test_slow_reader),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
