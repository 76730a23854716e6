/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_conn.h"

#include <rte_common.h>
#include <rte_mbuf.h>
#include <stdlib.h>

#include "l4stack/tcp/tcp_ecn.h"
#include "l4stack/tcp/tcp_fast.h"
#include "l4stack/tcp/tcp_mtu.h"
#include "l4stack/tcp/tcp_recvq.h"
#include "l4stack/tcp/tcp_reorder.h"
#include "l4stack/tcp/tcp_segment.h"
#include "l4stack/tcp/tcp_sendq.h"
#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_timer.h"

#define RECV_LIMIT_MAX (1u << 30)

const struct tcp_state_info tcp_state_table[TCP_STATES] = {
	[TCP_FREE] = {"FREE", 0},
	[TCP_CLOSED] = {"CLOSED", 0},
	[TCP_SYN_SENT] = {"SYN-SENT", TCP_OPENING | TCP_CAN_QUEUE},
	[TCP_SYN_RECEIVED] = {"SYN-RECEIVED", TCP_OPENING | TCP_CAN_QUEUE},
	[TCP_ESTABLISHED] = {"ESTABLISHED",
			     TCP_SYNCHRONIZED | TCP_CAN_RECEIVE | TCP_CAN_SEND | TCP_CAN_QUEUE},
	[TCP_FIN_WAIT_1] = {"FIN-WAIT-1",
			    TCP_SYNCHRONIZED | TCP_CAN_RECEIVE | TCP_CAN_SEND | TCP_SENT_FIN},
	[TCP_FIN_WAIT_2] = {"FIN-WAIT-2", TCP_SYNCHRONIZED | TCP_CAN_RECEIVE | TCP_SENT_FIN},
	[TCP_CLOSE_WAIT] = {"CLOSE-WAIT", TCP_SYNCHRONIZED | TCP_CAN_SEND | TCP_CAN_QUEUE},
	[TCP_CLOSING] = {"CLOSING", TCP_SYNCHRONIZED | TCP_CAN_SEND | TCP_SENT_FIN},
	[TCP_LAST_ACK] = {"LAST-ACK", TCP_SYNCHRONIZED | TCP_CAN_SEND | TCP_SENT_FIN},
	[TCP_TIME_WAIT] = {"TIME-WAIT", TCP_SYNCHRONIZED | TCP_SENT_FIN},
};

/* ---- birth ---- */

uint32_t tcp_conn_recv_limit(const struct tcp_conf *conf)
{
	uint32_t recv = conf->recv_buffer_bytes ? conf->recv_buffer_bytes : TCP_BUFFER_BYTES;

	return RTE_MIN(RTE_MAX(recv, TCP_RECV_LIMIT_MIN), RECV_LIMIT_MAX);
}

static void take_conf(struct tcp_conn *conn, const struct tcp_conf *conf)
{
	uint32_t begin = conf->recv_begin_bytes;

	conn->recv_most = tcp_conn_recv_limit(conf);
	begin = begin ? RTE_MAX(begin, TCP_RECV_LIMIT_MIN) : TCP_RECV_BEGIN;
	conn->recv_limit = RTE_MIN(conn->recv_most, begin);
	conn->send_limit = conf->send_buffer_bytes ? conf->send_buffer_bytes : TCP_BUFFER_BYTES;
	conn->rcv_wscale = tcp_recvq_wscale(conn->recv_most);
	conn->gather = (uint8_t)conf->gather;
	conn->mss_most = conf->mss_most;
	conn->trust_path = conf->trust_path;
	tcp_timer_patience(conn, conf->user_timeout_ms);
	tcp_timer_keepalive(conn, conf->keepalive_ms, conf->keepalive_each_ms,
			    conf->keepalive_probes);
	tcp_ecn_init(conn, conf->ecn);
}

struct tcp_conn *tcp_conn_new(struct tcp_proto *tcp, const struct tcp_conn_spec *spec)
{
	struct tcp_conn *conn = tcp_slab_alloc(&tcp->conns);

	if (!conn)
		return NULL;
	if (spec->instead_of) {
		tcp_table_replace(&tcp->table, spec->hash, spec->instead_of, (uintptr_t)conn);
	} else if (tcp_table_insert(&tcp->table, spec->hash, (uintptr_t)conn)) {
		tcp_slab_free(&tcp->conns, conn);
		return NULL;
	}
	conn->tcp = tcp;
	conn->path = *spec->path;
	conn->local_port = spec->local_port;
	conn->remote_port = spec->remote_port;
	conn->hash = spec->hash;
	conn->born_s = (uint32_t)(tcp->stack->now_us / 1000000);
	conn->state = TCP_CLOSED;
	conn->flags = TCP_IN_TABLE | TCP_USE_TS | TCP_USE_SACK | TCP_USE_WSCALE;
	conn->cc.ops = spec->cc_ops;
	take_conf(conn, spec->conf);
	tcp_mtu_begin(conn);
	tcp_scoreboard_init(&conn->sent, &tcp->runs);
	tcp_timer_init(conn);
	return conn;
}

