/* SPDX-License-Identifier: BSD-3-Clause */
/* Instances come, are replaced and retire while clients go on. */
#include "tests/unit/chain/engine/bench.h"

#define HEADS   (ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD)
#define CLIENTS 48
#define PLACES  8

static struct fake *f(unsigned i)
{
	return bench.fakes[i];
}

static struct peer *origin;

/* One exchange of `client`: the place that saw it. */
static unsigned place_of(struct peer *client)
{
	unsigned before[PLACES * 2], place = UINT32_MAX, seen = 0;

	for (unsigned i = 0; i < bench.fakes_count; i++)
		before[i] = bench.fakes[i]->heads[0];
	say(client, GET("/"));
	origin = origin ? origin : origin_accept(0);
	hear_head(origin);
	say(origin, OK(0));
	hear_head(client);
	for (unsigned i = 0; i < bench.fakes_count; i++)
		if (bench.fakes[i]->heads[0] != before[i]) {
			place = i;
			seen++;
		}
	assert_int_equal(seen, 1);
	return place;
}

static void bench_open_places(unsigned places)
{
	struct options options = {
		.path = 1, .no_functions_up = true, .on_failure = {CONF_FAIL_RETRY}};

	bench_open(&options);
	origin = NULL;
	for (unsigned i = 0; i < places; i++)
		fake_up_at(0, i, HEADS);
}

static void test_a_retired_instance_ends_what_it_has(void **state)
{
	struct peer *c, *other, *o;

	(void)state;
	bench_open_places(1);
	f(0)->on = fake_hold;
	c = client_open();
	say(c, GET("/"));
	bench_run_ms(2);
	assert_int_equal(engine_instance_bound(bench.engine, f(0)->instance), 1);

	fake_up_at(0, 0, HEADS);
	engine_instance_retire(bench.engine, f(0)->instance, true);
	other = client_open();
	say(other, GET("/other"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	hear_head(other);
	assert_int_equal(f(0)->heads[0], 1);
	assert_int_equal(f(1)->heads[0], 1);

	f(0)->on = fake_pass;
	fake_pass(f(0), &f(0)->last[SLUICE_DOWN_REQUEST_HEAD]);
	hear_head(o);
	say(o, OK(0));
	hear_head(c);
	bench_run_ms(5);
	assert_int_equal(engine_instance_bound(bench.engine, f(0)->instance), 0);
	bench_close();
}

/* With the last instance retired exchanges wait for another, and taking it back lets them go on. */
static void test_an_instance_is_taken_back(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open_places(1);
	engine_instance_retire(bench.engine, f(0)->instance, true);
	c = client_open();
	say(c, GET("/"));
	bench_run_ms(2);
	assert_int_equal(f(0)->heads[0], 0);
	engine_instance_retire(bench.engine, f(0)->instance, false);
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	hear_head(c);
	assert_int_equal(f(0)->heads[0], 1);
	bench_close();
}

static void test_a_successor_has_the_same_clients(void **state)
{
	struct peer *c[CLIENTS];
	unsigned place[CLIENTS];

	(void)state;
	bench_open_places(3);
	for (unsigned i = 0; i < CLIENTS; i++) {
		c[i] = client_open();
		place[i] = place_of(c[i]);
	}
	fake_up_at(0, 1, HEADS);
	engine_instance_retire(bench.engine, f(1)->instance, true);
	for (unsigned i = 0; i < CLIENTS; i++)
		assert_int_equal(place_of(c[i]), place[i] == 1 ? 3 : place[i]);
	bench_close();
}

static void test_a_new_place_takes_its_share_only(void **state)
{
	struct peer *c[CLIENTS];
	unsigned place[CLIENTS], moved = 0;

	(void)state;
	bench_open_places(3);
	for (unsigned i = 0; i < CLIENTS; i++) {
		c[i] = client_open();
		place[i] = place_of(c[i]);
	}
	fake_up_at(0, 3, HEADS);
	for (unsigned i = 0; i < CLIENTS; i++) {
		unsigned now = place_of(c[i]);

		assert_true(now == place[i] || now == 3);
		moved += now != place[i];
	}
	assert_in_range(moved, CLIENTS / 8, CLIENTS / 2); /* a quarter is its share */

	engine_instance_retire(bench.engine, f(3)->instance, true);
	for (unsigned i = 0; i < CLIENTS; i++)
		assert_int_equal(place_of(c[i]), place[i]);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_retired_instance_ends_what_it_has),
		cmocka_unit_test(test_an_instance_is_taken_back),
		cmocka_unit_test(test_a_successor_has_the_same_clients),
		cmocka_unit_test(test_a_new_place_takes_its_share_only),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
