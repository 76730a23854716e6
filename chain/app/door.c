/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/app/door.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "chain/app/door_internal.h"

void door_log(const struct door *door, int level, const char *name, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	door->conf.owner->log(door->conf.ctx, level, name, text);
}

/* --- what is watched --------------------------------------------------------------------- */

/* Guests by number: an event may come for one that is gone. 0: the door itself. */
static int watch(struct door *door, int fd, uint32_t id)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = id};

	return epoll_ctl(door->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

void epoll_forget(const struct door *door, int fd)
{
	(void)epoll_ctl(door->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* --- making ------------------------------------------------------------------------------ */

int door_create(const struct door_conf *conf, struct door **out)
{
	struct door *door = calloc(1, sizeof(*door));

	if (!door)
		return -ENOMEM;
	door->conf = *conf;
	door->listen_fd = -1;
	TAILQ_INIT(&door->guests);
	TAILQ_INIT(&door->places);
	door->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	door->alarm_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (door->epoll_fd < 0 || door->alarm_fd < 0 || watch(door, door->alarm_fd, 0)) {
		door_destroy(door);
		return -EMFILE;
	}
	*out = door;
	return 0;
}

static void place_free(struct door *door, struct place *place)
{
	TAILQ_REMOVE(&door->places, place, list);
	free(place);
}

void door_destroy(struct door *door)
{
	struct guest *guest;
	struct place *place;

	if (!door)
		return;
	door_empty(door);
	while ((guest = TAILQ_FIRST(&door->guests)))
		guest_free(guest);
	while ((place = TAILQ_FIRST(&door->places)))
		place_free(door, place);
	door_unlisten(door);
	if (door->epoll_fd >= 0)
		close(door->epoll_fd);
	if (door->alarm_fd >= 0)
		close(door->alarm_fd);
	free(door);
}

int door_alarm_fd(const struct door *door)
{
	return door->alarm_fd;
}

int door_fd(const struct door *door)
{
	return door->epoll_fd;
}

/* --- the configuration ------------------------------------------------------------------- */

static struct place *place_find(const struct door *door, const char *name)
{
	struct place *place;

	TAILQ_FOREACH (place, &door->places, list) {
		if (!strcmp(place->name, name))
			return place;
	}
	return NULL;
}

static const struct conf_application *application_find(const struct conf *conf, const char *name)
{
	for (unsigned i = 0; i < conf->applications_count; i++)
		if (!strcmp(conf->applications[i].name, name))
			return &conf->applications[i];
	return NULL;
}

static int place_add(struct door *door, const struct conf_application *conf)
{
	struct place *place = place_find(door, conf->name);

	if (!place) {
		place = calloc(1, sizeof(*place));
		if (!place)
			return -ENOMEM;
		snprintf(place->name, sizeof(place->name), "%s", conf->name);
		TAILQ_INSERT_TAIL(&door->places, place, list);
	}
	place->conf = conf;
	return 0;
}

/* What was is compared with what comes, before it goes. */
static void place_renew(struct door *door, struct place *place, const struct conf *conf)
{
	const struct conf_application *now = application_find(conf, place->name);

	if (place->guest && (!now || !guest_terms_same(place->conf, now)))
		guest_detach(place->guest, now ? "its part of the configuration changed"
					       : "it is in the configuration no more");
	place->conf = now;
	if (!now)
		place_free(door, place);
}

int door_set(struct door *door, const struct conf *conf, char *error, size_t size)
{
	struct place *place, *next;
	int rc = 0;

	if (conf->applications_count && door->listen_fd < 0) {
		rc = door_listen(door, error, size);
		if (!rc)
			rc = watch(door, door->listen_fd, 0);
	}
	if (rc)
		return rc;
	for (place = TAILQ_FIRST(&door->places); place; place = next) {
		next = TAILQ_NEXT(place, list);
		place_renew(door, place, conf);
	}
	for (unsigned i = 0; i < conf->applications_count && !rc; i++)
		rc = place_add(door, &conf->applications[i]);
	if (rc)
		snprintf(error, size, "applications: %s", strerror(-rc));
	if (!conf->applications_count)
		door_unlisten(door);
	return rc;
}

void door_close(struct door *door)
{
	door_unlisten(door);
}

void door_empty(struct door *door)
{
	struct guest *guest;

	door_close(door);
	TAILQ_FOREACH (guest, &door->guests, list) {
		if (guest->state == GUEST_ATTACHED)
			guest_detach(guest, "the daemon stops");
	}
}

/* --- who comes --------------------------------------------------------------------------- */

static void guest_add(struct door *door, int socket)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	socklen_t len = sizeof(guest->who);

	if (!guest || door->waiting >= DOOR_WAITING_MAX) {
		free(guest);
		close(socket);
		return;
	}
	*guest = (struct guest){.door = door,
				.id = ++door->last_id ? door->last_id : ++door->last_id,
				.socket = socket,
				.pidfd = -1,
				.since_us = door->now_us};
	TAILQ_INSERT_TAIL(&door->guests, guest, list);
	door->waiting++;
	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &guest->who, &len) ||
	    watch(door, socket, guest->id)) {
		door->waiting--;
		guest_free(guest);
	}
}

