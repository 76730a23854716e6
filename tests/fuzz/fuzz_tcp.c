/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target of TCP: a connection is brought into a state, then segments, time and the owner's
 * calls come as the input says. Whatever they are, no memory is lost and the books are right.
 * Options are also parsed alone: what was read is written and read again.
 *
 * Input: the state, what was agreed in the handshake, then steps: a byte that says what, and what
 * it needs. Numbers are relative to what the connection expects, so that most segments get far.
 */
#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/stack.h"
#include "l4stack/tcp/tcp_conn.h"
#include "l4stack/tcp/tcp_fast.h"
#include "l4stack/tcp/tcp_options.h"
#include "l4stack/tcp/tcp_segment.h"
#include "tests/fuzz/input.h"
#include "tests/support/net.h"
#include "tests/unit/support/eal.h"

#define ETH         14
#define IP          20
#define SERVER_PORT 80
#define PEER_PORT   4000
#define PAYLOAD_MAX 1400
#define STEPS_MAX   64

struct world {
	struct stack *stack;
	struct rte_mempool *header, *control, *ref, *rx, *payload;
	uint64_t now_us;
	struct tcp_conn *conn;
	uint32_t iss;       /* the peer's */
	uint32_t stack_seq; /* of the last segment heard, and its ACK */
	uint16_t stack_port;
	uint32_t tsval, tsecr;
	bool timestamps;
};
static struct world world;

static const struct addr stack_addr = {.bytes = {10, 0, 0, 1}, .family = ADDR_IP4};
static const struct addr peer_addr = {.bytes = {10, 0, 0, 2}, .family = ADDR_IP4};
static const uint8_t stack_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};

static uint16_t next16(struct input *in)
{
	uint16_t high = next8(in);

	return (uint16_t)(high << 8 | next8(in));
}

static const uint8_t *take(struct input *in, size_t *len)
{
	const uint8_t *at = in->at;

	if (*len > in->left)
		*len = in->left;
	in->at += *len;
	in->left -= *len;
	return at;
}

/* ---- the wire ---- */

static void frame_in(const uint8_t *frame, uint32_t len)
{
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(world.rx);

	if (!pkt)
		return;
	memcpy(rte_pktmbuf_append(pkt, (uint16_t)len), frame, len);
	pkt->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	stack_input(world.stack, 0, &pkt, 1);
}

static void output(void *ctx, uint16_t port, struct rte_mbuf *pkt)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(pkt, const uint8_t *, ETH), *tcp = ip + IP;
	const char *reason;

	(void)ctx;
	(void)port;
	expect(rte_mbuf_check(pkt, 1, &reason) == 0);
	if (net_get(ip - 2, 2) == 0x0800 && ip[9] == TCP_PROTOCOL) {
		expect(pkt->data_len >= ETH + IP + (tcp[12] >> 4) * 4);
		world.stack_port = (uint16_t)net_get(tcp, 2);
		world.stack_seq = net_get(tcp + 4, 4);
		if ((tcp[12] >> 4) >= 8)
			world.tsecr = net_get(tcp + 24, 4);
	}
	rte_pktmbuf_free(pkt);
}

static void introduce(void)
{
	uint8_t frame[ETH + 28] = {0}, *p = frame;

	memset(p, 0xff, 6);
	memcpy(p + 6, peer_mac, 6);
	p = net_put(p + 12, 2, 0x0806);
	p = net_put(net_put(net_put(net_put(p, 2, 1), 2, 0x0800), 2, 0x0604), 2, 1);
	memcpy(p, peer_mac, 6);
	memcpy(p + 6, peer_addr.bytes, 4);
	memcpy(p + 16, stack_addr.bytes, 4);
	frame_in(frame, sizeof(frame));
}

struct segment {
	uint32_t seq, ack;
	uint16_t flags, window, urgent;
	const uint8_t *options;
	size_t options_len; /* a multiple of four */
	uint32_t len;
};

