/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device between a stack and the link: it does what the offload flags ask for, the slow
 * way, and gives received frames to the stack in mbufs of a pool whose buffers lie apart from
 * their headers, as in production.
 */
#ifndef TESTS_SIM_NIC_H
#define TESTS_SIM_NIC_H

#include "tests/sim/rng.h"

struct rte_mbuf;
struct rte_mempool;

typedef void nic_emit_fn(void *ctx, const uint8_t *frame, uint32_t len);

/* Cuts and sums `pkt` as its flags say; calls `emit` with each frame; frees it. */
void nic_transmit(struct rte_mbuf *pkt, nic_emit_fn *emit, void *ctx);

struct nic_rx {
	struct rte_mempool *pool;
	struct rng rng;
	bool checks_csum; /* tells the stack what it found */
	bool scatters;    /* frames come in several segments */
	bool merges;      /* LRO: one packet of consecutive segments */
};

/* NULL when the pool is empty: the frame is lost. */
struct rte_mbuf *nic_receive(struct nic_rx *rx, const uint8_t *frame, uint32_t len);

/* Joins `next` to `pkt` when both are consecutive segments of one connection. */
bool nic_merge(struct nic_rx *rx, struct rte_mbuf *pkt, struct rte_mbuf *next);

/* A pool of pinned external buffers. The memory is never given back. */
struct rte_mempool *nic_pool(const char *name, unsigned count, uint16_t room);

#endif
