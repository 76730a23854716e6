/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <stdio.h>

#define HEADER_ROOM 512
#define PACKET_ROOM 2048
#define MEMORY_MB   "48"

static struct eal_pools pools;

static int first_cpu(const cpu_set_t *cpus)
{
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, cpus))
			return i;
	return 0;
}

/* EAL binds the thread to a CPU: that is taken back, for the thread is not ours. */
static int start_library(void)
{
	char lcores[32];
	char *argv[] = {"packetdrill", "--no-huge", "--no-shconf",    "--no-pci",          "-m",
			MEMORY_MB,     "--no-hpet", "--no-telemetry", "--log-level=error", lcores,
			NULL};
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
		return -1;
	snprintf(lcores, sizeof(lcores), "--lcores=0@%d", first_cpu(&cpus));
	if (rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0)
		return -1;
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* Without caches, so that what is in use is known exactly. */
static struct rte_mempool *pool_new(const char *name, unsigned count, uint16_t room)
{
	uint16_t data_room = room ? (uint16_t)(room + RTE_PKTMBUF_HEADROOM) : 0;

	return rte_pktmbuf_pool_create(name, count, 0, 0, data_room, 0);
}

static int make_pools(void)
{
	pools.header = pool_new("header", 4095, HEADER_ROOM);
	pools.control = pool_new("control", 255, HEADER_ROOM);
	pools.ref = pool_new("ref", 4095, 0);
	pools.rx = pool_new("rx", 4095, PACKET_ROOM);
	pools.payload = pool_new("payload", 4095, PACKET_ROOM);
	return pools.header && pools.control && pools.ref && pools.rx && pools.payload ? 0 : -1;
}

int eal_start(struct eal_pools *out)
{
	if (!pools.payload && (start_library() != 0 || make_pools() != 0)) {
		fprintf(stderr, "sluice: DPDK does not start: %s\n", rte_strerror(rte_errno));
		return -1;
	}
	*out = pools;
	return 0;
}

unsigned eal_pools_in_use(const struct eal_pools *in)
{
	return rte_mempool_in_use_count(in->header) + rte_mempool_in_use_count(in->control) +
	       rte_mempool_in_use_count(in->ref) + rte_mempool_in_use_count(in->rx) +
	       rte_mempool_in_use_count(in->payload);
}
