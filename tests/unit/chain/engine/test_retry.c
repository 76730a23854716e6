/* SPDX-License-Identifier: BSD-3-Clause */
/* How an exchange is brought to its server: times, second tries, hedges; lines for connections. */
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"

/* --- a function that says how ------------------------------------------------------ */

static struct sluice_how how;

static void on_head(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_LEAVE);

	up.flags = SLUICE_UP_HOW;
	up.how = how;
	fake_say(fake, &up);
}

static void open_with(struct options options, struct sluice_how wanted)
{
	options.path = 1;
	options.no_functions_up = true;
	how = wanted;
	bench_open(&options);
	fake_up(0, SLUICE_HOOK_REQUEST_HEAD)->on = on_head;
}

#define HOW(...) ((struct sluice_how){.retries = SLUICE_RETRIES_OF_GROUP, __VA_ARGS__})

/* --- second tries ------------------------------------------------------------------ */

static void status_is_tried_elsewhere(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with((struct options){.servers = 2, .retries = 1}, HOW(.retry = SLUICE_RETRY_GATEWAY));
	c = client_open();
	say(c, GET("/a"));
	o = origin_accept(0);
	hear_head(o);
	say(o, BUSY);
	o = origin_accept(1);
	head_has(hear_head(o), "GET /a HTTP/1.1");
	say(o, OK(2) "hi");
	head_has(hear_head(c), "HTTP/1.1 200 ");
	hear(c, "hi");
	assert_int_equal(counted(retries), 1);
	bench_close();
}

/* The last answer is given as it is. */
static void tries_end(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with((struct options){.servers = 2},
		  (struct sluice_how){.retries = 1, .retry = SLUICE_RETRY_5XX});
	c = client_open();
	say(c, GET("/"));
	for (unsigned i = 0; i < 2; i++) {
		o = origin_accept(i);
		hear_head(o);
		say(o, BUSY);
	}
	head_has(hear_head(c), "HTTP/1.1 503 Busy");
	assert_int_equal(counted(retries), 1);
	bench_close();
}

static void unasked_for_no_second_try(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with((struct options){.servers = 2, .retries = 1}, HOW(.retry = SLUICE_RETRY_RESET));
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, BUSY);
	head_has(hear_head(c), "HTTP/1.1 503 Busy");
	bench_close();
}

static void posts_are_not_repeated(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with((struct options){.servers = 2, .retries = 1},
		  HOW(.retry = SLUICE_RETRY_GATEWAY | SLUICE_RETRY_RESET));
	c = client_open();
	say(c, POST);
	o = origin_accept(0);
	hear_head(o);
	hear(o, "abc");
	peer_abort(o);
	head_has(hear_head(c), "HTTP/1.1 502 ");
	assert_int_equal(counted(retries), 0);
	bench_close();
}

/* PUT is idempotent, but its body is gone: it went to the first server. */
static void bodies_that_went_are_not_repeated(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with((struct options){.servers = 2, .retries = 1}, HOW(.retry = SLUICE_RETRY_RESET));
	c = client_open();
	say(c, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
	o = origin_accept(0);
	hear_head(o);
	hear(o, "abc");
	peer_abort(o);
	head_has(hear_head(c), "HTTP/1.1 502 ");
	bench_close();
}

static void reset_is_tried_elsewhere(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with((struct options){.servers = 2, .retries = 1}, HOW(.retry = SLUICE_RETRY_RESET));
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	peer_abort(o);
	o = origin_accept(1);
	hear_head(o);
	say(o, OK(0));
	head_has(hear_head(c), "HTTP/1.1 200 ");
	bench_close();
}

/* A byte of an answer was seen: it is this one, or none. */
static void begun_answers_are_not_repeated(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with((struct options){.servers = 2, .retries = 1}, HOW(.retry = SLUICE_RETRY_RESET));
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(10) "abc");
	hear_head(c);
	hear(c, "abc");
	peer_abort(o);
	hear_cut(c);
	assert_int_equal(counted(retries), 0);
	bench_close();
}

static void timeout_is_tried_elsewhere(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with((struct options){.servers = 2, .retries = 1},
		  HOW(.first_byte_ms = 100, .retry = SLUICE_RETRY_TIMEOUT));
	c = client_open();
	say(c, GET("/"));
	hear_reset((o = origin_accept(0), hear_head(o), o));
	o = origin_accept(1);
	hear_head(o);
	say(o, OK(0));
	head_has(hear_head(c), "HTTP/1.1 200 ");
	assert_int_equal(counted(timeouts_response), 1);
	bench_close();
}

