/* SPDX-License-Identifier: BSD-3-Clause */
/* How many instances follow from what waits for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "chain/supervise/follow.h"

#define STEP_US 100000
#define LEAST   1
#define MOST    6

/* `steps` samples of the same queue; the number is taken each time. */
static unsigned follow(struct follow *f, unsigned n, uint64_t queued, unsigned steps,
		       uint64_t *now_us)
{
	for (unsigned i = 0; i < steps; i++) {
		*now_us += STEP_US;
		n = follow_step(f, n, LEAST, MOST, queued, *now_us);
	}
	return n;
}

static void test_nothing_waits(void **state)
{
	struct follow f = {0};
	uint64_t now_us = 0;

	(void)state;
	assert_int_equal(follow(&f, 1, 0, 1000, &now_us), 1);
}

static void test_one_burst_is_no_crowd(void **state)
{
	struct follow f = {0};
	uint64_t now_us = 0;

	(void)state;
	assert_int_equal(follow(&f, 1, FOLLOW_HIGH * 3, 1, &now_us), 1);
	assert_int_equal(follow(&f, 1, 0, 10, &now_us), 1);
}

static void test_up_within_a_second_and_never_too_far(void **state)
{
	struct follow f = {0};
	uint64_t now_us = 0;
	unsigned n = follow(&f, 1, FOLLOW_HIGH * 3, 10, &now_us);

	(void)state;
	assert_in_range(n, 3, 4);
	assert_int_equal(follow(&f, n, 10000, 30, &now_us), MOST);
}

static void test_at_most_twice_as_many_at_once(void **state)
{
	struct follow f = {0};

	(void)state;
	assert_int_equal(follow_step(&f, 2, LEAST, 64, 1000000, STEP_US), 4);
}

static void test_down_slowly(void **state)
{
	struct follow f = {0};
	uint64_t now_us = 0;
	unsigned seconds = FOLLOW_CALM_US / 1000000, steps = 1000000 / STEP_US;
	unsigned n = follow(&f, 4, FOLLOW_HIGH * 2, 10, &now_us);

	(void)state;
	assert_int_equal(n, 4);
	assert_int_equal(follow(&f, n, 0, (seconds - 1) * steps, &now_us), 4);
	assert_int_equal(follow(&f, n, 0, 3 * steps, &now_us), 3);
	assert_int_equal(follow(&f, 3, 0, 3 * seconds * steps, &now_us), LEAST);
}

static void test_a_crowd_between_begins_the_calm_anew(void **state)
{
	struct follow f = {0};
	uint64_t now_us = 0;
	unsigned steps = FOLLOW_CALM_US / STEP_US * 3 / 4, n = 3;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		n = follow(&f, n, 0, steps, &now_us);
		n = follow(&f, n, FOLLOW_LOW * 4, 5, &now_us);
	}
	assert_int_equal(n, 3);
}

static void test_the_range_holds(void **state)
{
	struct follow f = {0};

	(void)state;
	assert_int_equal(follow_step(&f, 1, 2, 6, 0, STEP_US), 2);
	assert_int_equal(follow_step(&f, 9, 2, 6, 0, 2 * STEP_US), 6);
	assert_int_equal(follow_step(&f, 0, 2, 6, 1000, 3 * STEP_US), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_waits),
		cmocka_unit_test(test_one_burst_is_no_crowd),
		cmocka_unit_test(test_up_within_a_second_and_never_too_far),
		cmocka_unit_test(test_at_most_twice_as_many_at_once),
		cmocka_unit_test(test_down_slowly),
		cmocka_unit_test(test_a_crowd_between_begins_the_calm_anew),
		cmocka_unit_test(test_the_range_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
