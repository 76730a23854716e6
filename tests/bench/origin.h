/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An origin on the client's side of a pair: whatever is asked on 10.0.0.1:8080 it answers with the
 * same head and body, in one segment.
 */
#ifndef TESTS_BENCH_ORIGIN_H
#define TESTS_BENCH_ORIGIN_H

#include "tests/bench/pair.h"

#define ORIGIN_PORT 8080

struct tcp_listener;

struct origin {
	struct pair *pair;
	struct tcp_listener *listener;
	uint32_t asked, wrong; /* wrong: not one whole request at a time */
	uint32_t len;          /* of the answer */
	char answer[1460];
};

/* 0 or -errno. `body_bytes` is at most 1 KB. */
int origin_open(struct origin *origin, struct pair *pair, uint32_t body_bytes)
	__attribute__((warn_unused_result));
void origin_close(struct origin *origin);

#endif
