/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests that a function answers because of their body. */
#include <string.h>

#include "tests/unit/chain/engine/bench.h"
#include "tests/unit/chain/engine/bench_internal.h"

#define HOOKS                                                                              \
	(ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD | ENGINE_HOOK_REQUEST_BODY | \
	 ENGINE_HOOK_DONE)
#define POST(length) "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " #length "\r\n\r\n"

static struct sluice_down piece[BENCH_FUNCTIONS]; /* the oldest that each has not answered */

static struct fake *f(unsigned i)
{
	return bench.fakes[i];
}

static void open_with(uint32_t hooks)
{
	struct options options = {.path = 2, .no_functions_up = true};

	bench_open(&options);
	fake_up(0, hooks);
	fake_up(1, hooks);
}

static void open_two(void)
{
	open_with(HOOKS);
}

static struct sluice_up refusal(struct fake *fake, const struct sluice_down *down, uint32_t tag)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	up.status = 403;
	up.respond.body_bytes = 2;
	up.flags = SLUICE_UP_END;
	up.slices = 1;
	up.respond.slice = fake_slice(fake, 64, "no", 2, tag);
	return up;
}

static bool is_request_piece(const struct sluice_down *down)
{
	return down->kind == SLUICE_DOWN_REQUEST_BODY;
}

/* Answers the second piece of a request; those after it pass. */
static void refuse_second(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = refusal(fake, down, 42);
	struct edits edits = {.len = 0};

	if (!is_request_piece(down) || fake->pieces[0] != 2) {
		fake_pass(fake, down);
		return;
	}
	edit_add(&edits, SLUICE_EDIT_ADD, "X-Rule", "7");
	fake_say_text(fake, up, edits.bytes, edits.len);
}

/* Keeps pieces of requests. */
static void keep(struct fake *fake, const struct sluice_down *down)
{
	if (is_request_piece(down))
		piece[fake->function] = *down;
	else
		fake_pass(fake, down);
}

static void hear_no(struct peer *c)
{
	head_has(hear_head(c), "HTTP/1.1 403 Forbidden\r\n");
	hear(c, "no");
}

static void test_second_piece(void **state)
{
	struct peer *c, *o;
	const char *head;

	(void)state;
	open_two();
	f(0)->on = refuse_second;
	c = client_open();
	say(c, POST(30) "0123456789");
	o = origin_accept(0);
	hear_head(o);
	hear(o, "0123456789");
	say(c, "0123456789");
	head = hear_head(c);
	head_has(head, "HTTP/1.1 403 Forbidden\r\n");
	head_has(head, "X-Rule: 7\r\n");
	head_has(head, "Content-Length: 2\r\n");
	head_lacks(head, "Connection: close\r\n");
	hear(c, "no");
	hear_reset(o); /* it never gets the whole of it */
	until(f(0)->releases == 1);
	assert_true(fake_was_released(f(0), 42));
	say(c, "0123456789"); /* read and thrown away */
	until(f(1)->dones == 1);
	assert_int_equal(f(1)->resets, 1); /* it waits for an answer that does not come */
	assert_int_equal(f(0)->resets, 0);
	assert_int_equal(f(1)->body_len[0], 10);
	assert_int_equal(counted(responses_function), 1);
	assert_int_equal(counted(exchanges_failed), 0);
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	say(c, GET("/next"));
	o = origin_accept(0); /* another connection */
	hear_head(o);
	say(o, OK(2) "ok");
	hear_head(c);
	hear(c, "ok");
	bench_close();
}

/* The last piece: the request is whole, and no byte is left to be thrown away. */
static void test_last_piece(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_two();
	f(1)->on = refuse_second;
	c = client_open();
	say(c, POST(20) "0123456789");
	o = origin_accept(0);
	hear_head(o);
	hear(o, "0123456789");
	say(c, "0123456789");
	hear_no(c);
	hear_reset(o);
	until(f(0)->dones == 1 && f(1)->releases == 1);
	assert_int_equal(f(0)->heads[1], 1); /* it was shown this answer as any other */
	assert_int_equal(f(0)->resets + f(1)->resets, 0);
	bench_check_idle();
	bench_close();
}

