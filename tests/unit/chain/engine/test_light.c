/* SPDX-License-Identifier: BSD-3-Clause */
/* Light functions: asked about heads, in place or by their rings, and bound to no exchange unless
 * they must be. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

#define HEADS (ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD)
#define MANY  5

static struct fake *f(unsigned i)
{
	return bench.fakes[i];
}

static uint32_t bound(unsigned i)
{
	return engine_instance_bound(bench.engine, f(i)->instance);
}

static void say_plainly(struct fake *fake, const struct sluice_down *down, uint8_t verdict)
{
	struct sluice_up up = fake_answer(down, verdict);

	fake->plain = 1;
	fake_say(fake, &up);
}

static void pass(struct fake *fake, const struct sluice_down *down)
{
	say_plainly(fake, down, SLUICE_PASS);
}

/* As most do: there is nothing to come after the response's head. */
static void leave_at_last(struct fake *fake, const struct sluice_down *down)
{
	say_plainly(fake, down,
		    down->kind == SLUICE_DOWN_RESPONSE_HEAD ? SLUICE_LEAVE : SLUICE_PASS);
}

static struct fake *up(unsigned function, unsigned index)
{
	struct fake *fake = fake_up_at(function, index, HEADS);

	fake->on = pass;
	return fake;
}

static void open_path(unsigned path, enum conf_on_failure policy)
{
	struct options options = {
		.path = path, .no_functions_up = true, .on_failure = {policy, policy, policy}};

	bench_open(&options);
	for (unsigned i = 0; i < path; i++)
		up(i, 0);
}

static void idle_in_the_end(void)
{
	bench_run_ms(20);
	for (unsigned i = 0; i < bench.fakes_count; i++)
		assert_int_equal(bound(i), 0);
	bench_check_idle();
	bench_close();
}

/* A request that has come to the origin, which is still to answer. */
static struct peer *asked(struct peer **o)
{
	struct peer *c = client_open();

	say(c, GET("/"));
	*o = origin_accept(0);
	hear_head(*o);
	return c;
}

static void answered(struct peer *c, struct peer *o)
{
	say(o, OK(2) "hi");
	head_has(hear_head(c), "HTTP/1.1 200 ");
	hear(c, "hi");
}

/* In place nothing goes by a ring. Who has passed a request counts as one that it is with. */
static void test_a_row(void **state)
{
	unsigned called = getenv("BENCH_IN_PLACE") ? 2 : 0;
	struct peer *c, *o;

	(void)state;
	open_path(3, CONF_FAIL_BYPASS);
	f(1)->on = leave_at_last;
	c = asked(&o);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(bound(i), 1);
	answered(c, o);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(f(i)->heads[0], 1);
		assert_int_equal(f(i)->heads[1], 1);
		assert_int_equal(f(i)->called, called);
		assert_int_equal(f(i)->consumed, 2 - called);
		assert_int_equal(f(i)->produced, 2 - called);
	}
	assert_int_equal(counted(descriptors_down), 6);
	assert_int_equal(counted(descriptors_up), 6);
	idle_in_the_end();
}

static void leave(struct fake *fake, const struct sluice_down *down)
{
	say_plainly(fake, down, SLUICE_LEAVE);
}

static void test_leaves(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_path(3, CONF_FAIL_BYPASS);
	f(1)->on = leave;
	c = asked(&o);
	assert_int_equal(bound(0), 1);
	assert_int_equal(bound(1), 0);
	answered(c, o);
	assert_int_equal(f(0)->heads[1], 1);
	assert_int_equal(f(1)->heads[1], 0);
	assert_int_equal(f(2)->heads[1], 1);
	idle_in_the_end();
}

