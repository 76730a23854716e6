/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/poll.h"

#include <errno.h>
#include <string.h>

#include "tests/packetdrill/so/file.h"
#include "tests/packetdrill/so/sock.h"
#include "tests/packetdrill/so/world.h"

_Static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLRDHUP == EPOLLRDHUP,
	       "poll's events are epoll's");

/* Errors and hang-ups are told whether asked for or not. */
static uint32_t events_of(const struct world *world, int fd, uint32_t asked)
{
	const struct sock *sock = file_sock(world, fd);
	unsigned now = sock ? sock_events(sock) : 0;
	uint32_t events = 0;

	if (!sock)
		return POLLNVAL;
	events |= now & SOCK_READABLE ? POLLIN | POLLRDNORM : 0;
	events |= now & SOCK_WRITABLE ? POLLOUT | POLLWRNORM : 0;
	events |= now & SOCK_PEER_ENDED ? POLLRDHUP : 0;
	events |= now & (SOCK_ERROR | SOCK_NOTED) ? POLLERR : 0;
	events |= now & SOCK_HUNG_UP ? POLLHUP : 0;
	return events & (asked | POLLERR | POLLHUP);
}

/* ---- poll ---- */

struct poll_set {
	struct world *world;
	struct pollfd *fds;
	nfds_t count;
};

static int poll_look(const struct poll_set *set)
{
	int ready = 0;

	for (nfds_t i = 0; i < set->count; i++) {
		struct pollfd *p = &set->fds[i];

		p->revents = 0;
		if (p->fd >= 0)
			p->revents = (short)events_of(set->world, p->fd, (uint32_t)p->events);
		ready += p->revents != 0;
	}
	return ready;
}

static bool poll_ready(const void *arg)
{
	return poll_look(arg) > 0;
}

int poll_wait(struct world *world, struct pollfd *fds, nfds_t count, uint64_t until_us)
{
	struct poll_set set = {world, fds, count};
	int err;

	if (until_us != SOCK_AT_ONCE) {
		err = world_wait(world, poll_ready, &set, until_us);
		if (err && err != -ETIMEDOUT)
			return err;
	}
	return poll_look(&set);
}

/* ---- epoll ---- */

struct epoll_set {
	struct world *world;
	struct file *file;
	struct epoll_event *events;
	int most;
};

static struct file_watch *watch_find(const struct file *file, int fd)
{
	for (int i = 0; i < FILE_WATCHES; i++)
		if (file->watches[i].fd == fd)
			return &file->watches[i];
	return NULL;
}

int epoll_change(struct world *world, int epfd, int op, int fd, const struct epoll_event *event)
{
	struct file *file = file_of(world, epfd);
	struct file_watch *watch;

	if (!file || !file_sock(world, fd))
		return -EBADF;
	if (!file->watches)
		return -EINVAL;
	watch = watch_find(file, fd);
	if (op == EPOLL_CTL_ADD && watch)
		return -EEXIST;
	if (op != EPOLL_CTL_ADD && !watch)
		return -ENOENT;
	if (op == EPOLL_CTL_ADD)
		watch = watch_find(file, 0);
	if (!watch)
		return -ENOSPC;
	*watch = (struct file_watch){0};
	if (op != EPOLL_CTL_DEL)
		*watch = (struct file_watch){.fd = fd, .event = *event};
	return 0;
}

/* Edge-triggered: told when watched, and then only what is new. */
static bool is_news(const struct file_watch *watch, const struct sock *sock)
{
	if (!(watch->event.events & EPOLLET) || !watch->told)
		return true;
	return (watch->event.events & EPOLLIN && watch->news_in != sock->news_in) ||
	       (watch->event.events & EPOLLOUT && watch->news_out != sock->news_out);
}

static uint32_t watch_events(const struct world *world, const struct file_watch *watch)
{
	const struct sock *sock = file_sock(world, watch->fd);

	if (!watch->fd || !sock || !is_news(watch, sock))
		return 0;
	return events_of(world, watch->fd, watch->event.events);
}

static void note_told(const struct world *world, struct file_watch *watch)
{
	const struct sock *sock = file_sock(world, watch->fd);

	watch->told = true;
	watch->news_in = sock->news_in;
	watch->news_out = sock->news_out;
	if (watch->event.events & EPOLLONESHOT)
		watch->event.events = 0;
}

static bool epoll_ready(const void *arg)
{
	const struct epoll_set *set = arg;

	for (int i = 0; i < FILE_WATCHES; i++)
		if (watch_events(set->world, &set->file->watches[i]))
			return true;
	return false;
}

static int epoll_take(const struct epoll_set *set)
{
	int ready = 0;

	for (int i = 0; i < FILE_WATCHES && ready < set->most; i++) {
		struct file_watch *watch = &set->file->watches[i];
		uint32_t events = watch_events(set->world, watch);

		if (!events)
			continue;
		set->events[ready] = watch->event;
		set->events[ready++].events = events;
		note_told(set->world, watch);
	}
	return ready;
}

int epoll_collect(struct world *world, int epfd, struct epoll_event *events, int most,
		  uint64_t until_us)
{
	struct epoll_set set = {world, file_of(world, epfd), events, most};
	int err;

	if (!set.file)
		return -EBADF;
	if (!set.file->watches || most <= 0)
		return -EINVAL;
	if (until_us != SOCK_AT_ONCE) {
		err = world_wait(world, epoll_ready, &set, until_us);
		if (err && err != -ETIMEDOUT)
			return err;
	}
	return epoll_take(&set);
}
