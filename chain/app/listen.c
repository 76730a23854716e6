/* SPDX-License-Identifier: BSD-3-Clause */
/* Listening and connecting: whether it is allowed, and what came of it. */
#include <errno.h>
#include <string.h>

#include "chain/app/internal.h"

struct sluice_peer app_peer(const struct endpoint *endpoint)
{
	struct sluice_peer peer = {.family = endpoint->addr.family == ADDR_IP6 ? 6 : 4,
				   .port = endpoint->port};

	memcpy(peer.bytes, endpoint->addr.bytes, sizeof(peer.bytes));
	return peer;
}

static struct tcp_conf conf_of(const struct app *app)
{
	return (struct tcp_conf){.recv_buffer_bytes = app->env.terms->recv_bytes,
				 .send_buffer_bytes = app->env.terms->send_bytes,
				 .connect_timeout_ms = APP_CONNECT_MS};
}

/* --- listening --------------------------------------------------------------------------- */

/* Without handlers the stack resets it. */
static void on_accepted(struct tcp_conn *tcp, void *user)
{
	struct app_listener *listener = user;
	struct app *app = listener->app;
	struct app_conn *conn = conn_new(app);

	if (!conn) {
		app_count(app, app_refused);
		return;
	}
	tcp_set_handlers(tcp, &conn_handlers, conn);
	conn->tcp = tcp;
	conn->state = APP_CONN_OPEN;
	conn->listener = (uint8_t)(listener - app->listener);
	conn->tell = APP_TELL_ACCEPTED;
	conn_endpoints(conn);
	app_count(app, app_accepted);
	conn_ready(conn);
}

static const struct tcp_listen_handlers listen_handlers = {.accepted = on_accepted};

static void answer(struct app *app, enum sluice_app_down_kind kind, uint32_t arg, int error)
{
	struct sluice_app_down *down = app_say(app);

	if (!down)
		return; /* only at the end of the attachment: nobody waits for it */
	down->kind = (uint8_t)kind;
	down->arg = arg;
	down->open.error = (uint32_t)error;
}

static int try_listen(struct app *app, struct app_listener *listener, const struct endpoint *local)
{
	struct tcp_conf conf = conf_of(app);

	if (app->apps->draining)
		return -ESHUTDOWN;
	if (!app_may_listen(app->env.terms, local)) {
		app_count(app, app_denied);
		return -EACCES;
	}
	listener->app = app;
	return tcp_listen(app->apps->env.stack, local, &conf, &listen_handlers, listener,
			  &listener->tcp);
}

void listen_open(struct app *app, uint32_t number, const struct endpoint *local)
{
	struct app_listener *listener = &app->listener[number];
	int error;

	*listener = (struct app_listener){0};
	error = try_listen(app, listener, local);
	if (!error)
		app->listeners++;
	answer(app, SLUICE_APP_LISTENING, number, -error);
}

/* One that is closed already: the application could not know. */
void listen_close(struct app *app, uint32_t number)
{
	struct app_listener *listener = &app->listener[number];

	listener->tell_gone = false;
	if (!listener->tcp)
		return;
	tcp_unlisten(listener->tcp);
	listener->tcp = NULL;
	app->listeners--;
}

void listen_drain(struct app *app)
{
	for (uint32_t i = 0; i < SLUICE_APP_LISTENERS_MAX; i++) {
		if (!app->listener[i].tcp)
			continue;
		listen_close(app, i);
		app->listener[i].tell_gone = true;
	}
}

void listen_tell(struct app *app)
{
	if (!app->apps->draining)
		return;
	for (uint32_t i = 0; i < SLUICE_APP_LISTENERS_MAX && app->room; i++) {
		if (!app->listener[i].tell_gone)
			continue;
		app->listener[i].tell_gone = false;
		answer(app, SLUICE_APP_LISTENING, i, ESHUTDOWN);
	}
}

/* --- connecting -------------------------------------------------------------------------- */

static int try_connect(struct app *app, const struct endpoint *remote, struct app_conn **out)
{
	struct tcp_conf conf = conf_of(app);
	struct app_conn *conn;
	int error;

	if (!app_may_connect(app->env.terms, remote)) {
		app_count(app, app_denied);
		return -EACCES;
	}
	conn = conn_new(app);
	if (!conn)
		return -EMFILE;
	conn->state = APP_CONN_CONNECTING;
	conn->remote = *remote;
	error = tcp_connect(app->apps->env.stack, remote, &conf, &conn_handlers, conn, &conn->tcp);
	if (error) {
		conn_free(conn);
		return error;
	}
	conn_endpoints(conn);
	*out = conn;
	return 0;
}

void connect_open(struct app *app, uint32_t cookie, const struct endpoint *remote)
{
	struct sluice_app_down *down = app_say(app);
	struct app_conn *conn = NULL;
	int error;

	if (!down)
		return; /* as above: it could not be told which it is */
	error = try_connect(app, remote, &conn);
	down->kind = SLUICE_APP_CONNECTING;
	down->arg = cookie;
	down->open.error = (uint32_t)-error;
	if (conn) {
		app_count(app, app_connects);
		down->conn = conn_slot(conn);
		down->generation = conn->generation;
	} else {
		app_count(app, app_connects_failed);
	}
}