/* Who was asked about a request is asked about its response, though it has a successor by then. */
static void test_replaced(void **state)
{
	struct peer *c[MANY], *o[MANY], *other, *there;

	(void)state;
	open_path(2, CONF_FAIL_REJECT);
	for (unsigned i = 0; i < MANY; i++) {
		c[i] = asked(&o[i]);
		assert_int_equal(bound(0), i + 1);
	}
	up(0, 0);
	assert_int_equal(bound(0), MANY);
	engine_instance_retire(bench.engine, f(0)->instance, true);
	other = asked(&there);
	assert_int_equal(bound(0), MANY);
	assert_int_equal(bound(1), MANY + 1);
	assert_int_equal(bound(2), 1);
	for (unsigned i = 0; i < MANY; i++) {
		answered(c[i], o[i]);
		bench_run_ms(5);
		assert_int_equal(f(0)->heads[1], i + 1);
		assert_int_equal(bound(0), MANY - 1 - i);
	}
	fake_down(f(0));
	assert_int_equal(f(2)->heads[1], 0);
	answered(other, there);
	assert_int_equal(f(0)->heads[0], MANY);
	assert_int_equal(f(2)->heads[1], 1);
	assert_int_equal(counted(failures_ended) + counted(failures_bypassed), 0);
	idle_in_the_end();
}

/* The same with one that is taken back. */
static void test_taken_back(void **state)
{
	struct peer *c, *o, *other, *there;

	(void)state;
	open_path(1, CONF_FAIL_REJECT);
	c = asked(&o);
	engine_instance_retire(bench.engine, f(0)->instance, true);
	engine_instance_retire(bench.engine, f(0)->instance, false);
	other = asked(&there);
	assert_int_equal(bound(0), 2);
	answered(c, o);
	bench_run_ms(5);
	assert_int_equal(bound(0), 1);
	answered(other, there);
	assert_int_equal(f(0)->heads[1], 2);
	idle_in_the_end();
}

/* It holds nothing between heads: the response is for the next instance, or goes by the policy. */
static void test_gone(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * BENCH_POLICIES; i++) {
		enum conf_on_failure policy = bench_policies[i % BENCH_POLICIES];
		bool another = i >= BENCH_POLICIES || policy == CONF_FAIL_RETRY;
		struct peer *c, *o;

		open_path(2, policy);
		c = asked(&o);
		fake_down(f(0));
		bench_run_ms(5);
		assert_int_equal(bound(1), 1);
		assert_int_equal(counted(failures_ended) + counted(failures_bypassed), 0);
		if (another)
			up(0, 0);
		say(o, OK(0));
		head_has(hear_head(c),
			 another || policy == CONF_FAIL_BYPASS ? "HTTP/1.1 200 " : "HTTP/1.1 503 ");
		assert_int_equal(f(1)->heads[1], 1);
		if (another)
			assert_int_equal(f(2)->heads[1], 1);
		idle_in_the_end();
	}
}

/* What it is shown by its ring meanwhile is no less for the instance that was asked. */
static void test_by_the_ring(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_path(2, CONF_FAIL_REJECT);
	c = asked(&o);
	f(0)->stopped = true;
	say(o, OK(2) "hi");
	until(link_depth(f(0)->link) == 1);
	assert_int_equal(bound(0), 1);
	up(0, 0);
	engine_instance_retire(bench.engine, f(0)->instance, true);
	f(0)->stopped = false;
	head_has(hear_head(c), "HTTP/1.1 200 ");
	hear(c, "hi");
	assert_int_equal(f(0)->heads[1], 1);
	assert_int_equal(f(2)->called, 0);
	idle_in_the_end();
}

static void mark(struct fake *fake, const struct sluice_down *down)
{
	struct edits edits = {.len = 0};

	edit_add(&edits, SLUICE_EDIT_SET, "X-Mark", fake->user);
	fake_say_text(fake, fake_answer(down, SLUICE_PASS), edits.bytes, edits.len);
}

/* One in the midst of others says more. */
static void test_edits(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_path(3, CONF_FAIL_BYPASS);
	f(1)->on = mark;
	f(1)->user = "one";
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	head_has(hear_head(o), "X-Mark: one\r\n");
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(bound(i), 1);
	say(o, OK(2) "hi");
	head_has(hear_head(c), "X-Mark: one\r\n");
	hear(c, "hi");
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(f(i)->heads[1], 1);
	idle_in_the_end();
}

static void test_holds(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_path(3, CONF_FAIL_BYPASS);
	f(1)->on = fake_hold;
	c = client_open();
	say(c, GET("/"));
	until(f(1)->heads[0] == 1);
	bench_run_ms(5);
	assert_int_equal(f(0)->heads[0], 1);
	assert_int_equal(f(2)->heads[0], 0);
	f(1)->on = pass;
	pass(f(1), &f(1)->last[SLUICE_DOWN_REQUEST_HEAD]);
	o = origin_accept(0);
	hear_head(o);
	answered(c, o);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(f(i)->heads[1], 1);
	idle_in_the_end();
}

