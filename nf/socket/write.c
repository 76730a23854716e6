/* SPDX-License-Identifier: BSD-3-Clause */
/* Slices of the arena on their way: leases, until the peer has acknowledged them. */
#include <errno.h>

#include "nf/socket/app.h"

struct sluice_buf *sluice_buf_alloc(struct sluice_app *app, uint32_t size)
{
	struct sluice_buf *buf = arena_alloc(app->arena, size);

	if (!buf)
		app->hungry = true;
	return buf;
}

uint64_t sluice_arena_bytes(const struct sluice_app *app)
{
	return arena_bytes(app->arena);
}

uint64_t sluice_arena_used(const struct sluice_app *app)
{
	return arena_used(app->arena);
}

/* --- room -------------------------------------------------------------------------------- */

uint32_t sluice_write_limit(const struct sluice_conn *conn)
{
	return conn->app->limits.send_bytes;
}

uint32_t sluice_write_pending(const struct sluice_conn *conn)
{
	return conn->in_flight;
}

uint32_t sluice_write_room(const struct sluice_conn *conn)
{
	return conn->state == CONN_OPEN && !conn->shut ? sluice_write_limit(conn) - conn->in_flight
						       : 0;
}

static bool tell_if_room(struct sluice_conn *conn)
{
	if (!conn->wanted || sluice_write_room(conn) < conn->wanted)
		return false;
	conn->wanted = 0;
	handle_tell(conn->app, &conn->handle, SLUICE_WRITE);
	return true;
}

/* --- leases that come back --------------------------------------------------------------- */

void write_released(struct sluice_app *app, struct app_worker *w, uint32_t tag)
{
	struct arena_lease was;
	const struct slot *slot;

	if (arena_release(app->arena, tag, &was))
		return;
	w->leases--;
	if (app->hungry) {
		app->hungry = false;
		handle_tell(app, &app->memory, SLUICE_MEMORY);
	}
	slot = &w->slot[was.slot];
	if (!slot->conn || slot->generation != was.generation)
		return;
	slot->conn->in_flight -= was.len;
	tell_if_room(slot->conn);
}

/* --- writing ----------------------------------------------------------------------------- */

static int sum(const struct sluice_piece *pieces, unsigned n, uint64_t *bytes)
{
	*bytes = 0;
	for (unsigned i = 0; i < n; i++) {
		const struct sluice_piece *p = &pieces[i];

		if (!p->len || p->off > p->buf->size || p->len > p->buf->size - p->off)
			return -EINVAL;
		*bytes += p->len;
	}
	return n && n <= SLUICE_PIECES_MAX ? 0 : -EINVAL;
}

static int may_write(struct sluice_conn *conn, uint64_t bytes, unsigned n)
{
	struct app_worker *w = &conn->app->worker[conn->worker];

	if (conn->app->dead || conn->shut)
		return -EPIPE;
	if (conn->state == CONN_OVER)
		return conn->error ? -conn->error : -EPIPE;
	if (bytes > sluice_write_limit(conn))
		return -EINVAL;
	if (conn->state == CONN_OPEN && bytes <= sluice_write_room(conn) &&
	    w->leases + n <= conn->app->limits.leases &&
	    outring_room(&w->out) >= (n + SLUICE_APP_UP_SLICES - 1) / SLUICE_APP_UP_SLICES)
		return 0;
	conn->wanted = conn->state == CONN_OPEN ? (uint32_t)bytes : 0;
	if (conn->wanted && bytes <= sluice_write_room(conn))
		conn->app->ring_full = true;
	return -EAGAIN;
}

static void leases_undo(struct sluice_app *app, const uint32_t *tag, unsigned n)
{
	struct arena_lease was;

	while (n--)
		(void)!arena_release(app->arena, tag[n], &was);
}

static int leases_take(struct sluice_conn *conn, const struct sluice_piece *pieces, unsigned n,
		       uint32_t *tag)
{
	for (unsigned i = 0; i < n; i++) {
		const struct arena_lease what = {conn->worker, conn->slot, conn->generation,
						 pieces[i].len};

		tag[i] = arena_lease(conn->app->arena, pieces[i].buf, &what);
		if (tag[i])
			continue;
		leases_undo(conn->app, tag, i);
		return -ENOMEM;
	}
	return 0;
}

static void put(struct sluice_conn *conn, const struct sluice_piece *pieces, unsigned n,
		const uint32_t *tag)
{
	struct sluice_app *app = conn->app;
	struct sluice_app_up up = {
		.kind = SLUICE_APP_SEND, .conn = conn->slot, .generation = conn->generation};

	for (unsigned i = 0; i < n; i++) {
		const struct sluice_piece *p = &pieces[i];

		up.slice[up.count++] = (struct sluice_slice){
			sluice_ref(app->arena_id, arena_offset(app->arena, p->buf) + p->off),
			p->len, tag[i]};
		if (up.count < SLUICE_APP_UP_SLICES && i + 1 < n)
			continue;
		ring_say(&app->worker[conn->worker], &up);
		up.count = 0;
	}
}

int sluice_writev(struct sluice_conn *conn, const struct sluice_piece *pieces, unsigned n)
{
	uint32_t tag[SLUICE_PIECES_MAX];
	uint64_t bytes;
	int rc = sum(pieces, n, &bytes);

	if (!rc)
		rc = may_write(conn, bytes, n);
	if (!rc)
		rc = leases_take(conn, pieces, n, tag);
	if (rc)
		return rc;
	put(conn, pieces, n, tag);
	conn->app->worker[conn->worker].leases += n;
	conn->in_flight += (uint32_t)bytes;
	return 0;
}

int sluice_write(struct sluice_conn *conn, struct sluice_buf *buf, uint32_t off, uint32_t len)
{
	const struct sluice_piece piece = {buf, off, len};

	return sluice_writev(conn, &piece, 1);
}

/* Those that found a ring full are tried again when it no longer is. */
void write_retry(struct sluice_app *app)
{
	struct sluice_conn *conn;

	if (!app->ring_full)
		return;
	for (unsigned i = 0; i < app->limits.workers; i++)
		if (outring_room(&app->worker[i].out) < SLUICE_PIECES_MAX ||
		    app->worker[i].leases + SLUICE_PIECES_MAX > app->limits.leases)
			return;
	app->ring_full = false;
	LIST_FOREACH (conn, &app->conns, of_app)
		tell_if_room(conn);
}
