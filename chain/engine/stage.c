/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bodies through functions: what waits before each is shown to it in pieces, in order, and
 * goes on as it answers. A piece is as much as one descriptor can refer to.
 */
#include <string.h>

#include "chain/engine/body.h"
#include "chain/engine/core.h"
#include "chain/engine/exchange.h"
#include "chain/engine/path.h"
#include "chain/engine/stream.h"
#include "mgmt/conf/conf.h"

/* --- which functions ------------------------------------------------------------- */

uint32_t stage_first(const struct exchange *x, enum direction d)
{
	uint32_t stages = x->body[d].stages;

	if (!stages)
		return STAGE_NONE;
	return d == REQUEST ? (uint32_t)__builtin_ctz(stages)
			    : 31u - (uint32_t)__builtin_clz(stages);
}

uint32_t stage_after(const struct exchange *x, enum direction d, uint32_t stage)
{
	uint32_t stages = x->body[d].stages;

	if (d == REQUEST)
		stages &= ~((2u << stage) - 1);
	else
		stages &= (1u << stage) - 1;
	if (!stages)
		return STAGE_NONE;
	return d == REQUEST ? (uint32_t)__builtin_ctz(stages)
			    : 31u - (uint32_t)__builtin_clz(stages);
}

static uint32_t body_hook(const struct exchange *x, enum direction d)
{
	if (x->chain->stream)
		return d == REQUEST ? ENGINE_HOOK_CLIENT_DATA : ENGINE_HOOK_SERVER_DATA;
	return d == REQUEST ? ENGINE_HOOK_REQUEST_BODY : ENGINE_HOOK_RESPONSE_BODY;
}

static bool wants_body(const struct hop *hop, enum direction d)
{
	uint32_t hook = body_hook(hop->exchange, d);
	const struct function *function = hop_function(hop);
	const struct instance *instance;

	if (hop_is_out(hop))
		return false;
	instance = hop_instance(hop);
	return (instance ? instance->hooks : function->hooks) & hook;
}

static void take_part(struct hop *hop, enum direction d)
{
	hop->exchange->body[d].stages |= hop_bit(hop);
	hop->exchange->piped |= hop_bit(hop);
}

bool stage_choose(struct exchange *x, enum direction d, uint32_t stage)
{
	struct hop *hop = &x->hop[stage];
	struct engine *engine = x->engine;

	if (!wants_body(hop, d))
		return true;
	if (hop->instance || hop_bind(hop)) {
		take_part(hop, d);
		return true;
	}
	if (hop_function(hop)->on_failure == CONF_FAIL_BYPASS) {
		engine_count(engine, hops_bypassed);
		hop_skip(hop);
		return true;
	}
	engine_count(engine, hops_rejected);
	exchange_fail(x, 503);
	return false;
}

/* --- giving ---------------------------------------------------------------------- */

static void drop(struct exchange *x, enum direction d, struct payload payload)
{
	body_hand(x, d, -(int64_t)payload.charge);
	payload_free(&payload);
}

void stage_give(struct exchange *x, enum direction d, uint32_t stage, struct payload payload,
		bool end)
{
	struct pipe *pipe;

	if (body_ended(x, d)) { /* given up: it goes nowhere */
		drop(x, d, payload);
		return;
	}
	if (stage == STAGE_NONE) {
		payload_append(&x->body[d].out, payload);
		x->body[d].out_end |= end;
		return;
	}
	pipe = &x->hop[stage].pipe[d];
	payload_append(&pipe->in, payload);
	pipe->end_in |= end;
}

static void join(struct hop *hop, enum direction d)
{
	struct body *body = &hop->exchange->body[d];

	take_part(hop, d);
	hop->pipe[d].in = body->out;
	hop->pipe[d].end_in = body->out_end;
	body->out = (struct payload){0};
	body->out_end = false;
	if (d == REQUEST)
		early_forget(hop->exchange);
}

