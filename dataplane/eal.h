/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's environment, started from our configuration: memory, CPUs, devices on the bus.
 *
 * The calling thread becomes EAL's main lcore (lcore 0, free to run on any CPU): it is the
 * control thread. Worker i is lcore i + 1, pinned to the CPU that the configuration names.
 * Once in the life of a process.
 */
#ifndef DATAPLANE_EAL_H
#define DATAPLANE_EAL_H

#include <stdbool.h>
#include <stddef.h>

struct conf;

struct eal_info {
	bool running;
	bool hugepages;
	unsigned memory_mb; /* reserved for EAL; without hugepages only what is touched is used */
};

/* 0, or -errno with a sentence in `error`. */
int eal_start(const struct conf *conf, struct eal_info *info, char *error, size_t error_size)
	__attribute__((warn_unused_result));
/* `in_order`: its devices and memory too; otherwise they end with the process. */
void eal_stop(bool in_order);

/* The NUMA node of a CPU for rte_*_create; 0 where the machine has one. */
int eal_node_of_cpu(unsigned cpu);

#endif
