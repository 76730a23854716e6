/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ECN: RFC 3168 §6.1.
 */
#include "tests/unit/l4stack/tcp/peer.h"

#define MSS 1460

enum { NOT_ECT = 0, ECT0 = 2, CE = 3 };

static const struct tcp_conf wants = {.ecn = TCP_ECN_ASK};

static uint32_t cwnd(void)
{
	struct tcp_info info;

	tcp_info(peer.conn, &info);
	return info.cwnd_bytes;
}

static void open_ecn(void)
{
	peer_listen(NULL);
	say(SYN | ECE | CWR, 0, 0, 0);
	hear(SYN | ACK | ECE, 0, 1, 0);
	assert_int_equal(peer.last.ecn, NOT_ECT);
	wait_ms(20);
	say(ACK, 1, 1, 0);
}

/* ---- §6.1.1: the handshake ---- */

static void test_asked_for(void **state)
{
	(void)state;
	open_ecn();
	send_bytes(1, 100);
	turn();
	hear(ACK, 1, 1, 100);
	assert_int_equal(peer.last.ecn, ECT0);
}

static void test_not_asked_for(void **state)
{
	(void)state;
	open_passive(&wants);
	send_bytes(1, 100);
	turn();
	hear(ACK, 1, 1, 100);
	assert_int_equal(peer.last.ecn, NOT_ECT);
	peer.ecn = CE; /* means nothing */
	say(ACK, 1, 1, 100);
	hear(ACK, 101, 101, 0);
}

static void open_refused(const struct tcp_conf *conf)
{
	peer_listen(conf);
	say(SYN | ECE | CWR, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 1, 0);
	send_bytes(1, 100);
	turn();
	hear(ACK, 1, 1, 100);
	assert_int_equal(peer.last.ecn, NOT_ECT);
}

static void test_never(void **state)
{
	const struct tcp_conf never = {.ecn = TCP_ECN_NEVER};

	(void)state;
	open_refused(&never);
}

/* One that takes no notice of marks does not promise to. */
static void test_not_with_bbr(void **state)
{
	const struct tcp_conf bbr = {.ecn = TCP_ECN_ASK, .congestion = "bbr"};

	(void)state;
	open_refused(&bbr);
}

static void connect_with(const struct tcp_conf *conf, unsigned syn_flags, unsigned answer)
{
	assert_int_equal(peer_connect(conf), 0);
	turn();
	hear(SYN | syn_flags, 0, 0, 0);
	assert_int_equal(peer.last.ecn, NOT_ECT);
	say(SYN | ACK | answer, 0, 1, 0);
	hear(ACK, 1, 1, 0);
	send_bytes(1, 100);
	turn();
	hear(ACK, 1, 1, 100);
}

static void test_we_ask(void **state)
{
	(void)state;
	connect_with(&wants, ECE | CWR, ECE);
	assert_int_equal(peer.last.ecn, ECT0);
}

static void test_refused(void **state)
{
	(void)state;
	connect_with(&wants, ECE | CWR, 0);
	assert_int_equal(peer.last.ecn, NOT_ECT);
}

/* Some send back the flags that they do not know. */
static void test_reflected(void **state)
{
	(void)state;
	connect_with(&wants, ECE | CWR, ECE | CWR);
	assert_int_equal(peer.last.ecn, NOT_ECT);
}

static void test_not_wanted(void **state)
{
	(void)state;
	connect_with(NULL, 0, ECE);
	assert_int_equal(peer.last.ecn, NOT_ECT);
}

/* §6.1.1.1: the second SYN does not ask. */
static void test_syn_lost(void **state)
{
	(void)state;
	assert_int_equal(peer_connect(&wants), 0);
	turn();
	hear(SYN | ECE | CWR, 0, 0, 0);
	wait_ms(1001);
	hear(SYN, 0, 0, 0);
	say(SYN | ACK | ECE, 0, 1, 0);
	hear(ACK, 1, 1, 0);
	send_bytes(1, 100);
	turn();
	hear(ACK, 1, 1, 100);
	assert_int_equal(peer.last.ecn, NOT_ECT);
}