void tcp_conn_start(struct tcp_conn *conn, uint32_t iss, uint32_t ts_offset)
{
	conn->iss = iss;
	conn->snd_una = conn->snd_nxt = conn->snd_max = iss;
	conn->recover = conn->ecn_end = conn->short_end = conn->used_end = iss;
	tcp_rack_init(&conn->rack, iss);
	conn->ts_offset = ts_offset;
	conn->flags |= TCP_SYN_NOW;
	tcp_rto_init(&conn->rto);
	tcp_conn_mark(conn);
}

static void agree(struct tcp_conn *conn, uint32_t flag, const struct tcp_seg *syn, uint32_t option)
{
	if (!(syn->options.present & option))
		conn->flags &= ~flag;
}

void tcp_conn_take_syn(struct tcp_conn *conn, const struct tcp_seg *syn)
{
	const struct tcp_options *options = &syn->options;

	agree(conn, TCP_USE_WSCALE, syn, TCP_OPT_WSCALE);
	agree(conn, TCP_USE_TS, syn, TCP_OPT_TS);
	agree(conn, TCP_USE_SACK, syn, TCP_OPT_SACK_OK);
	conn->irs = syn->seq;
	conn->rcv_nxt = conn->rcv_acked = syn->seq + 1;
	conn->rcv_edge = seq_max(conn->rcv_nxt + conn->rcv_edge, conn->rcv_nxt);
	conn->peer_mss = options->present & TCP_OPT_MSS ? options->mss : TCP_MSS_DEFAULT;
	if (tcp_has(conn, TCP_USE_WSCALE))
		conn->snd_wscale = options->wscale;
	else
		conn->rcv_wscale = 0;
	if (tcp_has(conn, TCP_USE_TS)) {
		conn->ts_recent = options->tsval;
		conn->ts_recent_s = tcp_now_s(conn->tcp);
	}
	tcp_ecn_take_syn(conn, syn);
	/* RFC 7323 §2.2: the window of a SYN is not scaled. */
	conn->snd_wnd = conn->snd_wnd_max = syn->window;
	conn->snd_wl1 = syn->seq;
	conn->snd_wl2 = syn->ack;
}

uint16_t tcp_conn_mss_of(const struct tcp_conn *conn, uint16_t mtu)
{
	uint32_t most = tcp_recvq_mtu_mss(conn->path.src.family, mtu, conn->mss_most);
	uint32_t mss = RTE_MIN((uint32_t)conn->peer_mss, most);
	uint32_t options = tcp_has(conn, TCP_USE_TS) ? TCP_OPTIONS_TS_BYTES : 0;

	return (uint16_t)(RTE_MAX(mss, (uint32_t)TCP_MSS_FLOOR) - options);
}

void tcp_conn_set_mss(struct tcp_conn *conn)
{
	conn->mss = tcp_conn_mss_of(conn, conn->path.mtu);
	if (conn->cc.mss)
		cc_set_mss(&conn->cc, conn->mss);
}

void tcp_conn_begin(struct tcp_conn *conn)
{
	tcp_conn_set_mss(conn);
	cc_init(&conn->cc, conn->cc.ops, conn->mss, tcp_has(conn, TCP_SYN_RESENT),
		conn->tcp->stack->now_us);
}

void tcp_conn_established(struct tcp_conn *conn)
{
	bool resent_syn = tcp_has(conn, TCP_SYN_RESENT);

	conn->state = TCP_ESTABLISHED;
	conn->flags &= ~(uint32_t)TCP_SYN_NOW;
	conn->retries = 0;
	conn->quick_acks = TCP_QUICK_ACKS;
	conn->rcv_mss = TCP_MSS_DEFAULT;
	conn->rcv_taken_us = (uint32_t)conn->tcp->stack->now_us;
	conn->last_sent_ms = tcp_now_ms(conn->tcp); /* nobody has been idle yet */
	tcp_timer_clear(conn, TCP_TIMER_LIFE);
	tcp_timer_clear(conn, TCP_TIMER_RETRANSMIT);
	tcp_fast_done(conn);
	if (!conn->cc.mss)
		tcp_conn_begin(conn);
	/* RFC 6298 §5.7: the SYN timed out, and no time stamp told the round trip. */
	if (resent_syn && !tcp_rto_srtt_us(&conn->rto))
		conn->rto.rto_us = TCP_RTO_AFTER_SYN_US;
	tcp_timer_keep_start(conn);
	if (tcp_has(conn, TCP_FIN_QUEUED))
		tcp_conn_shutdown(conn);
	tcp_conn_mark(conn);
}

void tcp_conn_shutdown(struct tcp_conn *conn)
{
	switch (conn->state) {
	case TCP_SYN_SENT:
	case TCP_SYN_RECEIVED:
		conn->flags |= TCP_FIN_QUEUED;
		break;
	case TCP_ESTABLISHED:
		conn->state = TCP_FIN_WAIT_1;
		break;
	case TCP_CLOSE_WAIT:
		conn->state = TCP_LAST_ACK;
		break;
	default:
		return;
	}
	tcp_conn_mark(conn);
}

/* ---- lists ---- */

void tcp_conn_list_init(struct tcp_conn_list *list)
{
	list->head = NULL;
	list->tail = &list->head;
}

