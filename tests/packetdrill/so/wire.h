/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stack's one port, with packetdrill at its other end: IP packets go in and out, the
 * Ethernet header is put on and taken off here, and questions for neighbours are answered.
 *
 * What the stack sends waits in order, with the time it was sent at, until it is taken.
 */
#ifndef TESTS_PACKETDRILL_SO_WIRE_H
#define TESTS_PACKETDRILL_SO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "l4stack/base/addr.h"
#include "tests/packetdrill/so/neighbour.h"

struct rte_mbuf;
struct rte_mempool;
struct stack;
struct wire_packet;

#define WIRE_PORT      0
#define WIRE_QUESTIONS 16

struct wire_question {
	uint8_t frame[NEIGHBOUR_FRAME_MAX];
	size_t len;
};

struct wire {
	struct stack *stack;
	struct rte_mempool *rx;
	const uint64_t *now_us;
	struct wire_packet *first, **last;
	struct wire_question questions[WIRE_QUESTIONS];
	unsigned question_count;
};

extern const uint8_t wire_stack_mac[6];

/* `now_us` is read whenever a packet is sent. */
void wire_init(struct wire *wire, struct rte_mempool *rx, const uint64_t *now_us);
void wire_fini(struct wire *wire);

/* struct stack_ops.output; `ctx` is the wire. */
void wire_output(void *ctx, uint16_t port, struct rte_mbuf *pkt);

/* An IP packet for the stack, and the address it is for. 0, -EINVAL, -ENOBUFS. */
int wire_destination(const void *packet, size_t len, struct addr *out);
int wire_input(struct wire *wire, const void *packet, size_t len);

/* Answers the stack's questions. True when there were any. */
bool wire_answer(struct wire *wire);

/* The next packet: its length, which may be more than `room`, and when it was sent. 0: none. */
size_t wire_take(struct wire *wire, void *packet, size_t room, uint64_t *sent_us);

#endif
