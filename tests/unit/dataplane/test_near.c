/* SPDX-License-Identifier: BSD-3-Clause */
/* How long the CPU is given away to functions that share it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataplane/near.h"

static void each_turn_has_its_time(void **state)
{
	struct near near = {0};

	(void)state;
	for (uint64_t turn_us = 1000; turn_us < 100000; turn_us += 1000) {
		near_begin(&near, turn_us);
		assert_true(near_may(&near, turn_us));
		assert_true(near_may(&near, turn_us + NEAR_US - 1));
	}
}

/* Who does not read gets the CPU for a part of the time, not for a part of each turn. */
static void who_does_not_read_is_not_waited_for(void **state)
{
	struct near near = {0};

	(void)state;
	near_begin(&near, 1000);
	assert_true(near_may(&near, 1000));
	assert_false(near_may(&near, 1000 + 3 * NEAR_US));
	near_begin(&near, 2000 + 3 * NEAR_US);
	assert_false(near_may(&near, 2000 + 3 * NEAR_US));
	near_begin(&near, 1000 + 3 * NEAR_US * (NEAR_REST + 1));
	assert_true(near_may(&near, 1000 + 3 * NEAR_US * (NEAR_REST + 1)));
}

/* The CPU is offered for NEAR_US, not for that in each turn; and again after a rest, which does not
 * become longer and longer. */
static void who_has_waited_before_waits_on(void **state)
{
	struct near near = {0};
	uint64_t now_us = 1000, given_us = 0, longest_us = 0, since_us = 1000;

	(void)state;
	near_begin(&near, now_us);
	for (; now_us < 1000000; now_us += 50) {
		if (near_may(&near, now_us)) {
			given_us += 50;
			since_us = now_us;
		}
		longest_us = now_us - since_us > longest_us ? now_us - since_us : longest_us;
	}
	assert_true(given_us > 1000000 / (NEAR_REST + 4) && given_us < 1000000 / (NEAR_REST - 2));
	assert_true(longest_us < NEAR_US * (NEAR_REST + 2));
}

/* Time in which the worker slept is nobody's fault. */
static void a_rest_has_an_end(void **state)
{
	struct near near = {0};

	(void)state;
	near_begin(&near, 1000);
	assert_false(near_may(&near, 1000000000));
	assert_false(near_may(&near, 1000000000 + NEAR_REST_US - 1));
	assert_true(near_may(&near, 1000000000 + NEAR_REST_US));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_turn_has_its_time),
		cmocka_unit_test(who_does_not_read_is_not_waited_for),
		cmocka_unit_test(who_has_waited_before_waits_on),
		cmocka_unit_test(a_rest_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
