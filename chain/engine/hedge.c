/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hedging: a request that is not answered for a while is sent to a second server too, and the first
 * to answer is taken; the other one hears no more of it. Only for requests that may be repeated and
 * have no body, once for each exchange, and within the bounds that retries have.
 *
 * The rival's events only make the exchange ready. Until one of the two says something the exchange
 * stays in PHASE_WAIT; then the rival either becomes `origin` or is dropped.
 */
#include "chain/engine/body.h"
#include "chain/engine/exchange.h"
#include "chain/engine/origin.h"

static void on_event(struct upstream_conn *conn, void *user)
{
	(void)conn;
	exchange_ready(user);
}

static void inactive(struct exchange *x)
{
	if (x->rival.active)
		upstreams_end(x->engine->env.upstreams, x->rival.server);
	x->rival.active = false;
}

/* What it had said is not needed: the first one still may. */
static void on_closed(struct upstream_conn *conn, void *user, enum tcp_close_reason reason)
{
	struct exchange *x = user;

	(void)conn;
	(void)reason;
	upstreams_failure(x->engine->env.upstreams, x->rival.server, x->engine->timers.now_us);
	inactive(x);
	x->rival.conn = NULL;
}

static const struct upstream_user_ops ops = {
	.opened = on_event,
	.readable = on_event,
	.writable = on_event,
	.closed = on_closed,
};

/* --- when ------------------------------------------------------------------------ */

uint64_t hedge_due_us(const struct exchange *x)
{
	if (!x->how.hedge_ms || x->phase != PHASE_WAIT || x->rival.tried)
		return UINT64_MAX;
	return x->origin.asked_us + (uint64_t)x->how.hedge_ms * 1000;
}

static bool may_hedge(const struct exchange *x)
{
	return x->origin.conn && !x->origin.heard && !x->upgrade && body_ended(x, REQUEST) &&
	       retry_harmless(x);
}

void hedge_begin(struct exchange *x)
{
	struct engine *engine = x->engine;
	struct rival *rival = &x->rival;

	rival->tried = true;
	rival->server = may_hedge(x) ? retry_server(x) : UPSTREAM_NONE;
	if (rival->server == UPSTREAM_NONE ||
	    !upstreams_admit(engine->env.upstreams, rival->server))
		return;
	rival->active = true;
	x->origin.tried[x->origin.tries++] = rival->server;
	if (pool_open(engine->pool, rival->server, false, x->how.connect_ms, &ops, x,
		      &rival->conn)) {
		rival->conn = NULL;
		inactive(x);
		return;
	}
	engine_count(engine, hedges);
	exchange_ready(x); /* it may be open already */
}

/* --- who is first ---------------------------------------------------------------- */

static void ask(struct exchange *x)
{
	struct rte_mbuf *chain;

	x->rival.asked = true;
	x->rival.asked_us = x->engine->timers.now_us;
	if (origin_request(x, &chain)) {
		hedge_drop(x);
		return;
	}
	if (tcp_send(x->rival.conn->tcp, chain))
		rte_pktmbuf_free(chain); /* `closed` follows */
}

bool hedge_take(struct exchange *x)
{
	struct rival rival = x->rival;

	if (!rival.conn || !rival.asked)
		return false;
	x->rival = (struct rival){.tried = true};
	origin_drop(x);
	x->why = SLUICE_ENDING_COMPLETE;
	x->origin.conn = rival.conn;
	x->origin.server = rival.server;
	x->origin.asked_us = rival.asked_us;
	x->origin.active = true;
	x->origin.sent = true;
	x->origin.gone = false;
	x->origin.reused = rival.conn->reused;
	x->origin.fresh = true; /* two were asked: that is enough */
	x->origin.conn->ops = origin_ops();
	engine_count(x->engine, hedges_won);
	return true;
}

void hedge_run(struct exchange *x)
{
	struct upstream_conn *conn = x->rival.conn;
	struct source source = origin_source(x);

	if (!conn)
		return;
	if (source_ready(&source))
		hedge_drop(x);
	else if (!x->rival.asked && conn->open)
		ask(x);
	else if (x->rival.asked && tcp_recv_ready(conn->tcp))
		hedge_take(x);
}

void hedge_drop(struct exchange *x)
{
	inactive(x);
	if (x->rival.conn)
		pool_abort(x->rival.conn);
	x->rival.conn = NULL;
}
