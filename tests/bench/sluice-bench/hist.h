/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A histogram of cycles: 64 steps for each power of two, so that a value is known to 1.6%, from one
 * cycle to hours. Adding is a shift and an increment.
 */
#ifndef TESTS_BENCH_SLUICE_BENCH_HIST_H
#define TESTS_BENCH_SLUICE_BENCH_HIST_H

#include <stdint.h>

#define HIST_STEP_BITS 6
#define HIST_BUCKETS   ((64 - HIST_STEP_BITS + 1) << HIST_STEP_BITS)

struct hist {
	uint64_t count, most;
	uint64_t bucket[HIST_BUCKETS];
};

static inline void hist_add(struct hist *hist, uint64_t value)
{
	unsigned top = 63 - (unsigned)__builtin_clzll(value | 1);
	unsigned shift = top > HIST_STEP_BITS ? top - HIST_STEP_BITS : 0;

	hist->bucket[((uint64_t)shift << HIST_STEP_BITS) + (value >> shift)]++;
	hist->count++;
	hist->most = value > hist->most ? value : hist->most;
}

/* The value that `part` (0 to 1) of all do not exceed; 0 for an empty histogram. */
uint64_t hist_at(const struct hist *hist, double part);

#endif
