/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target of everything below TCP: frames into a stack that has addresses of both families,
 * a TCP listener and a UDP socket. Whatever comes, every frame that goes out is one that could be
 * sent, and no mbuf is lost.
 *
 * Input: steps. A byte says what: time that passes, or a frame of a kind whose outer headers are
 * right (addresses, lengths, checksums), so that the rest gets far; of kind 0 nothing is.
 */
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"
#include "l4stack/udp/udp.h"
#include "tests/fuzz/input.h"
#include "tests/support/net.h"
#include "tests/unit/support/eal.h"

#define ETH       14
#define IP4       20
#define IP6       40
#define FRAME_MAX 1514
#define STEPS_MAX 64
#define PORT      80

enum kind { RAW, ARP, RAW4, ICMP4, TCP4, UDP4, PIECE4, RAW6, ICMP6, TCP6, UDP6, PIECE6, KINDS };

static struct {
	struct stack *stack;
	struct rte_mempool *header, *control, *ref, *rx;
	uint64_t now_us;
} world;

static const struct addr own4 = {.bytes = {10, 0, 0, 1}, .family = ADDR_IP4};
static const struct addr own6 = {.bytes = {0xfd, 0x10, [15] = 1}, .family = ADDR_IP6};
static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};

/* ---- out ---- */

/* What any station may expect of a frame. */
static void frame_check(const uint8_t *frame, uint32_t len)
{
	const uint8_t *ip = frame + ETH;

	expect(len >= ETH + 20 && len <= FRAME_MAX);
	expect(!memcmp(frame + 6, own_mac, 6));
	switch (net_get(frame + 12, 2)) {
	case 0x0800:
		expect(ip[0] == 0x45 && net_sum(ip, IP4, 0) == 0xffff);
		expect(net_get(ip + 2, 2) == len - ETH);
		expect(!memcmp(ip + 12, own4.bytes, 4));
		break;
	case 0x86dd:
		expect(ip[0] >> 4 == 6 && net_get(ip + 4, 2) + IP6 == len - ETH);
		break;
	default:
		expect(net_get(frame + 12, 2) == 0x0806 && len == ETH + 28);
	}
}

static void output(void *ctx, uint16_t port, struct rte_mbuf *pkt)
{
	uint8_t frame[FRAME_MAX];
	const char *reason;
	uint32_t len = pkt->pkt_len, at = 0;

	(void)ctx;
	expect(port == 0 && rte_mbuf_check(pkt, 1, &reason) == 0 && len <= sizeof(frame));
	for (const struct rte_mbuf *m = pkt; m; at += m->data_len, m = m->next)
		memcpy(frame + at, rte_pktmbuf_mtod(m, const void *), m->data_len);
	expect(at == len);
	frame_check(frame, len);
	rte_pktmbuf_free(pkt);
}

/* ---- owners ---- */

static void accepted(struct tcp_conn *conn, void *user)
{
	(void)user;
	tcp_abort(conn);
}

/* Sends it back: what is longer than the MTU goes in fragments. */
static void received(struct udp_socket *socket, void *user, const struct endpoint *remote,
		     const struct addr *local, struct rte_mbuf *data)
{
	(void)user;
	if (udp_send(socket, local, remote, data))
		return;
}

static void owners_start(void)
{
	static const struct tcp_listen_handlers listens = {.accepted = accepted};
	static const struct udp_handlers hears = {.received = received};
	struct endpoint any[2] = {{{.family = ADDR_IP4}, PORT}, {{.family = ADDR_IP6}, PORT}};
	struct tcp_listener *listener;
	struct udp_socket *socket;

	for (unsigned i = 0; i < 2; i++) {
		struct udp_conf conf = {.local = any[i]};

		expect(!tcp_listen(world.stack, &any[i], NULL, &listens, NULL, &listener));
		expect(!udp_bind(world.stack, &conf, &hears, NULL, &socket));
	}
}

/* ---- in ---- */

static void frame_in(const uint8_t *frame, uint32_t len, uint32_t cut)
{
	struct rte_mbuf *pkt = NULL;

	for (uint32_t at = 0, n; at < len; at += n) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(world.rx);

		n = RTE_MIN(len - at, at ? 200u : cut);
		if (!m) {
			rte_pktmbuf_free(pkt);
			return;
		}
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), frame + at, n);
		if (!pkt)
			pkt = m;
		else
			expect(!rte_pktmbuf_chain(pkt, m));
	}
	stack_input(world.stack, 0, &pkt, 1);
}

static uint32_t ethernet_put(uint8_t *frame, unsigned type)
{
	memcpy(frame, own_mac, 6);
	memcpy(frame + 6, peer_mac, 6);
	net_put(frame + 12, 2, type);
	return ETH;
}

/* Where the transport's checksum is; 0: it has none. */
static unsigned csum_at(enum kind kind)
{
	switch (kind) {
	case ICMP4:
	case ICMP6:
		return 2;
	case TCP4:
	case TCP6:
		return 16;
	case UDP4:
	case UDP6:
		return 6;
	default:
		return 0;
	}
}

static void transport_fix(enum kind kind, uint8_t *l4, uint32_t len, uint32_t pseudo)
{
	unsigned at = csum_at(kind);

	if (kind == UDP4 || kind == UDP6)
		net_put(l4 + 4, 2, len);
	if (!at || len < at + 2)
		return;
	net_put(l4 + at, 2, 0);
	net_put(l4 + at, 2, (uint16_t)~net_sum(l4, len, pseudo));
}

