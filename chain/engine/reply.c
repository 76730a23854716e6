/* SPDX-License-Identifier: BSD-3-Clause */
/* What the origin answers: heads from its connection, 1xx and then the one that counts. */
#include "chain/engine/answer.h"
#include "chain/engine/core.h"
#include "chain/engine/exchange.h"
#include "chain/engine/head.h"
#include "chain/engine/origin.h"
#include "chain/engine/stream.h"
#include "chain/http/edit.h"

static bool bad_answer(struct exchange *x, enum http_error error)
{
	engine_count(x->engine, responses_bad);
	engine_count_http_error(x->engine, error);
	ending_why(x, SLUICE_ENDING_ORIGIN_BAD);
	origin_failed(x);
	return instead_offer(x, 502);
}

/* The slot that was set aside when the exchange began; until the head is whole it goes back. */
static bool slot_take(struct exchange *x)
{
	struct slots *slots = &x->engine->slots;

	if (!x->reserved && !slots_reserve(slots))
		return false;
	x->message[RESPONSE].head = slots_small_reserved_bare(slots);
	x->reserved = false;
	return true;
}

static void slot_back(struct exchange *x)
{
	slots_free(&x->engine->slots, x->message[RESPONSE].head);
	x->message[RESPONSE].head = NULL;
	x->reserved = slots_reserve(&x->engine->slots);
}

/* Takes what was passed on. False: no memory, and no way to go on. */
static bool skip(const struct source *source, uint32_t bytes)
{
	struct payload payload = source_take(source, bytes);
	bool whole = payload.bytes == bytes;

	payload_free(&payload);
	return whole;
}

/* 100, 102, 103: to the client as they come, by no function. */
static bool informational(struct exchange *x, const struct source *source, uint32_t bytes)
{
	struct sluice_head *head = x->message[RESPONSE].head;

	if (respond_informational(x, head) && !skip(source, bytes)) {
		exchange_fail(x, 502);
		return false;
	}
	slot_back(x);
	exchange_ready(x); /* more may be there */
	return true;
}

/* With what came of its body in the same mbuf, if that is nothing but payload. */
static enum head_taken answer_head_take(struct exchange *x, const struct source *source,
					uint32_t bytes)
{
	struct message *message = &x->message[RESPONSE];
	struct body *body = &x->body[RESPONSE];
	struct http_body_step step;

	if (message->framing.kind != HTTP_BODY_LENGTH ||
	    !head_take_shared(source, bytes, message->framing.length, &message->pin, &body->came))
		return head_take(x->engine, source, message->head, bytes, &message->pin);
	message->pin_shared = true;
	http_body_next(&body->decoder, rte_pktmbuf_mtod(body->came.first, const uint8_t *),
		       body->came.bytes, &step);
	return HEAD_TAKEN;
}

static bool answer_take(struct exchange *x, const struct source *source, uint32_t bytes,
			const struct http_framing *framing)
{
	const struct sluice_head *request = x->message[REQUEST].head;
	struct message *message = &x->message[RESPONSE];
	struct engine *engine = x->engine;

	message->framing = *framing;
	http_body_init(&x->body[RESPONSE].decoder, framing, &x->chain->limits,
		       x->trailers[RESPONSE], ENGINE_TRAILER_BYTES);
	switch (answer_head_take(x, source, bytes)) {
	case HEAD_LATER:
		slot_back(x);
		engine_starve(engine, &x->task);
		return true;
	case HEAD_LOST:
		exchange_fail(x, 502);
		return false;
	case HEAD_TAKEN:
		break;
	}
	message->head->client = request->client;
	message->head->local = request->local;
	message->head->group = x->origin.group;
	message->head->server = upstreams_place(engine->env.upstreams, x->origin.server);
	upstreams_success(engine->env.upstreams, x->origin.server,
			  engine->timers.now_us - x->origin.asked_us, engine->timers.now_us);
	upstreams_status(engine->env.upstreams, x->origin.server, message->head->status,
			 engine->timers.now_us);
	engine_count(engine, responses_origin);
	x->replied_us = engine->timers.now_us;
	x->stage = (int8_t)(x->chain->path_length - 1);
	exchange_phase(x, PHASE_RESPONSE);
	return true;
}

