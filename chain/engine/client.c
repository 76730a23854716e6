/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections of clients: taken, idle, busy with one exchange after the other, lingering, gone.
 * Those of a `tcp` chain are one exchange from begin to end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chain/engine/client.h"
#include "chain/engine/core.h"
#include "chain/engine/exchange.h"

static struct client *client_of(struct task *task)
{
	return timer_owner(task, struct client, task);
}

void client_unqueue(struct client *client)
{
	if (client->waiting)
		TAILQ_REMOVE(&client->engine->waiting, client, waits);
	client->waiting = false;
}

/* --- the end --------------------------------------------------------------------- */

static void client_free(struct client *client)
{
	struct engine *engine = client->engine;
	struct chain *chain = client->chain;

	timer_stop(&engine->timers, &client->timer);
	client_unqueue(client);
	LIST_REMOVE(client, of_chain);
	client->state = CLIENT_GONE;
	engine->clients--;
	chain->info.connections--;
	chain_unuse(chain);
	/* A queued task runs once more and puts it back then. */
	if (!client->task.queued)
		STAILQ_INSERT_HEAD(&engine->free_clients, &client->task, link);
}

static void client_abort(struct client *client)
{
	tcp_abort(client->conn);
	client->conn = NULL;
	client_free(client);
}

void client_end(struct client *client)
{
	tcp_close(client->conn);
	client->conn = NULL;
	client_free(client);
}

/* --- lingering: the peer is to see the answer before it sees a reset ------------- */

/* What is beyond the bound is not read any more: its window closes, and its time runs out. */
static void linger_read(struct client *client)
{
	while (client->lingered < ENGINE_LINGER_BYTES) {
		struct payload payload =
			payload_of(tcp_recv(client->conn, ENGINE_LINGER_BYTES - client->lingered));

		if (!payload.first)
			break;
		client->lingered += payload.bytes;
		payload_free(&payload);
	}
	if (tcp_recv_ended(client->conn))
		client_end(client);
}

void client_linger(struct client *client)
{
	client->state = CLIENT_LINGER;
	client->lingered = 0;
	tcp_shutdown(client->conn);
	timer_start_ms(&client->engine->timers, &client->timer, ENGINE_LINGER_MS);
	linger_read(client);
}

/* --- events ---------------------------------------------------------------------- */

static void client_run(struct task *task)
{
	struct client *client = client_of(task);

	switch ((enum client_state)client->state) {
	case CLIENT_GONE:
		STAILQ_INSERT_HEAD(&client->engine->free_clients, task, link);
		return;
	case CLIENT_IDLE:
	case CLIENT_HEAD:
		request_read(client);
		return;
	case CLIENT_LINGER:
		linger_read(client);
		return;
	case CLIENT_BUSY:
		return;
	}
}

static void on_event(struct tcp_conn *conn, void *user)
{
	struct client *client = user;

	(void)conn;
	if (client->exchange)
		exchange_ready(client->exchange);
	else
		engine_ready(client->engine, &client->task);
}

static void on_closed(struct tcp_conn *conn, void *user, enum tcp_close_reason reason)
{
	struct client *client = user;

	if (client->exchange && client->exchange->phase == PHASE_TUNNEL)
		client->exchange->client_rest = payload_of(tcp_recv(conn, UINT32_MAX));
	client->conn = NULL;
	client->ended = reason == TCP_CLOSED_NORMAL;
	if (reason != TCP_CLOSED_NORMAL)
		engine_count(client->engine, clients_lost);
	if (client->exchange)
		exchange_client_gone(client->exchange);
	else
		client_free(client);
}

static const struct tcp_handlers handlers = {
	.readable = on_event,
	.writable = on_event,
	.closed = on_closed,
};

static void on_timer(struct timer *timer)
{
	struct client *client = timer_owner(timer, struct client, timer);

	if (client->chain->stream && client->state == CLIENT_HEAD) { /* no exchange came free */
		client_abort(client);
		return;
	}
	switch ((enum client_state)client->state) {
	case CLIENT_IDLE:
		engine_count(client->engine, clients_idle_closed);
		client_end(client);
		return;
	case CLIENT_HEAD:
		engine_count(client->engine, timeouts_head);
		if (client->waiting)
			request_refuse(client, 503, SLUICE_ENDING_NO_MEMORY);
		else
			request_refuse(client, 408, SLUICE_ENDING_CLIENT_TIMEOUT);
		return;
	case CLIENT_LINGER:
		client_end(client);
		return;
	case CLIENT_BUSY:
	case CLIENT_GONE:
		return;
	}
}

