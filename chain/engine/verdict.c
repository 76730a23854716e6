/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What functions say, checked word by word. The descriptor is a private copy; nothing in it
 * is believed: the exchange and its generation, that this instance is the one that was
 * asked, the kind of answer, every slice (64-bit arithmetic, its own arena only), the edits.
 *
 * An answer to an exchange that is over is no lie: the two crossed on their way. It is
 * counted, and its slices go back. A lie is counted by kind; if the liar holds the exchange
 * that it speaks of, that exchange ends (502, or a reset). Nobody else's exchange suffers.
 */
#include <errno.h>

#include "chain/engine/answer.h"
#include "chain/engine/ask.h"
#include "chain/engine/core.h"
#include "chain/engine/exchange.h"
#include "chain/engine/instance.h"
#include "chain/engine/path.h"
#include "chain/engine/stream.h"
#include "chain/engine/verdict.h"
#include "chain/http/edit.h"

/* --- whose ----------------------------------------------------------------------- */

/* The hop of an exchange that this instance holds something of, or gives its answer; NULL: none. */
static struct hop *hop_held(struct instance *instance, struct exchange *x)
{
	for (unsigned i = 0; i < x->chain->path_length; i++) {
		struct hop *hop = &x->hop[i];

		if (hop->instance == instance && (hop->holds || x->responder == i))
			return hop;
	}
	return NULL;
}

/* `x`: the liar's exchange, which ends; NULL: it is not its own, or over. */
void verdict_offend(struct instance *instance, struct exchange *x, uint64_t *counter,
		    const char *text)
{
	instance_offence(instance, counter, text);
	if (!x || x->phase == PHASE_DRAIN)
		return;
	ending_why(x, SLUICE_ENDING_FUNCTION_FAILED);
	exchange_fail(x, 502);
}

/* The exchange, if this instance has a part in it. */
struct exchange *verdict_own(struct instance *instance, struct exchange *x)
{
	return hop_held(instance, x) ? x : NULL;
}

/* The exchange that is spoken of, if it is still under way. */
static struct exchange *exchange_named(struct instance *instance, const struct sluice_up *up)
{
	struct engine *engine = instance->engine;
	struct exchange *x;

	if (up->exchange >= engine->env.max_exchanges) {
		offence(instance, NULL, exchange, "no such exchange");
		return NULL;
	}
	x = &engine->exchange[up->exchange];
	if (x->generation == up->generation && exchange_alive(x)) {
		if (x->with == instance)
			light_settle(x);
		return x;
	}
	if ((int32_t)(up->generation - x->generation) > 0)
		offence(instance, NULL, generation, "a generation that has not been");
	else
		engine_count(engine, answers_late);
	return NULL;
}

/* --- slices ---------------------------------------------------------------------- */

static bool slice_valid(const struct instance *instance, const struct sluice_slice *slice)
{
	const struct region *arena = instance->arena;
	uint64_t offset = sluice_ref_offset(slice->ref);

	return arena && sluice_ref_region(slice->ref) == arena->id && slice->len > 0 &&
	       offset <= arena->bytes && slice->len <= arena->bytes - offset;
}

/* Where the slices of a descriptor of this kind are, and how many it may have. */
static const struct sluice_slice *slices_of(const struct sluice_up *up, unsigned *most)
{
	bool responds = up->kind == SLUICE_UP_VERDICT || up->verdict == SLUICE_RESPOND;

	*most = responds ? 1 : SLUICE_UP_SLICES;
	return responds ? &up->respond.slice : up->slice;
}

bool verdict_slices_valid(const struct instance *instance, const struct sluice_up *up)
{
	unsigned most;
	const struct sluice_slice *slice = slices_of(up, &most);

	if (up->slices > most)
		return false;
	for (unsigned i = 0; i < up->slices; i++)
		if (!slice_valid(instance, &slice[i]))
			return false;
	return true;
}

/* Slices that will not be sent: their tags are due at once. */
void verdict_slices_return(struct instance *instance, const struct sluice_up *up)
{
	unsigned most;
	const struct sluice_slice *slice = slices_of(up, &most);

	for (unsigned i = 0; i < up->slices && i < most; i++) {
		struct lease *lease = NULL;

		if (slice_valid(instance, &slice[i]))
			lease = ledger_lease_take(&instance->holder, instance->arena, &slice[i]);
		if (lease)
			ledger_lease_drop(lease);
	}
}

/* --- edits and choices ----------------------------------------------------------- */

/* Applies the edits to a head; a small slot gives way to a large one when they do not fit. */
static int edits_apply_anew(struct exchange *x, enum direction d, uint32_t len,
			    struct http_edited *edited)
{
	struct engine *engine = x->engine;
	struct message *message = &x->message[d];
	struct sluice_head *large;
	int rc = http_provens_apply(&engine->provens, message->head, &engine->memory, engine->edits,
				    len, edited);

	if (rc != -ENOSPC)
		return rc;
	large = slots_grow(&engine->slots, message->head);
	if (!large)
		return rc;
	message->head = large;
	return http_provens_apply(&engine->provens, large, &engine->memory, engine->edits, len,
				  edited);
}

