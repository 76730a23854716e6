/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "l4stack/base/counters.h"

struct holder {
	struct stack_counters *counters;
};

static void a_row_is_a_field_a_number_and_a_text(void **state)
{
	struct stack_counters counters = {0};
	struct holder holder = {&counters};

	(void)state;
	stack_count(&holder, tcp_rtos);
	stack_count_add(&holder, tcp_rtos, 4);
	stack_count_id(&holder, COUNTER_tcp_rtos);
	assert_int_equal(counters.tcp_rtos, 6);
	assert_int_equal(counter_read(&counters, COUNTER_tcp_rtos), 6);
	assert_string_equal(stack_counter_table[COUNTER_tcp_rtos].name, "tcp_rtos");
}

/* Names are what metrics are called outside: they must differ, and each has a help text. */
static void names_differ(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNTER_TOTAL; i++) {
		const struct counter_info *info = &stack_counter_table[i];

		assert_true(strlen(info->help) > 0 && strlen(info->unit) > 0);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(info->name, stack_counter_table[j].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_a_field_a_number_and_a_text),
		cmocka_unit_test(names_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
