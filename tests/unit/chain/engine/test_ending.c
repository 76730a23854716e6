/* SPDX-License-Identifier: BSD-3-Clause */
/* What functions are told of the end: why, when, how much; and bodies that change their length. */
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

#define HEADS (ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD | ENGINE_HOOK_DONE)

static const struct options one = {.path = 1};

static const struct sluice_end *end_of(unsigned i)
{
	return &bench.fakes[i]->last[SLUICE_DOWN_DONE].end;
}

static void test_complete(void **state)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	const struct sluice_end *end;
	struct peer *c, *o;

	(void)state;
	bench_open(&one);
	c = client_open();
	say(c, "GET / HTTP/1.1\r\n");
	bench_run_ms(20);
	say(c, request + strlen("GET / HTTP/1.1\r\n"));
	o = origin_accept(0);
	hear_head(o);
	bench_run_ms(30);
	say(o, OK(5) "hello");
	hear_head(c);
	hear(c, "hello");
	bench_run_ms(5);
	end = end_of(0);
	assert_int_equal(end->why, SLUICE_ENDING_COMPLETE);
	assert_int_equal(end->status, 200);
	assert_int_equal(end->flags, 0);
	assert_int_equal(end->group, 0);
	assert_int_not_equal(end->server, SLUICE_NONE16);
	assert_int_equal(end->received_bytes, strlen(request));
	assert_int_equal(end->sent_bytes - end->sent_head_bytes, 5);
	assert_true(end->sent_head_bytes > 30);
	assert_true(end->head_us >= 19000 && end->head_us < 30000);
	assert_true(end->connect_us <= end->ask_us);
	assert_true(end->ask_us + 29000 <= end->reply_us);
	assert_true(end->reply_us <= end->total_us);
	/* The next one over the same connections. */
	say(c, request);
	hear_head(o);
	say(o, OK(0));
	hear_head(c);
	bench_run_ms(5);
	assert_int_equal(end_of(0)->flags, SLUICE_END_REUSED);
	assert_int_equal(end_of(0)->head_us, 0);
	bench_close();
}

static void test_client_gone(void **state)
{
	struct peer *c;

	(void)state;
	bench_open(&one);
	c = client_open();
	say(c, GET("/"));
	hear_head(origin_accept(0));
	peer_abort(c);
	bench_run_ms(20);
	assert_int_equal(end_of(0)->why, SLUICE_ENDING_CLIENT_GONE);
	assert_int_equal(end_of(0)->status, 0);
	assert_int_equal(end_of(0)->reply_us, SLUICE_NEVER_US);
	assert_int_equal(bench.fakes[0]->resets, 1);
	bench_close();
}

static void test_origin_cut(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&one);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(10) "hel");
	peer_shut(o);
	hear_head(c);
	hear_cut(c);
	bench_run_ms(5);
	assert_int_equal(end_of(0)->why, SLUICE_ENDING_ORIGIN_CUT);
	assert_int_equal(end_of(0)->status, 200);
	bench_close();
}

/* --- another length ------------------------------------------------------------------- */

static void resize(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_PASS);

	if (down->kind == SLUICE_DOWN_RESPONSE_HEAD) {
		up.flags = SLUICE_UP_RESIZE;
		fake_say(fake, &up);
	} else if (down->kind == SLUICE_DOWN_RESPONSE_BODY && down->slices) {
		up = fake_answer(down, SLUICE_REPLACE);
		up.slice[0] = fake_slice(fake, 0, "longer than it was", 18, 1);
		up.slices = 1;
		fake_say(fake, &up);
	} else {
		fake_pass(fake, down);
	}
}

static void test_resize(void **state)
{
	struct options options = {.path = 1, .no_functions_up = true};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	fake_up(0, HEADS | ENGINE_HOOK_RESPONSE_BODY)->on = resize;
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(2) "hi");
	head_has(hear_head(c), "Transfer-Encoding: chunked\r\n");
	hear(c, "12\r\nlonger than it was\r\n0\r\n\r\n");
	bench_run_ms(5);
	assert_int_equal(counted(offences), 0);
	assert_int_equal(end_of(0)->why, SLUICE_ENDING_COMPLETE);
	/* The connections go on. */
	say(c, GET("/next"));
	hear(o, GET("/next"));
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_client_gone),
		cmocka_unit_test(test_origin_cut),
		cmocka_unit_test(test_resize),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