/* The function before still looks at what comes next: it answers later, and that goes nowhere. */
static void test_others_look_on(void **state)
{
	struct peer *c, *o;
	struct sluice_up up;

	(void)state;
	open_two();
	f(1)->on = keep;
	c = client_open();
	say(c, POST(30) "0123456789");
	o = origin_accept(0);
	hear_head(o);
	until(f(1)->pieces[0] == 1);
	f(0)->on = keep;
	say(c, "0123456789");
	until(f(0)->pieces[0] == 2);
	up = refusal(f(1), &piece[1], 1);
	fake_say(f(1), &up);
	hear_no(c);
	hear_reset(o);
	say(c, "0123456789");
	until(f(0)->dones == 1);
	/* By the ring, it is not known yet that it has heard its end. */
	assert_int_equal(engine_exchanges(bench.engine), f(0)->called ? 0 : 1);
	up = fake_answer(&piece[0], SLUICE_PASS);
	fake_say(f(0), &up);
	until(engine_exchanges(bench.engine) == 0);
	assert_int_equal(f(0)->pieces[0], 2);
	assert_int_equal(f(1)->pieces[0], 1);
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

/* More than is worth reading: the answer is given, and the connection ends. */
static void test_endless(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_two();
	f(0)->on = refuse_second;
	c = client_open();
	say(c, POST(100000000) "0123456789");
	o = origin_accept(0);
	hear_head(o);
	hear(o, "0123456789");
	say_pattern(c, 1, 2 << 20);
	head_has(hear_head(c), "Connection: close\r\n");
	hear(c, "no");
	hear_reset(o);
	until(c->ended || c->closed);
	bench_run_ms(3000);
	bench_check_idle();
	bench_close();
}

/* Its answer may be longer than its verdict. */
static void test_goes_on(void **state)
{
	struct sluice_up up;
	struct peer *c, *o;

	(void)state;
	open_two();
	f(0)->on = keep;
	c = client_open();
	say(c, POST(10) "01234");
	o = origin_accept(0);
	hear_head(o);
	until(f(0)->pieces[0] == 1);
	up = refusal(f(0), &piece[0], 1);
	up.respond.body_bytes = SLUICE_LENGTH_UNKNOWN;
	up.flags = 0;
	fake_say(f(0), &up);
	head_has(hear_head(c), "Transfer-Encoding: chunked\r\n");
	hear(c, "2\r\nno");
	up = fake_answer(&piece[0], SLUICE_PASS);
	up.kind = SLUICE_UP_EMIT;
	up.piece = 0;
	up.slices = 1;
	up.slice[0] = fake_slice(f(0), 128, "body", 4, 2);
	up.flags = SLUICE_UP_END;
	fake_say(f(0), &up);
	hear(c, "\r\n4\r\nbody\r\n0\r\n\r\n");
	say(c, "56789");
	until(f(0)->releases == 2 && f(0)->dones == 1);
	assert_int_equal(counted(offences), 0);
	bench_close();
}

/* Two refuse the same request: the first one that is heard counts. */
static void test_both(void **state)
{
	struct sluice_up up;
	struct peer *c, *o;

	(void)state;
	open_two();
	f(1)->on = keep;
	c = client_open();
	say(c, POST(30) "0123456789");
	o = origin_accept(0);
	hear_head(o);
	until(f(1)->pieces[0] == 1);
	f(0)->on = keep;
	say(c, "0123456789");
	until(f(0)->pieces[0] == 2);
	up = refusal(f(1), &piece[1], 1);
	fake_say(f(1), &up);
	hear_no(c);
	up = refusal(f(0), &piece[0], 2);
	up.status = 451;
	up.flags = 0;
	up.respond.body_bytes = 4;
	fake_say(f(0), &up);
	up = fake_answer(&piece[0], SLUICE_PASS);
	up.kind = SLUICE_UP_EMIT;
	up.piece = 0;
	up.slices = 1;
	up.slice[0] = fake_slice(f(0), 128, "no", 2, 3);
	fake_say(f(0), &up);
	until(f(0)->releases == 2);
	say(c, "0123456789");
	until(f(0)->dones == 1);
	assert_int_equal(f(0)->resets, 1); /* its own did not go out */
	assert_int_equal(f(1)->resets, 0);
	assert_int_equal(counted(answers_late), 2);
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	say(c, GET("/"));
	hear_head(origin_accept(0));
	bench_close();
}

/* --- too late -------------------------------------------------------------------- */

/* The client has the origin's head already. */
static void test_answer_begun(void **state)
{
	struct sluice_up up;
	struct peer *c, *o;

	(void)state;
	open_two();
	f(0)->on = keep;
	c = client_open();
	say(c, POST(10) "01234");
	o = origin_accept(0);
	hear_head(o);
	until(f(0)->pieces[0] == 1);
	say(o, OK(10) "hello");
	hear_head(c);
	up = refusal(f(0), &piece[0], 9);
	fake_say(f(0), &up);
	hear(c, "hello");
	hear_cut(c);
	hear_reset(o);
	until(f(0)->dones == 1 && f(0)->releases == 1);
	assert_int_equal(f(0)->resets, 1);
	assert_int_equal(f(0)->last[SLUICE_DOWN_DONE].end.why, SLUICE_ENDING_FUNCTION_RESET);
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

static void keep_heads(struct fake *fake, const struct sluice_down *down)
{
	if (down->kind != SLUICE_DOWN_RESPONSE_HEAD)
		fake_pass(fake, down);
}

/* A function looks at the origin's head: the client hears the status. */
static void test_answer_on_its_way(void **state)
{
	struct sluice_up up;
	struct peer *c, *o;

	(void)state;
	open_two();
	f(0)->on = keep;
	f(1)->on = keep_heads;
	c = client_open();
	say(c, POST(10) "01234");
	o = origin_accept(0);
	hear_head(o);
	until(f(0)->pieces[0] == 1);
	say(o, OK(10) "hello");
	until(f(1)->heads[1] == 1);
	up = refusal(f(0), &piece[0], 9);
	fake_say(f(0), &up);
	head_has(hear_head(c), "HTTP/1.1 403 Forbidden\r\n");
	hear_reset(o);
	until(f(0)->releases == 1);
	up = fake_answer(&f(1)->last[SLUICE_DOWN_RESPONSE_HEAD], SLUICE_PASS);
	fake_say(f(1), &up);
	bench_run_ms(5);
	assert_int_equal(counted(offences), 0);
	bench_close();
}

/* --- what is no answer to a piece -------------------------------------------------- */

static void offends(enum sluice_down_kind kind, struct sluice_up *up)
{
	up->exchange = f(0)->last[kind].exchange;
	up->generation = f(0)->last[kind].generation;
	up->piece = f(0)->last[kind].arg;
	fake_say(f(0), up);
	until(counted(offences) == 1);
	assert_int_equal(counted(offences_verdict), 1);
}

static void refuse_wrongly(void (*spoil)(struct sluice_up *up))
{
	struct sluice_up up;
	struct peer *c;

	open_two();
	f(0)->on = keep;
	c = client_open();
	say(c, POST(10) "01234");
	hear_head(origin_accept(0));
	until(f(0)->pieces[0] == 1);
	up = refusal(f(0), &piece[0], 9);
	spoil(&up);
	offends(SLUICE_DOWN_REQUEST_BODY, &up);
	head_has(hear_head(c), "HTTP/1.1 502 ");
	bench_run_ms(5);
	bench_close();
}

static void no_status(struct sluice_up *up)
{
	up->status = 199;
}

static void too_long(struct sluice_up *up)
{
	up->respond.slice.len = UINT32_MAX;
}

static void two_slices(struct sluice_up *up)
{
	up->slices = 2;
}

static void no_such_flag(struct sluice_up *up)
{
	up->flags = SLUICE_UP_MORE;
}

static void test_offences(void **state)
{
	(void)state;
	refuse_wrongly(no_status);
	refuse_wrongly(too_long);
	refuse_wrongly(two_slices);
	refuse_wrongly(no_such_flag);
}

static void keep_answers(struct fake *fake, const struct sluice_down *down)
{
	if (down->kind != SLUICE_DOWN_RESPONSE_BODY)
		fake_pass(fake, down);
}

static void test_of_an_answer(void **state)
{
	struct sluice_up up;
	struct peer *c, *o;

	(void)state;
	open_with(HOOKS | ENGINE_HOOK_RESPONSE_BODY);
	f(0)->on = keep_answers;
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(10) "hello");
	until(f(0)->pieces[1] == 1);
	up = refusal(f(0), &f(0)->last[SLUICE_DOWN_RESPONSE_BODY], 9);
	offends(SLUICE_DOWN_RESPONSE_BODY, &up);
	hear_head(c);
	hear_cut(c);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_piece),   cmocka_unit_test(test_last_piece),
		cmocka_unit_test(test_others_look_on), cmocka_unit_test(test_endless),
		cmocka_unit_test(test_goes_on),        cmocka_unit_test(test_both),
		cmocka_unit_test(test_answer_begun),   cmocka_unit_test(test_answer_on_its_way),
		cmocka_unit_test(test_offences),       cmocka_unit_test(test_of_an_answer),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
