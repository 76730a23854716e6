/* SPDX-License-Identifier: BSD-3-Clause */
/* What an application says. Every word of it is copied out of its memory first, then checked. */
#include <string.h>

#include "chain/app/internal.h"

#define BATCH       64
#define SLICE_BYTES (64u << 20) /* most of one slice */

/* --- what it may name -------------------------------------------------------------------- */

/* A connection that is its own, and that it has not closed; NULL: an offence. */
static struct app_conn *conn_of(struct app *app, const struct sluice_app_up *up)
{
	struct app_conn *conn = up->conn < app->conns_fresh ? &app->conn[up->conn] : NULL;

	if (conn && conn->generation == up->generation && conn->state != APP_CONN_FREE &&
	    conn->state != APP_CONN_CLOSING)
		return conn;
	app_offend(app, conn, "named a connection that is not its own");
	return NULL;
}

static bool slice_valid(const struct app *app, const struct sluice_slice *slice)
{
	const struct region *arena = app->env.arena;
	uint64_t offset = sluice_ref_offset(slice->ref);

	return slice->len && slice->len <= SLICE_BYTES &&
	       sluice_ref_region(slice->ref) == arena->id && offset <= arena->bytes &&
	       slice->len <= arena->bytes - offset;
}

static bool endpoint_of(const struct sluice_peer *peer, struct endpoint *out)
{
	*out = (struct endpoint){.port = peer->port};
	if (peer->family == 4)
		out->addr.family = ADDR_IP4;
	else if (peer->family == 6)
		out->addr.family = ADDR_IP6;
	memcpy(out->addr.bytes, peer->bytes, addr_bits(out->addr.family) / 8);
	return out->addr.family != ADDR_NONE && peer->port;
}

/* --- kinds ------------------------------------------------------------------------------- */

static void take_listen(struct app *app, const struct sluice_app_up *up)
{
	struct endpoint local;

	if (!endpoint_of(&up->peer, &local) || up->conn >= SLUICE_APP_LISTENERS_MAX ||
	    app->listener[up->conn].tcp)
		app_offend(app, kind, "asked to listen in a way that makes no sense");
	else
		listen_open(app, up->conn, &local);
}

static void take_unlisten(struct app *app, const struct sluice_app_up *up)
{
	if (up->conn >= SLUICE_APP_LISTENERS_MAX)
		app_offend(app, kind, "named a listener that cannot be");
	else
		listen_close(app, up->conn);
}

static void take_connect(struct app *app, const struct sluice_app_up *up)
{
	struct endpoint remote;

	if (!endpoint_of(&up->peer, &remote))
		app_offend(app, kind, "asked to connect to no address");
	else
		connect_open(app, up->arg, &remote);
}

static bool send_valid(struct app *app, const struct app_conn *conn, const struct sluice_app_up *up)
{
	uint64_t bytes = conn->tcp ? tcp_send_pending(conn->tcp) : 0;
	const struct lease *waits;

	if (up->count > SLUICE_APP_UP_SLICES || (!up->count && !(up->flags & SLUICE_APP_END)) ||
	    conn->fin) {
		app_offend(app, kind, "sent nothing, or after its end");
		return false;
	}
	STAILQ_FOREACH (waits, &conn->out, queue)
		bytes += waits->len - waits->attached;
	for (unsigned i = 0; i < up->count; i++) {
		bytes += up->slice[i].len;
		if (slice_valid(app, &up->slice[i]))
			continue;
		app_offend(app, slices, "sent a slice outside of its arena");
		return false;
	}
	if (bytes <= app->env.terms->send_bytes && ledger_lease_room(&app->holder) >= up->count)
		return true;
	app_offend(app, flood, "sent more than may be on its way");
	return false;
}

static void take_send(struct app *app, const struct sluice_app_up *up)
{
	struct app_conn *conn = conn_of(app, up);

	if (!conn || !send_valid(app, conn, up))
		return;
	for (unsigned i = 0; i < up->count; i++)
		send_slice(conn, &up->slice[i]);
	conn->fin = up->flags & SLUICE_APP_END;
	send_run(conn, false);
}

static void take_close(struct app *app, const struct sluice_app_up *up)
{
	struct app_conn *conn = conn_of(app, up);

	if (conn)
		conn_close(conn, up->flags & SLUICE_APP_ABORT);
}

static void take_free(struct app *app, const struct sluice_app_up *up)
{
	if (!up->count || up->count > SLUICE_APP_UP_TAGS) {
		app_offend(app, kind, "gave back nothing");
		return;
	}
	for (unsigned i = 0; i < up->count; i++) {
		if (rx_free(app, up->tag[i]))
			continue;
		app_offend(app, free, "gave back memory that it did not hold");
		return;
	}
}

static void take(struct app *app, const struct sluice_app_up *up)
{
	app_count(app, app_descriptors_up);
	switch (up->kind) {
	case SLUICE_APP_LISTEN:
		take_listen(app, up);
		return;
	case SLUICE_APP_UNLISTEN:
		take_unlisten(app, up);
		return;
	case SLUICE_APP_CONNECT:
		take_connect(app, up);
		return;
	case SLUICE_APP_SEND:
		take_send(app, up);
		return;
	case SLUICE_APP_CLOSE:
		take_close(app, up);
		return;
	case SLUICE_APP_FREE:
		take_free(app, up);
		return;
	}
	app_offend(app, kind, "said something that is not understood");
}

/* --- a batch ----------------------------------------------------------------------------- */

static int batch(struct app *app, unsigned max)
{
	struct sluice_up up[BATCH]; /* of the same size and in the same ring */
	int n = link_poll(app->env.link, up, max < BATCH ? max : BATCH);

	if (n < 0) {
		app_offend(app, ring, "spoiled its ring");
		return 0;
	}
	for (int i = 0; i < n && !app->verdict; i++)
		take(app, (const struct sluice_app_up *)&up[i]);
	if (n)
		link_consume(app->env.link, (unsigned)n);
	app->crowd = app->crowd || n == BATCH;
	return n;
}

/* At the end nobody waits for answers: as much as the ring can hold, and no more than that. */
void request_poll(struct app *app, bool all)
{
	if (!all) {
		batch(app, app->room);
		return;
	}
	app->room = 0;
	for (unsigned i = 0; i < 1024 && !app->verdict; i++)
		if (!batch(app, BATCH))
			return;
}
