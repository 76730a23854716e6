/* SPDX-License-Identifier: BSD-3-Clause */
/* From which address a peer is talked to (RFC 6724 §5), and where a path of IPv6 leads. */
#include <errno.h>
#include <string.h>

#include "tests/unit/l4stack/ip/rig.h"

static int find(const char *dst, unsigned zone, struct ip_path *path)
{
	struct addr to = address(dst), any = {0};

	to.zone = (uint8_t)zone;
	return ip_path_find(rig.stack, &to, &any, path);
}

static void assert_source_zone(const char *dst, unsigned zone, const char *src)
{
	struct ip_path path;

	assert_int_equal(find(dst, zone, &path), 0);
	assert_memory_equal(path.src.bytes, address(src).bytes, 16);
}

static void assert_source(const char *dst, const char *src)
{
	assert_source_zone(dst, 0, src);
}

static void route(const char *to, unsigned prefix, const char *via, unsigned zone)
{
	struct addr net = address(to), hop = address(via);

	hop.zone = (uint8_t)zone;
	assert_int_equal(stack_route_add(rig.stack, &net, prefix, &hop), 0);
}

static void scopes(void **state)
{
	(void)state;
	rig_address(0, "2001:db8::1", 64);
	assert_source("2001:db8::2", "2001:db8::1");
	assert_source_zone("fe80::2", 1, "fe80::ff:fe00:0");
}

/* Rule 6: unique local addresses among themselves. */
static void labels(void **state)
{
	(void)state;
	rig_address(0, "2001:db8::1", 64);
	rig_address(0, "fd10::1", 64);
	route("::", 0, "2001:db8::ff", 0);
	assert_source("fd99::1", "fd10::1");
	assert_source("2a00::1", "2001:db8::1");
}

/* Rule 8 */
static void longest_prefix(void **state)
{
	(void)state;
	rig_address(0, "2001:db8:1::1", 64);
	rig_address(0, "2001:db8:2::1", 64);
	route("::", 0, "2001:db8:1::ff", 0);
	assert_source("2001:db8:2:9::1", "2001:db8:2::1");
	assert_source("2001:db8:1:9::1", "2001:db8:1::1");
}

static void link_local_addresses_have_a_zone(void **state)
{
	struct ip_path path;

	(void)state;
	rig_address(0, "fd10::1", 64);
	rig_port(1, STACK_TX_MULTI_SEG, "fd20::1", 64);
	assert_int_equal(find("fe80::2", 0, &path), -ENETUNREACH);
	assert_int_equal(find("fe80::2", 9, &path), -ENETUNREACH);
	assert_int_equal(find("fe80::2", 1, &path), 0);
	assert_int_equal(path.port, 0);
	assert_int_equal(find("fe80::2", 2, &path), 0);
	assert_int_equal(path.port, 1);
	assert_int_equal(find("ff02::1", 1, &path), -ENETUNREACH);
}

static void a_router_by_its_link_local_address(void **state)
{
	struct ip_path path;
	uint8_t frame[256];

	(void)state;
	rig_address(0, "fd10::1", 64);
	rig_port(1, STACK_TX_MULTI_SEG, "fd20::1", 64);
	route("2001:db8::", 32, "fe80::9", 2);
	assert_int_equal(find("2001:db8::5", 0, &path), 0);
	assert_int_equal(path.port, 1);
	rig_send("2001:db8::5");
	/* The question is about the router. */
	rig_out(frame);
	assert_int_equal(frame[ETH + 40], 135);
	assert_memory_equal(frame + ETH + 48, address("fe80::9").bytes, 16);
}

static void both_families_on_a_port(void **state)
{
	(void)state;
	rig_address(0, "10.0.1.1", 24);
	rig_address(0, "fd10::1", 64);
	assert_source("10.0.1.7", "10.0.1.1");
	assert_source("10.0.0.7", "10.0.0.1");
	assert_source("fd10::7", "fd10::1");
}

static void a_port_too_narrow_for_ip6(void **state)
{
	struct stack_port_conf conf = {.mac = {2, 0, 0, 0, 0, 5},
				       .mtu = 1279,
				       .offloads = STACK_TX_MULTI_SEG,
				       .claim = STACK_CLAIM_SILENT};
	struct addr ip6 = address("fd10::1"), ip4 = address("10.5.0.1");

	(void)state;
	assert_int_equal(stack_port_add(rig.stack, 5, &conf), 0);
	assert_int_equal(stack_address_add(rig.stack, 5, &ip6, 64), -EINVAL);
	assert_int_equal(stack_address_add(rig.stack, 5, &ip4, 24), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(scopes, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(labels, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(longest_prefix, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(link_local_addresses_have_a_zone, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(a_router_by_its_link_local_address, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(both_families_on_a_port, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_port_too_narrow_for_ip6, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
