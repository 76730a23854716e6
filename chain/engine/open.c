/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The opening of a stream, on its way down the path. Each function that asks for it is shown who
 * connects, and may route, name a server, give other addresses to those after it, send bytes
 * ahead, or wait for what the client says first (early.c). Functions that want the stream's data
 * join it as the opening passes them.
 */
#include <string.h>

#include "chain/engine/body.h"
#include "chain/engine/exchange.h"
#include "chain/engine/origin.h"
#include "chain/engine/path.h"
#include "chain/engine/stream.h"
#include "chain/engine/verdict.h"

#define PREFIX_MAX (64u << 10)

/* --- offers ---------------------------------------------------------------------- */

/* A client that says its first words slowly wins no time by it. */
static enum offer open_send(struct hop *hop)
{
	struct exchange *x = hop->exchange;
	uint64_t since_us = x->progress_us;
	bool last = early_complete(x);

	hop_head_send(hop, REQUEST, SLUICE_DOWN_OPEN, last ? SLUICE_DOWN_END : 0);
	if (!hop->awaits)
		return OFFER_WAIT;
	x->early_due = false;
	x->early_last = last;
	if (x->early_wanted)
		x->progress_us = since_us;
	return OFFER_WAIT;
}

/* More early bytes than at its last offer, or their end. */
static bool worth_showing(struct exchange *x)
{
	if (early_show(x))
		x->early_due = true;
	return !x->early_wanted || x->early_due || early_complete(x);
}

static enum offer open_offer(struct hop *hop)
{
	struct exchange *x = hop->exchange;

	if (hop->awaits || hop->queued)
		return OFFER_WAIT;
	if (!hop_wants(hop, SLUICE_HOOKS_TCP))
		return OFFER_SKIP;
	if (!hop->instance) {
		x->early_wanted = false; /* one that waited is gone: the next one is asked anew */
		if (!hop_bind(hop))
			return hop_unserved(hop);
	}
	if (!(hop->instance->hooks & ENGINE_HOOK_OPEN)) {
		stage_join(hop);
		return OFFER_SKIP;
	}
	if (!worth_showing(x) || hop_must_stand_alone(hop))
		return OFFER_WAIT;
	return open_send(hop);
}

void open_walk(struct exchange *x)
{
	while (x->stage < x->chain->path_length) {
		if (open_offer(&x->hop[x->stage]) != OFFER_SKIP)
			return;
		x->early_wanted = false;
		x->stage++;
	}
	origin_begin(x);
}

/* --- answers --------------------------------------------------------------------- */

bool open_allowed(const struct sluice_up *up)
{
	switch (up->verdict) {
	case SLUICE_PASS:
	case SLUICE_LEAVE:
		return !up->flags && up->slices <= 1 &&
		       (!up->slices || up->respond.slice.len <= PREFIX_MAX);
	case SLUICE_RESET:
	case SLUICE_WAIT:
		return !up->flags && !up->slices && !up->piece;
	default:
		return false;
	}
}

static bool edit_take(struct sluice_head *head, const struct sluice_edit *edit,
		      const uint8_t *value)
{
	struct sluice_peer peer;

	if (edit->name_len || edit->value_len != sizeof(peer))
		return false;
	memcpy(&peer, value, sizeof(peer));
	if (peer.family != 4 && peer.family != 6)
		return false;
	switch (edit->op) {
	case SLUICE_EDIT_CLIENT:
		head->client = peer;
		return true;
	case SLUICE_EDIT_LOCAL:
		head->local = peer;
		return true;
	default:
		return false;
	}
}

static bool edits_make(struct exchange *x, uint32_t len)
{
	const uint32_t each = (sizeof(struct sluice_edit) + sizeof(struct sluice_peer) + 7) / 8 * 8;
	const uint8_t *list = x->engine->edits;

	for (; len >= each; len -= each, list += each) {
		struct sluice_edit edit;

		memcpy(&edit, list, sizeof(edit));
		if (!edit_take(x->message[REQUEST].head, &edit, list + sizeof(edit)))
			return false;
	}
	return len == 0;
}

/* False: refused; the exchange has ended. */
static bool edits_take(struct instance *instance, struct exchange *x, const struct sluice_up *up)
{
	if (!up->text_len)
		return true;
	if (!verdict_text(instance, x, up))
		return false;
	if (edits_make(x, up->text_len))
		return true;
	offence(instance, x, edits, "an edit that no opening has");
	return false;
}

static bool bytes_take(struct instance *instance, struct exchange *x, const struct sluice_up *up)
{
	if (!up->piece || early_cut(x, up->piece))
		return true;
	offence(instance, x, verdict, "early bytes taken that were not shown");
	return false;
}

static bool prefix_take(struct instance *instance, struct exchange *x, const struct sluice_up *up)
{
	struct payload payload = {0};
	bool whole = parts_attach(instance, x, up, &payload);

	early_prefix(x, payload);
	if (whole)
		return true;
	engine_count(x->engine, replaces_no_memory);
	exchange_fail(x, 502);
	return false;
}

/* There may be no more for it: no room to show it, or its client has ended. */
static void wait_more(struct exchange *x)
{
	bool first = !x->early_wanted;

	if (early_full(x) || x->early_last) {
		engine_count(x->engine, streams_early_full);
		exchange_fail(x, 502);
		return;
	}
	x->early_wanted = true;
	if (first)
		exchange_phase(x, PHASE_REQUEST);
	exchange_ready(x);
}

/* It joins before its bytes go ahead: they are none of the client's, and not for it to see. */
static void go_on(struct instance *instance, struct hop *hop, const struct sluice_up *up)
{
	struct exchange *x = hop->exchange;

	if (up->verdict == SLUICE_LEAVE)
		hop_leave(hop);
	else
		stage_join(hop);
	if (!prefix_take(instance, x, up))
		return;
	x->early_wanted = false;
	x->stage++;
	exchange_progress(x);
	exchange_ready(x);
}

void open_answered(struct instance *instance, struct hop *hop, const struct sluice_up *up)
{
	struct exchange *x = hop->exchange;

	if (!edits_take(instance, x, up) || !verdict_choice(instance, x, up) ||
	    !bytes_take(instance, x, up)) {
		verdict_slices_return(instance, up);
		return;
	}
	if (up->verdict == SLUICE_WAIT)
		wait_more(x);
	else
		go_on(instance, hop, up);
}
