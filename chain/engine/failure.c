/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An instance is gone. What it held is taken back at once; what becomes of the exchanges is
 * its function's `on_failure`:
 *
 *    bypass   it is left out: the head or the pieces it held go on as they were
 *    reject   503, or a reset when the answer has begun
 *    retry    the head is given to the next instance; one that is found to have killed twice gets
 *             500 and is named in the error log
 *
 * A body that it has changed so far, or an answer that it was giving, cannot be finished
 * without it: such an exchange ends, whatever the policy. Exchanges that it did not hold do
 * not notice.
 *
 * One that had asked the origin a question of its own (a cache: has this changed?) leaves an answer
 * that means nothing to the client. If that has not come yet, the origin is asked again, for all
 * there is (retry_misled); if it is on its way up already, the exchange ends.
 */
#include <string.h>

#include "chain/engine/body.h"
#include "chain/engine/core.h"
#include "chain/engine/exchange.h"
#include "chain/engine/instance.h"
#include "chain/engine/path.h"
#include "chain/http/edit.h"
#include "mgmt/conf/conf.h"

static void end(struct exchange *x, uint16_t status)
{
	engine_count(x->engine, failures_ended);
	ending_why(x, SLUICE_ENDING_FUNCTION_FAILED);
	exchange_fail(x, status);
}

static int text_len(struct http_bytes text, uint32_t most)
{
	return (int)(text.len < most ? text.len : most);
}

static void name_stream(const struct hop *hop)
{
	const struct exchange *x = hop->exchange;
	char text[ENDPOINT_TEXT_MAX];

	engine_log_error(x->engine, x->chain->name, hop_function(hop)->id,
			 "killed its function %u times: a connection from %s", x->kills,
			 endpoint_format(&x->client->peer, text, sizeof(text)));
}

static void name_request(const struct hop *hop)
{
	const struct exchange *x = hop->exchange;
	const struct sluice_head *head = x->message[REQUEST].head;
	const struct http_memory *memory = &x->engine->memory;
	struct http_bytes method = http_text(memory, head, head->method_text);
	struct http_bytes host = http_text(memory, head, head->host);
	struct http_bytes target = http_text(memory, head, head->target);

	engine_log_error(x->engine, x->chain->name, hop_function(hop)->id,
			 "killed its function %u times: %.*s %.*s%.*s", x->kills,
			 text_len(method, 32), (const char *)method.data, text_len(host, 64),
			 (const char *)host.data, text_len(target, 120), (const char *)target.data);
}

/* The same exchange has killed before: it is named in the error log and goes no further. */
static void poison(struct hop *hop)
{
	struct exchange *x = hop->exchange;

	engine_count(x->engine, exchanges_poison);
	ending_why(x, SLUICE_ENDING_FUNCTION_FAILED);
	if (x->chain->stream)
		name_stream(hop);
	else
		name_request(hop);
	exchange_fail(x, 500);
}

static bool body_changed(const struct hop *hop)
{
	return hop->pipe[REQUEST].replaced || hop->pipe[RESPONSE].replaced;
}

static bool shown(const struct hop *hop, enum direction d)
{
	const struct body *body = &hop->exchange->body[d];

	return !body_ended(hop->exchange, d) && (body->stages >> hop->stage & 1);
}

static bool shows_body(const struct hop *hop)
{
	return shown(hop, REQUEST) || shown(hop, RESPONSE);
}

static bool answering(const struct hop *hop)
{
	const struct exchange *x = hop->exchange;

	return x->responder == hop->stage && !x->emits_ended;
}

/* It held a head, or has a part in a body. False: the exchange goes on as if nothing had been. */
static bool concerned(const struct hop *hop)
{
	return hop->awaits || !TAILQ_EMPTY(&hop->pieces) || shows_body(hop) || answering(hop);
}

static void bypass(struct hop *hop)
{
	struct exchange *x = hop->exchange;

	if (body_changed(hop) || answering(hop)) {
		end(x, 503);
		return;
	}
	engine_count(x->engine, failures_bypassed);
	stage_bypass(hop);
	hop_skip(hop);
	hop_unbind(hop);
	exchange_ready(x);
}

