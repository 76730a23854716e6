/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/sluice-bench/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#define SIZE_MOST      (1u << 30)
#define SILENCE_MS     200
#define AGAIN_AFTER    3                /* equal ACKs */
#define WAITING_MOST   (4 * WIRE_BURST) /* frames, before the others get their turn */
#define PREFETCH_AHEAD 4

static uint16_t port_of(const struct origin *o, const struct origin_conn *conn)
{
	return (uint16_t)(conn - o->conn);
}

/* --- out --------------------------------------------------------------------------------- */

static struct frame *frame_begin(struct origin *o, const struct origin_conn *conn,
				 struct rte_mbuf *m, uint32_t seq, uint8_t flags)
{
	struct frame *f = rte_pktmbuf_mtod(m, struct frame *);

	*f = o->bare;
	f->tcp.dst_port = rte_cpu_to_be_16(port_of(o, conn));
	f->tcp.sent_seq = rte_cpu_to_be_32(seq);
	f->tcp.recv_ack = rte_cpu_to_be_32(conn->rcv_nxt);
	f->tcp.tcp_flags = flags;
	m->data_len = sizeof(*f);
	m->pkt_len = sizeof(*f);
	frame_offload(m);
	return f;
}

static void send_bare(struct origin *o, struct origin_conn *conn, uint32_t seq, uint8_t flags)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(o->wire->pool);
	struct frame *f;

	if (!m)
		return;
	f = frame_begin(o, conn, m, seq, flags);
	if (flags & RTE_TCP_SYN_FLAG)
		m->data_len += frame_syn_options(f);
	m->pkt_len = m->data_len;
	wire_send(o->wire, m);
}

static bool send_piece(struct origin *o, struct origin_conn *conn, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(o->wire->pool);
	struct frame *f;

	if (!m)
		return false;
	f = frame_begin(o, conn, m, conn->snd_nxt, RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG);
	content_size(&o->content, conn->size);
	if (!content_append(&o->content, m, conn->snd_nxt - conn->begin, len)) {
		rte_pktmbuf_free(m);
		return false;
	}
	frame_length(f, (uint16_t)(sizeof(f->tcp) + len));
	if (len > FRAME_MSS) {
		m->tso_segsz = FRAME_MSS;
		m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		f->tcp.cksum = rte_ipv4_phdr_cksum(&f->ip, m->ol_flags);
	}
	wire_send(o->wire, m);
	return true;
}

static uint32_t can_send(const struct origin *o, const struct origin_conn *conn)
{
	uint32_t left = conn->end - conn->snd_nxt, under_way = conn->snd_nxt - conn->snd_una;
	uint32_t room = conn->window > under_way ? conn->window - under_way : 0;

	if (conn->state != ORIGIN_OPEN || (room < left && room < o->segment && under_way))
		return 0; /* RFC 9293 §3.8.6.2.1: no small pieces while an ACK will come */
	return RTE_MIN(RTE_MIN(left, room), o->segment);
}

static void enqueue(struct origin *o, struct origin_conn *conn)
{
	if (conn->queued || !can_send(o, conn))
		return;
	conn->queued = true;
	o->queue[(o->queue_head + o->queue_count++) % ORIGIN_PORTS] = port_of(o, conn);
}

/* Frames of one connection behind each other. False: there is no memory just now. */
static bool send_train(struct origin *o, struct origin_conn *conn)
{
	for (uint32_t i = 0; i < o->train; i++) {
		uint32_t len = can_send(o, conn);

		if (!len)
			break;
		if (!send_piece(o, conn, len))
			return false;
		conn->snd_nxt += len;
		conn->sent_tsc = o->now;
		o->counts.bytes += len;
	}
	return true;
}

/* Each in turn sends a train, as long as the wire takes them. */
static bool send_queued(struct origin *o)
{
	bool sent = false;

	while (o->queue_count && o->wire->waiting < WAITING_MOST) {
		struct origin_conn *conn = &o->conn[o->queue[o->queue_head]];

		if (!send_train(o, conn))
			break;
		o->queue_head = (o->queue_head + 1) % ORIGIN_PORTS;
		o->queue_count--;
		conn->queued = false;
		enqueue(o, conn);
		sent = true;
	}
	return sent;
}

