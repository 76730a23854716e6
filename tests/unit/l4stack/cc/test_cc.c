/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all algorithms of congestion control have in common.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "l4stack/cc/cc.h"

#define MSS 1000

static void test_names(void **state)
{
	(void)state;
	assert_ptr_equal(cc_find(NULL), &cc_cubic);
	assert_ptr_equal(cc_find("cubic"), &cc_cubic);
	assert_ptr_equal(cc_find("newreno"), &cc_newreno);
	assert_ptr_equal(cc_find("bbr"), &cc_bbr);
	assert_null(cc_find("vegas"));
	assert_null(cc_find(""));
}

/* Every one of the list can be found, and begins as RFC 6928 §2 and RFC 5681 §3.1 say. */
static void test_each_begins(void **state)
{
	struct cc cc;
	unsigned n = 0;

	(void)state;
	for (const char *name; (name = cc_name(n)); n++) {
		const struct cc_ops *ops = cc_find(name);

		assert_non_null(ops);
		cc_init(&cc, ops, MSS, false, 1);
		assert_int_equal(cc.cwnd, 10 * MSS);
		assert_int_equal(cc.ssthresh, CC_SSTHRESH_INFINITE);
		cc_init(&cc, ops, MSS, true, 1);
		assert_int_equal(cc.cwnd, MSS);
	}
	assert_true(n > 1);
}

static void test_initial_window(void **state)
{
	(void)state;
	assert_int_equal(cc_initial_window(536), 5360);
	assert_int_equal(cc_initial_window(1460), 14600);
	assert_int_equal(cc_initial_window(1461), 14600);
	assert_int_equal(cc_initial_window(9000), 18000);
}

/* RFC 4015 §3.2: what was before, but no burst. */
static void test_undo(void **state)
{
	struct cc cc;

	(void)state;
	for (unsigned i = 0; cc_name(i); i++) {
		cc_init(&cc, cc_find(cc_name(i)), MSS, false, 1);
		cc.cwnd = 40 * MSS;
		cc_lose(&cc, CC_LOSS_TIMEOUT, 40 * MSS, 1000);
		cc_lose(&cc, CC_LOSS_AGAIN, MSS, 2000);
		cc_undo(&cc, 35 * MSS);
		assert_int_equal(cc.cwnd, 40 * MSS);
		assert_int_equal(cc.ssthresh, CC_SSTHRESH_INFINITE);
	}
	cc_init(&cc, &cc_newreno, MSS, false, 1);
	cc.cwnd = 40 * MSS;
	cc.ssthresh = 20 * MSS;
	cc_lose(&cc, CC_LOSS_TIMEOUT, 40 * MSS, 1000);
	cc_undo(&cc, 5 * MSS);
	assert_int_equal(cc.cwnd, 15 * MSS);
	assert_int_equal(cc.ssthresh, 40 * MSS); /* where slow start ends */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_each_begins),
		cmocka_unit_test(test_initial_window),
		cmocka_unit_test(test_undo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
