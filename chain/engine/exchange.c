/* SPDX-License-Identifier: BSD-3-Clause */
/* An exchange from its begin to its end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chain/engine/answer.h"
#include "chain/engine/body.h"
#include "chain/engine/client.h"
#include "chain/engine/core.h"
#include "chain/engine/exchange.h"
#include "chain/engine/origin.h"
#include "chain/engine/path.h"
#include "chain/engine/stream.h"

static struct exchange *exchange_of(struct task *task)
{
	return timer_owner(task, struct exchange, task);
}

void exchange_ready(struct exchange *x)
{
	engine_ready(x->engine, &x->task);
}

void exchange_phase(struct exchange *x, enum phase phase)
{
	if (x->with)
		light_settle(x);
	x->phase = (uint8_t)phase;
	exchange_progress(x);
	if (x->engine->running == x)
		x->unarmed = true;
	else
		deadline_arm(x);
}

/* --- one turn -------------------------------------------------------------------- */

static void complete(struct exchange *x)
{
	enum client_fate fate = x->keep_client ? respond_fate(x) : CLIENT_END;

	if (fate != CLIENT_DRAIN) {
		exchange_end(x, fate, false);
		return;
	}
	origin_release(x, false);
	exchange_phase(x, PHASE_DRAIN);
	exchange_ready(x);
}

/* False: it has ended, but for what is left of its request. */
static bool head_walks(struct exchange *x)
{
	if (x->phase == PHASE_REQUEST || x->phase == PHASE_RESPONSE)
		hop_walk(x);
	return exchange_alive(x) && x->phase != PHASE_DRAIN;
}

/* The request's head down to the origin, what is there of the answer, and that back up. False: as
 * above. */
static bool heads_move(struct exchange *x)
{
	bool waits;

	if (!head_walks(x))
		return false;
	if (!x->origin.conn && !x->origin.gone && !x->pending)
		return true;
	waits = x->phase == PHASE_WAIT;
	if (!origin_run(x))
		return false;
	return !waits || x->phase != PHASE_RESPONSE || head_walks(x);
}

static bool bodies_move(struct exchange *x)
{
	if (body_goes_on(x, REQUEST) && !body_move(x, REQUEST))
		return false;
	return !body_goes_on(x, RESPONSE) || body_move(x, RESPONSE);
}

static void drain(struct exchange *x)
{
	enum discard result = body_discard(x);

	if (result != DISCARD_MORE)
		exchange_end(x, result == DISCARD_END ? CLIENT_KEEP : CLIENT_END, x->failed);
}

static void run(struct exchange *x)
{
	if (x->phase == PHASE_TUNNEL) {
		tunnel_run(x);
		return;
	}
	if (!x->client->conn) {
		engine_count(x->engine, exchanges_client_gone);
		ending_why(x, SLUICE_ENDING_CLIENT_GONE);
		exchange_end(x, CLIENT_RESET, true);
		return;
	}
	if (x->phase == PHASE_DRAIN) {
		drain(x);
		return;
	}
	if (x->chain->stream) {
		stream_run(x);
		return;
	}
	if (!heads_move(x) || !bodies_move(x))
		return;
	if (x->phase == PHASE_BODY && body_ended(x, RESPONSE))
		complete(x);
}

/* It goes through several phases at once: its deadline is that of the last one. */
static void exchange_run(struct task *task)
{
	struct exchange *x = exchange_of(task);

	if (!exchange_alive(x))
		return;
	x->engine->running = x;
	x->turned = false;
	run(x);
	x->engine->running = NULL;
	if (x->unarmed && !x->turned && exchange_alive(x))
		deadline_arm(x);
}

/* --- begin ----------------------------------------------------------------------- */

bool exchange_available(const struct chain *chain, const struct engine *engine)
{
	uint32_t all = engine->env.max_exchanges, used = engine->exchanges_used;

	if (used >= all || engine->slots.small_free < engine->slots.reserved + 2)
		return false;
	return used < all / 4 * 3 || engine->chains_count < 2 ||
	       chain->exchanges < all / engine->chains_count;
}

/* A hop that no body came to has used its first line only. */
static void hop_reset(struct exchange *x, unsigned stage, bool piped)
{
	struct hop *hop = &x->hop[stage];

	memset(hop, 0, offsetof(struct hop, queue));
	if (piped)
		memset(hop->pipe, 0, sizeof(hop->pipe));
	hop->exchange = x;
	hop->stage = (uint8_t)stage;
	TAILQ_INIT(&hop->pieces);
}

