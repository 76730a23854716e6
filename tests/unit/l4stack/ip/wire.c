/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/l4stack/ip/wire.h"

#include <string.h>

#include "l4stack/base/pkt.h"
#include "tests/unit/l4stack/ip/rig.h"

#define FIN 0x01
#define PSH 0x08
#define CWR 0x80

static void put32(uint8_t *at, uint32_t value)
{
	plain_put(at, (uint16_t)(value >> 16));
	plain_put(at + 2, (uint16_t)value);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)plain_get(at) << 16 | plain_get(at + 2);
}

void plain_cut(const uint8_t *tcp, size_t len, size_t cut,
	       void (*emit)(void *ctx, const uint8_t *segment, size_t len), void *ctx)
{
	size_t header = (size_t)(tcp[12] >> 4) * 4, payload = len - header;

	for (size_t at = 0; at < payload; at += cut) {
		size_t n = payload - at < cut ? payload - at : cut;
		uint8_t segment[2048];

		memcpy(segment, tcp, header);
		memcpy(segment + header, tcp + header + at, n);
		put32(segment + 4, get32(tcp + 4) + (uint32_t)at);
		if (at > 0)
			segment[13] &= (uint8_t)~CWR;
		if (at + n < payload)
			segment[13] &= (uint8_t) ~(FIN | PSH);
		emit(ctx, segment, header + n);
	}
}

/* Where a frame goes on the wire, and what its headers say. */
struct frame_out {
	struct wire *wire;
	const struct rte_mbuf *pkt;
	const uint8_t *headers; /* Ethernet and IPv4 */
	uint16_t id;
};

static void checksums_complete(uint8_t *frame, size_t len, uint64_t flags)
{
	uint8_t *ip = frame + ETH, *l4 = ip + 20;
	uint64_t l4_flags = flags & RTE_MBUF_F_TX_L4_MASK;
	size_t at = l4_flags == RTE_MBUF_F_TX_UDP_CKSUM ? 6 : 16;

	if (flags & RTE_MBUF_F_TX_IP_CKSUM) {
		assert_int_equal(plain_get(ip + 10), 0);
		frame_ip4_fix(frame);
	}
	/* The field holds the pseudo header's sum: it is summed with the rest. */
	if (l4_flags)
		plain_put(l4 + at, (uint16_t)~plain_sum(l4, len - ETH - 20, 0));
}

static void frame_put(struct wire *wire, const uint8_t *bytes, size_t len, uint64_t flags)
{
	assert_true(wire->count < WIRE_FRAMES && len <= ETH + 1500);
	memcpy(wire->frames[wire->count].bytes, bytes, len);
	wire->frames[wire->count].len = len;
	checksums_complete(wire->frames[wire->count++].bytes, len, flags);
}

/* One segment of a packet that the device cuts. */
static void segment_put(void *ctx, const uint8_t *segment, size_t len)
{
	struct frame_out *out = ctx;
	uint8_t frame[2048], *ip = frame + ETH, *field = ip + 20 + 16;

	memcpy(frame, out->headers, ETH + 20);
	memcpy(ip + 20, segment, len);
	plain_put(ip + 2, (uint16_t)(20 + len));
	plain_put(ip + 4, out->id++);
	/* The stack left the length out of the pseudo header's sum. */
	plain_put(field, plain_sum((const uint8_t[]){0, 0}, 2, plain_get(field) + (uint32_t)len));
	frame_put(out->wire, frame, ETH + 20 + len,
		  RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM);
}

void wire_send(struct wire *wire, struct rte_mbuf *pkt)
{
	static uint8_t bytes[RIG_FRAME_MAX];
	struct frame_out out = {.wire = wire, .pkt = pkt, .headers = bytes};

	assert_true(pkt_read(pkt, 0, pkt->pkt_len, bytes));
	if (pkt->ol_flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK)) {
		assert_true(pkt->ol_flags & RTE_MBUF_F_TX_IPV4);
		assert_int_equal(pkt->l2_len, ETH);
		assert_int_equal(pkt->l3_len, 20);
	}
	if (pkt->ol_flags & RTE_MBUF_F_TX_TCP_SEG) {
		assert_true(pkt->ol_flags & RTE_MBUF_F_TX_IP_CKSUM);
		assert_int_equal(pkt->l4_len, bytes[ETH + 32] / 16 * 4);
		out.id = plain_get(bytes + ETH + 4);
		plain_cut(bytes + ETH + 20, pkt->pkt_len - ETH - 20, pkt->tso_segsz, segment_put,
			  &out);
	} else {
		frame_put(wire, bytes, pkt->pkt_len, pkt->ol_flags);
	}
	rte_pktmbuf_free(pkt);
}