static void accept_all(struct door *door)
{
	int socket;

	if (door->listen_fd < 0)
		return;
	while ((socket = accept4(door->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		guest_add(door, socket);
}

/* Without a user or group it is the daemon's own user who may. */
static bool admitted(const struct conf_application *conf, const struct guest *guest)
{
	uid_t uid = conf->user ? conf->uid : geteuid();

	if ((conf->user || !conf->group) && guest->who.uid != uid)
		return false;
	return !conf->group || socket_in_group(guest->socket, &guest->who, conf->gid);
}

static bool has_ended(const struct guest *guest)
{
	struct pollfd fd[2] = {{.fd = guest->socket, .events = POLLIN},
			       {.fd = guest->pidfd, .events = POLLIN}};

	return poll(fd, 2, 0) > 0;
}

/* A process that was killed and started anew may be here before its end was handled. */
static int seat(struct guest *guest, struct place *place)
{
	if (place->guest && has_ended(place->guest))
		guest_detach(place->guest, "its process ended");
	if (place->guest)
		return -EBUSY;
	if (guest->door->now_us < place->closed_until_us)
		return -EAGAIN;
	guest->place = place;
	guest->pidfd = pidfd_open(guest->who.pid, 0);
	return guest->pidfd < 0 ? 0 : watch(guest->door, guest->pidfd, guest->id);
}

static const char *refusal_text(int rc)
{
	switch (rc) {
	case -EPROTO:
		return "the request is not understood";
	case -EPROTONOSUPPORT:
		return "the library is of another version than the daemon";
	case -ENOENT:
		return "the configuration has no such application";
	case -EACCES:
		return "the configuration lets another user attach";
	case -EBUSY:
		return "another process is attached under that name";
	case -EAGAIN:
		return "its last process was thrown out a moment ago";
	default:
		return strerror(-rc);
	}
}

static void refuse(struct guest *guest, const char *name, int rc)
{
	door_log(guest->door, 1, name, "process %d of user %u was refused: %s", (int)guest->who.pid,
		 (unsigned)guest->who.uid, refusal_text(rc));
	packet_error(guest->socket, -rc, refusal_text(rc));
	guest_free(guest);
}

static void hello(struct guest *guest)
{
	struct door *door = guest->door;
	char name[SLUICE_NAME_MAX] = "?";
	int rc = packet_hello(guest->socket, name, sizeof(name));
	struct place *place = rc ? NULL : place_find(door, name);

	if (rc == -EAGAIN)
		return;
	door->waiting--;
	if (rc == -EPIPE) {
		guest_free(guest);
		return;
	}
	if (!rc && !place)
		rc = -ENOENT;
	if (!rc && !admitted(place->conf, guest))
		rc = -EACCES;
	if (!rc)
		rc = seat(guest, place);
	if (rc) {
		refuse(guest, place ? place->name : "?", rc);
		return;
	}
	rc = guest_attach(guest);
	if (rc)
		door_log(door, 0, name, "could not be attached: %s", strerror(-rc));
	else
		door_log(door, 2, name, "process %d of user %u is attached", (int)guest->who.pid,
			 (unsigned)guest->who.uid);
}

/* --- events ------------------------------------------------------------------------------ */

static void verdict_here(struct apps *apps, void *arg)
{
	struct app **app = arg;

	(void)apps;
	if (app_verdict(*app))
		app[1] = *app;
}

/* The offence that a worker has seen; NULL: none. */
static const char *verdict_of(const struct guest *guest)
{
	const struct door_conf *conf = &guest->door->conf;

	for (unsigned i = 0; i < conf->workers; i++) {
		struct app *app[2] = {guest->worker[i].app, NULL};

		conf->owner->run(conf->ctx, i, verdict_here, app);
		if (app[1])
			return app_verdict(app[1]);
	}
	return NULL;
}

static void throw_out(struct guest *guest, const char *why)
{
	struct place *place = guest->place;

	place->offences++;
	place->closed_until_us = guest->door->now_us + DOOR_REPENTANCE_US;
	door_log(guest->door, 0, place->name, "is thrown out: it %s", why);
	guest_detach(guest, why);
}

static void alarm_rings(struct door *door)
{
	struct guest *guest;
	eventfd_t ignored;

	if (eventfd_read(door->alarm_fd, &ignored))
		return;
	TAILQ_FOREACH (guest, &door->guests, list) {
		const char *why = guest->state == GUEST_ATTACHED ? verdict_of(guest) : NULL;

		if (why)
			throw_out(guest, why);
	}
}

static struct guest *guest_find(const struct door *door, uint32_t id)
{
	struct guest *guest;

	TAILQ_FOREACH (guest, &door->guests, list) {
		if (guest->id == id)
			return guest;
	}
	return NULL;
}

/* The end of its process or socket; or words, which it has no reason to say. */
static void attached_event(struct guest *guest)
{
	char byte;

	if (!has_ended(guest))
		return;
	if (recv(guest->socket, &byte, 1, MSG_DONTWAIT | MSG_PEEK) > 0)
		throw_out(guest, "spoke where it has nothing to say");
	else
		guest_detach(guest, "its process ended");
}

void door_handle(struct door *door, uint64_t now_us)
{
	struct epoll_event events[16];
	int n = epoll_wait(door->epoll_fd, events, 16, 0);

	door->now_us = now_us;
	for (int i = 0; i < n; i++) {
		struct guest *guest = guest_find(door, events[i].data.u32);

		if (guest && guest->state == GUEST_WAITING)
			hello(guest);
		else if (guest && guest->state == GUEST_ATTACHED)
			attached_event(guest);
	}
	alarm_rings(door);
	accept_all(door);
}

void door_sweep(struct door *door, uint64_t now_us)
{
	struct guest *guest, *next;

	for (guest = TAILQ_FIRST(&door->guests); guest; guest = next) {
		next = TAILQ_NEXT(guest, list);
		if (guest->state == GUEST_LEAVING && guest_sweep(guest)) {
			guest_free(guest);
		} else if (guest->state == GUEST_WAITING &&
			   now_us - guest->since_us > DOOR_HELLO_US) {
			door->waiting--;
			guest_free(guest);
		}
	}
}

/* --- what can be seen -------------------------------------------------------------------- */

void door_each(const struct door *door, void (*fn)(void *ctx, const struct door_info *info),
	       void *ctx)
{
	const struct place *place;

	TAILQ_FOREACH (place, &door->places, list) {
		const struct guest *g = place->guest;
		struct app *app[door->conf.workers];
		struct door_info info = {.name = place->name,
					 .last_end = place->last_end,
					 .attached = place->attached,
					 .offences = place->offences,
					 .workers = door->conf.workers,
					 .app = app};

		for (unsigned i = 0; i < door->conf.workers; i++)
			app[i] = g ? g->worker[i].app : NULL;
		if (g) {
			info.pid = g->who.pid;
			info.uid = g->who.uid;
			info.since_us = g->since_us;
			info.arena_bytes = g->arena->bytes;
		}
		fn(ctx, &info);
	}
}
