/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's packets in and out: bursts from its queues and from other workers, and the packets
 * its stack sends, gathered until the end of the turn.
 *
 * The worker's thread only, but for io_hand_over's ring, which others fill.
 */
#ifndef DATAPLANE_IO_H
#define DATAPLANE_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/worker.h"

struct endpoint;
struct io;
struct rte_mbuf;

int io_create(struct worker_set *set, unsigned worker, struct memory_pools *pools,
	      struct worker_load *load, struct io **out) __attribute__((warn_unused_result));
void io_destroy(struct io *io);

/* One burst from each queue and what was handed over, into `stack`. The number of packets. */
unsigned io_receive(struct io *io, struct stack *stack);

/* struct stack_ops.output, with the io as its context. */
void io_output(void *io, uint16_t port, struct rte_mbuf *packet);
/* struct stack_ops.owns_flow, likewise. */
bool io_owns_flow(void *io, const struct endpoint *local, const struct endpoint *remote);

/* Sends what was gathered, tells `stack` how much each port takes in the next turn, and wakes
 * workers that were given something. What the device has no room for stays for the next turn; if it
 * takes nothing for long, that is dropped. */
void io_flush(struct io *io, struct stack *stack, uint64_t now_us);
/* When there is something to do again, unless a packet comes: `now_us` if something was handed
 * over, soon if something stayed, UINT64_MAX for never. */
uint64_t io_next_us(const struct io *io, uint64_t now_us);

/* Takes back what devices have sent but keep until they are given more. When there is nothing else
 * to do. */
void io_reclaim(struct io *io);

/* Before and after the worker sleeps, for devices with receive interrupts. */
void io_interrupts(struct io *io, bool on);

#endif
