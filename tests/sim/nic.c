/* SPDX-License-Identifier: BSD-3-Clause */
#define ALLOW_EXPERIMENTAL_API /* rte_pktmbuf_pool_create_extbuf */
#include "tests/sim/nic.h"

#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "tests/support/net.h"

#define ETH       14
#define IP4       20
#define IP6       40
#define TYPE_IP4  0x0800
#define TYPE_IP6  0x86dd
#define FRAME_MAX 66000
#define FIN_PSH   0x09

static bool is_ip6(const uint8_t *ip)
{
	return ip[0] >> 4 == 6;
}

static uint32_t header_bytes(const uint8_t *ip)
{
	return is_ip6(ip) ? IP6 : IP4;
}

/* Of what is behind the network header. */
static uint32_t payload_bytes(const uint8_t *ip)
{
	return is_ip6(ip) ? net_get(ip + 4, 2) : (uint32_t)net_get(ip + 2, 2) - IP4;
}

static void set_payload_bytes(uint8_t *ip, uint32_t n)
{
	if (is_ip6(ip))
		net_put(ip + 4, 2, n);
	else
		net_put(ip + 2, 2, n + IP4);
}

static uint16_t tcp_sum(const uint8_t *ip)
{
	uint32_t len = payload_bytes(ip);
	uint16_t addresses = is_ip6(ip) ? net_sum(ip + 8, 32, 0) : net_sum(ip + 12, 8, 0);

	return net_sum(ip + header_bytes(ip), len, (uint64_t)addresses + 6 + len);
}

static void fix_ip(uint8_t *ip)
{
	if (is_ip6(ip))
		return;
	net_put(ip + 10, 2, 0);
	net_put(ip + 10, 2, (uint16_t)~net_sum(ip, IP4, 0));
}

static void fix_tcp(uint8_t *ip)
{
	uint8_t *field = ip + header_bytes(ip) + 16;

	net_put(field, 2, 0);
	net_put(field, 2, (uint16_t)~tcp_sum(ip));
}

static void cut(const uint8_t *frame, uint32_t len, const struct rte_mbuf *pkt, nic_emit_fn *emit,
		void *ctx)
{
	uint32_t headers = ETH + (uint32_t)pkt->l3_len + (uint32_t)pkt->l4_len;
	uint32_t payload = len - headers;
	uint8_t piece[FRAME_MAX];

	for (uint32_t at = 0; at < payload; at += pkt->tso_segsz) {
		uint32_t n = RTE_MIN(payload - at, (uint32_t)pkt->tso_segsz);
		uint8_t *ip = piece + ETH, *tcp = ip + pkt->l3_len;

		memcpy(piece, frame, headers);
		memcpy(piece + headers, frame + headers + at, n);
		set_payload_bytes(ip, (uint32_t)pkt->l4_len + n);
		net_put(tcp + 4, 2, (net_get(tcp + 4, 4) + at) >> 16);
		net_put(tcp + 6, 2, net_get(tcp + 6, 2) + at);
		if (at + n < payload)
			tcp[13] &= (uint8_t)~FIN_PSH;
		fix_ip(ip);
		fix_tcp(ip);
		emit(ctx, piece, headers + n);
	}
}

void nic_transmit(struct rte_mbuf *pkt, nic_emit_fn *emit, void *ctx)
{
	static uint8_t frame[FRAME_MAX];
	uint32_t len = pkt->pkt_len;
	const char *reason;

	if (rte_mbuf_check(pkt, 1, &reason) || len > sizeof(frame) || !pkt_read(pkt, 0, len, frame))
		abort();
	if (pkt->ol_flags & RTE_MBUF_F_TX_IP_CKSUM)
		fix_ip(frame + ETH);
	if (pkt->ol_flags & RTE_MBUF_F_TX_TCP_SEG) {
		cut(frame, len, pkt, emit, ctx);
	} else {
		if ((pkt->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_TCP_CKSUM)
			fix_tcp(frame + ETH);
		emit(ctx, frame, len);
	}
	rte_pktmbuf_free(pkt);
}

/* ---- receiving ---- */

/* TCP without options of IP, and as long as it says. */
static bool is_tcp(const uint8_t *frame, uint32_t len)
{
	const uint8_t *ip = frame + ETH;
	uint16_t type = net_get(frame + 12, 2);

	if (type == TYPE_IP6)
		return ip[0] >> 4 == 6 && ip[6] == 6 && len >= ETH + IP6 + payload_bytes(ip);
	return type == TYPE_IP4 && ip[0] == 0x45 && ip[9] == 6 && !(net_get(ip + 6, 2) & 0x3fff) &&
	       net_get(ip + 2, 2) >= IP4 && len >= ETH + IP4 + payload_bytes(ip);
}

static uint64_t rx_flags(const uint8_t *frame, uint32_t len)
{
	const uint8_t *ip = frame + ETH;
	uint64_t flags = 0;

	if (!is_tcp(frame, len))
		return 0;
	if (!is_ip6(ip))
		flags |= net_sum(ip, IP4, 0) == 0xffff ? RTE_MBUF_F_RX_IP_CKSUM_GOOD
						       : RTE_MBUF_F_RX_IP_CKSUM_BAD;
	if (flags & RTE_MBUF_F_RX_IP_CKSUM_BAD)
		return flags;
	return flags |
	       (tcp_sum(ip) == 0xffff ? RTE_MBUF_F_RX_L4_CKSUM_GOOD : RTE_MBUF_F_RX_L4_CKSUM_BAD);
}

static uint32_t piece_len(struct nic_rx *rx, uint32_t left, bool first)
{
	if (!rx->scatters || left < 2 || !rng_percent(&rx->rng, 40))
		return left;
	/* Devices split behind the headers at the earliest. */
	return first ? RTE_MIN(left, (uint32_t)rng_range(&rx->rng, 128, 400))
		     : (uint32_t)rng_range(&rx->rng, 1, left);
}

struct rte_mbuf *nic_receive(struct nic_rx *rx, const uint8_t *frame, uint32_t len)
{
	struct rte_mbuf *head = NULL;
	uint32_t left = len;

	while (left) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(rx->pool);
		uint32_t n = piece_len(rx, left, !head);

		if (!m) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), frame + len - left, n);
		left -= n;
		if (!head)
			head = m;
		else if (rte_pktmbuf_chain(head, m))
			abort();
	}
	if (rx->checks_csum)
		head->ol_flags |= rx_flags(frame, len);
	return head;
}

