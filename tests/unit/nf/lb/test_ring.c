/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nf/lb/random.h"
#include "nf/lb/ring.h"

#define KEYS 20000

static bool all_up(const void *ctx, uint32_t owner)
{
	(void)ctx;
	(void)owner;
	return true;
}

static bool but_one(const void *ctx, uint32_t owner)
{
	return owner != *(const uint32_t *)ctx;
}

static bool none_up(const void *ctx, uint32_t owner)
{
	return !all_up(ctx, owner);
}

static void servers_with(struct ring_server *servers, unsigned n, const uint32_t *weights)
{
	for (uint32_t i = 0; i < n; i++) {
		servers[i].identity = ring_hash(&i, sizeof(i));
		servers[i].weight = weights ? weights[i] : 1;
	}
}

static uint64_t key(uint32_t k)
{
	return ring_hash(&k, sizeof(k));
}

static void shares_by_weight(void **state)
{
	struct ring_server servers[4];
	struct ring ring = {0};
	unsigned got[4] = {0};

	(void)state;
	servers_with(servers, 4, (uint32_t[]){1, 1, 2, 4});
	assert_int_equal(ring_build(&ring, servers, 4), 1);
	assert_int_equal(ring.count, 8 * RING_POINTS_PER_WEIGHT);
	for (uint32_t k = 0; k < KEYS; k++)
		got[ring_find(&ring, key(k), all_up, NULL)]++;
	assert_in_range(got[0], KEYS / 8 * 85 / 100, KEYS / 8 * 115 / 100);
	assert_in_range(got[1], KEYS / 8 * 85 / 100, KEYS / 8 * 115 / 100);
	assert_in_range(got[2], KEYS / 4 * 85 / 100, KEYS / 4 * 115 / 100);
	assert_in_range(got[3], KEYS / 2 * 85 / 100, KEYS / 2 * 115 / 100);
	ring_clear(&ring);
}

static void a_server_down_moves_its_keys_only(void **state)
{
	struct ring_server servers[5];
	struct ring ring = {0};
	uint32_t down = 3;
	unsigned moved_to[5] = {0};

	(void)state;
	servers_with(servers, 5, NULL);
	assert_int_equal(ring_build(&ring, servers, 5), 1);
	for (uint32_t k = 0; k < KEYS; k++) {
		int64_t before = ring_find(&ring, key(k), all_up, NULL);
		int64_t after = ring_find(&ring, key(k), but_one, &down);

		if (before == down)
			moved_to[after]++;
		else
			assert_int_equal(before, after);
	}
	assert_int_equal(moved_to[down], 0);
	for (uint32_t i = 0; i < 5; i++)
		if (i != down)
			assert_in_range(moved_to[i], KEYS / 20 / 2, KEYS / 20 * 2);
	ring_clear(&ring);
}

static void a_server_more_takes_keys_from_all(void **state)
{
	struct ring_server servers[5];
	struct ring before = {0}, after = {0};
	unsigned moved = 0;

	(void)state;
	servers_with(servers, 5, NULL);
	assert_int_equal(ring_build(&before, servers, 4), 1);
	assert_int_equal(ring_build(&after, servers, 5), 1);
	for (uint32_t k = 0; k < KEYS; k++) {
		int64_t was = ring_find(&before, key(k), all_up, NULL);
		int64_t is = ring_find(&after, key(k), all_up, NULL);

		if (was != is) {
			assert_int_equal(is, 4);
			moved++;
		}
	}
	assert_in_range(moved, KEYS / 5 * 80 / 100, KEYS / 5 * 120 / 100);
	ring_clear(&before);
	ring_clear(&after);
}

static void more_weight_takes_keys_for_that_server_only(void **state)
{
	struct ring_server servers[3];
	struct ring before = {0}, after = {0};

	(void)state;
	servers_with(servers, 3, NULL);
	assert_int_equal(ring_build(&before, servers, 3), 1);
	servers[1].weight = 2;
	assert_int_equal(ring_build(&after, servers, 3), 1);
	for (uint32_t k = 0; k < KEYS; k++) {
		int64_t was = ring_find(&before, key(k), all_up, NULL);
		int64_t is = ring_find(&after, key(k), all_up, NULL);

		assert_true(was == is || is == 1);
	}
	ring_clear(&before);
	ring_clear(&after);
}

static void built_only_after_a_change(void **state)
{
	struct ring_server servers[2];
	struct ring ring = {0};

	(void)state;
	servers_with(servers, 2, NULL);
	assert_int_equal(ring_build(&ring, servers, 2), 1);
	assert_int_equal(ring_build(&ring, servers, 2), 0);
	servers[0].weight = 3;
	assert_int_equal(ring_build(&ring, servers, 2), 1);
	assert_int_equal(ring_build(&ring, servers, 1), 1);
	ring_clear(&ring);
}

static void none_usable(void **state)
{
	struct ring_server servers[2] = {{0}};
	struct ring ring = {0};

	(void)state;
	assert_int_equal(ring_build(&ring, servers, 0), 1);
	assert_int_equal(ring_find(&ring, 1, all_up, NULL), -1);
	servers_with(servers, 2, NULL);
	assert_int_equal(ring_build(&ring, servers, 2), 1);
	assert_int_equal(ring_find(&ring, 1, none_up, NULL), -1);
	assert_in_range(ring_find(&ring, UINT64_MAX, all_up, NULL), 0, 1);
	ring_clear(&ring);
}

static void large_groups_are_bounded(void **state)
{
	static struct ring_server servers[16384];
	struct ring ring = {0};

	(void)state;
	for (uint32_t i = 0; i < 16384; i++)
		servers[i] = (struct ring_server){random_mix(i), 256};
	assert_int_equal(ring_build(&ring, servers, 16384), 1);
	assert_true(ring.count <= RING_POINTS_MAX);
	assert_true(ring.count >= 16384);
	ring_clear(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_by_weight),
		cmocka_unit_test(a_server_down_moves_its_keys_only),
		cmocka_unit_test(a_server_more_takes_keys_from_all),
		cmocka_unit_test(more_weight_takes_keys_for_that_server_only),
		cmocka_unit_test(built_only_after_a_change),
		cmocka_unit_test(none_usable),
		cmocka_unit_test(large_groups_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
