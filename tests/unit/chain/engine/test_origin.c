/* SPDX-License-Identifier: BSD-3-Clause */
/* Origin servers: down, slow, wrong, gone; connections kept and found dead; health. */
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

static const struct options plain;

static enum sluice_server_state state_of(unsigned server)
{
	return upstreams_state(bench.upstreams, server);
}

/* --- down ------------------------------------------------------------------------ */

static void test_refused(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	origin_listen(0, false);
	c = client_open();
	say(c, GET("/"));
	head_has(hear_head(c), "HTTP/1.1 502 ");
	hear(c, "502 Bad Gateway\n");
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
	head_has(hear_head(c), "HTTP/1.1 502 ");
	hear(c, "502 Bad Gateway\n");
	origin_listen(0, true);
	say(c, GET("/")); /* the client's connection has lived on */
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	head_has(hear_head(c), "HTTP/1.1 200 ");
	assert_int_equal(counted(origin_connect_failed), 2);
	bench_close();
}

static void test_next_server(void **state)
{
	struct options options = {.servers = 3};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	origin_listen(0, false);
	origin_listen(1, false);
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
	o = origin_accept(2);
	hear_head(o);
	hear(o, "abc");
	say(o, OK(0));
	head_has(hear_head(c), "HTTP/1.1 200 ");
	assert_int_equal(counted(origin_connect_failed), 2);
	bench_close();
}

static void test_retries_end(void **state)
{
	struct options options = {.servers = 3, .retries = 1};
	struct peer *c;

	(void)state;
	bench_open(&options);
	for (unsigned i = 0; i < 3; i++)
		origin_listen(i, false);
	c = client_open();
	say(c, GET("/"));
	head_has(hear_head(c), "HTTP/1.1 502 ");
	assert_int_equal(counted(origin_connect_failed), 2);
	bench_close();
}

static void test_connect_timeout(void **state)
{
	struct options options = {.connect_ms = 300};
	struct peer *c;
	uint64_t began;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, GET("/"));
	bench.deaf = true;
	began = bench.now_us;
	until(counted(origin_connect_failed) == 1);
	assert_in_range(bench.now_us - began, 250000, 400000);
	bench.deaf = false;
	head_has(hear_head(c), "HTTP/1.1 502 ");
	bench_close();
}

/* --- slow and wrong -------------------------------------------------------------- */

static void test_response_timeout(void **state)
{
	struct options options = {.response_ms = 200};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	head_has(hear_head(c), "HTTP/1.1 504 ");
	hear_reset(o);
	assert_int_equal(counted(timeouts_response), 1);
	bench_close();
}

static void test_body_timeout(void **state)
{
	struct options options = {.body_ms = 200};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(10) "abc");
	hear_head(c);
	bench_run_ms(150);
	say(o, "def");
	bench_run_ms(150);
	hear(c, "abcdef");
	hear_reset(c);
	hear_reset(o);
	assert_int_equal(counted(timeouts_body), 1);
	bench_close();
}

static void test_bad_answers(void **state)
{
	static const char *const answers[] = {
		"SSH-2.0-OpenSSH_9\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"HTTP/1.1 099 No\r\n\r\n",
		"HTTP/1.1 200 OK\r\nBroken\r\n\r\n",
	};

	(void)state;
	bench_open(&plain);
	for (unsigned i = 0; i < 5; i++) {
		struct peer *c = client_open(), *o;

		say(c, GET("/"));
		o = origin_accept(0);
		hear_head(o);
		say(o, answers[i]);
		head_has(hear_head(c), "HTTP/1.1 502 ");
		assert_int_equal(counted(responses_bad), i + 1);
		hear_reset(o);
	}
	bench_close();
}

static void test_dies_before_answer(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	peer_abort(o);
	head_has(hear_head(c), "HTTP/1.1 502 ");
	bench_run_ms(10);
	c->in_len = 0;
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 200 O");
	bench_run_ms(5);
	peer_shut(o);
	head_has(hear_head(c), "HTTP/1.1 502 ");
	assert_int_equal(counted(responses_cut), 2);
	bench_close();
}

static struct sluice_down held_down;

