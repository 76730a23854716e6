/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/l4stack/ip/rig.h"

#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/tcp/tcp_proto.h"
#include "tests/unit/support/eal.h"

#define RX_ROOM 2048

struct rig rig;
const uint8_t mac_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct tcp_proto {
	char nothing;
};
static struct tcp_proto fake;

int tcp_proto_create(struct stack *stack, const struct stack_conf *conf, struct tcp_proto **out)
{
	(void)stack;
	(void)conf;
	if (rig.tcp_create_error)
		return rig.tcp_create_error;
	*out = &fake;
	return 0;
}

void tcp_proto_destroy(struct tcp_proto *tcp)
{
	(void)tcp;
}

void tcp_proto_input(struct tcp_proto *tcp, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	const char *reason;

	(void)tcp;
	assert_int_equal(rte_mbuf_check(pkt, 1, &reason), 0);
	rig.tcp_inputs++;
	rig.tcp_rx = *rx;
	rig.tcp_len = pkt->pkt_len;
	assert_true(pkt->pkt_len > sizeof(rig.tcp_bytes) ||
		    pkt_read(pkt, 0, pkt->pkt_len, rig.tcp_bytes));
	rte_pktmbuf_free(pkt);
}

/* Nothing is usual here: all goes through the layers. */
void tcp_proto_burst(struct tcp_proto *tcp, uint16_t port, struct rte_mbuf *const *pkts, unsigned n)
{
	(void)tcp;
	(void)port;
	(void)pkts;
	(void)n;
}

unsigned tcp_proto_take(struct tcp_proto *tcp, struct rte_mbuf *const *pkts, unsigned from,
			unsigned n)
{
	(void)tcp;
	(void)pkts;
	(void)n;
	return from;
}

void tcp_proto_error(struct tcp_proto *tcp, const struct ip_error_info *error)
{
	(void)tcp;
	rig.tcp_errors++;
	rig.tcp_error = *error;
}

void tcp_proto_deliver(struct tcp_proto *tcp)
{
	(void)tcp;
}

void tcp_proto_flush(struct tcp_proto *tcp)
{
	(void)tcp;
}

void tcp_proto_resume(struct tcp_proto *tcp)
{
	(void)tcp;
	rig.tcp_resumes++;
}

bool tcp_proto_pending(const struct tcp_proto *tcp)
{
	(void)tcp;
	return false;
}

static void output(void *ctx, uint16_t port, struct rte_mbuf *pkt)
{
	const char *reason;

	assert_ptr_equal(ctx, &rig);
	assert_int_equal(rte_mbuf_check(pkt, 1, &reason), 0);
	assert_true(rig.out_count < RIG_OUT_MAX);
	rig.out_port[rig.out_count] = port;
	rig.out[rig.out_count++] = pkt;
}

void rig_mac(uint8_t mac[6], unsigned port)
{
	memcpy(mac, (const uint8_t[]){2, 0, 0, 0, 0, (uint8_t)port}, 6);
}

void station_mac(uint8_t mac[6], unsigned station)
{
	memcpy(mac, (const uint8_t[]){2, 0, 0, 0, 1, (uint8_t)station}, 6);
}

struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

int rig_group_setup(void **state)
{
	(void)state;
	if (eal_start() != 0)
		return -1;
	rig.header = eal_pool("header", 2047, 1600);
	rig.control = eal_pool("control", 511, 512);
	rig.ref = eal_pool("ref", 1023, 0);
	rig.rx = eal_pool("rx", 1023, RX_ROOM);
	return rig.header && rig.control && rig.ref && rig.rx ? 0 : -1;
}

void rig_address(uint16_t port, const char *addr, unsigned prefix)
{
	struct addr a = address(addr);

	assert_int_equal(stack_address_add(rig.stack, port, &a, prefix), 0);
}

void rig_port_claiming(uint16_t port, enum stack_claim claim)
{
	struct stack_port_conf conf = {
		.mtu = 1500, .offloads = STACK_TX_MULTI_SEG, .name = "wire", .claim = claim};

	rig_mac(conf.mac, port);
	assert_int_equal(stack_port_add(rig.stack, port, &conf), 0);
}

void rig_port(uint16_t port, uint32_t offloads, const char *addr, unsigned prefix)
{
	struct stack_port_conf conf = {
		.mtu = 1500, .offloads = offloads, .name = "wire", .claim = STACK_CLAIM_SILENT};
	struct addr a = address(addr);

	rig_mac(conf.mac, port);
	assert_int_equal(stack_port_add(rig.stack, port, &conf), 0);
	assert_int_equal(stack_address_add(rig.stack, port, &a, prefix), 0);
}

static void stack_start(uint32_t offloads)
{
	static const struct stack_ops ops = {.output = output};
	struct stack_conf conf = {.max_conns = 1, .secret = {1, 2}};
	struct stack_pools pools = {.header = rig.header, .control = rig.control, .ref = rig.ref};

	rig.now_us = 1000000;
	assert_int_equal(stack_create(&conf, &pools, &ops, &rig, rig.now_us, &rig.stack), 0);
	rig.counters = stack_counters(rig.stack);
	rig_port(0, offloads, "10.0.0.1", 24);
}

