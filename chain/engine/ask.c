/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of functions' own: from the function and back to it. */
#include "chain/engine/ask.h"
#include "chain/engine/core.h"
#include "chain/engine/instance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chain/engine/verdict.h"
#include "chain/http/edit.h"

void ask_ready(struct ask *ask)
{
	engine_ready(ask_engine(ask), &ask->task);
}

/* --- the end --------------------------------------------------------------------- */

static void head_free(struct engine *engine, struct sluice_head **head)
{
	if (*head)
		slots_free(&engine->slots, *head);
	*head = NULL;
}

static void payload_give_back(struct engine *engine, struct payload *payload)
{
	engine->held_bytes -= payload->charge;
	payload_free(payload);
}

/* Gives back all that it holds, shown or not. */
static void ask_free(struct ask *ask)
{
	struct engine *engine = ask_engine(ask);

	if (ask->state == ASK_FREE)
		return;
	timer_stop(&engine->timers, &ask->timer);
	ask_release(ask, false);
	rte_pktmbuf_free(ask->text);
	rte_pktmbuf_free(ask->pin);
	ask->text = ask->pin = NULL;
	head_free(engine, &ask->request);
	head_free(engine, &ask->answer);
	payload_give_back(engine, &ask->in);
	for (unsigned i = 0; i < ask->shown_count; i++)
		payload_give_back(engine, &ask->shown[i].payload);
	ask->shown_count = 0;
	ask->state = ASK_FREE;
	ask->instance->asking--;
}

static void end_show(struct ask *ask)
{
	struct sluice_down *down = ask_entry(ask, SLUICE_DOWN_ASK_END, 0);

	if (!down)
		return;
	down->arg = ask->error;
	ask->state = ASK_OVER;
}

void ask_finish(struct ask *ask, uint32_t error)
{
	struct engine *engine = ask_engine(ask);

	timer_stop(&engine->timers, &ask->timer);
	ask_release(ask, !error);
	ask->error = error;
	ask->state = ASK_END;
	if (error)
		engine_count(engine, asks_failed);
	end_show(ask);
}

static void on_timer(struct timer *timer)
{
	struct ask *ask = timer_owner(timer, struct ask, timer);
	struct engine *engine = ask_engine(ask);

	engine_count(engine, timeouts_ask);
	if (ask->origin.active)
		reach_failed(engine, &ask->origin);
	ask_finish(ask, ETIMEDOUT);
}

/* --- to the function ------------------------------------------------------------- */

struct sluice_down *ask_entry(struct ask *ask, enum sluice_down_kind kind, uint8_t flags)
{
	struct instance *instance = ask->instance;
	struct sluice_down *down = link_next(instance->link);

	if (!down) {
		engine_count(instance->engine, rings_full);
		engine_starve(instance->engine, &ask->task);
		return NULL;
	}
	*down = (struct sluice_down){.exchange = ask->number,
				     .generation = ask->generation,
				     .kind = (uint8_t)kind,
				     .flags = flags};
	ask->mark = instance_written(instance);
	return down;
}

static void ask_run(struct task *task)
{
	struct ask *ask = timer_owner(task, struct ask, task);

	switch ((enum ask_state)ask->state) {
	case ASK_FREE:
	case ASK_OVER:
		return;
	case ASK_END:
		end_show(ask);
		return;
	default:
		ask_move(ask);
		return;
	}
}

/* What it has read on past is free; there may be room for more then. */
static void read_on(struct ask *ask, uint64_t consumed)
{
	unsigned n = 0;

	while (n < ask->shown_count && ask->shown[n].mark <= consumed)
		payload_give_back(ask_engine(ask), &ask->shown[n++].payload);
	if (n) {
		ask->shown_count -= n;
		memmove(ask->shown, ask->shown + n, ask->shown_count * sizeof(ask->shown[0]));
		ask_ready(ask);
	}
	if (ask->state == ASK_OVER && ask->mark <= consumed)
		ask_free(ask);
}

void asks_read_on(struct instance *instance)
{
	uint64_t consumed;

	if (!instance->asking)
		return;
	consumed = instance_consumed(instance);
	for (unsigned i = 0; i < SLUICE_ASKS_MAX; i++)
		if (instance->ask[i].state != ASK_FREE)
			read_on(&instance->ask[i], consumed);
}

