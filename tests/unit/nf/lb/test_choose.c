/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sluice/abi.h>

#include "nf/lb/choose.h"
#include "nf/lb/random.h"

#define MAX 8

struct bed {
	struct choose_member member[MAX];
	struct sluice_server server[MAX];
	struct choose_set set;
	unsigned got[MAX];
};

static void lay(struct bed *bed, const uint16_t *weights, unsigned n)
{
	memset(bed, 0, sizeof(*bed));
	for (unsigned i = 0; i < n; i++)
		bed->member[i] = (struct choose_member){
			.server = (uint16_t)i, .weight = weights[i], .seen = &bed->server[i]};
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
			for (unsigned i = 0; i < 3; i++)
				bed.server[i].active = rows[r].active[i];
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
	bed.server[0].active = bed.server[2].active = 3;
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
	bed.server[2].active = 100;
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
	bed.server[0].active = 1;
	bed.server[1].active = 9;
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
		bed.server[choose_p2c(&bed.set, i + 1, &random)].active++;
	assert_in_range(bed.server[0].active, 900, 1100);
	assert_in_range(bed.server[1].active, 1850, 2150);
	assert_in_range(bed.server[2].active, 4800, 5200);
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

static void latency_decides(void **state)
{
	uint64_t random = 1;
	struct bed bed;

	(void)state;
	lay(&bed, (uint16_t[]){1, 1}, 2);
	bed.server[0].peak_us = 1000;
	bed.server[1].peak_us = 50000;
	for (uint64_t i = 1; i < 100; i++)
		assert_int_equal(choose_ewma(&bed.set, i, &random), 0);
	/* What is in flight counts as often: 60 times 1 ms against once 50 ms. */
	bed.server[0].active = 59;
	assert_int_equal(choose_ewma(&bed.set, 100, &random), 1);
	/* A heavier server may be slower. */
	lay(&bed, (uint16_t[]){1, 4}, 2);
	bed.server[0].peak_us = 1000;
	bed.server[1].peak_us = 3000;
	assert_int_equal(choose_ewma(&bed.set, 100, &random), 1);
}

static void unknown_latency_is_tried_once(void **state)
{
	uint64_t random = 1;
	struct bed bed;

	(void)state;
	lay(&bed, (uint16_t[]){1, 1}, 2);
	bed.server[0].peak_us = 1000;
	assert_int_equal(choose_ewma(&bed.set, 1, &random), 1);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(choose_ewma(&bed.set, 1, &random), 0);
}

static void peaks_are_forgotten(void **state)
{
	uint64_t random = 1;
	struct bed bed;

	(void)state;
	lay(&bed, (uint16_t[]){1, 1}, 2);
	bed.server[0].peak_us = 1000;
	bed.server[1].peak_us = 5000;
	bed.server[1].peak_at_us = 7;
	assert_int_equal(choose_ewma(&bed.set, 1, &random), 0);
	bed.server[0].peak_at_us = 9; /* measured anew; the other one was not, for a minute */
	assert_int_equal(choose_ewma(&bed.set, 60000000, &random), 1);
}

static void share_follows_weight(void **state)
{
	struct bed bed;

	(void)state;
	lay(&bed, (uint16_t[]){1, 3}, 2);
	for (uint64_t hash = 0; hash < 400; hash++)
		bed.got[choose_share(&bed.set, hash)]++;
	assert_int_equal(bed.got[0], 100);
	assert_int_equal(bed.got[1], 300);
}

static void full_is_more_than_the_bound(void **state)
{
	struct bed bed;

	(void)state;
	lay(&bed, (uint16_t[]){1, 1, 2}, 3);
	bed.server[0].active = 3;
	bed.server[1].active = 2;
	bed.server[2].active = 2;
	assert_int_equal(choose_in_flight(&bed.set, 1), 7);
	/* Of 8 its fair share is 2; 125 % of that are 2.5: two may have one more, three not. */
	assert_true(choose_is_full(&bed.set, 0, 125, 8, 1));
	assert_false(choose_is_full(&bed.set, 1, 125, 8, 1));
	assert_false(choose_is_full(&bed.set, 2, 125, 8, 1));
	choose_note(&bed.set, 1, 1);
	assert_true(choose_is_full(&bed.set, 1, 125, 8, 1));
	assert_false(choose_is_full(&bed.set, 1, 125, 8, 2)); /* the next turn sees true counts */
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
		cmocka_unit_test(latency_decides),
		cmocka_unit_test(unknown_latency_is_tried_once),
		cmocka_unit_test(peaks_are_forgotten),
		cmocka_unit_test(share_follows_weight),
		cmocka_unit_test(full_is_more_than_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
