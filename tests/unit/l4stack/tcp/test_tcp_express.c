/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The short way in against the long ones: the same conversation three times, whose segments the
 * stack takes from frame to connection in one go, or none of them, for its frames carry a tag, or
 * does not even predict, for they are urgent besides. What the connection is then, what the
 * stack has counted and what it has sent has to be the same, after each step.
 */
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/stack_internal.h"
#include "l4stack/tcp/tcp_conn.h"
#include "tests/support/net.h"
#include "tests/unit/l4stack/tcp/peer.h"

#define ETH       14
#define STEPS_MAX 128

enum way { EXPRESS, LAYERS, URGENT, WAYS };

/* ---- what is compared ---- */

struct snapshot {
	struct tcp_conn conn; /* without pointers */
	struct stack_counters counters;
	struct {
		uint64_t recv_held, send_held, next_us, frames_sum;
		uint32_t lo, hi, sent_us, delivered, delivered_us, first_sent_us;
		bool app_limited;
		uint32_t waiting_mbufs, waiting_bytes, readable, writable, frames;
	} rest;
};

static struct snapshot told[WAYS][STEPS_MAX];
static unsigned steps;
static enum way way;

static void forget_pointers(struct tcp_conn *conn)
{
	conn->path.neighbour = NULL;
	conn->rcv_head = conn->rcv_tail = conn->snd_head = conn->snd_tail = NULL;
	conn->snd_cursor = conn->resend_at = NULL;
	conn->reorder = NULL;
	conn->tcp = NULL;
	conn->flush_next = conn->deliver_next = conn->backlog_next = NULL;
	conn->backlog_link = NULL;
	conn->timer.wheel.next = NULL;
	conn->timer.wheel.prev_link = NULL;
	conn->timer.owner = NULL;
	conn->listener = NULL;
	conn->sent.first = conn->sent.last = conn->sent.near = conn->sent.spare = NULL;
	conn->sent.flying = conn->sent.lost = (struct tcp_run_list){NULL, NULL};
	conn->sent.slab = NULL;
}

/* All that goes out, byte by byte. */
static void take_frames(struct snapshot *s)
{
	while (peer.out_count) {
		struct rte_mbuf *pkt = peer.out[--peer.out_count];

		s->rest.frames++;
		for (const struct rte_mbuf *m = pkt; m; m = m->next)
			for (uint16_t i = 0; i < m->data_len; i++)
				s->rest.frames_sum = s->rest.frames_sum * 31 +
						     rte_pktmbuf_mtod(m, const uint8_t *)[i];
		rte_pktmbuf_free(pkt);
	}
}

static void take_queue(struct snapshot *s)
{
	for (const struct rte_mbuf *m = peer.conn->rcv_head; m; m = m->next) {
		s->rest.waiting_mbufs++;
		s->rest.waiting_bytes += m->data_len;
		s->rest.frames_sum = s->rest.frames_sum * 31 + m->pkt_len;
	}
}

/* The first of it. */
static void take_flight(struct snapshot *s)
{
	const struct tcp_run *run = peer.conn->sent.first;

	if (!run)
		return;
	s->rest.lo = run->lo;
	s->rest.hi = run->hi;
	s->rest.sent_us = run->stamp.sent_us;
	s->rest.delivered = run->stamp.delivered;
	s->rest.delivered_us = run->stamp.delivered_us;
	s->rest.first_sent_us = run->stamp.first_sent_us;
	s->rest.app_limited = run->stamp.app_limited;
}

