/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/pattern.h"
#include "tests/support/net.h"

#define ETH 14
#define IP4 20
#define IP6 40

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

struct segment {
	uint16_t src, dst;
	uint32_t seq, ack, window;
	uint8_t flags;
	const uint8_t *options, *payload;
	uint32_t options_len, len;
	uint8_t ecn;
};

__attribute__((format(printf, 2, 3))) static void fail(struct check *check, const char *format, ...)
{
	va_list args;

	if (check->error[0])
		return;
	va_start(args, format);
	vsnprintf(check->error, sizeof(check->error), format, args);
	va_end(args);
}

static uint64_t pseudo_sum(const uint8_t *ip, bool ip6)
{
	return ip6 ? net_sum(ip + 8, 32, 0) : net_sum(ip + 12, 8, 0);
}

static bool parse(struct check *check, const uint8_t *frame, uint32_t len, struct segment *out)
{
	const uint8_t *ip = frame + ETH, *tcp;
	bool ip6 = net_get(frame + 12, 2) == 0x86dd;
	uint32_t network = ip6 ? IP6 : IP4, total, header;

	if ((!ip6 && net_get(frame + 12, 2) != 0x0800) || ip[ip6 ? 6 : 9] != 6)
		return false;
	tcp = ip + network;
	total = ip6 ? IP6 + net_get(ip + 4, 2) : net_get(ip + 2, 2);
	header = (uint32_t)(tcp[12] >> 4) * 4;
	if (ip[0] != (ip6 ? 0x60 : 0x45) || total > len - ETH || header < 20 ||
	    total < network + header) {
		fail(check, "lengths are wrong");
		return false;
	}
	if (len > ETH + check->mtu)
		fail(check, "frame of %u bytes", len);
	if (!ip6 && net_sum(ip, IP4, 0) != 0xffff)
		fail(check, "IP checksum is wrong");
	if (ip6 && (net_get(ip + 1, 3) & 0xfffff) == 0)
		fail(check, "no flow label");
	if (net_sum(tcp, total - network, pseudo_sum(ip, ip6) + 6 + total - network) != 0xffff)
		fail(check, "TCP checksum is wrong");
	*out = (struct segment){
		.src = (uint16_t)net_get(tcp, 2),
		.dst = (uint16_t)net_get(tcp + 2, 2),
		.seq = net_get(tcp + 4, 4),
		.ack = net_get(tcp + 8, 4),
		.flags = tcp[13],
		.window = net_get(tcp + 14, 2),
		.options = tcp + 20,
		.options_len = header - 20,
		.payload = tcp + header,
		.len = total - network - header,
		.ecn = ip6 ? ip[1] >> 4 & 3 : ip[1] & 3,
	};
	return true;
}

void check_init(struct check *check, uint32_t mtu)
{
	memset(check, 0, sizeof(*check));
	check->mtu = mtu;
}

static struct check_flow *flow_find(struct check *check, uint16_t client_port)
{
	/* The latest of that port: it may have been used before. */
	for (unsigned i = check->flow_count; i-- > 0;)
		if (check->flows[i].client_port == client_port)
			return &check->flows[i];
	return NULL;
}

void check_expect(struct check *check, uint16_t client_port, uint32_t client_stream,
		  uint32_t server_stream)
{
	struct check_flow *flow = &check->flows[check->flow_count++ % CHECK_FLOWS];

	*flow = (struct check_flow){.client_port = client_port};
	flow->side[0] = (struct check_side){.stream = client_stream, .fin = -1, .edge = -1};
	flow->side[1] = (struct check_side){.stream = server_stream, .fin = -1, .edge = -1};
}

static void read_wscale(struct check_side *side, const struct segment *s)
{
	for (uint32_t i = 0; i < s->options_len && s->options[i];) {
		if (s->options[i] == 3) {
			side->offers_wscale = true;
			side->wscale = s->options[i + 2];
		}
		i += s->options[i] == 1 ? 1 : s->options[i + 1];
	}
}

/* Offsets from the initial sequence number, unrolled around what was sent so far. */
static int64_t offset(const struct check_side *side, uint32_t seq)
{
	uint32_t near = side->iss + (uint32_t)side->end;

	return side->end + (int32_t)(seq - near);
}

