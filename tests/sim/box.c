/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/box.h"
#include "tests/support/net.h"

#include <string.h>

#define ETH       14
#define IP4       20
#define IP6       40
#define FRAGMENT  8
#define ICMP      8
#define QUOTE     100
#define FRAME_MAX 2048
#define TYPE_IP4  0x0800
#define TYPE_IP6  0x86dd

#define PROTOCOL_ICMP4    1
#define PROTOCOL_FRAGMENT 44
#define PROTOCOL_ICMP6    58

static void ip4_fix(uint8_t *ip)
{
	net_put(ip + 10, 2, 0);
	net_put(ip + 10, 2, (uint16_t)~net_sum(ip, IP4, 0));
}

/* ---- cutting ---- */

/* The fragment of `len` bytes of payload from `at`; its length. */
static uint32_t fragment_make(const struct box *box, const uint8_t *frame, bool ip6, uint32_t at,
			      uint32_t len, bool more, uint8_t *out)
{
	uint32_t network = ip6 ? IP6 : IP4, header = ETH + network + (ip6 ? FRAGMENT : 0);
	uint8_t *ip = out + ETH, *fragment = ip + IP6;

	memcpy(out, frame, ETH + network);
	memcpy(out + header, frame + ETH + network + at, len);
	if (ip6) {
		memset(fragment, 0, FRAGMENT);
		fragment[0] = ip[6];
		ip[6] = PROTOCOL_FRAGMENT;
		net_put(ip + 4, 2, FRAGMENT + len);
		net_put(fragment + 2, 2, at | more);
		net_put(fragment + 4, 4, box->id);
	} else {
		net_put(ip + 2, 2, IP4 + len);
		net_put(ip + 4, 2, box->id);
		net_put(ip + 6, 2, at / 8 | (more ? 0x2000u : 0));
		ip4_fix(ip);
	}
	return header + len;
}

static void cut(struct box *box, const uint8_t *frame, bool ip6, box_emit_fn *on, void *ctx)
{
	const uint8_t *ip = frame + ETH;
	uint32_t payload = ip6 ? net_get(ip + 4, 2) : net_get(ip + 2, 2) - IP4;
	uint32_t most = (box->mtu - (ip6 ? IP6 + FRAGMENT : IP4)) / 8 * 8;
	uint8_t out[FRAME_MAX];

	box->id++;
	box->cut++;
	for (uint32_t at = 0, len; at < payload; at += len) {
		len = payload - at < most ? payload - at : most;
		on(ctx, out, fragment_make(box, frame, ip6, at, len, at + len < payload, out));
	}
}

/* ---- telling ---- */

static uint32_t told4(const struct box *box, const uint8_t *ip, uint8_t *out)
{
	uint8_t *icmp = out + IP4;

	net_put(out, 2, 0x4500);
	net_put(out + 2, 2, IP4 + ICMP + QUOTE);
	out[8] = 64;
	out[9] = PROTOCOL_ICMP4;
	memcpy(out + 12, (const uint8_t[]){10, 0, 0, 254}, 4);
	memcpy(out + 16, ip + 12, 4);
	ip4_fix(out);
	icmp[0] = 3;
	icmp[1] = 4;
	net_put(icmp + 6, 2, box->mtu);
	memcpy(icmp + ICMP, ip, QUOTE);
	net_put(icmp + 2, 2, (uint16_t)~net_sum(icmp, ICMP + QUOTE, 0));
	return IP4 + ICMP + QUOTE;
}

static uint32_t told6(const struct box *box, const uint8_t *ip, uint8_t *out)
{
	uint8_t *icmp = out + IP6;
	uint32_t pseudo;

	out[0] = 0x60;
	net_put(out + 4, 2, ICMP + QUOTE);
	out[6] = PROTOCOL_ICMP6;
	out[7] = 64;
	memcpy(out + 8, ip + 24, 16);
	out[23] = 0xfe;
	memcpy(out + 24, ip + 8, 16);
	icmp[0] = 2;
	net_put(icmp + 4, 4, box->mtu);
	memcpy(icmp + ICMP, ip, QUOTE);
	pseudo = net_sum(out + 8, 32, PROTOCOL_ICMP6 + ICMP + QUOTE);
	net_put(icmp + 2, 2, (uint16_t)~net_sum(icmp, ICMP + QUOTE, pseudo));
	return IP6 + ICMP + QUOTE;
}

static void tell(struct box *box, const uint8_t *frame, bool ip6, box_emit_fn *back, void *ctx)
{
	uint8_t out[FRAME_MAX] = {0};
	uint32_t len;

	memcpy(out, frame + 6, 6);
	memcpy(out + 6, frame, 6);
	memcpy(out + 12, frame + 12, 2);
	len = ip6 ? told6(box, frame + ETH, out + ETH) : told4(box, frame + ETH, out + ETH);
	box->told++;
	back(ctx, out, ETH + len);
}

bool box_take(struct box *box, const uint8_t *frame, uint32_t len, uint64_t now_us, box_emit_fn *on,
	      box_emit_fn *back, void *ctx)
{
	uint32_t type = net_get(frame + 12, 2);

	if (!box->mtu || now_us < box->from_us || len <= ETH + box->mtu ||
	    (type != TYPE_IP4 && type != TYPE_IP6))
		return false;
	if (box->silent) {
		box->dropped++;
		return true;
	}
	if (box->cuts)
		cut(box, frame, type == TYPE_IP6, on, ctx);
	else
		tell(box, frame, type == TYPE_IP6, back, ctx);
	return true;
}
