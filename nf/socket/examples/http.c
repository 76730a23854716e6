/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * http: the same page for every request, sent from where it lies without a copy.
 *
 *	http NAME ENDPOINT [SOCKET]
 *
 * The page is one buffer, made once: each answer holds a reference to it until it was
 * acknowledged. The loop is epoll's, as a program has it that waits for other things, too.
 *
 * It is an example of the socket API, not a web server: a request ends with an empty line, has no
 * body, and is not looked at otherwise.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include <sluice/socket.h>

#define EVENTS 64
#define LEASES 16

static const char page[] = "HTTP/1.1 200 OK\r\n"
			   "Content-Type: text/plain\r\n"
			   "Content-Length: 14\r\n"
			   "\r\n"
			   "Hello, sluice\n";

static struct sluice_buf *answer;

/* How much of "\r\n\r\n" has been seen is all that is kept of a request: it is the handle's user.
 */
static unsigned scan(unsigned seen, const struct sluice_lease *lease, unsigned *requests)
{
	static const char end[] = "\r\n\r\n";

	for (uint32_t i = 0; i < lease->len; i++) {
		char c = (char)lease->data[i];

		seen = c == end[seen] ? seen + 1 : c == '\r';
		if (seen < 4)
			continue;
		(*requests)++;
		seen = 0;
	}
	return seen;
}

/* Requests that cannot be answered now are too many at once: this one ends. */
static bool reply(struct sluice_conn *conn, unsigned requests)
{
	while (requests--)
		if (sluice_write(conn, answer, 0, sizeof(page) - 1))
			return false;
	return true;
}

static void go_on(struct sluice_conn *conn)
{
	struct sluice_lease lease[LEASES];
	unsigned seen = (unsigned)(uintptr_t)sluice_user(conn), requests = 0;
	int n;

	while ((n = sluice_read(conn, lease, LEASES)) > 0) {
		for (int i = 0; i < n; i++)
			seen = scan(seen, &lease[i], &requests);
		sluice_release(sluice_app_of(conn), lease, (unsigned)n);
	}
	sluice_set_user(conn, (void *)(uintptr_t)seen);
	if (!reply(conn, requests))
		sluice_abort(conn);
	else if (n != -EAGAIN)
		sluice_close(conn);
}

static int handle(const struct sluice_event *event)
{
	struct sluice_conn *conn;

	if (event->conn)
		go_on(event->conn);
	else if (event->kinds & SLUICE_ERROR)
		return -event->error;
	else if (event->listener)
		while (!sluice_accept(event->listener, &conn))
			sluice_set_user(conn, NULL);
	return 0;
}

/* Until it gives 0: only then does the descriptor tell of what comes next. */
static int handle_all(struct sluice_app *app)
{
	struct sluice_event events[EVENTS];
	int n, rc = 0;

	while (!rc && (n = sluice_poll(app, events, EVENTS, 0)) != 0) {
		if (n < 0)
			return n;
		for (int i = 0; i < n && !rc; i++)
			rc = handle(&events[i]);
	}
	return rc;
}

static int serve(struct sluice_app *app)
{
	struct epoll_event event = {.events = EPOLLIN};
	int rc, epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, sluice_fd(app), &event))
		return -errno;
	while (!(rc = handle_all(app)))
		epoll_wait(epoll, &event, 1, -1);
	return rc;
}

int main(int argc, char **argv)
{
	struct sluice_listener *listener;
	struct sluice_app *app;
	int rc;

	if (argc < 3) {
		fprintf(stderr, "usage: http NAME ADDRESS:PORT [SOCKET]\n");
		return 2;
	}
	rc = sluice_attach(argc > 3 ? argv[3] : NULL, argv[1], &app);
	if (!rc)
		rc = sluice_listen(app, argv[2], NULL, &listener);
	if (!rc) {
		answer = sluice_buf_alloc(app, sizeof(page) - 1);
		memcpy(answer->data, page, sizeof(page) - 1);
		rc = serve(app);
	}
	fprintf(stderr, "http: %s\n", strerror(-rc));
	return 1;
}