static void stack_stop(void)
{
	while (rig.out_count > 0)
		rig_out_drop();
	stack_destroy(rig.stack);
	assert_int_equal(rte_mempool_in_use_count(rig.header), 0);
	assert_int_equal(rte_mempool_in_use_count(rig.control), 0);
	assert_int_equal(rte_mempool_in_use_count(rig.ref), 0);
	assert_int_equal(rte_mempool_in_use_count(rig.rx), 0);
}

int rig_setup(void **state)
{
	(void)state;
	rig.tcp_inputs = rig.tcp_errors = 0;
	stack_start(STACK_TX_MULTI_SEG);
	return 0;
}

int rig_teardown(void **state)
{
	(void)state;
	stack_stop();
	return 0;
}

void rig_restart(uint32_t offloads)
{
	stack_stop();
	stack_start(offloads);
}

struct rte_mbuf *rig_mbuf(const uint8_t *bytes, size_t len, size_t cut)
{
	struct rte_mbuf *head = NULL;
	size_t most = cut && cut < RX_ROOM ? cut : RX_ROOM;

	do {
		struct rte_mbuf *m = rte_pktmbuf_alloc(rig.rx);
		size_t n = len < most ? len : most;

		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), bytes, n);
		bytes += n;
		len -= n;
		if (!head)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
	} while (len > 0);
	return head;
}

void rig_in_cut(uint16_t port, const uint8_t *bytes, size_t len, size_t cut)
{
	struct rte_mbuf *pkt = rig_mbuf(bytes, len, cut);

	stack_input(rig.stack, port, &pkt, 1);
}

void rig_in(uint16_t port, const uint8_t *bytes, size_t len)
{
	rig_in_cut(port, bytes, len, 0);
}

struct rte_mbuf *rig_take(void)
{
	struct rte_mbuf *pkt = rig.out[0];

	assert_true(rig.out_count > 0);
	rig.out_count--;
	memmove(rig.out, rig.out + 1, rig.out_count * sizeof(rig.out[0]));
	memmove(rig.out_port, rig.out_port + 1, rig.out_count * sizeof(rig.out_port[0]));
	return pkt;
}

size_t rig_out(uint8_t *bytes)
{
	struct rte_mbuf *pkt = rig_take();
	size_t len = pkt->pkt_len;

	assert_true(len <= RIG_FRAME_MAX && pkt_read(pkt, 0, (uint32_t)len, bytes));
	rte_pktmbuf_free(pkt);
	return len;
}

void rig_out_drop(void)
{
	rte_pktmbuf_free(rig_take());
}

void rig_wait(uint64_t us)
{
	for (uint64_t end_us = rig.now_us + us; rig.now_us < end_us;) {
		rig.now_us += 1000;
		stack_advance(rig.stack, rig.now_us);
	}
}

void plain_put(uint8_t *at, uint16_t host_order)
{
	at[0] = (uint8_t)(host_order >> 8);
	at[1] = (uint8_t)host_order;
}