/* A head can be given again; a body that was shown in part cannot. */
static void retry(struct hop *hop)
{
	struct exchange *x = hop->exchange;
	bool head_only = hop->awaits && TAILQ_EMPTY(&hop->pieces) && !shows_body(hop);

	if (!head_only) {
		end(x, 503);
		return;
	}
	engine_count(x->engine, failures_retried);
	hop_unbind(hop);
	exchange_ready(x);
}

static void lost(struct hop *hop)
{
	struct exchange *x = hop->exchange;

	switch ((enum conf_on_failure)hop_function(hop)->on_failure) {
	case CONF_FAIL_BYPASS:
		bypass(hop);
		return;
	case CONF_FAIL_RETRY:
		if (x->kills >= ENGINE_KILLS_MAX)
			poison(hop);
		else
			retry(hop);
		return;
	case CONF_FAIL_REJECT:
		end(x, 503);
		return;
	}
}

/* The answer to its own question is on its way to it. `misled`: it will be. */
static bool leaves_its_answer(struct hop *hop)
{
	struct exchange *x = hop->exchange;

	if (!hop->asked || !hop_wants(hop, ENGINE_HOOK_RESPONSE_HEAD))
		return false;
	x->misled = x->phase < PHASE_RESPONSE;
	return x->phase == PHASE_RESPONSE && x->responder == RESPONDER_ORIGIN &&
	       x->stage >= hop->stage &&
	       http_status_of_condition(x->message[RESPONSE].head->status);
}

static void hop_lost(struct hop *hop, void *ctx)
{
	struct exchange *x = hop->exchange;

	(void)ctx;
	if (hop->closing) {
		watch_lost(hop);
		hop_closed(hop);
	} else if (exchange_alive(x) && leaves_its_answer(hop))
		end(x, 503);
	else if (exchange_alive(x) && concerned(hop))
		lost(hop);
	else if (exchange_alive(x))
		exchange_ready(x); /* it may have been in line for this one */
	hop_unbind(hop);           /* one that is drained only is still bound */
}

struct blame {
	uint64_t consumed;
	unsigned candidates;
};

static bool may_have_killed(const struct hop *hop, const struct blame *blame)
{
	return hop->awaits && hop->mark > blame->consumed;
}

static void candidate_count(struct hop *hop, void *ctx)
{
	struct blame *blame = ctx;

	blame->candidates += may_have_killed(hop, blame);
}

static void candidate_blame(struct hop *hop, void *ctx)
{
	const struct blame *blame = ctx;

	if (!may_have_killed(hop, blame))
		return;
	hop->exchange->suspected = true;
	hop->exchange->kills += blame->candidates == 1 || hop->instance->suspect == hop;
}

typedef void bound_fn(struct hop *hop, void *ctx);

/* For each hop that is bound to it, those of young exchanges first. What comes of one may be the
 * end of its exchange, and of no other. */
static void bound_each(struct instance *instance, bound_fn *fn, void *ctx)
{
	struct exchange *x = LIST_FIRST(&instance->engine->exchanges), *next;

	for (; x && instance->bound; x = next) {
		next = LIST_NEXT(x, link);
		for (uint32_t left = x->touched; left; left &= left - 1) {
			struct hop *hop = &x->hop[__builtin_ctz(left)];

			if (hop->instance == instance)
				fn(hop, ctx);
		}
	}
}

/*
 * An instance takes several descriptors at a time, and says only afterwards that it did. What it
 * died of is among those that it had not finished. One alone is to blame; of several, each
 * is given again alone (hop.c), and the next death tells.
 */
static void blame(struct instance *instance)
{
	struct blame found = {.consumed = instance_consumed(instance)};

	bound_each(instance, candidate_count, &found);
	bound_each(instance, candidate_blame, &found);
}

void failure_instance(struct instance *instance)
{
	if (!instance->broken)
		blame(instance);
	instance->broken = true;
	bound_each(instance, hop_lost, NULL);
}
