/* SPDX-License-Identifier: BSD-3-Clause */
#define ALLOW_EXPERIMENTAL_API /* rte_pktmbuf_pool_create_extbuf */
#include "tests/unit/l4stack/tcp/peer.h"

#include <rte_malloc.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "tests/support/net.h"
#include "tests/unit/support/eal.h"

#define ETH       14
#define IP4       20
#define IP6       40
#define RX_ROOM   2048
#define FRAME_MAX 66000

struct peer peer;

static const uint8_t stack_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};
static const struct addr stack_addr = {.bytes = {10, 0, 0, 1}, .family = ADDR_IP4};
static const struct addr peer_addr = {.bytes = {10, 0, 0, 2}, .family = ADDR_IP4};
static const struct addr stack_addr6 = {.bytes = {0xfd, 0x10, [15] = 1}, .family = ADDR_IP6};
static const struct addr peer_addr6 = {.bytes = {0xfd, 0x10, [15] = 2}, .family = ADDR_IP6};

uint8_t peer_byte(uint32_t seq)
{
	return (uint8_t)(seq * 131 + (seq >> 8) * 7);
}

uint8_t owner_byte(uint32_t seq)
{
	return (uint8_t)(seq * 57 + (seq >> 8) * 11 + 1);
}

/* ---- what the stack is given ---- */

/* ARP, or ICMPv6: solicitations ask for the peer. */
static bool is_about_neighbours(const struct rte_mbuf *pkt)
{
	const uint8_t *frame = rte_pktmbuf_mtod(pkt, const uint8_t *);
	uint32_t type = net_get(frame + 12, 2);
	bool icmp6 = type == 0x86dd && frame[ETH + 6] != 6;

	peer.asked |= type == 0x0806 || (icmp6 && frame[ETH + IP6] == 135);
	return type == 0x0806 || icmp6;
}

static void output(void *ctx, uint16_t port, struct rte_mbuf *pkt)
{
	const char *reason;

	(void)ctx;
	(void)port;
	assert_int_equal(rte_mbuf_check(pkt, 1, &reason), 0);
	if (is_about_neighbours(pkt)) {
		rte_pktmbuf_free(pkt);
		return;
	}
	assert_true(peer.out_count < PEER_OUT_MAX);
	peer.out[peer.out_count++] = pkt;
}

static struct rte_mbuf *frame_mbuf(const uint8_t *frame, uint32_t len)
{
	struct rte_mbuf *head = NULL;
	uint32_t most = peer.rx_cut ? peer.rx_cut : RX_ROOM;

	while (len) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(peer.rx);
		uint32_t n = RTE_MIN(len, most);

		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), frame, n);
		frame += n;
		len -= n;
		if (!head)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
	}
	if (!peer.sums)
		head->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	return head;
}

static void frame_in(const uint8_t *frame, uint32_t len)
{
	struct rte_mbuf *pkt = frame_mbuf(frame, len);

	stack_input(peer.stack, 0, &pkt, 1);
}

/* RFC 4861 §7.2.3: a solicitation with the address of who asks. */
static void introduce_ip6(void)
{
	uint8_t frame[ETH + IP6 + 32] = {0}, *p = frame + ETH;

	memcpy(frame, stack_mac, 6);
	memcpy(frame + 6, peer_mac, 6);
	net_put(frame + 12, 2, 0x86dd);
	net_put(net_put(p, 4, 6u << 28), 4, 32u << 16 | 58 << 8 | 255);
	memcpy(p + 8, peer_addr6.bytes, 16);
	memcpy(p + 24, stack_addr6.bytes, 16);
	p[IP6] = 135;
	memcpy(p + IP6 + 8, stack_addr6.bytes, 16);
	net_put(p + IP6 + 24, 2, 0x0101);
	memcpy(p + IP6 + 26, peer_mac, 6);
	net_put(p + IP6 + 2, 2, (uint16_t)~net_sum(p + 8, 64, 58 + 32));
	frame_in(frame, sizeof(frame));
	peer.asked = false;
}

/* The stack learns the peer's address by being asked for its own. */
static void introduce_ip4(void)
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
	peer.asked = false;
}

