/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SACK, both sides: RFC 2018 and RFC 6675.
 */
#include "tests/unit/l4stack/tcp/peer.h"

#define MSS 1460

static void sack_open(void)
{
	peer.options = (struct tcp_options){.present = TCP_OPT_MSS | TCP_OPT_SACK_OK, .mss = 1460};
	open_passive(NULL);
}

/* ---- receiver ---- */

static void expect_block(unsigned i, uint32_t lo, uint32_t hi)
{
	assert_true(i < peer.last.options.sack_blocks);
	assert_int_equal(peer.last.options.sack[i].lo, lo);
	assert_int_equal(peer.last.options.sack[i].hi, hi);
}

static void test_latest_block_first(void **state)
{
	(void)state;
	sack_open();
	say(ACK, 101, 1, 100);
	hear(ACK, 1, 1, 0);
	expect_block(0, 101, 201);
	say(ACK, 501, 1, 100);
	hear(ACK, 1, 1, 0);
	expect_block(0, 501, 601);
	expect_block(1, 101, 201);
	say(ACK, 201, 1, 50); /* extends the first */
	hear(ACK, 1, 1, 0);
	expect_block(0, 101, 251);
	expect_block(1, 501, 601);
	assert_int_equal(peer.last.options.sack_blocks, 2);
	say(ACK, 1, 1, 100);
	hear(ACK, 1, 251, 0);
	expect_block(0, 501, 601);
	say(ACK, 251, 1, 250);
	hear(ACK, 1, 601, 0);
	assert_false(peer.last.options.present & TCP_OPT_SACK);
}

static void test_not_agreed_not_told(void **state)
{
	(void)state;
	open_passive(NULL);
	say(ACK, 101, 1, 100);
	hear(ACK, 1, 1, 0);
	assert_false(peer.last.options.present & TCP_OPT_SACK);
}

/* One long segment (LRO) fills all the gaps that it covers, in order or not, and its FIN counts. */
static void test_long_segment_fills_gaps(void **state)
{
	(void)state;
	sack_open();
	say(ACK, 1001, 1, 1000);
	say(ACK, 3001, 1, 1000);
	say(ACK, 6001, 1, 1000);
	ignore_all();
	say(ACK | FIN, 1, 1, 8000);
	hear(ACK, 1, 8002, 0);
	expect_block(0, 1001, 2001); /* one of those that came twice */
	expect_received(1, 8000);
	assert_true(tcp_recv_ended(peer.conn));
}

static void test_long_segment_behind_a_gap(void **state)
{
	(void)state;
	sack_open();
	say(ACK, 2001, 1, 1000);
	say(ACK, 4001, 1, 1000);
	ignore_all();
	say(ACK, 1001, 1, 5000);
	hear(ACK, 1, 1, 0);
	expect_block(1, 1001, 6001);
	say(ACK, 1, 1, 1000);
	hear(ACK, 1, 6001, 0);
	expect_received(1, 6000);
}

/* More gaps than an honest peer leaves: the work for one segment is bounded, and the peer says the
 * rest again. */
static void test_long_segment_over_many_runs(void **state)
{
	(void)state;
	sack_open();
	for (uint32_t i = 0; i < 40; i++)
		say(ACK, 101 + 200 * i, 1, 100);
	ignore_all();
	say(ACK, 1, 1, 8000);
	hear_any();
	assert_true(peer.last.ack >= 1401 && peer.last.ack < 8001);
	while (peer.last.ack < 8001) {
		say(ACK, peer.last.ack, 1, 8001 - peer.last.ack);
		hear_any();
	}
	expect_received(1, 8000);
}

/* Data does not take the place of what has to be told. */
static void test_blocks_beside_data(void **state)
{
	(void)state;
	sack_open();
	send_bytes(1, 100);
	say(ACK, 101, 1, 100);
	hear(ACK, 1, 1, 0);
	expect_block(0, 101, 201);
	hear(ACK, 1, 1, 100);
}

/* ---- sender ---- */

static void tell(uint32_t ack, unsigned n, uint32_t lo, uint32_t hi)
{
	peer.sack[0] = (struct tcp_sack_block){lo, hi};
	peer.sack_blocks = (uint8_t)n;
	say(ACK, 1, ack, 0);
	peer.sack_blocks = 0;
}

/* Ten segments of 20 are in flight, for a round trip of 20 ms; the numbers are theirs, from 0. */
static uint32_t seg(uint32_t n)
{
	return 1 + n * MSS;
}

static void in_flight(void)
{
	peer.options = (struct tcp_options){.present = TCP_OPT_MSS | TCP_OPT_SACK_OK, .mss = 1460};
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	wait_ms(20);
	say(ACK, 1, 1, 0);
	send_bytes(1, 20 * MSS);
	turn();
	assert_int_equal(peer.out_count, 10);
	ignore_all();
	wait_ms(20);
}

