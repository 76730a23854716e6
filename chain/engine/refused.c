/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests that are refused before any function is shown them: no HTTP, too large, too slow. Who
 * wants to know (an access log) is told when it is over, with as much of the head as there is: for
 * that, the request becomes an exchange that ends where it begins.
 */
#include "chain/engine/client.h"
#include "chain/engine/exchange.h"
#include "chain/engine/head.h"
#include "chain/engine/path.h"
#include "chain/http/slot.h"

static bool anybody_wants(const struct chain *chain)
{
	for (uint8_t i = 0; i < chain->path_length; i++)
		if (chain->path[i]->known &&
		    (chain->path[i]->hooks & (ENGINE_HOOK_REFUSED | ENGINE_HOOK_SEEN)))
			return true;
	return false;
}

/* What has come of the head is taken, so that it stays as long as somebody looks at it. False: it
 * cannot be. */
static bool head_keep(struct client *client, struct message *message)
{
	struct engine *engine = client->engine;
	struct source source = {.conn = client->conn};
	enum http_head_result result;
	uint32_t bytes;
	uint8_t error;

	result = head_read(engine, &source, &client->chain->limits, NULL, &message->head, &bytes,
			   &error);
	if (result != HTTP_HEAD_DONE)
		http_slot_link(message->head);
	return bytes == 0 ||
	       head_take(engine, &source, message->head, bytes, &message->pin) == HEAD_TAKEN;
}

/* True: there is a head, if only with the addresses. */
static bool message_take(struct client *client, struct message *message)
{
	struct slots *slots = &client->engine->slots;

	message->head = slots_small(slots);
	if (!message->head)
		return false;
	if (head_keep(client, message))
		return true;
	slots_free(slots, message->head);
	message->head = slots_small(slots);
	return message->head;
}

static void hops_bind(struct exchange *x)
{
	for (uint8_t i = 0; i < x->chain->path_length; i++)
		if (hop_wants(&x->hop[i], ENGINE_HOOK_REFUSED))
			(void)hop_bind(&x->hop[i]);
}

struct exchange *refused_begin(struct client *client, enum sluice_ending why)
{
	struct engine *engine = client->engine;
	struct message message = {0};
	struct exchange *x;

	if (!anybody_wants(client->chain))
		return NULL;
	if (why == SLUICE_ENDING_NO_MEMORY || !exchange_available(client->chain, engine) ||
	    !message_take(client, &message)) {
		engine_count(engine, refusals_untold);
		return NULL;
	}
	client_addresses(client, message.head);
	x = exchange_take(client);
	x->message[REQUEST] = message;
	x->refused = true;
	x->bytes_in = payload_of(message.pin).bytes;
	if (client->head_began_us)
		x->head_us = (uint32_t)(x->began_us - client->head_began_us);
	client->head_began_us = 0;
	ending_why(x, why);
	hops_bind(x);
	return x;
}
