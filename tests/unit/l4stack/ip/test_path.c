/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses, routes and paths, as the owner of a stack and a transport see them. */
#include <errno.h>
#include <stdio.h>

#include "l4stack/ip/ip_layer.h"
#include "tests/unit/l4stack/ip/rig.h"

static int find(const char *dst, const char *src, struct ip_path *path)
{
	struct addr to = address(dst), from = {0};

	if (src)
		from = address(src);
	return ip_path_find(rig.stack, &to, &from, path);
}

static int add_address(uint16_t port, const char *text, unsigned prefix)
{
	struct addr a = address(text);

	return stack_address_add(rig.stack, port, &a, prefix);
}

static int add_route(const char *to, unsigned prefix, const char *via)
{
	struct addr net = address(to), hop = address(via);

	return stack_route_add(rig.stack, &net, prefix, &hop);
}

static void assert_source(const char *dst, const char *src)
{
	struct addr want = address(src);
	struct ip_path path;

	assert_int_equal(find(dst, NULL, &path), 0);
	assert_true(addr_equal(&path.src, &want));
}

static void a_path_says_what_the_port_is(void **state)
{
	struct ip_path path;

	(void)state;
	rig_port(7, STACK_TX_MULTI_SEG | STACK_TX_TSO, "10.7.0.1", 16);
	assert_int_equal(find("10.7.200.1", NULL, &path), 0);
	assert_int_equal(path.port, 7);
	assert_int_equal(path.mtu, 1500);
	assert_int_equal(path.offloads, STACK_TX_MULTI_SEG | STACK_TX_TSO);
	assert_null(path.neighbour);
	assert_true(ip_path_valid(rig.stack, &path));
	ip_path_release(rig.stack, &path);
	assert_false(ip_path_valid(rig.stack, &path));
}

static void places_nobody_can_be(void **state)
{
	static const char *const nowhere[] = {"192.0.2.1",  "0.0.0.0",         "127.0.0.1",
					      "224.0.0.1",  "255.255.255.255", "240.0.0.1",
					      "10.0.0.255", "10.0.0.1",        "fd10::1"};
	struct ip_path path;

	(void)state;
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		assert_int_equal(find(nowhere[i], NULL, &path), -ENETUNREACH);
}

static void the_source_is_on_the_next_hops_network(void **state)
{
	struct ip_path path;

	(void)state;
	assert_int_equal(add_address(0, "10.1.0.1", 24), 0);
	assert_int_equal(add_address(0, "10.0.0.200", 24), 0);
	assert_int_equal(add_route("192.0.2.0", 24, "10.1.0.254"), 0);
	assert_source("10.0.0.2", "10.0.0.1");
	assert_source("10.1.0.2", "10.1.0.1");
	assert_source("192.0.2.1", "10.1.0.1");

	assert_int_equal(find("10.1.0.2", "10.0.0.200", &path), 0);
	assert_int_equal(find("10.1.0.2", "10.0.0.201", &path), -EADDRNOTAVAIL);
	assert_int_equal(find("10.1.0.2", "10.1.0.255", &path), -EADDRNOTAVAIL);
}

static void addresses_that_cannot_be_ours(void **state)
{
	(void)state;
	assert_int_equal(add_address(0, "10.0.0.1", 24), -EEXIST);
	assert_int_equal(add_address(0, "10.0.0.255", 24), -EEXIST);
	assert_int_equal(add_address(9, "10.9.0.1", 24), -EINVAL);
	assert_int_equal(add_address(0, "127.0.0.1", 8), -EINVAL);
	assert_int_equal(add_address(0, "224.0.0.1", 8), -EINVAL);
	assert_int_equal(add_address(0, "0.0.0.0", 8), -EINVAL);
	assert_int_equal(add_address(0, "10.9.0.1", 0), -EINVAL);
	assert_int_equal(add_address(0, "10.9.0.1", 33), -EINVAL);
	assert_int_equal(add_address(0, "fd10::1", 0), -EINVAL);
	assert_int_equal(add_address(0, "fd10::1", 129), -EINVAL);
	assert_int_equal(add_address(0, "::1", 128), -EINVAL);
	assert_int_equal(add_address(0, "::ffff:10.0.0.9", 128), -EINVAL);
	assert_int_equal(add_address(0, "ff02::1", 64), -EINVAL);
	/* One network on two wires. */
	rig_port(1, STACK_TX_MULTI_SEG, "10.9.0.1", 24);
	assert_int_equal(add_address(1, "10.0.0.7", 24), -EEXIST);
	/* Two hosts' networks have no broadcast address. */
	assert_int_equal(add_address(1, "10.8.0.0", 31), 0);
	assert_source("10.8.0.1", "10.8.0.0");
	assert_int_equal(add_address(1, "10.8.1.1", 32), 0);
}

