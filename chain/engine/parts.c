/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts of bodies that functions give: of answers of their own, and in place of pieces they were
 * shown; and the answers to those. */
#include "chain/engine/body.h"
#include "chain/engine/exchange.h"
#include "chain/engine/path.h"
#include "chain/engine/verdict.h"

#define REPLACE_MAX (1u << 20) /* bytes of one slice that replaces a piece */

/* --- an answer of the function's own --------------------------------------------- */

bool parts_emit(struct instance *instance, struct exchange *x, const struct sluice_slice *slice)
{
	struct lease *lease;

	if (x->emits_count >= x->engine->emit_max) {
		offence(instance, x, flood, "too many slices of one answer wait to be sent");
		return false;
	}
	lease = ledger_lease_take(&instance->holder, instance->arena, slice);
	if (!lease) {
		engine_count(x->engine, leases_full);
		ending_why(x, SLUICE_ENDING_NO_MEMORY);
		exchange_fail(x, 500);
		return false;
	}
	STAILQ_INSERT_TAIL(&x->emits, lease, queue);
	x->emits_count++;
	return true;
}

/* It does give an answer, but one that nobody hears. */
static bool is_outdone(const struct instance *instance, const struct exchange *x)
{
	for (unsigned i = 0; i < x->chain->path_length; i++)
		if (x->hop[i].instance == instance && (x->outdone >> i & 1))
			return true;
	return false;
}

/* The function says that it cannot be. */
static void reset(struct exchange *x)
{
	engine_count(x->engine, exchanges_reset_by_function);
	ending_why(x, SLUICE_ENDING_FUNCTION_RESET);
	exchange_fail(x, 502);
}

void parts_take_emit(struct instance *instance, struct exchange *x, const struct sluice_up *up)
{
	unsigned n = x->responder;

	if (n >= x->chain->path_length || x->hop[n].instance != instance || x->emits_ended) {
		verdict_slices_return(instance, up);
		if (x->phase == PHASE_DRAIN || is_outdone(instance, x))
			engine_count(x->engine, answers_late);
		else
			offence(instance, verdict_own(instance, x), holder,
				"a part of an answer that it does not give");
		return;
	}
	if (up->verdict == SLUICE_RESET && !up->slices && !up->flags && !up->text_len) {
		reset(x);
		return;
	}
	if (up->verdict || up->text_len || (up->flags & ~SLUICE_UP_END) ||
	    !verdict_slices_valid(instance, up)) {
		offence(instance, x, slices, "a part of an answer outside of its arena");
		return;
	}
	for (unsigned i = 0; i < up->slices; i++)
		if (!parts_emit(instance, x, &up->slice[i]))
			return;
	x->emits_ended = up->flags & SLUICE_UP_END;
	exchange_ready(x);
}

/* --- pieces of body -------------------------------------------------------------- */

static struct hop *hop_of_piece(struct instance *instance, struct exchange *x, uint32_t number)
{
	for (unsigned i = 0; i < x->chain->path_length; i++) {
		struct hop *hop = &x->hop[i];
		struct piece *piece = TAILQ_FIRST(&hop->pieces);

		if (hop->instance == instance && piece && piece->number == number)
			return hop;
	}
	return NULL;
}

static bool attach_one(struct instance *instance, struct exchange *x,
		       const struct sluice_slice *slice, struct payload *out)
{
	struct lease *lease = ledger_lease_take(&instance->holder, instance->arena, slice);
	bool whole;

	if (!lease)
		return false;
	payload_append(out, payload_of(ledger_lease_attach(lease, x->engine->env.ref, slice->len,
							   SLOT_SMALL_BYTES)));
	whole = lease->attached == slice->len;
	ledger_lease_drop(lease);
	return whole;
}

bool parts_attach(struct instance *instance, struct exchange *x, const struct sluice_up *up,
		  struct payload *out)
{
	for (unsigned i = 0; i < up->slices; i++)
		if (!attach_one(instance, x, &up->slice[i], out))
			return false;
	return true;
}

