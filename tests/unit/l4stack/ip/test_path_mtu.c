/* SPDX-License-Identifier: BSD-3-Clause */
/* What is known of narrow ways, kept by destination: RFC 1191 §6.3, RFC 8201 §5.2. */
#include <stdio.h>

#include "l4stack/ip/ip_layer.h"
#include "tests/unit/l4stack/ip/rig.h"

static struct ip_path path_to(const char *dst)
{
	struct addr to = address(dst), any = {0};
	struct ip_path path;

	assert_int_equal(ip_path_find(rig.stack, &to, &any, &path), 0);
	return path;
}

static void pass_s(uint32_t s)
{
	rig.now_us += s * 1000000ull;
	stack_advance(rig.stack, rig.now_us);
}

static void learn(const char *dst, uint16_t mtu)
{
	struct ip_path path = path_to(dst);

	ip_path_learn_mtu(rig.stack, &path, mtu);
}

static void later_paths_begin_with_it(void **state)
{
	struct ip_path path;

	(void)state;
	learn("10.0.0.7", 1400);
	path = path_to("10.0.0.7");
	assert_int_equal(path.mtu, 1400);
	assert_int_equal(ip_path_port_mtu(rig.stack, &path), 1500);
	assert_int_equal(path_to("10.0.0.8").mtu, 1500);
	learn("10.0.0.7", 1300);
	assert_int_equal(path_to("10.0.0.7").mtu, 1300);
}

static void of_either_family(void **state)
{
	(void)state;
	rig_address(0, "fd10::1", 64);
	learn("fd10::7", 1280);
	assert_int_equal(path_to("fd10::7").mtu, 1280);
	assert_int_equal(path_to("fd10::8").mtu, 1500);
	assert_int_equal(path_to("10.0.0.7").mtu, 1500);
}

static void it_is_forgotten_after_ten_minutes(void **state)
{
	(void)state;
	learn("10.0.0.7", 1400);
	pass_s(599);
	assert_int_equal(path_to("10.0.0.7").mtu, 1400);
	pass_s(2);
	assert_int_equal(path_to("10.0.0.7").mtu, 1500);
}

static void a_wide_way_is_nothing_to_remember(void **state)
{
	(void)state;
	learn("10.0.0.7", 1400);
	learn("10.0.0.7", 1500);
	assert_int_equal(path_to("10.0.0.7").mtu, 1500);
	learn("10.0.0.7", 9000);
	learn("10.0.0.8", 1500);
	assert_int_equal(path_to("10.0.0.7").mtu, 1500);
	assert_int_equal(path_to("10.0.0.8").mtu, 1500);
}

static struct addr far_away(unsigned i)
{
	char text[24];

	snprintf(text, sizeof(text), "192.0.%u.%u", i / 250, 1 + i % 250);
	return address(text);
}

/* Those that were learned long ago go first. */
static void the_table_has_its_bound(void **state)
{
	const unsigned room = PATH_MTU_SETS * PATH_MTU_WAYS, many = 4 * room;
	struct path_mtus *table = &rig.stack->ip->narrow;
	unsigned known = 0;

	(void)state;
	for (unsigned i = 0; i < many; i++) {
		struct addr dst = far_away(i);

		path_mtu_set(table, &dst, 1400, rig.now_us + i);
	}
	for (unsigned i = 0; i < many; i++) {
		struct addr dst = far_away(i);

		known += path_mtu_find(table, &dst, 1500, rig.now_us) == 1400;
	}
	assert_in_range(known, room / 2, room);
	assert_int_equal(path_mtu_find(table, &(struct addr){0}, 1500, rig.now_us), 1500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(later_paths_begin_with_it),         TEST(of_either_family),
		TEST(it_is_forgotten_after_ten_minutes), TEST(a_wide_way_is_nothing_to_remember),
		TEST(the_table_has_its_bound),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