/* One retry at a time in the group: the second exchange gets what it got. */
static void retries_are_bounded(void **state)
{
	struct options options = {.servers = 2, .retries = 1, .limits.retries = 1};
	struct peer *c[2], *o[2], *again;

	(void)state;
	open_with(options, HOW(.retry = SLUICE_RETRY_GATEWAY));
	for (unsigned i = 0; i < 2; i++) {
		c[i] = client_open();
		say(c[i], GET("/"));
		o[i] = origin_accept(i);
		hear_head(o[i]);
	}
	say(o[0], BUSY);
	again = origin_accept(1);
	hear_head(again);
	say(o[1], BUSY);
	head_has(hear_head(c[1]), "HTTP/1.1 503 Busy");
	assert_int_equal(counted(retries_refused), 1);
	say(again, OK(0));
	head_has(hear_head(c[0]), "HTTP/1.1 200 ");
	bench_close();
}

/* --- times ------------------------------------------------------------------------- */

static void total_time_is_bounded(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with((struct options){.servers = 1}, HOW(.total_ms = 300));
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(10) "a");
	hear_head(c);
	bench_run_ms(200);
	say(o, "b");
	hear(c, "ab");
	hear_cut(c);
	hear_reset(o);
	assert_int_equal(counted(timeouts_total), 1);
	bench_close();
}

static void total_time_before_an_answer(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with((struct options){.servers = 1}, HOW(.total_ms = 300));
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	head_has(hear_head(c), "HTTP/1.1 504 ");
	hear_reset(o);
	bench_close();
}

static void own_connect_time(void **state)
{
	struct peer *c;
	uint64_t began;

	(void)state;
	open_with((struct options){.connect_ms = 2000}, (struct sluice_how){.connect_ms = 200});
	c = client_open();
	say(c, GET("/"));
	bench.deaf = true;
	began = bench.now_us;
	until(counted(origin_connect_failed) == 1);
	assert_in_range(bench.now_us - began, 150000, 300000);
	bench.deaf = false;
	head_has(hear_head(c), "HTTP/1.1 502 ");
	bench_close();
}

/* --- hedges ------------------------------------------------------------------------ */

static void second_server_answers_first(void **state)
{
	struct peer *c, *slow, *fast;

	(void)state;
	open_with((struct options){.servers = 2, .retries = 1}, HOW(.hedge_ms = 50));
	c = client_open();
	say(c, GET("/a"));
	slow = origin_accept(0);
	hear_head(slow);
	fast = origin_accept(1);
	head_has(hear_head(fast), "GET /a HTTP/1.1");
	say(fast, OK(2) "hi");
	head_has(hear_head(c), "HTTP/1.1 200 ");
	hear(c, "hi");
	hear_reset(slow);
	assert_int_equal(counted(hedges), 1);
	assert_int_equal(counted(hedges_won), 1);
	bench_close();
}

static void first_server_answers_after_all(void **state)
{
	struct peer *c, *first, *second;

	(void)state;
	open_with((struct options){.servers = 2, .retries = 1}, HOW(.hedge_ms = 50));
	c = client_open();
	say(c, GET("/"));
	first = origin_accept(0);
	hear_head(first);
	second = origin_accept(1);
	hear_head(second);
	say(first, OK(2) "hi");
	head_has(hear_head(c), "HTTP/1.1 200 ");
	hear(c, "hi");
	hear_reset(second);
	assert_int_equal(counted(hedges_won), 0);
	bench_close();
}

static void first_server_dies(void **state)
{
	struct peer *c, *first, *second;

	(void)state;
	open_with((struct options){.servers = 2, .retries = 1}, HOW(.hedge_ms = 50));
	c = client_open();
	say(c, GET("/"));
	first = origin_accept(0);
	hear_head(first);
	second = origin_accept(1);
	hear_head(second);
	peer_abort(first);
	bench_run_ms(20);
	say(second, OK(0));
	head_has(hear_head(c), "HTTP/1.1 200 ");
	bench_close();
}

static void quick_answers_and_posts_are_not_hedged(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with((struct options){.servers = 1, .retries = 1}, HOW(.hedge_ms = 50));
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	hear_head(c);
	say(c, POST);
	hear_head(o);
	hear(o, "abc");
	bench_run_ms(100);
	say(o, OK(0));
	hear_head(c);
	assert_int_equal(counted(hedges), 0);
	bench_close();
}

static void client_leaves_a_hedge(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with((struct options){.servers = 2, .retries = 1}, HOW(.hedge_ms = 50));
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	hear_head(origin_accept(1));
	peer_abort(c);
	hear_reset(o);
	bench_close();
}

/* --- in line ------------------------------------------------------------------------ */

static const struct options bounded = {.server_connections = 1,
				       .limits = {.pending = 1, .pending_ms = 400}};

