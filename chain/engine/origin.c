/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The origin's side of an exchange: a server is chosen and connected, asked, and its answer read.
 *
 * A connection that was used before may be closed by the server at the moment it is used
 * again. Then, if no byte of an answer came and the request may be repeated, it is asked
 * once more on a new connection. A server that cannot be connected is followed by the next
 * healthy one, as often as the group's `retries` allow.
 */
#include <errno.h>

#include "chain/engine/answer.h"
#include "chain/engine/body.h"
#include "chain/engine/core.h"
#include "chain/engine/exchange.h"
#include "chain/engine/origin.h"
#include "chain/engine/stream.h"
#include "mgmt/conf/conf.h"

static const struct upstream_user_ops ops;

void origin_failed(struct exchange *x)
{
	reach_failed(x->engine, &x->origin);
}

/* --- connecting ------------------------------------------------------------------ */

/* One that is drained by hand still takes clients that belong to it, and functions know which. */
static bool takes_pick(const struct exchange *x, uint32_t server)
{
	enum sluice_server_state state = upstreams_state(x->engine->env.upstreams, server);

	return state == SLUICE_SERVER_UP || state == SLUICE_SERVER_KEEP;
}

/* The server that a function picked, if it can be used; else one of our own choice. */
static uint32_t server_first(struct exchange *x)
{
	struct engine *engine = x->engine;
	uint16_t place = x->message[REQUEST].head->server;
	uint32_t server = UPSTREAM_NONE;

	if (place != SLUICE_NONE16) {
		server = upstreams_server(engine->env.upstreams, x->origin.group, place);
		if (server != UPSTREAM_NONE && takes_pick(x, server))
			return server;
		engine_count(engine, picks_unusable);
	}
	return chooser_next(&engine->chooser, x->origin.group, NULL, 0);
}

/* HAProxy's "safe": the server may be closing a kept connection just now. A client whose first
 * request dies of that cannot know why; it would see an error, unless we can ask again. */
static bool may_reuse(const struct exchange *x)
{
	const struct upstream_group *group =
		upstreams_group(x->engine->env.upstreams, x->origin.group);

	switch ((enum conf_reuse)__atomic_load_n(&group->reuse, __ATOMIC_RELAXED)) {
	case CONF_REUSE_ALWAYS:
		return true;
	case CONF_REUSE_NEVER:
		return false;
	case CONF_REUSE_SAFE:
		break;
	}
	return x->client->requests > 1 || retry_harmless(x);
}

static void unavailable(struct exchange *x)
{
	engine_count(x->engine, origin_unavailable);
	ending_why(x, x->origin.tries ? SLUICE_ENDING_UNREACHABLE : SLUICE_ENDING_NO_SERVER);
	instead_offer(x, x->origin.tries ? 502 : 503);
}

/* The exchange is counted as this server's. One that is full gives way to others; UPSTREAM_NONE:
 * they are as well. */
static uint32_t admitted(struct exchange *x, uint32_t server)
{
	struct engine *engine = x->engine;
	struct upstreams *upstreams = engine->env.upstreams;

	if (upstreams_admit(upstreams, server))
		return server;
	server = chooser_next(&engine->chooser, x->origin.group, x->origin.tried, x->origin.tries);
	return server != UPSTREAM_NONE && upstreams_admit(upstreams, server) ? server
									     : UPSTREAM_NONE;
}

/* True: there is a connection, which may be open already. */
static bool connect_to(struct exchange *x, uint32_t server)
{
	struct reach_how how = {
		.fresh = x->origin.fresh || x->chain->stream || !may_reuse(x),
		.connect_ms = x->how.connect_ms,
	};

	for (; server != UPSTREAM_NONE; server = retry_server(x)) {
		server = admitted(x, server);
		if (server == UPSTREAM_NONE) {
			line_enter(x);
			return false;
		}
		if (x->origin.tries < REACH_TRIES_MAX)
			x->origin.tried[x->origin.tries++] = server;
		if (reach_open(x->engine, &x->origin, server, &how, &ops, x))
			return true;
	}
	unavailable(x);
	return false;
}

void origin_connect(struct exchange *x, uint32_t server)
{
	if (connect_to(x, server))
		exchange_ready(x);
}

