/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "l4stack/base/bucket.h"

static unsigned take_all(struct bucket *bucket, uint64_t now_us, uint32_t per_second,
			 uint32_t burst)
{
	unsigned n = 0;

	while (n < 100000 && bucket_take(bucket, now_us, per_second, burst))
		n++;
	return n;
}

static void burst_then_rate(void **state)
{
	struct bucket bucket = {0};

	(void)state;
	assert_int_equal(take_all(&bucket, 5000000, 100, 20), 20);
	assert_int_equal(take_all(&bucket, 5000000, 100, 20), 0);
	assert_int_equal(take_all(&bucket, 5009999, 100, 20), 0);
	assert_int_equal(take_all(&bucket, 5010000, 100, 20), 1);
	assert_int_equal(take_all(&bucket, 5060000, 100, 20), 5);
	assert_int_equal(take_all(&bucket, 90000000, 100, 20), 20);
}

static void full_from_time_zero(void **state)
{
	struct bucket bucket = {0};

	(void)state;
	assert_int_equal(take_all(&bucket, 0, 1, 3), 3);
	assert_int_equal(take_all(&bucket, 999999, 1, 3), 0);
	assert_int_equal(take_all(&bucket, 1000000, 1, 3), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_then_rate),
		cmocka_unit_test(full_from_time_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
