/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK for a unit test: memory and mempools, without hugepages, devices or extra
 * threads, and without files that two tests at a time could both want. Call eal_start
 * once, from cmocka's group setup.
 */
#ifndef TESTS_UNIT_SUPPORT_EAL_H
#define TESTS_UNIT_SUPPORT_EAL_H

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <stdio.h>

static inline int eal_first_cpu(const cpu_set_t *cpus)
{
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, cpus))
			return i;
	return 0;
}

/* 0, or -1. The affinity that EAL sets is taken back, so that tests can share the CPUs. */
static inline int eal_start(void)
{
	char lcores[32];
	char *argv[] = {"test",     "--no-huge",      "--no-shconf",       "-m",   "128",
			"--no-pci", "--no-telemetry", "--log-level=error", lcores, NULL};
	cpu_set_t cpus;
	int n;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
		return -1;
	snprintf(lcores, sizeof(lcores), "--lcores=0@%d", eal_first_cpu(&cpus));
	n = rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv);
	if (n < 0)
		return -1;
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* A pool without caches, so that what is in use is known exactly. */
static inline struct rte_mempool *eal_pool(const char *name, unsigned count, uint16_t room)
{
	uint16_t data_room = room ? (uint16_t)(room + RTE_PKTMBUF_HEADROOM) : 0;

	return rte_pktmbuf_pool_create(name, count, 0, 0, data_room, 0);
}

static inline void eal_extent_add(struct rte_mempool *pool, void *opaque,
				  struct rte_mempool_memhdr *chunk, unsigned idx)
{
	uint8_t **extent = opaque, *from = chunk->addr, *to = from + chunk->len;

	(void)pool;
	(void)idx;
	if (!extent[0] || from < extent[0])
		extent[0] = from;
	if (to > extent[1])
		extent[1] = to;
}

/* Widens extent[0] … extent[1] (NULL: nothing yet) to all memory of the pool. */
static inline void eal_extent(struct rte_mempool *pool, uint8_t *extent[2])
{
	rte_mempool_mem_iter(pool, eal_extent_add, extent);
}

#endif
