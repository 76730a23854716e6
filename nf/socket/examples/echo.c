/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * echo: everything that comes goes back.
 *
 *	echo NAME ENDPOINT [SOCKET]      echo echo 10.10.1.1:7000 /run/sluice/apps.sock
 *
 * Bytes come in leases that can only be read, and go from buffers of our own: between the two
 * is the one copy that an echo needs. A connection to which nothing can be written is not read
 * either, so that its peer's window closes: nothing is queued here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/socket.h>

#define EVENTS 64

/* What was read and could not be written yet. */
struct echo {
	struct sluice_lease held;
	bool holds;
};

static void end(struct sluice_conn *conn)
{
	struct echo *echo = sluice_user(conn);

	if (echo->holds)
		sluice_release(sluice_app_of(conn), &echo->held, 1);
	free(echo);
	sluice_close(conn);
}

/* False: not now. The buffer is ours no more: it goes when it was acknowledged. */
static bool send_back(struct sluice_conn *conn, const struct sluice_lease *lease, int *error)
{
	struct sluice_buf *buf = sluice_buf_alloc(sluice_app_of(conn), lease->len);

	if (!buf) {
		*error = -ENOBUFS;
		return false;
	}
	memcpy(buf->data, lease->data, lease->len);
	*error = sluice_write(conn, buf, 0, lease->len);
	sluice_buf_unref(buf);
	return *error == 0;
}

static void go_on(struct sluice_conn *conn)
{
	struct echo *echo = sluice_user(conn);
	int n, error;

	for (;;) {
		n = echo->holds ? 1 : sluice_read(conn, &echo->held, 1);
		if (n <= 0)
			break;
		echo->holds = true;
		if (!send_back(conn, &echo->held, &error)) {
			if (error != -EAGAIN)
				end(conn);
			return;
		}
		sluice_release(sluice_app_of(conn), &echo->held, 1);
		echo->holds = false;
	}
	if (n != -EAGAIN) /* 0: its end. Ours follows what was written */
		end(conn);
}

static void accept_all(struct sluice_listener *listener)
{
	struct sluice_conn *conn;

	while (!sluice_accept(listener, &conn)) {
		struct echo *echo = calloc(1, sizeof(*echo));

		if (!echo)
			sluice_abort(conn);
		else
			sluice_set_user(conn, echo);
	}
}

static void handle(const struct sluice_event *event)
{
	if (event->listener && (event->kinds & SLUICE_ERROR)) {
		fprintf(stderr, "echo: cannot listen: %s\n", strerror(event->error));
		exit(1);
	}
	if (event->listener)
		accept_all(event->listener);
	else if (event->conn)
		go_on(event->conn);
}

int main(int argc, char **argv)
{
	struct sluice_event events[EVENTS];
	struct sluice_listener *listener;
	struct sluice_app *app;
	int rc, n;

	if (argc < 3) {
		fprintf(stderr, "usage: echo NAME ADDRESS:PORT [SOCKET]\n");
		return 2;
	}
	rc = sluice_attach(argc > 3 ? argv[3] : NULL, argv[1], &app);
	if (!rc)
		rc = sluice_listen(app, argv[2], NULL, &listener);
	if (rc) {
		fprintf(stderr, "echo: %s\n", strerror(-rc));
		return 1;
	}
	while ((n = sluice_poll(app, events, EVENTS, -1)) >= 0)
		for (int i = 0; i < n; i++)
			handle(&events[i]);
	fprintf(stderr, "echo: the daemon has ended the attachment\n");
	sluice_detach(app);
	return 1;
}
