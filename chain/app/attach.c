/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest gets from each worker, and how it is taken back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "chain/app/door_internal.h"

#define RING_ENTRIES 1024
#define LEASES       8192 /* slices on their way, in each worker */

/* --- terms ------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_listens(const struct conf_application *a, const struct conf_application *b)
{
	if (a->listens_count != b->listens_count)
		return false;
	for (unsigned i = 0; i < a->listens_count; i++)
		if (a->listens[i].port != b->listens[i].port ||
		    !addr_equal(&a->listens[i].addr, &b->listens[i].addr))
			return false;
	return true;
}

static bool same_connects(const struct conf_application *a, const struct conf_application *b)
{
	if (a->connects_count != b->connects_count)
		return false;
	for (unsigned i = 0; i < a->connects_count; i++)
		if (a->connects[i].port != b->connects[i].port ||
		    a->connects[i].prefix != b->connects[i].prefix ||
		    !addr_equal(&a->connects[i].addr, &b->connects[i].addr))
			return false;
	return true;
}

bool guest_terms_same(const struct conf_application *a, const struct conf_application *b)
{
	return same_text(a->user, b->user) && same_text(a->group, b->group) && a->uid == b->uid &&
	       a->gid == b->gid && same_listens(a, b) && same_connects(a, b) &&
	       a->max_connections == b->max_connections && a->arena_mb == b->arena_mb &&
	       a->rx_mb == b->rx_mb && a->recv_buffer_kb == b->recv_buffer_kb &&
	       a->send_buffer_kb == b->send_buffer_kb && a->hang_ms == b->hang_ms;
}

/* Copies: the configuration may go before the guest does. */
static int terms_copy(struct app_terms *t, const struct conf_application *c)
{
	*t = (struct app_terms){
		.listens = calloc(c->listens_count + 1, sizeof(*t->listens)),
		.listens_count = c->listens_count,
		.connects = calloc(c->connects_count + 1, sizeof(*t->connects)),
		.connects_count = c->connects_count,
		.conns = c->max_connections,
		.blocks = (uint32_t)(((uint64_t)c->rx_mb << 20) / SLUICE_APP_BLOCK_BYTES),
		.leases = LEASES,
		.recv_bytes = c->recv_buffer_kb * 1024,
		.send_bytes = c->send_buffer_kb * 1024,
		.hang_ms = c->hang_ms,
	};
	if (!t->listens || !t->connects)
		return -ENOMEM;
	snprintf(t->name, sizeof(t->name), "%s", c->name);
	for (unsigned i = 0; i < c->listens_count; i++)
		t->listens[i] = c->listens[i];
	for (unsigned i = 0; i < c->connects_count; i++)
		t->connects[i] = (struct app_network){c->connects[i].addr, c->connects[i].prefix,
						      c->connects[i].port};
	return 0;
}

/* --- with each worker -------------------------------------------------------------------- */

static void run(const struct guest *guest, unsigned worker, void (*fn)(struct apps *, void *),
		void *arg)
{
	const struct door_conf *conf = &guest->door->conf;

	conf->owner->run(conf->ctx, worker, fn, arg);
}

/* A file of its own: its descriptor can write, and whoever has it keeps it. Pages are there before
 * a worker sends from them. */
static int arena_make(struct guest *guest, const char *name, uint64_t bytes)
{
	int rc = region_create_shared(guest->door->conf.regions, REGION_ARENA, name, bytes,
				      &guest->arena);

	if (!rc)
		(void)madvise(guest->arena->base, guest->arena->bytes, MADV_POPULATE_READ);
	return rc;
}

static int worker_memory(struct guest *guest, unsigned i)
{
	const struct link_sizes sizes = {.entries = RING_ENTRIES, .up_entries = RING_ENTRIES};
	struct guest_worker *w = &guest->worker[i];
	const struct door_conf *conf = &guest->door->conf;
	char name[96];
	int rc;

	snprintf(name, sizeof(name), "app.%s.%u", guest->terms.name, i);
	rc = region_create_sealed(conf->regions, REGION_RX, name,
				  (uint64_t)guest->terms.blocks * SLUICE_APP_BLOCK_BYTES, &w->rx);
	if (rc)
		return rc;
	/* The worker is not to wait for pages. Without this it does, once for each. */
	(void)madvise(w->rx->base, w->rx->bytes, MADV_POPULATE_WRITE);
	return link_create(&sizes, guest->socket, &w->link);
}

