/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers in place of the origin's. A function that is shown a piece of a request's body may
 * answer itself as long as no answer has begun: a filter that has seen enough. One that is shown a
 * response head may do so too: a cache whose question was answered with 304, or which has
 * something better than an error. For this, an origin that gives no answer at all is shown as one
 * that answers with the error that the client is to get (without a body); if nobody answers instead
 * the exchange ends with that error as if nothing had been.
 */
#include "chain/engine/answer.h"
#include "chain/engine/body.h"
#include "chain/engine/exchange.h"
#include "chain/engine/origin.h"
#include "chain/engine/path.h"
#include "chain/http/edit.h"

/* The slot of the head that is given up is set aside for the next. */
static bool head_give_up(struct exchange *x)
{
	exchange_message_free(x, RESPONSE);
	payload_free(&x->body[RESPONSE].came);
	body_clear(x, RESPONSE);
	if (!x->reserved)
		x->reserved = slots_reserve(&x->engine->slots);
	return x->reserved;
}

/* Functions further down saw the answer that is given up, or were giving it, or wait for one: they
 * hear of a reset, and what they still say of it goes back to them. */
static void others_outdo(struct exchange *x, uint8_t stage)
{
	x->outdone |= ~((2u << stage) - 1);
}

bool instead_begin(struct exchange *x, uint8_t stage)
{
	others_outdo(x, stage);
	origin_release(x, x->phase == PHASE_RESPONSE);
	body_give_up(x);
	exchange_emits_drop(x);
	x->failing = 0;
	x->why = SLUICE_ENDING_COMPLETE;
	if (head_give_up(x))
		return true;
	exchange_fail(x, 503);
	return false;
}

/* --- no answer ------------------------------------------------------------------- */

static bool looks_at_answers(const struct hop *hop)
{
	const struct instance *instance = hop_instance(hop);

	return instance && !hop_is_out(hop) && (instance->hooks & ENGINE_HOOK_RESPONSE_HEAD);
}

static bool anybody_looks(const struct exchange *x)
{
	for (uint8_t i = 0; i < x->chain->path_length; i++)
		if (looks_at_answers(&x->hop[i]))
			return true;
	return false;
}

static void head_build(struct exchange *x, uint16_t status)
{
	const struct sluice_head *request = x->message[REQUEST].head;
	struct message *message = &x->message[RESPONSE];

	message->head = slots_small_reserved(&x->engine->slots);
	x->reserved = false;
	http_head_build_response(message->head, status, request->method);
	message->framing =
		(struct http_framing){.kind = HTTP_BODY_NONE, .length = SLUICE_LENGTH_NONE};
	message->head->body_bytes = SLUICE_LENGTH_NONE;
	message->head->client = request->client;
	message->head->local = request->local;
}

bool instead_offer(struct exchange *x, uint16_t status)
{
	if (x->chain->stream || x->answered || !x->client->conn || !anybody_looks(x) ||
	    !head_give_up(x)) {
		exchange_fail(x, status);
		return false;
	}
	origin_release(x, false);
	x->failing = status;
	head_build(x, status);
	x->stage = (int8_t)(x->chain->path_length - 1);
	exchange_phase(x, PHASE_RESPONSE);
	exchange_ready(x);
	return true;
}

void instead_end(struct exchange *x)
{
	exchange_fail(x, x->failing);
}
