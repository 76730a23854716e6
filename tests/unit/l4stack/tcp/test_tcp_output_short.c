/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The short way of what is sent (tcp_output_short.c) against the long one: the same conversation,
 * twice, says the same bytes and leaves the same state behind.
 */
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/tcp/tcp_conn.h"
#include "tests/unit/l4stack/tcp/peer.h"

#define MSS        1460
#define ROUNDS     24
#define FRAMES_MAX 512
#define BYTES_MAX  9300
#define NOTES_MAX  (ROUNDS + 4)

/* How it ends. */
enum ending { WITH_TEXT = 1, PEER_FIRST = 2, ENDINGS = 4 };

/* What is said, and how. */
struct talk {
	uint32_t offloads;
	uint32_t options; /* of the peer's SYN */
	uint32_t piece;   /* bytes of an mbuf of the owner's */
	uint32_t wait_ms; /* between two questions */
	unsigned ending;
	struct tcp_conf conf;
	struct stack_conf stack;
};

struct frame {
	uint8_t bytes[BYTES_MAX];
	uint32_t len;
	uint64_t flags, offload;
	uint16_t pieces;
};

/* All that can be seen of one play. */
static struct play {
	struct frame frames[FRAMES_MAX];
	unsigned frames_count;
	struct tcp_conn conns[NOTES_MAX];
	struct tcp_run runs[NOTES_MAX];
	unsigned conns_count;
	struct stack_counters counters;
	uint64_t room, held;
} plays[2];

/* ---- what is seen ---- */

static void frames_note(struct play *play)
{
	for (unsigned i = 0; i < peer.out_count; i++) {
		struct rte_mbuf *pkt = peer.out[i];
		struct frame *f = &play->frames[play->frames_count++];

		assert_true(play->frames_count <= FRAMES_MAX && pkt->pkt_len <= BYTES_MAX);
		f->len = pkt->pkt_len;
		f->flags = pkt->ol_flags;
		f->offload = pkt->tx_offload;
		f->pieces = pkt->nb_segs;
		assert_true(pkt_read(pkt, 0, f->len, f->bytes));
	}
}

/* The connection without what points: of that only whether it does. */
static void conn_note(struct play *play)
{
	struct tcp_conn *c = &play->conns[play->conns_count];

	assert_true(play->conns_count < NOTES_MAX);
	*c = *peer.conn;
	if (c->sent.first)
		play->runs[play->conns_count] = *c->sent.first;
	play->conns_count++;
	c->path.neighbour = NULL;
	c->flush_next = c->deliver_next = NULL;
	c->tcp = NULL;
	c->timer.wheel.next = NULL;
	c->timer.wheel.prev_link = NULL;
	c->timer.owner = NULL;
	c->listener = NULL;
	c->snd_head = c->snd_head ? (void *)1 : NULL;
	c->snd_tail = c->snd_tail ? (void *)1 : NULL;
	c->snd_cursor = c->snd_cursor ? (void *)1 : NULL;
	c->resend_at = c->resend_at ? (void *)1 : NULL;
	c->rcv_head = c->rcv_head ? (void *)1 : NULL;
	c->rcv_tail = c->rcv_tail ? (void *)1 : NULL;
	c->sent.first = c->sent.first ? (void *)1 : NULL;
	c->sent.last = c->sent.last ? (void *)1 : NULL;
	c->sent.flying.first = c->sent.flying.first ? (void *)1 : NULL;
	c->sent.flying.last = c->sent.flying.last ? (void *)1 : NULL;
	c->sent.near = c->sent.near ? (void *)1 : NULL;
	c->sent.spare = c->sent.spare ? (void *)1 : NULL;
	c->sent.slab = NULL;
}

/* ---- a conversation ---- */

/* The stack's turn. What is no reason for anything but the long way is there while it sends. */
static void take_turn(bool long_way)
{
	stack_advance(peer.stack, peer.now_us);
	stack_deliver(peer.stack);
	peer.conn->dup_acks = long_way;
	stack_flush(peer.stack);
	peer.conn->dup_acks = 0;
}

static uint32_t answer_bytes(unsigned round)
{
	static const uint32_t bytes[] = {1, 64, 200, 1000, MSS - 12, MSS, MSS + 1, 4000, 8192};

	return bytes[round % (sizeof(bytes) / sizeof(bytes[0]))];
}

/* Where what the stack has said ends. */
static uint32_t said(void)
{
	return peer.conn->snd_max - peer.stack_iss;
}