/* Those that the last use of the slot has changed. */
static void hops_reset(struct exchange *x)
{
	for (uint32_t left = x->touched; left; left &= left - 1) {
		unsigned stage = (unsigned)__builtin_ctz(left);

		hop_reset(x, stage, x->piped >> stage & 1);
	}
}

/* Its first use. */
static void slot_begin(struct exchange *x, struct engine *engine, uint32_t index)
{
	x->engine = engine;
	x->index = index;
	x->hop = engine->far[index].hop;
	x->trailers = engine->far[index].trailers;
	x->touched = (1u << ENGINE_PATH_MAX) - 1;
	x->task.run = exchange_run;
	x->timer.fire = deadline_passed;
}

/* All that belongs to one use of the slot is zero; its place in the lists and its task stay. */
struct exchange *exchange_take(struct client *client)
{
	struct engine *engine = client->engine;
	uint32_t left = engine->env.max_exchanges - engine->exchanges_used;
	uint32_t index = engine->free_exchange[left - 1];
	struct exchange *x = &engine->exchange[index];
	size_t from = offsetof(struct exchange, chain), to = offsetof(struct exchange, trailers);

	if (!x->engine)
		slot_begin(x, engine, index);
	hops_reset(x);
	memset((uint8_t *)x + from, 0, to - from);
	LIST_INSERT_HEAD(&engine->exchanges, x, link);
	x->client = client;
	x->chain = client->chain;
	x->responder = RESPONDER_ORIGIN;
	x->origin.group = SLUICE_NONE16;
	x->origin.server = UPSTREAM_NONE;
	x->how.retries = SLUICE_RETRIES_OF_GROUP;
	x->began_us = engine->timers.now_us;
	x->rate.since_us = x->began_us;
	STAILQ_INIT(&x->emits);
	x->reserved = !x->chain->stream && slots_reserve(&engine->slots);
	x->generation++;
	engine->exchanges_used++;
	x->chain->users++;
	x->chain->exchanges++;
	x->chain->info.exchanges++;
	x->chain->info.exchanges_total++;
	client->exchange = x;
	return x;
}

void exchange_begin(struct client *client, struct sluice_head *head, struct rte_mbuf *pin,
		    const struct http_framing *framing)
{
	struct exchange *x = exchange_take(client);

	if (client->head_began_us)
		x->head_us = (uint32_t)(x->began_us - client->head_began_us);
	client->head_began_us = 0;
	client->requests++;
	x->bytes_in = payload_of(pin).bytes;
	x->message[REQUEST] = (struct message){.head = head, .pin = pin, .framing = *framing};
	http_body_init(&x->body[REQUEST].decoder, framing, &x->chain->limits, x->trailers[REQUEST],
		       ENGINE_TRAILER_BYTES);
	engine_count(x->engine, requests);
	x->phase = PHASE_REQUEST;
	exchange_progress(x);
	x->unarmed = true;
	exchange_ready(x);
}

/* --- end ------------------------------------------------------------------------- */

void exchange_message_free(struct exchange *x, enum direction d)
{
	struct message *message = &x->message[d];

	if (message->head)
		slots_free(&x->engine->slots, message->head);
	if (message->pin_shared)
		rte_pktmbuf_free_seg(message->pin);
	else if (message->pin)
		rte_pktmbuf_free(message->pin);
	*message = (struct message){0};
}

void exchange_waiting_wake(struct engine *engine)
{
	struct client *client;

	TAILQ_FOREACH (client, &engine->waiting, waits) {
		if (client->task.queued || !exchange_available(client->chain, engine))
			continue;
		engine_ready(engine, &client->task);
		return;
	}
}

static void exchange_free(struct exchange *x)
{
	struct engine *engine = x->engine;

	exchange_message_free(x, REQUEST);
	exchange_message_free(x, RESPONSE);
	watch_free(x);
	if (x->reserved)
		slots_unreserve(&engine->slots);
	x->reserved = false;
	x->phase = PHASE_FREE;
	LIST_REMOVE(x, link);
	engine->exchanges_used--;
	engine->free_exchange[engine->env.max_exchanges - engine->exchanges_used - 1] = x->index;
	x->chain->exchanges--;
	chain_unuse(x->chain);
	exchange_waiting_wake(engine);
}

void exchange_hop_over(struct exchange *x)
{
	if (--x->open_hops == 0)
		exchange_free(x);
}