/* After each step. */
static void note(void)
{
	struct snapshot *s = &told[way][steps++];
	const struct tcp_proto *tcp = peer.stack->tcp;

	assert_true(steps <= STEPS_MAX);
	memset(s, 0, sizeof(*s));
	take_frames(s);
	memcpy(&s->conn, peer.conn, sizeof(s->conn));
	take_queue(s);
	take_flight(s);
	forget_pointers(&s->conn);
	s->counters = *peer.counters;
	s->counters.tcp_express_in = s->counters.tcp_express_staged = 0;
	s->counters.link_bytes_in = 0; /* a tag has four bytes */
	s->rest.recv_held = tcp->recv_held_bytes;
	s->rest.send_held = tcp->send_held_bytes;
	s->rest.next_us = stack_next_us(peer.stack);
	s->rest.readable = peer.readable;
	s->rest.writable = peer.writable;
}

static void bytes_are_the_same(const char *what, const void *a, const void *b, size_t len,
			       unsigned step)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < len; i++)
		if (x[i] != y[i])
			fail_msg("step %u: %s differs at byte %zu", step, what, i);
}

/* Only what is predicted is known to be a pure ACK. */
static bool is_compared(enum stack_counter id, enum way other)
{
	return other != URGENT || id != COUNTER_tcp_pure_acks_in;
}

static void counters_are_the_same(const struct snapshot *a, const struct snapshot *b,
				  enum way other, unsigned step)
{
	for (unsigned i = 0; i < COUNTER_TOTAL; i++)
		if (is_compared((enum stack_counter)i, other) &&
		    counter_read(&a->counters, (enum stack_counter)i) !=
			    counter_read(&b->counters, (enum stack_counter)i))
			fail_msg("step %u: %s differs", step, stack_counter_table[i].name);
}

static void is_the_same(enum way other, unsigned step)
{
	const struct snapshot *a = &told[EXPRESS][step], *b = &told[other][step];

	bytes_are_the_same("the connection", &a->conn, &b->conn, sizeof(a->conn), step);
	counters_are_the_same(a, b, other, step);
	bytes_are_the_same("the rest", &a->rest, &b->rest, sizeof(a->rest), step);
}

/* ---- what is said ---- */

static unsigned urgent(void)
{
	return way == URGENT ? URG : 0;
}

static void says(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	say(flags | urgent(), seq, ack, len);
	note();
}

static void says_quietly(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	say_quietly(flags | urgent(), seq, ack, len);
}

static void takes(void)
{
	rte_pktmbuf_free(tcp_recv(peer.conn, UINT32_MAX));
	note();
}

static void answers(uint32_t seq, uint32_t len)
{
	send_bytes(seq, len);
	turn();
	note();
}

/* Time stamps of now, as a peer that has heard all has them. */
static void echo(void)
{
	peer.tsecr = (uint32_t)(peer.now_us / 1000) + peer.conn->ts_offset;
}

static void passes(uint32_t ms)
{
	wait_ms(ms);
	echo();
	note();
}

/* ---- conversations ---- */

/* Question and answer, and the question carries the ACK of the last answer. */
static void talk_by_turns(void)
{
	uint32_t seq = 1, ack = 1;

	for (unsigned i = 0; i < 24; i++) {
		says(ACK | PSH, seq, ack, 60 + i);
		seq += 60 + i;
		takes();
		answers(ack, 200);
		ack += 200;
		passes(i % 5);
	}
	says(ACK, seq, ack, 0);
}

static void talk_one_way(void)
{
	uint32_t seq = 1;

	for (unsigned i = 0; i < 20; i++) {
		says_quietly(ACK, seq, 1, 1448);
		says_quietly(ACK, seq + 1448, 1, i % 3 ? 1448 : 100);
		seq += 1448 + (i % 3 ? 1448u : 100u);
		turn();
		note();
		if (i % 4 == 0)
			takes();
		passes(i == 10 ? 60 : 1);
	}
	takes();
}

/* Much is sent: ACKs of a part, of all, and window updates. */
static void talk_the_other_way(void)
{
	uint32_t ack = 1;

	answers(1, 120000);
	for (unsigned i = 0; i < 16; i++) {
		ack += 2 * 1448;
		passes(1);
		peer.window = 60000 - i * 100;
		says(ACK, 1, ack, 0);
	}
	while (ack < 120001) {
		ack = ack + 14480 < 120001 ? ack + 14480 : 120001;
		passes(2);
		says(ACK, 1, ack, 0);
	}
	answers(120001, 10);
	says(ACK, 1, 120011, 0);
	says(ACK, 1, 120011, 0);
}

