/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be seen of an engine. Nothing here changes anything. */
#include <stdio.h>
#include <string.h>

#include "chain/engine/path.h"

const struct engine_counters *engine_counters(const struct engine *engine)
{
	return &engine->counters;
}

uint32_t engine_exchanges(const struct engine *engine)
{
	return engine->exchanges_used;
}

uint32_t engine_connections(const struct engine *engine)
{
	return engine->clients;
}

void engine_chains_each(const struct engine *engine,
			void (*fn)(void *ctx, const struct engine_chain_info *info), void *ctx)
{
	const struct chain *chain;

	LIST_FOREACH (chain, &engine->chains, link) {
		struct engine_chain_info info = chain->info;

		memcpy(info.name, chain->name, sizeof(info.name));
		info.version = chain->version;
		info.draining = chain->draining || engine->draining;
		fn(ctx, &info);
	}
}

static struct engine_instance_info instance_info(const struct instance *instance)
{
	struct engine_instance_info info = {
		.instance = instance->id,
		.function = instance->function->id,
		.held = instance->held,
		.leases = instance->holder.leases,
		.exchanges = instance->exchanges,
		.offences = instance->offences,
		.seen = instance->seen,
		.unseen = instance->unseen,
		.broken = instance->broken,
		.depth = link_depth(instance->link),
		.loops = link_loops(instance->link),
		.busy_ns = link_busy_ns(instance->link),
	};

	for (unsigned i = 0; i < SLUICE_COUNTERS; i++)
		info.counter[i] = link_counter(instance->link, i);
	return info;
}

void engine_instances_each(const struct engine *engine,
			   void (*fn)(void *ctx, const struct engine_instance_info *info),
			   void *ctx)
{
	const struct instance *instance;

	LIST_FOREACH (instance, &engine->instances, of_engine) {
		struct engine_instance_info info = instance_info(instance);

		fn(ctx, &info);
	}
}

/* --- flows ----------------------------------------------------------------------- */

static const char *const client_states[] = {
	[CLIENT_IDLE] = "idle",
	[CLIENT_HEAD] = "head",
	[CLIENT_LINGER] = "closing",
};

static const char *const phases[] = {
	[PHASE_REQUEST] = "request",   [PHASE_CONNECT] = "connect", [PHASE_WAIT] = "wait",
	[PHASE_RESPONSE] = "response", [PHASE_BODY] = "body",       [PHASE_DRAIN] = "drain",
	[PHASE_TUNNEL] = "tunnel",
};

/* The function that an exchange stands before or in: of its head, or of a body. */
static const struct hop *flow_hop(const struct exchange *x)
{
	bool head = x->phase == PHASE_REQUEST || x->phase == PHASE_RESPONSE;

	if (x->with)
		return &x->hop[x->with_stage];
	for (unsigned i = 0; i < x->chain->path_length; i++) {
		const struct hop *hop = &x->hop[i];

		if (hop->holds || (head && hop->queued))
			return hop;
	}
	return NULL;
}

static void flow_exchange(const struct exchange *x, struct engine_flow_info *flow, char *text,
			  size_t size)
{
	const struct hop *hop = flow_hop(x);

	flow->state = phases[x->phase];
	if (x->chain->stream && x->phase == PHASE_REQUEST)
		flow->state = "opening";
	flow->bytes_in += x->bytes_in;
	flow->bytes_out += x->bytes_out;
	if (x->origin.server != UPSTREAM_NONE)
		upstreams_endpoint(x->engine->env.upstreams, x->origin.server, &flow->server);
	if (!hop)
		return;
	snprintf(text, size, "function %s", hop_function(hop)->name);
	flow->state = text;
	flow->function = hop_function(hop)->id;
}

static void flow_show(const struct client *client,
		      void (*fn)(void *ctx, const struct engine_flow_info *info), void *ctx)
{
	char text[sizeof(((struct function *)0)->name) + 16];
	struct engine_flow_info flow = {
		.client = client->peer,
		.local = client->local,
		.state = client_states[client->state],
		.function = UINT32_MAX,
		.bytes_in = client->bytes_in,
		.bytes_out = client->bytes_out,
		.age_us = client->engine->timers.now_us - client->born_us,
	};

	memcpy(flow.chain, client->chain->name, sizeof(flow.chain));
	if (client->exchange)
		flow_exchange(client->exchange, &flow, text, sizeof(text));
	fn(ctx, &flow);
}

void engine_flows_each(const struct engine *engine,
		       void (*fn)(void *ctx, const struct engine_flow_info *info), void *ctx)
{
	const struct chain *chain;
	const struct client *client;

	LIST_FOREACH (chain, &engine->chains, link)
		LIST_FOREACH (client, &chain->clients, of_chain)
			flow_show(client, fn, ctx);
}

/* --- errors and buffers ---------------------------------------------------------- */

void engine_errors_each(const struct engine *engine,
			void (*fn)(void *ctx, const struct engine_error_info *info), void *ctx)
{
	uint32_t kept = engine->errors < ENGINE_ERRORS_MAX ? engine->errors : ENGINE_ERRORS_MAX;

	for (uint32_t i = engine->errors - kept; i != engine->errors; i++)
		fn(ctx, &engine->error[i % ENGINE_ERRORS_MAX]);
}

void engine_buffers(const struct engine *engine, struct engine_buffers_info *out)
{
	struct ledger_counts counts;

	ledger_counts(engine->ledger, &counts);
	*out = (struct engine_buffers_info){
		.exchanges = engine->exchanges_used,
		.exchanges_total = engine->env.max_exchanges,
		.heads = slots_used(&engine->slots),
		.heads_total = slots_total(&engine->slots),
		.pieces = counts.pieces,
		.pieces_total = counts.pieces_total,
		.leases = counts.leases,
		.leases_total = counts.leases_total,
		.held_bytes = engine->held_bytes,
	};
}
