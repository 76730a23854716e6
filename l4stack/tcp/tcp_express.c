/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_express.h"

#include <errno.h>
#include <rte_branch_prediction.h>
#include <rte_prefetch.h>
#include <stdlib.h>

#include "l4stack/ip/ip_express.h"
#include "l4stack/tcp/tcp_input.h"
#include "l4stack/tcp/tcp_proto.h"

#define TS_HEAD RTE_BE32(0x0101080a) /* NOP, NOP, kind 8, length 10 */

/* A frame whose headers were read. */
struct express {
	uint64_t tag;
	const struct tcp_conn *hint; /* to be fetched; it may be gone by now. NULL: to be staged */
	struct ip_express ip;
	uint16_t text_at; /* in the frame; 0: it is for the layers */
	struct tcp_seg seg;
};

struct tcp_express {
	struct express segments[TCP_BURST_MOST];
};

int tcp_express_create(struct tcp_proto *tcp)
{
	tcp->express = calloc(1, sizeof(*tcp->express));
	return tcp->express ? 0 : -ENOMEM;
}

void tcp_express_destroy(struct tcp_proto *tcp)
{
	free(tcp->express);
}

/* ---- reading ---- */

/* RFC 7323 appendix A: how time stamps are laid out by nearly all. */
static bool options_are_ts(const uint8_t *options, uint32_t len, struct tcp_options *out)
{
	uint32_t words[3];

	if (len != sizeof(words))
		return false;
	memcpy(words, options, sizeof(words));
	out->present = TCP_OPT_TS;
	out->tsval = rte_be_to_cpu_32(words[1]);
	out->tsecr = rte_be_to_cpu_32(words[2]);
	return words[0] == TS_HEAD;
}

static void options_read(const uint8_t *options, uint32_t len, struct tcp_options *out)
{
	if (likely(options_are_ts(options, len, out)))
		return;
	out->present = 0;
	if (len) /* RFC 9293 MUST-7: bad options do not hurt */
		tcp_options_parse(options, len, out);
}

/* Its length; 0: it is not usual. */
static uint32_t header_read(const uint8_t *tcp, struct express *e)
{
	const struct tcp_header *header = (const struct tcp_header *)tcp;
	uint16_t offset_flags = rte_be_to_cpu_16(header->offset_flags);
	uint32_t bytes = (uint32_t)(offset_flags >> 12) * 4;

	if (bytes < TCP_HEADER_BYTES || bytes > e->ip.len)
		return 0;
	options_read(tcp + TCP_HEADER_BYTES, bytes - TCP_HEADER_BYTES, &e->seg.options);
	e->seg.seq = rte_be_to_cpu_32(header->seq);
	e->seg.ack = rte_be_to_cpu_32(header->ack);
	e->seg.len = e->ip.len - bytes;
	e->seg.flags = offset_flags & TCP_FLAGS_MASK;
	e->seg.window = rte_be_to_cpu_16(header->window);
	e->seg.ecn = e->ip.ecn;
	return bytes;
}

static uint32_t ports_of(const uint8_t *tcp)
{
	uint32_t ports;

	memcpy(&ports, tcp, sizeof(ports));
	return rte_be_to_cpu_32(ports);
}

/* In either family the addresses are the last of the IP header, the remote one first. */
#define IP4_BYTES 4
#define IP6_BYTES 16

static uint64_t tag_of(const uint8_t *tcp, uint8_t family)
{
	uint64_t addresses;

	memcpy(&addresses, tcp - 2 * IP4_BYTES, sizeof(addresses));
	if (unlikely(family == ADDR_IP6))
		addresses = tcp_recent_mix_ip6(tcp - IP6_BYTES, tcp - 2 * IP6_BYTES);
	return tcp_recent_mix(addresses, ports_of(tcp));
}

/* No stack sends SYN with FIN or RST, and no connection is without ports. */
static bool header_sound(const uint8_t *tcp, uint16_t flags)
{
	uint32_t ports = ports_of(tcp);

	return ports >> 16 && (uint16_t)ports && !(flags & TCP_SYN && flags & (TCP_FIN | TCP_RST));
}

static bool may_be_staged(const struct tcp_proto *tcp, const uint8_t *header,
			  const struct express *e)
{
	uint32_t src, dst;

	if (e->ip.family != ADDR_IP4 || !header_sound(header, e->seg.flags))
		return false;
	memcpy(&src, header - 2 * IP4_BYTES, sizeof(src));
	memcpy(&dst, header - IP4_BYTES, sizeof(dst));
	return ip_express_pair_ok(tcp->stack, src, dst);
}

