/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/clock.h"

#include <time.h>

struct clock_scale clock_scale;

void clock_start(void)
{
	clock_scale.start = rte_rdtsc();
	clock_scale.us_per_cycle =
		(uint64_t)(((unsigned __int128)1000000 << 64) / rte_get_tsc_hz());
}

uint64_t clock_monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
