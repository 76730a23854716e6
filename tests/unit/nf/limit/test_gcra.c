/* SPDX-License-Identifier: BSD-3-Clause */
/* The arithmetic of rates, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nf/limit/gcra.h"

#define SECOND UINT64_C(1000000)

static void test_burst_then_rate(void **state)
{
	struct gcra_rate rate = {.cost_us = SECOND / 10, .burst = 3};
	uint64_t regained = 0, now = 5 * SECOND;
	struct gcra_answer a;

	(void)state;
	for (unsigned i = 0; i < 3; ++i) {
		a = gcra_ask(&rate, regained, now);
		assert_true(a.allowed);
		assert_int_equal(a.left, 2 - i);
		assert_int_equal(a.full_us, (i + 1) * SECOND / 10);
		regained = a.regained_us;
	}
	a = gcra_ask(&rate, regained, now);
	assert_false(a.allowed);
	assert_int_equal(a.wait_us, SECOND / 10);
	assert_int_equal(a.full_us, 3 * SECOND / 10);
	assert_int_equal(a.left, 0);
	assert_false(gcra_ask(&rate, regained, now + SECOND / 10 - 1).allowed);
	assert_true(gcra_ask(&rate, regained, now + SECOND / 10).allowed);
}

static void test_long_ago_is_never(void **state)
{
	struct gcra_rate rate = {.cost_us = SECOND, .burst = 2};
	struct gcra_answer a = gcra_ask(&rate, 3 * SECOND, 100 * SECOND);

	(void)state;
	assert_true(a.allowed);
	assert_int_equal(a.regained_us, 101 * SECOND);
	assert_int_equal(a.left, 1);
}

/* Whatever the spacing of the requests, no more than burst + rate * time are let through. */
static void test_never_more_than_promised(void **state)
{
	struct gcra_rate rate = {.cost_us = 7 * SECOND / 10, .burst = 5};
	uint64_t regained = 0, begin = SECOND, now = begin, allowed = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; ++i) {
		struct gcra_answer a = gcra_ask(&rate, regained, now);

		if (a.allowed) {
			regained = a.regained_us;
			++allowed;
		}
		assert_true(allowed <= 5 + (now - begin) / rate.cost_us);
		now += i * 7919 % 20011;
	}
	assert_true(allowed >= (now - begin) / rate.cost_us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_long_ago_is_never),
		cmocka_unit_test(test_never_more_than_promised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
