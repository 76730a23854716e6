/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions, chains and listeners, as versions of the configuration come and go. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/engine/answer.h"
#include "chain/engine/client.h"
#include "chain/engine/core.h"
#include "chain/engine/path.h"
#include "chain/engine/stream.h"
#include "mgmt/conf/conf.h"

/* --- functions ------------------------------------------------------------------- */

int engine_function_add(struct engine *engine, uint16_t id, const struct conf_function *conf)
{
	struct function *function;

	if (id >= ENGINE_FUNCTIONS_MAX)
		return -EINVAL;
	if (engine->function[id])
		return -EEXIST;
	function = calloc(1, sizeof(*function));
	if (!function)
		return -ENOMEM;
	function->engine = engine;
	function->id = id;
	function->on_failure = (uint8_t)conf->on_failure;
	function->hold_ms = conf->hold_ms ? conf->hold_ms : ENGINE_HOLD_MS;
	snprintf(function->name, sizeof(function->name), "%s", conf->name);
	LIST_INIT(&function->instances);
	TAILQ_INIT(&function->orphans);
	engine->function[id] = function;
	return 0;
}

/* Instances of it that are still up go first. */
static void function_free(struct function *function)
{
	struct instance *instance;

	while ((instance = LIST_FIRST(&function->instances)))
		engine_instance_down(function->engine, instance->id);
	function->engine->function[function->id] = NULL;
	free(function);
}

void engine_function_remove(struct engine *engine, uint16_t id)
{
	struct function *function = id < ENGINE_FUNCTIONS_MAX ? engine->function[id] : NULL;

	if (!function)
		return;
	function->removed = true;
	if (!function->chains)
		function_free(function);
}

/* --- chains ---------------------------------------------------------------------- */

static void chain_free(struct chain *chain)
{
	branches_free(chain);
	for (unsigned i = 0; i < chain->path_length; i++) {
		struct function *function = chain->path[i];

		if (--function->chains == 0 && function->removed)
			function_free(function);
	}
	free(chain);
}

void chain_unuse(struct chain *chain)
{
	if (--chain->users == 0 && chain->draining)
		chain->engine->chains_over = true;
}

void config_settle(struct engine *engine)
{
	struct chain *chain = LIST_FIRST(&engine->chains), *after;

	if (!engine->chains_over)
		return;
	engine->chains_over = false;
	for (; chain; chain = after) {
		after = LIST_NEXT(chain, link);
		if (!chain->draining || chain->users)
			continue;
		LIST_REMOVE(chain, link);
		chain_free(chain);
	}
}

/* One that is replaced goes with the last connection that is on it. */
static void chain_retire(struct chain *chain)
{
	struct client *client;

	chain->draining = true;
	chain->users++;
	LIST_FOREACH (client, &chain->clients, of_chain)
		client_idle_end(client, CHAIN_DRAIN_IDLE_MS);
	chain_unuse(chain);
}

static int chain_path(struct engine *engine, struct chain *chain, const struct engine_chain *from)
{
	if (from->path_length > ENGINE_PATH_MAX)
		return -E2BIG;
	for (unsigned i = 0; i < from->path_length; i++) {
		uint16_t id = from->path[i];
		struct function *function = id < ENGINE_FUNCTIONS_MAX ? engine->function[id] : NULL;

		if (!function)
			return -ENOENT;
		chain->path[i] = function;
		function->chains++;
		chain->path_length++;
	}
	return 0;
}

static void chain_tcp(struct chain *chain, const struct tcp_conf *from)
{
	chain->tcp = *from;
	if (!from->congestion)
		return;
	snprintf(chain->congestion, sizeof(chain->congestion), "%s", from->congestion);
	chain->tcp.congestion = chain->congestion;
}

static int chain_make(struct engine *engine, uint32_t version, const struct engine_chain *from,
		      struct chain **out)
{
	struct chain *chain = calloc(1, sizeof(*chain));
	int error;

	if (!chain)
		return -ENOMEM;
	chain->engine = engine;
	snprintf(chain->name, sizeof(chain->name), "%s", from->name);
	chain->version = version;
	chain->stream = from->stream;
	chain->head_timeout_ms = from->head_timeout_ms;
	chain->idle_timeout_ms = from->idle_timeout_ms;
	chain->body_timeout_ms = from->body_timeout_ms;
	chain->tunnel_timeout_ms = from->stream ? from->idle_timeout_ms : from->tunnel_timeout_ms;
	chain_tcp(chain, &from->tcp);
	chain->limits = HTTP_LIMITS_DEFAULT;
	chain->limits.max_head_bytes = from->max_head_bytes;
	chain->limits.max_fields = from->max_fields;
	chain->limits.max_target_bytes = from->max_target_bytes;
	chain->min_body_bytes_per_s = from->min_body_bytes_per_s;
	chain->max_requests = from->max_requests;
	chain->max_age_ms = from->max_age_ms;
	LIST_INIT(&chain->clients);
	error = upgrade_conf(chain, from);
	if (!error)
		error = tcp_conf_check(&chain->tcp);
	if (!error)
		error = chain_path(engine, chain, from);
	if (!error)
		error = branches_make(chain, from->branches, from->branches_count);
	if (error) {
		chain_free(chain);
		return error;
	}
	hooks_chain(chain);
	*out = chain;
	return 0;
}

