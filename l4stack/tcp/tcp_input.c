/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_input.h"

#include <errno.h>
#include <rte_branch_prediction.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <stdlib.h>

#include "l4stack/tcp/tcp_cookie.h"
#include "l4stack/tcp/tcp_half.h"
#include "l4stack/tcp/tcp_listener.h"
#include "l4stack/tcp/tcp_lookup.h"
#include "l4stack/tcp/tcp_proto.h"
#include "l4stack/tcp/tcp_reply.h"
#include "l4stack/tcp/tcp_timewait.h"

/* §3.10.7.1 and §3.10.7.2: no connection. `iss_floor` as in tcp_listener_syn. */
static void input_no_connection(struct tcp_proto *tcp, struct tcp_seg *seg, uint32_t iss_floor)
{
	struct tcp_listener *listener = tcp_listener_find(tcp, &seg->local);
	uint16_t kind = seg->flags & (TCP_RST | TCP_ACK | TCP_SYN);
	struct tcp_conn *conn;

	if (listener && kind == TCP_SYN) {
		tcp_listener_syn(listener, seg, iss_floor);
		return;
	}
	if (listener && kind == TCP_ACK && tcp_cookie_accept(listener, seg, &conn)) {
		if (conn)
			tcp_input_synchronized(conn, seg);
		return;
	}
	stack_count(tcp->stack, tcp_no_listener);
	/* §3.10.7.2, fourth step: what is neither RST, ACK nor SYN is not answered by a listener.
	 */
	if (!listener || seg->flags & TCP_ACK)
		tcp_reply_reset(tcp, seg);
}

/* ---- whose it is ---- */

void tcp_input_conn(struct tcp_conn *conn, struct tcp_seg *seg)
{
	if (likely(tcp_input_is_usual(conn, seg))) {
		tcp_input_take_usual(conn, seg);
		return;
	}
	tcp_input_note_heard(conn);
	if (conn->state == TCP_SYN_SENT)
		tcp_input_syn_sent(conn, seg);
	else
		tcp_input_synchronized(conn, seg);
}

static void input_half(struct tcp_proto *tcp, struct tcp_half *half, struct tcp_staged *staged)
{
	struct tcp_conn *conn = tcp_half_input(tcp, half, &staged->seg);

	if (!conn)
		return;
	tcp_recent_note(&tcp->recent, staged->tag, conn);
	tcp_input_synchronized(conn, &staged->seg);
}

/* By now it may be another one, or none: segments before this one were processed. */
static uintptr_t find(struct tcp_proto *tcp, struct tcp_staged *staged)
{
	struct tcp_conn *conn = tcp_recent_find(&tcp->recent, staged->tag);
	struct tcp_seg *seg = &staged->seg;
	uintptr_t ref;

	if (likely(conn && tcp_conn_match(conn, &seg->local, &seg->remote)))
		return (uintptr_t)conn;
	if (!seg->hash)
		seg->hash = tcp_lookup_hash(tcp, &seg->local, &seg->remote);
	ref = tcp_lookup(tcp, seg->hash, &seg->local, &seg->remote);
	if (tcp_ref_is_conn(ref))
		tcp_recent_note(&tcp->recent, staged->tag, tcp_ref_conn(ref));
	return ref;
}

static void input_segment(struct tcp_proto *tcp, struct tcp_staged *staged)
{
	struct tcp_seg *seg = &staged->seg;
	uintptr_t ref = find(tcp, staged);
	uint32_t iss_floor = 0;

	if (likely(tcp_ref_is_conn(ref)))
		tcp_input_conn(tcp_ref_conn(ref), seg);
	else if (tcp_ref_is_half(ref))
		input_half(tcp, tcp_ref_half(ref), staged);
	else if (!ref || tcp_timewait_input(tcp, tcp_ref_timewait(ref), seg, &iss_floor))
		input_no_connection(tcp, seg, iss_floor);
	if (unlikely(seg->pkt))
		rte_pktmbuf_free(seg->pkt);
}

/* ---- in steps, so that memory has time to come: first the slots of the table, then what stands in
 * them, then the work ---- */

/* What an ACK frees: where it is the connection tells, which has come meanwhile. */
static void prefetch_sent(const struct tcp_proto *tcp, const struct tcp_staged *staged)
{
	const struct tcp_conn *conn = tcp_recent_find(&tcp->recent, staged->tag);

	if (unlikely(!conn))
		return;
	rte_prefetch0(conn->snd_head);
	rte_prefetch0(conn->sent.first);
}

void tcp_input_staged(struct tcp_proto *tcp)
{
	struct tcp_input_stage *stage = tcp->stage;
	uint32_t n = stage->n;

	stage->n = 0;
	stage->tags = 0;
	for (uint32_t i = 0; i < n; i++)
		if (stage->segments[i].seg.hash)
			tcp_lookup_prefetch(tcp, stage->segments[i].seg.hash);
	for (uint32_t i = 0; i < n; i++) {
		if (i + 1 < n)
			prefetch_sent(tcp, &stage->segments[i + 1]);
		input_segment(tcp, &stage->segments[i]);
	}
}

static void prepare(struct tcp_proto *tcp, struct tcp_staged *staged)
{
	const struct endpoint *local = &staged->seg.local, *remote = &staged->seg.remote;
	const struct tcp_conn *conn = tcp_recent_find(&tcp->recent, staged->tag);

	staged->seg.hash = 0;
	if (likely(conn)) {
		tcp_conn_prefetch(conn);
		return;
	}
	staged->seg.hash = tcp_lookup_hash(tcp, local, remote);
	tcp_table_prefetch(&tcp->table, staged->seg.hash);
}

/* The next of the stage is filled. */
static void stage_next(struct tcp_proto *tcp, uint64_t tag)
{
	struct tcp_input_stage *stage = tcp->stage;
	struct tcp_staged *staged = &stage->segments[stage->n];

	staged->tag = tag;
	stage->tags |= tcp_input_tag_bit(tag);
	prepare(tcp, staged);
	if (++stage->n == TCP_STAGE_MOST)
		tcp_input_staged(tcp);
}

void tcp_input_stage(struct tcp_proto *tcp, uint64_t tag, const struct tcp_seg *seg)
{
	tcp->stage->segments[tcp->stage->n].seg = *seg;
	stage_next(tcp, tag);
}

void tcp_proto_input(struct tcp_proto *tcp, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	struct tcp_seg *seg = &tcp->stage->segments[tcp->stage->n].seg;

	if (unlikely(!tcp_seg_parse(rx, pkt, seg))) {
		stack_drop(tcp->stack, seg->pkt, COUNTER_tcp_bad_header);
		return;
	}
	stack_count(tcp->stack, tcp_segments_in);
	stage_next(tcp, tcp_recent_tag(&seg->local.addr, seg->local.port, &seg->remote.addr,
				       seg->remote.port));
}

int tcp_input_create(struct tcp_proto *tcp)
{
	tcp->stage = calloc(1, sizeof(*tcp->stage));
	return tcp->stage ? 0 : -ENOMEM;
}

void tcp_input_destroy(struct tcp_proto *tcp)
{
	if (!tcp->stage)
		return;
	for (uint32_t i = 0; i < tcp->stage->n; i++)
		rte_pktmbuf_free(tcp->stage->segments[i].seg.pkt);
	free(tcp->stage);
}
