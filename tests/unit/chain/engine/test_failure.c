/* SPDX-License-Identifier: BSD-3-Clause */
/* Instances that die: at every state of an exchange, under every policy. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/chain/engine/bench_internal.h"

#define HEADS (ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD | ENGINE_HOOK_DONE)
#define ALL   (HEADS | ENGINE_HOOK_REQUEST_BODY | ENGINE_HOOK_RESPONSE_BODY)

static struct fake *f(unsigned i)
{
	return bench.fakes[i];
}

/* Two functions; the first one is the one that dies. */
static void open_with(enum conf_on_failure policy, uint32_t hooks)
{
	struct options options = {
		.path = 2, .no_functions_up = true, .on_failure = {policy, policy}};

	bench_open(&options);
	fake_up(0, hooks);
	fake_up(1, HEADS);
}

/* It stops in the midst of a descriptor, and dies. */
static void stop_at(struct fake *fake, enum sluice_down_kind kind)
{
	unsigned *count = kind == SLUICE_DOWN_REQUEST_HEAD    ? &fake->heads[0]
			  : kind == SLUICE_DOWN_RESPONSE_HEAD ? &fake->heads[1]
			  : kind == SLUICE_DOWN_REQUEST_BODY  ? &fake->pieces[0]
							      : &fake->pieces[1];
	unsigned before = *count;

	fake->on = fake_hold;
	until(*count > before);
}

static void idle_in_the_end(void)
{
	bench_run_ms(20);
	bench_check_idle();
	bench_close();
}

/* --- the request head ------------------------------------------------------------ */

static void test_request_head(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with(CONF_FAIL_BYPASS, ALL);
	c = client_open();
	say(c, GET("/"));
	stop_at(f(0), SLUICE_DOWN_REQUEST_HEAD);
	fake_down(f(0));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(2) "hi");
	hear_head(c);
	hear(c, "hi");
	assert_int_equal(counted(failures_bypassed), 1);
	assert_int_equal(f(1)->heads[1], 1);
	idle_in_the_end();

	open_with(CONF_FAIL_REJECT, ALL);
	c = client_open();
	say(c, GET("/"));
	stop_at(f(0), SLUICE_DOWN_REQUEST_HEAD);
	fake_down(f(0));
	head_has(hear_head(c), "HTTP/1.1 503 ");
	assert_int_equal(f(1)->heads[0], 0);
	bench_run_ms(5);
	c->in_len = 0;
	say(c, GET("/")); /* nobody is up */
	head_has(hear_head(c), "HTTP/1.1 503 ");
	assert_int_equal(counted(hops_rejected), 1);
	idle_in_the_end();

	open_with(CONF_FAIL_RETRY, ALL);
	c = client_open();
	say(c, GET("/"));
	stop_at(f(0), SLUICE_DOWN_REQUEST_HEAD);
	fake_down(f(0));
	hear_nothing(c, 50);
	fake_up(0, ALL);
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	hear_head(c);
	assert_int_equal(f(2)->heads[0], 1);
	assert_int_equal(f(2)->heads[1], 1);
	idle_in_the_end();
}

/* What waits in its ring was not given to it yet: nobody is to blame for its death. */
static void test_not_consumed(void **state)
{
	struct peer *c[8];
	struct fake *fake;

	(void)state;
	open_with(CONF_FAIL_RETRY, ALL);
	bench.serve = OK(0);
	fake = f(0);
	fake->stopped = true;
	for (unsigned i = 0; i < 8; i++) {
		c[i] = client_open();
		say(c[i], GET("/"));
	}
	for (unsigned i = 0; i < 2; i++) {
		bench_run_ms(5);
		fake_down(fake);
		fake = fake_up(0, ALL);
		fake->stopped = i < 1;
	}
	for (unsigned i = 0; i < 8; i++)
		head_has(hear_head(c[i]), "HTTP/1.1 200 ");
	idle_in_the_end();
}

/* --- poison ---------------------------------------------------------------------- */

static char logged[400];

static void see_error(void *ctx, const struct engine_error_info *error)
{
	(void)ctx;
	snprintf(logged, sizeof(logged), "%s: %s", error->chain, error->text);
}