static void introduce(void)
{
	if (peer.ip6)
		introduce_ip6();
	else
		introduce_ip4();
}

static size_t add_user_timeout(uint8_t *out, size_t len)
{
	if (!peer.user_timeout)
		return len;
	net_put(net_put(out + len, 2, 28 << 8 | 4), 2, peer.user_timeout);
	return len + 4;
}

static size_t write_options(unsigned flags, uint8_t *out)
{
	struct tcp_options options = {0};

	if (flags & SYN)
		options = peer.options;
	if (peer.timestamps || options.present & TCP_OPT_TS)
		options.present |= TCP_OPT_TS;
	options.tsval = peer.tsval;
	options.tsecr = peer.tsecr;
	if (peer.sack_blocks) {
		options.present |= TCP_OPT_SACK;
		options.sack_blocks = peer.sack_blocks;
		for (unsigned i = 0; i < peer.sack_blocks; i++)
			options.sack[i] = (struct tcp_sack_block){
				peer.stack_iss + peer.sack[i].lo,
				peer.stack_iss + peer.sack[i].hi,
			};
	}
	return add_user_timeout(out, tcp_options_build(&options, out));
}

static uint8_t *write_link(uint8_t *frame)
{
	uint8_t *p = frame + 12;

	memcpy(frame, stack_mac, 6);
	memcpy(frame + 6, peer_mac, 6);
	if (peer.tagged)
		p = net_put(p, 4, 0x8100u << 16 | 5 << 13);
	return net_put(p, 2, peer.ip6 ? 0x86dd : 0x0800);
}

static void write_ip4(uint8_t *ip, uint32_t len)
{
	memset(ip, 0, IP4);
	net_put(net_put(ip, 2, 0x4500u | peer.ecn), 2, IP4 + len);
	net_put(ip + 8, 2, 64 << 8 | 6);
	memcpy(ip + 12, peer_addr.bytes, 4);
	memcpy(ip + 16, stack_addr.bytes, 4);
	net_put(ip + 10, 2, (uint16_t)~net_sum(ip, IP4, 0));
}

static void write_ip6(uint8_t *ip, uint32_t len)
{
	net_put(net_put(ip, 4, 6u << 28 | (uint32_t)peer.ecn << 20), 4, len << 16 | 6 << 8 | 64);
	memcpy(ip + 8, peer_addr6.bytes, 16);
	memcpy(ip + 24, stack_addr6.bytes, 16);
}

/* In either family the addresses stand just before the TCP header. */
static void write_sum(uint8_t *tcp, uint32_t len)
{
	uint32_t addresses = peer.ip6 ? 32 : 8;

	net_put(tcp + 16, 2,
		(uint16_t)~net_sum(tcp, len, net_sum(tcp - addresses, addresses, 6 + len)));
}

static uint32_t write_frame(uint8_t *frame, unsigned flags, uint32_t seq, uint32_t ack,
			    const uint8_t *bytes, uint32_t len)
{
	uint8_t *ip = write_link(frame), *tcp = ip + (peer.ip6 ? IP6 : IP4), *p;
	uint32_t options_len = (uint32_t)write_options(flags, tcp + 20);
	uint32_t tcp_len = 20 + options_len + len;

	if (peer.ip6)
		write_ip6(ip, tcp_len);
	else
		write_ip4(ip, tcp_len);
	p = net_put(net_put(tcp, 2, peer.port), 2, peer.stack_port);
	p = net_put(p, 4, peer.iss + seq);
	p = net_put(p, 4, flags & ACK ? peer.stack_iss + ack : 0);
	p = net_put(p, 2, (20 + options_len) / 4 << 12 | flags);
	net_put(net_put(net_put(p, 2, peer.window), 2, 0), 2, flags & URG ? 1 : 0);
	memcpy(tcp + 20 + options_len, bytes, len);
	write_sum(tcp, tcp_len);
	return (uint32_t)(tcp - frame) + tcp_len;
}

