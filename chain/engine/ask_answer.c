/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The server's side of a function's own request. As for exchanges (origin.c): a server that cannot
 * be connected is followed by the next one, and one that closed a kept connection is asked once
 * more on a new one, if that does no harm.
 */
#include <errno.h>

#include "chain/engine/ask.h"
#include "chain/engine/body.h"
#include "chain/engine/core.h"
#include "chain/engine/head.h"
#include "chain/http/field.h"

static const struct upstream_user_ops ops;
static const struct http_limits limits = {.max_head_bytes = 32768,
					  .max_fields = 100,
					  .max_target_bytes = 8192,
					  .max_extension_bytes = 4096};

static struct upstreams *upstreams_of(const struct ask *ask)
{
	return ask_engine(ask)->env.upstreams;
}

static void failed(struct ask *ask)
{
	reach_failed(ask_engine(ask), &ask->origin);
}

static struct source source_of(struct ask *ask)
{
	return reach_source(ask_engine(ask), &ask->origin);
}

/* --- connecting ------------------------------------------------------------------ */

void ask_connect(struct ask *ask, uint32_t server)
{
	ask->state = ASK_CONNECT;
	if (reach_connect(ask_engine(ask), &ask->origin, server, &ops, ask))
		ask_ready(ask); /* it may be open already */
	else
		ask_finish(ask, ECONNREFUSED);
}

/* The connection ended before an answer came. */
static void lost(struct ask *ask)
{
	bool connecting = ask->state == ASK_CONNECT && !ask->origin.reused;

	reach_inactive(ask_engine(ask), &ask->origin);
	if (ask->origin.reused && !ask->origin.heard && !ask->origin.fresh &&
	    (!ask->origin.sent || http_method_idempotent(ask->request->method))) {
		engine_count(ask_engine(ask), origin_repeated);
		ask->origin.fresh = true;
		ask->origin.sent = false;
		ask_connect(ask, ask->origin.server);
		return;
	}
	failed(ask);
	if (connecting)
		ask_connect(ask, reach_next(ask_engine(ask), &ask->origin));
	else
		ask_finish(ask, ECONNRESET);
}

static void ended(struct ask *ask)
{
	reach_abort(&ask->origin);
	lost(ask);
}

void ask_release(struct ask *ask, bool complete)
{
	reach_release(ask_engine(ask), &ask->origin, complete, ask->framing.keep_alive);
}

/* --- asking ---------------------------------------------------------------------- */

/* The text stays here, in case that it must be said again. */
static struct rte_mbuf *text_again(struct ask *ask)
{
	struct rte_mbuf *first = NULL, **end = &first;

	for (struct rte_mbuf *m = ask->text; m; m = m->next) {
		*end = rte_pktmbuf_alloc(ask_engine(ask)->env.ref);
		if (!*end) {
			rte_pktmbuf_free(first);
			return NULL;
		}
		rte_pktmbuf_attach(*end, m);
		(*end)->next = NULL;
		(*end)->nb_segs = 1;
		end = &(*end)->next;
	}
	return first;
}

static void send_text(struct ask *ask)
{
	struct engine *engine = ask_engine(ask);
	struct rte_mbuf *text = text_again(ask);

	if (!text) {
		engine_starve(engine, &ask->task);
		return;
	}
	ask->origin.reused = ask->origin.conn->reused;
	ask->origin.sent = true;
	ask->origin.asked_us = engine->timers.now_us;
	ask->state = ASK_WAIT;
	if (tcp_send(ask->origin.conn->tcp, text)) {
		rte_pktmbuf_free(text); /* it is on its end: `closed` follows */
		engine_count(engine, sends_failed);
	}
}

/* --- the answer's head ----------------------------------------------------------- */

static void bad_answer(struct ask *ask, enum http_error error)
{
	engine_count(ask_engine(ask), responses_bad);
	engine_count_http_error(ask_engine(ask), error);
	failed(ask);
	ask_finish(ask, EPROTO);
}

static void slot_back(struct ask *ask)
{
	slots_free(&ask_engine(ask)->slots, ask->answer);
	ask->answer = NULL;
}

/* 1xx are passed over. */
static void informational(struct ask *ask, uint32_t bytes)
{
	struct source source = source_of(ask);
	struct payload skipped;

	if (ask->answer->status == 101) {
		bad_answer(ask, HTTP_OK);
		return;
	}
	slot_back(ask);
	skipped = source_take(&source, bytes);
	if (skipped.bytes == bytes)
		ask_ready(ask);
	else
		ask_finish(ask, ENOBUFS);
	payload_free(&skipped);
}

static void head_done(struct ask *ask, uint32_t bytes)
{
	struct engine *engine = ask_engine(ask);
	struct source source = source_of(ask);
	enum http_error error = http_framing_response(ask->answer, &engine->memory, &ask->framing);

	if (error) {
		bad_answer(ask, error);
		return;
	}
	switch (head_take(engine, &source, ask->answer, bytes, &ask->pin)) {
	case HEAD_LATER:
		slot_back(ask);
		engine_starve(engine, &ask->task);
		return;
	case HEAD_LOST:
		ask_finish(ask, ENOBUFS);
		return;
	case HEAD_TAKEN:
		break;
	}
	http_body_init(&ask->body.decoder, &ask->framing, &limits, ask->trailers,
		       ENGINE_TRAILER_BYTES);
	upstreams_success(upstreams_of(ask), ask->origin.server,
			  engine->timers.now_us - ask->origin.asked_us, engine->timers.now_us);
	ask->state = ASK_HEAD;
}

