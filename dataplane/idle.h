/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How an idle worker sleeps, and what wakes it.
 *
 * idle_sleep blocks in epoll until a port has packets, somebody writes the worker's eventfd, or
 * the time comes. A port without a wake descriptor makes sleeps short instead: they begin at
 * IDLE_NAP_MIN_US and double up to IDLE_NAP_MAX_US while nothing happens.
 *
 * Before it sleeps it looks for work a little longer, idle_spin_us: what comes soon costs no sleep
 * and no wake-up then. That pays only if something comes soon: each sleep that was long halves it,
 * down to nothing, and one that was short brings all of it back.
 *
 * The worker's thread; idle_fd may be written by anyone.
 */
#ifndef DATAPLANE_IDLE_H
#define DATAPLANE_IDLE_H

#include <stdint.h>

#include "dataplane/worker.h"

#define IDLE_NAP_MIN_US  20
#define IDLE_NAP_MAX_US  2000
#define IDLE_SPIN_MAX_US 10 /* a sleep and a wake-up cost about 5 */
#define IDLE_SHORT_US    15 /* with what it takes to wake up */

struct idle {
	int epoll_fd;
	int event_fd;
	bool naps;       /* some port can only be polled */
	uint32_t nap_us; /* the next one */
	uint32_t spin_us;
};

int idle_create(const struct worker_set *set, unsigned worker, struct idle *out)
	__attribute__((warn_unused_result));
void idle_destroy(struct idle *idle);

void idle_sleep(struct idle *idle, uint64_t most_us);
void idle_wake(int event_fd);
/* A sleep of so long is over: idle_sleep says so itself. */
void idle_slept(struct idle *idle, uint64_t us);
/* Without work for so long the worker is to sleep. */
static inline uint32_t idle_spin_us(const struct idle *idle)
{
	return idle->spin_us;
}
/* Any thread: writing that eventfd wakes the worker from now on, until it is forgotten. Nobody
 * reads it. 0 or -errno. */
int idle_watch(const struct idle *idle, int event_fd) __attribute__((warn_unused_result));
void idle_forget(const struct idle *idle, int event_fd);
void idle_active(struct idle *idle); /* there was work: naps begin short again */

#endif