static void say_frame(unsigned flags, uint32_t seq, uint32_t ack, const void *bytes, uint32_t len)
{
	static uint8_t frame[FRAME_MAX];
	uint32_t frame_len = write_frame(frame, flags, seq, ack, bytes, len);

	if (peer.spoil)
		peer.spoil(frame, &frame_len);
	stack_advance(peer.stack, peer.now_us);
	frame_in(frame, frame_len);
}

void say_quietly(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	static uint8_t bytes[FRAME_MAX];

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = peer_byte(seq + i);
	say_frame(flags, seq, ack, bytes, len);
}

void say(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	say_quietly(flags, seq, ack, len);
	turn();
}

void say_bytes(unsigned flags, uint32_t seq, uint32_t ack, const void *bytes, uint32_t len)
{
	say_frame(flags, seq, ack, bytes, len);
	turn();
}

/* ---- what the stack says ---- */

static void take_frame(struct rte_mbuf *pkt, struct segment *out)
{
	static uint8_t frame[FRAME_MAX];
	uint32_t len = pkt->pkt_len, header, ip_bytes = peer.ip6 ? IP6 : IP4;
	const uint8_t *tcp = frame + ETH + ip_bytes;

	assert_true(len <= sizeof(frame) && pkt_read(pkt, 0, len, frame));
	assert_int_equal(net_get(frame + 12, 2), peer.ip6 ? 0x86dd : 0x0800);
	assert_int_equal(frame[ETH + (peer.ip6 ? 6 : 9)], 6);
	if (peer.ip6)
		assert_int_equal(net_get(frame + ETH + 4, 2), len - ETH - IP6);
	else
		assert_int_equal(net_get(frame + ETH + 2, 2), len - ETH);
	header = (uint32_t)(tcp[12] >> 4) * 4;
	*out = (struct segment){
		.src = (uint16_t)net_get(tcp, 2),
		.dst = (uint16_t)net_get(tcp + 2, 2),
		.seq = net_get(tcp + 4, 4),
		.ack = net_get(tcp + 8, 4),
		.flags = tcp[13],
		.window = net_get(tcp + 14, 2),
		.len = len - ETH - ip_bytes - header,
		.ecn = frame[ETH + 1] >> (peer.ip6 ? 4 : 0) & 3,
		.tso_segsz = pkt->ol_flags & RTE_MBUF_F_TX_TCP_SEG ? pkt->tso_segsz : 0,
		.pieces = pkt->nb_segs,
	};
	memcpy(out->payload, tcp + header, out->len);
	assert_true(tcp_options_parse(tcp + 20, header - 20, &out->options));
	rte_pktmbuf_free(pkt);
}

void hear_any(void)
{
	assert_true(peer.out_count > 0);
	take_frame(peer.out[0], &peer.last);
	peer.out_count--;
	memmove(peer.out, peer.out + 1, peer.out_count * sizeof(peer.out[0]));
	if (peer.last.flags & SYN) {
		peer.stack_iss = peer.last.seq;
		peer.stack_port = peer.last.src;
	}
	peer.last.seq -= peer.stack_iss;
	if (peer.last.flags & ACK)
		peer.last.ack -= peer.iss;
	if (peer.last.options.present & TCP_OPT_TS)
		peer.tsecr = peer.last.options.tsval;
	for (unsigned i = 0;
	     i < peer.last.options.sack_blocks && peer.last.options.present & TCP_OPT_SACK; i++) {
		peer.last.options.sack[i].lo -= peer.iss;
		peer.last.options.sack[i].hi -= peer.iss;
	}
}

void hear(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	hear_any();
	assert_int_equal(peer.last.flags & ~PSH, flags);
	assert_int_equal(peer.last.seq, seq);
	if (flags & ACK)
		assert_int_equal(peer.last.ack, ack);
	assert_int_equal(peer.last.len, len);
	seq += !!(flags & SYN); /* it stands before the text */
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(peer.last.payload[i], owner_byte(seq + i));
}

void hear_nothing(void)
{
	assert_int_equal(peer.out_count, 0);
}

void ignore_all(void)
{
	while (peer.out_count)
		rte_pktmbuf_free(peer.out[--peer.out_count]);
}

/* ---- the owner ---- */

static void on_opened(struct tcp_conn *conn, void *user)
{
	(void)user;
	assert_ptr_equal(conn, peer.conn);
	peer.opened++;
}

