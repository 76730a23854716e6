/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MOST 200

static void count(void *ctx, void *object)
{
	(void)object;
	++*(unsigned *)ctx;
}

static void test_slab(void **state)
{
	struct tcp_slab slab;
	uint8_t *objects[MOST];
	unsigned seen = 0;

	(void)state;
	tcp_slab_init(&slab, 128, MOST);
	for (unsigned i = 0; i < MOST; i++) {
		objects[i] = tcp_slab_alloc(&slab);
		assert_non_null(objects[i]);
		assert_int_equal((uintptr_t)objects[i] % 64, 0);
		for (unsigned b = 0; b < 128; b++)
			assert_int_equal(objects[i][b], 0);
		memset(objects[i], (int)i, 128);
	}
	assert_null(tcp_slab_alloc(&slab));
	for (unsigned i = 0; i < MOST; i++)
		for (unsigned b = 0; b < 128; b++)
			assert_int_equal(objects[i][b], (uint8_t)i);
	tcp_slab_free(&slab, objects[5]);
	assert_int_equal(objects[5][127], 5); /* all but the first eight bytes stay */
	assert_int_equal(slab.used, MOST - 1);
	assert_ptr_equal(tcp_slab_alloc(&slab), objects[5]);
	assert_int_equal(objects[5][127], 0);
	tcp_slab_each(&slab, count, &seen);
	assert_int_equal(seen, MOST);
	tcp_slab_fini(&slab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_slab)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
