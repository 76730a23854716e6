/* SPDX-License-Identifier: BSD-3-Clause */
/* Of what DPDK says, the line that tells why something failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rte_log.h>

#include "dataplane/eal_log.h"

static void say(const char *text)
{
	rte_log(RTE_LOG_ERR, RTE_LOGTYPE_EAL, "%s", text);
}

static void nobody_said_anything(void **state)
{
	(void)state;
	eal_log_hold();
	assert_string_equal(eal_log_release(), "");
}

static void a_drivers_first_word(void **state)
{
	(void)state;
	eal_log_hold();
	say("EAL: Probing\n");
	say("connect(): no such file\ninit(): fails\n");
	say("EAL: Driver cannot attach the device\n");
	assert_string_equal(eal_log_release(), "connect(): no such file");
}

static void eals_last_if_it_is_alone(void **state)
{
	(void)state;
	eal_log_hold();
	say("EAL: no device\n");
	say("EAL: Failed to attach\n");
	assert_string_equal(eal_log_release(), "EAL: Failed to attach");
}

static void each_try_begins_anew(void **state)
{
	(void)state;
	eal_log_hold();
	say("probe(): something of no weight\n");
	eal_log_hold();
	assert_string_equal(eal_log_release(), "");
	eal_log_hold();
	say("EAL: Failed\n");
	assert_string_equal(eal_log_release(), "EAL: Failed");
}

static int setup(void **state)
{
	(void)state;
	eal_log_open();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_said_anything),
		cmocka_unit_test(a_drivers_first_word),
		cmocka_unit_test(eals_last_if_it_is_alone),
		cmocka_unit_test(each_try_begins_anew),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
