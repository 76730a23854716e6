/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_listener.h"

#include <errno.h>
#include <stdlib.h>

#include "l4stack/ip/ip_layer.h"
#include "l4stack/tcp/tcp_ident.h"
#include "l4stack/tcp/tcp_lookup.h"
#include "l4stack/tcp/tcp_segment.h"
#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_timer.h"

#define BUCKETS (sizeof(((struct tcp_proto *)0)->listeners) / sizeof(struct tcp_listener *))

static bool is_any(const struct addr *addr)
{
	const struct addr zero = {.family = addr->family};

	return addr_equal(addr, &zero);
}

static struct tcp_listener **bucket_of(struct tcp_proto *tcp, uint16_t port)
{
	return &tcp->listeners[port % BUCKETS];
}

static struct tcp_listener *find_exact(const struct tcp_proto *tcp, const struct addr *addr,
				       uint16_t port)
{
	struct tcp_listener *l = tcp->listeners[port % BUCKETS];

	while (l && (l->local.port != port || !addr_equal(&l->local.addr, addr)))
		l = l->next;
	return l;
}

struct tcp_listener *tcp_listener_find(const struct tcp_proto *tcp, const struct endpoint *local)
{
	const struct addr any = {.family = local->addr.family};
	struct tcp_listener *l = find_exact(tcp, &local->addr, local->port);

	return l ? l : find_exact(tcp, &any, local->port);
}

bool tcp_listener_on_port(const struct tcp_proto *tcp, uint16_t port)
{
	const struct tcp_listener *l = tcp->listeners[port % BUCKETS];

	while (l && l->local.port != port)
		l = l->next;
	return l;
}

/* ---- passive opens ---- */

static void join_backlog(struct tcp_listener *listener, struct tcp_conn *conn)
{
	conn->listener = listener;
	conn->backlog_next = listener->backlog;
	conn->backlog_link = &listener->backlog;
	if (conn->backlog_next)
		conn->backlog_next->backlog_link = &conn->backlog_next;
	listener->backlog = conn;
	listener->backlog_count++;
}

/* New connections are the first to be refused when room is short. */
static bool may_open(const struct tcp_listener *listener)
{
	const struct tcp_proto *tcp = listener->tcp;
	uint64_t most = tcp->share_bytes / 4 * 3;

	return listener->backlog_count < TCP_SYN_BACKLOG && tcp->recv_held_bytes < most &&
	       tcp->send_held_bytes < most;
}

static struct tcp_conn *conn_make(struct tcp_listener *listener, const struct tcp_seg *syn)
{
	struct tcp_proto *tcp = listener->tcp;
	struct ip_path path;
	struct tcp_conn_spec spec = {
		.path = &path,
		.local_port = syn->local.port,
		.remote_port = syn->remote.port,
		.conf = &listener->conf,
		.cc_ops = listener->cc_ops,
	};
	struct tcp_conn *conn;

	if (!may_open(listener) ||
	    ip_path_find(tcp->stack, &syn->remote.addr, &syn->local.addr, &path))
		return NULL;
	spec.hash = tcp_lookup_hash(tcp, &syn->local, &syn->remote);
	conn = tcp_conn_new(tcp, &spec);
	if (!conn)
		ip_path_release(tcp->stack, &path);
	return conn;
}

/* RFC 9293 §3.10.7.2, third step. Text that comes with the SYN is not taken: it is sent again. */
void tcp_listener_syn(struct tcp_listener *listener, const struct tcp_seg *syn, uint32_t iss_floor)
{
	struct tcp_proto *tcp = listener->tcp;
	struct tcp_conn *conn = conn_make(listener, syn);

	stack_count(tcp->stack, tcp_syns_in);
	if (!conn) {
		stack_count(tcp->stack, tcp_syn_drops);
		return;
	}
	conn->state = TCP_SYN_RECEIVED;
	conn->flags |= TCP_PASSIVE;
	join_backlog(listener, conn);
	tcp_conn_take_syn(conn, syn);
	tcp_conn_start(conn, iss_floor ? iss_floor : tcp_ident_isn(tcp, &syn->local, &syn->remote));
	tcp_timer_set(conn, TCP_TIMER_LIFE, TCP_HALF_OPEN_MS * 1000ull);
}

/* ---- the owner's side ---- */

static int listener_check(struct stack *stack, const struct endpoint *local)
{
	if (local->port == 0 || local->addr.family == ADDR_NONE)
		return -EINVAL;
	if (!is_any(&local->addr) && !ip_address_is_ours(stack, &local->addr))
		return -EADDRNOTAVAIL;
	return find_exact(stack->tcp, &local->addr, local->port) ? -EADDRINUSE : 0;
}

int tcp_listen(struct stack *stack, const struct endpoint *local, const struct tcp_conf *conf,
	       const struct tcp_listen_handlers *handlers, void *user, struct tcp_listener **out)
{
	const struct cc_ops *ops = cc_find(conf ? conf->congestion : NULL);
	struct tcp_listener *listener, **bucket = bucket_of(stack->tcp, local->port);
	int err = listener_check(stack, local);

	if (err)
		return err;
	if (!ops)
		return -ENOENT;
	listener = calloc(1, sizeof(*listener));
	if (!listener)
		return -ENOMEM;
	listener->tcp = stack->tcp;
	listener->local = *local;
	listener->handlers = handlers;
	listener->user = user;
	listener->cc_ops = ops;
	if (conf)
		listener->conf = *conf;
	listener->next = *bucket;
	*bucket = listener;
	*out = listener;
	return 0;
}

static void unlink_listener(struct tcp_listener *listener)
{
	struct tcp_listener **link = bucket_of(listener->tcp, listener->local.port);

	while (*link != listener)
		link = &(*link)->next;
	*link = listener->next;
}

void tcp_unlisten(struct tcp_listener *listener)
{
	unlink_listener(listener);
	while (listener->backlog)
		tcp_conn_reset(listener->backlog, TCP_CLOSED_RESET);
	free(listener);
}

void tcp_listener_destroy_all(struct tcp_proto *tcp)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		while (tcp->listeners[i]) {
			struct tcp_listener *listener = tcp->listeners[i];

			tcp->listeners[i] = listener->next;
			free(listener);
		}
	}
}