static void segment_in(const struct segment *s)
{
	uint8_t frame[ETH + IP + 60 + PAYLOAD_MAX], *ip = frame + ETH, *tcp = ip + IP, *p;
	uint32_t header = 20 + (uint32_t)s->options_len;

	memset(frame, 0, sizeof(frame));
	memcpy(frame, stack_mac, 6);
	memcpy(frame + 6, peer_mac, 6);
	net_put(frame + 12, 2, 0x0800);
	net_put(net_put(ip, 2, 0x4500), 2, IP + header + s->len);
	net_put(ip + 8, 2, 64 << 8 | TCP_PROTOCOL);
	memcpy(ip + 12, peer_addr.bytes, 4);
	memcpy(ip + 16, stack_addr.bytes, 4);
	p = net_put(net_put(tcp, 2, PEER_PORT), 2, world.stack_port);
	p = net_put(net_put(p, 4, s->seq), 4, s->ack);
	p = net_put(net_put(p, 2, header / 4 << 12 | s->flags), 2, s->window);
	net_put(p + 2, 2, s->urgent);
	if (s->options_len)
		memcpy(tcp + 20, s->options, s->options_len);
	frame_in(frame, ETH + IP + header + s->len);
}

static void turn(void)
{
	stack_advance(world.stack, world.now_us);
	stack_deliver(world.stack);
	stack_flush(world.stack);
}

/* ---- the owner ---- */

static void on_closed(struct tcp_conn *conn, void *user, enum tcp_close_reason reason)
{
	(void)user;
	(void)reason;
	expect(conn == world.conn);
	world.conn = NULL;
}

static const struct tcp_handlers handlers = {.closed = on_closed};

static void on_accepted(struct tcp_conn *conn, void *user)
{
	if (world.conn)
		return; /* one is enough: this one is reset */
	world.conn = conn;
	tcp_set_handlers(conn, &handlers, user);
}

static void owner_send(uint16_t bytes)
{
	struct rte_mbuf *m;

	if (!world.conn || !(m = rte_pktmbuf_alloc(world.payload)))
		return;
	m->data_len = bytes % 2000;
	if (tcp_send(world.conn, m))
		rte_pktmbuf_free(m);
}

static void owner_step(uint8_t what, struct input *in)
{
	if (!world.conn)
		return;
	switch (what % 6) {
	case 0:
	case 1:
		owner_send(next16(in));
		break;
	case 2:
		rte_pktmbuf_free(tcp_recv(world.conn, next16(in)));
		break;
	case 3:
		tcp_shutdown(world.conn);
		break;
	case 4:
		tcp_close(world.conn);
		world.conn = NULL;
		break;
	default:
		tcp_abort(world.conn);
		world.conn = NULL;
		break;
	}
}

/* ---- states ---- */

static void peer_says(uint16_t flags, uint32_t seq, uint32_t ack)
{
	uint8_t options[TCP_OPTIONS_MAX];
	struct tcp_options o = {.present = world.timestamps ? TCP_OPT_TS : 0,
				.tsval = world.tsval,
				.tsecr = world.tsecr};
	struct segment s = {.seq = seq, .ack = ack, .flags = flags, .window = 30000};

	s.options = options;
	s.options_len = tcp_options_build(&o, options);
	segment_in(&s);
	turn();
}

/* With the cookie that a peer was given, if `fast`. */
static void peer_syn(uint16_t flags, uint8_t agreed, uint32_t ack, bool fast)
{
	uint8_t options[TCP_OPTIONS_MAX];
	struct tcp_options o = {.present = agreed & 15, .mss = 1460, .wscale = agreed >> 4};
	struct segment s = {.seq = world.iss, .ack = ack, .flags = flags, .window = 30000};

	if (fast) {
		o.present |= TCP_OPT_FAST_OPEN;
		tcp_fast_give(world.stack->tcp, &stack_addr, &peer_addr, &o);
	}
	o.tsval = world.tsval;
	o.tsecr = world.tsecr;
	world.timestamps = agreed & TCP_OPT_TS;
	s.options = options;
	s.options_len = tcp_options_build(&o, options);
	segment_in(&s);
	turn();
}

