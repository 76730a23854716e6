/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generic cell rate algorithm (ITU-T I.371), for requests: one number for each key, the time at
 * which all that was taken will be regained. Pure.
 *
 * A request costs `cost_us`; `burst` of them may be taken at once, and are then regained one
 * each `cost_us`. What is refused costs nothing.
 */
#ifndef NF_LIMIT_GCRA_H
#define NF_LIMIT_GCRA_H

#include <stdbool.h>
#include <stdint.h>

struct gcra_rate {
	uint64_t cost_us;
	uint32_t burst;
};

struct gcra_answer {
	bool allowed;
	uint64_t regained_us; /* the new time, if the request is taken */
	uint32_t left;        /* how many more could be taken at once, after this one */
	uint64_t wait_us;     /* refused: until it would be allowed */
	uint64_t full_us;     /* until all of the burst is there again */
};

/* `regained_us`: of the key; one that has passed is as good as none. */
struct gcra_answer gcra_ask(const struct gcra_rate *rate, uint64_t regained_us, uint64_t now_us);

#endif
