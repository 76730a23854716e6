/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "l4stack/cc/max_filter.h"

#define WINDOW 10

static uint32_t take(struct max_filter *f, uint32_t at, uint32_t value)
{
	max_filter_take(f, WINDOW, at, value);
	return max_filter_get(f);
}

static void test_largest(void **state)
{
	struct max_filter f = {0};

	(void)state;
	assert_int_equal(max_filter_get(&f), 0);
	assert_int_equal(take(&f, 1, 5), 5);
	assert_int_equal(take(&f, 2, 9), 9);
	assert_int_equal(take(&f, 3, 7), 9);
	assert_int_equal(take(&f, 3, 9), 9);
}

/* The next best takes over when the best is too old. */
static void test_expires(void **state)
{
	struct max_filter f = {0};

	(void)state;
	take(&f, 1, 100);
	take(&f, 4, 50);
	for (uint32_t at = 5; at <= 11; at++)
		assert_int_equal(take(&f, at, 30), 100);
	assert_int_equal(take(&f, 12, 30), 50);
	assert_int_equal(take(&f, 14, 30), 50);
	assert_int_equal(take(&f, 15, 30), 30);
}

/* After a long silence nothing of the past counts. */
static void test_silence(void **state)
{
	struct max_filter f = {0};

	(void)state;
	take(&f, 1, 100);
	take(&f, 5, 90);
	assert_int_equal(take(&f, 100, 3), 3);
}

/* Against the definition, over a fall, a rise and noise: never less than the largest of the
 * window, and nothing from outside it. */
static void test_bounds(void **state)
{
	uint32_t values[500], random = 1;
	struct max_filter f = {0};

	(void)state;
	for (uint32_t at = 0; at < 500; at++) {
		uint32_t inside = 0, got, all = 0;

		random = random * 1664525 + 1013904223;
		values[at] = (at < 200 ? 1000 - 4 * at : at) + (random >> 24);
		got = take(&f, at + 1, values[at]);
		for (uint32_t i = at < WINDOW ? 0 : at - WINDOW; i <= at; i++) {
			all = values[i] > all ? values[i] : all;
			if (i + WINDOW / 2 > at)
				inside = values[i] > inside ? values[i] : inside;
		}
		assert_in_range(got, inside, all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_expires),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