static bool replacement_allowed(const struct instance *instance, const struct sluice_up *up)
{
	if ((up->flags & ~SLUICE_UP_MORE) || !verdict_slices_valid(instance, up))
		return false;
	for (unsigned i = 0; i < up->slices; i++)
		if (up->slice[i].len > REPLACE_MAX)
			return false;
	return true;
}

static void replace(struct instance *instance, struct hop *hop, const struct sluice_up *up)
{
	struct exchange *x = hop->exchange;
	struct payload payload = {0};

	if (!replacement_allowed(instance, up)) {
		offence(instance, x, slices, "a replacement outside of its arena, or too long");
		return;
	}
	if (!parts_attach(instance, x, up, &payload)) {
		payload_free(&payload);
		engine_count(x->engine, replaces_no_memory);
		ending_why(x, SLUICE_ENDING_NO_MEMORY);
		exchange_fail(x, 502);
		return;
	}
	stage_replace(hop, payload, up->flags & SLUICE_UP_MORE);
	exchange_ready(x);
}

/* What it was shown besides goes on with the piece: it answers none of that. */
static void leave(struct hop *hop)
{
	hop_leave(hop);
	hop_dequeue(hop);
	stage_bypass(hop);
}

/* Somebody else's answer is on its way: this one is not given, and the function's part is over. */
static void respond_late(struct instance *instance, struct hop *hop, const struct sluice_up *up)
{
	engine_count(instance->engine, answers_late);
	verdict_slices_return(instance, up);
	hop->exchange->outdone |= hop_bit(hop);
	hop_skip(hop);
	stage_pass(hop);
}

/* What the origin has begun to say cannot be unsaid. */
static void respond_cut(struct instance *instance, struct exchange *x, const struct sluice_up *up)
{
	engine_count(x->engine, exchanges_reset_by_function);
	verdict_slices_return(instance, up);
	ending_why(x, SLUICE_ENDING_FUNCTION_RESET);
	exchange_fail(x, up->status >= 400 ? up->status : 502);
}

/* It has seen enough of the request. */
static void respond(struct instance *instance, struct hop *hop, const struct sluice_up *up)
{
	struct exchange *x = hop->exchange;

	if (x->responder != RESPONDER_ORIGIN || x->phase == PHASE_DRAIN) {
		respond_late(instance, hop, up);
	} else if (x->phase == PHASE_WAIT || x->phase == PHASE_CONNECT) {
		stage_pass(hop);
		verdict_respond(instance, hop, up);
	} else {
		respond_cut(instance, x, up);
	}
}

static bool may_respond(const struct instance *instance, const struct hop *hop,
			const struct sluice_up *up)
{
	const struct piece *piece = TAILQ_FIRST(&hop->pieces);

	return piece->direction == REQUEST && !piece->replaced && !hop->exchange->chain->stream &&
	       verdict_respond_allowed(up) && verdict_slices_valid(instance, up);
}

void parts_take_piece(struct instance *instance, struct exchange *x, const struct sluice_up *up)
{
	struct hop *hop = hop_of_piece(instance, x, up->piece);

	if (!hop) {
		verdict_slices_return(instance, up);
		offence(instance, verdict_own(instance, x), piece,
			"a piece that is not the oldest it holds");
		return;
	}
	exchange_progress(x);
	switch (up->verdict) {
	case SLUICE_PASS:
	case SLUICE_LEAVE:
		if (up->slices || up->flags || TAILQ_FIRST(&hop->pieces)->replaced)
			break;
		if (up->verdict == SLUICE_PASS)
			stage_pass(hop);
		else
			leave(hop);
		exchange_ready(x);
		return;
	case SLUICE_REPLACE:
		replace(instance, hop, up);
		return;
	case SLUICE_RESPOND:
		if (!may_respond(instance, hop, up))
			break;
		respond(instance, hop, up);
		return;
	case SLUICE_RESET:
		reset(x);
		return;
	default:
		break;
	}
	offence(instance, x, verdict, "a verdict that no piece of body has");
}
