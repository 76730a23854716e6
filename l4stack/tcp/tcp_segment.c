/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_segment.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip_layer.h"
#include "l4stack/tcp/tcp_chain.h"
#include "l4stack/tcp/tcp_ecn.h"
#include "l4stack/tcp/tcp_fast.h"
#include "l4stack/tcp/tcp_mtu.h"
#include "l4stack/tcp/tcp_recvq.h"
#include "l4stack/tcp/tcp_reorder.h"
#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_timer.h"

#define TSO_MOST      45           /* segments of one packet */
#define PACKET_MOST   (65535 - 40) /* bytes of one packet behind an IP header */
#define PIECES_MOST   24           /* mbufs of one packet: what common devices gather */
#define HEADERS_AHEAD 4

static inline struct rte_mbuf *header_new(struct tcp_proto *tcp, bool payload)
{
	const struct stack_pools *pools = &tcp->stack->pools;
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(pools->header);

	if (!pkt && !payload)
		pkt = rte_pktmbuf_alloc(pools->control);
	if (!pkt)
		stack_count(tcp->stack, tcp_no_mbuf);
	return pkt;
}

/* Of a packet as long as this one, the lines that will be written. They were read by the device,
 * on another CPU or by DMA, and have to be had from there: by HEADERS_AHEAD packets earlier. What
 * is allocated next lies on top of this thread's cache of the pool. */
static inline void header_prefetch(const struct tcp_proto *tcp, uint32_t bytes)
{
	struct rte_mempool *pool = tcp->stack->pools.header;
	const struct rte_mempool_cache *cache = rte_mempool_default_cache(pool, rte_lcore_id());
	const char *line;

	if (!cache || cache->len < HEADERS_AHEAD)
		return;
	line = rte_mbuf_buf_addr(cache->objs[cache->len - HEADERS_AHEAD], pool);
	line += RTE_PKTMBUF_HEADROOM - RTE_CACHE_LINE_SIZE; /* the headers below TCP's */
	for (uint32_t at = 0; at < RTE_CACHE_LINE_SIZE + bytes; at += RTE_CACHE_LINE_SIZE)
		__builtin_prefetch(line + at, 1);
}

struct header_values {
	uint32_t seq, ack;
	uint16_t src, dst;
	uint16_t flags, window;
};

static inline void header_put(struct rte_mbuf *pkt, const struct header_values *v,
			      size_t options_len)
{
	struct tcp_header *header = rte_pktmbuf_mtod(pkt, struct tcp_header *);
	uint16_t len = (uint16_t)(TCP_HEADER_BYTES + options_len);

	header->src = rte_cpu_to_be_16(v->src);
	header->dst = rte_cpu_to_be_16(v->dst);
	header->seq = rte_cpu_to_be_32(v->seq);
	header->ack = rte_cpu_to_be_32(v->ack);
	header->offset_flags = rte_cpu_to_be_16((uint16_t)(len / 4 << 12 | v->flags));
	header->window = rte_cpu_to_be_16(v->window);
	header->csum = 0; /* ip_output completes it */
	header->urgent = 0;
}

static uint8_t *options_at(struct rte_mbuf *pkt)
{
	return rte_pktmbuf_mtod(pkt, uint8_t *) + TCP_HEADER_BYTES;
}

static void set_header_len(struct rte_mbuf *pkt, size_t options_len)
{
	pkt->data_len = (uint16_t)(TCP_HEADER_BYTES + options_len);
	pkt->pkt_len = pkt->data_len;
}

static uint32_t ts_now(const struct tcp_conn *conn)
{
	return tcp_now_ms(conn->tcp) + conn->ts_offset;
}

static inline void conn_header(const struct tcp_conn *conn, uint32_t seq, uint16_t flags,
			       uint16_t window, struct rte_mbuf *pkt, size_t options_len)
{
	struct header_values v = {
		.seq = seq,
		.ack = flags & TCP_ACK ? conn->rcv_nxt : 0,
		.src = conn->local_port,
		.dst = conn->remote_port,
		.flags = flags,
		.window = window,
	};

	header_put(pkt, &v, options_len);
}

/* Routes and addresses may have changed since the path was found. */
static __rte_noinline bool path_refresh(struct tcp_conn *conn)
{
	struct stack *stack = conn->tcp->stack;
	struct ip_path fresh;

	if (ip_path_find(stack, &conn->path.dst, &conn->path.src, &fresh))
		return false;
	ip_path_release(stack, &conn->path);
	conn->path = fresh;
	tcp_mtu_begin(conn);
	if (conn->cc.mss)
		tcp_conn_set_mss(conn);
	return true;
}

