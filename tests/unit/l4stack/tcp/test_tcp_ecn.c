/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ECN: RFC 3168 §6.1.
 */
#include <rte_mbuf.h>
#include <string.h>

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

/* ---- handshakes of other kinds ---- */

static void expect_ecn(unsigned seq, uint8_t ecn)
{
	send_bytes(seq, 100);
	turn();
	hear(ACK, seq, 1, 100);
	assert_int_equal(peer.last.ecn, ecn);
}

/* The half-open record keeps it, and each SYN-ACK says so. */
static void test_syn_ack_lost(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(SYN | ECE | CWR, 0, 0, 0);
	hear(SYN | ACK | ECE, 0, 1, 0);
	wait_ms(1001);
	hear(SYN | ACK | ECE, 0, 1, 0);
	assert_int_equal(peer.last.ecn, NOT_ECT);
	say(SYN | ECE | CWR, 0, 0, 0);
	hear(SYN | ACK | ECE, 0, 1, 0);
	say(ACK, 1, 1, 0);
	expect_ecn(1, ECT0);
}

/* §6.1.1: the peer's second SYN does not ask, as after a loss. It would not heed marks. */
static void test_second_syn_does_not_ask(void **state)
{
	(void)state;
	peer_listen(NULL);
	say(SYN | ECE | CWR, 0, 0, 0);
	hear(SYN | ACK | ECE, 0, 1, 0);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(SYN | ECE | CWR, 0, 0, 0); /* the first, late */
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 1, 0);
	expect_ecn(1, NOT_ECT);
}

/* More SYNs than there are half-open records: the next gets a cookie. */
static void flooded(void)
{
	const struct stack_conf roomy = {
		.max_conns = 4000, .memory_bytes = 64 << 20, .secret = {5, 6}};

	peer_restart(STACK_TX_MULTI_SEG, &roomy);
	peer_listen(NULL);
	for (unsigned i = 0; i < 1024; i++) {
		peer.port = (uint16_t)(10000 + i);
		say(SYN, 0, 0, 0);
		ignore_all();
	}
	peer.port = PEER_PORT;
}

/* It lives through a cookie where there are time stamps to carry it. */
static void test_cookie(void **state)
{
	(void)state;
	flooded();
	peer.timestamps = true;
	say(SYN | ECE | CWR, 0, 0, 0);
	hear(SYN | ACK | ECE, 0, 1, 0);
	say(ACK, 1, 1, 0);
	assert_int_equal(peer.counters->tcp_cookies_accepted, 1);
	expect_ecn(1, ECT0);
	peer.ecn = CE;
	say(ACK, 1, 101, 100);
	hear(ACK | ECE, 101, 101, 0);
}

static void test_cookie_did_not_ask(void **state)
{
	(void)state;
	flooded();
	peer.timestamps = true;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 1, 0);
	assert_int_equal(peer.counters->tcp_cookies_accepted, 1);
	expect_ecn(1, NOT_ECT);
}

/* It would be forgotten without them: it is not agreed. */
static void test_cookie_without_timestamps(void **state)
{
	(void)state;
	flooded();
	say(SYN | ECE | CWR, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 1, 0);
	assert_int_equal(peer.counters->tcp_cookies_accepted, 1);
	expect_ecn(1, NOT_ECT);
}

/* Fast Open: a cookie of RFC 7413 for the SYNs to come. */
static void fetch_fast_cookie(void)
{
	const struct tcp_conf fast = {.fast_open = true};

	peer_listen(&fast);
	peer.options.present |= TCP_OPT_FAST_OPEN;
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	peer.options.fast_open_len = peer.last.options.fast_open_len;
	memcpy(peer.options.fast_open, peer.last.options.fast_open, peer.options.fast_open_len);
	say(RST, 1, 0, 0);
	peer.port++;
}

/* A mark on the SYN means nothing, with text too; what goes out behind the SYN-ACK may be marked.
 */