static void on_readable(struct tcp_conn *conn, void *user)
{
	(void)user;
	peer.readable++;
	if (peer.on_readable)
		peer.on_readable(conn);
}

static void on_writable(struct tcp_conn *conn, void *user)
{
	(void)conn;
	(void)user;
	peer.writable++;
}

static void on_closed(struct tcp_conn *conn, void *user, enum tcp_close_reason reason)
{
	(void)user;
	assert_ptr_equal(conn, peer.conn);
	peer.closed++;
	peer.reason = reason;
	if (peer.on_closed)
		peer.on_closed(conn);
	peer.conn = NULL;
}

static const struct tcp_handlers handlers = {on_opened, on_readable, on_writable, on_closed};

static void on_accepted(struct tcp_conn *conn, void *user)
{
	assert_ptr_equal(user, &peer);
	peer.accepted++;
	peer.conn = conn;
	tcp_set_handlers(conn, &handlers, &peer);
	assert_ptr_equal(tcp_user(conn), &peer);
	if (peer.on_accepted)
		peer.on_accepted(conn);
}

/* What NewReno sends can be told by counting. */
static struct tcp_conf countable(const struct tcp_conf *conf)
{
	struct tcp_conf all = conf ? *conf : (struct tcp_conf){0};

	if (!all.congestion)
		all.congestion = "newreno";
	return all;
}

void peer_speak_ip6(void)
{
	peer.ip6 = true;
	assert_int_equal(stack_address_add(peer.stack, 0, &stack_addr6, 64), 0);
	introduce();
}

void peer_listen(const struct tcp_conf *conf)
{
	static const struct tcp_listen_handlers listen_handlers = {on_accepted};
	struct endpoint local = {peer.ip6 ? stack_addr6 : stack_addr, PEER_SERVER_PORT};
	struct tcp_conf all = countable(conf);

	assert_int_equal(
		tcp_listen(peer.stack, &local, &all, &listen_handlers, &peer, &peer.listener), 0);
}

int peer_connect(const struct tcp_conf *conf)
{
	struct endpoint remote = {peer.ip6 ? peer_addr6 : peer_addr, PEER_PORT};
	struct tcp_conf all = countable(conf);

	return tcp_connect(peer.stack, &remote, &all, &handlers, &peer, &peer.conn);
}

void open_passive(const struct tcp_conf *conf)
{
	peer_listen(conf);
	say(SYN, 0, 0, 0);
	hear(SYN | ACK, 0, 1, 0);
	say(ACK, 1, 1, 0);
	hear_nothing();
	assert_int_equal(peer.accepted, 1);
}

void open_active(const struct tcp_conf *conf)
{
	assert_int_equal(peer_connect(conf), 0);
	turn();
	hear(SYN, 0, 0, 0);
	say(SYN | ACK, 0, 1, 0);
	hear(ACK, 1, 1, 0);
	assert_int_equal(peer.opened, 1);
}

void expect_received(uint32_t seq, uint32_t len)
{
	struct rte_mbuf *chain;
	uint32_t at = 0;

	assert_int_equal(tcp_recv_ready(peer.conn), len);
	chain = tcp_recv(peer.conn, UINT32_MAX);
	for (const struct rte_mbuf *m = chain; m; m = m->next)
		for (uint32_t i = 0; i < m->data_len; i++, at++)
			assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[i], peer_byte(seq + at));
	assert_int_equal(at, len);
	rte_pktmbuf_free(chain);
}

void send_pieces(uint32_t seq, uint32_t len, uint32_t piece)
{
	while (len) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(peer.payload);
		uint32_t n = RTE_MIN(len, piece);
		uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)n);

		for (uint32_t i = 0; i < n; i++)
			p[i] = owner_byte(seq + i);
		assert_int_equal(tcp_send(peer.conn, m), 0);
		seq += n;
		len -= n;
	}
}

void send_bytes(uint32_t seq, uint32_t len)
{
	send_pieces(seq, len, 1448);
}

const char *conn_state(void)
{
	static struct tcp_info info;

	tcp_info(peer.conn, &info);
	return info.state;
}

