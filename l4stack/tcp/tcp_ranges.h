/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A set of ranges of sequence numbers, sorted, disjoint, never touching. Pure.
 *
 * The sender's picture of what its peer holds (RFC 6675's scoreboard). Bounded: when it
 * is full a range that would need a place of its own is refused, which costs speed, not
 * correctness. All numbers in a set lie within 2^31 of each other.
 */
#ifndef L4STACK_TCP_TCP_RANGES_H
#define L4STACK_TCP_TCP_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#define TCP_RANGES_MAX 126

struct tcp_range {
	uint32_t lo, hi; /* [lo, hi), hi after lo */
};

struct tcp_ranges {
	uint32_t n;
	uint32_t bytes; /* the sum of all ranges */
	struct tcp_range at[TCP_RANGES_MAX];
};

void tcp_ranges_clear(struct tcp_ranges *set);

/* Adds [lo, hi), joined with what it touches. Returns how many bytes are new. */
uint32_t tcp_ranges_add(struct tcp_ranges *set, uint32_t lo, uint32_t hi);

/* Forgets everything before `seq`. */
void tcp_ranges_drop_below(struct tcp_ranges *set, uint32_t seq);

/* How many bytes of [lo, hi) are in the set. */
uint32_t tcp_ranges_covered(const struct tcp_ranges *set, uint32_t lo, uint32_t hi);

/* The first bytes of [from, end) that are not in the set: *lo, *hi. False when there are none. */
bool tcp_ranges_hole(const struct tcp_ranges *set, uint32_t from, uint32_t end, uint32_t *lo,
		     uint32_t *hi);

/* The lowest start of a range such that the ranges from there up are `ranges` many or hold more
 * than `bytes`: everything missing before it has that much above it. False when there is none. */
bool tcp_ranges_edge(const struct tcp_ranges *set, uint32_t ranges, uint32_t bytes, uint32_t *edge);

#endif