static void segment_read(struct tcp_proto *tcp, const struct link_port *port, uint16_t number,
			 const struct rte_mbuf *pkt, struct express *e)
{
	const uint8_t *header;
	uint32_t bytes;

	if (!ip_express_read(tcp->stack, port, number, TCP_PROTOCOL, pkt, &e->ip) ||
	    e->ip.len < TCP_HEADER_BYTES)
		return;
	header = rte_pktmbuf_mtod_offset(pkt, const uint8_t *, e->ip.transport_at);
	bytes = header_read(header, e);
	if (!bytes)
		return;
	e->tag = tag_of(header, e->ip.family);
	e->hint = tcp_recent_find(&tcp->recent, e->tag);
	if (unlikely(e->hint ? e->seg.flags & TCP_SYN : !may_be_staged(tcp, header, e)))
		return;
	if (likely(e->hint))
		tcp_conn_prefetch(e->hint);
	e->text_at = (uint16_t)(e->ip.transport_at + bytes);
}

/* What was found good before addresses or routes have changed has to be found good again. What
 * still waits would be noted as if it had been. */
static void recent_renew(struct tcp_proto *tcp)
{
	uint32_t generation = ip_express_generation(tcp->stack);

	if (likely(tcp->recent.generation == generation))
		return;
	tcp_input_staged(tcp);
	tcp_recent_forget_all(&tcp->recent, generation);
}

/* Headers, and the beginning of what is behind them, which is read when a connection is told of it:
 * all at once, for they come from where the device has written them. */
static void prefetch_frame(const struct rte_mbuf *pkt)
{
	const uint8_t *frame = rte_pktmbuf_mtod(pkt, const uint8_t *);

	rte_prefetch0(frame);
	rte_prefetch0(frame + RTE_CACHE_LINE_SIZE);
}

void tcp_proto_burst(struct tcp_proto *tcp, uint16_t port, struct rte_mbuf *const *pkts, unsigned n)
{
	struct tcp_express *express = tcp->express;
	const struct link_port *p = link_port(tcp->stack, port);

	recent_renew(tcp);
	for (unsigned i = 0; i < n; i++)
		prefetch_frame(pkts[i]);
	for (unsigned i = 0; i < n; i++) {
		express->segments[i].text_at = 0;
		if (likely(p))
			segment_read(tcp, p, port, pkts[i], &express->segments[i]);
	}
}

/* ---- taking ---- */

/* What an ACK frees: where it is the connection tells, which has come meanwhile. */
static void prefetch_sent(const struct express *next)
{
	if (!next->text_at || !next->hint)
		return;
	rte_prefetch0(next->hint->snd_head);
	rte_prefetch0(next->hint->sent.first);
}

/* Link-local addresses mean another station on each port: they are compared with their zone, and
 * so by the layers. */
static bool is_plain(const struct addr *addr, uint8_t family)
{
	uint8_t both[2] = {family, 0};

	return !memcmp(&addr->family, both, sizeof(both));
}
_Static_assert(offsetof(struct addr, zone) == offsetof(struct addr, family) + 1, "is_plain");

static bool addresses_match(const struct tcp_conn *conn, const uint8_t *tcp, uint8_t family)
{
	if (!is_plain(&conn->path.dst, family) || !is_plain(&conn->path.src, family))
		return false;
	if (likely(family == ADDR_IP4))
		return !memcmp(conn->path.dst.bytes, tcp - 2 * IP4_BYTES, IP4_BYTES) &&
		       !memcmp(conn->path.src.bytes, tcp - IP4_BYTES, IP4_BYTES);
	return !memcmp(conn->path.dst.bytes, tcp - 2 * IP6_BYTES, IP6_BYTES) &&
	       !memcmp(conn->path.src.bytes, tcp - IP6_BYTES, IP6_BYTES);
}

/* By now it may be another one, or none: segments before this one were processed. */
static struct tcp_conn *find(const struct tcp_proto *tcp, const struct express *e,
			     const uint8_t *header)
{
	struct tcp_conn *conn = tcp_recent_find(&tcp->recent, e->tag);
	uint32_t ports;

	if (unlikely(!conn || tcp->recent.generation != ip_express_generation(tcp->stack)))
		return NULL;
	ports = (uint32_t)conn->remote_port << 16 | conn->local_port;
	if (ports != ports_of(header) || !addresses_match(conn, header, e->ip.family))
		return NULL;
	return conn;
}