/* What is lost, late, old or too much is not usual, and all goes on behind it. */
static void talk_badly(void)
{
	says(ACK, 1, 1, 100);
	says(ACK, 201, 1, 100); /* 101 is missing */
	says(ACK, 101, 1, 100);
	says(ACK, 1, 1, 100); /* again */
	answers(1, 5 * 1448);
	for (unsigned i = 0; i < 4; i++)
		says(ACK, 301, 1, 0);
	passes(5);
	says(ACK, 301, 1449, 0);
	passes(5);
	says(ACK, 301, 1 + 5 * 1448, 0);
	says(ACK, 301, 9 * 1448, 50);        /* never sent */
	says(ACK, 200000, 1 + 5 * 1448, 10); /* beyond the window */
	peer.tsval -= 1000;
	says(ACK, 301, 1 + 5 * 1448, 10);
	peer.tsval += 1000;
	takes();
	says(ACK, peer.conn->rcv_nxt - peer.iss, 1 + 5 * 1448, 70);
	says(ACK | FIN, peer.conn->rcv_nxt - peer.iss, 1 + 5 * 1448, 10);
	takes();
}

struct setting {
	struct tcp_conf conf;
	uint32_t options;
	bool ip6, sums;
};

static void begin(const struct setting *setting)
{
	peer_restart(STACK_TX_MULTI_SEG, NULL);
	if (setting->ip6)
		peer_speak_ip6();
	peer.sums = setting->sums;
	peer.options.present |= setting->options;
	peer.timestamps = setting->options & TCP_OPT_TS;
	peer.tagged = way != EXPRESS;
	steps = 0;
	open_passive(&setting->conf);
}

