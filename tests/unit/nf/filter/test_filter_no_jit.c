/* SPDX-License-Identifier: BSD-3-Clause */
/* The filter where no memory may be made executable: patterns are interpreted. */
#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>

#include "tests/unit/nf/common/plugin.h"

#define TEN_A "aaaaaaaaaa"

static int forbid_code(void **state)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	(void)state;
	assert_non_null(filter);
	assert_int_equal(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mmap), 1,
					  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)),
			 0);
	assert_int_equal(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(mprotect), 1,
					  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)),
			 0);
	assert_int_equal(seccomp_load(filter), 0);
	seccomp_release(filter);
	return 0;
}

static void test_same_answers(void **state)
{
	struct harness *h =
		plugin_start("match_limit = 1000; status = 400;"
			     "deny = ( { path = \"^/admin\"; }, { path = \"^/(a+)+$\"; } );");

	(void)state;
	assert_int_equal(harness_logs(h), 1);
	assert_string_equal(harness_log(h, 0),
			    "2 patterns are interpreted: compiled code is not allowed here");
	assert_int_equal(harness_status(harness_request(h, "GET", "/admin", HARNESS_NO_FIELDS)),
			 403);
	assert_int_equal(harness_verdict(harness_request(h, "GET", "/x", HARNESS_NO_FIELDS)),
			 SLUICE_LEAVE);
	assert_int_equal(harness_status(harness_request(h, "GET", "/" TEN_A TEN_A TEN_A TEN_A "!",
							HARNESS_NO_FIELDS)),
			 400);
	assert_int_equal(harness_counter(h, "match_limits"), 1);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_answers),
	};

	return cmocka_run_group_tests(tests, forbid_code, NULL);
}
