/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l4stack/base/wheel.h"

#define TIMERS 64
#define ROUNDS 40000

/* The model: what is due when, in an array that is searched. */
struct model {
	struct wheel *wheel;
	struct wheel_timer timers[TIMERS];
	uint64_t due_us[TIMERS]; /* 0: not running */
	uint64_t started_us[TIMERS];
	uint64_t now_us, last_tick;
	unsigned fired, chained;
	uint64_t seed;
};

static uint64_t random64(struct model *m)
{
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return m->seed;
}

/* From "at once" to centuries, as likely each. */
static uint64_t random_delay(struct model *m)
{
	return random64(m) >> (random64(m) % 48 + 14);
}

static void start(struct model *m, unsigned i, uint64_t due_us)
{
	m->due_us[i] = due_us ? due_us : 1;
	m->started_us[i] = m->now_us;
	wheel_start(m->wheel, &m->timers[i], m->due_us[i]);
}

static void stop(struct model *m, unsigned i)
{
	m->due_us[i] = 0;
	wheel_stop(m->wheel, &m->timers[i]);
}

static uint64_t tick_of(uint64_t due_us)
{
	return due_us / 1000 + (due_us % 1000 != 0);
}

static void fire(void *ctx, struct wheel_timer *timer)
{
	struct model *m = ctx;
	unsigned i = (unsigned)(timer - m->timers), other = random64(m) % TIMERS;

	assert_false(wheel_timer_running(timer));
	assert_int_not_equal(m->due_us[i], 0);
	assert_true(m->due_us[i] <= m->now_us);
	if (m->due_us[i] > m->started_us[i]) {
		assert_true(tick_of(m->due_us[i]) >= m->last_tick);
		m->last_tick = tick_of(m->due_us[i]);
	}
	m->due_us[i] = 0;
	m->fired++;
	/* Whoever fires may do what he likes. */
	if (random64(m) % 4 == 0)
		start(m, i, m->now_us + random_delay(m));
	if (random64(m) % 8 == 0)
		stop(m, other);
	if (random64(m) % 8 == 0)
		start(m, other, m->now_us + random_delay(m));
}

static uint64_t model_next(const struct model *m)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < TIMERS; i++)
		if (m->due_us[i] && m->due_us[i] < next)
			next = m->due_us[i];
	return next;
}

/* Nobody may be late: a tick after it is due, or after it was started due already. */
static void assert_nobody_late(const struct model *m)
{
	for (unsigned i = 0; i < TIMERS; i++) {
		uint64_t from = m->due_us[i] > m->started_us[i] ? m->due_us[i] : m->started_us[i];

		if (m->due_us[i])
			assert_true(m->now_us / 1000 <= from / 1000);
	}
}

static void advance(struct model *m, uint64_t now_us)
{
	m->now_us = now_us;
	m->last_tick = 0;
	wheel_advance(m->wheel, now_us);
	assert_nobody_late(m);
}

static void assert_running_alike(const struct model *m)
{
	for (unsigned i = 0; i < TIMERS; i++)
		assert_int_equal(wheel_timer_running(&m->timers[i]), m->due_us[i] != 0);
}

static void run(uint64_t seed)
{
	struct model m = {.seed = seed, .now_us = seed % 3 ? 0 : 123456789012345};

	m.wheel = wheel_create(m.now_us, fire, &m);
	assert_non_null(m.wheel);
	for (int round = 0; round < ROUNDS; round++) {
		unsigned i = random64(&m) % TIMERS;
		uint64_t next;

		if (random64(&m) % 3)
			start(&m, i, m.now_us + random_delay(&m));
		else
			stop(&m, i);
		assert_running_alike(&m);
		next = wheel_next_us(m.wheel);
		/* A bound from below, but for what was due when it was started. */
		assert_true(next <= (model_next(&m) + 999) / 1000 * 1000 ||
			    next <= m.now_us + 1000 || next == UINT64_MAX);
		if (next == UINT64_MAX)
			assert_int_equal(model_next(&m), UINT64_MAX);
		if (random64(&m) % 2)
			advance(&m, m.now_us + random_delay(&m) % 100000000000ull);
		else if (next != UINT64_MAX && next > m.now_us)
			advance(&m, next);
	}
	assert_true(m.fired > ROUNDS / 10);
	for (unsigned i = 0; i < TIMERS; i++)
		stop(&m, i);
	assert_int_equal(wheel_next_us(m.wheel), UINT64_MAX);
	wheel_destroy(m.wheel);
}

static void agrees_with_a_list(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++)
		run(seed);
}

static void count_fire(void *ctx, struct wheel_timer *timer)
{
	(void)timer;
	++*(unsigned *)ctx;
}

static void fires_in_its_tick_and_not_before(void **state)
{
	static const uint64_t dues[] = {1,     999,   1000,    1001,      63000,
					64000, 64001, 4096000, 262144000, 86400000000};

	(void)state;
	for (size_t i = 0; i < sizeof(dues) / sizeof(dues[0]); i++) {
		unsigned fired = 0;
		struct wheel *wheel = wheel_create(0, count_fire, &fired);
		struct wheel_timer timer = {0};

		wheel_start(wheel, &timer, dues[i]);
		wheel_advance(wheel, (dues[i] - 1) / 1000 * 1000);
		assert_int_equal(fired, 0);
		assert_true(wheel_next_us(wheel) <= (dues[i] + 999) / 1000 * 1000);
		wheel_advance(wheel, (dues[i] + 999) / 1000 * 1000);
		assert_int_equal(fired, 1);
		assert_int_equal(wheel_next_us(wheel), UINT64_MAX);
		wheel_destroy(wheel);
	}
}

static void the_past_is_soon_and_never_is_never(void **state)
{
	unsigned fired = 0;
	struct wheel *wheel = wheel_create(63999, count_fire, &fired);
	struct wheel_timer past = {0}, never = {0};

	(void)state;
	wheel_start(wheel, &past, 5);
	wheel_start(wheel, &never, UINT64_MAX);
	assert_int_equal(wheel_next_us(wheel), 64000);
	wheel_advance(wheel, 64000);
	assert_int_equal(fired, 1);
	wheel_advance(wheel, UINT64_MAX - 1);
	assert_int_equal(fired, 1);
	assert_true(wheel_timer_running(&never));
	wheel_stop(wheel, &never);
	wheel_stop(wheel, &never);
	assert_int_equal(wheel_next_us(wheel), UINT64_MAX);
	wheel_destroy(wheel);
}

static void time_does_not_run_back(void **state)
{
	unsigned fired = 0;
	struct wheel *wheel = wheel_create(5000000, count_fire, &fired);
	struct wheel_timer timer = {0};

	(void)state;
	wheel_advance(wheel, 1000);
	wheel_start(wheel, &timer, 5002000);
	wheel_advance(wheel, 5001999);
	assert_int_equal(fired, 0);
	wheel_advance(wheel, 5002000);
	assert_int_equal(fired, 1);
	wheel_destroy(wheel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_list),
		cmocka_unit_test(fires_in_its_tick_and_not_before),
		cmocka_unit_test(the_past_is_soon_and_never_is_never),
		cmocka_unit_test(time_does_not_run_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