static uint8_t protocol_of(enum kind kind, struct input *in)
{
	static const uint8_t protocols[KINDS] = {
		[ICMP4] = 1, [TCP4] = 6,  [UDP4] = 17,   [ICMP6] = 58,
		[TCP6] = 6,  [UDP6] = 17, [PIECE4] = 17, [PIECE6] = 44};

	return protocols[kind] ? protocols[kind] : next8(in);
}

static void ip4_put(enum kind kind, uint8_t *ip, uint32_t len, struct input *in)
{
	uint8_t peer = next8(in);

	memset(ip, 0, IP4);
	ip[0] = 0x45;
	net_put(ip + 2, 2, IP4 + len);
	if (kind == PIECE4) {
		net_put(ip + 4, 2, next8(in) % 4);
		net_put(ip + 6, 2, (unsigned)next8(in) << 8 | next8(in));
	}
	ip[8] = 64;
	ip[9] = protocol_of(kind, in);
	memcpy(ip + 12, (const uint8_t[]){10, 0, 0, peer}, 4);
	memcpy(ip + 16, own4.bytes, 4);
	transport_fix(kind, ip + IP4, len,
		      kind == ICMP4 ? 0 : net_sum(ip + 12, 8, 0) + ip[9] + len);
	net_put(ip + 10, 2, (uint16_t)~net_sum(ip, IP4, 0));
}

static void ip6_put(enum kind kind, uint8_t *ip, uint32_t len, struct input *in)
{
	uint8_t peer = next8(in), group = next8(in);

	memset(ip, 0, IP6);
	ip[0] = 0x60;
	net_put(ip + 4, 2, len);
	ip[6] = protocol_of(kind, in);
	ip[7] = 255;
	memcpy(ip + 8, own6.bytes, 16);
	ip[23] = peer;
	memcpy(ip + 24, own6.bytes, 16);
	if (group == 1)
		memcpy(ip + 24, (const uint8_t[16]){0xff, 2, [11] = 1, [12] = 0xff, [15] = 1}, 16);
	if (group == 2)
		memset(ip + 8, 0, 16);
	transport_fix(kind, ip + IP6, len, (uint32_t)net_sum(ip + 8, 32, 0) + ip[6] + len);
}

static void step_frame(enum kind kind, struct input *in)
{
	uint8_t frame[FRAME_MAX] = {0}, short_len = next8(in), cut = next8(in);
	uint32_t header = kind == RAW ? 0 : kind < RAW4 ? ETH : kind < RAW6 ? ETH + IP4 : ETH + IP6;
	uint32_t len = RTE_MIN(short_len < 200 ? short_len : short_len * 6u, FRAME_MAX - header);
	size_t taken = RTE_MIN((size_t)len, in->left);

	memcpy(frame + header, in->at, taken);
	in->at += taken;
	in->left -= taken;
	if (kind == ARP)
		ethernet_put(frame, 0x0806);
	else if (kind >= RAW6)
		ip6_put(kind, frame + ethernet_put(frame, 0x86dd), len, in);
	else if (kind >= RAW4)
		ip4_put(kind, frame + ethernet_put(frame, 0x0800), len, in);
	/* Devices split behind the headers at the earliest, but some of ours may not be there. */
	if (header + len)
		frame_in(frame, header + len, cut < 20 ? 54u + cut : FRAME_MAX);
}

static void turn(void)
{
	stack_advance(world.stack, world.now_us);
	stack_deliver(world.stack);
	stack_flush(world.stack);
}

static void step(struct input *in)
{
	uint8_t what = next8(in);

	if (what % 16 < KINDS) {
		step_frame((enum kind)(what % 16), in);
		if (what & 16)
			turn();
		return;
	}
	world.now_us += 1000ull << next8(in) % 20;
	turn();
}

/* ---- */

static void world_start(uint8_t how)
{
	static const struct stack_ops ops = {.output = output};
	const struct stack_pools pools = {world.header, world.control, world.ref};
	const struct stack_conf conf = {.max_conns = 16, .memory_bytes = 300000, .secret = {1, 2}};
	struct stack_port_conf port = {.mtu = 1500,
				       .offloads = how & 1 ? STACK_TX_MULTI_SEG : 0,
				       .name = "wire",
				       .claim = (enum stack_claim)(how / 2 % 5)};

	memcpy(port.mac, own_mac, 6);
	world.now_us = 5000000;
	expect(!stack_create(&conf, &pools, &ops, NULL, world.now_us, &world.stack));
	expect(!stack_port_add(world.stack, 0, &port));
	expect(!stack_address_add(world.stack, 0, &own4, 24));
	expect(!stack_address_add(world.stack, 0, &own6, 64));
	owners_start();
}

static void pools_make(void)
{
	if (world.header)
		return;
	expect(!eal_start());
	world.header = eal_pool("header", 1023, 1600);
	world.control = eal_pool("control", 255, 512);
	world.ref = eal_pool("ref", 1023, 0);
	world.rx = eal_pool("rx", 2047, 2048);
	expect(world.header && world.control && world.ref && world.rx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};

	pools_make();
	world_start(next8(&in));
	for (unsigned i = 0; i < STEPS_MAX && in.left; i++)
		step(&in);
	turn();
	stack_destroy(world.stack);
	expect(!rte_mempool_in_use_count(world.header));
	expect(!rte_mempool_in_use_count(world.control));
	expect(!rte_mempool_in_use_count(world.ref));
	expect(!rte_mempool_in_use_count(world.rx));
	return 0;
}