/* --- listeners ------------------------------------------------------------------- */

static void accepted(struct tcp_conn *conn, void *user)
{
	client_accept(user, conn);
}

static const struct tcp_listen_handlers listen_handlers = {.accepted = accepted};

static bool endpoint_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

static struct listener *listener_find(struct engine *engine, const struct endpoint *local)
{
	struct listener *listener;

	LIST_FOREACH (listener, &engine->listeners, link)
		if (endpoint_same(&listener->local, local))
			return listener;
	return NULL;
}

static void listener_close(struct listener *listener)
{
	if (listener->tcp)
		tcp_unlisten(listener->tcp);
	LIST_REMOVE(listener, link);
	free(listener);
}

static int listener_open(struct engine *engine, const struct engine_chain *from,
			 const struct endpoint *local, struct listener **out)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	int error;

	if (!listener)
		return -ENOMEM;
	listener->engine = engine;
	listener->local = *local;
	error = tcp_listen(engine->env.stack, local, &from->tcp, &listen_handlers, listener,
			   &listener->tcp);
	if (error) {
		free(listener);
		return error;
	}
	LIST_INSERT_HEAD(&engine->listeners, listener, link);
	*out = listener;
	return 0;
}

/* Opens what is not open yet and notes where all of them will lead. */
static int listeners_prepare(struct engine *engine, const struct engine_chain *from,
			     struct chain *chain)
{
	for (unsigned i = 0; i < from->listens_count; i++) {
		struct listener *listener = listener_find(engine, &from->listens[i]);
		int error = 0;

		if (!listener)
			error = listener_open(engine, from, &from->listens[i], &listener);
		if (error)
			return error;
		if (listener->next)
			return -EADDRINUSE;
		listener->next = chain;
	}
	return 0;
}

/* Takes the prepared state, or goes back to what was; listeners that lead nowhere are closed. */
static void listeners_settle(struct engine *engine, bool take)
{
	struct listener *listener = LIST_FIRST(&engine->listeners), *after;

	for (; listener; listener = after) {
		after = LIST_NEXT(listener, link);
		if (take)
			listener->chain = listener->next;
		listener->next = NULL;
		if (!listener->chain)
			listener_close(listener);
		else
			tcp_relisten(listener->tcp, &listener->chain->tcp);
	}
}

/* --- all of it ------------------------------------------------------------------- */

static int chains_make(struct engine *engine, uint32_t version, const struct engine_chain *chains,
		       unsigned count, struct chain_list *made)
{
	for (unsigned i = 0; i < count; i++) {
		struct chain *chain;
		int error = chain_make(engine, version, &chains[i], &chain);

		if (error)
			return error;
		LIST_INSERT_HEAD(made, chain, link);
		error = listeners_prepare(engine, &chains[i], chain);
		if (error)
			return error;
	}
	return 0;
}

static void chains_undo(struct engine *engine, struct chain_list *made)
{
	struct chain *chain;

	listeners_settle(engine, false);
	while ((chain = LIST_FIRST(made))) {
		LIST_REMOVE(chain, link);
		chain_free(chain);
	}
}

static void chains_retire(struct engine *engine)
{
	struct chain *chain = LIST_FIRST(&engine->chains), *after;

	for (; chain; chain = after) {
		after = LIST_NEXT(chain, link);
		if (!chain->draining)
			chain_retire(chain);
	}
}

int engine_chains_set(struct engine *engine, uint32_t version, const struct engine_chain *chains,
		      unsigned count)
{
	struct chain_list made = LIST_HEAD_INITIALIZER(made);
	struct chain *chain;
	int error = chains_make(engine, version, chains, count, &made);

	if (error) {
		chains_undo(engine, &made);
		return error;
	}
	recall_forget(engine);
	listeners_settle(engine, true);
	chains_retire(engine);
	while ((chain = LIST_FIRST(&made))) {
		LIST_REMOVE(chain, link);
		LIST_INSERT_HEAD(&engine->chains, chain, link);
	}
	engine->chains_count = count;
	engine->draining = false;
	config_settle(engine);
	return 0;
}

void engine_drain(struct engine *engine)
{
	struct listener *listener;
	struct chain *chain;
	struct client *client;

	engine->draining = true;
	while ((listener = LIST_FIRST(&engine->listeners)))
		listener_close(listener);
	LIST_FOREACH (chain, &engine->chains, link)
		LIST_FOREACH (client, &chain->clients, of_chain)
			client_idle_end(client, 0);
	pool_close_idle(engine->pool);
	if (engine->health)
		health_pause(engine->health);
}

/* After clients and exchanges are gone. */
void config_close(struct engine *engine)
{
	struct listener *listener;
	struct chain *chain;

	while ((listener = LIST_FIRST(&engine->listeners)))
		listener_close(listener);
	while ((chain = LIST_FIRST(&engine->chains))) {
		LIST_REMOVE(chain, link);
		chain_free(chain);
	}
	for (unsigned i = 0; i < ENGINE_FUNCTIONS_MAX; i++)
		engine_function_remove(engine, (uint16_t)i);
}
