/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l4stack/tcp/tcp_seq.h"

static void check_shape(const struct tcp_ranges *set)
{
	uint32_t bytes = 0;

	for (uint32_t i = 0; i < set->n; i++) {
		assert_true(seq_lt(set->at[i].lo, set->at[i].hi));
		assert_true(i == 0 || seq_lt(set->at[i - 1].hi, set->at[i].lo));
		bytes += set->at[i].hi - set->at[i].lo;
	}
	assert_int_equal(bytes, set->bytes);
}

static void test_add_joins(void **state)
{
	struct tcp_ranges set;

	(void)state;
	tcp_ranges_clear(&set);
	assert_int_equal(tcp_ranges_add(&set, 10, 20), 10);
	assert_int_equal(tcp_ranges_add(&set, 30, 40), 10);
	assert_int_equal(set.n, 2);
	assert_int_equal(tcp_ranges_add(&set, 12, 18), 0); /* inside */
	assert_int_equal(tcp_ranges_add(&set, 20, 25), 5); /* touches the end */
	assert_int_equal(tcp_ranges_add(&set, 28, 30), 2); /* touches the start */
	assert_int_equal(tcp_ranges_add(&set, 24, 29), 3); /* fills the gap */
	assert_int_equal(set.n, 1);
	assert_int_equal(tcp_ranges_add(&set, 5, 50), 15); /* swallows all */
	assert_true(set.n == 1 && set.at[0].lo == 5 && set.at[0].hi == 50);
	check_shape(&set);
}

static void test_across_zero(void **state)
{
	struct tcp_ranges set;

	(void)state;
	tcp_ranges_clear(&set);
	tcp_ranges_add(&set, 5, 10);
	tcp_ranges_add(&set, UINT32_MAX - 9, 2);
	assert_int_equal(set.n, 2);
	assert_int_equal(set.at[0].lo, UINT32_MAX - 9);
	assert_int_equal(tcp_ranges_covered(&set, UINT32_MAX - 20, 20), 12 + 5);
	tcp_ranges_drop_below(&set, 1);
	assert_true(set.at[0].lo == 1 && set.bytes == 6);
	check_shape(&set);
}

static void test_holes(void **state)
{
	struct tcp_ranges set;
	uint32_t lo, hi;

	(void)state;
	tcp_ranges_clear(&set);
	tcp_ranges_add(&set, 10, 20);
	tcp_ranges_add(&set, 30, 40);
	assert_true(tcp_ranges_hole(&set, 0, 100, &lo, &hi) && lo == 0 && hi == 10);
	assert_true(tcp_ranges_hole(&set, 10, 100, &lo, &hi) && lo == 20 && hi == 30);
	assert_true(tcp_ranges_hole(&set, 25, 27, &lo, &hi) && lo == 25 && hi == 27);
	assert_true(tcp_ranges_hole(&set, 35, 100, &lo, &hi) && lo == 40 && hi == 100);
	assert_false(tcp_ranges_hole(&set, 31, 40, &lo, &hi));
	assert_false(tcp_ranges_hole(&set, 50, 50, &lo, &hi));
}

/* RFC 6675 §4, IsLost: three ranges above, or more than so many bytes. */
static void test_edge(void **state)
{
	struct tcp_ranges set;
	uint32_t edge;

	(void)state;
	tcp_ranges_clear(&set);
	assert_false(tcp_ranges_edge(&set, 3, 100, &edge));
	tcp_ranges_add(&set, 10, 20);
	tcp_ranges_add(&set, 30, 40);
	assert_false(tcp_ranges_edge(&set, 3, 100, &edge));
	tcp_ranges_add(&set, 50, 60);
	assert_true(tcp_ranges_edge(&set, 3, 100, &edge) && edge == 10);
	tcp_ranges_add(&set, 60, 151);
	assert_true(tcp_ranges_edge(&set, 3, 100, &edge) && edge == 50);
}

static void test_full(void **state)
{
	struct tcp_ranges set;

	(void)state;
	tcp_ranges_clear(&set);
	for (uint32_t i = 0; i < TCP_RANGES_MAX; i++)
		assert_int_equal(tcp_ranges_add(&set, i * 10, i * 10 + 5), 5);
	assert_int_equal(tcp_ranges_add(&set, 5000, 5005), 0); /* refused */
	assert_int_equal(tcp_ranges_add(&set, 5, 10), 5);      /* joins two: there is room */
	assert_int_equal(tcp_ranges_add(&set, 5000, 5005), 5);
	check_shape(&set);
}

/* Against a map of bytes. */
static void test_random(void **state)
{
	enum { SPAN = 600, BASE = (int)0xffffff00 };
	struct tcp_ranges set;
	bool map[SPAN] = {false};

	(void)state;
	srand(1);
	tcp_ranges_clear(&set);
	for (int turn = 0; turn < 20000; turn++) {
		uint32_t lo = (uint32_t)rand() % SPAN, hi = lo + 1 + (uint32_t)rand() % 20, new = 0;

		if (hi > SPAN)
			hi = SPAN;
		if (turn % 500 == 499) {
			tcp_ranges_drop_below(&set, (uint32_t)BASE + lo);
			memset(map, 0, lo);
		} else {
			for (uint32_t i = lo; i < hi; i++)
				new += !map[i];
			memset(map + lo, 1, hi - lo);
			assert_int_equal(
				tcp_ranges_add(&set, (uint32_t)BASE + lo, (uint32_t)BASE + hi),
				new);
		}
		check_shape(&set);
		new = 0;
		for (uint32_t i = lo; i < hi; i++)
			new += map[i];
		assert_int_equal(tcp_ranges_covered(&set, (uint32_t)BASE + lo, (uint32_t)BASE + hi),
				 new);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_joins), cmocka_unit_test(test_across_zero),
		cmocka_unit_test(test_holes),     cmocka_unit_test(test_edge),
		cmocka_unit_test(test_full),      cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
