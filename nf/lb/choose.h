/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The choices that look at weight and load: smooth weighted round robin, least in flight,
 * and the less loaded of two. Pure: they see the usable servers of a group as an array.
 *
 * The manager counts an exchange as in flight only after it has read our answer. A burst
 * that is balanced in one turn of the loop would therefore all see the same counts and go
 * to the same server: so each member remembers how often it was chosen in this turn.
 */
#ifndef NF_LB_CHOOSE_H
#define NF_LB_CHOOSE_H

#include <stdint.h>

struct choose_member {
	uint16_t server; /* its place in the group */
	uint16_t weight; /* 1 to 256 */
	uint32_t sent;   /* chosen in the turn `sent_us` */
	uint64_t sent_us;
	int64_t credit;         /* round robin: what it is owed */
	uint64_t below;         /* the sum of the weights before it */
	const uint32_t *active; /* exchanges in flight; changes while we look */
};

struct choose_set {
	struct choose_member *member;
	unsigned count;
	uint64_t weight; /* the sum of all */
};

/* Fills in `below` and `weight` after members or weights have changed. */
void choose_prepare(struct choose_set *set);

/* Each gives an index into set->member; count must be at least 1. `now_us`: this turn's time. */
unsigned choose_round_robin(struct choose_set *set);
unsigned choose_least(struct choose_set *set, uint64_t now_us, uint64_t *random);
unsigned choose_p2c(struct choose_set *set, uint64_t now_us, uint64_t *random);

#endif