static const struct setting settings[] = {
	{.options = 0},
	{.options = TCP_OPT_TS | TCP_OPT_SACK_OK},
	{.options = TCP_OPT_TS | TCP_OPT_SACK_OK, .ip6 = true, .sums = true},
	{.options = TCP_OPT_TS, .sums = true, .conf = {.congestion = "cubic"}},
	{.options = TCP_OPT_TS | TCP_OPT_SACK_OK,
	 .conf = {.congestion = "bbr", .keepalive_ms = 5000}},
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static void compare(void (*talk)(void))
{
	for (size_t i = 0; i < SETTINGS; i++) {
		unsigned count = 0;

		for (way = EXPRESS; way < WAYS; way++) {
			begin(&settings[i]);
			talk();
			if (way == EXPRESS)
				assert_true(peer.counters->tcp_express_in > 2);
			else
				assert_int_equal(peer.counters->tcp_express_in, 0);
			assert_true(way == EXPRESS || steps == count);
			count = steps;
		}
		for (unsigned step = 0; step < count; step++) {
			is_the_same(LAYERS, step);
			is_the_same(URGENT, step);
		}
	}
}

static void question_and_answer(void **state)
{
	(void)state;
	compare(talk_by_turns);
}

static void text_one_way(void **state)
{
	(void)state;
	compare(talk_one_way);
}

static void text_the_other_way(void **state)
{
	(void)state;
	compare(talk_the_other_way);
}

static void what_is_not_usual(void **state)
{
	(void)state;
	compare(talk_badly);
}

/* ---- what is refused ---- */

static unsigned taken(void)
{
	return (unsigned)peer.counters->tcp_express_in;
}

/* A connection whose next segment goes the short way. */
static void open_known(const struct setting *setting)
{
	way = EXPRESS;
	begin(setting);
	says(ACK, 1, 1, 10);
	says(ACK, 11, 1, 10);
	assert_int_equal(taken(), 2);
}

static void is_refused(void (*spoil)(uint8_t *frame, uint32_t *len))
{
	unsigned before = taken();

	peer.spoil = spoil;
	says(ACK, 21, 1, 10);
	peer.spoil = NULL;
	assert_int_equal(taken(), before);
}

static void other_station(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[5] ^= 4;
}

static void everybody(uint8_t *frame, uint32_t *len)
{
	(void)len;
	memset(frame, 0xff, 6);
}

static void from_ourselves(uint8_t *frame, uint32_t *len)
{
	(void)len;
	memcpy(frame + 6, frame, 6);
}

static void from_a_group(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[6] |= 1;
}

static void fragment(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[ETH + 6] |= 0x20;
}

static void cut_off(uint8_t *frame, uint32_t *len)
{
	(void)frame;
	*len -= 1;
}

static void other_version(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[ETH] = 0x55;
}

static void other_protocol(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[ETH + 9] = 17;
}

static void offset_too_long(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[ETH + 20 + 12] = 0xf0;
}

static void offset_too_short(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[ETH + 20 + 12] = 0x40;
}

static void other_port(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[ETH + 20 + 1] ^= 1;
}

static void other_address(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[ETH + 12 + 3] ^= 4;
}

static void wrong_sum(uint8_t *frame, uint32_t *len)
{
	frame[*len - 1] ^= 1;
}

static void wrong_header_sum(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[ETH + 8] ^= 1;
}

static void other_options(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[ETH + 20 + 20] = 8; /* the time stamps stand where the padding was, and it behind */
	memmove(frame + ETH + 20 + 20, frame + ETH + 20 + 22, 10);
	memset(frame + ETH + 20 + 30, 1, 2);
}

static void frames_that_are_not_usual_are_refused(void **state)
{
	static void (*const spoils[])(uint8_t * frame, uint32_t * len) = {
		other_station,   everybody,        from_ourselves, from_a_group,
		fragment,        cut_off,          other_version,  other_protocol,
		offset_too_long, offset_too_short, other_port,     other_address,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		open_known(&settings[0]);
		is_refused(spoils[i]);
		assert_int_equal(peer.conn->rcv_nxt, peer.iss + 21);
	}
}

static void wrong_sums_are_refused(void **state)
{
	static const struct setting sums = {.sums = true}, sums6 = {.sums = true, .ip6 = true};

	(void)state;
	open_known(&sums);
	is_refused(wrong_sum);
	assert_int_equal(peer.counters->tcp_bad_csum, 1);
	is_refused(wrong_header_sum);
	assert_int_equal(peer.counters->ip4_bad_csum, 1);
	open_known(&sums6);
	is_refused(wrong_sum);
	assert_int_equal(peer.counters->tcp_bad_csum, 1);
}

static void time_stamps_may_stand_elsewhere(void **state)
{
	(void)state;
	open_known(&settings[1]);
	peer.spoil = other_options;
	says(ACK, 21, 1, 10);
	assert_int_equal(taken(), 3);
	assert_int_equal(peer.conn->rcv_nxt, peer.iss + 31);
	assert_int_equal(peer.conn->ts_recent, peer.tsval);
}

/* Of IPv6: nothing is read behind the end. */
static void no_room_for_a_header(uint8_t *frame, uint32_t *len)
{
	net_put(frame + ETH + 4, 2, 4);
	*len = ETH + 40 + 4;
}

static void short_packets_are_refused(void **state)
{
	static const struct setting ip6 = {.ip6 = true};

	(void)state;
	open_known(&ip6);
	is_refused(no_room_for_a_header);
	assert_int_equal(peer.counters->tcp_bad_header, 1);
}

static void padding(uint8_t *frame, uint32_t *len)
{
	memset(frame + *len, 0xee, 6);
	*len += 6;
}

static void padding_is_cut_off(void **state)
{
	(void)state;
	open_known(&settings[0]);
	peer.spoil = padding;
	says(ACK, 21, 1, 10);
	says(ACK, 31, 1, 0);
	assert_int_equal(taken(), 4);
	expect_received(1, 30);
}

/* ---- handshakes ---- */

static const struct tcp_options offers[] = {
	{.present = TCP_OPT_MSS, .mss = 1460},
	{.present = TCP_OPT_MSS | TCP_OPT_TS | TCP_OPT_SACK_OK | TCP_OPT_WSCALE,
	 .mss = 1400,
	 .wscale = 7,
	 .tsval = 77},
	{.present = 0},
};

/* Another connection from the same address: its handshake, a question, and what comes in disorder
 * or again. What the listener has kept is seen in what it says. */
static void handshake(unsigned port, bool quietly)
{
	peer.port = (uint16_t)port;
	peer.conn = NULL;
	say(SYN, 0, 0, 0);
	hear_any();
	say(SYN, 0, 0, 0); /* again */
	hear_any();
	if (quietly) { /* all before the stack's turn */
		say_quietly(ACK, 1, 1, 0);
		say_quietly(ACK | PSH, 1, 1, 60);
		say_quietly(ACK | FIN, 61, 1, 0);
		turn();
	} else {
		says(ACK | PSH, 1, 1, 60);
		says(ACK | FIN, 61, 1, 0);
	}
	note();
	takes();
	answers(1, 100);
	says(ACK, 62, 101, 0);
	tcp_close(peer.conn);
	turn();
	ignore_all();
	say(ACK, 62, 102, 0);
}

static void strangers(void)
{
	for (unsigned i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		peer.options = offers[i];
		peer.timestamps = offers[i].present & TCP_OPT_TS;
		handshake(5000 + i, false);
		handshake(6000 + i, true);
	}
}

/* `staged`: of these, so many are read in one go. */
static void compare_strangers(const struct setting *setting, unsigned staged)
{
	for (way = EXPRESS; way <= LAYERS; way++) {
		begin(setting);
		strangers();
		assert_int_equal(peer.counters->tcp_express_staged, way == EXPRESS ? staged : 0);
	}
	for (unsigned step = 0; step < steps; step++)
		is_the_same(LAYERS, step);
}

static void handshakes(void **state)
{
	static const struct setting sums = {.sums = true}, ip6 = {.ip6 = true};

	(void)state;
	compare_strangers(&settings[0], 25);
	compare_strangers(&sums, 25);
	compare_strangers(&ip6, 0);
}

static void no_port(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[ETH + 20] = frame[ETH + 20 + 1] = 0;
}

static void to_no_port(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[ETH + 20 + 2] = frame[ETH + 20 + 3] = 0;
}

static void with_fin(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[ETH + 20 + 13] |= FIN;
}

static void with_reset(uint8_t *frame, uint32_t *len)
{
	(void)len;
	frame[ETH + 20 + 13] |= RST;
}

/* The layers say what is wrong with them. */
static void bad_strangers(void **state)
{
	static void (*const spoils[])(uint8_t * frame, uint32_t * len) = {
		no_port, to_no_port, with_fin, with_reset, offset_too_long, offset_too_short,
	};
	uint64_t before;

	(void)state;
	open_known(&settings[0]);
	peer.port = 5000;
	before = peer.counters->tcp_express_staged;
	for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		peer.spoil = spoils[i];
		say(SYN, 0, 0, 0);
		assert_int_equal(peer.counters->tcp_bad_header, i + 1);
	}
	peer.spoil = NULL;
	hear_nothing();
	assert_int_equal(peer.counters->tcp_express_staged, before);
}