static void head_await(struct ask *ask)
{
	struct engine *engine = ask_engine(ask);
	struct source source = source_of(ask);
	uint32_t bytes;
	uint8_t error;

	ask->answer = slots_small(&engine->slots);
	if (!ask->answer) {
		engine_starve(engine, &ask->task);
		return;
	}
	switch (head_read(engine, &source, &limits, ask->request, &ask->answer, &bytes, &error)) {
	case HTTP_HEAD_BAD:
		bad_answer(ask, error);
		return;
	case HTTP_HEAD_DONE:
		if (ask->answer->status < 200)
			informational(ask, bytes);
		else
			head_done(ask, bytes);
		return;
	case HTTP_HEAD_MORE:
		break;
	}
	slot_back(ask);
	if (source_no_more(&source))
		ended(ask);
}

static void await(struct ask *ask)
{
	struct source source = source_of(ask);

	if (source_ready(&source)) {
		ask->origin.heard = true;
		head_await(ask);
	} else if (source_ended(&source) || source_broken(&source)) {
		ended(ask);
	}
}

static void head_show(struct ask *ask)
{
	bool announced = body_announced(&ask->framing);
	struct sluice_down *down =
		ask_entry(ask, SLUICE_DOWN_ASK_HEAD, announced ? 0 : SLUICE_DOWN_END);

	if (!down)
		return;
	down->arg = slots_arg(&ask_engine(ask)->slots, ask->answer);
	ask->body.source_ended = !announced;
	ask->state = ASK_BODY;
}

/* --- its body -------------------------------------------------------------------- */

static bool slices_of(struct ask *ask, struct sluice_slice *slice, unsigned *n)
{
	const struct rte_mbuf *m = ask->in.first;

	for (*n = 0; m && *n < SLUICE_DOWN_SLICES; m = m->next, ++*n) {
		uint64_t ref =
			engine_payload_ref(ask_engine(ask), rte_pktmbuf_mtod(m, const void *));

		if (ref == SLUICE_REF_NONE)
			return false;
		slice[*n] = (struct sluice_slice){.ref = ref, .len = m->data_len};
	}
	return true;
}

/* False: no more can be shown now. */
static bool piece_show(struct ask *ask)
{
	struct sluice_slice slice[SLUICE_DOWN_SLICES];
	struct sluice_down *down;
	unsigned n;

	if (!ask->in.first || ask->shown_count == ASK_SHOWN_MAX)
		return false;
	if (!slices_of(ask, slice, &n)) {
		engine_count(ask_engine(ask), heads_unmapped);
		ask_finish(ask, EFAULT);
		return false;
	}
	down = ask_entry(ask, SLUICE_DOWN_ASK_BODY, 0);
	if (!down)
		return false;
	down->slices = (uint8_t)n;
	for (unsigned i = 0; i < n; i++)
		down->slice[i] = slice[i];
	ask->shown[ask->shown_count++] = (struct ask_shown){
		.payload = payload_take(&ask->in, UINT32_MAX, n), .mark = ask->mark};
	return true;
}

static uint32_t in_hand(const struct ask *ask)
{
	uint32_t charge = ask->in.charge;

	for (unsigned i = 0; i < ask->shown_count; i++)
		charge += ask->shown[i].payload.charge;
	return charge;
}

/* False: no more can be read now. */
static bool body_some(struct ask *ask)
{
	struct source source = source_of(ask);
	struct payload got = {0};
	uint32_t hand = in_hand(ask);
	enum read_result result;

	if (ask->body.source_ended || hand >= ASK_IN_HAND_MAX)
		return false;
	result = body_decode(&ask->body, &source, ASK_IN_HAND_MAX - hand, &got);
	ask_engine(ask)->held_bytes += got.charge;
	payload_append(&ask->in, got);
	switch (result) {
	case READ_SOME:
		return true;
	case READ_END:
		ask->body.source_ended = true;
		return true;
	case READ_BAD:
		bad_answer(ask, ask->body.decoder.error);
		return false;
	case READ_CUT:
		engine_count(ask_engine(ask), responses_cut);
		failed(ask);
		ask_finish(ask, ECONNRESET);
		return false;
	case READ_STARVED:
		engine_starve(ask_engine(ask), &ask->task);
		return false;
	case READ_NOTHING:
		break;
	}
	return false;
}

static void body_go_on(struct ask *ask)
{
	bool read, shown;

	do {
		read = body_some(ask);
		shown = ask->state == ASK_BODY && piece_show(ask);
	} while (ask->state == ASK_BODY && (read || shown));
	if (ask->state == ASK_BODY && ask->body.source_ended && !ask->in.first)
		ask_finish(ask, 0);
}

/* --- all of it ------------------------------------------------------------------- */

void ask_move(struct ask *ask)
{
	if (ask->state == ASK_CONNECT && ask->origin.gone)
		lost(ask);
	else if (ask->state == ASK_CONNECT && ask->origin.conn && ask->origin.conn->open)
		send_text(ask);
	if (ask->state == ASK_WAIT)
		await(ask);
	if (ask->state == ASK_HEAD)
		head_show(ask);
	if (ask->state == ASK_BODY)
		body_go_on(ask);
}

static void on_event(struct upstream_conn *conn, void *user)
{
	(void)conn;
	ask_ready(user);
}

static void on_closed(struct upstream_conn *conn, void *user, enum tcp_close_reason reason)
{
	struct ask *ask = user;

	reach_closed(&ask->origin, conn, reason);
	ask_ready(ask);
}

static const struct upstream_user_ops ops = {
	.opened = on_event,
	.readable = on_event,
	.writable = on_event,
	.closed = on_closed,
};