static void round_play(const struct talk *talk, struct play *play, unsigned round, bool long_way)
{
	uint32_t ask = 1 + 50 * round, len = answer_bytes(round);

	say_quietly(ACK | PSH, ask, said(), 50);
	stack_deliver(peer.stack);
	rte_pktmbuf_free(tcp_recv(peer.conn, UINT32_MAX));
	send_pieces(said(), len, talk->piece);
	take_turn(long_way);
	conn_note(play);
	frames_note(play);
	ignore_all();
	peer.tsecr = (uint32_t)(peer.now_us / 1000) + peer.conn->ts_offset;
	peer.now_us += talk->wait_ms * 1000 + 300;
	peer.tsval += talk->wait_ms;
	if (round % 3 == 2) { /* an ACK that brings nothing else */
		say_quietly(ACK, ask + 50, said(), 0);
		take_turn(long_way);
	}
}

/* Its FIN, behind text or alone, and the ACK of that. */
static void end_play(const struct talk *talk, struct play *play, bool long_way)
{
	uint32_t at = 1 + 50 * ROUNDS;

	if (talk->ending & PEER_FIRST)
		say_quietly(ACK | FIN, at++, said(), 0);
	if (talk->ending & WITH_TEXT)
		send_pieces(said(), answer_bytes(3), talk->piece);
	tcp_shutdown(peer.conn);
	take_turn(long_way);
	conn_note(play);
	frames_note(play);
	ignore_all();
	if (talk->ending & PEER_FIRST) /* with the ACK it is gone */
		return;
	peer.conn->dup_acks = long_way;
	say_quietly(ACK, at, said(), 0);
	take_turn(long_way);
	conn_note(play);
	assert_string_equal(conn_state(), "FIN-WAIT-2");
}

static void play_talk(const struct talk *talk, struct play *play, bool long_way)
{
	memset(play, 0, sizeof(*play));
	peer_restart(talk->offloads, &talk->stack);
	peer.tsval = 1000;
	peer.tsecr = 0;
	peer.options = (struct tcp_options){
		.present = talk->options, .mss = MSS, .wscale = 3, .tsval = 1000};
	peer.timestamps = talk->options & TCP_OPT_TS;
	open_passive(&talk->conf);
	for (unsigned round = 0; round < ROUNDS; round++)
		round_play(talk, play, round, long_way);
	conn_note(play);
	end_play(talk, play, long_way);
	play->counters = *peer.counters;
	play->room = peer.conn->tcp->stack->room[0];
	play->held = peer.conn->tcp->send_held_bytes;
}

/* ---- comparing ---- */

static void assert_same_frames(const struct play *a, const struct play *b)
{
	assert_int_equal(a->frames_count, b->frames_count);
	for (unsigned i = 0; i < a->frames_count; i++) {
		const struct frame *x = &a->frames[i], *y = &b->frames[i];

		assert_int_equal(x->len, y->len);
		assert_memory_equal(x->bytes, y->bytes, x->len);
		assert_true(x->flags == y->flags && x->offload == y->offload);
		assert_int_equal(x->pieces, y->pieces);
	}
}

static void assert_same_conn(const struct tcp_conn *x, const struct tcp_conn *y)
{
	const uint8_t *a = (const uint8_t *)x, *b = (const uint8_t *)y;

	for (size_t i = 0; i < sizeof(*x); i++)
		if (a[i] != b[i])
			fail_msg("byte %zu of the connection: %u, %u", i, a[i], b[i]);
}

static void assert_same_run(const struct tcp_run *a, const struct tcp_run *b)
{
	assert_int_equal(a->lo, b->lo);
	assert_int_equal(a->hi, b->hi);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->resent, b->resent);
	assert_int_equal(a->stamp.sent_us, b->stamp.sent_us);
	assert_int_equal(a->stamp.delivered, b->stamp.delivered);
	assert_int_equal(a->stamp.delivered_us, b->stamp.delivered_us);
	assert_int_equal(a->stamp.first_sent_us, b->stamp.first_sent_us);
	assert_int_equal(a->stamp.app_limited, b->stamp.app_limited);
	assert_null(a->next);
	assert_null(b->next);
}

