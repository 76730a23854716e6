/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_rto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_initial(void **state)
{
	struct tcp_rto rto;

	(void)state;
	tcp_rto_init(&rto);
	assert_int_equal(rto.rto_us, 1000000); /* RFC 6298 §2.1 */
	assert_int_equal(tcp_rto_srtt_us(&rto), 0);
}

static void test_first_sample(void **state)
{
	struct tcp_rto rto;

	(void)state;
	tcp_rto_init(&rto);
	tcp_rto_sample(&rto, 200000);
	assert_int_equal(tcp_rto_srtt_us(&rto), 200000);
	assert_int_equal(tcp_rto_rttvar_us(&rto), 100000);
	assert_int_equal(rto.rto_us, 600000); /* §2.2: R + 4 * R/2 */
}

/* §2.3 by hand: RTTVAR = 3/4 * 100 + 1/4 * |200 - 280|, SRTT = 7/8 * 200 + 1/8 * 280. */
static void test_second_sample(void **state)
{
	struct tcp_rto rto;

	(void)state;
	tcp_rto_init(&rto);
	tcp_rto_sample(&rto, 200000);
	tcp_rto_sample(&rto, 280000);
	assert_int_equal(tcp_rto_rttvar_us(&rto), 95000);
	assert_int_equal(tcp_rto_srtt_us(&rto), 210000);
	assert_int_equal(rto.rto_us, 210000 + 4 * 95000);
}

static void test_bounds(void **state)
{
	struct tcp_rto rto;

	(void)state;
	tcp_rto_init(&rto);
	for (int i = 0; i < 100; i++)
		tcp_rto_sample(&rto, 50);
	assert_in_range(tcp_rto_srtt_us(&rto), 49, 51);
	/* The variance counts for 200 ms at least. */
	assert_int_equal(rto.rto_us, tcp_rto_srtt_us(&rto) + TCP_RTO_SPREAD_MIN_US);
	for (int i = 0; i < 100; i++)
		tcp_rto_sample(&rto, UINT32_MAX);
	assert_int_equal(rto.rto_us, TCP_RTO_MAX_US);
	tcp_rto_sample(&rto, 0);
	assert_true(tcp_rto_srtt_us(&rto) > 0);
}

static void test_backoff(void **state)
{
	struct tcp_rto rto;
	uint32_t expected = 1000000;

	(void)state;
	tcp_rto_init(&rto);
	for (int i = 0; i < 10; i++) {
		tcp_rto_backoff(&rto);
		expected = expected * 2 > TCP_RTO_MAX_US ? TCP_RTO_MAX_US : expected * 2;
		assert_int_equal(rto.rto_us, expected);
	}
	tcp_rto_sample(&rto, 100000); /* only a sample takes it back */
	assert_int_equal(rto.rto_us, 300000);
	tcp_rto_backoff(&rto);
	tcp_rto_restore(&rto); /* or the knowledge that it was wrong */
	assert_int_equal(rto.rto_us, 300000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_initial),       cmocka_unit_test(test_first_sample),
		cmocka_unit_test(test_second_sample), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_backoff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
