/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nf/common/network.h"

static struct sluice_peer peer_of(const char *address)
{
	struct sluice_peer peer = {.family = 4};

	if (inet_pton(AF_INET, address, peer.bytes) != 1) {
		peer.family = 6;
		assert_int_equal(inet_pton(AF_INET6, address, peer.bytes), 1);
	}
	return peer;
}

static bool is_in(const char *network, const char *address)
{
	struct network_range range;
	struct networks one = {&range, 1};
	struct sluice_peer peer = peer_of(address);

	assert_int_equal(network_parse(network, &range), 0);
	return networks_contain(&one, &peer);
}

static void test_one_network(void **state)
{
	(void)state;
	assert_true(is_in("10.0.0.0/8", "10.0.0.0"));
	assert_true(is_in("10.0.0.0/8", "10.255.255.255"));
	assert_false(is_in("10.0.0.0/8", "11.0.0.0"));
	assert_false(is_in("10.0.0.0/8", "9.255.255.255"));
	assert_true(is_in("192.0.2.7", "192.0.2.7"));
	assert_false(is_in("192.0.2.7", "192.0.2.8"));
	assert_true(is_in("192.0.2.6/31", "192.0.2.7"));
	assert_true(is_in("0.0.0.0/0", "203.0.113.9"));
	assert_false(is_in("0.0.0.0/0", "2001:db8::1"));
	assert_true(is_in("::/0", "203.0.113.9"));
	assert_true(is_in("fd00::/8", "fdff::1"));
	assert_false(is_in("fd00::/8", "fe80::1"));
	assert_true(is_in("2001:db8::1", "2001:db8::1"));
}

static void test_ipv4_within_ipv6(void **state)
{
	(void)state;
	assert_true(is_in("10.0.0.0/8", "::ffff:10.1.2.3"));
	assert_true(is_in("::ffff:10.0.0.0/104", "10.1.2.3"));
}

static void test_what_is_no_network(void **state)
{
	static const char *const wrong[] = {
		"",
		"10",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/8x",
		"10.0.0.1/8",
		"10.0.0.0/ 8",
		"10.0.0.256",
		"fd00::/129",
		"fd00::1/64",
		"example",
		"/8",
		"10.0.0.0/8/8",
		"10.0.0.0/+8",
	};
	struct network_range range;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); ++i)
		assert_int_equal(network_parse(wrong[i], &range), -22);
}

static void test_no_network_has_nobody(void **state)
{
	struct networks none = {NULL, 0};
	struct sluice_peer peer = peer_of("10.0.0.1");

	(void)state;
	assert_false(networks_contain(&none, &peer));
}

static void test_peer_text(void **state)
{
	struct sluice_peer v4 = peer_of("192.0.2.1"), v6 = peer_of("2001:db8::1");
	char room[NETWORK_TEXT_BYTES];

	(void)state;
	(void)network_peer_text(&v4, room);
	assert_string_equal(room, "192.0.2.1");
	(void)network_peer_text(&v6, room);
	assert_string_equal(room, "2001:db8::1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_network),
		cmocka_unit_test(test_ipv4_within_ipv6),
		cmocka_unit_test(test_what_is_no_network),
		cmocka_unit_test(test_no_network_has_nobody),
		cmocka_unit_test(test_peer_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
