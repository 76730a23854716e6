/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Functions in processes on the worker's own CPU: they cannot run while the worker does. So it
 * takes what packets there are, and what comes while it does that, tells the functions only then,
 * and gives the CPU away; and takes no more until they have read. So what has come goes down its
 * path and up again together, a switch to a process and back being paid by all of it.
 *
 * Who does not read within NEAR_US keeps the packets of others waiting. The CPU is not offered
 * again until NEAR_REST times what that took has passed: until then the kernel shares it out.
 *
 * The worker's thread.
 */
#ifndef DATAPLANE_NEAR_H
#define DATAPLANE_NEAR_H

#include <stdbool.h>
#include <stdint.h>

#define NEAR_US      500
#define NEAR_REST    16
#define NEAR_REST_US 100000 /* at most */
#define NEAR_BURSTS  8      /* of packets at most, that go to them together */
#define NEAR_ROUNDS  64     /* in one turn: a head takes one for each function, down and up */

struct near {
	uint64_t began_us; /* when all had read last */
	uint64_t rests_until_us;
};

/* Nobody waits. */
static inline void near_begin(struct near *near, uint64_t now_us)
{
	near->began_us = now_us;
}

/* Somebody waits for the CPU: may it be given away? */
static inline bool near_may(struct near *near, uint64_t now_us)
{
	uint64_t since_us =
		near->began_us > near->rests_until_us ? near->began_us : near->rests_until_us;
	uint64_t rest_us;

	if (now_us < near->rests_until_us)
		return false;
	if (now_us - since_us < NEAR_US)
		return true;
	rest_us = (now_us - since_us) * NEAR_REST;
	near->rests_until_us = now_us + (rest_us < NEAR_REST_US ? rest_us : NEAR_REST_US);
	return false;
}

#endif