static void respond(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	up.status = 204;
	up.flags = SLUICE_UP_END;
	up.respond.body_bytes = 0;
	fake_say(fake, &up);
}

/* Those before it hear of its answer, those behind it of nothing. */
static void test_responds(void **state)
{
	struct peer *c;

	(void)state;
	open_path(3, CONF_FAIL_BYPASS);
	f(1)->on = respond;
	c = client_open();
	say(c, GET("/"));
	head_has(hear_head(c), "HTTP/1.1 204 ");
	assert_int_equal(f(0)->heads[1], 1);
	assert_int_equal(f(1)->heads[1], 0);
	assert_int_equal(f(2)->heads[0] + f(2)->heads[1], 0);
	idle_in_the_end();
}

/* Of an origin that gives no answer they are shown the error. */
static void test_no_answer(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_path(2, CONF_FAIL_BYPASS);
	c = asked(&o);
	peer_abort(o);
	head_has(hear_head(c), "HTTP/1.1 502 ");
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(f(i)->heads[1], 1);
	idle_in_the_end();
}

static void test_branches(void **state)
{
	static const struct conf_branch branches[] = {
		{.when = {.path = "^/api"}, .begin = 1, .middle = 2, .end = 3}};
	struct options options = {
		.path = 4, .branches = branches, .branches_count = 1, .no_functions_up = true};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	for (unsigned i = 0; i < 4; i++)
		up(i, 0);
	c = asked(&o);
	assert_int_equal(bound(1), 0);
	answered(c, o);
	say(c, GET("/api"));
	hear_head(o);
	answered(c, o);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(f(i)->heads[0], i == 1 || i == 2 ? 1 : 2);
		assert_int_equal(f(i)->heads[1], f(i)->heads[0]);
	}
	idle_in_the_end();
}

/* One that may have killed an instance is given to others alone, these among them. */
static void test_suspected(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_path(2, CONF_FAIL_RETRY);
	f(0)->stopped = true;
	c = client_open();
	say(c, GET("/"));
	until(link_depth(f(0)->link) == 1);
	fake_down(f(0));
	up(0, 0);
	o = origin_accept(0);
	hear_head(o);
	answered(c, o);
	for (unsigned i = 1; i < 3; i++) {
		assert_int_equal(f(i)->heads[0], 1);
		assert_int_equal(f(i)->heads[1], 1);
	}
	idle_in_the_end();
}

/* --- heads that it has --------------------------------------------------------------- */

/* A request whose head the first function has. */
static struct peer *with_it(void)
{
	unsigned heads = f(0)->heads[0];
	struct peer *c = client_open();

	f(0)->on = fake_hold;
	say(c, GET("/"));
	until(f(0)->heads[0] == heads + 1);
	bench_run_ms(5);
	return c;
}

static void test_dies_with_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BENCH_POLICIES; i++) {
		struct peer *c, *o;

		open_path(2, bench_policies[i]);
		c = with_it();
		assert_int_equal(bound(0), 1);
		fake_down(f(0));
		if (bench_policies[i] == CONF_FAIL_RETRY)
			up(0, 0);
		if (bench_policies[i] == CONF_FAIL_REJECT) {
			head_has(hear_head(c), "HTTP/1.1 503 ");
		} else {
			o = origin_accept(0);
			hear_head(o);
			answered(c, o);
		}
		if (bench_policies[i] == CONF_FAIL_RETRY)
			assert_int_equal(f(2)->heads[0], 1);
		idle_in_the_end();
	}
}

/* An instance dies of what it had not read: what it had only kept goes to the next one, however
 * often. */