/* Until a stream is open to its server, what is past the functions that have joined waits in `out`:
 * it is for the next one that does. */
void stage_join(struct hop *hop)
{
	for (unsigned d = 0; d < DIRECTIONS; d++)
		if (wants_body(hop, d))
			join(hop, d);
}

/* --- showing --------------------------------------------------------------------- */

static void copies_free(struct engine *engine, struct piece *piece)
{
	for (unsigned i = 0; i < SLUICE_DOWN_SLICES; i++)
		if (piece->copy[i] != PIECE_NO_COPY)
			slots_copy_free(&engine->slots, piece->copy[i]);
}

/* Bytes that the instance has no mapping of (another function's arena) are copied for it to see;
 * what goes on is the original. False: no slot for that now. */
static bool copy_for_show(struct engine *engine, const struct rte_mbuf *m, uint32_t *copy,
			  uint64_t *ref)
{
	uint8_t *bytes;

	*copy = slots_copy_take(&engine->slots, &bytes);
	if (*copy == PIECE_NO_COPY)
		return false;
	memcpy(bytes, rte_pktmbuf_mtod(m, void *), m->data_len);
	*ref = slots_ref(&engine->slots, bytes);
	engine_count_add(engine, payload_copied_bytes, m->data_len);
	return true;
}

/* References to the first mbufs that wait, as many as one descriptor takes. */
static unsigned slices_of(struct engine *engine, const struct payload *in, struct piece *piece,
			  struct sluice_slice *slice)
{
	const struct rte_mbuf *m = in->first;
	unsigned n = 0;

	for (; m && n < SLUICE_DOWN_SLICES; m = m->next, n++) {
		uint64_t ref = SLUICE_REF_NONE;

		if (!ledger_is_lease(m))
			ref = engine_payload_ref(engine, rte_pktmbuf_mtod(m, void *));
		if (ref == SLUICE_REF_NONE && !copy_for_show(engine, m, &piece->copy[n], &ref))
			break;
		slice[n] = (struct sluice_slice){.ref = ref, .len = m->data_len};
	}
	return n;
}

static bool has_room(struct hop *hop)
{
	struct instance *instance = hop->instance;

	if ((hop->turn || TAILQ_EMPTY(&instance->waiting)) && link_room(instance->link))
		return true;
	engine_count(instance->engine, rings_full);
	hop_enqueue(hop, &instance->waiting);
	return false;
}

static uint8_t piece_kind(const struct exchange *x, enum direction d)
{
	if (x->chain->stream)
		return d == REQUEST ? SLUICE_DOWN_CLIENT_DATA : SLUICE_DOWN_SERVER_DATA;
	return d == REQUEST ? SLUICE_DOWN_REQUEST_BODY : SLUICE_DOWN_RESPONSE_BODY;
}

static void piece_send(struct hop *hop, enum direction d, struct piece *piece,
		       const struct sluice_slice *slice, unsigned n)
{
	struct pipe *pipe = &hop->pipe[d];
	struct sluice_down *down;
	struct payload shown = {0};

	if (n)
		shown = payload_take(&pipe->in, UINT32_MAX, n);
	piece->chain = shown.first;
	piece->bytes = shown.bytes;
	piece->number = hop->exchange->next_piece++;
	piece->direction = (uint8_t)d;
	piece->end = pipe->end_in && !pipe->in.first;
	pipe->end_sent = piece->end;
	TAILQ_INSERT_TAIL(&hop->pieces, piece, queue);
	down = hop_entry(hop, piece_kind(hop->exchange, d), piece->end ? SLUICE_DOWN_END : 0);
	down->arg = piece->number;
	down->slices = (uint8_t)n;
	memcpy(down->slice, slice, n * sizeof(*slice));
	hop_holds(hop);
}

