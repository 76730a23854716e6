/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "l4stack/tcp/tcp_recent.h"

static struct tcp_recent recent;

/* Never looked into. */
static struct tcp_conn *conn_number(uintptr_t n)
{
	return (struct tcp_conn *)(n * 64);
}

static struct addr ip4(uint8_t last)
{
	return (struct addr){.bytes = {10, 0, 0, last}, .family = ADDR_IP4};
}

static struct addr ip6(uint8_t last)
{
	return (struct addr){.bytes = {0xfd, [15] = last}, .family = ADDR_IP6};
}

static uint64_t tag_of(struct addr local, uint16_t local_port, struct addr remote,
		       uint16_t remote_port)
{
	return tcp_recent_tag(&local, local_port, &remote, remote_port);
}

static int start(void **state)
{
	(void)state;
	recent = (struct tcp_recent){0};
	return 0;
}

static void what_was_noted_is_found(void **state)
{
	uint64_t tag = tag_of(ip4(1), 80, ip4(2), 40000);

	(void)state;
	assert_null(tcp_recent_find(&recent, tag));
	tcp_recent_note(&recent, tag, conn_number(1));
	assert_ptr_equal(tcp_recent_find(&recent, tag), conn_number(1));
	assert_null(tcp_recent_find(&recent, tag + 1)); /* of the same slot */
}

static void each_part_of_a_tuple_counts(void **state)
{
	uint64_t tag = tag_of(ip4(1), 80, ip4(2), 40000), tag6 = tag_of(ip6(1), 80, ip6(2), 40000);

	(void)state;
	assert_true(tag != tag_of(ip4(3), 80, ip4(2), 40000));
	assert_true(tag != tag_of(ip4(1), 81, ip4(2), 40000));
	assert_true(tag != tag_of(ip4(1), 80, ip4(3), 40000));
	assert_true(tag != tag_of(ip4(1), 80, ip4(2), 40001));
	assert_true(tag != tag_of(ip4(2), 40000, ip4(1), 80));
	assert_true(tag6 != tag_of(ip6(3), 80, ip6(2), 40000));
	assert_true(tag6 != tag_of(ip6(1), 80, ip6(3), 40000));
}

static void one_that_is_put_out_does_not_take_the_other_along(void **state)
{
	uint64_t tag = tag_of(ip4(1), 80, ip4(2), 40000);

	(void)state;
	tcp_recent_note(&recent, tag, conn_number(1));
	tcp_recent_note(&recent, tag, conn_number(2));
	tcp_recent_forget(&recent, tag, conn_number(1));
	assert_ptr_equal(tcp_recent_find(&recent, tag), conn_number(2));
	tcp_recent_forget(&recent, tag, conn_number(2));
	assert_null(tcp_recent_find(&recent, tag));
}

/* Clients of one network, with ports in a row, are spread. */
static void neighbours_seldom_meet(void **state)
{
	unsigned put_out = 0;

	(void)state;
	for (uint16_t i = 0; i < 400; i++) {
		uint64_t tag = tag_of(ip4(1), 80, ip4((uint8_t)(i % 8)), (uint16_t)(33000 + i));

		put_out += recent.slots[tag >> (64 - TCP_RECENT_BITS)].conn != NULL;
		tcp_recent_note(&recent, tag, conn_number(i + 1u));
	}
	assert_in_range(put_out, 0, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_noted_is_found, start),
		cmocka_unit_test_setup(each_part_of_a_tuple_counts, start),
		cmocka_unit_test_setup(one_that_is_put_out_does_not_take_the_other_along, start),
		cmocka_unit_test_setup(neighbours_seldom_meet, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
