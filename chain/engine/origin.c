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

#include "chain/engine/internal.h"

static const struct upstream_user_ops ops;

void origin_failed(struct exchange *x)
{
	reach_failed(x->engine, &x->origin);
}

/* --- connecting ------------------------------------------------------------------ */

/* The server that a function picked, if it can be used; else one of our own choice. */
static uint32_t server_first(struct exchange *x)
{
	struct engine *engine = x->engine;
	uint16_t place = x->message[REQUEST].head->server;
	uint32_t server = UPSTREAM_NONE;

	if (place != SLUICE_NONE16) {
		server = upstreams_server(engine->env.upstreams, x->origin.group, place);
		if (server != UPSTREAM_NONE &&
		    upstreams_state(engine->env.upstreams, server) == SLUICE_SERVER_UP)
			return server;
		engine_count(engine, picks_unusable);
	}
	return chooser_next(&engine->chooser, x->origin.group, NULL, 0);
}

static void connect_some(struct exchange *x, uint32_t server)
{
	if (reach_connect(x->engine, &x->origin, server, &ops, x)) {
		exchange_ready(x); /* it may be open already */
		return;
	}
	engine_count(x->engine, origin_unavailable);
	ending_why(x, x->origin.tries ? SLUICE_ENDING_UNREACHABLE : SLUICE_ENDING_NO_SERVER);
	instead_offer(x, x->origin.tries ? 502 : 503);
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
	connect_some(x, server_first(x));
}

/* --- asking ---------------------------------------------------------------------- */

/* An HTTP/1.0 request may have come without a Host; the origin gets ours. */
static struct http_bytes host_of(struct exchange *x, char *text, size_t size)
{
	endpoint_format(&x->client->local, text, size);
	return (struct http_bytes){(const uint8_t *)text, (uint32_t)__builtin_strlen(text)};
}

static bool ask(struct exchange *x)
{
	const struct http_framing *framing = &x->message[REQUEST].framing;
	char host[ENDPOINT_TEXT_MAX];
	struct http_write how = {.framing = framing->kind,
				 .length = framing->length,
				 .host = host_of(x, host, sizeof(host))};
	struct rte_mbuf *chain;
	int error;

	x->upgrade = upgrade_offered(x);
	if (x->upgrade)
		how.connection = HTTP_CONNECTION_UPGRADE;
	error = text_request(x->engine, x->message[REQUEST].head, &how, &chain);
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

/* RFC 9110 §9.2.2 */
static bool idempotent(const struct exchange *x)
{
	switch (x->message[REQUEST].head->method) {
	case SLUICE_METHOD_GET:
	case SLUICE_METHOD_HEAD:
	case SLUICE_METHOD_PUT:
	case SLUICE_METHOD_DELETE:
	case SLUICE_METHOD_OPTIONS:
	case SLUICE_METHOD_TRACE:
		return true;
	default:
		return false;
	}
}

/* RFC 9112 §9.3.1: only a connection that was used before, before a byte of the answer, with the
 * body still whole here, and if repeating does no harm or nothing can have reached the server. */
static bool may_repeat(const struct exchange *x)
{
	const struct body *body = &x->body[REQUEST];

	if (!x->origin.reused || x->origin.heard || x->origin.fresh)
		return false;
	if (body->decoder.payload || body->owed)
		return false;
	return idempotent(x) || !x->origin.sent || x->origin.unacked >= x->head_bytes;
}

static bool repeat(struct exchange *x)
{
	engine_count(x->engine, origin_repeated);
	reach_inactive(x->engine, &x->origin);
	x->origin.fresh = true;
	x->origin.sent = false;
	exchange_phase(x, PHASE_CONNECT);
	connect_some(x, x->origin.server);
	return exchange_alive(x);
}

static bool connect_failed(struct exchange *x)
{
	engine_count(x->engine, origin_connect_failed);
	reach_inactive(x->engine, &x->origin);
	origin_failed(x);
	connect_some(x, reach_next(x->engine, &x->origin));
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
	return x->phase == PHASE_WAIT ? reply_listen(x) : true;
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

	if (!request->ended && !request->source_ended && !request->in_hand) {
		engine_count(x->engine, timeouts_body);
		ending_why(x, SLUICE_ENDING_CLIENT_TIMEOUT);
		exchange_fail(x, 408);
		return;
	}
	engine_count(x->engine, timeouts_response);
	ending_why(x, SLUICE_ENDING_ORIGIN_TIMEOUT);
	origin_failed(x);
	instead_offer(x, 504);
}

/* After its answer another request may follow. */
static bool reusable(const struct exchange *x)
{
	const struct http_framing *answer = &x->message[RESPONSE].framing;

	return x->origin.sent && answer->keep_alive && !answer->upgrade && answer_complete(x) &&
	       x->body[REQUEST].ended;
}

void origin_release(struct exchange *x, bool complete)
{
	reach_release(x->engine, &x->origin, complete, reusable(x));
}
