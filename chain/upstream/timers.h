/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers of the chain: one wheel for each worker, each timer with its own function.
 *
 * A timer lies inside its owner's structure and is stopped before that goes away. It runs
 * in timers_advance, already stopped, and may start and stop any timer. One thread.
 *
 * Most timers are put off long before they are due. So one that is put off, or rests, keeps its
 * place in the wheel; when the wheel comes by, it goes where it belongs then.
 */
#ifndef CHAIN_UPSTREAM_TIMERS_H
#define CHAIN_UPSTREAM_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l4stack/base/wheel.h"

#define TIMER_NEVER UINT64_MAX

struct timer {
	struct wheel_timer wheel; /* due at `due_us` or before */
	uint64_t due_us;          /* TIMER_NEVER: it rests */
	void (*fire)(struct timer *timer);
};

struct timers {
	struct wheel *wheel;
	uint64_t now_us;
};

#define timer_owner(timer, type, member) ((type *)(void *)((char *)(timer)-offsetof(type, member)))

static inline void timers_fire(void *ctx, struct wheel_timer *wheel)
{
	struct timer *timer = timer_owner(wheel, struct timer, wheel);
	const struct timers *timers = ctx;

	if (timer->due_us <= timers->now_us)
		timer->fire(timer);
	else if (timer->due_us != TIMER_NEVER)
		wheel_start(timers->wheel, wheel, timer->due_us);
}

static inline bool timers_open(struct timers *timers, uint64_t now_us)
{
	timers->now_us = now_us;
	timers->wheel = wheel_create(now_us, timers_fire, timers);
	return timers->wheel;
}

static inline void timers_close(struct timers *timers)
{
	wheel_destroy(timers->wheel);
}

static inline void timers_advance(struct timers *timers, uint64_t now_us)
{
	timers->now_us = now_us;
	wheel_advance(timers->wheel, now_us);
}

static inline void timer_start(struct timers *timers, struct timer *timer, uint64_t due_us)
{
	timer->due_us = due_us;
	if (!wheel_timer_running(&timer->wheel) || timer->wheel.due_us > due_us)
		wheel_start(timers->wheel, &timer->wheel, due_us);
}

static inline void timer_start_ms(struct timers *timers, struct timer *timer, uint32_t ms)
{
	timer_start(timers, timer, timers->now_us + (uint64_t)ms * 1000);
}

/* It does not fire, but is still in the wheel: for what is soon started again. */
static inline void timer_rest(struct timer *timer)
{
	timer->due_us = TIMER_NEVER;
}

static inline void timer_stop(struct timers *timers, struct timer *timer)
{
	wheel_stop(timers->wheel, &timer->wheel);
}

#endif
