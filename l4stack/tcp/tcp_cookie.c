/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_cookie.h"

#include <rte_common.h>

#include "l4stack/base/siphash.h"
#include "l4stack/tcp/tcp_half.h"
#include "l4stack/tcp/tcp_ident.h"
#include "l4stack/tcp/tcp_listener.h"
#include "l4stack/tcp/tcp_reply.h"
#include "l4stack/tcp/tcp_segment.h"
#include "l4stack/tcp/tcp_seq.h"

#define SLOT_US    64000000u
#define SLOT_BITS  5
#define SLOTS_GOOD 2 /* the current one and the one before */
#define MAC_BITS   24
#define MAC_MASK   ((1u << MAC_BITS) - 1)
#define MSS_BITS   3

/* What the time stamp carries. */
#define TS_BITS        6
#define TS_MASK        ((1u << TS_BITS) - 1)
#define TS_WSCALE_MASK 0x0fu
#define TS_NO_WSCALE   0x0fu
#define TS_SACK        0x10u
#define TS_ECN         0x20u

/* The common ones: no option, tunnels, IPv6's least, PPPoE, Ethernet, jumbo frames. */
static const uint16_t mss_table[1 << MSS_BITS] = {
	TCP_MSS_DEFAULT, 1024, 1220, 1360, 1400, 1440, 1460, 8900};

static unsigned mss_index(const struct tcp_options *options)
{
	uint16_t mss = options->present & TCP_OPT_MSS ? options->mss : TCP_MSS_DEFAULT;
	unsigned i = RTE_DIM(mss_table) - 1;

	while (i > 0 && mss_table[i] > mss)
		i--;
	return i;
}

static uint32_t ts_facts(const struct tcp_seg *syn)
{
	const uint16_t ecn = TCP_ECE | TCP_CWR;
	uint32_t present = syn->options.present, facts;

	if (!(present & TCP_OPT_TS))
		return TS_NO_WSCALE;
	facts = present & TCP_OPT_WSCALE ? syn->options.wscale : TS_NO_WSCALE;
	facts |= present & TCP_OPT_SACK_OK ? TS_SACK : 0;
	return facts | ((syn->flags & ecn) == ecn ? TS_ECN : 0);
}

/* Everything set, padding too. */
struct signed_text {
	struct addr local, remote;
	uint16_t local_port, remote_port;
	uint32_t irs;
	uint64_t slot;
	uint32_t mss_index, facts;
};

static uint32_t mac(const struct tcp_proto *tcp, const struct tcp_seg *seg, uint32_t irs,
		    uint64_t slot, uint32_t index, uint32_t facts)
{
	const struct signed_text text = {
		.local = seg->local.addr,
		.remote = seg->remote.addr,
		.local_port = seg->local.port,
		.remote_port = seg->remote.port,
		.irs = irs,
		.slot = slot,
		.mss_index = index,
		.facts = facts,
	};

	return (uint32_t)siphash24(tcp->cookie_key, &text, sizeof(text)) & MAC_MASK;
}

static uint64_t slot_now(const struct tcp_proto *tcp)
{
	return tcp->stack->now_us / SLOT_US;
}

static uint32_t make(const struct tcp_proto *tcp, const struct tcp_seg *syn, uint32_t facts)
{
	uint64_t slot = slot_now(tcp);
	unsigned index = mss_index(&syn->options);

	return (uint32_t)slot << (MAC_BITS + MSS_BITS) | index << MAC_BITS |
	       mac(tcp, syn, syn->seq, slot, index, facts);
}

/* Our time stamp with `facts` in its lowest bits, no later than now. */
static uint32_t ts_with(uint32_t now, uint32_t facts)
{
	uint32_t ts = (now & ~TS_MASK) | facts;

	return seq_gt(ts, now) ? ts - (1u << TS_BITS) : ts;
}

