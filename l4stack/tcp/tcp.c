/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp.h"

#include <errno.h>
#include <rte_mbuf.h>

#include "l4stack/tcp/tcp_budget.h"
#include "l4stack/tcp/tcp_conn.h"
#include "l4stack/tcp/tcp_ident.h"
#include "l4stack/tcp/tcp_recvq.h"
#include "l4stack/tcp/tcp_sendq.h"
#include "l4stack/tcp/tcp_timer.h"

const char *tcp_close_reason_text(enum tcp_close_reason reason)
{
	static const char *const texts[] = {
		[TCP_CLOSED_NORMAL] = "closed",
		[TCP_CLOSED_RESET] = "reset by peer",
		[TCP_CLOSED_REFUSED] = "connection refused",
		[TCP_CLOSED_TIMEOUT] = "timed out",
		[TCP_CLOSED_UNREACHABLE] = "unreachable",
		[TCP_CLOSED_NO_MEMORY] = "out of memory",
	};

	return (size_t)reason < RTE_DIM(texts) ? texts[reason] : "unknown";
}

int tcp_conf_check(const struct tcp_conf *conf)
{
	return cc_find(conf->congestion) ? 0 : -ENOENT;
}

/* ---- opening ---- */

struct opening {
	struct stack *stack;
	struct endpoint local, remote;
	struct tcp_conn_spec spec;
	struct tcp_ident_place place;
};

static int choose_port(struct opening *o)
{
	struct tcp_proto *tcp = o->stack->tcp;

	o->local.port = o->spec.conf->local.port;
	if (o->local.port)
		return tcp_ident_port_check(tcp, &o->local, &o->remote, &o->place);
	return tcp_ident_port(tcp, &o->local, &o->remote, &o->place);
}

static int opening_make(struct opening *o, struct ip_path *path, struct tcp_conn **out)
{
	int err;

	o->local.addr = path->src;
	err = choose_port(o);
	if (err)
		return err;
	o->spec.path = path;
	o->spec.local_port = o->local.port;
	o->spec.remote_port = o->remote.port;
	o->spec.hash = o->place.hash;
	*out = tcp_conn_new(o->stack->tcp, &o->spec);
	return *out ? 0 : -ENOMEM;
}

static void syn_sent(struct tcp_conn *conn, const struct opening *o)
{
	uint32_t life_ms = o->spec.conf->connect_timeout_ms;
	struct tcp_ident ident = tcp_ident_of(conn->tcp, &o->local, &o->remote);

	if (o->place.iss_floor)
		ident.iss = o->place.iss_floor;
	conn->state = TCP_SYN_SENT;
	conn->flags |= TCP_OWNED | TCP_ACTIVE | (o->spec.conf->fast_open ? TCP_FAST_OPEN : 0);
	tcp_conn_start(conn, ident.iss, ident.ts_offset);
	tcp_timer_set(conn, TCP_TIMER_LIFE, (life_ms ? life_ms : TCP_SYN_GIVE_UP_MS) * 1000ull);
	stack_count(conn->tcp->stack, tcp_active_opens);
}

int tcp_connect(struct stack *stack, const struct endpoint *remote, const struct tcp_conf *conf,
		const struct tcp_handlers *handlers, void *user, struct tcp_conn **out)
{
	static const struct tcp_conf defaults;
	struct opening o = {
		.stack = stack,
		.remote = *remote,
		.spec.conf = conf ? conf : &defaults,
		.spec.cc_ops = cc_find(conf ? conf->congestion : NULL),
	};
	struct ip_path path;
	int err;

	if (!o.spec.cc_ops)
		return -ENOENT;
	err = ip_path_find(stack, &remote->addr, &o.spec.conf->local.addr, &path);
	if (err)
		return err;
	err = opening_make(&o, &path, out);
	if (err) {
		ip_path_release(stack, &path);
		return err;
	}
	tcp_set_handlers(*out, handlers, user);
	syn_sent(*out, &o);
	return 0;
}

void tcp_set_handlers(struct tcp_conn *conn, const struct tcp_handlers *handlers, void *user)
{
	conn->handlers = handlers;
	conn->user = user;
}

void *tcp_user(const struct tcp_conn *conn)
{
	return conn->user;
}

void tcp_endpoints(const struct tcp_conn *conn, struct endpoint *local, struct endpoint *remote)
{
	*local = tcp_local(conn);
	*remote = tcp_remote(conn);
}

/* ---- settings ---- */

int tcp_set_congestion(struct tcp_conn *conn, const char *name)
{
	const struct cc_ops *ops = cc_find(name);
	const struct cc before = conn->cc;

	if (!ops)
		return -ENOENT;
	conn->cc.ops = ops;
	if (ops == before.ops || !before.mss)
		return 0;
	cc_init(&conn->cc, ops, before.mss, false, conn->tcp->stack->now_us);
	conn->cc.cwnd = before.cwnd;
	conn->cc.ssthresh = before.ssthresh;
	return 0;
}

void tcp_set_gather(struct tcp_conn *conn, enum tcp_gather gather)
{
	conn->gather = (uint8_t)gather;
	tcp_conn_mark(conn);
}

void tcp_set_user_timeout(struct tcp_conn *conn, uint32_t timeout_ms)
{
	tcp_timer_patience(conn, timeout_ms);
}

void tcp_set_keepalive(struct tcp_conn *conn, uint32_t idle_ms, uint32_t each_ms, uint32_t probes)
{
	tcp_timer_keepalive(conn, idle_ms, each_ms, probes);
	if (tcp_state_is(conn, TCP_SYNCHRONIZED) && tcp_has(conn, TCP_IN_TABLE))
		tcp_timer_keep_start(conn);
}

