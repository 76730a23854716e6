/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one client may take of us: requests on a connection, the connection's age, and how
 * slowly it may send or take a body.
 *
 * A rate is looked at once in a window. A client is too slow when we waited for nobody else:
 * more of its request was awaited when the window began and when it ended, and less than the
 * rate came; or it acknowledged less than the rate, and less than what lay ready for it when
 * the window began. An origin or a function that dawdles is never the client's fault.
 */
#include "chain/engine/body.h"
#include "chain/engine/client.h"

#define RATE_WINDOW_MS 5000

/* --- connections ----------------------------------------------------------------- */

static uint64_t age_ms(const struct client *client)
{
	return (client->engine->timers.now_us - client->born_us) / 1000;
}

bool limits_spent(const struct client *client, uint32_t more)
{
	const struct chain *chain = client->chain;

	if (chain->max_requests && client->requests + more >= chain->max_requests)
		return true;
	return chain->max_age_ms && age_ms(client) >= chain->max_age_ms;
}

uint32_t limits_idle_ms(const struct client *client)
{
	const struct chain *chain = client->chain;
	uint64_t age = age_ms(client), left = chain->max_age_ms > age ? chain->max_age_ms - age : 0;

	if (!chain->max_age_ms || left > chain->idle_timeout_ms)
		return chain->idle_timeout_ms;
	return (uint32_t)left;
}

/* --- rates ----------------------------------------------------------------------- */

/* Nothing of its request is here, and the end is not either. One who waits for 100 does so rightly.
 */
static bool request_awaited(const struct exchange *x)
{
	const struct body *body = &x->body[REQUEST];

	if (!body_goes_on(x, REQUEST) || body->source_ended || body->in_hand)
		return false;
	if (x->phase == PHASE_DRAIN) /* that has its own bound */
		return false;
	if (x->message[REQUEST].framing.expect_continue && !body->decoder.payload)
		return false;
	return !tcp_recv_ready(x->client->conn);
}

static struct rate rate_now(const struct exchange *x)
{
	uint32_t pending = tcp_send_pending(x->client->conn);

	return (struct rate){.since_us = x->engine->timers.now_us,
			     .in = x->bytes_in,
			     .out = x->bytes_out - pending,
			     .pending = pending,
			     .awaited = request_awaited(x)};
}

uint64_t limits_rate_us(const struct exchange *x)
{
	if (!x->chain->min_body_bytes_per_s || x->phase == PHASE_TUNNEL)
		return UINT64_MAX;
	return x->rate.since_us + RATE_WINDOW_MS * 1000;
}

bool limits_too_slow(struct exchange *x)
{
	uint64_t least = (uint64_t)x->chain->min_body_bytes_per_s * RATE_WINDOW_MS / 1000;
	struct rate before = x->rate;

	if (limits_rate_us(x) > x->engine->timers.now_us || !x->client->conn)
		return false;
	x->rate = rate_now(x);
	if (before.awaited && x->rate.awaited && x->rate.in - before.in < least)
		return true;
	return x->rate.out - before.out < (before.pending < least ? before.pending : least);
}
