/* SPDX-License-Identifier: BSD-3-Clause */
/* Heads through functions: order, edits, choices, and who is told what. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

#define HEADS (ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD)

static const struct options two = {.path = 2};

static struct fake *f(unsigned i)
{
	return bench.fakes[i];
}

static struct sluice_down held; /* the last descriptor a holder was given */

static void hold(struct fake *fake, const struct sluice_down *down)
{
	(void)fake;
	held = *down;
}

static void test_two_functions(void **state)
{
	struct peer *c, *o = NULL;

	(void)state;
	bench_open(&two);
	c = client_open();
	for (unsigned i = 1; i <= 3; i++) {
		say(c, GET("/"));
		o = o ? o : origin_accept(0);
		hear(o, GET("/"));
		say(o, OK(2) "hi");
		hear_head(c);
		hear(c, "hi");
		bench_run_ms(5);
		for (unsigned k = 0; k < 2; k++) {
			assert_int_equal(f(k)->heads[0], i);
			assert_int_equal(f(k)->heads[1], i);
			assert_int_equal(f(k)->dones, i);
			assert_int_equal(f(k)->resets, 0);
		}
	}
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

/* Functions 0 and 1 are for two kinds of requests, 2 is for all; within the first branch, 1 is left
 * out of what is not a POST. */
static void test_branches(void **state)
{
	static const struct conf_branch branches[] = {
		{.when = {.path = "^/api"}, .begin = 0, .middle = 2, .end = 3},
		{.when = {.method = "POST"}, .begin = 1, .middle = 2, .end = 2},
	};
	static const struct options options = {
		.path = 4, .branches = branches, .branches_count = 2};
	static const struct {
		const char *request;
		bool meets[4];
	} rows[] = {
		{GET("/api/1"), {true, false, false, true}},
		{"POST /api/1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n",
		 {true, true, false, true}},
		{GET("/"), {false, false, true, true}},
	};
	struct peer *c, *o = NULL;

	(void)state;
	bench_open(&options);
	c = client_open();
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned before[4];

		for (unsigned k = 0; k < 4; k++)
			before[k] = f(k)->heads[0];
		say(c, rows[i].request);
		o = o ? o : origin_accept(0);
		hear_head(o);
		say(o, OK(2) "hi");
		hear_head(c);
		hear(c, "hi");
		for (unsigned k = 0; k < 4; k++) {
			assert_int_equal(f(k)->heads[0], before[k] + rows[i].meets[k]);
			assert_int_equal(f(k)->heads[1], f(k)->heads[0]);
		}
	}
	bench_check_idle();
	bench_close();
}

/* --- the index ------------------------------------------------------------------- */

static void look(struct fake *fake, const struct sluice_down *down)
{
	const struct sluice_head *head = fake_head(fake, down);

	if (down->kind == SLUICE_DOWN_REQUEST_HEAD) {
		assert_int_equal(head->method, SLUICE_METHOD_POST);
		assert_string_equal(head_text(head, head->target), "/p?q=1");
		assert_string_equal(head_text(head, head->path), "/p");
		assert_string_equal(head_text(head, head->query), "q=1");
		assert_string_equal(head_text(head, head->host), "a.example");
		assert_string_equal(head_field(head, "x-one"), "1");
		assert_int_equal(head->body_bytes, 3);
		assert_int_equal(head->client.family, 4);
		assert_int_equal(head->client.bytes[3], 2);
		assert_int_equal(head->local.port, 80);
		assert_int_equal(head->group, SLUICE_NONE16);
		assert_int_equal(down->flags, 0);
	}
	if (down->kind == SLUICE_DOWN_RESPONSE_HEAD) {
		assert_int_equal(head->status, 201);
		assert_int_equal(head->method, SLUICE_METHOD_POST);
		assert_int_equal(head->local.port, 80);
		assert_int_equal(down->flags, SLUICE_DOWN_END);
	}
	fake_pass(fake, down);
}

static void test_index(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&two);
	f(0)->on = f(1)->on = look;
	c = client_open();
	say(c,
	    "POST /p?q=1 HTTP/1.1\r\nHost: a.example\r\nX-One: 1\r\nContent-Length: 3\r\n\r\nabc");
	o = origin_accept(0);
	hear_head(o);
	hear(o, "abc");
	say(o, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
	hear_head(c);
	assert_int_equal(f(1)->heads[1], 1);
	bench_close();
}

/* --- edits ----------------------------------------------------------------------- */