static void hold_response(struct fake *fake, const struct sluice_down *down)
{
	if (down->kind == SLUICE_DOWN_RESPONSE_HEAD)
		held_down = *down;
	else
		fake_pass(fake, down);
}

/* It answers, and resets the connection before all of that was read: the answer counts. */
static void test_resets_after_answer(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 403 No\r\nContent-Length: 10000\r\n\r\n",
		"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2710\r\n",
	};
	struct options options = {.path = 1};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		size_t sent = i == 2 ? 9999 : 10000;
		struct peer *c, *o;
		struct sluice_up up;

		bench_open(&options);
		bench.fakes[0]->on = hold_response;
		held_down.kind = 0;
		c = client_open();
		say(c, GET("/"));
		o = origin_accept(0);
		hear_head(o);
		say(o, answers[i % 2]);
		say_pattern(o, 1, sent);
		if (i == 1)
			say(o, "\r\n0\r\n\r\n");
		until(held_down.kind);
		bench_run_ms(10);
		peer_abort(o);
		bench_run_ms(10);
		up = fake_answer(&held_down, SLUICE_PASS);
		fake_say(bench.fakes[0], &up);
		if (i < 2)
			head_has(hear_head(c), "HTTP/1.1 403 ");
		if (i == 0)
			hear_pattern(c, 1, sent);
		if (i == 1)
			hear_chunked(c, 1, sent, "");
		if (i == 2) /* a byte is missing */
			hear_cut(c);
		bench_run_ms(10);
		bench_check_idle();
		bench_close();
	}
}

/* --- kept connections ------------------------------------------------------------ */

static struct peer *kept(struct peer **c)
{
	struct peer *o;

