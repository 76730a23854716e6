/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bodies: from a connection (or a function's arena) to a connection.
 *
 * Framing is decoded where it lies and written anew; payload is taken off one connection and
 * given to the other as it is. What lies between is bounded: without functions by what the
 * destination has room for, with functions by ENGINE_IN_HAND_MAX. Whoever is beyond that
 * bound is simply not read from, and TCP's window does the rest.
 */
#include "chain/engine/body.h"
#include "chain/engine/core.h"
#include "chain/engine/exchange.h"
#include "chain/engine/origin.h"
#include "chain/engine/path.h"
#include "chain/engine/stream.h"

#define READ_MAX (64u << 10) /* at once */

void body_hand(struct exchange *x, enum direction d, int64_t charge)
{
	x->body[d].in_hand = (uint32_t)(x->body[d].in_hand + charge);
	x->engine->held_bytes = (uint64_t)((int64_t)x->engine->held_bytes + charge);
}

static struct source source_of(struct exchange *x, enum direction d)
{
	if (d == REQUEST)
		return (struct source){.conn = x->client->conn,
				       .rest = &x->client_rest,
				       .ref = x->engine->env.ref,
				       .ended = x->client->ended};
	return origin_source(x);
}

/* --- in: decoded ----------------------------------------------------------------- */

static void take_in(struct exchange *x, enum direction d, struct payload payload, bool end)
{
	body_hand(x, d, payload.charge);
	if (d == REQUEST)
		x->bytes_in += payload.bytes;
	x->body[d].source_ended |= end;
	stage_give(x, d, stage_first(x, d), payload, end);
	if (x->phase != PHASE_REQUEST) /* a stream that is not open yet: that is what counts */
		exchange_progress(x);
}

/*
 * The next step of the decoder over what waits. Payload that goes on in the next mbuf is one
 * step, up to `budget`. The decoder is then ahead of the connection by `owed` bytes.
 */
static uint8_t decode(struct body *body, const struct rte_mbuf *m, uint32_t budget)
{
	struct http_body_step step;
	uint32_t len;

	if (!m) {
		http_body_next(&body->decoder, (const uint8_t *)"", 0, &step);
		return step.kind;
	}
	len = budget < m->data_len ? budget : m->data_len;
	http_body_next(&body->decoder, rte_pktmbuf_mtod(m, const uint8_t *), len, &step);
	body->owed = step.bytes;
	body->owed_kind = step.kind;
	while (step.kind == HTTP_BODY_DATA && body->owed < budget && body->decoder.remaining &&
	       (m = m->next)) {
		len = budget - body->owed < m->data_len ? budget - body->owed : m->data_len;
		http_body_next(&body->decoder, rte_pktmbuf_mtod(m, const uint8_t *), len, &step);
		body->owed += step.bytes;
	}
	return step.kind;
}

/* Takes off the connection what the decoder has spoken of. False: no memory just now. */
static bool take_owed(struct body *body, const struct source *source, struct payload *out)
{
	while (body->owed) {
		struct payload got = source_take(source, body->owed);

		if (!got.first)
			return false;
		body->owed -= got.bytes;
		if (body->owed_kind == HTTP_BODY_DATA)
			payload_append(out, got);
		else
			payload_free(&got);
	}
	return true;
}

enum read_result body_decode(struct body *body, const struct source *source, uint32_t budget,
			     struct payload *out)
{
	uint8_t kind = HTTP_BODY_DATA;

	if (!body->owed)
		kind = decode(body, source_peek(source), budget);
	if (!take_owed(body, source, out))
		return READ_STARVED;
	switch (kind) {
	case HTTP_BODY_END:
		return READ_END;
	case HTTP_BODY_BAD:
		return READ_BAD;
	case HTTP_BODY_MORE:
		break;
	default:
		return READ_SOME;
	}
	if (source_broken(source))
		return READ_CUT;
	if (!source_ended(source))
		return READ_NOTHING;
	return http_body_close(&body->decoder) ? READ_END : READ_CUT;
}

static void refuse(struct exchange *x, enum direction d)
{
	enum http_error error = x->body[d].decoder.error;

	engine_count_http_error(x->engine, error);
	if (d == REQUEST)
		engine_count(x->engine, requests_bad);
	else
		engine_count(x->engine, responses_bad);
	ending_why(x, d == REQUEST ? SLUICE_ENDING_REQUEST_BAD : SLUICE_ENDING_ORIGIN_BAD);
	exchange_fail(x, http_error_status(error, d == RESPONSE));
}

static void cut_off(struct exchange *x, enum direction d)
{
	if (d == REQUEST) {
		engine_count(x->engine, requests_cut);
		ending_why(x, SLUICE_ENDING_CLIENT_GONE);
		exchange_fail(x, 400);
		return;
	}
	engine_count(x->engine, responses_cut);
	origin_failed(x);
	ending_why(x, SLUICE_ENDING_ORIGIN_CUT);
	exchange_fail(x, 502);
}

/* --- in: from a function's arena ------------------------------------------------- */

static enum read_result emit_read(struct exchange *x, uint32_t budget, struct payload *out)
{
	struct lease *lease = STAILQ_FIRST(&x->emits);
	uint32_t segment = x->body[RESPONSE].stages ? SLOT_SMALL_BYTES : UINT32_MAX;
	struct payload got;

	if (!lease)
		return x->emits_ended ? READ_END : READ_NOTHING;
	got = payload_of(ledger_lease_attach(lease, x->engine->env.ref, budget, segment));
	if (!got.first)
		return READ_STARVED;
	payload_append(out, got);
	if (lease->attached < lease->len)
		return READ_SOME;
	STAILQ_REMOVE_HEAD(&x->emits, queue);
	x->emits_count--;
	ledger_lease_drop(lease);
	return READ_SOME;
}

/* --- in -------------------------------------------------------------------------- */

static uint32_t read_budget(const struct exchange *x, enum direction d)
{
	const struct body *body = &x->body[d];
	const struct tcp_conn *to = frame_destination(x, d);
	uint32_t most;

	if (x->early_wanted && !body->stages)
		most = early_room(x);
	else if (body->stages)
		most = body->in_hand < ENGINE_IN_HAND_MAX ? ENGINE_IN_HAND_MAX - body->in_hand : 0;
	else
		most = to && !body->out.first ? frame_room(to) : 0;
	return most < READ_MAX ? most : READ_MAX;
}

static enum read_result source_read(struct exchange *x, enum direction d, uint32_t budget,
				    struct payload *out)
{
	struct source source;

	if (d == RESPONSE && x->responder != RESPONDER_ORIGIN)
		return emit_read(x, budget, out);
	source = source_of(x, d);
	return body_decode(&x->body[d], &source, budget, out);
}

/* Nothing but its end is left: to be told without room for any of it. */
static bool source_at_end(const struct exchange *x, enum direction d)
{
	const struct body *body = &x->body[d];

	if (d == RESPONSE && x->responder != RESPONDER_ORIGIN)
		return x->emits_ended && STAILQ_EMPTY(&x->emits);
	return !body->owed && http_body_ended(&body->decoder);
}

/* Step after step, so that what came in small parts goes on together. */
static enum read_result source_drain(struct exchange *x, enum direction d, uint32_t budget,
				     struct payload *out)
{
	enum read_result result = READ_SOME, last = READ_NOTHING;

	while (result == READ_SOME && out->charge < budget) {
		result = source_at_end(x, d) ? READ_END
					     : source_read(x, d, budget - out->bytes, out);
		if (result != READ_NOTHING)
			last = result;
	}
	return last;
}

/* It is in memory, and no more than one mbuf: there is no need of room for it. */
static enum read_result came_take(struct exchange *x, enum direction d, struct payload *out)
{
	*out = x->body[d].came;
	x->body[d].came = (struct payload){0};
	return source_at_end(x, d) ? READ_END : READ_SOME;
}

/* False: the exchange has ended. */
static bool body_read(struct exchange *x, enum direction d, bool *moved)
{
	struct payload payload = {0};
	enum read_result result = READ_NOTHING;
	uint32_t budget;

	*moved = false;
	if (x->body[d].source_ended)
		return true;
	budget = read_budget(x, d);
	if (x->body[d].came.first)
		result = came_take(x, d, &payload);
	else if (source_at_end(x, d))
		result = READ_END;
	else if (budget)
		result = source_drain(x, d, budget, &payload);
	if (payload.first || result == READ_END)
		take_in(x, d, payload, result == READ_END);
	*moved = payload.first || result == READ_SOME || result == READ_END;
	switch (result) {
	case READ_STARVED:
		engine_starve(x->engine, &x->task);
		return true;
	case READ_BAD:
		refuse(x, d);
		return false;
	case READ_CUT:
		/* What came before goes on first: an event is not lost with its stream. */
		if (d == RESPONSE && x->body[d].in_hand)
			return true;
		cut_off(x, d);
		return false;
	default:
		return true;
	}
}

/* --- all of it ------------------------------------------------------------------- */

bool body_move(struct exchange *x, enum direction d)
{
	bool read = true, wrote = false;

	while (!body_ended(x, d) && (read || wrote)) {
		wrote = false;
		if (!frame_write(x, d, &wrote))
			return false;
		stage_push(x, d);
		if (!body_read(x, d, &read))
			return false;
	}
	return true;
}

/* Which functions are shown this body. False: one that must be has no instance, and the exchange
 * has ended. */
static bool stages_choose(struct exchange *x, enum direction d)
{
	uint32_t stages = x->chain->bodies[d];

	if (d == RESPONSE && x->responder < x->chain->path_length)
		stages &= (1u << x->responder) - 1;
	for (; stages; stages &= stages - 1)
		if (!stage_choose(x, d, (unsigned)__builtin_ctz(stages)))
			return false;
	return true;
}

bool body_begin(struct exchange *x, enum direction d, enum http_body_kind out_kind, uint64_t length)
{
	struct body *body = &x->body[d];

	if (x->begun >> d & 1)
		return true;
	body->out_kind = (uint8_t)out_kind;
	body->out_left = length;
	if (!body_announced(&x->message[d].framing))
		body_end(x, d);
	else if (!stages_choose(x, d))
		return false;
	x->begun |= (uint8_t)(1u << d);
	return true;
}

void body_free(struct exchange *x, enum direction d)
{
	if (x->body[d].out.first)
		body_hand(x, d, -(int64_t)x->body[d].out.charge);
	payload_free(&x->body[d].out);
	payload_free(&x->body[d].came);
}

/* --- the rest of a request that is answered -------------------------------------- */

/* Functions may still look at pieces: those go when they are answered. */
void body_give_up(struct exchange *x)
{
	struct body *body = &x->body[REQUEST];

	if (!(x->begun >> REQUEST & 1))
		return;
	for (uint8_t i = 0; i < x->chain->path_length; i++) {
		hop_dequeue(&x->hop[i]);
		stage_queues_free(&x->hop[i]);
	}
	body_free(x, REQUEST);
	body->stages = 0;
	body_end(x, REQUEST);
}

enum discard body_discard(struct exchange *x)
{
	struct body *body = &x->body[REQUEST];
	struct source source = source_of(x, REQUEST);
	struct payload payload = {0};
	enum read_result result;

	do {
		result = body_decode(body, &source, READ_MAX, &payload);
		x->discarded += payload.bytes;
		payload_free(&payload);
	} while (result == READ_SOME && x->discarded <= ENGINE_LINGER_BYTES);
	if (result == READ_STARVED)
		engine_starve(x->engine, &x->task);
	if (result == READ_END)
		return DISCARD_END;
	return result == READ_NOTHING || result == READ_STARVED ? DISCARD_MORE : DISCARD_STOP;
}