/* An address from which nothing has come is looked at by the layers. */
static void unknown_addresses_are_looked_up(void **state)
{
	const struct addr net = {.bytes = {10, 9, 0, 0}, .family = ADDR_IP4};
	const struct addr via = {.bytes = {10, 0, 0, 2}, .family = ADDR_IP4};
	uint64_t before;

	(void)state;
	open_known(&settings[0]);
	peer.port = 5000;
	before = peer.counters->tcp_express_staged;
	assert_int_equal(stack_route_add(peer.stack, &net, 16, &via), 0);
	say(SYN, 0, 0, 0);
	assert_int_equal(peer.counters->tcp_express_staged, before);
	say(SYN, 0, 0, 0);
	assert_int_equal(peer.counters->tcp_express_staged, before + 1);
	ignore_all();
}

/* ---- order, and what is known ---- */

static void what_waits_goes_before(void **state)
{
	(void)state;
	open_known(&settings[0]);
	peer.tagged = true;
	say_quietly(ACK, 21, 1, 10);
	assert_int_equal(peer.conn->rcv_nxt, peer.iss + 21);
	peer.tagged = false;
	say_quietly(ACK, 31, 1, 10);
	assert_int_equal(peer.conn->rcv_nxt, peer.iss + 41);
	assert_int_equal(taken(), 3);
	turn();
	expect_received(1, 40);
	assert_int_equal(peer.counters->tcp_duplicate_segments, 0);
}

