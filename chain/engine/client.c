/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections of clients: heads, one request after the other, idle and lingering. Those of a `tcp`
 * chain are one exchange from begin to end (stream.c).
 *
 * Bytes stay in the connection's receive queue until a whole head is there; a head that
 * trickles in is looked at anew with every line, and holds nothing here meanwhile: no
 * exchange, no slot. What it can cost is bounded by its fields, and by the receive window.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chain/engine/internal.h"
#include "chain/http/forwards.h"

static struct client *client_of(struct task *task)
{
	return timer_owner(task, struct client, task);
}

static void wait_ends(struct client *client)
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
	wait_ends(client);
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

static void client_close(struct client *client)
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
		client_close(client);
}

static void client_linger(struct client *client)
{
	client->state = CLIENT_LINGER;
	client->lingered = 0;
	tcp_shutdown(client->conn);
	timer_start_ms(&client->engine->timers, &client->timer, ENGINE_LINGER_MS);
	linger_read(client);
}

/* --- heads ----------------------------------------------------------------------- */

static void refuse(struct client *client, uint16_t status)
{
	timer_stop(&client->engine->timers, &client->timer);
	wait_ends(client);
	respond_error(client, NULL, status);
	client_linger(client);
}

static void refuse_head(struct client *client, enum http_error error)
{
	engine_count(client->engine, requests_bad);
	engine_count_http_error(client->engine, error);
	refuse(client, http_error_status(error, false));
}

static struct sluice_peer peer_of(const struct endpoint *endpoint)
{
	struct sluice_peer peer = {.family = endpoint->addr.family, .port = endpoint->port};

	memcpy(peer.bytes, endpoint->addr.bytes, sizeof(peer.bytes));
	return peer;
}

static void busy(struct client *client, struct sluice_head *head)
{
	head->client = peer_of(&client->peer);
	head->local = peer_of(&client->local);
	client->state = CLIENT_BUSY;
	timer_stop(&client->engine->timers, &client->timer);
}

/* False: not now, or not at all; then the slot was given back. */
static bool request_take(struct client *client, struct sluice_head *head, uint32_t bytes,
			 struct rte_mbuf **pin)
{
	struct engine *engine = client->engine;
	struct source source = {.conn = client->conn};
	enum head_taken taken = head_take(engine, &source, head, bytes, pin);

	if (taken == HEAD_TAKEN)
		return true;
	slots_free(&engine->slots, head);
	if (taken == HEAD_LATER)
		engine_starve(engine, &client->task);
	else
		refuse(client, 503);
	return false;
}

/* The status of what is not passed on: a CONNECT that is not configured, and what has gone far
 * enough. TRACE is not done here, and to OPTIONS there is nothing to say. */
static uint16_t own_answer(struct client *client, const struct sluice_head *head, bool last)
{
	struct engine *engine = client->engine;

	if (head->method == SLUICE_METHOD_CONNECT && !client->chain->connect) {
		engine_count(engine, requests_connect);
		return 501;
	}
	if (!last)
		return 0;
	engine_count(engine, requests_last);
	return head->method == SLUICE_METHOD_OPTIONS ? 200 : 501;
}

/* False: it was answered. */
static bool request_acceptable(struct client *client, struct sluice_head *head,
			       struct http_framing *framing)
{
	const struct http_memory *memory = &client->engine->memory;
	enum http_error error = http_framing_request(head, memory, framing);
	bool last = false;
	uint16_t status;

	if (!error)
		error = http_forwards_count(head, memory, &last);
	if (error) {
		refuse_head(client, error);
		return false;
	}
	status = own_answer(client, head, last);
	if (status)
		refuse(client, status);
	return !status;
}

static void request_begin(struct client *client, struct sluice_head *head, uint32_t bytes)
{
	struct engine *engine = client->engine;
	struct http_framing framing;
	struct rte_mbuf *pin;

	if (!request_acceptable(client, head, &framing)) {
		slots_free(&engine->slots, head);
		return;
	}
	if (!request_take(client, head, bytes, &pin))
		return;
	busy(client, head);
	exchange_begin(client, head, pin, &framing);
}

static void head_more(struct client *client)
{
	if (client->state == CLIENT_HEAD)
		return;
	client->state = CLIENT_HEAD;
	client->head_began_us = client->engine->timers.now_us;
	timer_start_ms(&client->engine->timers, &client->timer, client->chain->head_timeout_ms);
}

/* All exchanges (or slots) are in use: in line for the next one that is free, for as long as a head
 * may take. */
static void wait_for_exchange(struct client *client)
{
	head_more(client);
	if (client->waiting)
		return;
	engine_count(client->engine, exchanges_full);
	client->waiting = true;
	TAILQ_INSERT_TAIL(&client->engine->waiting, client, waits);
}

