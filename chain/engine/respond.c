/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers to clients: the origin's, a function's, the engine's own; and how the connection goes on.
 */
#include <errno.h>

#include "chain/engine/answer.h"
#include "chain/engine/body.h"
#include "chain/engine/client.h"
#include "chain/engine/core.h"
#include "chain/engine/exchange.h"
#include "chain/engine/stream.h"
#include "chain/http/edit.h"

/* --- how the client goes on ------------------------------------------------------ */

static bool wants_another(const struct exchange *x)
{
	return x->message[REQUEST].framing.keep_alive && !x->chain->draining &&
	       !x->engine->draining && !limits_spent(x->client, 0);
}

/* The rest of its request is little enough to be read and thrown away. One who waits for 100 would
 * wait on. */
static bool drainable(const struct exchange *x)
{
	const struct http_framing *framing = &x->message[REQUEST].framing;
	const struct http_body *body = &x->body[REQUEST].decoder;

	if (framing->expect_continue && !body->payload)
		return false;
	return framing->kind == HTTP_BODY_CHUNKED || body->remaining <= ENGINE_LINGER_BYTES;
}

/* RFC 9112 §9.6: who sends more than we will read is told that the connection ends. An origin may
 * still take it all. */
static bool may_keep(const struct exchange *x)
{
	if (!wants_another(x))
		return false;
	return x->responder == RESPONDER_ORIGIN || http_body_ended(&x->body[REQUEST].decoder) ||
	       drainable(x);
}

enum client_fate respond_fate(const struct exchange *x)
{
	const struct body *body = &x->body[REQUEST];

	if (body->decoder.error)
		return CLIENT_END;
	if (!body->owed && http_body_ended(&body->decoder))
		return CLIENT_KEEP;
	if (tcp_recv_ended(x->client->conn) || !drainable(x))
		return CLIENT_END;
	return CLIENT_DRAIN;
}

void respond_counted(struct client *client, struct exchange *x, uint16_t status)
{
	struct chain *chain = client->chain;

	chain->info.status[status / 100]++;
	engine_count(client->engine, responses);
	if (!x)
		return;
	x->answered = true;
	x->status = status;
}

/* --- the engine's own ------------------------------------------------------------ */

enum client_fate respond_error(struct client *client, struct exchange *x, uint16_t status)
{
	struct engine *engine = client->engine;
	bool keep = x && !x->refused && wants_another(x);
	enum client_fate fate = keep ? respond_fate(x) : CLIENT_END;
	bool head_only = x && x->message[REQUEST].head->method == SLUICE_METHOD_HEAD;
	uint8_t bytes[HTTP_ANSWER_BYTES_MAX];
	struct rte_mbuf *chain;
	int len;

	/* RFC 9110 §15.5.9: who is told that it was too slow is not waited for any longer. */
	if ((x && x->message[REQUEST].head->version < 11) || status == 408)
		fate = CLIENT_END;
	len = http_write_answer(status, fate == CLIENT_END, head_only, engine_date(engine), bytes,
				sizeof(bytes));
	chain = len > 0 ? text_chain(engine, bytes, (uint32_t)len) : NULL;
	if (!chain || tcp_send(client->conn, chain)) {
		rte_pktmbuf_free(chain);
		return CLIENT_RESET;
	}
	if (x) {
		x->bytes_out += (uint32_t)len;
		x->own_answer = true;
	}
	engine_count(engine, responses_own);
	respond_counted(client, x, status);
	return fate;
}

/* --- 1xx ------------------------------------------------------------------------- */

/* False: no memory just now. RFC 9110 §15.2: never to an HTTP/1.0 client. */
bool respond_informational(struct exchange *x, const struct sluice_head *head)
{
	struct http_write how = {.framing = HTTP_BODY_NONE, .length = SLUICE_LENGTH_NONE};
	struct rte_mbuf *chain;
	int error;

	if (x->message[REQUEST].head->version < 11)
		return true;
	error = text_head(x->engine, head, &how, &chain);
	if (error == -EAGAIN) {
		engine_starve(x->engine, &x->task);
		return false;
	}
	if (!error && tcp_send(x->client->conn, chain))
		rte_pktmbuf_free(chain);
	engine_count(x->engine, responses_informational);
	return true;
}

/* --- a function's ---------------------------------------------------------------- */

/* The length that its verdict gives; all of the body may be there already. 204 and 304 have none
 * (RFC 9110 §8.6). Other answers without a body say so: else the client would wait for the end of
 * the connection (RFC 9112 §6.3). */