uint16_t plain_get(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

uint16_t plain_sum(const uint8_t *p, size_t len, uint32_t start)
{
	uint32_t sum = start;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static size_t frame_ethernet(uint8_t *out, const uint8_t *dst, const uint8_t *src, uint16_t type)
{
	memcpy(out, dst, 6);
	memcpy(out + 6, src, 6);
	plain_put(out + 12, type);
	return ETH;
}

size_t frame_arp(uint8_t *out, const uint8_t *dst, unsigned op, const uint8_t *sender_mac,
		 const char *sender, const char *target)
{
	uint8_t *arp = out + frame_ethernet(out, dst, sender_mac, 0x0806);

	memset(arp, 0, 28);
	memcpy(arp, (const uint8_t[]){0, 1, 8, 0, 6, 4, 0, (uint8_t)op}, 8);
	memcpy(arp + 8, sender_mac, 6);
	memcpy(arp + 14, address(sender).bytes, 4);
	memcpy(arp + 24, address(target).bytes, 4);
	return ETH + 28;
}

void frame_ip4_fix(uint8_t *frame)
{
	uint8_t *ip = frame + ETH;

	plain_put(ip + 10, 0);
	plain_put(ip + 10, (uint16_t)~plain_sum(ip, (ip[0] & 15) * 4u, 0));
}

size_t frame_ip4(uint8_t *out, unsigned station, unsigned port, uint8_t protocol, const char *src,
		 const char *dst, const void *payload, size_t len)
{
	uint8_t mac[6], own[6], *ip = out + ETH;

	station_mac(mac, station);
	rig_mac(own, port);
	frame_ethernet(out, own, mac, 0x0800);
	memset(ip, 0, 20);
	ip[0] = 0x45;
	plain_put(ip + 2, (uint16_t)(20 + len));
	ip[8] = 64;
	ip[9] = protocol;
	memcpy(ip + 12, address(src).bytes, 4);
	memcpy(ip + 16, address(dst).bytes, 4);
	memcpy(ip + 20, payload, len);
	frame_ip4_fix(out);
	return ETH + 20 + len;
}

/* The station's MAC is 02:00:00:00:01:n; a group's frame goes to the group's MAC. */
size_t frame_ip6(uint8_t *out, unsigned station, unsigned port, uint8_t protocol, const char *src,
		 const char *dst, const void *payload, size_t len)
{
	uint8_t mac[6], to[6], *ip = out + ETH;
	struct addr d = address(dst);

	station_mac(mac, station);
	rig_mac(to, port);
	if (d.bytes[0] == 0xff)
		memcpy(to,
		       (const uint8_t[]){0x33, 0x33, d.bytes[12], d.bytes[13], d.bytes[14],
					 d.bytes[15]},
		       6);
	frame_ethernet(out, to, mac, 0x86dd);
	memset(ip, 0, 40);
	ip[0] = 0x60;
	plain_put(ip + 4, (uint16_t)len);
	ip[6] = protocol;
	ip[7] = protocol == 58 ? 255 : 64;
	memcpy(ip + 8, address(src).bytes, 16);
	memcpy(ip + 24, d.bytes, 16);
	memcpy(ip + 40, payload, len);
	return ETH + 40 + len;
}

void frame_ip6_l4_fix(uint8_t *frame, size_t l4, uint8_t protocol, size_t csum_offset)
{
	uint8_t *ip = frame + ETH;
	uint16_t len = (uint16_t)(plain_get(ip + 4) + 40 - l4);
	uint32_t pseudo = (uint32_t)plain_sum(ip + 8, 32, 0) + protocol + len;

	plain_put(ip + l4 + csum_offset, 0);
	plain_put(ip + l4 + csum_offset, (uint16_t)~plain_sum(ip + l4, len, pseudo));
}

size_t frame_icmp6(uint8_t *out, unsigned station, unsigned port, const char *src, const char *dst,
		   const void *message, size_t len)
{
	size_t size = frame_ip6(out, station, port, 58, src, dst, message, len);

	frame_ip6_l4_fix(out, 40, 58, 2);
	return size;
}

size_t frame_ndp(uint8_t *out, unsigned station, unsigned port, uint8_t type, uint8_t flags,
		 const char *src, const char *dst, const char *target, bool mac_option)
{
	uint8_t message[32] = {type, [4] = flags, [24] = type == 135 ? 1 : 2, 1};

	memcpy(message + 8, address(target).bytes, 16);
	station_mac(message + 26, station);
	return frame_icmp6(out, station, port, src, dst, message, mac_option ? 32 : 24);
}

void rig_meet6(const char *addr, unsigned station)
{
	uint8_t frame[128];

	rig_in(0, frame, frame_ndp(frame, station, 0, 135, 0, addr, "fd10::1", "fd10::1", true));
	rig_out_drop();
}

void frame_l4_fix(uint8_t *frame, size_t csum_offset)
{
	uint8_t *ip = frame + ETH, *l4 = ip + 20;
	uint16_t len = (uint16_t)(plain_get(ip + 2) - 20);
	uint32_t pseudo = ip[9] == 1 ? 0 : (uint32_t)plain_sum(ip + 12, 8, 0) + ip[9] + len;

	plain_put(l4 + csum_offset, 0);
	plain_put(l4 + csum_offset, (uint16_t)~plain_sum(l4, len, pseudo));
}

void rig_meet(const char *addr, unsigned station)
{
	uint8_t frame[64], mac[6];

	station_mac(mac, station);
	rig_in(0, frame, frame_arp(frame, mac_broadcast, 1, mac, addr, "10.0.0.1"));
	rig_out_drop();
}

struct rte_mbuf *rig_tcp(size_t header_bytes, const uint8_t *payload, size_t len, size_t cut)
{
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(rig.header);
	uint8_t *tcp = (uint8_t *)rte_pktmbuf_append(pkt, (uint16_t)header_bytes);

	for (size_t i = 0; i < header_bytes; i++)
		tcp[i] = (uint8_t)(i + 1);
	tcp[12] = (uint8_t)(header_bytes / 4 << 4);
	tcp[13] = 0x10;
	plain_put(tcp + 16, 0);
	if (len > 0)
		assert_int_equal(rte_pktmbuf_chain(pkt, rig_mbuf(payload, len, cut)), 0);
	return pkt;
}

void rig_send(const char *dst)
{
	struct addr to = address(dst), any = {0};
	struct ip_path path;

	assert_int_equal(ip_path_find(rig.stack, &to, &any, &path), 0);
	ip_output(rig.stack, &path, 6, rig_tcp(20, NULL, 0, 0), 0);
	ip_path_release(rig.stack, &path);
}

struct neighbour_count {
	bool resolved_only;
	unsigned count;
};

static void neighbour_see(void *ctx, const struct stack_neighbour_info *info)
{
	struct neighbour_count *count = ctx;

	count->count += info->resolved || !count->resolved_only;
}

unsigned rig_neighbours(bool resolved_only)
{
	struct neighbour_count count = {.resolved_only = resolved_only};

	stack_neighbours_each(rig.stack, neighbour_see, &count);
	return count.count;
}
