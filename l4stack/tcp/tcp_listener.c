/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_listener.h"

#include <errno.h>
#include <rte_common.h>
#include <stdlib.h>

#include "l4stack/ip/ip_layer.h"
#include "l4stack/tcp/tcp_budget.h"
#include "l4stack/tcp/tcp_cookie.h"
#include "l4stack/tcp/tcp_fast.h"
#include "l4stack/tcp/tcp_half.h"
#include "l4stack/tcp/tcp_ident.h"
#include "l4stack/tcp/tcp_recvq.h"
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

static uint32_t recv_limit(const struct tcp_listener *listener)
{
	return tcp_conn_recv_limit(&listener->conf);
}

uint16_t tcp_listener_window(const struct tcp_listener *listener)
{
	uint32_t limit = recv_limit(listener);

	return (uint16_t)RTE_MIN(limit, (uint32_t)listener->tcp->syn_window);
}

uint8_t tcp_listener_wscale(const struct tcp_listener *listener)
{
	return tcp_recvq_wscale(recv_limit(listener));
}

static bool has_place(const struct tcp_listener *listener)
{
	const struct tcp_proto *tcp = listener->tcp;

	return listener->backlog_count < TCP_SYN_BACKLOG && tcp->conns.used < tcp->conns.most;
}

/* New connections are the first to be refused when memory is short: by their SYN. One whose SYN was
 * answered has been promised to the peer. */
static bool may_open(const struct tcp_listener *listener)
{
	const struct tcp_proto *tcp = listener->tcp;

	return has_place(listener) && !tcp_budget_recv_above(tcp, 6) &&
	       tcp->send_held_bytes < tcp->share_bytes / 8 * 6;
}

struct tcp_conn *tcp_listener_conn(struct tcp_listener *listener, const struct tcp_seg *syn,
				   uint64_t hash, uintptr_t ref)
{
	struct tcp_proto *tcp = listener->tcp;
	struct ip_path path;
	struct tcp_conn_spec spec = {
		.path = &path,
		.local_port = syn->local.port,
		.remote_port = syn->remote.port,
		.hash = hash,
		.instead_of = ref,
		.conf = &listener->conf,
		.cc_ops = listener->cc_ops,
	};
	struct tcp_conn *conn;

	if (!has_place(listener) ||
	    ip_path_find(tcp->stack, &syn->remote.addr, &syn->local.addr, &path))
		return NULL;
	conn = tcp_conn_new(tcp, &spec);
	if (!conn) {
		ip_path_release(tcp->stack, &path);
		return NULL;
	}
	conn->state = TCP_SYN_RECEIVED;
	conn->flags |= TCP_PASSIVE;
	join_backlog(listener, conn);
	return conn;
}

static bool keep(struct tcp_listener *listener, struct tcp_seg *syn, const struct tcp_ident *ident)
{
	return tcp_fast_open(listener, syn, ident) ||
	       (listener->half_count < TCP_SYN_BACKLOG && tcp_half_open(listener, syn, ident));
}

static void answer(struct tcp_listener *listener, struct tcp_seg *syn, uint32_t iss_floor)
{
	struct tcp_ident ident = tcp_ident_of(listener->tcp, &syn->local, &syn->remote);

	if (iss_floor)
		ident.iss = iss_floor;
	if (!keep(listener, syn, &ident))
		tcp_cookie_answer(listener, syn, ident.ts_offset);
}

/* RFC 9293 §3.10.7.2, third step. Text that comes with the SYN is taken by
 * tcp_fast_open only; otherwise it is sent again. */
void tcp_listener_syn(struct tcp_listener *listener, struct tcp_seg *syn, uint32_t iss_floor)
{
	struct stack *stack = listener->tcp->stack;

	stack_count(stack, tcp_syns_in);
	if (may_open(listener))
		answer(listener, syn, iss_floor);
	else
		stack_count(stack, tcp_syn_drops);
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

/* What was answered keeps the shift of its window (tcp_half.h); cookies do not carry it. */
void tcp_relisten(struct tcp_listener *listener, const struct tcp_conf *conf)
{
	const struct cc_ops *ops = cc_find(conf->congestion);
	uint8_t before = tcp_listener_wscale(listener);

	listener->conf = *conf;
	if (ops)
		listener->cc_ops = ops;
	if (tcp_listener_wscale(listener) != before)
		listener->cookies_until_us = 0;
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
	tcp_half_unlisten(listener);
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
