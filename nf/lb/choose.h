/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The choices that look at weight and load: smooth weighted round robin, least in flight,
 * the less loaded of two, the sooner done of two; and the share of a hash. Pure: they see the
 * usable servers of a group as an array.
 *
 * The manager counts an exchange as in flight only after it has read our answer. A burst
 * that is balanced in one turn of the loop would therefore all see the same counts and go
 * to the same server: so each member remembers how often it was chosen in this turn.
 */
#ifndef NF_LB_CHOOSE_H
#define NF_LB_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

struct sluice_server;

struct choose_member {
	uint16_t server; /* its place in the group */
	uint16_t weight; /* 1 to 256 * SLUICE_WARM */
	uint32_t sent;   /* chosen in the turn `sent_us` */
	uint64_t sent_us;
	int64_t credit;                    /* round robin: what it is owed */
	uint64_t below;                    /* the sum of the weights before it */
	const struct sluice_server *seen;  /* load and latency; they change while we look */
	uint64_t peak_at_us, peak_seen_us; /* the last measurement, and when we met it */
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
/* Peak EWMA: of two taken at random, the one whose latency times what it has in flight is less.
 * Latency that grows counts at once, and is forgotten over CHOOSE_FORGET_US. */
#define CHOOSE_FORGET_US 10000000
unsigned choose_ewma(struct choose_set *set, uint64_t now_us, uint64_t *random);
/* The member that has the hash's share of all weights. */
unsigned choose_share(const struct choose_set *set, uint64_t hash);

/* Bounded load (Mirrokni, Thorup, Zadimoghaddam): true when one exchange more would give the member
 * more than `percent` of its fair share of `total`, all that is in flight, that one included. */
bool choose_is_full(const struct choose_set *set, unsigned member, unsigned percent, uint64_t total,
		    uint64_t now_us);
uint64_t choose_in_flight(const struct choose_set *set, uint64_t now_us);
/* The choice was made elsewhere. */
void choose_note(struct choose_set *set, unsigned member, uint64_t now_us);

#endif
