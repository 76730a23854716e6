/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers of a function, in the harness's time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nf/sdk/core.h"
#include "nf/sdk/harness.h"

#define MS 1000

static const struct sluice_nf_hooks hooks = {SLUICE_HOOKS, .name = "timers"};

static struct harness *begin(void)
{
	struct harness *h = harness_create(&hooks);

	assert_int_equal(harness_start(h, NULL), 0);
	return h;
}

static void count(struct sluice_nf *nf, void *user)
{
	(void)nf;
	++*(unsigned *)user;
}

static void fires_once(void **state)
{
	struct harness *h = begin();
	unsigned fired = 0;
	struct sluice_timer *timer = sluice_timer_new(harness_nf(h), count, &fired);

	(void)state;
	assert_false(sluice_timer_runs(timer));
	sluice_timer_start(timer, 10);
	assert_true(sluice_timer_runs(timer));
	harness_advance(h, 10 * MS - 1);
	assert_int_equal(fired, 0);
	harness_advance(h, 1);
	assert_int_equal(fired, 1);
	assert_false(sluice_timer_runs(timer));
	harness_advance(h, 100 * MS);
	assert_int_equal(fired, 1);
	harness_destroy(h);
}

static void started_anew_it_forgets(void **state)
{
	struct harness *h = begin();
	unsigned fired = 0;
	struct sluice_timer *timer = sluice_timer_new(harness_nf(h), count, &fired);

	(void)state;
	sluice_timer_start(timer, 10);
	harness_advance(h, 9 * MS);
	sluice_timer_start(timer, 10);
	harness_advance(h, 9 * MS);
	assert_int_equal(fired, 0);
	sluice_timer_stop(timer);
	harness_advance(h, 100 * MS);
	assert_int_equal(fired, 0);
	sluice_timer_free(timer);
	sluice_timer_free(NULL);
	harness_destroy(h);
}

static void keeps_its_beat(void **state)
{
	struct harness *h = begin();
	unsigned fired = 0;
	struct sluice_timer *timer = sluice_timer_new(harness_nf(h), count, &fired);

	(void)state;
	sluice_timer_repeat(timer, 10);
	harness_advance(h, 12 * MS);
	assert_int_equal(fired, 1);
	harness_advance(h, 8 * MS);
	assert_int_equal(fired, 2);
	harness_advance(h, 1000 * MS); /* what was missed is not made up for */
	assert_int_equal(fired, 3);
	sluice_timer_stop(timer);
	harness_advance(h, 1000 * MS);
	assert_int_equal(fired, 3);
	harness_destroy(h);
}

struct order {
	unsigned *next;
	unsigned was;
};

static void note(struct sluice_nf *nf, void *user)
{
	struct order *order = user;

	(void)nf;
	order->was = ++*order->next;
}

#define MANY 100

static void soonest_first(void **state)
{
	struct sluice_timer *timer[MANY];
	struct harness *h = begin();
	struct order order[MANY];
	unsigned next = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		order[i] = (struct order){.next = &next};
		timer[i] = sluice_timer_new(harness_nf(h), note, &order[i]);
		sluice_timer_start(timer[i], 1 + i * 37 % MANY);
	}
	for (unsigned i = 0; i < MANY; i += 3)
		sluice_timer_stop(timer[i]);
	assert_int_equal(nf_next_us(harness_nf(h)) - sluice_now_us(harness_nf(h)),
			 2 * MS); /* 73 * 37 % 100 is 1 */
	harness_advance(h, MANY * MS);
	for (unsigned i = 0; i < MANY; i++)
		for (unsigned k = 0; i % 3 && k < MANY; k++)
			if (k % 3 && 1 + i * 37 % MANY < 1 + k * 37 % MANY)
				assert_true(order[i].was < order[k].was);
	assert_int_equal(next, MANY - (MANY + 2) / 3);
	assert_int_equal(order[0].was, 0);
	assert_int_equal(nf_next_us(harness_nf(h)), UINT64_MAX);
	harness_destroy(h);
}

struct self {
	struct sluice_timer *timer;
	unsigned fired;
};

static void again_at_once(struct sluice_nf *nf, void *user)
{
	struct self *self = user;

	(void)nf;
	self->fired++;
	sluice_timer_start(self->timer, 0);
}

static void free_itself(struct sluice_nf *nf, void *user)
{
	struct self *self = user;

	(void)nf;
	self->fired++;
	sluice_timer_free(self->timer);
}

static void from_its_own_call(void **state)
{
	struct harness *h = begin();
	struct self again = {0}, once = {0};

	(void)state;
	again.timer = sluice_timer_new(harness_nf(h), again_at_once, &again);
	once.timer = sluice_timer_new(harness_nf(h), free_itself, &once);
	sluice_timer_start(again.timer, 0);
	sluice_timer_repeat(once.timer, 1);
	for (unsigned i = 1; i <= 5; i++) {
		harness_advance(h, MS);
		assert_int_equal(again.fired, i); /* once in a turn */
	}
	assert_int_equal(once.fired, 1);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_once),        cmocka_unit_test(started_anew_it_forgets),
		cmocka_unit_test(keeps_its_beat),    cmocka_unit_test(soonest_first),
		cmocka_unit_test(from_its_own_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