static void begin_again(struct origin *o, struct origin_conn *conn)
{
	o->counts.resent++;
	conn->again = 0;
	conn->snd_nxt = conn->snd_una;
	conn->sent_tsc = o->now;
	enqueue(o, conn);
}

/* --- in ---------------------------------------------------------------------------------- */

/* RFC 7323 §2.2 */
static uint8_t window_shift(const struct rte_mbuf *m, const struct frame *f)
{
	const uint8_t *options = (const uint8_t *)(f + 1);
	uint32_t len = (f->tcp.data_off >> 4) * 4u - RTE_MIN(20u, (f->tcp.data_off >> 4) * 4u);

	len = RTE_MIN(len, m->data_len - (uint32_t)sizeof(*f));
	for (uint32_t i = 0; i + 2 < len && options[i];) {
		if (options[i] == 3)
			return RTE_MIN(options[i + 2], 14);
		i += options[i] == 1 ? 1u : RTE_MAX(options[i + 1], 2);
	}
	return 0;
}

static void learn_peer(struct origin *o, const struct frame *f)
{
	struct frame_ends ends = {.from_mac = o->wire->mac,
				  .to_mac = f->eth.src_addr,
				  .from_ip = f->ip.dst_addr,
				  .to_ip = f->ip.src_addr,
				  .from_port = f->tcp.dst_port};

	frame_prepare(&o->bare, &ends, sizeof(struct rte_tcp_hdr));
	o->known = true;
}

static void on_syn(struct origin *o, struct origin_conn *conn, const struct rte_mbuf *m,
		   const struct frame *f)
{
	bool queued = conn->queued; /* of the one before, on this port */

	if (!o->known)
		learn_peer(o, f);
	if (!conn->used)
		o->used[o->used_count++] = port_of(o, conn);
	*conn = (struct origin_conn){.rcv_nxt = rte_be_to_cpu_32(f->tcp.sent_seq) + 1,
				     .snd_una = 1,
				     .snd_nxt = 1,
				     .begin = 1,
				     .end = 1,
				     .shift = window_shift(m, f),
				     .state = ORIGIN_OPEN,
				     .used = true,
				     .queued = queued};
	o->counts.opened++;
	send_bare(o, conn, 0, RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG);
}

static void on_ack(struct origin *o, struct origin_conn *conn, const struct frame *f, bool bare)
{
	uint32_t ack = rte_be_to_cpu_32(f->tcp.recv_ack);
	uint32_t window = (uint32_t)rte_be_to_cpu_16(f->tcp.rx_win) << conn->shift;

	if (frame_before(conn->snd_una, ack) && !frame_before(conn->end, ack)) {
		conn->snd_una = ack;
		conn->snd_nxt = frame_before(conn->snd_nxt, ack) ? ack : conn->snd_nxt;
		conn->sent_tsc = o->now;
		conn->again = 0;
	} else if (bare && ack == conn->snd_una && window == conn->window &&
		   frame_before(ack, conn->snd_nxt) && ++conn->again == AGAIN_AFTER) {
		begin_again(o, conn);
	}
	conn->window = window;
	enqueue(o, conn);
}

static void on_request(struct origin *o, struct origin_conn *conn, const char *text, uint32_t len)
{
	bool whole = len > 8 && !memcmp(text, "GET /", 5) && !memcmp(text + len - 4, "\r\n\r\n", 4);

	conn->rcv_nxt += len;
	if (!whole || conn->snd_una != conn->end) {
		o->counts.wrong++;
		return;
	}
	conn->size = content_asked(text, len, SIZE_MOST);
	content_size(&o->content, conn->size);
	conn->begin = conn->end;
	conn->end += o->content.head_len + conn->size;
	o->counts.requests++;
	enqueue(o, conn);
}