static void edit(struct fake *fake, const struct sluice_down *down)
{
	struct edits edits = {.len = 0};

	if (down->kind == SLUICE_DOWN_REQUEST_HEAD) {
		edit_add(&edits, SLUICE_EDIT_SET, "X-Set", fake->function ? "two" : "one");
		edit_add(&edits, SLUICE_EDIT_ADD, "X-Add", fake->function ? "two" : "one");
		edit_add(&edits, SLUICE_EDIT_REMOVE, "X-Gone", "");
		edit_add(&edits, SLUICE_EDIT_TARGET, "", "/new?x");
	} else if (down->kind == SLUICE_DOWN_RESPONSE_HEAD) {
		edit_add(&edits, SLUICE_EDIT_STATUS, "", "203");
		edit_add(&edits, SLUICE_EDIT_ADD, "X-Up", fake->function ? "two" : "one");
	} else {
		return;
	}
	fake_say_text(fake, fake_answer(down, SLUICE_PASS), edits.bytes, edits.len);
}

static void test_edits(void **state)
{
	struct peer *c, *o;
	const char *head;

	(void)state;
	bench_open(&two);
	f(0)->on = f(1)->on = edit;
	c = client_open();
	say(c, "GET /old HTTP/1.1\r\nHost: a\r\nX-Gone: 1\r\nX-Set: 0\r\n\r\n");
	o = origin_accept(0);
	hear(o, "GET /new?x HTTP/1.1\r\nHost: a\r\nX-Set: two\r\nX-Add: one\r\nX-Add: two\r\n\r\n");
	say(o, OK(0));
	head = hear_head(c);
	head_has(head, "HTTP/1.1 203 ");
	head_has(head, "X-Up: two\r\nX-Up: one\r\n");
	assert_int_equal(counted(offences), 0);
	bench_close();
}

/* Edits that a small slot cannot take move the head to a large one. */
static void edit_much(struct fake *fake, const struct sluice_down *down)
{
	struct edits edits = {.len = 0};
	char name[32], value[101];

	if (down->kind > SLUICE_DOWN_RESPONSE_BODY)
		return;
	memset(value, 'v', 100);
	value[100] = 0;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "X-%u-%u", fake->function, i);
		edit_add(&edits, SLUICE_EDIT_ADD, name, value);
	}
	fake_say_text(fake, fake_answer(down, SLUICE_PASS), edits.bytes, edits.len);
}

static const struct sluice_head *asked; /* of what the first function was shown last */
static uint16_t asked_group;

static void look_at_asked(struct fake *fake, const struct sluice_down *down)
{
	if (down->kind == SLUICE_DOWN_RESPONSE_HEAD) {
		asked = down->slice[0].ref
				? (const struct sluice_head *)region_resolve(
					  &bench.regions, down->slice[0].ref, sizeof(*asked))
				: NULL;
		asked_group = fake_head(fake, down)->group;
	}
	fake_pass(fake, down);
}

static void refuse_all(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	if (down->kind != SLUICE_DOWN_REQUEST_HEAD)
		return;
	up.status = 403;
	up.flags = SLUICE_UP_END;
	fake_say(fake, &up);
}

/* With an answer comes the request as the origin got it; with a function's there is none. */
static void test_asked(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&two);
	f(0)->on = look_at_asked;
	f(1)->on = edit;
	c = client_open();
	say(c, GET("/old"));
	o = origin_accept(0);
	head_has(hear_head(o), "GET /new?x HTTP/1.1\r\n");
	say(o, OK(2) "hi");
	hear_head(c);
	hear(c, "hi");
	assert_non_null(asked);
	assert_string_equal(head_text(asked, asked->target), "/new?x");
	assert_int_equal(asked_group, 0);
	f(1)->on = refuse_all;
	say(c, GET("/old"));
	head_has(hear_head(c), "HTTP/1.1 403 ");
	assert_null(asked);
	assert_int_equal(asked_group, SLUICE_NONE16);
	bench_close();
}

static void test_many_edits(void **state)
{
	struct peer *c, *o;
	const char *head;

	(void)state;
	bench_open(&two);
	f(0)->on = f(1)->on = edit_much;
	c = client_open();
	say(c, GET("/keep"));
	o = origin_accept(0);
	head = hear_head(o);
	head_has(head, "GET /keep HTTP/1.1\r\nHost: a.example\r\nX-0-0: ");
	head_has(head, "X-1-99: ");
	say(o, "HTTP/1.1 200 OK\r\nServer: here\r\nContent-Length: 0\r\n\r\n");
	head = hear_head(c);
	head_has(head, "Server: here\r\n");
	head_has(head, "X-0-99: ");
	head_has(head, "X-1-99: ");
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

/* --- leaving, holding, resetting ------------------------------------------------- */

static void leave(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_LEAVE);

	fake_say(fake, &up);
}

static void test_leave(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&two);
	f(0)->on = leave;
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	hear_head(c);
	bench_run_ms(5);
	assert_int_equal(f(0)->heads[1], 0);
	assert_int_equal(f(0)->dones, 0);
	assert_int_equal(f(1)->heads[1], 1);
	assert_int_equal(f(1)->dones, 1);
	bench_close();
}

