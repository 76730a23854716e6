/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What clients send, until an exchange begins with it: a request's head, or the first of a
 * connection of a `tcp` chain.
 *
 * Bytes stay in the connection's receive queue until a whole head is there; a head that
 * trickles in is looked at anew with every line, and holds nothing here meanwhile: no
 * exchange, no slot. What it can cost is bounded by its fields, and by the receive window.
 */
#include <string.h>

#include "chain/engine/answer.h"
#include "chain/engine/client.h"
#include "chain/engine/core.h"
#include "chain/engine/exchange.h"
#include "chain/engine/head.h"
#include "chain/engine/stream.h"
#include "chain/http/forwards.h"

/* --- refused --------------------------------------------------------------------- */

void request_refuse(struct client *client, uint16_t status, enum sluice_ending why)
{
	struct exchange *x;

	timer_stop(&client->engine->timers, &client->timer);
	client_unqueue(client);
	x = refused_begin(client, why);
	respond_error(client, x, status);
	if (x)
		exchange_end(x, CLIENT_END, why != SLUICE_ENDING_COMPLETE);
	else
		client_linger(client);
}

static void refuse_head(struct client *client, enum http_error error)
{
	engine_count(client->engine, requests_bad);
	engine_count_http_error(client->engine, error);
	request_refuse(client, http_error_status(error, false), SLUICE_ENDING_REQUEST_BAD);
}

/* --- begun ----------------------------------------------------------------------- */

static struct sluice_peer peer_of(const struct endpoint *endpoint)
{
	struct sluice_peer peer = {.family = endpoint->addr.family, .port = endpoint->port};

	memcpy(peer.bytes, endpoint->addr.bytes, sizeof(peer.bytes));
	return peer;
}

void client_addresses(const struct client *client, struct sluice_head *head)
{
	head->client = peer_of(&client->peer);
	head->local = peer_of(&client->local);
}

static void busy(struct client *client, struct sluice_head *head)
{
	client_addresses(client, head);
	client->state = CLIENT_BUSY;
	timer_rest(&client->timer);
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
		request_refuse(client, 503, SLUICE_ENDING_NO_MEMORY);
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

/* `last`: it is not to go any further. */
static void request_begin(struct client *client, struct sluice_head *head, uint32_t bytes,
			  const struct http_framing *framing, bool last)
{
	uint16_t status = own_answer(client, head, last);
	struct rte_mbuf *pin;

	if (status) {
		request_refuse(client, status, SLUICE_ENDING_COMPLETE);
		slots_free(&client->engine->slots, head);
		return;
	}
	if (!request_take(client, head, bytes, &pin))
		return;
	busy(client, head);
	exchange_begin(client, head, pin, framing);
}

static void request_came(struct client *client, const struct source *source,
			 struct sluice_head *head, uint32_t bytes)
{
	struct engine *engine = client->engine;
	struct http_framing framing;
	enum http_error error = http_framing_request(head, &engine->memory, &framing);
	bool last = false;

	if (!error)
		error = http_forwards_count(head, &engine->memory, &last);
	if (error) {
		refuse_head(client, error);
		slots_free(&engine->slots, head);
		return;
	}
	if (!last)
		head_remember(engine, source, &client->chain->limits, NULL, head, bytes, &framing);
	request_begin(client, head, bytes, &framing, last);
}

/* --- not yet --------------------------------------------------------------------- */

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
		head = slots_small_bare(&engine->slots);
	if (head)
		client_unqueue(client);
	else
		wait_for_exchange(client);
	return head;
}

/* --- looked at ------------------------------------------------------------------- */

static void stream_take(struct client *client)
{
	struct sluice_head *head = slot_take(client);

	if (!head)
		return;
	http_head_clear(head);
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

void request_read(struct client *client)
{
	struct engine *engine = client->engine;
	struct source source = {.conn = client->conn};
	enum http_head_result result;
	struct http_framing framing;
	struct sluice_head *head;
	uint32_t bytes;
	uint8_t error;

	if (client->chain->stream) {
		stream_take(client);
		return;
	}
	if (!tcp_recv_ready(client->conn)) {
		if (tcp_recv_ended(client->conn))
			client_end(client);
		return;
	}
	if (recall_answer(client) || !head_moved(client, &source))
		return;
	head = slot_take(client);
	if (!head)
		return;
	head_recall(engine, &source, &client->chain->limits, NULL, head, &bytes, &framing);
	if (bytes) {
		request_begin(client, head, bytes, &framing, false);
		return;
	}
	result = head_read(engine, &source, &client->chain->limits, NULL, &head, &bytes, &error);
	if (result != HTTP_HEAD_DONE)
		exchange_waiting_wake(engine); /* what it does not take is for the next in line */
	switch (result) {
	case HTTP_HEAD_MORE:
		slots_free(&engine->slots, head);
		if (source_no_more(&source))
			request_refuse(client, 400, SLUICE_ENDING_CLIENT_GONE);
		else
			head_more(client);
		client->looked_at = bytes;
		return;
	case HTTP_HEAD_BAD:
		slots_free(&engine->slots, head);
		refuse_head(client, error);
		return;
	case HTTP_HEAD_DONE:
		request_came(client, &source, head, bytes);
		return;
	}
}
