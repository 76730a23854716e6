/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/ip/route.h"
#include "tests/unit/l4stack/ip/rig.h"

#define ROUTES 700

static struct route route_of(const char *net, unsigned prefix, uint16_t port)
{
	return (struct route){.net = address(net), .prefix = (uint8_t)prefix, .port = port};
}

static void the_longest_prefix_wins(void **state)
{
	static const struct {
		const char *dst;
		int port;
	} wanted[] = {{"10.1.2.3", 4}, {"10.1.2.4", 3},    {"10.1.3.1", 2},
		      {"10.2.0.0", 1}, {"192.168.0.1", 0}, {"0.0.0.0", 0}};
	const struct route routes[] = {route_of("10.1.2.3", 32, 4), route_of("0.0.0.0", 0, 0),
				       route_of("10.1.0.0", 16, 2), route_of("10.1.2.0", 24, 3),
				       route_of("10.0.0.0", 8, 1)};
	struct route_table table = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		assert_int_equal(route_add(&table, &routes[i]), 0);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct addr dst = address(wanted[i].dst);

		assert_int_equal(route_lookup(&table, &dst)->port, wanted[i].port);
	}
	route_table_free(&table);
}

static void families_do_not_mix(void **state)
{
	const struct route any4 = route_of("0.0.0.0", 0, 1), any6 = route_of("::", 0, 2);
	struct addr a4 = address("10.0.0.1"), a6 = address("fd10::1"), none = {0};
	struct route_table table = {0};

	(void)state;
	assert_null(route_lookup(&table, &a4));
	assert_int_equal(route_add(&table, &any6), 0);
	assert_null(route_lookup(&table, &a4));
	assert_int_equal(route_add(&table, &any4), 0);
	assert_int_equal(route_lookup(&table, &a4)->port, 1);
	assert_int_equal(route_lookup(&table, &a6)->port, 2);
	assert_null(route_lookup(&table, &none));
	route_table_free(&table);
}

static void one_route_once(void **state)
{
	const struct route a = route_of("10.1.2.3", 24, 1), same = route_of("10.1.2.99", 24, 2);
	struct route_table table = {0};

	(void)state;
	assert_int_equal(route_add(&table, &a), 0);
	assert_int_equal(route_add(&table, &same), -EEXIST);
	assert_int_equal(route_del(&table, &same.net, 25), -ENOENT);
	assert_int_equal(route_del(&table, &same.net, 24), 0);
	assert_int_equal(route_del(&table, &same.net, 24), -ENOENT);
	assert_null(route_lookup(&table, &a.net));
	route_table_free(&table);
}

static const struct route *slow_lookup(const struct route *routes, const bool *there,
				       const struct addr *dst)
{
	const struct route *best = NULL;

	for (int i = 0; i < ROUTES; i++)
		if (there[i] && addr_in_prefix(dst, &routes[i].net, routes[i].prefix) &&
		    (!best || routes[i].prefix > best->prefix))
			best = &routes[i];
	return best;
}

/* Few distinct bits, so that prefixes nest. */
static struct addr random_addr(void)
{
	struct addr a = {
		.family = ADDR_IP4,
		.bytes = {10, (uint8_t)(rand() & 3), (uint8_t)(rand() & 0x81), (uint8_t)rand()}};
	return a;
}

static void toggle(struct route_table *table, const struct route *route, bool *there)
{
	if (!*there) {
		*there = route_add(table, route) == 0;
		return;
	}
	assert_int_equal(route_del(table, &route->net, route->prefix), 0);
	*there = false;
}

static void agrees_with_a_linear_search(void **state)
{
	static struct route routes[ROUTES];
	static bool there[ROUTES];
	struct route_table table = {0};

	(void)state;
	srand(7);
	for (int i = 0; i < ROUTES; i++) {
		routes[i] = (struct route){.net = random_addr(),
					   .port = (uint16_t)i,
					   .prefix = (uint8_t)(rand() % 33)};
		there[i] = route_add(&table, &routes[i]) == 0;
	}
	for (int i = 0; i < 20000; i++) {
		struct addr dst = random_addr();
		const struct route *fast = route_lookup(&table, &dst);
		const struct route *slow = slow_lookup(routes, there, &dst);
		int victim = rand() % ROUTES;

		assert_int_equal(fast ? fast->port : -1, slow ? slow->port : -1);
		if (i % 4 == 0)
			toggle(&table, &routes[victim], &there[victim]);
	}
	route_table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_wins),
		cmocka_unit_test(families_do_not_mix),
		cmocka_unit_test(one_route_once),
		cmocka_unit_test(agrees_with_a_linear_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