	*c = client_open();
	say(*c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	hear_head(*c);
	bench_run_ms(5);
	return o;
}

/* Closed while idle: noticed, and not used. */
static void test_idle_closed(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	o = kept(&c);
	peer_shut(o);
	bench_run_ms(10);
	assert_int_equal(counted(origin_idle_closed), 1);
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	hear_head(c);
	bench_run_ms(5);
	say(o, "HTTP/1.1 408 Request Timeout\r\n\r\n"); /* bytes nobody asked for */
	until(o->closed);
	assert_int_equal(counted(origin_idle_closed), 2);
	bench_close();
}

static void test_idle_expires(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	o = kept(&c);
	bench_run_ms(2900);
	assert_false(o->ended || o->closed);
	bench_run_ms(200);
	assert_true(o->ended);
	bench_close();
}

static void test_not_kept(void **state)
{
	struct options options = {.keepalive = UINT32_MAX};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	o = kept(&c);
	hear_end(o);
	bench_close();
}

/* It closes at the very moment it is used again: asked once more on a new connection. */
static void test_repeated(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	o = kept(&c);
	say(c, GET("/again"));
	until(o->in_len > 0);
	peer_abort(o);
	o = origin_accept(0);
	hear(o, GET("/again"));
	say(o, OK(0));
	head_has(hear_head(c), "HTTP/1.1 200 ");
	assert_int_equal(counted(origin_repeated), 1);
	bench_run_ms(5);
	say(c, GET("/again")); /* FIN in place of an answer */
	until(o->in_len > 0);
	peer_shut(o);
	o = origin_accept(0);
	hear(o, GET("/again"));
	peer_abort(o); /* a fresh one: no third time */
	head_has(hear_head(c), "HTTP/1.1 502 ");
	assert_int_equal(counted(origin_repeated), 2);
	bench_close();
}

static void test_not_repeated(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	o = kept(&c);
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
	until(o->in_len > 0);
	bench_run_ms(60); /* it has acknowledged */
	peer_abort(o);
	head_has(hear_head(c), "HTTP/1.1 502 ");
	bench_run_ms(5);
	c->in_len = 0;
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	hear_head(c);
	bench_run_ms(5);
	say(c, GET("/"));
	hear_head(o);
	say(o, "H"); /* a byte of an answer */
	bench_run_ms(5);
	peer_abort(o);
	head_has(hear_head(c), "HTTP/1.1 502 ");
	assert_int_equal(counted(origin_repeated), 0);
	bench_close();
}

/* --- health ---------------------------------------------------------------------- */

static void test_ejection(void **state)
{
	struct options options = {.servers = 2, .max_fails = 2, .eject_ms = 500, .retries = 1};
	struct peer *c;

	(void)state;
	bench_open(&options);
	bench.serve = OK(0);
	origin_listen(0, false);
	c = client_open();
	for (unsigned i = 0; i < 6; i++) {
		say(c, GET("/"));
		head_has(hear_head(c), "HTTP/1.1 200 ");
	}
	assert_int_equal(counted(origin_connect_failed), 2);
	assert_int_equal(state_of(0), SLUICE_SERVER_DOWN);
	origin_listen(0, true);
	bench_run_ms(700);
	assert_int_equal(state_of(0), SLUICE_SERVER_UP);
	bench_close();
}

static void test_all_down(void **state)
{
	struct options options = {.max_fails = 1, .eject_ms = 300};
	struct peer *c;

	(void)state;
	bench_open(&options);
	origin_listen(0, false);
	c = client_open();
	say(c, GET("/"));
	head_has(hear_head(c), "HTTP/1.1 502 ");
	hear(c, "502 Bad Gateway\n");
	say(c, GET("/"));
	head_has(hear_head(c), "HTTP/1.1 502 "); /* there is no better one: it is tried again */
	assert_int_equal(counted(origin_connect_failed), 2);
	bench_close();
}

static void test_checks(void **state)
{
	struct options options = {.servers = 2, .check_ms = 100, .check_path = "/health"};
	struct peer *c;

	(void)state;
	bench_open(&options);
	bench.serve = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
	bench_run_ms(500);
	assert_int_equal(state_of(0), SLUICE_SERVER_UP);
	assert_true(counted(health_checks) >= 6);
	assert_int_equal(counted(health_failures), 0);
	origin_listen(0, false);
	bench_run_ms(300);
	assert_int_equal(state_of(0), SLUICE_SERVER_DOWN);
	assert_int_equal(state_of(1), SLUICE_SERVER_UP);
	c = client_open();
	for (unsigned i = 0; i < 4; i++) {
		say(c, GET("/"));
		head_has(hear_head(c), "HTTP/1.1 200 ");
	}
	assert_int_equal(counted(origin_connect_failed), 0);
	origin_listen(0, true);
	bench_run_ms(300);
	assert_int_equal(state_of(0), SLUICE_SERVER_UP);
	bench.serve = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
	bench_run_ms(300);
	assert_int_equal(state_of(0), SLUICE_SERVER_DOWN);
	assert_int_equal(state_of(1), SLUICE_SERVER_DOWN);
	bench_close();
}

static void test_check_connect(void **state)
{
	struct options options = {.check_ms = 100};

	(void)state;
	bench_open(&options);
	bench_run_ms(300);
	assert_int_equal(state_of(0), SLUICE_SERVER_UP);
	assert_true(counted(health_checks) >= 2);
	origin_listen(0, false);
	bench_run_ms(300);
	assert_int_equal(state_of(0), SLUICE_SERVER_DOWN);
	bench_close();
}

static void test_balance(void **state)
{
	struct options options = {.servers = 3};
	struct peer *c[9];
	unsigned served[BENCH_ORIGINS] = {0};

	(void)state;
	bench_open(&options);
	bench.serve = OK(0);
	for (unsigned i = 0; i < 9; i++) {
		c[i] = client_open();
		say(c[i], GET("/"));
		hear_head(c[i]);
	}
	for (struct peer *p = bench.peers; p; p = p->next)
		if (p->accepted)
			served[p->origin] += p->served;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(served[i], 3);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_next_server),
		cmocka_unit_test(test_retries_end),
		cmocka_unit_test(test_connect_timeout),
		cmocka_unit_test(test_response_timeout),
		cmocka_unit_test(test_body_timeout),
		cmocka_unit_test(test_bad_answers),
		cmocka_unit_test(test_dies_before_answer),
		cmocka_unit_test(test_resets_after_answer),
		cmocka_unit_test(test_idle_closed),
		cmocka_unit_test(test_idle_expires),
		cmocka_unit_test(test_not_kept),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_not_repeated),
		cmocka_unit_test(test_ejection),
		cmocka_unit_test(test_all_down),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_check_connect),
		cmocka_unit_test(test_balance),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
