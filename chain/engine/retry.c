/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What may be asked again, and where. A connection that cannot be made costs nothing; for all else
 * a function must have said so (sluice_how), and it is done only where it does no harm: with
 * methods that are idempotent, before anything of an answer went to the client, and while all of
 * the request is here. Retries of a group are bounded, so that they do not finish off servers that
 * are in trouble.
 */
#include "chain/engine/exchange.h"
#include "chain/engine/origin.h"
#include "chain/http/edit.h"
#include "chain/http/field.h"

bool retry_body_whole(const struct exchange *x)
{
	return !x->body[REQUEST].decoder.payload && !x->body[REQUEST].owed;
}

bool retry_harmless(const struct exchange *x)
{
	return !x->chain->stream && http_method_idempotent(x->message[REQUEST].head->method) &&
	       retry_body_whole(x);
}

/* --- where ------------------------------------------------------------------------- */

static uint32_t retries_of(const struct exchange *x)
{
	const struct upstream_group *group =
		upstreams_group(x->engine->env.upstreams, x->origin.group);

	if (x->how.retries != SLUICE_RETRIES_OF_GROUP)
		return x->how.retries;
	return __atomic_load_n(&group->retries, __ATOMIC_RELAXED);
}

static bool budget_take(struct exchange *x)
{
	if (!x->retrying)
		x->retrying = upstreams_retry(x->engine->env.upstreams, x->origin.group);
	if (!x->retrying)
		engine_count(x->engine, retries_refused);
	return x->retrying;
}

static bool may_try(const struct exchange *x)
{
	return x->origin.tries <= retries_of(x) && x->origin.tries < REACH_TRIES_MAX;
}

/* Every server it tried is remembered, so that the next one is another. `again`: who gave a bad
 * answer once may give a good one now, if there is no other. */
static uint32_t next_server(struct exchange *x, bool again)
{
	struct chooser *chooser = &x->engine->chooser;
	uint32_t server = UPSTREAM_NONE;

	if (may_try(x))
		server = chooser_next(chooser, x->origin.group, x->origin.tried, x->origin.tries);
	if (server == UPSTREAM_NONE && again && may_try(x))
		server = chooser_next(chooser, x->origin.group, NULL, 0);
	return server != UPSTREAM_NONE && budget_take(x) ? server : UPSTREAM_NONE;
}

uint32_t retry_server(struct exchange *x)
{
	return next_server(x, false);
}

/* --- why --------------------------------------------------------------------------- */

uint8_t retry_reason(const struct exchange *x, uint16_t status)
{
	bool gateway = status >= 502 && status <= 504;

	if (gateway && (x->how.retry & SLUICE_RETRY_GATEWAY))
		return SLUICE_RETRY_GATEWAY;
	return status >= 500 ? x->how.retry & SLUICE_RETRY_5XX : 0;
}

static void ask_again(struct exchange *x, uint32_t server)
{
	origin_drop(x);
	x->origin.fresh = true;
	exchange_phase(x, PHASE_CONNECT);
	origin_connect(x, server);
}

bool retry_for(struct exchange *x, uint8_t reason)
{
	uint32_t server;

	if (!(x->how.retry & reason) || x->answered || !retry_harmless(x))
		return false;
	server = next_server(x, true);
	if (server == UPSTREAM_NONE)
		return false;
	engine_count(x->engine, retries);
	x->why = SLUICE_ENDING_COMPLETE; /* all may be well yet */
	ask_again(x, server);
	return true;
}

/* The same server, which has done nothing wrong, without conditions. */
bool retry_misled(struct exchange *x)
{
	uint32_t server = x->origin.server;

	if (x->answered || !retry_harmless(x))
		return false;
	http_head_ask_for_all(x->message[REQUEST].head);
	x->misled = false;
	ask_again(x, server);
	return true;
}

void retry_over(struct exchange *x)
{
	if (x->retrying)
		upstreams_unretry(x->engine->env.upstreams, x->origin.group);
	x->retrying = false;
}
