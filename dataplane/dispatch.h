/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which worker a packet belongs to.
 *
 * Workers share nothing: all packets of a connection must reach the one that has it. With one
 * worker that is plain; with several the owner is a hash of the flow, the same on every worker,
 * and a packet that a device put into another worker's queue is handed over through a ring. A
 * worker that opens a connection chooses its local port so that the answers are its own.
 *
 * ARP and neighbor discovery go to everybody (each worker has its own table); what has no flow goes
 * to worker 0.
 *
 * Threads: dispatch_owner and dispatch_owns are pure. Rings: many producers, one consumer.
 */
#ifndef DATAPLANE_DISPATCH_H
#define DATAPLANE_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "l4stack/base/addr.h"

struct rte_mbuf;

#define DISPATCH_ALL UINT32_MAX

/* The worker that an Ethernet frame belongs to, or DISPATCH_ALL. Reads no further than the first
 * segment. */
uint32_t dispatch_owner(const struct rte_mbuf *frame, unsigned workers);

/* Whether what `remote` sends to `local` belongs to `worker`. */
bool dispatch_owns(const struct endpoint *local, const struct endpoint *remote, unsigned worker,
		   unsigned workers);

#endif