static inline void transmit(struct tcp_conn *conn, struct rte_mbuf *pkt, uint16_t tso_segsz,
			    uint8_t ecn)
{
	struct stack *stack = conn->tcp->stack;
	bool there = likely(ip_path_valid(stack, &conn->path)) || path_refresh(conn);

	stack_count(stack, tcp_segments_out);
	conn->path.ecn = ecn;
	if (likely(there))
		ip_output(stack, &conn->path, TCP_PROTOCOL, pkt, tso_segsz);
	else
		stack_drop(stack, pkt, COUNTER_ip_no_route);
}

/* What was owed is told: by a segment whose number the peer accepts. Of others, a keepalive or what
 * is sent again, it may not even look at the ACK. */
static void note_ack_sent(struct tcp_conn *conn)
{
	conn->rcv_acked = conn->rcv_nxt;
	conn->acks_owed = 0;
	tcp_timer_clear(conn, TCP_TIMER_ACK);
}

static size_t data_options(const struct tcp_conn *conn, uint8_t *out)
{
	if (!tcp_has(conn, TCP_USE_TS))
		return 0;
	tcp_options_build_ts(ts_now(conn), conn->ts_recent, out);
	return TCP_OPTIONS_TS_BYTES;
}

/* The options of a segment without payload: there is room for SACK. */
static size_t ack_options(const struct tcp_conn *conn, uint8_t *out)
{
	struct tcp_options options = {
		.present = TCP_OPT_SACK, .tsval = ts_now(conn), .tsecr = conn->ts_recent};

	if (!tcp_has(conn, TCP_USE_SACK) || !tcp_reorder_has_news(conn))
		return data_options(conn, out);
	if (tcp_has(conn, TCP_USE_TS))
		options.present |= TCP_OPT_TS;
	tcp_reorder_blocks(conn, &options);
	return tcp_options_build(&options, out);
}

static bool send_empty(struct tcp_conn *conn, uint32_t seq, uint16_t flags)
{
	struct rte_mbuf *pkt = header_new(conn->tcp, false);
	size_t options_len;

	if (!pkt)
		return false;
	options_len = ack_options(conn, options_at(pkt));
	set_header_len(pkt, options_len);
	if (!(flags & TCP_RST))
		flags |= tcp_ecn_flags(conn, false);
	conn_header(conn, seq, flags, tcp_recvq_window(conn), pkt, options_len);
	transmit(conn, pkt, 0, TCP_ECN_NOT_ECT);
	return true;
}

/* What the peer accepts: the end of all that was sent, even while part of that is sent again,
 * for else both sides could refuse each other's ACKs; but nothing behind its window. */
static uint32_t acceptable_seq(const struct tcp_conn *conn)
{
	return seq_min(conn->snd_max, conn->snd_una + conn->snd_wnd);
}

bool tcp_segment_send_ack(struct tcp_conn *conn)
{
	if (!send_empty(conn, acceptable_seq(conn), TCP_ACK))
		return false;
	tcp_reorder_told(conn);
	note_ack_sent(conn);
	return true;
}

/* RFC 9293 §3.8.4: a number the peer has acknowledged makes it answer. */
bool tcp_segment_send_keepalive(struct tcp_conn *conn)
{
	return send_empty(conn, conn->snd_una - 1, TCP_ACK);
}

bool tcp_segment_send_rst(struct tcp_conn *conn)
{
	stack_count(conn->tcp->stack, tcp_resets_out);
	return send_empty(conn, conn->snd_max, TCP_RST | TCP_ACK);
}

/* ---- payload ---- */

/* A packet while it is put together. */
struct builder {
	struct tcp_conn *conn;
	struct rte_mbuf *pkt, *tail;
	bool tail_is_copy; /* small pieces can be copied behind what is in `tail` */
};

static void builder_chain(struct builder *b, struct rte_mbuf *m)
{
	b->tail->next = m;
	b->tail = m;
	b->pkt->nb_segs++;
}

/* As much as the room takes; 0: no mbuf was left. */
static uint32_t builder_copy(struct builder *b, const struct rte_mbuf *m, uint32_t off,
			     uint32_t len)
{
	if (!b->tail_is_copy || rte_pktmbuf_tailroom(b->tail) == 0) {
		struct rte_mbuf *room = header_new(b->conn->tcp, true);

		if (!room)
			return 0;
		builder_chain(b, room);
		b->tail_is_copy = true;
	}
	len = RTE_MIN(len, (uint32_t)rte_pktmbuf_tailroom(b->tail));
	memcpy(rte_pktmbuf_mtod_offset(b->tail, void *, b->tail->data_len),
	       rte_pktmbuf_mtod_offset(m, const void *, off), len);
	b->tail->data_len = (uint16_t)(b->tail->data_len + len);
	return len;
}