static void test_fast_open_server(void **state)
{
	(void)state;
	fetch_fast_cookie();
	peer.ecn = CE;
	say(SYN | ECE | CWR, 0, 0, 100);
	assert_int_equal(peer.accepted, 1);
	hear(SYN | ACK | ECE, 0, 101, 0);
	assert_int_equal(peer.last.ecn, NOT_ECT);
	send_bytes(1, 100);
	turn();
	hear(ACK, 1, 101, 100);
	assert_int_equal(peer.last.ecn, ECT0);
	assert_int_equal(peer.counters->tcp_ecn_marks_in, 0);
	say(ACK, 101, 101, 100);
	hear(ACK | ECE, 101, 201, 0);
	rte_pktmbuf_free(tcp_recv(peer.conn, UINT32_MAX));
}

static void test_fast_open_second_syn_does_not_ask(void **state)
{
	(void)state;
	fetch_fast_cookie();
	say(SYN | ECE | CWR, 0, 0, 0);
	hear(SYN | ACK | ECE, 0, 1, 0);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 1, 0);
	expect_ecn(1, NOT_ECT);
}

static const struct tcp_conf fast_wants = {.ecn = TCP_ECN_ASK, .fast_open = true};

static void learn_fast_cookie(void)
{
	assert_int_equal(peer_connect(&fast_wants), 0);
	turn();
	hear(SYN | ECE | CWR, 0, 0, 0);
	peer.options.present |= TCP_OPT_FAST_OPEN;
	peer.options.fast_open_len = 8;
	say(SYN | ACK | ECE, 0, 1, 0);
	hear(ACK, 1, 1, 0);
	tcp_abort(peer.conn);
	turn();
	ignore_all();
	assert_int_equal(peer_connect(&fast_wants), 0);
	send_bytes(1, 100);
	turn();
	hear(SYN | ECE | CWR, 0, 0, 100);
	assert_int_equal(peer.last.ecn, NOT_ECT);
}

static void test_fast_open_client(void **state)
{
	(void)state;
	learn_fast_cookie();
	say(SYN | ACK | ECE, 0, 101, 0);
	hear(ACK, 101, 1, 0);
	expect_ecn(101, ECT0);
}

/* The server agrees and does not take the text: it is sent again, so it is not marked (§6.1.5). */
static void test_fast_open_client_text_not_taken(void **state)
{
	(void)state;
	learn_fast_cookie();
	say(SYN | ACK | ECE, 0, 1, 0);
	hear(ACK, 1, 1, 100);
	assert_int_equal(peer.last.ecn, NOT_ECT);
	ignore_all();
	say(ACK, 1, 101, 0);
	expect_ecn(101, ECT0);
}

/* ECE in a SYN-ACK agrees: it tells of no mark, though some text is not yet acknowledged, and
 * nothing is answered with CWR. */
static void test_fast_open_client_text_half_taken(void **state)
{
	(void)state;
	learn_fast_cookie();
	say(SYN | ACK | ECE, 0, 51, 0);
	ignore_all();
	say(ACK, 1, 101, 0);
	expect_ecn(101, ECT0);
	assert_int_equal(peer.counters->tcp_ecn_reductions, 0);
}

static void test_fast_open_client_refused(void **state)
{
	(void)state;
	learn_fast_cookie();
	say(SYN | ACK, 0, 101, 0);
	hear(ACK, 101, 1, 0);
	expect_ecn(101, NOT_ECT);
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
	hear(ACK, 0, 1, 0);
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
		PEER_TEST(test_syn_ack_lost),
		PEER_TEST(test_second_syn_does_not_ask),
		PEER_TEST(test_cookie),
		PEER_TEST(test_cookie_did_not_ask),
		PEER_TEST(test_cookie_without_timestamps),
		PEER_TEST(test_fast_open_server),
		PEER_TEST(test_fast_open_second_syn_does_not_ask),
		PEER_TEST(test_fast_open_client),
		PEER_TEST(test_fast_open_client_text_not_taken),
		PEER_TEST(test_fast_open_client_text_half_taken),
		PEER_TEST(test_fast_open_client_refused),
		PEER_TEST(test_echo_until_cwr),
		PEER_TEST(test_once_for_each_window),
		PEER_TEST(test_sent_again),
		PEER_TEST(test_window_probe),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
