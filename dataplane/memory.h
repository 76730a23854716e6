/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where payload lives: the RX regions, the arenas of functions, and the pools of mbufs.
 *
 * RX payload and arenas are EAL memory of their own pages (2 MB aligned), because a device
 * must reach them; the mbuf headers and everything else are in other pages, so that the
 * payload alone can be handed to another process, through a descriptor that only reads.
 * An arena's descriptor can write: its function's host maps the arena's range and closes it
 * before the function's code is loaded.
 *
 * Threads: the control thread makes and ends all of this; a worker's pools are then its own
 * (mbufs may be freed on any lcore).
 */
#ifndef DATAPLANE_MEMORY_H
#define DATAPLANE_MEMORY_H

#include <stdint.h>

#include "chain/ring/region.h"

struct rte_mempool;
struct rte_memzone;

/* The pools of one worker. `flat` serves ports whose driver needs ordinary mbufs: what it receives
 * is copied once into `rx`, what it is to send is copied into one piece. */
struct memory_pools {
	struct region *rx_region;
	struct rte_mempool *rx;      /* payload in rx_region */
	struct rte_mempool *data;    /* direct, 2 KB: text that we produce */
	struct rte_mempool *header;  /* direct, small: frame headers and copied payload */
	struct rte_mempool *control; /* the same, for ACKs and ARP when the others are empty */
	struct rte_mempool *ref;     /* no room: attached to payload */
	struct rte_mempool *flat;    /* NULL until memory_flat */
	unsigned worker;
	int node;
	uint32_t rx_bytes; /* for each packet, after the headroom */
};

/* `bytes`: this worker's share of memory_mb; `rx_bytes`: what a receive buffer must hold;
 * `copied_bytes`: of payload, what a header's buffer must. 0 or -errno. */
int memory_pools_create(struct region_table *regions, unsigned worker, int node, uint64_t bytes,
			uint32_t rx_bytes, uint32_t copied_bytes, struct memory_pools *out)
	__attribute__((warn_unused_result));
int memory_flat(struct memory_pools *pools) __attribute__((warn_unused_result));
/* The memory itself ends with EAL: it would zero each page before it takes it back, and an end
 * would take seconds. */
void memory_pools_destroy(struct region_table *regions, struct memory_pools *pools);

/* EAL memory for the output of functions. A process that was shown an arena may have it mapped for
 * as long as it lives: what was an arena once is an arena for ever, and is zeroed before it
 * becomes another's. */
struct memory_arenas {
	struct memory_arena {
		const struct rte_memzone *zone;
		struct region *region; /* NULL: free */
	} * list;
	unsigned count;
};

/* 0, -ENOMEM, or another -errno. */
int memory_arena_alloc(struct memory_arenas *arenas, struct region_table *regions, const char *name,
		       uint64_t bytes, struct region **out) __attribute__((warn_unused_result));
void memory_arena_free(struct memory_arenas *arenas, struct region_table *regions,
		       struct region *arena);
/* No process lives that was shown one. Of their memory the same holds. */
void memory_arenas_destroy(struct memory_arenas *arenas, struct region_table *regions);

#endif