void tcp_cookie_answer(struct tcp_listener *listener, const struct tcp_seg *syn, uint32_t ts_offset)
{
	struct tcp_proto *tcp = listener->tcp;
	uint32_t facts = ts_facts(syn);
	struct tcp_ident ident = {.iss = make(tcp, syn, facts), .ts_offset = ts_offset};
	struct tcp_half half = {0};
	struct tcp_reply reply;

	tcp_half_fill(&half, listener, syn, &ident);
	if (!(half.options & TCP_OPT_TS)) {
		half.options = 0; /* they would be forgotten */
		half.flags = TCP_SYN;
	}
	reply = tcp_half_syn_ack(tcp, &half);
	reply.tsval = ts_with(reply.tsval, facts);
	tcp_reply_push(tcp, &reply);
	listener->cookies_until_us = tcp->stack->now_us + SLOTS_GOOD * (uint64_t)SLOT_US;
	stack_count(tcp->stack, tcp_cookies_sent);
}

/* ---- the ACK that brings it back ---- */

static bool is_genuine(const struct tcp_proto *tcp, const struct tcp_seg *ack, uint32_t facts)
{
	uint32_t cookie = ack->ack - 1, index = cookie >> MAC_BITS & ((1u << MSS_BITS) - 1);
	uint64_t slot = slot_now(tcp);
	uint32_t age =
		((uint32_t)slot - (cookie >> (MAC_BITS + MSS_BITS))) & ((1u << SLOT_BITS) - 1);

	return age < SLOTS_GOOD && age <= slot &&
	       (cookie & MAC_MASK) == mac(tcp, ack, ack->seq - 1, slot - age, index, facts);
}

static uint8_t options_of(uint32_t facts)
{
	uint32_t options = TCP_OPT_TS;

	options |= (facts & TS_WSCALE_MASK) != TS_NO_WSCALE ? TCP_OPT_WSCALE : 0;
	options |= facts & TS_SACK ? TCP_OPT_SACK_OK : 0;
	return (uint8_t)options;
}

/* The record that was not kept. */
static struct tcp_half restore(struct tcp_listener *listener, const struct tcp_seg *ack,
			       uint32_t facts)
{
	uint32_t cookie = ack->ack - 1;
	struct tcp_half half = {
		.listener = listener,
		.hash = ack->hash,
		.local = ack->local.addr,
		.remote = ack->remote.addr,
		.local_port = ack->local.port,
		.remote_port = ack->remote.port,
		.ts_offset = tcp_ident_of(listener->tcp, &ack->local, &ack->remote).ts_offset,
		.rcv_wscale = tcp_listener_wscale(listener),
		.iss = cookie,
		.irs = ack->seq - 1,
		.window = ack->window,
		.mss = mss_table[cookie >> MAC_BITS & ((1u << MSS_BITS) - 1)],
		.flags = TCP_SYN,
	};

	if (ack->options.present & TCP_OPT_TS) {
		half.options = options_of(facts);
		half.ts_recent = ack->options.tsval;
		half.snd_wscale = half.options & TCP_OPT_WSCALE ? facts & TS_WSCALE_MASK : 0;
		half.flags |= facts & TS_ECN ? TCP_ECE | TCP_CWR : 0;
	}
	return half;
}

bool tcp_cookie_accept(struct tcp_listener *listener, const struct tcp_seg *ack,
		       struct tcp_conn **conn)
{
	struct tcp_proto *tcp = listener->tcp;
	uint32_t facts = TS_NO_WSCALE;
	struct tcp_half half;

	if (listener->cookies_until_us <= tcp->stack->now_us)
		return false;
	if (ack->options.present & TCP_OPT_TS)
		facts = ack->options.tsecr & TS_MASK;
	if (!is_genuine(tcp, ack, facts)) {
		stack_count(tcp->stack, tcp_cookies_bad);
		return false;
	}
	half = restore(listener, ack, facts);
	*conn = tcp_half_promote(tcp, &half, 0);
	if (*conn)
		stack_count(tcp->stack, tcp_cookies_accepted);
	return true;
}