enum begin {
	LISTEN,
	SYN_RECEIVED,
	SYN_SENT,
	ESTABLISHED,
	ESTABLISHED_ACTIVE,
	FIN_WAIT_1,
	FIN_WAIT_2,
	CLOSE_WAIT,
	CLOSING,
	LAST_ACK,
	TIME_WAIT,
	OPENED_FAST, /* RFC 7413: in SYN-RECEIVED, and sending */
	BEGINS
};

static void listen_all(void)
{
	static const struct tcp_listen_handlers listen_handlers = {on_accepted};
	static const struct tcp_conf conf = {.fast_open = true};
	const struct endpoint local = {stack_addr, SERVER_PORT};
	struct tcp_listener *listener;

	expect(tcp_listen(world.stack, &local, &conf, &listen_handlers, NULL, &listener) == 0);
}

static void open_active(uint8_t agreed, bool finish)
{
	const struct endpoint remote = {peer_addr, PEER_PORT};

	static const struct tcp_conf conf = {.fast_open = true};

	expect(tcp_connect(world.stack, &remote, &conf, &handlers, NULL, &world.conn) == 0);
	turn();
	if (finish)
		peer_syn(TCP_SYN | TCP_ACK, agreed, world.stack_seq + 1, false);
}

static void open_passive(uint8_t agreed, bool finish)
{
	peer_syn(TCP_SYN, agreed, 0, false);
	if (finish)
		peer_says(TCP_ACK, world.iss + 1, world.stack_seq + 1);
}

static void close_ours(bool acknowledged)
{
	uint32_t fin;

	tcp_shutdown(world.conn);
	turn();
	fin = world.stack_seq;
	if (acknowledged)
		peer_says(TCP_ACK, world.iss + 1, fin + 1);
}

static void begin(enum begin state, uint8_t agreed)
{
	if (state == SYN_SENT || state == ESTABLISHED_ACTIVE) {
		open_active(agreed, state == ESTABLISHED_ACTIVE);
		return;
	}
	listen_all();
	if (state == LISTEN)
		return;
	if (state == OPENED_FAST) {
		peer_syn(TCP_SYN, agreed, 0, true);
		return;
	}
	open_passive(agreed, state != SYN_RECEIVED);
	if (!world.conn)
		return;
	if (state == FIN_WAIT_1 || state == CLOSING)
		close_ours(false);
	if (state == FIN_WAIT_2 || state == TIME_WAIT)
		close_ours(true);
	if (state >= CLOSE_WAIT)
		peer_says(TCP_ACK | TCP_FIN, world.iss + 1, world.conn->snd_una);
	if (state == LAST_ACK && world.conn)
		close_ours(false);
}

/* ---- steps ---- */

static size_t segment_options(struct input *in, uint8_t form, uint8_t *out)
{
	struct tcp_options o = {.tsval = world.tsval + (form >> 4), .tsecr = world.tsecr};
	size_t len;
	const uint8_t *raw;

	if (!(form & 3)) {
		o.present = world.timestamps ? TCP_OPT_TS : 0;
		return tcp_options_build(&o, out);
	}
	len = next8(in) % (TCP_OPTIONS_MAX + 1);
	raw = take(in, &len);
	memset(out, 0, TCP_OPTIONS_MAX);
	memcpy(out, raw, len);
	return (len + 3) / 4 * 4;
}

static void step_segment(struct input *in)
{
	uint8_t options[TCP_OPTIONS_MAX];
	uint32_t rcv = world.conn ? world.conn->rcv_nxt : world.iss + 1;
	uint32_t snd = world.conn ? world.conn->snd_una : world.stack_seq + 1;
	struct segment s = {.flags = next16(in) & 0x1ff, .options = options};
	uint8_t form = next8(in);

	s.seq = rcv + (uint32_t)(int16_t)next16(in) * (form & 4 ? 977 : 1);
	s.ack = snd + (uint32_t)(int16_t)next16(in) * (form & 8 ? 977 : 1);
	s.window = next16(in);
	s.len = next16(in) % (PAYLOAD_MAX + 1);
	s.urgent = form;
	s.options_len = segment_options(in, form, options);
	segment_in(&s);
}