static bool answer_begin(struct exchange *x, const struct source *source, uint32_t bytes)
{
	struct message *message = &x->message[RESPONSE];
	struct engine *engine = x->engine;
	struct http_framing framing;
	enum http_error error = http_framing_response(message->head, &engine->memory, &framing);

	if (error)
		return bad_answer(x, error);
	head_remember(engine, source, &x->chain->limits, x->message[REQUEST].head, message->head,
		      bytes, &framing);
	return answer_take(x, source, bytes, &framing);
}

/* True: another server is asked, or the exchange has ended. */
static bool retry_status(struct exchange *x, uint16_t status)
{
	uint8_t reason = retry_reason(x, status);
	struct sluice_head *head = x->message[RESPONSE].head;
	struct engine *engine = x->engine;

	if (!reason)
		return false;
	x->message[RESPONSE].head = NULL;
	if (!retry_for(x, reason)) {
		x->message[RESPONSE].head = head;
		return false;
	}
	slots_free(&engine->slots, head);
	return true;
}

/* An answer to conditions that nobody who is still there has set: the origin is asked without. */
static bool misled(struct exchange *x)
{
	struct sluice_head *head = x->message[RESPONSE].head;
	struct engine *engine = x->engine;

	x->message[RESPONSE].head = NULL;
	if (retry_misled(x)) {
		slots_free(&engine->slots, head);
		return exchange_alive(x);
	}
	x->message[RESPONSE].head = head;
	ending_why(x, SLUICE_ENDING_FUNCTION_FAILED);
	exchange_fail(x, 503);
	return false;
}

/* What is no final answer, but for the 101 that was asked for. `known`: its framing, if it came
 * before. */
static bool head_came(struct exchange *x, const struct source *source, uint32_t bytes,
		      const struct http_framing *known)
{
	const struct sluice_head *head = x->message[RESPONSE].head;

	if (head->status == 101 && !upgrade_agreed(x, head))
		return bad_answer(x, HTTP_OK);
	if (head->status < 200 && head->status != 101)
		return informational(x, source, bytes);
	if (x->misled && http_status_of_condition(head->status))
		return misled(x);
	if (retry_status(x, head->status))
		return x->phase != PHASE_OVER && x->phase != PHASE_FREE;
	return known ? answer_take(x, source, bytes, known) : answer_begin(x, source, bytes);
}

static bool answer_read(struct exchange *x, const struct source *source)
{
	struct message *message = &x->message[RESPONSE];
	struct http_framing framing;
	uint32_t bytes;
	uint8_t error;

	if (!slot_take(x)) {
		engine_starve(x->engine, &x->task);
		return true;
	}
	head_recall(x->engine, source, &x->chain->limits, x->message[REQUEST].head, message->head,
		    &bytes, &framing);
	if (bytes)
		return head_came(x, source, bytes, &framing);
	switch (head_read(x->engine, source, &x->chain->limits, x->message[REQUEST].head,
			  &message->head, &bytes, &error)) {
	case HTTP_HEAD_BAD:
		return bad_answer(x, error);
	case HTTP_HEAD_DONE:
		return head_came(x, source, bytes, NULL);
	case HTTP_HEAD_MORE:
		break;
	}
	slot_back(x);
	return source_no_more(source) ? origin_ended(x) : true;
}

bool reply_listen(struct exchange *x)
{
	struct source source = origin_source(x);

	if (source_ready(&source)) {
		x->origin.heard = true;
		return answer_read(x, &source);
	}
	return source_ended(&source) || source_broken(&source) ? origin_ended(x) : true;
}
