/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include "nf/cache/s3fifo.h"

#define ROW_COUNT 256

struct bed {
	struct s3fifo s3;
	struct s3_ghost ghost[ROW_COUNT * S3_GHOSTS_PER_ROW];
	struct s3_item item[2000];
};

static struct bed bed;

static uint64_t spread(uint64_t x)
{
	x = (x + 1) * UINT64_C(0x9e3779b97f4a7c15);
	return x ^ x >> 29;
}

/* Room for 100 items of 10 bytes: 10 of them small. */
static void lay(void)
{
	memset(&bed, 0, sizeof(bed));
	s3_init(&bed.s3, 1000, bed.ghost, ROW_COUNT);
}

static bool put(unsigned i)
{
	bed.item[i].hash = spread(i);
	bed.item[i].bytes = 10;
	return s3_insert(&bed.s3, &bed.item[i]);
}

static unsigned victim(void)
{
	struct s3_item *item = s3_victim(&bed.s3);

	return item ? (unsigned)(item - bed.item) : UINT32_MAX;
}

static void empty_has_no_victim(void **state)
{
	(void)state;
	lay();
	assert_int_equal(victim(), UINT32_MAX);
}

static void first_in_first_out_without_uses(void **state)
{
	(void)state;
	lay();
	for (unsigned i = 0; i < 5; i++)
		assert_false(put(i));
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(victim(), i);
	assert_int_equal(bed.s3.small.bytes, 0);
	assert_int_equal(victim(), UINT32_MAX);
}

static void used_twice_stays(void **state)
{
	(void)state;
	lay();
	for (unsigned i = 0; i < 20; i++)
		put(i);
	s3_use(&bed.item[0]);
	s3_use(&bed.item[1]);
	s3_use(&bed.item[1]);
	assert_int_equal(victim(), 0);
	assert_int_equal(victim(), 2);
	assert_true(bed.item[1].main);
	assert_int_equal(bed.s3.main.count, 1);
}

static void ghosts_return_to_main(void **state)
{
	(void)state;
	lay();
	put(0);
	assert_int_equal(victim(), 0);
	assert_true(put(0));
	assert_true(bed.item[0].main);
	/* Its ghost is used up. */
	s3_remove(&bed.s3, &bed.item[0]);
	assert_false(put(0));
}

static void ghosts_fade(void **state)
{
	(void)state;
	lay();
	put(0);
	victim();
	for (unsigned i = 1; i < 200; i++) {
		put(i);
		victim();
	}
	assert_false(put(0));
	assert_true(put(199));
}

static void small_gives_while_it_is_over_its_share(void **state)
{
	(void)state;
	lay();
	for (unsigned i = 0; i < 3; i++) {
		put(i);
		s3_use(&bed.item[i]);
		s3_use(&bed.item[i]);
	}
	put(3);
	assert_int_equal(victim(), 3); /* 0 to 2 went to main */
	for (unsigned i = 4; i < 12; i++)
		put(i);
	assert_int_equal(victim(), 0); /* small has 8 of 10: main gives */
	for (unsigned i = 12; i < 20; i++)
		put(i);
	assert_int_equal(victim(), 4);
}

static void main_goes_round_by_uses(void **state)
{
	(void)state;
	lay();
	for (unsigned i = 0; i < 3; i++)
		put(i);
	for (unsigned i = 0; i < 3; i++)
		victim();
	for (unsigned i = 0; i < 3; i++)
		assert_true(put(i));
	s3_use(&bed.item[0]);
	for (unsigned i = 0; i < 9; i++)
		s3_use(&bed.item[1]);
	assert_int_equal(bed.item[1].uses, 3);
	assert_int_equal(victim(), 2);
	assert_int_equal(victim(), 0);
	assert_int_equal(victim(), 1);
}

static void remove_and_resize_keep_the_sums(void **state)
{
	(void)state;
	lay();
	for (unsigned i = 0; i < 4; i++)
		put(i);
	s3_remove(&bed.s3, &bed.item[1]);
	s3_resize(&bed.s3, &bed.item[2], 25);
	assert_int_equal(bed.s3.small.bytes, 45);
	assert_int_equal(bed.s3.small.count, 3);
	s3_remove(&bed.s3, &bed.item[0]);
	s3_remove(&bed.s3, &bed.item[3]);
	assert_int_equal(victim(), 2);
	assert_int_equal(bed.s3.small.bytes, 0);
	assert_null(bed.s3.small.newest);
	assert_null(bed.s3.small.oldest);
}

/* What it is for: a scan of things used once does not wash out what is used all the time. */
static void a_scan_leaves_the_popular_alone(void **state)
{
	bool in[2000] = {false};
	unsigned held = 0, misses = 0;

	(void)state;
	lay();
	for (unsigned round = 0; round < 1900; round++) {
		unsigned wanted[] = {round % 50, 60 + round};

		for (unsigned k = 0; k < 2; k++) {
			unsigned i = wanted[k];

			if (in[i]) {
				s3_use(&bed.item[i]);
				continue;
			}
			misses += k == 0 && round >= 300;
			for (; held >= 100; held--)
				in[victim()] = false;
			put(i);
			in[i] = true;
			held++;
		}
	}
	assert_in_range(misses, 0, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_has_no_victim),
		cmocka_unit_test(first_in_first_out_without_uses),
		cmocka_unit_test(used_twice_stays),
		cmocka_unit_test(ghosts_return_to_main),
		cmocka_unit_test(ghosts_fade),
		cmocka_unit_test(small_gives_while_it_is_over_its_share),
		cmocka_unit_test(main_goes_round_by_uses),
		cmocka_unit_test(remove_and_resize_keep_the_sums),
		cmocka_unit_test(a_scan_leaves_the_popular_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