/* Dies of "/poison": stops there, with what it had not finished. */
static void mortal(struct fake *fake, const struct sluice_down *down)
{
	if (down->kind == SLUICE_DOWN_REQUEST_HEAD &&
	    !strcmp(head_text(fake_head(fake, down), fake_head(fake, down)->path), "/poison")) {
		fake->dead = true;
		return;
	}
	fake_pass(fake, down);
}

static struct fake *reborn(struct fake *fake)
{
	fake_down(fake);
	fake = fake_up(0, ALL);
	fake->on = mortal;
	return fake;
}

static void test_poison(void **state)
{
	struct peer *c[6], *bad;
	struct fake *fake;

	(void)state;
	open_with(CONF_FAIL_RETRY, ALL);
	bench.serve = OK(0);
	fake = f(0);
	fake->on = mortal;
	fake->stopped = true;
	for (unsigned i = 0; i < 3; i++) {
		c[i] = client_open();
		say(c[i], GET("/good"));
	}
	bad = client_open();
	say(bad, GET("/poison"));
	for (unsigned i = 3; i < 6; i++) {
		c[i] = client_open();
		say(c[i], GET("/good"));
	}
	bench_run_ms(5);
	fake->stopped = false;             /* it takes all at once, and finishes none */
	for (unsigned i = 0; i < 3; i++) { /* in the crowd, then twice alone */
		until(fake->dead);
		fake = reborn(fake);
	}
	head_has(hear_head(bad), "HTTP/1.1 500 ");
	engine_errors_each(bench.engine, see_error, NULL);
	assert_non_null(strstr(logged, "www: killed its function 2 times: GET a.example/poison"));
	assert_int_equal(counted(exchanges_poison), 1);
	for (unsigned i = 0; i < 6; i++)
		head_has(hear_head(c[i]), "HTTP/1.1 200 ");
	idle_in_the_end();
}

/* --- the response head ----------------------------------------------------------- */

static void test_response_head(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BENCH_POLICIES; i++) {
		struct peer *c, *o;

		open_with(bench_policies[i], HEADS);
		c = client_open();
		say(c, GET("/"));
		o = origin_accept(0);
		hear_head(o);
		say(o, OK(2) "hi");
		stop_at(f(0), SLUICE_DOWN_RESPONSE_HEAD);
		fake_down(f(0));
		if (bench_policies[i] == CONF_FAIL_RETRY)
			fake_up(0, HEADS);
		head_has(hear_head(c),
			 bench_policies[i] == CONF_FAIL_REJECT ? "HTTP/1.1 503 " : "HTTP/1.1 200 ");
		idle_in_the_end();
	}
}

/* Between its heads it holds nothing: what comes later is for the next instance, or goes by the
 * policy. */
static void test_between_heads(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * BENCH_POLICIES; i++) {
		enum conf_on_failure policy = bench_policies[i % BENCH_POLICIES];
		bool another = i >= BENCH_POLICIES || policy == CONF_FAIL_RETRY;
		struct peer *c, *o;

		open_with(policy, HEADS);
		c = client_open();
		say(c, GET("/"));
		o = origin_accept(0);
		hear_head(o);
		fake_down(f(0));
		bench_run_ms(5);
		assert_int_equal(counted(failures_ended) + counted(failures_bypassed), 0);
		if (another)
			fake_up(0, HEADS);
		say(o, OK(0));
		head_has(hear_head(c),
			 another || policy == CONF_FAIL_BYPASS ? "HTTP/1.1 200 " : "HTTP/1.1 503 ");
		idle_in_the_end();
	}
}

/* --- questions of its own --------------------------------------------------------- */

/* As a cache does with what is stale: it asks whether that has changed. */
static void validate(struct fake *fake, const struct sluice_down *down)
{
	struct edits edits = {.len = 0};

	if (down->kind == SLUICE_DOWN_REQUEST_HEAD) {
		edit_add(&edits, SLUICE_EDIT_SET, "If-None-Match", "\"old\"");
		edit_add(&edits, SLUICE_EDIT_REMOVE, "Range", "");
	}
	if (fake_is_asked(down))
		fake_say_text(fake, fake_answer(down, SLUICE_PASS), edits.bytes, edits.len);
}