struct tcp_conn_list tcp_conn_list_steal(struct tcp_conn_list *list)
{
	struct tcp_conn_list stolen = *list;

	tcp_conn_list_init(list);
	return stolen;
}

void tcp_conn_list_append(struct tcp_conn_list *list, const struct tcp_conn_list *more)
{
	if (!more->head)
		return;
	*list->tail = more->head;
	list->tail = more->tail;
}

struct tcp_conn *tcp_conn_take_deliver(struct tcp_conn_list *list)
{
	struct tcp_conn *conn = list->head;

	if (!conn)
		return NULL;
	list->head = conn->deliver_next;
	if (list->head)
		tcp_conn_prefetch(list->head);
	conn->flags = (conn->flags & ~(uint32_t)TCP_ON_DELIVER) | TCP_BUSY;
	return conn;
}

/* ---- death ---- */

void tcp_conn_leave_backlog(struct tcp_conn *conn)
{
	if (!conn->backlog_link)
		return;
	*conn->backlog_link = conn->backlog_next;
	if (conn->backlog_next)
		conn->backlog_next->backlog_link = conn->backlog_link;
	conn->backlog_link = NULL;
	conn->listener->backlog_count--;
}

static void forget_recent(struct tcp_conn *conn)
{
	uint64_t tag = tcp_recent_tag(&conn->path.src, conn->local_port, &conn->path.dst,
				      conn->remote_port);

	tcp_recent_forget(&conn->tcp->recent, tag, conn);
}

void tcp_conn_detach(struct tcp_conn *conn)
{
	forget_recent(conn);
	if (tcp_has(conn, TCP_IN_TABLE))
		tcp_table_remove(&conn->tcp->table, conn->hash, (uintptr_t)conn);
	conn->flags &= ~(uint32_t)(TCP_IN_TABLE | TCP_SYN_NOW | TCP_PROBE_NOW | TCP_KEEP_NOW |
				   TCP_RESEND_NOW | TCP_RECOVERY);
	conn->acks_owed = 0;
	if (tcp_has(conn, TCP_ORPHANED))
		conn->tcp->orphans--;
	conn->flags &= ~(uint32_t)TCP_ORPHANED;
	tcp_fast_done(conn);
	tcp_conn_leave_backlog(conn);
	tcp_timer_stop_all(conn);
	tcp_sendq_free(conn);
	tcp_reorder_free(conn);
	tcp_scoreboard_clear(&conn->sent);
}

static void count_end(const struct tcp_conn *conn, enum tcp_close_reason reason)
{
	struct stack *stack = conn->tcp->stack;

	if (tcp_state_is(conn, TCP_OPENING))
		stack_count(stack, tcp_attempt_fails);
	else if (reason == TCP_CLOSED_RESET && tcp_state_is(conn, TCP_SYNCHRONIZED))
		stack_count(stack, tcp_estab_resets);
	if (reason == TCP_CLOSED_TIMEOUT)
		stack_count(stack, tcp_timeouts);
	if (reason == TCP_CLOSED_NO_MEMORY)
		stack_count(stack, tcp_aborted_no_memory);
}

void tcp_conn_check_end(struct tcp_conn *conn)
{
	if (tcp_has(conn, TCP_IN_TABLE) || conn->close_reason != TCP_CLOSED_NORMAL)
		return;
	if (conn->rcv_ready == 0)
		tcp_conn_event(conn, TCP_EVENT_CLOSED);
}

void tcp_conn_finish(struct tcp_conn *conn, enum tcp_close_reason reason)
{
	count_end(conn, reason);
	tcp_conn_detach(conn);
	conn->state = TCP_CLOSED;
	conn->close_reason = (uint8_t)reason;
	if (!tcp_has(conn, TCP_OWNED))
		tcp_conn_release(conn);
	else if (reason == TCP_CLOSED_NORMAL)
		tcp_conn_check_end(conn);
	else
		tcp_conn_event(conn, TCP_EVENT_CLOSED);
}

void tcp_conn_reset(struct tcp_conn *conn, enum tcp_close_reason reason)
{
	conn->flags |= TCP_RESET_NOW;
	tcp_conn_mark(conn);
	tcp_conn_finish(conn, reason);
}

void tcp_conn_release(struct tcp_conn *conn)
{
	conn->flags = (conn->flags & ~(uint32_t)(TCP_OWNED | TCP_PASSIVE)) | TCP_RELEASED;
	conn->events = 0;
	if (!tcp_has(conn, TCP_BUSY | TCP_ON_FLUSH | TCP_ON_DELIVER))
		tcp_conn_free(conn);
}

/* What was taken out of the table is bare already, but for what its last flush may have set. */
void tcp_conn_free(struct tcp_conn *conn)
{
	if (tcp_has(conn, TCP_IN_TABLE))
		tcp_conn_detach(conn);
	else
		tcp_timer_stop_all(conn);
	tcp_recvq_free(conn);
	ip_path_release(conn->tcp->stack, &conn->path);
	conn->state = TCP_FREE;
	tcp_slab_free(&conn->tcp->conns, conn);
}