static void check_text(struct check *check, struct check_side *me, const struct check_side *other,
		       const struct segment *s)
{
	bool behind_syn = s->flags & SYN;
	int64_t lo = offset(me, s->seq) + behind_syn, hi = lo + s->len;

	if (behind_syn && !check->fast)
		fail(check, "a SYN carries %u bytes", s->len);
	check->payload_bytes += s->len;
	if (s->ecn && lo < me->end)
		fail(check, "what is sent again at %lld may be marked", (long long)lo);
	if (!pattern_matches(me->stream, (uint64_t)lo - 1, s->payload, s->len))
		fail(check, "payload at %lld is not what the stream carries", (long long)lo);
	if (me->fin >= 0 && hi > me->fin)
		fail(check, "data to %lld beyond FIN at %lld", (long long)hi, (long long)me->fin);
	if (!behind_syn && hi > other->edge && !(s->len == 1 && lo == other->edge))
		fail(check, "data [%lld, %lld) beyond the window's edge %lld", (long long)lo,
		     (long long)hi, (long long)other->edge);
	if (hi > me->end)
		me->end = hi;
}

static void check_fin(struct check *check, struct check_side *me, const struct check_side *other,
		      const struct segment *s)
{
	int64_t at = offset(me, s->seq) + s->len;

	if (me->fin >= 0 && me->fin != at)
		fail(check, "FIN at %lld was at %lld", (long long)at, (long long)me->fin);
	if (at < me->end && me->fin < 0)
		fail(check, "FIN at %lld before data to %lld", (long long)at, (long long)me->end);
	if (at > other->edge)
		fail(check, "FIN at %lld beyond the window's edge %lld", (long long)at,
		     (long long)other->edge);
	me->fin = at;
	if (at + 1 > me->end)
		me->end = at + 1;
}

static void check_ack(struct check *check, struct check_side *me, const struct check_side *other,
		      const struct segment *s)
{
	bool scaled = me->offers_wscale && other->offers_wscale && !(s->flags & SYN);
	int64_t ack = offset(other, s->ack), edge;

	if (ack > other->end)
		fail(check, "ACK of %lld, but %lld was sent", (long long)ack,
		     (long long)other->end);
	edge = ack + ((int64_t)s->window << (scaled ? me->wscale : 0));
	if (edge < me->edge && !(s->flags & SYN) && ack <= other->end &&
	    !(other->fin >= 0 && ack > other->fin))
		fail(check, "window's edge moved left, from %lld to %lld", (long long)me->edge,
		     (long long)edge);
	if (edge > me->edge)
		me->edge = edge;
}

/* An old SYN may come when all is over, and opens what nobody wanted: not looked at any more. */
static bool is_another(const struct check_side *me, const struct segment *s)
{
	return me->seen && s->flags & SYN && s->seq != me->iss;
}

static void take_syn(struct check_side *me, const struct segment *s)
{
	if (!me->seen) {
		me->seen = true;
		me->iss = s->seq;
		me->end = 1;
	}
	read_wscale(me, s);
}

/* Fast Open's server sends before it hears more. */
static void take_first_window(struct check_side *me, const struct segment *s)
{
	if (me->edge < 0)
		me->edge = 1 + (int64_t)s->window;
}

/* In numbers that begin with 0 for SYN. */
static void trace(const struct check_side *me, const struct check_side *other, unsigned from,
		  const struct segment *s, uint64_t now_us)
{
	printf("%llu.%06llu %u %c %s%s%s%s %lld:%lld(%u)", (unsigned long long)(now_us / 1000000),
	       (unsigned long long)(now_us % 1000000), from ? s->dst : s->src, from ? '<' : '>',
	       s->flags & SYN ? "S" : "", s->flags & FIN ? "F" : "", s->flags & RST ? "R" : "",
	       s->flags & ACK ? "." : "", (long long)offset(me, s->seq),
	       (long long)offset(me, s->seq) + s->len, s->len);
	if (s->flags & ACK)
		printf(" ack %lld", (long long)offset(other, s->ack));
	printf(" win %u<<%u options %u\n", s->window, me->wscale, s->options_len);
}

void check_frame(struct check *check, unsigned from, const uint8_t *frame, uint32_t len,
		 uint64_t now_us)
{
	struct check_side *me, *other;
	struct check_flow *flow;
	struct segment s;

	if (!parse(check, frame, len, &s))
		return;
	check->segments++;
	flow = flow_find(check, from ? s.dst : s.src);
	if (!flow) {
		fail(check, "segment of no connection, ports %u to %u", s.src, s.dst);
		return;
	}
	me = &flow->side[from];
	other = &flow->side[!from];
	flow->over |= is_another(me, &s);
	if (flow->over)
		return;
	if (s.flags & SYN)
		take_syn(me, &s);
	if (check->trace)
		trace(me, other, from, &s, now_us);
	if (s.ecn && (!s.len || s.flags & (SYN | RST)))
		fail(check, "what is no data may be marked");
	if (s.flags & RST)
		return;
	if (check->fast && (s.flags & (SYN | ACK)) == SYN)
		take_first_window(me, &s);
	if (s.flags & ACK)
		check_ack(check, me, other, &s);
	if (s.len)
		check_text(check, me, other, &s);
	if (s.flags & FIN)
		check_fin(check, me, other, &s);
}
