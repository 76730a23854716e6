/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events up: the only place where an owner's handlers are called. A handler may call any
 * function of tcp.h on any connection, its own included, so that everything is looked at
 * again after each call.
 */
#include <rte_branch_prediction.h>

#include "l4stack/tcp/tcp_conn.h"
#include "l4stack/tcp/tcp_input.h"
#include "l4stack/tcp/tcp_proto.h"

static bool take_event(struct tcp_conn *conn, enum tcp_event event)
{
	if (!(conn->events & event) || !tcp_has(conn, TCP_OWNED))
		return false;
	conn->events &= (uint8_t)~event;
	return true;
}

/* The listener's owner gives the connection its handlers, or does not want it. */
static void deliver_accept(struct tcp_conn *conn)
{
	struct tcp_listener *listener = conn->listener;

	if (!(conn->events & TCP_EVENT_ACCEPT) || !tcp_has(conn, TCP_PASSIVE))
		return;
	conn->events &= (uint8_t)~TCP_EVENT_ACCEPT;
	tcp_conn_leave_backlog(conn);
	conn->flags = (conn->flags & ~(uint32_t)TCP_PASSIVE) | TCP_OWNED;
	stack_count(conn->tcp->stack, tcp_passive_opens);
	if (listener->handlers->accepted)
		listener->handlers->accepted(conn, listener->user);
	if (tcp_has(conn, TCP_OWNED) && !conn->handlers)
		tcp_abort(conn);
}

static void deliver_closed(struct tcp_conn *conn)
{
	if (!take_event(conn, TCP_EVENT_CLOSED))
		return;
	if (conn->handlers && conn->handlers->closed)
		conn->handlers->closed(conn, conn->user, conn->close_reason);
	/* Unless the handler has closed it, which it may. */
	if (tcp_has(conn, TCP_OWNED))
		tcp_conn_release(conn);
}

static bool deliver_readable(struct tcp_conn *conn)
{
	if (!take_event(conn, TCP_EVENT_READABLE) || !conn->handlers || !conn->handlers->readable)
		return false;
	conn->handlers->readable(conn, conn->user);
	return true;
}

/* Who hears both with one function is called once, unless it has handed the connection on. */
static void deliver_data(struct tcp_conn *conn)
{
	const struct tcp_handlers *handlers = conn->handlers;
	const void *user = conn->user;
	bool heard = deliver_readable(conn) && conn->handlers == handlers && conn->user == user &&
		     handlers->readable == handlers->writable;

	if (take_event(conn, TCP_EVENT_WRITABLE) && !heard && conn->handlers &&
	    conn->handlers->writable)
		conn->handlers->writable(conn, conn->user);
}

static void deliver(struct tcp_conn *conn)
{
	if (unlikely(conn->events & (TCP_EVENT_ACCEPT | TCP_EVENT_OPENED))) {
		deliver_accept(conn);
		if (take_event(conn, TCP_EVENT_OPENED) && conn->handlers && conn->handlers->opened)
			conn->handlers->opened(conn, conn->user);
	}
	deliver_data(conn);
	if (unlikely(conn->events & TCP_EVENT_CLOSED))
		deliver_closed(conn);
}

void tcp_proto_deliver(struct tcp_proto *tcp)
{
	struct tcp_conn_list batch;
	struct tcp_conn *conn;

	tcp_input_staged(tcp);
	batch = tcp_conn_list_steal(&tcp->deliver);
	while ((conn = tcp_conn_take_deliver(&batch))) {
		deliver(conn);
		tcp_conn_done(conn);
	}
}