static void test_blame(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_path(1, CONF_FAIL_RETRY);
	c = with_it();
	for (unsigned i = 0; i < 3; i++) {
		fake_down(f(i));
		up(0, 0)->on = fake_hold;
		until(f(i + 1)->heads[0] == 1);
		bench_run_ms(5);
	}
	f(3)->on = pass;
	pass(f(3), &f(3)->last[SLUICE_DOWN_REQUEST_HEAD]);
	o = origin_accept(0);
	hear_head(o);
	answered(c, o);
	for (unsigned i = 3; i < 5; i++) {
		f(i)->stopped = true;
		if (i == 3)
			say(c, GET("/deadly"));
		until(link_depth(f(i)->link) > 0);
		fake_down(f(i));
		up(0, 0);
	}
	head_has(hear_head(c), "HTTP/1.1 500 ");
	assert_int_equal(counted(exchanges_poison), 1);
	idle_in_the_end();
}

/* The exchange is over, and stays until the function has read what it was given. */
static void test_client_goes(void **state)
{
	struct peer *c;

	(void)state;
	open_path(1, CONF_FAIL_BYPASS);
	c = with_it();
	peer_abort(c);
	bench_run_ms(5);
	assert_int_equal(counted(exchanges_client_gone), 1);
	pass(f(0), &f(0)->last[SLUICE_DOWN_REQUEST_HEAD]);
	bench_run_ms(5);
	assert_int_equal(counted(answers_late), 1);
	assert_int_equal(counted(offences), 0);
	idle_in_the_end();
}

/* It takes too long: the client has its answer, and what it says of the head then comes too late.
 */
static void test_too_slow(void **state)
{
	struct peer *c;

	(void)state;
	open_path(1, CONF_FAIL_BYPASS);
	c = with_it();
	bench_run_ms(61000);
	head_has(hear_head(c), "HTTP/1.1 504 ");
	pass(f(0), &f(0)->last[SLUICE_DOWN_REQUEST_HEAD]);
	bench_run_ms(5);
	assert_int_equal(counted(answers_late), 1);
	assert_int_equal(counted(offences), 0);
	idle_in_the_end();
}

/* Who was not asked, or was answered already, is told so, and the exchange goes on. */
static void test_said_twice(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_path(2, CONF_FAIL_BYPASS);
	c = with_it();
	pass(f(1), &f(0)->last[SLUICE_DOWN_REQUEST_HEAD]);
	bench_run_ms(5);
	assert_int_equal(counted(offences), 1);
	pass(f(0), &f(0)->last[SLUICE_DOWN_REQUEST_HEAD]);
	o = origin_accept(0);
	hear_head(o);
	pass(f(0), &f(0)->last[SLUICE_DOWN_REQUEST_HEAD]);
	bench_run_ms(5);
	assert_int_equal(counted(offences), 2);
	f(0)->on = pass;
	answered(c, o);
	idle_in_the_end();
}

/* Those that find its ring full come to it all the same, in their order. */
static void test_full(void **state)
{
	struct options options = {.path = 2, .no_functions_up = true, .link_entries = 2};
	struct peer *c[MANY], *o;

	(void)state;
	bench_open(&options);
	up(0, 0);
	up(1, 0);
	f(0)->stopped = true;
	for (unsigned i = 0; i < MANY; i++) {
		c[i] = client_open();
		say(c[i], GET("/"));
		bench_run_ms(1);
	}
	f(0)->stopped = false;
	for (unsigned i = 0; i < MANY; i++) {
		o = origin_accept(0);
		hear_head(o);
		answered(c[i], o);
	}
	assert_int_equal(f(0)->heads[0], MANY);
	assert_int_equal(f(1)->heads[1], MANY);
	idle_in_the_end();
}

/* Exchanges under way are cut with all that there is. */
static void test_destroyed(void **state)
{
	struct peer *o;

	(void)state;
	open_path(2, CONF_FAIL_BYPASS);
	asked(&o);
	asked(&o);
	bench_destroy();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_row),        cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_replaced),     cmocka_unit_test(test_taken_back),
		cmocka_unit_test(test_gone),         cmocka_unit_test(test_by_the_ring),
		cmocka_unit_test(test_edits),        cmocka_unit_test(test_holds),
		cmocka_unit_test(test_responds),     cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_branches),     cmocka_unit_test(test_suspected),
		cmocka_unit_test(test_dies_with_it), cmocka_unit_test(test_blame),
		cmocka_unit_test(test_client_goes),  cmocka_unit_test(test_too_slow),
		cmocka_unit_test(test_said_twice),   cmocka_unit_test(test_full),
		cmocka_unit_test(test_destroyed),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
