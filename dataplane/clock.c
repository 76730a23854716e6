/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/clock.h"

struct clock_scale clock_scale;

void clock_start(void)
{
	clock_scale.start = rte_rdtsc();
	clock_scale.us_per_cycle =
		(uint64_t)(((unsigned __int128)1000000 << 64) / rte_get_tsc_hz());
}