/* For a head, and an exchange with it; NULL: the client is in line. */
static struct sluice_head *slot_take(struct client *client)
{
	struct engine *engine = client->engine;
	struct sluice_head *head = NULL;

	if (exchange_available(client->chain, engine))
		head = slots_small(&engine->slots);
	if (head)
		wait_ends(client);
	else
		wait_for_exchange(client);
	return head;
}

static void stream_take(struct client *client)
{
	struct sluice_head *head = slot_take(client);

	if (!head)
		return;
	busy(client, head);
	stream_begin(client, head);
}

/* Whether a line has ended in what came since the last look. */
static bool line_came(const struct client *client)
{
	const struct rte_mbuf *m = tcp_recv_peek(client->conn);
	uint32_t skip = client->looked_at;

	for (; m && skip >= m->data_len; m = m->next)
		skip -= m->data_len;
	for (; m; m = m->next, skip = 0)
		if (memchr(rte_pktmbuf_mtod_offset(m, const uint8_t *, skip), '\n',
			   m->data_len - skip))
			return true;
	return false;
}

/* Of a head that has begun, another line is there, or none will come, or it is too long by now. */
static bool head_moved(struct client *client, const struct source *source)
{
	uint32_t ready = tcp_recv_ready(client->conn);

	if (client->state != CLIENT_HEAD || client->waiting || source_no_more(source) ||
	    ready > client->chain->limits.max_head_bytes || line_came(client))
		return true;
	client->looked_at = ready;
	return false;
}

static void client_read(struct client *client)
{
	struct engine *engine = client->engine;
	struct source source = {.conn = client->conn};
	enum http_head_result result;
	struct sluice_head *head;
	uint32_t bytes;
	uint8_t error;

	if (client->chain->stream) {
		stream_take(client);
		return;
	}
	if (!tcp_recv_ready(client->conn)) {
		if (tcp_recv_ended(client->conn))
			client_close(client);
		return;
	}
	if (!head_moved(client, &source))
		return;
	head = slot_take(client);
	if (!head)
		return;
	result = head_read(engine, &source, &client->chain->limits, NULL, &head, &bytes, &error);
	if (result != HTTP_HEAD_DONE)
		exchange_waiting_wake(engine); /* what it does not take is for the next in line */
	switch (result) {
	case HTTP_HEAD_MORE:
		slots_free(&engine->slots, head);
		if (source_no_more(&source))
			refuse(client, 400);
		else
			head_more(client);
		client->looked_at = bytes;
		return;
	case HTTP_HEAD_BAD:
		slots_free(&engine->slots, head);
		refuse_head(client, error);
		return;
	case HTTP_HEAD_DONE:
		request_begin(client, head, bytes);
		return;
	}
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
		client_read(client);
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
		client_close(client);
		return;
	case CLIENT_HEAD:
		engine_count(client->engine, timeouts_head);
		refuse(client, client->waiting ? 503 : 408);
		return;
	case CLIENT_LINGER:
		client_close(client);
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

	if (client->state == CLIENT_IDLE && due < client->timer.wheel.due_us)
		timer_start(timers, &client->timer, due);
}

static void client_idle(struct client *client)
{
	client->state = CLIENT_IDLE;
	client->looked_at = 0;
	timer_start_ms(&client->engine->timers, &client->timer, limits_idle_ms(client));
	if (client->chain->draining)
		client_idle_end(client, CHAIN_DRAIN_IDLE_MS);
	if (client->engine->draining)
		client_idle_end(client, 0);
	engine_ready(client->engine, &client->task); /* the next request may be there already */
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

	if (!task)
		return NULL;
	STAILQ_REMOVE_HEAD(&engine->free_clients, link);
	return client_of(task);
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
	struct tcp_info info;

	if (!client) {
		engine_count(engine, clients_refused);
		return;
	}
	tcp_info(conn, &info);
	*client = (struct client){.task.run = client_run,
				  .engine = engine,
				  .chain = listener->chain,
				  .conn = conn,
				  .timer.fire = on_timer,
				  .peer = info.remote,
				  .local = info.local,
				  .key = key_of(&info.remote),
				  .born_us = engine->timers.now_us};
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
	if (!engine->client)
		return -ENOMEM;
	for (uint32_t i = count; i-- > 0;)
		STAILQ_INSERT_HEAD(&engine->free_clients, &engine->client[i].task, link);
	return 0;
}

/* Cuts every connection, and with it what goes on there. */
void clients_destroy(struct engine *engine)
{
	for (uint32_t i = 0; engine->client && i < engine->clients_total; i++) {
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
