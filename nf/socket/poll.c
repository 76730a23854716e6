/* SPDX-License-Identifier: BSD-3-Clause */
/* Events, sleeping and waking. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "nf/socket/app.h"

/* --- what is told ------------------------------------------------------------------------ */

void handle_tell(struct sluice_app *app, struct handle *handle, uint32_t kinds)
{
	handle->kinds |= kinds;
	if (handle->listed || handle->hidden)
		return;
	handle->listed = true;
	TAILQ_INSERT_TAIL(&app->ready, handle, ready);
}

void handle_forget(struct sluice_app *app, struct handle *handle)
{
	if (handle->listed)
		TAILQ_REMOVE(&app->ready, handle, ready);
	handle->listed = false;
	handle->kinds = 0;
}

/* A handle is the first member of what it is of. */
static void event_fill(struct handle *handle, struct sluice_event *event)
{
	*event = (struct sluice_event){
		.user = handle->user, .kinds = handle->kinds, .error = handle->error};
	if (handle->of == OF_LISTENER)
		event->listener = (struct sluice_listener *)handle;
	else if (handle->of == OF_CONN)
		event->conn = (struct sluice_conn *)handle;
}

static int take_events(struct sluice_app *app, struct sluice_event *events, unsigned max)
{
	struct handle *handle;
	unsigned n = 0;

	while (n < max && (handle = TAILQ_FIRST(&app->ready))) {
		event_fill(handle, &events[n++]);
		handle_forget(app, handle);
		handle->error = 0;
	}
	return (int)n;
}

/* --- sleeping ---------------------------------------------------------------------------- */

static void set_sleeps(struct sluice_app *app, uint32_t sleeps)
{
	for (unsigned i = 0; i < app->limits.workers; i++)
		__atomic_store_n(&app->worker[i].up->nf_sleeps, sleeps, __ATOMIC_RELAXED);
	/* The word first, then the look at the rings: the workers do the opposite. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	app->armed = sleeps;
}

/* The bell is silenced; its end is the daemon's. */
static void bell_drain(struct sluice_app *app)
{
	char bytes[16];
	ssize_t n;

	while ((n = recv(app->socket, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		;
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		app->dead = true;
}

static void disarm(struct sluice_app *app)
{
	if (!app->armed)
		return;
	set_sleeps(app, 0);
	bell_drain(app);
}

/* -EPIPE, -EINTR, or 0 after whatever woke us. */
static int wait_for_bell(struct sluice_app *app, int timeout_ms)
{
	struct pollfd fd = {.fd = app->socket, .events = POLLIN};

	if (poll(&fd, 1, timeout_ms) < 0)
		return -errno;
	disarm(app);
	return app->dead ? -EPIPE : 0;
}

/* --- for the program --------------------------------------------------------------------- */

void sluice_flush(struct sluice_app *app)
{
	for (unsigned i = 0; i < app->limits.workers; i++) {
		struct app_worker *w = &app->worker[i];

		free_flush(w);
		outring_flush(&w->out);
		outring_publish(&w->out, false);
	}
}

static int look(struct sluice_app *app, struct sluice_event *events, unsigned max)
{
	sluice_flush(app);
	down_take(app);
	write_retry(app);
	return take_events(app, events, max);
}

/* Looks, says that it sleeps, and looks again: nothing can come in between unseen. */
static int look_and_arm(struct sluice_app *app, struct sluice_event *events, unsigned max)
{
	int n = look(app, events, max);

	if (n)
		return n;
	set_sleeps(app, 1);
	n = look(app, events, max);
	if (n)
		disarm(app);
	return n;
}

int sluice_poll(struct sluice_app *app, struct sluice_event *events, unsigned max, int timeout_ms)
{
	int n, rc;

	disarm(app);
	if (app->dead)
		return -EPIPE;
	n = look_and_arm(app, events, max);
	if (n || !timeout_ms)
		return n;
	do {
		rc = wait_for_bell(app, timeout_ms);
		if (rc)
			return rc == -EINTR ? 0 : rc;
		n = look_and_arm(app, events, max);
	} while (!n && timeout_ms < 0);
	return n;
}

int sluice_fd(const struct sluice_app *app)
{
	return app->socket;
}