struct view {
	uint8_t *ip, *tcp;
	uint32_t headers, payload;
};

static bool view_of(struct rte_mbuf *pkt, struct view *v)
{
	uint8_t *frame = rte_pktmbuf_mtod(pkt, uint8_t *);

	if (pkt->data_len < ETH + IP6 + 20 || !is_tcp(frame, pkt->pkt_len))
		return false;
	v->ip = frame + ETH;
	v->tcp = v->ip + header_bytes(v->ip);
	v->headers = ETH + header_bytes(v->ip) + (uint32_t)(v->tcp[12] >> 4) * 4;
	if (pkt->data_len < v->headers)
		return false;
	v->payload = payload_bytes(v->ip) + ETH + header_bytes(v->ip) - v->headers;
	return pkt->pkt_len == v->headers + v->payload && v->payload;
}

static bool same_flow(const struct view *a, const struct view *b)
{
	uint32_t at = is_ip6(a->ip) ? 8 : 12, bytes = is_ip6(a->ip) ? 32 : 8;

	return a->ip[0] == b->ip[0] && !memcmp(a->ip + at, b->ip + at, bytes) &&
	       !memcmp(a->tcp, b->tcp, 4);
}

bool nic_merge(struct nic_rx *rx, struct rte_mbuf *pkt, struct rte_mbuf *next)
{
	struct view a, b;

	if (!rx->merges || !rx->checks_csum || !view_of(pkt, &a) || !view_of(next, &b))
		return false;
	if ((pkt->ol_flags & next->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) !=
	    RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		return false;
	if (a.headers != b.headers || !same_flow(&a, &b) ||
	    net_get(a.tcp + 4, 4) + a.payload != net_get(b.tcp + 4, 4) ||
	    memcmp(a.tcp + 8, b.tcp + 8, 4 + 4) || a.tcp[13] & 0x07 || b.tcp[13] & 0x07 ||
	    a.ip[1] != b.ip[1] || (a.tcp[13] ^ b.tcp[13]) & 0xc0)
		return false;
	/* Window and time stamps have to be the same; the checksum of the whole is not computed. */
	if (memcmp(a.tcp + 20, b.tcp + 20, a.headers - ETH - header_bytes(a.ip) - 20) ||
	    a.headers + a.payload + b.payload > 60000)
		return false;
	set_payload_bytes(a.ip, payload_bytes(a.ip) + b.payload);
	fix_ip(a.ip);
	a.tcp[13] |= b.tcp[13];
	if (!rte_pktmbuf_adj(next, (uint16_t)b.headers) || rte_pktmbuf_chain(pkt, next))
		abort();
	return true;
}

struct rte_mempool *nic_pool(const char *name, unsigned count, uint16_t room)
{
	uint16_t element = (uint16_t)(room + RTE_PKTMBUF_HEADROOM);
	struct rte_pktmbuf_extmem memory = {
		.buf_len = (size_t)element * count,
		.elt_size = element,
	};

	memory.buf_ptr = rte_malloc(name, memory.buf_len, RTE_CACHE_LINE_SIZE);
	if (!memory.buf_ptr)
		return NULL;
	memory.buf_iova = (rte_iova_t)(uintptr_t)memory.buf_ptr;
	return rte_pktmbuf_pool_create_extbuf(name, count, 0, 0, element, 0, &memory, 1);
}
