/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies of which something came with their head: as those that came after it. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

#define HEAD "HTTP/1.1 200 OK\r\nX-Origin: 1\r\nContent-Length: 20\r\n\r\n"
#define BODY "twenty bytes of body"

static const struct options plain;
static const struct options one = {.path = 1, .no_functions_up = true};

/* Of which function: the answer's body. */
static struct fake *f(void)
{
	return bench.fakes[0];
}

static void answer_is_heard(struct peer *c)
{
	head_has(hear_head(c), "Content-Length: 20\r\n");
	hear(c, BODY);
}

/* Wherever what comes at once ends: in the head, between both, in the body, or nowhere. */
static void answers_in_two(void)
{
	static const char answer[] = HEAD BODY;
	struct peer *c = client_open(), *o = NULL;

	for (size_t cut = 1; cut < sizeof(answer); cut++) {
		say(c, GET("/"));
		if (!o)
			o = origin_accept(0);
		hear_head(o);
		say_bytes(o, answer, cut);
		bench_run_ms(2);
		say_bytes(o, answer + cut, sizeof(answer) - 1 - cut);
		answer_is_heard(c);
		assert_int_equal(counted(payload_referenced_bytes), cut * 20);
	}
	assert_int_equal(counted(payload_copied_bytes), 0);
	assert_int_equal(counted(origin_opened), 1);
	assert_int_equal(counted(responses), sizeof(answer) - 1);
}

static void test_wherever_it_is_cut(void **state)
{
	(void)state;
	bench_open(&plain);
	answers_in_two();
	bench_check_idle();
	bench_close();
}

static void test_shown_to_a_function(void **state)
{
	(void)state;
	bench_open(&one);
	fake_up(0, ENGINE_HOOK_RESPONSE_BODY);
	answers_in_two();
	assert_int_equal(f()->body_len[1], 20 * (strlen(HEAD BODY)));
	assert_memory_equal(f()->body[1], BODY BODY, 40);
	bench_close();
}

/* More of it follows. */
static void test_begin_of_a_long_one(void **state)
{
	struct peer *c, *o;
	size_t len = 300000;
	char head[64];

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
	say(o, head);
	say_pattern(o, 7, len);
	hear_head(c);
	hear_pattern(c, 7, len);
	assert_int_equal(counted(payload_referenced_bytes), len);
	bench_check_idle();
	bench_close();
}

/* What is beyond its end belongs to nobody, and its connection is not used again. */
static void test_more_than_was_said(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, HEAD BODY "HTTP/1.1 200 OK\r\n");
	answer_is_heard(c);
	hear_nothing(c, 5);
	say(c, GET("/"));
	hear_head(origin_accept(0));
	bench_close();
}

/* A head without the body that it tells of: none is expected, none is taken. */
static void test_length_without_body(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
	o = origin_accept(0);
	hear_head(o);
	say(o, HEAD);
	head_has(hear_head(c), "Content-Length: 20\r\n");
	say(c, GET("/"));
	until(origin_has_new(0) || o->in_len);
	bench_destroy();
}

static void hold_answer(struct fake *fake, const struct sluice_down *down)
{
	if (down->kind == SLUICE_DOWN_RESPONSE_HEAD)
		fake_hold(fake, down);
	else
		fake_pass(fake, down);
}

/* Nobody is left to have it: while a function looks at its head. */
static void test_client_goes_meanwhile(void **state)
{
	struct peer *c, *o;
	struct sluice_up up;

	(void)state;
	bench_open(&one);
	fake_up(0, ENGINE_HOOK_RESPONSE_HEAD | ENGINE_HOOK_DONE);
	f()->on = hold_answer;
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, HEAD BODY);
	until(f()->heads[1] == 1);
	peer_abort(c);
	until(f()->dones == 1);
	up = fake_answer(&f()->last[SLUICE_DOWN_RESPONSE_HEAD], SLUICE_PASS);
	fake_say(f(), &up);
	bench_run_ms(5);
	bench_close();
}

/* A reader that does not read gets one body after the other only as there is room for it. */
static void test_room_is_kept(void **state)
{
	struct options small = {.send_kb = 8};
	struct peer *c, *o;
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1100\r\n\r\n";
	char answer[sizeof(head) - 1 + 1100];
	unsigned asked = 0;

	(void)state;
	bench_open(&small);
	c = client_open();
	peer_pause(c, true);
	for (unsigned i = 0; i < 400; i++)
		say(c, GET("/"));
	memset(answer, 'b', sizeof(answer));
	memcpy(answer, head, sizeof(head) - 1);
	o = origin_accept(0);
	for (unsigned ms = 0; ms < 2000; ms++) {
		bench_run_ms(1);
		if (o->in_len) {
			hear_head(o);
			say_bytes(o, answer, sizeof(answer));
			asked++;
		}
	}
	assert_in_range(asked, 2, 399);
	peer_pause(c, false);
	for (; asked < 400; asked++) {
		hear_head(o);
		say_bytes(o, answer, sizeof(answer));
	}
	until(counted(responses) == 400);
	bench_destroy();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wherever_it_is_cut),
		cmocka_unit_test(test_shown_to_a_function),
		cmocka_unit_test(test_begin_of_a_long_one),
		cmocka_unit_test(test_more_than_was_said),
		cmocka_unit_test(test_length_without_body),
		cmocka_unit_test(test_client_goes_meanwhile),
		cmocka_unit_test(test_room_is_kept),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
