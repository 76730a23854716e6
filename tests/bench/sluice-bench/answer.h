/* SPDX-License-Identifier: BSD-3-Clause */
/* What an answer must be. */
#ifndef TESTS_BENCH_SLUICE_BENCH_ANSWER_H
#define TESTS_BENCH_SLUICE_BENCH_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

struct client;
struct rte_mbuf;

#define ANSWER_OK "HTTP/1.1 200 OK"

/* Of the first answer, reads the head: how long all of it is. False: it is none, or its body has
 * not the length that was expected. */
bool answer_read(struct client *client, const char *text, uint32_t len);

/* The byte before `end` of a frame. */
uint8_t answer_last(const struct rte_mbuf *m, uint32_t end);

/* Of `len` bytes in a frame from `offset` on, those of the body are as they must be: the alphabet,
 * over and over. `at`: where in the answer they are. */
bool answer_body(const struct client *client, const struct rte_mbuf *m, uint32_t offset,
		 uint32_t len, uint32_t at);

#endif
