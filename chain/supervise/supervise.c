/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/supervise/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "chain/supervise/instance.h"

#define EVENTS  64
#define TURN_US 100000 /* its owner's, while it waits */

static uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- create, destroy --------------------------------------------------------------- */

/* A function holds a descriptor of each and could fill its counter: nobody may block on that. */
static int wake_fds_prepare(const struct supervisor_conf *conf)
{
	for (unsigned w = 0; w < conf->workers; w++) {
		int flags = fcntl(conf->worker_wake_fds[w], F_GETFL);

		if (flags < 0 || fcntl(conf->worker_wake_fds[w], F_SETFL, flags | O_NONBLOCK))
			return -errno;
	}
	return 0;
}

static void *copied(const void *list, size_t bytes)
{
	void *copy = list ? malloc(bytes ? bytes : 1) : NULL;

	if (copy)
		memcpy(copy, list, bytes);
	return copy;
}

/* The lists and texts of the configuration, for as long as the supervisor lives. */
static int conf_copy(struct supervisor_conf *to, const struct supervisor_conf *from)
{
	unsigned n = from->workers;

	*to = *from;
	to->worker_wake_fds = copied(from->worker_wake_fds, n * sizeof(*from->worker_wake_fds));
	to->worker_cpus = copied(from->worker_cpus, n * sizeof(*from->worker_cpus));
	to->rx = copied(from->rx, n * sizeof(*from->rx));
	to->messages = copied(from->messages, n * sizeof(*from->messages));
	to->default_user = from->default_user ? strdup(from->default_user) : NULL;
	return to->worker_wake_fds && to->rx && to->messages &&
			       (to->worker_cpus || !from->worker_cpus) &&
			       (to->default_user || !from->default_user)
		       ? 0
		       : -ENOMEM;
}

static void supervisor_free(struct supervisor *s)
{
	free((void *)(uintptr_t)s->conf.worker_wake_fds);
	free((void *)(uintptr_t)s->conf.worker_cpus);
	free((void *)(uintptr_t)s->conf.rx);
	free((void *)(uintptr_t)s->conf.messages);
	free((void *)(uintptr_t)s->conf.default_user);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
	free(s);
}