/* `least` of the turns went the short way when they could. */
static void assert_same(const struct talk *talk, unsigned least)
{
	play_talk(talk, &plays[0], false);
	play_talk(talk, &plays[1], true);
	assert_true(plays[0].counters.tcp_express_out >= least);
	assert_int_equal(plays[1].counters.tcp_express_out, 0);
	plays[0].counters.tcp_express_out = 0;
	assert_same_frames(&plays[0], &plays[1]);
	for (unsigned i = 0; i < plays[0].conns_count; i++) {
		assert_same_conn(&plays[0].conns[i], &plays[1].conns[i]);
		assert_same_run(&plays[0].runs[i], &plays[1].runs[i]);
	}
	assert_memory_equal(&plays[0].counters, &plays[1].counters, sizeof(plays[0].counters));
	assert_true(plays[0].room == plays[1].room && plays[0].held == plays[1].held);
}

/* ---- the talks ---- */

static struct talk usual(void)
{
	return (struct talk){
		.offloads = STACK_TX_MULTI_SEG | STACK_TX_TCP_CSUM | STACK_TX_IP_CSUM,
		.options = TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_TS | TCP_OPT_SACK_OK,
		.piece = 1000,
		.wait_ms = 1,
		.conf = {.congestion = "cubic"},
		.stack = {.max_conns = 64, .memory_bytes = 64 << 20, .secret = {1, 2}},
	};
}

static void test_options(void **state)
{
	struct talk talk = usual();

	(void)state;
	assert_same(&talk, 10);
	talk.options = TCP_OPT_MSS;
	assert_same(&talk, 10);
	talk.options = TCP_OPT_MSS | TCP_OPT_SACK_OK;
	assert_same(&talk, 10);
	talk.options = TCP_OPT_MSS | TCP_OPT_TS | TCP_OPT_WSCALE;
	assert_same(&talk, 10);
}

static void test_offloads(void **state)
{
	struct talk talk = usual();

	(void)state;
	for (uint32_t offloads = 0; offloads < 2 * STACK_TX_MULTI_SEG; offloads++) {
		talk.offloads = offloads | STACK_TX_MULTI_SEG;
		assert_same(&talk, offloads & STACK_TX_TSO ? 16 : 10);
	}
}

static void test_pieces(void **state)
{
	static const uint32_t pieces[] = {30, 100, 255, 256, 700, 1460, 2000};
	struct talk talk = usual();

	(void)state;
	talk.offloads |= STACK_TX_TSO;
	for (unsigned i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		talk.piece = pieces[i];
		assert_same(&talk, 5);
	}
	talk.stack.copy_below_bytes = 1;
	assert_same(&talk, 10);
}

static void test_gathering(void **state)
{
	struct talk talk = usual();

	(void)state;
	talk.conf.gather = TCP_GATHER_NAGLE;
	assert_same(&talk, 10);
	talk.offloads |= STACK_TX_TSO;
	assert_same(&talk, 10);
	talk.conf.gather = TCP_GATHER_FULL;
	assert_same(&talk, 0);
}

static void test_congestion_control(void **state)
{
	struct talk talk = usual();

	(void)state;
	talk.conf.congestion = "newreno";
	assert_same(&talk, 10);
	talk.conf.congestion = "bbr";
	assert_same(&talk, 0);
}

/* Beyond a retransmission timeout the window begins anew; beyond a delayed ACK's time there are
 * pure ones. */
static void test_pauses(void **state)
{
	static const uint32_t pauses[] = {0, 30, 100, 500};
	struct talk talk = usual();

	(void)state;
	for (unsigned i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		talk.wait_ms = pauses[i];
		assert_same(&talk, pauses[i] < 200 ? 10 : 1);
	}
}

/* The edge has to move on the way, and not only by what was taken. */
static void test_small_buffer(void **state)
{
	struct talk talk = usual();

	(void)state;
	talk.conf.recv_buffer_bytes = 4096;
	assert_same(&talk, 10);
	talk.conf.recv_buffer_bytes = 8 << 20;
	assert_same(&talk, 10);
}

/* The first answer goes the short way too, and the last. */
static void test_endings(void **state)
{
	struct talk talk = usual();

	(void)state;
	talk.offloads |= STACK_TX_TSO;
	for (unsigned i = 0; i < ENDINGS; i++) {
		talk.ending = i;
		talk.options = TCP_OPT_MSS;
		assert_same(&talk, ROUNDS + 1);
		talk.options |= TCP_OPT_WSCALE | TCP_OPT_TS | TCP_OPT_SACK_OK;
		assert_same(&talk, ROUNDS + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_options),
		PEER_TEST(test_offloads),
		PEER_TEST(test_pieces),
		PEER_TEST(test_gathering),
		PEER_TEST(test_congestion_control),
		PEER_TEST(test_pauses),
		PEER_TEST(test_small_buffer),
		PEER_TEST(test_endings),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
