/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random numbers that are the same for the same seed, everywhere (splitmix64).
 */
#ifndef TESTS_SIM_RNG_H
#define TESTS_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* From lo to hi, both included. */
static inline uint64_t rng_range(struct rng *rng, uint64_t lo, uint64_t hi)
{
	return lo + rng_next(rng) % (hi - lo + 1);
}

/* True `n` times of a million. */
static inline bool rng_ppm(struct rng *rng, uint32_t n)
{
	return rng_next(rng) % 1000000 < n;
}

static inline bool rng_percent(struct rng *rng, uint32_t n)
{
	return rng_ppm(rng, n * 10000);
}

#endif