bool asks_watched(const struct instance *instance)
{
	for (unsigned i = 0; instance->asking && i < SLUICE_ASKS_MAX; i++)
		if (instance->ask[i].shown_count || instance->ask[i].state == ASK_OVER)
			return true;
	return false;
}

/* --- from the function ----------------------------------------------------------- */

struct asked {
	struct sluice_ask_text is;
	const uint8_t *edits, *body;
};

/* The text, copied and divided. False: it is not what it says. */
static bool text_take(struct instance *instance, const struct sluice_up *up, struct asked *asked)
{
	struct engine *engine = instance->engine;
	uint64_t len;

	if (up->text_len < sizeof(asked->is) || up->text_len > SLUICE_EDITS_MAX_BYTES ||
	    link_text(instance->link, up, engine->edits, sizeof(engine->edits)))
		return false;
	memcpy(&asked->is, engine->edits, sizeof(asked->is));
	asked->edits = engine->edits + sizeof(asked->is);
	asked->body = asked->edits + asked->is.edits_bytes;
	len = sizeof(asked->is) + (uint64_t)asked->is.edits_bytes + asked->is.body_bytes;
	return len == up->text_len && asked->is.edits_bytes % 8 == 0;
}

static bool method_allowed(uint8_t method)
{
	return method > SLUICE_METHOD_OTHER && method <= SLUICE_METHOD_PURGE &&
	       method != SLUICE_METHOD_CONNECT;
}

/* Content that is empty is said to be so where it has a meaning (RFC 9110 §8.6). */
static struct http_write how_to_write(const struct asked *asked)
{
	uint8_t method = asked->is.method;
	bool content = asked->is.body_bytes || method == SLUICE_METHOD_POST ||
		       method == SLUICE_METHOD_PUT || method == SLUICE_METHOD_PATCH;

	return (struct http_write){.framing = content ? HTTP_BODY_LENGTH : HTTP_BODY_NONE,
				   .length = asked->is.body_bytes};
}

/* 0, or the errno to end with. */
static uint32_t request_write(struct ask *ask, const struct asked *asked)
{
	struct engine *engine = ask_engine(ask);
	struct http_write how = how_to_write(asked);
	char host[ENDPOINT_TEXT_MAX];
	struct rte_mbuf *body = NULL;
	struct endpoint endpoint;

	upstreams_endpoint(engine->env.upstreams, ask->origin.server, &endpoint);
	how.host.data = (const uint8_t *)endpoint_format(&endpoint, host, sizeof(host));
	how.host.len = (uint32_t)strlen(host);
	if (text_head(engine, ask->request, &how, &ask->text))
		return ENOBUFS;
	if (asked->is.body_bytes)
		body = text_chain(engine, asked->body, asked->is.body_bytes);
	if (asked->is.body_bytes && !body)
		return ENOBUFS;
	engine_count_add(engine, payload_copied_bytes, asked->is.body_bytes);
	rte_pktmbuf_lastseg(ask->text)->next = body;
	return 0;
}

/* A small slot gives way to a large one when they do not fit. */
static int edits_apply(struct ask *ask, const struct asked *asked, enum http_error *error)
{
	struct engine *engine = ask_engine(ask);
	uint32_t bytes = asked->is.edits_bytes;
	int rc = http_edits_apply(ask->request, &engine->memory, asked->edits, bytes, error);
	struct sluice_head *large;

	if (rc != -ENOSPC)
		return rc;
	large = slots_grow(&engine->slots, ask->request);
	if (!large)
		return rc;
	ask->request = large;
	return http_edits_apply(large, &engine->memory, asked->edits, bytes, error);
}

/* The request's head. 0, -EINVAL: the function made it wrong, or the errno to end with. */
static int request_build(struct ask *ask, const struct asked *asked)
{
	struct engine *engine = ask_engine(ask);
	enum http_error error;
	int rc;

	ask->request = slots_small(&engine->slots);
	if (!ask->request)
		return ENOBUFS;
	if (http_head_build_request(ask->request, asked->is.method))
		return ENOSPC;
	rc = edits_apply(ask, asked, &error);
	if (rc)
		engine_count_http_error(engine, error);
	if (rc == -ENOSPC)
		return ENOSPC;
	return rc || !ask->request->target.len ? -EINVAL : 0;
}