/* ---- §6.1.3: the receiver ---- */

static void test_echo_until_cwr(void **state)
{
	(void)state;
	open_ecn();
	peer.ecn = CE;
	say(ACK, 1, 1, 100);
	hear(ACK | ECE, 1, 101, 0);
	assert_int_equal(peer.last.ecn, NOT_ECT); /* §6.1.4 */
	peer.ecn = ECT0;
	say(ACK, 101, 1, 100);
	hear(ACK | ECE, 1, 201, 0);
	send_bytes(1, 10);
	turn();
	hear(ACK | ECE, 1, 201, 10); /* data too */
	say(ACK | CWR, 201, 11, 100);
	hear(ACK, 11, 301, 0);
	peer.ecn = CE;
	say(ACK | CWR, 301, 11, 100); /* marked again */
	hear(ACK | ECE, 11, 401, 0);
	assert_int_equal(peer.counters->tcp_ecn_marks_in, 2);
}

/* ---- §6.1.2: the sender ---- */

static void test_once_for_each_window(void **state)
{
	(void)state;
	open_ecn();
	send_bytes(1, 40 * MSS);
	turn();
	assert_int_equal(peer.out_count, 10);
	ignore_all();
	say(ACK | ECE, 1, 1 + MSS, 0);
	assert_int_equal(cwnd(), 5 * MSS);
	say(ACK | ECE, 1, 1 + 2 * MSS, 0);
	say(ACK | ECE, 1, 1 + 5 * MSS, 0);
	hear_nothing();
	say(ACK | ECE, 1, 1 + 6 * MSS, 0);
	hear(ACK | CWR, 1 + 10 * MSS, 1, MSS); /* the first new data */
	assert_int_equal(cwnd(), 5 * MSS);
	hear_nothing();
	assert_int_equal(peer.counters->tcp_ecn_reductions, 1);
	say(ACK | ECE, 1, 1 + 10 * MSS, 0); /* what was sent since is marked too */
	assert_int_equal(peer.counters->tcp_ecn_reductions, 2);
	assert_int_equal(cwnd(), 5 * MSS / 2);
	hear(ACK | CWR, 1 + 11 * MSS, 1, MSS);
	assert_int_equal(peer.counters->tcp_retransmits, 0);
}

/* §6.1.5: what is sent again is not marked, nor does it say CWR. */
static void test_sent_again(void **state)
{
	(void)state;
	open_ecn();
	send_bytes(1, 12 * MSS);
	turn();
	ignore_all();
	wait_ms(221);
	hear(ACK, 1, 1, MSS);
	assert_int_equal(peer.last.ecn, NOT_ECT);
	say(ACK, 1, 1 + 10 * MSS, 0);
	hear(ACK | CWR, 1 + 10 * MSS, 1, MSS);
	assert_int_equal(peer.last.ecn, ECT0);
	ignore_all();
}

/* §6.1.6: neither does a window probe. */
static void test_window_probe(void **state)
{
	(void)state;
	peer.window = 0;
	open_ecn();
	send_bytes(1, 100);
	wait_ms(230);
	hear(ACK, 1, 1, 1);
	assert_int_equal(peer.last.ecn, NOT_ECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_asked_for),
		PEER_TEST(test_not_asked_for),
		PEER_TEST(test_never),
		PEER_TEST(test_not_with_bbr),
		PEER_TEST(test_we_ask),
		PEER_TEST(test_refused),
		PEER_TEST(test_reflected),
		PEER_TEST(test_not_wanted),
		PEER_TEST(test_syn_lost),
		PEER_TEST(test_echo_until_cwr),
		PEER_TEST(test_once_for_each_window),
		PEER_TEST(test_sent_again),
		PEER_TEST(test_window_probe),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