int supervisor_create(const struct supervisor_conf *conf, struct supervisor **out)
{
	struct supervisor *s;
	int rc;

	if (!conf->workers || conf->workers > SUPERVISE_WORKERS_MAX)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	rc = s->epoll_fd < 0 ? -errno : conf_copy(&s->conf, conf);
	if (!rc)
		rc = wake_fds_prepare(&s->conf);
	if (rc) {
		supervisor_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

/* --- events ------------------------------------------------------------------------ */

static struct instance *instance_by_key(const struct supervisor *s, uint32_t key)
{
	for (struct instance *i = s->instances; i; i = i->next) {
		if (i->key == key)
			return i;
	}
	return NULL;
}

static void look_if_ended(struct instance *i, uint64_t now_us)
{
	char how[128];

	if (!i->process.pid || !process_ended(&i->process, false, how, sizeof(how)))
		return;
	instance_buried(i, how, now_us);
}

static void on_event(struct supervisor *s, const struct epoll_event *event, uint64_t now_us)
{
	struct instance *i = instance_by_key(s, (uint32_t)(event->data.u64 >> 1));

	if (!i || !i->process.pid)
		return; /* an earlier event of this batch ended it */
	if (event->data.u64 & 1)
		look_if_ended(i, now_us);
	else
		instance_messages(i, now_us);
}

/* A start takes milliseconds: between two of them deaths are looked at. */
static void look_at_time(struct supervisor *s, uint64_t now_us)
{
	struct instance *next;
	bool starts;

	for (struct instance *i = s->instances; i; i = next) {
		next = i->next;
		if (instance_next_us(i) > now_us)
			continue;
		starts = i->info.state == INSTANCE_WAITING;
		instance_time(i, now_us);
		if (starts)
			return;
	}
}

int supervisor_fd(const struct supervisor *s)
{
	return s->epoll_fd;
}

void supervisor_handle(struct supervisor *s, uint64_t now_us)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(s->epoll_fd, events, EVENTS, 0);

	for (int i = 0; i < n; i++)
		on_event(s, &events[i], now_us);
	look_at_time(s, now_us);
	changes_time(s, now_us);
	instances_sweep(s);
	changes_tell(s);
}

uint64_t supervisor_next_us(const struct supervisor *s)
{
	uint64_t first = changes_next_us(s);

	for (const struct instance *i = s->instances; i; i = i->next) {
		uint64_t us = instance_next_us(i);

		if (us < first)
			first = us;
	}
	return first;
}

/* Waits for events or for the next time that is due, until `until_us`; then handles them. */
static void wait_and_handle(struct supervisor *s, uint64_t until_us)
{
	uint64_t now = clock_us(), next = supervisor_next_us(s);
	struct pollfd fd = {.fd = s->epoll_fd, .events = POLLIN};
	uint64_t us;

	if (next > until_us)
		next = until_us;
	us = next > now ? next - now : 0;
	if (poll(&fd, 1, (int)(us / 1000 + (us > 0))) < 0 && errno != EINTR)
		return;
	supervisor_handle(s, clock_us());
}

/* --- functions --------------------------------------------------------------------- */

static bool known(const struct supervisor *s, uint16_t id)
{
	for (const struct instance *i = s->instances; i; i = i->next) {
		if (i->info.function == id && !i->remove)
			return true;
	}
	return false;
}

int supervisor_start(struct supervisor *s, uint16_t id, const struct conf_function *function,
		     uint64_t now_us)
{
	struct instance *i;

	if (known(s, id))
		return -EEXIST;
	for (unsigned index = 0; index < function->instances; index++) {
		int rc = instance_create(s, id, function, index, &i);

		if (rc) {
			supervisor_stop(s, id, now_us);
			return rc;
		}
		instance_launch(i, now_us);
	}
	return 0;
}

void supervisor_stop(struct supervisor *s, uint16_t id, uint64_t now_us)
{
	change_cancel(s, id);
	for (struct instance *i = s->instances; i; i = i->next) {
		if (i->info.function == id)
			instance_stop(i, now_us);
	}
	instances_sweep(s);
}

int supervisor_kill(struct supervisor *s, uint32_t process, const char *reason)
{
	for (struct instance *i = s->instances; i; i = i->next) {
		if (i->info.id != process || !i->announced)
			continue;
		instance_kill(i, reason);
		return 0;
	}
	return -ENOENT;
}

/* 1: all are up. 0: not yet. -EINVAL: one failed, with its errors. */
static int readiness(const struct supervisor *s, uint16_t id, struct conf_errors *errors)
{
	bool all = true;

	for (const struct instance *i = s->instances; i; i = i->next) {
		if (i->info.function != id || i->remove || i->retired)
			continue;
		if (i->info.state != INSTANCE_FAILED) {
			all = all && i->info.state == INSTANCE_UP;
			continue;
		}
		for (unsigned e = 0; e < i->errors.count && e < CONF_ERRORS_MAX; e++)
			process_error_copy(errors, i->errors.text[e]);
		return -EINVAL;
	}
	return all;
}

int supervisor_wait_ready(struct supervisor *s, uint16_t id, uint64_t until_us,
			  struct conf_errors *errors)
{
	const struct supervisor_owner *owner = s->conf.owner;
	uint64_t now_us;
	int rc;

	while ((rc = readiness(s, id, errors)) == 0) {
		now_us = clock_us();
		if (now_us >= until_us)
			return -ETIMEDOUT;
		if (owner->turn)
			owner->turn(s->conf.ctx);
		wait_and_handle(s, until_us < now_us + TURN_US ? until_us : now_us + TURN_US);
	}
	return rc < 0 ? rc : 0;
}

void supervisor_each(const struct supervisor *s,
		     void (*fn)(void *ctx, const struct instance_info *instance), void *ctx)
{
	for (const struct instance *i = s->instances; i; i = i->next)
		fn(ctx, &i->info);
}

/* --- the end ----------------------------------------------------------------------- */

void supervisor_destroy(struct supervisor *s)
{
	uint64_t now_us = clock_us();

	if (!s)
		return;
	changes_drop(s);
	for (struct instance *i = s->instances; i; i = i->next)
		instance_stop(i, now_us);
	instances_sweep(s);
	while (s->instances)
		wait_and_handle(s, UINT64_MAX);
	supervisor_free(s);
}
