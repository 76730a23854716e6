/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nf/lb/group.h"

static struct sluice_upstreams table;

static void lay(enum sluice_balance balance, uint32_t first, uint32_t servers)
{
	memset(&table, 0, sizeof(table));
	table.groups = 1;
	table.group[0] = (struct sluice_group){.name = "web",
					       .balance = balance,
					       .first = first,
					       .servers = servers,
					       .version = 1};
	for (uint32_t i = 0; i < servers; i++) {
		struct sluice_server *s = &table.server[first + i];

		s->addr.family = 4;
		s->addr.port = 80;
		s->addr.bytes[3] = (uint8_t)(i + 1);
		s->weight = 1;
	}
}

static void picks_are_places_in_the_group(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int b = SLUICE_BALANCE_ROUND_ROBIN; b < SLUICE_BALANCES; b++) {
		struct group *group = group_new(-1, 0, NULL);
		bool seen[3] = {false};

		lay((enum sluice_balance)b, 7, 3);
		assert_int_equal(group_refresh(group, &table, 0), 1);
		for (uint64_t k = 0; k < 300; k++) {
			int server = group_pick(group, k << 56 ^ k << 50, 1, &random);

			assert_in_range(server, 0, 2);
			seen[server] = true;
		}
		assert_true(seen[0] && seen[1] && seen[2]);
		group_free(group);
	}
}

static void skips_what_is_not_up(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int b = SLUICE_BALANCE_ROUND_ROBIN; b < SLUICE_BALANCES; b++) {
		struct group *group = group_new(b, 0, NULL);

		lay(SLUICE_BALANCE_ROUND_ROBIN, 0, 3);
		table.server[0].state = SLUICE_SERVER_DOWN;
		table.server[2].state = SLUICE_SERVER_DRAIN;
		assert_int_equal(group_refresh(group, &table, 0), 1);
		for (uint64_t k = 0; k < 20; k++)
			assert_int_equal(group_pick(group, k << 59, 1, &random), 1);
		table.server[1].state = SLUICE_SERVER_DOWN;
		table.changes++;
		assert_int_equal(group_refresh(group, &table, 0), 1);
		assert_int_equal(group_pick(group, 0, 1, &random), GROUP_NO_SERVER);
		group_free(group);
	}
}

static void read_anew_only_after_changes(void **state)
{
	struct group *group = group_new(-1, 0, NULL);

	(void)state;
	lay(SLUICE_BALANCE_HASH, 0, 2);
	assert_int_equal(group_refresh(group, &table, 0), 1);
	assert_int_equal(group_refresh(group, &table, 0), 0);
	table.changes++;
	assert_int_equal(group_refresh(group, &table, 0), 1);
	table.group[0].version++;
	assert_int_equal(group_refresh(group, &table, 0), 1);
	assert_int_equal(group_refresh(group, &table, 0), 0);
	group_free(group);
}

static void a_group_that_becomes_hashed_gets_its_ring(void **state)
{
	struct group *group = group_new(-1, 0, NULL);
	uint64_t random = 1;

	(void)state;
	lay(SLUICE_BALANCE_ROUND_ROBIN, 0, 2);
	assert_int_equal(group_refresh(group, &table, 0), 1);
	assert_null(group->ring.point);
	table.group[0].balance = SLUICE_BALANCE_HASH;
	table.group[0].servers = 1;
	table.group[0].version++;
	assert_int_equal(group_refresh(group, &table, 0), 1);
	assert_int_equal(group_pick(group, 99, 1, &random), 0);
	group_free(group);
}

static void round_robin_keeps_its_turn_over_a_change(void **state)
{
	struct group *group = group_new(-1, 0, NULL);
	uint64_t random = 1;
	int last;

	(void)state;
	lay(SLUICE_BALANCE_ROUND_ROBIN, 0, 2);
	assert_int_equal(group_refresh(group, &table, 0), 1);
	last = group_pick(group, 0, 1, &random);
	for (int i = 0; i < 10; i++) {
		int server;

		table.changes++;
		assert_int_equal(group_refresh(group, &table, 0), 1);
		server = group_pick(group, 0, 1, &random);
		assert_int_not_equal(server, last);
		last = server;
	}
	group_free(group);
}

static void bad_numbers_are_refused(void **state)
{
	struct group *group = group_new(-1, 0, NULL);
	uint64_t random = 1;

	(void)state;
	lay(SLUICE_BALANCE_ROUND_ROBIN, 0, 1);
	table.group[0].first = SLUICE_SERVERS_MAX - 1;
	table.group[0].servers = 2;
	assert_int_equal(group_refresh(group, &table, 0), -EAGAIN);
	lay((enum sluice_balance)77, 0, 1);
	table.server[0].weight = 100000;
	assert_int_equal(group_refresh(group, &table, 0), 1);
	assert_int_equal(group->balance, SLUICE_BALANCE_P2C);
	assert_int_equal(group->usable.weight, 256 * SLUICE_WARM);
	assert_int_equal(group_pick(group, 0, 1, &random), 0);
	group_free(group);
}

/* One key comes all the time: unbounded it has one server, bounded no server has more than 125 %.
 */
static void loads_can_be_bounded(void **state)
{
	static const int balances[] = {SLUICE_BALANCE_HASH, SLUICE_BALANCE_MAGLEV};
	uint64_t random = 1;

	(void)state;
	for (unsigned b = 0; b < 2; b++) {
		struct group *free_one = group_new(balances[b], 0, NULL);
		struct group *bounded = group_new(balances[b], 125, NULL);
		int home;

		lay(SLUICE_BALANCE_ROUND_ROBIN, 0, 4);
		assert_int_equal(group_refresh(free_one, &table, 0), 1);
		assert_int_equal(group_refresh(bounded, &table, 0), 1);
		home = group_pick(free_one, 42, 1, &random);
		assert_int_equal(group_pick(bounded, 42, 1, &random), home);
		for (unsigned i = 0; i < 400; i++) {
			assert_int_equal(group_pick(free_one, 42, 2 + i, &random), home);
			table.server[group_pick(bounded, 42, 2 + i, &random)].active++;
		}
		assert_int_equal(table.server[home].active, 125);
		for (unsigned i = 0; i < 4; i++)
			assert_in_range(table.server[i].active, 25, 125);
		group_free(free_one);
		group_free(bounded);
	}
}

static void slow_start_takes_weight(void **state)
{
	struct group *group = group_new(SLUICE_BALANCE_ROUND_ROBIN, 0, NULL);
	uint64_t random = 1;
	unsigned got[2] = {0};

	(void)state;
	lay(SLUICE_BALANCE_ROUND_ROBIN, 0, 2);
	table.server[1].warm = SLUICE_WARM / 4;
	assert_int_equal(group_refresh(group, &table, 0), 1);
	for (unsigned i = 0; i < 100; i++)
		got[group_pick(group, 0, 1, &random)]++;
	assert_int_equal(got[0], 80);
	assert_int_equal(got[1], 20);
	group_free(group);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(picks_are_places_in_the_group),
		cmocka_unit_test(skips_what_is_not_up),
		cmocka_unit_test(read_anew_only_after_changes),
		cmocka_unit_test(a_group_that_becomes_hashed_gets_its_ring),
		cmocka_unit_test(round_robin_keeps_its_turn_over_a_change),
		cmocka_unit_test(bad_numbers_are_refused),
		cmocka_unit_test(loads_can_be_bounded),
		cmocka_unit_test(slow_start_takes_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
