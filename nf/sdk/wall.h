/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The wall clock for a function, in whole seconds: looked at ten times in a second, not in each
 * turn. Zero it to begin. One thread.
 */
#ifndef NF_SDK_WALL_H
#define NF_SDK_WALL_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define WALL_US 100000 /* how old it may be */

struct wall {
	int64_t seconds;
	uint64_t at_us; /* when the clock was read */
	bool known;
};

/* `now_us`: of any clock that only goes on. */
static inline int64_t wall_seconds(struct wall *wall, uint64_t now_us)
{
	struct timespec now;

	if (wall->known && now_us - wall->at_us < WALL_US)
		return wall->seconds;
	clock_gettime(CLOCK_REALTIME, &now);
	*wall = (struct wall){.seconds = now.tv_sec, .at_us = now_us, .known = true};
	return wall->seconds;
}

#endif