static int worker_account(struct guest *guest, unsigned i)
{
	struct guest_worker *w = &guest->worker[i];
	const struct door_conf *conf = &guest->door->conf;
	struct app_link link = {.id = guest->id,
				.terms = &guest->terms,
				.link = w->link,
				.arena = guest->arena,
				.rx = w->rx};
	int rc;

	w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->wake_fd < 0)
		return -errno;
	rc = conf->owner->watch(conf->ctx, i, w->wake_fd);
	if (rc) {
		close(w->wake_fd);
		w->wake_fd = -1;
		return rc;
	}
	return app_create(&link, &w->app);
}

static void attach_here(struct apps *apps, void *arg)
{
	apps_attach(apps, arg);
}

static void detach_here(struct apps *apps, void *arg)
{
	(void)apps;
	apps_detach(arg);
}

static int guest_make(struct guest *guest)
{
	const struct door_conf *conf = &guest->door->conf;
	const struct conf_application *c = guest->place->conf;
	int rc = terms_copy(&guest->terms, c);
	char name[96];

	guest->worker = calloc(conf->workers, sizeof(*guest->worker));
	if (rc || !guest->worker)
		return -ENOMEM;
	for (unsigned i = 0; i < conf->workers; i++)
		guest->worker[i].wake_fd = -1;
	snprintf(name, sizeof(name), "app.%s.arena", c->name);
	rc = arena_make(guest, name, (uint64_t)c->arena_mb << 20);
	for (unsigned i = 0; i < conf->workers && !rc; i++) {
		rc = worker_memory(guest, i);
		if (!rc)
			rc = worker_account(guest, i);
	}
	return rc;
}

int guest_attach(struct guest *guest)
{
	int rc = guest_make(guest);

	if (!rc)
		rc = packet_welcome(guest);
	if (rc) {
		guest_free(guest);
		return rc;
	}
	for (unsigned i = 0; i < guest->door->conf.workers; i++)
		run(guest, i, attach_here, guest->worker[i].app);
	guest->state = GUEST_ATTACHED;
	guest->place->guest = guest;
	guest->place->attached++;
	return 0;
}

/* --- the end ----------------------------------------------------------------------------- */

/* Its eventfd is shared with the application: closing ours would not end the watch. */
static void worker_end(struct guest *guest, unsigned i)
{
	struct guest_worker *w = &guest->worker[i];
	const struct door_conf *conf = &guest->door->conf;

	if (w->wake_fd >= 0) {
		conf->owner->unwatch(conf->ctx, i, w->wake_fd);
		close(w->wake_fd);
	}
	w->wake_fd = -1;
	link_destroy(w->link);
	w->link = NULL;
	if (w->rx)
		region_remove(conf->regions, w->rx);
	w->rx = NULL;
}

static void close_fd(struct guest *guest, int *fd)
{
	if (*fd < 0)
		return;
	epoll_forget(guest->door, *fd);
	close(*fd);
	*fd = -1;
}

void guest_detach(struct guest *guest, const char *why)
{
	struct place *place = guest->place;

	for (unsigned i = 0; i < guest->door->conf.workers; i++)
		run(guest, i, detach_here, guest->worker[i].app);
	for (unsigned i = 0; i < guest->door->conf.workers; i++)
		worker_end(guest, i);
	close_fd(guest, &guest->socket);
	close_fd(guest, &guest->pidfd);
	snprintf(place->last_end, sizeof(place->last_end), "%s", why);
	place->guest = NULL;
	guest->state = GUEST_LEAVING;
	door_log(guest->door, 2, place->name, "process %d has left: %s", (int)guest->who.pid, why);
}

struct leaving {
	struct app *app;
	uint32_t leases;
};

static void destroy_when_done(struct apps *apps, void *arg)
{
	struct leaving *l = arg;

	(void)apps;
	l->leases = app_leases(l->app);
	if (!l->leases)
		app_destroy(l->app);
}

bool guest_sweep(struct guest *guest)
{
	bool done = true;

	for (unsigned i = 0; i < guest->door->conf.workers; i++) {
		struct leaving l = {.app = guest->worker[i].app};

		if (!l.app)
			continue;
		run(guest, i, destroy_when_done, &l);
		if (!l.leases)
			guest->worker[i].app = NULL;
		done = done && !l.leases;
	}
	return done;
}

/* One that was never attached, or that nothing is left of: no worker knows of it. */
void guest_free(struct guest *guest)
{
	const struct door_conf *conf = &guest->door->conf;

	for (unsigned i = 0; guest->worker && i < conf->workers; i++) {
		worker_end(guest, i);
		app_destroy(guest->worker[i].app);
	}
	if (guest->arena)
		region_remove(conf->regions, guest->arena);
	close_fd(guest, &guest->socket);
	close_fd(guest, &guest->pidfd);
	free(guest->terms.listens);
	free(guest->terms.connects);
	free(guest->worker);
	TAILQ_REMOVE(&guest->door->guests, guest, list);
	free(guest);
}
