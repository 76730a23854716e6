/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners and connections: their beginning and their end. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nf/socket/app.h"

void ring_say(struct app_worker *worker, const struct sluice_app_up *up)
{
	(void)outring_put(&worker->out, (const struct sluice_up *)up, NULL, true);
}

/* --- endpoints --------------------------------------------------------------------------- */

static int parse_port(const char *text, uint16_t *out)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || !port || port > UINT16_MAX)
		return -EINVAL;
	*out = (uint16_t)port;
	return 0;
}

/* "10.0.0.1:80" or "[fd10::1]:80" */
static int parse_endpoint(const char *text, struct sluice_peer *out)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool six = text[0] == '[';

	if (!len || len >= sizeof(host) || (six && text[len - 1] != ']'))
		return -EINVAL;
	memcpy(host, text + six, len - 2 * six);
	host[len - 2 * six] = '\0';
	*out = (struct sluice_peer){.family = six ? 6 : 4};
	if (inet_pton(six ? AF_INET6 : AF_INET, host, out->bytes) != 1)
		return -EINVAL;
	return parse_port(colon + 1, &out->port);
}

/* --- listeners --------------------------------------------------------------------------- */

/* Numbers go round, so that what is said of an old one is not taken for a new one's. */
static int number_take(struct sluice_app *app, uint32_t *out)
{
	for (unsigned i = 0; i < SLUICE_APP_LISTENERS_MAX; i++) {
		uint32_t number = (app->number + 1 + i) % SLUICE_APP_LISTENERS_MAX;

		if (app->listener[number])
			continue;
		*out = app->number = number;
		return 0;
	}
	return -ENOSPC;
}

int sluice_listen(struct sluice_app *app, const char *endpoint, void *user,
		  struct sluice_listener **out)
{
	struct sluice_app_up up = {.kind = SLUICE_APP_LISTEN};
	struct sluice_listener *listener;
	int rc = app->dead ? -EPIPE : parse_endpoint(endpoint, &up.peer);

	if (!rc)
		rc = number_take(app, &up.conn);
	if (rc)
		return rc;
	listener = calloc(1, sizeof(*listener));
	if (!listener)
		return -ENOMEM;
	listener->handle.of = OF_LISTENER;
	listener->app = app;
	listener->number = up.conn;
	listener->handle.user = user;
	STAILQ_INIT(&listener->waiting);
	app->listener[up.conn] = listener;
	for (unsigned i = 0; i < app->limits.workers; i++)
		ring_say(&app->worker[i], &up);
	sluice_flush(app);
	*out = listener;
	return 0;
}

void sluice_unlisten(struct sluice_listener *listener)
{
	struct sluice_app *app = listener->app;
	struct sluice_app_up up = {.kind = SLUICE_APP_UNLISTEN, .conn = listener->number};
	struct sluice_conn *conn;

	for (unsigned i = 0; i < app->limits.workers; i++)
		ring_say(&app->worker[i], &up);
	while (!sluice_accept(listener, &conn))
		sluice_abort(conn);
	handle_forget(app, &listener->handle);
	app->listener[listener->number] = NULL;
	free(listener);
}

int sluice_accept(struct sluice_listener *listener, struct sluice_conn **out)
{
	struct sluice_conn *conn = STAILQ_FIRST(&listener->waiting);

	if (!conn)
		return listener->app->dead ? -EPIPE : -EAGAIN;
	STAILQ_REMOVE_HEAD(&listener->waiting, waiting);
	conn->handle.hidden = false;
	if (conn->handle.kinds)
		handle_tell(conn->app, &conn->handle, 0);
	*out = conn;
	return 0;
}

/* --- connections ------------------------------------------------------------------------- */

struct sluice_conn *conn_make(struct sluice_app *app, unsigned worker)
{
	struct sluice_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	conn->handle.of = OF_CONN;
	conn->app = app;
	conn->worker = (uint16_t)worker;
	conn->slot = UINT32_MAX;
	conn->first = conn->last = NO_NODE;
	LIST_INSERT_HEAD(&app->conns, conn, of_app);
	return conn;
}

void conn_seat(struct sluice_conn *conn, uint32_t slot, uint32_t generation)
{
	conn->slot = slot;
	conn->generation = generation;
	conn->app->worker[conn->worker].slot[slot] = (struct slot){conn, generation};
}

void conn_forget(struct sluice_conn *conn)
{
	handle_forget(conn->app, &conn->handle);
	LIST_REMOVE(conn, of_app);
	free(conn);
}

int sluice_connect(struct sluice_app *app, const char *endpoint, void *user,
		   struct sluice_conn **out)
{
	struct sluice_app_up up = {.kind = SLUICE_APP_CONNECT};
	unsigned worker = app->turn++ % app->limits.workers;
	struct sluice_conn *conn;
	int rc = app->dead ? -EPIPE : parse_endpoint(endpoint, &up.peer);

	if (rc)
		return rc;
	if (!outring_room(&app->worker[worker].out))
		return -EAGAIN;
	conn = conn_make(app, worker);
	if (!conn)
		return -ENOMEM;
	conn->handle.user = user;
	conn->cookie = up.arg = ++app->cookie;
	conn->remote = up.peer;
	TAILQ_INSERT_TAIL(&app->asked, conn, asked);
	ring_say(&app->worker[worker], &up);
	*out = conn;
	return 0;
}

void say_close(struct sluice_app *app, unsigned worker, uint32_t slot, uint32_t generation,
	       bool abort)
{
	struct sluice_app_up up = {.kind = SLUICE_APP_CLOSE,
				   .conn = slot,
				   .generation = generation,
				   .flags = abort ? SLUICE_APP_ABORT : 0};

	ring_say(&app->worker[worker], &up);
}

static void end(struct sluice_conn *conn, bool abort)
{
	struct sluice_app *app = conn->app;

	if (conn->state == CONN_ASKED) {
		conn->closed = true; /* goes with the answer */
		handle_forget(app, &conn->handle);
		return;
	}
	read_drop(conn);
	if (conn->slot != UINT32_MAX) {
		app->worker[conn->worker].slot[conn->slot].conn = NULL;
		say_close(app, conn->worker, conn->slot, conn->generation, abort);
	}
	conn_forget(conn);
}

void sluice_close(struct sluice_conn *conn)
{
	end(conn, false);
}

void sluice_abort(struct sluice_conn *conn)
{
	end(conn, true);
}

int sluice_shutdown(struct sluice_conn *conn)
{
	struct sluice_app_up up = {.kind = SLUICE_APP_SEND,
				   .flags = SLUICE_APP_END,
				   .conn = conn->slot,
				   .generation = conn->generation};

	if (conn->state != CONN_OPEN)
		return conn->state == CONN_OVER ? -ECONNRESET : -EAGAIN;
	if (!conn->shut)
		ring_say(&conn->app->worker[conn->worker], &up);
	conn->shut = true;
	return 0;
}

void sluice_set_user(struct sluice_conn *conn, void *user)
{
	conn->handle.user = user;
}

void *sluice_user(const struct sluice_conn *conn)
{
	return conn->handle.user;
}

struct sluice_app *sluice_app_of(const struct sluice_conn *conn)
{
	return conn->app;
}

const struct sluice_peer *sluice_local(const struct sluice_conn *conn)
{
	return &conn->local;
}

const struct sluice_peer *sluice_remote(const struct sluice_conn *conn)
{
	return &conn->remote;
}