static uint32_t builder_refer(struct builder *b, struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	struct rte_mbuf *ref = tcp_chain_ref(m, off, len, b->conn->tcp->stack->pools.ref);

	if (!ref) {
		stack_count(b->conn->tcp->stack, tcp_no_mbuf);
		return 0;
	}
	builder_chain(b, ref);
	b->tail_is_copy = false;
	return len;
}

/* Each byte is counted when it is sent for the first time. */
static void count_piece(const struct tcp_conn *conn, uint32_t seq, uint32_t len, bool copied)
{
	struct stack *stack = conn->tcp->stack;
	uint32_t end = seq + len, fresh = len;

	stack_count_add(stack, tcp_bytes_out, len);
	if (unlikely(seq_lt(seq, conn->snd_max))) {
		fresh = seq_gt(end, conn->snd_max) ? end - conn->snd_max : 0;
		stack_count_add(stack, tcp_bytes_resent, len - fresh);
	}
	if (copied)
		stack_count_add(stack, payload_copied_bytes, fresh);
	else
		stack_count_add(stack, payload_referenced_bytes, fresh);
}

static void span_advance(struct tcp_span *span, uint32_t len)
{
	span->seq += len;
	span->len -= len;
	span->off += len;
	if (span->off == span->at->data_len) {
		span->at = span->at->next;
		span->off = 0;
	}
}

/* One piece of payload: at most what of the span stands in one mbuf. What is short by itself is
 * copied; what is short only because a packet ends there is not, or a stream whose buffers lie
 * across the packets' ends would be copied in part for as long as it lasts. References may all be
 * held for long, by payload that waits; headers are not, so that copying them out always goes on.
 */
static bool builder_piece(struct builder *b, struct tcp_span *span)
{
	uint32_t len = RTE_MIN(span->len, span->at->data_len - span->off), done = 0;
	bool copied = span->at->data_len < b->conn->tcp->copy_below;

	if (!copied)
		done = builder_refer(b, span->at, span->off, len);
	if (done == 0) {
		copied = true;
		done = builder_copy(b, span->at, span->off, len);
	}
	if (done == 0)
		return false;
	count_piece(b->conn, span->seq, done, copied);
	b->pkt->pkt_len += done;
	span_advance(span, done);
	return true;
}

bool tcp_segment_send_syn(struct tcp_conn *conn, struct tcp_span *text)
{
	bool answer = conn->state == TCP_SYN_RECEIVED;
	struct rte_mbuf *pkt = header_new(conn->tcp, false);
	struct builder b = {.conn = conn, .pkt = pkt, .tail = pkt, .tail_is_copy = true};
	struct tcp_options options = {
		.present = TCP_OPT_MSS,
		.mss = (uint16_t)tcp_recvq_mss(conn),
		.wscale = conn->rcv_wscale,
		.tsval = ts_now(conn),
		.tsecr = conn->ts_recent,
	};
	size_t options_len;
	uint16_t flags;

	if (!pkt)
		return false;
	options.present |= tcp_has(conn, TCP_USE_WSCALE) ? TCP_OPT_WSCALE : 0;
	options.present |= tcp_has(conn, TCP_USE_TS) ? TCP_OPT_TS : 0;
	options.present |= tcp_has(conn, TCP_USE_SACK) ? TCP_OPT_SACK_OK : 0;
	tcp_fast_ask(conn, &options, text);
	options_len = tcp_options_build(&options, options_at(pkt));
	set_header_len(pkt, options_len);
	while (text->len && pkt->nb_segs < PIECES_MOST && builder_piece(&b, text))
		;
	flags = (answer ? TCP_SYN | TCP_ACK : TCP_SYN) | tcp_ecn_syn_flags(conn);
	conn_header(conn, conn->iss, flags, tcp_recvq_syn_window(conn), pkt, options_len);
	if (answer)
		note_ack_sent(conn);
	transmit(conn, pkt, 0, TCP_ECN_NOT_ECT);
	return true;
}

