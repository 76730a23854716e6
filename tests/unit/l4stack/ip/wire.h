/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device that does all that offload flags ask for, written down the slow way: what it
 * puts on the wire for an mbuf. The reference for segmentation and checksums.
 */
#ifndef TESTS_UNIT_L4STACK_IP_WIRE_H
#define TESTS_UNIT_L4STACK_IP_WIRE_H

#include <stddef.h>
#include <stdint.h>

struct rte_mbuf;

#define WIRE_FRAMES 256

struct wire {
	struct {
		uint8_t bytes[2048];
		size_t len;
	} frames[WIRE_FRAMES];
	unsigned count;
};

/* Cuts a TCP packet (header first) of `len` bytes into segments of `cut` payload bytes:
 * calls `emit` with each. */
void plain_cut(const uint8_t *tcp, size_t len, size_t cut,
	       void (*emit)(void *ctx, const uint8_t *segment, size_t len), void *ctx);

/* Puts the frame on the wire, cut and with its checksums as its flags say; frees it. */
void wire_send(struct wire *wire, struct rte_mbuf *pkt);

#endif