/* -EINVAL: the function made it wrong. */
static int ask_begin(struct ask *ask, const struct asked *asked)
{
	struct engine *engine = ask_engine(ask);
	int rc = 0;

	if (!upstreams_group(engine->env.upstreams, ask->origin.group))
		rc = ENOENT;
	if (!rc)
		rc = request_build(ask, asked);
	if (rc < 0)
		return rc;
	if (!rc) {
		ask->origin.server = chooser_next(&engine->chooser, ask->origin.group, NULL, 0);
		rc = ask->origin.server == UPSTREAM_NONE ? EHOSTUNREACH
							 : (int)request_write(ask, asked);
	}
	if (rc)
		ask_finish(ask, (uint32_t)rc);
	else
		ask_connect(ask, ask->origin.server);
	return 0;
}

static struct ask *ask_take(struct instance *instance, uint32_t number)
{
	struct ask *ask = &instance->ask[number];
	size_t from = offsetof(struct ask, generation), to = offsetof(struct ask, trailers);

	ask_free(ask); /* it was over, and the function knows it */
	memset((uint8_t *)ask + from, 0, to - from);
	ask->timer.fire = on_timer;
	ask->state = ASK_CONNECT;
	ask->origin.server = UPSTREAM_NONE;
	instance->asking++;
	return ask;
}

static bool is_live(const struct instance *instance, uint32_t number)
{
	uint8_t state = number < SLUICE_ASKS_MAX ? instance->ask[number].state : ASK_FREE;

	return state != ASK_FREE && state != ASK_OVER;
}

void ask_asked(struct instance *instance, const struct sluice_up *up)
{
	struct engine *engine = instance->engine;
	struct asked asked;
	struct ask *ask;

	if (up->exchange >= SLUICE_ASKS_MAX || is_live(instance, up->exchange) || up->slices ||
	    up->flags || up->verdict) {
		offence(instance, NULL, ask, "a request under a number that is not free");
		return;
	}
	if (!text_take(instance, up, &asked) || !method_allowed(asked.is.method)) {
		offence(instance, NULL, ask, "a request that is malformed");
		return;
	}
	ask = ask_take(instance, up->exchange);
	ask->generation = up->generation;
	ask->origin.group = asked.is.group;
	engine_count(engine, asks);
	timer_start_ms(&engine->timers, &ask->timer, asked.is.timeout_ms);
	if (!ask_begin(ask, &asked))
		return;
	ask_free(ask);
	offence(instance, NULL, ask, "a request whose head is not valid");
}

/* One that is over already crossed its ASK_END. */
void ask_dropped(struct instance *instance, const struct sluice_up *up)
{
	struct ask *ask = up->exchange < SLUICE_ASKS_MAX ? &instance->ask[up->exchange] : NULL;

	if (!ask) {
		offence(instance, NULL, ask, "no such request");
		return;
	}
	if (ask->generation == up->generation)
		ask_free(ask);
}

/* --- life ------------------------------------------------------------------------ */

int asks_create(struct instance *instance)
{
	instance->ask = calloc(SLUICE_ASKS_MAX, sizeof(*instance->ask));
	if (!instance->ask)
		return -ENOMEM;
	for (uint32_t i = 0; i < SLUICE_ASKS_MAX; i++) {
		instance->ask[i].instance = instance;
		instance->ask[i].number = i;
		instance->ask[i].task.run = ask_run;
	}
	return 0;
}

void asks_drop(struct instance *instance)
{
	for (unsigned i = 0; i < SLUICE_ASKS_MAX; i++)
		ask_free(&instance->ask[i]);
}

void asks_destroy(struct instance *instance)
{
	asks_drop(instance);
	for (unsigned i = 0; i < SLUICE_ASKS_MAX; i++)
		engine_forget(instance->engine, &instance->ask[i].task);
	free(instance->ask);
}
