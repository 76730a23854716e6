/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the servers of the benchmarks answer: a head as long as that of a real server, and a body of
 * the alphabet, over and over. Few bytes are copied into a frame; more are referred to.
 */
#ifndef TESTS_BENCH_SLUICE_BENCH_CONTENT_H
#define TESTS_BENCH_SLUICE_BENCH_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#define CONTENT_PERIOD     26
#define CONTENT_PIECE_MOST (60 * 1024) /* of what is appended at a time */
#define CONTENT_HEAD_MOST  256

struct content {
	struct rte_mempool *refs;
	uint8_t *body;
	struct rte_mbuf_ext_shared_info shared;
	uint32_t size; /* of the answer whose head is there */
	uint32_t head_len;
	char head[CONTENT_HEAD_MOST];
};

/* `name`: of its pool. 0, or -1: no memory. After wire_eal; what it takes stays until the program
 * ends. */
int content_create(struct content *content, const char *name) __attribute__((warn_unused_result));

/* The size that a request for /SIZE asks for, `most` at most. */
uint32_t content_asked(const char *request, uint32_t len, uint32_t most);

/* From now on answers are that long. */
void content_size(struct content *content, uint32_t size);

/* Puts `len` bytes of the answer, from `at` on, behind what is in the frame. False: no buffers. */
bool content_append(struct content *content, struct rte_mbuf *frame, uint32_t at, uint32_t len);

#endif
