/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection of an application. Its events come from the stack, between two turns; all that
 * they do is put it in line. conn_run then does what there is to do, and tells it.
 */
#include <errno.h>

#include "chain/app/internal.h"

/* --- slots ------------------------------------------------------------------------------- */

struct app_conn *conn_new(struct app *app)
{
	struct app_conn *conn = SLIST_FIRST(&app->conns_free);

	if (conn)
		SLIST_REMOVE_HEAD(&app->conns_free, free);
	else if (app->conns_fresh < app->env.terms->conns)
		conn = &app->conn[app->conns_fresh++];
	else
		return NULL;
	/* It may still stand in a line from its last life: that it does not matter. */
	conn->app = app;
	conn->tcp = NULL;
	conn->generation++;
	conn->blocks = 0;
	conn->tell = 0;
	conn->fin = conn->told_end = false;
	conn->error = 0;
	STAILQ_INIT(&conn->out);
	app->conns++;
	app->totals.conns_total++;
	return conn;
}

void conn_free(struct app_conn *conn)
{
	conn->state = APP_CONN_FREE;
	conn->app->conns--;
	SLIST_INSERT_HEAD(&conn->app->conns_free, conn, free);
}

void conn_ready(struct app_conn *conn)
{
	if (conn->is_ready)
		return;
	conn->is_ready = true;
	STAILQ_INSERT_TAIL(&conn->app->ready, conn, ready);
}

void conn_dry(struct app_conn *conn)
{
	if (conn->is_dry)
		return;
	conn->is_dry = true;
	STAILQ_INSERT_TAIL(&conn->app->dry, conn, dry);
}

void conn_starve(struct app_conn *conn)
{
	struct apps *apps = conn->app->apps;

	apps->counters.app_starved++;
	conn_dry(conn);
	if (apps->retry_us == UINT64_MAX)
		apps->retry_us = apps->now_us + APP_RETRY_US;
}

void conn_endpoints(struct app_conn *conn)
{
	tcp_endpoints(conn->tcp, &conn->local, &conn->remote);
}

/* --- telling ----------------------------------------------------------------------------- */

/* False: no room. */
static bool tell(struct app_conn *conn, enum app_tell what, enum sluice_app_down_kind kind)
{
	struct sluice_app_down *down;

	if (!(conn->tell & what))
		return true;
	down = app_say(conn->app);
	if (!down)
		return false;
	down->conn = conn_slot(conn);
	down->generation = conn->generation;
	down->kind = (uint8_t)kind;
	down->arg = conn->listener;
	down->open.local = app_peer(&conn->local);
	down->open.remote = app_peer(&conn->remote);
	down->open.error = what == APP_TELL_CLOSED ? (uint32_t)conn->error : 0;
	conn->tell &= (uint8_t)~what;
	return true;
}

static bool tell_begin(struct app_conn *conn)
{
	return tell(conn, APP_TELL_ACCEPTED, SLUICE_APP_ACCEPTED) &&
	       tell(conn, APP_TELL_CONNECTED, SLUICE_APP_CONNECTED);
}

/* --- events ------------------------------------------------------------------------------ */

static void on_opened(struct tcp_conn *tcp, void *user)
{
	struct app_conn *conn = user;

	(void)tcp;
	conn_endpoints(conn);
	conn->state = APP_CONN_OPEN;
	conn->tell |= APP_TELL_CONNECTED;
	conn_ready(conn);
}

static void on_event(struct tcp_conn *tcp, void *user)
{
	(void)tcp;
	conn_ready(user);
}

static int error_of(enum tcp_close_reason reason)
{
	static const int errors[] = {
		[TCP_CLOSED_NORMAL] = 0,
		[TCP_CLOSED_RESET] = ECONNRESET,
		[TCP_CLOSED_REFUSED] = ECONNREFUSED,
		[TCP_CLOSED_TIMEOUT] = ETIMEDOUT,
		[TCP_CLOSED_UNREACHABLE] = EHOSTUNREACH,
		[TCP_CLOSED_NO_MEMORY] = ENOBUFS,
	};

	return (size_t)reason < sizeof(errors) / sizeof(errors[0]) ? errors[reason] : EIO;
}

/* What came before a reset can be taken now, or never. */
static void take_rest(struct app_conn *conn)
{
	if (conn->state == APP_CONN_OPEN && !conn->app->detached && !conn->app->verdict &&
	    tell_begin(conn))
		(void)rx_run(conn);
}

static void on_closed(struct tcp_conn *tcp, void *user, enum tcp_close_reason reason)
{
	struct app_conn *conn = user;

	(void)tcp;
	take_rest(conn);
	conn->tcp = NULL;
	send_drop(conn);
	if (conn->state == APP_CONN_CLOSING) {
		conn_free(conn);
		return;
	}
	if (conn->state == APP_CONN_CONNECTING)
		app_count(conn->app, app_connects_failed);
	conn->state = APP_CONN_OVER;
	conn->error = error_of(reason);
	conn->tell |= APP_TELL_CLOSED;
	conn_ready(conn);
}

const struct tcp_handlers conn_handlers = {
	.opened = on_opened,
	.readable = on_event,
	.writable = on_event,
	.closed = on_closed,
};

/* --- running ----------------------------------------------------------------------------- */

static bool run_open(struct app_conn *conn)
{
	if (!tell_begin(conn))
		return false;
	if (conn->state == APP_CONN_OPEN) {
		send_run(conn, false);
		if (rx_run(conn) == RX_RING_FULL)
			return false;
	}
	return tell(conn, APP_TELL_CLOSED, SLUICE_APP_CLOSED);
}

static void finish(struct app_conn *conn)
{
	tcp_close(conn->tcp);
	conn->tcp = NULL;
	conn_free(conn);
}

bool conn_run(struct app_conn *conn)
{
	switch ((enum app_conn_state)conn->state) {
	case APP_CONN_OPEN:
	case APP_CONN_OVER:
		return run_open(conn);
	case APP_CONN_CLOSING:
		send_run(conn, false);
		if (send_done(conn))
			finish(conn);
		return true;
	case APP_CONN_FREE:
	case APP_CONN_CONNECTING:
		return true;
	}
	return true;
}

/* --- the end ----------------------------------------------------------------------------- */

static void abort_now(struct app_conn *conn)
{
	if (conn->tcp)
		tcp_abort(conn->tcp);
	conn->tcp = NULL;
	send_drop(conn);
	conn_free(conn);
}

void conn_close(struct app_conn *conn, bool abort)
{
	if (abort || !conn->tcp || conn->state == APP_CONN_CONNECTING) {
		abort_now(conn);
	} else if (send_done(conn)) {
		finish(conn);
	} else {
		conn->state = APP_CONN_CLOSING;
		conn_ready(conn);
	}
}

/* What the application had closed goes out whole, even beyond the usual room: there is nobody left
 * to wait for it. */
void conn_end(struct app_conn *conn)
{
	if (conn->state == APP_CONN_CLOSING)
		send_run(conn, true);
	if (conn->state == APP_CONN_CLOSING && send_done(conn))
		finish(conn);
	else if (conn->state != APP_CONN_FREE)
		abort_now(conn);
}
