/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The largest value of the last so many rounds, without keeping them all: the best three, each
 * of them later than the one before (draft-cardwell-iccrg-bbr-congestion-control-00 §4.1.1.4, in
 * the manner of Kathleen Nichols). Pure. All zero is empty.
 */
#ifndef L4STACK_CC_MAX_FILTER_H
#define L4STACK_CC_MAX_FILTER_H

#include <stdint.h>

struct max_filter {
	struct max_filter_sample {
		uint32_t value, at;
	} best[3];
};

static inline uint32_t max_filter_get(const struct max_filter *filter)
{
	return filter->best[0].value;
}

/* `at` never goes back; what is older than `at - window` does not count any more. */
void max_filter_take(struct max_filter *filter, uint32_t window, uint32_t at, uint32_t value);

#endif