static struct peer *validating(enum conf_on_failure policy, struct peer **o)
{
	struct peer *c;

	open_with(policy, HEADS);
	f(0)->on = validate;
	c = client_open();
	say(c, GET("/"));
	*o = origin_accept(0);
	head_has(hear_head(*o), "If-None-Match: \"old\"");
	return c;
}

#define NOT_MODIFIED "HTTP/1.1 304 Not Modified\r\nETag: \"old\"\r\n\r\n"

/* The answer to it is for nobody: the origin is asked as the client had asked. */
static void test_question_of_the_dead(void **state)
{
	static const enum conf_on_failure policies[] = {CONF_FAIL_BYPASS, CONF_FAIL_RETRY};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct peer *o, *c = validating(policies[i % 2], &o);

		fake_down(f(0));
		if (i >= 1)
			fake_up(0, HEADS);
		bench_run_ms(5);
		say(o, NOT_MODIFIED);
		o = origin_accept(0);
		assert_null(strstr(hear_head(o), "If-None-Match"));
		say(o, OK(2) "hi");
		head_has(hear_head(c), "HTTP/1.1 200 ");
		hear(c, "hi");
		idle_in_the_end();
	}
}

/* What answers no condition is as good for the client. */
static void test_other_answers_to_the_dead(void **state)
{
	struct peer *o, *c = validating(CONF_FAIL_BYPASS, &o);

	(void)state;
	fake_down(f(0));
	say(o, OK(2) "hi");
	head_has(hear_head(c), "HTTP/1.1 200 ");
	hear(c, "hi");
	idle_in_the_end();
}

/* Functions have seen it already: it cannot be given up. */
static void test_question_answered_to_the_dead(void **state)
{
	struct peer *o, *c = validating(CONF_FAIL_BYPASS, &o);

	(void)state;
	say(o, NOT_MODIFIED);
	stop_at(f(0), SLUICE_DOWN_RESPONSE_HEAD);
	fake_down(f(0));
	head_has(hear_head(c), "HTTP/1.1 503 ");
	idle_in_the_end();
}

/* --- bodies ---------------------------------------------------------------------- */

static struct peer *body_under_way(enum conf_on_failure policy, struct peer **o)
{
	struct peer *c;

	open_with(policy, ALL);
	c = client_open();
	say(c, GET("/"));
	*o = origin_accept(0);
	hear_head(*o);
	say(*o, OK(1000000));
	say_pattern(*o, 0, 200000);
	hear_head(c);
	hear_pattern(c, 0, 200000);
	f(0)->stopped = true;
	say_pattern(*o, 200000, 500000);
	bench_run_ms(50);
	return c;
}

static void test_response_body(void **state)
{
	struct peer *c, *o;

	(void)state;
	c = body_under_way(CONF_FAIL_BYPASS, &o);
	fake_down(f(0));
	say_pattern(o, 700000, 300000);
	hear_pattern(c, 200000, 800000);
	idle_in_the_end();
	c = body_under_way(CONF_FAIL_REJECT, &o);
	fake_down(f(0));
	hear_cut(c);
	idle_in_the_end();
	c = body_under_way(CONF_FAIL_RETRY, &o);
	fake_down(f(0));
	hear_cut(c);
	idle_in_the_end();
}

static void test_request_body(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BENCH_POLICIES; i++) {
		struct peer *c, *o;

		open_with(bench_policies[i], ALL);
		c = client_open();
		say(c, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
		o = origin_accept(0);
		hear_head(o);
		f(0)->stopped = true;
		say_pattern(c, 0, 1000000);
		bench_run_ms(50);
		fake_down(f(0));
		if (bench_policies[i] != CONF_FAIL_BYPASS) {
			head_has(hear_head(c), "HTTP/1.1 503 ");
			hear_reset(o);
		} else {
			hear_pattern(o, 0, 1000000);
			say(o, OK(0));
			hear_head(c);
		}
		idle_in_the_end();
	}
}

static void replace_first(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_REPLACE);

	if (down->kind != SLUICE_DOWN_RESPONSE_BODY || fake->user) {
		fake_pass(fake, down);
		return;
	}
	fake->user = fake;
	up.slices = 1;
	up.slice[0] = fake_slice(fake, 0, "X", 1, 1);
	fake_say(fake, &up);
}

