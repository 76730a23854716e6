/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An origin on the client's side of a pair: whatever is asked on 10.0.0.1:8080 it answers with the
 * same head and body, in one segment; or with a head that has another number each time.
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
	uint32_t number_at;    /* in it; 0: it is always the same */
	char answer[1460];
};

/* 0 or -errno. `body_bytes` is at most 1 KB. */
int origin_open(struct origin *origin, struct pair *pair, uint32_t body_bytes, bool differ)
	__attribute__((warn_unused_result));
/* Eight digits. */
void origin_number(char *at, uint32_t number);
void origin_close(struct origin *origin);

#endif
