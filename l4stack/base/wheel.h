/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hierarchical timing wheel: start, restart and stop in O(1), 1 ms ticks up to days.
 *
 * A timer lives inside its owner's structure. Firing order within a tick is unspecified.
 * A timer never fires early. One thread.
 */
#ifndef L4STACK_BASE_WHEEL_H
#define L4STACK_BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

struct wheel;
struct wheel_timer {
	struct wheel_timer *next, **prev_link; /* prev_link NULL: not running */
	uint64_t due_us;
};
typedef void wheel_fire_fn(void *ctx, struct wheel_timer *timer);

/* `fire` is called from wheel_advance, with the timer already stopped; it may start and stop any
 * timer. */
struct wheel *wheel_create(uint64_t now_us, wheel_fire_fn *fire, void *ctx);
void wheel_destroy(struct wheel *wheel);

/* Restarts a running one. What is due already fires with the next tick. */
void wheel_start(struct wheel *wheel, struct wheel_timer *timer, uint64_t due_us);
void wheel_stop(struct wheel *wheel, struct wheel_timer *timer);
void wheel_advance(struct wheel *wheel, uint64_t now_us);

/* A lower bound of the next due time; UINT64_MAX: none. */
uint64_t wheel_next_us(const struct wheel *wheel);

static inline bool wheel_timer_running(const struct wheel_timer *timer)
{
	return timer->prev_link;
}
#endif