/* A body that it has changed cannot go on without it. */
static void test_changed_body(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with(CONF_FAIL_BYPASS, ALL);
	f(0)->on = replace_first;
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	hear_head(c);
	hear(c, "1\r\nX");
	fake_down(f(0));
	hear_cut(c);
	idle_in_the_end();
}

/* --- its own answers ------------------------------------------------------------- */

static struct sluice_down asked;

static void begin_answer(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	if (down->kind != SLUICE_DOWN_REQUEST_HEAD)
		return;
	asked = *down;
	memset(fake->arena->base, 'x', 100000);
	up.status = 200;
	up.respond.body_bytes = fake->user ? 200000 : 100000;
	up.flags = fake->user ? 0 : SLUICE_UP_END;
	up.slices = 1;
	up.respond.slice = fake_slice(fake, 0, NULL, 100000, 1);
	fake_say(fake, &up);
}

/* All of it was given: the arena stays until the client has it. */
static void test_whole_answer(void **state)
{
	struct peer *c;

	(void)state;
	open_with(CONF_FAIL_BYPASS, ALL);
	f(0)->on = begin_answer;
	c = client_open();
	say(c, GET("/"));
	until(f(0)->heads[0] == 1);
	bench.cut = true;
	bench_run_ms(1);
	fake_down(f(0));
	assert_int_equal(engine_arena_leases(bench.engine, f(0)->arena->id), 1);
	bench.cut = false;
	head_has(hear_head(c), "Content-Length: 100000\r\n");
	until(c->in_len == 100000);
	until(engine_arena_leases(bench.engine, f(0)->arena->id) == 0); /* an ACK may be late */
	idle_in_the_end();
}

static void test_half_answer(void **state)
{
	struct peer *c;

	(void)state;
	open_with(CONF_FAIL_BYPASS, ALL);
	f(0)->on = begin_answer;
	f(0)->user = &asked;
	c = client_open();
	say(c, GET("/"));
	hear_head(c);
	bench_run_ms(5);
	fake_down(f(0));
	hear_cut(c);
	bench_run_ms(20);
	assert_int_equal(engine_arena_leases(bench.engine, f(0)->arena->id), 0);
	idle_in_the_end();
}

/* --- the end of an exchange ------------------------------------------------------ */

static void test_done_undelivered(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with(CONF_FAIL_BYPASS, ALL);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	f(1)->stopped = true;
	peer_abort(c);
	bench_run_ms(10);
	fake_down(f(0));
	fake_down(f(1));
	idle_in_the_end();
}

/* Many deaths while requests come and go. */
static void test_many_deaths(void **state)
{
	struct peer *c[16];

	(void)state;
	open_with(CONF_FAIL_BYPASS, ALL);
	bench.serve = OK(5) "hello";
	for (unsigned i = 0; i < 16; i++)
		c[i] = client_open();
	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < 16; i++)
			say(c[i], GET("/"));
		for (unsigned i = 0; i < round % 9; i++)
			bench_step();
		fake_down(f(0));
		fake_free(f(0));
		bench.fakes[0] = bench.fakes[1];
		bench.fakes_count--;
		fake_up(round % 2, HEADS);
		for (unsigned i = 0; i < 16; i++) {
			head_has(hear_head(c[i]), "HTTP/1.1 200 ");
			hear(c[i], "hello");
		}
	}
	idle_in_the_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_head),
		cmocka_unit_test(test_not_consumed),
		cmocka_unit_test(test_poison),
		cmocka_unit_test(test_response_head),
		cmocka_unit_test(test_between_heads),
		cmocka_unit_test(test_response_body),
		cmocka_unit_test(test_request_body),
		cmocka_unit_test(test_changed_body),
		cmocka_unit_test(test_whole_answer),
		cmocka_unit_test(test_half_answer),
		cmocka_unit_test(test_done_undelivered),
		cmocka_unit_test(test_many_deaths),
		cmocka_unit_test(test_question_of_the_dead),
		cmocka_unit_test(test_other_answers_to_the_dead),
		cmocka_unit_test(test_question_answered_to_the_dead),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