void exchange_emits_drop(struct exchange *x)
{
	struct lease *lease;

	while ((lease = STAILQ_FIRST(&x->emits))) {
		STAILQ_REMOVE_HEAD(&x->emits, queue);
		ledger_lease_drop(lease);
	}
	x->emits_count = 0;
}

static void account(struct exchange *x, struct client *client)
{
	struct engine_chain_info *info = &x->chain->info;

	client->bytes_in += x->bytes_in;
	client->bytes_out += x->bytes_out;
	info->exchanges--;
	info->bytes_in += x->bytes_in;
	info->bytes_out += x->bytes_out;
	if (!x->answered)
		info->status[0]++;
	if (x->failed)
		engine_count(x->engine, exchanges_failed);
}

/* An open hop of our own, so that the exchange is not freed before the last one was asked. */
static void hops_close(struct exchange *x)
{
	x->open_hops = 1;
	if (x->with)
		light_settle(x);
	x->light = 0;
	for (uint32_t left = x->touched; left; left &= left - 1)
		hop_close(&x->hop[__builtin_ctz(left)]);
}

void exchange_end(struct exchange *x, enum client_fate fate, bool failed)
{
	struct client *client = x->client;

	timer_rest(&x->timer);
	x->ended_us = x->engine->timers.now_us;
	x->failed = failed;
	origin_release(x, !failed);
	x->phase = PHASE_OVER;
	x->client = NULL;
	account(x, client);
	body_free(x, REQUEST);
	body_free(x, RESPONSE);
	payload_free(&x->client_rest);
	exchange_emits_drop(x);
	watch_over(x, client->key);
	hops_close(x);
	client_exchange_over(client, fate);
	exchange_hop_over(x);
}

/* An answer that was begun can only be cut off. Where its length was told, or chunks have an end
 * of their own, the client sees what is missing (RFC 9112 §8) and gets what was written; where the
 * end of the connection is the end of the body, only a reset says that this is not it. */
static enum client_fate cut_fate(const struct exchange *x)
{
	uint8_t kind = x->body[RESPONSE].out_kind;

	return kind == HTTP_BODY_LENGTH || kind == HTTP_BODY_CHUNKED ? CLIENT_END : CLIENT_RESET;
}

void exchange_fail(struct exchange *x, uint16_t status)
{
	enum client_fate fate = cut_fate(x);

	x->failed = true;
	if (!x->answered && x->client->conn && !x->chain->stream)
		fate = respond_error(x->client, x, status);
	if (fate != CLIENT_DRAIN) {
		exchange_end(x, fate, true);
		return;
	}
	origin_release(x, false);
	exchange_phase(x, PHASE_DRAIN);
	exchange_ready(x);
}

void exchange_client_gone(struct exchange *x)
{
	exchange_ready(x);
}

/* --- life ------------------------------------------------------------------------ */

int exchanges_create(struct engine *engine)
{
	uint32_t count = engine->env.max_exchanges;

	LIST_INIT(&engine->exchanges);
	/* calloc, not aligned_alloc: what is never used is never touched. */
	engine->exchange_memory = calloc((size_t)count + 1, sizeof(*engine->exchange));
	engine->far_memory = calloc((size_t)count + 1, sizeof(*engine->far));
	engine->free_exchange = calloc(count, sizeof(*engine->free_exchange));
	if (!engine->exchange_memory || !engine->far_memory || !engine->free_exchange)
		return -ENOMEM;
	engine->exchange = RTE_PTR_ALIGN_CEIL(engine->exchange_memory, SLUICE_CACHE_LINE);
	engine->far = RTE_PTR_ALIGN_CEIL(engine->far_memory, SLUICE_CACHE_LINE);
	for (uint32_t i = 0; i < count; i++)
		engine->free_exchange[i] = count - 1 - i;
	return 0;
}

/* After clients_destroy: what is left is over, and functions are not waited for any more. */
void exchanges_destroy(struct engine *engine)
{
	struct exchange *x;

	while ((x = LIST_FIRST(&engine->exchanges)))
		for (uint8_t i = 0; x->phase == PHASE_OVER && i < x->chain->path_length; i++)
			hop_closed(&x->hop[i]);
	for (uint32_t i = 0; engine->exchange && i < engine->env.max_exchanges; i++)
		timer_stop(&engine->timers, &engine->exchange[i].timer);
	free(engine->exchange_memory);
	free(engine->far_memory);
	free(engine->free_exchange);
	engine->exchange = NULL;
}