static uint64_t length_of(const struct sluice_up *up, uint8_t request_method)
{
	if (up->status == 204 || up->status == 304)
		return SLUICE_LENGTH_NONE;
	if (up->respond.body_bytes == SLUICE_LENGTH_NONE)
		return request_method == SLUICE_METHOD_HEAD ? SLUICE_LENGTH_NONE : 0;
	if (up->respond.body_bytes == SLUICE_LENGTH_UNKNOWN && (up->flags & SLUICE_UP_END))
		return up->slices ? up->respond.slice.len : 0;
	return up->respond.body_bytes;
}

static struct http_framing framing_of(const struct sluice_up *up, uint8_t request_method)
{
	struct http_framing framing = {.keep_alive = true, .length = length_of(up, request_method)};

	if (http_response_without_body(up->status, request_method) ||
	    framing.length == SLUICE_LENGTH_NONE)
		framing.kind = HTTP_BODY_NONE;
	else if (framing.length == SLUICE_LENGTH_UNKNOWN)
		framing.kind = HTTP_BODY_CHUNKED;
	else
		framing.kind = HTTP_BODY_LENGTH;
	return framing;
}

void respond_build(struct exchange *x, const struct sluice_up *up)
{
	const struct sluice_head *request = x->message[REQUEST].head;
	struct message *message = &x->message[RESPONSE];

	message->head = slots_small_reserved(&x->engine->slots);
	x->reserved = false;
	http_head_build_response(message->head, up->status, request->method);
	message->framing = framing_of(up, request->method);
	message->head->body_bytes =
		body_announced(&message->framing) ? message->framing.length : SLUICE_LENGTH_NONE;
	message->head->client = request->client;
	message->head->local = request->local;
	engine_count(x->engine, responses_function);
	x->replied_us = x->engine->timers.now_us;
}

/* --- the head to the client ------------------------------------------------------ */

/* RFC 9112 §6: a length that is known is kept; what has none is chunked, or ends with the
 * connection. */
static enum http_body_kind kind_to(const struct exchange *x)
{
	const struct http_framing *framing = &x->message[RESPONSE].framing;

	if (framing->kind == HTTP_BODY_NONE || framing->kind == HTTP_BODY_LENGTH)
		return framing->kind;
	return x->message[REQUEST].head->version >= 11 ? HTTP_BODY_CHUNKED : HTTP_BODY_UNTIL_CLOSE;
}

static struct http_write how_to(struct exchange *x, enum http_body_kind kind)
{
	const struct http_framing *framing = &x->message[RESPONSE].framing;
	struct http_write how = {.framing = (uint8_t)kind,
				 .length = framing->length,
				 .date = engine_date(x->engine)};

	if (kind == HTTP_BODY_NONE && framing->length < SLUICE_LENGTH_UNKNOWN)
		how.framing = HTTP_BODY_LENGTH; /* HEAD and 304 tell the length of what they do not
						   send */
	x->keep_client = may_keep(x) && kind != HTTP_BODY_UNTIL_CLOSE;
	if (framing->upgrade)
		how.connection = x->message[RESPONSE].head->status == 101 ? HTTP_CONNECTION_UPGRADE
									  : HTTP_CONNECTION_DEFAULT;
	else if (!x->keep_client)
		how.connection = HTTP_CONNECTION_CLOSE;
	else if (x->message[REQUEST].head->version < 11)
		how.connection = HTTP_CONNECTION_KEEP_ALIVE;
	return how;
}

static void head_to_client(struct exchange *x, struct rte_mbuf *chain)
{
	const struct sluice_head *head = x->message[RESPONSE].head;

	x->bytes_out += payload_of(chain).bytes;
	if (tcp_send(x->client->conn, chain)) {
		rte_pktmbuf_free(chain); /* `closed` follows */
		engine_count(x->engine, sends_failed);
	}
	respond_counted(x->client, x, head->status);
	exchange_phase(x, PHASE_BODY);
}

void respond_begin(struct exchange *x)
{
	enum http_body_kind kind = kind_to(x);
	struct http_write how = how_to(x, kind);
	struct rte_mbuf *chain;
	int error;

	if (!upgrade_consistent(x)) {
		exchange_fail(x, 502);
		return;
	}
	if (!body_begin(x, RESPONSE, kind, x->message[RESPONSE].framing.length))
		return;
	error = text_head(x->engine, x->message[RESPONSE].head, &how, &chain);
	if (error == -EAGAIN) {
		engine_starve(x->engine, &x->task);
		return;
	}
	if (error) {
		engine_count(x->engine, heads_unwritable);
		exchange_fail(x, 502);
		return;
	}
	short_append(x, chain);
	recall_keep(x, chain);
	frame_behind(x, chain);
	head_to_client(x, chain);
	if (!x->message[RESPONSE].framing.upgrade)
		return;
	tunnel_prepare(x);
	tunnel_open(x);
}
