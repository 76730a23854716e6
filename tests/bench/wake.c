/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench-wake CPU OTHER MS TIMES: what it takes until a thread runs that slept on the OTHER CPU for
 * MS milliseconds, woken by an eventfd in epoll from CPU, which does not sleep: the median of so
 * many times, in microseconds. Nothing that sleeps can be faster.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include "tests/bench/clock.h"
#include "tests/bench/median.h"
#include "tests/bench/pin.h"

#define TIMES_MOST 1000
#define AWAKE_NS   2000000 /* before each time: the caches of who wakes are warm */

struct sleeper {
	int event_fd, epoll_fd;
	int cpu;
	atomic_int error;
	_Atomic uint64_t woken_ns; /* 0: not since it was asked */
};

/* As a worker that is woken at once, whatever else wants the CPU. */
static int settle(int cpu)
{
	struct sched_param first = {.sched_priority = 1};
	int error = pin(cpu);

	if (!error)
		(void)sched_setscheduler(0, SCHED_FIFO, &first);
	return error;
}

static void *sleep_always(void *arg)
{
	struct sleeper *s = arg;
	struct epoll_event event;
	eventfd_t ignored;

	atomic_store(&s->error, settle(s->cpu));
	while (epoll_wait(s->epoll_fd, &event, 1, -1) >= 0 || errno == EINTR) {
		atomic_store(&s->woken_ns, now_ns());
		eventfd_read(s->event_fd, &ignored);
	}
	return NULL;
}

static uint64_t wake_once(struct sleeper *s, unsigned ms)
{
	struct timespec idle = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	uint64_t began_ns;

	nanosleep(&idle, NULL);
	for (began_ns = now_ns(); now_ns() - began_ns < AWAKE_NS;)
		;
	atomic_store(&s->woken_ns, 0);
	began_ns = now_ns();
	eventfd_write(s->event_fd, 1);
	while (!atomic_load_explicit(&s->woken_ns, memory_order_relaxed))
		;
	return s->woken_ns - began_ns;
}

static int open_all(struct sleeper *s, int cpu)
{
	struct epoll_event event = {.events = EPOLLIN};
	pthread_t thread;

	s->event_fd = eventfd(0, EFD_NONBLOCK);
	s->epoll_fd = epoll_create1(0);
	if (s->event_fd < 0 || s->epoll_fd < 0 ||
	    epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->event_fd, &event) ||
	    pthread_create(&thread, NULL, sleep_always, s))
		return errno;
	return settle(cpu);
}

int main(int argc, char **argv)
{
	static struct sleeper sleeper;
	static double us[TIMES_MOST];
	unsigned ms, times;
	int error;

	if (argc != 5 || (times = (unsigned)atoi(argv[4])) < 1 || times > TIMES_MOST) {
		fprintf(stderr, "usage: bench-wake CPU OTHER MS TIMES (1 to %d)\n", TIMES_MOST);
		return 2;
	}
	ms = (unsigned)atoi(argv[3]);
	sleeper.cpu = atoi(argv[2]);
	error = open_all(&sleeper, atoi(argv[1]));
	for (unsigned i = 0; i < times && !error; i++)
		us[i] = (double)wake_once(&sleeper, ms) / 1e3;
	error = error ? error : atomic_load(&sleeper.error);
	if (error) {
		fprintf(stderr, "bench-wake: %s\n", strerror(error));
		return 1;
	}
	printf("%.1f\n", median(us, times));
	return 0;
}