/* Nobody is up, or those that are have all they may have. Who walked here looks at the connection
 * in the same turn. */
static void connect_first(struct exchange *x)
{
	uint32_t server = server_first(x);

	if (server == UPSTREAM_NONE && upstreams_busy(x->engine->env.upstreams, x->origin.group))
		line_enter(x);
	else
		(void)connect_to(x, server);
}

/* In line: it may be its turn. False: the exchange has ended. */
static bool connect_waiting(struct exchange *x)
{
	struct engine *engine = x->engine;
	uint32_t server = chooser_next(&engine->chooser, x->origin.group, NULL, 0);

	if (server == UPSTREAM_NONE)
		return true;
	line_leave(x);
	exchange_phase(x, PHASE_CONNECT);
	origin_connect(x, server);
	line_wake(engine, x->origin.group);
	return exchange_alive(x);
}

void origin_begin(struct exchange *x)
{
	uint16_t group = x->message[REQUEST].head->group;

	if (group == SLUICE_NONE16)
		group = upstreams_only_group(x->engine->env.upstreams);
	if (group == SLUICE_NONE16) {
		engine_count(x->engine, no_route);
		ending_why(x, SLUICE_ENDING_NO_ROUTE);
		exchange_fail(x, 502);
		return;
	}
	x->origin.group = group;
	x->connect_us = x->engine->timers.now_us;
	exchange_phase(x, PHASE_CONNECT);
	connect_first(x);
}

/* --- asking ---------------------------------------------------------------------- */

/* An HTTP/1.0 request may have come without a Host; the origin gets ours. */
static struct http_bytes host_of(struct exchange *x, char *text, size_t size)
{
	if (x->message[REQUEST].head->host.len)
		return (struct http_bytes){(const uint8_t *)"", 0};
	endpoint_format(&x->client->local, text, size);
	return (struct http_bytes){(const uint8_t *)text, (uint32_t)__builtin_strlen(text)};
}

int origin_request(struct exchange *x, struct rte_mbuf **chain)
{
	const struct http_framing *framing = &x->message[REQUEST].framing;
	char host[ENDPOINT_TEXT_MAX];
	struct http_write how = {.framing = framing->kind,
				 .length = framing->length,
				 .host = host_of(x, host, sizeof(host))};

	x->upgrade = upgrade_offered(x);
	if (x->upgrade)
		how.connection = HTTP_CONNECTION_UPGRADE;
	return text_head(x->engine, x->message[REQUEST].head, &how, chain);
}

static bool ask(struct exchange *x)
{
	const struct http_framing *framing = &x->message[REQUEST].framing;
	struct rte_mbuf *chain;
	int error = origin_request(x, &chain);

	if (error == -EAGAIN) {
		engine_starve(x->engine, &x->task);
		return true;
	}
	if (error) {
		engine_count(x->engine, heads_unwritable);
		exchange_fail(x, 500);
		return false;
	}
	x->head_bytes = payload_of(chain).bytes;
	if (tcp_send(x->origin.conn->tcp, chain)) {
		rte_pktmbuf_free(chain); /* it is on its end: `closed` follows */
		engine_count(x->engine, sends_failed);
	}
	x->origin.sent = true;
	x->origin.asked_us = x->engine->timers.now_us;
	if (!body_begin(x, REQUEST, framing->kind, framing->length))
		return false;
	exchange_phase(x, PHASE_WAIT);
	return true;
}

/* --- a connection that is gone --------------------------------------------------- */

/* RFC 9112 §9.3.1: only a connection that was used before, before a byte of the answer, with the
 * body still whole here, and if repeating does no harm or nothing can have reached the server. */
static bool may_repeat(const struct exchange *x)
{
	if (!x->origin.reused || x->origin.heard || x->origin.fresh || !retry_body_whole(x))
		return false;
	return retry_harmless(x) || !x->origin.sent || x->origin.unacked >= x->head_bytes;
}

static bool repeat(struct exchange *x)
{
	engine_count(x->engine, origin_repeated);
	reach_inactive(x->engine, &x->origin);
	x->origin.fresh = true;
	x->origin.sent = false;
	exchange_phase(x, PHASE_CONNECT);
	origin_connect(x, x->origin.server);
	return exchange_alive(x);
}