/* The same: short, when it is known what the list makes of this head. */
static int edits_apply(struct exchange *x, enum direction d, uint32_t len,
		       struct http_edited *edited)
{
	struct engine *engine = x->engine;
	const struct message *message = &x->message[d];
	uint64_t from = http_memo_from(message->head);
	int rc;

	if (http_memo_recall(&engine->memos, message->head, engine->edits, len,
			     &edited->asks_otherwise))
		return 0;
	rc = edits_apply_anew(x, d, len, edited);
	if (!rc)
		http_memo_keep(&engine->memos, &engine->numbers, from, engine->edits, len,
			       message->head);
	return rc;
}

bool verdict_text(struct instance *instance, struct exchange *x, const struct sluice_up *up)
{
	struct engine *engine = x->engine;

	if (up->text_len <= SLUICE_EDITS_MAX_BYTES &&
	    (engine->in_place ||
	     !link_text(instance->link, up, engine->edits, sizeof(engine->edits))))
		return true;
	offence(instance, x, text, "edits outside of its text ring");
	return false;
}

/* False: the answer is refused, and what follows from that was done. */
static bool edits_take(struct instance *instance, struct exchange *x, const struct sluice_up *up,
		       enum direction d, struct http_edited *edited)
{
	struct engine *engine = x->engine;
	int rc;

	edited->asks_otherwise = false;
	if (!up->text_len)
		return true;
	if (!verdict_text(instance, x, up))
		return false;
	rc = edits_apply(x, d, up->text_len, edited);
	if (!rc)
		return true;
	engine_count_http_error(engine, edited->error);
	if (rc == -ENOSPC) {
		engine_count(engine, edits_no_room);
		exchange_fail(x, 500);
		return false;
	}
	offence(instance, x, edits, http_error_text(edited->error));
	return false;
}

bool verdict_choice(struct instance *instance, struct exchange *x, const struct sluice_up *up)
{
	const struct upstreams *upstreams = x->engine->env.upstreams;
	struct sluice_head *head = x->message[REQUEST].head;

	if (up->group == SLUICE_NONE16 && up->server == SLUICE_NONE16)
		return true;
	if (x->phase != PHASE_REQUEST) {
		offence(instance, x, choice, "a route for what was sent already");
		return false;
	}
	if (up->group != SLUICE_NONE16 && !upstreams_group(upstreams, up->group)) {
		offence(instance, x, choice, "an upstream group that there is not");
		return false;
	}
	if (up->group != SLUICE_NONE16) {
		head->group = up->group;
		head->server = SLUICE_NONE16;
	}
	if (up->server != SLUICE_NONE16)
		head->server = up->server;
	return true;
}

/* --- heads ----------------------------------------------------------------------- */

/* `others`: flags that may be there besides. */
static bool how_allowed(const struct exchange *x, const struct sluice_up *up, uint8_t others)
{
	if (up->flags & ~(SLUICE_UP_HOW | others))
		return false;
	return !(up->flags & SLUICE_UP_HOW) ||
	       (x->phase == PHASE_REQUEST && !up->how.reserved && !up->how.reserved2 &&
		up->how.retry < SLUICE_RETRY_5XX * 2);
}

/* In this turn; at once, by who asked, if that was in place. */
static void head_moved(struct exchange *x)
{
	if (x->engine->in_place != x)
		exchange_ready(x);
}

bool verdict_respond_allowed(const struct sluice_up *up)
{
	return !(up->flags & ~SLUICE_UP_END) && up->status >= 200 && up->status <= 599 &&
	       (up->respond.body_bytes <= HTTP_LENGTH_MAX ||
		up->respond.body_bytes >= SLUICE_LENGTH_UNKNOWN);
}

static bool verdict_allowed(const struct exchange *x, const struct sluice_up *up)
{
	if (x->chain->stream)
		return open_allowed(up);
	switch (up->verdict) {
	case SLUICE_PASS:
		return up->slices == 0 && how_allowed(x, up, SLUICE_UP_RESIZE);
	case SLUICE_LEAVE:
		return up->slices == 0 && how_allowed(x, up, 0);
	case SLUICE_RESET:
		return up->slices == 0 && up->flags == 0;
	case SLUICE_RESPOND:
		return verdict_respond_allowed(up);
	default:
		return false;
	}
}

void verdict_respond(struct instance *instance, struct hop *hop, const struct sluice_up *up)
{
	struct exchange *x = hop->exchange;
	struct http_edited edited;

	if (x->phase != PHASE_REQUEST && !instead_begin(x, hop->stage)) {
		verdict_slices_return(instance, up);
		return;
	}
	respond_build(x, up);
	x->responder = hop->stage;
	x->emits_ended = up->flags & SLUICE_UP_END;
	if (!edits_take(instance, x, up, RESPONSE, &edited)) {
		verdict_slices_return(instance, up);
		return;
	}
	if (up->slices && !parts_emit(instance, x, &up->respond.slice))
		return;
	x->stage = (int8_t)(hop->stage - 1);
	exchange_phase(x, PHASE_RESPONSE);
	head_moved(x);
}