void tcp_set_quick_ack(struct tcp_conn *conn, bool quick)
{
	conn->quick_acks = quick ? TCP_QUICK_ACKS : 0;
	if (quick && tcp_timer_is_set(conn, TCP_TIMER_ACK))
		tcp_conn_owe_ack(conn);
}

void tcp_set_recv_buffer(struct tcp_conn *conn, uint32_t bytes)
{
	const struct tcp_conf conf = {.recv_buffer_bytes = bytes};

	conn->recv_most = tcp_conn_recv_limit(&conf);
	conn->recv_limit = RTE_MIN(conn->recv_limit, conn->recv_most);
}

/* ---- receiving ---- */

uint32_t tcp_recv_ready(const struct tcp_conn *conn)
{
	return conn->rcv_ready;
}

bool tcp_recv_last(const struct tcp_conn *conn)
{
	return tcp_has(conn, TCP_FIN_TAKEN);
}

bool tcp_recv_ended(const struct tcp_conn *conn)
{
	return tcp_recv_last(conn) && conn->rcv_ready == 0;
}

struct rte_mbuf *tcp_recv_peek(const struct tcp_conn *conn)
{
	return conn->rcv_head;
}

struct rte_mbuf *tcp_recv(struct tcp_conn *conn, uint32_t max_bytes)
{
	struct rte_mbuf *chain;
	uint32_t before;

	if (!conn->rcv_head || max_bytes == 0)
		return NULL;
	before = conn->rcv_ready;
	chain = tcp_recvq_take(conn, max_bytes);
	tcp_budget_taken(conn, before - conn->rcv_ready);
	if (tcp_state_is(conn, TCP_CAN_RECEIVE) && !tcp_has(conn, TCP_FIN_HEARD) &&
	    tcp_recvq_update_due(conn))
		tcp_conn_owe_ack(conn);
	if (!tcp_has(conn, TCP_IN_TABLE))
		tcp_conn_check_end(conn);
	return chain;
}

/* ---- sending ---- */

static bool may_queue(const struct tcp_conn *conn)
{
	return tcp_state_is(conn, TCP_CAN_QUEUE) && !tcp_has(conn, TCP_FIN_QUEUED);
}

uint32_t tcp_send_room(const struct tcp_conn *conn)
{
	return may_queue(conn) ? tcp_budget_send_room(conn) : 0;
}

int tcp_send(struct tcp_conn *conn, struct rte_mbuf *chain)
{
	if (!may_queue(conn))
		return -EPIPE;
	tcp_sendq_append(conn, chain);
	if (tcp_may_send(conn))
		tcp_conn_mark(conn);
	return 0;
}

uint32_t tcp_send_pending(const struct tcp_conn *conn)
{
	return conn->snd_bytes;
}

/* ---- closing ---- */

void tcp_shutdown(struct tcp_conn *conn)
{
	tcp_conn_shutdown(conn);
}

static void disown(struct tcp_conn *conn)
{
	conn->flags &= ~(uint32_t)TCP_OWNED;
	conn->handlers = NULL;
	conn->events = 0;
}

/* Connections that nobody owns are finished politely as long as they are not too many. False: it
 * was reset. */
static bool become_orphan(struct tcp_conn *conn)
{
	struct tcp_proto *tcp = conn->tcp;

	if (tcp->orphans >= tcp->orphans_most) {
		stack_count(tcp->stack, tcp_orphans_reset);
		tcp_conn_reset(conn, TCP_CLOSED_RESET);
		return false;
	}
	tcp->orphans++;
	conn->flags |= TCP_ORPHANED;
	return true;
}

void tcp_close(struct tcp_conn *conn)
{
	disown(conn);
	if (!tcp_has(conn, TCP_IN_TABLE)) {
		tcp_conn_release(conn);
	} else if (conn->state == TCP_SYN_SENT) {
		tcp_conn_finish(conn, TCP_CLOSED_NORMAL); /* RFC 9293 §3.10.4 */
	} else if (conn->rcv_ready || conn->reorder) {
		tcp_conn_reset(conn, TCP_CLOSED_RESET); /* RFC 2525 §2.17 */
	} else if (become_orphan(conn)) {
		tcp_conn_shutdown(conn);
		if (conn->state == TCP_FIN_WAIT_2)
			tcp_timer_set(conn, TCP_TIMER_LIFE, TCP_FIN_WAIT_MS * 1000ull);
	}
}

/* RFC 9293 §3.10.5: not one that has ended, and was told that we have. */
static bool peer_is_to_know(const struct tcp_conn *conn)
{
	switch (conn->state) {
	case TCP_SYN_SENT:
	case TCP_TIME_WAIT:
		return false;
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return !tcp_has(conn, TCP_FIN_SENT);
	default:
		return true;
	}
}

void tcp_abort(struct tcp_conn *conn)
{
	bool tell = tcp_has(conn, TCP_IN_TABLE) && peer_is_to_know(conn);

	disown(conn);
	if (tell)
		tcp_conn_reset(conn, TCP_CLOSED_RESET);
	else if (conn->state == TCP_TIME_WAIT && tcp_has(conn, TCP_IN_TABLE))
		tcp_conn_mark(conn); /* nothing is left to abort: the flush lets it wait */
	else if (tcp_has(conn, TCP_IN_TABLE))
		tcp_conn_finish(conn, TCP_CLOSED_NORMAL);
	else
		tcp_conn_release(conn);
}
