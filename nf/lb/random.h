/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small generator of random numbers, the same for the same seed: an additive sequence
 * whose every term is mixed on its own. Not for secrets.
 */
#ifndef NF_LB_RANDOM_H
#define NF_LB_RANDOM_H

#include <stdint.h>

/* Spreads every bit of `x` over all 64. */
static inline uint64_t random_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline uint64_t random_next(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return random_mix(*state);
}

/* Below `bound` (1 to 2^32), without a division. */
static inline uint32_t random_below(uint64_t *state, uint64_t bound)
{
	return (uint32_t)((random_next(state) >> 32) * bound >> 32);
}

#endif