static void step(struct input *in)
{
	uint8_t what = next8(in);

	switch (what % 8) {
	case 0:
		owner_step(what / 8, in);
		break;
	case 1:
		world.now_us += (uint64_t)next16(in) << what / 8 % 16;
		world.tsval++;
		turn();
		break;
	case 2:
		turn();
		break;
	default:
		step_segment(in);
		break;
	}
}

/* ---- the books ---- */

static void count_conn(void *ctx, const struct tcp_conn *conn)
{
	uint64_t *held = ctx;

	held[0] += conn->rcv_charge;
	held[1] += conn->mem_charge;
	expect(conn->snd_bytes <= conn->mem_charge && conn->rcv_ready <= conn->rcv_charge);
}

static void check_books(void)
{
	const struct tcp_proto *tcp = world.stack->tcp;
	uint64_t held[2] = {0, 0};

	tcp_each(world.stack, count_conn, held);
	expect(held[0] == tcp->recv_held_bytes && held[1] == tcp->send_held_bytes);
}

static void check_pools(void)
{
	expect(rte_mempool_in_use_count(world.header) == 0);
	expect(rte_mempool_in_use_count(world.control) == 0);
	expect(rte_mempool_in_use_count(world.ref) == 0);
	expect(rte_mempool_in_use_count(world.rx) == 0);
	expect(rte_mempool_in_use_count(world.payload) == 0);
}

/* ---- options alone ---- */

static void fuzz_options(const uint8_t *data, size_t size)
{
	struct tcp_options first, second;
	uint8_t built[TCP_OPTIONS_MAX];
	size_t len = size < TCP_OPTIONS_MAX ? size : TCP_OPTIONS_MAX;

	memset(&first, 0, sizeof(first));
	tcp_options_parse(data, len, &first);
	len = tcp_options_build(&first, built);
	expect(len <= TCP_OPTIONS_MAX && len % 4 == 0);
	expect(tcp_options_parse(built, len, &second));
	expect(!(second.present & ~first.present));
	if (second.present & TCP_OPT_TS)
		expect(second.tsval == first.tsval && second.tsecr == first.tsecr);
	if (second.present & TCP_OPT_MSS)
		expect(second.mss == first.mss);
	if (second.present & TCP_OPT_WSCALE)
		expect(second.wscale == first.wscale && first.wscale <= TCP_WSCALE_MAX);
}

/* ---- */

static void world_start(void)
{
	static const struct stack_ops ops = {.output = output};
	const struct stack_pools pools = {world.header, world.control, world.ref};
	const struct stack_conf conf = {.max_conns = 16, .memory_bytes = 300000, .secret = {1, 2}};
	struct stack_port_conf port = {
		.mtu = 1500, .offloads = STACK_TX_MULTI_SEG | STACK_RX_CSUM, .name = "wire"};

	memcpy(port.mac, stack_mac, 6);
	world.now_us = 5000000;
	world.conn = NULL;
	world.iss = 0xfffff000;
	world.stack_port = SERVER_PORT;
	world.tsval = 7000;
	expect(stack_create(&conf, &pools, &ops, NULL, world.now_us, &world.stack) == 0);
	expect(stack_port_add(world.stack, 0, &port) == 0);
	expect(stack_address_add(world.stack, 0, &stack_addr, 24) == 0);
	introduce();
}

static void pools_make(void)
{
	if (world.header)
		return;
	expect(eal_start() == 0);
	world.header = eal_pool("header", 1023, 512);
	world.control = eal_pool("control", 255, 512);
	world.ref = eal_pool("ref", 1023, 0);
	world.rx = eal_pool("rx", 1023, 2048);
	world.payload = eal_pool("payload", 255, 2048);
	expect(world.header && world.control && world.ref && world.rx && world.payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	uint8_t state = next8(&in), agreed = next8(&in);

	if (state == 0xff) {
		fuzz_options(in.at, in.left);
		return 0;
	}
	pools_make();
	world_start();
	begin((enum begin)(state % BEGINS), agreed);
	for (unsigned i = 0; i < STEPS_MAX && in.left; i++) {
		step(&in);
		if (in.left % 3)
			turn();
	}
	turn();
	check_books();
	stack_destroy(world.stack);
	check_pools();
	return 0;
}
