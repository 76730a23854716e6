/* SPDX-License-Identifier: BSD-3-Clause */
/* What the workers say. */
#include "nf/socket/app.h"

/* The connection, unless the program has closed it meanwhile. */
static struct sluice_conn *conn_at(const struct app_worker *w, const struct sluice_app_down *down)
{
	const struct slot *slot = &w->slot[down->conn];

	return slot->generation == down->generation ? slot->conn : NULL;
}

/* --- listening --------------------------------------------------------------------------- */

static void on_listening(struct sluice_app *app, const struct sluice_app_down *down)
{
	struct sluice_listener *listener = app->listener[down->arg % SLUICE_APP_LISTENERS_MAX];

	if (!listener)
		return;
	if (down->open.error) {
		listener->handle.error = (int)down->open.error;
		handle_tell(app, &listener->handle, SLUICE_ERROR);
	} else if (++listener->answers == app->limits.workers) {
		handle_tell(app, &listener->handle, SLUICE_OPEN);
	}
}

static void on_accepted(struct sluice_app *app, unsigned worker, const struct sluice_app_down *down)
{
	struct sluice_listener *listener = app->listener[down->arg % SLUICE_APP_LISTENERS_MAX];
	struct sluice_conn *conn = listener ? conn_make(app, worker) : NULL;

	if (!conn) {
		say_close(app, worker, down->conn, down->generation, true);
		return;
	}
	conn->handle.hidden = true;
	conn->state = CONN_OPEN;
	conn->local = down->open.local;
	conn->remote = down->open.remote;
	conn_seat(conn, down->conn, down->generation);
	STAILQ_INSERT_TAIL(&listener->waiting, conn, waiting);
	handle_tell(app, &listener->handle, SLUICE_ACCEPT);
}

/* --- connecting -------------------------------------------------------------------------- */

/* Answers come in the order of the questions to a worker: it is among the first. */
static struct sluice_conn *asked_find(struct sluice_app *app, uint32_t cookie)
{
	struct sluice_conn *conn;

	TAILQ_FOREACH (conn, &app->asked, asked) {
		if (conn->cookie == cookie)
			return conn;
	}
	return NULL;
}

static void over(struct sluice_conn *conn, int error)
{
	conn->state = CONN_OVER;
	conn->ended = true;
	conn->error = error;
	conn->handle.error = error;
	handle_tell(conn->app, &conn->handle,
		    SLUICE_HANGUP | SLUICE_READ | (error ? SLUICE_ERROR : 0));
}

static void on_connecting(struct sluice_app *app, unsigned worker,
			  const struct sluice_app_down *down)
{
	struct sluice_conn *conn = asked_find(app, down->arg);
	bool there = !down->open.error;

	if (!conn)
		return;
	TAILQ_REMOVE(&app->asked, conn, asked);
	if (conn->closed) {
		if (there)
			say_close(app, worker, down->conn, down->generation, true);
		conn->state = CONN_OVER;
		conn_forget(conn);
	} else if (there) {
		conn->state = CONN_OPENING;
		conn_seat(conn, down->conn, down->generation);
	} else {
		conn->slot = UINT32_MAX;
		over(conn, (int)down->open.error);
	}
}

static void on_connected(struct app_worker *w, const struct sluice_app_down *down)
{
	struct sluice_conn *conn = conn_at(w, down);

	if (!conn)
		return;
	conn->state = CONN_OPEN;
	conn->local = down->open.local;
	conn->remote = down->open.remote;
	handle_tell(conn->app, &conn->handle, SLUICE_OPEN);
}

/* --- what comes -------------------------------------------------------------------------- */

static void on_data(struct app_worker *w, const struct sluice_app_down *down)
{
	struct sluice_conn *conn = conn_at(w, down);

	if (conn) {
		read_take(conn, down);
		return;
	}
	for (unsigned i = 0; i < down->count; i++)
		free_tag(w, down->slice[i].tag);
}

static void on_closed(struct app_worker *w, const struct sluice_app_down *down)
{
	struct sluice_conn *conn = conn_at(w, down);

	if (conn)
		over(conn, (int)down->open.error);
}

static void take(struct sluice_app *app, unsigned worker, const struct sluice_app_down *down)
{
	struct app_worker *w = &app->worker[worker];

	switch (down->kind) {
	case SLUICE_APP_LISTENING:
		on_listening(app, down);
		return;
	case SLUICE_APP_ACCEPTED:
		on_accepted(app, worker, down);
		return;
	case SLUICE_APP_CONNECTING:
		on_connecting(app, worker, down);
		return;
	case SLUICE_APP_CONNECTED:
		on_connected(w, down);
		return;
	case SLUICE_APP_DATA:
		on_data(w, down);
		return;
	case SLUICE_APP_CLOSED:
		on_closed(w, down);
		return;
	case SLUICE_APP_RELEASE:
		for (unsigned i = 0; i < down->count; i++)
			write_released(app, w, down->tag[i]);
		return;
	}
}

/* --- rings ------------------------------------------------------------------------------- */

static uint32_t waiting(const struct app_worker *w)
{
	return __atomic_load_n(&w->down->produced, __ATOMIC_ACQUIRE) - w->consumed;
}

static bool worker_take(struct sluice_app *app, unsigned worker)
{
	struct app_worker *w = &app->worker[worker];
	uint32_t n = waiting(w);

	for (uint32_t i = 0; i < n; i++) {
		const struct sluice_app_down *down = &w->ring[(w->consumed + i) & (w->entries - 1)];

		__builtin_prefetch(down + 1);
		take(app, worker, down);
	}
	if (!n)
		return false;
	w->consumed += n;
	__atomic_store_n(&w->up->down_consumed, w->consumed, __ATOMIC_RELEASE);
	/* The worker may be waiting for room in a ring that was nearly full. */
	if (n > w->entries / 2)
		outring_publish(&w->out, true);
	return true;
}

bool down_take(struct sluice_app *app)
{
	bool came = false;

	for (unsigned i = 0; i < app->limits.workers; i++)
		came = worker_take(app, i) || came;
	return came;
}