static void changed_routes_are_asked_again(void **state)
{
	const struct addr net = {.bytes = {10, 9, 0, 0}, .family = ADDR_IP4};
	const struct addr via = {.bytes = {10, 0, 0, 2}, .family = ADDR_IP4};

	(void)state;
	open_known(&settings[0]);
	assert_int_equal(stack_route_add(peer.stack, &net, 16, &via), 0);
	says(ACK, 21, 1, 10);
	assert_int_equal(taken(), 2);
	says(ACK, 31, 1, 10);
	assert_int_equal(taken(), 3);
}

/* Noted, though it came before the change. */
static void what_waited_is_no_proof(void **state)
{
	const struct addr net = {.bytes = {10, 9, 0, 0}, .family = ADDR_IP4};
	const struct addr via = {.bytes = {10, 0, 0, 2}, .family = ADDR_IP4};

	(void)state;
	open_known(&settings[0]);
	peer.tagged = true;
	say_quietly(ACK, 21, 1, 10);
	peer.tagged = false;
	assert_int_equal(stack_route_add(peer.stack, &net, 16, &via), 0);
	says(ACK, 31, 1, 10);
	assert_int_equal(taken(), 2);
	says(ACK, 41, 1, 10);
	assert_int_equal(taken(), 3);
	expect_received(1, 50);
}

static void a_connection_that_is_gone_is_not_found(void **state)
{
	(void)state;
	open_known(&settings[0]);
	tcp_abort(peer.conn);
	turn();
	ignore_all();
	say(ACK, 21, 1, 10);
	hear(RST, 1, 0, 0);
	assert_int_equal(taken(), 2);
}

/* A burst is longer than what is read of it at once. */
static void long_bursts(void **state)
{
	(void)state;
	open_known(&settings[1]);
	for (uint32_t i = 0; i < 40; i++)
		say_quietly(ACK, 21 + i * 10, 1, 10);
	turn();
	assert_int_equal(taken(), 42);
	expect_received(1, 420);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(question_and_answer),
		PEER_TEST(text_one_way),
		PEER_TEST(text_the_other_way),
		PEER_TEST(what_is_not_usual),
		PEER_TEST(frames_that_are_not_usual_are_refused),
		PEER_TEST(wrong_sums_are_refused),
		PEER_TEST(short_packets_are_refused),
		PEER_TEST(time_stamps_may_stand_elsewhere),
		PEER_TEST(padding_is_cut_off),
		PEER_TEST(handshakes),
		PEER_TEST(bad_strangers),
		PEER_TEST(unknown_addresses_are_looked_up),
		PEER_TEST(what_waits_goes_before),
		PEER_TEST(changed_routes_are_asked_again),
		PEER_TEST(what_waited_is_no_proof),
		PEER_TEST(a_connection_that_is_gone_is_not_found),
		PEER_TEST(long_bursts),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
