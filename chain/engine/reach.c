/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/engine/origin.h"

/* --- connecting ------------------------------------------------------------------ */

/* Every server that was tried is remembered, so that the next one is another. */
uint32_t reach_next(struct engine *engine, const struct reach *reach)
{
	const struct upstream_group *group = upstreams_group(engine->env.upstreams, reach->group);

	if (!group || reach->tries >= REACH_TRIES_MAX ||
	    reach->tries > __atomic_load_n(&group->retries, __ATOMIC_RELAXED))
		return UPSTREAM_NONE;
	return chooser_next(&engine->chooser, reach->group, reach->tried, reach->tries);
}

bool reach_open(struct engine *engine, struct reach *reach, uint32_t server,
		const struct reach_how *how, const struct upstream_user_ops *ops, void *user)
{
	reach->server = server;
	reach->gone = false;
	reach->asked_us = engine->timers.now_us;
	reach->active = true;
	if (!pool_open(engine->pool, server, how->fresh, how->connect_ms, ops, user, &reach->conn))
		return true;
	reach->conn = NULL;
	reach_inactive(engine, reach);
	reach_failed(engine, reach);
	engine_count(engine, origin_connect_failed);
	return false;
}

bool reach_connect(struct engine *engine, struct reach *reach, uint32_t server,
		   const struct upstream_user_ops *ops, void *user)
{
	struct reach_how how = {.fresh = reach->fresh};

	for (; server != UPSTREAM_NONE; server = reach_next(engine, reach)) {
		if (reach->tries < REACH_TRIES_MAX)
			reach->tried[reach->tries++] = server;
		upstreams_begin(engine->env.upstreams, server);
		if (reach_open(engine, reach, server, &how, ops, user))
			return true;
	}
	return false;
}

void reach_failed(const struct engine *engine, const struct reach *reach)
{
	upstreams_failure(engine->env.upstreams, reach->server, engine->timers.now_us);
}

void reach_inactive(struct engine *engine, struct reach *reach)
{
	if (!reach->active)
		return;
	upstreams_end(engine->env.upstreams, reach->server);
	reach->active = false;
	line_wake(engine, reach->group);
}

/* --- its connection -------------------------------------------------------------- */

struct source reach_source(const struct engine *engine, struct reach *reach)
{
	return (struct source){.conn = reach->conn ? reach->conn->tcp : NULL,
			       .rest = &reach->rest,
			       .ref = engine->env.ref,
			       .ended = reach->ended};
}

void reach_closed(struct reach *reach, struct upstream_conn *conn, enum tcp_close_reason reason)
{
	reach->ended = reason == TCP_CLOSED_NORMAL;
	reach->unacked = tcp_send_pending(conn->tcp);
	reach->reused = conn->reused;
	reach->gone = true;
	reach->rest = payload_of(tcp_recv(conn->tcp, UINT32_MAX));
	reach->conn = NULL;
}

void reach_abort(struct reach *reach)
{
	if (!reach->conn)
		return;
	reach->unacked = tcp_send_pending(reach->conn->tcp);
	pool_abort(reach->conn);
	reach->conn = NULL;
}

static bool can_be_kept(const struct engine *engine, const struct tcp_conn *conn)
{
	return !engine->draining && !tcp_recv_ready(conn) && !tcp_recv_ended(conn);
}

void reach_release(struct engine *engine, struct reach *reach, bool complete, bool reusable)
{
	struct upstream_conn *conn = reach->conn;

	reach_inactive(engine, reach);
	payload_free(&reach->rest);
	reach->conn = NULL;
	if (!conn)
		return;
	if (complete && reusable && can_be_kept(engine, conn->tcp))
		pool_keep(conn);
	else if (complete)
		pool_close(conn);
	else
		pool_abort(conn);
}