/* --- between exchanges ----------------------------------------------------------- */

/* Ends it by its timer, so that whoever walks over clients is not disturbed. */
void client_idle_end(struct client *client, uint32_t within_ms)
{
	struct timers *timers = &client->engine->timers;
	uint64_t due = timers->now_us + (uint64_t)within_ms * 1000;

	if (client->state == CLIENT_IDLE && due < client->timer.due_us)
		timer_start(timers, &client->timer, due);
}

/* There is something to do already. A stream begins without a byte. */
static bool has_next(const struct client *client)
{
	return client->chain->stream || tcp_recv_ready(client->conn) ||
	       tcp_recv_ended(client->conn);
}

void client_idle(struct client *client)
{
	client->state = CLIENT_IDLE;
	client->looked_at = 0;
	timer_start_ms(&client->engine->timers, &client->timer, limits_idle_ms(client));
	if (client->chain->draining)
		client_idle_end(client, CHAIN_DRAIN_IDLE_MS);
	if (client->engine->draining)
		client_idle_end(client, 0);
	if (has_next(client))
		engine_ready(client->engine, &client->task);
}

void client_exchange_over(struct client *client, enum client_fate fate)
{
	client->exchange = NULL;
	if (!client->conn) {
		client_free(client);
		return;
	}
	switch (fate) {
	case CLIENT_KEEP:
		client_idle(client);
		return;
	case CLIENT_DRAIN: /* was done by the exchange */
	case CLIENT_END:
		client_linger(client);
		return;
	case CLIENT_RESET:
		engine_count(client->engine, clients_reset);
		client_abort(client);
		return;
	}
}

/* --- life ------------------------------------------------------------------------ */

static struct client *client_take(struct engine *engine)
{
	struct task *task = STAILQ_FIRST(&engine->free_clients);

	if (task) {
		STAILQ_REMOVE_HEAD(&engine->free_clients, link);
		return client_of(task);
	}
	if (engine->clients_touched == engine->clients_total)
		return NULL;
	return &engine->client[engine->clients_touched++];
}

/* All exchanges of one connection keep to one instance of each function. */
static uint64_t key_of(const struct endpoint *peer)
{
	uint64_t half[2];

	memcpy(half, peer->addr.bytes, sizeof(half));
	return half[0] ^ (half[1] << 1 | half[1] >> 63) ^ (uint64_t)peer->port << 40;
}

void client_accept(struct listener *listener, struct tcp_conn *conn)
{
	struct engine *engine = listener->engine;
	struct client *client = client_take(engine);

	if (!client) {
		engine_count(engine, clients_refused);
		return;
	}
	*client = (struct client){.task.run = client_run,
				  .engine = engine,
				  .chain = listener->chain,
				  .conn = conn,
				  .timer.fire = on_timer,
				  .born_us = engine->timers.now_us};
	tcp_endpoints(conn, &client->local, &client->peer);
	client->key = key_of(&client->peer);
	tcp_set_handlers(conn, &handlers, client);
	LIST_INSERT_HEAD(&client->chain->clients, client, of_chain);
	client->chain->users++;
	client->chain->info.connections++;
	client->chain->info.connections_total++;
	engine->clients++;
	engine_count(engine, clients_accepted);
	client_idle(client);
}

int clients_create(struct engine *engine, uint32_t count)
{
	engine->client = calloc(count, sizeof(*engine->client));
	return engine->client ? 0 : -ENOMEM;
}

/* Cuts every connection, and with it what goes on there. */
void clients_destroy(struct engine *engine)
{
	for (uint32_t i = 0; engine->client && i < engine->clients_touched; i++) {
		struct client *client = &engine->client[i];

		if (!client->chain || client->state == CLIENT_GONE)
			continue;
		if (client->exchange)
			exchange_end(client->exchange, CLIENT_RESET, true);
		else
			client_abort(client);
	}
	free(engine->client);
	engine->client = NULL;
}
