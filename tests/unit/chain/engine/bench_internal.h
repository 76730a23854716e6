/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the bench share. */
#ifndef TESTS_UNIT_CHAIN_ENGINE_BENCH_INTERNAL_H
#define TESTS_UNIT_CHAIN_ENGINE_BENCH_INTERNAL_H

#include "tests/unit/chain/engine/bench.h"

struct pools {
	struct rte_mempool *rx, *data, *ref, *header, *control;
	struct rte_mempool *far, *far_header, *far_control, *far_ref;
};
extern struct pools pools;

void fakes_turn(void);
void fake_free(struct fake *fake);
void peers_turn(void);
void peers_end(void);
void peers_free(void);
/* Servers of "web": origins `first` and the `count` - 1 after it. */
void bench_upstreams(unsigned first, unsigned count);

static inline uint8_t pattern_at(uint64_t i)
{
	return (uint8_t)((i * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

#endif
