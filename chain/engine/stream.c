/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams: connections of `tcp` chains. A stream is an exchange without heads: its opening goes
 * down the path (open.c), a server is connected, and then its two bodies are whatever each side
 * says until its FIN. Either direction may end first; a reset of either side is passed on. Bytes
 * that no function asked for go from stack to stack by reference, as bodies do.
 */
#include "chain/engine/internal.h"

static void body_open(struct exchange *x, enum direction d)
{
	struct http_framing *framing = &x->message[d].framing;

	*framing = (struct http_framing){.kind = HTTP_BODY_UNTIL_CLOSE,
					 .length = SLUICE_LENGTH_UNKNOWN};
	http_body_init(&x->body[d].decoder, framing, &x->chain->limits, x->trailers[d], 0);
	x->body[d].out_kind = HTTP_BODY_UNTIL_CLOSE;
}

void stream_begin(struct client *client, struct sluice_head *head)
{
	struct exchange *x = exchange_take(client);

	x->message[REQUEST].head = head;
	body_open(x, REQUEST);
	body_open(x, RESPONSE);
	x->body[REQUEST].started = true;
	x->origin_fresh = true; /* what a kept connection has said before is no part of this one */
	engine_count(x->engine, streams);
	exchange_phase(x, PHASE_REQUEST);
	exchange_ready(x);
}

/* The slot of its opening is for others; streams live long. */
void stream_connected(struct exchange *x)
{
	struct engine *engine = x->engine;

	slots_free(&engine->slots, x->message[REQUEST].head);
	x->message[REQUEST].head = NULL;
	x->head_sent = true;
	x->answered = true;
	x->body[RESPONSE].started = true;
	upstreams_success(engine->env.upstreams, x->server, engine->timers.now_us - x->asked_us);
	engine_count(engine, streams_connected);
	exchange_phase(x, PHASE_STREAM);
	exchange_waiting_wake(engine);
}

/* --- time ------------------------------------------------------------------------ */

uint32_t stream_limit_ms(const struct exchange *x)
{
	if (x->phase == PHASE_STREAM)
		return x->chain->idle_timeout_ms;
	return x->early_wanted ? x->chain->head_timeout_ms : ENGINE_HOLD_MS;
}

void stream_timed_out(struct exchange *x)
{
	struct engine *engine = x->engine;

	if (x->phase == PHASE_STREAM)
		engine_count(engine, timeouts_idle);
	else if (x->early_wanted)
		engine_count(engine, timeouts_head);
	else
		engine_count(engine, timeouts_function);
	exchange_fail(x, 504);
}

/* --- one turn -------------------------------------------------------------------- */

static bool alive(const struct exchange *x)
{
	return x->phase != PHASE_OVER && x->phase != PHASE_FREE;
}

/* One side was reset, or does not answer any more: so is the other. */
static bool was_reset(const struct exchange *x)
{
	if (!x->client->conn && !x->client->ended)
		return true;
	return x->phase == PHASE_STREAM && x->origin_gone && !x->origin_ended &&
	       !x->origin_rest.first;
}

static void reset(struct exchange *x)
{
	if (!x->client->conn)
		engine_count(x->engine, exchanges_client_gone);
	if (x->phase == PHASE_STREAM)
		engine_count(x->engine, streams_reset);
	exchange_end(x, CLIENT_RESET, true);
}

/* False: it has ended. */
static bool opening_moves(struct exchange *x)
{
	if (x->phase == PHASE_REQUEST) {
		if (!body_move(x, REQUEST))
			return false;
		open_walk(x);
	}
	return alive(x) && ((!x->origin && !x->origin_gone) || origin_run(x));
}

static bool data_moves(struct exchange *x)
{
	return body_move(x, REQUEST) && (!x->body[RESPONSE].started || body_move(x, RESPONSE));
}

void stream_run(struct exchange *x)
{
	if (was_reset(x)) {
		reset(x);
		return;
	}
	if (!opening_moves(x) || !data_moves(x))
		return;
	if (x->body[REQUEST].ended && x->body[RESPONSE].ended)
		exchange_end(x, CLIENT_END, false);
	else if (was_reset(x))
		reset(x);
}
