/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * More SYNs than anyone will answer: half-open records, and SYN cookies when they are used up
 * (RFC 4987).
 */
#include <rte_mbuf.h>

#include "l4stack/tcp/tcp_conn.h"
#include "tests/unit/l4stack/tcp/peer.h"

#define BACKLOG     1024
#define ALL_OPTIONS (TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_TS | TCP_OPT_SACK_OK)

static const struct stack_conf roomy = {
	.max_conns = 4000, .memory_bytes = 64 << 20, .secret = {3, 4}};

/* Strangers' SYNs, from other ports than the peer's own. */
static void flood(unsigned syns)
{
	static uint16_t next;
	uint16_t own = peer.port;

	while (syns--) {
		peer.port = (uint16_t)(10000 + next++ % 50000);
		say_quietly(SYN, 0, 0, 0);
		if (syns % 32 == 0) {
			turn();
			ignore_all();
		}
	}
	peer.port = own;
	turn();
	ignore_all();
}

static void flooded(void)
{
	peer_restart(STACK_TX_MULTI_SEG, &roomy);
	peer_listen(NULL);
	flood(BACKLOG + 100);
	assert_int_equal(peer.counters->tcp_cookies_sent, 100);
	assert_int_equal(tcp_count(peer.stack), BACKLOG);
}

/* ---- half-open records ---- */

static void test_a_record_is_small(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	assert_int_equal(peer.stack->tcp->halves.slab.used, 1);
	assert_int_equal(peer.stack->tcp->conns.used, 0);
	say(ACK, 1, 1, 0);
	assert_int_equal(peer.stack->tcp->halves.slab.used, 0);
	assert_int_equal(peer.stack->tcp->conns.used, 1);
}

static void test_records_expire(void **state)
{
	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &roomy);
	peer_listen(NULL);
	flood(BACKLOG);
	for (unsigned i = 0; i < 60; i++) {
		wait_ms(1000);
		ignore_all();
	}
	assert_int_equal(tcp_count(peer.stack), 0);
	assert_int_equal(peer.counters->tcp_attempt_fails, BACKLOG);
	assert_int_equal(peer.counters->tcp_retransmits, 5 * BACKLOG);
}

/* RFC 9293 §3.10.7.4, step by step, in SYN-RECEIVED. */
static void test_segments_that_do_not_fit(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 70000, 1, 10); /* outside the window: an ACK */
	hear(ACK, 1, 1, 0);
	say(RST, 70000, 0, 0); /* a RST there: nothing */
	hear_nothing();
	say(RST, 5, 0, 0); /* inside, but not exact: a challenge */
	hear(ACK, 1, 1, 0);
	say(SYN, 5, 0, 0); /* another SYN: a challenge */
	hear(ACK, 1, 1, 0);
	say(FIN, 1, 0, 0); /* no ACK */
	hear_nothing();
	say(ACK, 1, 2, 0); /* an ACK of what was not sent */
	hear(RST, 2, 0, 0);
	assert_int_equal(tcp_count(peer.stack), 1);
	say(RST, 1, 0, 0);
	assert_int_equal(tcp_count(peer.stack), 0);
}

/* The peer has begun anew: its answer to the challenge ends the old attempt. */
static void test_peer_begins_again(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	peer.iss += 5000;
	say(SYN, 0, 0, 0);
	hear_any();
	assert_int_equal(peer.last.flags, ACK);
	peer.iss -= 5000;
	say(RST, 1, 0, 0);
	peer.iss += 5000;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 1, 0);
	assert_int_equal(peer.accepted, 1);
}

/* The handshake's last ACK is lost: the first data says the same. */
static void test_data_instead_of_the_ack(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 101, 1, 100); /* the second segment comes first */
	hear(ACK, 1, 1, 0);
	assert_int_equal(peer.accepted, 1);
	say(ACK, 1, 1, 100);
	hear(ACK, 1, 201, 0);
	expect_received(1, 200);
}

static void test_round_trip_of_the_syn_ack(void **state)
{
	struct tcp_info info;

	(void)state;
	peer_listen(NULL);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	peer.now_us += 7000;
	say(ACK, 1, 1, 0);
	tcp_info(peer.conn, &info);
	assert_int_equal(info.srtt_us, 7000);
}

/* ---- cookies ---- */

static void test_no_cookies_while_there_are_records(void **state)
{
	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &roomy);
	peer_listen(NULL);
	flood(BACKLOG);
	assert_int_equal(peer.counters->tcp_cookies_sent, 0);
	assert_int_equal(peer.counters->tcp_syn_drops, 0);
}

