/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels: connections whose bytes go both ways as they come. Those of a `tcp` chain once they are
 * open (stream.c), and those of an `http` chain that have left HTTP (upgrade.c). Both directions
 * are bodies that end with the connection; they go from stack to stack by reference, past the
 * functions or, in a `tcp` chain, through those that want them. Either may end first; a reset of
 * either side is passed on.
 */
#include "chain/engine/body.h"
#include "chain/engine/client.h"
#include "chain/engine/exchange.h"
#include "chain/engine/stream.h"

static void body_open(struct exchange *x, enum direction d)
{
	struct http_framing *framing = &x->message[d].framing;

	*framing = (struct http_framing){.kind = HTTP_BODY_UNTIL_CLOSE,
					 .length = SLUICE_LENGTH_UNKNOWN};
	body_clear(x, d);
	x->body[d].out_kind = HTTP_BODY_UNTIL_CLOSE;
	http_body_init(&x->body[d].decoder, framing, &x->chain->limits, x->trailers[d], 0);
}

void tunnel_prepare(struct exchange *x)
{
	body_open(x, REQUEST);
	body_open(x, RESPONSE);
	x->keep_client = false;
}

void tunnel_open(struct exchange *x)
{
	x->begun = 1u << REQUEST | 1u << RESPONSE;
	engine_count(x->engine, tunnels);
	exchange_phase(x, PHASE_TUNNEL);
	exchange_ready(x); /* the first bytes may be there already */
}

/* An end in order would tell each side that the other has said all. */
void tunnel_timeout(struct exchange *x)
{
	engine_count(x->engine, timeouts_tunnel);
	ending_why(x, SLUICE_ENDING_TUNNEL_IDLE);
	exchange_end(x, CLIENT_RESET, true);
}

/* One side was reset, or does not answer any more: so is the other. */
static bool was_reset(const struct exchange *x)
{
	if (!x->client->conn && !x->client->ended)
		return true;
	return x->origin.gone && !x->origin.ended && !x->origin.rest.first;
}

static void reset(struct exchange *x)
{
	engine_count(x->engine, tunnels_reset);
	ending_why(x, x->client->conn ? SLUICE_ENDING_ORIGIN_CUT : SLUICE_ENDING_CLIENT_GONE);
	exchange_end(x, CLIENT_RESET, true);
}

void tunnel_run(struct exchange *x)
{
	if (was_reset(x)) {
		reset(x);
		return;
	}
	if (!body_move(x, REQUEST) || !body_move(x, RESPONSE))
		return;
	if (body_ended(x, REQUEST) && body_ended(x, RESPONSE))
		exchange_end(x, CLIENT_END, false);
	else if (was_reset(x))
		reset(x);
}
