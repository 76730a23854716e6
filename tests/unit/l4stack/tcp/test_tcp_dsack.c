/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DSACK, the receiver's side: the examples of RFC 2883 §4, in segments of 500.
 */
#include "tests/unit/l4stack/tcp/peer.h"

static void open_sack(void)
{
	peer.options = (struct tcp_options){.present = TCP_OPT_MSS | TCP_OPT_SACK_OK, .mss = 1460};
	open_passive(NULL);
}

static void block(unsigned i, uint32_t lo, uint32_t hi)
{
	assert_true(peer.last.options.present & TCP_OPT_SACK);
	assert_true(i < peer.last.options.sack_blocks);
	assert_int_equal(peer.last.options.sack[i].lo, lo);
	assert_int_equal(peer.last.options.sack[i].hi, hi);
}

/* §4.1.1 and §4.1.2: of what was acknowledged; told once. */
static void test_duplicate_segment(void **state)
{
	(void)state;
	open_sack();
	say(ACK, 1, 1, 500);
	say(ACK, 501, 1, 500);
	ignore_all();
	say(ACK, 501, 1, 500);
	hear(ACK, 1, 1001, 0);
	block(0, 501, 1001);
	assert_int_equal(peer.last.options.sack_blocks, 1);
	say(ACK, 1001, 1, 500);
	hear(ACK, 1, 1501, 0);
	assert_false(peer.last.options.present & TCP_OPT_SACK);
}

/* §4.1.3: beside a hole. */
static void test_duplicate_beside_a_hole(void **state)
{
	(void)state;
	open_sack();
	say(ACK, 1, 1, 500);
	say(ACK, 1001, 1, 500);
	ignore_all();
	say(ACK, 1, 1, 500);
	hear(ACK, 1, 501, 0);
	block(0, 1, 501);
	block(1, 1001, 1501);
}

/* §4.2: above the number acknowledged; the second block is what it is part of. */
static void test_duplicate_out_of_order(void **state)
{
	(void)state;
	open_sack();
	say(ACK, 501, 1, 500);
	say(ACK, 1001, 1, 500);
	ignore_all();
	say(ACK, 1001, 1, 500);
	hear(ACK, 1, 1, 0);
	block(0, 1001, 1501);
	block(1, 501, 1501);
	assert_int_equal(peer.last.options.sack_blocks, 2);
}

/* §4: also when it is all of it. */
static void test_duplicate_that_is_alone(void **state)
{
	(void)state;
	open_sack();
	say(ACK, 501, 1, 500);
	ignore_all();
	say(ACK, 501, 1, 500);
	hear(ACK, 1, 1, 0);
	block(0, 501, 1001);
	block(1, 501, 1001);
	assert_int_equal(peer.last.options.sack_blocks, 2);
}

/* §4.2.1: a part of a segment. */
static void test_partial_duplicate(void **state)
{
	(void)state;
	open_sack();
	say(ACK, 1, 1, 1000);
	ignore_all();
	say(ACK, 501, 1, 1000);
	hear(ACK, 1, 1501, 0);
	block(0, 501, 1001);
}

/* Several in a row are one stretch. */
static void test_several(void **state)
{
	(void)state;
	open_sack();
	say(ACK, 1, 1, 1000);
	ignore_all();
	say_quietly(ACK, 1, 1, 500);
	say(ACK, 501, 1, 500);
	hear(ACK, 1, 1001, 0);
	block(0, 1, 1001);
}

static void test_not_agreed(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK, 1, 1, 500);
	ignore_all();
	say(ACK, 1, 1, 500);
	hear(ACK, 1, 501, 0);
	assert_false(peer.last.options.present & TCP_OPT_SACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_duplicate_segment),
		PEER_TEST(test_duplicate_beside_a_hole),
		PEER_TEST(test_duplicate_out_of_order),
		PEER_TEST(test_duplicate_that_is_alone),
		PEER_TEST(test_partial_duplicate),
		PEER_TEST(test_several),
		PEER_TEST(test_not_agreed),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
