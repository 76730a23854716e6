/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench-switch CPU TIMES: what it takes to come to a process that sleeps on the same CPU and back
 * to where it was woken from, in microseconds: an eventfd is written and the CPU given away, as by
 * a worker; who sleeps does so as a function does, in poll. The mean of so many times.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/clock.h"
#include "tests/bench/pin.h"

#define WARM 1000

struct shared {
	atomic_uint asked, answered;
};

static void answer_always(struct shared *shared, int event_fd)
{
	struct pollfd fd = {.fd = event_fd, .events = POLLIN};
	eventfd_t ignored;

	while (poll(&fd, 1, -1) > 0) {
		eventfd_read(event_fd, &ignored);
		atomic_store(&shared->answered, atomic_load(&shared->asked));
	}
}

static void ask(struct shared *shared, int event_fd)
{
	unsigned asked = atomic_fetch_add(&shared->asked, 1) + 1;

	eventfd_write(event_fd, 1);
	while (atomic_load(&shared->answered) != asked)
		sched_yield();
}

static double measure(struct shared *shared, int event_fd, unsigned times)
{
	uint64_t began_ns;

	for (unsigned i = 0; i < WARM; i++)
		ask(shared, event_fd);
	began_ns = now_ns();
	for (unsigned i = 0; i < times; i++)
		ask(shared, event_fd);
	return (double)(now_ns() - began_ns) / times / 1e3;
}

int main(int argc, char **argv)
{
	unsigned times = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int event_fd = eventfd(0, EFD_NONBLOCK), error;
	pid_t child;

	if (!times) {
		fprintf(stderr, "usage: bench-switch CPU TIMES\n");
		return 2;
	}
	error = shared == MAP_FAILED || event_fd < 0 ? ENOMEM : pin(atoi(argv[1]));
	if (error || (child = fork()) < 0) {
		fprintf(stderr, "bench-switch: %s\n", strerror(error ? error : errno));
		return 1;
	}
	if (!child) {
		answer_always(shared, event_fd);
		return 1;
	}
	printf("%.2f\n", measure(shared, event_fd, times));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}