/* A body without length stays one, and so does what is no body. */
static void forget_length(struct message *message)
{
	if (message->framing.kind != HTTP_BODY_LENGTH)
		return;
	message->framing.kind = HTTP_BODY_CHUNKED;
	message->framing.length = SLUICE_LENGTH_UNKNOWN;
	message->head->body_bytes = SLUICE_LENGTH_UNKNOWN;
}

/* On to the next function at once; but not within a call in place, where functions could let each
 * other's exchanges go on, one within the other, for as long as they hold any. */
static void head_goes_on(struct hop *hop, uint8_t verdict)
{
	struct exchange *x = hop->exchange;

	hop_passed(x, head_way(x), verdict);
	if (x->engine->in_place || !hop_step(x))
		head_moved(x);
}

static void go_on(struct instance *instance, struct hop *hop, const struct sluice_up *up)
{
	struct exchange *x = hop->exchange;
	enum direction d = head_way(x);
	struct http_edited edited;

	if (x->chain->watchers && (up->text_len || up->flags & SLUICE_UP_RESIZE))
		watch_change(x, d, hop->stage);
	if (!edits_take(instance, x, up, d, &edited) || !verdict_choice(instance, x, up))
		return;
	if (d == REQUEST && edited.asks_otherwise)
		hop->asked = true;
	if (up->flags & SLUICE_UP_HOW)
		x->how = up->how;
	if (up->flags & SLUICE_UP_RESIZE)
		forget_length(&x->message[d]);
	head_goes_on(hop, up->verdict);
}

/* It was not to answer for a head now. */
static __attribute__((noinline)) void not_asked(struct instance *instance, struct exchange *x)
{
	struct hop *hop = hop_held(instance, x);

	if (x->phase == PHASE_DRAIN && hop && hop->awaits) {
		hop->awaits = AWAITS_NOTHING;
		hop_holds(hop);
		engine_count(instance->engine, answers_late);
		return;
	}
	offence(instance, verdict_own(instance, x), holder, "a verdict that it was not asked for");
}

/* The hop whose head this instance was to answer now; NULL: it was not. */
static inline struct hop *hop_asked(const struct instance *instance, struct exchange *x)
{
	bool moving = x->phase == PHASE_REQUEST || x->phase == PHASE_RESPONSE;
	struct hop *hop = moving && x->stage >= 0 && x->stage < x->chain->path_length
				  ? &x->hop[x->stage]
				  : NULL;

	return hop && hop->instance == instance && hop->awaits ? hop : NULL;
}

/* One that says more than that it passes the head. Apart, for it takes room on the stack. */
static __attribute__((noinline)) void take_said(struct instance *instance, struct hop *hop,
						const struct sluice_up *up)
{
	struct exchange *x = hop->exchange;

	if (!verdict_allowed(x, up) || !verdict_slices_valid(instance, up)) {
		offence(instance, x, verdict, "a verdict that it may not give here");
		return;
	}
	hop_answered(hop);
	switch (up->verdict) {
	case SLUICE_RESET:
		engine_count(x->engine, exchanges_reset_by_function);
		ending_why(x, SLUICE_ENDING_FUNCTION_RESET);
		exchange_fail(x, 502);
		return;
	case SLUICE_RESPOND:
		verdict_respond(instance, hop, up);
		return;
	default:
		if (x->chain->stream)
			open_answered(instance, hop, up);
		else
			go_on(instance, hop, up);
		return;
	}
}

static void take_verdict(struct instance *instance, struct exchange *x, const struct sluice_up *up)
{
	struct hop *hop = hop_asked(instance, x);

	if (!hop) {
		not_asked(instance, x);
		verdict_slices_return(instance, up);
		return;
	}
	recall_heard(hop, up);
	if (x->chain->stream || !verdict_is_plain(up)) {
		take_said(instance, hop, up);
		return;
	}
	hop_answered(hop);
	head_goes_on(hop, up->verdict);
}

/* --- all of them ----------------------------------------------------------------- */

static void take_answer(struct instance *instance, const struct sluice_up *up)
{
	struct exchange *x = exchange_named(instance, up);

	if (!x) {
		verdict_slices_return(instance, up);
		return;
	}
	switch (up->kind) {
	case SLUICE_UP_VERDICT:
		take_verdict(instance, x, up);
		return;
	case SLUICE_UP_PIECE:
		parts_take_piece(instance, x, up);
		return;
	case SLUICE_UP_EMIT:
		parts_take_emit(instance, x, up);
		return;
	default:
		offence(instance, verdict_own(instance, x), kind, "an answer of no known kind");
		return;
	}
}

void verdict_take(struct instance *instance, const struct sluice_up *up)
{
	engine_count(instance->engine, descriptors_up);
	switch (up->kind) {
	case SLUICE_UP_ASK:
		ask_asked(instance, up);
		return;
	case SLUICE_UP_ASK_DROP:
		ask_dropped(instance, up);
		return;
	case SLUICE_UP_UNSTEADY:
		recall_retract(instance);
		return;
	default:
		take_answer(instance, up);
		return;
	}
}
