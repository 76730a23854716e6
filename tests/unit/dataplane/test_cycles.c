/* SPDX-License-Identifier: BSD-3-Clause */
/* Which turns are measured, and what of them is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dataplane/cycles.h"

static void turn(struct cycles *c, bool work)
{
	cycles_begin(c);
	cycles_end_of(c, CYCLES_RECEIVE);
	cycles_end_of(c, CYCLES_ENGINE);
	cycles_end_of(c, CYCLES_RECEIVE);
	cycles_end(c, work);
}

static uint64_t sum(const struct cycles *c)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < CYCLES_COUNT; i++)
		all += c->stage[i];
	return all;
}

static void one_turn_of_many_is_measured(void **state)
{
	struct cycles c = {0};

	(void)state;
	for (unsigned i = 0; i < 3 * CYCLES_EVERY; i++)
		turn(&c, true);
	assert_int_equal(c.turns, 3);
	assert_true(c.stage[CYCLES_RECEIVE] > 0);
	assert_int_equal(c.stage[CYCLES_TRANSMIT], 0);
}

static void all_of_a_turn_belongs_to_a_stage(void **state)
{
	struct cycles c = {0};
	uint64_t begin;

	(void)state;
	cycles_begin(&c);
	begin = c.at;
	cycles_end_of(&c, CYCLES_ENGINE);
	cycles_end_of(&c, CYCLES_INLINE);
	cycles_end_of(&c, CYCLES_ENGINE);
	cycles_end(&c, true);
	assert_int_equal(sum(&c), c.at - begin);
}

static void a_turn_without_work_is_left_out(void **state)
{
	struct cycles c = {0};

	(void)state;
	for (unsigned i = 0; i < 2 * CYCLES_EVERY; i++)
		turn(&c, false);
	assert_int_equal(c.turns, 0);
	assert_int_equal(sum(&c), 0);
	for (unsigned i = 0; i < CYCLES_EVERY; i++)
		turn(&c, true);
	assert_int_equal(c.turns, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_turn_of_many_is_measured),
		cmocka_unit_test(all_of_a_turn_belongs_to_a_stage),
		cmocka_unit_test(a_turn_without_work_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