static void test_hold(void **state)
{
	struct sluice_up up;
	struct peer *c, *o;

	(void)state;
	bench_open(&two);
	f(1)->on = hold;
	c = client_open();
	say(c, GET("/"));
	bench_run_ms(100);
	assert_false(origin_has_new(0));
	up = fake_answer(&held, SLUICE_PASS);
	fake_say(f(1), &up);
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	bench_run_ms(100);
	assert_int_equal(c->in_len, 0);
	assert_int_equal(held.kind, SLUICE_DOWN_RESPONSE_HEAD);
	up = fake_answer(&held, SLUICE_PASS);
	fake_say(f(1), &up);
	hear_head(c);
	bench_close();
}

/* The client goes while a function holds the head: what it reads stays until it has read on. */
static void test_hold_and_client_goes(void **state)
{
	struct sluice_up up;
	struct peer *c;

	(void)state;
	bench_open(&two);
	f(1)->on = hold;
	c = client_open();
	say(c, GET("/"));
	until(f(1)->heads[0] == 1);
	f(1)->stopped = true;
	peer_abort(c);
	bench_run_ms(50);
	assert_int_equal(engine_exchanges(bench.engine), 1);
	f(1)->stopped = false;
	until(engine_exchanges(bench.engine) == 0);
	assert_int_equal(f(1)->dones, 1);
	assert_int_equal(f(1)->resets, 1);
	held = f(1)->last[SLUICE_DOWN_REQUEST_HEAD];
	up = fake_answer(&held, SLUICE_PASS);
	fake_say(f(1), &up);
	bench_run_ms(5);
	assert_int_equal(counted(answers_late), 1);
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

static void reset_response(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(
		down, down->kind == SLUICE_DOWN_RESPONSE_HEAD ? SLUICE_RESET : SLUICE_PASS);

	if (down->kind <= SLUICE_DOWN_RESPONSE_BODY)
		fake_say(fake, &up);
}

static void reset_request(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESET);

	if (down->kind == SLUICE_DOWN_REQUEST_HEAD)
		fake_say(fake, &up);
}

static void test_reset(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&two);
	f(1)->on = reset_request;
	c = client_open();
	say(c, GET("/"));
	head_has(hear_head(c), "HTTP/1.1 502 ");
	hear(c, "502");
	bench_run_ms(5);
	c->in_len = 0;
	f(1)->on = reset_response;
	say(c, GET("/")); /* the connection lives on */
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	head_has(hear_head(c), "HTTP/1.1 502 ");
	bench_run_ms(5);
	assert_int_equal(counted(exchanges_reset_by_function), 2);
	assert_int_equal(f(0)->resets, 2);
	bench_check_idle();
	bench_close();
}

/* --- routes and picks ------------------------------------------------------------ */

static uint16_t choose_group, choose_server;

static void choose(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_PASS);

	if (down->kind == SLUICE_DOWN_REQUEST_HEAD) {
		up.group = choose_group;
		up.server = choose_server;
	}
	if (down->kind <= SLUICE_DOWN_RESPONSE_BODY)
		fake_say(fake, &up);
}

static void see_choice(struct fake *fake, const struct sluice_down *down)
{
	if (down->kind == SLUICE_DOWN_REQUEST_HEAD) {
		assert_int_equal(fake_head(fake, down)->group, choose_group);
		assert_int_equal(fake_head(fake, down)->server, choose_server);
	}
	fake_pass(fake, down);
}