static void test_holes_are_filled(void **state)
{
	(void)state;
	in_flight();
	tell(seg(0), 1, seg(1), seg(2)); /* 0 is lost; 1 is there */
	hear(ACK, seg(10), 1, MSS);      /* limited transmit */
	tell(seg(0), 1, seg(1), seg(3));
	hear(ACK, seg(11), 1, MSS);
	peer.sack[1] = (struct tcp_sack_block){seg(5), seg(6)};
	tell(seg(0), 2, seg(1), seg(4)); /* 4 is missing too, but not lost yet */
	hear(ACK, seg(0), 1, MSS);
	hear_nothing();
	assert_int_equal(peer.counters->tcp_fast_retransmits, 1);
	peer.sack[1] = (struct tcp_sack_block){seg(1), seg(4)};
	tell(seg(0), 2, seg(5), seg(9)); /* now it is: three segments above */
	hear(ACK, seg(4), 1, MSS);
	ignore_all();
	tell(seg(4), 1, seg(5), seg(9)); /* partial */
	ignore_all();
	tell(seg(12), 0, 0, 0);
	ignore_all();
	assert_int_equal(peer.counters->tcp_fast_retransmits, 1);
	assert_int_equal(peer.counters->tcp_rtos, 0);
}

/* Enough is known from one ACK when it tells of more than two segments. */
static void test_lost_by_bytes(void **state)
{
	(void)state;
	in_flight();
	tell(seg(0), 1, seg(1), seg(4));
	hear(ACK, seg(0), 1, MSS);
	assert_int_equal(peer.counters->tcp_fast_retransmits, 1);
	ignore_all();
}

/* A partial ACK without news of losses sends nothing again. */
static void test_partial_ack_is_no_loss(void **state)
{
	(void)state;
	in_flight();
	tell(seg(0), 1, seg(1), seg(5));
	hear(ACK, seg(0), 1, MSS);
	ignore_all();
	say(ACK, 1, seg(5), 0); /* the hole is filled; the rest is on its way */
	while (peer.out_count) {
		hear_any();
		assert_true(peer.last.seq >= seg(10));
	}
	assert_int_equal(peer.counters->tcp_retransmits, 1);
}

/* What cannot be is not believed. */
static void test_senseless_blocks(void **state)
{
	const struct tcp_sack_block blocks[] = {
		{seg(5), seg(5)},               /* empty */
		{seg(6), seg(5)},               /* backwards */
		{(uint32_t)-5000, seg(1)},      /* before what is acknowledged */
		{seg(9), seg(50)},              /* never sent */
		{seg(0), seg(3)},               /* at snd_una */
		{seg(0) + 0x80000000u, seg(3)}, /* half the space away */
	};

	(void)state;
	in_flight();
	for (unsigned i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		peer.window++; /* not a duplicate in the old sense */
		tell(seg(0), 1, blocks[i].lo, blocks[i].hi);
	}
	assert_int_equal(peer.counters->tcp_dup_acks, 0);
	assert_int_equal(peer.counters->tcp_retransmits, 0);
	ignore_all();
}

/* After a timeout what was reported is still believed (RFC 6675 §5.1). */
static void test_timeout(void **state)
{
	(void)state;
	in_flight();
	wait_ms(20); /* the tail loss probe */
	hear(ACK, seg(10), 1, MSS);
	wait_ms(241);
	hear(ACK, seg(0), 1, MSS);
	tell(seg(0), 1, seg(3), seg(9));
	tell(seg(1), 1, seg(3), seg(9));
	hear(ACK, seg(11), 1, MSS); /* F-RTO: new data first */
	hear(ACK, seg(12), 1, MSS);
	tell(seg(1), 1, seg(11), seg(12)); /* only that arrives: it was no delay */
	hear(ACK, seg(1), 1, MSS);
	tell(seg(3), 1, seg(11), seg(13));
	hear(ACK, seg(9), 1, MSS);
	ignore_all();
	assert_int_equal(peer.counters->tcp_rtos, 1);
	assert_int_equal(peer.counters->tcp_spurious_rtos, 0);
}

/* RFC 2018 §8: what was reported should now be acknowledged, and is not: it was thrown away. */
static void test_reneging(void **state)
{
	(void)state;
	in_flight();
	tell(seg(0), 1, seg(1), seg(10));
	ignore_all();
	tell(seg(1), 0, 0, 0);
	ignore_all();
	wait_ms(1000);
	assert_int_equal(peer.counters->tcp_sack_reneged, 1);
	hear(ACK, seg(1), 1, MSS);
	ignore_all();
	say(ACK, 1, seg(2), 0);
	hear(ACK, seg(2), 1, MSS);
	ignore_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_long_segment_fills_gaps),
		PEER_TEST(test_long_segment_behind_a_gap),
		PEER_TEST(test_long_segment_over_many_runs),
		PEER_TEST(test_latest_block_first),
		PEER_TEST(test_not_agreed_not_told),
		PEER_TEST(test_blocks_beside_data),
		PEER_TEST(test_holes_are_filled),
		PEER_TEST(test_lost_by_bytes),
		PEER_TEST(test_partial_ack_is_no_loss),
		PEER_TEST(test_senseless_blocks),
		PEER_TEST(test_timeout),
		PEER_TEST(test_reneging),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