static void on_fin(struct origin *o, struct origin_conn *conn)
{
	conn->rcv_nxt++;
	conn->state = ORIGIN_ENDED;
	send_bare(o, conn, conn->snd_nxt, RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG);
}

static void on_text(struct origin *o, struct origin_conn *conn, const struct rte_mbuf *m,
		    const struct frame *f)
{
	uint32_t offset, len = frame_payload(m, f, &offset);

	if (conn->state == ORIGIN_NONE) {
		send_bare(o, conn, rte_be_to_cpu_32(f->tcp.recv_ack), RTE_TCP_RST_FLAG);
		return;
	}
	on_ack(o, conn, f, !len);
	if (rte_be_to_cpu_32(f->tcp.sent_seq) != conn->rcv_nxt) {
		send_bare(o, conn, conn->snd_nxt, RTE_TCP_ACK_FLAG);
		return;
	}
	if (len)
		on_request(o, conn, rte_pktmbuf_mtod_offset(m, const char *, offset),
			   RTE_MIN(len, m->data_len - offset));
	if (f->tcp.tcp_flags & RTE_TCP_FIN_FLAG)
		on_fin(o, conn);
}

static void on_frame(struct origin *o, struct rte_mbuf *m)
{
	const struct frame *f = rte_pktmbuf_mtod(m, const struct frame *);
	struct origin_conn *conn;

	if (m->data_len < sizeof(*f) ||
	    f->eth.ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)) {
		wire_arp(o->wire, m, o->ip, 1, NULL);
		return;
	}
	conn = &o->conn[rte_be_to_cpu_16(f->tcp.src_port)];
	if (f->tcp.tcp_flags & RTE_TCP_RST_FLAG)
		conn->state = ORIGIN_NONE;
	else if (f->tcp.tcp_flags & RTE_TCP_SYN_FLAG)
		on_syn(o, conn, m, f);
	else if (o->known)
		on_text(o, conn, m, f);
	rte_pktmbuf_free(m);
}

bool origin_turn(struct origin *o)
{
	struct rte_mbuf *frames[WIRE_BURST];
	uint16_t n = wire_receive(o->wire, frames);
	bool sent;

	o->now = rte_rdtsc();
	for (uint16_t i = 0; i < n; i++) {
		if (i + PREFETCH_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + PREFETCH_AHEAD], void *));
		on_frame(o, frames[i]);
	}
	sent = send_queued(o);
	if (o->wire->waiting)
		wire_flush(o->wire);
	return n || sent;
}

void origin_sweep(struct origin *o)
{
	uint64_t patience = rte_get_tsc_hz() / 1000 * SILENCE_MS;

	for (uint32_t i = 0; i < o->used_count; i++) {
		struct origin_conn *conn = &o->conn[o->used[i]];

		if (conn->state == ORIGIN_OPEN && conn->snd_una != conn->end &&
		    o->now - conn->sent_tsc > patience)
			begin_again(o, conn);
	}
}

/* --- the beginning ----------------------------------------------------------------------- */

int origin_start(struct origin *o, struct wire *wire, uint32_t ip)
{
	char name[32];

	snprintf(name, sizeof(name), "refs%u", wire->port);
	*o = (struct origin){.wire = wire, .ip = ip};
	o->conn = aligned_alloc(64, ORIGIN_PORTS * sizeof(*o->conn));
	o->queue = calloc(ORIGIN_PORTS, sizeof(*o->queue));
	o->used = calloc(ORIGIN_PORTS, sizeof(*o->used));
	if (!o->conn || !o->queue || !o->used || content_create(&o->content, name)) {
		origin_stop(o);
		return -1;
	}
	memset(o->conn, 0, ORIGIN_PORTS * sizeof(*o->conn));
	return 0;
}

void origin_stop(struct origin *o)
{
	free(o->conn);
	free(o->queue);
	free(o->used);
	o->conn = NULL;
	o->queue = NULL;
	o->used = NULL;
}
