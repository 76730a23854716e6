/* SPDX-License-Identifier: BSD-3-Clause */
/* What is remembered, and what is forgotten first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nf/limit/table.h"

static void test_rows(void **state)
{
	(void)state;
	assert_int_equal(table_rows(1), 1);
	assert_int_equal(table_rows(8), 1);
	assert_int_equal(table_rows(9), 2);
	assert_int_equal(table_rows(65536), 8192);
}

static void test_set_and_get(void **state)
{
	struct table_entry entries[2 * TABLE_WAYS] = {0};
	struct table table;

	(void)state;
	table_init(&table, entries, 2);
	assert_int_equal(table_get(&table, 0), 0);
	assert_int_equal(table_set(&table, 0, 100, 50), 0);
	assert_int_equal(table_set(&table, 7, 200, 50), 0);
	assert_int_equal(table_set(&table, 7, 300, 50), 0);
	assert_int_equal(table_get(&table, 0), 100);
	assert_int_equal(table_get(&table, 7), 300);
	assert_int_equal(table_get(&table, 9), 0);
}

static void test_the_smallest_debt_goes_first(void **state)
{
	struct table_entry entries[TABLE_WAYS] = {0};
	struct table table;

	(void)state;
	table_init(&table, entries, 1);
	for (uint64_t key = 1; key <= TABLE_WAYS; ++key)
		assert_int_equal(table_set(&table, key, 1000 + key, 500), 0);
	assert_int_equal(table_set(&table, 100, 900, 500), 1);
	assert_int_equal(table_get(&table, 1), 0);
	/* New keys that owe little push out each other, not those that owe much. */
	for (uint64_t key = 101; key < 1000; ++key)
		assert_int_equal(table_set(&table, key, 900, 500), 1);
	for (uint64_t key = 2; key <= TABLE_WAYS; ++key)
		assert_int_equal(table_get(&table, key), 1000 + key);
}

static void test_what_is_regained_is_no_loss(void **state)
{
	struct table_entry entries[TABLE_WAYS] = {0};
	struct table table;

	(void)state;
	table_init(&table, entries, 1);
	for (uint64_t key = 1; key <= TABLE_WAYS; ++key)
		assert_int_equal(table_set(&table, key, 1000 + key, 500), 0);
	assert_int_equal(table_set(&table, 100, 3000, 2000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_set_and_get),
		cmocka_unit_test(test_the_smallest_debt_goes_first),
		cmocka_unit_test(test_what_is_regained_is_no_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