static void test_a_cookie_opens(void **state)
{
	struct tcp_info info;

	(void)state;
	flooded();
	peer.options = (struct tcp_options){.present = TCP_OPT_MSS, .mss = 1400};
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	assert_int_equal(tcp_count(peer.stack), BACKLOG); /* nothing is kept */
	say(ACK, 1, 1, 50);
	assert_int_equal(peer.accepted, 1);
	assert_int_equal(peer.counters->tcp_cookies_accepted, 1);
	expect_received(1, 50);
	tcp_info(peer.conn, &info);
	assert_int_equal(info.mss, 1400);
	ignore_all();
	send_bytes(1, 1000);
	turn();
	hear(ACK, 1, 51, 1000);
}

/* Options live through it where there are time stamps. */
static void test_options_in_a_cookie(void **state)
{
	(void)state;
	flooded();
	peer.options = (struct tcp_options){.present = ALL_OPTIONS, .mss = 1460, .wscale = 9};
	peer.timestamps = true;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	assert_int_equal(peer.last.options.present, ALL_OPTIONS);
	say(ACK, 1, 1, 0);
	assert_int_equal(peer.accepted, 1);
	assert_int_equal(peer.conn->snd_wscale, 9);
	assert_int_equal(peer.conn->snd_wnd, 60000u << 9);
	assert_true(peer.conn->flags & TCP_USE_SACK);
	say(ACK, 101, 1, 10);
	hear(ACK, 1, 1, 0);
	assert_int_equal(peer.last.options.sack_blocks, 1);
}

/* Without time stamps they would be forgotten: they are not agreed. */
static void test_no_options_without_timestamps(void **state)
{
	(void)state;
	flooded();
	peer.options.present = TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_SACK_OK;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	assert_int_equal(peer.last.options.present, TCP_OPT_MSS);
	say(ACK, 1, 1, 0);
	assert_int_equal(peer.conn->snd_wnd, 60000);
}

static void test_bad_cookies(void **state)
{
	(void)state;
	flooded();
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 2, 0); /* guessed */
	hear(RST, 2, 0, 0);
	say(ACK, 2, 1, 0); /* for another number of the peer's */
	hear(RST, 1, 0, 0);
	peer.port++; /* for another tuple */
	say(ACK, 1, 1, 0);
	hear(RST, 1, 0, 0);
	peer.port--;
	assert_int_equal(peer.accepted, 0);
	assert_int_equal(peer.counters->tcp_cookies_bad, 3);
	say(ACK, 1, 1, 0);
	assert_int_equal(peer.accepted, 1);
}

static void test_cookies_grow_old(void **state)
{
	(void)state;
	flooded();
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	for (unsigned i = 0; i < 130; i++) {
		peer.now_us += 1000000;
		turn();
		ignore_all();
	}
	say(ACK, 1, 1, 0);
	hear(RST, 1, 0, 0);
	assert_int_equal(peer.accepted, 0);
}

/* A listener that gave none believes none. */
static void test_no_cookie_was_given(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(ACK, 1, 1, 0);
	hear(RST, 1, 0, 0);
	assert_int_equal(peer.counters->tcp_cookies_bad, 0);
}

/* ---- the whole ---- */

/* Under a flood that does not end, established connections and new ones are served. */
static void test_service_goes_on(void **state)
{
	struct tcp_conn *first;

	(void)state;
	peer_restart(STACK_TX_MULTI_SEG, &roomy);
	open_passive(NULL);
	first = peer.conn;
	for (uint32_t round = 0; round < 50; round++) {
		flood(500);
		peer.port = PEER_PORT;
		say(ACK, 1 + round * 10, 1, 10);
		ignore_all();
	}
	assert_int_equal(tcp_recv_ready(first), 500);
	for (peer.port = 5000; peer.port < 5100; peer.port++) {
		flood(50);
		say(SYN, 0, 0, 0);
		hear(SYN | ACK, 0, 1, 0);
		say(ACK, 1, 1, 20);
		hear(ACK, 1, 21, 0);
	}
	assert_int_equal(peer.accepted, 101);
	assert_int_equal(peer.counters->tcp_syn_drops, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_a_record_is_small),
		PEER_TEST(test_records_expire),
		PEER_TEST(test_segments_that_do_not_fit),
		PEER_TEST(test_peer_begins_again),
		PEER_TEST(test_data_instead_of_the_ack),
		PEER_TEST(test_round_trip_of_the_syn_ack),
		PEER_TEST(test_no_cookies_while_there_are_records),
		PEER_TEST(test_a_cookie_opens),
		PEER_TEST(test_options_in_a_cookie),
		PEER_TEST(test_no_options_without_timestamps),
		PEER_TEST(test_bad_cookies),
		PEER_TEST(test_cookies_grow_old),
		PEER_TEST(test_no_cookie_was_given),
		PEER_TEST(test_service_goes_on),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
