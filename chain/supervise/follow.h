/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many instances a function with `instances = { min; max; }` is to have: more at once when
 * descriptors wait for them, fewer when for a long time hardly any do.
 *
 * Pure: it is given what waits now, at regular times (about ten in a second).
 */
#ifndef CHAIN_SUPERVISE_FOLLOW_H
#define CHAIN_SUPERVISE_FOLLOW_H

#include <stdint.h>

#define FOLLOW_HIGH    8u /* that wait for each instance, in the mean: too many */
#define FOLLOW_LOW     1u /* that would wait for each if there were one less: few */
#define FOLLOW_CALM_US (UINT64_C(10) * 1000000) /* of few, and there is one less */

struct follow {
	double queue;      /* the mean of the last half second or so; all instances */
	uint64_t crowd_us; /* when there were more than few */
};

/* `queued`: descriptors that wait for the `n` instances. Returns how many there should be, from
 * `least` to `most`. */
unsigned follow_step(struct follow *follow, unsigned n, unsigned least, unsigned most,
		     uint64_t queued, uint64_t now_us);

#endif
