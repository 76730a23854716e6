/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define REF(n) ((uintptr_t)((n) + 1) * 64)

static bool match(uintptr_t ref, const void *key)
{
	return ref == *(const uintptr_t *)key;
}

static uintptr_t find(const struct tcp_table *table, uint64_t hash, uintptr_t ref)
{
	return tcp_table_find(table, hash, match, &ref);
}

/* Keys of one bucket, so that probing and the closing of gaps are used. */
static uint64_t crowded(uint64_t n)
{
	return n % 7 + (n / 7) * 1000003 * 1024;
}

static uint64_t spread(uint64_t n)
{
	return (n + 1) * 0x9e3779b97f4a7c15u;
}

static void fill_and_empty(uint64_t (*hash)(uint64_t), uint64_t count)
{
	struct tcp_table table;

	assert_int_equal(tcp_table_init(&table), 0);
	for (uint64_t i = 0; i < count; i++) {
		assert_int_equal(tcp_table_insert(&table, hash(i), REF(i)), 0);
		/* Also while it grows, everything is found. */
		assert_int_equal(find(&table, hash(i / 2), REF(i / 2)), REF(i / 2));
		assert_int_equal(find(&table, hash(i), REF(i)), REF(i));
		assert_int_equal(find(&table, hash(i + 1), REF(i + 1)), 0);
	}
	for (uint64_t i = 0; i < count; i += 2)
		tcp_table_remove(&table, hash(i), REF(i));
	for (uint64_t i = 0; i < count; i++)
		assert_int_equal(find(&table, hash(i), REF(i)), i % 2 ? REF(i) : 0);
	for (uint64_t i = 1; i < count; i += 2)
		tcp_table_remove(&table, hash(i), REF(i));
	assert_int_equal(table.now.used, 0);
	tcp_table_fini(&table);
}

static void test_crowded(void **state)
{
	(void)state;
	fill_and_empty(crowded, 600);
}

static void test_grows(void **state)
{
	(void)state;
	fill_and_empty(spread, 100000);
}

static void test_replace(void **state)
{
	struct tcp_table table;

	(void)state;
	assert_int_equal(tcp_table_init(&table), 0);
	assert_int_equal(tcp_table_insert(&table, 5, REF(1)), 0);
	tcp_table_replace(&table, 5, REF(1), REF(2) | 1);
	assert_int_equal(find(&table, 5, REF(1)), 0);
	assert_int_equal(find(&table, 5, REF(2) | 1), REF(2) | 1);
	tcp_table_replace(&table, 6, REF(1), REF(3)); /* is not there: nothing happens */
	tcp_table_remove(&table, 5, REF(1));
	assert_int_equal(find(&table, 5, REF(2) | 1), REF(2) | 1);
	tcp_table_fini(&table);
}

/* Removing and replacing what still stands in the old part. */
static void test_while_growing(void **state)
{
	struct tcp_table table;
	uint64_t n = 0;

	(void)state;
	assert_int_equal(tcp_table_init(&table), 0);
	while (!table.old.slots) {
		assert_int_equal(tcp_table_insert(&table, spread(n), REF(n)), 0);
		n++;
	}
	for (uint64_t i = 0; i < n; i += 3)
		tcp_table_remove(&table, spread(i), REF(i));
	for (uint64_t i = 1; i < n; i += 3)
		tcp_table_replace(&table, spread(i), REF(i), REF(i) | 1);
	while (table.old.slots) {
		assert_int_equal(tcp_table_insert(&table, spread(n), REF(n)), 0);
		n++;
	}
	for (uint64_t i = 0; i < 500; i++) {
		uintptr_t ref = i % 3 == 1 ? REF(i) | 1 : REF(i);

		assert_int_equal(find(&table, spread(i), ref), i % 3 ? ref : 0);
	}
	tcp_table_fini(&table);
}

static void test_random(void **state)
{
	enum { KEYS = 5000 };
	static bool in[KEYS];
	struct tcp_table table;

	(void)state;
	srand(2);
	assert_int_equal(tcp_table_init(&table), 0);
	for (int turn = 0; turn < 300000; turn++) {
		uint64_t n = (uint64_t)rand() % KEYS;

		if (in[n])
			tcp_table_remove(&table, spread(n), REF(n));
		else
			assert_int_equal(tcp_table_insert(&table, spread(n), REF(n)), 0);
		in[n] = !in[n];
		n = (uint64_t)rand() % KEYS;
		assert_int_equal(find(&table, spread(n), REF(n)), in[n] ? REF(n) : 0);
	}
	tcp_table_fini(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crowded), cmocka_unit_test(test_grows),
		cmocka_unit_test(test_replace), cmocka_unit_test(test_while_growing),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
