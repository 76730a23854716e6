/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * relay: each connection that comes in is joined to a new one to a server.
 *
 *	relay NAME ENDPOINT SERVER [SOCKET]      relay relay 10.10.1.1:5432 10.20.0.5:5432
 *
 * What one side says is read only as far as the other can be written to: a slow reader holds back
 * the one who writes to it, and nothing is queued here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <sluice/socket.h>

struct pair;

struct side {
	struct pair *pair;
	struct side *other;
	struct sluice_conn *conn;
	struct sluice_lease held; /* was read, and could not be written to the other yet */
	bool holds;
	bool ended; /* it says no more, and the other was told */
};

struct pair {
	LIST_ENTRY(pair) all;
	struct side side[2]; /* who came, and the server */
};

static LIST_HEAD(, pair) pairs;
static const char *server;

static void end(struct pair *pair, bool broken)
{
	for (unsigned i = 0; i < 2; i++) {
		struct side *side = &pair->side[i];

		if (side->holds)
			sluice_release(sluice_app_of(side->conn), &side->held, 1);
		if (broken)
			sluice_abort(side->conn);
		else
			sluice_close(side->conn);
	}
	LIST_REMOVE(pair, all);
	free(pair);
}

/* 0, -EAGAIN (also without memory: that is told, too), or the end of it. */
static int pass_on(struct side *from)
{
	struct sluice_buf *buf = sluice_buf_alloc(sluice_app_of(from->conn), from->held.len);
	int rc;

	if (!buf)
		return -EAGAIN;
	memcpy(buf->data, from->held.data, from->held.len);
	rc = sluice_write(from->other->conn, buf, 0, from->held.len);
	sluice_buf_unref(buf);
	if (rc)
		return rc;
	sluice_release(sluice_app_of(from->conn), &from->held, 1);
	from->holds = false;
	return 0;
}

/* 0, or -EAGAIN: not now. 1: all was said, and the other side knows. */
static int next_lease(struct side *from)
{
	int n = from->holds ? 1 : sluice_read(from->conn, &from->held, 1);

	if (n > 0) {
		from->holds = true;
		return 0;
	}
	if (n < 0)
		return n;
	n = from->ended ? 0 : sluice_shutdown(from->other->conn);
	from->ended = !n;
	return n ? n : 1;
}

/* Moves all that can be moved. False: it broke. */
static bool move(struct side *from)
{
	int rc;

	do {
		rc = next_lease(from);
		if (!rc)
			rc = pass_on(from);
	} while (!rc);
	return rc == 1 || rc == -EAGAIN;
}

static void go_on(struct pair *pair)
{
	bool good = move(&pair->side[0]) && move(&pair->side[1]);

	if (!good || (pair->side[0].ended && pair->side[1].ended))
		end(pair, !good);
}

static void join(struct sluice_app *app, struct sluice_conn *conn)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	struct side *side = pair ? pair->side : NULL;

	if (!pair || sluice_connect(app, server, &side[1], &side[1].conn)) {
		free(pair);
		sluice_abort(conn);
		return;
	}
	side[0].conn = conn;
	side[0].pair = side[1].pair = pair;
	side[0].other = &side[1];
	side[1].other = &side[0];
	sluice_set_user(conn, &side[0]);
	LIST_INSERT_HEAD(&pairs, pair, all);
}

static void memory_is_back(void)
{
	struct pair *pair, *next;

	for (pair = LIST_FIRST(&pairs); pair; pair = next) {
		next = LIST_NEXT(pair, all);
		go_on(pair);
	}
}

static void handle(struct sluice_app *app, const struct sluice_event *event)
{
	struct sluice_conn *conn;

	if (event->listener && (event->kinds & SLUICE_ERROR)) {
		fprintf(stderr, "relay: cannot listen: %s\n", strerror(event->error));
		exit(1);
	}
	if (event->conn) {
		struct side *side = event->user;

		go_on(side->pair);
	} else if (event->listener) {
		while (!sluice_accept(event->listener, &conn))
			join(app, conn);
	} else {
		memory_is_back();
	}
}

int main(int argc, char **argv)
{
	struct sluice_listener *listener;
	struct sluice_event event;
	struct sluice_app *app;
	int rc;

	if (argc < 4) {
		fprintf(stderr, "usage: relay NAME ADDRESS:PORT SERVER:PORT [SOCKET]\n");
		return 2;
	}
	server = argv[3];
	rc = sluice_attach(argc > 4 ? argv[4] : NULL, argv[1], &app);
	if (!rc)
		rc = sluice_listen(app, argv[2], NULL, &listener);
	/* One event at a time: with one connection its partner is closed, whose event might be
	 * the next. */
	while (!rc && (rc = sluice_poll(app, &event, 1, -1)) >= 0) {
		if (rc)
			handle(app, &event);
		rc = 0;
	}
	fprintf(stderr, "relay: %s\n", strerror(-rc));
	return 1;
}
