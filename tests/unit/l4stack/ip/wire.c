/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/l4stack/ip/wire.h"

#include <stdbool.h>
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
	const uint8_t *headers; /* Ethernet and IP */
	uint16_t id;            /* of IPv4 */
};

static bool is_ip6(const uint8_t *frame)
{
	return plain_get(frame + 12) == 0x86dd;
}

static size_t headers_len(const uint8_t *frame)
{
	return ETH + (is_ip6(frame) ? 40 : 20);
}

static void checksums_complete(uint8_t *frame, size_t len, uint64_t flags)
{
	uint8_t *ip = frame + ETH, *l4 = frame + headers_len(frame);
	uint64_t l4_flags = flags & RTE_MBUF_F_TX_L4_MASK;
	size_t at = l4_flags == RTE_MBUF_F_TX_UDP_CKSUM ? 6 : 16;

	if (flags & RTE_MBUF_F_TX_IP_CKSUM) {
		assert_int_equal(plain_get(ip + 10), 0);
		frame_ip4_fix(frame);
	}
	/* The field holds the pseudo header's sum: it is summed with the rest. */
	if (l4_flags)
		plain_put(l4 + at, (uint16_t)~plain_sum(l4, len - headers_len(frame), 0));
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
	size_t headers = headers_len(out->headers);
	uint8_t frame[2048], *ip = frame + ETH, *field = frame + headers + 16;
	bool ip6 = is_ip6(out->headers);

	memcpy(frame, out->headers, headers);
	memcpy(frame + headers, segment, len);
	if (ip6) {
		plain_put(ip + 4, (uint16_t)len);
	} else {
		plain_put(ip + 2, (uint16_t)(20 + len));
		plain_put(ip + 4, out->id++);
	}
	/* The stack left the length out of the pseudo header's sum. */
	plain_put(field, plain_sum((const uint8_t[]){0, 0}, 2, plain_get(field) + (uint32_t)len));
	frame_put(out->wire, frame, headers + len,
		  (ip6 ? 0 : RTE_MBUF_F_TX_IP_CKSUM) | RTE_MBUF_F_TX_TCP_CKSUM);
}

void wire_send(struct wire *wire, struct rte_mbuf *pkt)
{
	static uint8_t bytes[RIG_FRAME_MAX];
	struct frame_out out = {.wire = wire, .pkt = pkt, .headers = bytes};

	size_t headers;
	bool ip6;

	assert_true(pkt_read(pkt, 0, pkt->pkt_len, bytes));
	headers = headers_len(bytes);
	ip6 = is_ip6(bytes);
	if (pkt->ol_flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK)) {
		assert_true(pkt->ol_flags & (ip6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4));
		assert_int_equal(pkt->l2_len, ETH);
		assert_int_equal(pkt->l3_len, headers - ETH);
	}
	if (pkt->ol_flags & RTE_MBUF_F_TX_TCP_SEG) {
		assert_int_equal(!(pkt->ol_flags & RTE_MBUF_F_TX_IP_CKSUM), ip6);
		assert_int_equal(pkt->l4_len, bytes[headers + 12] / 16 * 4);
		out.id = plain_get(bytes + ETH + 4);
		plain_cut(bytes + headers, pkt->pkt_len - headers, pkt->tso_segsz, segment_put,
			  &out);
	} else {
		frame_put(wire, bytes, pkt->pkt_len, pkt->ol_flags);
	}
	rte_pktmbuf_free(pkt);
}