/* ---- time ---- */

void turn(void)
{
	stack_advance(peer.stack, peer.now_us);
	stack_deliver(peer.stack);
	stack_flush(peer.stack);
	if (peer.asked)
		introduce();
}

void wait_ms(uint32_t ms)
{
	while (ms--) {
		peer.now_us += 1000;
		peer.tsval++;
		turn();
	}
}

/* ---- from test to test ---- */

static struct rte_mempool *rx_pool(unsigned count)
{
	uint16_t room = RX_ROOM + RTE_PKTMBUF_HEADROOM;
	struct rte_pktmbuf_extmem memory = {.buf_len = (size_t)room * count, .elt_size = room};

	memory.buf_ptr = rte_malloc("rx", memory.buf_len, RTE_CACHE_LINE_SIZE);
	memory.buf_iova = (rte_iova_t)(uintptr_t)memory.buf_ptr;
	return memory.buf_ptr
		       ? rte_pktmbuf_pool_create_extbuf("rx", count, 0, 0, room, 0, &memory, 1)
		       : NULL;
}

int peer_group_setup(void **state)
{
	(void)state;
	if (eal_start() != 0)
		return -1;
	peer.header = eal_pool("header", 1023, 512);
	peer.control = eal_pool("control", 255, 512);
	peer.ref = eal_pool("ref", 1023, 0);
	peer.payload = eal_pool("payload", 1023, RX_ROOM);
	peer.rx = rx_pool(4095);
	return peer.header && peer.control && peer.ref && peer.rx && peer.payload ? 0 : -1;
}

static void stack_start(uint32_t offloads, const struct stack_conf *given)
{
	static const struct stack_ops ops = {.output = output};
	struct stack_conf conf = {.max_conns = 64, .memory_bytes = 64 << 20, .secret = {1, 2}};
	struct stack_pools pools = {peer.header, peer.control, peer.ref};
	struct stack_port_conf port = {
		.mtu = 1500, .offloads = offloads, .name = "wire", .claim = STACK_CLAIM_SILENT};

	if (given)
		conf = *given;
	memcpy(port.mac, stack_mac, 6);
	peer.now_us = 5000000;
	assert_int_equal(stack_create(&conf, &pools, &ops, &peer, peer.now_us, &peer.stack), 0);
	assert_int_equal(stack_port_add(peer.stack, 0, &port), 0);
	assert_int_equal(stack_address_add(peer.stack, 0, &stack_addr, 24), 0);
	peer.counters = stack_counters(peer.stack);
	introduce();
}

static void stack_stop(void)
{
	ignore_all();
	stack_destroy(peer.stack);
	assert_int_equal(rte_mempool_in_use_count(peer.header), 0);
	assert_int_equal(rte_mempool_in_use_count(peer.control), 0);
	assert_int_equal(rte_mempool_in_use_count(peer.ref), 0);
	assert_int_equal(rte_mempool_in_use_count(peer.payload), 0);
	assert_int_equal(rte_mempool_in_use_count(peer.rx), 0);
}

static void peer_reset(void)
{
	struct peer kept = peer;

	memset(&peer, 0, sizeof(peer));
	peer.header = kept.header;
	peer.control = kept.control;
	peer.ref = kept.ref;
	peer.payload = kept.payload;
	peer.rx = kept.rx;
	peer.iss = 0xfffff000; /* numbers pass zero soon */
	peer.port = PEER_PORT;
	peer.stack_port = PEER_SERVER_PORT;
	peer.window = 60000;
	peer.tsval = 7000;
	peer.options = (struct tcp_options){.present = TCP_OPT_MSS, .mss = 1460};
}

int peer_setup(void **state)
{
	(void)state;
	peer_reset();
	stack_start(STACK_TX_MULTI_SEG | STACK_RX_CSUM, NULL);
	return 0;
}

int peer_teardown(void **state)
{
	(void)state;
	stack_stop();
	return 0;
}

void peer_restart(uint32_t offloads, const struct stack_conf *conf)
{
	stack_stop();
	peer_reset();
	stack_start(offloads | STACK_RX_CSUM, conf);
}
