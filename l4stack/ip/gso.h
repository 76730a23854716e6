/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP segmentation in software, for ports that do not do it.
 *
 * Payload is not copied: every segment is a fresh header mbuf chained to the payload's own
 * mbufs, or to references where a cut goes through one. Pure but for the pools; any thread
 * that owns the packet and the pools.
 */
#ifndef L4STACK_IP_GSO_H
#define L4STACK_IP_GSO_H

#include <stdbool.h>
#include <stdint.h>

#include "l4stack/stack.h"

typedef void gso_emit_fn(void *ctx, struct rte_mbuf *segment);

/*
 * Cuts a packet that starts at its TCP header (all of it in the first segment) into
 * segments of at most `segment_bytes` > 0 of payload, and gives each to `emit`, which owns
 * it: sequence numbers advance, FIN and PSH stay on the last, CWR on the first; checksums
 * are zero. Takes ownership of `pkt`. False when an mbuf was lacking: what was not emitted
 * yet is freed.
 */
bool gso_tcp(struct rte_mbuf *pkt, uint16_t segment_bytes, const struct stack_pools *pools,
	     gso_emit_fn *emit, void *ctx);

#endif
