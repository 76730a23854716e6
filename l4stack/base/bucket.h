/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A token bucket: so many events each second, so many at once. Zeroed, it is full. One
 * thread.
 */
#ifndef L4STACK_BASE_BUCKET_H
#define L4STACK_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	uint64_t full_us; /* when it will be full again if nothing is taken */
};

/* Takes one token. False when there is none. `per_second` and `burst` are at least 1. */
static inline bool bucket_take(struct bucket *bucket, uint64_t now_us, uint32_t per_second,
			       uint32_t burst)
{
	uint64_t token_us = 1000000u / per_second;
	uint64_t full_us = bucket->full_us > now_us ? bucket->full_us : now_us;

	if (full_us + token_us > now_us + burst * token_us)
		return false;
	bucket->full_us = full_us + token_us;
	return true;
}

#endif