static void next_in_line_comes_on(void **state)
{
	struct peer *a, *b, *c, *o;

	(void)state;
	bench_open(&bounded);
	a = client_open();
	say(a, GET("/a"));
	o = origin_accept(0);
	head_has(hear_head(o), "GET /a ");
	b = client_open();
	say(b, GET("/b"));
	until(counted(line_entered) == 1);
	c = client_open();
	say(c, GET("/c"));
	head_has(hear_head(c), "HTTP/1.1 503 "); /* the line is full */
	assert_false(origin_has_new(0));
	say(o, OK(0));
	head_has(hear_head(a), "HTTP/1.1 200 ");
	head_has(hear_head(o), "GET /b "); /* on the same connection */
	say(o, OK(0));
	head_has(hear_head(b), "HTTP/1.1 200 ");
	bench_close();
}

static void line_is_not_for_ever(void **state)
{
	struct peer *a, *b, *o;

	(void)state;
	bench_open(&bounded);
	a = client_open();
	say(a, GET("/a"));
	o = origin_accept(0);
	hear_head(o);
	b = client_open();
	say(b, GET("/b"));
	head_has(hear_head(b), "HTTP/1.1 503 ");
	assert_int_equal(counted(line_timeouts), 1);
	say(o, OK(0));
	head_has(hear_head(a), "HTTP/1.1 200 ");
	bench_close();
}

static void who_leaves_the_line_is_gone(void **state)
{
	struct peer *a, *b, *o;

	(void)state;
	bench_open(&bounded);
	a = client_open();
	say(a, GET("/a"));
	o = origin_accept(0);
	hear_head(o);
	b = client_open();
	say(b, GET("/b"));
	until(counted(line_entered) == 1);
	peer_abort(b);
	bench_run_ms(20);
	say(o, OK(0));
	head_has(hear_head(a), "HTTP/1.1 200 ");
	hear_nothing(o, 50);
	bench_close();
}

static void full_servers_give_way(void **state)
{
	struct options options = bounded;
	struct peer *c[2];

	(void)state;
	options.servers = 2;
	bench_open(&options);
	for (unsigned i = 0; i < 2; i++) {
		c[i] = client_open();
		say(c[i], GET("/"));
		hear_head(origin_accept(i));
	}
	assert_int_equal(counted(line_entered), 0);
	peer_abort(c[0]);
	peer_abort(c[1]);
	bench_close();
}

/* --- kept connections ----------------------------------------------------------------- */

/* A first request that cannot be repeated does not risk a connection that may be closing. */
static void first_posts_have_their_own(void **state)
{
	static const struct options plain;
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	hear_head(c);
	say(c, POST); /* not the first: the kept one */
	hear_head(o);
	hear(o, "abc");
	say(o, OK(0));
	hear_head(c);
	c = client_open();
	say(c, POST);
	o = origin_accept(0);
	hear_head(o);
	hear(o, "abc");
	say(o, OK(0));
	hear_head(c);
	bench_close();
}

/* NTLM authenticates the connection: the next client has another one. */
static void authenticated_connections_are_not_shared(void **state)
{
	static const struct options plain;
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	for (unsigned i = 0; i < 3; i++) {
		c = client_open();
		say(c, i < 2 ? "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: NTLM abc\r\n\r\n"
			     : GET("/"));
		o = origin_accept(0);
		hear_head(o);
		say(o, i ? OK(0)
			 : "HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\n"
			   "Content-Length: 0\r\n\r\n");
		hear_head(c);
		if (i < 2)
			hear_end(o);
	}
	say(c, GET("/"));
	hear_head(o); /* what anybody may use is kept */
	say(o, OK(0));
	hear_head(c);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_is_tried_elsewhere),
		cmocka_unit_test(tries_end),
		cmocka_unit_test(unasked_for_no_second_try),
		cmocka_unit_test(posts_are_not_repeated),
		cmocka_unit_test(bodies_that_went_are_not_repeated),
		cmocka_unit_test(reset_is_tried_elsewhere),
		cmocka_unit_test(begun_answers_are_not_repeated),
		cmocka_unit_test(timeout_is_tried_elsewhere),
		cmocka_unit_test(retries_are_bounded),
		cmocka_unit_test(total_time_is_bounded),
		cmocka_unit_test(total_time_before_an_answer),
		cmocka_unit_test(own_connect_time),
		cmocka_unit_test(second_server_answers_first),
		cmocka_unit_test(first_server_answers_after_all),
		cmocka_unit_test(first_server_dies),
		cmocka_unit_test(quick_answers_and_posts_are_not_hedged),
		cmocka_unit_test(client_leaves_a_hedge),
		cmocka_unit_test(next_in_line_comes_on),
		cmocka_unit_test(line_is_not_for_ever),
		cmocka_unit_test(who_leaves_the_line_is_gone),
		cmocka_unit_test(full_servers_give_way),
		cmocka_unit_test(first_posts_have_their_own),
		cmocka_unit_test(authenticated_connections_are_not_shared),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