static void routes_that_lead_nowhere(void **state)
{
	struct addr connected = address("10.0.0.0"), other = address("192.0.2.0");

	(void)state;
	assert_int_equal(add_route("192.0.2.0", 24, "10.1.0.1"), -ENETUNREACH);
	assert_int_equal(add_route("192.0.2.0", 24, "10.0.0.1"), -ENETUNREACH);
	assert_int_equal(add_route("192.0.2.0", 24, "10.0.0.255"), -ENETUNREACH);
	assert_int_equal(add_route("192.0.2.0", 33, "10.0.0.2"), -EINVAL);
	assert_int_equal(add_route("192.0.2.0", 24, "fd10::1"), -EINVAL);
	assert_int_equal(add_route("fd10::", 64, "fd10::1"), -ENETUNREACH);
	assert_int_equal(add_route("fd10::", 64, "fe80::1"), -ENETUNREACH);
	assert_int_equal(add_route("ff00::", 8, "fd10::1"), -EINVAL);
	assert_int_equal(add_route("192.0.2.0", 24, "10.0.0.2"), 0);
	assert_int_equal(add_route("192.0.2.0", 24, "10.0.0.3"), -EEXIST);
	assert_int_equal(add_route("203.0.113.0", 24, "192.0.2.1"), -ENETUNREACH);
	assert_int_equal(add_route("10.0.0.0", 24, "10.0.0.3"), -EEXIST);
	assert_int_equal(stack_route_del(rig.stack, &connected, 24), -ENOENT);
	assert_int_equal(stack_route_del(rig.stack, &other, 33), -EINVAL);
	assert_int_equal(stack_route_del(rig.stack, &other, 24), 0);
	assert_int_equal(stack_route_del(rig.stack, &other, 24), -ENOENT);
}

static void a_change_outdates_paths(void **state)
{
	struct addr net = address("192.0.2.0");
	struct ip_path path;

	(void)state;
	assert_int_equal(find("10.0.0.2", NULL, &path), 0);
	assert_int_equal(add_route("192.0.2.0", 24, "10.0.0.2"), 0);
	assert_false(ip_path_valid(rig.stack, &path));
	assert_int_equal(find("10.0.0.2", NULL, &path), 0);
	assert_int_equal(stack_route_del(rig.stack, &net, 24), 0);
	assert_false(ip_path_valid(rig.stack, &path));
	assert_int_equal(find("10.0.0.2", NULL, &path), 0);
	assert_int_equal(add_address(0, "10.0.0.3", 24), 0);
	assert_false(ip_path_valid(rig.stack, &path));
}

/* What the routes have said once is remembered, until they change. */
static void a_change_moves_a_known_hop(void **state)
{
	struct addr net = address("192.0.2.0");
	struct ip_path path;

	(void)state;
	rig_port(7, STACK_TX_MULTI_SEG, "10.7.0.1", 16);
	assert_int_equal(find("192.0.2.9", NULL, &path), -ENETUNREACH);
	assert_int_equal(add_route("192.0.2.0", 24, "10.0.0.2"), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(find("192.0.2.9", NULL, &path), 0);
		assert_int_equal(path.port, 0);
	}
	assert_int_equal(stack_route_del(rig.stack, &net, 24), 0);
	assert_int_equal(find("192.0.2.9", NULL, &path), -ENETUNREACH);
	assert_int_equal(add_route("192.0.2.0", 24, "10.7.0.9"), 0);
	assert_int_equal(find("192.0.2.9", NULL, &path), 0);
	assert_int_equal(path.port, 7);
	assert_int_equal(find("192.0.2.8", NULL, &path), 0);
	assert_true(path.dst.bytes[3] == 8);
}

