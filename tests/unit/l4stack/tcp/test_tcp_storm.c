/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments that make no sense, thousands of them, while an owner does anything it may: nothing
 * is asserted but that the stack stays whole, sends sound frames and gives all memory back.
 */
#include <rte_mbuf.h>
#include <stdlib.h>

#include "tests/unit/l4stack/tcp/peer.h"

#define ROUNDS   400
#define SEGMENTS 250

static uint32_t up_to(uint32_t n)
{
	return (uint32_t)rand() % (n + 1);
}

static bool one_of(uint32_t n)
{
	return up_to(n - 1) == 0;
}

/* Mostly near `base`, sometimes anywhere. */
static uint32_t near(uint32_t base)
{
	static const int32_t steps[] = {0, 0, 0, 0, 1, -1, 10, -10, 1460, 70000, -70000, INT32_MAX};

	if (one_of(20))
		return (uint32_t)rand() << 1;
	return base + (uint32_t)steps[up_to(sizeof(steps) / sizeof(steps[0]) - 1)];
}

static unsigned any_flags(void)
{
	static const unsigned usual[] = {ACK, ACK, ACK,       ACK,      ACK | FIN,
					 SYN, RST, SYN | ACK, ACK | URG};

	return one_of(10) ? up_to(63) : usual[up_to(sizeof(usual) / sizeof(usual[0]) - 1)];
}

static void any_options(uint32_t ack)
{
	peer.timestamps = !one_of(4);
	peer.tsval += up_to(3) - (one_of(10) ? 1000 : 0);
	peer.options.present = up_to(31) & ~(uint32_t)TCP_OPT_SACK;
	peer.options.mss = (uint16_t)(one_of(3) ? up_to(65535) : 1460);
	peer.options.wscale = (uint8_t)up_to(20);
	peer.sack_blocks = (uint8_t)(one_of(3) ? up_to(3) : 0);
	for (unsigned i = 0; i < peer.sack_blocks; i++)
		peer.sack[i] =
			(struct tcp_sack_block){near(ack + up_to(20000)), near(ack + up_to(20000))};
}

static void any_segment(uint32_t *seq, uint32_t *ack)
{
	unsigned flags = any_flags();
	uint32_t len = one_of(2) ? 0 : up_to(one_of(20) ? 40000 : 3000);

	any_options(*ack);
	peer.window = one_of(4) ? 0 : up_to(65535);
	peer.rx_cut = (uint16_t)(one_of(5) ? 60 + up_to(500) : 0);
	say_quietly(flags, near(*seq), near(*ack), len);
	if (one_of(2))
		*seq += len;
}

static void any_act(void)
{
	struct tcp_conn *conn = peer.conn;
	uint32_t piece = 1 + up_to(1999);

	if (!conn)
		return;
	switch (up_to(60)) {
	case 0:
		peer.conn = NULL;
		tcp_close(conn);
		break;
	case 1:
		peer.conn = NULL;
		tcp_abort(conn);
		break;
	case 2:
		tcp_shutdown(conn);
		break;
	case 3 ... 20:
		rte_pktmbuf_free(tcp_recv(conn, one_of(2) ? UINT32_MAX : up_to(5000)));
		break;
	case 21 ... 30:
		if (tcp_send_room(conn) && rte_mempool_avail_count(peer.payload) > 400)
			send_pieces(1, 1 + up_to(piece * 300 < 20000 ? piece * 300 : 20000), piece);
		break;
	default:
		break;
	}
}

/* Follows what the stack says, so that the next nonsense is near the mark. */
static void follow(uint32_t *seq, uint32_t *ack)
{
	while (peer.out_count) {
		hear_any();
		if (peer.last.flags & ACK && !one_of(4))
			*seq = peer.last.ack;
		*ack = peer.last.seq + peer.last.len + !!(peer.last.flags & (SYN | FIN));
	}
}

static void storm(bool passive)
{
	uint32_t seq = 0, ack = 0;

	if (passive) {
		peer_listen(NULL);
		say(SYN, 0, 0, 0);
	} else {
		assert_int_equal(peer_connect(NULL), 0);
		turn();
	}
	for (unsigned i = 0; i < SEGMENTS; i++) {
		follow(&seq, &ack);
		any_segment(&seq, &ack);
		if (one_of(3))
			any_act();
		if (one_of(3))
			turn();
		if (one_of(10))
			wait_ms(up_to(2000));
	}
	turn();
}

static void test_storm(void **state)
{
	static const uint32_t offloads[] = {
		STACK_TX_MULTI_SEG,
		STACK_TX_MULTI_SEG | STACK_TX_IP_CSUM | STACK_TX_TCP_CSUM | STACK_TX_TSO,
	};
	const struct stack_conf tight = {.max_conns = 4, .memory_bytes = 300000};

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		srand(round);
		peer_restart(offloads[round % 2], round % 3 ? NULL : &tight);
		storm(round % 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {PEER_TEST(test_storm)};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
