/* SPDX-License-Identifier: BSD-3-Clause */
/* The coordinator: its life, its clock and its bursts. */
#include <errno.h>

#include "tests/unit/l4stack/ip/rig.h"

#include <rte_mbuf.h>

static void a_failed_creation_leaves_nothing(void **state)
{
	static const struct stack_ops ops = {0};
	struct stack_pools pools = {.header = rig.header, .control = rig.control, .ref = rig.ref};
	struct stack_conf conf = {.max_conns = 1};
	struct stack *stack = NULL;

	(void)state;
	rig.tcp_create_error = -ENOMEM;
	assert_int_equal(stack_create(&conf, &pools, &ops, NULL, 0, &stack), -ENOMEM);
	rig.tcp_create_error = 0;
	assert_null(stack);
	stack_destroy(NULL);
}

static void waits_for_what_is_next(void **state)
{
	(void)state;
	assert_int_equal(stack_next_us(rig.stack), UINT64_MAX);
	rig_send("10.0.0.2");
	assert_int_equal(rig.out_count, 1);
	while (stack_next_us(rig.stack) < rig.now_us + 1000000) {
		stack_advance(rig.stack, stack_next_us(rig.stack));
		assert_int_equal(rig.out_count, 1);
	}
	assert_int_equal(stack_next_us(rig.stack), rig.now_us + 1000000);
	stack_advance(rig.stack, rig.now_us + 1000000);
	assert_int_equal(rig.out_count, 2);
}

static void the_clock_does_not_run_back(void **state)
{
	(void)state;
	rig_send("10.0.0.2");
	stack_advance(rig.stack, 5);
	stack_advance(rig.stack, rig.now_us + 999999);
	assert_int_equal(rig.out_count, 1);
	stack_advance(rig.stack, rig.now_us + 1000000);
	assert_int_equal(rig.out_count, 2);
}

static void bursts_of_any_size(void **state)
{
	struct rte_mbuf *burst[33];
	uint8_t frame[64], mac[6];
	size_t len;

	(void)state;
	station_mac(mac, 1);
	len = frame_arp(frame, mac_broadcast, 1, mac, "10.0.0.2", "10.0.0.1");
	for (unsigned n = 0; n <= 33; n++) {
		for (unsigned i = 0; i < n; i++)
			burst[i] = rig_mbuf(frame, len, 0);
		stack_input(rig.stack, 0, burst, n);
		assert_int_equal(rig.out_count, n);
		while (rig.out_count > 0)
			rig_out_drop();
		rig_wait(100000);
	}
}

/* Packets that wait for a neighbour go with the stack; the teardown counts them. */
static void destroyed_with_packets_waiting(void **state)
{
	(void)state;
	rig_send("10.0.0.2");
	rig_send("10.0.0.3");
}

/* Whatever is sent uses a port's room up, down to nothing; TCP is told when there is some again. */
static void the_room_of_a_port(void **state)
{
	(void)state;
	stack_port_room(rig.stack, 0, STACK_ROOM_KEPT + 1);
	stack_port_room(rig.stack, 0, STACK_ROOM_KEPT + 2);
	assert_int_equal(rig.tcp_resumes, 0);
	rig_send("10.0.0.2"); /* a question about it, that is */
	stack_port_room(rig.stack, 0, STACK_ROOM_KEPT + 1);
	assert_int_equal(rig.tcp_resumes, 0);
	rig_send("10.0.0.3");
	stack_port_room(rig.stack, 1, STACK_ROOM_KEPT);
	stack_port_room(rig.stack, 0, STACK_ROOM_KEPT + 1);
	assert_int_equal(rig.tcp_resumes, 1);
	stack_port_room(rig.stack, 0, 0);
	rig_send("10.0.0.4");
	assert_int_equal(rig.out_count, 3);
	stack_port_room(rig.stack, 0, 0);
	stack_port_room(rig.stack, 0, STACK_ROOM_KEPT);
	assert_int_equal(rig.tcp_resumes, 1);
	stack_port_room(rig.stack, 0, STACK_ROOM_KEPT + 1);
	assert_int_equal(rig.tcp_resumes, 2);
	assert_int_equal(rig.counters->link_waits, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_failed_creation_leaves_nothing), TEST(waits_for_what_is_next),
		TEST(the_clock_does_not_run_back),      TEST(bursts_of_any_size),
		TEST(destroyed_with_packets_waiting),   TEST(the_room_of_a_port),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