static void exchange_at(unsigned origin)
{
	struct peer *c = client_open(), *o;

	say(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	o = origin_accept(origin);
	hear_head(o);
	say(o, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	hear_head(c);
	hear_end(c);
}

static void test_choices(void **state)
{
	struct options options = {.path = 2, .servers = 2, .groups = 2};

	(void)state;
	bench_open(&options);
	f(0)->on = choose;
	f(1)->on = see_choice;
	choose_group = 1;
	choose_server = SLUICE_NONE16;
	exchange_at(2);
	choose_group = 0;
	choose_server = 1;
	exchange_at(1);
	choose_server = 0;
	exchange_at(0);
	choose_server = SLUICE_NONE16; /* our own choice takes turns */
	exchange_at(0);
	exchange_at(1);
	exchange_at(0);
	choose_server = 77; /* not a place of the group: our own choice, and no lie (it may just
			       have changed) */
	exchange_at(1);
	assert_int_equal(counted(picks_unusable), 1);
	assert_int_equal(counted(offences), 0);
	bench_close();
}

static void test_no_route(void **state)
{
	struct options options = {.path = 1, .groups = 2};
	struct peer *c;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, GET("/"));
	head_has(hear_head(c), "HTTP/1.1 502 ");
	assert_int_equal(counted(no_route), 1);
	bench_close();
}

/* --- hooks and instances --------------------------------------------------------- */

static void test_hooks(void **state)
{
	struct options options = {.path = 3, .no_functions_up = true};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	fake_up(0, ENGINE_HOOK_REQUEST_HEAD);
	fake_up(1, ENGINE_HOOK_RESPONSE_HEAD | ENGINE_HOOK_DONE);
	fake_up(2, 0);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	hear_head(c);
	bench_run_ms(5);
	assert_int_equal(f(0)->heads[0], 1);
	assert_int_equal(f(0)->heads[1] + f(0)->dones, 0);
	assert_int_equal(f(1)->heads[0], 0);
	assert_int_equal(f(1)->heads[1], 1);
	assert_int_equal(f(1)->dones, 1);
	assert_int_equal(f(2)->heads[0] + f(2)->heads[1] + f(2)->dones, 0);
	bench_close();
}

/* Exchanges of one connection keep to one instance; many connections use all. */
static void test_instances(void **state)
{
	struct peer *c[16], *o = NULL;

	(void)state;
	bench_open(&two);
	fake_up(0, HEADS);
	for (unsigned i = 0; i < 16; i++) {
		unsigned before[2] = {f(0)->heads[0], f(2)->heads[0]};

		c[i] = client_open();
		say(c[i], GET("/1") GET("/2"));
		for (unsigned k = 0; k < 2; k++) {
			o = i + k ? o : origin_accept(0);
			hear_head(o);
			say(o, OK(0));
			hear_head(c[i]);
		}
		assert_true(f(0)->heads[0] == before[0] || f(2)->heads[0] == before[1]);
	}
	assert_true(f(0)->heads[0] > 0 && f(2)->heads[0] > 0);
	assert_int_equal(f(0)->heads[0] + f(2)->heads[0], 32);
	bench_close();
}

/* --- full rings ------------------------------------------------------------------ */

static void test_ring_full(void **state)
{
	struct options options = {.path = 2, .link_entries = 4};
	struct peer *c[24], *o;

	(void)state;
	bench_open(&options);
	f(1)->stopped = true;
	for (unsigned i = 0; i < 24; i++) {
		c[i] = client_open();
		say(c[i], GET("/"));
	}
	bench_run_ms(20);
	assert_true(counted(rings_full) >= 20);
	assert_int_equal(engine_exchanges(bench.engine), 24);
	assert_false(engine_pending(bench.engine));
	f(1)->stopped = false;
	for (unsigned i = 0; i < 24; i++) {
		o = origin_accept(0);
		hear_head(o);
		say(o, OK(0));
	}
	for (unsigned i = 0; i < 24; i++)
		hear_head(c[i]);
	bench_run_ms(20);
	assert_int_equal(f(0)->dones, 24);
	assert_int_equal(f(1)->dones, 24);
	bench_check_idle();
	bench_close();
}

/* Who has the worker's CPU is waited for from when something is shown to it until that is read. */
static void test_near(void **state)
{
	struct options options = {.path = 2, .near_functions = true};
	struct peer *c;

	(void)state;
	bench_open(&options);
	assert_int_equal(engine_near(bench.engine), 2);
	assert_false(engine_near_waits(bench.engine));
	f(1)->stopped = true;
	f(1)->on = hold;
	c = client_open();
	say(c, GET("/"));
	bench_run_ms(2);
	assert_int_equal(f(0)->heads[0], 1);
	assert_int_equal(engine_near_waits(bench.engine), f(1)->called == 0);
	f(1)->stopped = false;
	bench_run_ms(2);
	assert_false(engine_near_waits(bench.engine));
	assert_int_equal(f(1)->heads[0], 1); /* it is held: nothing is to be read */
	fake_down(f(1));
	assert_int_equal(engine_near(bench.engine), 1);
	assert_false(engine_near_waits(bench.engine));
	peer_abort(c);
	bench_close();
}

/* Until the worker gives the CPU away they are told nothing, and what is for them is still due. */
static void test_near_later(void **state)
{
	struct options options = {.path = 1, .near_functions = true, .far_only = true};
	struct peer *c;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, GET("/"));
	bench_run_ms(5);
	assert_int_equal(f(0)->heads[0], f(0)->called);
	assert_int_equal(engine_pending(bench.engine), f(0)->called == 0);
	bench.options.far_only = false;
	hear_head(origin_accept(0));
	assert_int_equal(f(0)->heads[0], 1);
	peer_abort(c);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_functions),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_many_edits),
		cmocka_unit_test(test_leave),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_hold_and_client_goes),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_instances),
		cmocka_unit_test(test_ring_full),
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_near_later),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
