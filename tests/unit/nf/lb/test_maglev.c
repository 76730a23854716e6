/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nf/lb/maglev.h"
#include "nf/lb/random.h"

#define SERVERS 10

static void servers_make(struct ring_server *servers)
{
	for (unsigned i = 0; i < SERVERS; i++)
		servers[i] = (struct ring_server){.identity = random_mix(i + 1), .weight = 1};
}

static void shares_of(const struct maglev *maglev, unsigned *shares)
{
	memset(shares, 0, SERVERS * sizeof(*shares));
	for (uint32_t i = 0; i < MAGLEV_PLACES; i++)
		shares[maglev_find(maglev, i)]++;
}

static void test_equal_shares(void **state)
{
	struct ring_server servers[SERVERS];
	struct maglev maglev = {0};
	unsigned shares[SERVERS];

	(void)state;
	servers_make(servers);
	assert_int_equal(maglev_build(&maglev, servers, SERVERS), 0);
	shares_of(&maglev, shares);
	for (unsigned i = 0; i < SERVERS; i++)
		assert_in_range(shares[i], MAGLEV_PLACES / SERVERS, MAGLEV_PLACES / SERVERS + 1);
	maglev_clear(&maglev);
}

static void test_shares_by_weight(void **state)
{
	struct ring_server servers[SERVERS];
	struct maglev maglev = {0};
	unsigned shares[SERVERS];

	(void)state;
	servers_make(servers);
	servers[3].weight = 4;
	servers[5].weight = 0;
	assert_int_equal(maglev_build(&maglev, servers, SERVERS), 0);
	shares_of(&maglev, shares);
	assert_int_equal(shares[5], 0);
	assert_in_range(shares[3], 4 * shares[0] - 4, 4 * shares[0] + 4);
	maglev_clear(&maglev);
}

/* One that goes moves its own keys, and few of the others'. */
static void test_little_moves(void **state)
{
	struct ring_server servers[SERVERS];
	struct maglev before = {0}, after = {0};
	unsigned moved = 0;

	(void)state;
	servers_make(servers);
	assert_int_equal(maglev_build(&before, servers, SERVERS), 0);
	servers[4].weight = 0;
	assert_int_equal(maglev_build(&after, servers, SERVERS), 0);
	for (uint32_t i = 0; i < MAGLEV_PLACES; i++) {
		uint16_t was = maglev_find(&before, i), is = maglev_find(&after, i);

		assert_int_not_equal(is, 4);
		moved += was != 4 && was != is;
	}
	assert_in_range(moved, 0, MAGLEV_PLACES / 20);
	maglev_clear(&before);
	maglev_clear(&after);
}

static void test_nobody(void **state)
{
	struct maglev maglev = {0};

	(void)state;
	assert_int_equal(maglev_find(&maglev, 1), MAGLEV_NONE);
	assert_int_equal(maglev_build(&maglev, NULL, 0), 0);
	assert_int_equal(maglev_find(&maglev, 1), MAGLEV_NONE);
	maglev_clear(&maglev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_shares),
		cmocka_unit_test(test_shares_by_weight),
		cmocka_unit_test(test_little_moves),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
