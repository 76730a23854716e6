/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nf/lb/choose.h"
#include "nf/lb/random.h"

#define MAX 8

struct bed {
	struct choose_member member[MAX];
	uint32_t active[MAX];
	struct choose_set set;
	unsigned got[MAX];
};

static void lay(struct bed *bed, const uint16_t *weights, unsigned n)
{
	memset(bed, 0, sizeof(*bed));
	for (unsigned i = 0; i < n; i++)
		bed->member[i] = (struct choose_member){
			.server = (uint16_t)i, .weight = weights[i], .active = &bed->active[i]};
	bed->set = (struct choose_set){.member = bed->member, .count = n};
	choose_prepare(&bed->set);
}

static void prepare_sums_weights(void **state)
{
	struct bed bed;

	(void)state;
	lay(&bed, (uint16_t[]){3, 1, 256}, 3);
	assert_int_equal(bed.set.weight, 260);
	assert_int_equal(bed.member[0].below, 0);
	assert_int_equal(bed.member[1].below, 3);
	assert_int_equal(bed.member[2].below, 4);
}

static void round_robin_is_smooth(void **state)
{
	static const struct {
		uint16_t weight[3];
		unsigned n;
		const char *order;
	} rows[] = {
		{{1, 1, 1}, 3, "abcabc"},
		{{5, 1, 1}, 3, "aabacaaaabacaa"},
		{{3, 1}, 2, "aabaaaba"},
		{{7}, 1, "aaa"},
	};

	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct bed bed;

		lay(&bed, rows[r].weight, rows[r].n);
		for (const char *p = rows[r].order; *p; p++)
			assert_int_equal('a' + choose_round_robin(&bed.set), *p);
	}
}

static void round_robin_shares_by_weight(void **state)
{
	struct bed bed;

	(void)state;
	lay(&bed, (uint16_t[]){256, 100, 44}, 3);
	for (unsigned i = 0; i < 4000; i++)
		bed.got[choose_round_robin(&bed.set)]++;
	assert_int_equal(bed.got[0], 2560);
	assert_int_equal(bed.got[1], 1000);
	assert_int_equal(bed.got[2], 440);
}

static void least_takes_the_least_loaded(void **state)
{
	static const struct {
		uint16_t weight[3];
		uint32_t active[3];
		unsigned best;
	} rows[] = {
		{{1, 1, 1}, {5, 4, 6}, 1},     {{1, 1, 1}, {0, 7, 7}, 0},
		{{1, 10, 1}, {2, 9, 1}, 1},    {{1, 2, 4}, {0, 0, 0}, 2},
		{{256, 1, 1}, {255, 1, 1}, 0},
	};

	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
		for (uint64_t seed = 0; seed < 20; seed++) {
			struct bed bed;
			uint64_t random = seed;

			lay(&bed, rows[r].weight, 3);
			memcpy(bed.active, rows[r].active, sizeof(rows[r].active));
			assert_int_equal(choose_least(&bed.set, 1, &random), rows[r].best);
		}
}

static void least_counts_what_this_turn_sent(void **state)
{
	struct bed bed;
	uint64_t random = 1;

	(void)state;
	lay(&bed, (uint16_t[]){1, 1, 2}, 3);
	for (unsigned i = 0; i < 400; i++)
		bed.got[choose_least(&bed.set, 1000, &random)]++;
	assert_in_range(bed.got[0], 98, 102);
	assert_in_range(bed.got[1], 98, 102);
	assert_in_range(bed.got[2], 198, 202);
	/* In the next turn the manager's counts speak again. */
	bed.active[0] = bed.active[2] = 3;
	assert_int_equal(choose_least(&bed.set, 1001, &random), 1);
}

static void least_equals_share_over_turns(void **state)
{
	struct bed bed;
	uint64_t random = 7;

	(void)state;
	lay(&bed, (uint16_t[]){1, 1, 1, 1}, 4);
	for (unsigned i = 0; i < 4000; i++)
		bed.got[choose_least(&bed.set, i + 1, &random)]++;
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(bed.got[i], 850, 1150);
}

static void p2c_never_takes_the_worst(void **state)
{
	struct bed bed;
	uint64_t random = 3;

	(void)state;
	lay(&bed, (uint16_t[]){1, 1, 1, 1}, 4);
	bed.active[2] = 100;
	for (unsigned i = 0; i < 2000; i++)
		bed.got[choose_p2c(&bed.set, i + 1, &random)]++;
	assert_int_equal(bed.got[2], 0);
	assert_in_range(bed.got[0], 500, 850);
}

static void p2c_of_two_is_the_better(void **state)
{
	struct bed bed;
	uint64_t random = 9;

	(void)state;
	lay(&bed, (uint16_t[]){1, 3}, 2);
	bed.active[0] = 1;
	bed.active[1] = 9;
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(choose_p2c(&bed.set, i + 1, &random), 0);
}

/* Work that stays: every choice is one more in flight. */
static void p2c_fills_by_weight(void **state)
{
	struct bed bed;
	uint64_t random = 5;

	(void)state;
	lay(&bed, (uint16_t[]){1, 2, 5}, 3);
	for (unsigned i = 0; i < 8000; i++)
		bed.active[choose_p2c(&bed.set, i + 1, &random)]++;
	assert_in_range(bed.active[0], 900, 1100);
	assert_in_range(bed.active[1], 1850, 2150);
	assert_in_range(bed.active[2], 4800, 5200);
}

static void p2c_of_one(void **state)
{
	struct bed bed;
	uint64_t random = 5;

	(void)state;
	lay(&bed, (uint16_t[]){256}, 1);
	assert_int_equal(choose_p2c(&bed.set, 1, &random), 0);
	assert_int_equal(choose_least(&bed.set, 1, &random), 0);
}

static void random_is_repeatable_and_bounded(void **state)
{
	uint64_t a = 42, b = 42;
	unsigned seen[5] = {0};

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		uint32_t v = random_below(&a, 5);

		assert_int_equal(v, random_below(&b, 5));
		assert_true(v < 5);
		seen[v]++;
	}
	for (unsigned i = 0; i < 5; i++)
		assert_in_range(seen[i], 850, 1150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prepare_sums_weights),
		cmocka_unit_test(round_robin_is_smooth),
		cmocka_unit_test(round_robin_shares_by_weight),
		cmocka_unit_test(least_takes_the_least_loaded),
		cmocka_unit_test(least_counts_what_this_turn_sent),
		cmocka_unit_test(least_equals_share_over_turns),
		cmocka_unit_test(p2c_never_takes_the_worst),
		cmocka_unit_test(p2c_of_two_is_the_better),
		cmocka_unit_test(p2c_fills_by_weight),
		cmocka_unit_test(p2c_of_one),
		cmocka_unit_test(random_is_repeatable_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