/* False: not now; the hop is in line, or the exchange will be run again. */
static bool piece_show(struct hop *hop, enum direction d)
{
	struct engine *engine = hop->exchange->engine;
	struct sluice_slice slice[SLUICE_DOWN_SLICES];
	struct pipe *pipe = &hop->pipe[d];
	struct piece *piece;
	unsigned n;

	if (!has_room(hop))
		return false;
	piece = ledger_piece_take(&hop->instance->holder);
	n = piece ? slices_of(engine, &pipe->in, piece, slice) : 0;
	if (!piece || (pipe->in.first && !n)) {
		if (piece)
			ledger_piece_end(piece);
		engine_starve(engine, &hop->exchange->task);
		return false;
	}
	piece_send(hop, d, piece, slice, n);
	return true;
}

static void show(struct hop *hop, enum direction d)
{
	struct pipe *pipe = &hop->pipe[d];

	while (hop->instance && !hop->queued &&
	       (pipe->in.first || (pipe->end_in && !pipe->end_sent)))
		if (!piece_show(hop, d))
			return;
	hop->turn = false;
}

void stage_push(struct exchange *x, enum direction d)
{
	for (uint32_t stage = stage_first(x, d); stage != STAGE_NONE;
	     stage = stage_after(x, d, stage))
		show(&x->hop[stage], d);
}

/* --- answers --------------------------------------------------------------------- */

/* Takes the oldest piece back from the instance. */
static struct payload piece_end(struct hop *hop)
{
	struct piece *piece = TAILQ_FIRST(&hop->pieces);
	struct payload payload = payload_of(piece->chain);

	TAILQ_REMOVE(&hop->pieces, piece, queue);
	copies_free(hop->exchange->engine, piece);
	ledger_piece_end(piece);
	hop_holds(hop);
	return payload;
}

void stage_pass(struct hop *hop)
{
	struct exchange *x = hop->exchange;
	const struct piece *piece = TAILQ_FIRST(&hop->pieces);
	enum direction d = piece->direction;
	bool end = piece->end;
	struct payload payload = piece_end(hop);

	stage_give(x, d, stage_after(x, d, hop->stage), payload, end);
}

void stage_replace(struct hop *hop, struct payload payload, bool more)
{
	struct exchange *x = hop->exchange;
	struct piece *piece = TAILQ_FIRST(&hop->pieces);
	enum direction d = piece->direction;
	bool end = piece->end && !more;

	body_hand(x, d, payload.charge);
	hop->pipe[d].replaced = true;
	piece->replaced = true;
	stage_give(x, d, stage_after(x, d, hop->stage), payload, end);
	if (!more)
		drop(x, d, piece_end(hop));
}

/* --- leaving out, and the end ---------------------------------------------------- */

static void pipe_bypass(struct hop *hop, enum direction d)
{
	struct exchange *x = hop->exchange;
	struct pipe *pipe = &hop->pipe[d];

	if (!(x->body[d].stages & 1u << hop->stage))
		return;
	stage_give(x, d, stage_after(x, d, hop->stage), pipe->in, pipe->end_in && !pipe->end_sent);
	pipe->in = (struct payload){0};
	x->body[d].stages &= ~(1u << hop->stage);
}

void stage_bypass(struct hop *hop)
{
	while (!TAILQ_EMPTY(&hop->pieces))
		stage_pass(hop);
	pipe_bypass(hop, REQUEST);
	pipe_bypass(hop, RESPONSE);
}

void stage_pieces_free(struct hop *hop)
{
	while (!TAILQ_EMPTY(&hop->pieces)) {
		enum direction d = TAILQ_FIRST(&hop->pieces)->direction;

		drop(hop->exchange, d, piece_end(hop));
	}
}

void stage_queues_free(struct hop *hop)
{
	for (unsigned d = 0; d < DIRECTIONS; d++) {
		if (!hop->pipe[d].in.first)
			continue;
		drop(hop->exchange, d, hop->pipe[d].in);
		hop->pipe[d].in = (struct payload){0};
	}
}
