/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a worker's time goes, by stage of its turn.
 *
 * One turn of CYCLES_EVERY is measured: the clock is read where a stage ends, some ten times in a
 * turn that takes thousands of cycles, and so costs less than a thousandth of them. A turn that
 * found nothing to do is left out: it is idle as a whole, and is counted apart. The worker alone
 * writes; anyone may read relaxed.
 */
#ifndef DATAPLANE_CYCLES_H
#define DATAPLANE_CYCLES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_cycles.h>

#define CYCLES_EVERY 61 /* odd: turns may take turns */

#define CYCLES_STAGES(X)                                                                  \
	X(TIMERS, "timers", "of connections, addresses and neighbours")                   \
	X(RECEIVE, "receive", "packets taken from the ports")                             \
	X(STACK_IN, "stack in", "packets to connections, their bytes to who reads")       \
	X(ENGINE, "engine", "exchanges, applications; functions called in place")         \
	X(INLINE, "inline functions", "their other hooks, in the worker")                 \
	X(NEAR, "near functions", "processes on the worker's CPU, which it gave to them") \
	X(RINGS, "rings", "what functions and applications are given")                    \
	X(CALLS, "calls", "of the control thread: what is shown, a reload")               \
	X(STACK_OUT, "stack out", "segments made of what is to be sent")                  \
	X(TRANSMIT, "transmit", "packets given to the ports")

enum cycles_stage {
#define X(stage, name, help) CYCLES_##stage,
	CYCLES_STAGES(X)
#undef X
		CYCLES_COUNT
};

struct cycles {
	uint64_t stage[CYCLES_COUNT]; /* of turns that were measured and did something */
	uint64_t turns;               /* of those */
	/* this turn */
	uint64_t at, now[CYCLES_COUNT];
	uint32_t wait; /* turns until the next one that is measured */
	bool on;
};

static inline void cycles_begin(struct cycles *c)
{
	c->on = c->wait == 0;
	if (likely(!c->on)) {
		c->wait--;
		return;
	}
	c->wait = CYCLES_EVERY - 1;
	memset(c->now, 0, sizeof(c->now));
	c->at = rte_rdtsc();
}

/* What was done since the last of these was that stage. */
static inline void cycles_end_of(struct cycles *c, enum cycles_stage stage)
{
	uint64_t now;

	if (likely(!c->on))
		return;
	now = rte_rdtsc();
	c->now[stage] += now - c->at;
	c->at = now;
}

static inline void cycles_end(struct cycles *c, bool work)
{
	if (likely(!c->on))
		return;
	c->on = false;
	if (!work)
		return;
	for (unsigned i = 0; i < CYCLES_COUNT; i++)
		c->stage[i] += c->now[i];
	c->turns++;
}

#endif