/* A path found before its route went away: packets are dropped, not sent elsewhere. */
static void an_outdated_path_without_a_route(void **state)
{
	struct addr net = address("192.0.2.0");
	struct ip_path path;

	(void)state;
	assert_int_equal(add_route("192.0.2.0", 24, "10.0.0.2"), 0);
	assert_int_equal(find("192.0.2.9", NULL, &path), 0);
	assert_int_equal(stack_route_del(rig.stack, &net, 24), 0);
	ip_output(rig.stack, &path, 6, rig_tcp(20, NULL, 0, 0), 0);
	assert_int_equal(rig.counters->ip_no_route, 1);
	assert_int_equal(rig.out_count, 0);
	ip_path_release(rig.stack, &path);
}

static void many_routes_and_addresses(void **state)
{
	char text[24], via[24];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "10.2.%d.1", i);
		assert_int_equal(add_address(0, text, 24), 0);
	}
	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "172.%d.%d.0", 16 + i / 250, i % 250);
		snprintf(via, sizeof(via), "10.2.%d.7", i % 100);
		assert_int_equal(add_route(text, 24, via), 0);
	}
	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "172.%d.%d.99", 16 + i / 250, i % 250);
		snprintf(via, sizeof(via), "10.2.%d.1", i % 100);
		assert_source(text, via);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

/* What the first packet has found, whoever comes next has from the beginning. */
static void a_known_way_leads_to_its_neighbour(void **state)
{
	struct ip_path first, next;

	(void)state;
	rig_meet("10.0.0.2", 1);
	assert_int_equal(find("10.0.0.2", NULL, &first), 0);
	assert_null(first.neighbour);
	first.ecn = 2;
	ip_output(rig.stack, &first, 6, rig_tcp(20, NULL, 0, 0), 0);
	rig_out_drop();
	assert_int_equal(find("10.0.0.2", NULL, &next), 0);
	assert_non_null(first.neighbour);
	assert_ptr_equal(next.neighbour, first.neighbour);
	assert_int_equal(next.ecn, 0);
	ip_path_release(rig.stack, &first);
	ip_path_release(rig.stack, &next);
	/* Held by nobody now, it is still there. */
	assert_int_equal(find("10.0.0.2", NULL, &next), 0);
	assert_non_null(next.neighbour);
	ip_path_release(rig.stack, &next);
}

/* One that was never known is given up; the way to it has to ask anew. */
static void a_neighbour_that_was_given_up_is_not_kept(void **state)
{
	struct ip_path path;

	(void)state;
	assert_int_equal(find("10.0.0.9", NULL, &path), 0);
	ip_output(rig.stack, &path, 6, rig_tcp(20, NULL, 0, 0), 0);
	ip_path_release(rig.stack, &path);
	rig_wait(4000000);
	while (rig.out_count)
		rig_out_drop();
	assert_int_equal(rig_neighbours(false), 0);
	assert_int_equal(find("10.0.0.9", NULL, &path), 0);
	assert_null(path.neighbour);
	ip_path_release(rig.stack, &path);
}

static void ways_are_by_source(void **state)
{
	struct addr other = address("10.0.0.200");
	struct ip_path path;

	(void)state;
	assert_int_equal(add_address(0, "10.0.0.200", 24), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_source("10.0.0.2", "10.0.0.1");
		assert_int_equal(find("10.0.0.2", "10.0.0.200", &path), 0);
		assert_true(addr_equal(&path.src, &other));
		assert_int_equal(find("10.0.0.2", "10.0.0.201", &path), -EADDRNOTAVAIL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_says_what_the_port_is),
		TEST(places_nobody_can_be),
		TEST(the_source_is_on_the_next_hops_network),
		TEST(addresses_that_cannot_be_ours),
		TEST(routes_that_lead_nowhere),
		TEST(a_known_way_leads_to_its_neighbour),
		TEST(a_neighbour_that_was_given_up_is_not_kept),
		TEST(ways_are_by_source),
		TEST(a_change_outdates_paths),
		TEST(a_change_moves_a_known_hop),
		TEST(an_outdated_path_without_a_route),
		TEST(many_routes_and_addresses),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