/* Behind the header, while there is room in the packet; false: no mbuf was left for any of it. */
static bool text_put(struct tcp_conn *conn, struct rte_mbuf *pkt, struct tcp_span *span)
{
	struct builder b = {.conn = conn, .pkt = pkt, .tail = pkt, .tail_is_copy = true};
	uint32_t seq = span->seq, len = span->len;

	while (span->len && pkt->nb_segs < PIECES_MOST && builder_piece(&b, span))
		;
	return !len || span->seq != seq;
}

/* The same for what stands in one short mbuf and finds room beside the header. */
static inline bool text_put_short(struct tcp_conn *conn, struct rte_mbuf *pkt,
				  struct tcp_span *span)
{
	const struct rte_mbuf *m = span->at;
	uint32_t len = span->len;

	if (!len || m->data_len - span->off < len || m->data_len >= conn->tcp->copy_below ||
	    rte_pktmbuf_tailroom(pkt) < len)
		return false;
	memcpy(rte_pktmbuf_mtod_offset(pkt, void *, pkt->data_len),
	       rte_pktmbuf_mtod_offset(m, const void *, span->off), len);
	pkt->data_len = (uint16_t)(pkt->data_len + len);
	pkt->pkt_len += len;
	count_piece(conn, span->seq, len, true);
	span_advance(span, len);
	return true;
}

bool tcp_segment_send_data(struct tcp_conn *conn, struct tcp_span *span)
{
	struct rte_mbuf *pkt = header_new(conn->tcp, true);
	uint32_t seq = span->seq, len = span->len;
	bool fresh = len && seq == conn->snd_max && seq != conn->snd_una + conn->snd_wnd;
	uint16_t flags = TCP_ACK;
	size_t options_len;

	if (unlikely(!pkt))
		return false;
	options_len = data_options(conn, options_at(pkt));
	set_header_len(pkt, options_len);
	if (unlikely(!text_put_short(conn, pkt, span) && !text_put(conn, pkt, span))) {
		rte_pktmbuf_free(pkt);
		return false;
	}
	if (span->len == 0)
		flags |= (span->push && len ? TCP_PSH : 0) | (span->fin ? TCP_FIN : 0);
	flags |= conn->ecn ? tcp_ecn_flags(conn, fresh) : 0;
	conn_header(conn, seq, flags, tcp_recvq_window(conn), pkt, options_len);
	if (seq == conn->snd_max)
		note_ack_sent(conn);
	len = span->seq - seq;
	header_prefetch(conn->tcp, pkt->data_len);
	transmit(conn, pkt, len > conn->mss ? conn->mss : 0, tcp_ecn_bits(conn, fresh));
	return true;
}

uint32_t tcp_segment_most(const struct tcp_conn *conn)
{
	uint32_t segments = (PACKET_MOST - TCP_HEADER_BYTES - TCP_OPTIONS_MAX) / conn->mss;

	/* CWR stands in one segment (RFC 3168 §6.1.2), and a device may repeat the flags. */
	if (!(conn->path.offloads & STACK_TX_TSO) || conn->ecn & TCP_ECN_REDUCED)
		return conn->mss;
	return conn->mss * RTE_MIN(RTE_MAX(segments, 1u), (uint32_t)TSO_MOST);
}

/* ---- without a connection ---- */

bool tcp_segment_send_reply(struct tcp_proto *tcp, const struct tcp_reply *reply)
{
	struct tcp_options options = {
		.present = reply->options,
		.wscale = reply->wscale,
		.tsval = reply->tsval,
		.tsecr = reply->tsecr,
	};
	struct header_values v = {
		.seq = reply->seq,
		.ack = reply->ack,
		.src = reply->local.port,
		.dst = reply->remote.port,
		.flags = reply->flags,
		.window = reply->window,
	};
	struct rte_mbuf *pkt;
	struct ip_path path;
	size_t options_len;

	if (ip_path_find(tcp->stack, &reply->remote.addr, &reply->local.addr, &path))
		return false;
	pkt = header_new(tcp, false);
	if (pkt) {
		options.mss = (uint16_t)tcp_recvq_path_mss(tcp->stack, &path, reply->mss_most);
		if (options.present & TCP_OPT_FAST_OPEN)
			tcp_fast_give(tcp, &reply->local.addr, &reply->remote.addr, &options);
		options_len = tcp_options_build(&options, options_at(pkt));
		set_header_len(pkt, options_len);
		header_put(pkt, &v, options_len);
		stack_count(tcp->stack, tcp_segments_out);
		ip_output(tcp->stack, &path, TCP_PROTOCOL, pkt, 0);
	}
	ip_path_release(tcp->stack, &path);
	return pkt;
}
