/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/sluice-bench/hist.h"

#define STEPS (1u << HIST_STEP_BITS)

/* The largest value that falls into a bucket. */
static uint64_t bucket_end(unsigned i)
{
	unsigned shift = i < 2 * STEPS ? 0 : (i >> HIST_STEP_BITS) - 1;
	uint64_t step = i - ((uint64_t)shift << HIST_STEP_BITS);

	return ((step + 1) << shift) - 1;
}

uint64_t hist_at(const struct hist *hist, double part)
{
	double wanted = part * (double)hist->count;
	uint64_t seen = 0;

	for (unsigned i = 0; i < HIST_BUCKETS && hist->count; i++) {
		seen += hist->bucket[i];
		if (seen && (double)seen >= wanted)
			return bucket_end(i) < hist->most ? bucket_end(i) : hist->most;
	}
	return hist->most;
}
