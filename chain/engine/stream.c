/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections of `tcp` chains, until they are open: a stream is an exchange without heads. Its
 * opening goes down the path (open.c), a server is connected, and from there on it is a tunnel
 * (tunnel.c). What its client says meanwhile is read as far as functions want it.
 */
#include "chain/engine/stream.h"
#include "chain/engine/body.h"
#include "chain/engine/exchange.h"
#include "chain/engine/origin.h"

void stream_begin(struct client *client, struct sluice_head *head)
{
	struct exchange *x = exchange_take(client);

	x->message[REQUEST].head = head;
	tunnel_prepare(x);
	x->origin.fresh = true; /* what a kept connection has said before is no part of this one */
	engine_count(x->engine, streams);
	exchange_phase(x, PHASE_REQUEST);
	exchange_ready(x);
}

/* The slot of its opening is for others; streams live long. */
void stream_connected(struct exchange *x)
{
	struct engine *engine = x->engine;

	slots_free(&engine->slots, x->message[REQUEST].head);
	x->message[REQUEST].head = NULL;
	x->origin.sent = true;
	x->answered = true;
	upstreams_success(engine->env.upstreams, x->origin.server,
			  engine->timers.now_us - x->origin.asked_us, engine->timers.now_us);
	tunnel_open(x);
	exchange_waiting_wake(engine);
}

/* Early bytes first: the function that waits for them is shown them in the same turn. */
void stream_run(struct exchange *x)
{
	if (!body_move(x, REQUEST))
		return;
	if (x->phase == PHASE_REQUEST)
		open_walk(x);
	if (exchange_alive(x) && (x->origin.conn || x->origin.gone || x->pending))
		origin_run(x);
}
