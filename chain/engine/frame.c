/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bodies on their way out: framed anew, and given to the destination by reference.
 *
 * Of a body with a length exactly that much is sent, whatever functions made of it: one that comes
 * out otherwise ends its exchange, so that nobody takes the rest for another message.
 */
#include "chain/engine/body.h"
#include "chain/engine/core.h"
#include "chain/engine/exchange.h"

#define ROOM_MIN (16u << 10)

struct tcp_conn *frame_destination(const struct exchange *x, enum direction d)
{
	/* A body never goes before its head, which may have to wait for memory. */
	if (d == RESPONSE)
		return x->answered || x->chain->stream ? x->client->conn : NULL;
	return x->origin.conn && x->origin.sent ? x->origin.conn->tcp : NULL;
}

/*
 * What a connection may be given now. One with nothing on its way takes a little even when the
 * stack's memory is all spoken for: it would never hear of room, and what is handed on from
 * one connection to the other is spoken for already.
 */
uint32_t frame_room(const struct tcp_conn *conn)
{
	uint32_t room = tcp_send_room(conn);

	return room || tcp_send_pending(conn) ? room : ROOM_MIN;
}

/* A line of framing before `payload`, if this body has such. False: no memory. */
static bool line_before(struct exchange *x, struct body *body, const struct payload *payload,
			struct rte_mbuf **chain)
{
	uint8_t line[HTTP_CHUNK_BYTES_MAX];
	struct rte_mbuf *m;
	int len;

	*chain = payload->first;
	if (body->out_kind != HTTP_BODY_CHUNKED)
		return true;
	len = http_write_chunk(!body->chunked_before, payload->bytes, line, sizeof(line));
	m = text_chain(x->engine, line, (uint32_t)len);
	if (!m)
		return false;
	m->next = payload->first;
	body->chunked_before = true;
	*chain = m;
	return true;
}

/* Puts back what could not be sent just now. */
static void put_back(struct body *body, struct payload payload)
{
	payload_append(&payload, body->out);
	body->out = payload;
}

static void sent(struct exchange *x, enum direction d, const struct payload *payload)
{
	struct body *body = &x->body[d];

	body_hand(x, d, -(int64_t)payload->charge);
	body->bytes += payload->bytes;
	if (body->out_kind == HTTP_BODY_LENGTH)
		body->out_left -= payload->bytes;
	if (d == RESPONSE)
		x->bytes_out += payload->bytes;
	engine_count_add(x->engine, payload_referenced_bytes, payload->bytes);
	exchange_progress(x);
}

/* A function made the body longer or shorter than its head had said. */
static bool wrong_length(struct exchange *x)
{
	engine_count(x->engine, bodies_wrong_length);
	ending_why(x, SLUICE_ENDING_FUNCTION_FAILED);
	exchange_fail(x, 502);
	return false;
}

/* The destination does not take it: its end is on the way. */
static void undeliverable(struct exchange *x, enum direction d, struct rte_mbuf *chain)
{
	rte_pktmbuf_free(chain);
	engine_count(x->engine, sends_failed);
	body_end(x, d);
}

static bool send_some(struct exchange *x, enum direction d, struct tcp_conn *to, bool *moved)
{
	struct body *body = &x->body[d];
	struct payload payload;
	struct rte_mbuf *chain;

	payload = payload_take(&body->out, frame_room(to), UINT32_MAX);
	if (body->out_kind == HTTP_BODY_LENGTH && payload.bytes > body->out_left) {
		put_back(body, payload);
		return wrong_length(x);
	}
	if (!line_before(x, body, &payload, &chain)) {
		put_back(body, payload);
		engine_starve(x->engine, &x->task);
		return true;
	}
	sent(x, d, &payload);
	if (tcp_send(to, chain))
		undeliverable(x, d, chain);
	*moved = true;
	return true;
}

/* The last chunk, with the trailers when they came as such. */
static struct rte_mbuf *last_chunk(struct exchange *x, struct body *body)
{
	struct http_bytes trailers = {body->decoder.trailers, body->decoder.trailers_len};
	uint8_t *out = x->engine->scratch;
	int len = http_write_last_chunk(!body->chunked_before, trailers, out, ENGINE_SCRATCH);

	return text_chain(x->engine, out, (uint32_t)len);
}

static bool finish(struct exchange *x, enum direction d, struct tcp_conn *to)
{
	struct body *body = &x->body[d];
	struct rte_mbuf *chain;

	if (body->out_kind == HTTP_BODY_LENGTH && body->out_left)
		return wrong_length(x);
	if (body->out_kind == HTTP_BODY_CHUNKED) {
		chain = last_chunk(x, body);
		if (!chain) {
			engine_starve(x->engine, &x->task);
			return true;
		}
		if (tcp_send(to, chain))
			undeliverable(x, d, chain);
	}
	if (x->phase == PHASE_TUNNEL)
		tcp_shutdown(to);
	body_end(x, d);
	exchange_progress(x);
	if (x->phase == PHASE_WAIT)
		exchange_phase(x, PHASE_WAIT); /* from now on it is the origin that is waited for */
	return true;
}

void frame_whole(struct exchange *x, uint32_t bytes)
{
	struct body *body = &x->body[RESPONSE];

	body->bytes = bytes;
	body->out_left = 0;
	body->source_ended = body->out_end = true;
	body_end(x, RESPONSE);
}

/* As after a send, without the way there. */
void frame_behind(struct exchange *x, struct rte_mbuf *head)
{
	struct body *body = &x->body[RESPONSE];
	struct payload *came = &body->came;

	if (!came->first || body->stages || body->out_kind != HTTP_BODY_LENGTH ||
	    came->bytes != body->out_left || !http_body_ended(&body->decoder) ||
	    !frame_room(x->client->conn))
		return;
	rte_pktmbuf_lastseg(head)->next = came->first;
	engine_count_add(x->engine, payload_referenced_bytes, came->bytes);
	frame_whole(x, came->bytes);
	*came = (struct payload){0};
}

bool frame_write(struct exchange *x, enum direction d, bool *moved)
{
	struct body *body = &x->body[d];
	struct tcp_conn *to = frame_destination(x, d);

	if (!to)
		return true;
	if (body->out.first && frame_room(to))
		return send_some(x, d, to, moved);
	if (body->out_end && !body->out.first && !body_ended(x, d))
		return finish(x, d, to);
	return true;
}
