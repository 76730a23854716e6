/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/idle.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/clock.h"
#include "dataplane/driver.h"

#define EVENTS 8 /* taken at a time: what is left of them wakes us again */

static int watch(const struct idle *idle, int fd, uint32_t edge)
{
	struct epoll_event event = {.events = EPOLLIN | edge, .data.fd = fd};

	return epoll_ctl(idle->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static void watch_ports(struct idle *idle, const struct worker_set *set, unsigned worker)
{
	for (unsigned p = 0; p < set->ports_count; p++) {
		const struct port *port = &set->ports[p];
		uint32_t edge = port->traits->wake == DRIVER_WAKE_EDGE ? EPOLLET : 0;

		if (worker >= port->queues)
			continue;
		if (port->wake_fd[worker] < 0 || watch(idle, port->wake_fd[worker], edge))
			idle->naps = true;
	}
}

int idle_create(const struct worker_set *set, unsigned worker, struct idle *idle)
{
	*idle = (struct idle){.nap_us = IDLE_NAP_MIN_US, .spin_us = IDLE_SPIN_MAX_US};
	idle->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	idle->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (idle->epoll_fd < 0 || idle->event_fd < 0 || watch(idle, idle->event_fd, 0)) {
		idle_destroy(idle);
		return -EMFILE;
	}
	watch_ports(idle, set, worker);
	return 0;
}

void idle_destroy(struct idle *idle)
{
	if (idle->epoll_fd >= 0)
		close(idle->epoll_fd);
	if (idle->event_fd >= 0)
		close(idle->event_fd);
	idle->epoll_fd = idle->event_fd = -1;
}

/* Each write is an edge, whatever the count. */
int idle_watch(const struct idle *idle, int event_fd)
{
	return watch(idle, event_fd, EPOLLET);
}

void idle_forget(const struct idle *idle, int event_fd)
{
	(void)epoll_ctl(idle->epoll_fd, EPOLL_CTL_DEL, event_fd, NULL);
}

void idle_active(struct idle *idle)
{
	idle->nap_us = IDLE_NAP_MIN_US;
}

static uint64_t nap(struct idle *idle, uint64_t most_us)
{
	uint64_t us = idle->nap_us < most_us ? idle->nap_us : most_us;

	idle->nap_us = idle->nap_us * 2 < IDLE_NAP_MAX_US ? idle->nap_us * 2 : IDLE_NAP_MAX_US;
	return us;
}

static void clear_event(const struct idle *idle, const struct epoll_event *events, int n)
{
	eventfd_t ignored;

	for (int i = 0; i < n; i++)
		if (events[i].data.fd == idle->event_fd)
			eventfd_read(idle->event_fd, &ignored);
}

/* How long a nap is, is our own choice and says nothing. */
void idle_slept(struct idle *idle, uint64_t us)
{
	if (us <= IDLE_SHORT_US || idle->naps)
		idle->spin_us = IDLE_SPIN_MAX_US;
	else
		idle->spin_us /= 2;
}

void idle_sleep(struct idle *idle, uint64_t most_us)
{
	uint64_t began_us = clock_us();
	struct epoll_event events[EVENTS];
	struct timespec timeout;

	if (idle->naps)
		most_us = nap(idle, most_us);
	timeout.tv_sec = (time_t)(most_us / 1000000);
	timeout.tv_nsec = (long)(most_us % 1000000) * 1000;
	clear_event(idle, events, epoll_pwait2(idle->epoll_fd, events, EVENTS, &timeout, NULL));
	idle_slept(idle, clock_us() - began_us);
}

void idle_wake(int event_fd)
{
	eventfd_write(event_fd, 1);
}
