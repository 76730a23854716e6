/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two clocks. The workers': microseconds since the start, from the time-stamp counter, without a
 * syscall; any thread may read it after clock_start. The control thread's, and the supervisor's:
 * CLOCK_MONOTONIC, in microseconds.
 */
#ifndef DATAPLANE_CLOCK_H
#define DATAPLANE_CLOCK_H

#include <stdint.h>

#include <rte_cycles.h>

struct clock_scale {
	uint64_t start;        /* cycles */
	uint64_t us_per_cycle; /* as a fraction of 2^64 */
};
extern struct clock_scale clock_scale;

void clock_start(void);

static inline uint64_t clock_cycles_to_us(uint64_t cycles)
{
	return (uint64_t)((unsigned __int128)cycles * clock_scale.us_per_cycle >> 64);
}

static inline uint64_t clock_us(void)
{
	return clock_cycles_to_us(rte_rdtsc() - clock_scale.start);
}

uint64_t clock_monotonic_us(void);

#endif
