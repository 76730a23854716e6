/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions in the worker: what is shown them in place, and what by their rings. */
#include "tests/unit/chain/engine/bench.h"

#define HOOKS (ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD | ENGINE_HOOK_DONE)

#define f(i) (bench.fakes[i])

static void open_two(uint32_t hooks)
{
	struct options options = {.path = 2, .no_functions_up = true};

	bench_open(&options);
	fake_up(0, hooks);
	fake_up(1, hooks);
}

/* A request and its answer; on a new connection. */
static void ask_once(void)
{
	struct peer *c = client_open(), *o;

	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(2) "ok");
	hear_head(c);
	hear(c, "ok");
}

/* Not one descriptor of an exchange goes by a ring. */
static void test_all_in_place(void **state)
{
	(void)state;
	open_two(HOOKS);
	ask_once();
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(f(i)->called, 3);
		assert_int_equal(f(i)->heads[0], 1);
		assert_int_equal(f(i)->heads[1], 1);
		assert_int_equal(f(i)->dones, 1);
		assert_int_equal(f(i)->consumed, 0);
		assert_int_equal(f(i)->produced, 0);
	}
	assert_int_equal(counted(descriptors_down), 6);
	assert_int_equal(counted(descriptors_up), 4);
	bench_close();
}

static unsigned order_at;
static uint8_t order[16];
static uint32_t generations[16];

static void note_order(struct fake *fake, const struct sluice_down *down)
{
	assert_true(order_at < 16);
	order[order_at] = down->kind;
	generations[order_at++] = down->generation;
	fake_pass(fake, down);
}

/* While something is in its ring, all that follows goes there behind it: a slot's next exchange is
 * never shown before the end of the one before. */
static void test_order(void **state)
{
	static const uint8_t expected[] = {SLUICE_DOWN_REQUEST_HEAD, SLUICE_DOWN_DONE,
					   SLUICE_DOWN_REQUEST_HEAD, SLUICE_DOWN_DONE};
	struct peer *c;

	(void)state;
	order_at = 0;
	open_two(ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_DONE);
	f(0)->on = note_order;
	f(0)->stopped = true;
	for (unsigned i = 0; i < 2; i++) {
		c = client_open();
		say(c, GET("/"));
		until(link_depth(f(0)->link) == 2 * i + 1);
		peer_abort(c);
		until(link_depth(f(0)->link) == 2 * i + 2);
	}
	assert_int_equal(f(0)->called, 0);
	f(0)->stopped = false;
	until(order_at == 4);
	assert_memory_equal(order, expected, sizeof(expected));
	for (unsigned i = 0; i < 4; i += 2)
		assert_int_equal(generations[i], generations[i + 1]);
	assert_int_equal(f(0)->called, 0);
	bench_run_ms(10);
	f(0)->on = fake_pass;
	ask_once();
	assert_int_equal(f(0)->called, 2); /* in place again */
	bench_close();
}

static void turn_away(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	if (down->kind != SLUICE_DOWN_REQUEST_HEAD) {
		fake_pass(fake, down);
		return;
	}
	up.status = 404;
	up.flags = SLUICE_UP_END;
	fake_say(fake, &up);
}

/* Requests that came together go down before the first answer goes up. */
static void test_down_then_up(void **state)
{
	static const uint8_t expected[] = {
		SLUICE_DOWN_REQUEST_HEAD, SLUICE_DOWN_REQUEST_HEAD,  SLUICE_DOWN_RESPONSE_HEAD,
		SLUICE_DOWN_DONE,         SLUICE_DOWN_RESPONSE_HEAD, SLUICE_DOWN_DONE,
	};
	struct peer *one, *other;

	(void)state;
	order_at = 0;
	open_two(HOOKS);
	f(0)->on = note_order;
	f(1)->on = turn_away;
	one = client_open();
	other = client_open();
	say(one, GET("/"));
	say(other, GET("/"));
	head_has(hear_head(one), "HTTP/1.1 404 ");
	head_has(hear_head(other), "HTTP/1.1 404 ");
	assert_int_equal(order_at, sizeof(expected));
	assert_memory_equal(order, expected, sizeof(expected));
	assert_int_equal(generations[0], generations[2]);
	assert_int_equal(generations[1], generations[4]);
	bench_close();
}

/* A head that is held is answered by the ring. */
static void test_held(void **state)
{
	struct sluice_up up;
	struct peer *c, *o;

	(void)state;
	open_two(HOOKS);
	f(0)->on = fake_hold;
	c = client_open();
	say(c, GET("/"));
	until(f(0)->heads[0] == 1);
	bench_run_ms(10);
	assert_int_equal(f(1)->heads[0], 0);
	f(0)->on = fake_pass;
	up = fake_answer(&f(0)->last[SLUICE_DOWN_REQUEST_HEAD], SLUICE_PASS);
	fake_say(f(0), &up);
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(2) "ok");
	hear_head(c);
	hear(c, "ok");
	assert_int_equal(f(0)->produced, 1);
	assert_int_equal(f(0)->called, 3);
	assert_int_equal(f(1)->called, 3);
	bench_close();
}

/* What it says in place is believed no more than what comes by a ring. */
static void lie(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	up.status = 200;
	up.flags = SLUICE_UP_END;
	up.slices = 1;
	up.respond.body_bytes = 2;
	up.respond.slice =
		(struct sluice_slice){.ref = sluice_ref(bench.messages->id, 0), .len = 2, .tag = 1};
	fake_say(fake, &up);
}

static void test_lie(void **state)
{
	struct peer *c;

	(void)state;
	open_two(ENGINE_HOOK_REQUEST_HEAD);
	f(1)->on = lie;
	c = client_open();
	say(c, GET("/"));
	head_has(hear_head(c), "HTTP/1.1 502 Bad Gateway");
	assert_int_equal(f(1)->called, 1);
	assert_int_equal(f(1)->produced, 0);
	assert_int_equal(counted(offences_verdict), 1);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_in_place), cmocka_unit_test(test_order),
		cmocka_unit_test(test_down_then_up), cmocka_unit_test(test_held),
		cmocka_unit_test(test_lie),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
