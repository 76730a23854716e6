/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK inside somebody else's process: memory and mempools, no hugepages, no devices, no
 * files. Started once for a process and never stopped; the pools outlive each world.
 */
#ifndef TESTS_PACKETDRILL_SO_EAL_H
#define TESTS_PACKETDRILL_SO_EAL_H

struct rte_mempool;

struct eal_pools {
	struct rte_mempool *header, *control, *ref;
	struct rte_mempool *rx;      /* packets that come in */
	struct rte_mempool *payload; /* what is written to sockets */
};

/* 0, or -1 with a line on stderr. May be called again. */
int eal_start(struct eal_pools *out);

/* Mbufs that were not given back. */
unsigned eal_pools_in_use(const struct eal_pools *pools);

#endif