/* The text alone, as the layers would leave it. */
static void strip(struct rte_mbuf *pkt, struct express *e)
{
	pkt->data_off = (uint16_t)(pkt->data_off + e->text_at);
	pkt->data_len = (uint16_t)e->seg.len;
	pkt->pkt_len = e->seg.len;
	e->seg.pkt = pkt;
}

static void free_empty(struct tcp_seg *seg)
{
	if (seg->len)
		return;
	rte_pktmbuf_free_seg(seg->pkt);
	seg->pkt = NULL;
}

static __rte_noinline void take_any(struct tcp_conn *conn, struct tcp_seg *seg)
{
	seg->local = tcp_local(conn);
	seg->remote = tcp_remote(conn);
	free_empty(seg);
	tcp_input_conn(conn, seg);
	rte_pktmbuf_free(seg->pkt);
}

static inline void take_usual(struct tcp_conn *conn, struct tcp_seg *seg)
{
	tcp_input_take_usual(conn, seg);
	if (seg->pkt)
		rte_pktmbuf_free_seg(seg->pkt);
}

static struct endpoint endpoint_of(const uint8_t *addr, uint32_t port)
{
	uint32_t word;

	memcpy(&word, addr, sizeof(word));
	return (struct endpoint){addr_from_ip4(word), (uint16_t)port};
}

/* False: nothing was done. */
static __rte_noinline bool stage(struct tcp_proto *tcp, struct express *e, struct rte_mbuf *pkt)
{
	const uint8_t *header = rte_pktmbuf_mtod_offset(pkt, const uint8_t *, e->ip.transport_at);

	if (tcp->recent.generation != ip_express_generation(tcp->stack))
		return false;
	e->seg.local = endpoint_of(header - IP4_BYTES, ports_of(header) & UINT16_MAX);
	e->seg.remote = endpoint_of(header - 2 * IP4_BYTES, ports_of(header) >> 16);
	strip(pkt, e);
	free_empty(&e->seg);
	tcp_input_stage(tcp, e->tag, &e->seg);
	return true;
}

/* False: nothing was done. */
static bool take(struct tcp_proto *tcp, struct express *e, struct rte_mbuf *pkt)
{
	struct tcp_conn *conn;

	if (unlikely(!e->hint))
		return stage(tcp, e, pkt);
	if (unlikely(tcp->stage->tags & tcp_input_tag_bit(e->tag)))
		tcp_input_staged(tcp);
	conn = find(tcp, e, rte_pktmbuf_mtod_offset(pkt, const uint8_t *, e->ip.transport_at));
	if (unlikely(!conn))
		return false;
	strip(pkt, e);
	if (likely(tcp_input_is_usual(conn, &e->seg)))
		take_usual(conn, &e->seg);
	else
		take_any(conn, &e->seg);
	return true;
}

struct count {
	uint32_t packets, ip6, staged;
	uint64_t bytes;
};

static void count_taken(struct stack *stack, const struct count *taken)
{
	uint32_t ip4 = taken->packets - taken->ip6;

	stack_count_add(stack, link_packets_in, taken->packets);
	stack_count_add(stack, link_bytes_in, taken->bytes);
	stack_count_add(stack, ip4_packets_in, ip4);
	stack_count_add(stack, ip4_delivered, ip4);
	stack_count_add(stack, ip6_packets_in, taken->ip6);
	stack_count_add(stack, ip6_delivered, taken->ip6);
	stack_count_add(stack, tcp_segments_in, taken->packets);
	stack_count_add(stack, tcp_express_in, taken->packets - taken->staged);
	stack_count_add(stack, tcp_express_staged, taken->staged);
}

unsigned tcp_proto_take(struct tcp_proto *tcp, struct rte_mbuf *const *pkts, unsigned from,
			unsigned n)
{
	struct express *e = tcp->express->segments;
	struct count taken = {0};
	unsigned i;

	for (i = from; i < n && e[i].text_at; i++) {
		uint32_t bytes = pkts[i]->pkt_len;

		if (i + 1 < n)
			prefetch_sent(&e[i + 1]);
		if (!take(tcp, &e[i], pkts[i]))
			break;
		taken.packets++;
		taken.bytes += bytes;
		taken.ip6 += e[i].ip.family == ADDR_IP6;
		taken.staged += !e[i].hint;
	}
	if (taken.packets)
		count_taken(tcp->stack, &taken);
	return i;
}