static bool connect_failed(struct exchange *x)
{
	engine_count(x->engine, origin_connect_failed);
	reach_inactive(x->engine, &x->origin);
	origin_failed(x);
	origin_connect(x, retry_server(x));
	return exchange_alive(x);
}

static bool answer_complete(const struct exchange *x)
{
	const struct body *body = &x->body[RESPONSE];

	return body->source_ended || (!body->owed && http_body_ended(&body->decoder));
}

/* The connection ended before an answer came. */
static bool lost(struct exchange *x)
{
	if (x->phase == PHASE_CONNECT && !x->origin.reused)
		return connect_failed(x);
	if (may_repeat(x))
		return repeat(x);
	engine_count(x->engine, responses_cut);
	ending_why(x, SLUICE_ENDING_ORIGIN_CUT);
	origin_failed(x);
	if (hedge_take(x)) {
		exchange_ready(x);
		return true;
	}
	if (retry_for(x, SLUICE_RETRY_RESET))
		return exchange_alive(x);
	return instead_offer(x, 502);
}

bool origin_ended(struct exchange *x)
{
	reach_abort(&x->origin);
	return lost(x);
}

struct source origin_source(struct exchange *x)
{
	return reach_source(x->engine, &x->origin);
}

/* --- events ---------------------------------------------------------------------- */

bool origin_run(struct exchange *x)
{
	if (x->pending)
		return connect_waiting(x);
	if (x->phase == PHASE_CONNECT && x->origin.gone)
		return lost(x);
	if (x->phase == PHASE_CONNECT && x->origin.conn->open && x->chain->stream) {
		stream_connected(x);
		return true;
	}
	if (x->phase == PHASE_CONNECT && x->origin.conn->open) {
		x->origin.reused = x->origin.conn->reused;
		return ask(x);
	}
	if (x->phase != PHASE_WAIT)
		return true;
	if (x->rival.conn)
		hedge_run(x);
	return reply_listen(x);
}

const struct upstream_user_ops *origin_ops(void)
{
	return &ops;
}

static void on_event(struct upstream_conn *conn, void *user)
{
	(void)conn;
	exchange_ready(user);
}

static void on_closed(struct upstream_conn *conn, void *user, enum tcp_close_reason reason)
{
	struct exchange *x = user;

	reach_closed(&x->origin, conn, reason);
	exchange_ready(x);
}

static const struct upstream_user_ops ops = {
	.opened = on_event,
	.readable = on_event,
	.writable = on_event,
	.closed = on_closed,
};

/* The server is at fault, unless the client is: it has not sent what it had announced. */
void origin_timeout(struct exchange *x)
{
	const struct body *request = &x->body[REQUEST];

	if (!body_ended(x, REQUEST) && !request->source_ended && !request->in_hand) {
		engine_count(x->engine, timeouts_body);
		ending_why(x, SLUICE_ENDING_CLIENT_TIMEOUT);
		exchange_fail(x, 408);
		return;
	}
	engine_count(x->engine, timeouts_response);
	ending_why(x, SLUICE_ENDING_ORIGIN_TIMEOUT);
	origin_failed(x);
	if (!retry_for(x, SLUICE_RETRY_TIMEOUT))
		instead_offer(x, 504);
}

/* After its answer another request may follow. */
static bool reusable(const struct exchange *x)
{
	const struct http_framing *answer = &x->message[RESPONSE].framing;

	return x->origin.sent && answer->keep_alive && !answer->upgrade && answer_complete(x) &&
	       body_ended(x, REQUEST) && !origin_is_private(x);
}

void origin_drop(struct exchange *x)
{
	hedge_drop(x);
	reach_release(x->engine, &x->origin, false, false);
	x->origin.heard = false;
	x->origin.sent = false;
}

void origin_release(struct exchange *x, bool complete)
{
	if (x->pending)
		line_leave(x);
	if (x->rival.tried)
		hedge_drop(x);
	if (x->retrying)
		retry_over(x);
	reach_release(x->engine, &x->origin, complete, reusable(x));
}
